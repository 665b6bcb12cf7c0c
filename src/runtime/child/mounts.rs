//! Mounting by descriptor: a source is cloned or made detached, and attached to an opened target.
//! No path of the container is ever given to mount(2).

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd as _, OwnedFd};

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags,
};

use super::Slots;
use super::path::{Missing, open_in_root, open_or_make, open_ordinary_directory};
use crate::runtime::plan::{BindMount, FsMount, Kind, Slot, Target};
use crate::sys::mount::{MountAttr, Reach, set_attributes};

/// How an empty tmpfs that covers a directory is mounted.
const COVER: u64 = libc::MOUNT_ATTR_RDONLY
    | libc::MOUNT_ATTR_NOSUID
    | libc::MOUNT_ATTR_NODEV
    | libc::MOUNT_ATTR_NOEXEC;

/// Cuts the propagation of every mount of this namespace.
pub fn set_host_propagation(attr: MountAttr) -> Result<(), Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::openat(CWD, c"/", flags, Mode::empty())?;
    set_attributes(root.as_fd(), Reach::Tree, attr)
}

/// Attaches the root file system at an empty directory of the host.
pub fn attach_root(slots: &mut Slots, source: Option<&CStr>, at: &CStr) -> Result<(), Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match source {
        Some(source) => attach(clone_tree(source, true)?, at)?,
        None => {
            let mount = slots.get(Slot::RootMount)?;
            let to = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
            rustix::mount::move_mount(mount, c"", CWD, at, to)?;
        }
    }
    let root = rustix::fs::openat(CWD, at, flags, Mode::empty())?;
    slots.keep(Slot::Root, root);
    Ok(())
}

fn attach(mount: OwnedFd, at: &CStr) -> Result<(), Errno> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    rustix::mount::move_mount(&mount, c"", CWD, at, flags)
}

fn clone_tree(source: &CStr, recursive: bool) -> Result<OwnedFd, Errno> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    rustix::mount::open_tree(CWD, source, flags)
}

fn clone_descriptor(source: std::os::fd::BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH;
    rustix::mount::open_tree(source, c"", flags)
}

/// Makes a new file system and attaches it.
pub fn mount(slots: &mut Slots, mount: &FsMount) -> Result<(), Errno> {
    let made = new_file_system(&mount.fs_type, &mount.source, &mount.options, mount.attr)?;
    let target = open_target(slots, &mount.target, true)?;
    attach_to(&made, &target)?;
    if let Some(slot) = mount.keep {
        slots.keep(slot, made);
    }
    Ok(())
}

fn new_file_system(
    fs_type: &CStr,
    source: &CStr,
    options: &[(CString, Option<CString>)],
    attr: u64,
) -> Result<OwnedFd, Errno> {
    let context = rustix::mount::fsopen(fs_type, FsOpenFlags::FSOPEN_CLOEXEC)?;
    rustix::mount::fsconfig_set_string(context.as_fd(), c"source", source)?;
    for (key, value) in options {
        match value {
            Some(value) => rustix::mount::fsconfig_set_string(
                context.as_fd(),
                key.as_c_str(),
                value.as_c_str(),
            )?,
            None => rustix::mount::fsconfig_set_flag(context.as_fd(), key.as_c_str())?,
        }
    }
    rustix::mount::fsconfig_create(context.as_fd())?;
    let attr = MountAttrFlags::from_bits_retain(attr as u32);
    rustix::mount::fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attr)
}

/// Attaches a detached mount to an opened place.
fn attach_to(mount: &OwnedFd, target: &OwnedFd) -> Result<(), Errno> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(mount, c"", target, c"", flags)
}

fn open_target(slots: &Slots, target: &Target, directory: bool) -> Result<OwnedFd, Errno> {
    let root = slots.get(Slot::Root)?;
    let missing = if directory {
        Missing::MakeDirectory
    } else {
        Missing::MakeFile
    };
    match target.kind {
        Kind::OrdinaryDirectory => match open_ordinary_directory(root, &target.path, true) {
            // A link where /proc, /sys or /dev must be: an attack, not a missing file.
            Err(Errno::LOOP) => Err(Errno::NOTDIR),
            other => other,
        },
        Kind::Directory | Kind::LikeSource => open_or_make(root, &target.path, missing),
    }
}

