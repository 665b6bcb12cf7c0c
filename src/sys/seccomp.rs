//! seccomp(2): loading a filter into this thread.

#![allow(unsafe_code, reason = "neither rustix nor nix has seccomp(2)")]

use rustix::io::Errno;

/// One BPF instruction: the kernel's `struct sock_filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct SockFilter {
    pub code: u16,
    pub jt: u8,
    pub jf: u8,
    pub k: u32,
}

/// Adds the filter to this thread; it cannot be removed. Without CAP_SYS_ADMIN the kernel wants
/// no_new_privs first. `flags` are SECCOMP_FILTER_FLAG_*; a listener's descriptor is returned as
/// the number when asked for, else 0.
pub fn install(program: &[SockFilter], flags: u32) -> Result<i32, Errno> {
    let program = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(|_| Errno::INVAL)?,
        filter: program.as_ptr().cast_mut().cast(),
    };
    let operation = libc::SECCOMP_SET_MODE_FILTER;
    // SAFETY: seccomp(2) reads `len` instructions of the layout above, borrowed for the call, and
    // writes none of them.
    match unsafe { libc::syscall(libc::SYS_seccomp, operation, flags, &raw const program) } {
        result if result >= 0 => Ok(result as i32),
        _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)),
    }
}

#[cfg(test)]
pub mod tests {
    //! Calls that no safe wrapper makes, for tests of filters: each returns its errno.

    use std::os::fd::{AsRawFd, BorrowedFd};

    fn errno(result: libc::c_long) -> Option<i32> {
        (result < 0).then(|| std::io::Error::last_os_error().raw_os_error())?
    }

    /// `ioctl(fd, TIOCSTI, "x")`
    pub fn type_into(fd: BorrowedFd<'_>) -> Option<i32> {
        let byte = b'x';
        // SAFETY: TIOCSTI reads one byte, which lives through the call.
        let result = unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCSTI, &raw const byte) };
        errno(result.into())
    }

    /// A number that is no system call, with the largest distance to real ones.
    pub fn call_nothing() -> Option<i32> {
        // SAFETY: the kernel has no such call, so it reads and writes nothing.
        errno(unsafe { libc::syscall(9999) })
    }
}
