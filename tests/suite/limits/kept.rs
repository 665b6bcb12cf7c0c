//! Each limit measured from outside, and what is said of those that cannot be kept.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{cgroup_file, cgroup_value, limited};
use crate::bed::{Bed, Who, skip};
use crate::process::{run, wait_until};

root_and_user!(
    f25_a_container_out_of_memory_dies_alone,
    a_child_out_of_memory_is_noticed_too,
    cpu_time_stays_within_a_tenth_of_the_quota,
    the_number_of_processes_is_held,
    limits_reach_the_kernel,
    exec_has_the_containers_score_for_the_oom_killer,
    what_cannot_be_kept_is_named_or_refused,
    impossible_limits_are_refused_as_by_docker,
    a72_devices_not_given_are_denied,
    a_given_device_is_there_under_its_name,
    what_is_no_device_is_not_given,
    the_parent_cgroup_is_the_users_choice,
    a_realtime_caller_starts_ordinary_containers,
    f53_a_paused_container_is_stopped_killed_and_removed,
    f54_what_outlives_the_first_process_dies_with_the_container,
    f57_ten_thousand_mounts_and_nested_cgroups_go_in_time,
);

fn f25_a_container_out_of_memory_dies_alone(bed: &Bed) {
    if !limited(bed) {
        return;
    }
    bed.detached(&["--name", "bystander"], &["sleep", "1000"]);
    let script = "read line; exec tail /dev/zero";
    bed.detached(&["--name", "ctr", "-i", "-m", "16m"], &["sh", "-c", script]);
    let pid = bed.inspect("ctr", "{{.State.Pid}}");
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let (_, fields) = stat.rsplit_once(") ").expect("has a name");
    let monitor = fields.split(' ').nth(1).expect("has a parent");
    let its = std::fs::read_to_string(format!("/proc/{monitor}/cgroup")).expect("it runs");
    let id = bed.inspect("ctr", "{{.Id}}");
    assert!(!its.contains(&id), "the monitor is outside:\n{its}");
    bed.hull_with_input(&["attach", "ctr"], b"go\n").fails(137);
    bed.hull(&["wait", "ctr"]).fails(0).stdout_is("137\n");
    let state = "{{.State.OOMKilled}} {{.State.ExitCode}} {{.State.Status}}";
    assert_eq!(bed.inspect("ctr", state), "true 137 exited");
    assert_eq!(bed.inspect("bystander", state), "false 0 running");
    let events = ["events", "--since", "1h", "--until", "0s"];
    let events = [&events[..], &["--filter", "event=oom"]].concat();
    let told = bed.hull(&events);
    assert_eq!(told.ok().lines().count(), 1, "{}", told.stdout);
    // A new start is a new life.
    bed.hull(&["start", "ctr"]).ok();
    bed.hull(&["kill", "ctr"]).ok();
    bed.hull(&["wait", "ctr"]).ok();
    assert_eq!(bed.inspect("ctr", state), "false 137 exited");
}

fn a_child_out_of_memory_is_noticed_too(bed: &Bed) {
    if !limited(bed) {
        return;
    }
    let script = "tail /dev/zero; echo the shell lives; exit 3";
    let words = ["run", "--name", "ctr", "-m", "16m", "--network", "none"];
    let ran = bed.hull(&[&words[..], &["busybox:test", "sh", "-c", script]].concat());
    ran.fails(3).stdout_is("the shell lives\n");
    assert_eq!(bed.inspect("ctr", "{{.State.OOMKilled}}"), "true");
    let words = ["run", "--name", "well", "-m", "16m", "--network", "none"];
    bed.hull(&[&words[..], &["busybox:test", "true"]].concat())
        .ok();
    assert_eq!(bed.inspect("well", "{{.State.OOMKilled}}"), "false");
}

