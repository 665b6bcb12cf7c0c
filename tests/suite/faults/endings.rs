//! F3, F8, F9, F52, F55: how containers end when what should end them dies or is ignored.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::lost::{kill_monitor_of, monitor_of, nothing_runs};
use crate::bed::Bed;
use crate::process::wait_until;

each_who!(
    f3_a_stop_killed_while_it_waits,
    f8_any_command_works_first_time_after_the_monitor_was_killed,
    f8_a_restart_policy_comes_back_with_start,
    f9_wait_ends_when_monitor_and_program_are_killed_together,
    f52_a_program_that_ignores_the_signal_is_killed_at_the_timeout,
    f55_orphans_become_nobodys_zombies,
);

/// Ignores TERM, and says so when its trap is set.
const STUBBORN: &str = "trap '' TERM; echo set; while :; do sleep 0.05; done";

fn stubborn(bed: &Bed, flags: &[&str]) -> String {
    let flags = [&["--name", "box"][..], flags].concat();
    let id = bed.detached(&flags, &["sh", "-c", STUBBORN]);
    wait_until("the trap is set", || {
        bed.hull(&["logs", "box"]).stdout == "set\n"
    });
    id
}

fn status(bed: &Bed) -> String {
    let state = "{{.State.Status}} {{.State.ExitCode}}";
    bed.inspect("box", state)
}

fn f3_a_stop_killed_while_it_waits(bed: &Bed) {
    let nexts: [&[&str]; 4] = [
        &["stop", "-t", "0", "box"],
        &["kill", "box"],
        &["start", "box"],
        &["rm", "-f", "box"],
    ];
    for (monitor_too, next) in [false, true]
        .iter()
        .flat_map(|too| nexts.iter().map(move |next| (*too, *next)))
    {
        let id = stubborn(bed, &[]);
        let stop = bed.start(&["stop", "-t", "1000", "box"]);
        std::thread::sleep(Duration::from_millis(150));
        stop.signal(Signal::SIGKILL);
        stop.finish().fails(137);
        assert_eq!(status(bed), "running 0", "nobody is stopping it any more");
        if monitor_too {
            kill_monitor_of(bed, &id);
            assert_eq!(status(bed), "exited 137");
        }
        let ran = bed.hull(next);
        match (next[0], monitor_too) {
            // It has ended already, and that is said.
            ("kill", true) => drop(ran.fails(1).stderr_has("is not running")),
            _ => drop(ran.ok()),
        }
        match next[0] {
            "rm" => drop(bed.hull(&["ps", "-aq"]).fails(0).stdout_is("")),
            "start" => assert_eq!(status(bed), "running 0"),
            _ => assert_eq!(status(bed), "exited 137"),
        }
        bed.hull(&["rm", "-f", "box"]).ok();
        nothing_runs(bed);
    }
}

fn f8_any_command_works_first_time_after_the_monitor_was_killed(bed: &Bed) {
    let nexts: [(&[&str], i32); 9] = [
        (&["start", "box"], 0),
        (&["restart", "-t", "0", "box"], 0),
        (&["stop", "box"], 0),
        (&["wait", "box"], 0),
        (&["rename", "box", "bax"], 0),
        (&["rm", "box"], 0),
        (&["exec", "box", "true"], 1),
        (&["kill", "box"], 1),
        (&["pause", "box"], 1),
    ];
    for (next, code) in nexts {
        let id = bed.detached(&["--name", "box"], &["sleep", "1000"]);
        kill_monitor_of(bed, &id);
        let ran = bed.hull(next);
        ran.fails(code);
        if code != 0 {
            ran.stderr_has("is not running");
        }
        bed.hull(&["rm", "-f", "box", "bax"]).fails(0);
        nothing_runs(bed);
    }
}

/// It is not started behind the user's back: a `start`, and the next boot, bring it back with its
/// policy.
fn f8_a_restart_policy_comes_back_with_start(bed: &Bed) {
    let id = bed.detached(
        &["--name", "box", "--restart", "always"],
        &["sh", "-c", "sleep 1000"],
    );
    kill_monitor_of(bed, &id);
    assert_eq!(status(bed), "exited 137");
    bed.hull(&["start", "box"]).ok();
    // The policy holds again: whoever ends the program finds it started anew.
    bed.hull(&["exec", "box", "true"]).ok();
    let pid: i32 = bed.inspect("box", "{{.State.Pid}}").parse().expect("a pid");
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("runs");
    wait_until("it was restarted", || {
        bed.inspect("box", "{{.RestartCount}} {{.State.Status}}") == "1 running"
    });
    bed.hull(&["rm", "-f", "box"]).ok();
    nothing_runs(bed);
}

