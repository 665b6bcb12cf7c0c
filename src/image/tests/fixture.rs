//! Small images made in memory, and a directory to keep a store in.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use crate::base::Digest;
use crate::base::Ownership;
use crate::registry::scripted::{Asked, Reply};
use crate::store::Store;

/// A directory with a store, gone with the value.
pub struct Scratch {
    path: PathBuf,
    pub store: Store,
}

impl Scratch {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hull-image-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("scratch directory");
        let ownership = match rustix::process::geteuid().is_root() {
            true => Ownership::Full,
            false => Ownership::Squashed,
        };
        let store = Store::open(&path.join("store"), ownership).expect("store");
        Scratch { path, store }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).expect("fixture");
        path
    }

    /// No reference, layer or blob is in the store, and nothing is staged.
    pub fn assert_empty(&self) {
        let root = self.store.root();
        for name in ["refs", "layers", "blobs/sha256"] {
            let found: Vec<_> = fs::read_dir(root.join(name))
                .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
                .unwrap_or_default();
            assert!(found.is_empty(), "{found:?}");
        }
        for boot in fs::read_dir(root.join("tmp")).expect("tmp").flatten() {
            let left = fs::read_dir(boot.path()).expect("stages").count();
            assert_eq!(left, 0, "stages are gone");
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A leftover in the temporary directory harms nobody.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// An image with gzip layers, in OCI form.
#[derive(Debug, Clone)]
pub struct Made {
    pub config: Digest,
    pub manifest: Digest,
    pub layers: Vec<Digest>,
    pub index: Vec<u8>,
    pub blobs: HashMap<Digest, Vec<u8>>,
    tars: Vec<Vec<u8>>,
}

impl Made {
    /// One layer per list of files.
    pub fn new(layers: &[&[(&str, &str)]]) -> Self {
        Made::build(layers, None)
    }

    /// A config that names other content than the layers have.
    pub fn with_diff_id(layers: &[&[(&str, &str)]], diff_id: Digest) -> Self {
        Made::build(layers, Some(diff_id))
    }

    fn build(layers: &[&[(&str, &str)]], diff_id: Option<Digest>) -> Self {
        let tars: Vec<Vec<u8>> = layers.iter().map(|files| tar_of(files)).collect();
        let mut blobs = HashMap::new();
        let mut add = |bytes: Vec<u8>| {
            let digest = Digest::of(&bytes);
            let size = bytes.len();
            blobs.insert(digest, bytes);
            (digest, size)
        };
        let diff_ids: Vec<Digest> = tars
            .iter()
            .map(|tar| diff_id.unwrap_or_else(|| Digest::of(tar)))
            .collect();
        let architecture = super::Platform::host().architecture;
        let config = json!({"architecture": architecture, "os": "linux", "config": {"Cmd": ["/a"]},
            "rootfs": {"type": "layers", "diff_ids": diff_ids}});
        let (config, config_size) = add(config.to_string().into_bytes());
        let layers: Vec<_> = tars.iter().map(|tar| add(gzip(tar))).collect();
        let descriptors = layers.iter().map(|(digest, size)| {
            let media_type = "application/vnd.oci.image.layer.v1.tar+gzip";
            json!({"mediaType": media_type, "digest": digest, "size": size})
        });
        let manifest = json!({"schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": config, "size": config_size},
            "layers": descriptors.collect::<Vec<_>>()});
        let (manifest, size) = add(manifest.to_string().into_bytes());
        let index = json!({"schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": manifest, "size": size,
                "platform": {"os": "linux", "architecture": architecture}}]});
        Made {
            config,
            manifest,
            layers: layers.into_iter().map(|(digest, _)| digest).collect(),
            index: index.to_string().into_bytes(),
            blobs,
            tars,
        }
    }

    /// What `docker save` writes.
    pub fn docker_archive(&self, names: &[&str]) -> Vec<u8> {
        let config = format!("{}.json", self.config.hex());
        let layers: Vec<String> = (0..self.tars.len())
            .map(|n| format!("{n}/layer.tar"))
            .collect();
        let manifest = json!([{"Config": config, "RepoTags": names, "Layers": layers}]);
        let manifest = manifest.to_string().into_bytes();
        let mut members = vec![
            (config.as_str(), &self.blobs[&self.config][..]),
            ("manifest.json", &manifest[..]),
        ];
        for (name, tar) in layers.iter().zip(&self.tars) {
            members.push((name, tar));
        }
        archive(&members)
    }

    /// The files of an OCI layout.
    pub fn layout_members(&self, name: &str) -> Vec<(String, Vec<u8>)> {
        let size = self.blobs[&self.manifest].len();
        let index = json!({"schemaVersion": 2, "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": self.manifest, "size": size,
            "annotations": {"org.opencontainers.image.ref.name": name}}]});
        let layout = br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec();
        let mut members = vec![
            ("oci-layout".to_owned(), layout),
            ("index.json".to_owned(), index.to_string().into_bytes()),
        ];
        for (digest, bytes) in &self.blobs {
            members.push((format!("blobs/sha256/{}", digest.hex()), bytes.clone()));
        }
        members
    }

    /// Writes an OCI layout directory.
    pub fn write_layout(&self, directory: &Path, name: &str) {
        fs::create_dir_all(directory.join("blobs/sha256")).expect("layout");
        for (name, bytes) in self.layout_members(name) {
            fs::write(directory.join(name), bytes).expect("layout file");
        }
    }
}

/// A tar of text files.
pub fn tar_of(files: &[(&str, &str)]) -> Vec<u8> {
    let members: Vec<_> = files
        .iter()
        .map(|(name, text)| (*name, text.as_bytes()))
        .collect();
    archive(&members)
}

/// A tar of these members.
pub fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        append(&mut builder, name, bytes);
    }
    builder.into_inner().expect("archive")
}

/// Adds one regular file.
pub fn append(builder: &mut tar::Builder<Vec<u8>>, name: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    builder
        .append_data(&mut header, name, bytes)
        .expect("member");
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::fast();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).expect("gzip");
    encoder.finish().expect("gzip")
}

/// Serves `bytes` with ranges.
pub fn ranged(bytes: &[u8], asked: &Asked) -> Reply {
    match asked.range_start() {
        None => Reply::ok(bytes),
        Some(start) => Reply {
            status: "206 Partial Content",
            ..Reply::ok(&bytes[start..])
        }
        .header(format!("Content-Range: bytes {start}-/{}", bytes.len())),
    }
}
