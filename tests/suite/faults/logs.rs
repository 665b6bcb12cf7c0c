//! F11, F26 to F29: floods, full disks, rotation under readers, clients that do not read, and
//! signals at any moment.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::disk::Disk;
use super::{Seed, points, traced};
use crate::attacks::logs::peak_of;
use crate::bed::{Bed, Who, on_bed};
use crate::logs::monitor_of;
use crate::process::{run, wait_until};

root_and_user!(
    f11_a_signal_at_any_moment_of_run_leaves_nothing,
    f11_signals_reach_the_program_past_stuck_streams,
    f11_a_client_with_a_terminal_ends_and_restores_it,
    f26_a_flood_without_newlines_needs_little_memory_and_loses_nothing,
    f28_followers_see_every_line_once_across_rotation,
    f29_a_client_that_never_reads_stalls_nobody,
    f29_the_end_is_known_before_the_first_client_has_read,
);

#[test]
fn f27_a_full_log_disk_costs_text_and_says_how_much() {
    on_bed(Who::Root, full_log_disk);
}

/// What a command does from making a container on.
const CALLS: &str = "trace=openat,mkdir,rename,renameat,flock,fsync,clone,clone3,socketpair,\
                     recvfrom,recvmsg,sendmsg,poll,ppoll,signalfd4,rt_sigprocmask,fcntl,unlinkat";

fn f11_a_signal_at_any_moment_of_run_leaves_nothing(bed: &Bed) {
    let script = "trap 'exit 7' TERM INT HUP; echo up; sleep 0.3 & wait";
    let words = [
        "run",
        "--rm",
        "--network",
        "none",
        "busybox:test",
        "sh",
        "-c",
        script,
    ];
    let log = bed.dir.join("trace");
    // Not -f: the signals are for the command.
    let alone = |options: &[&str]| {
        let command = traced(bed, options, &log, &words)?;
        let kept = command.get_args().filter(|word| *word != "-f");
        let mut without = bed.command(std::path::Path::new(command.get_program()));
        without.args(kept);
        if bed.who != Who::Root {
            use std::os::unix::process::CommandExt as _;
            without.uid(0).gid(0);
        }
        Some(without)
    };
    let Some(untouched) = alone(&["-e", CALLS]) else {
        return;
    };
    run(untouched, b"").fails(0).stdout_is("up\n");
    let mut seed = Seed::new();
    for (index, (name, number)) in seed.choose(points(&log), 12).into_iter().enumerate() {
        let signal = ["SIGTERM", "SIGINT", "SIGHUP"][index % 3];
        let at = format!("inject={name}:signal={signal}:when={number}");
        let begun = Instant::now();
        let ran = run(
            alone(&["-e", CALLS, "-e", &at]).expect("worked before"),
            b"",
        );
        let ended = begun.elapsed();
        ran.expect(ended < Duration::from_secs(10), &format!("{at}: ends soon"));
        wait_until(&format!("{at}: nothing is left"), || {
            bed.hull(&["ps", "-aq"]).stdout.is_empty()
        });
    }
}

fn f11_signals_reach_the_program_past_stuck_streams(bed: &Bed) {
    let catch = "trap 'exit 9' TERM";
    // Its output is not read, and its input is more than it reads.
    let stuck = format!("{catch}; echo up; yes & wait");
    let idle = format!("{catch}; echo up; while :; do sleep 0.1; done");
    for script in [stuck, idle] {
        let words = [
            "run",
            "--rm",
            "-i",
            "--network",
            "none",
            "busybox:test",
            "sh",
            "-c",
            &script,
        ];
        let mut command = bed.hull_command(&words);
        let zero = std::fs::File::open("/dev/zero").expect("/dev/zero");
        command.stdin(zero).stdout(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let mut stdout = child.stdout.take().expect("is a pipe");
        stdout.read_exact(&mut [0; 3]).expect("it writes");
        std::thread::sleep(Duration::from_millis(500));
        kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).expect("runs");
        // The signal must get through although nobody reads; the last output is read after that.
        wait_until("the container has ended", || {
            bed.hull(&["ps", "-q"]).stdout.is_empty()
        });
        let mut rest = Vec::new();
        stdout.read_to_end(&mut rest).expect("ends");
        assert_eq!(child.wait().expect("ends").code(), Some(9), "{script}");
    }
}

