//! F4, F11: commands that change a container or a tag, killed at any system call; `create` and
//! `run -d` interrupted at any.

use std::path::Path;
use std::process::{Command, Stdio};

use super::lost::nothing_runs;
use super::{Seed, points, sweep, traced};
use crate::bed::{Bed, Who};
use crate::process::{run, wait_until};

each_who!(
    f4_killed_anywhere_it_is_the_old_or_the_new,
    f11_an_interrupted_create_is_all_or_nothing,
    f11_an_interrupted_run_leaves_a_container_or_none,
);

const CHANGES: &str = "trace=openat,mkdir,write,rename,renameat,renameat2,flock,fsync,unlink,\
                       unlinkat,rmdir,fcntl,clone,clone3,linkat";
const CREATE: [&str; 8] = [
    "create",
    "--name",
    "box",
    "--network",
    "none",
    "busybox:test",
    "sleep",
    "1000",
];
const RUN: [&str; 9] = [
    "run",
    "-d",
    "--name",
    "box",
    "--network",
    "none",
    "busybox:test",
    "sleep",
    "1000",
];

fn listed(bed: &Bed) -> String {
    let words = ["ps", "-a", "--format", "{{.Names}} {{.State}}"];
    bed.hull(&words).ok().to_owned()
}

/// A command, what shows what it did, the two sights there may be, and whether it may be said
/// again once it is done.
type Change = (
    &'static [&'static str],
    &'static [&'static str],
    [&'static str; 2],
    Again,
);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    Works,
    IsRefused,
}

const SHOW: &[&str] = &["ps", "-a", "--format", "{{.Names}}"];
const CHANGING: [Change; 4] = [
    (&["rm", "-f", "box"], SHOW, ["box", ""], Again::Works),
    (
        &["rename", "box", "bax"],
        SHOW,
        ["box", "bax"],
        Again::IsRefused,
    ),
    (
        &["update", "--pids-limit", "77", "box"],
        &["inspect", "-f", "{{.HostConfig.PidsLimit}}", "box"],
        ["50", "77"],
        Again::Works,
    ),
    (
        &["tag", "busybox:test", "box:1"],
        &["images", "--format", "{{.Repository}}"],
        ["busybox", "box\nbusybox"],
        Again::Works,
    ),
];

fn f4_killed_anywhere_it_is_the_old_or_the_new(bed: &Bed) {
    let log = bed.dir.join("trace");
    let mut seed = Seed::new();
    let prepare = || {
        bed.hull(&["rm", "-f", "box", "bax"]);
        bed.hull(&["rmi", "box:1"]);
        let tail = [&["--pids-limit", "50"], &CREATE[1..]].concat();
        bed.hull(&[&["create"], &tail[..]].concat()).ok();
    };
    for (words, show, sights, again) in CHANGING {
        prepare();
        let Some(untouched) = traced(bed, &["-e", CHANGES], &log, words) else {
            return;
        };
        run(untouched, b"").ok();
        let most = if bed.who == Who::Root { 14 } else { 6 };
        for (call, number) in seed.choose(points(&log), most) {
            prepare();
            assert_eq!(bed.hull(show).ok(), sights[0]);
            let at = format!("inject={call}:signal=SIGKILL:when={number}");
            let killed = traced(bed, &["-e", CHANGES, "-e", &at], &log, words);
            let ran = run(killed.expect("worked before"), b"");
            let sight = bed.hull(show).ok().to_owned();
            let old = sight == sights[0];
            assert!(old || sight == sights[1], "after {at}: {sight:?}");
            ran.expect(!old || ran.code != 0, &format!("done, and not: {at}"));
            let repeated = bed.hull(words);
            if old || again == Again::Works {
                repeated.fails(0);
            } else {
                repeated.fails(1).stderr_has("No such container");
            }
            assert_eq!(bed.hull(show).ok(), sights[1], "after {at}, again");
        }
    }
    prepare();
    bed.hull(&["rm", "-f", "box"]).ok();
    sweep(bed);
    nothing_runs(bed);
}

/// The command alone under strace: its monitor is not traced, and gets no signal.
fn interrupted(bed: &Bed, options: &[&str], log: &Path, words: &[&str]) -> Option<Command> {
    let command = traced(bed, options, log, words)?;
    let mut alone = bed.command(Path::new(command.get_program()));
    if bed.who != Who::Root {
        use std::os::unix::process::CommandExt as _;
        alone.uid(0).gid(0);
    }
    alone.args(command.get_args().filter(|word| *word != "-f"));
    alone.stdin(Stdio::null());
    Some(alone)
}

/// Every (system call, number) of a log without pids.
fn points_alone(log: &Path) -> Vec<(String, usize)> {
    let text = std::fs::read_to_string(log).expect("strace wrote its log");
    let numbered: String = text.lines().map(|line| format!("1 {line}\n")).collect();
    std::fs::write(log, numbered).expect("written");
    points(log)
}

const SIGNALS: [&str; 4] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE"];

/// Interrupts the command at some of its calls; `judge` says what may be seen then.
fn interrupt_everywhere(bed: &Bed, words: &[&str], judge: impl Fn(&str, &str)) {
    let log = bed.dir.join("trace");
    let mut seed = Seed::new();
    let Some(untouched) = interrupted(bed, &["-e", "trace=all"], &log, words) else {
        return;
    };
    run(untouched, b"").ok();
    bed.hull(&["rm", "-f", "box"]).ok();
    let most = if bed.who == Who::Root { 24 } else { 10 };
    for (call, number) in seed.choose(points_alone(&log), most) {
        let signal = SIGNALS[seed.below(SIGNALS.len())];
        let at = format!("inject={call}:signal={signal}:when={number}");
        let command = interrupted(bed, &["-e", "trace=all", "-e", &at], &log, words);
        run(command.expect("worked before"), b"");
        // A monitor that is at work brings it to its end.
        std::thread::sleep(std::time::Duration::from_millis(100));
        judge(&at, &listed(bed));
        bed.hull(&["rm", "-f", "box"]).fails(0);
        wait_until("it is gone", || listed(bed).is_empty());
        // And the name is free.
        bed.hull(&CREATE).ok();
        bed.hull(&["rm", "box"]).ok();
        nothing_runs(bed);
    }
    sweep(bed);
}

fn f11_an_interrupted_create_is_all_or_nothing(bed: &Bed) {
    interrupt_everywhere(bed, &CREATE, |at, state| {
        let whole = state.is_empty() || state == "box created";
        assert!(whole, "after {at}: {state}");
        if !state.is_empty() {
            bed.hull(&["start", "box"]).ok();
        }
    });
}

fn f11_an_interrupted_run_leaves_a_container_or_none(bed: &Bed) {
    interrupt_everywhere(bed, &RUN, |at, _| {
        let mut state = String::new();
        wait_until("the start is over", || {
            state = listed(bed);
            state != "box created" || crate::leaks::busy_processes_of(&bed.dir).is_empty()
        });
        match state.as_str() {
            "" | "box created" => {}
            // Started is started: the program does not notice.
            "box running" => drop(bed.hull(&["exec", "box", "true"]).ok()),
            other => panic!("after {at}: {other}"),
        }
    });
}
