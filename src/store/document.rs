//! The few fields of manifests and configs that name other content.

use serde::Deserialize;

use super::Store;
use crate::base::{DiffId, Digest, Timestamp};
use crate::error::{Context, Error, Result};

/// Manifests and configs are at most this long; attack line A29.
const DOCUMENT_LIMIT: u64 = 4 << 20;

#[derive(Deserialize)]
struct Descriptor {
    digest: Digest,
    #[serde(default)]
    size: u64,
}

/// A manifest or an index: whichever fields it has.
#[derive(Deserialize)]
struct Manifest {
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Config {
    /// Not trusted to be a time: for what is collected it does not matter.
    #[serde(default)]
    created: serde_json::Value,
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<DiffId>,
}

/// What a manifest names.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub config: Option<Digest>,
    pub blobs: Vec<Digest>,
    /// As the manifest says, one for each blob.
    pub sizes: Vec<u64>,
    pub manifests: Vec<Digest>,
    pub diff_ids: Vec<DiffId>,
    pub created: Option<Timestamp>,
}

impl Store {
    /// Reads a manifest and its config. `Corrupt` if either is missing or damaged.
    pub(super) fn contents(&self, manifest: &Digest) -> Result<Contents> {
        self.contents_from(manifest, |digest| self.read_blob(digest, DOCUMENT_LIMIT))
    }

    /// Reads a manifest alone.
    pub(super) fn document(&self, manifest: &Digest) -> Result<Contents> {
        let bytes = self.read_blob(manifest, DOCUMENT_LIMIT)?;
        parse(manifest, &need(manifest, bytes)?)
    }

    pub(super) fn contents_from(
        &self,
        manifest: &Digest,
        read: impl Fn(&Digest) -> Result<Option<Vec<u8>>>,
    ) -> Result<Contents> {
        let mut contents = parse(manifest, &need(manifest, read(manifest)?)?)?;
        if let Some(digest) = contents.config {
            let bytes = need(&digest, read(&digest)?)?;
            let config: Config =
                serde_json::from_slice(&bytes).context(|| format!("read config {digest}"))?;
            contents.diff_ids = config.rootfs.diff_ids;
            contents.created = config.created.as_str().and_then(|text| text.parse().ok());
        }
        Ok(contents)
    }
}

fn need(digest: &Digest, bytes: Option<Vec<u8>>) -> Result<Vec<u8>> {
    bytes.ok_or_else(|| {
        Error::corrupt(format!("blob {digest} is missing")).hint("pull the image again")
    })
}

fn parse(digest: &Digest, bytes: &[u8]) -> Result<Contents> {
    let parsed: Manifest =
        serde_json::from_slice(bytes).context(|| format!("read manifest {digest}"))?;
    Ok(Contents {
        config: parsed.config.map(|config| config.digest),
        blobs: parsed.layers.iter().map(|layer| layer.digest).collect(),
        sizes: parsed.layers.iter().map(|layer| layer.size).collect(),
        manifests: parsed.manifests.iter().map(|child| child.digest).collect(),
        ..Contents::default()
    })
}
