//! `image copy`: one image through all the places it can be in.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::bed::{Bed, Who, on_bed, skip};
use crate::images::{Image, Oci, architecture, digest};
use crate::process::run;
use crate::registry::Registry;

root_and_user!(
    an_image_is_the_same_wherever_it_is_copied,
    all_platforms_are_copied_with_their_list,
    a26_a_blob_that_is_not_what_it_is_named_by_ends_the_copy,
    a_layout_directory_is_added_to,
    a_registry_is_copied_from_and_to,
    copies_that_cannot_be_are_refused,
);

fn copy(bed: &Bed, words: &[&str]) -> String {
    let head = ["image", "copy", "--digestfile", "digest"];
    bed.hull(&[&head, words].concat()).fails(0).stdout_is("");
    std::fs::read_to_string(bed.dir.join("work/digest")).expect("a digest")
}

fn id(bed: &Bed, name: &str) -> String {
    bed.inspect(name, "{{.Id}}")
}

fn an_image_is_the_same_wherever_it_is_copied(bed: &Bed) {
    // A plain archive's layers, and compressed ones.
    let image = Image::busybox("team/app:1");
    let path = bed.file("oci.tar", &image.oci().archive());
    bed.hull(&["load", "-i", &path.to_string_lossy()]).ok();
    for (name, tag) in [("team/app:1", "one"), ("busybox:test", "two")] {
        let expected = id(bed, name);
        let first = copy(
            bed,
            &[
                &format!("containers-storage:{name}"),
                &format!("oci:l:{tag}"),
            ],
        );
        let places = [
            format!("oci:l:{tag}"),
            format!("oci-archive:{tag}.tar:1.0"),
            format!("dir:{tag}"),
            format!("docker-archive:{tag}-docker.tar:new/{tag}:7"),
            format!("hull:copied/{tag}:1"),
            format!("oci:last-{tag}"),
        ];
        for pair in places.windows(2) {
            assert_eq!(copy(bed, &[&pair[0], &pair[1]]), first, "{pair:?}");
        }
        assert_eq!(id(bed, &format!("copied/{tag}:1")), expected);
        let loaded = bed.hull(&["load", "-i", &format!("{tag}-docker.tar")]);
        loaded
            .fails(0)
            .stdout_is(&format!("Loaded image: new/{tag}:7\n"));
        assert_eq!(id(bed, &format!("new/{tag}:7")), expected);
    }
    // Also into a store that has nothing of it.
    bed.hull(&["rmi", "-f", "team/app:1", "copied/one:1", "new/one:7"])
        .ok();
    bed.hull(&["rmi", "-f", "busybox:test", "copied/two:1", "new/two:7"])
        .ok();
    copy(bed, &["dir:two", "hull:fresh:1"]);
    copy(bed, &["oci-archive:one.tar", "hull:fresh:2"]);
    for name in ["fresh:1", "fresh:2"] {
        let words = ["run", "--rm", "--network", "none", name, "echo", "runs"];
        bed.hull(&words).fails(0).stdout_is("runs\n");
    }
}

/// A layout whose only entry is a list of this platform and another.
fn two_platforms() -> (Vec<u8>, String) {
    let own = Image::busybox("x").oci();
    let mut other = Image::busybox("x");
    other.config["Labels"] = json!({"other": "yes"});
    let other = other.oci();
    let entry = |oci: &Oci, architecture: &str| {
        let mut entry = oci.index["manifests"][0].clone();
        entry["platform"] = json!({"os": "linux", "architecture": architecture});
        entry.as_object_mut().expect("is one").remove("annotations");
        entry
    };
    let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry(&other, "s390x"), entry(&own, architecture())]});
    let index = index.to_string().into_bytes();
    let top = json!({"schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "digest": digest(&index), "size": index.len(),
        "annotations": {"org.opencontainers.image.ref.name": "both"}}]});
    let named = digest(&index);
    let mut blobs = [own.blobs, other.blobs].concat();
    blobs.push(index);
    (Oci { index: top, blobs }.archive(), named)
}

