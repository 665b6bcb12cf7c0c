//! rename, port, prune, exists, doctor, and containers chosen by flags.

use crate::bed::{Bed, Who};
use crate::faults::{Seed, counts, traced};
use crate::process::run;

root_and_user!(
    rename_changes_the_name_and_frees_the_old,
    rename_says_why_not,
    f4_a_killed_rename_leaves_one_name_and_can_be_repeated,
    container_prune_asks_and_removes_what_does_not_run,
    container_prune_takes_filters,
    system_prune_takes_images_too,
    exists_answers_with_the_code,
    containers_are_chosen_by_flags,
    ignore_and_cidfile_serve_units,
    wait_waits_for_a_condition,
    doctor_finds_nothing_wrong_here,
);

fn names(bed: &Bed) -> String {
    let mut names: Vec<String> = bed
        .hull(&["ps", "-a", "--format", "{{.Names}}"])
        .stdout
        .lines()
        .map(str::to_owned)
        .collect();
    names.sort();
    names.join(" ")
}

fn create(bed: &Bed, name: &str, flags: &[&str]) -> String {
    let words = [&["create", "--name", name][..], flags, &["busybox:test"]].concat();
    bed.hull(&words).ok().to_owned()
}

fn rename_changes_the_name_and_frees_the_old(bed: &Bed) {
    let id = bed.detached(&["--name", "old"], &["sleep", "1000"]);
    bed.hull(&["rename", "old", "new"]).fails(0).stdout_is("");
    assert_eq!(
        bed.inspect("new", "{{.Id}} {{.Name}}"),
        format!("{id} /new")
    );
    bed.hull(&["inspect", "old"]).fails(1);
    create(bed, "old", &[]);
    bed.hull(&["container", "rename", &id[..12], "newer"]).ok();
    assert_eq!(names(bed), "newer old");
    bed.hull(&["stop", "-t", "0", "newer"]).ok();
    bed.hull(&["start", "newer"]).ok();
    assert_eq!(names(bed), "newer old");
}

fn rename_says_why_not(bed: &Bed) {
    let id = create(bed, "one", &[]);
    create(bed, "two", &[]);
    let cases = [
        (["two", "one"], format!("Error when allocating new name: Conflict. The container name \"/one\" is already in use by container \"{id}\".")),
        (["one", "one"], "Renaming a container with the same name as its current name".to_owned()),
        (["one", "bad name"], "Error when allocating new name: Invalid container name (bad name), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed".to_owned()),
        (["one", ""], "Neither old nor new names may be empty".to_owned()),
    ];
    for ([old, new], text) in cases {
        bed.hull(&["rename", old, new]).fails(1).stderr_has(&text);
    }
    assert_eq!(names(bed), "one two");
}

fn f4_a_killed_rename_leaves_one_name_and_can_be_repeated(bed: &Bed) {
    let id = create(bed, "old", &[]);
    let log = bed.dir.join("trace");
    let changes = "trace=openat,write,rename,renameat,renameat2,flock,fsync,unlink,unlinkat";
    let words = ["rename", "old", "new"];
    let Some(untouched) = traced(bed, &["-e", changes], &log, &words) else {
        return;
    };
    run(untouched, b"").ok();
    assert_eq!(names(bed), "new");
    bed.hull(&["rename", "new", "old"]).ok();
    let mut points = Vec::new();
    for (name, count) in counts(&log) {
        points.extend((1..=count).map(|number| (name.clone(), number)));
    }
    let most = if bed.who == Who::Root { 40 } else { 15 };
    for (call, number) in Seed::new().choose(points, most) {
        let at = format!("inject={call}:signal=SIGKILL:when={number}");
        let killed = traced(bed, &["-e", changes, "-e", &at], &log, &words);
        run(killed.expect("worked before"), b"");
        let is = names(bed);
        let other = match is.as_str() {
            "old" => {
                // The new name is nobody's: another may take it, and give it back.
                bed.hull(&["inspect", "new"]).fails(1);
                bed.hull(&["create", "--name", "new", "busybox:test"]).ok();
                bed.hull(&["rm", "new"]).ok();
                bed.hull(&words).ok();
                "old"
            }
            "new" => "old",
            other => panic!("after {at}: {other:?}"),
        };
        assert_eq!(bed.inspect("new", "{{.Id}}"), id, "after {at}");
        bed.hull(&["inspect", other]).fails(1);
        bed.hull(&["rename", "new", "old"]).ok();
    }
}

