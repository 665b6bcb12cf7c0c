//! What happens to a layer while an image comes in. Printing is the command's.

use std::io::{self, Read};

use crate::base::Digest;

/// One thing that happened to one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerEvent {
    /// Queued.
    Waiting,
    /// So many bytes of the total are here; unpacking runs along.
    Downloading {
        /// Received.
        bytes: u64,
        /// Of so many.
        total: u64,
    },
    /// All bytes are here and are compared with their digest.
    Verifying,
    /// They are the right ones.
    Downloaded,
    /// Being unpacked from what is on disk, or what is left of it after the download.
    Extracting {
        /// Read.
        bytes: u64,
        /// Of so many.
        total: u64,
    },
    /// Unpacked and checked.
    Complete,
    /// Was in the store.
    Exists,
}

/// Listens to layers; called from several threads.
pub trait Progress: Sync {
    /// The manifest is known; layers follow.
    fn begin(&self, name: &str);
    /// `layer` is the digest of the compressed blob, or the diff id where there is none.
    fn layer(&self, layer: &Digest, event: LayerEvent);
}

/// Progress is told after so many bytes.
const REPORT_STEP: u64 = 1 << 20;

/// Counts bytes, and says when it is time to tell.
#[derive(Debug, Default)]
pub struct Meter {
    /// Bytes so far.
    pub bytes: u64,
    told: u64,
}

impl Meter {
    /// Adds bytes; true after each megabyte or so.
    pub fn add(&mut self, count: usize) -> bool {
        self.bytes += count as u64;
        let is_time = self.bytes - self.told >= REPORT_STEP;
        if is_time {
            self.told = self.bytes;
        }
        is_time
    }
}

/// A reader of what is unpacked from disk, which tells how far it is.
pub struct Extracting<'a, R> {
    source: R,
    layer: Digest,
    total: u64,
    progress: &'a dyn Progress,
    meter: Meter,
}

impl<'a, R> Extracting<'a, R> {
    /// Tells of `layer` while `total` bytes of `source` are read.
    pub fn new(source: R, layer: Digest, total: u64, progress: &'a dyn Progress) -> Self {
        progress.layer(&layer, LayerEvent::Extracting { bytes: 0, total });
        Extracting {
            source,
            layer,
            total,
            progress,
            meter: Meter::default(),
        }
    }
}

impl<R: Read> Read for Extracting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        if self.meter.add(count) || self.meter.bytes == self.total {
            let (bytes, total) = (self.meter.bytes, self.total);
            let event = LayerEvent::Extracting { bytes, total };
            self.progress.layer(&self.layer, event);
        }
        Ok(count)
    }
}

/// Listens to nothing.
#[cfg(test)]
#[derive(Debug, Clone, Copy)]
pub struct Silent;

#[cfg(test)]
impl Progress for Silent {
    fn begin(&self, _name: &str) {}
    fn layer(&self, _layer: &Digest, _event: LayerEvent) {}
}
