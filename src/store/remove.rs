//! Deleting trees: iterative, by file descriptor, never across a mount, never through a symlink.
//!
//! Two directories are open at a time however deep the tree is. The way back up is `..`, checked
//! against the identity seen on the way down, so a tree that is moved meanwhile stops the deletion
//! instead of leading it elsewhere.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Instant;

use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, RawDir, ResolveFlags};
use rustix::io::Errno;

use super::Store;
use super::atomic::random_hex;
use crate::error::{Context, Error, Result};

impl Store {
    /// Renames `name` in `dir` to a tombstone under this boot's staging directory. `None` if there
    /// is no such name. The space is freed by [`clear_away`](super::clear_away).
    pub(super) fn bury(&self, dir: impl AsFd, name: &str) -> Result<Buried> {
        let graves = self.graves()?;
        let buried = format!("0-{}", random_hex()?);
        match rustix::fs::renameat(dir.as_fd(), name, &graves, &buried) {
            Ok(()) => Ok(Buried::Yes),
            Err(Errno::NOENT) => Ok(Buried::WasGone),
            Err(error) => Err(Error::from(error).wrap(format!("remove {name}"))),
        }
    }

    /// Where tombstones go. On a full disk this boot's directory may be impossible to make; right
    /// below `tmp/` a tombstone is wiped like what another boot has left.
    fn graves(&self) -> Result<OwnedFd> {
        match self.boot_dir() {
            Err(error) if is_full(&error) => self.dir("tmp"),
            made => made,
        }
    }
}

/// Whether something could not be made because the disk, its inodes or a quota are used up.
fn is_full(error: &Error) -> bool {
    matches!(error.errno(), Some(Errno::NOSPC | Errno::DQUOT))
}

/// Whether there was something to rename out of sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Buried {
    Yes,
    WasGone,
}

/// How long a deletion may take.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// As long as it takes.
    Whole,
    /// Until then, and nothing that takes long by itself.
    Until(Instant),
}

/// What became of something to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    Whole,
    /// The time was up.
    Partly,
    /// Somebody else has its lock.
    Held,
}

/// Freeing the blocks of a file this long takes milliseconds.
const LONG_FILE_BYTES: i64 = 64 << 20;

impl Pace {
    fn is_up(self) -> bool {
        matches!(self, Pace::Until(end) if Instant::now() >= end)
    }

    /// Whether this is better left to somebody whom nobody waits for.
    fn shuns(self, dir: BorrowedFd<'_>, name: &CStr) -> bool {
        let stat = || rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW);
        matches!(self, Pace::Until(_)) && stat().is_ok_and(|stat| stat.st_size > LONG_FILE_BYTES)
    }
}

/// Deletes all of what was renamed to a grave, or leaves it to whoever is at it.
pub fn delete_buried(dir: impl AsFd, name: impl AsRef<Path>) -> Result<()> {
    delete_grave(dir, name, Pace::Whole).map(drop)
}

/// Deletes what was renamed to a grave or staged. Its lock is held meanwhile, so that two do not
/// delete the same tree: where another has it, that one does the work.
pub(super) fn delete_grave(dir: impl AsFd, name: impl AsRef<Path>, pace: Pace) -> Result<Deleted> {
    let path = name.as_ref();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // A file, which nobody locks, or a directory that we may not read: the deletion sees to it.
    let opened = rustix::fs::openat(dir.as_fd(), path, flags, Mode::empty()).ok();
    if let Some(grave) = &opened
        && let Err(Errno::WOULDBLOCK) =
            rustix::fs::flock(grave, FlockOperation::NonBlockingLockExclusive)
    {
        return Ok(Deleted::Held);
    }
    remove_paced(dir, path, pace)
}

/// One directory on the way down.
struct Level {
    name: CString,
    identity: (u64, u64),
    /// Subdirectories seen in the last read that were not empty.
    pending: Vec<CString>,
}

/// Deletes `name` in `dir` and everything below it. A missing name is success.
pub fn remove_tree(dir: impl AsFd, name: impl AsRef<Path>) -> Result<()> {
    remove_paced(dir, name, Pace::Whole).map(drop)
}

