//! Blobs on their way in: append-only files that survive a failed or killed pull.
//!
//! `partial/<hex>` is locked while somebody writes it; a second puller of the same blob waits and
//! then continues or finds it complete. A complete one stays here until `publish` renames it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::num::NonZeroU64;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};

use rustix::fs::{Advice, AtFlags, OFlags, Timespec, Timestamps, UTIME_NOW};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::Store;
use super::atomic::{self, FILE_MODE};
use crate::base::Digest;
use crate::error::{Context, Error, Result};
use crate::sys::lock::{Sharing, lock_while};

pub(super) const PARTIAL: &str = "partial";

/// Read and written now.
const TOUCHED: Timestamps = Timestamps {
    last_access: NOW,
    last_modification: NOW,
};
const NOW: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: UTIME_NOW,
};

/// After so many bytes the disk gets work.
const SEND_STEP: u64 = 8 << 20;

/// A blob being received. Dropped without [`PartialBlob::commit`], its bytes stay for the next try.
#[derive(Debug)]
pub struct PartialBlob {
    store: Store,
    expected: Digest,
    dir: OwnedFd,
    file: File,
    hasher: Sha256,
    length: u64,
    /// Before this offset everything is on its way to the disk.
    sent: u64,
    state: State,
    committed: Arc<Mutex<Received>>,
}

/// The blobs that a stage's publication needs and did not write itself.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// Complete in `partial/`.
    pub complete: Vec<Digest>,
    /// Found in the store, where nothing kept them since.
    pub found: Vec<Digest>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Bytes are missing, as far as we know.
    Growing,
    /// The bytes match the digest; nothing more may be appended.
    Complete,
    /// The store has it already; there is nothing to write.
    InStore,
}

impl PartialBlob {
    /// Waits for other writers of this blob, then hashes what is already there.
    pub(super) fn open(
        store: &Store,
        expected: Digest,
        committed: Arc<Mutex<Received>>,
    ) -> Result<PartialBlob> {
        let dir = store.dir(PARTIAL)?;
        let subject = || format!("open partial blob {expected}");
        let file = lock_file(&dir, &expected.hex()).context(subject)?;
        let mut blob = PartialBlob {
            store: store.clone(),
            expected,
            dir,
            file,
            hasher: Sha256::new(),
            length: 0,
            sent: 0,
            state: State::Growing,
            committed,
        };
        if store.open_blob(&expected)?.is_some() {
            rustix::fs::unlinkat(&blob.dir, expected.hex(), AtFlags::empty())?;
            blob.state = State::InStore;
            return Ok(blob);
        }
        blob.rehash().context(subject)?;
        if blob.matches() {
            blob.state = State::Complete;
        }
        Ok(blob)
    }

    /// Bytes received so far: where a Range request continues.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Nothing is left to download: the bytes match, or another puller has published the blob.
    pub fn is_complete(&self) -> bool {
        self.state != State::Growing
    }

    /// Whether the bytes so far are the whole blob.
    pub fn matches(&self) -> bool {
        Digest::from_hasher(self.hasher.clone()) == self.expected
    }

    /// Appends bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if self.state != State::Growing {
            return Err(Error::conflict(format!(
                "blob {} is already complete",
                self.expected
            )));
        }
        let written = self.file.write_all(bytes);
        written.context(|| format!("write blob {}", self.expected))?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        if self.length - self.sent >= SEND_STEP {
            self.send();
        }
        Ok(())
    }

    /// Forgets what is there: the server does not continue where we stopped.
    pub fn restart(&mut self) -> Result<()> {
        if self.state == State::InStore {
            return Ok(());
        }
        let truncated = self.file.set_len(0).and_then(|()| self.file.rewind());
        truncated.context(|| format!("restart blob {}", self.expected))?;
        self.hasher = Sha256::new();
        self.length = 0;
        self.sent = 0;
        self.state = State::Growing;
        Ok(())
    }

    /// A second handle that reads from the start, for unpacking what was received.
    pub fn reader(&self) -> Result<File> {
        let opened = match self.state {
            State::InStore => self.store.open_blob(&self.expected)?,
            // Another puller may have published it since: a complete one is not written any more.
            _ => match atomic::open_file(self.dir.as_fd(), &self.expected.hex())? {
                None => self.store.open_blob(&self.expected)?,
                partial => partial,
            },
        };
        opened.ok_or_else(|| Error::not_found(format!("blob {} is gone", self.expected)))
    }

    /// Ends the blob: it will be published with its stage. With the wrong digest the file is
    /// removed, so that the next try starts anew.
    pub fn commit(self) -> Result<()> {
        let committed = || self.committed.lock().expect("no thread panics holding it");
        if self.state == State::InStore {
            committed().found.push(self.expected);
            return Ok(());
        }
        let found = Digest::from_hasher(self.hasher.clone());
        if found != self.expected {
            rustix::fs::unlinkat(&self.dir, self.expected.hex(), AtFlags::empty())?;
            return Err(Error::corrupt(format!(
                "received {} bytes with digest {found}, expected {}",
                self.length, self.expected
            ))
            .hint("try again; if it happens again, the registry or a proxy alters the data"));
        }
        // The collector takes what is old and not locked, and a resumed one may be both.
        let touched = rustix::fs::futimens(&self.file, &TOUCHED);
        touched.context(|| format!("touch blob {}", self.expected))?;
        committed().complete.push(self.expected);
        Ok(())
    }

    /// Sends what is new on its way to the disk, and gives up the memory of what arrived there:
    /// nobody reads the blob again soon, while the files of the layer are used at once.
    fn send(&mut self) {
        // One step further back as well: what was sent last time is written now, and can go.
        let from = self.sent.saturating_sub(SEND_STEP);
        let length = NonZeroU64::new(self.length - from);
        // Only a saving.
        let _ = rustix::fs::fadvise(&self.file, from, length, Advice::DontNeed);
        self.sent = self.length;
    }

    fn rehash(&mut self) -> Result<()> {
        let mut buffer = vec![0; super::read_ahead::BUFFER_BYTES];
        self.file.seek(SeekFrom::Start(0))?;
        loop {
            let count = self.file.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            self.hasher.update(&buffer[..count]);
            self.length += count as u64;
        }
    }
}

/// Opens or creates the file and locks it, again if it was published or removed while we waited.
fn lock_file(dir: &OwnedFd, name: &str) -> Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    loop {
        let file = rustix::fs::openat(dir, name, flags, FILE_MODE)?;
        // A download may take long, as long as something comes.
        let length = || rustix::fs::fstat(&file).map(|stat| stat.st_size).ok();
        let subject = || format!("wait for another download of {name}");
        lock_while(&file, Sharing::Exclusive, subject, length)?;
        let held = rustix::fs::fstat(&file)?;
        match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(named) if (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino) => {
                return Ok(File::from(file));
            }
            Ok(_) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