fn f9_wait_ends_when_monitor_and_program_are_killed_together(bed: &Bed) {
    let id = bed.detached(&["--name", "box"], &["sleep", "1000"]);
    let waiting = bed.start(&["wait", "box"]);
    std::thread::sleep(Duration::from_millis(100));
    let pid: i32 = bed.inspect("box", "{{.State.Pid}}").parse().expect("a pid");
    let monitor = monitor_of(bed, &id);
    kill(monitor, Signal::SIGSTOP).expect("runs");
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("runs");
    kill(monitor, Signal::SIGKILL).expect("runs");
    let begun = Instant::now();
    let ran = waiting.finish();
    // Two seconds by the book; whoever waits for ever is caught here on a slow machine too.
    assert!(begun.elapsed() < Duration::from_secs(20), "wait ended");
    ran.expect(ran.code != 0 || ran.stdout == "137\n", "never a 0");
    bed.hull(&["wait", "box"]).fails(0).stdout_is("137\n");
    let state = "{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}";
    assert_eq!(bed.inspect("box", state), "exited 137 monitor lost");
    bed.hull(&["rm", "box"]).ok();
    nothing_runs(bed);
}

fn f52_a_program_that_ignores_the_signal_is_killed_at_the_timeout(bed: &Bed) {
    stubborn(bed, &[]);
    let begun = Instant::now();
    bed.hull(&["stop", "-t", "1", "box"])
        .fails(0)
        .stdout_is("box\n");
    let took = begun.elapsed();
    assert!(
        took >= Duration::from_secs(1),
        "it had its second: {took:?}"
    );
    assert!(
        took < Duration::from_secs(20),
        "and not many more: {took:?}"
    );
    assert_eq!(status(bed), "exited 137");
    bed.hull(&["rm", "box"]).ok();
    // The one made with the container counts where none is given; the benign twin obeys.
    stubborn(bed, &["--stop-timeout", "0"]);
    bed.hull(&["stop", "box"]).ok();
    assert_eq!(status(bed), "exited 137");
    bed.hull(&["rm", "box"]).ok();
    let script = "trap 'exit 7' TERM; echo set; while :; do sleep 0.05; done";
    bed.detached(&["--name", "box"], &["sh", "-c", script]);
    wait_until("the trap is set", || {
        bed.hull(&["logs", "box"]).stdout == "set\n"
    });
    bed.hull(&["stop", "-t", "30", "box"]).ok();
    assert_eq!(status(bed), "exited 7");
    bed.hull(&["rm", "box"]).ok();
}

/// Children of a process, and those of them that are zombies.
fn children(parent: i32) -> (Vec<i32>, usize) {
    let mut found = (Vec::new(), 0);
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let Some((_, after)) = stat.rsplit_once(") ") else {
            continue;
        };
        let mut fields = after.split(' ');
        let state = fields.next();
        if fields.next() == Some(parent.to_string().as_str()) {
            found.0.push(pid);
            found.1 += usize::from(state == Some("Z"));
        }
    }
    found
}

/// `HULL_ORPHANS` is their number; without `--init` no more than the limit of processes.
fn f55_orphans_become_nobodys_zombies(bed: &Bed) {
    let orphans = std::env::var("HULL_ORPHANS").ok();
    let orphans: usize = orphans.and_then(|text| text.parse().ok()).unwrap_or(200);
    for (flags, limit) in [(&["--init"][..], usize::MAX), (&[], 1500)] {
        let flags = [&["--name", "box", "--health-cmd", "true"][..], flags].concat();
        let flags = [&flags[..], &["--health-interval", "50ms"]].concat();
        let id = bed.detached(&flags, &["sleep", "1000"]);
        let monitor = monitor_of(bed, &id);
        let number = orphans.min(limit);
        // Each inner shell ends before its child, which then belongs to the first process.
        let script = format!(
            "i=0; while [ $i -lt {number} ]; do sh -c 'true & exit'; i=$((i+1)); done; echo made"
        );
        bed.hull(&["exec", "box", "sh", "-c", &script])
            .fails(0)
            .stdout_is("made\n");
        let pid: i32 = bed.inspect("box", "{{.State.Pid}}").parse().expect("a pid");
        if limit == usize::MAX {
            wait_until("the init reaps", || children(pid).1 == 0);
        }
        let (left, _) = children(pid);
        wait_until("the monitor reaps its probes", || {
            let (all, zombies) = children(monitor.as_raw());
            zombies == 0 && all.len() <= 2
        });
        bed.hull(&["rm", "-f", "box"]).ok();
        wait_until("no zombie is left on the host", || {
            left.iter().all(|pid| {
                let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
                !stat.contains(") Z ")
            })
        });
        nothing_runs(bed);
    }
}
