//! Signal dispositions of a process that is about to become another program.

use std::mem::MaybeUninit;

use rustix::io::Errno;

use super::process::last_errno;

/// Gives every signal its default action and unblocks all of them. Rust's runtime ignores SIGPIPE
/// and a monitor blocks what it reads from a signalfd; both would be inherited through exec.
///
/// # Errors
/// Only a kernel fault.
pub fn reset_all() -> Result<(), Errno> {
    for number in 1..=64 {
        let skip = [libc::SIGKILL, libc::SIGSTOP];
        // 32 and 33 belong to the C library, which refuses them.
        if skip.contains(&number) || number == 32 || number == 33 {
            continue;
        }
        // SAFETY: SIG_DFL is a valid disposition and no handler of ours is freed by it.
        let previous = unsafe { libc::signal(number, libc::SIG_DFL) };
        if previous == libc::SIG_ERR {
            return Err(last_errno());
        }
    }
    let mut none = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset(3) initialises the whole set it is given.
    unsafe { libc::sigemptyset(none.as_mut_ptr()) };
    // SAFETY: the set was initialised above; a null old set is allowed.
    let result =
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut()) };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}
