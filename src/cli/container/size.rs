//! How much containers take: what they changed, and the image below.

use std::collections::{BTreeMap, HashSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::base::{ByteSize, DiffId};
use crate::cli::store;
use crate::config::Settings;
use crate::error::Result;
use crate::state::{Config, Record, Records};
use crate::store::Store;

/// The sizes of layer stacks, each measured once.
pub(in crate::cli) struct Images<'a> {
    settings: &'a Settings,
    store: Option<Store>,
    known: BTreeMap<Vec<DiffId>, u64>,
}

impl<'a> Images<'a> {
    pub(in crate::cli) fn of(settings: &'a Settings) -> Self {
        Images {
            settings,
            store: None,
            known: BTreeMap::new(),
        }
    }

    /// Bytes of the layers below a container.
    pub(in crate::cli) fn below(&mut self, config: &Config) -> Result<u64> {
        if let Some(bytes) = self.known.get(&config.layers) {
            return Ok(*bytes);
        }
        if self.store.is_none() {
            self.store = store::open_existing(self.settings)?;
        }
        let bytes = match &self.store {
            Some(store) => {
                let layers = store.layers_for(&config.layers)?;
                layers.iter().map(|layer| layer.size_bytes).sum()
            }
            None => 0,
        };
        self.known.insert(config.layers.clone(), bytes);
        Ok(bytes)
    }
}

/// What the container changed, by apparent size, as Docker counts: each file once, no directories.
pub(in crate::cli) fn changed(records: &Records, record: &Record) -> u64 {
    tree(&records.directory(&record.state.id).join("up/diff"))
}

/// The apparent size of what is below a directory. What cannot be read is not counted.
pub(in crate::cli) fn tree(path: &Path) -> u64 {
    let mut seen = HashSet::new();
    let entries = walkdir::WalkDir::new(path).into_iter().flatten();
    let files = entries.filter(|entry| !entry.file_type().is_dir());
    let sizes = files.filter_map(|entry| {
        let metadata = entry.metadata().ok()?;
        let new = metadata.nlink() == 1 || seen.insert((metadata.dev(), metadata.ino()));
        new.then_some(metadata.len())
    });
    sizes.sum()
}

/// `5B (virtual 4.45MB)`.
pub(super) fn text(
    records: &Records,
    record: &Record,
    config: Option<&Config>,
    images: &mut Images<'_>,
) -> Result<String> {
    let changed = changed(records, record);
    let below = match config {
        Some(config) => images.below(config)?,
        None => 0,
    };
    let (changed, whole) = (ByteSize(changed), ByteSize(changed + below));
    Ok(match whole.0 {
        0 => changed.human(3),
        _ => format!("{} (virtual {})", changed.human(3), whole.human(3)),
    })
}
