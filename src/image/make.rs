//! A new image from parts at hand: config, layers, names.

use serde_json::json;

use super::config::ImageConfig;
use super::manifest::{Descriptor, check_layer_count};
use super::tag::{Named, Target, publish};
use crate::base::{DiffId, Digest, Reference};
use crate::error::Result;
use crate::store::{Stage, Store};

/// A layer of the new image, already in the store or the stage.
#[derive(Debug, Clone, Copy)]
pub struct NewLayer {
    /// Digest of its tar.
    pub diff_id: DiffId,
    /// Length of its tar.
    pub tar_bytes: u64,
}

/// Adds config and manifest to the stage and publishes all of it. The layers are named by their
/// uncompressed tars, which the store makes again when somebody saves or pushes the image.
pub fn publish_image(
    store: &Store,
    stage: Stage,
    config_bytes: &[u8],
    layers: &[NewLayer],
    names: &[Reference],
) -> Result<(Digest, Vec<Named>)> {
    check_layer_count(layers.len())?;
    let config = ImageConfig::parse(config_bytes)?;
    let image = stage.add_blob(config_bytes)?;
    let layers: Vec<Descriptor> = layers
        .iter()
        .map(|layer| Descriptor {
            media_type: "application/vnd.oci.image.layer.v1.tar".to_owned(),
            digest: layer.diff_id.0,
            size: layer.tar_bytes,
        })
        .collect();
    let manifest = stage.add_blob(&image_manifest(config_bytes, &layers)?)?;
    let target = Target {
        manifest,
        image,
        platform: config.platform().to_string(),
        repo_digest: None,
    };
    let named = publish(store, stage, &target, names)?;
    Ok((image, named))
}

/// A manifest for a config and layers that came without one.
pub fn image_manifest(config: &[u8], layers: &[Descriptor]) -> Result<Vec<u8>> {
    let layers = layers.iter().map(|layer| {
        json!({
            "mediaType": layer.media_type,
            "digest": layer.digest,
            "size": layer.size,
        })
    });
    Ok(serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": Digest::of(config),
            "size": config.len(),
        },
        "layers": layers.collect::<Vec<_>>(),
    }))?)
}