fn all_platforms_are_copied_with_their_list(bed: &Bed) {
    let (archive, list) = two_platforms();
    bed.file("both.tar", &archive);
    for words in [&["--all"][..], &["--multi-arch", "all"]] {
        let places = [
            "oci-archive:both.tar:both",
            "oci:all",
            "dir:all-dir",
            "oci-archive:again.tar",
        ];
        for pair in places.windows(2) {
            assert_eq!(copy(bed, &[words, pair].concat()), list);
        }
        for name in ["all", "all-dir"] {
            std::fs::remove_dir_all(bed.dir.join("work").join(name)).expect("is there");
        }
    }
    let one = copy(bed, &["oci-archive:again.tar", "hull:one:1"]);
    assert_ne!(one, list);
    let other = [
        "--platform",
        "linux/s390x",
        "oci-archive:again.tar",
        "oci:other",
    ];
    assert_ne!(copy(bed, &other), one);
    bed.hull(&[
        "image",
        "copy",
        "--all",
        "oci-archive:again.tar",
        "hull:two:1",
    ])
    .fails(1)
    .one_error_line()
    .stderr_has("leave out --all");
}

fn a26_a_blob_that_is_not_what_it_is_named_by_ends_the_copy(bed: &Bed) {
    let image = Image::busybox("app:1");
    let oci = image.oci();
    let mut bytes = oci.blobs.clone();
    let layer = &mut bytes[1];
    let middle = layer.len() / 2;
    layer[middle] ^= 1;
    bed.file("bad.tar", &oci.archive_as(&bytes));
    let before = std::fs::read_dir(bed.dir.join("work"))
        .expect("lists")
        .count();
    for place in [
        "oci:x",
        "dir:x",
        "oci-archive:x",
        "docker-archive:x:a:1",
        "hull:bad:1",
    ] {
        let refused = bed.hull(&["image", "copy", "oci-archive:bad.tar", place]);
        refused.fails(1).one_error_line().stderr_has("digest");
        let now = std::fs::read_dir(bed.dir.join("work"))
            .expect("lists")
            .count();
        assert_eq!(now, before, "{place}");
    }
    bed.hull(&["images", "-q", "bad"]).fails(0).stdout_is("");
}

fn a_layout_directory_is_added_to(bed: &Bed) {
    let tags = |bed: &Bed| -> Vec<String> {
        let index = std::fs::read(bed.dir.join("work/l/index.json")).expect("index");
        let index: Value = serde_json::from_slice(&index).expect("is JSON");
        let entries = index["manifests"].as_array().expect("is a list").clone();
        let name = "org.opencontainers.image.ref.name";
        let names = entries
            .iter()
            .map(|entry| entry["annotations"][name].as_str());
        names.map(|name| name.unwrap_or("-").to_owned()).collect()
    };
    let other = Image {
        config: json!({"Cmd": ["other"]}),
        ..Image::busybox("other:1")
    };
    bed.load(&other);
    copy(bed, &["hull:busybox:test", "oci:l:a"]);
    copy(bed, &["hull:other:1", "oci:l:b"]);
    copy(bed, &["hull:other:1", "oci:l"]);
    assert_eq!(tags(bed), ["a", "b", "-"]);
    let old = copy(bed, &["oci:l:a", "dir:a"]);
    let moved = copy(bed, &["hull:other:1", "oci:l:a"]);
    assert_ne!(moved, old);
    assert_eq!(tags(bed), ["b", "-", "a"]);
    assert_eq!(copy(bed, &["oci:l:a", "dir:b"]), moved);
    bed.hull(&["image", "copy", "oci:l:c", "dir:c"])
        .fails(1)
        .one_error_line()
        .stderr_has("no image with tag \"c\"");
    bed.hull(&["image", "copy", "hull:other:1", "dir:a"])
        .fails(1)
        .stderr_has("not empty");
}