fn cpu_time_stays_within_a_tenth_of_the_quota(bed: &Bed) {
    if !limited(bed) {
        return;
    }
    const QUOTA: f64 = 0.2;
    let spin = "while :; do :; done";
    bed.detached(&["--name", "ctr", "--cpus", "0.2"], &["sh", "-c", spin]);
    let file = cgroup_file(bed, "ctr", "cpuacct", ["cpuacct.usage", "cpu.stat"]);
    let used = || {
        let text = std::fs::read_to_string(&file).expect("it runs");
        let first = text.lines().next().expect("has a line");
        match first.strip_prefix("usage_usec ") {
            Some(microseconds) => microseconds.parse::<f64>().expect("a number") / 1e6,
            None => first.parse::<f64>().expect("a number") / 1e9,
        }
    };
    // A busy machine may give less than it may have: then once more.
    let mut measured = Vec::new();
    for _ in 0..5 {
        let (begin, before) = (Instant::now(), used());
        std::thread::sleep(Duration::from_secs(2));
        let share = (used() - before) / begin.elapsed().as_secs_f64();
        assert!(share < QUOTA * 1.1, "never more than the quota: {share}");
        if share > QUOTA * 0.9 {
            return;
        }
        measured.push(share);
    }
    panic!("of a quota of {QUOTA}: {measured:?}");
}

fn the_number_of_processes_is_held(bed: &Bed) {
    if !limited(bed) {
        return;
    }
    // A shell that cannot fork ends: the first process may not be that one.
    let many = "i=0; while [ $i -lt 30 ]; do sleep 1000 & i=$((i+1)); done";
    let script = format!("sh -c '{many}'; exec sleep 1000");
    let flags = ["--name", "ctr", "--pids-limit", "10", "--init"];
    bed.detached(&flags, &["sh", "-c", &script]);
    wait_until("a fork is refused", || {
        bed.hull(&["logs", "ctr"]).stderr.contains("fork")
    });
    let files = ["pids.current", "pids.current"];
    let count: u32 = cgroup_value(bed, "ctr", "pids", files)
        .parse()
        .expect("a number");
    assert!((2..=10).contains(&count), "{count} processes");
    bed.run_rm(&["--pids-limit", "-1"], &["true"]).ok();
}

fn limits_reach_the_kernel(bed: &Bed) {
    if !limited(bed) {
        return;
    }
    let flags = "--name ctr -m 64m --memory-swap 100m --memory-reservation 32m --cpu-shares 512 \
                 --cpu-period 50000 --cpu-quota 25000 --cpuset-cpus 0 --cpuset-mems 0 \
                 --pids-limit 33 --oom-score-adj 77";
    let flags: Vec<&str> = flags.split_whitespace().collect();
    bed.detached(&flags, &["sleep", "1000"]);
    let table = [
        (
            "memory",
            ["memory.limit_in_bytes", "memory.max"],
            ["67108864"; 2],
        ),
        (
            "memory",
            ["memory.memsw.limit_in_bytes", "memory.swap.max"],
            ["104857600", "37748736"],
        ),
        (
            "memory",
            ["memory.soft_limit_in_bytes", "memory.low"],
            ["33554432"; 2],
        ),
        ("cpu", ["cpu.shares", "cpu.weight"], ["512", "20"]),
        (
            "cpu",
            ["cpu.cfs_quota_us", "cpu.max"],
            ["25000", "25000 50000"],
        ),
        ("cpuset", ["cpuset.cpus", "cpuset.cpus"], ["0"; 2]),
        ("cpuset", ["cpuset.mems", "cpuset.mems"], ["0"; 2]),
        ("pids", ["pids.max", "pids.max"], ["33"; 2]),
    ];
    for (controller, files, values) in table {
        let value = cgroup_value(bed, "ctr", controller, files);
        assert!(values.contains(&value.as_str()), "{files:?} is {value}");
    }
    let host = "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.CpuQuota}} \
                {{.HostConfig.CpusetCpus}} {{.HostConfig.PidsLimit}} {{.HostConfig.NanoCpus}}";
    let shown = bed.inspect("ctr", host);
    assert_eq!(shown, "67108864 104857600 25000 0 33 0");
}

