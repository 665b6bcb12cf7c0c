//! What listings show: their exact shapes (tests/golden/listing), hostile text in them, names that
//! could mean several things, sizes, and that no listing waits for a monitor.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use regex::Regex;

use crate::bed::{Bed, Who, on_bed};
use crate::leaks::processes_of;
use crate::process::wait_until;

each_who!(
    ps_filters_of_tier_b,
    a91_tables_and_errors_are_escaped,
    a98_names_and_prefixes_mean_one_thing,
    listings_do_not_wait_for_a_stopped_monitor,
);

root_and_user!(system_df_equals_the_files);

/// Compares with tests/golden/listing; `HULL_GOLDEN=renew` writes the file anew.
fn golden(bed: &Bed, name: &str, words: &[&str]) -> Option<String> {
    let made = masked(bed, bed.hull(words).ok());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/listing");
    let path = path.join(name);
    if std::env::var_os("HULL_GOLDEN").is_some_and(|value| value == "renew") {
        fs::write(&path, made + "\n").expect("golden files are writable");
        return None;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if kept.trim_end() == made {
        return None;
    }
    Some(format!(
        "{name} ({words:?})\n--- kept\n{kept}--- made\n{made}\n"
    ))
}

/// Ids, times, sizes and paths replaced, columns drawn together: they differ from run to run.
fn masked(bed: &Bed, text: &str) -> String {
    let mut text = text.replace(&bed.dir.display().to_string(), "<bed>");
    let masks = [
        (r"[0-9a-f]{64}", "<id>"),
        (r"\b[0-9a-f]{12}\b", "<id12>"),
        (
            r"(About an? (minute|hour)|Less than a second|\d+ (second|minute|hour|day)s?)( ago)?",
            "<time>",
        ),
        (r"\d+ (week|month|year)s?( ago)?", "<time>"),
        (
            r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?( [+-]\d{4} [A-Z0-9+-]+|Z)",
            "<date>",
        ),
        (r"\b\d+(\.\d+)?(B|kB|MB|GB)\b", "<size>"),
        (
            r#""(Size|VirtualSize|Hard|Soft)": ?-?\d+"#,
            "\"$1\": <number>",
        ),
        (
            r#""KernelVersion":"[^"]*""#,
            "\"KernelVersion\":\"<kernel>\"",
        ),
        (r#""Version":"[^"]*""#, "\"Version\":\"<version>\""),
    ];
    for (pattern, word) in masks {
        let pattern = Regex::new(pattern).expect("is a pattern");
        text = pattern.replace_all(&text, word).into_owned();
    }
    let lines = text.lines().map(|line| {
        let indent = line.len() - line.trim_start().len();
        let blanks = Regex::new(r" {2,}").expect("is a pattern");
        format!(
            "{}{}",
            &line[..indent],
            blanks.replace_all(line[indent..].trim_end(), "  ")
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn listings_have_their_golden_shapes() {
    on_bed(Who::Root, |bed| {
        let create = [
            "create",
            "--name",
            "made",
            "--network",
            "none",
            "--label",
            "a=b",
        ];
        let more = [
            "--expose",
            "80",
            "-v",
            "/tmp:/mnt:ro",
            "busybox:test",
            "true",
        ];
        bed.hull(&[&create[..], &more[..]].concat()).ok();
        let run = ["run", "--name", "done", "--network", "none", "busybox:test"];
        bed.hull(&[&run[..], &["sh", "-c", "exit 3"]].concat())
            .fails(3);
        bed.detached(&["--name", "web", "--expose", "5000"], &["sleep", "1000"]);
        let table: &[(&str, &[&str])] = &[
            ("ps.txt", &["ps", "-a"]),
            ("ps-size.txt", &["ps", "-as"]),
            ("ps.json", &["ps", "-a", "--format", "json"]),
            ("ps-quiet.txt", &["ps", "-aq"]),
            ("ps-whole.txt", &["ps", "-a", "--no-trunc"]),
            ("images.txt", &["images"]),
            ("images-digests.txt", &["images", "--digests"]),
            ("images.json", &["images", "--format", "json"]),
            ("history.txt", &["history", "busybox:test"]),
            (
                "history.json",
                &["history", "--format", "json", "busybox:test"],
            ),
            ("df.txt", &["system", "df"]),
            ("df.json", &["system", "df", "--format", "json"]),
            ("df-verbose.txt", &["system", "df", "-v"]),
            (
                "df-verbose.json",
                &["system", "df", "-v", "--format", "json"],
            ),
            ("inspect-container.json", &["inspect", "made"]),
            ("inspect-image.json", &["image", "inspect", "busybox:test"]),
            ("version.json", &["version", "--format", "json"]),
        ];
        let different: Vec<String> = table
            .iter()
            .filter_map(|(name, words)| golden(bed, name, words))
            .collect();
        assert!(
            different.is_empty(),
            "{}\nif that is right: HULL_GOLDEN=renew cargo test --test suite golden_shapes",
            different.join("\n")
        );
    });
}

fn ps_filters_of_tier_b(bed: &Bed) {
    let make = |name: &str, flags: &[&str]| {
        let words = ["create", "--name", name, "--network", "none"];
        let program = ["busybox:test", "true"];
        bed.hull(&[&words[..], flags, &program[..]].concat()).ok();
    };
    make("one", &["--expose", "80", "--label", "k=v"]);
    make("two", &["-v", "/tmp:/mnt", "--restart", "on-failure:3"]);
    make("three", &["-p", "8080:80"]);
    let found = |filters: &[&str]| {
        let mut words = vec!["ps", "-a", "--format", "{{.Names}}"];
        words.extend(filters.iter().flat_map(|filter| ["--filter", *filter]));
        bed.hull(&words)
            .ok()
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let table: &[(&[&str], &[&str])] = &[
        (&["before=two"], &["one"]),
        (&["since=two"], &["three"]),
        (&["since=one", "before=three"], &["two"]),
        (&["expose=80"], &["three", "one"]),
        (&["expose=70-90/tcp", "label=k"], &["one"]),
        (&["expose=80/udp"], &[]),
        (&["publish=80"], &["three"]),
        (&["volume=/mnt"], &["two"]),
        (&["volume=/tmp"], &["two"]),
        (&["network=none"], &["three", "two", "one"]),
        (&["network=host"], &[]),
        (&["health=none", "name=^t"], &["three", "two"]),
        (&["health=healthy"], &[]),
        (&["restart-policy=on-failure"], &["two"]),
        (&["label!=k"], &["three", "two"]),
        (&["until=0s", "name=one"], &["one"]),
        (&["until=10h"], &[]),
        (&["command=^tr"], &["three", "two", "one"]),
        (&["name=^/?(one|three)$"], &["three", "one"]),
        (&["is-task=false", "name=one"], &["one"]),
        (&["is-task=true"], &[]),
        (&["ancestor=busybox:test", "name=two"], &["two"]),
        (&["ancestor=nosuch"], &[]),
        (&[""], &["three", "two", "one"]),
    ];
    for (filters, names) in table {
        assert_eq!(found(filters), *names, "{filters:?}");
    }
    let refused = [
        (
            "health=bogus",
            "Unrecognised filter value for health: bogus",
        ),
        ("before=nosuch", "No such container: nosuch"),
        ("publish=x/y", "error while looking up for publish x/y"),
        ("expose=9-8", "Invalid range specified for the Port: 9-8"),
        ("is-task=x", "Invalid filter 'is-task=[x]'"),
        (
            "until=x",
            "failed to parse value as time or duration: \"x\"",
        ),
    ];
    for (filter, message) in refused {
        bed.hull(&["ps", "-f", filter])
            .fails(1)
            .one_error_line()
            .stderr_has(message);
    }
    bed.hull(&["ps", "-f", "bogus"])
        .fails(125)
        .stderr_has("bad format of filter (expected name=value)");
}

/// Text that would colour, set the clipboard, overwrite, or turn a line around.
const HOSTILE: &str = "a\x1b[31m\x1b]52;c;eA==\x07b\rc\x08\u{202e}d\u{9b}2J";

fn a91_tables_and_errors_are_escaped(bed: &Bed) {
    let label = format!("evil={HOSTILE}");
    let env = format!("E={HOSTILE}");
    let create = [
        "create",
        "--name",
        "made",
        "--network",
        "none",
        "-l",
        &label,
        "-e",
        &env,
    ];
    bed.hull(&[&create[..], &["busybox:test", "echo", HOSTILE]].concat())
        .ok();
    let harmless = |text: &str| {
        let steers = |c: char| {
            (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202a}'..='\u{202e}')
        };
        !text.contains(steers)
    };
    let shown: &[&[&str]] = &[
        &["ps", "-a"],
        &["ps", "-a", "--no-trunc"],
        &[
            "ps",
            "-a",
            "--format",
            "{{.Labels}} {{.Label \"evil\"}} {{.Command}}",
        ],
        &["ps", "-a", "--format", "table {{.Labels}}\t{{.Command}}"],
        &["ps", "-a", "--format", "json"],
        &["ps", "-a", "--format", "{{json .Labels}}"],
        &["inspect", "made"],
        &[
            "inspect",
            "--format",
            "{{.Config.Env}} {{json .Config.Cmd}}",
            "made",
        ],
        &["inspect", "--format", "json", "made"],
        &["history", "busybox:test"],
        &["system", "df", "-v"],
    ];
    for words in shown {
        let ran = bed.hull(words);
        ran.fails(0)
            .expect(harmless(&ran.stdout), "no control characters in stdout");
    }
    bed.hull(&["ps", "-a", "--format", "json"])
        .stdout_has("\\u001b[31m")
        .stdout_has("\\u202e");
    let command = bed.hull(&["ps", "-a", "--no-trunc", "--format", "{{.Command}}"]);
    command.stdout_has("\\x1b[31m");
    let refused: &[&[&str]] = &[
        &["inspect", HOSTILE],
        &["rm", HOSTILE],
        &["ps", "--filter", &format!("{HOSTILE}=1")],
        &["ps", "--format", &format!("{{{{{HOSTILE}")],
        &["run", "--pull", "never", HOSTILE],
        &[HOSTILE],
    ];
    for words in refused {
        let ran = bed.hull(words);
        ran.expect(harmless(&ran.stderr), "no control characters in stderr");
    }
    // The harmless twin: what is no control character is shown as it is.
    let twin = [
        "create",
        "--name",
        "twin",
        "--network",
        "none",
        "-l",
        "x=äöü 漢 <&>",
    ];
    bed.hull(&[&twin[..], &["busybox:test", "true"]].concat())
        .ok();
    bed.hull(&[
        "ps",
        "-a",
        "--filter",
        "name=twin",
        "--format",
        "{{.Labels}}",
    ])
    .stdout_is("x=äöü 漢 <&>\n");
}

fn a98_names_and_prefixes_mean_one_thing(bed: &Bed) {
    let create = |name: &str| {
        let words = [
            "create",
            "--name",
            name,
            "--network",
            "none",
            "busybox:test",
            "true",
        ];
        bed.hull(&words).ok().to_owned()
    };
    let ids: Vec<String> = (0..18)
        .map(|number| create(&format!("c{number}")))
        .collect();
    let count = || bed.hull(&["ps", "-aq"]).ok().lines().count();
    for words in [&["rm", ""], &["rm", "*"], &["rm", ".*"], &["stop", ""]] {
        bed.hull(words).fails(1);
    }
    // What is not there is gone already, for -f.
    bed.hull(&["rm", "-f", ""]).stderr_has("No such container");
    bed.hull(&["rmi", "busy*"]).expect_failure();
    assert_eq!(count(), 18, "nothing was removed");
    // Of eighteen ids, two begin with the same digit.
    let shared = |digit: &&String| ids.iter().filter(|id| id.starts_with(&digit[..1])).count() > 1;
    let digit = &ids.iter().find(shared).expect("sixteen digits")[..1];
    bed.hull(&["rm", digit])
        .fails(1)
        .stderr_has("multiple IDs found with provided prefix");
    assert_eq!(count(), 18);
    // A name goes before the beginning of an id, and a whole id before a name.
    let named = create(&ids[0][..12]);
    assert_eq!(bed.inspect(&ids[0][..12], "{{.Id}}"), named);
    assert_eq!(bed.inspect(&ids[0][..13], "{{.Id}}"), ids[0]);
    assert_eq!(bed.inspect(&ids[0], "{{.Id}}"), ids[0]);
    bed.hull(&["rm", &ids[0][..12]]).ok();
    assert_eq!(bed.inspect(&ids[0][..12], "{{.Id}}"), ids[0]);
    let whole = [
        "create",
        "--name",
        &ids[1],
        "--network",
        "none",
        "busybox:test",
        "true",
    ];
    let taken = bed.hull(&whole);
    if taken.code == 0 {
        assert_eq!(
            bed.inspect(&ids[1], "{{.Name}}"),
            "/c1",
            "the id, not the name"
        );
    }
    let endless = "{{define \"a\"}}{{template \"a\" .}}{{end}}{{template \"a\" .}}";
    bed.hull(&["inspect", "-f", endless, "c2"])
        .fails(1)
        .stderr_has("exceeded maximum template depth");
    let deep = format!("{}1{}", "{{if 1}}".repeat(5000), "{{end}}".repeat(5000));
    bed.hull(&["inspect", "-f", &deep, "c2"]).fails(64);
}

fn listings_do_not_wait_for_a_stopped_monitor(bed: &Bed) {
    let id = bed.detached(&["--name", "web"], &["sh", "-c", "echo hello; sleep 1000"]);
    let other = bed.detached(&["--name", "other"], &["sleep", "1000"]);
    let title = format!("hull: monitor {}", &id[..12]);
    let mut monitor = None;
    wait_until("the monitor is there", || {
        let processes = processes_of(&bed.dir);
        let found = processes
            .into_iter()
            .find(|(_, what)| what.contains(&title));
        monitor = found.map(|(pid, _)| Pid::from_raw(pid));
        monitor.is_some() && bed.hull(&["logs", "web"]).stdout == "hello\n"
    });
    let monitor = monitor.expect("was found");
    kill(monitor, Signal::SIGSTOP).expect("runs");
    let start = Instant::now();
    let listed = bed.hull(&["ps", "--format", "{{.Names}} {{.State}}"]);
    let inspected = bed.hull(&["inspect", "-f", "{{.State.Status}}", "web", "other"]);
    let logged = bed.hull(&["logs", "web"]);
    let images = bed.hull(&["images", "-q"]);
    let info = bed.hull(&["info", "-f", "{{.ContainersRunning}}"]);
    let usage = bed.hull(&["system", "df"]);
    let took = start.elapsed();
    kill(monitor, Signal::SIGCONT).expect("runs");
    listed.stdout_is("other running\nweb running\n");
    inspected.stdout_is("running\nrunning\n");
    logged.stdout_is("hello\n");
    info.stdout_is("2\n");
    images.ok();
    usage.ok();
    assert!(
        took < Duration::from_secs(30),
        "{took:?} while one monitor stood still"
    );
    assert_eq!(other.len(), 64);
}

fn system_df_equals_the_files(bed: &Bed) {
    let words = [
        "sh",
        "-c",
        "head -c 300000 /dev/zero > /f; ln /f /g; mkdir /d; ln -s f /s",
    ];
    let run = [
        "run",
        "--name",
        "wrote",
        "--network",
        "none",
        "busybox:test",
    ];
    bed.hull(&[&run[..], &words[..]].concat()).ok();
    let rows = bed.hull(&[
        "system",
        "df",
        "--format",
        "{{.Type}}|{{.TotalCount}}|{{.Size}}",
    ]);
    let row = |kind: &str| {
        let line = rows.stdout.lines().find(|line| line.starts_with(kind));
        line.expect("is listed").to_owned()
    };
    assert_eq!(
        row("Containers"),
        "Containers|1|300kB",
        "a file with two names is one file"
    );
    let size = bed.inspect_size("wrote");
    assert_eq!(size, "300001", "the file and the link's one letter");
    // Layers and blobs by their files; as the owner of mapped files sees them.
    let du = format!(
        "find '{0}/layers' '{0}/blobs' -type f ! -name '*.json' -printf '%s %i\\n' \
         | sort -u -k2 | awk '{{s+=$1}} END {{print s}}'",
        bed.store().display()
    );
    let bytes: f64 = bed.shell(&du).stdout.trim().parse().expect("a number");
    let shown = row("Images");
    let shown = shown.rsplit('|').next().expect("a size");
    let shown: f64 = shown.trim_end_matches("MB").parse().expect("megabytes");
    let close = (bytes / 1e6 - shown).abs() < 0.01;
    assert!(close, "{bytes} bytes in files, {shown} MB told");
}

impl Bed {
    fn inspect_size(&self, name: &str) -> String {
        self.hull(&["inspect", "-s", "-f", "{{.SizeRw}}", name])
            .ok()
            .to_owned()
    }
}
