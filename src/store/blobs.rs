//! Blobs: immutable files named by their SHA-256.

use std::collections::HashSet;
use std::fs::File;
use std::os::fd::AsFd;

use super::Store;
use super::atomic;
use crate::base::Digest;
use crate::error::{Context, Error, Result};

pub(super) const BLOBS: &str = "blobs/sha256";

impl Store {
    /// The bytes of a small blob (manifest, config), verified. `None` if it is not here.
    pub fn read_blob(&self, digest: &Digest, limit_bytes: u64) -> Result<Option<Vec<u8>>> {
        let subject = || format!("read blob {digest}");
        let Some(dir) = self.existing_dir(BLOBS)? else {
            return Ok(None);
        };
        let read = atomic::read_small(dir.as_fd(), &digest.hex(), limit_bytes);
        let Some(bytes) = read.context(subject)? else {
            return Ok(None);
        };
        if Digest::of(&bytes) != *digest {
            return Err(Error::corrupt(format!(
                "blob {digest} in {} does not match its digest",
                self.show(BLOBS)
            ))
            .hint("remove the image and pull it again"));
        }
        Ok(Some(bytes))
    }

    /// The hex digits of all blobs that are here.
    pub fn blob_names(&self) -> Result<HashSet<String>> {
        let Some(dir) = self.existing_dir(BLOBS)? else {
            return Ok(HashSet::new());
        };
        Ok(atomic::names_of(&dir)?.into_iter().collect())
    }

    /// Opens a blob for reading; its content is not verified. `None` if it is not here.
    pub fn open_blob(&self, digest: &Digest) -> Result<Option<File>> {
        let Some(dir) = self.existing_dir(BLOBS)? else {
            return Ok(None);
        };
        atomic::open_file(dir.as_fd(), &digest.hex()).context(|| format!("open blob {digest}"))
    }
}
