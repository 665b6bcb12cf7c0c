//! Copying trees between two views, both by descriptor: `cp`.
//!
//! Everything in the source is pinned before it is looked at, everything in the target is made
//! below an open directory under a single name, exclusively: neither side follows a link. What is
//! there already and is no directory is unlinked first, as an archive's reader does; directories
//! are merged, and a directory and something else never replace each other.

mod attributes;
mod contents;

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::view::{Last, Node, View, is_kernels, is_mount_root, join, names_in};
use crate::error::{Context as _, Error, Result};

/// Whose the copies are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// All of them this user's and group's.
    Fixed(u32, u32),
    /// As in the source.
    Source,
}

impl Owner {
    fn of(self, stat: &Stat) -> (u32, u32) {
        match self {
            Owner::Fixed(uid, gid) => (uid, gid),
            Owner::Source => (stat.st_uid, stat.st_gid),
        }
    }
}

/// One copy under way.
#[derive(Debug)]
pub struct TreeCopy<'a> {
    from: &'a View,
    to: &'a View,
    owner: Owner,
    /// Set-id bits, file capabilities and device nodes are kept.
    trusted: bool,
    /// Files with several names, by identity in the source: where the first copy is.
    links: HashMap<(u64, u64), First>,
    buffer: Vec<u8>,
    /// What a tar of it would take, as Docker reports it.
    pub tar_bytes: u64,
    /// Sockets, and devices that are not copied.
    pub left_out: u64,
}

/// The first copy of a file with several names.
#[derive(Debug)]
struct First {
    path: Vec<u8>,
    identity: (u64, u64),
}

/// A directory that copies are made in.
#[derive(Debug)]
pub struct Target {
    pub fd: OwnedFd,
    /// Where it is, from the root of its view and without links.
    pub path: Vec<u8>,
}

/// Whether the directory that is copied to gets the attributes of the one that is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Top {
    Copied,
    Kept,
}

/// A directory being copied.
struct Level {
    source: Node,
    source_path: Vec<u8>,
    names: std::vec::IntoIter<Vec<u8>>,
    target: Target,
}

