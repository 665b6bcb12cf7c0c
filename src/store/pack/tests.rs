//! What is packed is read back by our own strict reader, by unpacking it, and again: the second
//! tar must be the first.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use super::{Form, Pack, plainly};
use crate::base::Digest;
use crate::store::Limits;
use crate::store::testing::Scene;

/// A tree in a directory of its own.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str) -> Tree {
        let path = std::env::temp_dir().join(format!("hull-pack-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("made");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("mode");
        Tree(path)
    }

    /// One of everything that any user can make.
    fn full(name: &str) -> Tree {
        let tree = Tree::new(name);
        let at = |path: &str| tree.0.join(path);
        fs::create_dir_all(at("dir/empty")).expect("made");
        fs::write(at("dir/file"), "content").expect("written");
        fs::write(at("dir/none"), "").expect("written");
        fs::hard_link(at("dir/file"), at("dir/second name")).expect("linked");
        fs::hard_link(at("dir/file"), at("another")).expect("linked");
        symlink("../nowhere", at("dir/link")).expect("linked");
        symlink("x".repeat(300), at("dir/long link")).expect("linked");
        fs::write(at(&format!("dir/{}", "n".repeat(255))), "long").expect("written");
        let umlaut = at("dir/\u{e4}\u{1F600}\n");
        fs::write(&umlaut, vec![7; 700]).expect("written");
        fs::set_permissions(&umlaut, fs::Permissions::from_mode(0o4711)).expect("mode");
        let fifo = rustix::fs::FileType::Fifo;
        let mode = rustix::fs::Mode::from_raw_mode(0o640);
        rustix::fs::mknodat(rustix::fs::CWD, at("dir/fifo"), fifo, mode, 0).expect("made");
        let holes = File::create(at("holes")).expect("made");
        holes.set_len(9 << 20).expect("grows");
        holes
            .write_all_at(b"middle", (4 << 20) + 17)
            .expect("written");
        // Stored zeros: as sparse as a hole, in the archive.
        fs::write(at("zeros"), vec![0; 3 << 20]).expect("written");
        let old = std::time::UNIX_EPOCH - std::time::Duration::from_secs(86_400);
        let file = File::options()
            .write(true)
            .open(at("dir/none"))
            .expect("opened");
        file.set_modified(old).expect("set");
        let flags = rustix::fs::XattrFlags::empty();
        let _ = rustix::fs::setxattr(at("dir/none"), "user.colour", b"green\0", flags);
        let _ = rustix::fs::setxattr(at("dir/none"), "user.overlay.opaque", b"y", flags);
        tree
    }

    fn fd(&self) -> OwnedFd {
        File::open(&self.0).expect("opened").into()
    }

    fn pack(&self, form: Form) -> Vec<u8> {
        pack(self.fd(), form)
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn pack(dir: OwnedFd, form: Form) -> Vec<u8> {
    let mut tar = Vec::new();
    let mut pack = Pack::new(dir, b"", form, plainly()).expect("starts");
    pack.read_to_end(&mut tar).expect("packs");
    tar
}

/// Name and type of each entry.
fn entries(tar: &[u8]) -> Vec<(String, u8)> {
    let mut archive = tar::Archive::new(tar);
    let read = archive.entries().expect("entries").map(|entry| {
        let entry = entry.expect("an entry");
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        (name, entry.header().entry_type().as_byte())
    });
    read.collect()
}

#[test]
fn the_tar_of_a_layer_made_here_is_made_again_byte_for_byte() {
    let scene = Scene::new();
    let tree = Tree::full("again");
    let tar = tree.pack(Form::Layer);
    let stage = scene.store.stage().expect("stage");
    let layer = stage
        .unpack_layer(&tar[..], &Limits::default())
        .expect("unpacks");
    let diff_id = layer.diff_id;
    assert_eq!(diff_id.0, Digest::of(&tar));
    stage.add_layer(layer, &[]).expect("adds");
    stage.publish(&[]).expect("publishes");
    let mut again = Vec::new();
    let made = scene
        .store
        .layer_tar(&diff_id)
        .expect("opens")
        .expect("is here");
    let mut made = made;
    made.read_to_end(&mut again).expect("is the same");
    assert!(again == tar);
    assert!(
        scene
            .store
            .layer_tar(&crate::base::DiffId(Digest::of(b"x")))
            .expect("looks")
            .is_none()
    );

    // Any change is found out at the end.
    let path = scene
        .store
        .root()
        .join("layers")
        .join(diff_id.0.hex())
        .join("fs/dir/file");
    let path = match path.exists() {
        true => path,
        false => scene
            .store
            .root()
            .join(format!("layers/{}.sq/fs/dir/file", diff_id.0.hex())),
    };
    fs::write(path, "Content").expect("written");
    let mut changed = scene
        .store
        .layer_tar(&diff_id)
        .expect("opens")
        .expect("is here");
    let error = io::copy(&mut changed, &mut io::sink()).expect_err("refused");
    assert!(
        error.to_string().contains("does not give the tar"),
        "{error}"
    );
}

#[test]
fn holes_are_found_by_content_and_huge_ones_cost_nothing() {
    let tree = Tree::new("holes");
    let stored = File::create(tree.0.join("stored")).expect("made");
    stored.write_all_at(&vec![0; 4 << 20], 0).expect("written");
    stored.write_all_at(b"x", 2 << 20).expect("written");
    let first = tree.pack(Form::Tree);
    // The same bytes with a real hole.
    fs::remove_file(tree.0.join("stored")).expect("removed");
    let times = stored.metadata().expect("stat").modified().expect("time");
    let hollow = File::create(tree.0.join("stored")).expect("made");
    hollow.set_len(4 << 20).expect("grows");
    hollow.write_all_at(b"x", 2 << 20).expect("written");
    hollow.set_modified(times).expect("set");
    assert!(first == tree.pack(Form::Tree));
    assert!(first.len() < 200 << 10, "{}", first.len());
    // As large as this file system can.
    let huge = File::create(tree.0.join("huge")).expect("made");
    let size = (40..63).rev().map(|bits| 1u64 << bits);
    let size = size
        .clone()
        .find(|size| huge.set_len(*size).is_ok())
        .expect("grows");
    let began = std::time::Instant::now();
    assert!(tree.pack(Form::Tree).len() < 300 << 10, "{size}");
    assert!(began.elapsed().as_secs() < 2);
}

#[test]
fn names_are_sorted_and_links_follow_what_they_link_to() {
    let tree = Tree::full("sorted");
    let tar = tree.pack(Form::Tree);
    let names: Vec<String> = entries(&tar).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names[..4], ["another", "dir/", "dir/empty/", "dir/fifo"]);
    let kind = |name: &str| {
        let found = entries(&tar).into_iter().find(|(known, _)| known == name);
        char::from(found.expect(name).1)
    };
    let kinds = [
        "another", "dir/", "dir/fifo", "dir/file", "dir/link", "dir/none",
    ]
    .map(kind);
    assert_eq!(kinds, ['0', '5', '6', '1', '2', '0']);
}

#[test]
fn overlays_marks_become_those_of_an_archive() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("SKIP whiteouts are device nodes, which need root");
    }
    let tree = Tree::new("marks");
    let at = |path: &str| tree.0.join(path);
    fs::create_dir_all(at("opaque")).expect("made");
    fs::write(at("opaque/new"), "new").expect("written");
    let device = rustix::fs::FileType::CharacterDevice;
    let mode = rustix::fs::Mode::empty();
    rustix::fs::mknodat(rustix::fs::CWD, at("gone"), device, mode, 0).expect("made");
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(at("opaque"), "trusted.overlay.opaque", b"y", flags).expect("set");
    let names: Vec<String> = entries(&tree.pack(Form::Layer))
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        names,
        [".wh.gone", "opaque/", "opaque/.wh..wh..opq", "opaque/new"]
    );
    // In a tree that is no layer they are what they are.
    let tree_names = entries(&tree.pack(Form::Tree));
    assert_eq!(tree_names[0], ("gone".to_owned(), b'3'));

    let scene = Scene::new();
    let stage = scene.store.stage().expect("stage");
    let tar = tree.pack(Form::Layer);
    let layer = stage
        .unpack_layer(&tar[..], &Limits::default())
        .expect("unpacks");
    let diff_id = layer.diff_id;
    stage.add_layer(layer, &[]).expect("adds");
    stage.publish(&[]).expect("publishes");
    let mut made = scene
        .store
        .layer_tar(&diff_id)
        .expect("opens")
        .expect("is here");
    io::copy(&mut made, &mut io::sink()).expect("is the same");
}

