//! The container's terminal: a pty from its own devpts, whose controlling side goes to the parent.

use std::os::fd::{AsFd as _, AsRawFd as _};

use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, OpenTreeFlags};
use rustix::pty::OpenptFlags;

use super::Slots;
use super::path::{Missing, open_in_root, open_or_make};
use crate::runtime::plan::Slot;
use crate::runtime::sync;

/// `DEVPTS_SUPER_MAGIC`, statfs(2).
const DEVPTS_MAGIC: u64 = 0x1cd1;

/// Opens a pty, gives the controlling side away, makes the other our controlling terminal and
/// standard streams, and with `console` binds it on /dev/console.
pub fn open(slots: &mut Slots, console: bool) -> Result<(), Errno> {
    let root = slots.get(Slot::Root)?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let controller = open_in_root(root, c"dev/pts/ptmx", flags)?;
    // A container could have put any file there (CVE-2025-52565).
    let stat = rustix::fs::fstat(&controller)?;
    let character = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
    let magic = rustix::fs::fstatfs(&controller)?.f_type as u64;
    if !character || stat.st_rdev != rustix::fs::makedev(5, 2) || magic != DEVPTS_MAGIC {
        return Err(Errno::NODEV);
    }
    rustix::pty::unlockpt(&controller)?;
    // By TIOCGPTPEER and not by name: no path is looked up again.
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let user_side = rustix::pty::ioctl_tiocgptpeer(&controller, flags)?;
    sync::send(
        slots.get(Slot::Report)?,
        sync::TERMINAL,
        0,
        Some(controller.as_fd()),
    )?;
    rustix::process::ioctl_tiocsctty(&user_side)?;
    if console {
        let target = open_or_make(root, c"dev/console", Missing::MakeFile)?;
        let flags = OpenTreeFlags::OPEN_TREE_CLONE
            | OpenTreeFlags::OPEN_TREE_CLOEXEC
            | OpenTreeFlags::AT_EMPTY_PATH;
        let copy = rustix::mount::open_tree(&user_side, c"", flags)?;
        let flags =
            MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
        rustix::mount::move_mount(&copy, c"", &target, c"", flags)?;
    }
    for slot in [Slot::Stdin, Slot::Stdout, Slot::Stderr] {
        slots.set(slot, user_side.as_raw_fd());
    }
    // Stays open until exec: the slots borrow it by number.
    std::mem::forget(user_side);
    Ok(())
}
