//! `import`: the tar of a root filesystem becomes an image of one layer, in one pass.

use std::io::Read;

use super::change::apply_change;
use super::config::{HistoryEntry, ImageConfig, RootFs};
use super::counted::Counted;
use super::make::{NewLayer, publish_image};
use super::platform::Platform;
use super::tag::Named;
use crate::base::{Digest, Reference, Timestamp};
use crate::error::{Context, Result};
use crate::store::{Limits, Remade, Store, decompress};

/// What the new image is to be.
#[derive(Debug, Clone)]
pub struct ImportRequest<'a> {
    /// Where the tar comes from, for messages and history: a path or `-`.
    pub source: &'a str,
    /// Its name, if it gets one.
    pub name: Option<Reference>,
    /// `--change`, in order.
    pub changes: &'a [String],
    /// `--message`; `Imported from SOURCE` when absent.
    pub message: Option<&'a str>,
    /// `--platform`; this machine's when absent.
    pub platform: Option<Platform>,
}

/// Imports a tar, plain or compressed. Returns the image's id.
pub fn import(
    store: &Store,
    input: impl Read + Send,
    request: &ImportRequest<'_>,
) -> Result<(Digest, Vec<Named>)> {
    let mut config = empty_config(request.platform.clone().unwrap_or_else(Platform::host));
    for change in request.changes {
        apply_change(&mut config.config, change)?;
    }
    let subject = || format!("import {}", crate::registry::escaped(request.source));
    let stage = store.stage()?;
    let mut tar_bytes = 0;
    let tar = decompress(input).context(subject)?;
    let counted = Counted {
        inner: tar,
        count: &mut tar_bytes,
    };
    let (mut unpacked, remade) = stage
        .unpack_with_recipe(counted, &Limits::default())
        .context(subject)?;
    if remade == Remade::No {
        tar_bytes = stage.repack(&mut unpacked).context(subject)?;
    }
    let diff_id = unpacked.diff_id;
    stage.add_layer(unpacked, &[]).context(subject)?;
    let default = format!("Imported from {}", request.source);
    config.rootfs.diff_ids.push(diff_id);
    config.history.push(HistoryEntry {
        created: config.created,
        comment: Some(request.message.map_or(default, str::to_owned)),
        ..HistoryEntry::default()
    });
    let bytes = serde_json::to_vec(&config)?;
    let names: Vec<Reference> = request.name.iter().cloned().collect();
    let layers = [NewLayer { diff_id, tar_bytes }];
    publish_image(store, stage, &bytes, &layers, &names).context(subject)
}

/// A config without layers.
fn empty_config(platform: Platform) -> ImageConfig {
    ImageConfig {
        created: Some(Timestamp::now()),
        os: platform.os,
        architecture: platform.architecture,
        variant: platform.variant,
        rootfs: RootFs {
            kind: "layers".to_owned(),
            diff_ids: Vec::new(),
        },
        ..ImageConfig::default()
    }
}
