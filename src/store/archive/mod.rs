//! A strict reader of tar streams (ustar, GNU and PAX), and a writer of what it reads.
//!
//! Readers that disagree about an archive let one of them see files the other does not (the
//! TARmageddon class). So wherever GNU tar, Python's tarfile, Go's archive/tar or libarchive would
//! read an archive differently, it is refused here; there is never another reading of our own. The
//! reader allocates at most one header's worth (1 MiB) on behalf of the archive.

mod header;
mod pax;
mod reader;
mod source;
mod sparse;
mod writer;

pub(super) use reader::{Entry, EntryKind, Reader};
pub(super) use source::Source;
pub(super) use sparse::Segment;
pub(super) use writer::write_headers;

/// A name from an archive, fit for a message: control and non-ASCII bytes escaped, cut if long.
pub(super) fn show(name: &[u8]) -> String {
    const SHOWN: usize = 200;
    let text = name[..name.len().min(SHOWN)].escape_ascii();
    let more = if name.len() > SHOWN { "…" } else { "" };
    format!("\"{text}{more}\"")
}
