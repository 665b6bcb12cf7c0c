//! Paths below the container's root: openat2(2) with `RESOLVE_IN_ROOT`, Linux 5.6, no magic links.
//!
//! Everything here treats the tree as hostile: any component may be a link that points out of the
//! root, and may be swapped at any time. The kernel resolves inside the root; we only ever create
//! one name in a directory that we hold open.

use std::ffi::CStr;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// The kernel's limit for a path, with its NUL.
const PATH_MAX: usize = 4096;
/// How many dangling links are followed while a target is made.
const MAX_LINKS: usize = 40;

/// What to make when a path does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    Fail,
    MakeDirectory,
    MakeFile,
}

/// A path in a fixed buffer, NUL-terminated: the child may not allocate.
struct Buffer {
    bytes: [u8; PATH_MAX],
    length: usize,
}

impl Buffer {
    fn new(path: &[u8]) -> Result<Self, Errno> {
        let mut buffer = Buffer {
            bytes: [0; PATH_MAX],
            length: 0,
        };
        buffer.push(path)?;
        Ok(buffer)
    }

    fn push(&mut self, more: &[u8]) -> Result<(), Errno> {
        let end = self.length + more.len();
        // One byte stays free for the NUL.
        let room = self
            .bytes
            .get_mut(self.length..end)
            .ok_or(Errno::NAMETOOLONG)?;
        room.copy_from_slice(more);
        self.length = end;
        *self.bytes.get_mut(end).ok_or(Errno::NAMETOOLONG)? = 0;
        Ok(())
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The first `length` bytes as a C string, made by ending it there for the call's duration.
    fn with_prefix<T>(
        &mut self,
        length: usize,
        call: impl FnOnce(&CStr) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let saved = std::mem::replace(&mut self.bytes[length], 0);
        let result = match CStr::from_bytes_until_nul(&self.bytes) {
            Ok(text) => call(text),
            Err(_) => Err(Errno::NAMETOOLONG),
        };
        self.bytes[length] = saved;
        result
    }
}

/// Opens `path` below `root` with these flags.
pub fn open_in_root(root: BorrowedFd<'_>, path: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    loop {
        let flags = flags | OFlags::CLOEXEC;
        match rustix::fs::openat2(root, path, flags, Mode::empty(), resolve) {
            // A rename elsewhere in the tree raced with the look-up of a `..`; openat2(2).
            Err(Errno::AGAIN) => {}
            other => return other,
        }
    }
}

/// Opens a directory that must exist and be reached without any link.
pub fn open_ordinary_directory(
    root: BorrowedFd<'_>,
    path: &CStr,
    make: bool,
) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::openat2(root, path, flags, Mode::empty(), resolve) {
        Err(Errno::NOENT) if make => {
            rustix::fs::mkdirat(root, path, Mode::from_raw_mode(0o755))?;
            rustix::fs::openat2(root, path, flags, Mode::empty(), resolve)
        }
        other => other,
    }
}

/// Opens `path` below `root` as a place to mount on (`O_PATH`), making it and its parents if told.
pub fn open_or_make(root: BorrowedFd<'_>, path: &CStr, missing: Missing) -> Result<OwnedFd, Errno> {
    match open_in_root(root, path, OFlags::PATH) {
        Err(Errno::NOENT) if missing != Missing::Fail => {}
        other => return other,
    }
    let mut buffer = Buffer::new(path.to_bytes())?;
    let mut links = 0;
    let mut position = 0;
    while let Some(end) = next_component(buffer.as_bytes(), position) {
        let last = end >= buffer.length;
        let opened = buffer.with_prefix(end, |p| open_in_root(root, p, OFlags::PATH));
        match opened {
            Ok(found) if last => return Ok(found),
            Ok(_) => position = end,
            Err(Errno::NOENT) => {
                let file = last && missing == Missing::MakeFile;
                match make(root, &mut buffer, position, end, file)? {
                    Made::Object => {}
                    Made::FollowLink => {
                        links += 1;
                        position = 0;
                        if links > MAX_LINKS {
                            return Err(Errno::LOOP);
                        }
                    }
                }
            }
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::NOENT)
}

/// The end of the component that starts after `from`; `None` behind the last one.
fn next_component(path: &[u8], from: usize) -> Option<usize> {
    let start = path.iter().skip(from).position(|b| *b != b'/')? + from;
    let length = path[start..]
        .iter()
        .position(|b| *b == b'/')
        .unwrap_or(path.len() - start);
    Some(start + length)
}

enum Made {
    Object,
    /// A dangling link was in the way; the buffer now holds the path with the link resolved.
    FollowLink,
}

/// Makes the component between `parent_end` and `end`.
fn make(
    root: BorrowedFd<'_>,
    buffer: &mut Buffer,
    parent_end: usize,
    end: usize,
    file: bool,
) -> Result<Made, Errno> {
    let parent = if parent_end == 0 {
        open_in_root(root, c".", OFlags::PATH | OFlags::DIRECTORY)?
    } else {
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        buffer.with_prefix(parent_end, |p| open_in_root(root, p, flags))?
    };
    let start = if parent_end == 0 && buffer.bytes[0] != b'/' {
        0
    } else {
        parent_end + 1
    };
    let mut name = Buffer::new(&buffer.bytes[start..end])?;
    let length = name.length;
    let made = name.with_prefix(length, |name| {
        if file {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            rustix::fs::openat(&parent, name, flags, Mode::from_raw_mode(0o644)).map(drop)
        } else {
            rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o755))
        }
    });
    match made {
        Ok(()) => Ok(Made::Object),
        Err(Errno::EXIST) => {
            let content = name.with_prefix(length, |name| read_link(&parent, name))?;
            let Some(content) = content else {
                return Ok(Made::Object);
            };
            replace_link(buffer, parent_end, end, content.as_bytes())?;
            Ok(Made::FollowLink)
        }
        Err(errno) => Err(errno),
    }
}

/// The content of a symbolic link; `None` if the name is something else (somebody was faster).
fn read_link(parent: &OwnedFd, name: &CStr) -> Result<Option<Buffer>, Errno> {
    let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
        return Ok(None);
    }
    let mut content = Buffer {
        bytes: [0; PATH_MAX],
        length: 0,
    };
    content.length = rustix::fs::readlinkat_raw(parent, name, &mut content.bytes[..])?;
    if content.length + 1 >= PATH_MAX {
        return Err(Errno::NAMETOOLONG);
    }
    content.bytes[content.length] = 0;
    Ok(Some(content))
}

/// Puts a link's content in the place of its name. `..` in it is left to the kernel, which
/// resolves it inside the root.
fn replace_link(buffer: &mut Buffer, start: usize, end: usize, link: &[u8]) -> Result<(), Errno> {
    let old = Buffer::new(buffer.as_bytes())?;
    buffer.length = 0;
    if link.first() != Some(&b'/') {
        buffer.push(&old.bytes[..start])?;
        buffer.push(b"/")?;
    }
    buffer.push(link)?;
    buffer.push(&old.bytes[end..old.length])
}

/// Changes to `path`, below the root the process has by now, and makes sure that the result is
/// inside it: a working directory like /proc/self/fd/7 is refused (CVE-2024-21626).
pub fn change_directory(path: &CStr, make: bool) -> Result<(), Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::openat(CWD, c"/", flags, Mode::empty())?;
    let root = std::os::fd::AsFd::as_fd(&root);
    let missing = if make {
        Missing::MakeDirectory
    } else {
        Missing::Fail
    };
    let directory = open_or_make(root, path, missing)?;
    rustix::process::fchdir(&directory)?;
    crate::sys::process::require_reachable_directory()
}
