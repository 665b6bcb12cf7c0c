//! Tables and lines, as the tutorials print them.

use crate::bed::Bed;

root_and_user!(
    ps_has_dockers_columns,
    a_command_is_quoted_and_cut,
    a_status_says_how_long,
    names_are_made_of_two_words,
    exposed_ports_are_shown,
    images_have_dockers_columns,
    top_has_dockers_columns,
);

fn heads(text: &str) -> Vec<String> {
    let first = text.lines().next().unwrap_or_default();
    let parts = first.split("  ").map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn ps_has_dockers_columns(bed: &Bed) {
    let columns = [
        "CONTAINER ID",
        "IMAGE",
        "COMMAND",
        "CREATED",
        "STATUS",
        "PORTS",
        "NAMES",
    ];
    assert_eq!(heads(bed.hull(&["ps"]).ok()), columns);
    assert_eq!(heads(bed.hull(&["ps", "-s"]).ok())[7], "SIZE");
}

fn a_command_is_quoted_and_cut(bed: &Bed) {
    let words = [
        "create",
        "busybox:test",
        "/bin/sh",
        "-c",
        "echo \"hello\" and more",
    ];
    bed.hull(&words).ok();
    bed.hull(&["ps", "-a", "--format", "{{.Command}}"])
        .stdout_is("\"/bin/sh -c 'echo \\\"h…\"\n");
    bed.hull(&["ps", "-a", "--no-trunc", "--format", "{{.Command}}"])
        .stdout_is("\"/bin/sh -c 'echo \\\"hello\\\" and more'\"\n");
}

fn a_status_says_how_long(bed: &Bed) {
    bed.hull(&["create", "--name", "new", "busybox:test"]).ok();
    bed.hull(&[
        "run",
        "--name",
        "done",
        "busybox:test",
        "sh",
        "-c",
        "exit 3",
    ])
    .fails(3);
    bed.detached(&["--name", "up"], &["sleep", "1000"]);
    let status = |name: &str| {
        let filter = format!("name=^{name}$");
        let words = ["ps", "-a", "-f", &filter, "--format", "{{.Status}}"];
        bed.hull(&words).ok().to_owned()
    };
    assert_eq!(status("new"), "Created");
    let (up, done) = (status("up"), status("done"));
    let is_span = |text: &str| text == "Less than a second" || text.contains(" second");
    assert!(up.strip_prefix("Up ").is_some_and(is_span), "{up}");
    let span = done
        .strip_prefix("Exited (3) ")
        .and_then(|text| text.strip_suffix(" ago"));
    assert!(span.is_some_and(is_span), "{done}");
}

fn names_are_made_of_two_words(bed: &Bed) {
    bed.hull(&["create", "busybox:test"]).ok();
    let name = bed.hull(&["ps", "-a", "--format", "{{.Names}}"]);
    let (first, second) = name.ok().split_once('_').expect("has two parts");
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
    name.expect(is_word(first) && is_word(second), "adjective_surname");
}

fn exposed_ports_are_shown(bed: &Bed) {
    bed.detached(&["--expose", "5000"], &["sleep", "1000"]);
    bed.hull(&["ps", "--format", "{{.Ports}}"])
        .fails(0)
        .stdout_is("5000/tcp\n");
}

fn images_have_dockers_columns(bed: &Bed) {
    let columns = ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"];
    for words in [&["images"][..], &["image", "ls"]] {
        assert_eq!(heads(bed.hull(words).ok()), columns);
    }
}

fn top_has_dockers_columns(bed: &Bed) {
    bed.detached(&["--name", "box"], &["sleep", "1000"]);
    let top = bed.hull(&["top", "box"]);
    let first: Vec<&str> = top
        .ok()
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    assert_eq!(
        first,
        ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
    );
    top.stdout_has("sleep 1000");
}
