//! The tree being made: parents resolved inside it, old names removed, missing parents created.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat, StatxAttributes, StatxFlags,
};
use rustix::io::Errno;

use super::path::EntryPath;
use super::whiteout::{is_whiteout, set_opaque};
use crate::error::{Context, Error, Result};
use crate::store::archive::show;
use crate::store::{OverlayXattrs, remove_tree};

/// Parents kept open. Archives are written depth first, so few are in use at a time.
const CACHED_DIRECTORIES: usize = 24;
/// Memory for names of directories the archive does not describe.
const IMPLICIT_BYTES: usize = 32 << 20;

/// A directory tree, held by its root's descriptor.
pub(super) struct Tree {
    pub root: Rc<OwnedFd>,
    /// Most recently used first.
    cache: Vec<(Vec<u8>, Rc<OwnedFd>)>,
    /// Directories made because an entry needed them.
    pub implicit: BTreeSet<Vec<u8>>,
    implicit_bytes: usize,
    /// How deletions are marked.
    pub marks: OverlayXattrs,
    /// Others use it: a directory and something else never replace each other.
    pub in_use: bool,
}

impl Tree {
    pub fn new(root: OwnedFd, marks: OverlayXattrs) -> Tree {
        Tree {
            root: Rc::new(root),
            cache: Vec::new(),
            implicit: BTreeSet::new(),
            implicit_bytes: 0,
            marks,
            in_use: false,
        }
    }

    /// The directory that holds `path`, created if missing. Symlinks on the way are followed inside
    /// the tree.
    pub fn parent(&mut self, path: &EntryPath) -> Result<Rc<OwnedFd>> {
        let parent = path.parent();
        if parent.is_empty() {
            return Ok(self.root.clone());
        }
        if let Some(index) = self.cache.iter().position(|(known, _)| known == parent) {
            self.cache[..=index].rotate_right(1);
            return Ok(self.cache[0].1.clone());
        }
        let opened = match self.open(parent, OFlags::PATH | OFlags::DIRECTORY) {
            Err(Errno::NOENT | Errno::NOTDIR) => self.create_parents(path)?,
            opened => opened.context(|| format!("open directory {}", show(parent)))?,
        };
        let opened = Rc::new(opened);
        self.cache.truncate(CACHED_DIRECTORIES - 1);
        self.cache.insert(0, (parent.to_vec(), opened.clone()));
        Ok(opened)
    }

    /// Opens a path inside the tree. Symlinks, also absolute ones, stay inside it.
    pub fn open(&self, path: &[u8], flags: OFlags) -> rustix::io::Result<OwnedFd> {
        open_in_root(self.root.as_fd(), path, flags, ResolveFlags::empty())
    }

    /// Removes whatever has this name, so that nothing is written through it.
    pub fn remove(&mut self, parent: BorrowedFd<'_>, name: &[u8]) -> Result<()> {
        let Some(stat) = stat_at(parent, name)? else {
            return Ok(());
        };
        if self.in_use && is_mount_root(parent, name) {
            return Err(Errno::BUSY.into());
        }
        match file_type(&stat) {
            FileType::Directory if self.in_use => Err(Error::conflict(
                "cannot overwrite directory with non-directory",
            )),
            FileType::Directory => {
                // Cached parents may lie below it.
                self.cache.clear();
                remove_tree(parent, OsStr::from_bytes(name))
            }
            kind => {
                if kind == FileType::Symlink {
                    // Cached parents may have been reached through it.
                    self.cache.clear();
                }
                Ok(rustix::fs::unlinkat(parent, name, AtFlags::empty())?)
            }
        }
    }

    /// Runs `make`, and once more after removing what has the name already.
    pub fn create<T>(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        make: impl Fn() -> rustix::io::Result<T>,
    ) -> Result<T> {
        match make() {
            Err(Errno::EXIST) => {
                self.remove(parent, name)?;
                Ok(make()?)
            }
            made => Ok(made?),
        }
    }

