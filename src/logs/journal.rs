//! The writing end of the driver journald: each piece of output is one entry, sent in the journal's
//! native protocol with the fields of Docker's driver.
//!
//! Like a log file it never holds up the container for long: what the journal does not take in a
//! second is counted, and told in the next entry that gets through.

use std::fs::File;
use std::io::{IoSlice, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix,
    SocketFlags, SocketType,
};

use super::Stream;
use super::lines::Lines;
use crate::base::Timestamp;
use crate::error::{Context as _, Result};

/// Where the journal listens.
pub const JOURNAL_SOCKET: &str = "/run/systemd/journal/socket";

/// How long one entry may wait for the journal.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether output waits for a journal that is busy (`mode=blocking`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenBusy {
    Wait,
    Drop,
}

/// Sends one container's output to the journal.
#[derive(Debug)]
pub struct Journal {
    socket: OwnedFd,
    path: PathBuf,
    /// The same in every entry, encoded.
    fields: Vec<u8>,
    /// Marks the parts of one line.
    id: String,
    when_busy: WhenBusy,
    lines: Lines,
    /// Parts of the line at hand that were sent, by stream.
    parts: [u32; 2],
    /// Lines that came in parts.
    split: u64,
    lost: u64,
}

impl Journal {
    /// For entries with these fields; `id` tells this container's run from others.
    pub fn open(
        path: &Path,
        id: &str,
        fields: &[(String, String)],
        when_busy: WhenBusy,
    ) -> Result<Journal> {
        let flags = SocketFlags::CLOEXEC;
        let (domain, kind) = (AddressFamily::UNIX, SocketType::DGRAM);
        let socket = rustix::net::socket_with(domain, kind, flags, None);
        let mut encoded = Vec::new();
        for (name, value) in fields {
            push_field(&mut encoded, name, value.as_bytes());
        }
        Ok(Journal {
            socket: socket.context(|| "make a socket to the journal")?,
            path: path.to_owned(),
            fields: encoded,
            id: id.to_owned(),
            when_busy,
            lines: Lines::default(),
            parts: [0; 2],
            split: 0,
            lost: 0,
        })
    }

    /// Takes what the container printed.
    pub fn append(&mut self, stream: Stream, bytes: &[u8], at: Timestamp) {
        let time = at.to_string();
        let mut lines = std::mem::take(&mut self.lines);
        lines.cut(stream, bytes, |piece| self.push(stream, piece, &time));
        self.lines = lines;
    }

    /// Sends unfinished lines as they are.
    pub fn flush_partial(&mut self, at: Timestamp) {
        let time = at.to_string();
        for stream in [Stream::Stdout, Stream::Stderr] {
            let line = self.lines.rest(stream);
            if !line.is_empty() {
                self.push(stream, &line, &time);
            }
        }
    }

    fn push(&mut self, stream: Stream, piece: &[u8], time: &str) {
        let (text, is_last) = match piece.strip_suffix(b"\n") {
            Some(text) => (text, true),
            None => (piece, false),
        };
        let mut entry = self.entry(stream, text, time);
        self.push_part(&mut entry, stream, is_last);
        if self.lost > 0 {
            let gap = format!("[{} bytes of output lost: the journal was busy]", self.lost);
            let gap = self.entry(Stream::Stderr, gap.as_bytes(), time);
            if self.send(&gap, Duration::ZERO).is_ok() {
                self.lost = 0;
            }
        }
        // Once it was too slow it has to catch up before anybody waits again.
        let patience = match (self.when_busy, self.lost) {
            (WhenBusy::Wait, 0) => PATIENCE,
            _ => Duration::ZERO,
        };
        if self.lost > 0 || self.send(&entry, patience).is_err() {
            self.lost += piece.len() as u64;
        }
    }

    fn entry(&self, stream: Stream, text: &[u8], time: &str) -> Vec<u8> {
        let mut entry = self.fields.clone();
        let priority = match stream {
            Stream::Stdout => "6",
            Stream::Stderr => "3",
        };
        push_field(&mut entry, "PRIORITY", priority.as_bytes());
        push_field(&mut entry, "SYSLOG_TIMESTAMP", time.as_bytes());
        push_field(&mut entry, "MESSAGE", text);
        entry
    }

