//! The writing end, inside the monitor: small, and never in the container's way.
//!
//! A full disk (or quota, or any other error of the file) costs log text, never the container: what
//! cannot be stored is counted, and as soon as a write succeeds again a record in its place says
//! how much is missing. Memory is bounded by one batch and one unfinished line per stream.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, openat, renameat, statat, unlinkat};

use super::files::name_of;
use super::{RECORD_MAX, Rotation, Stream, escape};
use crate::base::Timestamp;
use crate::error::{Context, Result};

/// A batch is written when it is this long; it may grow by one record beyond.
const BATCH_BYTES: usize = 64 << 10;

/// Appends to one container's log.
#[derive(Debug)]
pub struct Writer {
    dir: OwnedFd,
    name: String,
    rotation: Rotation,
    /// `None` after a rotation that could not create the next file; tried again at each batch.
    file: Option<File>,
    size: u64,
    batch: Vec<u8>,
    /// Bytes of output the batch stands for, to be counted as lost if it cannot be written.
    batch_payload: u64,
    lost: u64,
    unfinished: [Vec<u8>; 2],
}

impl Writer {
    /// Opens or creates `<dir>/<name>`. A torn last record (of a killed monitor) is cut off.
    pub fn open(dir: &Path, name: &str, rotation: Rotation) -> Result<Writer> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = openat(CWD, dir, flags, Mode::empty())
            .context(|| format!("open log directory {}", dir.display()))?;
        let mut writer = Writer {
            dir,
            name: name.to_owned(),
            rotation,
            file: None,
            size: 0,
            batch: Vec::new(),
            batch_payload: 0,
            lost: 0,
            unfinished: [Vec::new(), Vec::new()],
        };
        writer.open_file().context(|| format!("open log {name}"))?;
        writer.drop_surplus_files();
        Ok(writer)
    }

    /// Takes what the container printed. Never fails and never waits: see the top of this file.
    pub fn append(&mut self, stream: Stream, bytes: &[u8], at: Timestamp) {
        let time = at.to_string();
        let mut rest = bytes;
        while !rest.is_empty() {
            let unfinished = &mut self.unfinished[stream as usize];
            let window = &rest[..rest.len().min(RECORD_MAX - unfinished.len())];
            let newline = window.iter().position(|byte| *byte == b'\n');
            let (piece, after) = rest.split_at(newline.map_or(window.len(), |at| at + 1));
            rest = after;
            if newline.is_some() && unfinished.is_empty() {
                self.push_record(stream, piece, &time);
                continue;
            }
            unfinished.extend_from_slice(piece);
            if newline.is_none() && unfinished.len() < RECORD_MAX {
                continue;
            }
            // A character must not be cut in two: each half would turn into U+FFFD.
            let mut line = std::mem::take(unfinished);
            let whole = line.len() - escape::cut_character(&line);
            self.push_record(stream, &line[..whole], &time);
            line.drain(..whole);
            self.unfinished[stream as usize] = line;
        }
        self.write_batch();
    }

    /// Stores unfinished lines as they are. To be called when the container's outputs are closed.
    pub fn flush_partial(&mut self, at: Timestamp) {
        let time = at.to_string();
        for stream in [Stream::Stdout, Stream::Stderr] {
            let line = std::mem::take(&mut self.unfinished[stream as usize]);
            if !line.is_empty() {
                self.push_record(stream, &line, &time);
            }
        }
        if self.batch.is_empty() && self.lost > 0 {
            self.push_gap(&time);
        }
        self.write_batch();
    }
}

