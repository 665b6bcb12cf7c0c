//! The clients of one monitor: who gets output, who may slow it down, what they ask for.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SocketFlags};

use super::pump::Output;
use super::wire;

/// More clients than this are refused: each costs a descriptor.
const MOST_CLIENTS: usize = 64;

#[derive(Debug)]
struct Client {
    socket: OwnedFd,
    /// Wants output; otherwise it only waits for the end or sends signals.
    attached: bool,
    /// Started the container in the foreground: nothing it has not read is lost.
    first: bool,
    /// A message that did not fit into the socket of the first client.
    held: Option<(u8, Vec<u8>)>,
}

#[derive(Debug, Default)]
pub(super) struct Clients(Vec<Client>);

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
        let client = |socket| Client {
            socket,
            attached: true,
            first: true,
            held: None,
        };
        Clients(first.map(client).into_iter().collect())
    }

    /// Takes a new connection, if there is one; only this user can reach the socket's directory.
    pub(super) fn accept(&mut self, listener: BorrowedFd<'_>) -> bool {
        // A client that gave up before we came to it is no news.
        let Ok(socket) = rustix::net::accept_with(listener, SocketFlags::CLOEXEC) else {
            return false;
        };
        if self.0.len() < MOST_CLIENTS {
            self.0.push(Client {
                socket,
                attached: false,
                first: false,
                held: None,
            });
        }
        true
    }

    pub(super) fn first_is_full(&self) -> bool {
        self.0.iter().any(|client| client.held.is_some())
    }

    pub(super) fn poll_on<'a>(&'a self, polled: &mut Vec<PollFd<'a>>, input_ready: bool) {
        for client in &self.0 {
            let mut events = PollFlags::empty();
            if input_ready {
                events |= PollFlags::IN;
            }
            if client.held.is_some() {
                events |= PollFlags::OUT;
            }
            // Without a wish poll(2) would still report a hang-up, again and again.
            if !events.is_empty() {
                polled.push(PollFd::new(&client.socket, events));
            }
        }
    }

    /// Sends held messages as far as they fit.
    pub(super) fn flush(&mut self) {
        self.0.retain_mut(|client| {
            let Some((kind, bytes)) = &client.held else {
                return true;
            };
            match wire::try_send(client.socket.as_fd(), *kind, bytes) {
                Ok(()) => client.held = None,
                Err(Errno::AGAIN) => {}
                Err(_) => return false,
            }
            true
        });
    }

    /// Sends output to all who want it. Whoever is gone, or is not the first and does not keep up,
    /// is dropped.
    pub(super) fn send_output(&mut self, stream: Output, bytes: &[u8]) {
        let kind = stream.kind();
        self.0.retain_mut(|client| {
            if !client.attached {
                return true;
            }
            match wire::try_send(client.socket.as_fd(), kind, bytes) {
                Ok(()) => true,
                Err(Errno::AGAIN) if client.first && client.held.is_none() => {
                    client.held = Some((kind, bytes.to_vec()));
                    true
                }
                Err(_) => false,
            }
        });
    }

    /// Waits until the first client has taken what is held for it, or is gone.
    pub(super) fn wait_for_first(&mut self) {
        while let Some(client) = self.0.iter().find(|client| client.held.is_some()) {
            let mut polled = [PollFd::new(&client.socket, PollFlags::OUT)];
            // Interrupted or not: the loop looks again.
            let _ = poll(&mut polled, None);
            self.flush();
        }
    }

    /// Reads one message of each client that has one.
    pub(super) fn read_requests(&mut self, input_ready: bool) -> Vec<Request> {
        let mut requests = Vec::new();
        if !input_ready {
            return requests;
        }
        let mut buffer = [0; wire::MOST_BYTES + 1];
        self.0.retain_mut(|client| {
            let flags = RecvFlags::DONTWAIT;
            match wire::receive(client.socket.as_fd(), &mut buffer, flags) {
                Err(Errno::AGAIN) => true,
                Ok(Some((kind, content))) => {
                    if kind == wire::ATTACH {
                        client.attached = true;
                    }
                    requests.extend(request(kind, content));
                    true
                }
                Ok(None) | Err(_) => false,
            }
        });
        requests
    }

    pub(super) fn announce_exit(self, code: u8) {
        for client in self.0 {
            // A client that is gone does not want to know.
            let _ = wire::send(client.socket.as_fd(), wire::EXITED, &[code]);
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