    /// The fields of a line that does not fit into one entry.
    fn push_part(&mut self, entry: &mut Vec<u8>, stream: Stream, is_last: bool) {
        let part = &mut self.parts[stream as usize];
        if *part == 0 && is_last {
            return;
        }
        if *part == 0 {
            self.split += 1;
        }
        *part += 1;
        let id = format!("{}-{}", self.id, self.split);
        push_field(entry, "CONTAINER_PARTIAL_ID", id.as_bytes());
        let ordinal = part.to_string();
        push_field(entry, "CONTAINER_PARTIAL_ORDINAL", ordinal.as_bytes());
        let last = is_last.to_string();
        push_field(entry, "CONTAINER_PARTIAL_LAST", last.as_bytes());
        if is_last {
            *part = 0;
        } else {
            push_field(entry, "CONTAINER_PARTIAL_MESSAGE", b"true");
        }
    }

    fn send(&self, entry: &[u8], patience: Duration) -> Result<(), Errno> {
        let deadline = Instant::now() + patience;
        loop {
            match self.send_now(entry) {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(Errno::MSGSIZE | Errno::NOBUFS) => return self.send_large(entry),
                other => return other,
            }
        }
    }

    fn send_now(&self, entry: &[u8]) -> Result<(), Errno> {
        let mut none = SendAncillaryBuffer::default();
        self.send_message(&[IoSlice::new(entry)], &mut none)
    }

    /// What does not fit into a datagram goes as a sealed memory file, systemd's native protocol.
    fn send_large(&self, entry: &[u8]) -> Result<(), Errno> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let mut file = File::from(memfd_create("hull-journal", flags)?);
        file.write_all(entry).map_err(|_| Errno::NOMEM)?;
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
        fcntl_add_seals(&file, seals)?;
        let files = [file.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&files));
        self.send_message(&[], &mut control)
    }

    fn send_message(
        &self,
        parts: &[IoSlice<'_>],
        control: &mut SendAncillaryBuffer<'_, '_, '_>,
    ) -> Result<(), Errno> {
        // By name each time: the journal may be started anew.
        let address = SocketAddrUnix::new(&self.path)?;
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        rustix::net::sendmsg_addr(&self.socket, &address, parts, control, flags).map(drop)
    }
}

