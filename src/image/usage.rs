//! What images take on disk: each layer and each blob once, whoever shares it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::list::Listed;
use super::remove::InUse;
use crate::base::Digest;
use crate::error::Result;
use crate::store::Store;

/// All images of a store.
#[derive(Debug, Default)]
pub struct Usage {
    pub images: Vec<ImageUsage>,
    /// Bytes of all that the store holds for images, whether or not one needs it: an unfinished
    /// download, say, or what is removed and not deleted yet.
    pub total_bytes: u64,
    /// The part that images in use need.
    pub used_bytes: u64,
}

/// One image.
#[derive(Debug)]
pub struct ImageUsage {
    pub listed: Listed,
    /// Bytes that other images need too.
    pub shared_bytes: u64,
    /// Bytes that go with the image.
    pub unique_bytes: u64,
    pub containers: usize,
}

/// One thing on disk.
struct Piece {
    bytes: u64,
    images: usize,
    used: bool,
}

/// Counts. What cannot be read counts nothing: this is about what there is.
pub fn usage(store: &Store, images: Vec<Listed>, users: &[InUse]) -> Result<Usage> {
    let mut pieces: BTreeMap<PathBuf, Piece> = BTreeMap::new();
    let mut counted = Vec::with_capacity(images.len());
    for listed in images {
        let of = users.iter().filter(|user| user.image == listed.id);
        let containers = of.count();
        let mut own = pieces_of(store, &listed);
        own.sort();
        own.dedup();
        for (path, bytes) in &own {
            let piece = pieces.entry(path.clone()).or_insert(Piece {
                bytes: *bytes,
                images: 0,
                used: false,
            });
            piece.images += 1;
            piece.used |= containers > 0;
        }
        counted.push((listed, own, containers));
    }
    let sum = |wanted: &dyn Fn(&Piece) -> bool| {
        let wanted = pieces.values().filter(|piece| wanted(piece));
        wanted.map(|piece| piece.bytes).sum()
    };
    let (needed_bytes, used_bytes): (u64, u64) = (sum(&|_| true), sum(&|piece| piece.used));
    let total_bytes = store.bytes_on_disk()?.max(needed_bytes);
    let images = counted.into_iter().map(|(listed, own, containers)| {
        let (mut shared_bytes, mut unique_bytes) = (0, 0);
        for (path, bytes) in own {
            match pieces.get(&path) {
                Some(piece) if piece.images > 1 => shared_bytes += bytes,
                _ => unique_bytes += bytes,
            }
        }
        ImageUsage {
            listed,
            shared_bytes,
            unique_bytes,
            containers,
        }
    });
    Ok(Usage {
        images: images.collect(),
        total_bytes,
        used_bytes,
    })
}

fn pieces_of(store: &Store, listed: &Listed) -> Vec<(PathBuf, u64)> {
    let diff_ids = listed.image.as_ref().map(|image| &image.diff_ids[..]);
    let layers = store
        .layers_for(diff_ids.unwrap_or_default())
        .unwrap_or_default();
    let layers = layers
        .into_iter()
        .map(|layer| (layer.path, layer.size_bytes));
    let mut blobs = vec![listed.manifest, listed.id];
    blobs.extend(compressed_layers(store, &listed.manifest));
    let blobs = blobs.into_iter().filter_map(|digest| {
        let length = store.open_blob(&digest).ok()??.metadata().ok()?.len();
        Some((PathBuf::from(digest.to_string()), length))
    });
    layers.chain(blobs).collect()
}

/// The digests that a manifest names; those made here have no blob.
fn compressed_layers(store: &Store, manifest: &Digest) -> Vec<Digest> {
    let bytes = store.read_blob(manifest, super::manifest::DOCUMENT_LIMIT);
    let Ok(Some(bytes)) = bytes else {
        return Vec::new();
    };
    let document: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let layers = document["layers"].as_array().into_iter().flatten();
    let digests = layers.filter_map(|layer| layer["digest"].as_str()?.parse().ok());
    digests.collect()
}