fn container_prune_asks_and_removes_what_does_not_run(bed: &Bed) {
    let id = create(bed, "made", &[]);
    bed.detached(&["--name", "up"], &["sleep", "1000"]);
    let question = "WARNING! This will remove all stopped containers.\n\
                    Are you sure you want to continue? [y/N] ";
    for answer in ["n\n", "", "nonsense\n"] {
        bed.hull_with_input(&["container", "prune"], answer.as_bytes())
            .fails(0)
            .stdout_is(question);
    }
    assert_eq!(names(bed), "made up");
    let deleted = format!("Deleted Containers:\n{id}\n\nTotal reclaimed space: 0B\n");
    bed.hull_with_input(&["container", "prune"], b"y\n")
        .fails(0)
        .stdout_is(&format!("{question}{deleted}"));
    assert_eq!(names(bed), "up");
    bed.hull(&["container", "prune", "-f"])
        .fails(0)
        .stdout_is("Total reclaimed space: 0B\n");
}

fn container_prune_takes_filters(bed: &Bed) {
    create(bed, "kept", &["-l", "keep=1"]);
    create(bed, "other", &[]);
    let prune = |filter: &str| bed.hull(&["container", "prune", "-f", "--filter", filter]);
    prune("bogus=1")
        .fails(1)
        .stderr_has("Invalid filter 'bogus'");
    prune("until=nonsense").fails(1);
    prune("until=1h").stdout_is("Total reclaimed space: 0B\n");
    prune("label=keep=2").stdout_is("Total reclaimed space: 0B\n");
    assert_eq!(names(bed), "kept other");
    prune("label!=keep").ok();
    assert_eq!(names(bed), "kept");
    prune("label=keep=1").ok();
    assert_eq!(names(bed), "");
}

fn system_prune_takes_images_too(bed: &Bed) {
    create(bed, "made", &[]);
    bed.hull_with_input(&["system", "prune"], b"n\n")
        .fails(0)
        .stdout_has("WARNING! This will remove:\n  - all stopped containers\n");
    let pruned = bed.hull(&["system", "prune", "-f"]);
    pruned
        .fails(0)
        .stdout_has("Deleted Containers:\n")
        .stdout_has("Total reclaimed space: 0B\n");
    bed.hull(&["image", "exists", "busybox:test"]).fails(0);
    let up = bed.detached(&["--name", "up"], &["sleep", "1000"]);
    bed.hull(&["system", "prune", "-af"]).ok();
    bed.hull(&["image", "exists", "busybox:test"]).fails(0);
    bed.hull(&["rm", "-f", &up]).ok();
    bed.hull(&["image", "prune", "-f"])
        .fails(0)
        .stdout_is("Total reclaimed space: 0B\n");
    let pruned = bed.hull(&["system", "prune", "-a", "-f"]);
    pruned
        .fails(0)
        .stdout_has("Deleted Images:\nuntagged: busybox:test\n")
        .stdout_has("deleted: sha256:");
    pruned.expect(!pruned.stdout.contains("space: 0B"), "its size is told");
    bed.hull(&["image", "exists", "busybox:test"]).fails(1);
    bed.hull(&["system", "prune", "-f", "--volumes", "--filter", "until=1h"])
        .fails(1)
        .stderr_has("The \"until\" filter is not supported with \"--volumes\"");
}

fn exists_answers_with_the_code(bed: &Bed) {
    let id = create(bed, "made", &[]);
    for name in ["made", &id, &id[..12]] {
        bed.hull(&["container", "exists", name])
            .fails(0)
            .stdout_is("");
    }
    let no = bed.hull(&["container", "exists", "nosuch"]);
    no.fails(1).stdout_is("");
    no.expect(no.stderr.is_empty(), "no words");
    bed.hull(&["container", "exists", "--nope"]).fails(125);
}

