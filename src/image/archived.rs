//! Which images an archive holds, by its own words: `index.json`, `manifest.json` or both.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;

use super::archive::Archive;
use super::config::ImageConfig;
use super::manifest::{
    DOCUMENT_LIMIT, Descriptor, Document, IndexEntry, Manifest, check_layer_count, choose,
};
use super::platform::Platform;
use crate::base::{DiffId, Digest, Reference};
use crate::error::{Context, Error, Result};

/// `manifest.json` is refused beyond this.
const TAR_MANIFEST_LIMIT: u64 = 1 << 20;

/// All documents of an archive together.
pub const DOCUMENTS_LIMIT: u64 = 64 << 20;
/// Images of one archive.
const MAX_IMAGES: usize = 4096;

/// An image in an archive. Its documents are read and are what they are named; its layers are not.
#[derive(Debug)]
pub struct ArchivedImage {
    /// The names it is to get.
    pub names: Vec<Reference>,
    /// The config's bytes.
    pub config: Arc<[u8]>,
    /// The manifest, if the archive has one.
    pub manifest: Option<(Arc<[u8]>, Manifest)>,
    /// Bottom first; as many as the config says.
    pub layers: Vec<ArchivedLayer>,
}

/// Where a layer is.
#[derive(Debug, PartialEq, Eq)]
pub struct ArchivedLayer {
    /// Its name in the archive.
    pub file: String,
    /// What it unpacks to.
    pub diff_id: DiffId,
    /// What the manifest says of it.
    pub named: Option<Descriptor>,
}

/// The images of an archive, those for `platform` (or this machine) where there are several kinds.
pub fn images(archive: &Archive, platform: Option<&Platform>) -> Result<Vec<ArchivedImage>> {
    let wanted = platform.cloned().unwrap_or_else(Platform::host);
    let mut documents = Documents {
        archive,
        read: HashMap::new(),
        bytes: 0,
    };
    let mut found = match archive.has("index.json") {
        true => oci_images(&mut documents, &wanted)?,
        false => Vec::new(),
    };
    if archive.has("manifest.json") {
        add_docker_images(&mut documents, &mut found)?;
    } else if !archive.has("index.json") {
        let why = "neither manifest.json nor index.json is in it: not an image archive";
        return Err(Error::corrupt(why).hint("for the tar of a root filesystem use: hull import"));
    }
    match found.is_empty() {
        true => Err(Error::corrupt("the archive names no image")),
        false => Ok(found),
    }
}

/// The documents of an archive: each is in memory once, however many images name it.
struct Documents<'a> {
    archive: &'a Archive,
    read: HashMap<String, Arc<[u8]>>,
    bytes: u64,
}

impl Documents<'_> {
    fn get(&mut self, name: &str) -> Result<Arc<[u8]>> {
        if let Some(known) = self.read.get(name) {
            return Ok(known.clone());
        }
        let bytes: Arc<[u8]> = self.archive.small(name, DOCUMENT_LIMIT)?.into();
        self.bytes += bytes.len() as u64;
        if self.bytes > DOCUMENTS_LIMIT {
            let why = "the documents of its images have more than 64 MiB";
            return Err(Error::corrupt(why));
        }
        self.read.insert(name.to_owned(), bytes.clone());
        Ok(bytes)
    }
}

