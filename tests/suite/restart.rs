//! Restart policies, health checks, the longest time to run, start at boot, and the events of all.

use std::fs;

use crate::bed::{Bed, Who};
use crate::process::wait_until;

each_who!(
    a_container_that_ends_is_started_again,
    on_failure_counts_and_leaves_a_success_alone,
    stop_and_kill_end_a_restarting_container,
    rm_force_ends_a_restarting_container,
    a_pause_grows_while_a_container_keeps_failing,
    f60_a_crash_loop_leaves_nothing_behind,
    f10_a_monitor_killed_in_back_off_starts_nothing_twice,
    restart_and_rm_conflict,
    logs_follow_goes_on_over_restarts,
    a_restarting_container_refuses_what_needs_a_running_one,
    health_goes_from_starting_over_unhealthy_to_healthy,
    a_health_check_that_takes_too_long_is_ended,
    an_unhealthy_container_is_restarted_killed_or_stopped_as_asked,
    healthcheck_run_says_it_by_exit_code,
    a_time_limit_kills,
    systemd_hears_from_whom_the_user_chose,
    events_tell_of_a_containers_life,
    boot_starts_what_the_policies_ask_for,
    the_boot_unit_is_written_and_removed,
);

fn count(bed: &Bed, name: &str) -> u32 {
    let count = bed.inspect(name, "{{.RestartCount}}");
    count.trim().parse().expect("a number")
}

fn status(bed: &Bed, name: &str) -> String {
    bed.inspect(name, "{{.State.Status}}").trim().to_owned()
}

fn a_container_that_ends_is_started_again(bed: &Bed) {
    bed.detached(
        &["--name", "again", "--restart", "always"],
        &["sh", "-c", "echo turn; exit 3"],
    );
    wait_until("it was restarted twice", || count(bed, "again") >= 2);
    let logs = bed.hull(&["logs", "again"]).ok().to_owned();
    assert!(logs.matches("turn").count() >= 2, "{logs:?}");
    let policy = bed.inspect("again", "{{.HostConfig.RestartPolicy.Name}}");
    assert_eq!(policy.trim(), "always");
    bed.hull(&["stop", "again"]).ok();
    assert_eq!(status(bed, "again"), "exited");
    let before = count(bed, "again");
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(
        (status(bed, "again").as_str(), count(bed, "again")),
        ("exited", before)
    );
    // A user's start begins a new count.
    bed.hull(&["start", "again"]).ok();
    wait_until("it runs or restarts", || status(bed, "again") != "exited");
}

fn on_failure_counts_and_leaves_a_success_alone(bed: &Bed) {
    bed.detached(
        &["--name", "fails", "--restart", "on-failure:2"],
        &["sh", "-c", "exit 7"],
    );
    bed.detached(&["--name", "well", "--restart", "on-failure"], &["true"]);
    wait_until("two restarts were all", || {
        count(bed, "fails") == 2 && status(bed, "fails") == "exited"
    });
    assert_eq!(bed.inspect("fails", "{{.State.ExitCode}}").trim(), "7");
    wait_until("it ended", || status(bed, "well") == "exited");
    assert_eq!(count(bed, "well"), 0);
}

fn in_back_off(bed: &Bed, name: &str) {
    bed.detached(&["--name", name, "--restart", "always"], &["false"]);
    wait_until("a long pause has begun", || {
        count(bed, name) >= 4 && status(bed, name) == "restarting"
    });
}

fn stop_and_kill_end_a_restarting_container(bed: &Bed) {
    for verb in ["stop", "kill"] {
        in_back_off(bed, verb);
        let begun = std::time::Instant::now();
        bed.hull(&[verb, verb]).ok();
        assert!(begun.elapsed().as_secs() < 8, "not the whole pause");
        assert_eq!(status(bed, verb), "exited");
        assert_eq!(bed.inspect(verb, "{{.State.ExitCode}}").trim(), "1");
    }
}

fn rm_force_ends_a_restarting_container(bed: &Bed) {
    in_back_off(bed, "gone");
    bed.hull(&["rm", "gone"]).fails(1).one_error_line();
    bed.hull(&["rm", "-f", "gone"]).ok();
    bed.hull(&["ps", "-aq"]).fails(0).stdout_is("");
}

fn a_pause_grows_while_a_container_keeps_failing(bed: &Bed) {
    bed.detached(&["--name", "loop", "--restart", "always"], &["false"]);
    // 100, 200, 400, 800 ms: four restarts take 1.5 s at least, and not for ever.
    let begun = std::time::Instant::now();
    wait_until("four restarts", || count(bed, "loop") >= 4);
    std::thread::sleep(std::time::Duration::from_millis(100));
    let turns = count(bed, "loop");
    let most = 5 + begun.elapsed().as_secs() as u32;
    assert!(
        turns <= most,
        "{turns} restarts within {:?}",
        begun.elapsed()
    );
}

