//! Container names: `ROOT/names/<name>` holds the id of its container.
//!
//! A claim locks the file until the container is published, so a claimer that was killed leaves a
//! name whose lock is free and whose container does not exist: free for the next.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::base::{ContainerId, Name};
use crate::error::{Context as _, Error, Result};
use crate::sys::lock::{Sharing, lock};

/// A name that is ours once the container is published; the lock is held until this is dropped.
#[derive(Debug)]
pub struct Claim {
    file: File,
    path: PathBuf,
}

/// Claims `name` for `id`. `bears` tells whether a container is published and bears the name.
///
/// # Errors
/// `Conflict` in Docker's words if another container has it.
pub fn claim(
    names: &Path,
    name: &Name,
    id: &ContainerId,
    bears: impl Fn(&ContainerId) -> bool,
) -> Result<Claim> {
    let path = names.join(name.as_str());
    let subject = || format!("claim name {name}");
    loop {
        let mut options = File::options();
        options
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600);
        let mut file = options.open(&path).context(subject)?;
        lock(&file, Sharing::Exclusive, subject)?;
        // Somebody may have removed the name while we waited for its lock.
        if file.metadata().context(subject)?.nlink() == 0 {
            continue;
        }
        let mut holder = String::new();
        file.read_to_string(&mut holder).context(subject)?;
        if let Ok(holder) = holder.trim().parse::<ContainerId>()
            && bears(&holder)
        {
            return Err(Error::conflict(format!(
                "Conflict. The container name \"/{name}\" is already in use by container \
                 \"{holder}\". You have to remove (or rename) that container to be able to reuse \
                 that name."
            )));
        }
        if !holder.is_empty() {
            // Only then: ext4 flushes a file that was cut to nothing and written again at once.
            file.set_len(0).context(subject)?;
            file.rewind().context(subject)?;
        }
        let written = file.write_all(id.to_string().as_bytes());
        let claim = Claim {
            file,
            path: path.clone(),
        };
        if let Err(error) = written {
            claim.abandon();
            return Err(error).context(subject);
        }
        return Ok(claim);
    }
}

impl Claim {
    /// Makes the claim survive a power cut.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_all().context(|| "sync the name")
    }

    /// Gives the name back: its container was not published.
    pub fn abandon(self) {
        // A name that stays is free all the same: its container does not exist.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Removes names whose claimers were killed: nobody holds their lock and no container bears them.
/// What cannot be removed is free all the same.
pub fn sweep(names: &Path, bears: impl Fn(&ContainerId, &Name) -> bool) {
    let entries = std::fs::read_dir(names).into_iter().flatten().flatten();
    for entry in entries {
        let Ok(mut file) = File::open(entry.path()) else {
            continue;
        };
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            continue;
        }
        let mut holder = String::new();
        let read = file.read_to_string(&mut holder);
        let name = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let is_borne = name.zip(holder.trim().parse().ok());
        if read.is_ok() && !is_borne.is_some_and(|(name, id)| bears(&id, &name)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// All names of a container whose record does not tell.
pub fn held_by(names: &Path, id: &ContainerId) -> Vec<Name> {
    let entries = std::fs::read_dir(names).into_iter().flatten().flatten();
    let parsed = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<Name>().ok());
    parsed
        .filter(|name| holder(names, name).as_ref() == Some(id))
        .collect()
}

/// The container that has this name.
pub fn holder(names: &Path, name: &Name) -> Option<ContainerId> {
    std::fs::read_to_string(names.join(name.as_str()))
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// Gives a name back, if it is this container's.
pub fn release(names: &Path, name: &Name, id: &ContainerId) -> Result<()> {
    let path = names.join(name.as_str());
    let Ok(file) = File::open(&path) else {
        return Ok(());
    };
    lock(&file, Sharing::Exclusive, || format!("lock name {name}"))?;
    if holder(names, name).as_ref() != Some(id) {
        return Ok(());
    }
    std::fs::remove_file(&path).context(|| format!("release name {name}"))
}