/// Attaches a clone of a part of the host's tree.
pub fn bind(slots: &mut Slots, bind: &BindMount) -> Result<(), Errno> {
    let source = clone_tree(&bind.source, bind.recursive)?;
    let file_type = FileType::from_raw_mode(rustix::fs::fstat(&source)?.st_mode);
    let reach = if bind.attr_recursive {
        Reach::Tree
    } else {
        Reach::One
    };
    if bind.attr.set != 0 || bind.attr.clear != 0 || bind.attr.propagation != 0 {
        set_attributes(source.as_fd(), reach, bind.attr)?;
    }
    let target = open_target(slots, &bind.target, file_type == FileType::Directory)?;
    attach_to(&source, &target)?;
    if bind.target.path.as_c_str() == c"proc" {
        // The host's procfs takes the place of an own one: the same rules hold for writing to it.
        slots.keep(Slot::Proc, source);
    }
    Ok(())
}

/// Attaches the shared memory that was handed over.
pub fn attach_shared_memory(slots: &Slots, target: &Target) -> Result<(), Errno> {
    let target = open_target(slots, target, true)?;
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(slots.get(Slot::SharedMemory)?, c"", &target, c"", flags)
}

/// Hides a path: files behind the null device, directories behind an empty read-only tmpfs.
pub fn mask(slots: &Slots, path: &CStr) -> Result<(), Errno> {
    let Some(target) = open_existing(slots, path)? else {
        return Ok(());
    };
    let stat = rustix::fs::fstat(&target)?;
    let cover = if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        new_file_system(c"tmpfs", c"tmpfs", &[], COVER)?
    } else {
        clone_descriptor(slots.get(Slot::Null)?)?
    };
    attach_to(&cover, &target)
}

/// Puts a read-only clone of a path on top of itself.
pub fn make_read_only(slots: &Slots, path: &CStr) -> Result<(), Errno> {
    let Some(target) = open_existing(slots, path)? else {
        return Ok(());
    };
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH
        | OpenTreeFlags::AT_RECURSIVE;
    let copy = rustix::mount::open_tree(&target, c"", flags)?;
    let attr = MountAttr {
        set: libc::MOUNT_ATTR_RDONLY,
        ..MountAttr::default()
    };
    set_attributes(copy.as_fd(), Reach::Tree, attr)?;
    attach_to(&copy, &target)
}

/// Makes the mount at a path read only.
pub fn seal(slots: &Slots, path: &CStr) -> Result<(), Errno> {
    let target = open_in_root(slots.get(Slot::Root)?, path, OFlags::PATH)?;
    let attr = MountAttr {
        set: libc::MOUNT_ATTR_RDONLY,
        ..MountAttr::default()
    };
    set_attributes(target.as_fd(), Reach::One, attr)
}

/// A path to protect; one that this kernel does not have needs no protection.
fn open_existing(slots: &Slots, path: &CStr) -> Result<Option<OwnedFd>, Errno> {
    match open_in_root(slots.get(Slot::Root)?, path, OFlags::PATH) {
        Ok(target) => Ok(Some(target)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Makes the attached root the root of this mount namespace and lets go of the host's.
pub fn pivot(slots: &Slots) -> Result<(), Errno> {
    rustix::process::fchdir(slots.get(Slot::Root)?)?;
    // The old root lands on top of the new one and is the next thing to be detached.
    rustix::process::pivot_root(c".", c".")?;
    rustix::mount::unmount(c".", UnmountFlags::DETACH)?;
    rustix::process::chdir(c"/")
}

/// Makes the root mount itself read only; what is mounted below it keeps its own mode.
pub fn make_root_read_only(slots: &Slots) -> Result<(), Errno> {
    let attr = MountAttr {
        set: libc::MOUNT_ATTR_RDONLY,
        ..MountAttr::default()
    };
    set_attributes(slots.get(Slot::Root)?, Reach::One, attr)
}