/// With its length in front: no value can then look like another field.
fn push_field(entry: &mut Vec<u8>, name: &str, value: &[u8]) {
    entry.extend_from_slice(name.as_bytes());
    entry.push(b'\n');
    entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
    entry.extend_from_slice(value);
    entry.push(b'\n');
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::fs::FileExt as _;
    use std::os::unix::net::UnixDatagram;

    use super::*;

    /// The fields of an entry as the journal reads them.
    fn decode(mut entry: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut fields = BTreeMap::new();
        while !entry.is_empty() {
            let end = memchr::memchr(b'\n', entry).expect("a name");
            let name = String::from_utf8(entry[..end].to_vec()).expect("is text");
            let (length, rest) = entry[end + 1..].split_at(8);
            let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
            let (value, rest) = rest.split_at(usize::try_from(length).expect("fits"));
            assert_eq!(rest[0], b'\n');
            fields.insert(name, value.to_vec());
            entry = &rest[1..];
        }
        fields
    }

    struct Fake {
        listener: UnixDatagram,
        path: PathBuf,
    }

    impl Fake {
        fn new(name: &str) -> Fake {
            let path = std::env::temp_dir().join(format!("hull-{name}-{}", std::process::id()));
            let _ = std::fs::remove_file(&path);
            let listener = UnixDatagram::bind(&path).expect("bound");
            listener.set_nonblocking(true).expect("works");
            Fake { listener, path }
        }

        fn journal(&self) -> Journal {
            let fields = [("CONTAINER_NAME".to_owned(), "box\nMESSAGE=x".to_owned())];
            Journal::open(&self.path, "id", &fields, WhenBusy::Wait).expect("opens")
        }

        fn entries(&self) -> Vec<BTreeMap<String, Vec<u8>>> {
            let mut buffer = vec![0; 1 << 20];
            let receive = || {
                self.listener
                    .recv(&mut buffer)
                    .ok()
                    .map(|n| decode(&buffer[..n]))
            };
            std::iter::from_fn(receive).collect()
        }
    }

    impl Drop for Fake {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.path);
        }
    }

    #[test]
    fn a92_entries_have_the_fields_of_docker_and_no_forged_ones() {
        let fake = Fake::new("fields");
        let mut journal = fake.journal();
        let at = Timestamp::from_unix(1, 0);
        journal.append(Stream::Stdout, b"PRIORITY=0\0\n", at);
        journal.append(Stream::Stderr, b"no end", at);
        journal.flush_partial(at);
        let entries = fake.entries();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0]["MESSAGE"], b"PRIORITY=0\0");
        assert_eq!(entries[0]["PRIORITY"], b"6");
        assert_eq!(entries[0]["CONTAINER_NAME"], b"box\nMESSAGE=x");
        assert!(!entries[0].contains_key("CONTAINER_PARTIAL_MESSAGE"));
        assert_eq!(entries[1]["PRIORITY"], b"3");
        assert_eq!(entries[1]["CONTAINER_PARTIAL_MESSAGE"], b"true");
    }

    #[test]
    fn a_long_line_comes_in_numbered_parts() {
        let fake = Fake::new("parts");
        let mut journal = fake.journal();
        let line = [&vec![b'x'; 40_000][..], b"\n"].concat();
        journal.append(Stream::Stdout, &line, Timestamp::from_unix(1, 0));
        let entries = fake.entries();
        let of = |name: &str| -> Vec<&str> {
            let values = entries
                .iter()
                .map(|entry| std::str::from_utf8(&entry[name]));
            values.map(|value| value.expect("is text")).collect()
        };
        assert_eq!(of("CONTAINER_PARTIAL_ORDINAL"), ["1", "2", "3"]);
        assert_eq!(of("CONTAINER_PARTIAL_LAST"), ["false", "false", "true"]);
        assert_eq!(of("MESSAGE").concat().len(), 40_000);
        assert_eq!(of("CONTAINER_PARTIAL_ID"), ["id-1"; 3]);
    }

    #[test]
    fn an_entry_too_large_for_a_datagram_goes_as_a_file() {
        use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
        let fake = Fake::new("large");
        let value = "v".repeat(1 << 20);
        let fields = [("A_LABEL".to_owned(), value.clone())];
        let journal = Journal::open(&fake.path, "id", &fields, WhenBusy::Wait);
        let at = Timestamp::from_unix(1, 0);
        journal
            .expect("opens")
            .append(Stream::Stdout, b"text\n", at);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = recvmsg(&fake.listener, &mut [], &mut control, RecvFlags::empty());
        received.expect("an entry");
        let mut files = control.drain().flat_map(|message| match message {
            RecvAncillaryMessage::ScmRights(files) => files.collect(),
            _ => Vec::new(),
        });
        let file = File::from(files.next().expect("a file"));
        let mut entry = vec![0; file.metadata().expect("works").len() as usize];
        file.read_exact_at(&mut entry, 0).expect("readable");
        assert_eq!(decode(&entry)["A_LABEL"], value.as_bytes());
        assert_eq!(decode(&entry)["MESSAGE"], b"text");
    }

    #[test]
    fn f27_a_journal_that_takes_nothing_costs_text_and_says_how_much() {
        let fake = Fake::new("busy");
        let mut journal = fake.journal();
        let at = Timestamp::from_unix(1, 0);
        let begun = Instant::now();
        for _ in 0..2000 {
            journal.append(Stream::Stdout, b"12345678\n", at);
        }
        assert!(begun.elapsed() < 5 * PATIENCE, "waits once, not each time");
        let kept = fake.entries().len();
        assert!(kept < 2000);
        journal.append(Stream::Stdout, b"after\n", at);
        let entries = fake.entries();
        let lost = 9 * (2000 - kept);
        let gap = format!("[{lost} bytes of output lost: the journal was busy]");
        assert_eq!(entries[0]["MESSAGE"], gap.as_bytes());
        assert_eq!(entries[1]["MESSAGE"], b"after");
    }
}
