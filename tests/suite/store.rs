//! What the store holds, and that bad input never changes it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::bed::Bed;
use crate::images::{Image, Tree, digest};

each_who!(
    load_lists_the_image_and_says_so,
    images_shows_dockers_columns,
    tag_and_rmi_count_references,
    an_image_in_use_is_not_removed,
    inspect_tells_the_configuration,
    layers_are_stacked_and_whiteouts_hide,
    an_unknown_image_is_refused,
    a_bad_reference_is_refused,
    a_corrupt_archive_is_refused,
    a_truncated_blob_is_refused,
    a_wrong_digest_is_refused,
    a_wrong_diff_id_is_refused,
    a_newer_store_is_not_touched,
    damage_to_a_layer_that_is_here_already_is_refused,
);

/// Every file of the store with its kind, mode, size and content.
pub fn fingerprint(store: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut todo = vec![store.to_owned()];
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            let metadata = entry.metadata().expect("readable");
            let content = match metadata.is_file() {
                true => fs::read(&path)
                    .map(|bytes| digest(&bytes))
                    .unwrap_or_default(),
                false => String::new(),
            };
            // Staging may be created for this boot; what is in it is counted.
            let is_staging = dir == store.join("tmp") || path == store.join("tmp");
            if metadata.is_dir() {
                todo.push(path.clone());
            }
            if !is_staging {
                let text = format!("{:o} {} {content}", metadata.mode(), metadata.uid());
                found.insert(path, text);
            }
        }
    }
    found
}

/// Runs `words`, which must fail with one line that has `text` and change nothing in the store.
#[track_caller]
fn refused(bed: &Bed, words: &[&str], code: i32, text: &str) {
    let before = fingerprint(&bed.store());
    let ran = bed.hull(words);
    ran.fails(code).one_error_line().stderr_has(text);
    let after = fingerprint(&bed.store());
    let changed: Vec<_> = after
        .iter()
        .filter(|(path, text)| before.get(*path) != Some(text))
        .map(|(path, _)| path)
        .chain(before.keys().filter(|path| !after.contains_key(*path)))
        .collect();
    assert!(
        changed.is_empty(),
        "{words:?} changed the store: {changed:?}"
    );
}

fn archive(bed: &Bed, name: &str, bytes: &[u8]) -> String {
    bed.file(name, bytes).display().to_string()
}

/// An image with a configuration and a layer that no store has yet, so that they must be read.
fn new_image(content: &[u8]) -> Image {
    let mut image = Image::busybox("bad:1");
    image.config["Labels"] = serde_json::json!({"only": "here"});
    image
        .layers
        .insert(0, Tree::default().file("new", 0o644, content).tar());
    image
}

fn load_lists_the_image_and_says_so(bed: &Bed) {
    let image = Image::busybox("other:1");
    let path = archive(bed, "docker.tar", &image.docker_archive());
    bed.hull(&["load", "-i", &path])
        .fails(0)
        .stdout_has("Loaded image: other:1");
    let oci = archive(bed, "oci.tar", &Image::busybox("third:1").oci().archive());
    bed.hull(&["load", "-i", &oci]).ok();
    bed.hull_with_input(
        &["load", "-q"],
        &Image::busybox("fourth:1").docker_archive(),
    )
    .ok();
    for name in ["other:1", "third:1", "fourth:1"] {
        let words = ["run", "--rm", "--network", "none", name, "echo", "hi"];
        bed.hull(&words).fails(0).stdout_is("hi\n");
    }
}

fn images_shows_dockers_columns(bed: &Bed) {
    let images = bed.hull(&["images"]);
    let mut lines = images.ok().lines();
    let header: Vec<&str> = lines.next().unwrap_or("").split_whitespace().collect();
    assert_eq!(
        header,
        ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"]
    );
    let line: Vec<&str> = lines.next().unwrap_or("").split_whitespace().collect();
    assert_eq!(line[..2], ["busybox", "test"]);
    assert_eq!(line[2].len(), 12, "{line:?}");
    assert!(
        line.last().is_some_and(|size| size.ends_with("MB")),
        "{line:?}"
    );
    let id = bed.hull(&["images", "-q"]);
    id.fails(0).stdout_is(&format!("{}\n", line[2]));
    bed.hull(&["images", "-q", "nothing"])
        .fails(0)
        .stdout_is("");
}

