//! References: one small JSON file per tag and per digest reference.
//!
//! `refs/<registry>/<repository>/_tag_<tag>` and `…/_digest_<hex>`. No component of a repository
//! starts with `_`, so a reference never collides with a directory. A damaged file is reported and
//! skipped: it never hides the other images.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::AtFlags;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::Store;
use super::atomic::{self, Durable};
use super::gc::NamesGuard;
use super::open::RECORD_LIMIT;
use crate::base::{Digest, Reference, Timestamp};
use crate::error::{Context, Error, Result};

pub(super) const REFS: &str = "refs";
/// Directories below `refs/` are not followed deeper: a reference has at most 255 characters.
const MAX_DEPTH: usize = 260;

/// From so many on, references are flushed together.
const MANY: usize = 8;

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefRecord {
    /// The name; either a tag or a digest, never both.
    pub reference: Reference,
    /// The platform's manifest.
    pub manifest: Digest,
    /// The config: the image id.
    pub image: Digest,
    /// The digest the registry gave for the name: an index or the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo_digest: Option<Digest>,
    /// When the name was last set.
    pub updated: Timestamp,
    /// `os/architecture[/variant]`.
    pub platform: String,
}

/// What lists show of an image, kept with its names: so a list reads one small file for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// When it was made, if its config says so.
    pub created: Option<Timestamp>,
    /// What its files take, unpacked.
    pub size_bytes: u64,
}

/// A reference as it is on disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListedRef {
    #[serde(flatten)]
    pub record: RefRecord,
    /// Absent in references of the first releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
}

/// A name that is gone, but perhaps not from the disk: see [`Store::sync_refs`].
#[derive(Debug)]
pub struct Unsynced(OwnedFd);

/// What has become of a name that was to go.
#[derive(Debug)]
pub enum Unlinked {
    /// It is gone; `None` if it was already.
    Gone(Option<Unsynced>),
    /// Somebody has given it to another image meanwhile: it stays.
    Moved,
}

/// Above this many directories one syncfs(2) is cheaper than an fsync(2) for each.
const SYNCED_ONE_BY_ONE: usize = 16;

/// A reference file that cannot be read.
#[derive(Debug)]
pub struct BrokenRef {
    /// Its path below the store's `refs/`.
    pub path: String,
    /// Why.
    pub error: Error,
}

impl Store {
    /// All references, sorted by name; damaged ones are left out.
    pub fn refs(&self) -> Result<Vec<RefRecord>> {
        Ok(self.refs_and_broken()?.0)
    }

    /// All references and, apart from them, those that cannot be read.
    pub fn refs_and_broken(&self) -> Result<(Vec<RefRecord>, Vec<BrokenRef>)> {
        let (listed, broken) = self.listed_refs()?;
        Ok((listed.into_iter().map(|it| it.record).collect(), broken))
    }

    /// The same with what lists show. One pass: a directory for each repository, a file for each
    /// name, and nothing else is opened.
    pub fn listed_refs(&self) -> Result<(Vec<ListedRef>, Vec<BrokenRef>)> {
        let mut good = Vec::new();
        let mut broken = Vec::new();
        // Paths, not descriptors: a namespace may have more repositories than we may open files.
        let mut todo = vec![String::new()];
        while let Some(path) = todo.pop() {
            let full_name = path.trim_end_matches('/');
            // Without a slash at the end, which would follow a symlink.
            let shown = format!("{REFS}/{path}");
            let shown = shown.trim_end_matches('/');
            let dir = match atomic::open_dir(self.fd.as_fd(), shown) {
                Ok(dir) => dir,
                // Removed meanwhile, or a stray file: neither is a reference.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
                Err(error) => {
                    let error = unless_of_the_host(error.into(), || self.show(shown))?;
                    let path = full_name.to_owned();
                    broken.push(BrokenRef { path, error });
                    continue;
                }
            };
            for name in atomic::names_of(&dir).context(|| self.show(shown))? {
                let below = format!("{path}{name}");
                if is_reference_file(&name) {
                    match read_ref(dir.as_fd(), full_name, &name) {
                        Ok(Some(listed)) => good.push(listed),
                        Ok(None) => {}
                        Err(error) => {
                            let error = unless_of_the_host(error, || self.show(shown))?;
                            broken.push(BrokenRef { path: below, error });
                        }
                    }
                } else if !name.starts_with('.') && below.split('/').count() < MAX_DEPTH {
                    todo.push(below + "/");
                }
            }
        }
        good.sort_by(|a, b| a.record.reference.cmp(&b.record.reference));
        broken.sort_by(|a, b| a.path.cmp(&b.path));
        Ok((good, broken))
    }