fn f11_a_client_with_a_terminal_ends_and_restores_it(bed: &Bed) {
    for signal in ["TERM", "HUP", "INT"] {
        let words = [
            "run",
            "-it",
            "--name",
            signal,
            "--network",
            "none",
            "busybox:test",
            "sh",
        ];
        let mut terminal = crate::pty::Terminal::start(bed, &words, 24, 80);
        terminal.wait_for("# ");
        assert_ne!(
            terminal.settings(),
            terminal.fresh,
            "raw while the program runs"
        );
        terminal.signal(signal);
        let number = Signal::iterator().find(|known| known.as_str() == format!("SIG{signal}"));
        let number = number.expect("is a signal") as i32;
        assert_eq!(terminal.finish(), 128 + number, "{}", terminal.screen());
        assert_eq!(terminal.settings(), terminal.fresh, "after {signal}");
        assert_eq!(bed.inspect(signal, "{{.State.Running}}"), "true");
        bed.hull(&["rm", "-f", signal]).ok();
    }
}

fn f26_a_flood_without_newlines_needs_little_memory_and_loses_nothing(bed: &Bed) {
    const BYTES: usize = 12 << 20;
    let script = format!("read go; head -c {BYTES} /dev/zero | tr '\\0' x; echo; sleep 1000");
    let flags = ["--name", "ctr", "-i", "--init", "--log-opt", "max-size=-1"];
    let id = bed.detached(&flags, &["sh", "-c", &script]);
    let mut monitor = None;
    wait_until("the monitor has its title", || {
        monitor = monitor_of(&id);
        monitor.is_some()
    });
    let monitor = monitor.expect("was found").cast_unsigned();
    let mut attach = bed.hull_command(&["attach", "ctr"]);
    attach.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut client = attach.spawn().expect("starts");
    let mut keys = client.stdin.take().expect("is a pipe");
    std::io::Write::write_all(&mut keys, b"go\n").expect("written");
    let path = bed.inspect("ctr", "{{.LogPath}}");
    wait_until("everything is in the log", || {
        let tail = bed.hull(&["logs", "--tail", "1", "ctr"]);
        tail.stdout.ends_with('\n')
    });
    let peak = peak_of(monitor);
    assert!(peak > 0 && peak <= 16 << 10, "{peak} KiB");
    drop(keys);
    client.kill().expect("runs");
    client.wait().expect("ends");
    let log = std::fs::File::open(path).expect("a log");
    let mut total = 0;
    for line in BufReader::new(log).lines() {
        let record: serde_json::Value = serde_json::from_str(&line.expect("text")).expect("whole");
        total += record["log"].as_str().expect("is text").len();
    }
    assert_eq!(total, BYTES + 1);
}

fn full_log_disk(bed: &Bed) {
    let Some(disk) = Disk::new(bed, 8) else {
        return;
    };
    let option = format!("path={}/log", disk.path().display());
    let filler = disk.path().join("filler");
    let file = std::fs::File::create(&filler).expect("filler");
    let full = std::io::copy(&mut std::io::repeat(0), &mut &file);
    full.expect_err("the disk is full");
    file.sync_all().expect("synced");
    drop(file);
    // Some room, so that a batch is torn in the middle.
    let shorter = std::fs::File::options()
        .write(true)
        .open(&filler)
        .expect("filler");
    let length = shorter.metadata().expect("filler").len();
    shorter.set_len(length - (100 << 10)).expect("shorter");
    shorter.sync_all().expect("synced");
    drop(shorter);
    let script = "seq 200000; touch /done; until [ -e /go ]; do sleep 0.1; done; echo after";
    let flags = [
        "--name",
        "ctr",
        "--log-driver",
        "k8s-file",
        "--log-opt",
        "max-size=-1",
    ];
    bed.detached(
        &[&flags[..], &["--log-opt", &option]].concat(),
        &["sh", "-c", script],
    );
    wait_until("the program was not held up", || {
        bed.hull(&["exec", "ctr", "test", "-e", "/done"]).code == 0
    });
    std::fs::remove_file(&filler).expect("filler");
    // Its blocks are free once the removal is on disk.
    let mounted = std::fs::File::open(disk.path()).expect("is mounted");
    wait_until("there is room again", || {
        // Must not: sync(2). Others test what a power cut leaves of their disks.
        rustix::fs::syncfs(&mounted).expect("synced");
        let free = rustix::fs::statvfs(disk.path()).expect("is mounted");
        free.f_bavail * free.f_frsize > 1 << 20
    });
    drop(mounted);
    bed.hull(&["exec", "ctr", "touch", "/go"]).ok();
    bed.hull(&["wait", "ctr"]).fails(0).stdout_is("0\n");
    let ran = bed.hull(&["logs", "ctr"]);
    let text = ran.ok();
    let kept = text.len() + 1;
    let gaps = ran.stderr.lines().filter_map(|line| {
        let number = line.strip_prefix('[')?.split(' ').next()?;
        number.parse::<usize>().ok()
    });
    let lost: usize = gaps.sum();
    ran.expect(lost > 0, "it says how much is missing");
    let printed: usize = (1..=200_000)
        .map(|number| number.to_string().len() + 1)
        .sum();
    assert_eq!(kept + lost, printed + "after\n".len(), "{}", ran.stderr);
    ran.expect(text.ends_with("\nafter"), "what came after is there");
    let numbers = text.lines().filter_map(|line| line.parse::<u32>().ok());
    let numbers: Vec<u32> = numbers.collect();
    let in_order = numbers.is_sorted() && numbers.len() + 1 == text.lines().count();
    ran.expect(in_order, "no line is torn");
    // The disk is in use until the container is gone.
    bed.hull(&["rm", "-f", "ctr"]).ok();
}

