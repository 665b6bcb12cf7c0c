//! Identity and end of processes: start times, pidfds, exit codes.

use std::fs;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, WaitIdStatus};

use crate::error::{Context as _, Error, Kind, Result};
use crate::sys::signal;

/// The start time of a process in clock ticks since boot, and whether it is a zombie
/// (`/proc/PID/stat` fields 22 and 3, proc_pid_stat(5)).
pub fn start_ticks(pid: i32) -> Result<(u64, bool)> {
    let file = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&file).context(|| format!("read {file}"))?;
    // The command name may hold blanks and parentheses; the last one ends it.
    let after = text.rsplit_once(") ").map_or("", |(_, after)| after);
    let mut fields = after.split(' ');
    let state = fields.next().unwrap_or("");
    let ticks = fields.nth(18).and_then(|field| field.parse().ok());
    let ticks = ticks.ok_or_else(|| Error::corrupt(format!("{file}: unexpected format")))?;
    Ok((ticks, matches!(state, "Z" | "X")))
}

/// Waits until a process that need not be our child has ended.
pub fn await_end(pidfd: BorrowedFd<'_>, patience: Duration) -> Result<()> {
    let deadline = Instant::now() + patience;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec {
            tv_sec: left.as_secs() as i64,
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&timeout)) {
            Err(Errno::INTR) => {}
            Ok(0) => return Err(Error::new(Kind::System, "the process does not end")),
            other => return other.map(drop).context(|| "wait for the process"),
        }
    }
}

/// Waits until the process has ended and sends it, until then, whatever `signals` receives (a
/// descriptor of [`signal::watch`]).
pub fn pass_signals_until_end(signals: BorrowedFd<'_>, pidfd: BorrowedFd<'_>) -> Result<()> {
    loop {
        let mut ready = [
            PollFd::new(&pidfd, PollFlags::IN),
            PollFd::new(&signals, PollFlags::IN),
        ];
        match poll(&mut ready, None) {
            Err(Errno::INTR) => continue,
            other => other.context(|| "wait for the process")?,
        };
        if !ready[0].revents().is_empty() {
            return Ok(());
        }
        if let Some(number) = signal::read(signals) {
            // It may have ended meanwhile: the next round sees that.
            let _ = signal::send(pidfd, number);
        }
    }
}

/// Waits for our child and turns its end into an exit code: 128 plus the number for a signal.
pub fn wait_code(pidfd: BorrowedFd<'_>) -> Result<u8> {
    loop {
        match rustix::process::waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED) {
            Err(Errno::INTR) => {}
            Ok(status) => return Ok(status.as_ref().map_or(255, exit_code)),
            Err(errno) => return Err(errno).context(|| "wait for the container"),
        }
    }
}

/// The exit code a shell would give this end.
pub fn exit_code(status: &WaitIdStatus) -> u8 {
    let signal = status.terminating_signal().map(|signal| 128 + signal);
    let code = status.exit_status().or(signal).unwrap_or(255);
    u8::try_from(code & 0xFF).unwrap_or(255)
}