    /// What this name stands for. A name with tag and digest means the digest.
    pub fn find_ref(&self, reference: &Reference) -> Result<Option<RefRecord>> {
        let Some(dir) = self.existing_dir(&directory_of(reference))? else {
            return Ok(None);
        };
        let name = file_name_of(reference);
        read_ref(dir.as_fd(), &reference.full_name(), &name)
            .map(|listed| listed.map(|listed| listed.record))
            .map_err(|error| error.hint(format!("remove it: hull rmi {}", reference.familiar())))
            .context(|| format!("read reference {}", reference.familiar()))
    }

    /// Removes a name durably, whatever it stands for; its content stays until it is collected.
    /// False if there was no such name. Works on damaged references too.
    pub(super) fn untag(&self, reference: &Reference) -> Result<bool> {
        let gone = self.unlink_ref(reference)?;
        let was_there = gone.is_some();
        self.sync_refs(gone.into_iter().collect())
            .context(|| format!("untag {}", reference.familiar()))?;
        Ok(was_there)
    }

    /// Removes a name for every reader if it still stands for what was seen. Should be followed by
    /// [`Store::sync_refs`], before anything it named is collected.
    pub fn unlink_seen(&self, seen: &RefRecord, _locked: &NamesGuard) -> Result<Unlinked> {
        let now = self.find_ref(&seen.reference)?;
        if now.is_some_and(|now| (now.manifest, now.image) != (seen.manifest, seen.image)) {
            return Ok(Unlinked::Moved);
        }
        Ok(Unlinked::Gone(self.unlink_ref(&seen.reference)?))
    }

    /// The same for a name whose record could not be read; `None` if there is none any more. Who
    /// has set it meanwhile keeps it.
    pub fn unlink_damaged(
        &self,
        reference: &Reference,
        _locked: &NamesGuard,
    ) -> Result<Option<Unsynced>> {
        match self.find_ref(reference) {
            Ok(None) => Ok(None),
            Ok(Some(_)) => Err(set_meanwhile(reference)),
            Err(_) => self.unlink_ref(reference),
        }
    }

