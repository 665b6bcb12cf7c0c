//! Publishing, references, partial blobs and collection on a store of its own.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::atomic::{Durable, atomic_write};
use super::testing::{Scene, Tar, small};
use super::*;
use crate::base::{DiffId, Digest, Ownership, Reference, Timestamp};
use crate::error::Kind;

/// Publishes an image of these layers under `name`.
fn publish(store: &Store, name: &str, layers: &[Vec<u8>]) -> RefRecord {
    let stage = store.stage().expect("stage");
    let mut diff_ids = Vec::new();
    for tar in layers {
        let layer = stage.unpack_layer(&tar[..], &small()).expect("unpacks");
        let diff_id = layer.diff_id;
        stage.add_layer(layer, &diff_ids).expect("adds");
        diff_ids.push(diff_id);
    }
    let record = describe(&stage, name, &diff_ids);
    stage
        .publish(std::slice::from_ref(&record))
        .expect("publishes");
    record
}

/// Adds config and manifest.
fn describe(stage: &Stage, name: &str, diff_ids: &[DiffId]) -> RefRecord {
    let config = serde_json::json!({"rootfs": {"diff_ids": diff_ids}, "name": name});
    let image = stage.add_blob(config.to_string().as_bytes()).expect("adds");
    let manifest = serde_json::json!({"config": {"digest": image}, "layers": []});
    let manifest = stage
        .add_blob(manifest.to_string().as_bytes())
        .expect("adds");
    RefRecord {
        reference: name.parse().expect("reference"),
        manifest,
        image,
        repo_digest: Some(manifest),
        updated: Timestamp::now(),
        platform: "linux/amd64".to_owned(),
    }
}

fn tar(name: &str) -> Vec<u8> {
    Tar::default()
        .dir("d", 0o750)
        .file(&format!("d/{name}"), name.as_bytes())
        .end()
}

fn names(dir: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .expect("lists")
        .map(|entry| {
            entry
                .expect("entry")
                .file_name()
                .into_string()
                .expect("text")
        })
        .collect();
    names.sort();
    names
}

#[test]
fn a_published_image_is_found_by_name_and_layer() {
    let scene = Scene::new();
    let record = publish(&scene.store, "[::1]:5000/a/b:1", &[tar("one"), tar("two")]);
    let store = Store::open_existing(scene.store.root(), Ownership::Full).expect("opens");
    let store = store.expect("exists");
    assert_eq!(
        store.find_ref(&record.reference).expect("reads"),
        Some(record.clone())
    );
    assert_eq!(store.refs().expect("lists"), std::slice::from_ref(&record));
    assert!(
        store
            .read_blob(&record.manifest, 1 << 20)
            .expect("reads")
            .is_some()
    );
    let diff_ids = [tar("one"), tar("two")].map(|tar| DiffId(Digest::of(&tar)));
    let layers = store.layers_for(&diff_ids).expect("complete");
    assert_eq!(
        fs::read_to_string(layers[1].path.join("d/two")).expect("reads"),
        "two"
    );
    assert_eq!(layers[0].size_bytes, 3);
    assert_eq!(
        fs::metadata(&layers[0].path).expect("stat").mode() & 0o777,
        0o755
    );
    let missing = [DiffId(Digest::of(b"missing"))];
    let error = store.layers_for(&missing).expect_err("missing");
    assert_eq!(error.kind(), Kind::Corrupt);
    assert!(error.to_string().contains(&missing[0].to_string()));
    // Twice the same is one.
    publish(
        &store,
        "[::1]:5000/a/b:2",
        &[tar("one"), tar("two"), tar("two")],
    );
    assert_eq!(store.refs().expect("lists").len(), 2);
}