fn tag_and_rmi_count_references(bed: &Bed) {
    bed.hull(&["tag", "busybox:test", "second:tag"]).ok();
    assert_eq!(bed.hull(&["images", "-q", "second"]).ok().len(), 12);
    let first = bed.hull(&["rmi", "busybox:test"]);
    first.fails(0).stdout_is("Untagged: busybox:test\n");
    let last = bed.hull(&["rmi", "second:tag"]);
    last.fails(0)
        .stdout_has("Untagged: second:tag\n")
        .stdout_has("Deleted: sha256:");
    bed.hull(&["images", "-aq"]).fails(0).stdout_is("");
    let entries = fs::read_dir(bed.store().join("layers"))
        .into_iter()
        .flatten();
    assert_eq!(
        entries.count(),
        0,
        "the last reference takes the layers along"
    );
    bed.hull(&["rmi", "second:tag"])
        .fails(1)
        .stderr_has("No such image: second:tag");
    bed.hull(&["tag", "gone", "x"])
        .fails(1)
        .stderr_has("No such image");
}

fn an_image_in_use_is_not_removed(bed: &Bed) {
    bed.hull(&["create", "--name", "ctr", "busybox:test"]).ok();
    bed.hull(&["rmi", "busybox:test"])
        .fails(1)
        .stderr_has("unable to remove");
    bed.hull(&["rm", "ctr"]).ok();
    bed.hull(&["rmi", "busybox:test"]).ok();
}

fn inspect_tells_the_configuration(bed: &Bed) {
    let image = Image::busybox("busybox:test");
    let inspected = bed.hull(&["image", "inspect", "busybox:test"]);
    let parsed: serde_json::Value = serde_json::from_str(inspected.ok()).expect("is JSON");
    assert_eq!(parsed[0]["Id"], digest(&image.config_blob()).as_str());
    assert_eq!(parsed[0]["RepoTags"], serde_json::json!(["busybox:test"]));
    assert_eq!(parsed[0]["Os"], "linux");
    assert_eq!(parsed[0]["Architecture"], crate::images::architecture());
    assert_eq!(parsed[0]["Config"]["Cmd"], serde_json::json!(["sh"]));
    assert_eq!(
        parsed[0]["RootFS"]["Layers"],
        serde_json::json!([digest(&image.layers[0])])
    );
}

fn layers_are_stacked_and_whiteouts_hide(bed: &Bed) {
    let mut image = Image::busybox("layered:1");
    let second = Tree::default()
        .dir("data", 0o755)
        .file("data/old", 0o644, b"old\n")
        .file("data/kept", 0o640, b"kept\n")
        .dir("opaque", 0o755)
        .file("opaque/below", 0o644, b"");
    let third = Tree::default()
        .dir("data", 0o755)
        .file("data/.wh.old", 0o644, b"")
        .file("data/new", 0o644, b"new\n")
        .dir("opaque", 0o755)
        .file("opaque/.wh..wh..opq", 0o644, b"")
        .file("opaque/above", 0o644, b"");
    image.layers.extend([second.tar(), third.tar()]);
    bed.load(&image);
    let words = ["run", "--rm", "--network", "none", "layered:1", "sh", "-c"];
    let list = bed.hull(
        &[
            &words[..],
            &["ls /data; ls -A /opaque; stat -c %a /data/kept"],
        ]
        .concat(),
    );
    list.fails(0).stdout_is("kept\nnew\nabove\n640\n");
}

fn an_unknown_image_is_refused(bed: &Bed) {
    let words = [
        "run",
        "--pull",
        "never",
        "--network",
        "none",
        "nosuchimg:1",
        "true",
    ];
    refused(bed, &words, 125, "No such image: nosuchimg:1");
    refused(
        bed,
        &["rmi", "nosuchimg"],
        1,
        "No such image: nosuchimg:latest",
    );
    refused(bed, &["history", "nosuchimg"], 1, "nosuchimg");
    // Nobody listens on this port.
    refused(bed, &["pull", "127.0.0.1:1/x:1"], 1, "127.0.0.1:1");
}

fn a_bad_reference_is_refused(bed: &Bed) {
    for name in ["UPPER", "a:b:c", "../x", "a@sha256:1", "http://x/y", ""] {
        refused(bed, &["pull", name], 1, "invalid reference format");
    }
    refused(bed, &["tag", "busybox:test", "Foo"], 1, "must be lowercase");
    refused(
        bed,
        &["run", "UPPER", "true"],
        125,
        "invalid reference format",
    );
}

