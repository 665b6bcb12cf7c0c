//! Where the bytes of an image's layers come from when it leaves the store: `push` and `save`.
//!
//! A layer is one of three things. Its blob is in the store, as it was pulled or loaded: then these
//! bytes go out, because only they have the digest the manifest names. Or another image here has a
//! blob of the same content, compressed in another way. Or there is only the unpacked layer: then
//! its tar is made again (see `Store::layer_tar_in`), which gives the right bytes for layers that
//! hull packed, and for those that came as a tar and were unpacked with a recipe.
//!
//! Should: whoever brings in a layer that another tool packed (pull, load, import) keeps its bytes
//! as a blob that the image's manifest names by digest and media type, or has its recipe noted. A
//! layer of media type `…tar` has the diff id for its digest. What is read here is verified at its
//! end.

use std::fs::File;
use std::io::{self, Read, Seek};

use sha2::{Digest as _, Sha256};

use super::config::ImageConfig;
use super::manifest::{DOCUMENT_LIMIT, Descriptor, Document, Manifest};
use super::pull::check_config;
use crate::base::{DiffId, Digest};
use crate::error::{Context, Error, Result};
use crate::store::{LayerTar, Store, decompress, drain};

/// A layer that can be read.
#[derive(Debug, Clone)]
pub struct LayerSource {
    store: Store,
    /// Digest of its tar.
    pub diff_id: DiffId,
    /// Those of the layers below it, bottom first.
    below: Vec<DiffId>,
    /// What the image's manifest says of it. Its digest is that of [`LayerSource::blob`], if that
    /// is here, and else only what somebody else once had.
    pub named: Descriptor,
}

/// The layers of the image with this manifest, bottom first.
pub fn layer_sources(store: &Store, manifest: &Digest) -> Result<Vec<LayerSource>> {
    let (manifest, config) = read_image(store, manifest)?;
    let diff_ids = &config.rootfs.diff_ids;
    let named = manifest.layers.into_iter().enumerate();
    let sources = named.map(|(number, named)| LayerSource {
        store: store.clone(),
        diff_id: diff_ids[number],
        below: diff_ids[..number].to_vec(),
        named,
    });
    Ok(sources.collect())
}

impl LayerSource {
    /// The blob that the manifest names, if it is here. Its bytes are checked at their end.
    pub fn blob(&self) -> Result<Option<impl Read + Send + use<>>> {
        let file = self.open(&self.named)?;
        Ok(file.map(|file| Verified::new(file, self.named.digest)))
    }

    /// The file with that blob. Whoever sends it to a registry need not check it: the registry
    /// does.
    pub fn blob_file(&self) -> Result<Option<File>> {
        self.open(&self.named)
    }

    /// The layer's tar, from wherever it can be had. Its end is an error unless the bytes were
    /// those of the diff id.
    pub fn tar(&self) -> Result<Box<dyn Read + Send>> {
        let subject = || format!("read layer {}", self.diff_id);
        let unpacked = |file: File| -> Result<Box<dyn Read + Send>> {
            let tar = decompress(file).context(subject)?;
            Ok(Box::new(Verified::new(tar, self.diff_id.0)))
        };
        if let Some(file) = self.open(&self.named).context(subject)? {
            return unpacked(file);
        }
        let stack = [&self.below[..], &[self.diff_id]].concat();
        let made = self.store.layer_tar_in(&stack).context(subject)?;
        // Without a recipe it may be that another tool packed it.
        if !made.as_ref().is_some_and(LayerTar::has_recipe)
            && let Some(file) = self.open_other().context(subject)?
        {
            return unpacked(file);
        }
        let made = made.ok_or_else(|| {
            Error::corrupt("neither its blob nor its files are in the store")
                .hint("pull the image again")
                .wrap(subject())
        })?;
        Ok(Box::new(made))
    }

    /// The length of the tar. Costs a pass over the layer where the manifest names it compressed.
    pub fn tar_bytes(&self) -> Result<u64> {
        if self.named.digest == self.diff_id.0 {
            return Ok(self.named.size);
        }
        let counted = io::copy(&mut self.tar()?, &mut io::sink());
        counted.context(|| format!("read layer {}", self.diff_id))
    }

    fn open(&self, named: &Descriptor) -> Result<Option<File>> {
        let Some(file) = self.store.open_blob(&named.digest)? else {
            return Ok(None);
        };
        let length = file.metadata()?.len();
        if length != named.size {
            let why = format!(
                "blob {} has {length} bytes, not {}",
                named.digest, named.size
            );
            return Err(Error::corrupt(why).hint("remove the image and pull it again"));
        }
        Ok(Some(file))
    }

