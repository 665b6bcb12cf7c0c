//! The process that stays with one container: owns its terminal or pipes, writes its log, serves
//! the clients that attach, and learns how it ended.
//!
//! Theory of operation. One thread, one poll(2) loop ([`attend`]), no allocation per message
//! beyond one buffer. Output is read once, goes to the log first, then to every client. The client
//! that started the container in the foreground gets back-pressure: while its socket is full,
//! nothing more is read, so `hull run … | slow` loses nothing. Later clients may fall some way
//! behind, then they are dropped: none of them may stall the log. The end of the container is its
//! pidfd becoming readable; what is left in its pipes is drained after that.
//!
//! It stays small (well under 1 MiB): it is executed anew once the container runs, with its open
//! descriptors handed over, so that nothing of the command's heap remains.

mod clients;
mod pump;
pub mod wire;

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::error::{Context as _, Result};
use crate::logs::Writer;
use clients::{Clients, Request};
use pump::{Input, Output, Outputs};

/// More than the pipes of a container hold.
const MOST_LEFT: usize = 1 << 20;

/// What the monitor holds of its container.
#[derive(Debug)]
pub struct Attended {
    /// The first process, our child.
    pub container: OwnedFd,
    /// The controlling side of the terminal; the pipes are unused then.
    pub terminal: Option<OwnedFd>,
    /// The write side of standard input, if it is open.
    pub stdin: Option<OwnedFd>,
    pub stdout: Option<OwnedFd>,
    pub stderr: Option<OwnedFd>,
    pub log: Option<Writer>,
    /// Where clients connect.
    pub listener: OwnedFd,
    /// The client that started the container.
    pub first_client: Option<OwnedFd>,
    /// Signals sent to the monitor itself, as a signalfd.
    pub signals: OwnedFd,
    /// What the container is told when the monitor is told to end.
    pub stop_signal: i32,
    /// What else is to be done while it runs.
    pub chores: Vec<Box<dyn Chore>>,
}

/// Something the monitor does beside the streams: health checks, the longest time to run.
pub trait Chore: std::fmt::Debug {
    /// When it wants its turn, whatever happens; `None` if only its descriptors matter.
    fn due(&self) -> Option<Instant>;
    /// Descriptors that give it its turn when they are readable.
    fn descriptors(&self) -> Vec<BorrowedFd<'_>>;
    /// Does what there is to do, without waiting.
    fn turn(&mut self);
}

/// The container has ended; clients still wait for the word.
#[derive(Debug)]
pub struct Ended {
    pub exit_code: u8,
    /// The monitor was told to end, and told the container.
    pub told: bool,
    clients: Clients,
    /// Stays open until the end is recorded: who connects meanwhile hears of it too.
    listener: OwnedFd,
}

impl Ended {
    /// Tells every client how the container ended.
    pub fn announce(mut self) {
        while self.clients.accept(self.listener.as_fd()) {}
        self.clients.announce_exit(self.exit_code);
    }
}

/// Serves the container until its end.
pub fn attend(attended: Attended) -> Result<Ended> {
    let Attended {
        container,
        listener,
        signals,
        stop_signal,
        ..
    } = &attended;
    let (container, listener) = (container.try_clone()?, listener.try_clone()?);
    let (signals, stop_signal) = (signals.try_clone()?, *stop_signal);
    let mut clients = Clients::new(attended.first_client);
    let mut outputs = Outputs::new(attended.terminal, attended.stdout, attended.stderr)?;
    let mut input = match outputs.terminal() {
        Some(terminal) => Input::terminal(terminal.try_clone()?),
        None => Input::pipe(attended.stdin)?,
    };
    let mut told = false;
    let (mut log, mut chores) = (attended.log, attended.chores);
    loop {
        let fixed = [&container, &listener, &signals];
        let events = wait(fixed, &clients, &outputs, &input, &chores)?;
        // The monitor itself is told to end: so is the container, which ends us.
        if events.signal && crate::sys::signal::read(signals.as_fd()).is_some() {
            told = true;
            // It may be gone already; the pidfd says so next.
            let _ = crate::sys::signal::send(container.as_fd(), stop_signal);
        }
        if events.connection {
            clients.accept(listener.as_fd());
        }
        clients.flush();
        if events.chore {
            chores.iter_mut().for_each(|chore| chore.turn());
        }
        for request in clients.read_requests(input.is_ready()) {
            serve(request, &mut input, &outputs, &container);
        }
        input.flush();
        if !clients.first_is_full() {
            outputs.read(|stream, bytes| deliver(stream, bytes, &mut log, &mut clients));
        }
        if events.ended {
            drain(&mut outputs, &mut log, &mut clients);
            if let Some(log) = &mut log {
                log.flush_partial(crate::base::Timestamp::now());
            }
            let exit_code = crate::runtime::process::wait_code(container.as_fd())?;
            return Ok(Ended {
                exit_code,
                told,
                clients,
                listener,
            });
        }
    }
}

