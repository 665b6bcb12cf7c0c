//! What clients and monitors say to each other: `SOCK_SEQPACKET` messages, the first byte is the
//! kind, the rest its content. A message holds at most [`MOST_BYTES`] of content.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType};

use crate::error::{Context as _, Result};

/// The most content of one message: what a pipe holds, so that a flood costs few system calls.
pub const MOST_BYTES: usize = 64 << 10;

/// Room for a few of the largest messages; the kernel cuts it down to what the host allows.
const SEND_BUFFER: usize = 512 << 10;

/// From the client: data for standard input.
pub const INPUT: u8 = b'i';
/// From the client: its input has ended.
pub const INPUT_END: u8 = b'e';
/// From the client: rows and columns, `u16` little endian each.
pub const RESIZE: u8 = b'r';
/// From the client: a signal number, one byte.
pub const SIGNAL: u8 = b's';
/// From the client: send me the output from now on.
pub const ATTACH: u8 = b'a';
/// From the monitor: the container's standard output.
pub const STDOUT: u8 = b'1';
/// From the monitor: its standard error.
pub const STDERR: u8 = b'2';
/// From the monitor: this client did not keep up and gets no more.
pub const LAGGED: u8 = b'l';
/// From the monitor: the program runs.
pub const STARTED: u8 = b'k';
/// From the monitor: it could not be started; the content is JSON.
pub const FAILED: u8 = b'f';
/// From the monitor: the container has ended, with this exit code.
pub const EXITED: u8 = b'x';

/// A connected pair, for a client that starts its own monitor.
pub fn pair() -> Result<(OwnedFd, OwnedFd)> {
    let (domain, kind) = (AddressFamily::UNIX, SocketType::SEQPACKET);
    let pair = rustix::net::socketpair(domain, kind, SocketFlags::CLOEXEC, None);
    let pair = pair.context(|| "make the monitor's socket")?;
    give_room(&pair.0);
    give_room(&pair.1);
    Ok(pair)
}

/// Makes room in a socket for what is sent through it.
pub(super) fn give_room(socket: &OwnedFd) {
    // With less room everything works, more slowly.
    let _ = rustix::net::sockopt::set_socket_send_buffer_size(socket, SEND_BUFFER);
}

/// Listens at `directory`/ctl. The address goes through the directory's descriptor: it holds 108
/// bytes only, unix(7).
pub fn listen(directory: &Path) -> Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket(flags)?;
    // One of a monitor that was killed may be there; its lock is ours now.
    let _ = std::fs::remove_file(directory.join("ctl"));
    with_address(directory, |address| rustix::net::bind(&socket, address))?;
    rustix::net::listen(&socket, 16).context(|| "listen for clients")?;
    Ok(socket)
}

/// Connects to the monitor of the container with this run directory.
pub fn connect(directory: &Path) -> Result<OwnedFd> {
    let socket = socket(SocketFlags::CLOEXEC)?;
    with_address(directory, |address| rustix::net::connect(&socket, address))?;
    Ok(socket)
}

fn socket(flags: SocketFlags) -> Result<OwnedFd> {
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None);
    socket.context(|| "make a socket")
}

fn with_address(
    directory: &Path,
    call: impl FnOnce(&SocketAddrUnix) -> Result<(), Errno>,
) -> Result<()> {
    use rustix::fs::{CWD, Mode, OFlags};
    use std::os::fd::AsRawFd as _;
    let subject = || format!("reach the monitor in {}", directory.display());
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(CWD, directory, flags, Mode::empty()).context(subject)?;
    let path = format!("/proc/self/fd/{}/ctl", opened.as_raw_fd());
    let address = SocketAddrUnix::new(path).context(subject)?;
    call(&address).context(subject)
}

/// Sends one message; waits if the socket does.
///
/// # Errors
/// `EPIPE` when the other side is gone.
pub fn send(socket: BorrowedFd<'_>, kind: u8, content: &[u8]) -> Result<(), Errno> {
    send_with(socket, kind, content, SendFlags::NOSIGNAL)
}

/// As [`send`], but answers `EAGAIN` instead of waiting.
pub fn try_send(socket: BorrowedFd<'_>, kind: u8, content: &[u8]) -> Result<(), Errno> {
    send_with(
        socket,
        kind,
        content,
        SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
    )
}

fn send_with(
    socket: BorrowedFd<'_>,
    kind: u8,
    content: &[u8],
    flags: SendFlags,
) -> Result<(), Errno> {
    let parts = [
        std::io::IoSlice::new(std::slice::from_ref(&kind)),
        std::io::IoSlice::new(content),
    ];
    let mut control = rustix::net::SendAncillaryBuffer::default();
    rustix::net::sendmsg(socket, &parts, &mut control, flags).map(drop)
}

/// Receives one message into `buffer`: its kind and content, `None` when the other side is gone.
pub fn receive<'b>(
    socket: BorrowedFd<'_>,
    buffer: &'b mut [u8],
    flags: rustix::net::RecvFlags,
) -> Result<Option<(u8, &'b [u8])>, Errno> {
    loop {
        match rustix::net::recv(socket, &mut *buffer, flags) {
            // The other side went without reading everything of ours (unix(7)). That is told once,
            // before its own last messages, which are still there: how the container ended.
            Err(Errno::INTR | Errno::CONNRESET) => {}
            Ok((0, _)) => return Ok(None),
            Ok((length, _)) => return Ok(Some((buffer[0], &buffer[1..length]))),
            Err(errno) => return Err(errno),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use rustix::net::RecvFlags;

    use super::*;

    #[test]
    fn the_last_word_comes_through_though_input_stays_unread() {
        let (client, monitor) = pair().expect("a pair of sockets");
        send(client.as_fd(), INPUT, b"nobody reads this").expect("sent");
        send(monitor.as_fd(), EXITED, &[7]).expect("sent");
        drop(monitor);
        let mut buffer = [0; 16];
        let mut next = || {
            let received = receive(client.as_fd(), &mut buffer, RecvFlags::empty());
            received
                .expect("is no error")
                .map(|(kind, content)| (kind, content.to_vec()))
        };
        assert_eq!(next(), Some((EXITED, vec![7])));
        assert_eq!(next(), None);
    }
}
