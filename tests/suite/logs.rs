//! Where output is kept, how it is read back, and what `--log-opt` takes.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::bed::{Bed, Who, on_bed, skip};
use crate::process::{run, wait_until};

root_and_user!(
    every_driver_with_files_gives_back_what_was_printed,
    a_log_that_cannot_be_kept_is_told_before_the_program_runs,
    drivers_and_options_are_checked_in_dockers_words,
    settings_give_the_driver_and_its_options,
    details_are_labels_variables_and_tag,
    compressed_logs_are_read_whole,
    following_goes_on_over_restarts,
    several_containers_are_told_apart,
    nothing_is_read_where_nothing_is_kept,
    passthrough_hands_over_our_own_streams,
    since_until_and_tail_choose,
    f12_a_stopped_monitor_keeps_no_reader_waiting,
    journald_needs_a_journal,
);

#[test]
fn journald_gets_dockers_fields_and_is_read_through_journalctl() {
    on_bed(Who::Root, journald);
}

/// The monitor of a container.
pub fn monitor_of(id: &str) -> Option<i32> {
    let title = format!("hull: monitor {}", &id[..12]);
    let entries = std::fs::read_dir("/proc").expect("procfs").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let mut monitors = pids.filter(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.starts_with(title.as_bytes())
    });
    monitors.next()
}

