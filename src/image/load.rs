//! `load`: images from archives and OCI layout directories.
//!
//! What the archive says decides its kind: `manifest.json` is `docker save`'s, `index.json` OCI's.
//! All images of one archive are checked and unpacked before the first of them gets a name.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::archive::Archive;
use super::config::ImageConfig;
use super::feed::{More, receive_layer};
use super::layers::{Wanted, unpack_missing};
use super::make::{NewLayer, publish_image};
use super::manifest::{
    DOCUMENT_LIMIT, Descriptor, Document, IndexEntry, Manifest, check_layer_count, choose,
};
use super::platform::Platform;
use super::progress::{Extracting, LayerEvent, Progress};
use super::pull::check_config;
use super::tag::{Named, Target, publish};
use crate::base::{Digest, Reference};
use crate::error::{Context, Error, Result};
use crate::store::{Limits, Stage, Store, decompress};

/// `manifest.json` is refused beyond this.
const TAR_MANIFEST_LIMIT: u64 = 1 << 20;
/// Layers unpacked at the same time; the source is one disk.
const THREADS: usize = 2;

/// An image that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The image's id.
    pub id: Digest,
    /// Its names, or one entry without a name.
    pub named: Vec<Named>,
}

/// Loads from a file or an OCI layout directory.
pub fn load_path(
    store: &Store,
    path: &Path,
    platform: Option<&Platform>,
    progress: &dyn Progress,
) -> Result<Vec<Loaded>> {
    let archive = Archive::open(store, path)?;
    load(store, &archive, platform, progress).context(|| format!("load {}", path.display()))
}

/// Loads from an open file, for example standard input.
pub fn load_stream(
    store: &Store,
    input: File,
    platform: Option<&Platform>,
    progress: &dyn Progress,
) -> Result<Vec<Loaded>> {
    let archive = Archive::of_file(store, input)?;
    load(store, &archive, platform, progress).context(|| "load from standard input")
}

fn load(
    store: &Store,
    archive: &Archive,
    platform: Option<&Platform>,
    progress: &dyn Progress,
) -> Result<Vec<Loaded>> {
    if archive.has("manifest.json") {
        return load_docker(store, archive, progress);
    }
    if archive.has("index.json") {
        let wanted = platform.cloned().unwrap_or_else(Platform::host);
        return load_oci(store, archive, &wanted, platform, progress);
    }
    Err(
        Error::corrupt("neither manifest.json nor index.json is in it: not an image archive")
            .hint("for the tar of a root filesystem use: hull import"),
    )
}

/// One image in `docker save`'s `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerEntry {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// An image whose layers are all unpacked, waiting for its name.
struct Ready {
    stage: Stage,
    config_bytes: Vec<u8>,
    layers: Vec<NewLayer>,
    names: Vec<Reference>,
}

fn load_docker(store: &Store, archive: &Archive, progress: &dyn Progress) -> Result<Vec<Loaded>> {
    let bytes = archive.small("manifest.json", TAR_MANIFEST_LIMIT)?;
    let entries: Vec<DockerEntry> =
        serde_json::from_slice(&bytes).context(|| "manifest.json in the archive")?;
    if entries.is_empty() {
        return Err(Error::corrupt("manifest.json names no image"));
    }
    let ready = entries
        .iter()
        .map(|entry| prepare_docker(store, archive, entry, progress));
    let ready: Vec<Ready> = ready.collect::<Result<_>>()?;
    let published = ready.into_iter().map(|ready| {
        let Ready {
            stage,
            config_bytes,
            layers,
            names,
        } = ready;
        let (id, named) = publish_image(store, stage, &config_bytes, &layers, &names)?;
        Ok(Loaded { id, named })
    });
    published.collect()
}

