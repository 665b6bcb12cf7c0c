//! Images as files: save and load, with hull's own archives and those of other tools.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::bed::{Bed, Who, on_bed, skip};
use crate::faults::{Seed, expect_no_crash, points, sweep, traced, verify};
use crate::images::{Image, Tree, digest};
use crate::process::{Ran, run};

each_who!(
    what_was_saved_loads_as_it_was_and_saves_to_the_same_bytes,
    compressed_layers_are_saved_as_they_came,
    layers_of_all_origins_are_saved,
    f6_a_killed_load_is_all_or_nothing,
);
root_and_user!(
    several_images_and_names_go_into_one_archive,
    all_forms_load_again,
    a_save_that_cannot_be_is_refused_in_one_line,
    f19_a_save_without_space_leaves_no_part,
    a_thousand_images_load_at_once,
);

/// An image whose second layer leaves out the directory it is in.
fn two_layers(name: &str) -> Image {
    let mut image = Image::busybox(name);
    let tree = Tree::default().file("etc/motd", 0o640, b"hello\n");
    image.layers.push(tree.tar());
    image
}

fn id(bed: &Bed, name: &str) -> String {
    bed.hull(&["image", "inspect", "-f", "{{.Id}}", name])
        .ok()
        .to_owned()
}

/// Saves to a new file of the bed's; returns its path and bytes.
#[track_caller]
fn save(bed: &Bed, file: &str, words: &[&str]) -> (String, Vec<u8>) {
    let path = bed.dir.join("work").join(file).display().to_string();
    bed.hull(&[&["save", "-o", &path], words].concat())
        .fails(0)
        .stdout_is("");
    let bytes = std::fs::read(&path).expect("was saved");
    (path, bytes)
}

fn what_was_saved_loads_as_it_was_and_saves_to_the_same_bytes(bed: &Bed) {
    let image = two_layers("app:1");
    bed.load(&image);
    let before = id(bed, "app:1");
    assert_eq!(before, digest(&image.config_blob()));
    let (path, first) = save(bed, "first.tar", &["app:1"]);
    bed.hull(&["rmi", "app:1"]).ok();
    bed.hull(&["load", "-i", &path])
        .fails(0)
        .stdout_is("Loaded image: app:1\n");
    assert_eq!(id(bed, "app:1"), before);
    let (_, second) = save(bed, "second.tar", &["app:1"]);
    assert!(first == second, "the same bytes");
    // From a pipe and compressed; the layers are here by then.
    let script = "hull save app:1 | gzip -1 | hull load -q && hull save app:1 | cmp - first.tar";
    bed.shell(script)
        .fails(0)
        .stdout_is("Loaded image: app:1\n");
    let words = [
        "run",
        "--rm",
        "--network",
        "none",
        "app:1",
        "cat",
        "/etc/motd",
    ];
    bed.hull(&words).fails(0).stdout_is("hello\n");
}

fn compressed_layers_are_saved_as_they_came(bed: &Bed) {
    let image = two_layers("app:1");
    let oci = image.oci();
    let path = bed.file("oci.tar", &oci.archive());
    // The same content is here, from a plain archive: the blobs are kept all the same.
    bed.load(&two_layers("other:1"));
    bed.hull(&["load", "-i", &path.to_string_lossy()]).ok();
    let (path, bytes) = save(bed, "saved.tar", &["app:1"]);
    for blob in &oci.blobs {
        let name = format!("blobs/sha256/{}", &digest(blob)["sha256:".len()..]);
        assert!(member(&bytes, &name).as_ref() == Some(blob), "{name}");
    }
    bed.hull(&["rmi", "app:1", "other:1"]).ok();
    bed.hull(&["load", "-i", &path]).ok();
    assert_eq!(id(bed, "app:1"), digest(&image.config_blob()));
    assert!(save(bed, "again.tar", &["app:1"]).1 == bytes, "the same");
}

/// A file of an archive.
fn member(archive: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries().expect("is a tar") {
        let mut entry = entry.expect("has a header");
        if entry.path_bytes() == name.as_bytes() {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut bytes).expect("is whole");
            return Some(bytes);
        }
    }
    None
}

