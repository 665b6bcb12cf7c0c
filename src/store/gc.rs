//! Collecting what no reference and no container needs.
//!
//! Under the exclusive lock only marking and renaming happen; the space is freed after it. Only
//! names hull itself makes are ever taken, so a stranger's file in the store is safe.

use std::collections::HashSet;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};

use super::atomic::{self, FILE_MODE};
use super::blobs::BLOBS;
use super::layers::{LAYERS, LayerKey, chain_ids};
use super::partial::PARTIAL;
use super::{BrokenRef, Store, clear_away};
use crate::base::Digest;
use crate::error::{Context, Result};
use crate::sys::lock::{Sharing, lock};

/// Unfinished downloads are kept this long for a resumed pull.
const PARTIAL_AGE: Duration = Duration::from_secs(24 * 3600);

/// Keeps the collector out while it lives.
#[derive(Debug)]
pub struct GcGuard(
    #[expect(dead_code, reason = "the lock lives as long as its descriptor")] OwnedFd,
);

/// Keeps everybody from giving names, and from collecting, while it lives.
#[derive(Debug)]
pub struct NamesGuard(
    #[expect(dead_code, reason = "the lock lives as long as its descriptor")] GcGuard,
);

/// What a collection removed.
#[derive(Debug, Default)]
pub struct Collected {
    /// Number of blobs removed.
    pub blobs: u64,
    /// Number of unpacked layers removed.
    pub layers: u64,
    /// Space freed, as far as records say.
    pub bytes: u64,
    /// Names of what was removed: blob digests and layer keys.
    pub deleted: Vec<String>,
    /// Damaged records. If there are any, nothing is removed: what they need is not known.
    pub broken: Vec<BrokenRef>,
}

#[derive(Default)]
struct Marks {
    blobs: HashSet<Digest>,
    layers: HashSet<LayerKey>,
}

impl Store {
    /// Takes `gc.lock` shared: hold it while a new reference or container comes to use content that
    /// is already here.
    pub fn share_gc_lock(&self) -> Result<GcGuard> {
        self.lock_gc(Sharing::Shared)
    }

    /// Takes `gc.lock` exclusively: hold it between looking what a name stands for and taking the
    /// name away. Must not be called while holding a [`GcGuard`], as below.
    pub fn lock_names(&self) -> Result<NamesGuard> {
        self.lock_gc(Sharing::Exclusive).map(NamesGuard)
    }

    /// Removes blobs and layers that neither a reference nor one of these manifests needs. They are
    /// asked for under the lock: whoever comes to use an image before it is seen, and after it is
    /// refused. Must not be called while holding a [`GcGuard`]: it would wait for itself.
    pub fn collect_garbage(
        &self,
        extra_roots: impl FnOnce() -> Result<Vec<Digest>>,
    ) -> Result<Collected> {
        let mut collected = Collected::default();
        {
            let _exclusive = self.lock_gc(Sharing::Exclusive)?;
            let marks = self.mark(extra_roots()?, &mut collected)?;
            if !collected.broken.is_empty() {
                return Ok(collected);
            }
            self.bury_blobs(&marks, &mut collected)?;
            self.bury_layers(&marks, &mut collected)?;
            self.drop_old_partials()?;
        }
        clear_away(&self.path);
        Ok(collected)
    }

    pub(super) fn lock_gc(&self, sharing: Sharing) -> Result<GcGuard> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&*self.fd, "gc.lock", flags, FILE_MODE)
            .context(|| format!("open {}", self.show("gc.lock")))?;
        lock(&fd, sharing, || format!("lock {}", self.show("gc.lock")))?;
        Ok(GcGuard(fd))
    }

    fn mark(&self, extra_roots: Vec<Digest>, collected: &mut Collected) -> Result<Marks> {
        let mut marks = Marks::default();
        let (refs, broken) = self.refs_and_broken()?;
        collected.broken = broken;
        let mut todo = extra_roots;
        for record in refs {
            marks.blobs.insert(record.image);
            marks.blobs.extend(record.repo_digest);
            todo.push(record.manifest);
        }
        let mut seen = HashSet::new();
        while let Some(manifest) = todo.pop() {
            if !seen.insert(manifest) {
                continue;
            }
            marks.blobs.insert(manifest);
            let contents = match self.contents(&manifest) {
                Ok(contents) => contents,
                Err(error) => {
                    let path = manifest.to_string();
                    collected.broken.push(BrokenRef { path, error });
                    continue;
                }
            };
            marks.blobs.extend(contents.config);
            marks.blobs.extend(contents.blobs);
            // Manifests of other platforms need not be here.
            for child in contents.manifests {
                if self.open_blob(&child)?.is_some() {
                    todo.push(child);
                }
            }
            let chains = chain_ids(&contents.diff_ids)
                .into_iter()
                .map(LayerKey::Chain);
            let diffs = contents.diff_ids.into_iter().map(LayerKey::Diff);
            marks.layers.extend(diffs.chain(chains));
        }
        Ok(marks)
    }

    fn bury_blobs(&self, marks: &Marks, collected: &mut Collected) -> Result<()> {
        let Some(dir) = self.existing_dir(BLOBS)? else {
            return Ok(());
        };
        for name in atomic::names_in(dir.as_fd())? {
            let Ok(digest) = format!("sha256:{name}").parse::<Digest>() else {
                continue;
            };
            if marks.blobs.contains(&digest) {
                continue;
            }
            let size = rustix::fs::statat(&dir, &name, AtFlags::SYMLINK_NOFOLLOW)?.st_size;
            self.bury(&dir, &name)?;
            collected.blobs += 1;
            collected.bytes += u64::try_from(size).unwrap_or(0);
            collected.deleted.push(digest.to_string());
        }
        Ok(())
    }

    fn bury_layers(&self, marks: &Marks, collected: &mut Collected) -> Result<()> {
        let Some(dir) = self.existing_dir(LAYERS)? else {
            return Ok(());
        };
        for name in atomic::names_in(dir.as_fd())? {
            let Some((key, _)) = LayerKey::from_dir_name(&name) else {
                continue;
            };
            if marks.layers.contains(&key) {
                continue;
            }
            // A damaged layer goes all the same; only its size is unknown.
            let size = self
                .layer(&key)
                .ok()
                .flatten()
                .map_or(0, |layer| layer.size_bytes);
            self.bury(&dir, &name)?;
            collected.layers += 1;
            collected.bytes += size;
            collected.deleted.push(key.to_string());
        }
        Ok(())
    }

    /// Removes downloads nobody has touched for a day and nobody is writing.
    fn drop_old_partials(&self) -> Result<()> {
        let Some(dir) = self.existing_dir(PARTIAL)? else {
            return Ok(());
        };
        let now = crate::base::Timestamp::now().unix_seconds();
        for name in atomic::names_in(dir.as_fd())? {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
            let Ok(file) = rustix::fs::openat(&dir, &name, flags, Mode::empty()) else {
                continue;
            };
            let is_free = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive);
            if is_free.is_err() {
                continue;
            }
            // Should: be asked under the lock. Whoever has just let go of it has touched the file.
            let age = now.saturating_sub(rustix::fs::fstat(&file)?.st_mtime);
            let is_old = age > PARTIAL_AGE.as_secs().cast_signed();
            let is_digest = format!("sha256:{name}").parse::<Digest>().is_ok();
            if is_digest && is_old {
                rustix::fs::unlinkat(&dir, &name, AtFlags::empty())?;
            }
        }
        Ok(())
    }
}
