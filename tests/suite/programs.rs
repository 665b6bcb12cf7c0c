//! Programs and their ends: exit codes, signals, grace, pausing.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::bed::{Bed, skip};
use crate::process::wait_until;

each_who!(
    every_kind_of_exit_code_comes_back,
    exec_has_exit_codes_of_its_own,
    a_signal_with_a_handler_is_handled,
    stop_waits_for_the_grace_and_then_kills,
    stop_of_several_names_each,
    a_killed_client_leaves_the_container_running,
    rm_works_without_its_client,
    a_paused_container_stands_still,
    restart_starts_what_had_ended,
    run_with_d_returns_at_once,
);

fn every_kind_of_exit_code_comes_back(bed: &Bed) {
    for code in [0, 1, 2, 125, 126, 127, 128, 137, 143, 255] {
        let script = format!("exit {code}");
        bed.run_rm(&[], &["sh", "-c", &script]).fails(code);
    }
    bed.detached(&["--name", "ctr"], &["sh", "-c", "exit 255"]);
    bed.hull(&["wait", "ctr"]).fails(0).stdout_is("255\n");
    assert_eq!(bed.inspect("ctr", "{{.State.ExitCode}}"), "255");
}

fn exec_has_exit_codes_of_its_own(bed: &Bed) {
    bed.detached(&["--name", "ctr"], &["sleep", "1000"]);
    for code in [0, 1, 125, 126, 127, 137, 255] {
        let script = format!("exit {code}");
        bed.hull(&["exec", "ctr", "sh", "-c", &script]).fails(code);
    }
    for (signal, code) in [("TERM", 143), ("KILL", 137), ("SEGV", 139)] {
        let script = format!("kill -{signal} $$");
        bed.hull(&["exec", "ctr", "sh", "-c", &script]).fails(code);
    }
    bed.hull(&["exec", "ctr", "/etc"]).fails(126);
    bed.hull(&["exec", "-w", "/no/such", "ctr", "true"])
        .expect_failure();
    let ran = bed.hull(&["exec", "-d", "ctr", "touch", "/tmp/made"]);
    ran.fails(0).stdout_is("");
    wait_until("the detached command ran", || {
        bed.hull(&["exec", "ctr", "test", "-e", "/tmp/made"]).code == 0
    });
}

const HANDLER: &str = "trap 'echo got it; exit 21' USR1; echo ready; while :; do sleep 0.1; done";

fn wait_for_line(bed: &Bed, name: &str, line: &str) {
    wait_until(line, || bed.hull(&["logs", name]).stdout.contains(line));
}

fn a_signal_with_a_handler_is_handled(bed: &Bed) {
    for signal in ["USR1", "SIGUSR1", "10"] {
        bed.detached(&["--name", "ctr"], &["sh", "-c", HANDLER]);
        wait_for_line(bed, "ctr", "ready\n");
        bed.hull(&["kill", "-s", signal, "ctr"])
            .fails(0)
            .stdout_is("ctr\n");
        bed.hull(&["wait", "ctr"]).fails(0).stdout_is("21\n");
        bed.hull(&["logs", "ctr"])
            .fails(0)
            .stdout_is("ready\ngot it\n");
        bed.hull(&["rm", "ctr"]).ok();
    }
    bed.detached(&["--name", "ctr"], &["sleep", "1000"]);
    bed.hull(&["kill", "-s", "NOSUCH", "ctr"])
        .fails(1)
        .stderr_has("NOSUCH");
    assert_eq!(bed.inspect("ctr", "{{.State.Running}}"), "true");
}

fn stop_waits_for_the_grace_and_then_kills(bed: &Bed) {
    let script = "trap 'echo asked' TERM; echo ready; while :; do sleep 0.1; done";
    bed.detached(&["--name", "ctr"], &["sh", "-c", script]);
    wait_for_line(bed, "ctr", "ready\n");
    let started = Instant::now();
    bed.hull(&["stop", "-t", "2", "ctr"])
        .fails(0)
        .stdout_is("ctr\n");
    let took = started.elapsed();
    assert!(took >= Duration::from_secs(2), "killed after {took:?}");
    assert_eq!(bed.inspect("ctr", "{{.State.ExitCode}}"), "137");
    bed.hull(&["logs", "ctr"])
        .fails(0)
        .stdout_is("ready\nasked\n");
    // Stopped is what was asked for.
    bed.hull(&["stop", "ctr"]).fails(0).stdout_is("ctr\n");
}