impl<'a> TreeCopy<'a> {
    pub fn new(from: &'a View, to: &'a View, owner: Owner, trusted: bool) -> TreeCopy<'a> {
        TreeCopy {
            from,
            to,
            owner,
            trusted,
            links: HashMap::new(),
            buffer: Vec::new(),
            // Two empty blocks end an archive.
            tar_bytes: 1024,
            left_out: 0,
        }
    }

    /// Copies `source` to `name` in `into`.
    pub fn copy(&mut self, source: Node, path: &[u8], into: &Target, name: &[u8]) -> Result<()> {
        if !source.is_directory() {
            let copied = self.leaf(&source, into, name);
            return copied.context(|| format!("copy {}", show(path)));
        }
        let target = self.directory(into, name)?;
        self.tree(source, path, target, Top::Copied)
    }

    /// Copies what is in the directory `source` into `target`, which stays what it is.
    pub fn copy_contents(&mut self, source: Node, path: &[u8], target: Target) -> Result<()> {
        self.tree(source, path, target, Top::Kept)
    }

    fn tree(&mut self, source: Node, path: &[u8], target: Target, top_is: Top) -> Result<()> {
        // A target below the source would be copied into itself for ever.
        let top = Node::new(rustix::io::fcntl_dupfd_cloexec(&target.fd, 3)?)?.identity();
        let mut levels = vec![level(source, path.to_vec(), target)?];
        while let Some(level) = levels.last_mut() {
            let Some(name) = level.names.next() else {
                let done = levels.pop().expect("the loop condition saw a last level");
                if levels.is_empty() && top_is == Top::Kept {
                    break;
                }
                self.finish(&done)
                    .context(|| format!("copy {}", show(&done.source_path)))?;
                continue;
            };
            let path = join(&level.source_path, &name);
            let subject = || format!("copy {}", show(&path));
            let child = self
                .from
                .child(level.source.fd.as_fd(), &level.source_path, &name);
            let node = match child.and_then(Node::new) {
                // The tree may change meanwhile: what has gone is not copied.
                Err(Errno::NOENT) => continue,
                node => node.context(subject)?,
            };
            if node.identity() == top {
                continue;
            }
            if node.is_directory() {
                let target = self.directory(&level.target, &name)?;
                let hollow = is_mount_root(&node.fd) && is_kernels(&node.fd);
                let mut level = self::level(node, path, target)?;
                if hollow {
                    level.names = Vec::new().into_iter();
                }
                levels.push(level);
            } else {
                self.leaf(&node, &level.target, &name).context(subject)?;
            }
        }
        Ok(())
    }

    /// Should: after everything in it was made, which changes its times.
    fn finish(&mut self, level: &Level) -> Result<()> {
        self.tar_bytes += 512;
        let source = &level.source;
        let readable = rustix::fs::openat(
            &level.target.fd,
            c".",
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        let target = readable.as_fd();
        attributes::apply(target, &source.fd, &source.stat, self.owner, self.trusted)?;
        Ok(())
    }

    /// The directory `name` in `into`, made if it is not there.
    fn directory(&self, into: &Target, name: &[u8]) -> Result<Target> {
        let path = join(&into.path, name);
        let subject = || format!("make directory {}", show(&path));
        match rustix::fs::mkdirat(&into.fd, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno).context(subject),
        }
        let child = self.to.child(into.fd.as_fd(), &into.path, name);
        let node = child.and_then(Node::new).context(subject)?;
        match node.kind() {
            FileType::Directory => Ok(Target { fd: node.fd, path }),
            _ => Err(Error::conflict(format!(
                "cannot overwrite non-directory {} with directory",
                show(&path)
            ))),
        }
    }

    fn leaf(&mut self, node: &Node, into: &Target, name: &[u8]) -> Result<()> {
        self.tar_bytes += 512;
        if node.stat.st_nlink > 1 && self.link(node, into, name)? {
            return Ok(());
        }
        let kind = node.kind();
        match kind {
            FileType::RegularFile => self.file(node, into, name)?,
            FileType::Symlink => {
                let text = node.link_text()?;
                self.make(into, name, || {
                    rustix::fs::symlinkat(&text[..], &into.fd, name)
                })?;
                attributes::apply_at(into.fd.as_fd(), name, &node.stat, self.owner)?;
            }
            FileType::Fifo => self.special(node, into, name)?,
            FileType::CharacterDevice | FileType::BlockDevice if self.trusted => {
                match self.special(node, into, name) {
                    // Only root of the first user namespace makes devices (mknod(2)).
                    Err(error) if error.errno() == Some(Errno::PERM) => self.left_out += 1,
                    made => made?,
                }
            }
            _ => self.left_out += 1,
        }
        if node.stat.st_nlink > 1 && kind != FileType::Socket {
            self.remember(node, into, name);
        }
        Ok(())
    }

    /// Links to the first copy of the same file; false if there is none or it cannot be linked.
    fn link(&mut self, node: &Node, into: &Target, name: &[u8]) -> Result<bool> {
        let Some(first) = self.links.get(&node.identity()) else {
            return Ok(false);
        };
        let Ok(found) = self.to.find(&first.path, Last::Keep) else {
            return Ok(false);
        };
        // It may have been replaced meanwhile: then this name gets a copy of its own.
        let same = found
            .node
            .is_some_and(|node| node.identity() == first.identity);
        let flags = AtFlags::empty();
        let made = same
            && self
                .make(into, name, || {
                    rustix::fs::linkat(&found.parent, &found.name[..], &into.fd, name, flags)
                })
                .is_ok();
        Ok(made)
    }

    fn remember(&mut self, node: &Node, into: &Target, name: &[u8]) {
        let made = self.to.child(into.fd.as_fd(), &into.path, name);
        if let Ok(made) = made.and_then(Node::new) {
            let first = First {
                path: join(&into.path, name),
                identity: made.identity(),
            };
            self.links.insert(node.identity(), first);
        }
    }

    fn file(&mut self, node: &Node, into: &Target, name: &[u8]) -> Result<()> {
        // Pinned and known to be a regular file: this opens that very file.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let source = rustix::fs::openat(CWD, proc_path(&node.fd), flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&source)?;
        let target = self.new_file(into, name)?;
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let stored = u64::try_from(stat.st_blocks)
            .unwrap_or(0)
            .saturating_mul(512);
        let (from, to) = (source.as_fd(), target.as_fd());
        contents::copy(from, to, size, stored, &mut self.buffer)?;
        self.tar_bytes = self.tar_bytes.saturating_add(size.div_ceil(512) * 512);
        attributes::apply(to, &source, &stat, self.owner, self.trusted)?;
        Ok(())
    }

    /// An empty file to write to. One that is mounted on is emptied; any other is a new one.
    fn new_file(&self, into: &Target, name: &[u8]) -> Result<OwnedFd> {
        let path = join(&into.path, name);
        if let Some(mounted) = self.to.mounted_at(&path) {
            return emptied(&mounted.root).context(|| format!("write {}", show(&path)));
        }
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o600);
        let made = self.make(into, name, || {
            rustix::fs::openat(&into.fd, name, flags, mode)
        });
        match made {
            Err(error) if error.errno() == Some(Errno::BUSY) => {
                let child = self.to.child(into.fd.as_fd(), &into.path, name)?;
                emptied(&child).context(|| format!("write {}", show(&path)))
            }
            made => made,
        }
    }

    fn special(&self, node: &Node, into: &Target, name: &[u8]) -> Result<()> {
        let mode = attributes::mode(&node.stat, self.trusted);
        let private = Mode::from_raw_mode(0o600);
        self.make(into, name, || {
            rustix::fs::mknodat(&into.fd, name, node.kind(), private, node.stat.st_rdev)
        })?;
        attributes::apply_at(into.fd.as_fd(), name, &node.stat, self.owner)?;
        let made = Node::new(self.to.child(into.fd.as_fd(), &into.path, name)?)?;
        if made.kind() == node.kind() {
            rustix::fs::chmod(proc_path(&made.fd), mode)?;
        }
        Ok(())
    }

    /// Whether a mount is what has the name. The kernel refuses to unlink it only in the mount
    /// namespace it is in; elsewhere the name and the mount go (Linux 3.18, `detach_mounts`).
    fn is_mounted(&self, into: &Target, name: &[u8]) -> bool {
        let child = self.to.child(into.fd.as_fd(), &into.path, name);
        let place = self.to.mounted_at(&join(&into.path, name));
        place.is_some() || child.is_ok_and(|child| is_mount_root(&child))
    }

    /// Runs `make`, after removing what has the name.
    fn make<T>(
        &self,
        into: &Target,
        name: &[u8],
        make: impl Fn() -> rustix::io::Result<T>,
    ) -> Result<T> {
        // A container may put something there again and again.
        for _ in 0..100 {
            match make() {
                Err(Errno::EXIST) => {}
                made => return made.map_err(Error::from),
            }
            if self.is_mounted(into, name) {
                return Err(Errno::BUSY.into());
            }
            match rustix::fs::unlinkat(&into.fd, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(Errno::ISDIR) => {
                    return Err(Error::conflict(format!(
                        "cannot overwrite directory {} with non-directory",
                        show(&join(&into.path, name))
                    )));
                }
                Err(errno) => return Err(errno.into()),
            }
        }
        Err(Error::conflict(format!(
            "{} keeps being made anew",
            show(&join(&into.path, name))
        )))
    }
}

fn level(source: Node, source_path: Vec<u8>, target: Target) -> Result<Level> {
    let names = names_in(source.fd.as_fd());
    let names = names.context(|| format!("read directory {}", show(&source_path)))?;
    Ok(Level {
        source,
        source_path,
        names: names.into_iter(),
        target,
    })
}

/// A pinned regular file, opened for writing and emptied.
fn emptied(pinned: &OwnedFd) -> Result<OwnedFd> {
    let stat = rustix::fs::fstat(pinned)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Error::conflict("it is no regular file"));
    }
    let flags = OFlags::WRONLY | OFlags::TRUNC | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(
        CWD,
        proc_path(pinned),
        flags,
        Mode::empty(),
    )?)
}

/// A path that reaches the very file of an `O_PATH` descriptor, for calls that lack another way.
fn proc_path(fd: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

/// A path for a message.
fn show(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path);
    if text.is_empty() {
        "/".to_owned()
    } else {
        text.into_owned()
    }
}
