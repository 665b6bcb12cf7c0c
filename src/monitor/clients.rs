//! The clients of one monitor: who gets output, who may slow it down, what they ask for.
//!
//! Each client has a backlog, for what its socket does not take at once. While that of the first
//! client holds anything, no output is read. Any other client may fall behind so far, together they
//! may not: who does is told and dropped.

use std::collections::VecDeque;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SocketFlags};

use super::pump::Output;
use super::wire;

/// More clients than this are refused: each costs a descriptor.
const MOST_CLIENTS: usize = 64;

/// What all clients but the first may hold back, in bytes of output.
const MOST_BACKLOG: usize = 4 << 20;

/// How long all others together may take to catch up when the container has ended.
const LAST_PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug)]
struct Client {
    socket: OwnedFd,
    /// Wants output; otherwise it only waits for the end or sends signals.
    attached: bool,
    /// Started the container in the foreground: nothing it has not read is lost.
    first: bool,
    /// Has sent input: it is not read from while the container takes none.
    sends_input: bool,
    /// Was too far behind; goes as soon as it has been told.
    leaving: bool,
    /// Messages that did not fit into the socket yet, and their bytes.
    backlog: VecDeque<(u8, Vec<u8>)>,
    backlog_bytes: usize,
}

impl Client {
    fn new(socket: OwnedFd, first: bool) -> Client {
        wire::give_room(&socket);
        Client {
            socket,
            attached: first,
            first,
            sends_input: false,
            leaving: false,
            backlog: VecDeque::new(),
            backlog_bytes: 0,
        }
    }

    /// Sends what was held back, as far as it fits; false if the client is gone.
    fn flush(&mut self) -> bool {
        while let Some((kind, bytes)) = self.backlog.front() {
            match wire::try_send(self.socket.as_fd(), *kind, bytes) {
                Ok(()) => {
                    self.backlog_bytes -= bytes.len();
                    self.backlog.pop_front();
                }
                Err(Errno::AGAIN) => return true,
                Err(_) => return false,
            }
        }
        !self.leaving
    }

    fn lag(&mut self) {
        self.attached = false;
        self.leaving = true;
        self.backlog.clear();
        self.backlog_bytes = 0;
        self.backlog.push_back((wire::LAGGED, Vec::new()));
    }

    /// Sends what was held back while there is time; false if the client is gone.
    fn catch_up(&mut self, deadline: Instant) -> bool {
        while self.flush() {
            let left = deadline.saturating_duration_since(Instant::now());
            if self.backlog.is_empty() || left.is_zero() {
                return true;
            }
            let timeout = Timespec {
                tv_sec: left.as_secs().cast_signed(),
                tv_nsec: left.subsec_nanos().into(),
            };
            // Interrupted or not: the next turn tells.
            let _ = poll(
                &mut [PollFd::new(&self.socket, PollFlags::OUT)],
                Some(&timeout),
            );
        }
        false
    }

    /// Sends or holds back a message; false if the client is gone. One that is too far behind gets
    /// the word of that instead, and nothing more.
    fn send(&mut self, kind: u8, bytes: &[u8], most: usize) -> bool {
        if self.backlog.is_empty() {
            match wire::try_send(self.socket.as_fd(), kind, bytes) {
                Ok(()) => return true,
                Err(Errno::AGAIN) => {}
                Err(_) => return false,
            }
        }
        if !self.first && self.backlog_bytes + bytes.len() > most {
            self.lag();
            return true;
        }
        self.backlog_bytes += bytes.len();
        self.backlog.push_back((kind, bytes.to_vec()));
        true
    }
}

#[derive(Debug, Default)]
pub(super) struct Clients {
    all: Vec<Client>,
    /// Where requests are received; made when the first one is.
    buffer: Vec<u8>,
}

/// What a client asked for.
#[derive(Debug)]
pub(super) enum Request {
    Input(Vec<u8>),
    InputEnd,
    Resize { rows: u16, columns: u16 },
    Signal(i32),
}

impl Clients {
    pub(super) fn new(first: Option<OwnedFd>) -> Self {
        let first = first.map(|socket| Client::new(socket, true));
        Clients {
            all: first.into_iter().collect(),
            buffer: Vec::new(),
        }
    }

