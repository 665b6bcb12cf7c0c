//! `commit`: a container's changes become one more layer on its image.
//!
//! The layer is packed and unpacked in one go: the same engine that unpacks what comes from a
//! registry makes it here, and its digest is that of the tar, which is not kept (see
//! [`Store::layer_tar_in`]). What is below it stays named as it was, so that the compressed blobs
//! of the image go on serving the new one.

use serde_json::json;

use super::change::apply_change;
use super::config::{Execution, HistoryEntry, ImageConfig};
use super::counted::Counted;
use super::manifest::{DOCUMENT_LIMIT, Descriptor, Document, check_layer_count};
use super::tag::{Target, publish};
use crate::base::{DiffId, Digest, Reference, Timestamp};
use crate::error::{Context, Error, Result};
use crate::store::{Limits, Pack, Stage, Store, UnpackedLayer};

/// What the new image is to be.
#[derive(Debug, Clone)]
pub struct CommitRequest {
    /// How the container runs.
    pub config: Execution,
    /// The container's command line, for the history.
    pub created_by: String,
    pub author: Option<String>,
    pub comment: Option<String>,
    /// Its name, if it gets one.
    pub name: Option<Reference>,
    /// Whether the layer stands alone, instead of the image's.
    pub squash: bool,
}

/// The image that a container was made of.
#[derive(Debug)]
pub struct Base {
    pub config: ImageConfig,
    layers: Vec<Descriptor>,
}

/// A layer that is made and not published.
#[derive(Debug)]
pub struct StagedLayer {
    stage: Stage,
    layer: UnpackedLayer,
    tar_bytes: u64,
    is_empty: bool,
}

impl Base {
    /// Reads the image with this manifest.
    pub fn read(store: &Store, manifest: &Digest) -> Result<Base> {
        let missing = |digest: &Digest| {
            Error::corrupt(format!("{digest} is missing from the store"))
                .hint("the container's image is damaged; hull export still works")
        };
        let read = |digest: &Digest| {
            let bytes = store.read_blob(digest, DOCUMENT_LIMIT)?;
            bytes.ok_or_else(|| missing(digest))
        };
        let Document::Manifest(document) = Document::parse(&read(manifest)?, None)? else {
            return Err(Error::corrupt(
                "the manifest of the container's image is an index",
            ));
        };
        let config = ImageConfig::parse(&read(&document.config.digest)?)?;
        Ok(Base {
            config,
            layers: document.layers,
        })
    }
}

/// Applies `--change` as Docker does: to an empty config, which then takes the place of what the
/// container says. An entry point clears the command, which was meant for the other one.
pub fn apply_changes(config: &mut Execution, changes: &[String]) -> Result<()> {
    let mut own = Execution {
        shell: config.shell.clone(),
        ..Execution::default()
    };
    for change in changes {
        apply_change(&mut own, change)?;
    }
    if own.entrypoint.is_some() && own.cmd.is_none() {
        config.cmd = None;
    }
    for change in changes {
        apply_change(config, change)?;
    }
    Ok(())
}

/// Makes the layer. Nothing is visible before [`commit`].
pub fn stage_layer(store: &Store, pack: &mut Pack<'_>) -> Result<StagedLayer> {
    let stage = store.stage()?;
    let mut tar_bytes = 0;
    let counted = Counted {
        inner: &mut *pack,
        count: &mut tar_bytes,
    };
    let layer = stage.unpack_layer(counted, &Limits::default())?;
    for warning in &layer.warnings {
        log::warn!("the new layer: {warning}");
    }
    Ok(StagedLayer {
        stage,
        layer,
        tar_bytes,
        is_empty: pack.entries() == 0,
    })
}

/// Publishes the image. Returns its id.
pub fn commit(
    store: &Store,
    base: Base,
    staged: StagedLayer,
    request: &CommitRequest,
) -> Result<Digest> {
    let Base {
        mut config,
        mut layers,
    } = base;
    // A layer without entries would only be carried around.
    let adds = !staged.is_empty || request.squash;
    if request.squash {
        layers.clear();
        config.rootfs.diff_ids.clear();
        config.history.clear();
    }
    let diff_id = staged.layer.diff_id;
    if adds {
        let below = config.rootfs.diff_ids.clone();
        staged.stage.add_layer(staged.layer, &below)?;
        config.rootfs.diff_ids.push(diff_id);
        layers.push(new_descriptor(&diff_id, staged.tar_bytes));
    }
    check_layer_count(config.rootfs.diff_ids.len())?;
    let now = Timestamp::now();
    config.created = Some(now);
    config.author.clone_from(&request.author);
    config.config = request.config.clone();
    // Docker's notes about the container of the image below.
    for key in ["container", "container_config", "id", "parent"] {
        config.other.shift_remove(key);
    }
    config.history.push(HistoryEntry {
        created: Some(now),
        created_by: Some(request.created_by.clone()),
        author: request.author.clone(),
        comment: request.comment.clone(),
        empty_layer: !adds,
    });
    let bytes = serde_json::to_vec(&config)?;
    let image = staged.stage.add_blob(&bytes)?;
    let manifest = manifest(&image, bytes.len(), &layers);
    let target = Target {
        manifest: staged.stage.add_blob(&serde_json::to_vec(&manifest)?)?,
        image,
        platform: config.platform().to_string(),
        repo_digest: None,
    };
    let names: Vec<Reference> = request.name.iter().cloned().collect();
    publish(store, staged.stage, &target, &names).context(|| "commit")?;
    Ok(image)
}

fn new_descriptor(diff_id: &DiffId, size: u64) -> Descriptor {
    Descriptor {
        media_type: "application/vnd.oci.image.layer.v1.tar".to_owned(),
        digest: diff_id.0,
        size,
    }
}

fn manifest(image: &Digest, config_bytes: usize, layers: &[Descriptor]) -> serde_json::Value {
    let layers = layers.iter().map(|layer| {
        json!({
            "mediaType": oci_type(&layer.media_type),
            "digest": layer.digest,
            "size": layer.size,
        })
    });
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": image,
            "size": config_bytes,
        },
        "layers": layers.collect::<Vec<_>>(),
    })
}

/// The same content, in the words of the manifest it is now named by.
pub(super) fn oci_type(media_type: &str) -> &str {
    match media_type {
        "application/vnd.docker.image.rootfs.diff.tar.gzip" => {
            "application/vnd.oci.image.layer.v1.tar+gzip"
        }
        "application/vnd.docker.image.rootfs.diff.tar" => "application/vnd.oci.image.layer.v1.tar",
        other => other,
    }
}