fn f60_a_crash_loop_leaves_nothing_behind(bed: &Bed) {
    bed.detached(&["--name", "loop", "--restart", "on-failure:5"], &["false"]);
    wait_until("five restarts", || {
        count(bed, "loop") == 5 && status(bed, "loop") == "exited"
    });
    let run = bed.run_dir().join("c");
    wait_until("its run directory is gone", || {
        fs::read_dir(&run).expect("is there").flatten().count() == 0
    });
    bed.hull(&["rm", "loop"]).ok();
}

fn f10_a_monitor_killed_in_back_off_starts_nothing_twice(bed: &Bed) {
    in_back_off(bed, "lost");
    kill_monitors(bed, 1);
    wait_until("the loss is seen", || status(bed, "lost") == "exited");
    let turns = count(bed, "lost");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert_eq!(count(bed, "lost"), turns, "nobody restarts it");
    bed.hull(&["start", "lost"]).ok();
    wait_until("the policy counts again", || {
        status(bed, "lost") == "restarting"
    });
    bed.hull(&["rm", "-f", "lost"]).ok();
}

/// Kills every monitor of this bed, `count` of them, once they go by that name.
fn kill_monitors(bed: &Bed, count: usize) {
    let mut found = Vec::new();
    wait_until("the monitors are there", || {
        found = crate::leaks::processes_of(&bed.dir);
        found.retain(|(_, title)| title.contains("hull: monitor "));
        found.len() == count
    });
    for (pid, _) in found {
        let pid = nix::unistd::Pid::from_raw(pid);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).expect("is ours");
    }
}

fn restart_and_rm_conflict(bed: &Bed) {
    let head = ["run", "--rm", "--restart", "always", "busybox:test"];
    bed.hull(&head)
        .fails(125)
        .stderr_has("conflicting options: cannot specify both --restart and --rm")
        .one_error_line();
    bed.hull(&["run", "--restart", "bogus", "busybox:test"])
        .fails(125)
        .stderr_has("invalid restart policy 'bogus'");
    bed.hull(&["ps", "-aq"]).fails(0).stdout_is("");
}

fn logs_follow_goes_on_over_restarts(bed: &Bed) {
    bed.detached(
        &["--name", "chat", "--restart", "on-failure:2"],
        &["sh", "-c", "echo turn; exit 1"],
    );
    let ran = bed.hull(&["logs", "-f", "chat"]);
    assert_eq!(ran.ok(), "turn\nturn\nturn");
}

fn a_restarting_container_refuses_what_needs_a_running_one(bed: &Bed) {
    in_back_off(bed, "busy");
    let wait = "wait until the container is running";
    bed.hull(&["exec", "busy", "true"])
        .fails(1)
        .stderr_has(wait);
    bed.hull(&["attach", "busy"])
        .fails(1)
        .stderr_has("restarting");
    bed.hull(&["start", "busy"]).ok();
    let shown = bed.hull(&["ps", "-f", "status=restarting", "--format", "{{.Status}}"]);
    shown.stdout_has("Restarting (1)");
}

fn health(bed: &Bed, name: &str) -> String {
    bed.inspect(name, "{{.State.Health.Status}}")
        .trim()
        .to_owned()
}

fn health_goes_from_starting_over_unhealthy_to_healthy(bed: &Bed) {
    let flags = [
        "--name",
        "ill",
        "--health-cmd",
        "echo looked; test -e /tmp/well",
        "--health-interval",
        "200ms",
        "--health-retries",
        "2",
    ];
    let unknown = ["--name", "new", "--health-cmd", "true"];
    bed.detached(
        &[&unknown[..], &["--health-interval", "1h"]].concat(),
        &["sleep", "1000"],
    );
    assert_eq!(health(bed, "new"), "starting");
    bed.hull(&["ps"]).stdout_has("(health: starting)");
    bed.hull(&["rm", "-f", "new"]).ok();
    bed.detached(&flags, &["sleep", "1000"]);
    wait_until("two failures", || health(bed, "ill") == "unhealthy");
    bed.hull(&["ps"]).stdout_has("(unhealthy)");
    let first = bed.inspect("ill", "{{(index .State.Health.Log 0).ExitCode}}");
    assert_eq!(first.trim(), "1");
    let output = bed.inspect("ill", "{{json (index .State.Health.Log 0).Output}}");
    assert_eq!(output.trim(), "\"looked\\n\"");
    bed.hull(&["exec", "ill", "sh", "-c", "mkdir -p /tmp; touch /tmp/well"])
        .ok();
    wait_until("one success", || health(bed, "ill") == "healthy");
    assert_eq!(
        bed.inspect("ill", "{{.State.Health.FailingStreak}}").trim(),
        "0"
    );
    wait_until("five probes are kept", || {
        bed.inspect("ill", "{{len .State.Health.Log}}").trim() == "5"
    });
    bed.hull(&["stop", "-t", "0", "ill"]).ok();
    assert_eq!(
        health(bed, "ill"),
        "unhealthy",
        "as Docker shows an ended one"
    );
}

