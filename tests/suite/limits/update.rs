//! `update`: live, in the record, and never half.

use super::{MEMORY, PIDS, cgroup_value, limited};
use crate::bed::{Bed, Who};
use crate::faults::{Seed, points, traced};
use crate::process::{run, wait_until};

root_and_user!(
    a_running_container_is_changed_at_once_and_for_good,
    every_state_can_be_updated_several_at_once,
    what_the_kernel_refuses_changes_nothing,
    updates_that_make_no_sense_are_refused,
    another_restart_policy_counts_from_the_next_end,
    f4_update_killed_anywhere_is_old_or_new,
);

fn host_config(bed: &Bed, name: &str) -> String {
    let template = "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}}";
    bed.inspect(name, template)
}

fn a_running_container_is_changed_at_once_and_for_good(bed: &Bed) {
    bed.detached(
        &["--name", "ctr", "--stop-timeout", "0"],
        &["sleep", "1000"],
    );
    let update = bed.hull(&["update", "-m", "64m", "--pids-limit", "44", "ctr"]);
    update.fails(0).stdout_is("ctr\n");
    assert_eq!(host_config(bed, "ctr"), "67108864 134217728 44");
    if bed.who != Who::Root {
        update.stderr_has("WARNING: --memory: ");
        return;
    }
    assert_eq!(cgroup_value(bed, "ctr", "memory", MEMORY), "67108864");
    assert_eq!(cgroup_value(bed, "ctr", "pids", PIDS), "44");
    // Up past the old sum, and down again: the order of the writes differs.
    let up = ["update", "-m", "256m", "--memory-swap", "300m", "ctr"];
    bed.hull(&up).ok();
    assert_eq!(cgroup_value(bed, "ctr", "memory", MEMORY), "268435456");
    bed.hull(&["update", "-m", "32m", "--memory-swap", "32m", "ctr"])
        .ok();
    assert_eq!(cgroup_value(bed, "ctr", "memory", MEMORY), "33554432");
    bed.hull(&["restart", "ctr"]).ok();
    assert_eq!(cgroup_value(bed, "ctr", "memory", MEMORY), "33554432");
    assert_eq!(cgroup_value(bed, "ctr", "pids", PIDS), "44");
    // What was not given is as it was.
    bed.hull(&["update", "--cpu-shares", "512", "ctr"]).ok();
    assert_eq!(host_config(bed, "ctr"), "33554432 33554432 44");
}

fn every_state_can_be_updated_several_at_once(bed: &Bed) {
    bed.hull(&[
        "create",
        "--name",
        "made",
        "--network",
        "none",
        "busybox:test",
        "true",
    ])
    .ok();
    bed.detached(&["--name", "ended"], &["true"]);
    bed.hull(&["wait", "ended"]).ok();
    bed.detached(&["--name", "paused"], &["sleep", "1000"]);
    if bed.who == Who::Root {
        bed.hull(&["pause", "paused"]).ok();
    }
    let words = [
        "update",
        "--pids-limit",
        "55",
        "made",
        "nothing",
        "ended",
        "paused",
    ];
    let update = bed.hull(&words);
    update
        .fails(1)
        .stdout_is("made\nended\npaused\n")
        .stderr_has("No such container: nothing");
    for name in ["made", "ended", "paused"] {
        assert_eq!(
            bed.inspect(name, "{{.HostConfig.PidsLimit}}"),
            "55",
            "{name}"
        );
    }
    if bed.who == Who::Root {
        assert_eq!(cgroup_value(bed, "paused", "pids", PIDS), "55");
        assert_eq!(bed.inspect("paused", "{{.State.Status}}"), "paused");
    }
}

fn what_the_kernel_refuses_changes_nothing(bed: &Bed) {
    if !limited(bed) {
        return;
    }
    // Pages of a tmpfs stay, without swap.
    let script = "head -c 40000000 /dev/zero > /dev/shm/held; echo held; exec sleep 1000";
    let flags = ["--name", "ctr", "-m", "100m", "--memory-swap", "100m"];
    bed.detached(&flags, &["sh", "-c", script]);
    wait_until("it holds memory", || {
        bed.hull(&["logs", "ctr"]).stdout == "held\n"
    });
    let before = host_config(bed, "ctr");
    let words = [
        "update",
        "--cpu-shares",
        "77",
        "-m",
        "20m",
        "--memory-swap",
        "20m",
    ];
    let update = bed.hull(&[&words[..], &["--pids-limit", "66", "ctr"]].concat());
    update
        .fails(1)
        .stdout_is("")
        .stderr_has("unable to set memory limit to 20971520")
        .one_error_line();
    assert_eq!(host_config(bed, "ctr"), before);
    assert_eq!(cgroup_value(bed, "ctr", "memory", MEMORY), "104857600");
    assert_ne!(cgroup_value(bed, "ctr", "pids", PIDS), "66");
    let shares = cgroup_value(bed, "ctr", "cpu", ["cpu.shares", "cpu.weight"]);
    assert!(["1024", "100"].contains(&shares.as_str()), "{shares}");
    assert_eq!(bed.inspect("ctr", "{{.State.Status}}"), "running");
}

