//! Kernel keyrings, keyctl(2).

use rustix::io::Errno;

use super::process::last_errno;

const KEYCTL_JOIN_SESSION_KEYRING: libc::c_long = 1;

/// Joins a new anonymous session keyring, so that keys of the launching shell are out of reach.
///
/// # Errors
/// `ENOSYS` without keyrings in the kernel, `EDQUOT` when the user's key quota is used up.
pub fn join_new_session() -> Result<(), Errno> {
    // SAFETY: a NULL name asks for an anonymous keyring; no memory is read.
    let result = unsafe {
        libc::syscall(
            libc::SYS_keyctl,
            KEYCTL_JOIN_SESSION_KEYRING,
            std::ptr::null::<libc::c_char>(),
        )
    };
    if result < 0 {
        Err(last_errno())
    } else {
        Ok(())
    }
}
