//! Directories an archive uses and does not describe take their attributes from the layers below.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, Stat, Timespec, Timestamps};
use rustix::io::Errno;

use super::UnpackedLayer;
use super::tree::{file_type, open_in_root};
use super::whiteout::is_whiteout;
use crate::base::Ownership;
use crate::error::{Context, Error, Result};
use crate::store::archive::show;

/// Copies mode, owner and times from the topmost layer that has each directory. `below` are the
/// `fs/` directories, bottom first.
pub(in crate::store) fn inherit_parents(
    layer: &UnpackedLayer,
    below: &[OwnedFd],
    ownership: Ownership,
) -> Result<()> {
    let root = crate::store::atomic::open_dir(layer.dir.as_fd(), "fs")?;
    for path in &layer.implicit_parents {
        let path = path.as_os_str().as_bytes();
        let subject = || format!("parent directory {}", show(path));
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        let dir = match open_in_root(root.as_fd(), path, flags, ResolveFlags::empty()) {
            Ok(dir) => dir,
            // A later entry of the archive replaced it.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
            Err(error) => return Err(Error::from(error).wrap(subject())),
        };
        let Some(stat) = find_below(below, path).context(subject)? else {
            continue;
        };
        if file_type(&stat) == FileType::Symlink {
            return Err(
                Error::unsupported("the layer leaves it out, and below it is a symlink")
                    .wrap(subject())
                    .hint("build the image again with a tool that writes parent directories"),
            );
        }
        copy(&dir, &stat, ownership).context(subject)?;
    }
    Ok(())
}

/// The status of `path` in the topmost layer that has it; `None` if none has or it was deleted.
fn find_below(below: &[OwnedFd], path: &[u8]) -> Result<Option<Stat>> {
    for layer in below.iter().rev() {
        match lookup(layer.as_fd(), path)? {
            Found::Absent => {}
            Found::Hidden => return Ok(None),
            Found::Here(stat) if is_whiteout(&stat) => return Ok(None),
            Found::Here(stat) => {
                let known = matches!(file_type(&stat), FileType::Directory | FileType::Symlink);
                return Ok(known.then_some(stat));
            }
        }
    }
    Ok(None)
}

enum Found {
    Absent,
    /// A parent of it was deleted or made opaque in this layer.
    Hidden,
    Here(Stat),
}

/// Walks the path one component at a time: a symlink on the way was made real by the layer that
/// needed it, so it is not followed.
fn lookup(layer: BorrowedFd<'_>, path: &[u8]) -> Result<Found> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut current = rustix::io::fcntl_dupfd_cloexec(layer, 3)?;
    let mut opaque = false;
    let mut parts = path.split(|byte| *byte == b'/').peekable();
    while let Some(part) = parts.next() {
        let Some(stat) = super::tree::stat_at(current.as_fd(), part)? else {
            return Ok(if opaque { Found::Hidden } else { Found::Absent });
        };
        if parts.peek().is_none() {
            return Ok(Found::Here(stat));
        }
        if file_type(&stat) != FileType::Directory {
            return Ok(Found::Hidden);
        }
        current = rustix::fs::openat(&current, part, flags, Mode::empty())?;
        opaque |= is_opaque(&current);
    }
    Ok(Found::Absent)
}

/// Whether overlayfs shows nothing of this directory from below.
pub fn is_opaque(dir: &OwnedFd) -> bool {
    let has = |name: &str| {
        let mut value = [0u8; 1];
        rustix::fs::fgetxattr(dir, name, &mut value).is_ok_and(|_| value == *b"y")
    };
    has("trusted.overlay.opaque") || has("user.overlay.opaque")
}

fn copy(dir: &OwnedFd, stat: &Stat, ownership: Ownership) -> Result<()> {
    if ownership == Ownership::Full {
        let uid = rustix::fs::Uid::from_raw(stat.st_uid);
        let gid = rustix::fs::Gid::from_raw(stat.st_gid);
        rustix::fs::fchown(dir, Some(uid), Some(gid)).context(|| "set owner")?;
    }
    let mode = Mode::from_raw_mode(stat.st_mode & 0o7777);
    rustix::fs::fchmod(dir, mode).context(|| "set mode")?;
    let time = |tv_sec: i64, tv_nsec: u64| Timespec {
        tv_sec,
        tv_nsec: tv_nsec.cast_signed(),
    };
    let times = Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
    };
    rustix::fs::futimens(dir, &times).context(|| "set times")
}
