//! F9 and neighbours: the monitor or the client of a running container is killed.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Seed, points, sweep, traced_command};
use crate::bed::{Bed, Who};
use crate::leaks::{busy_processes_of, processes_of};
use crate::process::{start, wait_until};

each_who!(
    a_lost_monitor_means_an_ended_container,
    a_lost_monitor_of_rm_leaves_nothing,
    a_killed_client_does_not_end_the_container,
    f9_a_monitor_killed_at_any_step_of_its_end,
);

/// The monitor of a container, once it goes by that name.
pub fn monitor_of(bed: &Bed, id: &str) -> Pid {
    let title = format!("hull: monitor {}", &id[..12]);
    let mut found = None;
    wait_until("the monitor is there", || {
        let processes = processes_of(&bed.dir);
        let monitor = processes
            .into_iter()
            .find(|(_, what)| what.contains(&title));
        found = monitor.map(|(pid, _)| Pid::from_raw(pid));
        found.is_some()
    });
    found.expect("was found")
}

/// Kills it and waits until the kernel has let go of all it held.
pub fn kill_monitor_of(bed: &Bed, id: &str) {
    let monitor = monitor_of(bed, id);
    kill(monitor, Signal::SIGKILL).expect("runs");
    wait_until("the monitor is dead", || {
        let processes = processes_of(&bed.dir);
        processes.iter().all(|(pid, _)| *pid != monitor.as_raw())
    });
}

