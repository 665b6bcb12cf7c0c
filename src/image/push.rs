//! Pushing: layers and config side by side, then the manifest, which makes them an image, by tag.
//!
//! A layer whose blob is here goes out as it came, so that an image that was pulled has the same
//! digest wherever it is pushed. Others are compressed here (see [`super::packing`]), always to the
//! same bytes. Nothing is sent that the registry has; a blob it has in another repository it is
//! asked to take from there.
//!
//! Should: send the manifest last. Until then the tag stands for what it stood for before.

use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::converted::{Coding, Format, Sendable, convert};
use super::layer_source::{LayerSource, layer_sources};
use super::manifest::{DOCUMENT_LIMIT, Descriptor, Document, Manifest};
use super::packing::{Compression, pack};
use super::platform::Platform;
use crate::base::{DiffId, Digest, Reference};
use crate::error::{Context, Error, Result};
use crate::registry::{Begun, Client, Repository, Upload};
use crate::store::{RefRecord, Store};

/// Progress is told after so many bytes.
const REPORT_STEP: u64 = 1 << 20;

/// What to push.
#[derive(Debug, Clone)]
pub struct PushRequest<'a> {
    /// The image here, by name or id.
    pub image: &'a str,
    /// Its name there, with a tag.
    pub target: &'a Reference,
    /// `--platform`: what the image has to be for.
    pub platform: Option<Platform>,
    /// `--format`: as it is when absent.
    pub format: Option<Format>,
    /// `--compression-format`: blobs that are here go out as they are when absent.
    pub compression: Option<Compression>,
    /// Layers at the same time.
    pub concurrency: usize,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// What the registry calls it.
    pub digest: Digest,
    /// The length of its manifest.
    pub size: usize,
}

/// One thing that happened to one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushEvent {
    /// Its turn will come.
    Preparing,
    /// So many bytes of the total are sent.
    Pushing {
        /// Sent.
        bytes: u64,
        /// Of so many.
        total: u64,
    },
    /// All of it is there.
    Pushed,
    /// The registry had it.
    Exists,
    /// The registry took it from its repository of this name.
    Mounted(String),
}

/// Listens to layers, which are named by their diff ids; called from several threads.
pub trait PushProgress: Sync {
    /// Something happened to a layer.
    fn layer(&self, layer: &DiffId, event: PushEvent);
}

/// Pushes an image. The tag there stands for the old image or for all of this one.
pub fn push(
    store: &Store,
    client: &Client,
    request: &PushRequest<'_>,
    progress: &dyn PushProgress,
) -> Result<Pushed> {
    let subject = || format!("push {}", request.target.familiar());
    let record = super::find::find_record(store, request.image)?;
    push_image(store, client, request, &record, progress).context(subject)
}

fn push_image(
    store: &Store,
    client: &Client,
    request: &PushRequest<'_>,
    record: &RefRecord,
    progress: &dyn PushProgress,
) -> Result<Pushed> {
    check_platform(record, request.platform.as_ref())?;
    let repository = client.repository(request.target)?;
    let original = read_manifest(store, &record.manifest)?;
    let Document::Manifest(manifest) = Document::parse(&original, None)? else {
        return Err(Error::corrupt("its manifest is an index"));
    };
    let sending = Sending {
        store,
        repository: &repository,
        request,
        sources: layer_sources(store, &record.manifest)?,
        elsewhere: repositories_with(store, request.target)?,
        // Only a manifest that a registry has given out says how plain layers are to be sent.
        exact: was_received(store, record)?,
        progress,
    };
    let layers = sending.all()?;
    sending.config(&manifest)?;
    let sendable = convert(
        &original,
        &manifest,
        &layers,
        wanted_format(request, &layers),
    )?;
    let Sendable { bytes, media_type } = sendable;
    let tag = request.target.tag.as_deref().unwrap_or("latest");
    let digest = repository.put_manifest(tag, media_type, &bytes)?;
    if record.reference == *request.target {
        // The registry has the image; the store may be full or read-only.
        if let Err(error) = store.note_repo_digest(record, digest) {
            log::warn!("{error}");
        }
    }
    Ok(Pushed {
        digest,
        size: bytes.len(),
    })
}

