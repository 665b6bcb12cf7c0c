//! The container's side of the streams: two pipes or one terminal out, one of them in.

use std::os::fd::{AsFd as _, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::termios::Winsize;

use super::wire;
use crate::error::{Context as _, Result};
use crate::logs;

/// What a pipe holds of a container that floods it.
const FLOOD_PIPE_BYTES: usize = 256 << 10;

/// Which stream bytes came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    Stdout,
    Stderr,
}

impl Output {
    pub(super) fn kind(self) -> u8 {
        match self {
            Output::Stdout => wire::STDOUT,
            Output::Stderr => wire::STDERR,
        }
    }

    pub(super) fn in_log(self) -> logs::Stream {
        match self {
            Output::Stdout => logs::Stream::Stdout,
            Output::Stderr => logs::Stream::Stderr,
        }
    }
}

#[derive(Debug)]
pub(super) struct Outputs {
    streams: Vec<(Output, OwnedFd)>,
    terminal: bool,
    /// The pipes have been enlarged.
    flooded: bool,
    /// Nobody has the terminal open at the moment: poll(2) would return at once, for ever.
    hung_up: bool,
    buffer: Box<[u8]>,
}

impl Outputs {
    pub(super) fn new(
        terminal: Option<OwnedFd>,
        stdout: Option<OwnedFd>,
        stderr: Option<OwnedFd>,
    ) -> Result<Self> {
        let is_terminal = terminal.is_some();
        let stdout = terminal.or(stdout).map(|fd| (Output::Stdout, fd));
        let streams: Vec<_> = stdout
            .into_iter()
            .chain(stderr.map(|fd| (Output::Stderr, fd)))
            .collect();
        for (_, stream) in &streams {
            rustix::io::ioctl_fionbio(stream, true).context(|| "prepare a stream")?;
        }
        let buffer = vec![0; wire::MOST_BYTES].into_boxed_slice();
        Ok(Outputs {
            streams,
            terminal: is_terminal,
            flooded: false,
            hung_up: false,
            buffer,
        })
    }

    pub(super) fn terminal(&self) -> Option<&OwnedFd> {
        self.terminal
            .then(|| self.streams.first().map(|(_, fd)| fd))
            .flatten()
    }

    pub(super) fn poll_on<'a>(&'a self, polled: &mut Vec<PollFd<'a>>) {
        if !self.hung_up {
            polled.extend(
                self.streams
                    .iter()
                    .map(|(_, fd)| PollFd::new(fd, PollFlags::IN)),
            );
        }
    }

    /// While the terminal is hung up it is looked at every 100 ms: another process may open it.
    pub(super) fn timeout(&self) -> Option<Timespec> {
        self.hung_up.then_some(Timespec {
            tv_sec: 0,
            tv_nsec: 100_000_000,
        })
    }

    /// Reads what is there, one buffer a stream; the number of bytes.
    pub(super) fn read(&mut self, mut deliver: impl FnMut(Output, &[u8])) -> usize {
        let (mut total, mut full) = (0, false);
        let buffer = &mut self.buffer;
        let (terminal, hung_up) = (self.terminal, &mut self.hung_up);
        self.streams
            .retain(|(stream, fd)| match rustix::io::read(fd, &mut buffer[..]) {
                Ok(0) => false,
                Ok(count) => {
                    *hung_up = false;
                    total += count;
                    deliver(*stream, &buffer[..count]);
                    full |= count == buffer.len();
                    true
                }
                Err(Errno::AGAIN | Errno::INTR) => {
                    *hung_up = false;
                    true
                }
                Err(Errno::IO) if terminal => {
                    *hung_up = true;
                    true
                }
                Err(_) => false,
            });
        if full && !std::mem::replace(&mut self.flooded, true) {
            self.enlarge();
        }
        total
    }

    /// Once output comes faster than we read it, larger pipes save the container half its waiting.
    /// Not from the start: what a user may have in pipes is limited, pipe(7).
    fn enlarge(&self) {
        for (_, fd) in &self.streams {
            // A terminal has no such size, and at the limit the old one stays.
            let _ = rustix::pipe::fcntl_setpipe_size(fd, FLOOD_PIPE_BYTES);
        }
    }

    pub(super) fn resize(&self, rows: u16, columns: u16) {
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        if let Some(terminal) = self.terminal() {
            // Only a cosmetic loss, and nobody to tell.
            let _ = rustix::termios::tcsetwinsize(terminal, size);
        }
    }
}

/// The container's standard input and what could not be written to it yet.
#[derive(Debug)]
pub(super) struct Input {
    to: Option<OwnedFd>,
    terminal: bool,
    held: Vec<u8>,
    /// Close once `held` is written.
    closing: bool,
}

impl Input {
    pub(super) fn terminal(to: OwnedFd) -> Self {
        Input {
            to: Some(to),
            terminal: true,
            held: Vec::new(),
            closing: false,
        }
    }

    pub(super) fn pipe(to: Option<OwnedFd>) -> Result<Self> {
        if let Some(to) = &to {
            rustix::io::ioctl_fionbio(to, true).context(|| "prepare standard input")?;
        }
        Ok(Input {
            to,
            terminal: false,
            held: Vec::new(),
            closing: false,
        })
    }

    /// More input may be taken from clients.
    pub(super) fn is_ready(&self) -> bool {
        self.held.is_empty()
    }

    pub(super) fn poll_on<'a>(&'a self, polled: &mut Vec<PollFd<'a>>) {
        if let (Some(to), false) = (&self.to, self.held.is_empty()) {
            polled.push(PollFd::new(to, PollFlags::OUT));
        }
    }

    pub(super) fn write(&mut self, bytes: Vec<u8>) {
        self.held.extend(bytes);
        self.flush();
    }

    pub(super) fn flush(&mut self) {
        while let (Some(to), false) = (&self.to, self.held.is_empty()) {
            match rustix::io::write(to.as_fd(), &self.held) {
                Ok(count) => drop(self.held.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                // The container closed its input: what comes is not wanted.
                Err(_) => {
                    self.held.clear();
                    self.to = None;
                }
            }
        }
        if self.to.is_none() {
            self.held.clear();
        }
        if self.closing && self.held.is_empty() {
            self.to = None;
        }
    }

    /// The client's input ended: so does the container's. A terminal stays open.
    pub(super) fn close(&mut self) {
        self.closing = !self.terminal;
        self.flush();
    }
}
