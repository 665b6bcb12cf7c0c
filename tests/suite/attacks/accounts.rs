//! A43 to A45: who the program runs as.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Canary, load, needs_root, refused, run_image};
use crate::bed::{Bed, Who};
use crate::images::Tree;
use crate::process::{Ran, run};

root_and_user!(
    a43_numbers_are_never_names,
    a43_numbers_out_of_range_are_refused,
    a43_twin_users_and_groups_by_name_and_number,
    a44_odd_passwd_files_are_refused_at_once,
    a44_a_passwd_file_of_the_host_is_not_read,
    a44_twin_large_and_linked_passwd_files_are_read,
    a45_groups_are_the_containers_only,
    a45_twin_group_add_and_membership_work,
);

/// Lines that an attacker writes so that numbers mean root.
const PASSWD: &[u8] = b"root:x:0:0:root:/root:/bin/sh\n4294967296:x:0:0::/:/bin/sh\n\
    99999999999:x:0:0::/:/bin/sh\n-1:x:0:0::/:/bin/sh\n1:x:0:0::/:/bin/sh\n\
    0x1:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n";
const GROUP: &[u8] = b"root:x:0:\n1:x:0:\n99999999999:x:0:\n";

fn load_numbers(bed: &Bed, name: &str, config: Value) {
    let tree = Tree::default()
        .file("etc/passwd", 0o644, PASSWD)
        .file("etc/group", 0o644, GROUP);
    load(bed, name, config, tree);
}

fn a43_numbers_are_never_names(bed: &Bed) {
    load_numbers(bed, "numbers", json!({}));
    let mut users = vec!["1", "1:1", "7", "65533:65533"];
    if bed.who == Who::Root {
        users.extend(["2147483648", "4294967294:4294967294"]);
    }
    bed.hull(&[
        "run",
        "-d",
        "--network",
        "none",
        "--name",
        "ctr",
        "numbers",
        "sleep",
        "1000",
    ])
    .ok();
    for user in users {
        let (uid, gid) = user.split_once(':').unwrap_or((user, "0"));
        // A user that passwd does not know has group 0; line 1 of it is named so, and is not it.
        let expected = format!("{uid} {gid}\n");
        let script = "echo $(id -u) $(id -g)";
        run_image(bed, &["-u", user], "numbers", &["sh", "-c", script])
            .fails(0)
            .stdout_is(&expected);
        bed.hull(&["exec", "-u", user, "ctr", "sh", "-c", script])
            .fails(0)
            .stdout_is(&expected);
    }
    load_numbers(bed, "one", json!({"User": "1"}));
    run_image(bed, &[], "one", &["id", "-u"])
        .fails(0)
        .stdout_is("1\n");
}

fn a43_numbers_out_of_range_are_refused(bed: &Bed) {
    load_numbers(bed, "numbers", json!({}));
    let bad = [
        "4294967295",
        "4294967296",
        "-1",
        "99999999999",
        "0x1",
        "0x0",
        "1:-1",
        "1:99999999999",
    ];
    for (number, user) in bed_users(&bad) {
        refused(bed, &run_image(bed, &["--user", user], "numbers", &["id"]));
        let image = format!("user{number}");
        load_numbers(bed, &image, json!({"User": user}));
        refused(bed, &run_image(bed, &[], &image, &["id"]));
    }
    bed.hull(&[
        "run",
        "-d",
        "--network",
        "none",
        "--name",
        "ctr",
        "numbers",
        "sleep",
        "1000",
    ])
    .ok();
    for user in bad {
        let ran = bed.hull(&["exec", "--user", user, "ctr", "id"]);
        ran.fails(126).one_error_line();
    }
}

fn bed_users<'a>(users: &[&'a str]) -> Vec<(usize, &'a str)> {
    users.iter().copied().enumerate().collect()
}

fn a43_twin_users_and_groups_by_name_and_number(bed: &Bed) {
    let script = "echo $(id -u):$(id -g)";
    for (user, expected) in [
        ("guest", "1000:1000\n"),
        ("guest:staff", "1000:50\n"),
        ("guest:7", "1000:7\n"),
        ("1000", "1000:1000\n"),
        ("0", "0:0\n"),
        ("", "0:0\n"),
        ("12:34", "12:34\n"),
    ] {
        bed.run_rm(&["-u", user], &["sh", "-c", script])
            .fails(0)
            .stdout_is(expected);
    }
}

