//! The client's side of an attached container: standard streams on one side, the monitor's socket
//! on the other.
//!
//! Theory of operation. One poll(2) loop that never blocks anywhere else: whoever does not read our
//! output, or a container that does not read its input, must not keep a signal from getting
//! through. One message of output and one buffer of input are held until they are taken. Signals
//! take a connection of their own, so that they do not queue behind input.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{CWD, FileType, Mode, OFlags};
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
    /// The end of our input is that of the container's.
    pub ends_stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    /// The container has a terminal, and so have we.
    pub terminal: bool,
    /// Make a program that has run for a while draw its screen again.
    pub redraw: bool,
    /// Pass signals sent to us on to the container.
    pub forward_signals: bool,
    /// The bytes that detach, e.g. ctrl-p ctrl-q; empty for none.
    pub detach_keys: Vec<u8>,
    /// The container's run directory, where its monitor listens.
    pub control: PathBuf,
}

/// How a relay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The container ended with this code.
    Exited(u8),
    /// The user typed the detach keys; the container goes on.
    Detached,
    /// All input was passed on, and nothing else was wanted; the container goes on.
    InputPassed,
    /// This signal asks us, and not the container, to end.
    Signalled(u8),
    /// We were too slow for the monitor.
    Lagged,
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

/// Signals that end us where they are not forwarded; the terminal has to be restored before.
const DEADLY: [i32; 4] = [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT];

/// Blocks the signals that [`relay`] will forward: those that come before it wait for it.
pub fn hold_signals() -> Result<()> {
    let held = crate::sys::signal::watch(&FORWARDED);
    held.map(drop).context(|| "watch signals")
}

/// Relays until the container ends or the user detaches.
pub fn relay(socket: OwnedFd, options: &RelayOptions) -> Result<Outcome> {
    let mut caught = vec![libc::SIGWINCH];
    if options.terminal {
        caught.extend(DEADLY);
    } else if options.forward_signals {
        caught.extend(FORWARDED);
    }
    let signals = crate::sys::signal::watch(&caught).context(|| "watch signals")?;
    let _raw = if options.terminal && options.stdin {
        RawMode::enter()
    } else {
        None
    };
    let relay = Relay {
        socket,
        signals,
        control: None,
        options,
        sinks: [
            Sink::new(rustix::stdio::stdout()),
            Sink::new(rustix::stdio::stderr()),
        ],
        message: Pending::none(),
        message_to: 0,
        typed: None,
        reading: options.stdin,
        keys: DetachKeys::new(options.detach_keys.clone()),
        detaching: false,
    };
    relay.run()
}

/// A part of a buffer that is still to be written.
struct Pending {
    buffer: Vec<u8>,
    from: usize,
    to: usize,
}

impl Pending {
    fn none() -> Pending {
        Pending {
            buffer: vec![0; wire::MOST_BYTES + 1],
            from: 0,
            to: 0,
        }
    }

    fn is_empty(&self) -> bool {
        self.from == self.to
    }
}

struct Relay<'a> {
    socket: OwnedFd,
    signals: OwnedFd,
    /// The connection for signals, made for the first one.
    control: Option<OwnedFd>,
    options: &'a RelayOptions,
    sinks: [Sink; 2],
    /// Output that was received; goes to the sink with this number.
    message: Pending,
    message_to: usize,
    /// Input (or its end, if empty) that the monitor has not taken yet.
    typed: Option<Vec<u8>>,
    reading: bool,
    keys: DetachKeys,
    detaching: bool,
}

/// What a turn of the loop found.
struct Ready {
    signal: bool,
    output: bool,
    message: bool,
    input: bool,
    room: bool,
}