#[test]
fn everything_hull_makes_is_private() {
    let scene = Scene::new();
    publish(&scene.store, "x", &[tar("one")]);
    for entry in walkdir::WalkDir::new(scene.store.root()) {
        let entry = entry.expect("walks");
        if entry
            .path()
            .components()
            .any(|part| part.as_os_str() == "fs")
        {
            continue;
        }
        let mode = entry.metadata().expect("stat").mode() & 0o777;
        let expected = if entry.file_type().is_dir() {
            0o700
        } else {
            0o600
        };
        assert_eq!(mode, expected, "{}", entry.path().display());
    }
}

#[test]
fn a_newer_store_is_refused_and_untouched() {
    let scene = Scene::new();
    let root = scene.store.root();
    fs::write(root.join("version.json"), b"{\"format\":2}").expect("writes");
    fs::remove_dir(root.join("partial")).expect("removes");
    for outcome in [
        Store::open(root, Ownership::Full).map(Some),
        Store::open_existing(root, Ownership::Full),
    ] {
        let error = outcome.expect_err("refused");
        assert_eq!(error.kind(), Kind::Unsupported);
        assert!(error.hint_text().is_some());
    }
    assert!(!root.join("partial").exists());
    let none = Store::open_existing(&root.join("absent"), Ownership::Full).expect("no error");
    assert!(none.is_none() && !root.join("absent").exists());
}

#[test]
fn a_stage_without_publish_leaves_nothing() {
    let scene = Scene::new();
    let stage = scene.store.stage().expect("stage");
    let layer = stage
        .unpack_layer(&tar("x")[..], &small())
        .expect("unpacks");
    stage.add_layer(layer, &[]).expect("adds");
    let boot = fs::read_dir(scene.store.root().join("tmp"))
        .expect("tmp")
        .next();
    let boot = boot.expect("one boot").expect("entry").path();
    assert_eq!(names(&boot).len(), 1);
    drop(stage);
    assert!(names(&boot).is_empty());
    assert!(names(&scene.store.root().join("layers")).is_empty());
}

#[test]
fn f5_leftovers_of_killed_processes_and_other_boots_are_wiped() {
    let scene = Scene::new();
    let tmp = scene.store.root().join("tmp");
    let held = scene.store.stage().expect("stage");
    let boot = tmp.join(&names(&tmp)[0]);
    let dead = boot.join(format!("1-{}", "a".repeat(32)));
    fs::create_dir_all(dead.join("layer-0/fs/d")).expect("mkdir");
    fs::create_dir_all(boot.join("ctr-keep")).expect("mkdir");
    fs::create_dir_all(tmp.join("00000000-old-boot").join("d/".repeat(100))).expect("mkdir");
    drop(scene.store.stage().expect("sweeps"));
    assert!(!dead.exists() && boot.join("ctr-keep").exists());
    assert_eq!(names(&tmp).len(), 1);
    assert_eq!(names(&boot).len(), 2, "the held stage stays");
    drop(held);
}

#[test]
fn a_reference_is_refused_when_part_of_its_image_is_gone() {
    let scene = Scene::new();
    let stage = scene.store.stage().expect("stage");
    let record = describe(&stage, "x", &[DiffId(Digest::of(b"collected meanwhile"))]);
    let error = stage.publish(&[record]).expect_err("incomplete");
    assert!(error.to_string().contains("incomplete"), "{error}");
    assert!(scene.store.refs().expect("lists").is_empty());
}

#[test]
fn f36_a_damaged_reference_never_hides_the_others() {
    let scene = Scene::new();
    let good = publish(&scene.store, "good", &[tar("x")]);
    let dir = scene.store.root().join("refs/docker.io/library");
    fs::create_dir(dir.join("bad")).expect("mkdir");
    let file = dir.join("bad/_tag_latest");
    let whole = fs::read(dir.join("good/_tag_latest")).expect("reads");
    let bad: Reference = "bad".parse().expect("reference");
    let huge = vec![b' '; 2 << 20];
    let damages = (0..whole.len()).map(|end| &whole[..end]);
    for damage in damages.chain([&b"\0\0\0"[..], b"[]", b"{}", &huge, &whole]) {
        fs::write(&file, damage).expect("writes");
        let (refs, broken) = scene.store.refs_and_broken().expect("lists");
        assert_eq!((refs, broken.len()), (vec![good.clone()], 1));
        assert!(scene.store.find_ref(&bad).is_err());
    }
    let kept = scene
        .store
        .collect_garbage(|| Ok(vec![]))
        .expect("collects nothing");
    assert_eq!((kept.blobs, kept.layers, kept.broken.len()), (0, 0, 1));
    assert!(scene.store.untag(&bad).expect("removes"));
    assert!(!dir.join("bad").exists());
    fs::create_dir_all(dir.join("dir/_tag_x")).expect("mkdir");
    assert_eq!(scene.store.refs().expect("lists").len(), 1);
}

