//! Places that an image can be copied from, as one: documents and blobs, whatever they lie in.
//!
//! The names are skopeo's: `docker://NAME`, `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`,
//! `docker-archive:FILE[:NAME]`, `dir:DIR`, `containers-storage:NAME` (also `hull:NAME`).

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::str::FromStr;

use super::archive::Archive;
use super::archived::{ArchivedImage, blob_path, images};
use super::layer_source::Verified;
use super::make::image_manifest;
use super::manifest::{DOCUMENT_LIMIT, Descriptor, entries};
use super::outgoing::{Outgoing, Words, choose};
use crate::base::{Digest, Reference};
use crate::error::{Context, Error, Result};
use crate::registry::{BlobReader, Client, Repository};
use crate::store::Store;

/// A place, as it is named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `docker://`: a registry.
    Registry(Reference),
    /// `oci:`: a layout directory.
    OciDirectory(PathBuf, Option<String>),
    /// `oci-archive:`: the same as a tar.
    OciArchive(PathBuf, Option<String>),
    /// `docker-archive:`.
    DockerArchive(PathBuf, Option<Reference>),
    /// `dir:`.
    Directory(PathBuf),
    /// `containers-storage:`: hull's own store.
    Store(String),
}

impl FromStr for Place {
    type Err = Error;

    fn from_str(text: &str) -> Result<Place> {
        let refuse = |why: &str| {
            Error::invalid(format!("invalid image name {text:?}, {why}")).hint(
                "docker://NAME, oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], \
                 dir:DIR or containers-storage:NAME",
            )
        };
        let (transport, rest) = text
            .split_once(':')
            .ok_or_else(|| refuse("expected colon-separated transport:reference"))?;
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) => (path, Some(tag).filter(|tag| !tag.is_empty())),
            None => (rest, None),
        };
        if path.is_empty() {
            return Err(refuse("nothing is named"));
        }
        let owned = tag.map(str::to_owned);
        Ok(match transport {
            "docker" => {
                let name = rest.strip_prefix("//");
                Place::Registry(name.ok_or_else(|| refuse("expected docker://"))?.parse()?)
            }
            "oci" => Place::OciDirectory(path.into(), owned),
            "oci-archive" => Place::OciArchive(path.into(), owned),
            "docker-archive" => Place::DockerArchive(path.into(), tag.map(str::parse).transpose()?),
            "dir" => Place::Directory(rest.into()),
            "containers-storage" | "hull" => Place::Store(rest.to_owned()),
            _ => return Err(refuse(&format!("unknown transport {transport:?}"))),
        })
    }
}

/// A manifest or an index.
#[derive(Debug, Clone)]
pub struct Piece {
    pub bytes: Vec<u8>,
    pub media_type: String,
}

impl Piece {
    /// Of these bytes, which say themselves what they are, or are an OCI manifest.
    fn new(bytes: Vec<u8>) -> Piece {
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let own = value["mediaType"].as_str();
        let default = match value.get("manifests") {
            Some(_) => "application/vnd.oci.image.index.v1+json",
            None => "application/vnd.oci.image.manifest.v1+json",
        };
        Piece {
            media_type: own.unwrap_or(default).to_owned(),
            bytes,
        }
    }

    /// The digest of its bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }
}

/// An image that can be copied.
pub enum Source<'a> {
    /// A layout, and the document in it that is meant.
    Layout(Archive, Piece),
    /// Docker's archive: its manifest is made here, its files have names of their own.
    Docker {
        archive: Archive,
        manifest: Piece,
        config: Vec<u8>,
        files: HashMap<Digest, String>,
    },
    /// A `dir:`.
    Directory(Archive, Piece),
    /// hull's store.
    Store(Box<Outgoing>),
    /// A registry.
    Registry(Repository<'a>, Piece),
}

/// What is needed to open places.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    pub store: &'a Store,
    /// For [`Place::Registry`].
    pub client: Option<&'a Client>,
}