impl Relay<'_> {
    fn run(mut self) -> Result<Outcome> {
        if self.options.terminal {
            self.send_size(u16::from(self.options.redraw));
        }
        loop {
            let ready = self.wait()?;
            if ready.signal
                && let Some(number) = crate::sys::signal::read(self.signals.as_fd())
                && let Some(outcome) = self.pass_signal(number)
            {
                return Ok(outcome);
            }
            if ready.output {
                self.write()?;
            }
            if ready.message
                && let Some(outcome) = self.receive()?
            {
                return Ok(outcome);
            }
            if ready.room {
                self.send_typed();
            }
            if ready.input {
                self.read_input();
            }
            if self.typed.is_none() {
                if self.detaching {
                    return Ok(Outcome::Detached);
                }
                let wants_output = self.options.stdout || self.options.stderr;
                if self.options.stdin && !self.reading && !wants_output {
                    return Ok(Outcome::InputPassed);
                }
            }
        }
    }

    fn wait(&self) -> Result<Ready> {
        let stdin = rustix::stdio::stdin();
        let writing = !self.message.is_empty();
        let mut events = PollFlags::empty();
        if !writing {
            events |= PollFlags::IN;
        }
        if self.typed.is_some() {
            events |= PollFlags::OUT;
        }
        let sink = self.sinks[self.message_to].fd();
        let mut polled = vec![PollFd::new(&self.signals, PollFlags::IN)];
        // What is not wanted is left out: a hang-up would be reported all the same, at once.
        let place = |polled: &mut Vec<PollFd<'_>>| polled.len() - 1;
        let mut at = [None; 3];
        if !events.is_empty() {
            polled.push(PollFd::new(&self.socket, events));
            at[0] = Some(place(&mut polled));
        }
        if writing {
            polled.push(PollFd::from_borrowed_fd(sink, PollFlags::OUT));
            at[1] = Some(place(&mut polled));
        }
        if self.reading && self.typed.is_none() {
            polled.push(PollFd::from_borrowed_fd(stdin, PollFlags::IN));
            at[2] = Some(place(&mut polled));
        }
        match poll(&mut polled, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno).context(|| "wait for the container"),
        }
        let [socket, output, input] =
            at.map(|at| at.map_or(PollFlags::empty(), |at| polled[at].revents()));
        Ok(Ready {
            signal: !polled[0].revents().is_empty(),
            output: !output.is_empty(),
            message: !writing && !socket.difference(PollFlags::OUT).is_empty(),
            input: !input.is_empty(),
            room: self.typed.is_some() && !socket.difference(PollFlags::IN).is_empty(),
        })
    }

    fn pass_signal(&mut self, number: i32) -> Option<Outcome> {
        if number == libc::SIGWINCH {
            self.send_size(0);
            return None;
        }
        let byte = u8::try_from(number).unwrap_or(0);
        if self.options.terminal {
            return Some(Outcome::Signalled(byte));
        }
        if self.control.is_none() {
            self.control = wire::connect(&self.options.control).ok();
        }
        let through = self.control.as_ref().unwrap_or(&self.socket);
        // A monitor that is gone is noticed by the next read.
        let _ = wire::try_send(through.as_fd(), wire::SIGNAL, &[byte]);
        None
    }

    fn receive(&mut self) -> Result<Option<Outcome>> {
        let flags = RecvFlags::DONTWAIT;
        let received = wire::receive(self.socket.as_fd(), &mut self.message.buffer, flags);
        let (kind, length) = match received {
            Err(Errno::AGAIN) => return Ok(None),
            Err(errno) => return Err(errno).context(|| "hear from the monitor"),
            Ok(None) => return Ok(Some(Outcome::Lost)),
            Ok(Some((kind, content))) => (kind, content.len()),
        };
        let wanted = match kind {
            wire::EXITED => {
                let code = self.message.buffer.get(1).filter(|_| length > 0);
                return Ok(Some(Outcome::Exited(code.copied().unwrap_or(255))));
            }
            wire::LAGGED => return Ok(Some(Outcome::Lagged)),
            wire::STDOUT => self.options.stdout,
            wire::STDERR => self.options.stderr,
            _ => false,
        };
        if wanted {
            self.message_to = usize::from(kind == wire::STDERR);
            (self.message.from, self.message.to) = (1, 1 + length);
            if !self.sinks[self.message_to].may_block() {
                self.write()?;
            }
        }
        Ok(None)
    }

    /// Writes as much of the message as is taken.
    fn write(&mut self) -> Result<()> {
        let message = &mut self.message;
        let sink = &self.sinks[self.message_to];
        while !message.is_empty() {
            match sink.write(&message.buffer[message.from..message.to]) {
                Ok(count) => message.from += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(errno) => return Err(errno).context(|| "write output"),
            }
            if sink.may_block() {
                // Should: ask poll(2) before each write.
                return Ok(());
            }
        }
        Ok(())
    }

    fn read_input(&mut self) {
        let mut buffer = [0; wire::MOST_BYTES];
        match rustix::io::read(rustix::stdio::stdin(), &mut buffer) {
            Err(Errno::INTR | Errno::AGAIN) => {}
            Ok(0) | Err(_) => {
                self.reading = false;
                self.typed = self.options.ends_stdin.then(Vec::new);
            }
            Ok(count) => {
                let (bytes, detach) = self.keys.filter(&buffer[..count]);
                self.detaching = detach;
                self.typed = (!bytes.is_empty()).then_some(bytes);
            }
        }
        self.send_typed();
    }

    fn send_typed(&mut self) {
        let Some(bytes) = &self.typed else { return };
        let kind = match bytes.is_empty() {
            true => wire::INPUT_END,
            false => wire::INPUT,
        };
        // A container that has ended takes no input; its end is the next message.
        if wire::try_send(self.socket.as_fd(), kind, bytes) != Err(Errno::AGAIN) {
            self.typed = None;
        }
    }

    /// Tells the size of our terminal; with `step`, another one first, which makes programs draw.
    fn send_size(&self, step: u16) {
        let Some((rows, columns)) = terminal_size() else {
            return;
        };
        let sizes = [
            (rows.saturating_add(step), columns.saturating_add(step)),
            (rows, columns),
        ];
        for (rows, columns) in &sizes[usize::from(step == 0)..] {
            let [a, b] = rows.to_le_bytes();
            let [c, d] = columns.to_le_bytes();
            // Only a cosmetic loss.
            let _ = wire::try_send(self.socket.as_fd(), wire::RESIZE, &[a, b, c, d]);
        }
    }
}

