//! Bringing back one damaged part of an image: from the blob that is kept of it, or from the
//! registry it came from, and then only that part.

use super::manifest::{DOCUMENT_LIMIT, Document};
use super::pull::small_blob;
use super::tag::is_untagged;
use crate::base::Digest;
use crate::error::{Context, Error, Result};
use crate::registry::{Client, Repository};
use crate::store::{Damage, Part, RefRecord, Root, Store};

/// Mends a part. `names` are those of the images that need it, `running` are the containers that
/// run when it is asked.
///
/// # Errors
/// Why it cannot be mended; then nothing is worse than before.
pub fn mend(
    store: &Store,
    client: &mut dyn FnMut() -> Result<Client>,
    damage: &Damage,
    names: &[RefRecord],
    running: &dyn Fn() -> Result<Vec<Root>>,
) -> Result<()> {
    let Part::Layer(stack) = &damage.part else {
        return fetch(store, client, &damage.part, names);
    };
    let mut why = Error::corrupt("its manifest does not name it");
    for (digest, size) in &damage.blobs {
        let (digest, size) = (*digest, *size);
        let remade = match store.open_blob(&digest)? {
            Some(_) => Ok(()),
            None => fetch(store, client, &Part::Blob { digest, size }, names),
        };
        match remade.and_then(|()| store.remake_layer(stack, &digest, running)) {
            Ok(true) => return Ok(()),
            Ok(false) => why = Error::corrupt(format!("the blob {digest} is damaged as well")),
            Err(error) => why = error,
        }
    }
    Err(why)
}

/// Fetches a part from wherever one of the images came from.
fn fetch(
    store: &Store,
    client: &mut dyn FnMut() -> Result<Client>,
    part: &Part,
    names: &[RefRecord],
) -> Result<()> {
    if let Part::Size { .. } = part {
        return Err(Error::corrupt("no other copy of it can say otherwise"));
    }
    let came_from = names.iter().filter_map(|record| {
        let digest = record
            .repo_digest
            .filter(|_| !is_untagged(&record.reference))?;
        Some((record, record.reference.with_digest(digest)))
    });
    let mut why = Error::not_found("it came from no registry");
    let came_from: Vec<_> = came_from.collect();
    if came_from.is_empty() {
        return Err(why);
    }
    let client = client()?;
    for (record, name) in came_from {
        let fetched = client
            .repository(&name)
            .and_then(|repository| fetch_from(store, &repository, record, part));
        match fetched.context(|| format!("fetch it from {}", name.familiar())) {
            Ok(()) => return Ok(()),
            Err(error) => why = error,
        }
    }
    Err(why)
}

fn fetch_from(
    store: &Store,
    repository: &Repository<'_>,
    record: &RefRecord,
    part: &Part,
) -> Result<()> {
    let (bytes, wanted) = match part {
        Part::Layer(_) | Part::Size { .. } => return Ok(()),
        Part::Blob { digest, size } => return fetch_blob(store, repository, digest, *size),
        Part::Manifest(digest) => (repository.manifest("", Some(digest))?.bytes, digest),
        Part::Config(digest) => {
            let manifest = store.read_blob(&record.manifest, DOCUMENT_LIMIT)?;
            let manifest = manifest.ok_or_else(|| Error::corrupt("its manifest is missing"))?;
            let Document::Manifest(manifest) = Document::parse(&manifest, None)? else {
                return Err(Error::corrupt("its manifest is an index"));
            };
            (small_blob(repository, &manifest.config)?, digest)
        }
    };
    let stage = store.stage()?;
    let found = stage.add_blob(&bytes)?;
    if found != *wanted {
        return Err(Error::corrupt(format!("received digest {found}")));
    }
    stage.publish(&[])
}

fn fetch_blob(
    store: &Store,
    repository: &Repository<'_>,
    digest: &Digest,
    size: u64,
) -> Result<()> {
    if store.open_blob(digest)?.is_some() {
        // What could not be read may be whole: then nothing has to come.
        return match store.damage_of_blob(digest)? {
            Some(_) => replace_blob(store, repository, digest, size),
            None => Ok(()),
        };
    }
    let stage = store.stage()?;
    let mut partial = stage.blob_file(digest)?;
    if !partial.is_complete() {
        if partial.length() >= size {
            partial.restart()?;
        }
        let mut blob = repository.blob(digest, size, partial.length());
        let mut buffer = vec![0; 256 << 10];
        loop {
            match blob.read_some(&mut buffer)? {
                0 => break,
                count => partial.append(&buffer[..count])?,
            }
        }
    }
    partial.commit()?;
    stage.publish(&[])
}

/// The damaged one stays until this one is here.
fn replace_blob(
    store: &Store,
    repository: &Repository<'_>,
    digest: &Digest,
    size: u64,
) -> Result<()> {
    let mut replacement = store.replace_blob(digest)?;
    let mut blob = repository.blob(digest, size, 0);
    let mut buffer = vec![0; 256 << 10];
    loop {
        match blob.read_some(&mut buffer)? {
            0 => return replacement.publish(),
            count => replacement.append(&buffer[..count])?,
        }
    }
}
