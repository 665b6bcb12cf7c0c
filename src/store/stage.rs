//! A stage: where new content is made before it is published in one go.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rustix::fs::{AtFlags, FlockOperation, IFlags};
use rustix::io::Errno;

use super::atomic::{self, DIR_MODE, Durable};
use super::layers::{LayerKey, LayerRecord, OverlayXattrs, chain_ids};
use super::partial::{PARTIAL, Received};
use super::remove::remove_tree;
use super::{Limits, PartialBlob, Store, UnpackedLayer, clear_away, extract};
use crate::base::{DiffId, Digest, Timestamp};
use crate::error::{Context, Error, Result};

/// New blobs and layers that nobody sees until [`Stage::publish`]. Dropped without it, everything
/// but partial blobs goes. Shared by threads that unpack layers side by side.
#[derive(Debug)]
pub struct Stage {
    pub(super) store: Store,
    boot_dir: OwnedFd,
    name: String,
    pub(super) fd: OwnedFd,
    counter: AtomicU64,
    /// Blobs that came as files.
    pub(super) received: Arc<Mutex<Received>>,
    /// Blobs written here.
    pub(super) blobs: Mutex<Vec<Digest>>,
    /// Layers unpacked here, with the directory each is in.
    pub(super) layers: Mutex<Vec<(LayerKey, String)>>,
}

impl Store {
    /// Opens a stage, and has wiped what killed processes and earlier boots left behind.
    pub fn stage(&self) -> Result<Stage> {
        let subject = || format!("open a stage in {}", self.show("tmp"));
        clear_away(&self.path);
        let boot_dir = self.boot_dir().context(subject)?;
        // A sweeper may lock or wipe the directory before we hold its lock: then take another.
        for _ in 0..100 {
            let name = format!("{}-{}", std::process::id(), atomic::random_hex()?);
            rustix::fs::mkdirat(&boot_dir, &name, DIR_MODE).context(subject)?;
            let fd = match atomic::open_dir(boot_dir.as_fd(), &name) {
                Err(Errno::NOENT) => continue,
                opened => opened.context(subject)?,
            };
            match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => continue,
                Err(error) => return Err(Error::from(error).wrap(subject())),
            }
            if rustix::fs::fstat(&fd).context(subject)?.st_nlink == 0 {
                continue;
            }
            spread_layers(fd.as_fd());
            return Ok(Stage {
                store: self.clone(),
                boot_dir,
                name,
                fd,
                counter: AtomicU64::new(0),
                received: Arc::default(),
                blobs: Mutex::default(),
                layers: Mutex::default(),
            });
        }
        Err(Error::conflict("stages keep disappearing").wrap(subject()))
    }
}

impl Stage {
    /// Adds a blob whose bytes are at hand.
    pub fn add_blob(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        let mut blobs = self.blobs.lock().expect("no thread panics holding it");
        if !blobs.contains(&digest) {
            let name = blob_name(&digest);
            atomic::write_new(self.fd.as_fd(), &name, bytes, Durable::No)
                .context(|| format!("write blob {digest}"))?;
            blobs.push(digest);
        }
        Ok(digest)
    }

    /// The growing file of a blob with this digest. Waits while another process writes it.
    pub fn blob_file(&self, expected: &Digest) -> Result<PartialBlob> {
        PartialBlob::open(&self.store, *expected, self.received.clone())
    }

