//! Small files written whole or not at all, and the directories they live in.

use std::fs::File;
use std::io::{Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawDir};
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

use crate::error::{Context, Error, Result};

/// Whether a write must survive a power cut that follows its success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durable {
    /// fsync(2) the file before and the directory after the rename.
    Yes,
    /// Only atomic for readers; for files that mean nothing after a reboot.
    No,
}

/// Replaces `name` in `dir` by a file with these bytes (mode 0600): a reader sees the old or the
/// new content. On failure the old file is still there and no temporary is left.
pub fn atomic_write(dir: impl AsFd, name: &str, bytes: &[u8], durable: Durable) -> Result<()> {
    let dir = dir.as_fd();
    let temporary = format!(".new-{}", random_hex()?);
    let written = write_new(dir, &temporary, bytes, durable)
        .and_then(|()| Ok(rustix::fs::renameat(dir, &temporary, dir, name)?));
    if let Err(error) = written {
        // The write's own error is the news; readers ignore a temporary that cannot go either.
        let _ = rustix::fs::unlinkat(dir, &temporary, AtFlags::empty());
        return Err(error.wrap(format!("write {name}")));
    }
    if durable == Durable::Yes {
        sync_dir(dir).context(|| format!("sync the directory of {name}"))?;
    }
    Ok(())
}

/// Creates `name` in `dir` with these bytes; it must not exist yet.
pub(super) fn write_new(
    dir: BorrowedFd<'_>,
    name: &str,
    bytes: &[u8],
    durable: Durable,
) -> Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::openat(dir, name, flags, FILE_MODE)?);
    file.write_all(bytes)?;
    if durable == Durable::Yes {
        rustix::fs::fsync(&file)?;
    }
    Ok(())
}

/// Mode of every file hull makes for itself.
pub(super) const FILE_MODE: Mode = Mode::from_raw_mode(0o600);
/// Mode of every directory hull makes for itself.
pub(super) const DIR_MODE: Mode = Mode::from_raw_mode(0o700);

/// Flushes a directory's entries. The fd may have been opened with O_PATH.
pub(super) fn sync_dir(dir: BorrowedFd<'_>) -> Result<()> {
    let readable = open_dir(dir, ".")?;
    Ok(rustix::fs::fsync(&readable)?)
}

/// Opens the directory `name` in `dir`, without following a symlink.
pub(super) fn open_dir(dir: BorrowedFd<'_>, name: &str) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::empty())
}

/// Opens the directory `name` in `dir`, creating it (mode 0700) if it does not exist.
pub(super) fn ensure_dir(dir: BorrowedFd<'_>, name: &str) -> Result<OwnedFd> {
    match open_dir(dir, name) {
        Err(Errno::NOENT) => {}
        opened => return opened.context(|| format!("open directory {name}")),
    }
    match rustix::fs::mkdirat(dir, name, DIR_MODE) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(Error::from(error).wrap(format!("create directory {name}"))),
    }
    open_dir(dir, name).context(|| format!("open directory {name}"))
}

/// The whole of a small regular file, `None` if it does not exist. Longer than `limit` is corrupt.
pub(super) fn read_small(dir: BorrowedFd<'_>, name: &str, limit: u64) -> Result<Option<Vec<u8>>> {
    let Some((mut file, length)) = open_sized(dir, name)? else {
        return Ok(None);
    };
    // Room for one byte more than there is: one read(2) sees everything, and that it is all.
    let expected = usize::try_from(length.min(limit)).unwrap_or(0);
    let mut bytes = vec![0; expected + 1];
    let count = file.read(&mut bytes)?;
    bytes.truncate(count);
    if count == expected && length > 0 && length <= limit {
        return Ok(Some(bytes));
    }
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(Error::corrupt(format!(
            "{name} is longer than {limit} bytes"
        )));
    }
    Ok(Some(bytes))
}

/// Opens a regular file for reading, `None` if it does not exist.
pub(super) fn open_file(dir: BorrowedFd<'_>, name: &str) -> Result<Option<File>> {
    Ok(open_sized(dir, name)?.map(|(file, _)| file))
}

/// A regular file and its present length.
fn open_sized(dir: BorrowedFd<'_>, name: &str) -> Result<Option<(File, u64)>> {
    // O_NONBLOCK: a FIFO put here by accident must not hang every command.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match rustix::fs::openat(dir, name, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        opened => opened.context(|| format!("open {name}"))?,
    };
    let stat = rustix::fs::fstat(&file)?;
    if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(Error::corrupt(format!("{name} is not a regular file")));
    }
    let length = u64::try_from(stat.st_size).unwrap_or(0);
    Ok(Some((File::from(file), length)))
}

/// The names in a directory that are valid UTF-8 (every name hull makes is), unsorted.
pub(super) fn names_in(dir: BorrowedFd<'_>) -> Result<Vec<String>> {
    names_of(&open_dir(dir, ".")?)
}

/// The same of a directory that was just opened: nothing of it has been read.
pub(super) fn names_of(dir: &OwnedFd) -> Result<Vec<String>> {
    let mut buffer = vec![MaybeUninit::<u8>::uninit(); 32 << 10];
    let mut entries = RawDir::new(dir, &mut buffer);
    let mut names = Vec::new();
    while let Some(entry) = entries.next() {
        if let Ok(name) = entry?.file_name().to_str()
            && name != "."
            && name != ".."
        {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// 128 random bits as hex: a name nobody can guess or take.
pub fn random_hex() -> Result<String> {
    let mut bytes = [0u8; 16];
    getrandom(&mut bytes, GetRandomFlags::empty())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// This boot's id, checked because it becomes a file name.
pub(super) fn boot_id() -> Result<String> {
    let path = "/proc/sys/kernel/random";
    let dir = rustix::fs::openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
    let bytes = dir
        .map_err(Error::from)
        .and_then(|dir| read_small(dir.as_fd(), "boot_id", 64))
        .context(|| format!("read {path}/boot_id"))?
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    let valid = text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if text.is_empty() || !valid {
        return Err(Error::unsupported(format!("{path}/boot_id has no boot id"))
            .hint("mount a procfs on /proc"));
    }
    Ok(text)
}
