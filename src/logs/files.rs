//! The files of one log: their names, and opening them in an order that no rotation can spoil.

use std::fs::File;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use crate::error::{Context, Result};

/// One open file of a log.
#[derive(Debug)]
pub(super) struct LogFile {
    pub file: File,
    /// Cannot be used again while `file` is open, so it tells files apart.
    pub inode: u64,
}

/// `<name>` for 0, `<name>.<index>` for older ones.
pub(super) fn name_of(name: &str, index: u32) -> String {
    match index {
        0 => name.to_owned(),
        index => format!("{name}.{index}"),
    }
}

/// Every file of the log, oldest first.
pub(super) fn snapshot(dir: BorrowedFd<'_>, name: &str) -> Result<Vec<LogFile>> {
    let mut found: Vec<LogFile> = Vec::new();
    // Should: newest first. Rotation moves files to higher numbers, so going up the numbers meets
    // each file at least once; a file met twice is known by its inode.
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
        if found.iter().all(|other| other.inode != log.inode) {
            found.push(log);
        }
    }
    found.reverse();
    Ok(found)
}

/// The file with this number, or `None` if there is none now.
pub(super) fn open(dir: BorrowedFd<'_>, name: &str, index: u32) -> Result<Option<LogFile>> {
    let name = name_of(name, index);
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = match openat(dir, &name, flags, Mode::empty()) {
        Ok(fd) => File::from(fd),
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(errno).context(|| format!("open log {name}")),
    };
    let inode = file
        .metadata()
        .context(|| format!("read log {name}"))?
        .ino();
    Ok(Some(LogFile { file, inode }))
}