fn a_health_check_that_takes_too_long_is_ended(bed: &Bed) {
    let flags = [
        "--name",
        "slow",
        "--health-cmd",
        "sleep 1000",
        "--health-interval",
        "100ms",
        "--health-timeout",
        "300ms",
        "--health-retries",
        "1",
    ];
    bed.detached(&flags, &["sleep", "1000"]);
    wait_until("its time was over", || health(bed, "slow") == "unhealthy");
    let log = bed.inspect("slow", "{{json .State.Health.Log}}");
    assert!(log.contains("exceeded timeout (0.3s)"), "{log}");
    assert!(log.contains("\"ExitCode\":-1"), "{log}");
}

fn an_unhealthy_container_is_restarted_killed_or_stopped_as_asked(bed: &Bed) {
    let make = |name: &str, action: &str| {
        let flags = [
            "--name",
            name,
            "--health-cmd",
            "false",
            "--health-interval",
            "200ms",
            "--health-retries",
            "1",
            "--health-on-failure",
            action,
        ];
        bed.detached(
            &flags,
            &["sh", "-c", "trap 'exit 5' TERM; sleep 1000 & wait"],
        );
    };
    make("kill", "kill");
    wait_until("it was killed", || status(bed, "kill") == "exited");
    assert_eq!(bed.inspect("kill", "{{.State.ExitCode}}").trim(), "137");
    make("stop", "stop");
    wait_until("it was stopped", || status(bed, "stop") == "exited");
    assert_eq!(bed.inspect("stop", "{{.State.ExitCode}}").trim(), "5");
    make("restart", "restart");
    wait_until("it was restarted", || count(bed, "restart") >= 1);
    make("none", "none");
    wait_until("it is unhealthy", || health(bed, "none") == "unhealthy");
    assert_eq!(status(bed, "none"), "running");
}

fn healthcheck_run_says_it_by_exit_code(bed: &Bed) {
    bed.detached(
        &["--name", "good", "--health-cmd", "true"],
        &["sleep", "1000"],
    );
    bed.detached(
        &["--name", "bad", "--health-cmd", "false"],
        &["sleep", "1000"],
    );
    bed.detached(&["--name", "none"], &["sleep", "1000"]);
    bed.hull(&["healthcheck", "run", "good"]).fails(0);
    bed.hull(&["healthcheck", "run", "bad"]).fails(1);
    bed.hull(&["healthcheck", "run", "none"])
        .fails(125)
        .one_error_line();
    bed.hull(&["healthcheck", "run", "nobody"])
        .fails(125)
        .one_error_line();
    let off = ["--no-healthcheck", "--health-cmd", "true"];
    bed.run_rm(&off, &["true"])
        .fails(125)
        .stderr_has("--no-healthcheck conflicts with --health-* options");
}

fn a_time_limit_kills(bed: &Bed) {
    bed.run_rm(&["--timeout", "1"], &["sleep", "1000"])
        .fails(137);
    bed.run_rm(&["--timeout", "100"], &["true"]).fails(0);
}

fn events_tell_of_a_containers_life(bed: &Bed) {
    let follower = bed.start(&["events", "--since", "1h", "--filter", "container=life"]);
    let id = bed.detached(&["--name", "life", "--label", "a=b"], &["sleep", "1000"]);
    bed.hull(&["exec", "life", "true"]).ok();
    bed.hull(&["kill", "life"]).ok();
    bed.hull(&["rm", "life"]).ok();
    let words = [
        "events",
        "--since",
        "1h",
        "--until",
        "0s",
        "--filter",
        "container=life",
    ];
    let actions = bed.hull(&[&words[..], &["--format", "{{.Action}}"]].concat());
    let expected = "create\nstart\nexec_create: true\nexec_start: true\nexec_die\nkill\ndie\n\
                    destroy";
    assert_eq!(actions.ok(), expected);
    let json = bed.hull(&[&words[..], &["--filter", "event=die", "--format", "json"]].concat());
    for part in [
        "\"Type\":\"container\"",
        "\"status\":\"die\"",
        "\"from\":\"busybox:test\"",
        "\"exitCode\":\"137\"",
        "\"a\":\"b\"",
        &format!("\"ID\":\"{id}\""),
    ] {
        json.stdout_has(part);
    }
    follower.signal(nix::sys::signal::Signal::SIGTERM);
    let seen = follower.finish();
    assert!(
        seen.stdout.contains(" container create "),
        "{:?}",
        seen.stdout
    );
    assert!(
        seen.stdout.contains("image=busybox:test, name=life)"),
        "{:?}",
        seen.stdout
    );
    bed.hull(&["events", "--filter", "bogus=1"])
        .fails(1)
        .one_error_line();
}

