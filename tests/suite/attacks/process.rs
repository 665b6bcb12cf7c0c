//! A61, A62, A68, A74, A77 and A82: what a program inherits and which system calls it has.

use std::collections::BTreeSet;
use std::path::Path;

use super::{
    Canary, SECRET, hull_with_open_files, keep_running, load_probe, run_image, start_with_secret,
    status_fields,
};
use crate::bed::Bed;
use crate::process::{Ran, wait_until};
use crate::pty::Terminal;

root_and_user!(
    a61_the_program_has_three_descriptors,
    a61_the_monitor_keeps_no_descriptor_of_the_caller,
    a62_nobody_inside_looks_into_the_stage_that_joins,
    a68_no_capability_is_inherited,
    a68_twin_root_has_the_default_capabilities,
    a74_namespaces_and_mounts_are_out_of_reach,
    a77_no_key_is_put_into_a_terminal,
    a77_without_t_the_program_has_no_terminal,
    a77_twin_keys_and_output_pass_without_t,
    a82_the_filter_is_loaded_everywhere,
    a82_a_filter_that_cannot_be_loaded_is_fatal,
    a82_twin_the_filter_can_be_chosen,
);

fn a61_the_program_has_three_descriptors(bed: &Bed) {
    if !load_probe(bed) {
        return;
    }
    let canary = Canary::new(bed);
    let open = |words: &[&str]| hull_with_open_files(bed, &canary.dir, words);
    let run = ["run", "--rm", "--network", "none"];
    for flags in [&[][..], &["-i"], &["-t"], &["--init"], &["-u", "1000"]] {
        let ran = open(&[&run, flags, &["probe", "probe", "descriptors"]].concat());
        ran.fails(0);
        let seen: Vec<&str> = ran.stdout.split_whitespace().collect();
        ran.expect(seen == ["0", "1", "2"], "0, 1 and 2 only");
    }
    let words = [
        "run",
        "-d",
        "--network",
        "none",
        "--name",
        "ctr",
        "probe",
        "sleep",
        "1000",
    ];
    open(&words).ok();
    for flags in [&[][..], &["-i"], &["-u", "1000"]] {
        let ran = open(&[&["exec"], flags, &["ctr", "probe", "descriptors"]].concat());
        ran.fails(0).stdout_is("0\n1\n2\n");
    }
    // Created by one command, started by another, and the log tells.
    open(&[
        "create",
        "--name",
        "later",
        "--network",
        "none",
        "probe",
        "probe",
        "descriptors",
    ])
    .ok();
    open(&["start", "-a", "later"])
        .fails(0)
        .stdout_is("0\n1\n2\n");
}

fn a61_the_monitor_keeps_no_descriptor_of_the_caller(bed: &Bed) {
    let canary = Canary::new(bed);
    let words = [
        "run",
        "-d",
        "--network",
        "none",
        "busybox:test",
        "sleep",
        "1000",
    ];
    hull_with_open_files(bed, &canary.dir, &words).ok();
    // It executes itself anew as soon as the container has lived for a moment.
    wait_until("nobody holds the caller's directory", || {
        holders_of(&canary.dir).is_empty()
    });
}

/// The words of processes that have this directory open.
fn holders_of(dir: &Path) -> BTreeSet<String> {
    let mut holders = BTreeSet::new();
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let files = std::fs::read_dir(entry.path().join("fd"));
        let mut files = files.into_iter().flatten().flatten();
        if files.any(|file| std::fs::read_link(file.path()).is_ok_and(|target| target == dir)) {
            let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            holders.insert(String::from_utf8_lossy(&words).replace('\0', " "));
        }
    }
    holders
}

/// T3: the container looks into every process it sees while others join it.
fn a62_nobody_inside_looks_into_the_stage_that_joins(bed: &Bed) {
    if !load_probe(bed) {
        return;
    }
    // With a user namespace the right to trace is the container's own business.
    let mut kinds: Vec<&[&str]> = vec![&[]];
    if bed.who != crate::bed::Who::Root {
        kinds.push(&["--cap-add", "SYS_PTRACE"]);
    }
    for flags in kinds {
        keep_running(bed, "ctr", flags, "probe", &["probe", "attach"]);
        for _ in 0..25 {
            let words = ["exec", "ctr", "/bin/sleep", "0.02"];
            start_with_secret(bed, &words).finish().ok();
        }
        let logs = bed.hull(&["logs", "ctr"]);
        bed.hull(&["rm", "-f", "ctr"]).ok();
        let seen: BTreeSet<&str> = logs.stdout.lines().collect();
        let leaks: Vec<_> = seen
            .iter()
            .filter(|line| line.starts_with("LEAK"))
            .collect();
        assert!(
            leaks.is_empty(),
            "{flags:?}: the engine was looked into: {leaks:?}"
        );
        // The benign twin: the container sees its own processes.
        assert!(seen.contains("saw /bin/busybox"), "{flags:?}: {seen:?}");
        assert!(!logs.stdout.contains(SECRET), "{flags:?}: no secret");
    }
}

