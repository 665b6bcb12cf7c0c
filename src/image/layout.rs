//! Images as files: the layouts that archives and directories have, and writing them.
//!
//! Documents come first, then what they name, so that a reader need not go back. Everything is the
//! same each time: no times, owners or random names are in it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};
use serde_json::{Map, Value, json};

use super::archived::blob_path;
use super::manifest::Descriptor;
use super::outgoing::{Outgoing, OutgoingLayer};
use crate::base::{DiffId, Digest, Reference};
use crate::error::{Context, Error, Result};
use crate::store::random_hex;

/// What is written, and in which words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// An OCI layout that is Docker's archive too: what `docker save` writes.
    Docker,
    /// An OCI layout.
    Oci,
    /// One image as skopeo's `dir:` keeps it.
    Dir,
}

/// Where files go.
pub enum Sink<'a> {
    /// Into a tar.
    Tar(&'a mut dyn Write),
    /// Into an empty directory.
    Directory(OwnedFd),
}

/// What a `dir:` directory says of itself.
pub const DIR_VERSION: &[u8] = b"Directory Transport Version: 1.1\n";

/// Writes images.
pub fn write(images: &[Outgoing], layout: Layout, sink: &mut Sink<'_>) -> Result<()> {
    match layout {
        Layout::Dir => write_dir(images, sink)?,
        Layout::Docker | Layout::Oci => {
            sink.bytes("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
            sink.bytes("index.json", &index(images, layout)?)?;
            if layout == Layout::Docker {
                sink.bytes("manifest.json", &docker_manifest(images)?)?;
            }
            sink.directory("blobs")?;
            sink.directory("blobs/sha256")?;
            write_blobs(images, sink)?;
        }
    }
    sink.end()
}

fn write_blobs(images: &[Outgoing], sink: &mut Sink<'_>) -> Result<()> {
    let mut written: BTreeSet<Digest> = BTreeSet::new();
    for image in images {
        for bytes in [&image.manifest, &image.config] {
            let digest = Digest::of(bytes);
            if written.insert(digest) {
                sink.bytes(&blob_path(&digest), bytes)?;
            }
        }
        for layer in &image.layers {
            if written.insert(layer.blob.digest) {
                sink.layer(&blob_path(&layer.blob.digest), layer)?;
            }
        }
    }
    Ok(())
}

fn write_dir(images: &[Outgoing], sink: &mut Sink<'_>) -> Result<()> {
    let [image] = images else {
        return Err(Error::invalid("a dir holds one image")
            .hint("save them one by one, or take another format"));
    };
    sink.bytes("version", DIR_VERSION)?;
    sink.bytes("manifest.json", &image.manifest)?;
    sink.bytes(&image.id().hex(), &image.config)?;
    let mut written = BTreeSet::new();
    for layer in &image.layers {
        if written.insert(layer.blob.digest) {
            sink.layer(&layer.blob.digest.hex(), layer)?;
        }
    }
    Ok(())
}

/// `index.json`: an entry for each name, one for an image without any.
fn index(images: &[Outgoing], layout: Layout) -> Result<Vec<u8>> {
    let mut entries: Vec<Value> = Vec::new();
    for image in images {
        let entry = json!({
            "mediaType": image.media_type,
            "digest": Digest::of(&image.manifest),
            "size": image.manifest.len(),
        });
        for name in &image.names {
            let mut entry = entry.clone();
            entry["annotations"] = annotations(name, layout);
            entries.push(entry);
        }
        if image.names.is_empty() {
            entries.push(entry);
        }
    }
    Ok(serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": entries,
    }))?)
}

/// Docker's tools look for the first, others for the second: with a tag in it Docker's way, with
/// the whole name as podman writes it.
fn annotations(name: &Reference, layout: Layout) -> Value {
    let tag = name.tag.as_deref().unwrap_or_default();
    let own = match layout {
        Layout::Docker => tag.to_owned(),
        _ => name.to_string(),
    };
    json!({
        "io.containerd.image.name": name.to_string(),
        "org.opencontainers.image.ref.name": own,
    })
}

/// `manifest.json` of Docker's archives.
fn docker_manifest(images: &[Outgoing]) -> Result<Vec<u8>> {
    let entries = images.iter().map(|image| {
        let names: Vec<String> = image.names.iter().map(Reference::familiar).collect();
        let files = image
            .layers
            .iter()
            .map(|layer| blob_path(&layer.blob.digest));
        let sources = image.layers.iter().map(|layer| {
            let DiffId(diff_id) = layer.diff_id;
            (diff_id.to_string(), described(&layer.blob))
        });
        json!({
            "Config": blob_path(&image.id()),
            "RepoTags": if names.is_empty() { Value::Null } else { names.into() },
            "Layers": files.collect::<Vec<_>>(),
            "LayerSources": sources.collect::<Map<_, _>>(),
        })
    });
    Ok(serde_json::to_vec(&entries.collect::<Vec<_>>())?)
}

