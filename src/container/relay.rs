//! The client's side of an attached container: standard streams on one side, the monitor's socket
//! or an `exec`'s own descriptors on the other.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use rustix::termios::{OptionalActions, Termios};

use crate::error::{Context as _, Result};
use crate::monitor::wire;

/// How to relay.
#[derive(Debug, Clone)]
pub struct RelayOptions {
    /// Forward our standard input.
    pub stdin: bool,
    /// The container has a terminal, and so have we.
    pub terminal: bool,
    /// Pass signals sent to us on to the container.
    pub forward_signals: bool,
    /// The bytes that detach, e.g. ctrl-p ctrl-q; empty for none.
    pub detach_keys: Vec<u8>,
}

/// How a relay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The container ended with this code.
    Exited(u8),
    /// The user typed the detach keys; the container goes on.
    Detached,
    /// The monitor is gone without a word.
    Lost,
}

/// Signals that are not the client's own business, signal(7).
const FORWARDED: [i32; 8] = [
    libc::SIGTERM,
    libc::SIGINT,
    libc::SIGHUP,
    libc::SIGQUIT,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGCONT,
];

/// Relays until the container ends or the user detaches.
pub fn relay(socket: OwnedFd, options: &RelayOptions) -> Result<Outcome> {
    let mut caught = vec![libc::SIGWINCH];
    if options.forward_signals && !options.terminal {
        caught.extend(FORWARDED);
    }
    let signals = crate::sys::signal::watch(&caught).context(|| "watch signals")?;
    let _raw = if options.terminal && options.stdin {
        RawMode::enter()
    } else {
        None
    };
    if options.terminal {
        send_size(socket.as_fd());
    }
    let mut keys = DetachKeys::new(options.detach_keys.clone());
    let mut reading = options.stdin;
    let mut buffer = vec![0; wire::MOST_BYTES + 1];
    loop {
        let stdin = rustix::stdio::stdin();
        let mut polled = vec![
            PollFd::new(&socket, PollFlags::IN),
            PollFd::new(&signals, PollFlags::IN),
        ];
        if reading {
            polled.push(PollFd::new(&stdin, PollFlags::IN));
        }
        match poll(&mut polled, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno).context(|| "wait for the container"),
        }
        let ready: Vec<bool> = polled.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(polled);
        if ready[1] {
            pass_signal(&signals, socket.as_fd());
        }
        if ready[0]
            && let Some(outcome) = take_message(socket.as_fd(), &mut buffer)?
        {
            return Ok(outcome);
        }
        if ready.get(2) == Some(&true) {
            match pass_input(socket.as_fd(), &mut buffer, &mut keys) {
                Input::More => {}
                Input::Ended => reading = false,
                Input::Detach => return Ok(Outcome::Detached),
            }
        }
    }
}

fn pass_signal(signals: &OwnedFd, socket: BorrowedFd<'_>) {
    match crate::sys::signal::read(signals.as_fd()) {
        Some(libc::SIGWINCH) => send_size(socket),
        Some(number) => {
            let byte = [u8::try_from(number).unwrap_or(0)];
            // A monitor that is gone is noticed by the next read.
            let _ = wire::send(socket, wire::SIGNAL, &byte);
        }
        None => {}
    }
}

fn take_message(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<Option<Outcome>> {
    let message = wire::receive(socket, buffer, RecvFlags::empty());
    match message.context(|| "hear from the monitor")? {
        None => Ok(Some(Outcome::Lost)),
        Some((wire::EXITED, code)) => {
            Ok(Some(Outcome::Exited(code.first().copied().unwrap_or(255))))
        }
        Some((wire::STDOUT, bytes)) => write_all(rustix::stdio::stdout(), bytes).map(|()| None),
        Some((wire::STDERR, bytes)) => write_all(rustix::stdio::stderr(), bytes).map(|()| None),
        Some(_) => Ok(None),
    }
}

/// Writes everything; waits where the stream does not (it may be non-blocking by inheritance).
pub(super) fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let mut polled = [PollFd::new(&to, PollFlags::OUT)];
                // Interrupted or not: the write says.
                let _ = poll(&mut polled, None);
            }
            Err(errno) => return Err(errno).context(|| "write output"),
        }
    }
    Ok(())
}

