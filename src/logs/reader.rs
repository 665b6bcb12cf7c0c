//! Reading a log from disk: across rotated files, in order, from the end where only that is wanted.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::files::{self, LogFile};
use super::{Format, Query, Record, Tail};
use crate::error::{Context, Error, Result};
use rustix::fs::{CWD, Mode, OFlags, openat};

const BLOCK_BYTES: usize = 64 << 10;

/// A longer line cannot be a record of ours (16 KiB of text, six bytes for each at most).
const LINE_MAX: usize = 256 << 10;

/// The records of `<dir>/<name>` that are there now; none if the container never logged.
pub fn read(dir: &Path, name: &str, format: Format, query: Query) -> Result<Reader> {
    let dir = open_dir(dir)?;
    let mut queue: VecDeque<LogFile> = files::snapshot(dir.as_fd(), name)?.into();
    let mut reader = Reader {
        dir,
        name: name.to_owned(),
        format,
        query,
        is_past_end: false,
        cursor: None,
        queue: VecDeque::new(),
    };
    if let Tail::Last(count) = query.tail {
        let offset = skip_to_tail(&mut queue, count)?;
        reader.cursor = queue.pop_front().map(|log| Cursor::new(log, offset));
    }
    reader.queue = queue;
    Ok(reader)
}

fn open_dir(dir: &Path) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(CWD, dir, flags, Mode::empty()).context(|| format!("open {}", dir.display()))
}

/// Yields records, oldest first. Lines that are torn or not ours are passed over.
#[derive(Debug)]
pub struct Reader {
    dir: OwnedFd,
    name: String,
    format: Format,
    query: Query,
    /// A record was met that is too new.
    is_past_end: bool,
    cursor: Option<Cursor>,
    queue: VecDeque<LogFile>,
}

impl Iterator for Reader {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_record().transpose()
    }
}

impl Reader {
    /// The next record of the file at hand.
    fn next_in_hand(&mut self) -> Result<Option<Record>> {
        if let Some(cursor) = &mut self.cursor {
            while let Some(line) = cursor.next_line()? {
                let Some(record) = self.format.parse(line) else {
                    continue;
                };
                if self.query.wants(&record) {
                    return Ok(Some(record));
                }
                if self.query.until.is_some_and(|until| record.time >= until) {
                    self.is_past_end = true;
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    fn next_record(&mut self) -> Result<Option<Record>> {
        loop {
            if let Some(record) = self.next_in_hand()? {
                return Ok(Some(record));
            }
            if self.is_past_end {
                // As Docker: what follows in the file is newer still.
                return Ok(None);
            }
            match self.queue.pop_front() {
                Some(log) => self.cursor = Some(Cursor::new(log, 0)),
                // The cursor stays, so that a follower finds what is appended later.
                None => return Ok(None),
            }
        }
    }

    /// Whether a record was met that is newer than what is wanted.
    pub(super) fn is_past_end(&self) -> bool {
        self.is_past_end
    }

    /// After a rotation, queues the files that follow the one at hand. True if there are any.
    pub(super) fn find_successors(&mut self) -> Result<bool> {
        let is_at_hand = |log: &LogFile| {
            let cursor = self.cursor.as_ref();
            cursor.is_some_and(|cursor| cursor.log.is(log))
        };
        match files::open(self.dir.as_fd(), &self.name, 0)? {
            Some(newest) if !is_at_hand(&newest) => {}
            _ => return Ok(false),
        }
        let mut found = files::snapshot(self.dir.as_fd(), &self.name)?;
        if let Some(at) = found.iter().position(is_at_hand) {
            found.drain(..=at);
        }
        self.queue = found.into();
        Ok(!self.queue.is_empty())
    }
}

/// A place in one file. Moves over whole lines only, so an unfinished one is read again later.
#[derive(Debug)]
struct Cursor {
    log: LogFile,
    /// Where in the file `buffer` begins.
    offset: u64,
    buffer: Vec<u8>,
    /// How much of `buffer` has been handed out.
    used: usize,
    /// Inside a line that is too long to be a record.
    overlong: bool,
}

impl Cursor {
    fn new(log: LogFile, offset: u64) -> Self {
        Cursor {
            log,
            offset,
            buffer: Vec::new(),
            used: 0,
            overlong: false,
        }
    }

    /// The next line without its newline; `None` at the end of what is there now.
    fn next_line(&mut self) -> Result<Option<&[u8]>> {
        loop {
            let rest = &self.buffer[self.used..];
            if let Some(length) = memchr::memchr(b'\n', rest) {
                let start = self.used;
                self.used += length + 1;
                if std::mem::take(&mut self.overlong) {
                    continue;
                }
                return Ok(Some(&self.buffer[start..start + length]));
            }
            if rest.len() > LINE_MAX {
                self.used = self.buffer.len();
                self.overlong = true;
            }
            if self.fill()? == 0 {
                // Must not keep an unfinished line: the writer may cut it off and write another.
                self.buffer.clear();
                return Ok(None);
            }
        }
    }

    fn fill(&mut self) -> Result<usize> {
        self.buffer.drain(..self.used);
        self.offset += self.used as u64;
        self.used = 0;
        let old = self.buffer.len();
        self.buffer.resize(old + BLOCK_BYTES, 0);
        let at = self.offset + old as u64;
        let read = self.log.file()?.read_at(&mut self.buffer[old..], at);
        let count = read.context(|| "read log")?;
        self.buffer.truncate(old + count);
        Ok(count)
    }
}

/// Drops the files before the last `count` lines; returns the offset in the first that is left.
fn skip_to_tail(queue: &mut VecDeque<LogFile>, count: u64) -> Result<u64> {
    let mut wanted = count;
    for index in (0..queue.len()).rev() {
        let (found, offset) = find_tail(&mut queue[index], wanted)?;
        wanted -= found;
        if wanted == 0 {
            queue.drain(..index);
            return Ok(offset);
        }
    }
    Ok(0)
}

/// How many of the last `count` lines this file has, and where the first of them begins.
fn find_tail(log: &mut LogFile, count: u64) -> Result<(u64, u64)> {
    let file = log.file()?;
    let mut end = file.metadata().context(|| "read log")?.len();
    let mut block = vec![0; BLOCK_BYTES];
    // The newline that ends the line before the wanted ones is wanted too, to know where it ends.
    let mut newlines = 0;
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let block = &mut block[..(end - start) as usize];
        file.read_exact_at(block, start)
            .map_err(|error| Error::from(error).wrap("read log from its end"))?;
        for at in (0..block.len()).rev().filter(|at| block[*at] == b'\n') {
            if newlines == count {
                return Ok((count, start + at as u64 + 1));
            }
            newlines += 1;
        }
        end = start;
    }
    Ok((newlines, 0))
}
