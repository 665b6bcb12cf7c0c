//! Unpacked layers: `layers/<key>/fs/` with a small record beside it.

use std::fmt;
use std::os::fd::AsFd;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Store;
use super::atomic;
use super::open::RECORD_LIMIT;
use crate::base::Ownership;
use crate::base::{DiffId, Digest, Timestamp};
use crate::error::{Context, Error, Result};

/// The name of an unpacked layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LayerKey {
    /// By the digest of its own tar: the same whatever lies below it.
    Diff(DiffId),
    /// By the chain id: its tar left out parent directories, so it depends on what lies below it.
    Chain(Digest),
}

/// Which extended attributes mark opaque directories in a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OverlayXattrs {
    /// `trusted.overlay.*`: unpacked by real root; mount without `userxattr`.
    Trusted,
    /// `user.overlay.*`: unpacked in a user namespace; mount with `userxattr`.
    User,
}

/// An unpacked layer in the store.
#[derive(Debug, Clone)]
pub struct Layer {
    /// The digest of its uncompressed tar.
    pub diff_id: DiffId,
    /// Its `fs/` directory.
    pub path: PathBuf,
    /// Sum of the sizes of its regular files.
    pub size_bytes: u64,
    /// The marks its opaque directories carry.
    pub overlay_xattrs: OverlayXattrs,
    /// Hides everything below it; [`Store::layers_for`] has already left that out.
    pub opaque_root: bool,
}

/// `layer.json`.
#[derive(Serialize, Deserialize)]
pub(super) struct LayerRecord {
    pub diff_id: DiffId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain_id: Option<Digest>,
    pub size_bytes: u64,
    pub entries: u64,
    pub overlay_xattrs: OverlayXattrs,
    #[serde(default)]
    pub opaque_root: bool,
    pub created: Timestamp,
}

pub(super) const LAYERS: &str = "layers";

impl LayerKey {
    /// The directory name under `layers/`.
    pub(super) fn dir_name(&self, ownership: Ownership) -> String {
        let base = match self {
            LayerKey::Diff(diff_id) => diff_id.0.hex(),
            LayerKey::Chain(chain_id) => format!("chain-{}", chain_id.hex()),
        };
        match ownership {
            Ownership::Full => base,
            Ownership::Squashed => base + ".sq",
        }
    }

    /// The inverse of [`LayerKey::dir_name`]; `None` for names hull never makes.
    pub(super) fn from_dir_name(name: &str) -> Option<(LayerKey, Ownership)> {
        let (base, ownership) = match name.strip_suffix(".sq") {
            Some(base) => (base, Ownership::Squashed),
            None => (name, Ownership::Full),
        };
        let digest = |hex: &str| format!("sha256:{hex}").parse::<Digest>().ok();
        let key = match base.strip_prefix("chain-") {
            Some(hex) => LayerKey::Chain(digest(hex)?),
            None => LayerKey::Diff(DiffId(digest(base)?)),
        };
        Some((key, ownership))
    }
}

impl fmt::Display for LayerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LayerKey::Diff(diff_id) => diff_id.fmt(f),
            LayerKey::Chain(chain_id) => write!(f, "chain {chain_id}"),
        }
    }
}

/// The chain ids of a stack of layers (image-spec, "Layer ChainID"), bottom first.
pub(super) fn chain_ids(diff_ids: &[DiffId]) -> Vec<Digest> {
    let mut chain: Vec<Digest> = Vec::with_capacity(diff_ids.len());
    for diff_id in diff_ids {
        let id = match chain.last() {
            Some(below) => Digest::of(format!("{below} {diff_id}").as_bytes()),
            None => diff_id.0,
        };
        chain.push(id);
    }
    chain
}

impl Store {
    /// The unpacked layer of this name, `None` if it is not here.
    pub fn layer(&self, key: &LayerKey) -> Result<Option<Layer>> {
        let name = key.dir_name(self.ownership);
        let Some(dir) = self.existing_dir(&format!("{LAYERS}/{name}"))? else {
            return Ok(None);
        };
        let subject = || format!("read layer {key}");
        let damaged = |what: &str| {
            Error::corrupt(format!("layer {key}: {what} is missing"))
                .hint("remove the image and pull it again")
        };
        let read = atomic::read_small(dir.as_fd(), "layer.json", RECORD_LIMIT);
        let bytes = read
            .context(subject)?
            .ok_or_else(|| damaged("layer.json"))?;
        let record: LayerRecord = serde_json::from_slice(&bytes).context(subject)?;
        atomic::open_dir(dir.as_fd(), "fs").map_err(|_| damaged("fs"))?;
        let is_of = match key {
            LayerKey::Diff(diff_id) => record.diff_id == *diff_id,
            LayerKey::Chain(chain_id) => record.chain_id == Some(*chain_id),
        };
        if !is_of {
            return Err(
                Error::corrupt(format!("layer {key}: layer.json is of another layer"))
                    .hint("remove the image and pull it again"),
            );
        }
        Ok(Some(Layer {
            diff_id: record.diff_id,
            path: self.path.join(LAYERS).join(name).join("fs"),
            size_bytes: record.size_bytes,
            overlay_xattrs: record.overlay_xattrs,
            opaque_root: record.opaque_root,
        }))
    }

    /// The unpacked layers of an image, bottom first. Where one depends on those below it, the one
    /// unpacked for exactly this stack. A layer that hides everything below it starts the list.
    pub fn layers_for(&self, diff_ids: &[DiffId]) -> Result<Vec<Layer>> {
        let mut layers = Vec::with_capacity(diff_ids.len());
        for (diff_id, chain_id) in diff_ids.iter().zip(chain_ids(diff_ids)) {
            let found = match self.layer(&LayerKey::Chain(chain_id))? {
                Some(layer) => Some(layer),
                None => self.layer(&LayerKey::Diff(*diff_id))?,
            };
            let layer = found.ok_or_else(|| {
                Error::corrupt(format!("layer {diff_id} is missing from the store"))
                    .hint("pull the image again")
            })?;
            if layer.opaque_root {
                layers.clear();
            }
            layers.push(layer);
        }
        Ok(layers)
    }
}