fn prepare_docker(
    store: &Store,
    archive: &Archive,
    entry: &DockerEntry,
    progress: &dyn Progress,
) -> Result<Ready> {
    let config_bytes = archive.small(&entry.config, DOCUMENT_LIMIT)?;
    check_config_name(&entry.config, &config_bytes)?;
    let config = ImageConfig::parse(&config_bytes)?;
    let files = entry.layers.clone().unwrap_or_default();
    check_layer_count(files.len())?;
    if files.len() != config.rootfs.diff_ids.len() {
        return Err(Error::corrupt(format!(
            "manifest.json lists {} layers, the image's config {}",
            files.len(),
            config.rootfs.diff_ids.len()
        )));
    }
    let names: Vec<Reference> = entry
        .repo_tags
        .iter()
        .flatten()
        .map(|name| name.parse::<Reference>())
        .collect::<Result<_>>()?;
    let title = names.first().map(Reference::familiar).unwrap_or_default();
    progress.begin(&title);
    let wanted: Vec<Wanted> = config
        .rootfs
        .diff_ids
        .iter()
        .map(|diff_id| Wanted {
            label: diff_id.0,
            diff_id: *diff_id,
        })
        .collect();
    let mut layers = Vec::new();
    for (name, layer) in files.iter().zip(&wanted) {
        let (_, tar_bytes) = member(archive, name)?;
        layers.push(NewLayer {
            diff_id: layer.diff_id,
            tar_bytes,
        });
    }
    let stage = store.stage()?;
    let known = |number: usize| {
        let (section, _) = member(archive, &files[number])?;
        let diff_id = wanted[number].diff_id;
        let found = decompress(section).and_then(digest_of);
        expect_digest(&diff_id.0, &found.context(|| format!("layer {diff_id}"))?)
    };
    unpack_missing(store, &stage, &wanted, THREADS, progress, known, |number| {
        let layer = &wanted[number];
        let (section, length) = member(archive, &files[number])?;
        let section = Extracting::new(section, layer.label, length, progress);
        let unpacked = decompress(section)
            .and_then(|tar| stage.unpack_layer(tar, &Limits::default()))
            .context(|| format!("layer {}", layer.label))?;
        unpacked.expect_diff_id(&layer.diff_id)?;
        progress.layer(&layer.label, LayerEvent::Complete);
        Ok(unpacked)
    })?;
    Ok(Ready {
        stage,
        config_bytes,
        layers,
        names,
    })
}

fn member(archive: &Archive, name: &str) -> Result<(super::archive::Section, u64)> {
    archive.file(name)?.ok_or_else(|| {
        let shown = crate::registry::escaped(name);
        Error::corrupt(format!("layer {shown:?} is missing in the archive"))
    })
}

fn digest_of(mut source: impl Read) -> Result<Digest> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 128 << 10];
    loop {
        match source.read(&mut buffer)? {
            0 => return Ok(Digest::from_hasher(hasher)),
            count => hasher.update(&buffer[..count]),
        }
    }
}

fn expect_digest(expected: &Digest, found: &Digest) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let why = format!("layer {expected} has digest {found}");
    Err(Error::corrupt(why))
}

/// Every known tool names the config by its digest; then it must be right.
fn check_config_name(name: &str, bytes: &[u8]) -> Result<()> {
    let stem = name.rsplit('/').next().unwrap_or_default();
    let stem = stem.strip_suffix(".json").unwrap_or(stem);
    let Ok(expected) = format!("sha256:{stem}").parse::<Digest>() else {
        return Ok(());
    };
    let found = Digest::of(bytes);
    if found == expected {
        return Ok(());
    }
    let why = format!("the image's config has digest {found}, its name says {expected}");
    Err(Error::corrupt(why))
}

fn load_oci(
    store: &Store,
    archive: &Archive,
    wanted: &Platform,
    insisted: Option<&Platform>,
    progress: &dyn Progress,
) -> Result<Vec<Loaded>> {
    let bytes = archive.small("index.json", DOCUMENT_LIMIT)?;
    let Document::Index(entries) = Document::parse(&bytes, None).context(|| "index.json")? else {
        return Err(Error::corrupt("index.json is not an index"));
    };
    // Entries of one name are one image for several platforms.
    let mut groups: Vec<(Option<String>, Vec<IndexEntry>)> = Vec::new();
    for entry in entries {
        match groups.iter_mut().find(|(name, _)| *name == entry.name) {
            Some((_, group)) => group.push(entry),
            None => groups.push((entry.name.clone(), vec![entry])),
        }
    }
    if groups.is_empty() {
        return Err(Error::corrupt("index.json names no image"));
    }
    let mut ready = Vec::new();
    for (name, group) in groups {
        let entry = match &group[..] {
            [only] => only,
            several => choose(several, wanted)?,
        };
        let name = name.and_then(|name| reference_of(&name));
        let (bytes, manifest) = resolve(archive, entry, wanted)?;
        progress.begin(&name.as_ref().map(Reference::familiar).unwrap_or_default());
        let (stage, target) = receive(store, archive, &bytes, &manifest, insisted, progress)?;
        ready.push((stage, target, name));
    }
    let published = ready.into_iter().map(|(stage, target, name)| {
        let names: Vec<Reference> = name.into_iter().collect();
        let named = publish(store, stage, &target, &names)?;
        Ok(Loaded {
            id: target.image,
            named,
        })
    });
    published.collect()
}

