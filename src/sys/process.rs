//! Making processes and replacing their program: clone3(2), fork, execveat(2), _exit(2).

use std::ffi::CStr;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::io::Errno;
use rustix::process::Pid;

/// `CLONE_INTO_CGROUP` (Linux 5.7). The libc crate's constant is cut to 0 on this target.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// The kernel's `struct clone_args`, version 2 (88 bytes, Linux 5.7), clone(2).
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Which side of a fork this is.
#[derive(Debug)]
pub enum Fork {
    /// The new process. It may only make system calls until it calls exec or exits.
    Child,
    /// The caller, with the new process's id (in the caller's PID namespace) and a pidfd.
    Parent { pid: Pid, pidfd: OwnedFd },
}

/// Whose child the new process becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parentage {
    /// The caller's.
    Caller,
    /// The caller's parent's (`CLONE_PARENT`): the caller may exit, its parent waits.
    CallersParent,
}

/// Forks into new namespaces with clone3(2), Linux 5.3.
///
/// `namespaces` holds `CLONE_NEW*` bits. With `cgroup`, an open cgroup v2 directory, the child
/// starts inside it (Linux 5.7), which spares the RCU grace period of a later migration. The child
/// is a copy-on-write copy, as after fork(2).
///
/// # Errors
/// The errno of clone3: `EPERM`, `ENOSPC` (namespace limit), `EAGAIN` (process limit), `ENOSYS`.
pub fn clone3(
    namespaces: u64,
    parentage: Parentage,
    cgroup: Option<BorrowedFd<'_>>,
) -> Result<Fork, Errno> {
    let mut pidfd: RawFd = -1;
    let mut args = CloneArgs {
        flags: namespaces | libc::CLONE_PIDFD as u64,
        pidfd: (&raw mut pidfd) as u64,
        ..CloneArgs::default()
    };
    match parentage {
        Parentage::Caller => args.exit_signal = libc::SIGCHLD as u64,
        // The kernel takes the exit signal of the caller itself and wants 0 here.
        Parentage::CallersParent => args.flags |= libc::CLONE_PARENT as u64,
    }
    if let Some(cgroup) = cgroup {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = cgroup.as_raw_fd() as u64;
    }
    // SAFETY: clone3(2) reads `size` bytes of a valid clone_args and writes one int to `pidfd`,
    // both live here. Without CLONE_VM the child has its own copy of the stack.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<CloneArgs>()) };
    match pid {
        -1 => Err(last_errno()),
        0 => Ok(Fork::Child),
        pid => {
            // SAFETY: the kernel stored a new descriptor that nobody else owns.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            let pid = Pid::from_raw(pid as i32).ok_or(Errno::INVAL)?;
            Ok(Fork::Parent { pid, pidfd })
        }
    }
}

/// Gives this thread the ordinary scheduling policy, sched_setscheduler(2).
///
/// # Errors
/// None that an ordinary kernel gives: less urgent is always allowed.
pub fn schedule_ordinarily() -> Result<(), Errno> {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: sched_setscheduler(2) reads one sched_param, which lives here; 0 is this thread.
    match unsafe { libc::sched_setscheduler(0, libc::SCHED_OTHER, &raw const parameters) } {
        0 => Ok(()),
        _ => Err(last_errno()),
    }
}

/// Has the disk serve this thread after everybody else, ioprio_set(2): the last of the eight best
/// efforts, because what is idle may wait for ever.
///
/// # Errors
/// `ENOSYS` in kernels without schedulers for disks.
pub fn yield_disk() -> Result<(), Errno> {
    const THIS_PROCESS: libc::c_int = 1;
    const LAST_EFFORT: libc::c_int = (2 << 13) | 7;
    // SAFETY: ioprio_set(2) takes three integers; 0 is the calling thread.
    match unsafe { libc::syscall(libc::SYS_ioprio_set, THIS_PROCESS, 0, LAST_EFFORT) } {
        0 => Ok(()),
        _ => Err(last_errno()),
    }
}

/// Forks without new namespaces.
///
/// # Errors
/// `EAGAIN` (process limit), `ENOMEM`.
pub fn fork() -> Result<Fork, Errno> {
    clone3(0, Parentage::Caller, None)
}