/// zstd exists in OCI's format only.
fn wanted_format(request: &PushRequest<'_>, layers: &[Descriptor]) -> Option<Format> {
    let zstd = |layer: &Descriptor| Coding::of(&layer.media_type) == Coding::Zstd;
    let asked = matches!(request.compression, Some(Compression::Zstd { .. }));
    match request.format {
        None if asked && layers.iter().any(zstd) => Some(Format::Oci),
        format => format,
    }
}

fn check_platform(record: &RefRecord, wanted: Option<&Platform>) -> Result<()> {
    let Some(wanted) = wanted else { return Ok(()) };
    let own: Platform = record.platform.parse()?;
    if wanted.rank(&own).is_some() {
        return Ok(());
    }
    let why = format!(
        "image with reference {} is for {own}",
        record.reference.familiar()
    );
    Err(Error::not_found(format!("{why}, not for {wanted}"))
        .hint(format!("hull pull --platform {wanted}, then push again")))
}

fn read_manifest(store: &Store, digest: &Digest) -> Result<Vec<u8>> {
    store.read_blob(digest, DOCUMENT_LIMIT)?.ok_or_else(|| {
        Error::corrupt(format!("{digest} is missing from the store")).hint("pull the image again")
    })
}

/// Whether the image's manifest is one that a registry has given out, by itself or in an index.
fn was_received(store: &Store, record: &RefRecord) -> Result<bool> {
    let Some(known) = record.repo_digest else {
        return Ok(false);
    };
    if known == record.manifest {
        return Ok(true);
    }
    let Some(bytes) = store.read_blob(&known, DOCUMENT_LIMIT)? else {
        return Ok(false);
    };
    let parsed = Document::parse(&bytes, None);
    Ok(matches!(parsed, Ok(Document::Index(entries))
        if entries.iter().any(|entry| entry.descriptor.digest == record.manifest)))
}

/// A repository of the target's registry, and the layers it is known to have.
struct Elsewhere {
    repository: String,
    layers: Vec<DiffId>,
}

/// What was pulled from or pushed to other repositories of this registry.
fn repositories_with(store: &Store, target: &Reference) -> Result<Vec<Elsewhere>> {
    let mut found = Vec::new();
    for record in store.refs()? {
        let other = &record.reference;
        let fits = other.registry == target.registry && other.repository != target.repository;
        if !fits || record.repo_digest.is_none() {
            continue;
        }
        // Of a damaged image nothing is expected.
        let Ok(sources) = layer_sources(store, &record.manifest) else {
            continue;
        };
        found.push(Elsewhere {
            repository: other.repository.clone(),
            layers: sources.iter().map(|source| source.diff_id).collect(),
        });
    }
    Ok(found)
}

/// One push under way.
struct Sending<'a> {
    store: &'a Store,
    repository: &'a Repository<'a>,
    request: &'a PushRequest<'a>,
    sources: Vec<LayerSource>,
    elsewhere: Vec<Elsewhere>,
    exact: bool,
    progress: &'a dyn PushProgress,
}

/// A blob that a layer may go out as.
struct Candidate {
    named: Descriptor,
    /// Its bytes, where they are at hand.
    file: Option<File>,
}

/// What came of asking for a blob.
enum Outcome {
    There,
    /// The registry wants bytes that are not at hand.
    Missing,
}

