//! F18: bit rot, truncated and missing files: `system check` names them, `--repair` mends them from
//! what is kept or fetches only what is broken, and nothing starts from what is not there.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use super::{CHECK, Seed, checked_image, verify};
use crate::bed::Bed;
use crate::images::{Image, Tree, digest};
use crate::process::Ran;
use crate::registry::Registry;

each_who!(
    f18_what_is_whole_is_found_whole,
    f18_every_change_of_a_layer_is_named_and_mended_offline,
    f18_what_the_quick_check_sees_does_not_start,
    f18_what_is_broken_is_fetched_again,
    f18_what_cannot_be_mended_is_removed_by_force_only,
    f18_a_blob_stays_until_another_is_here,
    f18_a_change_of_a_layer_without_archive_is_damage,
    f18_a_layer_does_not_go_from_under_a_container,
);

/// A tree with one of everything that extraction treats in its own way.
fn rich_layer() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |path: &str, kind: tar::EntryType, mode: u32, content: &[u8], link: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        header.set_mtime(1_577_836_800);
        let added = match link {
            "" => tar.append_data(&mut header, path, content),
            link => tar.append_link(&mut header, path, link),
        };
        added.expect("memory takes it");
    };
    use tar::EntryType;
    add("lib", EntryType::Symlink, 0o777, b"", "usr/lib");
    add("usr/", EntryType::Directory, 0o755, b"", "");
    add("usr/lib/", EntryType::Directory, 0o2750, b"", "");
    add("lib/through-a-link", EntryType::Regular, 0o644, b"one", "");
    add("usr/lib/first", EntryType::Regular, 0o4755, b"two", "");
    add(
        "usr/lib/second",
        EntryType::Link,
        0o4755,
        b"",
        "usr/lib/first",
    );
    add("implied/by/this", EntryType::Regular, 0o600, b"three", "");
    add("twice", EntryType::Regular, 0o644, b"not this", "");
    add("twice", EntryType::Regular, 0o640, b"but this", "");
    add("was-a-directory/", EntryType::Directory, 0o755, b"", "");
    add("was-a-directory/x", EntryType::Regular, 0o644, b"x", "");
    add(
        "was-a-directory",
        EntryType::Regular,
        0o644,
        b"now a file",
        "",
    );
    add("queue", EntryType::Fifo, 0o620, b"", "");
    add("home/.wh.gone", EntryType::Regular, 0o644, b"", "");
    add("hidden/", EntryType::Directory, 0o700, b"", "");
    add("hidden/.wh..wh..opq", EntryType::Regular, 0o644, b"", "");
    add("hidden/new", EntryType::Regular, 0o000, b"new", "");
    add("absolute", EntryType::Symlink, 0o777, b"", "/usr/lib/first");
    let extensions = [("SCHILY.xattr.user.color", b"blue".as_slice())];
    tar.append_pax_extensions(extensions)
        .expect("memory takes it");
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o644);
    header.set_size(4);
    header.set_mtime(1_577_836_800);
    tar.append_data(&mut header, "colored", &b"file"[..])
        .expect("memory takes it");
    tar.into_inner().expect("memory takes it")
}

/// Loads an image with its compressed layers; returns what holds the top layer's files.
fn load_rich(bed: &Bed) -> PathBuf {
    let mut image = Image::busybox("rich:1");
    image.layers.push(rich_layer());
    let path = bed.file("rich.tar", &image.oci().archive());
    bed.hull(&["load", "-q", "-i", &path.to_string_lossy()])
        .ok();
    layer_dir(bed, &image.layers[1])
}

fn layer_dir(bed: &Bed, tar: &[u8]) -> PathBuf {
    let hex = digest(tar)["sha256:".len()..].to_owned();
    let layers = fs::read_dir(bed.store().join("layers")).expect("layers");
    let paths: Vec<PathBuf> = layers.flatten().map(|entry| entry.path()).collect();
    let is_it = |path: &&PathBuf| {
        let record = fs::read_to_string(path.join("layer.json")).unwrap_or_default();
        record.contains(&format!("\"diff_id\":\"sha256:{hex}\""))
    };
    paths.iter().find(is_it).expect("it is unpacked").clone()
}