/// The same, as far as there is time.
pub(super) fn remove_paced(dir: impl AsFd, name: impl AsRef<Path>, pace: Pace) -> Result<Deleted> {
    let path = name.as_ref();
    let subject = || format!("delete {}", path.display());
    let name = CString::new(path.as_os_str().as_bytes())
        .map_err(|_| Error::invalid(format!("delete {path:?}: NUL in the name")))?;
    if pace.is_up() || pace.shuns(dir.as_fd(), &name) {
        return Ok(Deleted::Partly);
    }
    if unlink(dir.as_fd(), &name).context(subject)? == Unlinked::Gone {
        return Ok(Deleted::Whole);
    }
    let top = dir.as_fd();
    let Some(mut current) = enter(top, &name).context(subject)? else {
        return Ok(Deleted::Whole);
    };
    let mut levels = vec![level(&current, name)?];
    while let Some(here) = levels.last_mut() {
        if let Some(child) = here.pending.pop() {
            if let Some(fd) = enter(current.as_fd(), &child).context(subject)? {
                levels.push(level(&fd, child)?);
                current = fd;
            }
            continue;
        }
        match empty_directory(current.as_fd(), pace).context(subject)? {
            Some(pending) => here.pending = pending,
            None => return Ok(Deleted::Partly),
        }
        if !here.pending.is_empty() {
            continue;
        }
        let done = levels.pop().expect("the loop condition saw a last level");
        match levels.last() {
            Some(parent) => {
                current = leave(&current, parent).context(subject)?;
                remove_directory(current.as_fd(), &done.name).context(subject)?;
            }
            None => remove_directory(top, &done.name).context(subject)?,
        }
    }
    Ok(Deleted::Whole)
}

fn level(fd: &OwnedFd, name: CString) -> Result<Level> {
    let stat = rustix::fs::fstat(fd)?;
    Ok(Level {
        name,
        identity: (stat.st_dev, stat.st_ino),
        pending: Vec::new(),
    })
}

#[derive(PartialEq, Eq)]
enum Unlinked {
    Gone,
    IsDirectory,
}

fn unlink(dir: BorrowedFd<'_>, name: &CStr) -> Result<Unlinked> {
    let unlinked =
        retry_with_write_permission(dir, || rustix::fs::unlinkat(dir, name, AtFlags::empty()));
    match unlinked {
        Ok(()) | Err(Errno::NOENT) => Ok(Unlinked::Gone),
        Err(Errno::ISDIR) => Ok(Unlinked::IsDirectory),
        Err(error) => Err(error.into()),
    }
}

fn remove_directory(dir: BorrowedFd<'_>, name: &CStr) -> Result<()> {
    let removed =
        retry_with_write_permission(dir, || rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR));
    match removed {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A directory of ours may lack write permission for ourselves: images contain such.
fn retry_with_write_permission(
    dir: BorrowedFd<'_>,
    action: impl Fn() -> rustix::io::Result<()>,
) -> rustix::io::Result<()> {
    match action() {
        Err(Errno::ACCESS) => {
            rustix::fs::fchmod(dir, Mode::RWXU)?;
            action()
        }
        other => other,
    }
}

/// Opens a subdirectory, `None` if it has gone. A mount point is refused with EXDEV.
fn enter(dir: BorrowedFd<'_>, name: &CStr) -> Result<Option<OwnedFd>> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    let open = |flags| rustix::fs::openat2(dir, name, flags, Mode::empty(), resolve);
    let mut opened = open(flags | OFlags::RDONLY);
    if matches!(opened, Err(Errno::ACCESS)) {
        let handle = open(flags | OFlags::PATH)?;
        let link = format!("/proc/self/fd/{}", handle.as_raw_fd());
        rustix::fs::chmod(link, Mode::RWXU)?;
        opened = open(flags | OFlags::RDONLY);
    }
    match opened {
        Ok(fd) => Ok(Some(fd)),
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::XDEV) => Err(Error::conflict(format!("{name:?} is a mount point"))
            .hint("unmount it first (see /proc/self/mountinfo)")),
        Err(error) => Err(error.into()),
    }
}

/// Goes back to the parent and makes sure that it is the directory we came from.
fn leave(child: &OwnedFd, parent: &Level) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(child, c"..", flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&fd)?;
    if (stat.st_dev, stat.st_ino) != parent.identity {
        return Err(Error::conflict("the tree was moved during deletion"));
    }
    Ok(fd)
}

/// Unlinks what can be unlinked and returns subdirectories that still have content, at most one
/// buffer full; called again until it returns an empty list. `None` if the time is up.
fn empty_directory(dir: BorrowedFd<'_>, pace: Pace) -> Result<Option<Vec<CString>>> {
    // A fresh open starts at offset 0: entries may have been skipped while others were deleted.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let reader = rustix::fs::openat(dir, c".", flags, Mode::empty())?;
    let mut buffer = vec![MaybeUninit::<u8>::uninit(); 32 << 10];
    let mut entries = RawDir::new(&reader, &mut buffer);
    let mut pending = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let is_file = entry.file_type() == FileType::RegularFile;
        if pace.is_up() || (is_file && pace.shuns(dir, name)) {
            return Ok(None);
        }
        let is_directory =
            entry.file_type() == FileType::Directory || unlink(dir, name)? == Unlinked::IsDirectory;
        if is_directory {
            match rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => {}
                // Not empty, a mount point or without write permission: decided on the way in.
                Err(_) => pending.push(name.to_owned()),
            }
        }
        if !pending.is_empty() && entries.is_buffer_empty() {
            break;
        }
    }
    Ok(Some(pending))
}
