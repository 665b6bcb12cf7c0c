//! What a push has taught: which blob a layer becomes when it is compressed, and by which digest a
//! registry knows a name.
//!
//! The first is noted beside the layer, so that it goes with it. It is only a short cut: the bytes
//! are made again whenever a registry does not have them, and that digest counts.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};

use serde::{Deserialize, Serialize};

use super::Store;
use super::atomic::{self, Durable};
use super::layers::{LAYERS, LayerKey, chain_ids};
use super::open::RECORD_LIMIT;
use super::refs::RefRecord;
use crate::base::{DiffId, Digest};
use crate::error::{Context, Result};
use crate::sys::lock::Sharing;

/// Its name beside `layer.json`.
const FILE: &str = "packed.json";

/// The blob that a layer becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    pub digest: Digest,
    pub size: u64,
}

impl Store {
    /// The blob that the top of this stack became when it was compressed in this way.
    pub fn packed(&self, stack: &[DiffId], way: &str) -> Result<Option<Packed>> {
        let Some(dir) = self.layer_directory(stack)? else {
            return Ok(None);
        };
        Ok(read_notes(&dir)?.remove(way))
    }

    /// Notes it.
    pub fn note_packed(&self, stack: &[DiffId], way: &str, packed: Packed) -> Result<()> {
        let subject = || "note how a layer was compressed";
        let Some(dir) = self.layer_directory(stack).context(subject)? else {
            return Ok(());
        };
        let mut notes = read_notes(&dir).context(subject)?;
        notes.insert(way.to_owned(), packed);
        let bytes = serde_json::to_vec(&notes)?;
        atomic::atomic_write(&dir, FILE, &bytes, Durable::No).context(subject)
    }

    /// Notes by which digest a registry knows `record`. False if the name stands for something
    /// else by now, which is left alone.
    pub fn note_repo_digest(&self, record: &RefRecord, digest: Digest) -> Result<bool> {
        let subject = || format!("note the digest of {}", record.reference.familiar());
        // Nobody publishes between the comparison and the writing.
        let _exclusive = self.lock_gc(Sharing::Exclusive)?;
        let now = self.find_ref(&record.reference)?;
        let Some(now) = now.filter(|now| now.manifest == record.manifest) else {
            return Ok(false);
        };
        let changed = RefRecord {
            repo_digest: Some(digest),
            ..now.clone()
        };
        if changed != now {
            self.write_ref(&changed).context(subject)?;
        }
        Ok(true)
    }

    fn layer_directory(&self, stack: &[DiffId]) -> Result<Option<OwnedFd>> {
        let (Some(top), Some(chain)) = (stack.last(), chain_ids(stack).pop()) else {
            return Ok(None);
        };
        for key in [LayerKey::Chain(chain), LayerKey::Diff(*top)] {
            let name = key.dir_name(self.ownership);
            if let Some(dir) = self.existing_dir(&format!("{LAYERS}/{name}"))? {
                return Ok(Some(dir));
            }
        }
        Ok(None)
    }
}

/// A file that a power cut has spoilt is no notes.
fn read_notes(dir: &OwnedFd) -> Result<BTreeMap<String, Packed>> {
    let bytes = atomic::read_small(dir.as_fd(), FILE, RECORD_LIMIT)?;
    Ok(bytes
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default())
}
