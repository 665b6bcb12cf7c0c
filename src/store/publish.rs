//! Publishing: the order that makes a power cut harmless.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;

use super::blobs::BLOBS;
use super::layers::LAYERS;
use super::partial::PARTIAL;
use super::stage::blob_name;
use super::{RefRecord, Stage};
use crate::error::{Context, Error, Result};

impl Stage {
    /// Makes the content durable, then visible, then names it.
    ///
    /// Should: syncfs(2) before the first rename, directories before the first reference. Must not:
    /// name an image of which anything is missing, for instance because it was collected while we
    /// were downloading the rest.
    pub fn publish(self, refs: &[RefRecord]) -> Result<()> {
        self.publish_content(refs).context(|| "publish")
    }

    fn publish_content(&self, refs: &[RefRecord]) -> Result<()> {
        rustix::fs::syncfs(&self.fd).context(|| "sync the staging directory")?;
        // Held until the references are there: nothing of ours is collected in between.
        let _shared = self.store.share_gc_lock()?;
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
        for digest in received.iter() {
            let hex = digest.hex();
            match rename_once(partial.as_fd(), &hex, blobs.as_fd(), &hex) {
                // Another puller of the same blob has published it.
                Err(error)
                    if error.errno() == Some(Errno::NOENT)
                        && self.store.open_blob(digest)?.is_some() => {}
                renamed => renamed.context(|| format!("publish blob {digest}"))?,
            }
        }
        for dir in [&layers, &blobs] {
            rustix::fs::fsync(dir).context(|| "sync the store")?;
        }
        for record in refs {
            self.check_complete(record)?;
        }
        self.store.write_refs(refs)
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
