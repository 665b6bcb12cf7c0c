//! Containers from create to rm, as Docker's users know them.

use nix::sys::signal::Signal;

use crate::bed::Bed;
use crate::process::wait_until;

each_who!(
    run_prints_what_the_program_prints,
    run_exits_as_the_program_does,
    run_says_which_program_cannot_run,
    stdin_reaches_the_program_and_ends,
    without_i_stdin_is_empty,
    stdout_and_stderr_stay_apart,
    rm_leaves_no_container,
    a_detached_container_runs_logs_stops_and_goes,
    a_second_container_cannot_take_the_name,
    ps_shows_dockers_columns,
    inspect_tells_state_and_configuration,
    logs_tail_since_and_timestamps,
    logs_follow_ends_with_the_container,
    create_then_start_attached,
    attach_joins_the_first_process,
    exec_runs_beside_the_first_process,
    exec_says_what_it_cannot_run,
    kill_ends_the_first_process,
    stop_sends_the_stop_signal_then_kills,
    a_signal_to_the_client_reaches_the_program,
    wait_prints_the_exit_code,
    cidfile_has_the_id_and_is_not_overwritten,
    a_missing_container_is_one_line,
    restart_keeps_the_files,
    a_running_container_is_not_removed_without_force,
);

fn run_prints_what_the_program_prints(bed: &Bed) {
    let ran = bed.run_rm(&[], &["echo", "hello", "world"]);
    ran.fails(0).stdout_is("hello world\n");
    ran.expect(
        ran.stderr.is_empty() || bed.who == crate::bed::Who::NoSubids,
        "no stderr",
    );
}

fn run_exits_as_the_program_does(bed: &Bed) {
    for code in [0, 1, 42, 255] {
        bed.run_rm(&[], &["sh", "-c", &format!("exit {code}")])
            .fails(code);
    }
    bed.run_rm(&["--init"], &["sh", "-c", "kill -TERM $$"])
        .fails(143);
    bed.run_rm(&["--init"], &["sh", "-c", "kill -KILL $$"])
        .fails(137);
    bed.run_rm(&["--init"], &["sh", "-c", "kill -SEGV $$"])
        .fails(139);
}

fn run_says_which_program_cannot_run(bed: &Bed) {
    let missing = bed.run_rm(&[], &["no-such-program"]);
    missing
        .fails(127)
        .stderr_has("exec: \"no-such-program\": executable file not found in $PATH");
    let text = bed.run_rm(&[], &["/etc/not-a-program"]);
    text.fails(126).stderr_has("permission denied");
    bed.run_rm(&[], &["/etc"]).fails(126).stderr_has("\"/etc\"");
    bed.run_rm(&["-w", "not/absolute"], &["true"]).fails(125);
    bed.hull(&["run", "--no-such-flag", "busybox:test"])
        .fails(125)
        .stderr_has("unknown flag: --no-such-flag");
}

fn stdin_reaches_the_program_and_ends(bed: &Bed) {
    let words = [
        "run",
        "--rm",
        "-i",
        "--network",
        "none",
        "busybox:test",
        "cat",
    ];
    let input = "no newline at the end";
    bed.hull_with_input(&words, input.as_bytes())
        .fails(0)
        .stdout_is(input);
    let large = "0123456789abcdef\n".repeat(20_000);
    let ran = bed.hull_with_input(&words, large.as_bytes());
    assert!(
        ran.code == 0 && ran.stdout == large,
        "{} bytes came back",
        ran.stdout.len()
    );
}

fn without_i_stdin_is_empty(bed: &Bed) {
    let words = ["run", "--rm", "--network", "none", "busybox:test", "cat"];
    bed.hull_with_input(&words, b"not for the container")
        .fails(0)
        .stdout_is("");
}

fn stdout_and_stderr_stay_apart(bed: &Bed) {
    let ran = bed.run_rm(&[], &["sh", "-c", "echo out; echo err >&2"]);
    ran.fails(0).stdout_is("out\n").stderr_has("err\n");
    ran.expect(!ran.stderr.contains("out"), "no stdout in stderr");
}

fn rm_leaves_no_container(bed: &Bed) {
    bed.run_rm(&["--name", "short"], &["true"]).ok();
    bed.hull(&["ps", "-aq"]).fails(0).stdout_is("");
    bed.run_rm(&["--name", "short"], &["false"]).fails(1);
    bed.hull(&["ps", "-aq"]).fails(0).stdout_is("");
}

