//! The wire protocol between the parent and the child it forked into a container.
//!
//! One `SOCK_SEQPACKET` pair. The child sends records of 8 bytes, two little-endian `u32`:
//!
//! | code | errno | meaning |
//! |---|---|---|
//! | index of an operation | errno | that operation failed; the child is gone |
//! | `TERMINAL` | 0 | the pty's controlling side is attached as `SCM_RIGHTS` |
//! | `READY` | 0 | everything is set up; the child waits for a byte |
//! | `PROGRAM` | errno | the small init could not run the program; it is gone |
//!
//! The parent sends single bytes: `CGROUP` (the cgroups exist, join them), `MAPPED` (the id maps
//! are written), `GO` (run the program). After `GO`, end of file means that the program runs: the
//! socket closes on exec.

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};

pub const READY: u32 = 0xFFFF_FFFF;
pub const PROGRAM: u32 = 0xFFFF_FFFE;
pub const TERMINAL: u32 = 0xFFFF_FFFD;

pub const CGROUP: u8 = b'c';
pub const MAPPED: u8 = b'm';
pub const GO: u8 = b'g';

/// A record from the child.
#[derive(Debug)]
pub struct Record {
    pub code: u32,
    pub errno: i32,
    pub descriptor: Option<OwnedFd>,
}

/// Sends a record. Allocates nothing: the child calls it.
pub fn send(
    socket: BorrowedFd<'_>,
    code: u32,
    errno: i32,
    descriptor: Option<BorrowedFd<'_>>,
) -> Result<(), Errno> {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&code.to_le_bytes());
    bytes[4..].copy_from_slice(&errno.to_le_bytes());
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors: [BorrowedFd<'_>; 1];
    if let Some(descriptor) = descriptor {
        descriptors = [descriptor];
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
    }
    let data = [std::io::IoSlice::new(&bytes)];
    rustix::net::sendmsg(socket, &data, &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives a record; `None` at end of file.
pub fn receive(socket: BorrowedFd<'_>) -> Result<Option<Record>, Errno> {
    let mut bytes = [0; 8];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        let mut data = [IoSliceMut::new(&mut bytes)];
        match rustix::net::recvmsg(socket, &mut data, &mut control, RecvFlags::CMSG_CLOEXEC) {
            // A child that ended with unread bytes in its queue resets the connection. That is said
            // once and first (unix(7)): its last record is still to be read, then the end.
            Err(Errno::INTR | Errno::CONNRESET) => {}
            other => break other?,
        }
    };
    if received.bytes == 0 {
        return Ok(None);
    }
    if received.bytes != bytes.len() {
        return Err(Errno::PROTO);
    }
    let descriptor = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    let [a, b, c, d, e, f, g, h] = bytes;
    let (code, errno) = (
        u32::from_le_bytes([a, b, c, d]),
        i32::from_le_bytes([e, f, g, h]),
    );
    Ok(Some(Record {
        code,
        errno,
        descriptor,
    }))
}

/// Waits for exactly this byte from the parent. End of file means that the parent is gone.
pub fn await_byte(socket: BorrowedFd<'_>, expected: u8) -> Result<(), Errno> {
    let mut byte = [0; 1];
    loop {
        match rustix::io::read(socket, &mut byte) {
            Err(Errno::INTR) => {}
            Ok(1) if byte[0] == expected => return Ok(()),
            Ok(_) => return Err(Errno::PIPE),
            Err(errno) => return Err(errno),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    use super::*;

    #[test]
    fn a_last_record_is_read_though_its_sender_left_bytes_unread() {
        let (family, flags) = (AddressFamily::UNIX, SocketFlags::CLOEXEC);
        let pair = socketpair(family, SocketType::SEQPACKET, flags, None);
        let (ours, theirs) = pair.expect("sockets");
        send(theirs.as_fd(), 7, 20, None).expect("sent");
        rustix::net::send(&ours, &[CGROUP], SendFlags::NOSIGNAL).expect("sent");
        drop(theirs);
        let record = receive(ours.as_fd()).expect("no error").expect("a record");
        assert_eq!((record.code, record.errno), (7, 20));
        assert!(receive(ours.as_fd()).expect("no error").is_none());
    }
}