/// A NUL-terminated pointer array for exec, built before a fork so that the child allocates
/// nothing. Borrows its strings.
pub struct ExecArray<'a> {
    pointers: Vec<*const libc::c_char>,
    strings: std::marker::PhantomData<&'a CStr>,
}

impl<'a> ExecArray<'a> {
    /// The array of these strings.
    pub fn new<S: AsRef<CStr>>(strings: &'a [S]) -> Self {
        let pointers = strings.iter().map(|s| s.as_ref().as_ptr());
        let pointers = pointers.chain(std::iter::once(std::ptr::null())).collect();
        ExecArray {
            pointers,
            strings: std::marker::PhantomData,
        }
    }
}

/// Replaces the program by the file behind `program` (execveat(2) with `AT_EMPTY_PATH`). Returns
/// only on failure.
pub fn exec_descriptor(
    program: BorrowedFd<'_>,
    arguments: &ExecArray<'_>,
    environment: &ExecArray<'_>,
) -> Errno {
    // SAFETY: execveat(2) reads a C string and two NULL-terminated arrays of C strings; the arrays
    // are NULL-terminated by construction and their strings are borrowed for this call.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            program.as_raw_fd(),
            c"".as_ptr(),
            arguments.pointers.as_ptr(),
            environment.pointers.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    last_errno()
}

/// Ends the process at once: no destructors, no buffers. The only way out of a forked child.
pub fn exit_now(code: u8) -> ! {
    // SAFETY: _exit(2) takes any status and does not return.
    unsafe { libc::_exit(i32::from(code)) }
}

/// The errno that the last libc call on this thread left.
pub fn last_errno() -> Errno {
    let code = std::io::Error::last_os_error()
        .raw_os_error()
        .unwrap_or(libc::EIO);
    Errno::from_raw_os_error(code)
}

/// Sets the supplementary groups of this thread, setgroups(2), complete.
///
/// # Errors
/// `EPERM` where the user namespace denies setgroups and the list is not what it already is.
pub fn set_groups(groups: &[u32]) -> Result<(), Errno> {
    // SAFETY: setgroups(2) reads `len` ids of 32 bits from the slice.
    let result = unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) };
    match result {
        0 => Ok(()),
        // A single-id user namespace denies the call (user_namespaces(7)); dropping groups that
        // cannot be mapped is then neither possible nor asked for.
        _ if groups.is_empty() && last_errno() == Errno::PERM => Ok(()),
        _ => Err(last_errno()),
    }
}

/// Becomes this group and user, real, effective and saved, group first.
///
/// # Errors
/// `EINVAL` for an id without a mapping, `EPERM` without the privilege.
pub fn set_user(uid: u32, gid: u32) -> Result<(), Errno> {
    // SAFETY: setresgid(2) takes three integers.
    if unsafe { libc::syscall(libc::SYS_setresgid, gid, gid, gid) } != 0 {
        return Err(last_errno());
    }
    // SAFETY: setresuid(2) takes three integers.
    if unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) } != 0 {
        return Err(last_errno());
    }
    Ok(())
}

/// Gives a name in `directory` to this owner; a link is changed itself, not what it points to.
///
/// # Errors
/// Those of fchownat(2).
pub fn change_owner(
    directory: BorrowedFd<'_>,
    name: &CStr,
    uid: u32,
    gid: u32,
) -> Result<(), Errno> {
    let flags = libc::AT_SYMLINK_NOFOLLOW;
    // SAFETY: fchownat(2) reads a C string, borrowed for the call.
    let result = unsafe { libc::fchownat(directory.as_raw_fd(), name.as_ptr(), uid, gid, flags) };
    if result == 0 {
        Ok(())
    } else {
        Err(last_errno())
    }
}

