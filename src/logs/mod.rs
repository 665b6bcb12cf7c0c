//! Where the output of containers is kept: files of one record a line ([`Format`]), or the journal.
//!
//! The monitor owns the one [`Writer`]; readers take no lock. `<name>` is the file being written,
//! `<name>.1` the one before it, `<name>.N` the oldest; `.gz` behind it if it was compressed. What
//! makes this safe without a lock:
//! - Records are appended whole; a reader takes only lines that end in a newline and parse.
//! - Rotation renames from the oldest to the newest, so a reader that opens from the newest to the
//!   oldest may meet a file twice but never misses one; files are told apart by inode.
//! - The text of a record ends in a newline unless it is one part of a longer line.
//!
//! Must not: block or fail the container because a disk is full; believe what a container printed
//! (times and streams come from the monitor, text is always escaped).

mod compress;
mod escape;
mod files;
mod follow;
mod format;
mod journal;
mod journalctl;
mod lines;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

use crate::base::Timestamp;

pub use follow::Follower;
pub use format::Format;
pub use journal::{JOURNAL_SOCKET, Journal, WhenBusy};
pub use journalctl::JournalReader;
pub use reader::{Reader, read};
pub use writer::{FileLog, Layout};

/// The longest piece of a line in one record, in bytes, as Docker cuts them.
pub const RECORD_MAX: usize = 16 << 10;

/// Which of the container's outputs a record came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// When a log file is full, and how many are kept, the one being written included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// `u64::MAX` never rotates.
    pub max_bytes: u64,
    pub max_files: u32,
}

/// One piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub stream: Stream,
    pub time: Timestamp,
    /// Ends in a newline, or is one part of a longer line.
    pub text: Vec<u8>,
    /// Set on the engine's own note that this many bytes of output could not be stored. A
    /// container cannot forge it: its output only ever lands in `text`.
    pub lost_bytes: Option<u64>,
}

/// How much of the end is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    All,
    /// This many records, counted before the time filters, as Docker does.
    Last(u64),
}

/// Which records are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// Older than this.
    pub until: Option<Timestamp>,
    pub tail: Tail,
}

impl Query {
    /// Everything there is.
    #[cfg(test)]
    pub const ALL: Query = Query {
        since: None,
        until: None,
        tail: Tail::All,
    };

    fn wants(&self, record: &Record) -> bool {
        self.since.is_none_or(|since| record.time >= since)
            && self.until.is_none_or(|until| record.time < until)
    }
}

impl Stream {
    fn name(self) -> &'static str {
        match self {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        }
    }

    fn named(name: &str) -> Option<Stream> {
        match name {
            "stdout" => Some(Stream::Stdout),
            "stderr" => Some(Stream::Stderr),
            _ => None,
        }
    }
}

/// The writing end of one container's log.
#[derive(Debug)]
pub enum Writer {
    Files(Box<FileLog>),
    Journal(Box<Journal>),
}

impl Writer {
    /// Takes what the container printed.
    pub fn append(&mut self, stream: Stream, bytes: &[u8], at: Timestamp) {
        match self {
            Writer::Files(log) => log.append(stream, bytes, at),
            Writer::Journal(log) => log.append(stream, bytes, at),
        }
    }

    /// Stores unfinished lines as they are. To be called when the container's outputs are closed.
    pub fn flush_partial(&mut self, at: Timestamp) {
        match self {
            Writer::Files(log) => log.flush_partial(at),
            Writer::Journal(log) => log.flush_partial(at),
        }
    }
}
