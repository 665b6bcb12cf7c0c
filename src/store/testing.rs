//! Fixtures: archives built block by block, a store of its own, a canary tree beside it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{Limits, Stage, Store, UnpackedLayer};
use crate::base::Ownership;
use crate::error::{Error, Result};

/// The fields of one header; the builder computes the checksum and nothing else.
pub struct Item<'a> {
    pub kind: u8,
    pub name: &'a [u8],
    pub link: &'a [u8],
    pub mode: u32,
    pub uid: u64,
    pub gid: u64,
    pub mtime: i64,
    pub device: (u32, u32),
    pub data: &'a [u8],
}

impl Default for Item<'_> {
    fn default() -> Self {
        Item {
            kind: b'0',
            name: b"",
            link: b"",
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime: 1_600_000_000,
            device: (0, 0),
            data: b"",
        }
    }
}

/// An archive under construction.
#[derive(Default, Clone)]
pub struct Tar(pub Vec<u8>);

impl Tar {
    pub fn file(self, name: &str, data: &[u8]) -> Tar {
        let name = name.as_bytes();
        self.add(&Item {
            name,
            data,
            ..Item::default()
        })
    }

    pub fn dir(self, name: &str, mode: u32) -> Tar {
        let name = name.as_bytes();
        self.add(&Item {
            kind: b'5',
            name,
            mode,
            ..Item::default()
        })
    }

    pub fn symlink(self, name: &str, link: &str) -> Tar {
        let (name, link) = (name.as_bytes(), link.as_bytes());
        self.add(&Item {
            kind: b'2',
            name,
            link,
            mode: 0o777,
            ..Item::default()
        })
    }

    pub fn hard_link(self, name: &str, link: &str) -> Tar {
        let (name, link) = (name.as_bytes(), link.as_bytes());
        self.add(&Item {
            kind: b'1',
            name,
            link,
            ..Item::default()
        })
    }

    pub fn device(self, kind: u8, name: &str, device: (u32, u32)) -> Tar {
        let name = name.as_bytes();
        self.add(&Item {
            kind,
            name,
            device,
            ..Item::default()
        })
    }

    pub fn add(mut self, item: &Item<'_>) -> Tar {
        self.0.extend_from_slice(&header(item));
        self.data(item.data)
    }

    /// A PAX header in front of the next entry (`x`) or the rest (`g`).
    pub fn pax(self, kind: u8, records: &[(&str, &[u8])]) -> Tar {
        let mut body = Vec::new();
        for (key, value) in records {
            body.extend_from_slice(&record(key, value));
        }
        self.add(&Item {
            kind,
            name: b"pax",
            data: &body,
            ..Item::default()
        })
    }

    /// Data and its padding.
    pub fn data(mut self, data: &[u8]) -> Tar {
        self.0.extend_from_slice(data);
        let padded = self.0.len().next_multiple_of(512);
        self.0.resize(padded, 0);
        self
    }

    /// Changes the last header, then its checksum.
    pub fn patch(mut self, patch: impl FnOnce(&mut [u8])) -> Tar {
        let start = self.0.len() - 512;
        patch(&mut self.0[start..]);
        sum(&mut self.0[start..]);
        self
    }

