//! Pulling: name → manifest for this platform → config and layers → published reference.

use std::sync::atomic::{AtomicBool, Ordering};

use super::config::ImageConfig;
use super::feed::{More, receive_layer};
use super::find::{Image, open};
use super::layers::{Wanted, unpack_missing};
use super::manifest::{DOCUMENT_LIMIT, Descriptor, Document, Manifest, choose};
use super::platform::Platform;
use super::progress::Progress;
use super::tag::{Target, publish};
use crate::base::{Digest, Reference};
use crate::error::{Context, Error, Kind, Result};
use crate::registry::{self, BlobReader, Client, Repository};
use crate::store::Store;

/// Indexes inside indexes that are followed.
const MAX_DEPTH: usize = 2;

/// What to pull.
#[derive(Debug, Clone)]
pub struct PullRequest<'a> {
    /// The name, with tag, digest or both; the digest rules.
    pub reference: &'a Reference,
    /// `--platform`; this machine's when absent.
    pub platform: Option<Platform>,
    /// Layers at the same time.
    pub concurrency: usize,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The image's id.
    pub id: Digest,
    /// What the registry calls it: `Digest: sha256:…`.
    pub digest: Digest,
    /// False if it was here and current.
    pub is_new: bool,
}

/// Pulls an image. On any failure the store has no new name, layer or blob; what was received of
/// unfinished blobs is kept for the next try.
pub fn pull(
    store: &Store,
    client: &Client,
    request: &PullRequest<'_>,
    progress: &dyn Progress,
) -> Result<Pulled> {
    let reference = request.reference;
    pull_image(store, client, request, progress)
        .context(|| format!("pull {}", reference.familiar()))
}