/// The steps below `append`.
impl Writer {
    fn push_record(&mut self, stream: Stream, text: &[u8], time: &str) {
        if self.batch.is_empty() && self.lost > 0 {
            self.push_gap(time);
        }
        let start = self.batch.len();
        self.batch.extend_from_slice(br#"{"log":""#);
        escape::append(&mut self.batch, text);
        self.batch.extend_from_slice(br#"","stream":""#);
        self.batch.extend_from_slice(stream.name().as_bytes());
        self.end_record(start, time);
        self.batch_payload += text.len() as u64;
        if self.batch.len() >= BATCH_BYTES {
            self.write_batch();
        }
    }

    /// Should: be the first record of a batch, in the place of what is missing.
    fn push_gap(&mut self, time: &str) {
        let lost = std::mem::take(&mut self.lost);
        let record =
            format!(r#"{{"log":"[{lost} bytes of output lost: the log could not be written]\n","#)
                + &format!(r#""attrs":{{"lost":"{lost}"}},"stream":"stderr"#);
        self.batch.extend_from_slice(record.as_bytes());
        self.batch_payload += lost;
        self.end_record(0, time);
    }

    /// Ends the record that began at `start`; rotates first if it does not fit into the file.
    fn end_record(&mut self, start: usize, time: &str) {
        self.batch.extend_from_slice(br#"","time":""#);
        self.batch.extend_from_slice(time.as_bytes());
        self.batch.extend_from_slice(b"\"}\n");
        let before = self.size + start as u64;
        let length = (self.batch.len() - start) as u64;
        if before == 0 || before.saturating_add(length) <= self.rotation.max_bytes {
            return;
        }
        let record = self.batch.split_off(start);
        self.write_batch();
        if self.size > 0 {
            self.rotate();
        }
        self.batch.extend_from_slice(&record);
    }

    fn write_batch(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        if self.file.is_none() && self.open_file().is_err() {
            // No file: what follows counts the batch as lost.
            self.file = None;
        }
        let written = match &self.file {
            Some(file) => file.write_all_at(&self.batch, self.size).is_ok(),
            None => false,
        };
        if written {
            self.size += self.batch.len() as u64;
        } else {
            self.lost += self.batch_payload;
            if let Some(file) = &self.file {
                // Cuts off a half-written batch. If this does not work either, the next write goes
                // to the same offset and replaces it.
                let _ = file.set_len(self.size);
            }
        }
        self.batch.clear();
        self.batch_payload = 0;
    }

    /// Opens or creates the file and cuts off a record that has no end.
    fn open_file(&mut self) -> Result<()> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = File::from(openat(&self.dir, &self.name, flags, mode)?);
        let length = file.metadata()?.len();
        self.size = end_of_records(&file, length)?;
        if self.size < length {
            file.set_len(self.size)?;
        }
        self.file = Some(file);
        Ok(())
    }

    fn rotate(&mut self) {
        self.file = None;
        // Up to the first free number: a rotation that was killed half-way left one.
        let mut free = 0;
        while free + 1 < self.rotation.max_files
            && statat(
                &self.dir,
                name_of(&self.name, free),
                AtFlags::SYMLINK_NOFOLLOW,
            )
            .is_ok()
        {
            free += 1;
        }
        // Should: oldest first, so that a reader going the other way misses nothing. A rename
        // replaces the file that is too old. Errors are ignored: the log may then be rotated late
        // or lose an old file, and nobody is there to be told.
        for index in (0..free).rev() {
            let (from, to) = (name_of(&self.name, index), name_of(&self.name, index + 1));
            let _ = renameat(&self.dir, from, &self.dir, to);
        }
        if self.rotation.max_files <= 1 {
            let _ = unlinkat(&self.dir, &self.name, AtFlags::empty());
        }
        if self.open_file().is_err() {
            self.size = 0;
        }
    }

    /// Removes files beyond the limit, left by a rotation with a higher one.
    fn drop_surplus_files(&self) {
        let mut index = self.rotation.max_files.max(1);
        while unlinkat(&self.dir, name_of(&self.name, index), AtFlags::empty()).is_ok() {
            index += 1;
        }
    }
}

/// The offset after the last newline.
fn end_of_records(file: &File, length: u64) -> Result<u64> {
    let mut block = [0; 4096];
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let block = &mut block[..(end - start) as usize];
        file.read_exact_at(block, start)?;
        if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
impl Writer {
    /// Puts another file in the place of the one being written; returns that one.
    pub(super) fn swap_file(&mut self, file: File) -> Option<File> {
        self.file.replace(file)
    }
}
