//! Owners, modes, attributes and times of what is copied.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Gid, Mode, Stat, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags};
use rustix::io::Errno;

use super::Owner;

/// What one stat(2) says about permissions, for a target that keeps `trusted` bits or not.
pub fn mode(stat: &Stat, trusted: bool) -> Mode {
    const SET_ID: u32 = 0o6000;
    let kept = if trusted { 0o7777 } else { 0o7777 & !SET_ID };
    Mode::from_raw_mode(stat.st_mode & kept)
}

/// Gives an open file or directory owner, mode, attributes and time of another.
///
/// Should: owner before mode and before `security.capability`; chown(2) clears both.
pub fn apply(
    target: BorrowedFd<'_>,
    source: &OwnedFd,
    stat: &Stat,
    owner: Owner,
    trusted: bool,
) -> rustix::io::Result<()> {
    let (uid, gid) = owner.of(stat);
    let made = rustix::fs::fstat(target)?;
    if (made.st_uid, made.st_gid) != (uid, gid) {
        let owner = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        tolerate_unmapped(rustix::fs::fchown(target, owner.0, owner.1))?;
    }
    rustix::fs::fchmod(target, mode(stat, trusted))?;
    copy_attributes(target, source, trusted)?;
    rustix::fs::futimens(target, &times(stat))
}

/// The same for what is not opened: links, FIFOs, devices.
pub fn apply_at(
    dir: BorrowedFd<'_>,
    name: &[u8],
    stat: &Stat,
    owner: Owner,
) -> rustix::io::Result<()> {
    let (uid, gid) = owner.of(stat);
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    let made = rustix::fs::statat(dir, name, flags)?;
    if (made.st_uid, made.st_gid) != (uid, gid) {
        let owner = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        let changed = rustix::fs::chownat(dir, name, owner.0, owner.1, flags);
        tolerate_unmapped(changed)?;
    }
    rustix::fs::utimensat(dir, name, &times(stat), flags)
}

/// An owner without a mapping cannot be given to anything here (chown(2), EINVAL).
fn tolerate_unmapped(changed: rustix::io::Result<()>) -> rustix::io::Result<()> {
    match changed {
        Err(Errno::INVAL) => Ok(()),
        changed => changed,
    }
}

fn times(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: stat.st_mtime,
            tv_nsec: stat.st_mtime_nsec.cast_signed(),
        },
    }
}

/// Users' own attributes, and file capabilities where they are trusted. The rest belongs to the
/// host or to overlayfs.
fn copy_attributes(
    target: BorrowedFd<'_>,
    source: &OwnedFd,
    trusted: bool,
) -> rustix::io::Result<()> {
    // A descriptor opened with O_PATH is refused here; its entry below /proc is not.
    let path = format!("/proc/self/fd/{}", source.as_raw_fd());
    let mut list = vec![0u8; 4096];
    let length = loop {
        match rustix::fs::listxattr(&path, &mut list[..]) {
            Ok(length) => break length,
            Err(Errno::RANGE) => list.resize(list.len() * 4, 0),
            Err(Errno::OPNOTSUPP | Errno::ACCESS | Errno::PERM) => return Ok(()),
            Err(errno) => return Err(errno),
        }
    };
    for name in list[..length].split(|byte| *byte == 0) {
        let of_user = name.starts_with(b"user.") && !name.starts_with(b"user.overlay.");
        let is_capability = trusted && name == b"security.capability";
        if !of_user && !is_capability {
            continue;
        }
        let mut value = vec![0u8; 64 << 10];
        let length = match rustix::fs::getxattr(&path, name, &mut value[..]) {
            Ok(length) => length,
            // Removed meanwhile.
            Err(Errno::NODATA) => continue,
            Err(errno) => return Err(errno),
        };
        match rustix::fs::fsetxattr(target.as_fd(), name, &value[..length], XattrFlags::empty()) {
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::PERM | Errno::NOSPC) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
