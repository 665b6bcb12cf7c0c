//! What the new mount interface offers beyond the crate rustix: mount_setattr(2), Linux 5.12.

use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Errno;

use super::process::last_errno;

/// Attributes to set and propagation to give, as in `struct mount_attr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(C)]
pub struct MountAttr {
    /// `MOUNT_ATTR_*` bits to set.
    pub set: u64,
    /// `MOUNT_ATTR_*` bits to clear.
    pub clear: u64,
    /// `MS_PRIVATE`, `MS_SLAVE`, `MS_SHARED`, `MS_UNBINDABLE` or 0 for unchanged.
    pub propagation: u64,
    /// User namespace for `MOUNT_ATTR_IDMAP`.
    pub userns_fd: u64,
}

/// How far a change reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// This mount only.
    One,
    /// This mount and everything below it.
    Tree,
}

/// Changes the attributes of the mount that `mount` (an `O_PATH` descriptor of its root) is.
///
/// # Errors
/// `EPERM` when a locked flag would be cleared in a user namespace, `ENOSYS` before Linux 5.12.
pub fn set_attributes(mount: BorrowedFd<'_>, reach: Reach, attr: MountAttr) -> Result<(), Errno> {
    let recursive = if reach == Reach::Tree {
        libc::AT_RECURSIVE
    } else {
        0
    };
    // SAFETY: mount_setattr(2) reads a C string and `size` bytes of a mount_attr; both live here.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | recursive,
            &raw const attr,
            size_of::<MountAttr>(),
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(last_errno())
    }
}
