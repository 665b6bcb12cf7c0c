//! F46, F49, F50: many at once, and many altogether.
//!
//! `HULL_ROUNDS` is the number of rounds of F49 (1; 20 are 2,000 containers).

use std::fs;
use std::path::Path;

use nix::sys::signal::{Signal, kill};

use super::lost::{monitor_of, nothing_runs};
use super::traced;
use crate::bed::Bed;
use crate::leaks::busy_processes_of;
use crate::process::{Running, run, wait_until};

each_who!(
    f46_a_hundred_execs_at_once,
    f46_exec_while_the_container_is_stopped_removed_paused,
    f46_exec_of_a_missing_program_leaves_nothing,
    f49_a_hundred_at_once_come_and_go,
);
root_and_user!(
    f50_the_work_of_ps_grows_with_the_containers_and_that_of_inspect_does_not,
    f50_a_stopped_monitor_holds_up_nobody,
);

fn finish_all(running: Vec<Running>) -> Vec<crate::process::Ran> {
    running.into_iter().map(Running::finish).collect()
}

/// Processes of the bed, without their pids.
fn count(bed: &Bed) -> usize {
    busy_processes_of(&bed.dir).len()
}

fn f46_a_hundred_execs_at_once(bed: &Bed) {
    let id = bed.detached(&["--name", "box"], &["sleep", "1000"]);
    monitor_of(bed, &id);
    let before = count(bed);
    let words = |number: usize| format!("echo {number}; exit {}", number % 7);
    let running: Vec<_> = (0..100)
        .map(|number| bed.start(&["exec", "box", "sh", "-c", &words(number)]))
        .collect();
    for (number, ran) in finish_all(running).into_iter().enumerate() {
        ran.fails(number as i32 % 7)
            .stdout_is(&format!("{number}\n"));
    }
    wait_until("no session is left", || count(bed) == before);
    let inside = bed.hull(&["exec", "box", "sh", "-c", "ls -d /proc/[0-9]* | wc -l"]);
    // The program, the shell, ls, and wc.
    inside.expect(inside.ok().trim() <= "4", "nobody else is in there");
    bed.hull(&["rm", "-f", "box"]).ok();
}

fn f46_exec_while_the_container_is_stopped_removed_paused(bed: &Bed) {
    let endings: [&[&str]; 3] = [
        &["stop", "-t", "0", "box"],
        &["rm", "-f", "box"],
        &["pause", "box"],
    ];
    for ending in endings {
        bed.detached(&["--name", "box"], &["sleep", "1000"]);
        let sleeper = bed.start(&["exec", "box", "sleep", "1000"]);
        let mut running: Vec<_> = (0..6)
            .map(|_| bed.start(&["exec", "box", "true"]))
            .collect();
        let end = bed.hull(ending);
        running.extend((0..6).map(|_| bed.start(&["exec", "box", "true"])));
        if ending[0] == "pause" {
            // Those that got in are frozen with the rest.
            std::thread::sleep(std::time::Duration::from_millis(300));
            bed.hull(&["unpause", "box"]);
            bed.hull(&["exec", "box", "true"]).ok();
            bed.hull(&["kill", "box"]).ok();
        } else {
            end.fails(0);
        }
        for ran in finish_all(running) {
            match ran.code {
                0 | 137 => {}
                _ => drop(
                    ran.fails(1).one_error_line().expect(
                        ["is not running", "No such container", "is paused"]
                            .iter()
                            .any(|text| ran.stderr.contains(text)),
                        "the reason",
                    ),
                ),
            }
        }
        let slept = sleeper.finish();
        slept.expect([1, 137].contains(&slept.code), "ends with its container");
        wait_until("no session is left", || count(bed) == 0);
        bed.hull(&["rm", "-f", "box"]);
        nothing_runs(bed);
    }
}

fn f46_exec_of_a_missing_program_leaves_nothing(bed: &Bed) {
    let id = bed.detached(&["--name", "box"], &["sleep", "1000"]);
    monitor_of(bed, &id);
    let before = count(bed);
    for _ in 0..10 {
        bed.hull(&["exec", "box", "nosuch"])
            .fails(127)
            .one_error_line();
        bed.hull(&["exec", "-d", "box", "nosuch"])
            .fails(127)
            .one_error_line();
        bed.hull(&["exec", "box", "/etc"]).fails(126);
    }
    wait_until("no session is left", || count(bed) == before);
    bed.hull(&["rm", "-f", "box"]).ok();
}

