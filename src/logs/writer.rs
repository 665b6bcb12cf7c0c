//! The writing end, inside the monitor: small, and never in the container's way.
//!
//! A full disk (or quota, or any other error of the file) costs log text, never the container: what
//! cannot be stored is counted, and as soon as a write succeeds again a record in its place says
//! how much is missing. Memory is bounded by one batch and one unfinished line per stream.

use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, openat, renameat, statat, unlinkat};

use super::compress::Packing;
use super::files::{name_of, packed};
use super::format::Frame;
use super::lines::Lines;
use super::{Format, Rotation, Stream};
use crate::base::Timestamp;
use crate::error::{Context, Result};

/// A batch is written when it is this long; it may grow by one record beyond.
const BATCH_BYTES: usize = 64 << 10;

/// How much faster than it grows a log is compressed.
const PACKING_SPEED: usize = 8;

/// What the files of a log look like.
#[derive(Debug, Clone)]
pub struct Layout {
    pub format: Format,
    pub rotation: Rotation,
    /// Files that were rotated away are compressed with gzip.
    pub compress: bool,
    /// Added to every record of a JSON file: a JSON object, or empty.
    pub attributes: String,
}

/// Appends to the files of one container's log.
#[derive(Debug)]
pub struct FileLog {
    dir: OwnedFd,
    name: String,
    layout: Layout,
    /// `None` after a rotation that could not create the next file; tried again at each batch.
    file: Option<File>,
    size: u64,
    batch: Vec<u8>,
    /// Bytes of output the batch stands for, to be counted as lost if it cannot be written.
    batch_payload: u64,
    lost: u64,
    lines: Lines,
    packing: Option<Packing>,
}

impl FileLog {
    /// Opens or creates `<dir>/<name>`. A torn last record (of a killed monitor) is cut off.
    pub fn open(dir: &Path, name: &str, layout: Layout) -> Result<FileLog> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = openat(CWD, dir, flags, Mode::empty())
            .context(|| format!("open log directory {}", dir.display()))?;
        let mut log = FileLog {
            dir,
            name: name.to_owned(),
            layout,
            file: None,
            size: 0,
            batch: Vec::new(),
            batch_payload: 0,
            lost: 0,
            lines: Lines::default(),
            packing: None,
        };
        log.open_file().context(|| format!("open log {name}"))?;
        log.drop_surplus_files();
        Ok(log)
    }

    /// Takes what the container printed. Never fails and never waits: see the top of this file.
    pub fn append(&mut self, stream: Stream, bytes: &[u8], at: Timestamp) {
        let time = at.to_string();
        let frame = self.frame(stream, &time);
        let mut lines = std::mem::take(&mut self.lines);
        lines.cut(stream, bytes, |piece| {
            self.push_record(&frame, piece, &time);
        });
        self.lines = lines;
        self.write_batch();
        self.pack(PACKING_SPEED * bytes.len());
    }

    /// Stores unfinished lines as they are. To be called when the container's outputs are closed.
    pub fn flush_partial(&mut self, at: Timestamp) {
        let time = at.to_string();
        for stream in [Stream::Stdout, Stream::Stderr] {
            let line = self.lines.rest(stream);
            if !line.is_empty() {
                self.push_record(&self.frame(stream, &time), &line, &time);
            }
        }
        if self.batch.is_empty() && self.lost > 0 {
            self.push_gap(&time);
        }
        self.write_batch();
    }
}

/// The steps below `append`.
impl FileLog {
    fn frame(&self, stream: Stream, time: &str) -> Frame {
        let layout = &self.layout;
        layout.format.frame(stream, &layout.attributes, time)
    }

    fn push_record(&mut self, frame: &Frame, text: &[u8], time: &str) {
        if self.batch.is_empty() && self.lost > 0 {
            self.push_gap(time);
        }
        let start = self.batch.len();
        frame.push(&mut self.batch, text);
        // Should: rotate first, which counts what is before this record only.
        self.make_room(start);
        self.batch_payload += text.len() as u64;
        if self.batch.len() >= BATCH_BYTES {
            self.write_batch();
        }
    }

    /// Should: be the first record of a batch, in the place of what is missing.
    fn push_gap(&mut self, time: &str) {
        let lost = std::mem::take(&mut self.lost);
        self.layout.format.push_gap(&mut self.batch, lost, time);
        self.batch_payload += lost;
        self.make_room(0);
    }

    /// Rotates before the record that begins at `start` if it does not fit into the file.
    fn make_room(&mut self, start: usize) {
        let before = self.size + start as u64;
        let length = (self.batch.len() - start) as u64;
        if before == 0 || before.saturating_add(length) <= self.layout.rotation.max_bytes {
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
        // Should: before names change.
        self.pack(usize::MAX);
        self.file = None;
        let most = self.layout.rotation.max_files;
        // Up to the first free number: a rotation that was killed half-way left one.
        let mut free = 0;
        while free + 1 < most && self.has(free) {
            free += 1;
        }
        if free > 0 && free + 1 == most {
            self.remove(free);
        }
        // Should: oldest first, so that a reader going the other way misses nothing. Errors are
        // ignored: the log may then be rotated late or lose an old file, and nobody is there to be
        // told.
        for index in (0..free).rev() {
            let (from, to) = (name_of(&self.name, index), name_of(&self.name, index + 1));
            let _ = renameat(&self.dir, from.as_str(), &self.dir, to.as_str());
            let _ = renameat(&self.dir, packed(&from), &self.dir, packed(&to));
        }
        if most <= 1 {
            let _ = unlinkat(&self.dir, &self.name, AtFlags::empty());
        } else if self.layout.compress {
            self.packing = Packing::begin(self.dir.as_fd(), &name_of(&self.name, 1)).ok();
        }
        if self.open_file().is_err() {
            self.size = 0;
        }
    }

    fn has(&self, index: u32) -> bool {
        let name = name_of(&self.name, index);
        let there = |name: &str| statat(&self.dir, name, AtFlags::SYMLINK_NOFOLLOW).is_ok();
        there(&name) || there(&packed(&name))
    }

    fn remove(&self, index: u32) -> bool {
        let name = name_of(&self.name, index);
        let plain = unlinkat(&self.dir, name.as_str(), AtFlags::empty()).is_ok();
        unlinkat(&self.dir, packed(&name), AtFlags::empty()).is_ok() || plain
    }

    /// Goes on compressing what was rotated away.
    fn pack(&mut self, bytes: usize) {
        if let Some(packing) = &mut self.packing
            && !matches!(packing.advance(self.dir.as_fd(), bytes), Ok(false))
        {
            // Done; or the disk is full, say, and the plain file stays.
            self.packing = None;
            Packing::give_up(&self.dir, &name_of(&self.name, 1));
        }
    }

    /// Removes files beyond the limit, left by a rotation with a higher one.
    fn drop_surplus_files(&self) {
        Packing::give_up(&self.dir, &name_of(&self.name, 1));
        let mut index = self.layout.rotation.max_files.max(1);
        while self.remove(index) {
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
impl FileLog {
    /// Puts another file in the place of the one being written; returns that one.
    pub(super) fn swap_file(&mut self, file: File) -> Option<File> {
        self.file.replace(file)
    }

    /// Compresses what is left.
    pub(super) fn pack_for_test(&mut self) {
        self.pack(usize::MAX);
    }
}