fn a_detached_container_runs_logs_stops_and_goes(bed: &Bed) {
    let id = bed.detached(
        &["--name", "web", "--stop-timeout", "1"],
        &["sh", "-c", "echo started; echo bad >&2; exec sleep 1000"],
    );
    bed.hull(&["ps", "-q"])
        .fails(0)
        .stdout_is(&format!("{}\n", &id[..12]));
    wait_until("both lines are logged", || {
        let logs = bed.hull(&["logs", "web"]);
        logs.stdout == "started\n" && logs.stderr.contains("bad\n")
    });
    bed.hull(&["stop", "web"]).fails(0).stdout_is("web\n");
    bed.hull(&["ps", "-q"]).fails(0).stdout_is("");
    assert_eq!(bed.inspect("web", "{{.State.Status}}"), "exited");
    bed.hull(&["rm", &id[..12]])
        .fails(0)
        .stdout_is(&format!("{}\n", &id[..12]));
    bed.hull(&["ps", "-aq"]).fails(0).stdout_is("");
}

fn a_second_container_cannot_take_the_name(bed: &Bed) {
    let id = bed.detached(&["--name", "one"], &["sleep", "1000"]);
    let words = [
        "run",
        "--name",
        "one",
        "--network",
        "none",
        "busybox:test",
        "true",
    ];
    bed.hull(&words).fails(125).stderr_has(&format!(
        "The container name \"/one\" is already in use by container \"{id}\". You have to remove \
         (or rename) that container to be able to reuse that name."
    ));
    assert_eq!(bed.hull(&["ps", "-aq"]).ok().lines().count(), 1);
    bed.run_rm(&["--name", "../bad"], &["true"]).fails(125);
}

fn ps_shows_dockers_columns(bed: &Bed) {
    bed.hull(&[
        "create",
        "--name",
        "made",
        "busybox:test",
        "sh",
        "-c",
        "echo a long command line",
    ])
    .ok();
    bed.hull(&[
        "run",
        "--name",
        "done",
        "--network",
        "none",
        "busybox:test",
        "sh",
        "-c",
        "exit 3",
    ])
    .fails(3);
    bed.detached(&["--name", "up"], &["sleep", "1000"]);
    let all = bed.hull(&["ps", "-a"]);
    let text = all.ok();
    let header: Vec<&str> = text.lines().next().unwrap_or("").split("  ").collect();
    let header: Vec<&str> = header
        .iter()
        .map(|word| word.trim())
        .filter(|w| !w.is_empty())
        .collect();
    assert_eq!(
        header,
        [
            "CONTAINER ID",
            "IMAGE",
            "COMMAND",
            "CREATED",
            "STATUS",
            "PORTS",
            "NAMES"
        ]
    );
    let line = |name: &str| {
        let found = text.lines().find(|line| line.trim_end().ends_with(name));
        found.unwrap_or_else(|| panic!("no {name} in\n{text}"))
    };
    assert!(
        line("up").contains("Up ") && line("up").contains("busybox:test"),
        "{text}"
    );
    assert!(line("done").contains("Exited (3) "), "{text}");
    assert!(line("made").contains("Created"), "{text}");
    assert!(line("made").contains("\"sh -c 'echo a long …\""), "{text}");
    // Newest first, and a status filter means all.
    let names: Vec<&str> = text
        .lines()
        .skip(1)
        .filter_map(|l| l.split(' ').next_back())
        .collect();
    assert_eq!(names, ["up", "done", "made"]);
    let exited = ["ps", "-f", "status=exited", "--format", "{{.Names}}"];
    bed.hull(&exited).fails(0).stdout_is("done\n");
    bed.hull(&["ps", "-f", "bogus=1"]).fails(1).one_error_line();
}

fn inspect_tells_state_and_configuration(bed: &Bed) {
    let flags = [
        "--name",
        "ctr",
        "--label",
        "a=b",
        "--hostname",
        "box",
        "-e",
        "K=V",
        "-w",
        "/tmp",
    ];
    let id = bed.detached(&flags, &["sleep", "1000"]);
    let inspected = bed.hull(&["inspect", "ctr"]);
    let parsed: serde_json::Value = serde_json::from_str(inspected.ok()).expect("is JSON");
    let container = &parsed[0];
    assert_eq!(container["Id"], id.as_str());
    assert_eq!(container["Name"], "/ctr");
    assert_eq!(container["Path"], "sleep");
    assert_eq!(container["Args"][0], "1000");
    assert_eq!(container["State"]["Status"], "running");
    assert_eq!(container["State"]["Running"], true);
    assert_eq!(container["State"]["ExitCode"], 0);
    assert!(
        container["State"]["Pid"]
            .as_i64()
            .is_some_and(|pid| pid > 1),
        "{container}"
    );
    assert_eq!(container["Config"]["Labels"]["a"], "b");
    assert_eq!(container["Config"]["Hostname"], "box");
    assert_eq!(container["Config"]["WorkingDir"], "/tmp");
    assert_eq!(container["Config"]["Image"], "busybox:test");
    assert_eq!(container["HostConfig"]["NetworkMode"], "none");
    let env = container["Config"]["Env"].as_array().expect("is a list");
    assert!(env.iter().any(|value| value == "K=V"), "{env:?}");
    let missing = bed.hull(&["inspect", "nothing"]);
    missing
        .fails(1)
        .stderr_has("No such object: nothing")
        .stdout_has("[]");
}