fn f49_a_hundred_at_once_come_and_go(bed: &Bed) {
    let rounds = std::env::var("HULL_ROUNDS").ok();
    let rounds: usize = rounds.and_then(|text| text.parse().ok()).unwrap_or(1);
    for round in 0..rounds {
        let running: Vec<_> = (0..100)
            .map(|_| {
                bed.start(&[
                    "run",
                    "-d",
                    "--rm",
                    "--network",
                    "none",
                    "busybox:test",
                    "true",
                ])
            })
            .collect();
        for ran in finish_all(running) {
            ran.expect(ran.ok().len() == 64, &format!("an id, round {round}"));
        }
        wait_until("all are gone", || {
            bed.hull(&["ps", "-aq"]).stdout.is_empty()
        });
        nothing_runs(bed);
    }
}

/// Adds copies of a record, as so many creates would have made them.
fn multiply(bed: &Bed, from: usize, to: usize) {
    let id = bed.inspect("box", "{{.Id}}");
    let containers = bed.store().join("containers");
    let read = |name: &str| fs::read_to_string(containers.join(&id).join(name)).expect("record");
    let (config, state) = (read("config.json"), read("state.json"));
    let write = |path: &Path, text: &str| {
        fs::write(path, text).expect("record");
        bed.give(path);
    };
    for number in from..to {
        let copy = format!("{number:08x}{}", &id[8..]);
        let directory = containers.join(&copy);
        for part in ["", "up", "up/diff", "up/work", "log"] {
            fs::create_dir(directory.join(part)).expect("directory");
            bed.give(&directory.join(part));
        }
        let name = format!("copy{number}");
        write(&directory.join("config.json"), &config.replace(&id, &copy));
        let state = state.replace(&id, &copy);
        let state = state.replace("\"box\"", &format!("\"{name}\""));
        write(&directory.join("state.json"), &state);
        write(&bed.store().join("names").join(&name), &copy);
    }
}

fn create_box(bed: &Bed) {
    let words = ["create", "--name", "box", "--network", "none"];
    bed.hull(&[&words[..], &["busybox:test", "true"]].concat())
        .ok();
}

fn f50_the_work_of_ps_grows_with_the_containers_and_that_of_inspect_does_not(bed: &Bed) {
    create_box(bed);
    let log = bed.dir.join("trace");
    let calls = |words: &[&str]| -> Option<usize> {
        run(traced(bed, &[], &log, words)?, b"").ok();
        Some(fs::read_to_string(&log).expect("log").lines().count())
    };
    let commands: [&[&str]; 3] = [&["ps", "-a"], &["inspect", "box"], &["inspect", "copy50"]];
    let measure = || -> Option<Vec<usize>> { commands.iter().map(|w| calls(w)).collect() };
    multiply(bed, 0, 100);
    let Some(few) = measure() else { return };
    multiply(bed, 100, 1000);
    let shown = bed.hull(&["ps", "-aq"]);
    shown.expect(shown.ok().lines().count() == 1001, "all are listed");
    let many = measure().expect("worked before");
    assert!(many[0] > few[0], "ps reads each: {few:?}, {many:?}");
    assert!(
        many[0] <= few[0] * 11,
        "ps, 10 times as many containers: {few:?}, {many:?}"
    );
    for one in [1, 2] {
        assert!(
            many[one] <= few[one] + 10,
            "inspect reads one: {few:?}, {many:?}"
        );
    }
}

fn f50_a_stopped_monitor_holds_up_nobody(bed: &Bed) {
    let id = bed.detached(&["--name", "up"], &["sleep", "1000"]);
    bed.detached(&["--name", "other"], &["sleep", "1000"]);
    let monitor = monitor_of(bed, &id);
    kill(monitor, Signal::SIGSTOP).expect("runs");
    create_box(bed);
    multiply(bed, 0, 100);
    let shown = bed.hull(&["ps", "-a", "--format", "{{.Names}} {{.State}}"]);
    shown
        .stdout_has("up running\n")
        .stdout_has("copy99 created\n");
    assert_eq!(bed.inspect("up", "{{.State.Status}}"), "running");
    bed.hull(&["logs", "up"]).ok();
    bed.hull(&["exec", "up", "true"]).ok();
    bed.hull(&["stop", "-t", "0", "other"]).ok();
    kill(monitor, Signal::SIGCONT).expect("is stopped");
    bed.hull(&["rm", "-f", "up"]).fails(0).stdout_is("up\n");
}
