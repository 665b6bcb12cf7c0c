//! `rmi`: taking names away, and the image with the last of them.
//!
//! The rules and words are Docker's. A container keeps its image's content whatever happens to the
//! names, because its manifest is a root of the collection.

use std::collections::HashSet;

use super::find::{as_id, find_by_id, not_here, open};
use super::layers::chain_id;
use super::tag::is_untagged;
use crate::base::{DiffId, Digest, Reference};
use crate::error::{Context, Error, Kind, Result};
use crate::store::{
    Collected, LayerKey, NamesGuard, RefRecord, Store, Unlinked, Unsynced, set_meanwhile,
};

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

/// A removal under way: names go one by one, and what only they kept in one go at the end. So a
/// thousand images cost one collection.
pub struct Remover<'a> {
    store: &'a Store,
    /// All names that are left. Those that others give meanwhile are seen by the collection.
    names: Vec<RefRecord>,
    used: Vec<InUse>,
    unsynced: Vec<Unsynced>,
    taken: Vec<Taken>,
    /// Collect in any case: what killed commands left goes too.
    pub thorough: bool,
}

/// What one word has named.
#[derive(Debug)]
struct Taken {
    image: String,
    removal: Removal,
    /// Set if no name is left and no container needs it: the image's id and layers.
    orphan: Option<(Digest, Vec<DiffId>)>,
}

/// What has become of all the words.
#[derive(Debug, Default)]
pub struct Removed {
    /// One for each word that named something, in their order: the image's id (or its name, if it
    /// is broken), and what is gone.
    pub images: Vec<(String, Removal)>,
    /// Space that this gives back.
    pub bytes: u64,
}

impl<'a> Remover<'a> {
    /// `used` tells which containers use images now.
    pub fn new(store: &'a Store, used: Vec<InUse>) -> Result<Remover<'a>> {
        Ok(Remover::of_names(store, store.refs()?, used))
    }

    /// The same for names that were read before: one that is another image's by now stays.
    pub(super) fn of_names(
        store: &'a Store,
        names: Vec<RefRecord>,
        used: Vec<InUse>,
    ) -> Remover<'a> {
        Remover {
            store,
            names,
            used,
            unsynced: Vec::new(),
            taken: Vec::new(),
            thorough: false,
        }
    }

