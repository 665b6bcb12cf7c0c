//! Opening a store: its root directory, its schema number, its fixed directories.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::atomic::{self, DIR_MODE, Durable};
use crate::base::Ownership;
use crate::error::{Context, Error, Result};

/// The on-disk schema this program reads and writes.
const FORMAT: u64 = 1;
/// Small JSON files are never longer than this.
pub(super) const RECORD_LIMIT: u64 = 1 << 20;

/// An open store. Cheap to clone; all clones share one directory descriptor.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) fd: Arc<OwnedFd>,
    pub(super) path: Arc<Path>,
    pub(super) ownership: Ownership,
}

#[derive(Serialize, Deserialize)]
struct Version {
    format: u64,
}

impl Store {
    /// Opens the store at `root`, creating what is missing. A newer schema is refused, and nothing
    /// is written.
    pub fn open(root: &Path, ownership: Ownership) -> Result<Store> {
        let subject = || format!("open store {}", root.display());
        if let Some(parent) = root.parent()
            && !root.exists()
        {
            std::fs::create_dir_all(parent).context(subject)?;
        }
        match rustix::fs::mkdirat(CWD, root, DIR_MODE) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(Error::from(error).wrap(subject())),
        }
        let store = open_root(root, ownership).context(subject)?;
        store.prepare().context(subject)?;
        Ok(store)
    }

    /// Opens an existing store for reading: creates nothing, takes no lock. `None` if there is
    /// none.
    pub fn open_existing(root: &Path, ownership: Ownership) -> Result<Option<Store>> {
        match open_root(root, ownership) {
            Ok(store) => {
                let known = store.check_version();
                let known = known.context(|| format!("open store {}", root.display()))?;
                Ok(known.then_some(store))
            }
            Err(error) if error.errno() == Some(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.wrap(format!("open store {}", root.display()))),
        }
    }

    /// The same store, with the layers of this ownership.
    pub(super) fn with_ownership(&self, ownership: Ownership) -> Store {
        Store {
            ownership,
            ..self.clone()
        }
    }

    /// Refuses a store of a newer schema; one that is not there is fine.
    pub fn check_format(root: &Path) -> Result<()> {
        Store::open_existing(root, Ownership::Full).map(drop)
    }

    /// Where the store is.
    #[cfg(test)]
    pub fn root(&self) -> &Path {
        &self.path
    }

    /// A fixed directory of the store, created on first use.
    pub(super) fn dir(&self, path: &str) -> Result<OwnedFd> {
        let mut parts = path.split('/');
        let first = parts.next().expect("split yields at least one part");
        let mut fd = atomic::ensure_dir(self.fd.as_fd(), first)?;
        for part in parts {
            fd = atomic::ensure_dir(fd.as_fd(), part)?;
        }
        Ok(fd)
    }

    /// A fixed directory for reading, `None` if it was never created.
    pub(super) fn existing_dir(&self, path: &str) -> Result<Option<OwnedFd>> {
        match atomic::open_dir(self.fd.as_fd(), path) {
            Ok(fd) => Ok(Some(fd)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(Error::from(error).wrap(format!("open {}", self.show(path)))),
        }
    }

    /// This boot's directory for stages and tombstones.
    pub(super) fn boot_dir(&self) -> Result<OwnedFd> {
        self.dir(&format!("tmp/{}", atomic::boot_id()?))
    }

    /// A path inside the store, for messages.
    pub(super) fn show(&self, path: &str) -> String {
        self.path.join(path).display().to_string()
    }

    fn prepare(&self) -> Result<()> {
        let known = self.check_version()?;
        // Layers hold set-user-id files of strangers: nobody else may reach them (CVE-2021-41091).
        let stat = rustix::fs::fstat(&*self.fd)?;
        if stat.st_mode & 0o077 != 0 {
            rustix::fs::fchmod(&*self.fd, DIR_MODE)?;
        }
        if known {
            return Ok(());
        }
        for path in ["blobs/sha256", "refs", "layers", "partial", "tmp"] {
            self.dir(path)?;
        }
        let version = serde_json::to_vec(&Version { format: FORMAT })?;
        atomic::atomic_write(&*self.fd, "version.json", &version, Durable::Yes)?;
        // The root itself must be found after a power cut that follows the first image.
        let parent = rustix::fs::openat(&*self.fd, c"..", OFlags::RDONLY, Mode::empty());
        match parent {
            Ok(parent) => Ok(rustix::fs::fsync(&parent)?),
            // A parent that may be entered but not read cannot be flushed by us.
            Err(Errno::ACCESS) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the store has been set up. A newer schema is an error.
    fn check_version(&self) -> Result<bool> {
        let read = atomic::read_small(self.fd.as_fd(), "version.json", RECORD_LIMIT)?;
        let Some(bytes) = read else {
            return Ok(false);
        };
        let version: Version = serde_json::from_slice(&bytes).context(|| "read version.json")?;
        if version.format > FORMAT {
            let found = version.format;
            return Err(Error::unsupported(format!(
                "the store has format {found}, this hull knows up to {FORMAT}"
            ))
            .hint("use the newer hull that wrote it, or another --root"));
        }
        Ok(true)
    }
}

fn open_root(root: &Path, ownership: Ownership) -> Result<Store> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(CWD, root, flags, Mode::empty())?;
    let path: PathBuf = std::path::absolute(root)?;
    Ok(Store {
        fd: Arc::new(fd),
        path: path.into(),
        ownership,
    })
}