fn every_driver_with_files_gives_back_what_was_printed(bed: &Bed) {
    let script = "echo out; echo err >&2; printf 'tab\\tno end'";
    for driver in ["json-file", "k8s-file", "local"] {
        let flags = ["--name", driver, "--log-driver", driver];
        let id = bed.detached(&flags, &["sh", "-c", script]);
        bed.hull(&["wait", driver]).ok();
        let ran = bed.hull(&["logs", driver]);
        ran.fails(0).stdout_is("out\ntab\tno end");
        ran.expect(ran.stderr == "err\n", "stderr is err");
        bed.hull(&["logs", "-f", "--tail", "1", driver])
            .fails(0)
            .stdout_is("tab\tno end");
        let stamped = bed.hull(&["logs", "-t", "--tail=all", driver]);
        let (time, text) = stamped.ok().split_once(' ').expect("a time");
        stamped.expect(time.len() == 30 && time.ends_with('Z'), "nine decimals");
        stamped.expect(text.starts_with("out\n"), "then the text");
        let path = bed.inspect(driver, "{{.LogPath}}");
        let stored = std::fs::read_to_string(&path).expect("the file of inspect");
        assert!(path.contains(&id), "{path}");
        match driver {
            "k8s-file" => assert!(stored.contains(" stdout F out\n"), "{stored}"),
            _ => assert!(
                stored.contains(r#"{"log":"out\n","stream":"stdout""#),
                "{stored}"
            ),
        }
        let shape = "{{.HostConfig.LogConfig.Type}} {{json .HostConfig.LogConfig.Config}}";
        assert_eq!(bed.inspect(driver, shape), format!("{driver} {{}}"));
    }
    let path = bed.dir.join("work/my.log").display().to_string();
    let option = format!("path={path}");
    let flags = [
        "--name",
        "own",
        "--log-driver",
        "k8s-file",
        "--log-opt",
        &option,
    ];
    bed.detached(&flags, &["echo", "there"]);
    bed.hull(&["wait", "own"]).ok();
    bed.hull(&["logs", "own"]).fails(0).stdout_is("there\n");
    assert_eq!(bed.inspect("own", "{{.LogPath}}"), path);
    let stored = std::fs::read_to_string(&path).expect("a log");
    assert!(stored.ends_with(" stdout F there\n"), "{stored}");
}

fn a_log_that_cannot_be_kept_is_told_before_the_program_runs(bed: &Bed) {
    let flags = ["--name", "own", "--log-driver", "k8s-file", "--log-opt"];
    let flags = [
        &flags[..],
        &["path=/nonexistent/my.log", "--network", "none"],
    ]
    .concat();
    let words = ["busybox:test", "sh", "-c", "echo ran"];
    let ran = bed.hull(&[&["run"], &flags[..], &words].concat());
    ran.fails(125).stderr_has("/nonexistent").stdout_is("");
    ran.one_error_line();
    let state = "{{.State.Status}} {{.State.ExitCode}}";
    assert_eq!(bed.inspect("own", state), "created 125");
    bed.hull(&["rm", "own"]).ok();
}

fn drivers_and_options_are_checked_in_dockers_words(bed: &Bed) {
    let table: [(&[&str], &str); 8] = [
        (
            &["--log-driver", "loki"],
            "logger: no log driver named 'loki' is registered",
        ),
        (
            &["--log-opt", "foo=1"],
            "unknown log opt 'foo' for json-file log driver",
        ),
        (
            &["--log-driver", "none", "--log-opt", "max-size=1m"],
            "invalid logging opts for driver none",
        ),
        (
            &["--log-opt", "mode=fast"],
            "logger: logging mode not supported: fast",
        ),
        (
            &["--log-opt", "max-buffer-size=1m"],
            "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
        ),
        (
            &["--log-opt", "max-file=0"],
            "max-file cannot be less than 1",
        ),
        (
            &["--log-opt", "compress=true", "--log-opt", "max-file=1"],
            "compress cannot be true when max-file is less than 2 or max-size is not set",
        ),
        (
            &["-t", "--log-driver", "passthrough"],
            "conflicting options: cannot specify both --tty and --log-driver passthrough",
        ),
    ];
    for (flags, words) in table {
        let ran = bed.run_rm(flags, &["true"]);
        ran.fails(125).one_error_line().stderr_has(words);
    }
    bed.hull(&["ps", "-aq"]).fails(0).stdout_is("");
    let mode = [
        "--log-opt",
        "mode=non-blocking",
        "--log-opt",
        "max-buffer-size=1m",
    ];
    bed.run_rm(&mode, &["echo", "fine"])
        .fails(0)
        .stdout_is("fine\n");
}

fn settings_give_the_driver_and_its_options(bed: &Bed) {
    let content = r#"{"log-driver": "k8s-file", "log-opts": {"max-size": "9k", "tag": "t"}}"#;
    let path = bed.file("daemon.json", content.as_bytes());
    let head = format!("export HULL_CONFIG={}\n", path.display());
    let create = "hull create --network none --name";
    bed.shell(&format!(
        "{head}{create} one busybox:test true && \
         {create} two --log-opt max-size=5k busybox:test true && \
         {create} three --log-driver json-file busybox:test true"
    ))
    .ok();
    let shape = "{{.HostConfig.LogConfig.Type}} {{json .HostConfig.LogConfig.Config}}";
    let expected = [
        ("one", r#"k8s-file {"max-size":"9k","tag":"t"}"#),
        ("two", r#"k8s-file {"max-size":"5k","tag":"t"}"#),
        ("three", "json-file {}"),
    ];
    for (name, value) in expected {
        assert_eq!(bed.inspect(name, shape), value);
    }
}

fn details_are_labels_variables_and_tag(bed: &Bed) {
    let flags = "--name ctr --label a=1 --label b=2 --env X=y&z --env W=w --log-opt labels=a,c \
                 --log-opt env=X --log-opt tag={{.Name}}/{{.ImageName}}";
    let flags: Vec<&str> = flags.split_whitespace().collect();
    bed.detached(&flags, &["echo", "text"]);
    bed.hull(&["wait", "ctr"]).ok();
    let line = "X=y%26z,a=1,tag=ctr%2Fbusybox%3Atest text\n";
    bed.hull(&["logs", "--details", "ctr"])
        .fails(0)
        .stdout_is(line);
    bed.hull(&["logs", "ctr"]).fails(0).stdout_is("text\n");
    let stored = std::fs::read_to_string(bed.inspect("ctr", "{{.LogPath}}")).expect("a log");
    let attributes = r#""attrs":{"X":"y&z","a":"1","tag":"ctr/busybox:test"},"time":"#;
    assert!(stored.contains(attributes), "{stored}");
    bed.detached(&["--name", "plain"], &["echo", "text"]);
    bed.hull(&["wait", "plain"]).ok();
    bed.hull(&["logs", "--details", "plain"])
        .fails(0)
        .stdout_is(" text\n");
}

fn compressed_logs_are_read_whole(bed: &Bed) {
    let options = ["max-size=20k", "max-file=100"];
    for (driver, more) in [("local", "compress=true"), ("k8s-file", "compress=1")] {
        let mut flags = vec!["--name", driver, "--log-driver", driver, "--log-opt", more];
        options
            .iter()
            .for_each(|option| flags.extend(["--log-opt", *option]));
        bed.detached(&flags, &["seq", "10000"]);
        bed.hull(&["wait", driver]).ok();
        let expected: String = (1..=10_000).map(|number| format!("{number}\n")).collect();
        bed.hull(&["logs", driver]).fails(0).stdout_is(&expected);
        bed.hull(&["logs", "-f", "--tail", "2", driver])
            .fails(0)
            .stdout_is("9999\n10000\n");
        let path = bed.inspect(driver, "{{.LogPath}}");
        assert!(
            std::fs::exists(format!("{path}.3.gz")).expect("works"),
            "{path}"
        );
    }
}

fn following_goes_on_over_restarts(bed: &Bed) {
    let flags = ["--name", "ctr", "--restart", "on-failure:2"];
    bed.detached(&flags, &["sh", "-c", "echo turn; sleep 0.3; exit 3"]);
    bed.hull(&["logs", "-f", "ctr"])
        .fails(0)
        .stdout_is("turn\nturn\nturn\n");
}

fn several_containers_are_told_apart(bed: &Bed) {
    let ids = ["one", "two"].map(|name| {
        let id = bed.detached(&["--name", name], &["echo", name]);
        bed.hull(&["wait", name]).ok();
        id
    });
    for follow in [&[][..], &["-f"]] {
        let ran = bed.hull(&[&["logs", "--names"], follow, &["one", "two"]].concat());
        ran.fails(0).stdout_is("one one\ntwo two\n");
        let ran = bed.hull(&[&["logs"], follow, &["one", "two"]].concat());
        let expected = format!("{} one\n{} two\n", &ids[0][..12], &ids[1][..12]);
        ran.fails(0).stdout_is(&expected);
    }
}

fn nothing_is_read_where_nothing_is_kept(bed: &Bed) {
    bed.hull(&[
        "run",
        "--name",
        "ctr",
        "--network",
        "none",
        "--log-driver",
        "none",
        "busybox:test",
    ])
    .ok();
    bed.hull(&["logs", "ctr"])
        .fails(1)
        .one_error_line()
        .stderr_has("configured logging driver does not support reading");
    assert_eq!(bed.inspect("ctr", "{{.LogPath}}"), "");
}

fn passthrough_hands_over_our_own_streams(bed: &Bed) {
    let run = "hull run --network none --log-driver passthrough --name";
    let script = "sh -c 'cat; readlink /proc/self/fd/1; echo err >&2; exit 4'";
    let ran = bed.shell(&format!(
        "echo in | {run} ctr -i busybox:test {script} >file; echo $?"
    ));
    ran.fails(0).stdout_is("4\n").stderr_has("err\n");
    let written = std::fs::read_to_string(bed.dir.join("work/file")).expect("a file");
    let link = written.strip_prefix("in\n").expect("input comes through");
    assert!(!link.contains("pipe:"), "the file itself: {link}");
    bed.hull(&["logs", "ctr"])
        .fails(1)
        .stderr_has("does not support reading");
    bed.shell(&format!(
        "{run} late -d busybox:test sh -c 'sleep 2; echo late' >two 2>&1"
    ))
    .ok();
    bed.hull(&["attach", "late"])
        .fails(1)
        .stderr_has("this container is using the 'passthrough' log driver, cannot attach");
    bed.hull(&["wait", "late"]).ok();
    let written = std::fs::read_to_string(bed.dir.join("work/two")).expect("a file");
    assert!(written.ends_with("late\n"), "{written}");
    let mut terminal = crate::pty::Terminal::start(
        bed,
        &[
            "run",
            "--rm",
            "--network",
            "none",
            "--log-driver",
            "passthrough",
            "busybox:test",
            "id",
        ],
        24,
        80,
    );
    terminal.wait_for("the '--log-driver passthrough' option cannot be used on a TTY");
    assert_eq!(terminal.finish(), 125);
}

fn since_until_and_tail_choose(bed: &Bed) {
    let script = "echo one; sleep 1.2; echo two; sleep 1000";
    bed.detached(&["--name", "ctr", "--init"], &["sh", "-c", script]);
    wait_until("both lines are there", || {
        bed.hull(&["logs", "ctr"]).stdout == "one\ntwo\n"
    });
    let stamped = bed.hull(&["logs", "-t", "ctr"]);
    let times: Vec<&str> = stamped
        .ok()
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let table: [(&[&str], &str); 7] = [
        (&["--since", times[1]], "two\n"),
        (&["--until", times[1]], "one\n"),
        (&["--until", times[1], "--follow"], "one\n"),
        (&["--since", "1h"], "one\ntwo\n"),
        (&["--until", "1h"], ""),
        (&["--tail", "0"], ""),
        (
            &["--tail", "nonsense", "--since", "2001-01-01"],
            "one\ntwo\n",
        ),
    ];
    for (flags, expected) in table {
        let ran = bed.hull(&[&["logs"], flags, &["ctr"]].concat());
        ran.fails(0).stdout_is(expected);
    }
    bed.hull(&["logs", "--since", "yesterday", "ctr"])
        .fails(1)
        .stderr_has("invalid value for \"since\": failed to parse value as time or duration");
}

fn f12_a_stopped_monitor_keeps_no_reader_waiting(bed: &Bed) {
    let id = bed.detached(
        &["--name", "ctr", "--init"],
        &["sh", "-c", "echo a; sleep 1000"],
    );
    wait_until("the line is there", || {
        bed.hull(&["logs", "ctr"]).stdout == "a\n"
    });
    let mut monitor = None;
    wait_until("the monitor has its title", || {
        monitor = monitor_of(&id);
        monitor.is_some()
    });
    let monitor = Pid::from_raw(monitor.expect("was found"));
    kill(monitor, Signal::SIGSTOP).expect("lives");
    let ran = bed.hull(&["logs", "ctr"]);
    kill(monitor, Signal::SIGCONT).expect("lives");
    ran.fails(0).stdout_is("a\n");
}

fn journald_needs_a_journal(bed: &Bed) {
    if std::path::Path::new("/run/systemd/journal/socket").exists() {
        skip("this host has a journal");
        return;
    }
    bed.run_rm(&["--log-driver", "journald"], &["true"])
        .fails(125)
        .one_error_line()
        .stderr_has("journald is not enabled on this host");
}

/// A journal and a journalctl, in a mount namespace of their own: every entry becomes a line.
const JOURNAL: &str = r#"
import json, os, socket, struct, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind("/run/systemd/journal/socket")
os.chmod("/run/systemd/journal/socket", 0o666)
out = open("/run/systemd/entries", "w")
print("ready", flush=True)
while True:
    data, entry = server.recv(1 << 20), {"__REALTIME_TIMESTAMP": "5"}
    while data:
        name, data = data.split(b"\n", 1)
        size = struct.unpack("<Q", data[:8])[0]
        entry[name.decode()] = data[8:8 + size].decode()
        data = data[9 + size:]
    out.write(json.dumps(entry) + "\n")
    out.flush()
"#;

fn journald(bed: &Bed) {
    let python = std::path::Path::new("/usr/bin/python3");
    if !rustix::process::geteuid().is_root() || !python.exists() {
        skip("needs root and python3");
        return;
    }
    let server = bed.file("journal.py", JOURNAL.as_bytes());
    let tools = bed.dir.join("work/tools");
    std::fs::create_dir_all(&tools).expect("made");
    let tool = "#!/bin/sh\necho \"$@\" >&2\nexec cat /run/systemd/entries\n";
    std::fs::write(tools.join("journalctl"), tool).expect("written");
    let script = format!(
        "mount -t tmpfs none /run/systemd && mkdir /run/systemd/journal
         python3 {} >started & server=$!
         until [ -s started ]; do sleep 0.05; done
         chmod 755 {tools}/journalctl; PATH={tools}:$PATH
         hull run --name ctr --network none --log-driver journald --log-opt tag=t --label l.x=v \
             --log-opt labels=l.x busybox:test sh -c 'echo out; echo err >&2; printf end'
         hull logs ctr; cat /run/systemd/entries >entries; kill $server",
        server.display(),
        tools = tools.display(),
    );
    let in_namespace = {
        let function = format!(
            "hull() {{ {} --root {} --runroot {} \"$@\"; }}\n",
            crate::bed::binary().display(),
            bed.store().display(),
            bed.run_dir().display()
        );
        let mut command = bed.command(std::path::Path::new("/usr/bin/unshare"));
        command
            .args(["--mount", "/bin/sh", "-c"])
            .arg(function + &script);
        command
    };
    let ran = run(in_namespace, b"");
    ran.fails(0)
        .stdout_is("out\nendout\nend")
        .stderr_has("CONTAINER_ID_FULL=");
    let entries = std::fs::read_to_string(bed.dir.join("work/entries")).expect("entries");
    let entries: Vec<serde_json::Value> = entries
        .lines()
        .map(|line| serde_json::from_str(line).expect("is JSON"))
        .collect();
    assert_eq!(entries.len(), 3, "{entries:?}");
    let all = [
        ("CONTAINER_NAME", "ctr"),
        ("CONTAINER_TAG", "t"),
        ("L_X", "v"),
    ];
    for entry in &entries {
        for (name, value) in all {
            assert_eq!(entry[name], value, "{entry}");
        }
        assert_eq!(entry["IMAGE_NAME"], "busybox:test");
    }
    let of_err = entries.iter().find(|entry| entry["MESSAGE"] == "err");
    assert_eq!(of_err.expect("is there")["PRIORITY"], "3");
    let partial = entries.iter().find(|entry| entry["MESSAGE"] == "end");
    assert_eq!(
        partial.expect("is there")["CONTAINER_PARTIAL_MESSAGE"],
        "true"
    );
}