fn logs_tail_since_and_timestamps(bed: &Bed) {
    let script = "for i in 1 2 3 4 5; do echo line $i; done";
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
    bed.hull(&words).ok();
    bed.hull(&["logs", "--tail", "2", "ctr"])
        .fails(0)
        .stdout_is("line 4\nline 5\n");
    bed.hull(&["logs", "-n", "0", "ctr"]).fails(0).stdout_is("");
    bed.hull(&["logs", "--since", "1h", "ctr"])
        .fails(0)
        .stdout_has("line 1\n");
    bed.hull(&["logs", "--since", "2100-01-01T00:00:00Z", "ctr"])
        .fails(0)
        .stdout_is("");
    bed.hull(&["logs", "--until", "2000-01-01T00:00:00Z", "ctr"])
        .fails(0)
        .stdout_is("");
    let stamped = bed.hull(&["logs", "-t", "--tail", "1", "ctr"]);
    let (time, text) = stamped.ok().split_once(' ').expect("a time and the text");
    assert!(
        time.starts_with("20") && time.ends_with('Z') && time.contains('T'),
        "{time}"
    );
    assert_eq!(text, "line 5");
    // The log of an earlier run stays.
    bed.hull(&["start", "-a", "ctr"]).ok();
    assert_eq!(bed.hull(&["logs", "ctr"]).ok().lines().count(), 10);
}

fn logs_follow_ends_with_the_container(bed: &Bed) {
    let script = "for i in 1 2 3 4; do echo $i; sleep 0.2; done";
    bed.detached(&["--name", "ctr"], &["sh", "-c", script]);
    bed.hull(&["logs", "-f", "ctr"])
        .fails(0)
        .stdout_is("1\n2\n3\n4\n");
}

fn create_then_start_attached(bed: &Bed) {
    let words = [
        "create",
        "--name",
        "ctr",
        "--network",
        "none",
        "busybox:test",
        "sh",
        "-c",
    ];
    let created = bed.hull(&[&words[..], &["echo out; exit 7"]].concat());
    assert_eq!(created.ok().len(), 64);
    assert_eq!(bed.inspect("ctr", "{{.State.Status}}"), "created");
    bed.hull(&["start", "-a", "ctr"])
        .fails(7)
        .stdout_is("out\n");
    assert_eq!(bed.inspect("ctr", "{{.State.ExitCode}}"), "7");
    bed.hull(&["start", "ctr"]).fails(0).stdout_is("ctr\n");
}

fn attach_joins_the_first_process(bed: &Bed) {
    bed.detached(
        &["--name", "ctr", "-i"],
        &["sh", "-c", "read line; echo got $line; exit 5"],
    );
    bed.hull_with_input(&["attach", "ctr"], b"word\n")
        .fails(5)
        .stdout_is("got word\n");
}

fn exec_runs_beside_the_first_process(bed: &Bed) {
    bed.detached(&["--name", "ctr", "-e", "A=1"], &["sleep", "1000"]);
    bed.hull(&["exec", "ctr", "echo", "inside"])
        .fails(0)
        .stdout_is("inside\n");
    bed.hull(&["exec", "ctr", "sh", "-c", "exit 9"]).fails(9);
    let words = [
        "exec",
        "-e",
        "B=2",
        "-w",
        "/tmp",
        "ctr",
        "sh",
        "-c",
        "echo $A$B; pwd",
    ];
    bed.hull(&words).fails(0).stdout_is("12\n/tmp\n");
    bed.hull_with_input(&["exec", "-i", "ctr", "cat"], b"piped")
        .fails(0)
        .stdout_is("piped");
    let first = bed.hull(&["exec", "ctr", "cat", "/proc/1/cmdline"]);
    first.fails(0).stdout_is("sleep\u{0}1000\u{0}");
    let own = "cat /proc/self/status | grep -E '^(Cap|Seccomp:|NoNewPrivs)'";
    let exec = bed.hull(&["exec", "ctr", "sh", "-c", own]);
    let run = bed.run_rm(&[], &["sh", "-c", own]);
    assert_eq!(exec.ok(), run.ok(), "exec has the same bounds as run");
}

