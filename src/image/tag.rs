//! Names: giving one, moving one, and keeping images that lost theirs.
//!
//! Content without any reference is collected, but Docker keeps an image that lost its name
//! (`<none>`) until it is pruned. Such an image gets a reference below a name nobody can pull.

use std::collections::{BTreeMap, HashSet};

use super::find::{find, find_record};
use crate::base::{Digest, Reference, Timestamp};
use crate::error::{Error, Result};
use crate::store::{NameChange, RefRecord, Stage, Store};

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

/// An image that gets names, or none.
#[derive(Debug, Clone)]
pub struct Release {
    /// What it is.
    pub target: Target,
    /// Its names; without any it is only kept.
    pub names: Vec<Reference>,
}

/// Publishes what is staged under `names`, or without a name if there are none. An image that
/// loses its last name by that is kept.
pub fn publish(
    store: &Store,
    stage: Stage,
    target: &Target,
    names: &[Reference],
) -> Result<Vec<Named>> {
    let release = Release {
        target: target.clone(),
        names: names.to_vec(),
    };
    let told = publish_all(store, stage, &[release])?;
    Ok(told.into_iter().flatten().collect())
}

/// The same for several images at once; of two with one name the later has it in the end.
pub fn publish_all(store: &Store, stage: Stage, releases: &[Release]) -> Result<Vec<Vec<Named>>> {
    let mut told = Vec::new();
    // Should: be decided while nobody else publishes. Two that give one name to two images would
    // both see only its older image lose it, and one of theirs would be kept by nothing.
    store.publish_choosing(stage, |known| {
        let (change, named) = plan(releases, known);
        told = named;
        Ok(change)
    })?;
    Ok(told)
}

/// What the releases make of the names there are, and what to tell of each release.
fn plan(releases: &[Release], known: Vec<RefRecord>) -> (NameChange, Vec<Vec<Named>>) {
    let known = known.into_iter();
    let mut names: BTreeMap<Reference, RefRecord> = known
        .map(|record| (record.reference.clone(), record))
        .collect();
    let mut new: BTreeMap<Reference, RefRecord> = BTreeMap::new();
    let mut losers: Vec<RefRecord> = Vec::new();
    let mut told = Vec::with_capacity(releases.len());
    for Release { target, names: own } in releases {
        let mut named = Vec::with_capacity(own.len().max(1));
        for name in own {
            let record = target.record(name.clone());
            let old = names.insert(name.clone(), record.clone());
            let old = old.filter(|old| old.image != target.image);
            new.insert(name.clone(), record);
            named.push(Named {
                reference: Some(name.clone()),
                replaced: old.as_ref().map(|old| old.image),
            });
            losers.extend(old);
        }
        if own.is_empty() {
            losers.push(target.record(untagged_reference(&target.manifest)));
            named.push(Named {
                reference: None,
                replaced: None,
            });
        }
        told.push(named);
    }
    // Who has no name in the end is kept without one.
    let named = names
        .values()
        .filter(|record| !is_untagged(&record.reference));
    let named: HashSet<Digest> = named.map(|record| record.image).collect();
    for loser in losers {
        if !named.contains(&loser.image) {
            let reference = untagged_reference(&loser.manifest);
            let record = RefRecord {
                reference: reference.clone(),
                ..loser
            };
            new.insert(reference, record);
        }
    }
    let released = releases.iter().map(|release| &release.target);
    let taken = released
        .filter(|target| named.contains(&target.image))
        .map(|target| untagged_reference(&target.manifest))
        .filter(|keeper| names.contains_key(keeper));
    let change = NameChange {
        taken: taken.collect(),
        set: new.into_values().collect(),
    };
    (change, told)
}

impl Target {
    fn record(&self, reference: Reference) -> RefRecord {
        RefRecord {
            reference,
            manifest: self.manifest,
            image: self.image,
            repo_digest: self.repo_digest,
            updated: Timestamp::now(),
            platform: self.platform.clone(),
        }
    }
}

/// Gives the image called `source` more names, all or none; returns its id.
pub fn tag(store: &Store, source: &str, names: &[Reference]) -> Result<Digest> {
    let image = find(store, source)?;
    let target = Target {
        manifest: image.manifest,
        image: image.id,
        platform: image.config.platform().to_string(),
        repo_digest: None,
    };
    publish(store, store.stage()?, &target, names)?;
    Ok(image.id)
}

/// Takes these names from the image called `source`, or all it has if there are none. It stays, if
/// need be without a name. Returns its id and what was removed.
pub fn untag(store: &Store, source: &str, names: &[Reference]) -> Result<(Digest, Vec<Reference>)> {
    let image = find_record(store, source)?;
    let mut removed = Vec::new();
    store.publish_choosing(store.stage()?, |known| {
        let own = known
            .into_iter()
            .filter(|record| record.image == image.image && !is_untagged(&record.reference));
        let own: Vec<RefRecord> = own.collect();
        let foreign = names
            .iter()
            .find(|name| own.iter().all(|record| record.reference != **name));
        if let Some(foreign) = foreign {
            let (name, id) = (foreign.familiar(), image.image.short());
            return Err(
                Error::not_found(format!("{name}: not a name of image {id}"))
                    .hint("hull images lists them"),
            );
        }
        let goes = |record: &&RefRecord| names.is_empty() || names.contains(&record.reference);
        let going: Vec<&RefRecord> = own.iter().filter(goes).collect();
        let last = going.last().filter(|_| going.len() == own.len());
        // Kept before it loses its last name.
        let keeper = last.map(|last| RefRecord {
            reference: untagged_reference(&last.manifest),
            ..(*last).clone()
        });
        removed = going
            .iter()
            .map(|record| record.reference.clone())
            .collect();
        Ok(NameChange {
            set: keeper.into_iter().collect(),
            taken: removed.clone(),
        })
    })?;
    Ok((image.image, removed))
}
