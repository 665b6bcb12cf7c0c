//! Commands and flags, as the tutorials write them.

use std::time::{Duration, Instant};

use crate::bed::{Bed, Who, skip};
use crate::process::wait_until;
use crate::pty::Terminal;

root_and_user!(
    run_is_create_and_start,
    run_it_shows_the_short_id_in_the_prompt,
    run_d_prints_the_id_and_returns,
    a_name_is_given_in_both_spellings,
    flags_stand_in_any_order,
    help_of_run_lists_the_limits,
    limits_are_taken,
    create_makes_a_container_that_waits,
    start_stop_and_restart_echo_what_was_typed,
    start_keeps_what_was_written,
    stop_asks_and_kill_does_not,
    pause_freezes,
    ps_and_container_ls_are_one,
    a_status_filter_means_all,
    rm_takes_several_and_rm_f_running_ones,
    rm_of_all_tells_which_run,
    exec_works_by_the_start_of_an_id,
    attach_joins_the_first_process,
    inspect_tells_of_containers_and_images,
    info_counts,
    logs_of_earlier_runs_stay_in_order,
    port_tells_what_is_published,
    a_container_has_namespaces_and_a_layer_of_its_own,
);

#[test]
fn the_manual_answers_systemctl_start_docker() {
    for text in [
        include_str!("../../../README.md"),
        include_str!("../../../man/hull.1"),
    ] {
        for words in ["systemctl start docker", "service docker restart"] {
            assert!(text.contains(words), "{words}");
        }
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn run_is_create_and_start(bed: &Bed) {
    let begun = Instant::now();
    bed.hull(&["run", "busybox:test"]).fails(0).stdout_is("");
    bed.hull(&["run", "busybox:test", "echo", "hello"])
        .fails(0)
        .stdout_is("hello\n");
    assert!(begun.elapsed() < Duration::from_secs(60), "ends with sh");
    let all = bed.hull(&["ps", "-a", "--format", "{{.State}}"]);
    all.stdout_is("exited\nexited\n");
}

fn run_it_shows_the_short_id_in_the_prompt(bed: &Bed) {
    let words = [
        "run",
        "-it",
        "--name",
        "box",
        "-e",
        "PS1=[\\h]# ",
        "busybox:test",
        "sh",
    ];
    let mut terminal = Terminal::start(bed, &words, 24, 80);
    terminal.wait_for("]# ");
    let id = bed.inspect("box", "{{.Id}}");
    terminal.wait_for(&format!("[{}]# ", &id[..12]));
    terminal.send("exit\r");
    assert_eq!(terminal.finish(), 0, "{}", terminal.screen());
}

fn run_d_prints_the_id_and_returns(bed: &Bed) {
    let ran = bed.hull(&["run", "-d", "busybox:test", "sleep", "1000"]);
    ran.expect(is_id(ran.ok()), "64 hexadecimal digits");
    bed.hull(&["ps", "-q"])
        .stdout_is(&format!("{}\n", &ran.ok()[..12]));
}

fn a_name_is_given_in_both_spellings(bed: &Bed) {
    bed.hull(&["run", "-d", "--name=demo", "busybox:test"]).ok();
    bed.hull(&["run", "-d", "--name", "other", "busybox:test"])
        .ok();
    let names = bed.hull(&["ps", "-a", "--format", "{{.Names}}"]);
    names.stdout_is("other\ndemo\n");
}

fn flags_stand_in_any_order(bed: &Bed) {
    let words = [
        "run",
        "--restart",
        "always",
        "-d",
        "--name",
        "registry",
        "-e",
        "A=1",
        "busybox:test",
        "sleep",
        "1000",
    ];
    bed.hull(&words).ok();
    let template = "{{.Name}} {{.HostConfig.RestartPolicy.Name}} {{.State.Running}}";
    assert_eq!(bed.inspect("registry", template), "/registry always true");
}

fn help_of_run_lists_the_limits(bed: &Bed) {
    let help = bed.hull(&["run", "--help"]);
    for flag in ["-m, --memory", "--cpus", "--cpu-shares", "--cpuset-cpus"] {
        help.fails(0).stdout_has(flag);
    }
}

fn limits_are_taken(bed: &Bed) {
    let words = [
        "create",
        "--name",
        "box",
        "-m",
        "64m",
        "--cpus",
        "0.5",
        "--cpu-shares",
        "512",
        "--cpuset-cpus",
        "0",
        "busybox:test",
    ];
    bed.hull(&words).ok();
    let template = "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.CpuShares}} \
                    {{.HostConfig.CpusetCpus}}";
    assert_eq!(bed.inspect("box", template), "67108864 500000000 512 0");
}

fn create_makes_a_container_that_waits(bed: &Bed) {
    let ran = bed.hull(&["create", "--name", "box", "busybox:test"]);
    ran.expect(is_id(ran.ok()), "64 hexadecimal digits");
    let status = bed.hull(&["ps", "-a", "--format", "{{.Status}}"]);
    status.stdout_is("Created\n");
}

fn start_stop_and_restart_echo_what_was_typed(bed: &Bed) {
    let made = bed.hull(&["create", "--name", "box", "busybox:test", "sleep", "1000"]);
    let short = &made.ok()[..7];
    for name in ["box", short] {
        for words in [
            &["start", name][..],
            &["restart", "-t", "0", name],
            &["stop", "-t", "0", name],
        ] {
            bed.hull(words).fails(0).stdout_is(&format!("{name}\n"));
        }
    }
}

fn start_keeps_what_was_written(bed: &Bed) {
    let script = "cat /kept 2>/dev/null; echo here >>/kept";
    let words = ["run", "--name", "box", "busybox:test", "sh", "-c", script];
    bed.hull(&words).fails(0).stdout_is("");
    bed.hull(&["start", "-a", "box"]).stdout_is("here\n");
    bed.hull(&["start", "-a", "box"]).stdout_is("here\nhere\n");
}

fn stop_asks_and_kill_does_not(bed: &Bed) {
    let polite = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done";
    let deaf = "trap '' TERM; echo ready; while :; do sleep 0.1; done";
    let code_after = |name: &str, script: &str, end: &[&str]| {
        bed.detached(&["--name", name], &["sh", "-c", script]);
        wait_until("it is ready", || {
            bed.hull(&["logs", name]).stdout.contains("ready")
        });
        let begun = Instant::now();
        bed.hull(end).fails(0).stdout_is(&format!("{name}\n"));
        (bed.inspect(name, "{{.State.ExitCode}}"), begun.elapsed())
    };
    assert_eq!(code_after("one", polite, &["stop", "one"]).0, "9");
    let (code, took) = code_after("two", deaf, &["stop", "-t", "1", "two"]);
    assert_eq!(code, "137");
    assert!(
        took >= Duration::from_secs(1),
        "it had its second: {took:?}"
    );
    let (code, took) = code_after("three", polite, &["kill", "three"]);
    assert_eq!(code, "137");
    assert!(took < Duration::from_secs(8), "at once: {took:?}");
    assert_eq!(bed.inspect("three", "{{.Config.StopSignal}}"), "SIGTERM");
}

/// Whether the account may freeze anything here; tells if not.
fn can_freeze(bed: &Bed) -> bool {
    let is_root = bed.who == Who::Root;
    if !is_root {
        skip("this account has no cgroup to freeze here");
    }
    is_root
}

fn pause_freezes(bed: &Bed) {
    if !can_freeze(bed) {
        return;
    }
    bed.detached(&["--name", "box"], &["sleep", "1000"]);
    bed.hull(&["pause", "box"]).fails(0).stdout_is("box\n");
    let status = bed.hull(&["ps", "--format", "{{.State}} {{.Status}}"]);
    status.expect(
        status.stdout.starts_with("paused Up ") && status.stdout.ends_with(" (Paused)\n"),
        "paused",
    );
    bed.hull(&["unpause", "box"]).fails(0).stdout_is("box\n");
    assert_eq!(bed.inspect("box", "{{.State.Status}}"), "running");
}

fn ps_and_container_ls_are_one(bed: &Bed) {
    let id = bed.detached(&["--name", "up"], &["sleep", "1000"]);
    bed.hull(&["create", "--name", "down", "busybox:test"]).ok();
    for words in [&["ps"][..], &["container", "ls"], &["container", "ps"]] {
        let with = |flags: &[&str]| bed.hull(&[words, flags].concat());
        with(&[]).expect(with(&[]).stdout.lines().count() == 2, "a header and one");
        with(&["-q"]).stdout_is(&format!("{}\n", &id[..12]));
        assert_eq!(with(&["-aq"]).stdout.lines().count(), 2);
        assert_eq!(with(&["-a"]).stdout.lines().count(), 3);
    }
}

fn a_status_filter_means_all(bed: &Bed) {
    bed.hull(&["run", "--name", "done", "busybox:test"]).ok();
    bed.detached(&["--name", "up"], &["sleep", "1000"]);
    let id = bed.inspect("done", "{{.Id}}");
    let expected = format!("{}\n", &id[..12]);
    for words in [
        &["ps", "-f", "status=exited", "-aq"][..],
        &["container", "ls", "-f", "status=exited", "-q"],
    ] {
        bed.hull(words).fails(0).stdout_is(&expected);
    }
}

fn rm_takes_several_and_rm_f_running_ones(bed: &Bed) {
    for name in ["a", "b"].map(|name| format!("box-{name}")) {
        bed.hull(&["create", "--name", &name, "busybox:test"]).ok();
    }
    bed.detached(&["--name", "up"], &["sleep", "1000"]);
    bed.hull(&["container", "rm", "box-a", "box-b"])
        .fails(0)
        .stdout_is("box-a\nbox-b\n");
    bed.hull(&["rm", "-f", "up"]).fails(0).stdout_is("up\n");
    bed.hull(&["ps", "-aq"]).stdout_is("");
}

fn rm_of_all_tells_which_run(bed: &Bed) {
    bed.hull(&["run", "--name", "done", "busybox:test"]).ok();
    let id = bed.detached(&["--name", "up"], &["sleep", "1000"]);
    let all = bed.shell("hull rm $(hull container ls -aq)");
    all.fails(1)
        .stderr_has(&format!("You cannot remove a running container {id}."));
    bed.hull(&["ps", "-a", "--format", "{{.Names}}"])
        .stdout_is("up\n");
    bed.hull(&["run", "--name", "done", "busybox:test"]).ok();
    bed.shell("hull rm $(hull ps -f status=exited -aq)").ok();
    bed.hull(&["ps", "-a", "--format", "{{.Names}}"])
        .stdout_is("up\n");
}

fn exec_works_by_the_start_of_an_id(bed: &Bed) {
    let id = bed.detached(&[], &["sleep", "1000"]);
    bed.hull(&["exec", &id[..6], "echo", "beside"])
        .fails(0)
        .stdout_is("beside\n");
    let mut terminal = Terminal::start(bed, &["exec", "-it", &id[..12], "sh"], 24, 80);
    terminal.wait_for("# ");
    terminal.send("exit 3\r");
    assert_eq!(terminal.finish(), 3, "{}", terminal.screen());
    bed.hull(&["ps", "-q"]).expect(!id.is_empty(), "it runs on");
    assert_eq!(bed.inspect(&id, "{{.State.Running}}"), "true");
}

fn attach_joins_the_first_process(bed: &Bed) {
    let words = ["run", "-dit", "--name", "box", "busybox:test", "sh"];
    bed.hull(&words).ok();
    let mut terminal = Terminal::start(bed, &["attach", "box"], 24, 80);
    terminal.send("echo pid $$\r");
    terminal.wait_for("pid 1");
    terminal.send("exit 4\r");
    assert_eq!(terminal.finish(), 4, "{}", terminal.screen());
    assert_eq!(bed.inspect("box", "{{.State.Status}}"), "exited");
}

fn inspect_tells_of_containers_and_images(bed: &Bed) {
    bed.hull(&["create", "--name", "box", "busybox:test"]).ok();
    for (name, key) in [("box", "HostConfig"), ("busybox:test", "RepoTags")] {
        let text = bed.hull(&["inspect", name]).ok().to_owned();
        let tree: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
        let array = tree.as_array().expect("is an array");
        assert_eq!(array.len(), 1);
        assert!(array[0].get(key).is_some(), "{name} has {key}");
    }
}

fn info_counts(bed: &Bed) {
    bed.hull(&["create", "busybox:test"]).ok();
    bed.detached(&[], &["sleep", "1000"]);
    let template = "{{.Containers}} {{.ContainersRunning}} {{.ContainersStopped}} {{.Images}}";
    bed.hull(&["info", "-f", template]).stdout_is("2 1 1 1\n");
    let text = bed.hull(&["info"]);
    text.stdout_has("Containers: 2").stdout_has("Images: 1");
}

fn logs_of_earlier_runs_stay_in_order(bed: &Bed) {
    let words = [
        "run",
        "--name",
        "box",
        "busybox:test",
        "sh",
        "-c",
        "echo a; echo b",
    ];
    bed.hull(&words).ok();
    bed.hull(&["start", "-a", "box"]).ok();
    bed.hull(&["logs", "box"]).stdout_is("a\nb\na\nb\n");
}

fn port_tells_what_is_published(bed: &Bed) {
    bed.detached(&["--name", "box"], &["sleep", "1000"]);
    for words in [&["port", "box"][..], &["container", "port", "box"]] {
        bed.hull(words).fails(0).stdout_is("");
    }
}

fn a_container_has_namespaces_and_a_layer_of_its_own(bed: &Bed) {
    let ids = |script: &str| bed.inside(&[], &["sh", "-c", script]);
    for kind in ["pid", "net", "ipc", "mnt", "uts"] {
        let link = format!("/proc/self/ns/{kind}");
        let host = std::fs::read_link(&link).expect("is a link");
        assert_ne!(ids(&format!("readlink {link}")), host.display().to_string());
    }
    bed.inside(&[], &["touch", "/mark"]);
    bed.run_rm(&[], &["test", "-e", "/mark"]).fails(1);
    let shown = bed.hull(&["create", "busybox:test"]).ok().to_owned();
    bed.hull(&["ps", "-aq"])
        .stdout_is(&format!("{}\n", &shown[..12]));
}
