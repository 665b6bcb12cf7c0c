//! F23, F24: too few descriptors, too few processes. Whatever cannot be had, the error is one line
//! and nothing is left.

use std::path::Path;

use super::lost::{monitor_of, nothing_runs};
use super::{Seed, expect_no_crash, points, sweep, traced};
use crate::bed::{Bed, Who, binary};
use crate::process::{Ran, run, wait_until};

each_who!(
    f23_few_descriptors_are_a_clean_error,
    f23_the_monitor_keeps_its_number_of_descriptors,
);
root_and_user!(f23_no_descriptor_at_any_call, f24_no_process_at_any_fork,);

const RUN: [&str; 6] = ["run", "--rm", "--network", "none", "busybox:test", "true"];
const CREATE: [&str; 7] = [
    "create",
    "--name",
    "box",
    "--network",
    "none",
    "busybox:test",
    "true",
];

/// Runs hull under a limit of the shell's `ulimit`.
fn limited(bed: &Bed, limit: &str, words: &[&str]) -> Ran {
    let mut command = bed.command(Path::new("/bin/bash"));
    let script = format!("ulimit {limit}; exec \"$0\" \"$@\"");
    command.arg("-c").arg(script).arg(binary());
    command.arg("--root").arg(bed.store());
    command.arg("--runroot").arg(bed.run_dir()).args(words);
    run(command, b"")
}

/// Done, or one line of the engine's own; and nothing of it left.
#[track_caller]
/// `run` fails with 125; `create` with 1 once its flags are read, as Docker's.
fn done_or_clean(bed: &Bed, ran: &Ran, words: &[&str]) {
    expect_no_crash(ran);
    if ran.code != 0 {
        let codes: &[i32] = if words[0] == "create" {
            &[1, 125]
        } else {
            &[125]
        };
        ran.expect(codes.contains(&ran.code), "a code for failures of hull");
        ran.one_error_line();
    }
    wait_until("nothing runs", || bed.hull(&["ps", "-q"]).stdout.is_empty());
    bed.hull(&["rm", "-f", "box"]);
    let left = bed.hull(&["ps", "-a", "--format", "{{.Names}} {{.State}}"]);
    left.fails(0).stdout_is("");
    // What could not be deleted in such a state is by the next removal.
    bed.hull(&CREATE).ok();
    bed.hull(&["rm", "box"]).ok();
    nothing_runs(bed);
}

fn f23_few_descriptors_are_a_clean_error(bed: &Bed) {
    let mut codes = Vec::new();
    for limit in [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 18, 20, 24, 28, 32,
    ] {
        let limit = format!("-n {limit}");
        let ran = limited(bed, &limit, &RUN);
        codes.push(ran.code);
        done_or_clean(bed, &ran, &RUN);
        let ran = limited(bed, &limit, &CREATE);
        done_or_clean(bed, &ran, &CREATE);
        let ran = limited(bed, &limit, &["ps", "-a"]);
        expect_no_crash(&ran);
        if ran.code != 0 {
            ran.fails(1).one_error_line();
        }
    }
    assert_eq!(codes[0], 125, "three are too few");
    assert_eq!(codes.last(), Some(&0), "32 are enough");
    sweep(bed);
}

fn descriptors(pid: nix::unistd::Pid) -> usize {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd"));
    entries.expect("the monitor runs").count()
}

fn f23_the_monitor_keeps_its_number_of_descriptors(bed: &Bed) {
    let turns = std::env::var("HULL_TURNS").ok();
    let turns: usize = turns.and_then(|text| text.parse().ok()).unwrap_or(50);
    let flags = ["--name", "box", "--health-cmd", "true"];
    let id = bed.detached(
        &[&flags[..], &["--health-interval", "50ms"]].concat(),
        &["sleep", "1000"],
    );
    let monitor = monitor_of(bed, &id);
    bed.hull(&["exec", "box", "true"]).ok();
    // A check under way has some of its own: the fewest seen are those of the monitor alone.
    let seen = (0..30).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        descriptors(monitor)
    });
    let before = seen.min().expect("at least once");
    for _ in 0..turns {
        bed.hull(&["exec", "box", "true"]).ok();
        // Its input ends at once; being shot, it goes without a word.
        let client = bed.start(&["attach", "box"]);
        std::thread::sleep(std::time::Duration::from_millis(2));
        client.signal(nix::sys::signal::Signal::SIGKILL);
        client.finish();
    }
    wait_until("the monitor has no more descriptors than before", || {
        descriptors(monitor) <= before
    });
    bed.hull(&["rm", "-f", "box"]).ok();
}

/// Injects errors into calls of a kind, at any number, in `run` and `create`.
fn injected(bed: &Bed, kind: &str, errors: &[&str], most: usize) {
    let log = bed.dir.join("trace");
    let mut seed = Seed::new();
    let trace = format!("trace={kind}");
    let mut failed = 0;
    for words in [&RUN[..], &CREATE] {
        let Some(untouched) = traced(bed, &["-e", &trace], &log, words) else {
            return;
        };
        run(untouched, b"").ok();
        bed.hull(&["rm", "-f", "box"]);
        for (call, number) in seed.choose(points(&log), most) {
            let error = errors[seed.below(errors.len())];
            let at = format!("inject={call}:error={error}:when={number}");
            eprintln!("{at}");
            let command = traced(bed, &["-e", &trace, "-e", &at], &log, words);
            let ran = run(command.expect("worked before"), b"");
            failed += usize::from(ran.code != 0);
            done_or_clean(bed, &ran, words);
        }
    }
    assert!(failed > 0, "some of that cannot be done without");
    sweep(bed);
}

fn f23_no_descriptor_at_any_call(bed: &Bed) {
    let calls = "openat,openat2,open_tree,fsopen,fsmount,pipe2,socket,socketpair,dup,dup3,\
                 memfd_create,pidfd_open,accept4,signalfd4,recvmsg";
    let most = if bed.who == Who::Root { 24 } else { 12 };
    injected(bed, calls, &["EMFILE", "ENFILE"], most);
}

fn f24_no_process_at_any_fork(bed: &Bed) {
    let most = if bed.who == Who::Root { 10 } else { 16 };
    injected(bed, "clone,clone3,fork,vfork", &["EAGAIN", "ENOMEM"], most);
    if bed.who == Who::User {
        let ran = limited(bed, "-u 1", &RUN);
        done_or_clean(bed, &ran, &RUN);
        ran.expect(ran.code == 125, "no process may be made");
        sweep(bed);
    }
}