/// `/proc/self/status` in a new container and in a running one.
fn statuses(bed: &Bed, run_flags: &[&str], exec_flags: &[&str]) -> [String; 2] {
    let words = ["cat", "/proc/self/status"];
    let of_run = bed.run_rm(run_flags, &words);
    bed.detached(
        &[&["--name", "ctr"], run_flags].concat(),
        &["sleep", "1000"],
    );
    let of_exec = bed.hull(&[&["exec"], exec_flags, &["ctr"], &words].concat());
    bed.hull(&["rm", "-f", "ctr"]).ok();
    [of_run.ok().to_owned(), of_exec.ok().to_owned()]
}

const NONE: &str = "0000000000000000";

fn a68_no_capability_is_inherited(bed: &Bed) {
    let user = &["-u", "guest"][..];
    let all = &["--cap-add", "ALL"][..];
    for (run_flags, exec_flags) in [
        (&[][..], &[][..]),
        (user, user),
        (all, &[]),
        (&["-u", "guest", "--cap-add", "ALL"], user),
    ] {
        for status in statuses(bed, run_flags, exec_flags) {
            let is_user = status_fields(&status, "Uid:") == "1000";
            assert_eq!(is_user, run_flags.contains(&"guest"), "{status}");
            for name in ["CapInh:", "CapAmb:"] {
                assert_eq!(
                    status_fields(&status, name),
                    NONE,
                    "{run_flags:?}: {status}"
                );
            }
            for name in ["CapEff:", "CapPrm:"] {
                let none = status_fields(&status, name) == NONE;
                assert_eq!(none, is_user, "{run_flags:?}: {status}");
            }
        }
    }
    // What was dropped stays dropped in exec.
    let [of_run, of_exec] = statuses(bed, &["--cap-drop", "CHOWN"], &[]);
    let bounding = |status: &str| {
        u64::from_str_radix(&status_fields(status, "CapBnd:"), 16).expect("hexadecimal")
    };
    assert_eq!(bounding(&of_exec) & !bounding(&of_run), 0, "{of_exec}");
    assert_eq!(bounding(&of_exec) & 1, 0, "CHOWN is dropped: {of_exec}");
}

fn a68_twin_root_has_the_default_capabilities(bed: &Bed) {
    for status in statuses(bed, &[], &[]) {
        for name in ["CapEff:", "CapPrm:", "CapBnd:"] {
            // The 11 of the table of defaults, by number of capabilities(7).
            let numbers = [0, 1, 3, 4, 5, 6, 7, 8, 10, 18, 31];
            let bits: u64 = numbers.iter().map(|number| 1 << number).sum();
            assert_eq!(
                status_fields(&status, name),
                format!("{bits:016x}"),
                "{status}"
            );
        }
    }
    let script = "chown 5:6 /tmp && stat -c %u:%g /tmp";
    bed.run_rm(&[], &["sh", "-c", script])
        .fails(0)
        .stdout_is("5:6\n");
}

/// The same attempt as root and as another user, in run and in exec.
fn attempts(bed: &Bed, attempt: &str) -> Vec<Ran> {
    let mut all = Vec::new();
    keep_running(bed, "ctr", &[], "probe", &["sleep", "1000"]);
    for user in ["0", "1000"] {
        let words = ["probe", attempt];
        all.push(run_image(bed, &["-u", user], "probe", &words));
        all.push(bed.hull(&[&["exec", "-u", user, "ctr"][..], &words].concat()));
    }
    bed.hull(&["rm", "-f", "ctr"]).ok();
    all
}

fn a74_namespaces_and_mounts_are_out_of_reach(bed: &Bed) {
    if !load_probe(bed) {
        return;
    }
    for ran in attempts(bed, "namespaces") {
        ran.fails(0);
        for line in ran.stdout.lines() {
            let (what, result) = line.split_once(' ').unwrap_or((line, ""));
            let expected = match what {
                // So that the C library falls back to clone, whose flags the filter sees.
                "clone3" => "ENOSYS",
                "twin-clone" => "done",
                _ => "EPERM",
            };
            ran.expect(result == expected, &format!("{what}: {expected}"));
        }
        ran.expect(ran.stdout.lines().count() == 20, "20 attempts");
    }
    let ran = bed.run_rm(&[], &["unshare", "-Ur", "true"]);
    ran.expect(ran.code != 0, "no new user namespace");
}

fn a77_no_key_is_put_into_a_terminal(bed: &Bed) {
    if !load_probe(bed) {
        return;
    }
    keep_running(bed, "ctr", &[], "probe", &["sleep", "1000"]);
    for words in [
        &[
            "run",
            "--rm",
            "-it",
            "--network",
            "none",
            "probe",
            "probe",
            "terminal",
        ][..],
        &["exec", "-it", "ctr", "probe", "terminal"],
    ] {
        let mut terminal = Terminal::start(bed, words, 40, 100);
        assert_eq!(terminal.finish(), 0, "{}", terminal.screen());
        wait_until("all is shown", || {
            terminal.screen().matches("TIOCSTI-high").count() == 4
        });
        let screen = terminal.screen();
        // Of its own terminal, on all three streams and as /dev/tty.
        for attempt in ["TIOCSTI", "TIOCLINUX", "TIOCSTI-high"] {
            let refused = screen.matches(&format!("{attempt} EPERM")).count();
            assert_eq!(refused, 4, "{attempt} is refused: {screen}");
        }
        assert!(!screen.contains('Z'), "no key appears: {screen}");
    }
}

