//! `load`: images from archives and OCI layout directories.
//!
//! An archive describes its images in OCI's `index.json`, in Docker's `manifest.json`, or in both.
//! OCI's counts first, because it names manifests, which are kept as they are; Docker's adds names
//! and what OCI's leaves out. All images of one archive are checked and unpacked, into one stage,
//! before the first of them gets a name.
//!
//! A compressed layer is kept as the blob it is. Of a plain tar the recipe is kept (see
//! `store::recipe`), which is a few percent of it.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::archive::{Archive, Form};
use super::archived::{ArchivedImage, ArchivedLayer, images};
use super::config::ImageConfig;
use super::feed::{More, receive_layer};
use super::layers::{Wanted, unpack_missing};
use super::make::image_manifest;
use super::manifest::Descriptor;
use super::platform::Platform;
use super::progress::{Extracting, LayerEvent, Progress};
use super::pull::check_config;
use super::tag::{Named, Release, Target, publish_all};
use crate::base::{DiffId, Digest, Reference};
use crate::error::{Context, Error, Result};
use crate::store::{Limits, Remade, Stage, Store, UnpackedLayer, decompress, drain};

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
    let found = images(archive, platform)?;
    let stage = store.stage()?;
    let loading = Loading {
        store,
        archive,
        stage: &stage,
        checked: RefCell::default(),
        found: RefCell::default(),
        progress,
    };
    let releases = found
        .iter()
        .map(|image| loading.receive(image, platform))
        .collect::<Result<Vec<Release>>>()
        .inspect_err(|_| {
            // What stays is swept after a day; the first error is the one to tell.
            let _ = stage.forget_blobs();
        })?;
    let ids: Vec<Digest> = releases
        .iter()
        .map(|release| release.target.image)
        .collect();
    let told = publish_all(store, stage, &releases)?;
    let loaded = ids.into_iter().zip(told);
    Ok(loaded.map(|(id, named)| Loaded { id, named }).collect())
}

/// One archive on its way into the store.
struct Loading<'a> {
    store: &'a Store,
    archive: &'a Archive,
    stage: &'a Stage,
    /// Layers that are here and whose bytes in the archive were found to be right.
    checked: RefCell<HashSet<(String, DiffId)>>,
    /// What the compressed layers without a manifest are.
    found: RefCell<HashMap<String, Descriptor>>,
    progress: &'a dyn Progress,
}