/// The log first: what a client saw must be in it.
fn deliver(stream: Output, bytes: &[u8], log: &mut Option<Writer>, clients: &mut Clients) {
    if let Some(log) = log {
        log.append(stream.in_log(), bytes, crate::base::Timestamp::now());
    }
    clients.send_output(stream, bytes);
}

/// Reads what the ended container left in its pipes. That is no more than they hold, so nobody has
/// to wait until the first client has taken it; more comes only from processes that outlived it
/// (in the host's process namespace), which are ended next.
fn drain(outputs: &mut Outputs, log: &mut Option<Writer>, clients: &mut Clients) {
    let mut total = 0;
    while total < MOST_LEFT {
        match outputs.read(|stream, bytes| deliver(stream, bytes, log, clients)) {
            0 => return,
            count => total += count,
        }
    }
}

fn serve(request: Request, input: &mut Input, outputs: &Outputs, container: &OwnedFd) {
    match request {
        Request::Input(bytes) => input.write(bytes),
        Request::InputEnd => input.close(),
        Request::Resize { rows, columns } => outputs.resize(rows, columns),
        Request::Signal(number) => {
            // A container that has just ended cannot be signalled; its end is told next.
            let _ = crate::sys::signal::send(container.as_fd(), number);
        }
    }
}

#[derive(Debug)]
struct Events {
    ended: bool,
    chore: bool,
    connection: bool,
    signal: bool,
}

/// Tells whoever has connected while nothing runs how the container ended last.
pub fn answer_ended(listener: BorrowedFd<'_>, exit_code: u8) {
    let mut clients = Clients::new(None);
    while clients.accept(listener) {}
    clients.announce_exit(exit_code);
}

/// Sleeps until something happens. `fixed` are the container, the listener and the signals.
fn wait(
    fixed: [&OwnedFd; 3],
    clients: &Clients,
    outputs: &Outputs,
    input: &Input,
    chores: &[Box<dyn Chore>],
) -> Result<Events> {
    let mut polled: Vec<PollFd<'_>> = fixed
        .into_iter()
        .map(|fd| PollFd::new(fd, PollFlags::IN))
        .collect();
    let of_chores = chores.iter().flat_map(|chore| chore.descriptors());
    polled.extend(of_chores.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
    let after_chores = polled.len();
    clients.poll_on(&mut polled, input.is_ready());
    if !clients.first_is_full() {
        outputs.poll_on(&mut polled);
    }
    input.poll_on(&mut polled);
    let due = chores.iter().filter_map(|chore| chore.due()).min();
    let timeout = [outputs.timeout(), due.map(until)]
        .into_iter()
        .flatten()
        .min();
    match poll(&mut polled, timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(errno) => return Err(errno).context(|| "wait for the container"),
    }
    let fired = |index: usize| !polled[index].revents().is_empty();
    Ok(Events {
        ended: fired(0),
        connection: fired(1),
        signal: fired(2),
        chore: (3..after_chores).any(fired) || due.is_some_and(|due| due <= Instant::now()),
    })
}

/// How long until then, rounded up to what poll(2) can tell apart from now.
pub fn until(moment: Instant) -> Timespec {
    let left = moment.saturating_duration_since(Instant::now());
    Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    }
}
