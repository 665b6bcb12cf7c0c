//! `stats` and `top`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::bed::{Bed, Who};
use crate::process::wait_until;
use crate::pty::Terminal;

root_and_user!(
    stats_have_dockers_columns_and_json,
    stats_of_what_does_not_run_are_zero,
    stats_tell_a_busy_container_from_an_idle_one,
    top_shows_host_ids_in_dockers_columns,
    top_knows_usual_options_without_ps,
);

const HEADER: &str =
    "CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT   MEM %     NET I/O   BLOCK I/O   PIDS";

/// The words of a line, however wide its columns are.
fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn stats_have_dockers_columns_and_json(bed: &Bed) {
    let id = bed.detached(&["--name", "ctr", "-m", "64m"], &["sleep", "1000"]);
    let stats = bed.hull(&["stats", "--no-stream"]);
    let lines: Vec<&str> = stats.ok().lines().collect();
    assert_eq!(words(lines[0]), words(HEADER));
    assert_eq!(words(lines[1])[..2], [&id[..12], "ctr"]);
    assert_eq!(lines.len(), 2);
    let cgroups = bed.who == Who::Root;
    assert_eq!(stats.stderr.is_empty(), cgroups, "{}", stats.stderr);
    if !cgroups {
        stats.stderr_has("WARNING: this user may not write any cgroup here");
        assert_eq!(stats.stderr.lines().count(), 1);
    }
    let json = bed.hull(&["stats", "--no-stream", "--format", "json", "ctr"]);
    let json: BTreeMap<String, Value> = serde_json::from_str(json.ok()).expect("is JSON");
    let keys: Vec<&str> = json.keys().map(String::as_str).collect();
    let expected = [
        "BlockIO",
        "CPUPerc",
        "Container",
        "ID",
        "MemPerc",
        "MemUsage",
        "Name",
        "NetIO",
        "PIDs",
    ];
    assert_eq!(keys, expected);
    assert_eq!(json["Container"], "ctr");
    assert_eq!(json["PIDs"], "1");
    let usage = json["MemUsage"].as_str().expect("is text");
    assert_eq!(usage.ends_with(" / 64MiB"), cgroups, "{usage}");
    let whole = ["stats", "--no-stream", "--no-trunc", "--format", "{{.ID}}"];
    assert_eq!(bed.hull(&whole).ok(), id);
    bed.hull(&["stats", "--no-stream", "ctr", "nothing"])
        .fails(1)
        .stderr_has("No such container: nothing");
}

fn stats_of_what_does_not_run_are_zero(bed: &Bed) {
    let words = [
        "create",
        "--name",
        "made",
        "--network",
        "none",
        "busybox:test",
    ];
    bed.hull(&words).ok();
    let running = bed.hull(&["stats", "--no-stream"]);
    assert_eq!(running.ok().lines().count(), 1);
    let format = "{{.Name}}|{{.CPUPerc}}|{{.MemUsage}}|{{.MemPerc}}|{{.NetIO}}|{{.PIDs}}";
    bed.hull(&["stats", "--no-stream", "-a", "--format", format])
        .fails(0)
        .stdout_is("made|0.00%|0B / 0B|0.00%|0B / 0B|0\n");
}

fn stats_tell_a_busy_container_from_an_idle_one(bed: &Bed) {
    bed.detached(&["--name", "idle"], &["sleep", "1000"]);
    bed.detached(&["--name", "busy"], &["sh", "-c", "while :; do :; done"]);
    let percent = |name: &str| {
        let ran = bed.hull(&["stats", "--no-stream", "--format", "{{.CPUPerc}}", name]);
        let text = ran.ok().trim_end_matches('%').to_owned();
        text.parse::<f64>().expect("a percentage")
    };
    assert!(percent("idle") < 1.0);
    // Whatever else this machine does, some of the time is its own.
    wait_until("it is busy", || percent("busy") > 5.0);
    assert!(percent("busy") < 110.0);
    // A terminal is drawn anew each time.
    let mut terminal = Terminal::start(bed, &["stats", "idle"], 24, 120);
    let frames = |screen: &str| screen.matches("\x1b[H").count();
    wait_until("it is drawn twice", || frames(&terminal.screen()) > 2);
    assert!(terminal.screen().contains("\x1b[J"));
    terminal.send("\x03");
    terminal.finish();
}

fn top_shows_host_ids_in_dockers_columns(bed: &Bed) {
    let script = "sleep 1001 & exec sleep 1000";
    bed.detached(&["--name", "ctr"], &["sh", "-c", script]);
    wait_until("both run", || {
        bed.hull(&["top", "ctr"]).ok().lines().count() == 3
    });
    let top = bed.hull(&["top", "ctr"]);
    let lines: Vec<&str> = top.ok().lines().collect();
    let header = "UID                 PID                 PPID                C                   \
                  STIME               TTY                 TIME                CMD";
    assert_eq!(lines[0], header);
    let first = words(lines[1]);
    assert_eq!(first[1], bed.inspect("ctr", "{{.State.Pid}}"));
    assert_eq!(first[0], bed.user());
    assert_eq!(first[7..], ["sleep", "1000"]);
    assert_eq!(words(lines[2])[7..], ["sleep", "1001"]);
    assert_eq!(words(lines[2])[2], first[1]);
    bed.hull(&["kill", "ctr"]).ok();
    let id = bed.inspect("ctr", "{{.Id}}");
    bed.hull(&["top", "ctr"])
        .fails(1)
        .stderr_has(&format!("Container {id} is not running"));
    bed.hull(&["top"]).fails(1);
    bed.hull(&["top", "nothing"])
        .fails(1)
        .stderr_has("No such container");
}

fn top_knows_usual_options_without_ps(bed: &Bed) {
    bed.detached(&["--name", "ctr"], &["sleep", "1000"]);
    let bare = |options: &[&str]| {
        let mut command = bed.hull_command(&[&["top", "ctr"], options].concat());
        command.env("PATH", "/nonexistent");
        crate::process::run(command, b"")
    };
    let pid = bed.inspect("ctr", "{{.State.Pid}}");
    let aux = bare(&["aux"]);
    let lines: Vec<&str> = aux.ok().lines().collect();
    let header = "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND";
    assert_eq!(words(lines[0]).join(" "), header);
    assert_eq!(words(lines[1])[1], pid);
    let chosen = bare(&["-o", "pid=,comm"]);
    let lines: Vec<&str> = chosen.ok().lines().collect();
    assert_eq!(words(lines[0]), ["COMMAND"]);
    assert_eq!(words(lines[1]), [&pid, "sleep"]);
    bare(&["-o", "wchan"]).fails(1).stderr_has("ps(1)");
    // With it, whatever it knows, even options that choose processes themselves.
    if std::path::Path::new("/bin/ps").exists() {
        for options in [&["-l"][..], &["-e", "-o", "pid,wchan"]] {
            let ran = bed.hull(&[&["top", "ctr"], options].concat());
            let lines: Vec<&str> = ran.ok().lines().collect();
            assert_eq!(lines.len(), 2, "{}", ran.stdout);
            assert!(words(lines[1]).contains(&pid.as_str()), "{}", ran.stdout);
        }
        bed.hull(&["top", "ctr", "--nonsense"])
            .fails(1)
            .one_error_line();
    }
}
