//! Questions on a terminal, one line each.
//!
//! Signals wait for the answer to be read or given up: whoever interrupts a password must get the
//! echo of the terminal back.

use std::io::IsTerminal;
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::cli::output;
use crate::error::{Context as _, Error, Kind, Result};
use crate::sys::signal;

/// Signals that would end us with the echo off.
const DEADLY: [i32; 4] = [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT];
/// More than a terminal's line can have.
const LIMIT: usize = 64 << 10;

/// Whether the answer may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    Shown,
    Hidden,
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// A line without its end.
    Line(String),
    /// The user does not want to answer; the exit code.
    GivenUp(u8),
}

/// Whether somebody can be asked.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks and reads one line from the terminal on stdin.
pub fn ask(question: &str, echo: Echo) -> Result<Answer> {
    let signals = signal::watch(&DEADLY).context(|| "watch signals")?;
    output::bytes(output::escape(question).as_bytes())?;
    let hidden = match echo {
        Echo::Hidden => Some(NoEcho::begin().context(|| "turn the terminal's echo off")?),
        Echo::Shown => None,
    };
    let answer = read(&signals);
    if hidden.is_some() {
        drop(hidden);
        output::bytes(b"\n")?;
    }
    // What follows may take long, and is to be interrupted as everything else.
    signal::unblock(&DEADLY).context(|| "let signals through")?;
    answer
}

fn read(signals: &impl AsFd) -> Result<Answer> {
    let stdin = rustix::stdio::stdin();
    let mut line = Vec::new();
    loop {
        let mut watched = [
            PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(stdin, PollFlags::IN),
        ];
        match poll(&mut watched, None) {
            Err(Errno::INTR) => continue,
            other => other.context(|| "wait for an answer")?,
        };
        if let Some(number) = signal::read(signals.as_fd()) {
            let number = u8::try_from(number).unwrap_or(0);
            return Ok(Answer::GivenUp(128 + number));
        }
        if watched[1].revents().is_empty() {
            continue;
        }
        let mut buffer = [0; 4096];
        let count = match rustix::io::read(stdin, &mut buffer) {
            Err(Errno::INTR | Errno::AGAIN) => continue,
            other => other.context(|| "read the answer")?,
        };
        line.extend_from_slice(&buffer[..count]);
        if count == 0 && line.is_empty() {
            return Ok(Answer::GivenUp(1));
        }
        if line.len() > LIMIT {
            return Err(Error::invalid("the answer is too long"));
        }
        if count == 0 || line.ends_with(b"\n") {
            let text = String::from_utf8(line)
                .map_err(|_| Error::new(Kind::Invalid, "the answer is not UTF-8"))?;
            return Ok(Answer::Line(text.trim_end_matches(['\n', '\r']).to_owned()));
        }
    }
}

/// The terminal as it was, to be restored.
struct NoEcho(Termios);

impl NoEcho {
    fn begin() -> Result<Self, Errno> {
        let stdin = rustix::stdio::stdin();
        let before = tcgetattr(stdin)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        // What was typed ahead was meant for this question or a later one, and stays.
        tcsetattr(stdin, OptionalActions::Drain, &quiet)?;
        Ok(NoEcho(before))
    }
}

impl Drop for NoEcho {
    fn drop(&mut self) {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Drain, &self.0);
    }
}
