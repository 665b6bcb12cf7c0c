//! What the store takes on disk, whether or not an image needs it.

use std::os::fd::AsFd as _;

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::blobs::BLOBS;
use super::layers::{LAYERS, LayerKey};
use super::partial::PARTIAL;
use super::{Store, atomic, reap};
use crate::error::{Context, Result};

impl Store {
    /// Bytes of all files that hold images: blobs, unpacked layers, unfinished downloads, what is
    /// being staged, and what was removed and is not deleted yet. A file with several names counts
    /// once; directories count nothing.
    pub fn bytes_on_disk(&self) -> Result<u64> {
        let layers = self.bytes_of_layers()?;
        let files = self.bytes_of_files(BLOBS)? + self.bytes_of_files(PARTIAL)?;
        Ok(layers + files + reap::bytes_in_tmp(&self.path))
    }

    fn bytes_of_files(&self, path: &str) -> Result<u64> {
        let Some(dir) = self.existing_dir(path)? else {
            return Ok(0);
        };
        let mut bytes = 0;
        for name in atomic::names_in(dir.as_fd())? {
            match rustix::fs::statat(&dir, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => bytes += u64::try_from(stat.st_size).unwrap_or(0),
                // Moved on or removed since its name was read.
                Err(Errno::NOENT) => {}
                other => drop(other.context(|| format!("look at {path}/{name}"))?),
            }
        }
        Ok(bytes)
    }

    fn bytes_of_layers(&self) -> Result<u64> {
        let Some(dir) = self.existing_dir(LAYERS)? else {
            return Ok(0);
        };
        let mut bytes = 0;
        for name in atomic::names_in(dir.as_fd())? {
            let Some((key, ownership)) = LayerKey::from_dir_name(&name) else {
                continue;
            };
            // One that is damaged is `system check`'s to tell of.
            let layer = self.with_ownership(ownership).layer(&key).ok().flatten();
            bytes += layer.map_or(0, |layer| layer.size_bytes);
        }
        Ok(bytes)
    }
}
