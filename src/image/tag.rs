//! Names: giving one, moving one, and keeping images that lost theirs.
//!
//! Content without any reference is collected, but Docker keeps an image that lost its name
//! (`<none>`) until it is pruned. Such an image gets a reference below a name nobody can pull.

use super::find::find;
use crate::base::{Digest, Reference, Timestamp};
use crate::error::Result;
use crate::store::{RefRecord, Stage, Store};

/// `.invalid` never resolves (RFC 2606).
const UNTAGGED_REGISTRY: &str = "untagged.invalid";

/// The reference that keeps an image without a name.
pub fn untagged_reference(manifest: &Digest) -> Reference {
    Reference {
        registry: UNTAGGED_REGISTRY.to_owned(),
        repository: "image".to_owned(),
        tag: None,
        digest: Some(*manifest),
    }
}

/// Whether a reference only keeps an image; shown as `<none>`.
pub fn is_untagged(reference: &Reference) -> bool {
    reference.registry == UNTAGGED_REGISTRY
}

/// What a name is to stand for.
#[derive(Debug, Clone)]
pub struct Target {
    /// The platform's manifest.
    pub manifest: Digest,
    /// The config.
    pub image: Digest,
    /// `os/architecture[/variant]`.
    pub platform: String,
    /// What the registry calls it.
    pub repo_digest: Option<Digest>,
}

/// A name that now stands for another image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name; `None` for an image without one.
    pub reference: Option<Reference>,
    /// The image it stood for before, if that was another one.
    pub replaced: Option<Digest>,
}

/// Publishes what is staged under `names`, or without a name if there are none. An image that
/// loses its last name by that is kept.
pub fn publish(
    store: &Store,
    stage: Stage,
    target: &Target,
    names: &[Reference],
) -> Result<Vec<Named>> {
    let record = |reference: Reference, target: &Target| RefRecord {
        reference,
        manifest: target.manifest,
        image: target.image,
        repo_digest: target.repo_digest,
        updated: Timestamp::now(),
        platform: target.platform.clone(),
    };
    let known = store.refs()?;
    let mut records = Vec::new();
    let mut told = Vec::new();
    for name in names {
        let old = known.iter().find(|old| old.reference == *name);
        let old = old.filter(|old| old.image != target.image);
        if let Some(old) = old {
            let elsewhere =
                |other: &RefRecord| other.image == old.image && !names.contains(&other.reference);
            if !known.iter().any(elsewhere) {
                let keep = untagged_reference(&old.manifest);
                records.push(RefRecord {
                    reference: keep,
                    ..old.clone()
                });
            }
        }
        records.push(record(name.clone(), target));
        told.push(Named {
            reference: Some(name.clone()),
            replaced: old.map(|old| old.image),
        });
    }
    let is_named = known
        .iter()
        .any(|old| old.image == target.image && !is_untagged(&old.reference));
    if names.is_empty() {
        if !is_named {
            records.push(record(untagged_reference(&target.manifest), target));
        }
        told.push(Named {
            reference: None,
            replaced: None,
        });
    }
    stage.publish(&records)?;
    if !names.is_empty() {
        store.untag(&untagged_reference(&target.manifest))?;
    }
    Ok(told)
}

/// Gives the image called `source` one more name.
pub fn tag(store: &Store, source: &str, name: &Reference) -> Result<()> {
    let image = find(store, source)?;
    let target = Target {
        manifest: image.manifest,
        image: image.id,
        platform: image.config.platform().to_string(),
        repo_digest: None,
    };
    publish(store, store.stage()?, &target, std::slice::from_ref(name))?;
    Ok(())
}