impl<'a> Source<'a> {
    /// Opens a place and reads the document that it is named by.
    pub fn open(place: &Place, access: Access<'a>) -> Result<Source<'a>> {
        match place {
            Place::OciDirectory(path, tag) | Place::OciArchive(path, tag) => {
                let subject = || path.display().to_string();
                let archive = Archive::open(access.store, path)?;
                let top = tagged(&archive, tag.as_deref()).context(subject)?;
                Ok(Source::Layout(archive, top))
            }
            Place::DockerArchive(path, name) => {
                let subject = || path.display().to_string();
                let archive = Archive::open(access.store, path)?;
                docker(archive, name.as_ref()).context(subject)
            }
            Place::Directory(path) => {
                let archive = Archive::open(access.store, path)?;
                let top = archive.small("manifest.json", DOCUMENT_LIMIT);
                let top = top.context(|| path.display().to_string())?;
                Ok(Source::Directory(archive, Piece::new(top)))
            }
            Place::Store(name) => {
                let chosen = choose(access.store, &[name.as_str()])?;
                let [(record, names)] = &chosen[..] else {
                    return Err(Error::invalid(format!("{name} means several images"))
                        .hint("add the tag of one"));
                };
                let names = names.clone();
                let image = Outgoing::read(access.store, record, names, Words::Own)?;
                Ok(Source::Store(Box::new(image)))
            }
            Place::Registry(name) => {
                let client = access
                    .client
                    .expect("a place in a registry comes with a client");
                let repository = client.repository(name)?;
                let tag = name.tag.as_deref().unwrap_or("latest");
                let top = repository.manifest(tag, name.digest.as_ref())?;
                let mut piece = Piece::new(top.bytes);
                piece.media_type = top.media_type.unwrap_or(piece.media_type);
                Ok(Source::Registry(repository, piece))
            }
        }
    }

    /// The document the place is named by.
    pub fn top(&self) -> Piece {
        match self {
            Source::Layout(_, top) | Source::Directory(_, top) | Source::Registry(_, top) => {
                top.clone()
            }
            Source::Docker { manifest, .. } => manifest.clone(),
            Source::Store(image) => Piece {
                bytes: image.manifest.clone(),
                media_type: image.media_type.clone(),
            },
        }
    }

    /// A document that an index names.
    pub fn child(&self, wanted: &Descriptor) -> Result<Piece> {
        let bytes = match self {
            Source::Layout(archive, _) => archive.small(&blob_path(&wanted.digest), DOCUMENT_LIMIT),
            Source::Directory(archive, _) => {
                let name = format!("{}.manifest.json", wanted.digest.hex());
                archive.small(&name, DOCUMENT_LIMIT)
            }
            Source::Registry(repository, _) => {
                let found = repository.manifest("", Some(&wanted.digest));
                found.map(|found| found.bytes)
            }
            Source::Docker { .. } | Source::Store(_) => {
                Err(Error::corrupt("an index where none can be"))
            }
        };
        let piece = Piece::new(bytes?);
        match piece.digest() == wanted.digest {
            true => Ok(piece),
            false => Err(Error::corrupt(format!(
                "manifest {} has digest {}",
                wanted.digest,
                piece.digest()
            ))),
        }
    }

    /// The bytes of a blob; checked at their end.
    pub fn blob(&self, wanted: &Descriptor) -> Result<Box<dyn Read + Send + '_>> {
        let digest = &wanted.digest;
        let source: Box<dyn Read + Send + '_> = match self {
            Source::Layout(archive, _) => Box::new(archive.section(&blob_path(digest))?),
            Source::Directory(archive, _) => Box::new(archive.section(&digest.hex())?),
            Source::Docker {
                archive,
                config,
                files,
                ..
            } => match files.get(digest) {
                Some(file) => Box::new(archive.section(file)?),
                None => Box::new(&config[..]),
            },
            Source::Store(image) => {
                match image.layers.iter().find(|it| it.blob.digest == *digest) {
                    // It checks for itself.
                    Some(layer) => return layer.open(),
                    None => Box::new(&image.config[..]),
                }
            }
            Source::Registry(repository, _) => {
                Box::new(Remote(repository.blob(digest, wanted.size, 0)))
            }
        };
        Ok(Box::new(Verified::new(source, *digest)))
    }
}

