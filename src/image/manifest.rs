//! Manifests and indexes, OCI and Docker schema 2, parsed strictly.
//!
//! Descriptors' `urls` and `data` are not read at all: nothing is fetched from an address a
//! manifest names, and content comes only by digest.

use serde_json::{Map, Value};

use super::platform::Platform;
use super::strict::{check_case, parse_object};
use crate::base::Digest;
use crate::error::{Error, Result};

/// Entries of an index.
const MAX_ENTRIES: usize = 1000;
/// Layers of an image, Docker's limit.
pub const MAX_LAYERS: usize = 125;
/// Manifests and configs are refused beyond this.
pub const DOCUMENT_LIMIT: u64 = crate::registry::DOCUMENT_LIMIT;

/// What a document says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// OCI image manifest.
    OciManifest,
    /// OCI image index.
    OciIndex,
    /// Docker schema 2 manifest.
    DockerManifest,
    /// Docker manifest list.
    DockerIndex,
}

impl MediaType {
    /// The type of this name.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "application/vnd.oci.image.manifest.v1+json" => MediaType::OciManifest,
            "application/vnd.oci.image.index.v1+json" => MediaType::OciIndex,
            "application/vnd.docker.distribution.manifest.v2+json" => MediaType::DockerManifest,
            "application/vnd.docker.distribution.manifest.list.v2+json" => MediaType::DockerIndex,
            _ => return None,
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            MediaType::OciManifest => "application/vnd.oci.image.manifest.v1+json",
            MediaType::OciIndex => "application/vnd.oci.image.index.v1+json",
            MediaType::DockerManifest => "application/vnd.docker.distribution.manifest.v2+json",
            MediaType::DockerIndex => "application/vnd.docker.distribution.manifest.list.v2+json",
        }
    }

    fn is_index(self) -> bool {
        matches!(self, MediaType::OciIndex | MediaType::DockerIndex)
    }
}

/// A pointer to content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// As written; checked where it is used.
    pub media_type: String,
    /// Digest of the content.
    pub digest: Digest,
    /// Its exact length.
    pub size: u64,
}

/// One entry of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// The manifest or index.
    pub descriptor: Descriptor,
    /// What it runs on, if said.
    pub platform: Option<Platform>,
    /// The name an archive gives it.
    pub name: Option<String>,
}

/// One image for one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The image config.
    pub config: Descriptor,
    /// Layers, bottom first.
    pub layers: Vec<Descriptor>,
}

/// A manifest or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// Several, one per platform.
    Index(Vec<IndexEntry>),
    /// One.
    Manifest(Manifest),
}

const TOP: [&str; 7] = [
    "schemaVersion",
    "mediaType",
    "config",
    "layers",
    "manifests",
    "fsLayers",
    "signatures",
];
const DESCRIPTOR: [&str; 6] = ["mediaType", "digest", "size", "urls", "data", "platform"];
const PLATFORM: [&str; 3] = ["os", "architecture", "variant"];

impl Document {
    /// Parses `bytes`; `content_type` is what the sender says they are, if anybody says so.
    pub fn parse(bytes: &[u8], content_type: Option<&str>) -> Result<Document> {
        if bytes.len() as u64 > DOCUMENT_LIMIT {
            return Err(Error::corrupt("manifest: longer than 4 MiB"));
        }
        let map = parse_object(bytes, "manifest")?;
        check_case(&map, &TOP, "manifest")?;
        let body_type = check_types(&map, content_type)?;
        match (map.get("manifests"), map.get("layers")) {
            (Some(_), Some(_)) => Err(Error::corrupt(
                "manifest: has both \"manifests\" and \"layers\"",
            )),
            (Some(entries), None) if body_type.is_none_or(MediaType::is_index) => {
                parse_index(entries).map(Document::Index)
            }
            (None, Some(layers)) if body_type.is_none_or(|known| !known.is_index()) => {
                parse_manifest(map.get("config"), layers).map(Document::Manifest)
            }
            (None, None) => Err(Error::corrupt(
                "manifest: has neither \"manifests\" nor \"layers\"",
            )),
            _ => Err(Error::corrupt(
                "manifest: its content is not of its media type",
            )),
        }
    }
}

