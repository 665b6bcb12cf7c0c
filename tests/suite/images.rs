//! Test images, made here from the machine's static busybox: no network, the same every time.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// One image: a name, the `config` object of its configuration, and layers as tar bytes.
#[derive(Clone)]
pub struct Image {
    pub name: String,
    pub config: Value,
    pub layers: Vec<Vec<u8>>,
}

impl Image {
    /// busybox with all its commands, a passwd file with a user `guest` (1000), and /tmp.
    pub fn busybox(name: &str) -> Image {
        Image {
            name: name.to_owned(),
            config: json!({
                "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
                "Cmd": ["sh"],
            }),
            layers: vec![busybox_layer().to_vec()],
        }
    }

    /// The configuration blob.
    pub fn config_blob(&self) -> Vec<u8> {
        let diff_ids: Vec<String> = self.layers.iter().map(|layer| digest(layer)).collect();
        let history: Vec<Value> = (0..self.layers.len())
            .map(|index| {
                json!({"created": "2020-01-01T00:00:00Z", "created_by": format!("layer {index}")})
            })
            .collect();
        let config = json!({
            "architecture": architecture(),
            "os": "linux",
            "created": "2020-01-01T00:00:00Z",
            "config": self.config,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": history,
        });
        serde_json::to_vec(&config).expect("is JSON")
    }

    /// What `docker save` writes.
    pub fn docker_archive(&self) -> Vec<u8> {
        let config = self.config_blob();
        let config_name = format!("{}.json", &digest(&config)["sha256:".len()..]);
        let mut tar = Tree::default();
        let mut names = Vec::new();
        for layer in &self.layers {
            let name = format!("{}/layer.tar", &digest(layer)["sha256:".len()..]);
            tar = tar.file(&name, 0o644, layer);
            names.push(name);
        }
        let manifest = json!([{"Config": config_name, "RepoTags": [self.name], "Layers": names}]);
        tar.file(&config_name, 0o644, &config)
            .file("manifest.json", 0o644, manifest.to_string().as_bytes())
            .tar()
    }

    /// The blobs of an OCI image, manifest last, with the index that names it.
    pub fn oci(&self) -> Oci {
        let config = self.config_blob();
        let mut blobs = vec![config.clone()];
        let mut layers = Vec::new();
        for layer in &self.layers {
            let blob = gzip(layer);
            layers.push(descriptor(
                "application/vnd.oci.image.layer.v1.tar+gzip",
                &blob,
            ));
            blobs.push(blob);
        }
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
            "layers": layers,
        });
        let manifest = serde_json::to_vec(&manifest).expect("is JSON");
        let mut entry = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
        entry["annotations"] = json!({"org.opencontainers.image.ref.name": self.name});
        blobs.push(manifest);
        Oci {
            index: json!({"schemaVersion": 2, "manifests": [entry]}),
            blobs,
        }
    }
}

/// An OCI layout in memory, to be broken at will before it is written.
pub struct Oci {
    pub index: Value,
    /// Configuration, layers, manifest. The file name is the digest, unless [`Oci::archive_as`].
    pub blobs: Vec<Vec<u8>>,
}

impl Oci {
    pub fn archive(&self) -> Vec<u8> {
        self.archive_as(&self.blobs)
    }

    /// The layout with other bytes under the names of the blobs.
    pub fn archive_as(&self, bytes: &[Vec<u8>]) -> Vec<u8> {
        let mut tar = Tree::default()
            .file("oci-layout", 0o644, br#"{"imageLayoutVersion":"1.0.0"}"#)
            .file("index.json", 0o644, self.index.to_string().as_bytes())
            .dir("blobs", 0o755)
            .dir("blobs/sha256", 0o755);
        for (named, content) in self.blobs.iter().zip(bytes) {
            let name = format!("blobs/sha256/{}", &digest(named)["sha256:".len()..]);
            tar = tar.file(&name, 0o644, content);
        }
        tar.tar()
    }
}

/// Writes a tar, entry by entry.
pub struct Tree(tar::Builder<Vec<u8>>);

impl Default for Tree {
    fn default() -> Self {
        Tree(tar::Builder::new(Vec::new()))
    }
}

impl Tree {
    pub fn file(self, path: &str, mode: u32, content: &[u8]) -> Tree {
        self.entry(path, mode, tar::EntryType::Regular, content)
    }

    pub fn dir(self, path: &str, mode: u32) -> Tree {
        self.entry(path, mode, tar::EntryType::Directory, b"")
    }

    pub fn symlink(mut self, path: &str, target: &str) -> Tree {
        let mut header = Self::header(0o777, tar::EntryType::Symlink, 0);
        let added = self.0.append_link(&mut header, path, target);
        added.expect("memory takes it");
        self
    }

    /// A FIFO or device node.
    pub fn special(mut self, path: &str, kind: tar::EntryType, device: (u32, u32)) -> Tree {
        let mut header = Self::header(0o666, kind, 0);
        header.set_device_major(device.0).expect("is a GNU header");
        header.set_device_minor(device.1).expect("is a GNU header");
        let added = self.0.append_data(&mut header, path, &[][..]);
        added.expect("memory takes it");
        self
    }

    /// Deletes `path` of the layers below.
    pub fn whiteout(self, path: &str) -> Tree {
        let (directory, name) = path.rsplit_once('/').expect("has a directory");
        self.file(&format!("{directory}/.wh.{name}"), 0o644, b"")
    }

    fn entry(mut self, path: &str, mode: u32, kind: tar::EntryType, content: &[u8]) -> Tree {
        let mut header = Self::header(mode, kind, content.len() as u64);
        let added = self.0.append_data(&mut header, path, content);
        added.expect("memory takes it");
        self
    }

    fn header(mode: u32, kind: tar::EntryType, size: u64) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        header.set_mode(mode);
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mtime(1_577_836_800);
        header
    }

    pub fn tar(self) -> Vec<u8> {
        self.0.into_inner().expect("memory takes it")
    }
}

/// `sha256:<hex>`.
pub fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// The architecture in Go's words.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn descriptor(media_type: &str, blob: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest(blob), "size": blob.len()})
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let level = flate2::Compression::fast();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn busybox_layer() -> &'static [u8] {
    static LAYER: OnceLock<Vec<u8>> = OnceLock::new();
    LAYER.get_or_init(|| {
        let program = Path::new("/bin/busybox");
        let bytes = fs::read(program).expect("/bin/busybox (package busybox-static)");
        let list = Command::new(program).arg("--list").output();
        let list = String::from_utf8(list.expect("busybox runs").stdout).expect("is text");
        let passwd = "root:x:0:0:root:/root:/bin/sh\nguest:x:1000:1000::/home/guest:/bin/sh\n";
        let group = "root:x:0:\nguest:x:1000:\nstaff:x:50:guest\n";
        let mut tree = Tree::default()
            .dir("bin", 0o755)
            .file("bin/busybox", 0o755, &bytes)
            .dir("etc", 0o755)
            .file("etc/passwd", 0o644, passwd.as_bytes())
            .file("etc/group", 0o644, group.as_bytes())
            .file("etc/not-a-program", 0o644, b"text\n")
            .dir("root", 0o700)
            .dir("tmp", 0o1777)
            .dir("var", 0o755)
            .dir("home", 0o755)
            .dir("usr", 0o755)
            .dir("usr/bin", 0o755);
        for applet in list.lines().filter(|applet| *applet != "busybox") {
            tree = tree.symlink(&format!("bin/{applet}"), "busybox");
        }
        tree.tar()
    })
}