fn updates_that_make_no_sense_are_refused(bed: &Bed) {
    let flags = [
        "--name",
        "ctr",
        "--network",
        "none",
        "-m",
        "64m",
        "--cpus",
        "1",
    ];
    let words = [&["create"], &flags[..], &["busybox:test", "true"]].concat();
    bed.hull(&words).ok();
    let table = [
        (
            "",
            "you must provide one or more flags when using this command",
        ),
        ("-m 5m", "Minimum memory limit allowed is 6MB"),
        (
            "-m 200m",
            "Memory limit should be smaller than already set memoryswap limit",
        ),
        (
            "--cpu-quota 5000",
            "Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set",
        ),
        ("--restart sometimes", "invalid restart policy 'sometimes'"),
    ];
    for (flags, words) in table {
        let flags: Vec<&str> = flags.split_whitespace().collect();
        let update = bed.hull(&[&["update"], &flags[..], &["ctr"]].concat());
        update.fails(1).stderr_has(words);
    }
    bed.hull(&["update", "--device", "/dev/null", "ctr"])
        .fails(125);
    assert_eq!(bed.inspect("ctr", "{{.HostConfig.Memory}}"), "67108864");
    bed.detached(&["--name", "brief", "--rm"], &["sleep", "1000"]);
    bed.hull(&["update", "--restart", "always", "brief"])
        .fails(1)
        .stderr_has("Restart policy cannot be updated because AutoRemove is enabled");
}

fn another_restart_policy_counts_from_the_next_end(bed: &Bed) {
    let script = "test -e /once && exec sleep 1000; touch /once; read line; exit 3";
    bed.detached(&["--name", "ctr", "-i"], &["sh", "-c", script]);
    bed.hull(&["update", "--restart", "on-failure:2", "ctr"])
        .fails(0)
        .stdout_is("ctr\n");
    let policy =
        "{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}";
    assert_eq!(bed.inspect("ctr", policy), "on-failure 2");
    bed.hull_with_input(&["attach", "ctr"], b"end\n");
    wait_until("it is started again", || {
        bed.inspect("ctr", "{{.RestartCount}} {{.State.Status}}") == "1 running"
    });
    bed.hull(&["update", "--restart", "no", "ctr"]).ok();
    assert_eq!(bed.inspect("ctr", policy), "no 0");
}

fn f4_update_killed_anywhere_is_old_or_new(bed: &Bed) {
    const CHANGES: &str = "trace=openat,write,rename,flock,fsync,unlink,fcntl";
    bed.detached(&["--name", "ctr", "-m", "64m"], &["sleep", "1000"]);
    let log = bed.dir.join("trace");
    let words = |limit: &'static str| ["update", "-m", limit, "--pids-limit", "99", "ctr"];
    let Some(untouched) = traced(bed, &["-e", CHANGES], &log, &words("65m")) else {
        return;
    };
    run(untouched, b"").ok();
    let mut seed = Seed::new();
    let mut old = "65m";
    for (name, number) in seed.choose(points(&log), 25) {
        let at = format!("inject={name}:signal=SIGKILL:when={number}");
        let new = if old == "65m" { "66m" } else { "65m" };
        let killed = traced(bed, &["-e", CHANGES, "-e", &at], &log, &words(new));
        let killed = run(killed.expect("worked before"), b"");
        let bytes = |limit: &str| match limit {
            "65m" => "68157440",
            _ => "69206016",
        };
        let recorded = bed.inspect("ctr", "{{.HostConfig.Memory}}");
        let done = killed.code == 0;
        let whole = recorded == bytes(new) || (!done && recorded == bytes(old));
        assert!(whole, "after {at}: {recorded}");
        bed.hull(&words(new)).fails(0).stdout_is("ctr\n");
        assert_eq!(bed.inspect("ctr", "{{.HostConfig.Memory}}"), bytes(new));
        if bed.who == Who::Root {
            assert_eq!(cgroup_value(bed, "ctr", "memory", MEMORY), bytes(new));
        }
        old = new;
    }
    bed.hull(&["exec", "ctr", "true"]).ok();
}
