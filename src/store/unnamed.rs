//! Files that never had a name: what a command keeps for itself while it runs. A killed command
//! leaves nothing of them.

use std::fs::File;
use std::io::{Read, Write};

use rustix::fs::{AtFlags, OFlags};
use rustix::io::Errno;

use super::Store;
use super::atomic::{FILE_MODE, random_hex};
use crate::error::{Context, Error, Result};

/// Space that is left free on the store's file system.
const MIN_FREE: u64 = 256 << 20;

impl Store {
    /// An empty file on the file system of the store, for writing and reading.
    pub fn unnamed_file(&self) -> Result<File> {
        let subject = || format!("make a file in {}", self.show("tmp"));
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        let dir = self.dir("tmp").context(subject)?;
        let opened = rustix::fs::openat(&dir, c".", flags | OFlags::TMPFILE, FILE_MODE);
        let fd = match opened {
            // Not every filesystem has unnamed files (open(2), O_TMPFILE).
            Err(Errno::OPNOTSUPP | Errno::ISDIR) => {
                let name = format!("unnamed-{}", random_hex()?);
                let create = flags | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
                let fd = rustix::fs::openat(&dir, &name, create, FILE_MODE).context(subject)?;
                rustix::fs::unlinkat(&dir, &name, AtFlags::empty()).context(subject)?;
                fd
            }
            opened => opened.context(subject)?,
        };
        Ok(File::from(fd))
    }
}

/// Copies all of `source` into a file, and stops before the file system is full: others write
/// there too. An error of the source is told as `what` says.
pub fn fill(
    file: &mut impl Write,
    place: &File,
    mut source: impl Read,
    what: impl Fn(std::io::Error) -> Error,
) -> Result<()> {
    let mut buffer = vec![0; 1 << 20];
    for round in 0u64.. {
        let mut have = 0;
        // Whole pieces, whatever the source gives at once: a compressor may look at the seams.
        while have < buffer.len() {
            match source.read(&mut buffer[have..]).map_err(&what)? {
                0 => break,
                count => have += count,
            }
        }
        if have == 0 {
            break;
        }
        if round % 64 == 0 {
            let free = rustix::fs::fstatvfs(place)?;
            if free.f_bavail.saturating_mul(free.f_frsize) < MIN_FREE {
                return Err(Error::from(Errno::NOSPC).hint("free some space where the store is"));
            }
        }
        file.write_all(&buffer[..have])?;
    }
    Ok(())
}