fn a_registry_is_copied_from_and_to(bed: &Bed) {
    let Some(registry) = Registry::start(bed) else {
        return;
    };
    let image = Image::busybox("x");
    let name = registry.push(&image, "app:1");
    let manifest = digest(image.oci().blobs.last().expect("has one"));
    let from = format!("docker://{name}");
    assert_eq!(copy(bed, &[&from, "oci:l:1"]), manifest);
    assert_eq!(copy(bed, &[&from, "hull:pulled:1"]), manifest);
    assert_eq!(id(bed, "pulled:1"), digest(&image.config_blob()));
    // And to one, also what is compressed nowhere, and lists.
    bed.file("both.tar", &two_platforms().0);
    let to = format!("docker://{}", registry.name("copied:1"));
    assert_eq!(copy(bed, &["hull:pulled:1", &to]), manifest);
    assert_eq!(copy(bed, &[&to, "dir:back"]), manifest);
    let plain = copy(bed, &["hull:busybox:test", &to]);
    assert_eq!(copy(bed, &[&to, "hull:plain:1"]), plain);
    assert_eq!(id(bed, "plain:1"), id(bed, "busybox:test"));
    let to = format!("docker://{}", registry.name("copied:both"));
    let list = copy(bed, &["--all", "oci-archive:both.tar", &to]);
    assert_eq!(list, two_platforms().1);
    assert_eq!(copy(bed, &["-a", &to, "oci:both"]), list);
    let listed = bed.hull(&[
        "image",
        "list-tags",
        &format!("docker://{}", registry.name("copied")),
    ]);
    let listed: Value = serde_json::from_str(listed.ok()).expect("is JSON");
    assert_eq!(listed["Repository"], registry.name("copied").as_str());
    // In the registry's own order.
    let tags = listed["Tags"].as_array().expect("is a list");
    assert!(tags.len() == 2 && tags.contains(&json!("1")) && tags.contains(&json!("both")));
    bed.hull(&["image", "list-tags", &registry.name("copied:1")])
        .fails(1)
        .one_error_line()
        .stderr_has("no tag or digest");
    bed.hull(&["image", "list-tags", &registry.name("nothing")])
        .fails(1)
        .one_error_line();
    let wrong = format!("docker://{}@{list}", registry.name("copied"));
    bed.hull(&["image", "copy", "hull:plain:1", &wrong])
        .fails(1)
        .one_error_line()
        .stderr_has("copy it to a tag");
}

fn copies_that_cannot_be_are_refused(bed: &Bed) {
    let table = [
        (["busybox:test", "oci:x"], "unknown transport"),
        (["hull:busybox:test", "sif:x"], "unknown transport \"sif\""),
        (["hull:nosuch:1", "oci:x"], "reference does not exist"),
        (["oci:nosuch", "dir:x"], "nosuch"),
        (["dir:nosuch", "hull:x"], "nosuch"),
        (["hull:busybox:test", "hull:UPPER"], "must be lowercase"),
        (["hull:busybox:test", "oci-archive:no/such/x"], "no/such"),
    ];
    for (words, text) in table {
        let refused = bed.hull(&[&["image", "copy"][..], &words].concat());
        refused.fails(1).one_error_line().stderr_has(text);
    }
    let words = [
        "image",
        "copy",
        "--multi-arch",
        "index-only",
        "hull:busybox:test",
        "oci:x",
    ];
    bed.hull(&words).fails(1).one_error_line();
    let left = std::fs::read_dir(bed.dir.join("work"))
        .expect("lists")
        .count();
    assert_eq!(left, 0);
}

#[test]
fn skopeo_reads_what_was_copied() {
    on_bed(Who::Root, with_skopeo);
}

fn with_skopeo(bed: &Bed) {
    let skopeo = "/usr/bin/skopeo";
    if !Path::new(skopeo).exists() {
        return skip("no skopeo");
    }
    let (archive, list) = two_platforms();
    bed.file("both.tar", &archive);
    copy(bed, &["--all", "oci-archive:both.tar", "dir:all"]);
    copy(bed, &["hull:busybox:test", "oci:l:t"]);
    let expected = id(bed, "busybox:test");
    let skopeo = |words: &[&str]| {
        let mut command = Command::new(skopeo);
        command.args(words).current_dir(bed.dir.join("work"));
        run(command, b"").ok().to_owned()
    };
    let raw = skopeo(&["inspect", "--raw", "dir:all"]);
    assert_eq!(digest(raw.as_bytes()), list);
    skopeo(&[
        "copy",
        "-q",
        "--all",
        "--insecure-policy",
        "dir:all",
        "dir:again",
    ]);
    let config = skopeo(&["inspect", "--config", "--raw", "oci:l:t"]);
    assert_eq!(digest(config.as_bytes()), expected);
    // And the other way round.
    skopeo(&["copy", "-q", "--insecure-policy", "oci:l:t", "oci:theirs:t"]);
    copy(bed, &["dir:again", "hull:back:1"]);
    copy(bed, &["oci:theirs:t", "hull:back:2"]);
    let words = ["run", "--rm", "--network", "none", "back:2", "echo", "runs"];
    bed.hull(&words).fails(0).stdout_is("runs\n");
}
