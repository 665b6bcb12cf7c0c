//! Images on their way out of the store: chosen by name, with the bytes of everything they need.

use std::io::Read;

use super::commit::oci_type;
use super::config::ImageConfig;
use super::find::find_record;
use super::layer_source::{LayerSource, layer_sources};
use super::make::image_manifest;
use super::manifest::{DOCUMENT_LIMIT, Descriptor, MediaType};
use super::platform::Platform;
use super::tag::is_untagged;
use crate::base::{DiffId, Digest, Reference};
use crate::error::{Context, Error, Kind, Result};
use crate::store::{RefRecord, Store};

/// An image as it will be written.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Its names there.
    pub names: Vec<Reference>,
    /// The manifest's media type.
    pub media_type: String,
    pub manifest: Vec<u8>,
    pub config: Vec<u8>,
    pub layers: Vec<OutgoingLayer>,
}

/// A layer as it will be written.
#[derive(Debug, Clone)]
pub struct OutgoingLayer {
    /// What the manifest says of it.
    pub blob: Descriptor,
    pub diff_id: DiffId,
    source: LayerSource,
}

/// Which manifest goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// The image's own, where all it names is here.
    Own,
    /// One in OCI's words.
    Oci,
}

/// The images that `names` mean, each once, in order. A name without a tag means all tags of its
/// repository, as in `docker save`; an id or digest means the image without a name.
pub fn choose(store: &Store, names: &[&str]) -> Result<Vec<(RefRecord, Vec<Reference>)>> {
    let mut chosen: Vec<(RefRecord, Vec<Reference>)> = Vec::new();
    for name in names {
        for (record, name) in meant(store, name)? {
            let known = chosen
                .iter_mut()
                .find(|(known, _)| known.manifest == record.manifest);
            match known {
                Some((_, names)) => names.extend(name.filter(|name| !names.contains(name))),
                None => chosen.push((record, name.into_iter().collect())),
            }
        }
    }
    Ok(chosen)
}

fn meant(store: &Store, name: &str) -> Result<Vec<(RefRecord, Option<Reference>)>> {
    let reference = name.parse::<Reference>();
    if let Ok(reference) = &reference
        && reference.digest.is_none()
        && !is_tagged(name)
    {
        let records = store.refs()?.into_iter().filter(|record| {
            let own = &record.reference;
            own.full_name() == reference.full_name() && own.tag.is_some()
        });
        let all: Vec<_> = records
            .map(|record| (record.clone(), Some(record.reference)))
            .collect();
        if !all.is_empty() {
            return Ok(all);
        }
    }
    let record = find_record(store, name).map_err(|error| match error.kind() {
        Kind::NotFound => Error::not_found(format!("reference does not exist: {name}"))
            .hint("hull images lists what is here"),
        _ => error,
    })?;
    let is_name = reference.is_ok_and(|reference| reference == record.reference);
    let own = record.reference.clone();
    let named = is_name && own.digest.is_none() && !is_untagged(&own);
    Ok(vec![(record, named.then_some(own))])
}

/// Whether the text ends in a tag.
fn is_tagged(name: &str) -> bool {
    name.rsplit('/')
        .next()
        .is_some_and(|last| last.contains(':'))
}

impl Outgoing {
    /// Reads what an image consists of, and finds where its layers can be had from.
    pub fn read(
        store: &Store,
        record: &RefRecord,
        names: Vec<Reference>,
        words: Words,
    ) -> Result<Outgoing> {
        let subject = || match names.first() {
            Some(name) => format!("save {}", name.familiar()),
            None => format!("save {}", record.image.short()),
        };
        let read = |digest: &Digest| {
            let bytes = store.read_blob(digest, DOCUMENT_LIMIT).context(subject)?;
            bytes.ok_or_else(|| {
                Error::corrupt(format!("{digest} is missing from the store"))
                    .hint("pull the image again")
                    .wrap(subject())
            })
        };
        let (own, config) = (read(&record.manifest)?, read(&record.image)?);
        let sources = layer_sources(store, &record.manifest).context(subject)?;
        let layers = sources.into_iter().map(OutgoingLayer::new);
        let mut layers = layers.collect::<Result<Vec<_>>>().context(subject)?;
        let own_type = media_type_of(&own);
        let is_own = layers
            .iter()
            .all(|layer| layer.blob.digest == layer.source.named.digest);
        let keeps = match words {
            Words::Own => is_own,
            Words::Oci => is_own && own_type == Some(MediaType::OciManifest),
        };
        let (manifest, media_type) = match (keeps, own_type) {
            (true, Some(known)) => (own, known),
            _ => {
                for layer in &mut layers {
                    layer.blob.media_type = oci_type(&layer.blob.media_type).to_owned();
                }
                let blobs: Vec<Descriptor> =
                    layers.iter().map(|layer| layer.blob.clone()).collect();
                (image_manifest(&config, &blobs)?, MediaType::OciManifest)
            }
        };
        Ok(Outgoing {
            names,
            media_type: media_type.name().to_owned(),
            manifest,
            config,
            layers,
        })
    }

    /// The config's digest.
    pub fn id(&self) -> Digest {
        Digest::of(&self.config)
    }

    /// Refuses an image for another platform than the user insists on.
    pub fn expect_platform(&self, insisted: &Platform) -> Result<()> {
        let own = ImageConfig::parse(&self.config)?.platform();
        match insisted.rank(&own) {
            Some(_) => Ok(()),
            None => {
                let name = self.names.first().map(Reference::familiar);
                let name = name.unwrap_or_else(|| self.id().short());
                let why = format!("image {name} is here for {own}, not for {insisted}");
                Err(Error::not_found(why).hint("hull pull --platform gets another"))
            }
        }
    }
}

/// The type a manifest says it has; OCI's may leave it out.
fn media_type_of(manifest: &[u8]) -> Option<MediaType> {
    let value: serde_json::Value = serde_json::from_slice(manifest).ok()?;
    match value.get("mediaType") {
        None => Some(MediaType::OciManifest),
        Some(name) => MediaType::of(name.as_str()?),
    }
}

impl OutgoingLayer {
    fn new(source: LayerSource) -> Result<OutgoingLayer> {
        let is_tar = source.named.digest == source.diff_id.0;
        let blob = match is_tar || source.blob()?.is_some() {
            true => source.named.clone(),
            false => Descriptor {
                media_type: "application/vnd.oci.image.layer.v1.tar".to_owned(),
                digest: source.diff_id.0,
                size: source.tar_bytes()?,
            },
        };
        Ok(OutgoingLayer {
            blob,
            diff_id: source.diff_id,
            source,
        })
    }

    /// The bytes that have the digest of `blob`; checked at their end.
    pub fn open(&self) -> Result<Box<dyn Read + Send>> {
        if self.blob.digest == self.source.named.digest
            && let Some(blob) = self.source.blob()?
        {
            return Ok(Box::new(blob));
        }
        self.source.tar()
    }
}
