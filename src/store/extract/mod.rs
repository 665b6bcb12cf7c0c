//! The one extraction engine: a tar stream becomes a directory tree.
//!
//! Theory of operation. No path string of an archive ever reaches the kernel from the process's own
//! root: a parent directory is resolved with openat2(2) inside the tree (`RESOLVE_IN_ROOT`, Linux
//! 5.6), so `bin -> usr/bin` and even `x -> /etc` stay inside; the last name is created with
//! `O_EXCL` after whatever had it was unlinked, so nothing is ever written through a link. Modes,
//! owners, attributes and times are set through the new descriptor. Directory times are set last.
//!
//! One thread inflates, the calling one parses, hashes and writes. Resolved parents are cached, so
//! a usual file costs openat, write, utimensat and close.

mod attributes;
mod budget;
mod entry;
mod inherit;
mod path;
#[cfg(test)]
mod tests;
mod tree;
mod whiteout;

use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

pub(super) use attributes::{clamp_time, is_kept, without_root_id};
pub(super) use inherit::inherit_parents;
pub use inherit::is_opaque;
pub(super) use path::EntryPath;
pub use whiteout::is_whiteout;
pub(super) use whiteout::{Meaning, meaning};

use self::entry::Extractor;
use super::archive::{EntryKind, Reader, Source};
use super::layers::OverlayXattrs;
use super::read_ahead::read_ahead;
use super::stage;
use crate::base::DiffId;
use crate::base::Ownership;
use crate::error::{Error, Result};

/// Bounds on one archive, and the space that must stay free.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Uncompressed bytes of the archive, headers included.
    pub total_bytes: u64,
    /// Number of entries.
    pub entries: u64,
    /// Bytes of the filesystem that must stay available.
    pub min_free_bytes: u64,
    /// Percent of the filesystem that must stay available.
    pub min_free_percent: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            total_bytes: 1 << 40,
            entries: 20_000_000,
            min_free_bytes: 512 << 20,
            min_free_percent: 2,
        }
    }
}

/// A layer that was unpacked into a stage.
#[derive(Debug)]
pub struct UnpackedLayer {
    /// The digest of the whole uncompressed stream.
    pub diff_id: DiffId,
    /// Sum of the sizes of its regular files.
    pub size_bytes: u64,
    /// Number of entries.
    pub entries: u64,
    /// Directories the archive uses and does not describe.
    pub implicit_parents: Vec<PathBuf>,
    /// What was left out, for the user.
    pub warnings: Vec<String>,
    pub(super) name: String,
    pub(super) dir: OwnedFd,
    pub(super) overlay_xattrs: OverlayXattrs,
    pub(super) opaque_root: bool,
}

impl UnpackedLayer {
    pub(super) fn new(name: String, dir: OwnedFd, summary: Summary) -> UnpackedLayer {
        UnpackedLayer {
            diff_id: summary.diff_id,
            size_bytes: summary.size_bytes,
            entries: summary.entries,
            implicit_parents: summary.implicit_parents,
            warnings: summary.warnings,
            name,
            dir,
            overlay_xattrs: summary.overlay_xattrs,
            opaque_root: summary.opaque_root,
        }
    }

    /// Checks the content against the config's `rootfs.diff_ids`.
    pub fn expect_diff_id(&self, expected: &DiffId) -> Result<()> {
        if self.diff_id != *expected {
            return Err(Error::corrupt(format!(
                "the layer's content has digest {}, its image's config says {expected}",
                self.diff_id
            ))
            .hint("the image is damaged or forged; get it from another source"));
        }
        Ok(())
    }
}

/// What an extraction did.
#[derive(Debug)]
pub struct Summary {
    /// The digest of the whole uncompressed stream.
    pub diff_id: DiffId,
    /// Sum of the sizes of regular files.
    pub size_bytes: u64,
    /// Number of entries.
    pub entries: u64,
    /// Directories the archive uses and does not describe, sorted.
    pub implicit_parents: Vec<PathBuf>,
    /// What was left out, for the user.
    pub warnings: Vec<String>,
    pub(super) overlay_xattrs: OverlayXattrs,
    pub(super) opaque_root: bool,
}

/// Unpacks a layer's tar into `root`, an empty directory.
pub(super) fn unpack(
    stream: impl Read + Send,
    root: OwnedFd,
    ownership: Ownership,
    limits: &Limits,
) -> Result<Summary> {
    let marks = stage::overlay_xattrs()?;
    let mut extractor = Extractor::new(root, ownership, marks, limits)?;
    read_ahead(stream, |ahead| {
        let mut reader = Reader::new(Source::new(ahead, limits.total_bytes));
        while let Some(entry) = reader.next_entry()? {
            extractor.extract(&entry, &mut reader)?;
        }
        let digest = reader.into_source().finish()?;
        extractor.finish(DiffId(digest))
    })
}

/// How an archive is unpacked into a tree that others use.
#[derive(Debug)]
pub struct Placing {
    /// The directory it goes to, from the root and without links.
    pub below: Vec<u8>,
    /// Everything becomes this user's and group's; none keeps the owners of the archive.
    pub owner: Option<(u32, u32)>,
}

/// Unpacks an uncompressed tar into a tree that others use, and returns its length. Nothing is
/// made outside `root`, wherever links in the tree or the archive point.
pub fn unpack_into(
    stream: impl Read + Send,
    root: OwnedFd,
    placing: &Placing,
    ownership: Ownership,
) -> Result<u64> {
    let marks = stage::overlay_xattrs()?;
    let limits = Limits::default();
    let mut extractor = Extractor::into_tree_in_use(root, ownership, marks, &limits)?;
    read_ahead(stream, |ahead| {
        let mut reader = Reader::new(Source::new(ahead, limits.total_bytes));
        while let Some(mut entry) = reader.next_entry()? {
            let is_top = entry
                .path
                .split(|byte| *byte == b'/')
                .all(|part| part.is_empty() || part == b".");
            if is_top && entry.kind == EntryKind::Directory {
                // The directory that it goes to stays what it is.
                continue;
            }
            entry.path = [&placing.below[..], b"/", &entry.path].concat();
            if entry.kind == EntryKind::HardLink {
                entry.link = [&placing.below[..], b"/", &entry.link].concat();
            }
            if let Some((uid, gid)) = placing.owner {
                (entry.uid, entry.gid) = (uid, gid);
            }
            extractor.extract(&entry, &mut reader)?;
        }
        let (_, length) = reader.into_source().finish_counted()?;
        extractor.finish(DiffId(crate::base::Digest::of(b"")))?;
        Ok(length)
    })
}
