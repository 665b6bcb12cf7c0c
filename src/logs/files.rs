//! The files of one log: their names, and opening them in an order that no rotation can spoil.

use std::fs::File;
use std::io::{self, BufReader, Seek as _};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt;

use flate2::bufread::GzDecoder;
use rustix::fs::{MemfdFlags, Mode, OFlags, memfd_create, openat};
use rustix::io::Errno;

use crate::error::{Context, Error, Result};

/// One open file of a log.
#[derive(Debug)]
pub(super) struct LogFile {
    file: File,
    /// Still to be unpacked.
    is_packed: bool,
    identity: Identity,
}

/// What tells files apart: an inode number cannot be used again while the file is open, and a
/// compressed file says which one it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    Plain(u64),
    /// Inode number and last change of the plain file, as [`same_file`] writes them.
    Packed(String),
}

/// How the header of a compressed file names the plain one.
pub(super) fn same_file(inode: u64, changed: (i64, i64)) -> String {
    format!("{inode} {}.{:09}", changed.0, changed.1)
}

impl LogFile {
    /// The records, unpacked when they are asked for the first time.
    pub(super) fn file(&mut self) -> Result<&File> {
        if self.is_packed {
            self.file = unpack(&self.file).context(|| "unpack a log")?;
            self.is_packed = false;
        }
        Ok(&self.file)
    }

    /// Whether both are one file, or one and what was made of it.
    pub(super) fn is(&self, other: &LogFile) -> bool {
        match (&self.identity, &other.identity) {
            (Identity::Plain(_), Identity::Packed(name)) => self.was(name),
            (Identity::Packed(name), Identity::Plain(_)) => other.was(name),
            (one, other) => one == other,
        }
    }

    fn was(&self, name: &str) -> bool {
        let meta = self.file.metadata();
        meta.is_ok_and(|meta| same_file(meta.ino(), (meta.mtime(), meta.mtime_nsec())) == name)
    }
}

/// Into memory: a compressed file is one that was rotated away, so its size has a limit.
fn unpack(file: &File) -> Result<File> {
    let mut memory = File::from(memfd_create("hull-log", MemfdFlags::CLOEXEC)?);
    let mut from = file;
    from.rewind()?;
    // What a cut-off file still holds is shown.
    match io::copy(&mut GzDecoder::new(BufReader::new(from)), &mut memory) {
        Err(error) if error.raw_os_error().is_some() => Err(Error::from(error)),
        _ => Ok(memory),
    }
}

/// `<name>` for 0, `<name>.<index>` for older ones.
pub(super) fn name_of(name: &str, index: u32) -> String {
    match index {
        0 => name.to_owned(),
        index => format!("{name}.{index}"),
    }
}

/// The name of the same file, compressed.
pub(super) fn packed(name: &str) -> String {
    format!("{name}.gz")
}

/// Every file of the log, oldest first.
pub(super) fn snapshot(dir: BorrowedFd<'_>, name: &str) -> Result<Vec<LogFile>> {
    let mut found: Vec<LogFile> = Vec::new();
    // Should: newest first. Rotation moves files to higher numbers, so going up the numbers meets
    // each file at least once; a file met twice is known.
    let mut missing = 0;
    for index in 0.. {
        let Some(log) = open(dir, name, index)? else {
            // The file being written and one being renamed may both be away for a moment.
            missing += 1;
            if missing > 2 {
                break;
            }
            continue;
        };
        missing = 0;
        if found.iter().all(|other| !other.is(&log)) {
            found.push(log);
        }
    }
    found.reverse();
    Ok(found)
}

/// The file with this number, or `None` if there is none now.
pub(super) fn open(dir: BorrowedFd<'_>, name: &str, index: u32) -> Result<Option<LogFile>> {
    let name = name_of(name, index);
    let plain = open_one(dir, &name)?;
    if let (None, true) = (&plain, index > 0) {
        return open_packed(dir, &packed(&name));
    }
    let Some(file) = plain else { return Ok(None) };
    let inode = file
        .metadata()
        .context(|| format!("read log {name}"))?
        .ino();
    Ok(Some(LogFile {
        file,
        is_packed: false,
        identity: Identity::Plain(inode),
    }))
}

fn open_packed(dir: BorrowedFd<'_>, name: &str) -> Result<Option<LogFile>> {
    let Some(file) = open_one(dir, name)? else {
        return Ok(None);
    };
    let decoder = GzDecoder::new(BufReader::new(&file));
    let comment = decoder.header().and_then(|header| header.comment());
    let was = String::from_utf8_lossy(comment.unwrap_or_default()).into_owned();
    Ok(Some(LogFile {
        file,
        is_packed: true,
        identity: Identity::Packed(was),
    }))
}

fn open_one(dir: BorrowedFd<'_>, name: &str) -> Result<Option<File>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    match openat(dir, name, flags, Mode::empty()) {
        Ok(fd) => Ok(Some(File::from(fd))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno).context(|| format!("open log {name}")),
    }
}