/// A registry's blob as any other reader.
struct Remote<'a>(BlobReader<'a>);

impl Read for Remote<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_some(buffer).map_err(io::Error::other)
    }
}

/// The document of a layout with this tag; without one, the only one there is.
fn tagged(archive: &Archive, tag: Option<&str>) -> Result<Piece> {
    let index = archive.small("index.json", DOCUMENT_LIMIT)?;
    let found = entries(&index)?.ok_or_else(|| Error::corrupt("index.json is no index"))?;
    let is_it = |name: &str| {
        let reference = name.parse::<Reference>().ok();
        Some(name) == tag || reference.is_some_and(|name| name.tag.as_deref() == tag)
    };
    let mut fitting: Vec<_> = found
        .iter()
        .filter(|entry| tag.is_none() || entry.name.as_deref().is_some_and(is_it))
        .map(|entry| entry.descriptor.digest)
        .collect();
    fitting.dedup();
    let [digest] = fitting[..] else {
        let names = found.iter().filter_map(|entry| entry.name.clone());
        let names = crate::registry::escaped(&names.collect::<Vec<_>>().join(", "));
        return Err(match (fitting.is_empty(), tag) {
            (true, Some(tag)) => Error::not_found(format!("no image with tag {tag:?} in it")),
            (true, None) => Error::not_found("no image in it"),
            _ => Error::invalid("more than one image in it"),
        }
        .hint(format!("choose one of its tags: {names}")));
    };
    let piece = Piece::new(archive.small(&blob_path(&digest), DOCUMENT_LIMIT)?);
    match piece.digest() == digest {
        true => Ok(piece),
        false => Err(Error::corrupt(format!(
            "manifest {digest} has another digest"
        ))),
    }
}

fn docker<'a>(archive: Archive, name: Option<&Reference>) -> Result<Source<'a>> {
    let mut found = images(&archive, None)?;
    found.retain(|image| name.is_none_or(|name| image.names.contains(name)));
    let count = found.len();
    let (Some(image), 1) = (found.pop(), count) else {
        let shown = name.map(Reference::familiar).unwrap_or_default();
        return Err(match count {
            0 => Error::not_found(format!("no image {shown} in it")),
            _ => Error::invalid("more than one image in it").hint("add the name of one"),
        });
    };
    let ArchivedImage {
        config,
        manifest,
        layers,
        ..
    } = image;
    let mut files = HashMap::new();
    let mut blobs = Vec::new();
    for layer in layers {
        let blob = match layer.named {
            Some(named) => named,
            None => archive.describe(&layer.file)?,
        };
        files.insert(blob.digest, layer.file);
        blobs.push(blob);
    }
    let manifest = match manifest {
        Some((bytes, _)) => bytes.to_vec(),
        None => image_manifest(&config, &blobs)?,
    };
    Ok(Source::Docker {
        archive,
        manifest: Piece::new(manifest),
        config: config.to_vec(),
        files,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_named_as_in_skopeo() {
        let tagged = |tag: &str| Some(tag.to_owned());
        let table = [
            (
                "docker://a/b:1",
                Place::Registry("a/b:1".parse().expect("name")),
            ),
            (
                "oci:/x/y:t",
                Place::OciDirectory("/x/y".into(), tagged("t")),
            ),
            ("oci:y", Place::OciDirectory("y".into(), None)),
            (
                "oci-archive:f:a/b:1",
                Place::OciArchive("f".into(), tagged("a/b:1")),
            ),
            (
                "docker-archive:f.tar:b:2",
                Place::DockerArchive("f.tar".into(), Some("b:2".parse().expect("name"))),
            ),
            ("dir:/a:b", Place::Directory("/a:b".into())),
            ("containers-storage:b:2", Place::Store("b:2".to_owned())),
            ("hull:b", Place::Store("b".to_owned())),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse::<Place>().expect(text), expected);
        }
        for bad in [
            "alpine",
            "alpine:3",
            "docker:alpine",
            "oci:",
            "dir:",
            "sif:x",
            ":x",
        ] {
            let error = bad.parse::<Place>().expect_err(bad).to_string();
            assert!(error.contains("invalid image name"), "{error}");
        }
    }
}