fn check_count(images: usize) -> Result<()> {
    match images <= MAX_IMAGES {
        true => Ok(()),
        false => Err(Error::corrupt(format!(
            "the archive names {images} images, more than {MAX_IMAGES}"
        ))),
    }
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

/// Adds to the images of `index.json` the names of `manifest.json`, and the images it has alone.
fn add_docker_images(documents: &mut Documents<'_>, found: &mut Vec<ArchivedImage>) -> Result<()> {
    let bytes = documents
        .archive
        .small("manifest.json", TAR_MANIFEST_LIMIT)?;
    let entries: Vec<DockerEntry> =
        serde_json::from_slice(&bytes).context(|| "manifest.json in the archive")?;
    check_count(entries.len())?;
    let oci = found.len();
    for entry in entries {
        let config = documents.get(&entry.config)?;
        check_config_name(&entry.config, &config)?;
        let names = entry.repo_tags.iter().flatten();
        let names = names
            .map(|name| name.parse::<Reference>())
            .collect::<Result<Vec<_>>>()?;
        if let Some(known) = found[..oci].iter_mut().find(|it| it.config == config) {
            add_names(&mut known.names, names);
            continue;
        }
        let image = docker_image(&entry, names, config)?;
        let is_it = |known: &&mut ArchivedImage| {
            known.layers == image.layers && known.config == image.config
        };
        match found[oci..].iter_mut().find(is_it) {
            Some(known) => add_names(&mut known.names, image.names),
            None => found.push(image),
        }
    }
    Ok(())
}

fn add_names(names: &mut Vec<Reference>, more: Vec<Reference>) {
    for name in more {
        if !names.contains(&name) {
            names.push(name);
        }
    }
}

fn docker_image(
    entry: &DockerEntry,
    names: Vec<Reference>,
    config_bytes: Arc<[u8]>,
) -> Result<ArchivedImage> {
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
    let layers = files.into_iter().zip(config.rootfs.diff_ids);
    let layers = layers.map(|(file, diff_id)| ArchivedLayer {
        file,
        diff_id,
        named: None,
    });
    Ok(ArchivedImage {
        names,
        config: config_bytes,
        manifest: None,
        layers: layers.collect(),
    })
}

/// Every known tool names the config by its digest; then it must be right.
fn check_config_name(name: &str, bytes: &[u8]) -> Result<()> {
    let stem = name.rsplit('/').next().unwrap_or_default();
    let stem = stem.strip_suffix(".json").unwrap_or(stem);
    match format!("sha256:{stem}").parse::<Digest>() {
        Ok(expected) => expect_document("the image's config", &expected, bytes),
        Err(_) => Ok(()),
    }
}

fn expect_document(what: &str, expected: &Digest, bytes: &[u8]) -> Result<()> {
    let found = Digest::of(bytes);
    if found == *expected {
        return Ok(());
    }
    let why = format!("{what} has digest {found}, its name says {expected}");
    Err(Error::corrupt(why))
}

fn oci_images(documents: &mut Documents<'_>, wanted: &Platform) -> Result<Vec<ArchivedImage>> {
    let bytes = documents.get("index.json")?;
    let Document::Index(entries) = Document::parse(&bytes, None).context(|| "index.json")? else {
        return Err(Error::corrupt("index.json is not an index"));
    };
    check_count(entries.len())?;
    let mut found: Vec<ArchivedImage> = Vec::new();
    let mut manifests: Vec<Digest> = Vec::new();
    for (name, group) in grouped(entries) {
        let entry = match &group[..] {
            [only] => only,
            several => choose(several, wanted)?,
        };
        let names: Vec<Reference> = name
            .and_then(|name| reference_of(&name))
            .into_iter()
            .collect();
        let (digest, bytes, manifest) = resolve(documents, entry, wanted)?;
        match manifests.iter().position(|known| *known == digest) {
            Some(known) => add_names(&mut found[known].names, names),
            None => {
                found.push(oci_image(documents, names, bytes, manifest)?);
                manifests.push(digest);
            }
        }
    }
    Ok(found)
}

/// Entries of one name are one image for several platforms. So are those without a name, as long
/// as each is for another platform.
fn grouped(entries: Vec<IndexEntry>) -> Vec<(Option<String>, Vec<IndexEntry>)> {
    let mut groups: Vec<(Option<String>, Vec<IndexEntry>)> = Vec::new();
    for entry in entries {
        let is_alike = |(name, group): &&mut (Option<String>, Vec<IndexEntry>)| {
            let differs = |other: &IndexEntry| {
                entry.platform.is_some()
                    && other.platform.is_some()
                    && other.platform != entry.platform
            };
            *name == entry.name && (name.is_some() || group.iter().all(differs))
        };
        match groups.iter_mut().find(is_alike) {
            Some((_, group)) => group.push(entry),
            None => groups.push((entry.name.clone(), vec![entry])),
        }
    }
    groups
}

/// A name that is only a tag (`latest`) does not say of which repository.
fn reference_of(name: &str) -> Option<Reference> {
    let reference: Reference = name.parse().ok()?;
    let is_name = name.contains(['/', ':']) && reference.digest.is_none();
    is_name.then_some(reference)
}

fn resolve(
    documents: &mut Documents<'_>,
    entry: &IndexEntry,
    wanted: &Platform,
) -> Result<(Digest, Arc<[u8]>, Manifest)> {
    let mut here = entry.descriptor.clone();
    // An index in the layout's index, and one in that.
    for _ in 0..3 {
        let bytes = documents.get(&blob_path(&here.digest))?;
        expect_document("a manifest", &here.digest, &bytes)?;
        match Document::parse(&bytes, None)? {
            Document::Manifest(manifest) => return Ok((here.digest, bytes, manifest)),
            Document::Index(entries) => here = choose(&entries, wanted)?.descriptor.clone(),
        }
    }
    Err(Error::corrupt("indexes nested too deep"))
}

fn oci_image(
    documents: &mut Documents<'_>,
    names: Vec<Reference>,
    bytes: Arc<[u8]>,
    manifest: Manifest,
) -> Result<ArchivedImage> {
    let config_bytes = documents.get(&blob_path(&manifest.config.digest))?;
    expect_document("the image's config", &manifest.config.digest, &config_bytes)?;
    let config = ImageConfig::parse(&config_bytes)?;
    super::pull::check_config(&config, &manifest, None)?;
    let layers = manifest.layers.iter().zip(config.rootfs.diff_ids);
    let layers = layers.map(|(layer, diff_id)| ArchivedLayer {
        file: blob_path(&layer.digest),
        diff_id,
        named: Some(layer.clone()),
    });
    Ok(ArchivedImage {
        names,
        config: config_bytes,
        layers: layers.collect(),
        manifest: Some((bytes, manifest)),
    })
}

/// Where OCI layouts keep a blob.
pub fn blob_path(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::tests::fixture::{Made, Scratch};
    use super::*;

    /// The images of a directory with this `manifest.json` and `config`, which is `c` and whatever
    /// else is said.
    fn images_of(manifest: &str, config: &[u8], also: &[String]) -> Result<Vec<ArchivedImage>> {
        let scratch = Scratch::new();
        let path = scratch.path("images");
        fs::create_dir(&path).expect("makes");
        fs::write(path.join("manifest.json"), manifest).expect("writes");
        fs::write(path.join("c"), config).expect("writes");
        for name in also {
            fs::hard_link(path.join("c"), path.join(name)).expect("links");
        }
        images(&Archive::open(&scratch.store, &path)?, None)
    }

    fn padded(config: &[u8]) -> Vec<u8> {
        let mut config = config.to_vec();
        config.resize(DOCUMENT_LIMIT as usize, b' ');
        config
    }

    #[test]
    fn a19_images_of_one_config_share_it() {
        let made = Made::new(&[&[("a", "1")]]);
        let config = padded(&made.blobs[&made.config]);
        let entries: Vec<String> = (0..40)
            .map(|number| format!(r#"{{"Config":"c","Layers":["{}"]}}"#, number % 20))
            .collect();
        let manifest = format!("[{}]", entries.join(","));
        let found = images_of(&manifest, &config, &[]).expect("reads");
        assert_eq!(found.len(), 20, "the same twice is one image");
        let shared = found.iter();
        let shared = shared.filter(|image| Arc::ptr_eq(&image.config, &found[0].config));
        assert_eq!(shared.count(), 20);
    }

    #[test]
    fn a19_documents_of_an_archive_have_a_limit_together() {
        let made = Made::new(&[&[("a", "1")]]);
        let config = padded(&made.blobs[&made.config]);
        let most = DOCUMENTS_LIMIT / DOCUMENT_LIMIT;
        for (count, fits) in [(most, true), (most + 1, false)] {
            let names: Vec<String> = (0..count).map(|number| format!("c{number}")).collect();
            let entries = names.iter();
            let entries = entries.map(|name| format!(r#"{{"Config":"{name}","Layers":["l"]}}"#));
            let manifest = format!("[{}]", entries.collect::<Vec<_>>().join(","));
            let found = images_of(&manifest, &config, &names);
            assert_eq!(found.is_ok(), fits, "{:?}", found.err());
        }
    }

    #[test]
    fn a19_an_archive_names_so_many_images_and_no_more() {
        let made = Made::new(&[&[("a", "1")]]);
        let config = &made.blobs[&made.config];
        for (count, fits) in [(MAX_IMAGES, true), (MAX_IMAGES + 1, false)] {
            let entries = vec![r#"{"Config":"c","Layers":["l"]}"#; count];
            let manifest = format!("[{}]", entries.join(","));
            let found = images_of(&manifest, config, &[]);
            assert_eq!(found.is_ok(), fits, "{:?}", found.err());
        }
    }
}