#[test]
fn garbage_is_what_no_name_and_no_container_needs() {
    let scene = Scene::new();
    let store = &scene.store;
    let one = publish(store, "one", &[tar("shared"), tar("one")]);
    let two = publish(store, "two", &[tar("shared"), tar("two")]);
    fs::write(store.root().join("blobs/sha256/strange"), b"x").expect("writes");
    fs::create_dir(store.root().join("layers/strange")).expect("mkdir");
    let nothing = store.collect_garbage(|| Ok(vec![])).expect("collects");
    assert_eq!((nothing.blobs, nothing.layers), (0, 0));
    assert!(store.untag(&one.reference).expect("untags"));
    assert!(!store.untag(&one.reference).expect("idempotent"));
    let used = store
        .collect_garbage(|| Ok(vec![one.manifest]))
        .expect("collects");
    assert_eq!((used.blobs, used.layers), (0, 0), "a container uses it");
    let gone = store.collect_garbage(|| Ok(vec![])).expect("collects");
    assert_eq!((gone.blobs, gone.layers), (2, 1));
    assert!(gone.deleted.contains(&one.manifest.to_string()));
    let ids = [tar("shared"), tar("two")].map(|tar| DiffId(Digest::of(&tar)));
    assert_eq!(store.layers_for(&ids).expect("complete").len(), 2);
    assert!(
        store
            .read_blob(&two.image, 1 << 20)
            .expect("reads")
            .is_some()
    );
    assert!(store.root().join("layers/strange").exists());
    assert!(store.root().join("blobs/sha256/strange").exists());
}

#[test]
fn a_layer_without_parent_entries_takes_them_from_below_and_is_named_by_chain() {
    let scene = Scene::new();
    let item = testing::Item {
        kind: b'5',
        name: b"tmp",
        mode: 0o1777,
        uid: 4,
        gid: 5,
        ..Default::default()
    };
    let base = Tar::default().add(&item).end();
    let top = Tar::default().file("tmp/f", b"x").file("new/g", b"y").end();
    publish(&scene.store, "x", &[base.clone(), top.clone()]);
    let ids = [base, top.clone()].map(|tar| DiffId(Digest::of(&tar)));
    let layers = scene.store.layers_for(&ids).expect("complete");
    let path = layers[1].path.to_string_lossy();
    assert!(path.contains("layers/chain-"), "{path}");
    let stat = fs::metadata(layers[1].path.join("tmp")).expect("stat");
    assert_eq!(
        (stat.mode() & 0o7777, stat.uid(), stat.gid()),
        (0o1777, 4, 5)
    );
    assert_eq!(stat.mtime(), 1_600_000_000);
    let new = fs::metadata(layers[1].path.join("new")).expect("stat");
    assert_eq!(new.mode() & 0o7777, 0o755);
    let collected = scene
        .store
        .collect_garbage(|| Ok(vec![]))
        .expect("collects");
    assert_eq!(collected.layers, 0, "chain layers are in use too");
}

#[test]
fn an_opaque_root_hides_every_layer_below() {
    let scene = Scene::new();
    let top = Tar::default()
        .file(".wh..wh..opq", b"")
        .file("f", b"x")
        .end();
    publish(&scene.store, "x", &[tar("below"), top.clone()]);
    let ids = [tar("below"), top].map(|tar| DiffId(Digest::of(&tar)));
    let layers = scene.store.layers_for(&ids).expect("complete");
    assert_eq!(layers.len(), 1);
    assert_eq!(layers[0].diff_id, ids[1]);
}