    fn create_parents(&mut self, path: &EntryPath) -> Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut current = rustix::io::fcntl_dupfd_cloexec(&*self.root, 3)?;
        let mut prefix = Vec::new();
        for name in path.parents() {
            if !prefix.is_empty() {
                prefix.push(b'/');
            }
            prefix.extend_from_slice(name);
            let subject = || format!("parent directory {}", show(&prefix));
            let mut opened = rustix::fs::openat(&current, name, flags, Mode::empty());
            if matches!(opened, Err(Errno::NOTDIR)) {
                opened = self.parent_in_the_way(current.as_fd(), &prefix, name);
            }
            if matches!(opened, Err(Errno::NOENT)) {
                make_directory(current.as_fd(), name).context(subject)?;
                self.note_implicit(&prefix).context(subject)?;
                opened = rustix::fs::openat(&current, name, flags, Mode::empty());
            }
            current = opened.context(subject)?;
        }
        Ok(current)
    }

    /// Opens a parent that is no directory itself: follows a symlink inside the tree, replaces a
    /// whiteout by a directory that hides what is below. Everything else stays an error.
    fn parent_in_the_way(
        &mut self,
        dir: BorrowedFd<'_>,
        prefix: &[u8],
        name: &[u8],
    ) -> rustix::io::Result<OwnedFd> {
        let stat = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if file_type(&stat) == FileType::Symlink {
            // A dangling one must not be mistaken for a missing directory.
            let opened = self.open(prefix, OFlags::PATH | OFlags::DIRECTORY);
            return opened.map_err(|error| match error {
                Errno::NOENT => Errno::NOTDIR,
                other => other,
            });
        }
        if !is_whiteout(&stat) {
            return Err(Errno::NOTDIR);
        }
        rustix::fs::unlinkat(dir, name, AtFlags::empty())?;
        let fd = make_directory(dir, name)?;
        set_opaque(&fd, self.marks)?;
        Ok(fd)
    }

    fn note_implicit(&mut self, path: &[u8]) -> Result<()> {
        self.implicit_bytes += path.len();
        if self.implicit_bytes > IMPLICIT_BYTES {
            return Err(Error::invalid(
                "the archive leaves out too many parent directories",
            ));
        }
        self.implicit.insert(path.to_vec());
        Ok(())
    }
}

/// What containerd and Docker give to directories an archive does not describe.
const IMPLICIT_MODE: Mode = Mode::from_raw_mode(0o755);

/// Creates a directory nobody described. The descriptor fixes the mode whatever the umask is.
fn make_directory(dir: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    rustix::fs::mkdirat(dir, name, IMPLICIT_MODE)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(dir, name, flags, Mode::empty())?;
    rustix::fs::fchmod(&fd, IMPLICIT_MODE)?;
    Ok(fd)
}

/// openat2(2) with the directory as root; retried when a rename elsewhere confused the kernel.
pub(super) fn open_in_root(
    root: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    extra: ResolveFlags,
) -> rustix::io::Result<OwnedFd> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | extra;
    for _ in 0..128 {
        let flags = flags | OFlags::CLOEXEC;
        match rustix::fs::openat2(root, path, flags, Mode::empty(), resolve) {
            // EAGAIN: a rename or mount on the system raced with "..", which only symlinks contain.
            Err(Errno::AGAIN | Errno::INTR) => {}
            opened => return opened,
        }
    }
    Err(Errno::AGAIN)
}

/// Whether a mount is what has the name, in whatever mount namespace. The kernel refuses to unlink
/// it only in that one; elsewhere the name and the mount go (Linux 3.18, `detach_mounts`).
fn is_mount_root(dir: BorrowedFd<'_>, name: &[u8]) -> bool {
    let known = rustix::fs::statx(dir, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty());
    known.is_ok_and(|known| known.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// The file's status, `None` if there is no such name.
pub(super) fn stat_at(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Option<Stat>> {
    match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn file_type(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// A path that reaches the very file of an `O_PATH` descriptor, for calls that lack an fd form.
pub(super) fn proc_path(fd: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}
