//! Publishing: the order that makes a power cut harmless.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;

use super::blobs::BLOBS;
use super::layers::LAYERS;
use super::partial::PARTIAL;
use super::stage::blob_name;
use super::{RefRecord, Stage, Store};
use crate::base::{Digest, Reference};
use crate::error::{Context, Error, Result};

/// What a publication does to names.
#[derive(Debug, Default)]
pub struct NameChange {
    /// Names to set.
    pub set: Vec<RefRecord>,
    /// Names to take away after that.
    pub taken: Vec<Reference>,
}

impl Store {
    /// Publishes a stage with names that may take the place of others: `choose` is given all names
    /// there are, and nobody sets or takes one until what it answers is done.
    pub fn publish_choosing(
        &self,
        stage: Stage,
        choose: impl FnOnce(Vec<RefRecord>) -> Result<NameChange>,
    ) -> Result<()> {
        let subject = || "publish";
        stage.sync().context(subject)?;
        let _locked = self.lock_names()?;
        let change = choose(self.refs()?)?;
        stage.show().context(subject)?;
        stage.name(&change.set).context(subject)?;
        // Should: come last. What loses a name may have been given another just now.
        for reference in &change.taken {
            self.untag(reference)?;
        }
        Ok(())
    }
}

impl Stage {
    /// Makes the content durable, then visible, then names it.
    ///
    /// Should: syncfs(2) before the first rename, directories before the first reference. Must not:
    /// name an image of which anything is missing, for instance because it was collected while we
    /// were downloading the rest.
    pub fn publish(self, refs: &[RefRecord]) -> Result<()> {
        let subject = || "publish";
        self.sync().context(subject)?;
        // Held until the references are there: nothing of ours is collected in between.
        let _shared = self.store.share_gc_lock()?;
        self.show().context(subject)?;
        self.name(refs).context(subject)
    }

    fn sync(&self) -> Result<()> {
        rustix::fs::syncfs(&self.fd).context(|| "sync the staging directory")
    }

    /// Gives layers and blobs their final names. Must be called under the lock.
    fn show(&self) -> Result<()> {
        let layers = self.store.dir(LAYERS)?;
        let blobs = self.store.dir(BLOBS)?;
        let partial = self.store.dir(PARTIAL)?;
        let staged = self.layers.lock().expect("no thread panics holding it");
        for (key, name) in staged.iter() {
            let target = key.dir_name(self.store.ownership);
            rename_once(self.fd.as_fd(), name, layers.as_fd(), &target)
                .context(|| format!("publish layer {key}"))?;
        }
        let written = self.blobs.lock().expect("no thread panics holding it");
        for digest in written.iter() {
            rename_once(
                self.fd.as_fd(),
                &blob_name(digest),
                blobs.as_fd(),
                &digest.hex(),
            )
            .context(|| format!("publish blob {digest}"))?;
        }
        let received = self.received.lock().expect("no thread panics holding it");
        for digest in &received.complete {
            let hex = digest.hex();
            match rename_once(partial.as_fd(), &hex, blobs.as_fd(), &hex) {
                // Another puller of the same blob has published it.
                Err(error)
                    if error.errno() == Some(Errno::NOENT)
                        && self.store.open_blob(digest)?.is_some() => {}
                renamed => renamed.context(|| format!("publish blob {digest}"))?,
            }
        }
        for digest in &received.found {
            self.check_kept(digest)?;
        }
        for dir in [&layers, &blobs] {
            rustix::fs::fsync(dir).context(|| "sync the store")?;
        }
        Ok(())
    }

    fn name(&self, refs: &[RefRecord]) -> Result<()> {
        for record in refs {
            self.check_complete(record)?;
        }
        self.store.write_refs(refs)
    }

    /// A blob that was here when we looked still is: nothing has kept it since.
    fn check_kept(&self, digest: &Digest) -> Result<()> {
        match self.store.open_blob(digest)? {
            Some(_) => Ok(()),
            None => Err(
                Error::conflict(format!("blob {digest} was removed meanwhile"))
                    .hint("run the command again"),
            ),
        }
    }

    /// Everything the reference needs is in the store.
    fn check_complete(&self, record: &RefRecord) -> Result<()> {
        let complete = self
            .store
            .contents(&record.manifest)
            .and_then(|contents| self.store.layers_for(&contents.diff_ids).map(drop));
        complete.map_err(|error| {
            error
                .wrap(format!("{} is incomplete", record.reference.familiar()))
                .hint("part of it was removed meanwhile; run the command again")
        })
    }
}

/// Moves `name` to its final name; if that is taken by the same content, ours is not needed.
fn rename_once(from: BorrowedFd<'_>, name: &str, to: BorrowedFd<'_>, target: &str) -> Result<()> {
    match rustix::fs::renameat(from, name, to, target) {
        // Directories: the other one is not empty. (Files are replaced by equal content.)
        Ok(()) | Err(Errno::EXIST | Errno::NOTEMPTY) => Ok(()),
        Err(error) => Err(Error::from(error)),
    }
}