    /// Removes the blobs that came in whole: their source is at hand and gives them again.
    pub fn forget_blobs(&self) -> Result<()> {
        let Some(dir) = self.store.existing_dir(PARTIAL)? else {
            return Ok(());
        };
        let received = self.received.lock().expect("no thread panics holding it");
        for digest in &received.complete {
            match rustix::fs::unlinkat(&dir, digest.hex(), AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error).context(|| format!("remove blob {digest}")),
            }
        }
        Ok(())
    }

    /// Unpacks an uncompressed tar. The result's `diff_id` covers every byte of the stream; compare
    /// it with [`UnpackedLayer::expect_diff_id`] before adding the layer.
    pub fn unpack_layer(
        &self,
        tar_stream: impl std::io::Read + Send,
        limits: &Limits,
    ) -> Result<UnpackedLayer> {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let name = format!("layer-{number}");
        let dir = atomic::ensure_dir(self.fd.as_fd(), &name)?;
        let fs = atomic::ensure_dir(dir.as_fd(), "fs")?;
        let unpacked = extract::unpack(tar_stream, fs, self.store.ownership, limits);
        let summary = match unpacked {
            Ok(summary) => summary,
            Err(error) => {
                // Frees the space now; the stage's own removal reports what cannot go.
                let _ = remove_tree(&self.fd, &name);
                return Err(error);
            }
        };
        Ok(UnpackedLayer::new(name, dir, summary))
    }

    /// Takes an unpacked layer into the stage. `parents` are the layers below it, bottom first,
    /// needed when its tar left out parent directories: these then get the attributes they have
    /// below, and the layer is named by its chain id.
    pub fn add_layer(&self, layer: UnpackedLayer, parents: &[DiffId]) -> Result<LayerKey> {
        let subject = || format!("add layer {}", layer.diff_id);
        let depends = !layer.implicit_parents.is_empty() && !parents.is_empty();
        let mut chain_id = None;
        if depends {
            let below = self.directories_of(parents).context(subject)?;
            extract::inherit_parents(&layer, &below, self.store.ownership).context(subject)?;
            let stack = [parents, &[layer.diff_id]].concat();
            chain_id = chain_ids(&stack).pop();
        }
        let key = chain_id.map_or(LayerKey::Diff(layer.diff_id), LayerKey::Chain);
        let record = LayerRecord {
            diff_id: layer.diff_id,
            chain_id,
            size_bytes: layer.size_bytes,
            entries: layer.entries,
            overlay_xattrs: layer.overlay_xattrs,
            opaque_root: layer.opaque_root,
            created: Timestamp::now(),
        };
        let json = serde_json::to_vec(&record)?;
        atomic::write_new(layer.dir.as_fd(), "layer.json", &json, Durable::No).context(subject)?;
        let mut layers = self.layers.lock().expect("no thread panics holding it");
        if !layers.iter().any(|(known, _)| *known == key) {
            layers.push((key, layer.name));
        }
        Ok(key)
    }

    /// The `fs/` directories of layers here or in the store, bottom first.
    fn directories_of(&self, diff_ids: &[DiffId]) -> Result<Vec<OwnedFd>> {
        let chains = chain_ids(diff_ids);
        let mut found = Vec::new();
        for (diff_id, chain_id) in diff_ids.iter().zip(chains) {
            let keys = [LayerKey::Chain(chain_id), LayerKey::Diff(*diff_id)];
            let mut candidates = keys
                .iter()
                .filter_map(|key| self.directory_of(key).transpose());
            let dir = candidates.next().transpose()?.ok_or_else(|| {
                Error::not_found(format!("layer {diff_id} below it is not in the store"))
            })?;
            found.push(dir);
        }
        Ok(found)
    }

    fn directory_of(&self, key: &LayerKey) -> Result<Option<OwnedFd>> {
        let layers = self.layers.lock().expect("no thread panics holding it");
        if let Some((_, name)) = layers.iter().find(|(known, _)| known == key) {
            let path = format!("{name}/fs");
            return Ok(Some(atomic::open_dir(self.fd.as_fd(), &path)?));
        }
        let name = key.dir_name(self.store.ownership);
        self.store.existing_dir(&format!("layers/{name}/fs"))
    }
}

/// Has ext4 put each new directory in here into a block group of its own.
///
/// Otherwise all inodes come from the group that deleted stages and layers were in, and ext4 passes
/// over every inode deleted in the last minutes, one by one, for each file it creates
/// (`recently_deleted`, fs/ext4/ialloc.c, Linux 3.9): a load after an `rmi` took three times as
/// long.
fn spread_layers(stage: BorrowedFd<'_>) {
    // Only a hint; other filesystems have no such flag.
    if let Ok(flags) = rustix::fs::ioctl_getflags(stage) {
        let _ = rustix::fs::ioctl_setflags(stage, flags | IFlags::TOPDIR);
    }
}

/// The name of a staged blob.
pub(super) fn blob_name(digest: &Digest) -> String {
    format!("blob-{}", digest.hex())
}

impl Drop for Stage {
    fn drop(&mut self) {
        // What stays behind loses its lock with us, and the next stage wipes it.
        let _ = remove_tree(&self.boot_dir, &self.name);
    }
}

/// The marks that opaque directories get in a layer unpacked by this process.
pub(super) fn overlay_xattrs() -> Result<OverlayXattrs> {
    let map =
        std::fs::read_to_string("/proc/self/uid_map").context(|| "read /proc/self/uid_map")?;
    // Only the initial user namespace maps every id to itself (user_namespaces(7)).
    let words: Vec<&str> = map.split_ascii_whitespace().collect();
    let initial = words == ["0", "0", "4294967295"];
    if initial && rustix::process::geteuid().is_root() {
        Ok(OverlayXattrs::Trusted)
    } else {
        Ok(OverlayXattrs::User)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Scene;

    #[test]
    fn layers_are_spread_over_the_disk_where_the_filesystem_can() {
        const EXT4: i64 = 0xef53;
        let scene = Scene::new();
        let stage = scene.store.stage().expect("stage");
        let kind = rustix::fs::fstatfs(&stage.fd).expect("statfs").f_type;
        if kind != EXT4 {
            return eprintln!("SKIP only ext4 has the flag, the file system here is {kind:#x}");
        }
        let flags = rustix::fs::ioctl_getflags(&stage.fd).expect("flags");
        assert!(flags.contains(IFlags::TOPDIR), "{flags:?}");
        let layer = atomic::ensure_dir(stage.fd.as_fd(), "layer").expect("makes");
        let flags = rustix::fs::ioctl_getflags(&layer).expect("flags");
        assert!(!flags.contains(IFlags::TOPDIR), "inside a layer: {flags:?}");
    }
}