fn f28_followers_see_every_line_once_across_rotation(bed: &Bed) {
    let expected: String = (1..=100_000).map(|number| format!("{number}\n")).collect();
    for (driver, compress) in [
        ("json-file", "false"),
        ("json-file", "true"),
        ("k8s-file", "true"),
    ] {
        let compress = format!("compress={compress}");
        let options = ["max-size=200k", "max-file=1000", &compress];
        let mut flags = vec!["--name", "ctr", "--log-driver", driver];
        options
            .iter()
            .for_each(|option| flags.extend(["--log-opt", *option]));
        bed.detached(&flags, &["seq", "100000"]);
        let followers = [(); 2].map(|()| bed.start(&["logs", "-f", "ctr"]));
        for follower in followers {
            follower.finish().fails(0).stdout_is(&expected);
        }
        bed.hull(&["logs", "ctr"]).fails(0).stdout_is(&expected);
        let path = bed.inspect("ctr", "{{.LogPath}}");
        let second = [format!("{path}.5"), format!("{path}.5.gz")];
        assert!(
            second
                .iter()
                .any(|path| std::fs::exists(path).expect("works")),
            "it rotated"
        );
        bed.hull(&["rm", "-f", "ctr"]).ok();
    }
}

fn f29_a_client_that_never_reads_stalls_nobody(bed: &Bed) {
    // With pauses: a client that reads, on however busy a machine, keeps up.
    let script = "read go; i=0; while [ $i -lt 40 ]; do head -c 500000 /dev/zero | tr '\\0' x; \
                  sleep 0.05; i=$((i + 1)); done; echo end";
    bed.detached(&["--name", "ctr", "-i"], &["sh", "-c", script]);
    // One that is stopped, and one whose reader never reads.
    let stopped = bed.start(&["attach", "--no-stdin", "ctr"]);
    let mut unread = bed.hull_command(&["attach", "--no-stdin", "ctr"]);
    unread
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let unread = unread.spawn().expect("starts");
    // Nothing tells from outside when a client is connected.
    std::thread::sleep(Duration::from_millis(700));
    stopped.signal(Signal::SIGSTOP);
    bed.hull_with_input(&["attach", "ctr"], b"go\n")
        .fails(0)
        .stdout_has("xxxend\n");
    stopped.signal(Signal::SIGCONT);
    let told = stopped.finish();
    told.fails(1).stderr_has("this client was detached");
    let told = unread.wait_with_output().expect("ends");
    assert_eq!(
        told.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&told.stderr)
    );
    assert!(bed.hull(&["logs", "ctr"]).ok().ends_with("xxxend"));
}

fn f29_the_end_is_known_before_the_first_client_has_read(bed: &Bed) {
    let script = "echo up; head -c 300000 /dev/zero | tr '\\0' x; exit 5";
    let words = [
        "run",
        "--name",
        "ctr",
        "--network",
        "none",
        "busybox:test",
        "sh",
        "-c",
        script,
    ];
    let mut command = bed.hull_command(&words);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    wait_until("the end is recorded", || {
        let state = "{{.State.Status}} {{.State.ExitCode}}";
        bed.hull(&["inspect", "--format", state, "ctr"]).stdout == "exited 5\n"
    });
    bed.hull(&["wait", "ctr"]).fails(0).stdout_is("5\n");
    let mut text = Vec::new();
    let mut stdout = child.stdout.take().expect("is a pipe");
    stdout.read_to_end(&mut text).expect("ends");
    assert_eq!(text.len(), 300_003);
    assert_eq!(child.wait().expect("ends").code(), Some(5));
}
