//! The manifest an image is pushed with: byte for byte the one it came with, unless its layers were
//! compressed here or another format is asked for.

use serde_json::{Value, json};

use super::manifest::{Descriptor, Manifest, MediaType};
use crate::error::{Error, Result};

/// The two families of manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Oci,
    DockerSchema2,
}

/// How the bytes of a layer are compressed, as media types tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    Plain,
    Gzip,
    Zstd,
}

impl std::str::FromStr for Format {
    type Err = Error;

    /// podman's words.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "oci" => Ok(Format::Oci),
            "v2s2" | "docker" => Ok(Format::DockerSchema2),
            other => Err(Error::invalid(format!("unknown image format {other:?}"))
                .hint("oci and v2s2 are known")),
        }
    }
}

impl Format {
    /// The format of a manifest that was parsed.
    pub fn of(manifest: &Value) -> Format {
        let config = manifest
            .pointer("/config/mediaType")
            .and_then(Value::as_str);
        let own = manifest.get("mediaType").and_then(Value::as_str);
        match own.and_then(MediaType::of) {
            Some(MediaType::DockerManifest | MediaType::DockerIndex) => Format::DockerSchema2,
            Some(_) => Format::Oci,
            // Old OCI manifests leave their own type out.
            None if config == Some(Format::DockerSchema2.config()) => Format::DockerSchema2,
            None => Format::Oci,
        }
    }

    /// The media type of manifests.
    pub fn manifest(self) -> &'static str {
        match self {
            Format::Oci => "application/vnd.oci.image.manifest.v1+json",
            Format::DockerSchema2 => "application/vnd.docker.distribution.manifest.v2+json",
        }
    }

    fn config(self) -> &'static str {
        match self {
            Format::Oci => "application/vnd.oci.image.config.v1+json",
            Format::DockerSchema2 => "application/vnd.docker.container.image.v1+json",
        }
    }

    /// The media type of layers. Docker's format has none for zstd.
    pub fn layer(self, coding: Coding) -> Option<&'static str> {
        Some(match (self, coding) {
            (Format::Oci, Coding::Plain) => "application/vnd.oci.image.layer.v1.tar",
            (Format::Oci, Coding::Gzip) => "application/vnd.oci.image.layer.v1.tar+gzip",
            (Format::Oci, Coding::Zstd) => "application/vnd.oci.image.layer.v1.tar+zstd",
            (Format::DockerSchema2, Coding::Plain) => {
                "application/vnd.docker.image.rootfs.diff.tar"
            }
            (Format::DockerSchema2, Coding::Gzip) => {
                "application/vnd.docker.image.rootfs.diff.tar.gzip"
            }
            (Format::DockerSchema2, Coding::Zstd) => return None,
        })
    }
}

impl Coding {
    /// What a media type says.
    pub fn of(media_type: &str) -> Coding {
        if media_type.ends_with("gzip") {
            Coding::Gzip
        } else if media_type.ends_with("zstd") {
            Coding::Zstd
        } else {
            Coding::Plain
        }
    }
}

/// A manifest that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sendable {
    pub bytes: Vec<u8>,
    pub media_type: &'static str,
}

/// The manifest `original` (which is `parsed`) with these layers and in this format.
pub fn convert(
    original: &[u8],
    parsed: &Manifest,
    layers: &[Descriptor],
    format: Option<Format>,
) -> Result<Sendable> {
    let mut value: Value = serde_json::from_slice(original)?;
    let own = Format::of(&value);
    let wanted = format.unwrap_or(own);
    if wanted == own && parsed.layers == layers {
        return Ok(Sendable {
            bytes: original.to_vec(),
            media_type: own.manifest(),
        });
    }
    value["mediaType"] = wanted.manifest().into();
    value["config"]["mediaType"] = wanted.config().into();
    let entries = value.get_mut("layers").and_then(Value::as_array_mut);
    for ((entry, old), new) in entries
        .into_iter()
        .flatten()
        .zip(&parsed.layers)
        .zip(layers)
    {
        let coding = Coding::of(&new.media_type);
        let media_type = wanted.layer(coding).ok_or_else(|| {
            Error::invalid("Docker's image format (v2s2) has no layers compressed with zstd")
                .hint("use --format oci, or --compression-format gzip")
        })?;
        // Notes about other bytes (the table of contents of a zstd:chunked layer) go with them.
        if old.digest != new.digest {
            *entry = json!({});
        }
        entry["mediaType"] = media_type.into();
        entry["digest"] = new.digest.to_string().into();
        entry["size"] = new.size.into();
    }
    if wanted == Format::DockerSchema2
        && let Some(map) = value.as_object_mut()
    {
        // The format has neither.
        map.shift_remove("annotations");
        map.shift_remove("artifactType");
    }
    Ok(Sendable {
        bytes: serde_json::to_vec(&value)?,
        media_type: wanted.manifest(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::manifest::Document;
    use super::super::tests::fixture::Made;
    use super::*;
    use crate::base::Digest;

    fn sample() -> (Vec<u8>, Manifest) {
        let made = Made::new(&[&[("a", "1")], &[("b", "2")]]);
        let bytes = made.blobs[&made.manifest].clone();
        let Document::Manifest(parsed) = Document::parse(&bytes, None).expect("parses") else {
            panic!("a manifest");
        };
        (bytes, parsed)
    }

    #[test]
    fn what_is_not_changed_keeps_its_bytes() {
        let (bytes, parsed) = sample();
        for format in [None, Some(Format::Oci)] {
            let sent = convert(&bytes, &parsed, &parsed.layers, format).expect("converts");
            assert_eq!(sent.bytes, bytes);
        }
    }

    #[test]
    fn another_format_changes_media_types_only() {
        let (bytes, parsed) = sample();
        let docker = Some(Format::DockerSchema2);
        let sent = convert(&bytes, &parsed, &parsed.layers, docker).expect("converts");
        assert_eq!(sent.media_type, Format::DockerSchema2.manifest());
        let known = Document::parse(&sent.bytes, Some(sent.media_type)).expect("parses");
        let Document::Manifest(new) = known else {
            panic!("a manifest");
        };
        assert_eq!(new.config.media_type, Format::DockerSchema2.config());
        assert_eq!(new.config.digest, parsed.config.digest);
        let gzip = Format::DockerSchema2.layer(Coding::Gzip);
        assert_eq!(Some(new.layers[1].media_type.as_str()), gzip);
        assert_eq!(new.layers[1].digest, parsed.layers[1].digest);
        // And back again.
        let back = convert(&sent.bytes, &new, &new.layers, Some(Format::Oci)).expect("converts");
        assert_eq!(back.bytes, bytes);
    }

    #[test]
    fn zstd_is_refused_in_dockers_format() {
        let (bytes, parsed) = sample();
        let mut layers = parsed.layers.clone();
        layers[0] = Descriptor {
            media_type: Format::Oci.layer(Coding::Zstd).expect("has one").to_owned(),
            digest: Digest::of(b"z"),
            size: 1,
        };
        let refused = convert(&bytes, &parsed, &layers, Some(Format::DockerSchema2));
        assert!(refused.expect_err("refused").to_string().contains("zstd"));
        let sent = convert(&bytes, &parsed, &layers, None).expect("converts");
        let text = String::from_utf8(sent.bytes).expect("JSON");
        assert!(text.contains("tar+zstd"), "{text}");
    }
}
