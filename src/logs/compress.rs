//! Compressing a file that was rotated away, a little with every append: the container never waits
//! for a whole file, and there is no second thread or process.
//!
//! The comment in the header of a compressed file names the file that it was, so that a reader
//! which has that one open does not read it twice. A compression that is cut off leaves the plain
//! file, which is as good.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;

use flate2::{Compression, GzBuilder, write::GzEncoder};
use rustix::fs::{AtFlags, Mode, OFlags, openat, renameat, unlinkat};

use super::files::{packed, same_file};
use crate::error::Result;

/// What is read at a time.
const STEP_BYTES: usize = 64 << 10;

/// One file on its way.
#[derive(Debug)]
pub(super) struct Packing {
    from: File,
    to: GzEncoder<File>,
    name: String,
}

impl Packing {
    /// Begins with the file of this name.
    pub(super) fn begin(dir: BorrowedFd<'_>, name: &str) -> Result<Packing> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let from = File::from(openat(dir, name, flags, Mode::empty())?);
        let meta = from.metadata()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let to = openat(dir, temporary(name), flags | OFlags::NOFOLLOW, mode)?;
        let comment = same_file(meta.ino(), (meta.mtime(), meta.mtime_nsec()));
        let to = GzBuilder::new()
            .comment(comment)
            .write(File::from(to), Compression::fast());
        Ok(Packing {
            from,
            to,
            name: name.to_owned(),
        })
    }

    /// Compresses about so many bytes more; true when the file is in place.
    pub(super) fn advance(&mut self, dir: BorrowedFd<'_>, bytes: usize) -> Result<bool> {
        let mut block = vec![0; STEP_BYTES];
        for _ in 0..bytes.div_ceil(STEP_BYTES) {
            let count = self.from.read(&mut block)?;
            if count > 0 {
                self.to.write_all(&block[..count])?;
                continue;
            }
            self.to.try_finish()?;
            // Should: the new one is there before the old one goes.
            renameat(dir, temporary(&self.name), dir, packed(&self.name))?;
            unlinkat(dir, self.name.as_str(), AtFlags::empty())?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Takes back what has been written, as nobody will finish it.
    pub(super) fn give_up(dir: &OwnedFd, name: &str) {
        // Most often there is none.
        let _ = unlinkat(dir, temporary(name), AtFlags::empty());
    }
}

fn temporary(name: &str) -> String {
    format!("{name}.gz.tmp")
}