#[test]
fn gnu_tar_reads_what_we_write() {
    let tree = Tree::full("gnu");
    let out = Tree::new("gnu-out");
    let tar = out.0.join("x.tar");
    fs::write(&tar, tree.pack(Form::Tree)).expect("written");
    let into = out.0.join("into");
    fs::create_dir(&into).expect("made");
    let mut command = std::process::Command::new("tar");
    let ran = command.arg("-C").arg(&into).arg("-xpf").arg(&tar).output();
    let Ok(ran) = ran else {
        return eprintln!("SKIP no tar(1) here");
    };
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    compare(&tree.0, &into);
}

/// Fails unless the two trees hold the same.
fn compare(left: &Path, right: &Path) {
    let names = |path: &Path| {
        let mut names: Vec<_> = fs::read_dir(path)
            .expect("lists")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(left), names(right), "{}", left.display());
    for name in names(left) {
        let (left, right) = (left.join(&name), right.join(&name));
        let stat = |path: &Path| fs::symlink_metadata(path).expect("stat");
        let (one, two) = (stat(&left), stat(&right));
        let shown = |stat: &fs::Metadata| (stat.mode(), stat.nlink(), stat.mtime());
        assert_eq!(shown(&one), shown(&two), "{}", left.display());
        if one.is_dir() {
            compare(&left, &right);
        } else if one.is_file() {
            let same = fs::read(&left).expect("reads") == fs::read(&right).expect("reads");
            assert!(same, "{}", left.display());
        } else if one.is_symlink() {
            assert_eq!(
                fs::read_link(&left).expect("reads"),
                fs::read_link(&right).expect("reads")
            );
        }
    }
}
