//! `image prune`: images without a name, or all that no container uses.

use std::collections::BTreeMap;

use super::remove::{Force, InUse, remove};
use super::{Image, Removal, list};
use crate::error::{Error, Kind, Result};
use crate::store::Store;

/// Which images go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unused {
    /// Those without a name.
    Dangling,
    /// Those that no container uses.
    All,
}

/// What was removed, and what could not be.
#[derive(Debug, Default)]
pub struct Pruned {
    pub removals: Vec<(Image, Removal)>,
    /// Unpacked size of the layers that are gone.
    pub bytes: u64,
    pub failed: Vec<Error>,
}

/// Removes the unused images that are wanted gone. `users` tells which containers use images.
pub fn prune(
    store: &Store,
    which: Unused,
    wanted: impl Fn(&Image) -> bool,
    users: impl Fn() -> Result<Vec<InUse>>,
) -> Result<Pruned> {
    let listing = list(store)?;
    let mut pruned = Pruned {
        failed: listing.broken,
        ..Pruned::default()
    };
    let used = users()?;
    for listed in listing.images {
        let image = listed.image;
        let is_used = used.iter().any(|user| user.image == image.id);
        let spared = which == Unused::Dangling && !listed.names.is_empty();
        if is_used || spared || !wanted(&image) {
            continue;
        }
        let sizes = layer_sizes(store, &image);
        let mut words: Vec<String> = listed
            .names
            .iter()
            .map(|name| name.reference.familiar())
            .collect();
        if words.is_empty() {
            words.push(image.id.to_string());
        }
        for word in words {
            match remove(store, &word, Force::No, &users) {
                Ok(removal) => {
                    let gone = removal.deleted.iter().filter_map(|name| sizes.get(name));
                    pruned.bytes += gone.sum::<u64>();
                    pruned.removals.push((image.clone(), removal));
                }
                // Gone with another of its names, or used meanwhile.
                Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Conflict) => {}
                Err(error) => pruned.failed.push(error),
            }
        }
    }
    Ok(pruned)
}

/// The layers' names in [`Removal::deleted`] and their sizes.
fn layer_sizes(store: &Store, image: &Image) -> BTreeMap<String, u64> {
    let layers = store.layers_for(&image.diff_ids).unwrap_or_default();
    let names = image.diff_ids.iter().map(ToString::to_string);
    names
        .zip(layers.iter().map(|layer| layer.size_bytes))
        .collect()
}