fn containers_are_chosen_by_flags(bed: &Bed) {
    let down = create(bed, "down", &["-l", "a=1"]);
    let up = bed.detached(&["--name", "up"], &["sleep", "1000"]);
    bed.hull(&["stop", "-t", "0", "--all"])
        .fails(0)
        .stdout_is(&format!("{up}\n"));
    bed.hull(&["start", "--filter", "name=up"])
        .fails(0)
        .stdout_is(&format!("{up}\n"));
    bed.hull(&["kill", "--latest"])
        .fails(0)
        .stdout_is(&format!("{up}\n"));
    bed.hull(&["rm", "--filter", "label=a"])
        .fails(0)
        .stdout_is(&format!("{down}\n"));
    bed.hull(&["rm", "--all", "up"])
        .fails(1)
        .stderr_has("no arguments are needed with --all");
    bed.hull(&["rm", "--all", "-f"])
        .fails(0)
        .stdout_is(&format!("{up}\n"));
    bed.hull(&["rm", "--all"]).fails(0).stdout_is("");
    bed.hull(&["rm", "-l", "up"])
        .fails(125)
        .stderr_has("unknown shorthand flag: 'l' in -l");
    bed.hull(&["stop", "--latest"]).fails(1);
}

fn ignore_and_cidfile_serve_units(bed: &Bed) {
    let words = [
        "run",
        "-d",
        "--cidfile",
        "id",
        "busybox:test",
        "sleep",
        "1000",
    ];
    let id = bed.hull(&words).ok().to_owned();
    bed.hull(&["stop", "-t", "0", "--cidfile", "id"])
        .fails(0)
        .stdout_is(&format!("{id}\n"));
    let remove = ["rm", "-f", "--ignore", "-t", "0", "--cidfile", "id"];
    bed.hull(&remove).fails(0).stdout_is(&format!("{id}\n"));
    for words in [
        &remove[..],
        &["rm", "-i", "nosuch"],
        &["stop", "-i", "nosuch"],
        &["rm", "-f", "--ignore", "--cidfile", "nosuchfile"],
    ] {
        let ran = bed.hull(words);
        ran.fails(0).stdout_is("");
        ran.expect(ran.stderr.is_empty(), "no words");
    }
    bed.hull(&["rm", "--cidfile", "nosuchfile"])
        .fails(1)
        .stderr_has("nosuchfile");
}

fn wait_waits_for_a_condition(bed: &Bed) {
    create(bed, "made", &[]);
    bed.hull(&["wait", "--condition", "created", "made"])
        .fails(0)
        .stdout_is("-1\n");
    bed.detached(&["--name", "up"], &["sh", "-c", "sleep 1; exit 5"]);
    bed.hull(&[
        "wait",
        "--condition",
        "running",
        "--condition",
        "exited",
        "up",
    ])
    .fails(0);
    bed.hull(&["wait", "up"]).fails(0).stdout_is("5\n");
    bed.hull(&[
        "wait",
        "--exit-first-match",
        "--condition=exited",
        "made",
        "up",
    ])
    .fails(0)
    .stdout_is("5\n");
    bed.hull(&["wait", "--ignore", "nosuch"])
        .fails(0)
        .stdout_is("-1\n");
    bed.hull(&["wait", "--condition", "bogus", "up"])
        .fails(1)
        .stderr_has("invalid condition \"bogus\"");
}

fn doctor_finds_nothing_wrong_here(bed: &Bed) {
    // The suite's own tests run containers here: what keeps them from running would be a problem.
    let doctor = bed.hull(&["doctor"]);
    doctor
        .fails(0)
        .stdout_has("ok       overlay           works");
    let json = bed.hull(&["doctor", "--format", "json"]);
    let tree: serde_json::Value = serde_json::from_str(json.ok()).expect("is JSON");
    assert_eq!(tree["healthy"], true);
    let refs = bed.store().join("refs");
    let path = walkdir_first(&refs).expect("a reference");
    std::fs::write(&path, b"broken").expect("written");
    let doctor = bed.hull(&["doctor"]);
    doctor
        .fails(1)
        .stdout_has("problem  store")
        .stdout_has(&path.display().to_string());
    bed.hull(&["doctor", "--format", "xml"]).fails(1);
}

/// The first file below a directory.
fn walkdir_first(dir: &std::path::Path) -> Option<std::path::PathBuf> {
    for entry in std::fs::read_dir(dir).ok()?.flatten() {
        let path = entry.path();
        if path.is_file() {
            return Some(path);
        }
        if let Some(found) = walkdir_first(&path) {
            return Some(found);
        }
    }
    None
}