#[test]
fn squashed_layers_have_names_and_owners_of_their_own() {
    let scene = Scene::new();
    let store = Store::open(scene.store.root(), Ownership::Squashed).expect("opens");
    let item = testing::Item {
        name: b"f",
        uid: 70_000,
        gid: 9,
        ..Default::default()
    };
    let tar = Tar::default().add(&item).end();
    publish(&store, "x", std::slice::from_ref(&tar));
    let key = LayerKey::Diff(DiffId(Digest::of(&tar)));
    assert!(scene.store.layer(&key).expect("reads").is_none());
    let layer = store.layer(&key).expect("reads").expect("exists");
    assert!(layer.path.to_string_lossy().ends_with(".sq/fs"));
    assert_eq!(fs::metadata(layer.path.join("f")).expect("stat").uid(), 0);
}

#[test]
fn partial_blobs_resume_after_a_killed_pull() {
    let scene = Scene::new();
    let digest = Digest::of(b"hello world");
    let stage = scene.store.stage().expect("stage");
    let mut blob = stage.blob_file(&digest).expect("opens");
    blob.append(b"hello ").expect("appends");
    drop((blob, stage));
    let stage = scene.store.stage().expect("stage");
    let mut blob = stage.blob_file(&digest).expect("opens");
    assert_eq!((blob.length(), blob.is_complete()), (6, false));
    blob.append(b"world").expect("appends");
    let mut text = String::new();
    blob.reader()
        .expect("opens")
        .read_to_string(&mut text)
        .expect("reads");
    assert_eq!(text, "hello world");
    blob.commit().expect("right digest");
    assert!(
        scene.store.open_blob(&digest).expect("opens").is_none(),
        "not yet"
    );
    // Killed after the last byte: nothing is downloaded again.
    drop(stage);
    let stage = scene.store.stage().expect("stage");
    let blob = stage.blob_file(&digest).expect("opens");
    assert!(blob.is_complete());
    blob.commit().expect("commits");
    stage.publish(&[]).expect("publishes");
    assert!(scene.store.open_blob(&digest).expect("opens").is_some());
    assert!(names(&scene.store.root().join("partial")).is_empty());
    let stage = scene.store.stage().expect("stage");
    assert!(stage.blob_file(&digest).expect("opens").is_complete());
}

#[test]
fn a25_a_blob_with_another_digest_is_dropped() {
    let scene = Scene::new();
    let stage = scene.store.stage().expect("stage");
    let mut blob = stage.blob_file(&Digest::of(b"right")).expect("opens");
    blob.append(b"wrong").expect("appends");
    assert_eq!(blob.commit().expect_err("differs").kind(), Kind::Corrupt);
    stage.publish(&[]).expect("publishes");
    assert!(names(&scene.store.root().join("partial")).is_empty());
    assert!(names(&scene.store.root().join("blobs/sha256")).is_empty());
}

#[test]
fn two_writers_of_one_blob_take_turns() {
    let scene = Scene::new();
    let digest = Digest::of(b"12");
    let first = scene.store.stage().expect("stage");
    let second = scene.store.stage().expect("stage");
    let mut blob = first.blob_file(&digest).expect("opens");
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| second.blob_file(&digest).expect("opens").is_complete());
        blob.append(b"12").expect("appends");
        blob.commit().expect("commits");
        assert!(
            waiter.join().expect("no panic"),
            "the second finds it complete"
        );
    });
    first.publish(&[]).expect("publishes");
    second.publish(&[]).expect("publishes");
}