fn layers_of_all_origins_are_saved(bed: &Bed) {
    // Imported, even where a file comes twice; committed on a loaded image; loaded.
    let twice = Tree::default()
        .file("a", 0o644, b"first")
        .file("./a", 0o644, b"second");
    let path = bed.file("root.tar", &twice.tar());
    bed.hull(&["import", &path.to_string_lossy(), "imported:1"])
        .ok();
    bed.hull(&[
        "create",
        "--name",
        "box",
        "--network",
        "none",
        "busybox:test",
    ])
    .ok();
    let file = bed.file("new", b"new\n");
    bed.hull(&["cp", &file.to_string_lossy(), "box:/tmp/new"])
        .ok();
    bed.hull(&["commit", "box", "committed:1"]).ok();
    bed.hull(&["rm", "box"]).ok();
    for name in ["imported:1", "committed:1", "busybox:test"] {
        let before = id(bed, name);
        let (path, bytes) = save(bed, "x.tar", &[name]);
        bed.hull(&["rmi", "-f", name]).ok();
        bed.hull(&["load", "-q", "-i", &path]).ok();
        assert_eq!(id(bed, name), before);
        assert!(save(bed, "x.tar", &[name]).1 == bytes, "{name}");
    }
}

fn several_images_and_names_go_into_one_archive(bed: &Bed) {
    bed.load(&two_layers("app:1"));
    bed.hull(&["tag", "app:1", "app:2"]).ok();
    bed.hull(&["tag", "app:1", "other/name:x"]).ok();
    let (app, busybox) = (id(bed, "app:1"), id(bed, "busybox:test"));
    // A repository means all its tags, an id no name.
    let (_, bytes) = save(bed, "x.tar", &["app", &busybox, "app:1"]);
    let listed = member(&bytes, "manifest.json").expect("is there");
    let listed: Value = serde_json::from_slice(&listed).expect("is JSON");
    assert_eq!(listed[0]["RepoTags"], serde_json::json!(["app:1", "app:2"]));
    assert_eq!(listed[1]["RepoTags"], Value::Null);
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
    let config = format!("blobs/sha256/{}", &app["sha256:".len()..]);
    assert_eq!(listed[0]["Config"], config.as_str());
    bed.hull(&["rmi", "app:1", "app:2", "other/name:x", "busybox:test"])
        .ok();
    let told = bed.hull(&["load", "-i", "x.tar"]);
    told.fails(0).stdout_is(&format!(
        "Loaded image: app:1\nLoaded image: app:2\nLoaded image ID: {busybox}\n"
    ));
    // A name that moves is told (A38).
    bed.load(&Image::busybox("app:1"));
    let told = bed.hull(&["load", "-i", "x.tar"]);
    told.fails(0).stdout_has(&format!(
        "The image app:1 already exists, renaming the old one with ID {busybox} to empty string\n"
    ));
}

fn all_forms_load_again(bed: &Bed) {
    bed.load(&two_layers("team/app:1"));
    let before = id(bed, "team/app:1");
    for form in ["docker-archive", "oci-archive", "oci-dir"] {
        let path = bed.dir.join("work").join(form).display().to_string();
        bed.hull(&["save", "-q", "--format", form, "-o", &path, "team/app:1"])
            .ok();
        bed.hull(&["rmi", "team/app:1"]).ok();
        bed.hull(&["load", "-i", &path])
            .fails(0)
            .stdout_is("Loaded image: team/app:1\n");
        assert_eq!(id(bed, "team/app:1"), before);
    }
    let words = ["save", "--format", "docker-dir", "-o", "dir", "team/app:1"];
    bed.hull(&words).ok();
    let dir = bed.dir.join("work/dir");
    assert!(dir.join(&before["sha256:".len()..]).is_file());
    assert_eq!(std::fs::read_dir(&dir).expect("is there").count(), 5);
    bed.hull(&words).expect_failure().stderr_has("not empty");
}

