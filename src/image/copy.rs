//! `image copy`: an image goes from one place to another as it is.
//!
//! Nothing is converted, so manifests keep their digests. Blobs are checked while they pass, and
//! the place they go to names the image when all of it is there.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};
use serde_json::{Value, json};

use super::archive::Archive;
use super::archived::{DOCUMENTS_LIMIT, blob_path};
use super::config::ImageConfig;
use super::feed::{More, receive_layer};
use super::layers::{Wanted, unpack_missing};
use super::layout::{DIR_VERSION, Sink};
use super::manifest::{DOCUMENT_LIMIT, Descriptor, Document, IndexEntry, choose, entries, parts};
use super::platform::Platform;
use super::progress::Progress;
use super::pull::check_config;
use super::save::NewDirectory;
use super::source::{Piece, Source};
use super::tag::{Release, Target, publish_all};
use crate::base::{Digest, Reference};
use crate::error::{Context, Error, Result};
use crate::registry::{Client, Upload};
use crate::store::{Limits, Remade, Store};
use crate::sys::lock::{Sharing, lock};

/// Which of the images of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The index and all of them.
    All,
    /// The one for this platform.
    One(Platform),
}

/// Where an image goes.
pub enum Destination<'a> {
    /// `oci-archive:`, with the tag it gets.
    OciArchive(&'a mut dyn Write, Option<&'a str>),
    /// `docker-archive:`, with the name it gets.
    DockerArchive(&'a mut dyn Write, Option<&'a Reference>),
    /// `oci:`, with the tag it gets; one that is there is added to.
    OciDirectory(&'a Path, Option<&'a str>),
    /// `dir:`.
    Directory(&'a Path),
    /// `docker://`; blobs are kept in the store until they are sent.
    Registry(&'a Client, &'a Reference, &'a Store),
    /// `containers-storage:`.
    Store(&'a Store, &'a Reference, &'a dyn Progress),
}

/// Documents and blobs of an image, in the order in which they are written.
struct Cargo<'a> {
    source: &'a Source<'a>,
    /// What the image is named by: a manifest or an index.
    top: Piece,
    /// The manifests, `top` among them if it is one.
    manifests: Vec<Piece>,
    blobs: Vec<Descriptor>,
}

/// Copies; returns the digest of what the image is named by.
pub fn copy(source: &Source<'_>, which: &Which, to: Destination<'_>) -> Result<Digest> {
    let cargo = Cargo::of(source, which)?;
    match to {
        Destination::OciArchive(out, tag) => {
            let mut sink = Sink::Tar(out);
            cargo.write_layout(&mut sink, &cargo.index(tag, None)?, None)?;
        }
        Destination::DockerArchive(out, name) => {
            let manifest = cargo.docker_manifest(name)?;
            let tag = name.map(ToString::to_string);
            let index = cargo.index(tag.as_deref(), None)?;
            cargo.write_layout(&mut Sink::Tar(out), &index, Some(&manifest))?;
        }
        Destination::OciDirectory(path, tag) => cargo.to_layout_directory(path, tag)?,
        Destination::Directory(path) => {
            let target = NewDirectory::make(path)?;
            cargo.write_dir(&mut Sink::Directory(target.dir()?))?;
            target.keep()?;
        }
        Destination::Registry(client, name, store) => cargo.to_registry(client, name, store)?,
        Destination::Store(store, name, progress) => cargo.to_store(store, name, progress)?,
    }
    Ok(cargo.top.digest())
}

/// The documents of an index, each once, and not more of them than fit into memory.
fn children(source: &Source<'_>, listed: &[IndexEntry]) -> Result<Vec<Piece>> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut bytes = 0;
    for entry in listed {
        if !seen.insert(entry.descriptor.digest) {
            continue;
        }
        let piece = source.child(&entry.descriptor)?;
        bytes += piece.bytes.len() as u64;
        if bytes > DOCUMENTS_LIMIT {
            return Err(Error::corrupt("its manifests have more than 64 MiB"));
        }
        found.push(piece);
    }
    Ok(found)
}

impl<'a> Cargo<'a> {
    fn of(source: &'a Source<'a>, which: &Which) -> Result<Cargo<'a>> {
        let mut top = source.top();
        let mut manifests = Vec::new();
        // An index in an index is one platform's own choice.
        for _ in 0..3 {
            let Some(listed) = entries(&top.bytes)? else {
                manifests.push(top.clone());
                break;
            };
            match which {
                Which::One(platform) => {
                    top = source.child(&choose(&listed, platform)?.descriptor)?;
                }
                Which::All => {
                    manifests = children(source, &listed)?;
                    break;
                }
            }
        }
        if manifests.is_empty() {
            return Err(Error::corrupt("indexes nested too deep, or an empty one"));
        }
        let mut seen = BTreeSet::new();
        let mut blobs = Vec::new();
        for manifest in &manifests {
            let found =
                parts(&manifest.bytes).context(|| format!("manifest {}", manifest.digest()))?;
            blobs.extend(found.into_iter().filter(|blob| seen.insert(blob.digest)));
        }
        Ok(Cargo {
            source,
            top,
            manifests,
            blobs,
        })
    }

    /// All documents, each once.
    fn documents(&self) -> Vec<&Piece> {
        let mut seen = BTreeSet::new();
        let all = self.manifests.iter().chain([&self.top]);
        all.filter(|piece| seen.insert(piece.digest())).collect()
    }

    fn blob(&self, blob: &Descriptor, name: &str, sink: &mut Sink<'_>) -> Result<()> {
        let subject = || format!("copy blob {}", blob.digest);
        let mut bytes = self.source.blob(blob).context(subject)?;
        sink.file(name, blob.size, &mut bytes).context(subject)
    }

    /// `index.json` with the image, and what was in `old`.
    fn index(&self, tag: Option<&str>, old: Option<Value>) -> Result<Vec<u8>> {
        let mut entry = json!({
            "mediaType": self.top.media_type,
            "digest": self.top.digest(),
            "size": self.top.bytes.len(),
        });
        if let Some(tag) = tag {
            entry["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
        }
        let empty = || {
            json!({
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.index.v1+json",
                "manifests": [],
            })
        };
        let mut index = old.unwrap_or_else(empty);
        let others = index.get_mut("manifests");
        let others = others.and_then(Value::as_array_mut);
        let others = others.ok_or_else(|| Error::corrupt("index.json is no index"))?;
        // A tag means one image; without one the image is there once.
        let name =
            |entry: &Value| entry["annotations"]["org.opencontainers.image.ref.name"].clone();
        others.retain(|other| match tag {
            Some(tag) => name(other) != *tag,
            None => other["digest"] != entry["digest"] || !name(other).is_null(),
        });
        others.push(entry);
        Ok(serde_json::to_vec(&index)?)
    }

    fn write_layout(&self, sink: &mut Sink<'_>, index: &[u8], docker: Option<&[u8]>) -> Result<()> {
        sink.bytes("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        sink.bytes("index.json", index)?;
        if let Some(manifest) = docker {
            sink.bytes("manifest.json", manifest)?;
        }
        sink.directory("blobs")?;
        sink.directory("blobs/sha256")?;
        for piece in self.documents() {
            sink.bytes(&blob_path(&piece.digest()), &piece.bytes)?;
        }
        for blob in &self.blobs {
            self.blob(blob, &blob_path(&blob.digest), sink)?;
        }
        sink.end()
    }

    /// `manifest.json` of Docker's archives.
    fn docker_manifest(&self, name: Option<&Reference>) -> Result<Vec<u8>> {
        let parts = self.single("a docker-archive")?;
        let files: Vec<String> = parts.iter().map(|blob| blob_path(&blob.digest)).collect();
        let tags = name.map(|name| vec![name.familiar()]);
        Ok(serde_json::to_vec(&json!([{
            "Config": files[0],
            "RepoTags": tags,
            "Layers": files[1..],
        }]))?)
    }

    /// The parts of the only manifest.
    fn single(&self, place: &str) -> Result<Vec<Descriptor>> {
        match &self.manifests[..] {
            [only] if only.digest() == self.top.digest() => parts(&only.bytes),
            _ => Err(
                Error::invalid(format!("{place} holds images of one platform"))
                    .hint("leave out --all, or copy to oci:, oci-archive: or dir:"),
            ),
        }
    }

    fn write_dir(&self, sink: &mut Sink<'_>) -> Result<()> {
        sink.bytes("version", DIR_VERSION)?;
        sink.bytes("manifest.json", &self.top.bytes)?;
        for piece in self.documents() {
            let digest = piece.digest();
            if digest != self.top.digest() {
                sink.bytes(&format!("{}.manifest.json", digest.hex()), &piece.bytes)?;
            }
        }
        for blob in &self.blobs {
            self.blob(blob, &blob.digest.hex(), sink)?;
        }
        sink.end()
    }

    /// Makes a layout, or adds to the one that is there: its index changes last, in one step.
    fn to_layout_directory(&self, path: &Path, tag: Option<&str>) -> Result<()> {
        if !path.join("index.json").exists() {
            let target = NewDirectory::make(path)?;
            let mut sink = Sink::Directory(target.dir()?);
            self.write_layout(&mut sink, &self.index(tag, None)?, None)?;
            return target.keep();
        }
        let subject = || path.display().to_string();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::openat(CWD, path, flags, Mode::empty()).context(subject)?;
        self.add_to(dir, tag).context(subject)
    }

    fn add_to(&self, dir: OwnedFd, tag: Option<&str>) -> Result<()> {
        let there = Archive::Directory(dir.try_clone()?);
        let index = || {
            let old = there.small("index.json", DOCUMENT_LIMIT)?;
            let old: Value = serde_json::from_slice(&old).context(|| "index.json")?;
            self.index(tag, Some(old))
        };
        // What is no layout is told before anything is written.
        index()?;
        let is_here = |name: &str, size: u64| there.length(name).is_ok_and(|it| it == size);
        let mut sink = Sink::Directory(dir.try_clone()?);
        for piece in self.documents() {
            let name = blob_path(&piece.digest());
            if !is_here(&name, piece.bytes.len() as u64) {
                sink.bytes(&name, &piece.bytes)?;
            }
        }
        for blob in &self.blobs {
            let name = blob_path(&blob.digest);
            if !is_here(&name, blob.size) {
                self.blob(blob, &name, &mut sink)?;
            }
        }
        // Another copy may have added to it in the meantime.
        lock(&dir, Sharing::Exclusive, || "add to index.json")?;
        sink.bytes("index.json", &index()?)
    }

    /// Should: send the manifest that is named last. Until then the tag means what it meant.
    fn to_registry(&self, client: &Client, name: &Reference, store: &Store) -> Result<()> {
        if name
            .digest
            .is_some_and(|digest| digest != self.top.digest())
        {
            let why = format!("the image has digest {}", self.top.digest());
            return Err(Error::invalid(why).hint("copy it to a tag"));
        }
        let repository = client.repository(name)?;
        for blob in &self.blobs {
            if repository.has_blob(&blob.digest, blob.size)? {
                continue;
            }
            let subject = || format!("copy blob {}", blob.digest);
            // Sending may have to be repeated, and nothing is sent that is not what it is named.
            let mut file = store.unnamed_file()?;
            let source = self.source.blob(blob).context(subject)?;
            let mut source = source.take(blob.size.saturating_add(1));
            let copied = std::io::copy(&mut source, &mut file).context(subject)?;
            if copied != blob.size {
                let why = format!("its length is not the {} bytes announced", blob.size);
                return Err(Error::corrupt(why).wrap(subject()));
            }
            let upload = Upload {
                digest: &blob.digest,
                size: blob.size,
                file: &file,
                report: &|_| {},
            };
            repository.upload(&upload, None)?;
        }
        for piece in self.documents() {
            let digest = piece.digest();
            if digest != self.top.digest() {
                repository.put_manifest(&digest.to_string(), &piece.media_type, &piece.bytes)?;
            }
        }
        let digest = name.digest.map(|digest| digest.to_string());
        let which = digest
            .as_deref()
            .or(name.tag.as_deref())
            .unwrap_or("latest");
        repository.put_manifest(which, &self.top.media_type, &self.top.bytes)?;
        Ok(())
    }

    /// The image's config. Its file may be longer than its descriptor says, by any length.
    fn config(&self, named: &Descriptor) -> Result<Vec<u8>> {
        let subject = || format!("the image's config {}", named.digest);
        if named.size > DOCUMENT_LIMIT {
            return Err(Error::corrupt("it has more than 4 MiB").wrap(subject()));
        }
        let source = self.source.blob(named).context(subject)?;
        let mut bytes = Vec::new();
        // Its end, behind its last byte, says whether the bytes were right.
        let read = source.take(named.size + 1).read_to_end(&mut bytes);
        let count = read.context(subject)? as u64;
        match count == named.size {
            true => Ok(bytes),
            false => {
                let why = format!("its length is not the {} bytes announced", named.size);
                Err(Error::corrupt(why).wrap(subject()))
            }
        }
    }

    fn to_store(&self, store: &Store, name: &Reference, progress: &dyn Progress) -> Result<()> {
        self.single("the store")?;
        let Document::Manifest(manifest) = Document::parse(&self.top.bytes, None)? else {
            return Err(Error::corrupt("an index where a manifest should be"));
        };
        let config = self.config(&manifest.config)?;
        let parsed = ImageConfig::parse(&config)?;
        check_config(&parsed, &manifest, None)?;
        progress.begin(&name.familiar());
        let pairs = manifest.layers.iter().zip(&parsed.rootfs.diff_ids);
        let wanted: Vec<Wanted> = pairs
            .map(|(layer, diff_id)| Wanted {
                label: layer.digest,
                diff_id: *diff_id,
            })
            .collect();
        let stage = store.stage()?;
        let known = |number: usize| {
            let layer = &manifest.layers[number];
            let diff_id = &wanted[number].diff_id;
            if layer.digest == diff_id.0 {
                let stack = &parsed.rootfs.diff_ids[..=number];
                let (_, remade) = stage.note_recipe(stack, self.source.blob(layer)?)?;
                if remade == Remade::Yes {
                    return Ok(());
                }
            }
            super::load::keep_blob(&stage, &layer.digest, diff_id, self.source.blob(layer)?)
        };
        // One after the other: a source is read by one thread.
        unpack_missing(store, &stage, &wanted, 1, progress, known, |number| {
            let layer = &manifest.layers[number];
            let diff_id = &wanted[number].diff_id;
            if layer.digest != diff_id.0 {
                return receive_layer(&stage, layer, diff_id, progress, |offset| {
                    let mut source = self.source.blob(layer)?;
                    std::io::copy(&mut source.by_ref().take(offset), &mut std::io::sink())?;
                    Ok(Box::new(move |buffer: &mut [u8]| Ok(source.read(buffer)?)) as More<'_>)
                });
            }
            let tar = self.source.blob(layer)?;
            let (unpacked, remade) = stage.unpack_with_recipe(tar, &Limits::default())?;
            unpacked.expect_diff_id(diff_id)?;
            if remade == Remade::No {
                let tar = self.source.blob(layer)?;
                super::load::keep_blob(&stage, &layer.digest, diff_id, tar)?;
            }
            Ok(unpacked)
        })?;
        let target = Target {
            manifest: stage.add_blob(&self.top.bytes)?,
            image: stage.add_blob(&config)?,
            platform: parsed.platform().to_string(),
            repo_digest: None,
        };
        let names = vec![name.clone()];
        publish_all(store, stage, &[Release { target, names }]).map(drop)
    }
}