    pub fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

/// A PAX record whose length counts itself.
pub fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

pub fn header(item: &Item<'_>) -> [u8; 512] {
    let mut block = [0; 512];
    block[..item.name.len()].copy_from_slice(item.name);
    octal(&mut block[100..108], u64::from(item.mode));
    octal(&mut block[108..116], item.uid);
    octal(&mut block[116..124], item.gid);
    octal(&mut block[124..136], item.data.len() as u64);
    octal(&mut block[136..148], item.mtime.cast_unsigned());
    block[156] = item.kind;
    block[157..157 + item.link.len()].copy_from_slice(item.link);
    block[257..265].copy_from_slice(b"ustar\x0000");
    if matches!(item.kind, b'3' | b'4') {
        octal(&mut block[329..337], u64::from(item.device.0));
        octal(&mut block[337..345], u64::from(item.device.1));
    }
    sum(&mut block);
    block
}

/// Octal if it fits, else base-256.
pub fn octal(field: &mut [u8], value: u64) {
    let width = field.len() - 1;
    let text = format!("{value:0width$o}");
    if text.len() <= width {
        field[..width].copy_from_slice(text.as_bytes());
        field[width] = 0;
        return;
    }
    let bytes = value.to_be_bytes();
    let sign = if value >> 63 == 1 { 0xff } else { 0 };
    let length = field.len();
    field.fill(sign);
    let low = bytes.len().min(length - 1);
    field[length - low..].copy_from_slice(&bytes[bytes.len() - low..]);
    field[0] = if sign == 0 { 0x80 } else { 0xff };
}

/// Writes the checksum of a header.
pub fn sum(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// A directory with a store and a canary, removed at the end.
pub struct Scene {
    pub path: PathBuf,
    pub store: Store,
    before: BTreeMap<PathBuf, String>,
}

impl Scene {
    pub fn new() -> Scene {
        let random = super::atomic::random_hex().expect("random");
        let path = std::env::temp_dir().join(format!("hull-store-{random}"));
        fs::create_dir_all(path.join("canary/dir")).expect("mkdir");
        fs::write(path.join("canary/file"), b"canary").expect("write");
        fs::write(path.join("canary/dir/inner"), b"inner").expect("write");
        fs::write(path.join("canary/suid"), b"suid").expect("write");
        let suid = fs::Permissions::from_mode(0o4755);
        fs::set_permissions(path.join("canary/suid"), suid).expect("chmod");
        let store = Store::open(&path.join("store"), Ownership::Full).expect("opens");
        let before = snapshot(&path.join("canary"));
        Scene {
            path,
            store,
            before,
        }
    }

    pub fn canary(&self) -> String {
        self.path.join("canary").display().to_string()
    }

    /// Unpacks and leaves the stage open, so that the tree can be looked at.
    pub fn unpack(&self, tar: &[u8]) -> Result<Unpacked> {
        let stage = self.store.stage()?;
        let layer = stage.unpack_layer(tar, &small())?;
        let base = format!(
            "/proc/self/fd/{}",
            std::os::fd::AsRawFd::as_raw_fd(&layer.dir)
        );
        let fs = fs::read_link(base).expect("link").join("fs");
        Ok(Unpacked { stage, layer, fs })
    }

    /// Unpacks, expects a refusal that leaves nothing behind, and returns it.
    pub fn refuse(&self, tar: &[u8]) -> Error {
        let layers = self.path.join("store/layers");
        let stage = self.store.stage().expect("stage");
        let error = stage
            .unpack_layer(tar, &small())
            .expect_err("must be refused");
        drop(stage);
        assert_eq!(fs::read_dir(layers).expect("layers").count(), 0);
        let tmp = self.path.join("store/tmp");
        for boot in fs::read_dir(tmp).expect("tmp") {
            let left = fs::read_dir(boot.expect("entry").path())
                .expect("boot")
                .count();
            assert_eq!(left, 0, "staging left behind after: {error}");
        }
        self.check();
        error
    }

    /// The canary is as it was: bytes, modes, owners, inodes, times, attributes.
    pub fn check(&self) {
        assert_eq!(snapshot(&self.path.join("canary")), self.before);
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let parent = fs::File::open(self.path.parent().expect("has a parent")).expect("opens");
        super::remove_tree(&parent, self.path.file_name().expect("has a name")).expect("removes");
    }
}

pub struct Unpacked {
    #[expect(dead_code, reason = "keeps the tree alive")]
    pub stage: Stage,
    pub layer: UnpackedLayer,
    pub fs: PathBuf,
}

impl Unpacked {
    pub fn read(&self, path: &str) -> String {
        let bytes = fs::read(self.fs.join(path)).expect(path);
        String::from_utf8(bytes).expect("text")
    }

    pub fn stat(&self, path: &str) -> fs::Metadata {
        fs::symlink_metadata(self.fs.join(path)).expect(path)
    }

    pub fn exists(&self, path: &str) -> bool {
        fs::symlink_metadata(self.fs.join(path)).is_ok()
    }

    pub fn names(&self) -> Vec<Vec<u8>> {
        let entries = fs::read_dir(&self.fs).expect("lists");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("entry").file_name().as_bytes().to_vec())
            .collect();
        names.sort();
        names
    }

    pub fn xattr(&self, path: &str, name: &str) -> Option<Vec<u8>> {
        let mut value = vec![0; 256];
        let length = rustix::fs::lgetxattr(self.fs.join(path), name, &mut value[..]).ok()?;
        value.truncate(length);
        Some(value)
    }
}

/// Limits for tests: no free-space floor.
pub fn small() -> Limits {
    Limits {
        min_free_bytes: 0,
        min_free_percent: 0,
        ..Limits::default()
    }
}

fn snapshot(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut seen = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root) {
        let entry = entry.expect("walks");
        let stat = entry.metadata().expect("stat");
        let bytes = if stat.is_file() {
            fs::read(entry.path()).expect("reads")
        } else {
            vec![]
        };
        let mut names = vec![0; 4096];
        let length = rustix::fs::llistxattr(entry.path(), &mut names[..]).expect("lists");
        let text = format!(
            "{:o} {}:{} {} {} {}.{} {:?} {:?}",
            stat.mode(),
            stat.uid(),
            stat.gid(),
            stat.ino(),
            stat.nlink(),
            stat.mtime(),
            stat.mtime_nsec(),
            bytes,
            &names[..length],
        );
        seen.insert(entry.path().to_owned(), text);
    }
    seen
}
