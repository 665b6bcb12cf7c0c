//! What happens to a layer while an image comes in. Printing is the command's.

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
    /// Being unpacked from what is on disk.
    Extracting,
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

/// Listens to nothing.
#[cfg(test)]
#[derive(Debug, Clone, Copy)]
pub struct Silent;

#[cfg(test)]
impl Progress for Silent {
    fn begin(&self, _name: &str) {}
    fn layer(&self, _layer: &Digest, _event: LayerEvent) {}
}