/// Everything that a manifest for one platform names, its config first; its layers may be of any
/// type. For copying, which looks into none of it.
pub fn parts(bytes: &[u8]) -> Result<Vec<Descriptor>> {
    let map = parse_object(bytes, "manifest")?;
    check_case(&map, &TOP, "manifest")?;
    let config = map
        .get("config")
        .ok_or_else(|| Error::corrupt("manifest: no \"config\""))?;
    let layers = map.get("layers").and_then(Value::as_array);
    let layers = layers.ok_or_else(|| Error::corrupt("manifest: no \"layers\""))?;
    check_layer_count(layers.len())?;
    let layers = layers.iter().map(|layer| parse_descriptor(layer, "layer"));
    std::iter::once(parse_descriptor(config, "config"))
        .chain(layers)
        .collect()
}

/// The entries of an index, `None` if this is a manifest.
pub fn entries(bytes: &[u8]) -> Result<Option<Vec<IndexEntry>>> {
    let map = parse_object(bytes, "manifest")?;
    check_case(&map, &TOP, "manifest")?;
    check_types(&map, None)?;
    map.get("manifests").map(parse_index).transpose()
}

/// The type both body and sender agree on.
fn check_types(map: &Map<String, Value>, sent: Option<&str>) -> Result<Option<MediaType>> {
    let is_old = map.contains_key("fsLayers") || map.contains_key("signatures");
    if is_old || map.get("schemaVersion") == Some(&Value::from(1)) {
        return Err(Error::unsupported("manifest schema 1 is not supported")
            .hint("push the image again with a current tool"));
    }
    if map.get("schemaVersion") != Some(&Value::from(2)) {
        return Err(Error::corrupt("manifest: schemaVersion is not 2"));
    }
    let inside = match map.get("mediaType") {
        None => None,
        Some(Value::String(name)) => Some(MediaType::of(name).ok_or_else(|| unknown(name))?),
        Some(_) => return Err(Error::corrupt("manifest: mediaType is not a string")),
    };
    // Static file servers send these; they say nothing.
    let says_nothing = |name: &&str| {
        !matches!(
            *name,
            "" | "application/json" | "application/octet-stream" | "text/plain"
        )
    };
    let sent = match sent.filter(says_nothing) {
        None => None,
        Some(name) => Some(MediaType::of(name).ok_or_else(|| unknown(name))?),
    };
    match (inside, sent) {
        (Some(a), Some(b)) if a != b => Err(Error::corrupt(
            "manifest: sent as one media type, says it is another",
        )),
        (a, b) => Ok(a.or(b)),
    }
}

fn unknown(name: &str) -> Error {
    let shown = crate::registry::escaped(name);
    Error::unsupported(format!("manifest: media type {shown:?} is not an image"))
}

fn parse_index(entries: &Value) -> Result<Vec<IndexEntry>> {
    let entries = entries
        .as_array()
        .ok_or_else(|| Error::corrupt("index: \"manifests\" is not a list"))?;
    if entries.len() > MAX_ENTRIES {
        let why = format!("index: more than {MAX_ENTRIES} entries");
        return Err(Error::corrupt(why));
    }
    entries.iter().map(parse_entry).collect()
}

fn parse_entry(value: &Value) -> Result<IndexEntry> {
    let descriptor = parse_descriptor(value, "index entry")?;
    let platform = match value.get("platform").and_then(Value::as_object) {
        None => None,
        Some(map) => {
            check_case(map, &PLATFORM, "platform")?;
            let field = |name: &str| map.get(name).and_then(Value::as_str);
            let (os, architecture) = (field("os"), field("architecture"));
            let (os, architecture) = (os.unwrap_or_default(), architecture.unwrap_or_default());
            Some(Platform::new(os, architecture, field("variant")))
        }
    };
    let annotation = |name: &str| value.get("annotations")?.get(name)?.as_str();
    let name = annotation("io.containerd.image.name")
        .or_else(|| annotation("org.opencontainers.image.ref.name"));
    Ok(IndexEntry {
        descriptor,
        platform,
        name: name.map(str::to_owned),
    })
}