fn described(blob: &Descriptor) -> Value {
    json!({"mediaType": blob.media_type, "size": blob.size, "digest": blob.digest})
}

impl Sink<'_> {
    /// A file with these bytes.
    pub fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.file(name, bytes.len() as u64, &mut &bytes[..])
            .context(|| format!("write {name}"))
    }

    fn layer(&mut self, name: &str, layer: &OutgoingLayer) -> Result<()> {
        let subject = || format!("save layer {}", layer.blob.digest);
        let mut source = layer.open().context(subject)?;
        self.file(name, layer.blob.size, &mut source)
            .context(subject)
    }

    /// A file of exactly this size, which its source's end confirms.
    pub fn file(&mut self, name: &str, size: u64, source: &mut dyn Read) -> Result<()> {
        let copied = match self {
            Sink::Tar(out) => {
                out.write_all(header(name, size, tar::EntryType::Regular)?.as_bytes())?;
                let copied = copy(source, out, size)?;
                let padding = copied.next_multiple_of(512) - copied;
                out.write_all(&[0; 512][..usize::try_from(padding).unwrap_or(0)])?;
                copied
            }
            Sink::Directory(dir) => {
                let (parent, name) = name.rsplit_once('/').unwrap_or((".", name));
                write_whole(&beneath(dir, parent)?, name, size, source)?
            }
        };
        match copied == size {
            true => Ok(()),
            false => Err(Error::corrupt(format!("it has {copied} bytes, not {size}"))),
        }
    }

    /// A directory.
    pub fn directory(&mut self, name: &str) -> Result<()> {
        match self {
            Sink::Tar(out) => {
                let header = header(&format!("{name}/"), 0, tar::EntryType::Directory)?;
                Ok(out.write_all(header.as_bytes())?)
            }
            Sink::Directory(dir) => {
                let made = rustix::fs::mkdirat(&*dir, name, Mode::from_raw_mode(0o755));
                made.context(|| format!("make {name}"))?;
                let (parent, _) = name.rsplit_once('/').unwrap_or((".", name));
                Ok(rustix::fs::fsync(beneath(dir, parent)?)?)
            }
        }
    }

    /// Nothing more comes.
    pub fn end(&mut self) -> Result<()> {
        match self {
            Sink::Tar(out) => {
                out.write_all(&[0; 1024])?;
                Ok(out.flush()?)
            }
            Sink::Directory(_) => Ok(()),
        }
    }
}

/// A directory in a layout. Whoever owns the layout may have put a link in its place.
fn beneath(dir: &OwnedFd, name: &str) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let opened = rustix::fs::openat2(dir, name, flags, Mode::empty(), resolve);
    opened.context(|| format!("open {name}"))
}

/// Writes a file that gets its name once it is whole and on the disk: others may read the
/// directory. Returns how many bytes there were; if they are not `size`, there is no file.
fn write_whole(dir: &OwnedFd, name: &str, size: u64, source: &mut dyn Read) -> Result<u64> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(0o644);
    // Nobody else's: that of a copy that was killed, or of one that is under way.
    let part = format!(".{name}.{}.part", random_hex()?);
    let opened = rustix::fs::openat(dir, &part, flags | OFlags::NOFOLLOW, mode)?;
    let mut file = File::from(opened);
    let written = copy(source, &mut file, size).and_then(|copied| {
        if copied == size {
            file.sync_all()?;
            rustix::fs::renameat(dir, &part, dir, name)?;
        }
        Ok(copied)
    });
    match written {
        Ok(copied) if copied == size => rustix::fs::fsync(dir)?,
        // The error that stopped us is the one to tell.
        _ => drop(rustix::fs::unlinkat(dir, &part, AtFlags::empty())),
    }
    written
}

/// Copies to the end of `source`, which checks its digest there, but writes no more than `size`.
fn copy(source: &mut dyn Read, out: &mut dyn Write, size: u64) -> Result<u64> {
    let mut buffer = vec![0; 256 << 10];
    let mut copied = 0;
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        copied += count as u64;
        if copied > size {
            return Ok(copied);
        }
        out.write_all(&buffer[..count])?;
    }
}

fn header(name: &str, size: u64, kind: tar::EntryType) -> Result<tar::Header> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name)?;
    header.set_size(size);
    header.set_entry_type(kind);
    header.set_mode(match kind {
        tar::EntryType::Directory => 0o755,
        _ => 0o644,
    });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    Ok(header)
}