/// Sets a resource limit, setrlimit(2); `u64::MAX` is infinity.
///
/// # Errors
/// `EPERM` when the hard limit would rise without `CAP_SYS_RESOURCE`, `EINVAL`.
pub fn set_resource_limit(resource: u32, soft: u64, hard: u64) -> Result<(), Errno> {
    let limit = libc::rlimit64 {
        rlim_cur: soft,
        rlim_max: hard,
    };
    // SAFETY: prlimit64(2) on ourselves reads one rlimit64 and, given null, writes nothing.
    let result = unsafe {
        libc::syscall(
            libc::SYS_prlimit64,
            0,
            resource,
            &raw const limit,
            std::ptr::null_mut::<libc::rlimit64>(),
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(last_errno())
    }
}

/// Removes a capability from the bounding set (`PR_CAPBSET_DROP`).
///
/// # Errors
/// `EINVAL` behind the kernel's last capability, `EPERM` without `CAP_SETPCAP`.
pub fn drop_bounding_capability(number: u32) -> Result<(), Errno> {
    // SAFETY: prctl(2) with this option takes one integer.
    let result =
        unsafe { libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(number), 0, 0, 0) };
    if result == 0 {
        Ok(())
    } else {
        Err(last_errno())
    }
}

/// Adds a capability to the ambient set (`PR_CAP_AMBIENT_RAISE`).
///
/// # Errors
/// `EPERM` unless it is permitted and inheritable.
pub fn raise_ambient_capability(number: u32) -> Result<(), Errno> {
    let raise = libc::PR_CAP_AMBIENT_RAISE as libc::c_ulong;
    // SAFETY: prctl(2) with this option takes two integers.
    let result = unsafe {
        libc::prctl(
            libc::PR_CAP_AMBIENT,
            raise,
            libc::c_ulong::from(number),
            0,
            0,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(last_errno())
    }
}

/// Moves this process into new namespaces of these kinds (`CLONE_NEW*`), unshare(2). Descriptors
/// stay shared with other threads: `CLONE_FILES` cannot be asked for.
///
/// # Errors
/// `EPERM` without the privilege, `ENOSPC` at a limit of /proc/sys/user.
pub fn unshare(kinds: libc::c_int) -> Result<(), Errno> {
    const FILES: libc::c_int = libc::CLONE_FILES;
    // SAFETY: unshare(2) takes flags; without CLONE_FILES every open descriptor stays valid.
    match unsafe { libc::unshare(kinds & !FILES) } {
        0 => Ok(()),
        _ => Err(last_errno()),
    }
}

/// Joins the namespaces of these kinds (`CLONE_NEW*`) that a namespace file or pidfd stands for,
/// setns(2); a pidfd needs Linux 5.8.
///
/// # Errors
/// `EPERM`, `EINVAL` for a file of another kind, `ESRCH` for a process that is gone.
pub fn join_namespace(file: BorrowedFd<'_>, kinds: u64) -> Result<(), Errno> {
    // SAFETY: setns(2) takes a descriptor and flags.
    let result = unsafe { libc::syscall(libc::SYS_setns, file.as_raw_fd(), kinds) };
    if result == 0 {
        Ok(())
    } else {
        Err(last_errno())
    }
}

/// Puts a copy of a descriptor at this number, open over exec.
///
/// # Errors
/// `EBADF`, `EMFILE`.
pub fn place_descriptor(source: BorrowedFd<'_>, number: RawFd) -> Result<(), Errno> {
    if source.as_raw_fd() == number {
        // dup2 onto itself would leave close-on-exec set.
        return rustix::io::fcntl_setfd(source, rustix::io::FdFlags::empty());
    }
    // SAFETY: dup2(2) takes two integers; whatever was open at `number` belongs to this process,
    // which is about to exec and owns no Rust value for it.
    if unsafe { libc::dup2(source.as_raw_fd(), number) } < 0 {
        Err(last_errno())
    } else {
        Ok(())
    }
}

/// Makes sure that the working directory lies below the root: getcwd(2) answers
/// `(unreachable)…` for one that a leaked descriptor led to.
///
/// # Errors
/// `ENOENT` if it is not reachable or was removed.
pub fn require_reachable_directory() -> Result<(), Errno> {
    let mut buffer = [0u8; 4096];
    // SAFETY: getcwd(2) writes at most `size` bytes into the buffer.
    let length = unsafe { libc::syscall(libc::SYS_getcwd, buffer.as_mut_ptr(), buffer.len()) };
    if length < 0 {
        return Err(last_errno());
    }
    if buffer[0] == b'/' {
        Ok(())
    } else {
        Err(Errno::NOENT)
    }
}