fn parse_manifest(config: Option<&Value>, layers: &Value) -> Result<Manifest> {
    let config = config.ok_or_else(|| Error::corrupt("manifest: no \"config\""))?;
    let config = parse_descriptor(config, "config")?;
    let known = [
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.container.image.v1+json",
    ];
    if !known.contains(&config.media_type.as_str()) {
        return Err(unknown(&config.media_type));
    }
    let layers = layers
        .as_array()
        .ok_or_else(|| Error::corrupt("manifest: \"layers\" is not a list"))?;
    check_layer_count(layers.len())?;
    let layers = layers.iter().map(|layer| {
        let descriptor = parse_descriptor(layer, "layer")?;
        match is_layer(&descriptor.media_type) {
            true => Ok(descriptor),
            false => Err(Error::unsupported(format!(
                "layer {}: media type {:?} is not supported",
                descriptor.digest,
                crate::registry::escaped(&descriptor.media_type)
            ))),
        }
    });
    Ok(Manifest {
        config,
        layers: layers.collect::<Result<_>>()?,
    })
}

/// An image of more layers could not be mounted everywhere.
pub fn check_layer_count(count: usize) -> Result<()> {
    if count <= MAX_LAYERS {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the image has {count} layers, at most {MAX_LAYERS} work"
    ))
    .hint("rebuild it with fewer layers"))
}

/// Tar archives, plain or compressed. How a layer is compressed is seen from its first bytes.
fn is_layer(media_type: &str) -> bool {
    let rest = media_type
        .strip_prefix("application/vnd.oci.image.layer.v1.")
        .or_else(|| media_type.strip_prefix("application/vnd.oci.image.layer.nondistributable.v1."))
        .or_else(|| media_type.strip_prefix("application/vnd.docker.image.rootfs.diff."))
        .or_else(|| media_type.strip_prefix("application/vnd.docker.image.rootfs.foreign.diff."));
    let forms = ["tar", "tar+gzip", "tar.gzip", "tar+zstd", "tar.zstd"];
    rest.is_some_and(|rest| forms.contains(&rest))
}

fn parse_descriptor(value: &Value, what: &str) -> Result<Descriptor> {
    let refuse = |why: &str| Error::corrupt(format!("{what}: {why}"));
    let map = value.as_object().ok_or_else(|| refuse("not an object"))?;
    check_case(map, &DESCRIPTOR, what)?;
    let digest = map.get("digest").and_then(Value::as_str);
    let digest = digest.ok_or_else(|| refuse("no digest"))?;
    let digest = digest.parse().map_err(|error: Error| {
        error
            .with_kind(crate::error::Kind::Corrupt)
            .wrap(what.to_owned())
    })?;
    let size = map.get("size").and_then(Value::as_u64);
    let size = size.filter(|size| *size <= i64::MAX as u64);
    let media_type = map.get("mediaType").and_then(Value::as_str);
    Ok(Descriptor {
        media_type: media_type.unwrap_or_default().to_owned(),
        digest,
        size: size.ok_or_else(|| refuse("no usable size"))?,
    })
}

