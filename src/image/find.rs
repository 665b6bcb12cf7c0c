//! From what a user types to an image: a name, an id, or the beginning of an id.

use super::config::ImageConfig;
use super::manifest::{DOCUMENT_LIMIT, Document};
use super::tag::is_untagged;
use crate::base::{DiffId, Digest, Reference, Timestamp};
use crate::error::{Context, Error, Result};
use crate::store::{RefRecord, Store};

/// An image in the store.
#[derive(Debug, Clone)]
pub struct Image {
    /// The config's digest: what Docker calls the image id.
    pub id: Digest,
    /// The manifest's digest.
    pub manifest: Digest,
    /// How to run it.
    pub config: ImageConfig,
    /// The bytes of the config, for `inspect` and for digests.
    pub config_bytes: Vec<u8>,
    /// The layers' content, bottom first.
    pub diff_ids: Vec<DiffId>,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// Finds an image. Costs three small reads when `name` is a name.
pub fn find(store: &Store, name: &str) -> Result<Image> {
    open(store, find_record(store, name)?)
}

/// Finds the reference record only.
pub fn find_record(store: &Store, name: &str) -> Result<RefRecord> {
    let reference = name.parse::<Reference>();
    if let Ok(reference) = &reference {
        if let Some(record) = store.find_ref(reference)? {
            return Ok(record);
        }
        if let Some(record) = find_by_digest(store, reference)? {
            return Ok(record);
        }
    }
    if let Some(prefix) = as_id(name)
        && let Some(record) = find_by_id(&store.refs()?, prefix)?
    {
        return Ok(record);
    }
    Err(not_here(name))
}

/// The digits of a word that may be an image's id or its beginning.
pub(super) fn as_id(name: &str) -> Option<&str> {
    let prefix = name.strip_prefix("sha256:").unwrap_or(name);
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    ((1..=64).contains(&prefix.len()) && prefix.bytes().all(is_hex)).then_some(prefix)
}

/// The one image whose id starts with these digits.
pub(super) fn find_by_id(records: &[RefRecord], prefix: &str) -> Result<Option<RefRecord>> {
    let begins = |record: &&RefRecord| record.image.hex().starts_with(prefix);
    let mut found: Vec<&RefRecord> = records.iter().filter(begins).collect();
    // A real name of the image before the one that only keeps it.
    found.sort_by_key(|record| (record.image, is_untagged(&record.reference)));
    found.dedup_by_key(|record| record.image);
    match found[..] {
        [] => Ok(None),
        [record] => Ok(Some(record.clone())),
        _ => {
            let why = format!("multiple IDs found with provided prefix: {prefix}");
            Err(Error::invalid(why).hint("give more digits"))
        }
    }
}

/// The error for what is no image here, or no image's name at all.
pub(super) fn not_here(name: &str) -> Error {
    let shown = match name.parse::<Reference>() {
        Ok(reference) => reference.familiar(),
        Err(error) if as_id(name).is_none() => return error,
        Err(_) => name.to_owned(),
    };
    Error::not_found(format!("No such image: {shown}"))
        .hint("hull images lists what is here, hull pull gets what is not")
}

/// `name@digest` also means what was pulled by tag and had this digest.
fn find_by_digest(store: &Store, wanted: &Reference) -> Result<Option<RefRecord>> {
    let Some(digest) = wanted.digest else {
        return Ok(None);
    };
    let records = store.refs()?;
    Ok(records.into_iter().find(|record| {
        record.reference.full_name() == wanted.full_name()
            && (record.repo_digest == Some(digest) || record.manifest == digest)
    }))
}

/// The image a reference names.
pub fn open(store: &Store, record: RefRecord) -> Result<Image> {
    let subject = || format!("image {}", record.image.short());
    let bytes = read(store, &record.manifest).context(subject)?;
    let Document::Manifest(manifest) = Document::parse(&bytes, None).context(subject)? else {
        return Err(Error::corrupt("its manifest is an index").wrap(subject()));
    };
    let config_bytes = read(store, &manifest.config.digest).context(subject)?;
    let config = ImageConfig::parse(&config_bytes).context(subject)?;
    Ok(Image {
        id: manifest.config.digest,
        manifest: record.manifest,
        diff_ids: config.rootfs.diff_ids.clone(),
        created: config.created,
        config,
        config_bytes,
    })
}

fn read(store: &Store, digest: &Digest) -> Result<Vec<u8>> {
    store.read_blob(digest, DOCUMENT_LIMIT)?.ok_or_else(|| {
        Error::corrupt(format!("{digest} is missing from the store")).hint("pull the image again")
    })
}

/// What the image's files take, unpacked; layers shared with other images are counted in each.
pub fn size_bytes(store: &Store, image: &Image) -> Result<u64> {
    let layers = store.layers_for(&image.diff_ids)?;
    Ok(layers.iter().map(|layer| layer.size_bytes).sum())
}

/// What the image takes where it is kept packed: manifest, config, layers as the manifest says.
pub fn content_bytes(store: &Store, image: &Image) -> Result<u64> {
    let bytes = read(store, &image.manifest)?;
    let Document::Manifest(manifest) = Document::parse(&bytes, None)? else {
        return Ok(bytes.len() as u64);
    };
    let layers: u64 = manifest.layers.iter().map(|layer| layer.size).sum();
    Ok(bytes.len() as u64 + manifest.config.size + layers)
}