fn exec_has_the_containers_score_for_the_oom_killer(bed: &Bed) {
    let flags = ["--name", "ctr", "--oom-score-adj", "77"];
    bed.detached(&flags, &["sleep", "1000"]);
    for process in ["1", "self"] {
        let file = format!("/proc/{process}/oom_score_adj");
        let score = bed.hull(&["exec", "ctr", "cat", &file]);
        score.fails(0).stdout_is("77\n");
    }
}

fn what_cannot_be_kept_is_named_or_refused(bed: &Bed) {
    // Nobody has a rate for tapes; without cgroups nothing can be kept.
    let flags = match bed.who {
        Who::Root => {
            let bfq = Path::new("/sys/fs/cgroup/blkio/blkio.bfq.weight").exists();
            let version_1 = Path::new("/sys/fs/cgroup/blkio").exists();
            if bfq || !version_1 {
                return skip("this host can keep all limits");
            }
            ["--blkio-weight", "300"]
        }
        _ => ["--memory", "64m"],
    };
    let warned = bed.run_rm(&flags, &["echo", "runs"]);
    let warning = format!("WARNING: {}: ", flags[0]);
    warned.fails(0).stdout_is("runs\n").stderr_has(&warning);
    assert_eq!(warned.stderr.lines().count(), 1, "{}", warned.stderr);
    let strict = [&flags[..], &["--strict-limits", "--name", "ctr"]].concat();
    bed.run_rm(&strict, &["true"])
        .fails(125)
        .stderr_has(flags[0])
        .one_error_line();
    // Neither the default number of processes nor limits that can be kept.
    let quiet = bed.run_rm(&["--strict-limits"], &["true"]);
    quiet
        .fails(0)
        .expect(quiet.stderr.is_empty(), "nothing said");
    if bed.who == Who::Root {
        let kept = [
            "--strict-limits",
            "-m",
            "64m",
            "--cpus",
            "1",
            "--pids-limit",
            "9",
        ];
        let kept = bed.run_rm(&kept, &["true"]);
        kept.fails(0).expect(kept.stderr.is_empty(), "nothing said");
    }
}

fn impossible_limits_are_refused_as_by_docker(bed: &Bed) {
    let table = [
        ("-m 5m", "Minimum memory limit allowed is 6MB"),
        (
            "-m x",
            "invalid argument \"x\" for \"-m, --memory\" flag: invalid size: 'x'",
        ),
        (
            "--memory-swap 64m",
            "You should always set the Memory limit when using Memoryswap limit, see usage",
        ),
        (
            "-m 64m --memory-swap 63m",
            "Minimum memoryswap limit should be larger than memory limit, see usage",
        ),
        (
            "--memory-swappiness 101",
            "valid memory swappiness range is 0-100",
        ),
        (
            "--cpus 0.5 --cpu-quota 5000",
            "Conflicting options: Nano CPUs and CPU Quota cannot both be set",
        ),
        ("--cpus x", "failed to parse x as a rational number"),
        ("--cpus 9999", "range of CPUs is from 0.01 to "),
        ("--cpuset-cpus 0-", "Invalid value 0- for cpuset cpus"),
        (
            "--oom-score-adj 1001",
            "Invalid value 1001, range for oom score adj is [-1000, 1000]",
        ),
        (
            "--blkio-weight 5",
            "Range of blkio weight is from 10 to 1000",
        ),
        (
            "--blkio-weight-device sda:10",
            "bad format for device path: sda:10",
        ),
        ("--device-read-bps /dev/sda", "bad format: /dev/sda"),
        (
            "--device-write-iops /dev/sda:1mb",
            "Number must be a positive integer",
        ),
        ("--device relative", "relative is not an absolute path"),
        ("--device-cgroup-rule x", "invalid device cgroup format 'x'"),
        ("--cgroup-parent /a/../b", "`..` is not allowed"),
    ];
    for (flags, words) in table {
        let flags: Vec<&str> = flags.split(' ').collect();
        let ran = bed.run_rm(&flags, &["true"]);
        ran.fails(125).stderr_has(words);
    }
}

