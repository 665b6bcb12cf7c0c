//! The walk through a tree, one archive entry at a time.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::body::{self, Body};
use super::{failed, whiteout};
use crate::error::Result;
use crate::store::archive::{Entry, EntryKind};
use crate::store::extract::{clamp_time, is_kept, is_opaque, is_whiteout, without_root_id};

/// How a tree is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Tree,
    /// As a layer: overlayfs's marks become the archive's.
    Layer,
}

/// Pins `name` in a directory; the path of the directory below the top comes with it. For trees in
/// which something takes the place of a directory.
pub type Enter<'a> =
    Box<dyn Fn(BorrowedFd<'_>, &[u8], &[u8]) -> rustix::io::Result<OwnedFd> + Send + Sync + 'a>;

/// One entry and its data.
pub struct Step {
    pub entry: Entry,
    pub body: Option<Body>,
}

/// A walk under way.
pub struct Walk<'a> {
    form: Form,
    enter: Enter<'a>,
    levels: Vec<Level>,
    /// What comes next, before anything else is looked at.
    waiting: Option<Step>,
    /// The first name of each file that has several.
    links: HashMap<(u64, u64), Vec<u8>>,
    pub entries: u64,
}

/// A directory on the way down.
struct Level {
    dir: OwnedFd,
    /// Its name in the archive, with a slash at the end unless it is empty.
    prefix: Vec<u8>,
    /// Where it is below the top.
    path: Vec<u8>,
    names: std::vec::IntoIter<Vec<u8>>,
}

/// [`Enter`] for trees without anything of the kind.
pub fn plainly() -> Enter<'static> {
    Box::new(|dir, _, name| {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        rustix::fs::openat2(dir, name, flags, Mode::empty(), resolve)
    })
}

impl<'a> Walk<'a> {
    pub fn new(node: OwnedFd, name: &[u8], form: Form, enter: Enter<'a>) -> Result<Walk<'a>> {
        let mut walk = Walk {
            form,
            enter,
            levels: Vec::new(),
            waiting: None,
            links: HashMap::new(),
            entries: 0,
        };
        let stat = rustix::fs::fstat(&node)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            walk.waiting = walk.leaf(node, &stat, name.to_vec())?;
            return Ok(walk);
        }
        let told = match form {
            Form::Tree => !name.is_empty(),
            // The root of a layer is told only where it is not what a layer's root is by itself.
            Form::Layer => stat.st_mode & 0o7777 != 0o755 || (stat.st_uid, stat.st_gid) != (0, 0),
        };
        let shown = if name.is_empty() { b"." } else { name };
        let prefix = match name {
            b"" => Vec::new(),
            name => [name, b"/"].concat(),
        };
        let dir = readable(node.as_fd())?;
        let mut entry = directory_entry(&dir, &stat, [shown, b"/"].concat())?;
        if form == Form::Layer {
            // Nothing keeps the time of a layer's root.
            entry.mtime = (0, 0);
            entry.xattrs.clear();
        }
        walk.enter_directory(dir, prefix, Vec::new())?;
        if told {
            walk.entries += 1;
            walk.waiting = Some(Step { entry, body: None });
        }
        Ok(walk)
    }

    pub fn next(&mut self) -> Result<Option<Step>> {
        loop {
            if let Some(step) = self.waiting.take() {
                return Ok(Some(step));
            }
            let Some(level) = self.levels.last_mut() else {
                return Ok(None);
            };
            let Some(name) = level.names.next() else {
                self.levels.pop();
                continue;
            };
            let path = [&level.prefix[..], &name].concat();
            let pinned = (self.enter)(level.dir.as_fd(), &level.path, &name);
            let looked = pinned.and_then(|node| Ok((rustix::fs::fstat(&node)?, node)));
            let (stat, node) = match looked {
                // The tree may change meanwhile: what has gone is not packed.
                Err(Errno::NOENT) => continue,
                looked => looked.map_err(|errno| failed(&path, errno))?,
            };
            let below = [&level.path[..], b"/", &name].concat();
            let step = self.step(node, &stat, path.clone(), below, &name);
            if let Some(step) = step.map_err(|error| failed(&path, error))? {
                self.entries += 1;
                return Ok(Some(step));
            }
        }
    }

