//! Owners, modes, extended attributes and times of what was made.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags};
use rustix::io::Errno;

use crate::base::Ownership;
use crate::error::{Context, Error, Result};
use crate::store::archive::{Entry, show};

/// How this process makes files, to know which calls are needed at all.
pub(super) struct Attributes {
    ownership: Ownership,
    uid: u32,
    gid: u32,
    umask: u32,
    /// Once a directory has another group or the set-group-id bit, new files may inherit it.
    group_varies: bool,
    /// The filesystem refused extended attributes.
    pub lost_xattrs: bool,
}

impl Attributes {
    pub fn new(ownership: Ownership, target: BorrowedFd<'_>) -> Attributes {
        Attributes {
            ownership,
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
            umask: probe_umask(target),
            group_varies: false,
            lost_xattrs: false,
        }
    }

    /// The mode to create a file or directory with.
    pub fn creation_mode(entry: &Entry) -> Mode {
        Mode::from_raw_mode(entry.mode & 0o777)
    }

    /// Whether creating it has not already given the right owner and mode.
    pub fn needs_more(&self, entry: &Entry) -> bool {
        self.needs_owner(entry)
            || entry.mode & !0o777 != 0
            || entry.mode & self.umask != 0
            || self.group_varies
            || !entry.xattrs.is_empty()
    }

    /// Later files in this directory may get its group.
    pub fn note_directory(&mut self, entry: &Entry) {
        self.group_varies |= entry.gid != self.gid || entry.mode & 0o2000 != 0;
    }

    /// Sets everything but the times of a regular file or directory.
    ///
    /// Should: owner before mode (chown(2) clears set-user-id) and before `security.capability`
    /// (cleared as well).
    pub fn apply(&mut self, fd: BorrowedFd<'_>, entry: &Entry) -> Result<()> {
        if self.needs_owner(entry) {
            let (uid, gid) = owner(entry);
            rustix::fs::fchown(fd, Some(uid), Some(gid)).map_err(|e| chown_error(e, entry))?;
        }
        if entry.mode & !0o777 != 0 || entry.mode & self.umask != 0 || self.group_varies {
            rustix::fs::fchmod(fd, Mode::from_raw_mode(entry.mode)).context(|| "set mode")?;
        }
        for (name, value) in &entry.xattrs {
            self.set_xattr(fd, name, value)?;
        }
        Ok(())
    }

    /// Sets the owner of something that is reached by name only; symlinks are not followed.
    pub fn apply_owner_at(&self, dir: BorrowedFd<'_>, name: &[u8], entry: &Entry) -> Result<()> {
        if self.needs_owner(entry) {
            let (uid, gid) = owner(entry);
            rustix::fs::chownat(dir, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|error| chown_error(error, entry))?;
        }
        Ok(())
    }

    /// Sets the mode of a device or FIFO, which must not be opened.
    pub fn apply_mode_at(dir: BorrowedFd<'_>, name: &[u8], entry: &Entry) -> Result<()> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let node = rustix::fs::openat(dir, name, flags, Mode::empty())?;
        let path = super::tree::proc_path(&node);
        rustix::fs::chmod(path, Mode::from_raw_mode(entry.mode)).context(|| "set mode")
    }

    fn needs_owner(&self, entry: &Entry) -> bool {
        self.ownership == Ownership::Full
            && (entry.uid != self.uid || entry.gid != self.gid || self.group_varies)
    }

    fn set_xattr(&mut self, fd: BorrowedFd<'_>, name: &[u8], value: &[u8]) -> Result<()> {
        let is_capability = name == b"security.capability";
        let value = match is_capability {
            true => without_root_id(value),
            false if is_kept(name) => Some(value.to_vec()),
            false => None,
        };
        let Some(value) = value else {
            return Ok(());
        };
        match rustix::fs::fsetxattr(fd, name, &value, XattrFlags::empty()) {
            Ok(()) => Ok(()),
            Err(Errno::OPNOTSUPP) => {
                self.lost_xattrs = true;
                Ok(())
            }
            // A single-id namespace cannot give file capabilities to anybody.
            Err(Errno::PERM) if is_capability && self.ownership == Ownership::Squashed => Ok(()),
            Err(error) => Err(Error::from(error).wrap(format!("set attribute {}", show(name)))),
        }
    }
}

/// Users' own attributes, not those overlayfs believes. `trusted.*`, labels and ACLs belong to the
/// host.
pub(in crate::store) fn is_kept(name: &[u8]) -> bool {
    name.starts_with(b"user.") && !name.starts_with(b"user.overlay.")
}

/// File capabilities as revision 2 (capabilities(7)): revision 3 names a root user of the host that
/// built the image, which means nothing here. Other lengths are dropped.
pub(in crate::store) fn without_root_id(value: &[u8]) -> Option<Vec<u8>> {
    const REVISION_2: u8 = 2;
    const REVISION_3: u8 = 3;
    match (value.len(), value.get(3)) {
        (20, Some(&REVISION_2)) => Some(value.to_vec()),
        (24, Some(&REVISION_3)) => {
            let mut value = value[..20].to_vec();
            value[3] = REVISION_2;
            Some(value)
        }
        _ => None,
    }
}

fn owner(entry: &Entry) -> (Uid, Gid) {
    (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid))
}

fn chown_error(error: Errno, entry: &Entry) -> Error {
    let message = format!("set owner {}:{}", entry.uid, entry.gid);
    match error {
        // The kernel's word for an id without a mapping (chown(2)).
        Errno::INVAL => {
            let needed = u64::from(entry.uid.max(entry.gid)) + 1;
            Error::from(error)
                .wrap(format!("{message}: not mapped into the user namespace"))
                .hint(format!(
                    "give this user at least {needed} ids in /etc/subuid and /etc/subgid"
                ))
        }
        _ => Error::from(error).wrap(message),
    }
}

/// The bits that creating a file loses, seen on an unnamed file. Unknown counts as all.
fn probe_umask(target: BorrowedFd<'_>) -> u32 {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let all = Mode::from_raw_mode(0o777);
    rustix::fs::openat(target, ".", flags, all)
        .and_then(|probe| rustix::fs::fstat(&probe))
        .map_or(0o777, |stat| !stat.st_mode & 0o777)
}

/// Modification time as the archive says, access time untouched. What no filesystem can store is
/// clamped.
pub(super) fn times(mtime: (i64, u32)) -> Timestamps {
    let seconds = clamp_time(mtime.0);
    let nanoseconds = if seconds == mtime.0 { mtime.1 } else { 0 };
    let omit = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_OMIT,
    };
    Timestamps {
        last_access: omit,
        last_modification: Timespec {
            tv_sec: seconds,
            tv_nsec: nanoseconds.into(),
        },
    }
}

/// The nearest second that ext4 can store: 1901 to 2446.
pub(in crate::store) fn clamp_time(seconds: i64) -> i64 {
    const EARLIEST: i64 = -(1 << 31);
    const LATEST: i64 = (1 << 34) - (1 << 31) - 1;
    seconds.clamp(EARLIEST, LATEST)
}

/// Sets the times of an open file or directory.
pub(super) fn set_times(fd: impl AsFd, mtime: (i64, u32)) -> Result<()> {
    rustix::fs::futimens(fd, &times(mtime)).context(|| "set times")
}
