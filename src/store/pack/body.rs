//! The data of one file on its way into an archive.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use crate::store::archive::Segment;

/// Holes are looked for in files of at least this size …
const SPARSE_FROM: u64 = 1 << 20;
/// … in pieces of this size, which depends on no file system.
const PIECE: u64 = 64 << 10;
/// What readers of archives accept; a file with more runs of data is written in full.
const MOST_SEGMENTS: usize = 60_000;

/// What is left to read of a file.
pub struct Body {
    file: OwnedFd,
    /// Runs of data still to come, the next one last.
    runs: Vec<Segment>,
    /// Bytes of data in all.
    total: u64,
}

impl Body {
    /// The data of `file`: these segments of it, or the first `size` bytes.
    pub fn new(file: OwnedFd, size: u64, segments: Option<&[Segment]>) -> Body {
        let whole = [Segment {
            offset: 0,
            length: size,
        }];
        let runs: Vec<Segment> = segments.unwrap_or(&whole).iter().rev().copied().collect();
        Body {
            file,
            total: runs.iter().map(|run| run.length).sum(),
            runs,
        }
    }

    /// More data; 0 at its end. What the file has lost meanwhile reads as zeros: the header has
    /// promised a length.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(run) = self.runs.last_mut() {
            if run.length == 0 {
                self.runs.pop();
                continue;
            }
            let most = usize::try_from(run.length).unwrap_or(usize::MAX);
            let most = most.min(buffer.len());
            let count = match rustix::io::pread(&self.file, &mut buffer[..most], run.offset) {
                Err(Errno::INTR) => continue,
                Ok(0) => {
                    buffer[..most].fill(0);
                    most
                }
                count => count?,
            };
            run.offset += count as u64;
            run.length -= count as u64;
            return Ok(count);
        }
        Ok(0)
    }

    /// Bytes up to the end of the last block.
    pub fn padding(&self) -> usize {
        (self.total.wrapping_neg() % 512) as usize
    }
}

/// Where the data of a file is, if it has holes. A hole is a piece of zeros, whether or not the
/// file system stores them: so a copy of the file gives the same answer.
pub fn segments(file: &OwnedFd, size: u64) -> io::Result<Option<Vec<Segment>>> {
    if size < SPARSE_FROM {
        return Ok(None);
    }
    let mut found: Vec<Segment> = Vec::new();
    let mut data = 0;
    let mut buffer = vec![0; PIECE as usize];
    let mut at = 0;
    while at < size {
        // Only to be quick: what the file system calls a hole is zeros.
        let next = match rustix::fs::seek(file.as_fd(), SeekFrom::Data(at)) {
            Ok(next) => next / PIECE * PIECE,
            Err(Errno::NXIO) => break,
            Err(Errno::INVAL) => at,
            Err(errno) => return Err(errno.into()),
        };
        at = at.max(next);
        if at >= size {
            break;
        }
        let length = PIECE.min(size - at);
        if !is_zero(file, at, &mut buffer[..length as usize])? {
            data += length;
            match found.last_mut() {
                Some(last) if last.offset + last.length == at => last.length += length,
                _ => found.push(Segment { offset: at, length }),
            }
            if found.len() > MOST_SEGMENTS {
                return Ok(None);
            }
        }
        at += length;
    }
    Ok((data < size).then_some(found))
}

/// Whether this piece of the file holds nothing but zeros.
fn is_zero(file: &OwnedFd, at: u64, piece: &mut [u8]) -> io::Result<bool> {
    let mut filled = 0;
    while filled < piece.len() {
        match rustix::io::pread(file, &mut piece[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(piece[..filled].iter().all(|byte| *byte == 0))
}
