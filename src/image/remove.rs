//! `rmi`: taking names away, and the image with the last of them.
//!
//! The rules and words are Docker's. A container keeps its image's content whatever happens to the
//! names, because its manifest is a root of the collection.

use super::find::{find_record, open};
use super::tag::is_untagged;
use crate::base::{DiffId, Digest, Reference};
use crate::error::{Error, Kind, Result};
use crate::store::{LayerKey, RefRecord, Store};

/// `--force`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// Conflicts are errors.
    No,
    /// Names go although a stopped container uses the image.
    Yes,
}

/// A container that uses an image.
#[derive(Debug, Clone)]
pub struct InUse {
    /// The image's id.
    pub image: Digest,
    /// Its manifest, which keeps the content.
    pub manifest: Digest,
    /// The container's short id.
    pub container: String,
    /// Whether it runs.
    pub running: bool,
}

/// What was removed, as Docker prints it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// Names, for lines `Untagged: NAME`.
    pub untagged: Vec<String>,
    /// Image and layers, for lines `Deleted: DIGEST`.
    pub deleted: Vec<String>,
}

/// Removes the name `name`, or the image with this id. `users` tells which containers use images;
/// it is asked again while the collector keeps new ones away.
pub fn remove(
    store: &Store,
    name: &str,
    force: Force,
    users: impl Fn() -> Result<Vec<InUse>>,
) -> Result<Removal> {
    let record = match find_record(store, name) {
        Err(error) if error.kind() == Kind::Corrupt => return remove_damaged(store, name, error),
        found => found?,
    };
    let used = &users()?;
    let mut names = store.refs()?;
    names.retain(|other| other.image == record.image);
    let by_name = is_name_of(name, &record);
    let going = match by_name {
        true => going_with(&record, &names),
        false => names.clone(),
    };
    let stays = names.len() > going.len();
    if !by_name {
        check_repositories(&going, &record.image, force)?;
    }
    if !stays {
        let shown = by_name.then(|| record.reference.familiar());
        check_unused(&record.image, shown.as_deref(), force, used)?;
    }
    // Read before the names go: afterwards the manifest may be collected.
    let diff_ids = open(store, record.clone()).map(|image| image.diff_ids);
    let mut removal = Removal::default();
    for gone in &going {
        store.untag(&gone.reference)?;
        if is_untagged(&gone.reference) {
            continue;
        }
        removal.untagged.push(gone.reference.familiar());
        if let (Some(digest), None) = (gone.repo_digest, gone.reference.digest) {
            let named = gone.reference.with_digest(digest);
            removal.untagged.push(named.familiar());
        }
    }
    let is_used = used.iter().any(|user| user.image == record.image);
    if !stays && !is_used {
        let kept = || Ok(users()?.iter().map(|user| user.manifest).collect());
        let collected = store.collect_garbage(kept)?;
        // With a damaged record nothing is collected: what it needs is not known.
        if !collected.broken.is_empty() {
            return Ok(removal);
        }
        removal.deleted.push(record.image.to_string());
        removal
            .deleted
            .extend(gone_layers(store, &diff_ids.unwrap_or_default())?);
    }
    Ok(removal)
}

/// This name, and with a repository's last tag its references by digest.
fn going_with(record: &RefRecord, names: &[RefRecord]) -> Vec<RefRecord> {
    let mut going = vec![record.clone()];
    let (tags, digests): (Vec<_>, Vec<_>) = names
        .iter()
        .partition(|other| other.reference.digest.is_none());
    if tags.len() <= 1 {
        let same = |other: &&&RefRecord| {
            other.reference.full_name() == record.reference.full_name()
                && other.reference != record.reference
        };
        going.extend(digests.iter().filter(same).copied().cloned());
    }
    going
}

/// Takes a name away whose record cannot be read, so that nobody knows what it named.
fn remove_damaged(store: &Store, name: &str, error: Error) -> Result<Removal> {
    let Ok(reference) = name.parse::<Reference>() else {
        return Err(error);
    };
    if !store.untag(&reference)? {
        return Err(error);
    }
    Ok(Removal {
        untagged: vec![reference.familiar()],
        ..Removal::default()
    })
}

/// Whether the user named a reference rather than an id.
fn is_name_of(name: &str, record: &RefRecord) -> bool {
    let parsed: Option<Reference> = name.parse().ok();
    !is_untagged(&record.reference)
        && parsed.is_some_and(|parsed| {
            parsed == record.reference
                || (parsed.full_name() == record.reference.full_name() && parsed.digest.is_some())
        })
}

fn check_repositories(names: &[RefRecord], image: &Digest, force: Force) -> Result<()> {
    let mut repositories: Vec<String> = names
        .iter()
        .filter(|record| !is_untagged(&record.reference))
        .map(|record| record.reference.full_name())
        .collect();
    repositories.sort();
    repositories.dedup();
    if repositories.len() < 2 || force == Force::Yes {
        return Ok(());
    }
    let why = format!(
        "conflict: unable to delete {} (must be forced) - image is referenced in multiple \
         repositories",
        image.short()
    );
    Err(Error::conflict(why).hint("remove its names one by one, or use --force"))
}

fn check_unused(image: &Digest, name: Option<&str>, force: Force, used: &[InUse]) -> Result<()> {
    let users = || used.iter().filter(|user| user.image == *image);
    let id = image.short();
    if let Some(user) = users().find(|user| user.running)
        && (force == Force::Yes || name.is_none())
    {
        let why = format!(
            "conflict: unable to delete {id} (cannot be forced) - image is being used by running \
             container {}",
            user.container
        );
        return Err(Error::conflict(why).hint(format!("hull stop {}", user.container)));
    }
    let Some(user) = users().next().filter(|_| force == Force::No) else {
        return Ok(());
    };
    let container = &user.container;
    let why = match name {
        Some(name) => format!(
            "conflict: unable to remove repository reference {name:?} (must force) - container \
             {container} is using its referenced image {id}"
        ),
        None => format!(
            "conflict: unable to delete {id} (must be forced) - image is being used by stopped \
             container {container}"
        ),
    };
    Err(Error::conflict(why).hint(format!("hull rm {container}")))
}

/// The layers that no other image needed, top first.
fn gone_layers(store: &Store, diff_ids: &[DiffId]) -> Result<Vec<String>> {
    let mut gone = Vec::new();
    for diff_id in diff_ids.iter().rev() {
        if store.layer(&LayerKey::Diff(*diff_id))?.is_none() {
            gone.push(diff_id.to_string());
        }
    }
    Ok(gone)
}
