//! Pipes between a program that `exec` runs and those of our streams that are a terminal.
//!
//! Without `-t` a program may not have the caller's terminal: whoever holds one, even as stdout,
//! can read what is typed there and change its settings. Files and pipes are handed over as they
//! are.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use nix::sys::signal::{SigSet, Signal};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use rustix::termios::isatty;

use super::relay::write_all;
use crate::error::{Context as _, Result};
use crate::runtime::process::wait_code;

/// The pipes; none for a stream that is handed over.
#[derive(Debug, Default)]
pub(super) struct Between {
    /// The program's ends: its stdin, stdout and stderr.
    give: [Option<OwnedFd>; 3],
    /// Ours.
    keep: [Option<OwnedFd>; 3],
}

fn standard_streams() -> [BorrowedFd<'static>; 3] {
    [
        rustix::stdio::stdin(),
        rustix::stdio::stdout(),
        rustix::stdio::stderr(),
    ]
}

impl Between {
    /// Makes a pipe for every stream that is a terminal; for stdin only if it is `wanted`.
    pub fn new(wanted: bool) -> Result<Between> {
        let mut between = Between::default();
        for (number, stream) in standard_streams().into_iter().enumerate() {
            if !isatty(stream) || (number == 0 && !wanted) {
                continue;
            }
            let pipe = rustix::pipe::pipe_with(PipeFlags::CLOEXEC);
            let (read, write) = pipe.context(|| "make a pipe for the program")?;
            let (give, keep) = if number == 0 {
                (read, write)
            } else {
                (write, read)
            };
            rustix::fs::fcntl_setfl(&keep, OFlags::NONBLOCK).context(|| "prepare a pipe")?;
            between.give[number] = Some(give);
            between.keep[number] = Some(keep);
        }
        Ok(between)
    }

    /// What the program gets as its stdin, stdout and stderr.
    pub fn streams(&self) -> [BorrowedFd<'_>; 3] {
        let mut streams = standard_streams();
        for (stream, given) in streams.iter_mut().zip(&self.give) {
            if let Some(given) = given {
                *stream = given.as_fd();
            }
        }
        streams
    }

    /// Copies until the program has ended; returns its exit code.
    pub fn relay(mut self, program: BorrowedFd<'_>) -> Result<u8> {
        self.give = [None, None, None];
        if self.keep[0].is_some() {
            // A program that closes its stdin is no reason to die.
            let mut pipe = SigSet::empty();
            pipe.add(Signal::SIGPIPE);
            pipe.thread_block().context(|| "block SIGPIPE")?;
        }
        let mut typed: Vec<u8> = Vec::new();
        while self.keep.iter().any(Option::is_some) {
            let ready = self.wait(program, typed.is_empty())?;
            // What was written last is still to be read after the end.
            let mut idle = true;
            for number in [1, 2] {
                idle &= !self.pass_output(number)?;
            }
            if ready.ended && idle {
                break;
            }
            if ready.input {
                self.pass_input(&mut typed);
            }
        }
        wait_code(program)
    }

    /// Waits for the end, for output, and for input: a key if nothing is left over, else room.
    fn wait(&self, program: BorrowedFd<'_>, none_left: bool) -> Result<Ready> {
        let stdin = rustix::stdio::stdin();
        let mut polled = vec![PollFd::from_borrowed_fd(program, PollFlags::IN)];
        if let Some(pipe) = &self.keep[0] {
            polled.push(match none_left {
                true => PollFd::from_borrowed_fd(stdin, PollFlags::IN),
                false => PollFd::new(pipe, PollFlags::OUT),
            });
        }
        let outputs = self.keep[1..].iter().flatten();
        polled.extend(outputs.map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        match poll(&mut polled, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno).context(|| "wait for the program"),
        }
        Ok(Ready {
            ended: !polled[0].revents().is_empty(),
            input: self.keep[0].is_some() && !polled[1].revents().is_empty(),
        })
    }

    /// Copies one buffer, if there is one; false if nothing came.
    fn pass_output(&mut self, number: usize) -> Result<bool> {
        let Some(pipe) = &self.keep[number] else {
            return Ok(false);
        };
        let mut buffer = [0; 16 << 10];
        match rustix::io::read(pipe, &mut buffer) {
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Ok(0) => {
                self.keep[number] = None;
                Ok(false)
            }
            Ok(count) => {
                write_all(standard_streams()[number], &buffer[..count])?;
                Ok(true)
            }
            Err(errno) => Err(errno).context(|| "read the program's output"),
        }
    }

    /// Copies what was typed as far as there is room; the end of either side closes the pipe.
    fn pass_input(&mut self, typed: &mut Vec<u8>) {
        if typed.is_empty() {
            let mut buffer = [0; 4096];
            match rustix::io::read(rustix::stdio::stdin(), &mut buffer) {
                Err(Errno::INTR | Errno::AGAIN) => return,
                Ok(0) | Err(_) => {
                    self.keep[0] = None;
                    return;
                }
                Ok(count) => typed.extend_from_slice(&buffer[..count]),
            }
        }
        let Some(pipe) = &self.keep[0] else { return };
        match rustix::io::write(pipe, typed) {
            Ok(count) => drop(typed.drain(..count)),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => self.keep[0] = None,
        }
    }
}

/// What there is to do.
struct Ready {
    ended: bool,
    input: bool,
}
