//! Loading a system-call filter, seccomp(2).

use rustix::io::Errno;

use super::process::last_errno;

/// One instruction of a classic BPF program, the kernel's `struct sock_filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// Operation code.
    pub code: u16,
    /// Instructions to skip if the test holds.
    pub jump_true: u8,
    /// Instructions to skip otherwise.
    pub jump_false: u8,
    /// Operand.
    pub operand: u32,
}

/// The kernel's `struct sock_fprog`.
#[repr(C)]
struct Program {
    length: u16,
    instructions: *const Instruction,
}

/// Installs `program` for the calling thread and everything it starts, irrevocably.
///
/// # Errors
/// `EACCES` without `CAP_SYS_ADMIN` or no_new_privs, `EINVAL` for a malformed program or one over
/// 4096 instructions.
pub fn load(program: &[Instruction], flags: u32) -> Result<(), Errno> {
    let length = u16::try_from(program.len()).map_err(|_| Errno::INVAL)?;
    let program = Program { length, instructions: program.as_ptr() };
    // SAFETY: seccomp(2) reads a sock_fprog and the `length` instructions it points to; the slice
    // is borrowed for the whole call and has exactly that many.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            &raw const program,
        )
    };
    if result < 0 { Err(last_errno()) } else { Ok(()) }
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
