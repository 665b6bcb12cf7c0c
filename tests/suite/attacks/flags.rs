//! A93, A94 and A96: what users put into flags and images into names forges no line of a file of
//! the engine's, and what was secret stays so.

use std::fs;

use serde_json::json;

use super::{Tree, load, run_image};
use crate::bed::Bed;
use crate::process::run;

root_and_user!(
    a93_names_forge_no_line,
    a93_twin_names_are_taken,
    a94_no_account_line_comes_from_the_environment,
    a94_twin_an_account_line_is_added,
    a96_a_variable_is_in_no_argument_and_no_log,
    a96_twin_the_variable_reaches_the_program,
);

const FORGED: &str = "192.0.2.66\tforged";

fn a93_names_forge_no_line(bed: &Bed) {
    let line = format!("x\n{FORGED}");
    let host = format!("x\n{FORGED}:192.0.2.1");
    let address = format!("x:192.0.2.1\n{FORGED}");
    let table: &[&[&str]] = &[
        &["--hostname", &line],
        &["--hostname", "a:b"],
        &["--hostname", "a b"],
        &["--hostname", "a\rb"],
        &["--domainname", &line],
        &["--domainname", "a:b"],
        &["--add-host", &host],
        &["--add-host", &address],
        &["--add-host", "a b:192.0.2.1"],
        &["--add-host", "a\tb:192.0.2.1"],
        &["--dns-search", &line],
        &["--dns-search", "a:b"],
        &["--dns-option", &line],
        &["--dns", "192.0.2.1\nsearch forged"],
        &["--network-alias", &line],
        &["--name", &line],
    ];
    for flags in table {
        let ran = bed.run_rm(flags, &["true"]);
        ran.fails(125).one_error_line();
    }
    let all = bed.hull(&["ps", "-aq"]);
    assert_eq!(all.ok(), "", "none was made");
}

fn a93_twin_names_are_taken(bed: &Bed) {
    let flags = [
        "--hostname",
        "a-b.example",
        "--domainname",
        "example.net",
        "--add-host",
        "c_d.example:192.0.2.1",
        "--dns-search",
        "e.example",
    ];
    let words = [
        "sh",
        "-c",
        "hostname; cat /proc/sys/kernel/domainname; cat /etc/hosts",
    ];
    let text = bed.inside(&flags, &words);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..2], ["a-b.example", "example.net"]);
    assert_eq!(
        lines.len(),
        2 + 6 + 1,
        "six lines of the engine's, one added: {text}"
    );
    assert_eq!(lines.last(), Some(&"192.0.2.1\tc_d.example"));
}

const EVIL: &str = "x\nroot2::0:0::/:/bin/sh";

fn a94_no_account_line_comes_from_the_environment(bed: &Bed) {
    let home = format!("HOME={EVIL}");
    load(
        bed,
        "evil",
        json!({"Env": [home, "PATH=/bin"]}),
        Tree::default(),
    );
    let accounts = ["cat", "/etc/passwd", "/etc/group"];
    for more in [&["-u", "1234"][..], &["-u", "1234", "--passwd"]] {
        for flags in [&["-e", home.as_str()][..], &[]] {
            let flags = [more, flags].concat();
            let ran = run_image(bed, &flags, "evil", &accounts);
            ran.expect(!ran.ok().contains("root2"), "no line from the environment");
        }
    }
    // A working directory is the home in that line, but never more than a field of it.
    for bad in ["/a:b", "/a\nroot2::0:0::/:/bin/sh"] {
        let ran = bed.run_rm(
            &["-u", "1234", "--passwd", "-w", bad],
            &["cat", "/etc/passwd"],
        );
        let forged = ran.stdout.contains("root2") || ran.stdout.contains("/a:b");
        ran.expect(!forged, "no more than one field");
    }
    let entry = format!("--passwd-entry=me:x:1:1::/:/bin/sh\n{EVIL}");
    let group = "--group-entry=g:x:1:\nroot2:x:0:me".to_owned();
    // As many fields as a line must have, and a second line all the same.
    let torn = "--passwd-entry=me:x:1:1::/:/bin/sh\nroot2".to_owned();
    for flag in [entry, group, torn, "--passwd-entry=a:b".to_owned()] {
        bed.run_rm(&["-u", "1234", &flag], &["true"])
            .fails(125)
            .one_error_line();
    }
    for user in [EVIL, "a\nb", "1234:5\nroot2:x:0:me"] {
        bed.run_rm(&["-u", user, "--passwd"], &["true"])
            .fails(125)
            .one_error_line();
    }
    bed.run_rm(&["--hostuser", EVIL], &["true"])
        .fails(125)
        .one_error_line();
}

fn a94_twin_an_account_line_is_added(bed: &Bed) {
    let flags = ["-u", "1234", "--passwd", "-w", "/home/here"];
    let line = bed.inside(&flags, &["tail", "-n", "1", "/etc/passwd"]);
    assert_eq!(line, "1234:*:1234:0:container user:/home/here:/bin/sh");
}

const TOKEN: &str = "CANARY-96-5d0a";

/// Every argument vector of this machine that holds the token, but for that of this test.
fn arguments_with_token() -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("procfs").flatten();
    let lines = processes.filter_map(|process| {
        let line = fs::read(process.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains(TOKEN).then_some(line)
    });
    lines.collect()
}

fn a96_a_variable_is_in_no_argument_and_no_log(bed: &Bed) {
    let words = [
        "--log-level",
        "debug",
        "run",
        "-d",
        "--network",
        "none",
        "--name",
        "ctr",
        "-e",
        "TOKEN",
        "busybox:test",
        "sleep",
        "1000",
    ];
    let mut command = bed.hull_command(&words);
    command.env("TOKEN", TOKEN);
    let ran = run(command, b"");
    ran.fails(0);
    ran.expect(!ran.stderr.contains(TOKEN), "nothing in the debug log");
    assert_eq!(arguments_with_token(), Vec::<String>::new());
    let exec = ["--log-level", "debug", "exec", "-e", "TOKEN", "ctr", "true"];
    let mut command = bed.hull_command(&exec);
    command.env("TOKEN", TOKEN);
    let ran = run(command, b"");
    ran.fails(0)
        .expect(!ran.stderr.contains(TOKEN), "nothing in the debug log");
    for words in [&["logs", "ctr"][..], &["ps", "-a", "--no-trunc"]] {
        let ran = bed.hull(words);
        let shown = ran.stdout.contains(TOKEN) || ran.stderr.contains(TOKEN);
        ran.expect(!shown, "nothing shown");
    }
    // A start that fails names the reason, not the variables.
    let words = [
        "run",
        "--rm",
        "--network",
        "none",
        "-e",
        "TOKEN",
        "busybox:test",
        "no-program",
    ];
    let mut command = bed.hull_command(&words);
    command.env("TOKEN", TOKEN);
    let ran = run(command, b"");
    ran.fails(127)
        .expect(!ran.stderr.contains(TOKEN), "nothing in the error");
}

fn a96_twin_the_variable_reaches_the_program(bed: &Bed) {
    let words = [
        "run",
        "--rm",
        "--network",
        "none",
        "-e",
        "TOKEN",
        "busybox:test",
        "sh",
        "-c",
        "echo $TOKEN",
    ];
    let mut command = bed.hull_command(&words);
    command.env("TOKEN", TOKEN);
    run(command, b"").fails(0).stdout_is(&format!("{TOKEN}\n"));
}