impl Sending<'_> {
    /// Sends all layers, several at once; what they are there, bottom first.
    fn all(&self) -> Result<Vec<Descriptor>> {
        for source in &self.sources {
            self.progress.layer(&source.diff_id, PushEvent::Preparing);
        }
        let next = AtomicUsize::new(0);
        let stop = AtomicBool::new(false);
        let done: Mutex<Vec<(usize, Result<Descriptor>)>> = Mutex::default();
        let work = || {
            while !stop.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(source) = self.sources.get(number) else {
                    return;
                };
                let sent = self.layer(number, source);
                if sent.is_err() {
                    stop.store(true, Ordering::Relaxed);
                }
                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                done.push((number, sent));
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.request.concurrency.min(self.sources.len()) {
                scope.spawn(work);
            }
            work();
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        // The lowest layer's error is told: the order of threads must not change the message.
        done.sort_by_key(|(number, _)| *number);
        done.into_iter().map(|(_, sent)| sent).collect()
    }

    fn layer(&self, number: usize, source: &LayerSource) -> Result<Descriptor> {
        let subject = || format!("layer {}", source.diff_id);
        for candidate in self.candidates(number, source).context(subject)? {
            match self.offer(source, &candidate).context(subject)? {
                Outcome::There => return Ok(candidate.named),
                Outcome::Missing => {}
            }
        }
        let way = self.request.compression.unwrap_or(Compression::DEFAULT);
        let (packed, file) = pack(self.store, source, way)?;
        // Only a short cut for the next push.
        if let Err(error) = self
            .store
            .note_packed(&self.stack(number), &way.name(), packed)
        {
            log::warn!("{error}");
        }
        let made = Candidate {
            named: described(way, packed.digest, packed.size),
            file: Some(file),
        };
        self.offer(source, &made).context(subject)?;
        Ok(made.named)
    }

    /// What the layer may go out as without being compressed, best first.
    fn candidates(&self, number: usize, source: &LayerSource) -> Result<Vec<Candidate>> {
        let way = self.request.compression;
        let coding = Coding::of(&source.named.media_type);
        let is_wanted = match way {
            None => coding != Coding::Plain || self.exact,
            // A blob of another level is still of the format that was asked for.
            Some(Compression::Gzip { .. }) => coding == Coding::Gzip,
            Some(Compression::Zstd { .. }) => coding == Coding::Zstd,
        };
        let mut found = Vec::new();
        if is_wanted {
            found.push(Candidate {
                named: source.named.clone(),
                file: source.blob_file()?,
            });
        }
        let way = way.unwrap_or(Compression::DEFAULT);
        let noted = self.store.packed(&self.stack(number), &way.name())?;
        found.extend(noted.map(|noted| Candidate {
            named: described(way, noted.digest, noted.size),
            file: None,
        }));
        Ok(found)
    }

    /// Sees to it that the registry has a blob, if that can be done.
    fn offer(&self, source: &LayerSource, candidate: &Candidate) -> Result<Outcome> {
        let tell = |event| self.progress.layer(&source.diff_id, event);
        let Descriptor { digest, size, .. } = &candidate.named;
        if self.repository.has_blob(digest, *size)? {
            tell(PushEvent::Exists);
            return Ok(Outcome::There);
        }
        let knows = |other: &&Elsewhere| other.layers.contains(&source.diff_id);
        let from = self.elsewhere.iter().find(knows);
        let from = from.map(|other| other.repository.as_str());
        if from.is_none() && candidate.file.is_none() {
            return Ok(Outcome::Missing);
        }
        let session = match self.repository.begin_upload(digest, from)? {
            Begun::Mounted => {
                tell(PushEvent::Mounted(from.unwrap_or_default().to_owned()));
                return Ok(Outcome::There);
            }
            Begun::Session(session) => session,
        };
        let Some(file) = &candidate.file else {
            return Ok(Outcome::Missing);
        };
        let reported = AtomicU64::new(0);
        let report = |bytes: u64| {
            let last = reported.load(Ordering::Relaxed);
            if bytes < last || bytes - last >= REPORT_STEP || bytes == *size {
                reported.store(bytes, Ordering::Relaxed);
                let total = *size;
                tell(PushEvent::Pushing { bytes, total });
            }
        };
        let upload = Upload {
            digest,
            size: *size,
            file,
            report: &report,
        };
        self.repository.upload(&upload, Some(session))?;
        tell(PushEvent::Pushed);
        Ok(Outcome::There)
    }

    /// Sends the config.
    fn config(&self, manifest: &Manifest) -> Result<()> {
        let Descriptor { digest, size, .. } = &manifest.config;
        if self.repository.has_blob(digest, *size)? {
            return Ok(());
        }
        let file = self.store.open_blob(digest)?.ok_or_else(|| {
            Error::corrupt(format!("{digest} is missing from the store"))
                .hint("pull the image again")
        })?;
        let upload = Upload {
            digest,
            size: *size,
            file: &file,
            report: &|_| {},
        };
        self.repository.upload(&upload, None)
    }

    fn stack(&self, number: usize) -> Vec<DiffId> {
        let below = self.sources[..=number].iter();
        below.map(|source| source.diff_id).collect()
    }
}

fn described(way: Compression, digest: Digest, size: u64) -> Descriptor {
    let coding = match way {
        Compression::Gzip { .. } => Coding::Gzip,
        Compression::Zstd { .. } => Coding::Zstd,
    };
    let media_type = Format::Oci.layer(coding);
    Descriptor {
        media_type: media_type.expect("OCI has a type for each").to_owned(),
        digest,
        size,
    }
}
