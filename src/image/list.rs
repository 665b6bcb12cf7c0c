//! All images of the store, each with its names and size.

use std::collections::BTreeMap;

use super::find::{Image, open, size_bytes};
use super::steps::begins;
use super::tag::is_untagged;
use crate::base::Digest;
use crate::error::{Error, Result};
use crate::store::{RefRecord, Store};

/// An image and its names.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The image.
    pub image: Image,
    /// Its names, sorted; empty for an image that lost them (`<none>`).
    pub names: Vec<RefRecord>,
    /// Unpacked size.
    pub size_bytes: u64,
    /// It has no name, but another image was made of it.
    pub is_intermediate: bool,
}

/// What the store has.
#[derive(Debug, Default)]
pub struct Listing {
    /// Newest first.
    pub images: Vec<Listed>,
    /// Images that cannot be read; they must not hide the others.
    pub broken: Vec<Error>,
}

/// Reads all images.
pub fn list(store: &Store) -> Result<Listing> {
    let mut by_id: BTreeMap<Digest, Vec<RefRecord>> = BTreeMap::new();
    let (records, broken) = store.refs_and_broken()?;
    for record in records {
        by_id.entry(record.image).or_default().push(record);
    }
    let mut listing = Listing::default();
    for damaged in broken {
        let subject = format!("reference {}", damaged.path);
        listing.broken.push(damaged.error.wrap(subject));
    }
    for (_, mut names) in by_id {
        let Some(first) = names.first().cloned() else {
            continue;
        };
        names.retain(|record| !is_untagged(&record.reference));
        let opened = open(store, first).and_then(|image| {
            let size_bytes = size_bytes(store, &image)?;
            Ok((image, size_bytes))
        });
        match opened {
            Ok((image, size_bytes)) => listing.images.push(Listed {
                image,
                names,
                size_bytes,
                is_intermediate: false,
            }),
            Err(error) => listing.broken.push(error),
        }
    }
    let made_of = |one: &Listed| {
        let others = listing.images.iter();
        one.names.is_empty()
            && others
                .map(|other| &other.image)
                .any(|other| begins(&one.image, other))
    };
    let intermediate: Vec<bool> = listing.images.iter().map(made_of).collect();
    for (listed, is_intermediate) in listing.images.iter_mut().zip(intermediate) {
        listed.is_intermediate = is_intermediate;
    }
    let age = |listed: &Listed| std::cmp::Reverse(listed.image.created);
    listing.images.sort_by_key(age);
    Ok(listing)
}
