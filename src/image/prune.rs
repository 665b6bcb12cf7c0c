//! `image prune`: images without a name, or all that no container uses.

use super::remove::{Force, InUse, Removed, Remover};
use super::{Detail, Image, list};
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
    pub removed: Removed,
    pub failed: Vec<Error>,
}

/// Removes the unused images that are wanted gone. `users` tells which containers use images.
pub fn prune(
    store: &Store,
    which: Unused,
    wanted: impl Fn(&Image) -> bool,
    users: impl Fn() -> Result<Vec<InUse>>,
) -> Result<Pruned> {
    let listing = list(store, Detail::Whole)?;
    let mut pruned = Pruned {
        failed: listing.broken,
        ..Pruned::default()
    };
    let used = users()?;
    // The names as they were listed: one that has moved since is not one of those looked at.
    let names = listing.images.iter().flat_map(|listed| &listed.names);
    let mut remover = Remover::of_names(store, names.cloned().collect(), used.clone());
    let mut dangling = Vec::new();
    remover.thorough = true;
    for listed in listing.images {
        let is_used = used.iter().any(|user| user.image == listed.id);
        let spared = which == Unused::Dangling && !listed.names.is_empty();
        let is_wanted = listed.image.as_ref().is_some_and(&wanted);
        if is_used || spared || !is_wanted {
            continue;
        }
        if listed.names.is_empty() {
            dangling.push(listed.id);
        }
        for name in &listed.names {
            match remover.take(&name.reference.familiar(), Force::No) {
                Ok(()) => {}
                // Gone with another of its names, or used meanwhile.
                Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Conflict) => {}
                Err(error) => pruned.failed.push(error),
            }
        }
    }
    remover.take_dangling(&dangling)?;
    pruned.removed = remover.finish(users)?;
    Ok(pruned)
}