fn a_save_that_cannot_be_is_refused_in_one_line(bed: &Bed) {
    let table: &[(&[&str], &str)] = &[
        (&["nosuch:1"], "reference does not exist: nosuch:1"),
        (
            &["busybox:test", "nosuch"],
            "reference does not exist: nosuch",
        ),
        (
            &["--format", "zip", "busybox:test"],
            "unknown format \"zip\"",
        ),
        (
            &["--platform", "linux/s390x", "busybox:test"],
            "not for linux/s390x",
        ),
        (&["--format", "oci-dir", "busybox:test"], "--output"),
        (
            &["-o", "no/such/x.tar", "busybox:test"],
            "invalid output path: directory \"no/such\" does not exist",
        ),
        (&["-o", ".", "busybox:test"], "is a directory"),
    ];
    for (words, text) in table {
        let refused = bed.hull(&[&["save"], *words].concat());
        refused
            .fails(1)
            .one_error_line()
            .stderr_has(text)
            .stdout_is("");
    }
    let hull = crate::process::words_of(&bed.hull_command(&["save", "busybox:test"]));
    bed.shell(&format!("script -qec '{hull}' /dev/null"))
        .stdout_has("cowardly refusing to save to a terminal. Use the -o flag or redirect");
    // A layer whose files were changed is not passed off as what it was.
    assert_eq!(files(bed), Vec::<String>::new());
    if bed.who == Who::Root {
        let layers = std::fs::read_dir(bed.store().join("layers")).expect("layers");
        for layer in layers.flatten() {
            let changed = layer.path().join("fs/etc/passwd");
            std::fs::write(changed, "x".repeat(80)).expect("changes");
        }
        let refused = bed.hull(&["save", "-o", "x.tar", "busybox:test"]);
        refused.fails(1).one_error_line();
        assert_eq!(files(bed), Vec::<String>::new());
    }
}