#[test]
fn a_damaged_blob_is_not_returned() {
    let scene = Scene::new();
    let record = publish(&scene.store, "x", &[]);
    let path = scene
        .store
        .root()
        .join("blobs/sha256")
        .join(record.image.hex());
    fs::write(path, b"{}").expect("writes");
    let error = scene
        .store
        .read_blob(&record.image, 1 << 20)
        .expect_err("damaged");
    assert_eq!(error.kind(), Kind::Corrupt);
    assert_eq!(
        scene
            .store
            .collect_garbage(|| Ok(vec![]))
            .expect("collects")
            .broken
            .len(),
        1
    );
}

#[test]
fn a13_trees_4000_deep_are_removed_without_recursion() {
    let scene = Scene::new();
    let root = fs::File::open(&scene.path).expect("opens");
    let dup = root.try_clone().expect("dup");
    rustix::fs::mkdirat(&root, "deep", rustix::fs::Mode::RWXU).expect("mkdir");
    let mut dir = atomic::open_dir(std::os::fd::AsFd::as_fd(&dup), "deep").expect("opens");
    for _ in 0..4000 {
        dir = atomic::ensure_dir(std::os::fd::AsFd::as_fd(&dir), "d").expect("mkdir");
    }
    remove_tree(&root, "deep").expect("removes");
    assert!(!scene.path.join("deep").exists());
    remove_tree(&root, "deep").expect("is idempotent");
}

#[test]
fn removal_neither_follows_links_nor_needs_permission_bits() {
    let scene = Scene::new();
    let dir = scene.path.join("t");
    fs::create_dir_all(dir.join("a/b/c")).expect("mkdir");
    for i in 0..3000 {
        fs::create_dir_all(dir.join(format!("a/x{i}/y"))).expect("mkdir");
    }
    std::os::unix::fs::symlink(scene.canary(), dir.join("link")).expect("symlink");
    fs::File::create(dir.join("a/b/f"))
        .expect("file")
        .write_all(b"x")
        .expect("writes");
    fs::set_permissions(dir.join("a/b"), fs::Permissions::from_mode(0o000)).expect("chmod");
    let root = fs::File::open(&scene.path).expect("opens");
    remove_tree(&root, "t").expect("removes");
    assert!(!dir.exists());
    scene.check();
}

#[test]
fn f39_removal_stops_at_a_mount() {
    use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
    let scene = Scene::new();
    let dir = scene.path.join("t/m");
    fs::create_dir_all(&dir).expect("mkdir");
    if mount("tmpfs", &dir, "tmpfs", MountFlags::empty(), None).is_err() {
        eprint!("SKIP cannot mount");
        return;
    }
    fs::write(dir.join("kept"), b"x").expect("writes");
    let root = fs::File::open(&scene.path).expect("opens");
    let outcome = remove_tree(&root, "t");
    let kept = dir.join("kept").exists();
    unmount(&dir, UnmountFlags::DETACH).expect("unmounts");
    assert!(outcome.is_err() && kept);
}

#[test]
fn f19_a_full_disk_ends_cleanly() {
    use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
    let scene = Scene::new();
    let dir = scene.path.join("small");
    fs::create_dir(&dir).expect("mkdir");
    let options = c"size=4m";
    if mount("tmpfs", &dir, "tmpfs", MountFlags::empty(), options).is_err() {
        eprint!("SKIP cannot mount");
        return;
    }
    let store = Store::open(&dir.join("s"), Ownership::Full).expect("opens");
    let kept = publish(&store, "kept", &[tar("x")]);
    let big = Tar::default().file("big", &vec![1; 8 << 20]).end();
    let stage = store.stage().expect("stage");
    let error = stage.unpack_layer(&big[..], &small()).expect_err("full");
    let blob = stage.add_blob(&vec![1; 8 << 20]).expect_err("full");
    drop(stage);
    let listed = store.refs();
    let again = publish(&store, "again", &[tar("y")]);
    let untagged = store.untag(&again.reference);
    drop(store);
    unmount(&dir, UnmountFlags::DETACH).expect("unmounts");
    assert_eq!(error.errno(), Some(rustix::io::Errno::NOSPC), "{error}");
    assert_eq!(blob.errno(), Some(rustix::io::Errno::NOSPC), "{blob}");
    assert_eq!(listed.expect("lists"), [kept]);
    assert!(untagged.expect("untags"));
}