enum Input {
    More,
    Ended,
    Detach,
}

fn pass_input(socket: BorrowedFd<'_>, buffer: &mut [u8], keys: &mut DetachKeys) -> Input {
    match rustix::io::read(rustix::stdio::stdin(), &mut buffer[..wire::MOST_BYTES]) {
        Err(Errno::INTR | Errno::AGAIN) => Input::More,
        Ok(0) | Err(_) => {
            let _ = wire::send(socket, wire::INPUT_END, &[]);
            Input::Ended
        }
        Ok(count) => {
            let (bytes, detach) = keys.filter(&buffer[..count]);
            // A container that has ended takes no input; its end is the next message.
            let _ = wire::send(socket, wire::INPUT, &bytes);
            if detach { Input::Detach } else { Input::More }
        }
    }
}

fn send_size(socket: BorrowedFd<'_>) {
    if let Some((rows, columns)) = terminal_size() {
        let [a, b] = rows.to_le_bytes();
        let [c, d] = columns.to_le_bytes();
        let _ = wire::send(socket, wire::RESIZE, &[a, b, c, d]);
    }
}

/// The size of our terminal: rows, columns.
pub fn terminal_size() -> Option<(u16, u16)> {
    let streams = [
        rustix::stdio::stdin(),
        rustix::stdio::stdout(),
        rustix::stdio::stderr(),
    ];
    let size = streams
        .into_iter()
        .find_map(|fd| rustix::termios::tcgetwinsize(fd).ok())?;
    Some((size.ws_row, size.ws_col))
}

/// Recognises the detach keys in what is typed. A started sequence is held back until it is
/// complete or broken.
#[derive(Debug)]
pub(super) struct DetachKeys {
    keys: Vec<u8>,
    matched: usize,
}

impl DetachKeys {
    pub(super) fn new(keys: Vec<u8>) -> Self {
        DetachKeys { keys, matched: 0 }
    }

    /// What to pass on, and whether the sequence is complete.
    pub(super) fn filter(&mut self, typed: &[u8]) -> (Vec<u8>, bool) {
        let mut out = Vec::with_capacity(typed.len());
        for byte in typed {
            if self.keys.get(self.matched) == Some(byte) {
                self.matched += 1;
                if self.matched == self.keys.len() {
                    return (out, true);
                }
                continue;
            }
            out.extend(&self.keys[..self.matched]);
            self.matched = usize::from(self.keys.first() == Some(byte));
            if self.matched == 0 {
                out.push(*byte);
            }
        }
        (out, false)
    }
}

/// Our terminal in raw mode; restored when this is dropped, whatever happens.
#[derive(Debug)]
pub(super) struct RawMode(Termios);

impl RawMode {
    pub(super) fn enter() -> Option<RawMode> {
        let stdin = rustix::stdio::stdin();
        let saved = rustix::termios::tcgetattr(stdin).ok()?;
        let mut raw = saved.clone();
        raw.make_raw();
        rustix::termios::tcsetattr(stdin, OptionalActions::Drain, &raw).ok()?;
        Some(RawMode(saved))
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // The terminal may be gone; there is nothing left to restore then.
        let _ = rustix::termios::tcsetattr(rustix::stdio::stdin(), OptionalActions::Drain, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detach_keys_are_held_back_until_complete() {
        let mut keys = DetachKeys::new(vec![16, 17]);
        assert_eq!(keys.filter(b"a\x10"), (b"a".to_vec(), false));
        assert_eq!(keys.filter(b"\x11b"), (Vec::new(), true));
        let mut keys = DetachKeys::new(vec![16, 17]);
        assert_eq!(keys.filter(b"\x10x"), (b"\x10x".to_vec(), false));
        assert_eq!(keys.filter(b"\x10\x10\x11"), (b"\x10".to_vec(), true));
        let mut none = DetachKeys::new(Vec::new());
        assert_eq!(none.filter(b"\x10\x11"), (b"\x10\x11".to_vec(), false));
    }
}