fn deep(bed: &Bed) -> Ran {
    bed.hull(&["system", "check", "--deep"])
}

fn quick(bed: &Bed) -> Ran {
    bed.hull(&["system", "check"])
}

/// Changes a file and leaves its times alone, as a bad disk does.
fn rot(path: &Path, change: impl FnOnce(&File)) {
    let before = fs::metadata(path).expect("is there").modified();
    let file = File::options().write(true).open(path).expect("opens");
    change(&file);
    let times = file.set_modified(before.expect("has a time"));
    times.expect("its time is set");
}

fn f18_what_is_whole_is_found_whole(bed: &Bed) {
    load_rich(bed);
    bed.hull(&["create", "--name", "box", "rich:1"]).ok();
    bed.hull(&["commit", "box", "made:1"]).ok();
    quick(bed).fails(0).stdout_has("no damage found");
    let ran = deep(bed);
    ran.fails(0).stdout_has("no damage found");
    let rich = digest(&rich_layer());
    ran.expect(
        !ran.stderr.contains(&rich),
        "it was compared with its archive",
    );
    bed.hull(&["system", "check", "--deep", "--quick"])
        .fails(1)
        .one_error_line();
    bed.hull(&["system", "check", "--force"])
        .fails(1)
        .one_error_line();
    bed.hull(&["rm", "box"]).ok();
}

fn f18_every_change_of_a_layer_is_named_and_mended_offline(bed: &Bed) {
    let layer = load_rich(bed);
    let fs_dir = layer.join("fs");
    let changes: [(&str, &str, &dyn Fn()); 9] = [
        ("usr/lib/first", "its content differs", &|| {
            rot(&fs_dir.join("usr/lib/first"), |file| {
                file.write_all_at(b"T", 0).expect("writable");
            });
        }),
        ("twice", "it has 3 bytes instead of 8", &|| {
            rot(&fs_dir.join("twice"), |file| {
                file.set_len(3).expect("writable");
            });
        }),
        ("implied/by/this", "it is missing", &|| {
            fs::remove_file(fs_dir.join("implied/by/this")).expect("is there");
        }),
        ("implied/more", "it is not in the layer's archive", &|| {
            fs::write(fs_dir.join("implied/more"), b"").expect("writable");
        }),
        ("colored", "its mode is 600 instead of 644", &|| {
            let path = fs_dir.join("colored");
            fs::set_permissions(path, Permissions::from_mode(0o600)).expect("is there");
        }),
        ("absolute", "it points elsewhere", &|| {
            fs::remove_file(fs_dir.join("absolute")).expect("is there");
            symlink("/etc/passwd", fs_dir.join("absolute")).expect("is made");
        }),
        ("queue", "it is of another kind", &|| {
            fs::remove_file(fs_dir.join("queue")).expect("is there");
            fs::create_dir(fs_dir.join("queue")).expect("is made");
        }),
        ("twice", "its time of modification differs", &|| {
            let file = File::open(fs_dir.join("twice")).expect("opens");
            file.set_modified(std::time::SystemTime::now())
                .expect("set");
        }),
        ("usr/lib/second", "it is no hard link any more", &|| {
            let path = fs_dir.join("usr/lib/second");
            fs::remove_file(&path).expect("is there");
            fs::write(&path, b"two").expect("is made");
        }),
    ];
    for (path, why, change) in changes {
        change();
        // Records alone do not show it.
        quick(bed).fails(0);
        let found = deep(bed);
        found.fails(1).stdout_has("of rich:1: ").stdout_has(why);
        found.expect(found.stdout.contains(path), path);
        let mended = bed.hull(&["system", "check", "--deep", "--repair"]);
        mended
            .fails(0)
            .stdout_has("repaired: layer sha256:")
            .stdout_has("no damage found");
        deep(bed).fails(0);
    }
    let words = [
        "run",
        "--rm",
        "--network",
        "none",
        "rich:1",
        "cat",
        "/lib/second",
    ];
    bed.hull(&words).fails(0).stdout_is("two");
}

