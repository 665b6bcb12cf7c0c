//! Images: what manifests and configs mean, and how images come, are found, named and removed.
//!
//! An image is its config's digest (the id) and the manifest that names config and layers; its
//! content is the store's, its names are the store's references. Metadata is data: nothing in a
//! manifest or config decides where a byte is written or what is run here.

mod archive;
mod archived;
mod change;
mod commit;
mod config;
mod converted;
mod copy;
mod counted;
mod embedded;
mod feed;
mod find;
mod import;
mod layer_source;
mod layers;
mod layout;
mod list;
mod load;
mod make;
mod manifest;
mod mend;
mod outgoing;
mod packing;
mod platform;
mod progress;
mod prune;
mod pull;
mod push;
mod remove;
mod save;
mod source;
mod steps;
mod strict;
mod tag;
mod tar_index;
#[cfg(test)]
mod tests;
mod usage;

pub use commit::{Base, CommitRequest, apply_changes, commit, stage_layer};
pub use config::{Execution, Healthcheck};
pub use converted::Format;
pub use copy::{Destination, Which, copy};
pub use embedded::{HELLO, ensure_hello};
pub use find::{Image, content_bytes, find, size_bytes};
pub use import::{ImportRequest, import};
pub use layout::Layout;
pub use list::{Detail, Listed, Listing, list};
pub use load::{load_path, load_stream};
pub use mend::mend;
pub use packing::Compression;
pub use platform::Platform;
pub use progress::{LayerEvent, Progress};
pub use prune::{Pruned as ImagesPruned, Unused, prune};
pub use pull::{PullRequest, Pulled, pull};
pub use push::{PushEvent, PushProgress, PushRequest, Pushed, push};
pub use remove::{Force, InUse, Removal, Remover};
pub use save::{SaveRequest, Saving};
pub use source::{Access, Place, Source};
pub use steps::steps;
pub use tag::{is_untagged, tag, untag};
pub use usage::{ImageUsage, Usage, usage};