/// A node made in /dev, the one place that is not `nodev`, is opened or not.
const OPEN: &str = "mknod /dev/own c 10 237 && : < /dev/own";

fn a72_devices_not_given_are_denied(bed: &Bed) {
    if !limited(bed) {
        return;
    }
    let denied = "Operation not permitted";
    let ran = bed.run_rm(&["--cap-add", "MKNOD"], &["sh", "-c", OPEN]);
    ran.expect_failure().stderr_has(denied);
    // Given, the same node opens, or says that the host has no such driver.
    let rule = ["--cap-add", "MKNOD", "--device-cgroup-rule", "c 10:237 r"];
    let ran = bed.run_rm(&rule, &["sh", "-c", OPEN]);
    ran.expect(!ran.stderr.contains(denied), "the rule lets it through");
    bed.run_rm(
        &[],
        &[
            "sh",
            "-c",
            "echo x > /dev/null; head -c 1 /dev/urandom | wc -c",
        ],
    )
    .fails(0)
    .stdout_is("1\n");
}

fn a_given_device_is_there_under_its_name(bed: &Bed) {
    let flags = ["--device", "/dev/zero:/dev/own/nothing:r"];
    let script = "test -c /dev/own/nothing && head -c 3 /dev/own/nothing | wc -c";
    let ran = bed.run_rm(&flags, &["sh", "-c", script]);
    ran.fails(0).stdout_is("3\n");
}

fn what_is_no_device_is_not_given(bed: &Bed) {
    let gathering = "error gathering device information while adding custom device";
    for device in ["/etc/passwd", "/dev/does-not-exist"] {
        let ran = bed.run_rm(&["--device", device], &["true"]);
        ran.fails(125).stderr_has(gathering).one_error_line();
    }
    if bed.who == Who::Root {
        let rate = ["--device-read-bps", "/dev/does-not-exist:1mb"];
        let ran = bed.run_rm(&rate, &["true"]);
        ran.fails(125).stderr_has("/dev/does-not-exist");
    }
}

fn the_parent_cgroup_is_the_users_choice(bed: &Bed) {
    if !limited(bed) {
        return;
    }
    let parent = format!("hull-test-{}", std::process::id());
    let id = bed.detached(
        &["--name", "ctr", "--cgroup-parent", &parent],
        &["sleep", "1000"],
    );
    let file = cgroup_file(bed, "ctr", "memory", super::MEMORY);
    let directory = file.parent().expect("is in a directory").to_owned();
    assert!(
        directory.ends_with(format!("{parent}/{id}")),
        "{}",
        file.display()
    );
    bed.hull(&["exec", "ctr", "true"]).ok();
    bed.hull(&["rm", "-f", "ctr"]).ok();
    assert!(!directory.exists());
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("mountinfo");
    let hierarchies = mounts.lines().filter(|line| line.contains(" - cgroup"));
    for mount in hierarchies.filter_map(|line| line.split(' ').nth(4)) {
        // Only where it was made.
        let _ = std::fs::remove_dir(Path::new(mount).join(&parent));
    }
}

fn a_realtime_caller_starts_ordinary_containers(bed: &Bed) {
    if bed.who != Who::Root {
        return skip("this user may not be realtime");
    }
    let hull = bed.hull_command(&["run", "--rm", "--network", "none", "busybox:test"]);
    let mut command = Command::new("chrt");
    command
        .args(["-f", "5"])
        .arg(hull.get_program())
        .args(hull.get_args());
    command.args(["sh", "-c", "read -r line < /proc/self/stat; echo runs"]);
    command.stdin(Stdio::null());
    run(command, b"").fails(0).stdout_is("runs\n");
}