fn f18_what_the_quick_check_sees_does_not_start(bed: &Bed) {
    let layer = load_rich(bed);
    let run = ["run", "--rm", "--network", "none", "rich:1", "true"];
    let record = fs::read(layer.join("layer.json")).expect("is there");
    let changes: [(&str, &dyn Fn()); 4] = [
        ("it is missing", &|| {
            fs::remove_dir_all(&layer).expect("is there");
        }),
        ("layer.json", &|| {
            fs::remove_file(layer.join("layer.json")).expect("is there");
        }),
        ("layer", &|| {
            fs::write(layer.join("layer.json"), &record[..10]).expect("is there");
        }),
        ("fs is missing", &|| {
            fs::remove_dir_all(layer.join("fs")).expect("is there");
        }),
    ];
    for (why, change) in changes {
        change();
        quick(bed)
            .fails(1)
            .stdout_has("damaged: layer sha256:")
            .stdout_has(why);
        let refused = bed.hull(&run);
        refused.fails(125).one_error_line().stderr_has("layer");
        bed.hull(&["system", "check", "--repair"])
            .fails(0)
            .stdout_has("repaired: layer sha256:");
        bed.hull(&run).ok();
    }
    // The container keeps what its image's name has lost.
    bed.hull(&["create", "--name", "box", "rich:1"]).ok();
    bed.hull(&["rmi", "-f", "rich:1"]).ok();
    quick(bed).fails(0);
    fs::remove_dir_all(&layer).expect("is there");
    quick(bed).fails(1).stdout_has("of container ");
    bed.hull(&["start", "box"]).fails(1).stderr_has("layer");
    bed.hull(&["system", "check", "-r"]).fails(0);
    bed.hull(&["rm", "box"]).ok();
}

/// The files of blobs that are compressed layers, or documents.
fn blobs(bed: &Bed, are_layers: bool) -> Vec<PathBuf> {
    let blobs = fs::read_dir(bed.store().join("blobs/sha256")).expect("blobs");
    let paths = blobs.flatten().map(|entry| entry.path());
    let is_layer = |path: &PathBuf| fs::read(path).expect("readable").first() != Some(&b'{');
    paths.filter(|path| is_layer(path) == are_layers).collect()
}

fn f18_what_is_broken_is_fetched_again(bed: &Bed) {
    let Some(registry) = Registry::start(bed) else {
        return;
    };
    bed.hull(&["rmi", "busybox:test"]).ok();
    let mut seed = Seed::new();
    let name = registry.push(&checked_image("box", &mut seed, 2), "app:1");
    bed.hull(&["pull", "-q", &name]).ok();
    let runs = [&["run", "--rm", "--network", "none", &name][..], &CHECK].concat();
    for path in blobs(bed, true) {
        rot(&path, |file| file.set_len(100).expect("writable"));
        quick(bed)
            .fails(1)
            .stdout_has("damaged: blob sha256:")
            .stdout_has("it has 100 bytes instead of");
    }
    bed.hull(&["system", "check", "--repair"])
        .fails(0)
        .stdout_has("repaired: blob sha256:");
    deep(bed).fails(0);
    for path in blobs(bed, true) {
        rot(&path, |file| file.write_all_at(b"?", 50).expect("writable"));
    }
    quick(bed).fails(0);
    deep(bed)
        .fails(1)
        .stdout_has("its content has digest sha256:");
    bed.hull(&["system", "check", "--repair", "--deep"])
        .fails(0);
    for path in blobs(bed, false) {
        fs::remove_file(path).expect("is there");
        quick(bed).fails(1).stdout_has("is missing");
        bed.hull(&runs).fails(125).stderr_has("sha256:");
        bed.hull(&["system", "check", "--repair"]).fails(0);
        bed.hull(&runs).ok();
    }
    // A layer and its blob: first the one, then the other.
    for layer in fs::read_dir(bed.store().join("layers")).expect("layers") {
        fs::remove_dir_all(layer.expect("readable").path()).expect("is there");
    }
    for path in blobs(bed, true) {
        fs::remove_file(path).expect("is there");
    }
    bed.hull(&["system", "check", "--repair"]).fails(0);
    bed.hull(&runs).ok();
    // A pull mends too.
    for layer in fs::read_dir(bed.store().join("layers")).expect("layers") {
        fs::remove_dir_all(layer.expect("readable").path()).expect("is there");
    }
    bed.hull(&["pull", "-q", &name]).ok();
    bed.hull(&runs).ok();
    deep(bed).fails(0);
    verify(&bed.store());
}