/// The entry that runs best on `wanted`; the first of equals, as the order is the publisher's.
pub fn choose<'a>(entries: &'a [IndexEntry], wanted: &Platform) -> Result<&'a IndexEntry> {
    let ranked = entries.iter().filter_map(|entry| {
        let rank = wanted.rank(entry.platform.as_ref()?)?;
        Some((rank, entry))
    });
    if let Some((_, best)) = ranked.min_by_key(|(rank, _)| *rank) {
        return Ok(best);
    }
    // An index of one entry without a platform is how some tools wrap a single image.
    if let [only] = entries
        && only.platform.is_none()
    {
        return Ok(only);
    }
    let offered = entries.iter().filter_map(|entry| entry.platform.as_ref());
    let offered: Vec<String> = offered
        .map(Platform::to_string)
        .filter(|name| !name.starts_with("unknown"))
        .take(20)
        .collect();
    let why = format!("no matching manifest for {wanted} in the manifest list entries");
    let offered = crate::registry::escaped(&offered.join(", "));
    Err(Error::not_found(why).hint(format!("it has {offered}; choose with --platform")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OCI: &str = "application/vnd.oci.image.manifest.v1+json";

    fn descriptor(media_type: &str) -> String {
        let digest = Digest::of(b"x");
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":1}}"#)
    }

    fn manifest(layers: &str) -> String {
        let config = descriptor("application/vnd.oci.image.config.v1+json");
        format!(r#"{{"schemaVersion":2,"config":{config},"layers":{layers}}}"#)
    }

    fn refusal(text: &str, content_type: Option<&str>) -> String {
        let refused = Document::parse(text.as_bytes(), content_type);
        refused.expect_err(text).to_string()
    }

    #[test]
    fn both_families_are_understood() {
        let layer = descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip");
        let text = manifest(&format!("[{layer}]"));
        let parsed = Document::parse(text.as_bytes(), Some(OCI)).expect("parses");
        assert!(matches!(parsed, Document::Manifest(m) if m.layers.len() == 1));
    }

    #[test]
    fn a28_ambiguous_documents_are_refused() {
        let both = r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#;
        assert!(refusal(both, None).contains("both"));
        let index = "application/vnd.oci.image.index.v1+json";
        assert!(refusal(&manifest("[]"), Some(index)).contains("not of its media type"));
        let typed = manifest("[]").replacen('{', &format!("{{\"mediaType\":\"{index}\","), 1);
        assert!(refusal(&typed, Some(OCI)).contains("another"));
        let variant = manifest("[]").replace("\"layers\"", "\"Layers\"");
        assert!(refusal(&variant, None).contains("variant"));
        let twice = manifest("[]").replacen("\"config\"", "\"layers\":[],\"config\"", 1);
        assert!(refusal(&twice, None).contains("duplicate"));
    }

    #[test]
    fn a29_old_schemas_and_huge_documents_are_refused() {
        assert!(refusal(r#"{"schemaVersion":1,"fsLayers":[]}"#, None).contains("schema 1"));
        let one = format!(r#"[{}]"#, vec!["{}"; 1001].join(","));
        let many = format!(r#"{{"schemaVersion":2,"manifests":{one}}}"#);
        assert!(refusal(&many, None).contains("more than 1000"));
        let big = manifest("[]").replace("\"size\":1", "\"size\":9223372036854775808");
        assert!(refusal(&big, None).contains("size"));
    }

    #[test]
    fn a23_more_than_125_layers_are_refused() {
        let layer = descriptor("application/vnd.oci.image.layer.v1.tar");
        let layers =
            |count: usize| manifest(&format!("[{}]", vec![layer.as_str(); count].join(",")));
        assert!(Document::parse(layers(125).as_bytes(), None).is_ok());
        assert!(refusal(&layers(126), None).contains("126 layers, at most 125"));
    }

    #[test]
    fn a27_a_bad_digest_is_refused() {
        let good = Digest::of(b"x").to_string();
        for bad in ["sha256:../../x", "md5:d41d8cd98f00b204e9800998ecf8427e", ""] {
            assert!(refusal(&manifest("[]").replace(&good, bad), None).contains("digest"));
        }
    }

    #[test]
    fn the_best_platform_is_chosen() {
        let entry = |platform: &str| IndexEntry {
            descriptor: Descriptor {
                media_type: OCI.to_owned(),
                digest: Digest::of(platform.as_bytes()),
                size: 1,
            },
            platform: Some(platform.parse().expect("platform")),
            name: None,
        };
        let entries = [
            entry("linux/386"),
            entry("unknown/unknown"),
            entry("linux/amd64"),
        ];
        let wanted = "linux/amd64".parse().expect("platform");
        assert_eq!(choose(&entries, &wanted).expect("found"), &entries[2]);
        let error = choose(&entries, &"linux/arm64".parse().expect("platform"));
        let error = error.expect_err("none fits");
        assert!(
            error
                .to_string()
                .contains("no matching manifest for linux/arm64")
        );
        assert_eq!(
            error.hint_text(),
            Some("it has linux/386, linux/amd64; choose with --platform")
        );
    }
}