/// One of our outputs. It belongs to others too, so it cannot be made non-blocking; a pipe can be
/// opened once more for ourselves.
struct Sink {
    shared: BorrowedFd<'static>,
    own: Option<OwnedFd>,
    /// How much it takes at once without blocking when poll(2) says that it takes anything.
    most: usize,
}

impl Sink {
    fn new(shared: BorrowedFd<'static>) -> Sink {
        use std::os::fd::AsRawFd as _;
        let kind = rustix::fs::fstat(shared).map(|stat| FileType::from_raw_mode(stat.st_mode));
        let path = format!("/proc/self/fd/{}", shared.as_raw_fd());
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let own = match kind {
            Ok(FileType::Fifo) => rustix::fs::openat(CWD, path, flags, Mode::empty()).ok(),
            _ => None,
        };
        let most = match kind {
            Ok(FileType::RegularFile | FileType::BlockDevice) => usize::MAX,
            _ if own.is_some() => usize::MAX,
            // PIPE_BUF, pipe(7); terminals and sockets mean about as much.
            _ => 4096,
        };
        Sink { shared, own, most }
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.own.as_ref().map_or(self.shared, |own| own.as_fd())
    }

    fn may_block(&self) -> bool {
        self.most != usize::MAX
    }

    fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        rustix::io::write(self.fd(), &bytes[..bytes.len().min(self.most)])
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