fn exec_says_what_it_cannot_run(bed: &Bed) {
    bed.detached(&["--name", "ctr"], &["sleep", "1000"]);
    bed.hull(&["exec", "ctr", "no-such-program"])
        .fails(127)
        .stderr_has("no-such-program");
    bed.hull(&["exec", "ctr", "/etc/not-a-program"]).fails(126);
    bed.hull(&["kill", "ctr"]).ok();
    bed.hull(&["wait", "ctr"]).ok();
    let stopped = bed.hull(&["exec", "ctr", "true"]);
    stopped.fails(1).stderr_has("is not running");
}

fn kill_ends_the_first_process(bed: &Bed) {
    bed.detached(&["--name", "ctr"], &["sleep", "1000"]);
    bed.hull(&["kill", "ctr"]).fails(0).stdout_is("ctr\n");
    bed.hull(&["wait", "ctr"]).fails(0).stdout_is("137\n");
    assert_eq!(bed.inspect("ctr", "{{.State.ExitCode}}"), "137");
    bed.hull(&["kill", "ctr"])
        .fails(1)
        .stderr_has("is not running");
    bed.detached(&["--name", "dead", "--init"], &["sleep", "1000"]);
    bed.hull(&["kill", "-s", "USR1", "dead"]).ok();
    bed.hull(&["wait", "dead"]).fails(0).stdout_is("138\n");
}

fn stop_sends_the_stop_signal_then_kills(bed: &Bed) {
    let polite = "trap 'exit 33' USR1; echo ready; while :; do sleep 0.1; done";
    bed.detached(
        &["--name", "polite", "--stop-signal", "USR1"],
        &["sh", "-c", polite],
    );
    wait_until("it is ready", || {
        bed.hull(&["logs", "polite"]).stdout == "ready\n"
    });
    bed.hull(&["stop", "polite"]).ok();
    assert_eq!(bed.inspect("polite", "{{.State.ExitCode}}"), "33");
    // The first process of a pid namespace ignores signals it has no handler for.
    bed.detached(&["--name", "deaf"], &["sleep", "1000"]);
    bed.hull(&["stop", "-t", "1", "deaf"]).ok();
    assert_eq!(bed.inspect("deaf", "{{.State.ExitCode}}"), "137");
}

fn a_signal_to_the_client_reaches_the_program(bed: &Bed) {
    let script = "trap 'exit 42' TERM; echo ready; while :; do sleep 0.1; done";
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
    let client = bed.start(&words);
    wait_until("it is ready", || {
        bed.hull(&["logs", "ctr"]).stdout == "ready\n"
    });
    client.signal(Signal::SIGTERM);
    client.finish().fails(42);
}

fn wait_prints_the_exit_code(bed: &Bed) {
    bed.detached(&["--name", "first"], &["sh", "-c", "sleep 0.3; exit 4"]);
    bed.detached(&["--name", "second"], &["true"]);
    bed.hull(&["wait", "first", "second"])
        .fails(0)
        .stdout_is("4\n0\n");
}

fn cidfile_has_the_id_and_is_not_overwritten(bed: &Bed) {
    let path = bed.dir.join("work/cid");
    let path = path.to_str().expect("is text");
    let id = bed.detached(&["--cidfile", path], &["sleep", "1000"]);
    assert_eq!(std::fs::read_to_string(path).expect("cidfile"), id);
    bed.run_rm(&["--cidfile", path], &["true"])
        .fails(125)
        .stderr_has("container ID file found");
}

fn a_missing_container_is_one_line(bed: &Bed) {
    for verb in [
        "start", "stop", "kill", "rm", "logs", "wait", "restart", "attach",
    ] {
        let ran = bed.hull(&[verb, "nothing"]);
        ran.fails(1).stderr_has("No such container: nothing");
    }
    let ran = bed.hull(&["exec", "nothing", "true"]);
    ran.fails(1)
        .stderr_has("No such container: nothing")
        .one_error_line();
}

fn restart_keeps_the_files(bed: &Bed) {
    bed.detached(
        &["--name", "ctr", "--stop-timeout", "0"],
        &["sleep", "1000"],
    );
    bed.hull(&["exec", "ctr", "sh", "-c", "echo kept > /root/file"])
        .ok();
    bed.hull(&["restart", "ctr"]).fails(0).stdout_is("ctr\n");
    bed.hull(&["exec", "ctr", "cat", "/root/file"])
        .fails(0)
        .stdout_is("kept\n");
}

fn a_running_container_is_not_removed_without_force(bed: &Bed) {
    bed.detached(&["--name", "up"], &["sleep", "1000"]);
    bed.hull(&["create", "--name", "made", "busybox:test"]).ok();
    let ran = bed.hull(&["rm", "up", "made"]);
    ran.fails(1)
        .stdout_is("made\n")
        .stderr_has("remove a running container");
    bed.hull(&["rm", "-f", "up"]).fails(0).stdout_is("up\n");
}
