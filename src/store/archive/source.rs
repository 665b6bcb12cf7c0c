//! The bytes of an archive: hashed as they come in, handed out without a copy.

use std::io;

use sha2::{Digest as _, Sha256};

use crate::base::Digest;
use crate::error::{Error, Result};
use crate::store::read_ahead::Ahead;

pub(in crate::store) const BLOCK: usize = 512;

/// A stream of archive bytes.
pub(in crate::store) struct Source {
    ahead: Ahead,
    buffer: Vec<u8>,
    at: usize,
    hasher: Sha256,
    total: u64,
    limit: u64,
}

impl Source {
    /// Reads at most `limit` bytes, then fails.
    pub(in crate::store) fn new(ahead: Ahead, limit: u64) -> Source {
        Source {
            ahead,
            buffer: Vec::new(),
            at: 0,
            hasher: Sha256::new(),
            total: 0,
            limit,
        }
    }

    /// Up to `max` bytes that are at hand, at least one except at the end of the stream.
    pub(in crate::store) fn peek(&mut self, max: usize) -> Result<&[u8]> {
        if self.at == self.buffer.len() {
            let used = std::mem::take(&mut self.buffer);
            self.at = 0;
            self.buffer = self.ahead.exchange(used).map_err(stream_error)?;
            self.hasher.update(&self.buffer);
            self.total += self.buffer.len() as u64;
            if self.total > self.limit {
                return Err(Error::invalid(format!(
                    "the archive is longer than {} bytes",
                    self.limit
                )));
            }
        }
        let end = self.buffer.len().min(self.at.saturating_add(max));
        Ok(&self.buffer[self.at..end])
    }

    /// Marks bytes of the last `peek` as read.
    pub(in crate::store) fn consume(&mut self, count: usize) {
        self.at += count;
        debug_assert!(self.at <= self.buffer.len());
    }

    /// One block, `None` at the end of the stream.
    pub(super) fn block(&mut self) -> Result<Option<[u8; BLOCK]>> {
        let mut block = [0; BLOCK];
        let mut length = 0;
        while length < BLOCK {
            let bytes = self.peek(BLOCK - length)?;
            if bytes.is_empty() {
                break;
            }
            let count = bytes.len();
            block[length..length + count].copy_from_slice(bytes);
            self.consume(count);
            length += count;
        }
        match length {
            0 => Ok(None),
            BLOCK => Ok(Some(block)),
            _ => Err(truncated()),
        }
    }

    /// Exactly `length` bytes; the caller has bounded the length.
    pub(super) fn bytes(&mut self, length: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            let chunk = self.peek(length - bytes.len())?;
            if chunk.is_empty() {
                return Err(truncated());
            }
            bytes.extend_from_slice(chunk);
            let count = chunk.len();
            self.consume(count);
        }
        Ok(bytes)
    }

    /// Passes over `count` bytes.
    pub(super) fn skip(&mut self, mut count: u64) -> Result<()> {
        while count > 0 {
            let most = usize::try_from(count).unwrap_or(usize::MAX);
            let length = self.peek(most)?.len();
            if length == 0 {
                return Err(truncated());
            }
            self.consume(length);
            count -= length as u64;
        }
        Ok(())
    }

    /// Reads to the end and returns the digest of every byte of the stream.
    pub(in crate::store) fn finish(self) -> Result<Digest> {
        Ok(self.finish_counted()?.0)
    }

    /// The same, with the number of bytes.
    pub(in crate::store) fn finish_counted(mut self) -> Result<(Digest, u64)> {
        loop {
            let length = self.peek(usize::MAX)?.len();
            if length == 0 {
                return Ok((Digest::from_hasher(self.hasher), self.total));
            }
            self.consume(length);
        }
    }
}

/// Bad data is `Corrupt`; errors of the system stay what they are.
fn stream_error(error: io::Error) -> Error {
    let bad_data = matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    );
    if error.raw_os_error().is_none() && bad_data {
        return Error::corrupt(format!("read archive: {error}"));
    }
    Error::from(error).wrap("read archive")
}

pub(super) fn truncated() -> Error {
    Error::corrupt("the archive is truncated")
}