fn pull_image(
    store: &Store,
    client: &Client,
    request: &PullRequest<'_>,
    progress: &dyn Progress,
) -> Result<Pulled> {
    let name = match request.reference.digest {
        Some(digest) => request.reference.with_digest(digest),
        None => request.reference.clone(),
    };
    let repository = client.repository(&name)?;
    let tag = name.tag.as_deref().unwrap_or("latest");
    let top = repository.manifest(tag, name.digest.as_ref())?;
    let digest = top.digest;
    let top_bytes = top.bytes.clone();
    let wanted = request.platform.clone().unwrap_or_else(Platform::host);
    let (manifest_bytes, manifest) = resolve(&repository, top, &wanted)?;
    let manifest_digest = Digest::of(&manifest_bytes);
    progress.begin(&name.familiar());
    if let Some(image) = current(store, &name, &manifest_digest, &digest)? {
        check_platform(&image.config, request.platform.as_ref())?;
        return Ok(Pulled {
            id: image.id,
            digest,
            is_new: false,
        });
    }
    let config_bytes = small_blob(&repository, &manifest.config).context(|| "image config")?;
    let config = ImageConfig::parse(&config_bytes)?;
    check_config(&config, &manifest, request.platform.as_ref())?;
    let stage = store.stage()?;
    let layers = wanted_layers(&manifest, &config);
    unpack_missing(
        store,
        &stage,
        &layers,
        request.concurrency,
        progress,
        // Nothing of it is fetched.
        |_| Ok(()),
        |number| {
            let layer = &manifest.layers[number];
            let is_again = AtomicBool::new(false);
            receive_layer(&stage, layer, &layers[number].diff_id, progress, |offset| {
                let mut blob = match is_again.swap(true, Ordering::Relaxed) {
                    false => repository.blob(&layer.digest, layer.size, offset),
                    true => repository.blob_of_origin(&layer.digest, layer.size, offset),
                };
                Ok(Box::new(move |buffer: &mut [u8]| blob.read_some(buffer)) as More<'_>)
            })
        },
    )?;
    // What names this manifest is kept too: by it a push knows that the manifest is not ours.
    stage.add_blob(&top_bytes)?;
    let target = Target {
        manifest: stage.add_blob(&manifest_bytes)?,
        image: stage.add_blob(&config_bytes)?,
        platform: config.platform().to_string(),
        repo_digest: Some(digest),
    };
    publish(store, stage, &target, std::slice::from_ref(&name))?;
    Ok(Pulled {
        id: target.image,
        digest,
        is_new: true,
    })
}

fn wanted_layers(manifest: &Manifest, config: &ImageConfig) -> Vec<Wanted> {
    let pairs = manifest.layers.iter().zip(&config.rootfs.diff_ids);
    let wanted = pairs.map(|(layer, diff_id)| Wanted {
        label: layer.digest,
        diff_id: *diff_id,
    });
    wanted.collect()
}

/// The image `name` stands for, if that is what the registry has and all of it is here.
fn current(
    store: &Store,
    name: &Reference,
    manifest: &Digest,
    digest: &Digest,
) -> Result<Option<Image>> {
    // An image that was pushed from here may have another manifest here than there.
    let known = store.find_ref(name)?.filter(|known| {
        let same = known.manifest == *manifest || digest == manifest;
        same && known.repo_digest == Some(*digest)
    });
    let Some(known) = known else {
        return Ok(None);
    };
    let whole = open(store, known).and_then(|image| {
        store.layers_for(&image.diff_ids)?;
        Ok(image)
    });
    Ok(whole.ok())
}

/// Follows indexes to the manifest for `wanted`.
fn resolve(
    repository: &Repository<'_>,
    top: registry::Document,
    wanted: &Platform,
) -> Result<(Vec<u8>, Manifest)> {
    let mut here = top;
    for _ in 0..=MAX_DEPTH {
        match Document::parse(&here.bytes, here.media_type.as_deref())? {
            Document::Manifest(manifest) => return Ok((here.bytes, manifest)),
            Document::Index(entries) => {
                let entry = &choose(&entries, wanted)?.descriptor;
                here = repository.manifest("", Some(&entry.digest))?;
                check_size(entry, here.bytes.len())?;
            }
        }
    }
    let why = format!("indexes nested more than {MAX_DEPTH} deep");
    Err(Error::corrupt(why))
}

fn check_size(descriptor: &Descriptor, length: usize) -> Result<()> {
    if descriptor.size == length as u64 {
        return Ok(());
    }
    Err(Error::corrupt(format!(
        "{} has {length} bytes where {} were announced",
        descriptor.digest, descriptor.size
    )))
}

/// A blob that is read whole and verified; once more if its bytes are wrong.
pub(super) fn small_blob(repository: &Repository<'_>, wanted: &Descriptor) -> Result<Vec<u8>> {
    if wanted.size > DOCUMENT_LIMIT {
        return Err(Error::corrupt("longer than 4 MiB"));
    }
    let (digest, size) = (&wanted.digest, wanted.size);
    match read_small(repository.blob(digest, size, 0), wanted) {
        Err(error) if error.kind() == Kind::Corrupt => {
            read_small(repository.blob_of_origin(digest, size, 0), wanted)
        }
        read => read,
    }
}

fn read_small(mut blob: BlobReader<'_>, wanted: &Descriptor) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match blob.read_some(&mut buffer)? {
            0 => break,
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
    let found = Digest::of(&bytes);
    if found != wanted.digest {
        let why = format!("received digest {found}, expected {}", wanted.digest);
        return Err(Error::corrupt(why));
    }
    Ok(bytes)
}

/// Config and manifest must speak of the same image, and of the platform the user insisted on.
pub fn check_config(
    config: &ImageConfig,
    manifest: &Manifest,
    insisted: Option<&Platform>,
) -> Result<()> {
    let (layers, diff_ids) = (manifest.layers.len(), config.rootfs.diff_ids.len());
    if layers != diff_ids {
        return Err(Error::corrupt(format!(
            "the manifest has {layers} layers, its config {diff_ids}"
        )));
    }
    check_platform(config, insisted)
}

fn check_platform(config: &ImageConfig, insisted: Option<&Platform>) -> Result<()> {
    let own = config.platform();
    if let Some(insisted) = insisted
        && insisted.rank(&own).is_none()
    {
        let why = format!("the image is for {own}, not for {insisted}");
        return Err(Error::not_found(why).hint("leave out --platform, or choose another tag"));
    }
    Ok(())
}