fn a_corrupt_archive_is_refused(bed: &Bed) {
    let good = Image::busybox("bad:1").docker_archive();
    for (name, bytes) in [
        ("empty.tar", Vec::new()),
        (
            "text.tar",
            b"this is not an archive, whatever it is called\n".repeat(100),
        ),
        ("zeros.tar", vec![0; 10 << 10]),
        ("cut.tar", good[..good.len() / 2].to_vec()),
    ] {
        let path = archive(bed, name, &bytes);
        refused(bed, &["load", "-i", &path], 1, "");
    }
    refused(bed, &["load", "-i", "/no/such/file"], 1, "/no/such/file");
}

fn a_truncated_blob_is_refused(bed: &Bed) {
    let oci = new_image(b"whole").oci();
    let mut bytes = oci.blobs.clone();
    let half = bytes[1].len() / 2;
    bytes[1].truncate(half);
    let path = archive(bed, "bad.tar", &oci.archive_as(&bytes));
    refused(bed, &["load", "-i", &path], 1, &digest(&oci.blobs[1]));
}

fn a_wrong_digest_is_refused(bed: &Bed) {
    let oci = new_image(b"whole").oci();
    for (index, name) in [
        (0, "configuration"),
        (1, "layer"),
        (oci.blobs.len() - 1, "manifest"),
    ] {
        let mut bytes = oci.blobs.clone();
        // A blank is valid at the end of JSON and after gzip's end; the digest alone tells.
        let last = bytes[index].len() - 1;
        bytes[index][last] ^= 1;
        let path = archive(bed, &format!("{name}.tar"), &oci.archive_as(&bytes));
        refused(bed, &["load", "-i", &path], 1, "sha256:");
    }
}

fn a_wrong_diff_id_is_refused(bed: &Bed) {
    let (honest, other) = (new_image(b"one"), new_image(b"two"));
    let (named, own) = (honest.config_blob(), other.config_blob());
    assert_eq!(
        named.len(),
        own.len(),
        "so that one can take the other's place"
    );
    // A docker-archive whose configuration names another layer than the archive has. (The file
    // name of a configuration does not bind its content there.)
    let mut bytes = other.docker_archive();
    let at = bytes.windows(own.len()).position(|window| window == own);
    let at = at.expect("the archive has its configuration");
    bytes[at..at + own.len()].copy_from_slice(&named);
    let path = archive(bed, "bad.tar", &bytes);
    refused(bed, &["load", "-i", &path], 1, "sha256:");
}

fn a_newer_store_is_not_touched(bed: &Bed) {
    let path = bed.store().join("version.json");
    let own = fs::read_to_string(&path).expect("version.json");
    let mut version: serde_json::Value = serde_json::from_str(&own).expect("is JSON");
    for value in version.as_object_mut().expect("is an object").values_mut() {
        if value.is_u64() {
            *value = serde_json::json!(999_999);
        }
    }
    let newer = version.to_string();
    assert_ne!(own.trim(), newer, "version.json has a number");
    fs::write(&path, newer).expect("writable");
    let image = archive(
        bed,
        "image.tar",
        &Image::busybox("other:1").docker_archive(),
    );
    refused(bed, &["images"], 1, "newer");
    refused(bed, &["load", "-i", &image], 1, "newer");
    refused(bed, &["run", "--rm", "busybox:test", "true"], 125, "newer");
    fs::write(&path, own).expect("writable");
    bed.hull(&["images"]).ok();
}

/// Nothing of these archives is needed, but what is offered must be what it says.
fn damage_to_a_layer_that_is_here_already_is_refused(bed: &Bed) {
    let image = Image::busybox("again:1");
    let oci = image.oci();
    let mut flipped = oci.blobs.clone();
    let middle = flipped[1].len() / 2;
    flipped[1][middle] ^= 1;
    let mut truncated = oci.blobs.clone();
    truncated[1].truncate(middle);
    for (name, bytes) in [("flipped.tar", flipped), ("truncated.tar", truncated)] {
        let path = archive(bed, name, &oci.archive_as(&bytes));
        refused(bed, &["load", "-i", &path], 1, &digest(&oci.blobs[1]));
    }
    let mut docker = image.docker_archive();
    let middle = docker.len() / 2;
    docker[middle] ^= 1;
    let path = archive(bed, "docker.tar", &docker);
    refused(bed, &["load", "-i", &path], 1, &digest(&image.layers[0]));
    // The same archives undamaged.
    let path = archive(bed, "oci.tar", &oci.archive());
    bed.hull(&["load", "-i", &path]).ok();
    let path = archive(bed, "good.tar", &image.docker_archive());
    bed.hull(&["load", "-i", &path]).ok();
}
