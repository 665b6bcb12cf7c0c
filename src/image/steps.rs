//! The images that were made on the way to an image, as far as they are here.

use std::collections::HashMap;

use super::config::HistoryEntry;
use super::find::{Image, open};
use crate::base::{DiffId, Digest};
use crate::error::Result;
use crate::store::Store;

/// For each step of the image's history the id of the image that it made, if that is here. The
/// last step made the image itself.
pub fn steps(store: &Store, image: &Image) -> Result<Vec<Option<Digest>>> {
    let history = &image.config.history;
    let mut found = vec![None; history.len()];
    let mut by_length: HashMap<usize, Vec<Image>> = HashMap::new();
    for record in store.refs()? {
        // Of an image that cannot be read nothing is known; whoever uses it is told.
        let Ok(other) = open(store, record) else {
            continue;
        };
        let length = other.config.history.len();
        by_length.entry(length).or_default().push(other);
    }
    for (number, step) in found.iter_mut().enumerate() {
        let begun = &history[..=number];
        let layers = begun.iter().filter(|entry| !entry.empty_layer).count();
        let diff_ids = image.diff_ids.get(..layers).unwrap_or(&image.diff_ids);
        let made = by_length.get(&begun.len()).and_then(|others| {
            let is_it = |other: &&Image| is_beginning(other, begun, diff_ids);
            others.iter().find(is_it)
        });
        *step = made.map(|other| other.id);
    }
    if let Some(last) = found.last_mut() {
        *last = Some(image.id);
    }
    Ok(found)
}

/// Whether `other` was made of `image`, by steps that came after.
pub fn begins(image: &Image, other: &Image) -> bool {
    let history = &image.config.history;
    let begun = other.config.history.get(..history.len());
    !history.is_empty()
        && history.len() < other.config.history.len()
        && begun == Some(&history[..])
        && other.diff_ids.starts_with(&image.diff_ids)
}

fn is_beginning(other: &Image, history: &[HistoryEntry], diff_ids: &[DiffId]) -> bool {
    other.config.history == history && other.diff_ids == diff_ids
}