fn f53_a_paused_container_is_stopped_killed_and_removed(bed: &Bed) {
    if !limited(bed) {
        return;
    }
    let trap = "trap 'exit 42' TERM; echo ready; while :; do sleep 0.05; done";
    let paused = |name: &str| {
        bed.detached(&["--name", name], &["sh", "-c", trap]);
        wait_until("it is ready", || {
            bed.hull(&["logs", name]).stdout == "ready\n"
        });
        bed.hull(&["pause", name]).ok();
    };
    paused("stopped");
    bed.hull(&["exec", "stopped", "true"])
        .fails(1)
        .stderr_has("Container stopped is paused, unpause the container before exec");
    bed.hull(&["stop", "stopped"]).ok();
    assert_eq!(bed.inspect("stopped", "{{.State.ExitCode}}"), "42");
    paused("killed");
    bed.hull(&["kill", "killed"]).ok();
    assert_eq!(bed.inspect("killed", "{{.State.Status}}"), "exited");
    paused("asked");
    bed.hull(&["kill", "-s", "TERM", "asked"]).ok();
    bed.hull(&["wait", "asked"]).fails(0).stdout_is("42\n");
    paused("gone");
    bed.hull(&["rm", "-f", "gone"]).fails(0).stdout_is("gone\n");
    bed.hull(&["inspect", "gone"]).fails(1);
}

fn f54_what_outlives_the_first_process_dies_with_the_container(bed: &Bed) {
    if !limited(bed) {
        return;
    }
    // In the host's PID namespace nothing ends by itself with the first process.
    let script = "sh -c 'sleep 1000 & echo $!; exec setsid sleep 1000' & sleep 0.3; exit 5";
    let ran = bed.run_rm(&["--pid", "host"], &["sh", "-c", script]);
    ran.fails(5);
    let pid = ran.stdout.trim();
    wait_until("what was left is dead", || {
        !Path::new("/proc").join(pid).exists()
    });
}

fn f57_ten_thousand_mounts_and_nested_cgroups_go_in_time(bed: &Bed) {
    // Each bind of the tree into itself doubles it.
    let mut script = "mkdir /many; mount -t tmpfs none /many; cd /many; ".to_owned();
    script.push_str("for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do mkdir $i; ");
    script.push_str("mount -o rbind /many /many/$i; done; ");
    if bed.who == Who::Root {
        script.push_str("for c in memory pids freezer unified; do d=/sys/fs/cgroup/$c; ");
        script.push_str("for i in 0 1 2 3 4 5 6 7 8 9; do for j in 0 1 2 3 4 5 6 7 8 9; do ");
        script.push_str("mkdir -p $d/w$i/w$j; done; done; ");
        script.push_str("for i in 0 1 2 3 4 5 6 7 8 9; do d=$d/n$i; mkdir -p $d; done; ");
        script.push_str("sleep 1000 & echo $! > $d/cgroup.procs; done; ");
    }
    script.push_str("wc -l < /proc/self/mountinfo; exec sleep 1000");
    bed.detached(&["--name", "ctr", "--privileged"], &["sh", "-c", &script]);
    let mut count = String::new();
    wait_until("the mounts are made", || {
        count = bed.hull(&["logs", "ctr"]).stdout;
        !count.is_empty()
    });
    let count: u32 = count.trim().parse().expect("a number");
    assert!(count >= 10_000, "{count} mounts");
    if bed.who == Who::Root {
        let script = "cd /sys/fs/cgroup; test -d memory/w9/w9 && \
                      cat freezer/n0/n1/n2/n3/n4/n5/n6/n7/n8/n9/cgroup.procs";
        let nested = bed.hull(&["exec", "ctr", "sh", "-c", script]);
        assert!(!nested.ok().is_empty(), "a process is in a nested cgroup");
    }
    let begin = Instant::now();
    bed.hull(&["rm", "-f", "ctr"]).fails(0).stdout_is("ctr\n");
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
}