pub fn nothing_runs(bed: &Bed) {
    wait_until("no process is left", || {
        busy_processes_of(&bed.dir).is_empty()
    });
    let left: Vec<_> = std::fs::read_dir(bed.run_dir().join("c"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

fn a_lost_monitor_means_an_ended_container(bed: &Bed) {
    let id = bed.detached(&["--name", "box"], &["sleep", "1000"]);
    kill_monitor_of(bed, &id);
    let state = "{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}";
    assert_eq!(bed.inspect("box", state), "exited 137 monitor lost");
    bed.hull(&["kill", "box"])
        .fails(1)
        .stderr_has("not running");
    nothing_runs(bed);
    assert_eq!(bed.inspect("box", state), "exited 137 monitor lost");
    bed.hull(&["start", "box"]).ok();
    assert_eq!(bed.inspect("box", "{{.State.Status}}"), "running");
    bed.hull(&["exec", "box", "true"]).ok();
    kill_monitor_of(bed, &id);
    bed.hull(&["start", "box"]).ok();
    bed.hull(&["exec", "box", "true"]).ok();
    kill_monitor_of(bed, &id);
    bed.hull(&["rm", "-f", "box"]).fails(0).stdout_is("box\n");
    nothing_runs(bed);
}

fn a_lost_monitor_of_rm_leaves_nothing(bed: &Bed) {
    for last in [
        &["rm", "-f", "box"][..],
        &["rm", "box"],
        &["stop", "box"],
        &["start", "box"],
    ] {
        let id = bed.detached(&["--rm", "--name", "box"], &["sleep", "1000"]);
        kill_monitor_of(bed, &id);
        let ran = bed.hull(last);
        ran.expect(ran.code == 0 || last[0] != "rm", "rm works first time");
        bed.hull(&["ps", "-aq"]).fails(0).stdout_is("");
        nothing_runs(bed);
        bed.hull(&["create", "--name", "box", "busybox:test"]).ok();
        bed.hull(&["rm", "box"]).ok();
    }
}

fn a_killed_client_does_not_end_the_container(bed: &Bed) {
    let words = ["run", "--name", "box", "--network", "none", "busybox:test"];
    let script = "echo begin; sleep 0.5; for i in $(seq 2000); do echo line $i; done; \
                  touch /tmp/done; sleep 1000";
    let client = bed.start(&[&words[..], &["sh", "-c", script]].concat());
    wait_until("it runs", || {
        bed.hull(&["logs", "box"]).stdout.contains("begin")
    });
    client.signal(Signal::SIGKILL);
    client.finish().fails(137);
    wait_until("the program goes on", || {
        bed.hull(&["exec", "box", "test", "-e", "/tmp/done"]).code == 0
    });
    bed.hull(&["logs", "box"])
        .fails(0)
        .stdout_has("line 2000\n");
    bed.hull(&["rm", "-f", "box"]).ok();
    nothing_runs(bed);
}

fn f9_a_monitor_killed_at_any_step_of_its_end(bed: &Bed) {
    let mut seed = Seed::new();
    for flags in [&["--rm"][..], &[]] {
        let Some(untouched) = ended_under_tracer(bed, flags, "trace=all") else {
            return;
        };
        let interesting = |(name, _): &(String, usize)| {
            let reads = [
                "read",
                "poll",
                "ppoll",
                "recvfrom",
                "getdents64",
                "fstat",
                "close",
            ];
            !reads.contains(&name.as_str())
        };
        let points = untouched.into_iter().filter(interesting).collect();
        for (name, number) in seed.choose(points, if bed.who == Who::Root { 8 } else { 4 }) {
            let at = format!("inject={name}:signal=SIGKILL:when={number}");
            ended_under_tracer(bed, flags, &at);
            let listed = bed.hull(&["ps", "-a", "--format", "{{.Names}} {{.State}}"]);
            let listed = listed.ok().to_owned();
            match listed.as_str() {
                "" => assert!(!flags.is_empty(), "{at}: only --rm may be gone"),
                "box exited" => {}
                other => panic!("{at}: {other}"),
            }
            if flags.is_empty() {
                bed.hull(&["start", "box"]).ok();
                bed.hull(&["exec", "box", "true"]).ok();
            }
            bed.hull(&["rm", "-f", "box"]).fails(0);
            bed.hull(&["ps", "-aq"]).fails(0).stdout_is("");
            bed.hull(&["create", "--name", "box", "busybox:test"]).ok();
            bed.hull(&["rm", "box"]).ok();
            nothing_runs(bed);
        }
    }
    sweep(bed);
}

/// Runs a container, has its monitor traced, and kills the container. Returns the monitor's system
/// calls; `None` (with a `SKIP` line) where that cannot be.
fn ended_under_tracer(bed: &Bed, flags: &[&str], option: &str) -> Option<Vec<(String, usize)>> {
    let log = bed.dir.join("trace");
    let nothing = std::process::Command::new("true");
    let mut command = traced_command(bed, &["-e", option], &log, &nothing)?;
    let id = bed.detached(&[flags, &["--name", "box"]].concat(), &["sleep", "1000"]);
    let monitor = monitor_of(bed, &id);
    // Not a new command but the running monitor.
    let mut words: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    words.pop();
    words.retain(|word| word != "-u" && word.to_str() != Some(bed.user()));
    words.extend(["-p".into(), monitor.to_string().into()]);
    let program = command.get_program().to_owned();
    command = bed.command(std::path::Path::new(&program));
    if rustix::process::geteuid().is_root() {
        use std::os::unix::process::CommandExt as _;
        command.uid(0).gid(0);
    }
    command.args(words).stdin(std::process::Stdio::null());
    let tracer = start(command);
    wait_until("the monitor is traced", || {
        let status = std::fs::read_to_string(format!("/proc/{monitor}/status"));
        status.is_ok_and(|text| !text.contains("TracerPid:\t0\n"))
    });
    // The monitor may be killed before it can record anything: the command may say so.
    bed.hull(&["kill", "box"]);
    tracer.finish();
    wait_until("the monitor has ended", || {
        std::fs::metadata(format!("/proc/{monitor}")).is_err()
    });
    std::thread::sleep(Duration::from_millis(1));
    let found = points(&log);
    if option == "trace=all" {
        bed.hull(&["rm", "-f", "box"]);
    }
    Some(found)
}
