//! Signal dispositions that the language runtime changed and we change back; see signal(7).

use nix::sys::signal::{SigHandler, Signal, signal};

/// Gives SIGPIPE its default action again.
///
/// Rust starts with it ignored: `hull ps | head` would then end in an error instead of silence, and
/// the ignored state would be inherited by every program we execute.
#[expect(unsafe_code, reason = "changes the action of a signal")]
pub fn restore_sigpipe() {
    // SAFETY: signal(2) installs SIG_DFL, which runs no code of ours, so no handler has to be
    // async-signal-safe; main calls this before any other thread exists.
    let replaced = unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) };
    replaced.expect("SIGPIPE is a valid signal whose action may be changed");
}