    fn step(
        &mut self,
        node: OwnedFd,
        stat: &Stat,
        path: Vec<u8>,
        below: Vec<u8>,
        name: &[u8],
    ) -> Result<Option<Step>> {
        if self.form == Form::Layer && is_whiteout(stat) {
            let parent = &path[..path.len() - name.len()];
            let entry = whiteout([parent, b".wh.", name].concat());
            return Ok(Some(Step { entry, body: None }));
        }
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            return self.leaf(node, stat, path);
        }
        let prefix = [&path[..], b"/"].concat();
        let dir = readable(node.as_fd())?;
        let entry = directory_entry(&dir, stat, prefix.clone())?;
        if self.form == Form::Layer && is_opaque(&dir) {
            let entry = whiteout([&prefix[..], b".wh..wh..opq"].concat());
            self.waiting = Some(Step { entry, body: None });
        }
        self.enter_directory(dir, prefix, below)?;
        Ok(Some(Step { entry, body: None }))
    }

    fn enter_directory(&mut self, dir: OwnedFd, prefix: Vec<u8>, path: Vec<u8>) -> Result<()> {
        let names = crate::sys::directory::names(&dir)?;
        self.levels.push(Level {
            dir,
            prefix,
            path,
            names: names.into_iter(),
        });
        Ok(())
    }

    /// Everything but a directory; none for what no archive can hold.
    fn leaf(&mut self, node: OwnedFd, stat: &Stat, path: Vec<u8>) -> Result<Option<Step>> {
        let device = || {
            let number = stat.st_rdev;
            (rustix::fs::major(number), rustix::fs::minor(number))
        };
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => EntryKind::File,
            FileType::Symlink => EntryKind::Symlink,
            FileType::Fifo => EntryKind::Fifo,
            FileType::CharacterDevice => EntryKind::Character(device().0, device().1),
            FileType::BlockDevice => EntryKind::Block(device().0, device().1),
            _ => return Ok(None),
        };
        let mut entry = entry_of(kind, stat, path);
        if stat.st_nlink > 1 {
            let identity = (stat.st_dev, stat.st_ino);
            if let Some(first) = self.links.get(&identity) {
                entry.kind = EntryKind::HardLink;
                entry.link.clone_from(first);
                entry.size = 0;
                return Ok(Some(Step { entry, body: None }));
            }
            self.links.insert(identity, entry.path.clone());
        }
        match entry.kind {
            EntryKind::Symlink => {
                entry.link = rustix::fs::readlinkat(&node, c"", Vec::new())?.into_bytes();
                Ok(Some(Step { entry, body: None }))
            }
            EntryKind::File => self.file(&node, entry).map(Some),
            _ => Ok(Some(Step { entry, body: None })),
        }
    }

    fn file(&self, node: &OwnedFd, mut entry: Entry) -> Result<Step> {
        // Pinned and known to be a regular file: this opens that very file.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(CWD, proc_path(node), flags, Mode::empty())?;
        entry.xattrs = attributes(&file)?;
        entry.segments = body::segments(&file, entry.size)?;
        let body = Body::new(file, entry.size, entry.segments.as_deref());
        Ok(Step {
            entry,
            body: Some(body),
        })
    }
}

fn directory_entry(dir: &OwnedFd, stat: &Stat, path: Vec<u8>) -> Result<Entry> {
    let mut entry = entry_of(EntryKind::Directory, stat, path);
    entry.xattrs = attributes(dir)?;
    Ok(entry)
}

fn entry_of(kind: EntryKind, stat: &Stat, path: Vec<u8>) -> Entry {
    let size = match kind {
        EntryKind::File => u64::try_from(stat.st_size).unwrap_or(0),
        _ => 0,
    };
    Entry {
        mode: if kind == EntryKind::Symlink {
            0o777
        } else {
            stat.st_mode & 0o7777
        },
        kind,
        path,
        link: Vec::new(),
        uid: stat.st_uid,
        gid: stat.st_gid,
        mtime: (clamp_time(stat.st_mtime), 0),
        xattrs: Vec::new(),
        size,
        segments: None,
    }
}

fn readable(dir: BorrowedFd<'_>) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(dir, c".", flags, Mode::empty())
}

/// A path that reaches the very file of an `O_PATH` descriptor, for calls that lack another way.
fn proc_path(fd: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

/// What a layer keeps of an open file's or directory's extended attributes, sorted, as it would be
/// unpacked again.
fn attributes(file: &OwnedFd) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut few = [0u8; 256];
    let mut many = Vec::new();
    let list = loop {
        let list = match many.is_empty() {
            true => &mut few[..],
            false => &mut many[..],
        };
        match rustix::fs::flistxattr(file, list) {
            Ok(0) | Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
            Ok(length) if many.is_empty() => break &few[..length],
            Ok(length) => break &many[..length],
            Err(Errno::RANGE) => many.resize(64 << 10, 0),
            Err(errno) => return Err(errno.into()),
        }
    };
    let mut kept = Vec::new();
    for name in list.split(|byte| *byte == 0) {
        let is_capability = name == b"security.capability";
        if !is_capability && !is_kept(name) {
            continue;
        }
        let mut value = vec![0u8; 64 << 10];
        let length = match rustix::fs::fgetxattr(file, name, &mut value[..]) {
            Ok(length) => length,
            // Removed meanwhile.
            Err(Errno::NODATA) => continue,
            Err(errno) => return Err(errno.into()),
        };
        value.truncate(length);
        let value = match is_capability {
            true => without_root_id(&value),
            false => Some(value),
        };
        kept.extend(value.map(|value| (name.to_vec(), value)));
    }
    kept.sort();
    Ok(kept)
}