fn f18_what_cannot_be_mended_is_removed_by_force_only(bed: &Bed) {
    let layer = load_rich(bed);
    bed.hull(&["create", "--name", "box", "rich:1"]).ok();
    for path in blobs(bed, true) {
        rot(&path, |file| file.set_len(9).expect("writable"));
    }
    let repair = ["system", "check", "--repair"];
    bed.hull(&repair)
        .fails(1)
        .stdout_has("cannot repair: blob sha256:")
        .stdout_has("it came from no registry");
    bed.hull(&["images", "-q", "rich"])
        .fails(0)
        .stdout_has("\n");
    // The layers are whole, so everything runs.
    let force = [&repair[..], &["--force"]].concat();
    let forced = bed.hull(&force);
    forced.fails(0).stdout_has("removed: blob sha256:");
    forced.expect(!forced.stdout.contains("removed: image"), "it runs");
    forced.expect(!forced.stdout.contains("removed: container"), "it runs");
    bed.hull(&["run", "--rm", "--network", "none", "rich:1", "true"])
        .ok();
    fs::remove_dir_all(&layer).expect("is there");
    bed.hull(&repair)
        .fails(1)
        .stdout_has("cannot repair: layer");
    let forced = bed.hull(&force);
    forced
        .fails(0)
        .stdout_has("removed: image rich:1")
        .stdout_has("removed: container ");
    bed.hull(&["images", "-q", "rich"]).fails(0).stdout_is("");
    bed.hull(&["ps", "-aq"]).fails(0).stdout_is("");
    // Others are as they were.
    bed.inside(&[], &["true"]);
    // A reference that nobody can read.
    let broken = bed.store().join("refs/docker.io/library/bad");
    fs::create_dir_all(&broken).expect("is made");
    bed.give(&broken);
    fs::write(broken.join("_tag_1"), b"{").expect("is made");
    quick(bed)
        .fails(1)
        .stdout_has("damaged: reference docker.io/library/bad/_tag_1");
    bed.hull(&[&repair[..], &["-f"]].concat()).fails(0);
    quick(bed).fails(0);
}

/// Has the manifest of a name say that its first layer is a byte longer; returns its blob.
fn misstate(bed: &Bed, name: &str) -> PathBuf {
    let dir = bed.store().join("blobs/sha256");
    let (path, text) = blobs(bed, false)
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("text");
            (path, text)
        })
        .find(|(_, text)| text.contains("\"layers\""))
        .expect("there is a manifest");
    let mut manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let layer = &mut manifest["layers"][0];
    let size = layer["size"].as_u64().expect("a number");
    layer["size"] = (size + 1).into();
    let hex = layer["digest"].as_str().expect("text")["sha256:".len()..].to_owned();
    let bytes = manifest.to_string();
    let changed = digest(bytes.as_bytes());
    let place = dir.join(&changed["sha256:".len()..]);
    fs::write(&place, bytes).expect("writable");
    bed.give(&place);
    let (repository, tag) = name.rsplit_once(':').expect("has a tag");
    let reference = bed
        .store()
        .join("refs")
        .join(repository)
        .join(format!("_tag_{tag}"));
    let record = fs::read_to_string(&reference).expect("is there");
    let old = path.file_name().expect("has a name").to_string_lossy();
    let mut record: serde_json::Value = serde_json::from_str(&record).expect("JSON");
    assert_eq!(record["manifest"], format!("sha256:{old}"));
    record["manifest"] = changed.into();
    fs::write(&reference, record.to_string()).expect("writable");
    dir.join(hex)
}

