//! All images of the store, each with its names and size.

use std::collections::{BTreeMap, HashSet};

use super::find::{Image, open, size_bytes};
use super::steps::begins;
use super::tag::is_untagged;
use crate::base::{Digest, Timestamp};
use crate::error::{Error, Result};
use crate::store::{ListedRef, RefRecord, Store};

/// An image and its names.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its id.
    pub id: Digest,
    /// Its manifest's digest.
    pub manifest: Digest,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Its names, sorted; empty for an image that lost them (`<none>`).
    pub names: Vec<RefRecord>,
    /// Unpacked size.
    pub size_bytes: u64,
    /// It has no name, but another image was made of it.
    pub is_intermediate: bool,
    /// The rest, as far as it was asked for or had to be read.
    pub image: Option<Image>,
}

/// What has to be known of each image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What the records of names say. With a thousand images, reading more takes long.
    Names,
    /// The config too.
    Whole,
}

/// What the store has.
#[derive(Debug, Default)]
pub struct Listing {
    /// Newest first.
    pub images: Vec<Listed>,
    /// Images that cannot be read; they must not hide the others.
    pub broken: Vec<Error>,
}

/// Lists all images.
pub fn list(store: &Store, detail: Detail) -> Result<Listing> {
    let mut by_id: BTreeMap<Digest, Vec<ListedRef>> = BTreeMap::new();
    let (records, broken) = store.listed_refs()?;
    for listed in records {
        by_id.entry(listed.record.image).or_default().push(listed);
    }
    let mut listing = Listing::default();
    for damaged in broken {
        let subject = format!("reference {}", damaged.path);
        listing.broken.push(damaged.error.wrap(subject));
    }
    let blobs = store.blob_names()?;
    // Whether something was made of an image without a name is only in what the others are.
    let is_unnamed = |named: &Vec<ListedRef>| {
        let mut records = named.iter().map(|listed| &listed.record);
        records.all(|record| is_untagged(&record.reference))
    };
    let has_unnamed = by_id.values().any(is_unnamed);
    let detail = if has_unnamed { Detail::Whole } else { detail };
    for (_, named) in by_id {
        match describe(store, named, detail, &blobs) {
            Ok(listed) => listing.images.push(listed),
            Err(error) => listing.broken.push(error),
        }
    }
    if has_unnamed {
        mark_intermediate(&mut listing.images);
    }
    let age = |listed: &Listed| std::cmp::Reverse(listed.created);
    listing.images.sort_by_key(age);
    Ok(listing)
}

/// Marks the images without a name of which others were made.
fn mark_intermediate(images: &mut [Listed]) {
    let made_of = |one: &Listed| {
        let others = images.iter().filter_map(|other| other.image.as_ref());
        let one = one.image.as_ref().filter(|_| one.names.is_empty());
        one.is_some_and(|one| others.into_iter().any(|other| begins(one, other)))
    };
    let marks: Vec<bool> = images.iter().map(made_of).collect();
    for (listed, mark) in images.iter_mut().zip(marks) {
        listed.is_intermediate = mark;
    }
}

/// One image, by the records of its names.
fn describe(
    store: &Store,
    named: Vec<ListedRef>,
    detail: Detail,
    blobs: &HashSet<String>,
) -> Result<Listed> {
    let facts = named.iter().find_map(|listed| listed.facts);
    let first = named[0].record.clone();
    let mut names: Vec<RefRecord> = named.into_iter().map(|listed| listed.record).collect();
    names.retain(|record| !is_untagged(&record.reference));
    // What is missing is told by reading it.
    let is_here = |digest: &Digest| blobs.contains(&digest.hex());
    let is_known = detail == Detail::Names && is_here(&first.manifest) && is_here(&first.image);
    if let Some(facts) = facts.filter(|_| is_known) {
        return Ok(Listed {
            id: first.image,
            manifest: first.manifest,
            created: facts.created,
            names,
            size_bytes: facts.size_bytes,
            is_intermediate: false,
            image: None,
        });
    }
    let image = open(store, first)?;
    let size_bytes = size_bytes(store, &image)?;
    Ok(Listed {
        id: image.id,
        manifest: image.manifest,
        created: image.created,
        names,
        size_bytes,
        is_intermediate: false,
        image: Some(image),
    })
}