/// A name that is only a tag (`latest`) does not say of which repository.
fn reference_of(name: &str) -> Option<Reference> {
    let reference: Reference = name.parse().ok()?;
    let is_name = name.contains(['/', ':']) && reference.digest.is_none();
    is_name.then_some(reference)
}

fn resolve(
    archive: &Archive,
    entry: &IndexEntry,
    wanted: &Platform,
) -> Result<(Vec<u8>, Manifest)> {
    let mut here = entry.descriptor.clone();
    // An index in the layout's index, and one in that.
    for _ in 0..3 {
        let bytes = archive.small(&blob_path(&here.digest), DOCUMENT_LIMIT)?;
        let found = Digest::of(&bytes);
        if found != here.digest {
            let why = format!("blob {} has digest {found}", here.digest);
            return Err(Error::corrupt(why));
        }
        match Document::parse(&bytes, None)? {
            Document::Manifest(manifest) => return Ok((bytes, manifest)),
            Document::Index(entries) => here = choose(&entries, wanted)?.descriptor.clone(),
        }
    }
    Err(Error::corrupt("indexes nested too deep"))
}

fn blob_path(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn receive(
    store: &Store,
    archive: &Archive,
    manifest_bytes: &[u8],
    manifest: &Manifest,
    insisted: Option<&Platform>,
    progress: &dyn Progress,
) -> Result<(Stage, Target)> {
    let config_bytes = archive.small(&blob_path(&manifest.config.digest), DOCUMENT_LIMIT)?;
    let found = Digest::of(&config_bytes);
    if found != manifest.config.digest {
        let why = format!(
            "the image's config has digest {found}, expected {}",
            manifest.config.digest
        );
        return Err(Error::corrupt(why));
    }
    let config = ImageConfig::parse(&config_bytes)?;
    check_config(&config, manifest, insisted)?;
    let pairs = manifest.layers.iter().zip(&config.rootfs.diff_ids);
    let wanted: Vec<Wanted> = pairs
        .map(|(layer, diff_id)| Wanted {
            label: layer.digest,
            diff_id: *diff_id,
        })
        .collect();
    let stage = store.stage()?;
    let blob = |layer: &Descriptor| {
        let (section, length) = member(archive, &blob_path(&layer.digest))?;
        if length != layer.size {
            let why = format!(
                "layer {} has {length} of {} bytes",
                layer.digest, layer.size
            );
            return Err(Error::corrupt(why));
        }
        Ok(section)
    };
    let known = |number: usize| {
        let layer = &manifest.layers[number];
        let found = digest_of(blob(layer)?);
        expect_digest(
            &layer.digest,
            &found.context(|| format!("layer {}", layer.digest))?,
        )
    };
    unpack_missing(store, &stage, &wanted, THREADS, progress, known, |number| {
        let layer = &manifest.layers[number];
        blob(layer)?;
        receive_layer(&stage, layer, &wanted[number].diff_id, progress, |offset| {
            let (section, _) = member(archive, &blob_path(&layer.digest))?;
            let mut section = section.skip(offset);
            let read = move |buffer: &mut [u8]| Ok(std::io::Read::read(&mut section, buffer)?);
            Ok(Box::new(read) as More<'_>)
        })
    })?;
    let target = Target {
        manifest: stage.add_blob(manifest_bytes)?,
        image: stage.add_blob(&config_bytes)?,
        platform: config.platform().to_string(),
        repo_digest: None,
    };
    Ok((stage, target))
}