fn stop_of_several_names_each(bed: &Bed) {
    for name in ["one", "two"] {
        bed.detached(&["--name", name], &["sleep", "1000"]);
    }
    let ran = bed.hull(&["stop", "-t", "0", "one", "nothing", "two"]);
    ran.fails(1)
        .stdout_is("one\ntwo\n")
        .stderr_has("No such container: nothing");
    bed.hull(&["ps", "-q"]).fails(0).stdout_is("");
}

fn a_killed_client_leaves_the_container_running(bed: &Bed) {
    let words = ["run", "--name", "ctr", "--network", "none", "busybox:test"];
    let script = "echo ready; sleep 1; echo after; exec sleep 1000";
    let client = bed.start(&[&words[..], &["sh", "-c", script]].concat());
    wait_for_line(bed, "ctr", "ready\n");
    client.signal(Signal::SIGKILL);
    client.finish().fails(137);
    wait_for_line(bed, "ctr", "after\n");
    assert_eq!(bed.inspect("ctr", "{{.State.Running}}"), "true");
}

fn rm_works_without_its_client(bed: &Bed) {
    let words = ["run", "--rm", "--name", "ctr", "--network", "none"];
    let words = [&words[..], &["busybox:test", "sh", "-c", HANDLER]].concat();
    let client = bed.start(&words);
    wait_for_line(bed, "ctr", "ready\n");
    client.signal(Signal::SIGKILL);
    client.finish().fails(137);
    bed.hull(&["kill", "-s", "USR1", "ctr"]).ok();
    wait_until("the container is gone", || {
        bed.hull(&["ps", "-aq"]).ok().is_empty()
    });
    bed.run_rm(&["--name", "ctr"], &["true"]).ok();
}

fn a_paused_container_stands_still(bed: &Bed) {
    let script = "while :; do echo tick; sleep 0.05; done";
    bed.detached(&["--name", "ctr"], &["sh", "-c", script]);
    wait_for_line(bed, "ctr", "tick\n");
    let paused = bed.hull(&["pause", "ctr"]);
    if paused.code != 0 && paused.stderr.contains("no cgroup freezer") {
        paused.fails(1).one_error_line();
        skip("this user may not use a cgroup freezer here");
        return;
    }
    paused.fails(0).stdout_is("ctr\n");
    assert_eq!(bed.inspect("ctr", "{{.State.Status}}"), "paused");
    bed.hull(&["ps"]).fails(0).stdout_has("(Paused)");
    let found = bed.hull(&["ps", "-q", "-f", "status=paused"]);
    assert_eq!(found.ok().lines().count(), 1);
    // What was written before the freeze may still be on its way into the log.
    std::thread::sleep(Duration::from_millis(200));
    let before = bed.hull(&["logs", "ctr"]).stdout;
    std::thread::sleep(Duration::from_millis(500));
    bed.hull(&["logs", "ctr"]).fails(0).stdout_is(&before);
    bed.hull(&["exec", "ctr", "true"])
        .fails(1)
        .stderr_has("is paused, unpause the container before exec");
    bed.hull(&["pause", "ctr"]).fails(1).one_error_line();
    bed.hull(&["unpause", "ctr"]).fails(0).stdout_is("ctr\n");
    wait_until("it goes on", || {
        bed.hull(&["logs", "ctr"]).stdout.len() > before.len()
    });
    bed.hull(&["unpause", "ctr"])
        .fails(1)
        .stderr_has("is not paused");
    bed.hull(&["pause", "ctr"]).ok();
    bed.hull(&["stop", "-t", "0", "ctr"]).ok();
    assert_eq!(bed.inspect("ctr", "{{.State.ExitCode}}"), "137");
}

fn restart_starts_what_had_ended(bed: &Bed) {
    bed.detached(&["--name", "ctr"], &["sleep", "1000"]);
    let first = bed.inspect("ctr", "{{.State.Pid}}");
    bed.hull(&["restart", "-t", "0", "ctr"]).ok();
    let second = bed.inspect("ctr", "{{.State.Pid}}");
    assert_ne!(first, second);
    bed.hull(&["kill", "ctr"]).ok();
    bed.hull(&["restart", "ctr"]).fails(0).stdout_is("ctr\n");
    assert_eq!(bed.inspect("ctr", "{{.State.Running}}"), "true");
}

fn run_with_d_returns_at_once(bed: &Bed) {
    // A command substitution waits until nobody has its pipe any more.
    let ran = bed.shell(
        "id=$(hull run -d --network none busybox:test sleep 1000 2>&1); echo ${#id}; \
         hull inspect --format '{{.State.Running}}' \"$id\"",
    );
    ran.fails(0).stdout_is("64\ntrue\n");
}
