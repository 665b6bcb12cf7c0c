//! Signal dispositions of a process that is about to become another program.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};

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
    if result == 0 {
        Ok(())
    } else {
        Err(last_errno())
    }
}

/// Gives SIGPIPE its default action again, before any thread exists. Rust's runtime ignores it:
/// `hull ps | head` would then end in an error instead of silence.
pub fn restore_sigpipe() {
    set_sigpipe(libc::SIG_DFL);
}

/// Ignores SIGPIPE again: for a process that writes to programs, which may stop reading.
pub fn ignore_sigpipe() {
    set_sigpipe(libc::SIG_IGN);
}

fn set_sigpipe(action: libc::sighandler_t) {
    // SAFETY: signal(2) takes two numbers; neither action is a function of ours.
    let previous = unsafe { libc::signal(libc::SIGPIPE, action) };
    debug_assert_ne!(
        previous,
        libc::SIG_ERR,
        "SIGPIPE is a signal that may be changed"
    );
}

/// Sends any signal, real-time ones included, to the process behind a pidfd (Linux 5.1).
///
/// # Errors
/// `ESRCH` if it is gone, `EPERM`, `EINVAL` for no signal.
pub fn send(process: BorrowedFd<'_>, number: i32) -> Result<(), Errno> {
    let none = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: pidfd_send_signal(2) with a null siginfo reads no memory.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            process.as_raw_fd(),
            number,
            none,
            0,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(last_errno())
    }
}

/// The number of a signal by name (`TERM`, `SIGTERM`, `RTMIN+3`, any case) or number; signal(7).
pub fn parse(text: &str) -> Option<i32> {
    if let Ok(number) = text.parse::<i32>() {
        return (1..=64).contains(&number).then_some(number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let offset = |rest: &str| {
        if rest.is_empty() {
            Some(0)
        } else {
            rest.parse::<i32>().ok()
        }
    };
    if let Some(rest) = name.strip_prefix("RTMIN") {
        // The C library keeps the first two for itself.
        return Some(34 + offset(rest)?).filter(|number| (34..=64).contains(number));
    }
    if let Some(rest) = name.strip_prefix("RTMAX") {
        return Some(64 + offset(rest)?).filter(|number| (34..=64).contains(number));
    }
    let aliases = [
        ("CLD", libc::SIGCHLD),
        ("IOT", libc::SIGABRT),
        ("POLL", libc::SIGIO),
    ];
    if let Some((_, number)) = aliases.into_iter().find(|(alias, _)| *alias == name) {
        return Some(number);
    }
    format!("SIG{name}")
        .parse::<nix::sys::signal::Signal>()
        .ok()
        .map(|signal| signal as i32)
}

/// Blocks the signals that ask a process to end and returns a descriptor to read them from,
/// signalfd(2).
///
/// # Errors
/// Only for lack of descriptors.
pub fn block_and_watch() -> Result<OwnedFd, Errno> {
    watch(&[libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT])
}

/// Blocks these signals and returns a descriptor to read them from, signalfd(2).
///
/// # Errors
/// Only for lack of descriptors.
pub fn watch(numbers: &[i32]) -> Result<OwnedFd, Errno> {
    use nix::sys::signal::{SigSet, Signal};
    use nix::sys::signalfd::{SfdFlags, SignalFd};
    let named = numbers
        .iter()
        .filter_map(|number| Signal::try_from(*number).ok());
    let set: SigSet = named.collect();
    let error = |errno: nix::errno::Errno| Errno::from_raw_os_error(errno as i32);
    set.thread_block().map_err(error)?;
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let watch = SignalFd::with_flags(&set, flags).map_err(error)?;
    Ok(watch.into())
}

/// Lets these signals through again; one that waited arrives at once.
///
/// # Errors
/// Only a kernel fault.
pub fn unblock(numbers: &[i32]) -> Result<(), Errno> {
    use nix::sys::signal::{SigSet, Signal};
    let named = numbers
        .iter()
        .filter_map(|number| Signal::try_from(*number).ok());
    let set: SigSet = named.collect();
    set.thread_unblock()
        .map_err(|errno| Errno::from_raw_os_error(errno as i32))
}

/// Takes one signal from a descriptor of [`watch`], its number.
pub fn read(watch: BorrowedFd<'_>) -> Option<i32> {
    let mut record = [0u8; size_of::<libc::signalfd_siginfo>()];
    let length = rustix::io::read(watch, &mut record).ok()?;
    let [a, b, c, d, ..] = record;
    (length == record.len()).then(|| i32::from_le_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn signals_have_names_and_numbers() {
        let table = [
            ("TERM", Some(15)),
            ("sigkill", Some(9)),
            ("9", Some(9)),
            ("RTMIN+3", Some(37)),
            ("SIGRTMAX-1", Some(63)),
            ("0", None),
            ("65", None),
            ("NOPE", None),
            ("", None),
            ("-9", None),
            ("RTMIN+99", None),
        ];
        for (text, number) in table {
            assert_eq!(parse(text), number, "{text:?}");
        }
    }
}
