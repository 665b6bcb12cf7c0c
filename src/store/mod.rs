//! Content on disk: blobs, references, unpacked layers, and the one engine that extracts archives.
//!
//! Theory of operation. Everything new is made in a [`Stage`], a 0700 directory with a random name
//! under `ROOT/tmp/<boot-id>/`, on the same filesystem as the rest. [`Stage::publish`] then calls
//! syncfs(2), renames layers and blobs to their final names, flushes the directories, and only then
//! writes the references. So power may fail at any point: a reference that exists names an image
//! that is complete on disk. Layers and blobs are immutable and named by their content; two
//! processes that publish the same one both win.
//!
//! Readers take no lock. `gc.lock` is held shared while a reference is being taken and exclusively
//! only to mark and rename; deletion happens outside it. A stage is alive while somebody holds the
//! `flock` on its directory, so what a killed process left behind is recognised and wiped.
//!
//! Must not: know what an image is beyond the digests a manifest and a config name.

mod archive;
mod atomic;
mod blobs;
mod check;
mod compression;
mod document;
mod extract;
mod gc;
mod layers;
mod open;
mod pack;
mod packed;
mod partial;
mod publish;
mod read_ahead;
mod reap;
mod recipe;
mod refs;
mod regenerate;
mod remove;
mod stage;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod unnamed;
mod usage;

pub use atomic::random_hex;
pub use check::{Damage, Depth, Part, Report, Root};
pub use compression::decompress;
pub use extract::{Limits, Placing, UnpackedLayer, is_opaque, is_whiteout, unpack_into};
pub use gc::{Collected, GcGuard, NamesGuard};
pub use layers::{LayerKey, OverlayXattrs};
pub use open::Store;
pub use pack::{Form, Pack, plainly};
pub use packed::Packed;
pub use partial::PartialBlob;
pub use publish::NameChange;
pub use read_ahead::read_ahead;
pub use reap::{DELETER, clear_away, delete_rest};
pub use recipe::{Remade, drain};
pub use refs::{BrokenRef, ListedRef, RefRecord, Unlinked, Unsynced, set_meanwhile};
pub use regenerate::LayerTar;
pub use remove::{delete_buried, remove_tree};
pub use stage::Stage;
pub use unnamed::fill;