fn f18_a_blob_stays_until_another_is_here(bed: &Bed) {
    let Some(registry) = Registry::start(bed) else {
        return;
    };
    bed.hull(&["rmi", "busybox:test"]).ok();
    let name = registry.push(&checked_image("box", &mut Seed::new(), 1), "app:1");
    bed.hull(&["pull", "-q", &name]).ok();
    let all = blobs(bed, true);
    for path in &all {
        let hex = path.file_name().expect("has a name").to_string_lossy();
        fs::remove_file(registry.blob(&format!("sha256:{hex}"))).expect("is there");
        rot(path, |file| file.write_all_at(b"?", 50).expect("writable"));
    }
    bed.hull(&["system", "check", "--repair", "--deep"])
        .fails(1)
        .stdout_has("cannot repair: blob sha256:");
    for path in &all {
        assert!(path.exists(), "nothing came in its place");
    }
    bed.hull(&["system", "check", "--repair", "--deep", "--force"])
        .fails(0);
    bed.hull(&["rmi", "-f", &name]).ok();
    // What an image says of another's blob is no damage of the blob.
    bed.hull(&["load", "-q", "-i", &{
        let path = bed.file("rich.tar", &Image::busybox("rich:1").oci().archive());
        path.to_string_lossy().into_owned()
    }])
    .ok();
    let path = misstate(bed, "docker.io/library/rich:1");
    let before = fs::read(&path).expect("is there");
    bed.hull(&["system", "check", "--repair"])
        .fails(1)
        .stdout_has("damaged: manifest sha256:")
        .stdout_has("cannot repair: manifest sha256:");
    assert_eq!(fs::read(&path).expect("is there"), before);
}

fn f18_a_change_of_a_layer_without_archive_is_damage(bed: &Bed) {
    let tree = Tree::default()
        .dir("etc", 0o755)
        .file("etc/one", 0o644, b"one")
        .symlink("etc/link", "one");
    let mut image = Image::busybox("plain:1");
    image.layers.push(tree.tar());
    let path = bed.file("plain.tar", &image.docker_archive());
    type Change<'a> = &'a dyn Fn(&Path);
    let changes: [(&str, Change<'_>); 4] = [
        ("etc/link\": it is missing", &|etc| {
            fs::remove_file(etc.join("link")).expect("is there");
        }),
        ("etc/one\": its mode is 4755 instead of 644", &|etc| {
            let mode = Permissions::from_mode(0o4755);
            fs::set_permissions(etc.join("one"), mode).expect("is there");
        }),
        ("etc/more\": it is not in the layer's archive", &|etc| {
            fs::write(etc.join("more"), b"").expect("writable");
        }),
        ("damaged: layer", &|etc| {
            rot(&etc.join("one"), |file| {
                file.write_all_at(b"two", 0).expect("writable");
            });
        }),
    ];
    for (why, change) in changes {
        bed.hull(&["load", "-q", "-i", &path.to_string_lossy()])
            .ok();
        deep(bed).fails(0).stdout_has("no damage found");
        change(&layer_dir(bed, &image.layers[1]).join("fs/etc"));
        deep(bed).fails(1).stdout_has(why);
        bed.hull(&["rmi", "-f", "plain:1"]).ok();
    }
}

fn f18_a_layer_does_not_go_from_under_a_container(bed: &Bed) {
    let layer = load_rich(bed);
    let words = ["run", "-d", "--name", "box", "--network", "none", "rich:1"];
    bed.hull(&[&words[..], &["sleep", "600"]].concat()).ok();
    rot(&layer.join("fs/twice"), |file| {
        file.write_all_at(b"B", 0).expect("writable");
    });
    let repair = ["system", "check", "--deep", "--repair"];
    bed.hull(&repair)
        .fails(1)
        .stdout_has("is running from it; stop it first");
    bed.hull(&["exec", "box", "cat", "/twice"])
        .fails(0)
        .stdout_is("But this");
    bed.hull(&["stop", "-t", "0", "box"]).ok();
    bed.hull(&repair).fails(0);
    bed.hull(&["rm", "box"]).ok();
}
