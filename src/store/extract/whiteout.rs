//! Whiteouts: `.wh.NAME` deletes NAME below, `.wh..wh..opq` everything below its directory.
//!
//! Overlayfs marks the first with a character device 0:0 (which any user may make since Linux 5.8),
//! the second with an extended attribute of the directory.

use std::os::fd::AsFd;

use rustix::fs::{FileType, Stat, XattrFlags};

use super::path::EntryPath;
use crate::error::{Error, Result};
use crate::store::OverlayXattrs;
use crate::store::archive::show;

const PREFIX: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
/// aufs's own files at the root of very old layers; Docker skips them too.
const AUFS: &[u8] = b".wh..wh.";

/// What a name says.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::store) enum Meaning<'a> {
    /// An ordinary entry.
    Ordinary,
    /// Delete this name in its directory.
    Delete(&'a [u8]),
    /// Hide what layers below have in its directory.
    Opaque,
    /// Not part of the image.
    Skip,
}

/// Reads an entry's name as the image-spec says. Names that would delete `.`, `..` or something
/// elsewhere are refused.
pub(in crate::store) fn meaning(path: &EntryPath) -> Result<Meaning<'_>> {
    let refuse = || {
        let shown = show(path.as_bytes());
        Error::invalid(format!("{shown} is not a valid whiteout"))
    };
    let first = path.as_bytes().split(|byte| *byte == b'/').next();
    if first.is_some_and(|first| first.starts_with(AUFS) && first != OPAQUE) {
        return Ok(Meaning::Skip);
    }
    if path.parents().any(|part| part.starts_with(PREFIX)) {
        return Err(refuse());
    }
    let Some(target) = path.name().strip_prefix(PREFIX) else {
        return Ok(Meaning::Ordinary);
    };
    if path.name() == OPAQUE {
        return Ok(Meaning::Opaque);
    }
    match target {
        b"" | b"." | b".." => Err(refuse()),
        _ if target.starts_with(PREFIX) => Err(refuse()),
        _ => Ok(Meaning::Delete(target)),
    }
}

/// Whether overlayfs reads this as a deletion.
pub fn is_whiteout(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == 0
}

/// Marks a directory so that overlayfs shows nothing of it from below.
pub(super) fn set_opaque(dir: impl AsFd, marks: OverlayXattrs) -> rustix::io::Result<()> {
    let name = match marks {
        OverlayXattrs::Trusted => "trusted.overlay.opaque",
        OverlayXattrs::User => "user.overlay.opaque",
    };
    rustix::fs::fsetxattr(dir, name, b"y", XattrFlags::empty())
}
