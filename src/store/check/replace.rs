//! Putting the right content where damaged content is. Nothing goes before its successor is here
//! and durable, and no file goes from under a container that runs.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;

use rustix::fs::OFlags;
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::{Root, keys_of};
use crate::base::{DiffId, Digest};
use crate::error::{Context, Error, Result};
use crate::store::atomic::FILE_MODE;
use crate::store::blobs::BLOBS;
use crate::store::layers::LAYERS;
use crate::store::read_ahead::BUFFER_BYTES;
use crate::store::stage::blob_name;
use crate::store::{Limits, Stage, Store, clear_away, decompress};
use crate::sys::lock::Sharing;

/// A blob that is written beside the one of the same name that is here, whatever that one holds.
pub struct Replacement {
    stage: Stage,
    file: File,
    digest: Digest,
    hasher: Sha256,
}

impl Replacement {
    /// Appends bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes);
        written.context(|| format!("write blob {}", self.digest))?;
        self.hasher.update(bytes);
        Ok(())
    }

    /// Takes the place of the other one, if the bytes are the right ones.
    pub fn publish(self) -> Result<()> {
        let found = Digest::from_hasher(self.hasher);
        if found != self.digest {
            return Err(Error::corrupt(format!("received digest {found}")));
        }
        let mut blobs = self
            .stage
            .blobs
            .lock()
            .expect("no thread panics holding it");
        blobs.push(found);
        drop(blobs);
        self.stage.publish(&[])
    }
}

impl Store {
    /// Begins a blob that replaces the one that is here.
    pub fn replace_blob(&self, digest: &Digest) -> Result<Replacement> {
        let stage = self.stage()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&stage.fd, blob_name(digest), flags, FILE_MODE)
            .context(|| format!("write blob {digest}"))?;
        Ok(Replacement {
            stage,
            file: File::from(file),
            digest: *digest,
            hasher: Sha256::new(),
        })
    }

    /// Unpacks a damaged layer anew from the blob that is kept of it. False if there is none, or it
    /// is damaged too. `running` tells of what runs: it is asked again when the layer is about to
    /// be replaced.
    pub fn remake_layer(
        &self,
        stack: &[DiffId],
        blob: &Digest,
        running: &dyn Fn() -> Result<Vec<Root>>,
    ) -> Result<bool> {
        let (Some(diff_id), Some(file)) = (stack.last(), self.open_blob(blob)?) else {
            return Ok(false);
        };
        self.expect_idle(diff_id, running)?;
        if self.damage_of_blob(blob)?.is_some() {
            return Ok(false);
        }
        let stage = self.stage()?;
        let (layer, _) = stage.unpack_with_recipe(decompress(file)?, &Limits::default())?;
        layer.expect_diff_id(diff_id)?;
        let name = layer.name.clone();
        let key = stage.add_layer(layer, &stack[..stack.len() - 1])?;
        // Should: be durable before the old one goes. Long, so not under the lock.
        rustix::fs::syncfs(&stage.fd).context(|| "sync the staging directory")?;
        {
            let _exclusive = self.lock_gc(Sharing::Exclusive)?;
            self.expect_idle(diff_id, running)?;
            let layers = self.dir(LAYERS)?;
            self.bury_top(stack)?;
            let target = key.dir_name(self.ownership);
            match rustix::fs::renameat(&stage.fd, &name, &layers, &target) {
                // Another stack has the same layer, and it is whole as far as we know.
                Ok(()) | Err(Errno::EXIST | Errno::NOTEMPTY) => {}
                Err(error) => {
                    return Err(Error::from(error).wrap(format!("publish layer {key}")));
                }
            }
            rustix::fs::fsync(&layers).context(|| "sync the store")?;
        }
        clear_away(&self.path);
        Ok(true)
    }

    /// Takes away a blob, but only if its content is wrong; says whether it was.
    pub fn drop_bad_blob(&self, digest: &Digest) -> Result<bool> {
        let Some(file) = self.open_blob(digest)? else {
            return Ok(false);
        };
        let seen = file.metadata().context(|| "look at it")?.ino();
        if digest_of_all(file)? == *digest {
            return Ok(false);
        }
        {
            let _exclusive = self.lock_gc(Sharing::Exclusive)?;
            let now = self.open_blob(digest)?;
            let now = now.map(|file| file.metadata()).transpose();
            // Somebody has put another one there.
            if now.context(|| "look at it")?.map(|found| found.ino()) != Some(seen) {
                return Ok(false);
            }
            self.bury(self.dir(BLOBS)?, &digest.hex())?;
        }
        clear_away(&self.path);
        Ok(true)
    }

    /// Takes away the directory that is used for the top of a stack.
    fn bury_top(&self, stack: &[DiffId]) -> Result<()> {
        for key in keys_of(stack) {
            let name = key.dir_name(self.ownership);
            if self.existing_dir(&format!("{LAYERS}/{name}"))?.is_some() {
                self.bury(self.dir(LAYERS)?.as_fd(), &name)?;
                return Ok(());
            }
        }
        Ok(())
    }

    /// An error if something that runs has this layer: its files would go away under it.
    fn expect_idle(&self, diff_id: &DiffId, running: &dyn Fn() -> Result<Vec<Root>>) -> Result<()> {
        for root in running()? {
            let contents = self.contents(&root.manifest);
            if contents
                .context(|| format!("look at {}", root.name))?
                .diff_ids
                .contains(diff_id)
            {
                let name = root.name;
                return Err(Error::conflict(format!(
                    "{name} is running from it; stop it first"
                )));
            }
        }
        Ok(())
    }
}

/// The digest of a whole file.
pub(super) fn digest_of_all(mut file: File) -> Result<Digest> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer).context(|| "read it")? {
            0 => return Ok(Digest::from_hasher(hasher)),
            count => hasher.update(&buffer[..count]),
        }
    }
}