/// What is in the work directory.
fn files(bed: &Bed) -> Vec<String> {
    let entries = std::fs::read_dir(bed.dir.join("work")).expect("work directory");
    let names = entries.map(|entry| entry.expect("entry").file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

fn f19_a_save_without_space_leaves_no_part(bed: &Bed) {
    const WRITES: &str = "trace=openat,write,linkat,renameat,mkdirat";
    let log = bed.dir.join("trace");
    let mut seed = Seed::new();
    for form in ["docker-archive", "oci-dir"] {
        let words = ["save", "--format", form, "-o", "out", "busybox:test"];
        let Some(untouched) = traced(bed, &["-e", WRITES], &log, &words) else {
            return;
        };
        run(untouched, b"").ok();
        remove(&bed.dir.join("work/out"));
        for (call, number) in seed.choose(points(&log), 12) {
            let at = format!("inject={call}:error=ENOSPC:when={number}");
            let full = traced(bed, &["-e", WRITES, "-e", &at], &log, &words);
            let ran = run(full.expect("worked before"), b"");
            expect_no_crash(&ran);
            let left = files(bed);
            match ran.code {
                0 => assert_eq!(left, ["out"], "{at}"),
                _ => {
                    ran.expect(
                        left.is_empty(),
                        &format!("nothing is left after {at}: {left:?}"),
                    );
                }
            }
            remove(&bed.dir.join("work/out"));
        }
    }
}

fn remove(path: &Path) {
    let removed = match path.is_dir() {
        true => std::fs::remove_dir_all(path),
        false if path.exists() => std::fs::remove_file(path),
        false => Ok(()),
    };
    removed.expect("is removed");
}

fn a_thousand_images_load_at_once(bed: &Bed) {
    let base = Image::busybox("x");
    let layer = digest(&base.layers[0]);
    let layer = &layer["sha256:".len()..];
    let mut tree = Tree::default().file(layer, 0o644, &base.layers[0]);
    let mut entries = Vec::new();
    for number in 0..1000 {
        let mut image = base.clone();
        image.config["Labels"] = serde_json::json!({"number": number.to_string()});
        let name = format!("{number}.json");
        tree = tree.file(&name, 0o644, &image.config_blob());
        let tag = format!("many:{number}");
        entries.push(serde_json::json!({"Config": name, "RepoTags": [tag], "Layers": [layer]}));
    }
    let manifest = Value::from(entries).to_string();
    let tree = tree.file("manifest.json", 0o644, manifest.as_bytes());
    let path = bed.file("many.tar", &tree.tar());
    let loaded = bed.hull(&["load", "-q", "-i", &path.to_string_lossy()]);
    assert_eq!(loaded.ok().lines().count(), 1000);
    let listed = bed.hull(&["images", "-q", "--no-trunc", "many"]);
    let mut ids: Vec<&str> = listed.ok().lines().collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 1000);
}

fn f6_a_killed_load_is_all_or_nothing(bed: &Bed) {
    const CHANGES: &str = "trace=openat,mkdirat,write,rename,renameat,fsync,syncfs,unlinkat";
    let mut old = Image::busybox("app:1");
    old.config["Labels"] = serde_json::json!({"is": "old"});
    let mut new = Image::busybox("app:1");
    let tree = Tree::default().dir("etc", 0o755);
    new.layers
        .push(tree.file("etc/motd", 0o640, b"new\n").tar());
    let (old_id, new_id) = (digest(&old.config_blob()), digest(&new.config_blob()));
    let path = bed.file("new.tar", &new.docker_archive());
    let words = ["load", "-q", "-i", &path.to_string_lossy()];
    let log = bed.dir.join("trace");
    bed.load(&old);
    let Some(untouched) = traced(bed, &["-e", CHANGES], &log, &words) else {
        return;
    };
    run(untouched, b"").ok();
    let mut seed = Seed::new();
    let most = if bed.who == Who::Root { 16 } else { 8 };
    for (call, number) in seed.choose(points(&log), most) {
        bed.load(&old);
        bed.hull(&["image", "prune", "-f"]).ok();
        let at = format!("inject={call}:signal=SIGKILL:when={number}");
        let killed = traced(bed, &["-e", CHANGES, "-e", &at], &log, &words);
        let killed = run(killed.expect("worked before"), b"");
        let now = id(bed, "app:1");
        killed.expect(now == old_id || now == new_id, &format!("{at}: {now}"));
        verify(&bed.store());
        bed.hull(&words).ok();
        assert_eq!(id(bed, "app:1"), new_id, "{at}");
    }
    sweep(bed);
}

#[test]
fn other_tools_read_what_was_saved_and_hull_what_they_save() {
    on_bed(Who::Root, with_other_tools);
}

fn with_other_tools(bed: &Bed) {
    let (skopeo, podman) = ("/usr/bin/skopeo", "/usr/bin/podman");
    for program in [skopeo, podman] {
        if !Path::new(program).exists() {
            return skip(&format!("no {program}"));
        }
    }
    bed.load(&two_layers("team/app:1"));
    let expected = id(bed, "team/app:1");
    let work = bed.dir.join("work");
    let tool = |program: &str, words: &[&str]| -> Ran {
        let mut command = Command::new(program);
        if program == podman {
            let dir = |name: &str| bed.dir.join(name).display().to_string();
            command.args(["--root", &dir("pod"), "--runroot", &dir("podrun")]);
            command.args(["--storage-driver", "vfs"]);
        }
        command.args(words).current_dir(&work);
        run(command, b"")
    };
    let forms = [
        ("docker-archive", "docker-archive:a"),
        ("oci-archive", "oci-archive:b"),
        ("oci-dir", "oci:c"),
        ("docker-dir", "dir:d"),
    ];
    for (form, name) in forms {
        let (_, file) = name.split_once(':').expect("has a colon");
        bed.hull(&["save", "--format", form, "-o", file, "team/app:1"])
            .ok();
        let config = tool(skopeo, &["inspect", "--config", "--raw", name]);
        let config = config.ok();
        assert_eq!(digest(config.as_bytes()), expected, "{form}");
        // All blobs are what they are named by.
        let copy = format!("dir:{}", work.join(format!("copy-{file}")).display());
        tool(skopeo, &["copy", "-q", "--insecure-policy", name, &copy]).ok();
    }
    tool(podman, &["load", "-q", "-i", "a"])
        .fails(0)
        .stdout_has("docker.io/team/app:1");
    let ids = tool(podman, &["images", "-q", "--no-trunc"]);
    assert_eq!(ids.ok(), expected);
    bed.hull(&["rmi", "team/app:1"]).ok();
    for form in ["docker-archive", "oci-archive", "oci-dir"] {
        let file: PathBuf = work.join(format!("podman-{form}"));
        let file = file.display().to_string();
        tool(
            podman,
            &["save", "-q", "--format", form, "-o", &file, "team/app:1"],
        )
        .ok();
        let loaded = bed.hull(&["load", "-i", &file]);
        loaded.fails(0).stdout_is("Loaded image: team/app:1\n");
        assert_eq!(id(bed, "team/app:1"), expected, "{form}");
        // Whatever they made of it, it can be given out again.
        bed.hull(&["save", "-o", "again.tar", "team/app:1"]).ok();
        bed.hull(&["rmi", "team/app:1"]).ok();
    }
    tool(podman, &["rmi", "-af"]).ok();
}