fn a44_odd_passwd_files_are_refused_at_once(bed: &Bed) {
    let odd = |name| Tree::default().special(name, tar::EntryType::Fifo, (0, 0));
    let mut cases = vec![
        ("fifo", odd("etc/passwd")),
        ("fifo-group", odd("etc/group")),
        (
            "dir",
            Tree::default()
                .whiteout("etc/passwd")
                .dir("etc/passwd", 0o755),
        ),
        (
            "large",
            Tree::default().file("etc/passwd", 0o644, &vec![b'\n'; (8 << 20) + 1]),
        ),
        ("loop", Tree::default().symlink("etc/passwd", "passwd")),
        (
            "device-link",
            Tree::default().symlink("etc/passwd", "/dev/tty"),
        ),
    ];
    if bed.who == Who::Root {
        let zero = Tree::default().special("etc/passwd", tar::EntryType::Char, (1, 5));
        cases.push(("device", zero));
    }
    for (name, tree) in cases {
        load(bed, name, json!({}), tree);
        let begun = Instant::now();
        let ran = run_image(bed, &["-u", "guest"], name, &["id"]);
        let took = begun.elapsed();
        refused(bed, &ran);
        // One second is what the refusal may take; the rest is for a busy machine.
        ran.expect(
            took < Duration::from_secs(5),
            &format!("{name}: at once, not in {took:?}"),
        );
    }
}

fn a44_a_passwd_file_of_the_host_is_not_read(bed: &Bed) {
    let canary = Canary::new(bed);
    let passwd = bed.file("passwd", b"evil:x:0:0::/:/bin/sh\n");
    let up = format!("{}{}", "../".repeat(20), passwd.display());
    for (name, target) in [("absolute", passwd.display().to_string()), ("relative", up)] {
        load(
            bed,
            name,
            json!({}),
            Tree::default().symlink("etc/passwd", &target),
        );
        let ran = run_image(bed, &["-u", "evil"], name, &["id"]);
        refused(bed, &ran);
        ran.stderr_has("evil");
    }
    canary.is_unharmed("a link");
}

fn a44_twin_large_and_linked_passwd_files_are_read(bed: &Bed) {
    let many: String = (0..50_000)
        .map(|n| format!("u{n}:x:{}:7::/:/bin/sh\n", n % 60_000))
        .collect();
    let tree = Tree::default()
        .file("usr/passwd", 0o644, many.as_bytes())
        .symlink("etc/passwd", "/usr/passwd");
    load(bed, "many", json!({}), tree);
    run_image(
        bed,
        &["-u", "u49999"],
        "many",
        &["sh", "-c", "echo $(id -u):$(id -g)"],
    )
    .fails(0)
    .stdout_is("49999:7\n");
    load(
        bed,
        "none",
        json!({}),
        Tree::default().whiteout("etc/passwd").whiteout("etc/group"),
    );
    run_image(bed, &["-u", "1000:1000"], "none", &["id", "-u"])
        .fails(0)
        .stdout_is("1000\n");
}

fn a45_groups_are_the_containers_only(bed: &Bed) {
    if needs_root(bed, "only root can give the caller other groups") {
        return;
    }
    let with_groups = |words: &[&str]| -> Ran {
        let hull = bed.hull_command(words);
        let mut command = bed.command(Path::new("setpriv"));
        command.args(["--groups", "4,27,1234"]);
        command.arg(hull.get_program()).args(hull.get_args());
        run(command, b"")
    };
    bed.detached(&["--name", "ctr"], &["sleep", "1000"]);
    for (user, expected) in [("", "0\n"), ("guest", "1000 50\n"), ("12:34", "34\n")] {
        let words = [
            "run",
            "--rm",
            "--network",
            "none",
            "-u",
            user,
            "busybox:test",
            "id",
            "-G",
        ];
        with_groups(&words).fails(0).stdout_is(expected);
        with_groups(&["exec", "-u", user, "ctr", "id", "-G"])
            .fails(0)
            .stdout_is(expected);
    }
}

fn a45_twin_group_add_and_membership_work(bed: &Bed) {
    let flags = ["-u", "guest", "--group-add", "7", "--group-add", "root"];
    bed.run_rm(&flags, &["id", "-G"])
        .fails(0)
        .stdout_is("1000 0 7 50\n");
    bed.detached(&["--name", "ctr", "--group-add", "7"], &["sleep", "1000"]);
    bed.hull(&["exec", "-u", "guest", "ctr", "id", "-G"])
        .fails(0)
        .stdout_is("1000 7 50\n");
}
