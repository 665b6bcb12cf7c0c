//! `diff`: what a container changed of its image, from the directory overlayfs keeps changes in.
//!
//! That directory also holds files that were only opened for writing, or whose directory was: they
//! are told apart by comparing them with the image. Mount points that hull made are not changes.

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::access;
use crate::base::ContainerId;
use crate::config::Settings;
use crate::error::{Context as _, Result};
use crate::rootfs::{Node, join, names_in};
use crate::state::Config;
use crate::store::{Store, is_opaque, is_whiteout};

/// What happened to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Added,
    Changed,
    Deleted,
}

/// As in `docker diff`: one letter.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Added => "A",
            Kind::Changed => "C",
            Kind::Deleted => "D",
        })
    }
}

/// One changed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub kind: Kind,
    pub path: Vec<u8>,
}

/// What the container changed, parents before children, names by their bytes.
pub fn diff(settings: &Settings, store: &Store, id: &ContainerId) -> Result<Vec<Change>> {
    super::cp::raise_descriptors();
    let records = super::records(settings);
    let config = records.config(id)?;
    let image = access::mount_image(settings, store, &config)?;
    let upper = records.directory(id).join("up/diff");
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let upper = rustix::fs::openat(CWD, &upper, flags, Mode::empty())
        .context(|| format!("open {}", upper.display()))?;
    let mut comparison = Comparison {
        made_by_us: mount_points(&config),
        changes: Vec::new(),
    };
    comparison.directory(&upper, Some(&image), b"")?;
    Ok(comparison.changes)
}

/// The places that mounts are put on, and the directories on the way there.
fn mount_points(config: &Config) -> HashSet<Vec<u8>> {
    let mounts = config.mounts.iter();
    let given = mounts.flat_map(|mount| mount.target.ancestors());
    let given = given.map(|target| target.as_os_str().as_bytes().to_vec());
    let own = super::files::more(config).into_iter();
    let own = own.map(|name| format!("/etc/{name}").into_bytes());
    given.chain(own).collect()
}

struct Comparison {
    made_by_us: HashSet<Vec<u8>>,
    changes: Vec<Change>,
}

impl Comparison {
    /// Compares a directory of changes with the same one in the image, if there is one.
    fn directory(&mut self, upper: &OwnedFd, image: Option<&OwnedFd>, path: &[u8]) -> Result<()> {
        let subject = |path: &[u8]| format!("compare {}", String::from_utf8_lossy(path));
        let mut names = names_in(upper.as_fd()).context(|| subject(path))?;
        let mut gone = HashSet::new();
        if let Some(image) = image
            && is_opaque(upper)
        {
            // It shows nothing of the image: what is there and not here was deleted.
            let known: HashSet<Vec<u8>> = names.iter().cloned().collect();
            let below = names_in(image.as_fd()).context(|| subject(path))?;
            gone.extend(below.into_iter().filter(|name| !known.contains(name)));
            names.extend(gone.iter().cloned());
            names.sort_unstable();
        }
        for name in names {
            let path = join(path, &name);
            if gone.contains(&name) {
                self.add(Kind::Deleted, path);
                continue;
            }
            self.entry(upper.as_fd(), image, &name, &path)
                .context(|| subject(&path))?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        upper: BorrowedFd<'_>,
        image: Option<&OwnedFd>,
        name: &[u8],
        path: &[u8],
    ) -> Result<()> {
        // The container may run: what has gone meanwhile is no change.
        let Some(new) = pin(upper, name)? else {
            return Ok(());
        };
        let old = match image {
            Some(image) => pin(image.as_fd(), name)?,
            None => None,
        };
        if is_whiteout(&new.stat) {
            if old.is_some() {
                self.add(Kind::Deleted, path.to_vec());
            }
            return Ok(());
        }
        let at = self.changes.len();
        if new.is_directory() {
            let below = old.as_ref().filter(|old| old.is_directory());
            let below = below.map(|old| readable(&old.fd)).transpose()?;
            self.directory(&readable(&new.fd)?, below.as_ref(), path)?;
        }
        let inside = self.changes.len() > at;
        let kind = match &old {
            None if !inside && self.is_mount_point(&new, path) => return Ok(()),
            None => Kind::Added,
            Some(old) if inside || differ(old, &new)? => Kind::Changed,
            Some(_) => return Ok(()),
        };
        let path = path.to_vec();
        self.changes.insert(at, Change { kind, path });
        Ok(())
    }

    fn add(&mut self, kind: Kind, path: Vec<u8>) {
        self.changes.push(Change { kind, path });
    }

    /// Whether this was made for a mount: an empty file, or a directory with nothing else in it.
    fn is_mount_point(&self, new: &Node, path: &[u8]) -> bool {
        let is_empty = new.is_directory() || new.stat.st_size == 0;
        self.made_by_us.contains(path) && is_empty
    }
}

fn pin(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Option<Node>> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(dir, name, flags, Mode::empty()) {
        Ok(fd) => Ok(Some(Node::new(fd)?)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

fn readable(directory: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(directory, c".", flags, Mode::empty())
}

/// Whether one of the two is not just a copy of the other.
fn differ(old: &Node, new: &Node) -> Result<bool> {
    let outside = |stat: &Stat| (stat.st_mode, stat.st_uid, stat.st_gid);
    if outside(&old.stat) != outside(&new.stat) || capability(old)? != capability(new)? {
        return Ok(true);
    }
    let times = |stat: &Stat| (stat.st_mtime, stat.st_mtime_nsec, stat.st_size);
    Ok(match new.kind() {
        FileType::Directory => false,
        FileType::CharacterDevice | FileType::BlockDevice => old.stat.st_rdev != new.stat.st_rdev,
        FileType::Symlink => old.link_text()? != new.link_text()?,
        FileType::RegularFile => times(&old.stat) != times(&new.stat) || !same_bytes(old, new)?,
        _ => false,
    })
}

fn capability(node: &Node) -> Result<Option<Vec<u8>>> {
    if node.kind() != FileType::RegularFile {
        return Ok(None);
    }
    let mut value = [0u8; 64];
    match rustix::fs::getxattr(proc_path(&node.fd), c"security.capability", &mut value[..]) {
        Ok(length) => Ok(Some(value[..length].to_vec())),
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Files that were opened for writing and not written have equal times too.
fn same_bytes(old: &Node, new: &Node) -> Result<bool> {
    let open = |node: &Node| -> Result<File> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(CWD, proc_path(&node.fd), flags, Mode::empty())?;
        Ok(file.into())
    };
    let size = u64::try_from(new.stat.st_size).unwrap_or(0);
    let (mut old, mut new) = (open(old)?.take(size), open(new)?.take(size));
    let mut buffers = (vec![0; 128 << 10], vec![0; 128 << 10]);
    loop {
        let count = fill(&mut old, &mut buffers.0)?;
        if count != fill(&mut new, &mut buffers.1)? || buffers.0[..count] != buffers.1[..count] {
            return Ok(false);
        }
        if count == 0 {
            return Ok(true);
        }
    }
}

fn fill(file: &mut impl std::io::Read, buffer: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

/// A path that reaches the very file of an `O_PATH` descriptor, for calls that lack another way.
fn proc_path(fd: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}