    /// Takes a new connection, if there is one; only this user can reach the socket's directory.
    pub(super) fn accept(&mut self, listener: BorrowedFd<'_>) -> bool {
        // A client that gave up before we came to it is no news.
        let Ok(socket) = rustix::net::accept_with(listener, SocketFlags::CLOEXEC) else {
            return false;
        };
        if self.all.len() < MOST_CLIENTS {
            self.all.push(Client::new(socket, false));
        }
        true
    }

    pub(super) fn first_is_full(&self) -> bool {
        let full = |client: &Client| client.first && !client.backlog.is_empty();
        self.all.iter().any(full)
    }

    pub(super) fn poll_on<'a>(&'a self, polled: &mut Vec<PollFd<'a>>, input_ready: bool) {
        for client in &self.all {
            let mut events = PollFlags::empty();
            if input_ready || !client.sends_input {
                events |= PollFlags::IN;
            }
            if !client.backlog.is_empty() {
                events |= PollFlags::OUT;
            }
            // Without a wish poll(2) would still report a hang-up, again and again.
            if !events.is_empty() {
                polled.push(PollFd::new(&client.socket, events));
            }
        }
    }

    /// Sends what was held back as far as it fits.
    pub(super) fn flush(&mut self) {
        self.all.retain_mut(Client::flush);
    }

    /// Sends output to all who want it. Whoever is gone, or is not the first and does not keep up,
    /// is dropped.
    pub(super) fn send_output(&mut self, stream: Output, bytes: &[u8]) {
        let kind = stream.kind();
        let most = MOST_BACKLOG / self.all.len().max(1);
        self.all
            .retain_mut(|client| !client.attached || client.send(kind, bytes, most));
    }

    /// Reads one message of each client that has one.
    pub(super) fn read_requests(&mut self, input_ready: bool) -> Vec<Request> {
        let mut requests = Vec::new();
        let buffer = &mut self.buffer;
        self.all.retain_mut(|client| {
            if client.sends_input && !input_ready {
                return true;
            }
            buffer.resize(wire::MOST_BYTES + 1, 0);
            let flags = RecvFlags::DONTWAIT;
            match wire::receive(client.socket.as_fd(), buffer, flags) {
                Err(Errno::AGAIN) => true,
                Ok(Some((kind, content))) => {
                    client.attached |= kind == wire::ATTACH;
                    client.sends_input |= kind == wire::INPUT;
                    requests.extend(request(kind, content));
                    true
                }
                Ok(None) | Err(_) => false,
            }
        });
        requests
    }

    /// Tells everyone how the container ended. The first client gets all its output before, however
    /// long that takes it; nobody else waits for that.
    pub(super) fn announce_exit(mut self, code: u8) {
        let deadline = Instant::now() + LAST_PATIENCE;
        self.all
            .sort_by_key(|client| (client.first, !client.backlog.is_empty()));
        for client in &mut self.all {
            if client.first {
                while let Some((kind, bytes)) = client.backlog.pop_front() {
                    if wire::send(client.socket.as_fd(), kind, &bytes).is_err() {
                        break;
                    }
                }
                // A client that is gone does not want to know.
                let _ = wire::send(client.socket.as_fd(), wire::EXITED, &[code]);
            } else if client.catch_up(deadline) {
                let _ = match client.backlog.is_empty() {
                    true => wire::try_send(client.socket.as_fd(), wire::EXITED, &[code]),
                    false => wire::try_send(client.socket.as_fd(), wire::LAGGED, &[]),
                };
            }
        }
    }
}

fn request(kind: u8, content: &[u8]) -> Option<Request> {
    match (kind, content) {
        (wire::INPUT, bytes) => Some(Request::Input(bytes.to_vec())),
        (wire::INPUT_END, _) => Some(Request::InputEnd),
        (wire::RESIZE, [a, b, c, d]) => Some(Request::Resize {
            rows: u16::from_le_bytes([*a, *b]),
            columns: u16::from_le_bytes([*c, *d]),
        }),
        (wire::SIGNAL, [number]) => Some(Request::Signal(i32::from(*number))),
        _ => None,
    }
}
