//! A directory tree becomes a tar stream: layers of `commit`, `export`, `cp … -`.
//!
//! Theory of operation. The tree is walked by descriptor, each entry pinned with `O_PATH` before it
//! is looked at, names in the order of their bytes; nothing follows a link, and FIFOs, sockets and
//! devices are never opened. The same tree gives the same bytes every time: times are whole
//! seconds, names of users are left out, holes are where 64 KiB of a file are zero, wherever the
//! file system has kept them. So the tar of a layer made here need not be kept.
//!
//! The stream is pulled through [`std::io::Read`]; file data goes from the file straight to the
//! reader's buffer. A tree that changes meanwhile gives a well-formed archive of what was seen.

mod body;
#[cfg(test)]
mod tests;
mod walk;

use std::io;

use self::body::Body;
use self::walk::{Step, Walk};
use super::archive::{Entry, EntryKind, write_headers};
use crate::error::{Error, Result};

pub use walk::{Enter, Form, plainly};

/// A tree as a tar stream.
pub struct Pack<'a> {
    walk: Walk<'a>,
    /// Headers, maps and padding that are ready.
    ready: Vec<u8>,
    /// How much of `ready` was given away.
    given: usize,
    body: Option<Body>,
    ended: bool,
}

impl<'a> Pack<'a> {
    /// The tree at `node`, an `O_PATH` descriptor, under the name `name`: `.` for `./…`, empty for
    /// names without a beginning.
    pub fn new(
        node: std::os::fd::OwnedFd,
        name: &[u8],
        form: Form,
        enter: Enter<'a>,
    ) -> Result<Pack<'a>> {
        Ok(Pack {
            walk: Walk::new(node, name, form, enter)?,
            ready: Vec::new(),
            given: 0,
            body: None,
            ended: false,
        })
    }

    /// How many entries of the tree are in the stream so far.
    pub fn entries(&self) -> u64 {
        self.walk.entries
    }

    /// Makes the next bytes ready.
    fn advance(&mut self) -> Result<()> {
        self.ready.clear();
        self.given = 0;
        match self.walk.next()? {
            Some(Step { entry, body }) => {
                write_headers(&entry, &mut self.ready);
                self.body = body;
            }
            None => {
                // Two empty blocks end an archive.
                self.ready.resize(1024, 0);
                self.ended = true;
            }
        }
        Ok(())
    }
}

impl io::Read for Pack<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let rest = &self.ready[self.given..];
            if !rest.is_empty() {
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                self.given += count;
                return Ok(count);
            }
            if let Some(body) = &mut self.body {
                let count = body.read(buffer)?;
                if count > 0 {
                    return Ok(count);
                }
                self.ready.clear();
                self.given = 0;
                self.ready.resize(body.padding(), 0);
                self.body = None;
                continue;
            }
            if self.ended {
                return Ok(0);
            }
            self.advance().map_err(io::Error::other)?;
        }
    }
}

/// What a whiteout is in an archive (image-spec, "Whiteouts"): an empty file, the same each time.
fn whiteout(path: Vec<u8>) -> Entry {
    Entry {
        kind: EntryKind::File,
        path,
        link: Vec::new(),
        mode: 0,
        uid: 0,
        gid: 0,
        mtime: (0, 0),
        xattrs: Vec::new(),
        size: 0,
        segments: None,
    }
}

/// Why an entry could not be packed.
fn failed(path: &[u8], error: impl Into<Error>) -> Error {
    error
        .into()
        .wrap(format!("pack {}", super::archive::show(path)))
}