#[test]
fn atomic_write_replaces_whole_files() {
    let scene = Scene::new();
    let root = &*scene.store.fd;
    atomic_write(root, "f.json", b"old", Durable::No).expect("writes");
    atomic_write(root, "f.json", b"new", Durable::Yes).expect("writes");
    assert_eq!(
        fs::read(scene.store.root().join("f.json")).expect("reads"),
        b"new"
    );
    let error = atomic_write(root, "partial", b"x", Durable::No).expect_err("a directory");
    assert!(error.to_string().contains("partial"));
    assert!(
        !names(scene.store.root())
            .iter()
            .any(|name| name.starts_with(".new"))
    );
}

#[test]
fn a21_a_swapped_staging_directory_leads_nowhere() {
    let scene = Scene::new();
    let stage = scene.store.stage().expect("stage");
    let tmp = scene.store.root().join("tmp");
    let boot = tmp.join(&names(&tmp)[0]);
    let place = boot.join(&names(&boot)[0]);
    fs::rename(&place, scene.path.join("moved")).expect("renames");
    std::os::unix::fs::symlink(scene.canary(), &place).expect("symlink");
    let tar = Tar::default().file("file", b"pwned").end();
    stage.unpack_layer(&tar[..], &small()).expect("unpacks");
    let inside = scene.path.join("moved/layer-0/fs/file");
    assert_eq!(fs::read(inside).expect("reads"), b"pwned");
    drop(stage);
    assert!(
        fs::symlink_metadata(&place).is_err(),
        "the link goes, not what it names"
    );
    scene.check();
}

#[test]
fn f36_more_repositories_than_open_files_are_no_damage() {
    const CHILD: &str = "HULL_TEST_FEW_FILES";
    if std::env::var_os(CHILD).is_none() {
        // The limit is the process's, so in one of its own.
        let name = "f36_more_repositories_than_open_files_are_no_damage";
        let script = format!("ulimit -n 64 && exec \"$0\" --exact store::tests::{name}");
        let ran = std::process::Command::new("sh")
            .args(["-c", &script])
            .arg(std::env::current_exe().expect("this program"))
            .env(CHILD, "1")
            .output()
            .expect("runs");
        let told = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success(), "{told}");
        return assert!(told.contains("1 passed"), "{told}");
    }
    let scene = Scene::new();
    publish(&scene.store, "good", &[tar("x")]);
    let dir = scene.store.root().join("refs/docker.io/library");
    let whole = fs::read_to_string(dir.join("good/_tag_latest")).expect("reads");
    for number in 0..100 {
        let copy = dir.join(format!("good{number}"));
        fs::create_dir(&copy).expect("mkdir");
        let text = whole.replace("library/good", &format!("library/good{number}"));
        fs::write(copy.join("_tag_latest"), text).expect("writes");
    }
    let (refs, broken) = scene.store.refs_and_broken().expect("lists");
    assert_eq!((refs.len(), broken.len()), (101, 0), "{broken:?}");

    // With room for a directory, but not for a file in it.
    let mut taken: Vec<_> = std::iter::from_fn(|| fs::File::open("/dev/null").ok()).collect();
    taken.pop();
    let listed = scene.store.refs_and_broken();
    drop(taken);
    let error = listed.expect_err("is no damage of any reference");
    assert_eq!(error.errno(), Some(rustix::io::Errno::MFILE), "{error}");
}

