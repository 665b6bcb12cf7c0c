//! Whole ranges of file descriptors: close_range(2), and adopting inherited ones.

use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::io::Errno;

use super::process::last_errno;

/// Marks every descriptor from `first` on close-on-exec (Linux 5.11), so that nothing the caller
/// left open, or we forgot, reaches a program we start (CVE-2024-21626).
///
/// # Errors
/// `EINVAL` before Linux 5.11, `ENOSYS` before 5.9.
pub fn close_on_exec_from(first: RawFd) -> Result<(), Errno> {
    // SAFETY: close_range(2) takes three integers and touches no memory of ours.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(last_errno())
    }
}

/// Takes over a descriptor that another program left open for us at a number it told us.
///
/// # Errors
/// `EBADF` if nothing is open there.
pub fn adopt(number: RawFd) -> Result<OwnedFd, Errno> {
    if number < 0 {
        return Err(Errno::BADF);
    }
    // SAFETY: only used for the fcntl below, which answers EBADF if nothing is open there.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    rustix::io::fcntl_getfd(borrowed)?;
    // SAFETY: the descriptor is open, and the caller says that it was handed to this process.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Names a descriptor by number after a fork, where ownership has no meaning any more.
pub fn by_number<'a>(number: RawFd) -> BorrowedFd<'a> {
    debug_assert!(number >= 0);
    // SAFETY: not -1; a number that is not open makes system calls answer EBADF, nothing worse.
    unsafe { BorrowedFd::borrow_raw(number) }
}
