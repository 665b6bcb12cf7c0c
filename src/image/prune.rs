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
    let mut remover = Remover::new(store, used.clone())?;
    remover.thorough = true;
    for listed in listing.images {
        let is_used = used.iter().any(|user| user.image == listed.id);
        let spared = which == Unused::Dangling && !listed.names.is_empty();
        let is_wanted = listed.image.as_ref().is_some_and(&wanted);
        if is_used || spared || !is_wanted {
            continue;
        }
        let names = listed.names.iter().map(|name| name.reference.familiar());
        let mut words: Vec<String> = names.collect();
        if words.is_empty() {
            words.push(listed.id.to_string());
        }
        for word in words {
            match remover.take(&word, Force::No) {
                Ok(()) => {}
                // Gone with another of its names, or used meanwhile.
                Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Conflict) => {}
                Err(error) => pruned.failed.push(error),
            }
        }
    }
    pruned.removed = remover.finish(users)?;
    Ok(pruned)
}