    /// Removes a name for every reader, `None` if there was none.
    fn unlink_ref(&self, reference: &Reference) -> Result<Option<Unsynced>> {
        let path = directory_of(reference);
        let Some(dir) = self.existing_dir(&path)? else {
            return Ok(None);
        };
        let subject = || format!("untag {}", reference.familiar());
        match rustix::fs::unlinkat(&dir, file_name_of(reference), AtFlags::empty()) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(Error::from(error).wrap(subject())),
        }
        // Empty parents are only clutter: leaving one behind harms nothing.
        let mut parent = path.as_str();
        while parent != REFS
            && rustix::fs::unlinkat(&*self.fd, parent, AtFlags::REMOVEDIR).is_ok()
            && let Some((shorter, _)) = parent.rsplit_once('/')
        {
            parent = shorter;
        }
        if parent == path {
            return Ok(Some(Unsynced(dir)));
        }
        // The name went with its directory: now the one above has to reach the disk.
        let above = self.dir(parent).context(subject)?;
        Ok(Some(Unsynced(above)))
    }

    /// Removes a reference that nobody can read.
    pub fn drop_broken_ref(&self, broken: &BrokenRef) -> Result<()> {
        let path = format!("{REFS}/{}", broken.path);
        let (above, name) = path.rsplit_once('/').expect("it is below refs/");
        let subject = || format!("remove reference {}", broken.path);
        if !is_reference_file(name) {
            let shown = self.show(&path);
            return Err(
                Error::conflict("it is a directory, with names nobody can read")
                    .hint(format!("make {shown} readable, then check again"))
                    .wrap(subject()),
            );
        }
        let Some(dir) = self.existing_dir(above)? else {
            return Ok(());
        };
        match rustix::fs::unlinkat(&dir, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => atomic::sync_dir(dir.as_fd()),
            Err(error) => {
                let hint = format!("look into {} and remove it", self.show(&path));
                Err(Error::from(error).hint(hint).wrap(subject()))
            }
        }
    }

    /// Has the removal of names reach the disk: no power cut brings one back whose content is
    /// collected.
    pub fn sync_refs(&self, gone: Vec<Unsynced>) -> Result<()> {
        if gone.len() > SYNCED_ONE_BY_ONE {
            return Ok(rustix::fs::syncfs(&*self.fd)?);
        }
        for Unsynced(dir) in gone {
            rustix::fs::fsync(&dir)?;
        }
        Ok(())
    }

    /// Writes a reference durably. Only `publish` may call this, after the content is durable.
    pub(super) fn write_ref(&self, record: &RefRecord) -> Result<()> {
        let subject = || format!("write reference {}", record.reference.familiar());
        let bytes = self.encode_ref(record)?;
        let path = directory_of(&record.reference);
        let name = file_name_of(&record.reference);
        // An `untag` may remove the empty directory between our two steps; then make it again.
        for _ in 0..100 {
            let dir = self.dir(&path).context(subject)?;
            match atomic::atomic_write(&dir, &name, &bytes, Durable::Yes) {
                Ok(()) => return self.sync_up(&path).context(subject),
                Err(error) if error.errno() == Some(Errno::NOENT) => {}
                Err(error) => return Err(error.wrap(subject())),
            }
        }
        Err(Error::conflict("its directory keeps disappearing").wrap(subject()))
    }

    /// The same for many: their files are flushed together. A few seconds for a thousand names
    /// become a fraction of one.
    pub(super) fn write_refs(&self, records: &[RefRecord]) -> Result<()> {
        if records.len() < MANY {
            return records.iter().try_for_each(|record| self.write_ref(record));
        }
        let mut written = Vec::with_capacity(records.len());
        let staged = records.iter().try_for_each(|record| {
            let dir = self.dir(&directory_of(&record.reference))?;
            let temporary = format!(".new-{}", atomic::random_hex()?);
            let bytes = self.encode_ref(record)?;
            match atomic::write_new(dir.as_fd(), &temporary, &bytes, Durable::No) {
                Ok(()) => written.push((dir, temporary, record)),
                // The directory was removed between our two steps.
                Err(error) if error.errno() == Some(Errno::NOENT) => self.write_ref(record)?,
                Err(error) => return Err(error),
            }
            Ok(())
        });
        // Should: be on disk before they have their names, or a power cut leaves empty files.
        let synced = staged.and_then(|()| Ok(rustix::fs::syncfs(&*self.fd)?));
        if let Err(error) = synced {
            for (dir, temporary, _) in &written {
                // The first error is the news; readers pass over such files.
                let _ = rustix::fs::unlinkat(dir, temporary, AtFlags::empty());
            }
            return Err(error.wrap("write references"));
        }
        for (dir, temporary, record) in &written {
            let name = file_name_of(&record.reference);
            match rustix::fs::renameat(dir, temporary, dir, &name) {
                Ok(()) => {}
                Err(_) => self.write_ref(record)?,
            }
        }
        rustix::fs::syncfs(&*self.fd).context(|| "sync references")
    }

    /// A reference's file. Its content must be in the store.
    fn encode_ref(&self, record: &RefRecord) -> Result<Vec<u8>> {
        let facts = self.contents(&record.manifest).and_then(|contents| {
            let layers = self.layers_for(&contents.diff_ids)?;
            Ok(Facts {
                created: contents.created,
                size_bytes: layers.iter().map(|layer| layer.size_bytes).sum(),
            })
        });
        Ok(serde_json::to_vec(&ListedRef {
            record: record.clone(),
            // Without them, lists read the image itself, and say what is wrong with it.
            facts: facts.ok(),
        })?)
    }

    /// Flushes the directories above the last one of `path`, which may all be new.
    fn sync_up(&self, path: &str) -> Result<()> {
        let mut path = path;
        while let Some((parent, _)) = path.rsplit_once('/') {
            let dir: OwnedFd = self.dir(parent)?;
            rustix::fs::fsync(&dir)?;
            path = parent;
        }
        Ok(())
    }
}

/// The error of a name that somebody else has set since it was looked at.
pub fn set_meanwhile(reference: &Reference) -> Error {
    let name = reference.familiar();
    Error::conflict(format!("{name} was given to another image meanwhile"))
        .hint("look what it is now: hull images; then run the command again")
}

/// An error that tells something about a reference. What is only about this host and this moment
/// must not make a reference look broken, because those may be removed.
fn unless_of_the_host(error: Error, subject: impl Fn() -> String) -> Result<Error> {
    match error.errno() {
        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::IO) => Err(error.wrap(subject())),
        _ => Ok(error),
    }
}

fn directory_of(reference: &Reference) -> String {
    format!("{REFS}/{}", reference.full_name())
}

fn file_name_of(reference: &Reference) -> String {
    match (&reference.digest, &reference.tag) {
        (Some(digest), _) => format!("_digest_{}", digest.hex()),
        (None, Some(tag)) => format!("_tag_{tag}"),
        (None, None) => "_tag_latest".to_owned(),
    }
}

fn is_reference_file(name: &str) -> bool {
    name.starts_with("_tag_") || name.starts_with("_digest_")
}

/// Reads `name` in `dir`, which holds the references of `full_name`.
fn read_ref(dir: BorrowedFd<'_>, full_name: &str, name: &str) -> Result<Option<ListedRef>> {
    let Some(bytes) = atomic::read_small(dir, name, RECORD_LIMIT)? else {
        return Ok(None);
    };
    let listed: ListedRef = serde_json::from_slice(&bytes)?;
    let reference = &listed.record.reference;
    if file_name_of(reference) != name || reference.full_name() != full_name {
        return Err(Error::corrupt(format!(
            "{name} contains the reference {reference}"
        )));
    }
    Ok(Some(listed))
}