/// The caller's terminal is never the program's; with `-t` it has another.
fn a77_without_t_the_program_has_no_terminal(bed: &Bed) {
    if !load_probe(bed) {
        return;
    }
    keep_running(bed, "ctr", &[], "probe", &["sleep", "1000"]);
    for words in [
        &[
            "run",
            "--rm",
            "--network",
            "none",
            "probe",
            "probe",
            "terminal",
        ][..],
        &[
            "run",
            "--rm",
            "-i",
            "--network",
            "none",
            "probe",
            "probe",
            "terminal",
        ],
        &["exec", "ctr", "probe", "terminal"],
        &["exec", "-i", "ctr", "probe", "terminal"],
    ] {
        let mut terminal = Terminal::start(bed, words, 40, 100);
        terminal.wait_for("tty ");
        terminal.send("\u{4}");
        terminal.finish();
        let screen = terminal.screen();
        let without = screen.matches("no-terminal").count();
        assert_eq!(without, 4, "{words:?}: no terminal at all: {screen}");
    }
}

fn a77_twin_keys_and_output_pass_without_t(bed: &Bed) {
    bed.detached(&["--name", "ctr"], &["sleep", "1000"]);
    let script = "read line; echo got $line; cat; echo error >&2; exit 5";
    let mut terminal = Terminal::start(bed, &["exec", "-i", "ctr", "sh", "-c", script], 24, 80);
    terminal.send("one\r");
    terminal.wait_for("got one");
    terminal.send("two\r");
    terminal.wait_for("two\r\ntwo");
    terminal.send("\u{4}");
    assert_eq!(terminal.finish(), 5, "{}", terminal.screen());
    terminal.wait_for("error");
    // What is written last arrives, and a program that reads nothing does no harm.
    let script = "seq 20000; echo last";
    for flags in [&["exec", "ctr"][..], &["exec", "-i", "ctr"]] {
        let words = [flags, &["sh", "-c", script]].concat();
        let mut terminal = Terminal::start(bed, &words, 24, 80);
        assert_eq!(terminal.finish(), 0, "{}", terminal.screen());
        terminal.wait_for("20000\r\nlast");
    }
}

fn a82_the_filter_is_loaded_everywhere(bed: &Bed) {
    if !load_probe(bed) {
        return;
    }
    for flags in [
        &[][..],
        &["-u", "guest"],
        &["--cap-add", "ALL"],
        &["--init"],
    ] {
        let exec_flags = if flags.contains(&"guest") { flags } else { &[] };
        for status in statuses(bed, flags, exec_flags) {
            assert_eq!(
                status_fields(&status, "Seccomp:"),
                "2",
                "{flags:?}: {status}"
            );
            assert_eq!(
                status_fields(&status, "NoNewPrivs:"),
                "0",
                "{flags:?}: {status}"
            );
        }
    }
    let flags = ["--security-opt", "no-new-privileges"];
    for status in statuses(bed, &flags, &[]) {
        assert_eq!(status_fields(&status, "Seccomp:"), "2", "{status}");
        assert_eq!(status_fields(&status, "NoNewPrivs:"), "1", "{status}");
    }
    for ran in attempts(bed, "unknown") {
        ran.fails(0)
            .stdout_is("unknown ENOSYS\nunknown-high ENOSYS\nkeyctl EPERM\ntwin-getpid done\n");
    }
}

fn a82_a_filter_that_cannot_be_loaded_is_fatal(bed: &Bed) {
    let broken = bed.file("broken.json", b"{\"defaultAction\":\"SCMP_ACT_NOSUCH\"}");
    let broken = format!("seccomp={}", broken.display());
    for option in ["seccomp=/no/such/file.json", &broken] {
        let ran = bed.run_rm(&["--security-opt", option], &["true"]);
        ran.fails(125).one_error_line();
        // The record is there to be looked at only where it was made.
        let all = bed.hull(&["ps", "-aq"]).stdout;
        ran.expect(all.is_empty(), "no container is left");
    }
}

fn a82_twin_the_filter_can_be_chosen(bed: &Bed) {
    let none = ["--security-opt", "seccomp=unconfined"];
    for status in statuses(bed, &none, &[]) {
        assert_eq!(status_fields(&status, "Seccomp:"), "0", "{status}");
    }
    let own = bed.file(
        "own.json",
        br#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
            {"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":28}]}"#,
    );
    let option = format!("seccomp={}", own.display());
    bed.run_rm(&["--security-opt", &option], &["mkdir", "/tmp/x"])
        .fails(1)
        .stderr_has("No space left");
}