    /// Takes the name `word` away, or all names of the image with this id.
    pub fn take(&mut self, word: &str, force: Force) -> Result<()> {
        let record = match self.find(word) {
            Err(error) if error.kind() == Kind::Corrupt => return self.take_damaged(word, error),
            found => found?,
        };
        let same = |other: &&RefRecord| other.image == record.image;
        let names: Vec<RefRecord> = self.names.iter().filter(same).cloned().collect();
        let by_name = is_name_of(word, &record);
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
            check_unused(&record.image, shown.as_deref(), force, &self.used)?;
        }
        // Read before the names go: afterwards the manifest may be collected.
        let diff_ids = open(self.store, record.clone()).map(|image| image.diff_ids);
        let locked = self.store.lock_names()?;
        let removal = self.unname(&going, &locked)?;
        drop(locked);
        let is_used = self.used.iter().any(|user| user.image == record.image);
        let orphan = (!stays && !is_used).then(|| (record.image, diff_ids.unwrap_or_default()));
        self.taken.push(Taken {
            image: record.image.to_string(),
            removal,
            orphan,
        });
        Ok(())
    }

    /// Takes away what keeps these images although they have no name. One that was given a name
    /// since, or that a container uses, stays.
    pub(super) fn take_dangling(&mut self, images: &[Digest]) -> Result<()> {
        let locked = self.store.lock_names()?;
        let names = self.store.refs()?;
        for image in images {
            let own = names.iter().filter(|record| record.image == *image);
            let own: Vec<RefRecord> = own.cloned().collect();
            let is_named = own.iter().any(|record| !is_untagged(&record.reference));
            let is_used = self.used.iter().any(|user| user.image == *image);
            let Some(first) = own.first().filter(|_| !is_named && !is_used) else {
                continue;
            };
            let diff_ids = open(self.store, first.clone()).map(|image| image.diff_ids);
            let removal = self.unname(&own, &locked)?;
            self.taken.push(Taken {
                image: image.to_string(),
                removal,
                orphan: Some((*image, diff_ids.unwrap_or_default())),
            });
        }
        Ok(())
    }

    /// Collects what no name keeps any more. `users` is asked again while the collector keeps new
    /// ones away.
    pub fn finish(self, users: impl Fn() -> Result<Vec<InUse>>) -> Result<Removed> {
        // Should: reach the disk before anything is collected, or a power cut brings back the name
        // of an image that is gone.
        let synced = self.store.sync_refs(self.unsynced);
        synced.context(|| "remove names")?;
        let mut removed = Removed::default();
        let kept = || Ok(users()?.iter().map(|user| user.manifest).collect());
        let has_orphans = self.taken.iter().any(|taken| taken.orphan.is_some());
        let collected = match has_orphans || self.thorough {
            true => self.store.collect_garbage(kept)?,
            false => Collected::default(),
        };
        removed.bytes = collected.bytes;
        // With a damaged record nothing is collected: what it needs is not known.
        let gone: HashSet<String> = collected.deleted.into_iter().collect();
        let mut told = HashSet::new();
        // A layer goes with the last of its images.
        for mut taken in self.taken.into_iter().rev() {
            if let Some((image, diff_ids)) = taken.orphan
                && (gone.contains(&image.to_string()) || self.store.open_blob(&image)?.is_none())
            {
                let mut deleted = vec![image.to_string()];
                let layers = gone_layers(&diff_ids, &gone);
                deleted.extend(layers.filter(|layer| told.insert(layer.clone())));
                taken.removal.deleted = deleted;
            }
            removed.images.push((taken.image, taken.removal));
        }
        removed.images.reverse();
        Ok(removed)
    }

    fn find(&self, word: &str) -> Result<RefRecord> {
        if let Ok(reference) = word.parse::<Reference>() {
            let is_it = |record: &&RefRecord| record.reference == reference;
            if let Some(record) = self.names.iter().find(is_it) {
                return Ok(record.clone());
            }
            let by_digest = |record: &&RefRecord| {
                record.reference.full_name() == reference.full_name()
                    && reference.digest.is_some()
                    && (record.repo_digest == reference.digest
                        || Some(record.manifest) == reference.digest)
            };
            if let Some(record) = self.names.iter().find(by_digest) {
                return Ok(record.clone());
            }
            // A damaged one is in no list, but can be removed.
            if let Some(record) = self.store.find_ref(&reference)? {
                return Ok(record);
            }
        }
        let found = match as_id(word) {
            Some(prefix) => find_by_id(&self.names, prefix)?,
            None => None,
        };
        found.ok_or_else(|| not_here(word))
    }

    /// Takes these names away, except those that stand for something else by now. If that is all
    /// of them, it is an error.
    fn unname(&mut self, going: &[RefRecord], locked: &NamesGuard) -> Result<Removal> {
        let mut removal = Removal::default();
        let mut moved = 0;
        for gone in going {
            let unlinked = self.store.unlink_seen(gone, locked)?;
            self.names.retain(|other| other.reference != gone.reference);
            match unlinked {
                Unlinked::Gone(unsynced) => self.unsynced.extend(unsynced),
                Unlinked::Moved => {
                    moved += 1;
                    if moved == going.len() {
                        return Err(set_meanwhile(&gone.reference));
                    }
                    continue;
                }
            }
            if is_untagged(&gone.reference) {
                continue;
            }
            removal.untagged.push(gone.reference.familiar());
            if let (Some(digest), None) = (gone.repo_digest, gone.reference.digest) {
                let named = gone.reference.with_digest(digest);
                removal.untagged.push(named.familiar());
            }
        }
        Ok(removal)
    }

    /// Takes a name away whose record cannot be read, so that nobody knows what it named.
    fn take_damaged(&mut self, word: &str, error: Error) -> Result<()> {
        let Ok(reference) = word.parse::<Reference>() else {
            return Err(error);
        };
        let locked = self.store.lock_names()?;
        let Some(gone) = self.store.unlink_damaged(&reference, &locked)? else {
            return Err(error);
        };
        drop(locked);
        self.unsynced.push(gone);
        self.taken.push(Taken {
            image: word.to_owned(),
            removal: Removal {
                untagged: vec![reference.familiar()],
                ..Removal::default()
            },
            orphan: None,
        });
        Ok(())
    }
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
fn gone_layers(diff_ids: &[DiffId], gone: &HashSet<String>) -> impl Iterator<Item = String> {
    let is_gone = |number: &usize| {
        let chain = LayerKey::Chain(chain_id(&diff_ids[..=*number]));
        let diff = LayerKey::Diff(diff_ids[*number]);
        gone.contains(&diff.to_string()) || gone.contains(&chain.to_string())
    };
    let layers = (0..diff_ids.len()).rev().filter(is_gone);
    let layers: Vec<String> = layers.map(|number| diff_ids[number].to_string()).collect();
    layers.into_iter()
}