#[test]
fn f36_a_directory_of_names_is_never_dropped_as_a_broken_one() {
    let scene = Scene::new();
    let good = publish(&scene.store, "good", &[tar("x")]);
    let broken = |path: &str| BrokenRef {
        path: path.to_owned(),
        error: crate::error::Error::corrupt("x"),
    };
    for path in ["docker.io", "docker.io/library/good"] {
        let error = scene.store.drop_broken_ref(&broken(path));
        let error = error.expect_err("holds names");
        assert!(error.hint_text().is_some(), "{error}");
    }
    assert_eq!(scene.store.refs().expect("lists"), [good]);
    let one = broken("docker.io/library/good/_tag_latest");
    scene.store.drop_broken_ref(&one).expect("goes");
    scene.store.drop_broken_ref(&one).expect("is gone");
    assert!(scene.store.refs().expect("lists").is_empty());
}

#[test]
fn a_blob_found_here_and_collected_meanwhile_is_missed_at_publication() {
    let scene = Scene::new();
    let first = scene.store.stage().expect("stage");
    let digest = first.add_blob(b"of another image").expect("adds");
    first.publish(&[]).expect("publishes");
    let stage = scene.store.stage().expect("stage");
    let blob = stage.blob_file(&digest).expect("opens");
    assert!(blob.is_complete());
    blob.commit().expect("is here");
    let gone = scene.store.collect_garbage(|| Ok(vec![]));
    assert_eq!(gone.expect("collects").blobs, 1);
    let error = stage.publish(&[]).expect_err("incomplete");
    assert!(error.to_string().contains("removed meanwhile"), "{error}");
    assert!(error.hint_text().is_some());
}

#[test]
fn an_old_download_is_kept_from_its_end_until_it_is_published() {
    let scene = Scene::new();
    let digest = Digest::of(b"12");
    let stage = scene.store.stage().expect("stage");
    let mut blob = stage.blob_file(&digest).expect("opens");
    blob.append(b"12").expect("appends");
    drop((blob, stage));
    let file = scene.store.root().join("partial").join(digest.hex());
    let two_days = std::time::Duration::from_secs(48 * 3600);
    let file = fs::File::options().write(true).open(file).expect("opens");
    file.set_modified(std::time::SystemTime::now() - two_days)
        .expect("is ours");
    let stage = scene.store.stage().expect("stage");
    let blob = stage.blob_file(&digest).expect("opens");
    blob.commit().expect("is whole");
    scene
        .store
        .collect_garbage(|| Ok(vec![]))
        .expect("collects");
    stage.publish(&[]).expect("publishes");
    assert!(scene.store.open_blob(&digest).expect("opens").is_some());
}

#[test]
fn names_are_chosen_while_nobody_else_publishes() {
    use rustix::fs::{FlockOperation, flock};
    let scene = Scene::new();
    let stage = scene.store.stage().expect("stage");
    let late = publish(&scene.store, "late", &[]);
    let chosen = scene.store.publish_choosing(stage, |known| {
        assert_eq!(
            known,
            std::slice::from_ref(&late),
            "read at the last moment"
        );
        let lock = fs::File::open(scene.store.root().join("gc.lock")).expect("opens");
        let shared = flock(&lock, FlockOperation::NonBlockingLockShared);
        assert_eq!(shared, Err(rustix::io::Errno::WOULDBLOCK));
        Ok(NameChange {
            taken: vec![late.reference.clone()],
            ..NameChange::default()
        })
    });
    chosen.expect("publishes");
    assert!(scene.store.refs().expect("lists").is_empty());
}

#[test]
fn a_name_that_stands_for_something_else_is_not_unlinked() {
    let scene = Scene::new();
    let store = &scene.store;
    let old = publish(store, "one", &[tar("old")]);
    let new = publish(store, "one", &[tar("new")]);
    let locked = store.lock_names().expect("locks");
    let unlinked = store.unlink_seen(&old, &locked).expect("compares");
    assert!(matches!(unlinked, Unlinked::Moved), "{unlinked:?}");
    let kept = store.unlink_damaged(&old.reference, &locked);
    kept.expect_err("somebody has written it anew");
    assert_eq!(store.refs().expect("lists"), std::slice::from_ref(&new));
    let unlinked = store.unlink_seen(&new, &locked).expect("compares");
    assert!(matches!(unlinked, Unlinked::Gone(Some(_))), "{unlinked:?}");
}