impl Loading<'_> {
    /// Takes the content of an image into the stage.
    fn receive(&self, image: &ArchivedImage, insisted: Option<&Platform>) -> Result<Release> {
        let config = ImageConfig::parse(&image.config)?;
        let title = image.names.first().map(Reference::familiar);
        self.progress.begin(&title.unwrap_or_default());
        let layers = self.described(image)?;
        let manifest = match &image.manifest {
            Some((bytes, manifest)) => {
                check_config(&config, manifest, insisted)?;
                bytes.to_vec()
            }
            None => {
                let descriptors: Vec<Descriptor> =
                    layers.iter().map(|layer| layer.blob.clone()).collect();
                let bytes = image_manifest(&image.config, &descriptors)?;
                let parsed = super::manifest::Document::parse(&bytes, None)?;
                if let super::manifest::Document::Manifest(parsed) = parsed {
                    check_config(&config, &parsed, insisted)?;
                }
                bytes
            }
        };
        self.unpack(&layers, &config.rootfs.diff_ids)?;
        let target = Target {
            manifest: self.stage.add_blob(&manifest)?,
            image: self.stage.add_blob(&image.config)?,
            platform: config.platform().to_string(),
            repo_digest: None,
        };
        let names = image.names.clone();
        Ok(Release { target, names })
    }

    /// The layers with the descriptor of each: the manifest's, or that of what is in the archive.
    fn described(&self, image: &ArchivedImage) -> Result<Vec<Layer>> {
        let layers = image.layers.iter().map(|layer| {
            let ArchivedLayer {
                file,
                diff_id,
                named,
            } = layer;
            let length = self.archive.length(file)?;
            let form = self.archive.form(file)?;
            let blob = match (named, form) {
                (Some(named), _) => named.clone(),
                (None, Form::Tar) => Descriptor {
                    media_type: form.media_type().to_owned(),
                    digest: diff_id.0,
                    size: length,
                },
                (None, _) => self.describe(file)?,
            };
            if length != blob.size {
                let (digest, size) = (blob.digest, blob.size);
                let why = format!("layer {digest} has {length} of {size} bytes");
                return Err(Error::corrupt(why));
            }
            let file = file.clone();
            Ok(Layer { file, form, blob })
        });
        layers.collect()
    }

    /// What a compressed layer is; it is read for that once.
    fn describe(&self, file: &str) -> Result<Descriptor> {
        if let Some(known) = self.found.borrow().get(file) {
            return Ok(known.clone());
        }
        let found = self.archive.describe(file)?;
        let mut all = self.found.borrow_mut();
        all.insert(file.to_owned(), found.clone());
        Ok(found)
    }

    fn unpack(&self, layers: &[Layer], diff_ids: &[DiffId]) -> Result<()> {
        let pairs = layers.iter().zip(diff_ids);
        let wanted: Vec<Wanted> = pairs
            .map(|(layer, diff_id)| Wanted {
                label: layer.blob.digest,
                diff_id: *diff_id,
            })
            .collect();
        // Threads must not see what only this one may touch.
        let (archive, stage, progress) = (self.archive, self.stage, self.progress);
        unpack_missing(
            self.store,
            stage,
            &wanted,
            THREADS,
            progress,
            |number| self.check_known(&layers[number], &diff_ids[..=number]),
            |number| {
                let layer = &layers[number];
                match layer.form {
                    Form::Tar => unpack_tar(archive, stage, layer, &diff_ids[number], progress),
                    _ => receive_layer(stage, &layer.blob, &diff_ids[number], progress, |offset| {
                        let mut section = archive.section(&layer.file)?.skip(offset);
                        let read = move |buffer: &mut [u8]| Ok(section.read(buffer)?);
                        Ok(Box::new(read) as More<'_>)
                    }),
                }
            },
        )
    }

    /// Checks the bytes of a layer that is unpacked already, once, and keeps what is missing for
    /// giving it out again.
    fn check_known(&self, layer: &Layer, stack: &[DiffId]) -> Result<()> {
        let top = stack[stack.len() - 1];
        if !self.checked.borrow_mut().insert((layer.file.clone(), top)) {
            return Ok(());
        }
        let expected = &layer.blob.digest;
        let subject = || format!("layer {expected}");
        let source = self.archive.section(&layer.file)?;
        if layer.form != Form::Tar {
            return keep_blob(self.stage, expected, &top, source).context(subject);
        }
        expect(expected, &top.0)?;
        let (found, remade) = self.stage.note_recipe(stack, source).context(subject)?;
        expect(expected, &found)?;
        if remade == Remade::No {
            let source = self.archive.section(&layer.file)?;
            keep_blob(self.stage, expected, &top, source).context(subject)?;
        }
        Ok(())
    }
}

/// A layer in the archive.
struct Layer {
    file: String,
    form: Form,
    blob: Descriptor,
}

/// Unpacks a plain tar, and keeps how it is put together, or it.
fn unpack_tar(
    archive: &Archive,
    stage: &Stage,
    layer: &Layer,
    diff_id: &DiffId,
    progress: &dyn Progress,
) -> Result<UnpackedLayer> {
    let label = &layer.blob.digest;
    let subject = || format!("layer {label}");
    expect(label, &diff_id.0)?;
    let tar = archive.section(&layer.file)?;
    let tar = Extracting::new(tar, *label, layer.blob.size, progress);
    let (unpacked, remade) = stage
        .unpack_with_recipe(tar, &Limits::default())
        .context(subject)?;
    unpacked.expect_diff_id(diff_id).context(subject)?;
    if remade == Remade::No {
        keep_blob(stage, label, diff_id, archive.section(&layer.file)?).context(subject)?;
    }
    progress.layer(label, LayerEvent::Complete);
    Ok(unpacked)
}

/// Takes bytes as they are into the stage, unless the store has them; they must have this digest,
/// and what they decompress to must be the layer.
pub(super) fn keep_blob(
    stage: &Stage,
    digest: &Digest,
    diff_id: &DiffId,
    mut source: impl Read,
) -> Result<()> {
    let mut blob = stage.blob_file(digest)?;
    let is_here = blob.is_complete();
    if !is_here {
        blob.restart()?;
    }
    let mut found = sha2::Sha256::default();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = source.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        match is_here {
            true => sha2::Digest::update(&mut found, &buffer[..count]),
            false => blob.append(&buffer[..count])?,
        }
    }
    if is_here {
        expect(digest, &Digest::from_hasher(found))?;
    }
    if *digest != diff_id.0 && (is_here || blob.matches()) {
        // The layer is unpacked already, perhaps from an image that another one forges here.
        let tar = decompress(blob.reader()?)?;
        let (found, _) = drain(tar.take(Limits::default().total_bytes))?;
        if found != diff_id.0 {
            let why = format!("its content has digest {found}, the image's config says {diff_id}");
            return Err(Error::corrupt(why));
        }
    }
    blob.commit()
}

fn expect(expected: &Digest, found: &Digest) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let why = format!("layer {expected} has digest {found}");
    Err(Error::corrupt(why))
}
