//! `--init`: PID 1 that forwards signals to the container's program and reaps orphans.
//!
//! Theory of operation, as in tini and catatonit: every signal except faults is blocked before the
//! child exists, so none is lost; PID 1 then takes them one at a time with `rt_sigtimedwait(2)`.
//! The child gets its own process group, becomes the terminal's foreground group while SIGTTOU is
//! still blocked, restores the mask it would have had, and executes the program.

use crate::control::Control;
use crate::kernel::{self, Start, Word};
use crate::{execute, report};

const SIGCHLD: i32 = 17;
/// A fault must kill at once: blocked, the kernel would kill anyway but `--init` would report it
/// oddly. Signals: ILL 4, TRAP 5, ABRT 6, BUS 7, FPE 8, SEGV 11, SYS 31.
const FAULTS: u64 = bit(4) | bit(5) | bit(6) | bit(7) | bit(8) | bit(11) | bit(31);
const FORWARDED: u64 = !FAULTS;

const fn bit(signal: u32) -> u64 {
    1 << (signal - 1)
}

/// Never returns while the program lives; returns the program's exit code.
pub fn run(start: &Start, record: &Control) -> Word {
    let before = kernel::set_blocked_signals(FORWARDED);
    let child = kernel::fork();
    if child == 0 {
        // Neither may fail in a way that matters: without a terminal there is nothing to lead.
        kernel::lead_own_group();
        kernel::take_terminal(0);
        kernel::set_blocked_signals(before);
        return execute(start, record);
    }
    if child < 0 {
        return report(record, -child);
    }
    if let Some(fd) = record.report_fd {
        // Must not stay open here: the parent waits for its end.
        kernel::close(fd);
    }
    loop {
        match kernel::next_signal(FORWARDED) {
            SIGCHLD => {
                if let Some(code) = reap(child) {
                    return code;
                }
            }
            // EINTR and EAGAIN: a stop and continue of this process.
            signal if signal <= 0 => {}
            // ESRCH cannot be: the child is not reaped yet, so its number is still its own.
            signal => kernel::kill(child, signal),
        }
    }
}

/// Takes every dead child; the program's own code if it was among them.
fn reap(child: i32) -> Option<Word> {
    let mut code = None;
    loop {
        let mut status = 0;
        let pid = kernel::wait_any(&mut status);
        if pid <= 0 {
            return code;
        }
        if pid == child {
            code = Some(exit_code(status));
        }
    }
}

/// A shell's convention, kept by Docker: 128 + n for a signal.
fn exit_code(status: i32) -> Word {
    let signal = status & 0x7f;
    let code = if signal == 0 {
        status >> 8 & 0xff
    } else {
        128 + signal
    };
    code as Word
}