    /// A blob of the same content that belongs to another image. What that image says of its
    /// content is not believed: it is read once before.
    fn open_other(&self) -> Result<Option<File>> {
        for record in self.store.refs()? {
            // Of a damaged image nothing is taken; that it is damaged is told when it is used.
            let Ok(sources) = layer_sources(&self.store, &record.manifest) else {
                continue;
            };
            for other in sources {
                if other.diff_id == self.diff_id
                    && let Ok(Some(mut file)) = self.open(&other.named)
                    && decompress(&file)
                        .and_then(|tar| Ok(drain(tar)?))
                        .is_ok_and(|(found, _)| found == self.diff_id.0)
                {
                    file.rewind()?;
                    return Ok(Some(file));
                }
            }
        }
        Ok(None)
    }
}

/// The manifest and config of an image in the store.
fn read_image(store: &Store, digest: &Digest) -> Result<(Manifest, ImageConfig)> {
    let read = |digest: &Digest| {
        store.read_blob(digest, DOCUMENT_LIMIT)?.ok_or_else(|| {
            Error::corrupt(format!("{digest} is missing from the store"))
                .hint("pull the image again")
        })
    };
    let Document::Manifest(manifest) = Document::parse(&read(digest)?, None)? else {
        return Err(Error::corrupt(format!("{digest} is an index")));
    };
    let config = ImageConfig::parse(&read(&manifest.config.digest)?)?;
    check_config(&config, &manifest, None)?;
    Ok((manifest, config))
}

/// A reader whose end is an error unless all its bytes have a digest.
pub struct Verified<R> {
    inner: R,
    expected: Digest,
    hasher: Option<Sha256>,
}

impl<R> Verified<R> {
    /// Reads through `inner`.
    pub fn new(inner: R, expected: Digest) -> Self {
        Verified {
            inner,
            expected,
            hasher: Some(Sha256::new()),
        }
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if count > 0 || buffer.is_empty() {
            if let Some(hasher) = &mut self.hasher {
                hasher.update(&buffer[..count]);
            }
            return Ok(count);
        }
        let Some(hasher) = self.hasher.take() else {
            return Ok(0);
        };
        let found = Digest::from_hasher(hasher);
        if found == self.expected {
            return Ok(0);
        }
        let why = format!("{} has digest {found} where it is kept", self.expected);
        Err(io::Error::other(
            Error::corrupt(why).hint("remove the image there and get it again"),
        ))
    }
}

#[cfg(test)]
pub mod tests {
    use std::path::PathBuf;

    use super::super::load::load_path;
    use super::super::progress::Silent;
    use super::super::tests::fixture::{Made, Scratch, gzip, tar_of};
    use super::*;

    /// A store with one image, and that image.
    pub fn scene(layers: &[&[(&str, &str)]]) -> (Scratch, Made) {
        let scratch = Scratch::new();
        let made = Made::new(layers);
        let layout = scratch.path("layout");
        made.write_layout(&layout, "app:1");
        load_path(&scratch.store, &layout, None, &Silent).expect("loads");
        (scratch, made)
    }

    fn blob_path(scratch: &Scratch, digest: &Digest) -> PathBuf {
        scratch.store.root().join("blobs/sha256").join(digest.hex())
    }

    fn all(mut source: impl Read) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn a_kept_blob_is_given_as_it_came_and_as_a_tar() {
        let (scratch, made) = scene(&[&[("a", "1")], &[("b", "2")]]);
        let sources = layer_sources(&scratch.store, &made.manifest).expect("read");
        let tars = [tar_of(&[("a", "1")]), tar_of(&[("b", "2")])];
        assert_eq!(sources.len(), 2);
        for (source, tar) in sources.iter().zip(tars) {
            let blob = source.blob().expect("opens").expect("is kept");
            assert_eq!(all(blob).expect("verified"), gzip(&tar));
            assert_eq!(all(source.tar().expect("opens")).expect("verified"), tar);
            assert_eq!(source.tar_bytes().expect("counted"), tar.len() as u64);
        }
    }

    #[test]
    fn a_damaged_blob_is_refused_at_its_end() {
        let (scratch, made) = scene(&[&[("a", "1")]]);
        let path = blob_path(&scratch, &made.layers[0]);
        let mut bytes = std::fs::read(&path).expect("reads");
        let last = bytes.len() - 5;
        bytes[last] ^= 1;
        std::fs::write(&path, bytes).expect("writes");
        let source = &layer_sources(&scratch.store, &made.manifest).expect("read")[0];
        let blob = source.blob().expect("opens").expect("is kept");
        let error = all(blob).expect_err("refused");
        assert!(error.to_string().contains("has digest"), "{error}");
        std::fs::write(&path, "short").expect("writes");
        assert!(source.blob().is_err(), "another length");
    }

    #[test]
    fn without_any_blob_a_layer_packed_elsewhere_is_refused_at_its_end() {
        let (scratch, made) = scene(&[&[("a", "1")]]);
        std::fs::remove_file(blob_path(&scratch, &made.layers[0])).expect("removes");
        let source = &layer_sources(&scratch.store, &made.manifest).expect("read")[0];
        assert!(source.blob().expect("looks").is_none());
        let error = all(source.tar().expect("opens")).expect_err("refused");
        assert!(
            error.to_string().contains("does not give the tar"),
            "{error}"
        );
    }
}