fn boot_starts_what_the_policies_ask_for(bed: &Bed) {
    for (name, policy) in [
        ("always", "always"),
        ("unless", "unless-stopped"),
        ("stopped", "unless-stopped"),
        ("no", "no"),
    ] {
        bed.detached(&["--name", name, "--restart", policy], &["sleep", "1000"]);
    }
    bed.hull(&[
        "create",
        "--name",
        "fresh",
        "--restart",
        "always",
        "busybox:test",
    ])
    .ok();
    bed.hull(&["stop", "-t", "0", "stopped"]).ok();
    // What a machine that goes down does to monitors; their containers end with them.
    kill_monitors(bed, 3);
    wait_until("all are down", || bed.hull(&["ps", "-q"]).stdout.is_empty());
    let ran = bed.hull(&["system", "boot", "start"]);
    assert_eq!(ran.ok(), "always\nunless");
    let shown = bed.hull(&["ps", "--format", "{{.Names}}"]);
    assert_eq!(shown.ok(), "unless\nalways");
}

fn the_boot_unit_is_written_and_removed(bed: &Bed) {
    let units = bed.dir.join("work/units");
    let boot = |verb: &str| {
        bed.hull(&[
            "system",
            "boot",
            "--directory",
            &units.to_string_lossy(),
            verb,
        ])
    };
    boot("status").fails(1).stdout_is("disabled\n");
    boot("enable").ok();
    boot("enable").ok();
    boot("status").fails(0).stdout_is("enabled\n");
    let unit = fs::read_to_string(units.join("hull-boot.service")).expect("is written");
    let starts = format!("--root {} --runroot", bed.store().display());
    assert!(unit.contains(&starts), "{unit}");
    boot("disable").ok();
    boot("status").fails(1);
    boot("bogus").fails(1).one_error_line();
    // Whoever asks for a policy hears whether it lasts over a reboot.
    let ran = bed.hull(&["create", "--restart", "always", "busybox:test"]);
    match bed.who {
        Who::Root => ran.stderr_has("at boot"),
        _ => ran.stderr_has("hull system boot enable"),
    };
}

/// Acts as the service manager: what a container started with `flags` makes it hear.
fn heard(bed: &Bed, flags: &[&str], script: &str, last: &str) -> Vec<String> {
    use std::os::unix::net::UnixDatagram;
    // Short: an address holds 108 bytes.
    let path = bed.dir.join("n");
    let manager = UnixDatagram::bind(&path).expect("binds");
    bed.give(&path);
    let wait = std::time::Duration::from_secs(10);
    manager.set_read_timeout(Some(wait)).expect("is set");
    let head = ["run", "-d", "--network", "none"];
    let words = [&head, flags, &["busybox:test", "sh", "-c", script]].concat();
    let mut command = bed.hull_command(&words);
    command.env("NOTIFY_SOCKET", &path);
    crate::process::run(command, b"").ok();
    let mut lines = Vec::new();
    let mut buffer = [0; 4096];
    while !lines.iter().any(|line| line == last) {
        let count = manager.recv(&mut buffer).expect("the word comes");
        let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
        lines.extend(text.lines().map(str::to_owned));
    }
    fs::remove_file(path).expect("was there");
    lines
}

fn systemd_hears_from_whom_the_user_chose(bed: &Bed) {
    let monitor = heard(bed, &["--sdnotify", "conmon"], "sleep 1000", "READY=1");
    assert!(monitor[0].starts_with("MAINPID="), "{monitor:?}");
    let checks = [
        "--sdnotify",
        "healthy",
        "--health-cmd",
        "test -e /tmp/up",
        "--health-interval",
        "100ms",
    ];
    let script = "sleep 0.5; mkdir -p /tmp; touch /tmp/up; sleep 1000";
    heard(bed, &checks, script, "READY=1");
    // syslog(3) is the one way a shell has to write to such a socket. What else the container
    // says than how it fares goes nowhere.
    let script = "ln -s $NOTIFY_SOCKET /dev/log; m=$(printf 'x\nMAINPID=7\nREADY=1'); \
                  logger \"$m\"; sleep 1000";
    let own = heard(bed, &[], script, "READY=1");
    assert!(!own.contains(&"MAINPID=7".to_owned()), "{own:?}");
    assert_eq!(own.len(), 2, "{own:?}");
    let ignored = ["--rm", "--sdnotify", "ignore"];
    let shown = bed.inside(&ignored[1..], &["sh", "-c", "echo $NOTIFY_SOCKET"]);
    assert_eq!(shown, "");
}
