//! The control record: what hull tells this program, little endian, on fd 3.
//!
//! ```text
//! u32 magic "HUL1"   the digit is the version of this layout
//! u32 flags          bit 0: stay as PID 1; bit 1: report_fd is valid; bit 2: third_fd is present
//! u32 report_fd      failures are written here; closed by a successful execve
//! u32 path_len       bytes of the path, without its NUL
//! u32 third_fd       only with bit 2: becomes the program's fd 3 (socket activation)
//! path, NUL          absolute inside the container's root, already resolved
//! ```
//! hull's side of the same layout is `src/init_program.rs`.

use crate::kernel;

/// Where the record is found.
pub const FD: u32 = 3;

const MAGIC: u32 = u32::from_le_bytes(*b"HUL1");
const STAY: u32 = 1;
const REPORT: u32 = 2;
const THIRD: u32 = 4;
/// PATH_MAX with its NUL, and the longest header.
const PATH_MAX: usize = 4096;
const LARGEST: usize = 20 + PATH_MAX;

/// One record, validated.
pub struct Control {
    pub stays_as_init: bool,
    pub report_fd: Option<u32>,
    pub third_fd: Option<u32>,
    bytes: [u8; LARGEST],
    path_at: usize,
}

/// What fd 3 held.
pub enum Read {
    Record(Control),
    /// Our magic, then too little or a path without its NUL: hull's mistake.
    Truncated,
    /// No such fd, or somebody else's.
    Absent,
}

/// Reads fd 3 to its end.
pub fn read() -> Read {
    let mut bytes = [0; LARGEST];
    let mut length = 0;
    while let Some(rest) = bytes.get_mut(length..) {
        match kernel::read(FD, rest) {
            0 => break,
            got => length += got,
        }
    }
    let Some(MAGIC) = word(&bytes, 0, length) else {
        return Read::Absent;
    };
    match parse(bytes, length) {
        Some(record) => Read::Record(record),
        None => Read::Truncated,
    }
}

fn parse(bytes: [u8; LARGEST], length: usize) -> Option<Control> {
    let flags = word(&bytes, 4, length)?;
    let report_fd = word(&bytes, 8, length)?;
    let path_length = word(&bytes, 12, length)? as usize;
    let third_fd = match flags & THIRD {
        0 => None,
        _ => Some(word(&bytes, 16, length)?),
    };
    let path_at: usize = if third_fd.is_some() { 20 } else { 16 };
    let end = path_at.checked_add(path_length)?;
    if end >= length || *bytes.get(end)? != 0 {
        return None;
    }
    Some(Control {
        stays_as_init: flags & STAY != 0,
        report_fd: (flags & REPORT != 0).then_some(report_fd),
        third_fd,
        bytes,
        path_at,
    })
}

fn word(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let found = bytes.get(..length)?.get(at..at + 4)?;
    Some(u32::from_le_bytes([
        *found.first()?,
        *found.get(1)?,
        *found.get(2)?,
        *found.get(3)?,
    ]))
}

impl Control {
    /// The path and its NUL, as `execve` wants it; `parse` has seen the NUL.
    pub fn path(&self) -> &[u8] {
        self.bytes.get(self.path_at..).unwrap_or(b"\0")
    }
}
