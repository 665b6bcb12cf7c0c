//! Files the child makes or writes: device nodes, links, procfs entries, cgroup membership.

use std::ffi::CStr;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Dev, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::Slots;
use super::path::{Missing, open_in_root, open_or_make};
use crate::runtime::plan::Slot;

/// The host's null device, checked: what masks files may not be something else that a container
/// put there (CVE-2025-31133).
pub fn open_null() -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let null = rustix::fs::openat(CWD, c"/dev/null", flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&null)?;
    let character = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
    if !character || stat.st_rdev != rustix::fs::makedev(1, 3) {
        return Err(Errno::NODEV);
    }
    Ok(null)
}

/// The current root directory.
pub fn open_root() -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, c"/", flags, Mode::empty())
}

/// Joins the namespace that a file of the host stands for, setns(2).
pub fn join_namespace(kind: u64, path: &CStr) -> Result<(), Errno> {
    let file = rustix::fs::openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    crate::sys::process::join_namespace(std::os::fd::AsFd::as_fd(&file), kind)
}

/// Makes a device node; its directory is opened in the root first.
pub fn make_node(
    root: BorrowedFd<'_>,
    path: &CStr,
    mode: u32,
    (major, minor): (u32, u32),
    (uid, gid): (u32, u32),
) -> Result<(), Errno> {
    let (parent, name) = parent_of(root, path)?;
    let device: Dev = rustix::fs::makedev(major, minor);
    let file_type = FileType::from_raw_mode(mode);
    let permissions = Mode::from_raw_mode(mode & 0o7777);
    rustix::fs::mknodat(&parent, name, file_type, permissions, device)?;
    // The umask took bits away.
    rustix::fs::chmodat(&parent, name, permissions, AtFlags::empty())?;
    if (uid, gid) == (0, 0) {
        return Ok(());
    }
    crate::sys::process::change_owner(std::os::fd::AsFd::as_fd(&parent), name, uid, gid)
}

/// Makes a symbolic link; one that is there already is left alone.
pub fn make_link(root: BorrowedFd<'_>, content: &CStr, path: &CStr) -> Result<(), Errno> {
    let (parent, name) = parent_of(root, path)?;
    match rustix::fs::symlinkat(content, &parent, name) {
        Err(Errno::EXIST) => Ok(()),
        other => other,
    }
}

/// Splits a relative path into its opened directory and its last name.
fn parent_of<'a>(root: BorrowedFd<'_>, path: &'a CStr) -> Result<(OwnedFd, &'a CStr), Errno> {
    let bytes = path.to_bytes_with_nul();
    let slash = bytes.iter().rposition(|b| *b == b'/');
    let Some(slash) = slash else {
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        return Ok((open_in_root(root, c".", flags)?, path));
    };
    let mut directory = [0; 4096];
    directory
        .get_mut(..slash)
        .ok_or(Errno::NAMETOOLONG)?
        .copy_from_slice(&bytes[..slash]);
    let directory = CStr::from_bytes_until_nul(&directory).map_err(|_| Errno::NAMETOOLONG)?;
    let name = CStr::from_bytes_with_nul(&bytes[slash + 1..]).map_err(|_| Errno::INVAL)?;
    Ok((open_or_make(root, directory, Missing::MakeDirectory)?, name))
}

/// Writes to a file of the container's own procfs, reached without links and without crossing
/// into something mounted over it (CVE-2019-16884, CVE-2025-52881).
pub fn write_in_proc(proc: BorrowedFd<'_>, path: &CStr, value: &CStr) -> Result<(), Errno> {
    let self_file = path.to_bytes().starts_with(b"self/");
    // `self` is a link of procfs itself; everything else must be reached without any.
    let links = if self_file {
        ResolveFlags::NO_MAGICLINKS
    } else {
        ResolveFlags::NO_SYMLINKS
    };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | links;
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat2(proc, path, flags, Mode::empty(), resolve)?;
    write_whole(&file, value.to_bytes())
}

/// Enters a cgroup by writing `0` to its member file. In version 1 this is `tasks`: a process of
/// one thread moves itself without waiting for an RCU grace period, unlike `cgroup.procs`.
///
/// A realtime process may only join a cpu cgroup that has realtime to give
/// (`CONFIG_RT_GROUP_SCHED`, EINVAL), and new ones have none. Containers are no realtime programs
/// because their caller was one: it becomes an ordinary process then.
pub fn join_cgroup(path: &CStr) -> Result<(), Errno> {
    let file = rustix::fs::openat(CWD, path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    match write_whole(&file, b"0") {
        Err(Errno::INVAL) => {
            crate::sys::process::schedule_ordinarily()?;
            write_whole(&file, b"0")
        }
        other => other,
    }
}

fn write_whole(file: &OwnedFd, bytes: &[u8]) -> Result<(), Errno> {
    match rustix::io::write(file, bytes)? {
        count if count == bytes.len() => Ok(()),
        _ => Err(Errno::IO),
    }
}

/// Puts the program's streams on 0, 1 and 2, which stay open over exec.
pub fn place_standard_streams(slots: &Slots) -> Result<(), Errno> {
    rustix::stdio::dup2_stdin(slots.get(Slot::Stdin)?)?;
    rustix::stdio::dup2_stdout(slots.get(Slot::Stdout)?)?;
    rustix::stdio::dup2_stderr(slots.get(Slot::Stderr)?)
}
