//! The image config: how to run the image, and what its layers are.
//!
//! Docker's and OCI's forms in one. Fields hull does not know are kept, so that a changed config
//! loses nothing. Values are data here; they are validated where a container is made of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::manifest::{DOCUMENT_LIMIT, check_layer_count};
use super::platform::Platform;
use super::strict::{check_case, parse_object};
use crate::base::{DiffId, Timestamp};
use crate::error::{Context, Error, Result};

/// The whole document.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ImageConfig {
    /// When it was made.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub created: Option<Timestamp>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Go's GOARCH.
    #[serde(default, deserialize_with = "nullable")]
    pub architecture: String,
    /// ARM level and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Go's GOOS.
    #[serde(default, deserialize_with = "nullable")]
    pub os: String,
    /// How to run it.
    #[serde(default, deserialize_with = "nullable")]
    pub config: Execution,
    /// Its layers.
    pub rootfs: RootFs,
    /// How it came to be.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub history: Vec<HistoryEntry>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The field `config`: defaults of containers of this image.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Execution {
    /// User, `name|uid[:group|gid]`.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub user: String,
    /// `port/protocol`.
    #[serde(
        default,
        deserialize_with = "set",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub exposed_ports: BTreeMap<String, Value>,
    /// `NAME=value`.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub env: Vec<String>,
    /// What is run, before `cmd`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// Default arguments, or the command if there is no entry point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    /// Liveness probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// Mount points that get a volume.
    #[serde(
        default,
        deserialize_with = "set",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub volumes: BTreeMap<String, Value>,
    /// Working directory.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub working_dir: String,
    /// Instructions for images built on this one.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub on_build: Vec<String>,
    /// Labels.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub labels: BTreeMap<String, String>,
    /// Signal that stops it, name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// Shell of the shell form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<Vec<String>>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A health check; times in nanoseconds, 0 is Docker's default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Healthcheck {
    /// `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", command]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test: Vec<String>,
    /// Between two runs.
    #[serde(skip_serializing_if = "is_zero")]
    pub interval: i64,
    /// Of one run.
    #[serde(skip_serializing_if = "is_zero")]
    pub timeout: i64,
    /// After the start in which failures do not count.
    #[serde(skip_serializing_if = "is_zero")]
    pub start_period: i64,
    /// Between two runs in that time.
    #[serde(skip_serializing_if = "is_zero")]
    pub start_interval: i64,
    /// Failures in a row that make it unhealthy.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: i64,
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// The layers by the digests of their tars, bottom first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// One per layer.
    #[serde(deserialize_with = "nullable")]
    pub diff_ids: Vec<DiffId>,
}

/// One step in the making of an image.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// When.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub created: Option<Timestamp>,
    /// The instruction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Made no layer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
}

const TOP: [&str; 8] = [
    "created",
    "architecture",
    "variant",
    "os",
    "config",
    "rootfs",
    "history",
    "author",
];

impl ImageConfig {
    /// Parses what a stranger wrote.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() as u64 > DOCUMENT_LIMIT {
            return Err(Error::corrupt("image config: longer than 4 MiB"));
        }
        let map = parse_object(bytes, "image config")?;
        check_case(&map, &TOP, "image config")?;
        let rootfs = map.get("rootfs").and_then(Value::as_object);
        if let Some(rootfs) = rootfs {
            check_case(rootfs, &["type", "diff_ids"], "rootfs")?;
        }
        let config: Self = serde_json::from_value(map.into()).context(|| "image config")?;
        check_layer_count(config.rootfs.diff_ids.len())?;
        Ok(config)
    }

    /// What it runs on.
    pub fn platform(&self) -> Platform {
        Platform::new(&self.os, &self.architecture, self.variant.as_deref())
    }
}

/// `null` where Go writes an empty list, map or string.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Go's sets (`{"80/tcp": {}}`); some tools write a list.
fn set<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Value>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Map(BTreeMap<String, Value>),
        List(Vec<String>),
        Null(()),
    }
    Ok(match Form::deserialize(deserializer)? {
        Form::Map(map) => map,
        Form::List(names) => {
            let entries = names
                .into_iter()
                .map(|name| (name, Value::Object(Map::new())));
            entries.collect()
        }
        Form::Null(()) => BTreeMap::new(),
    })
}

/// A date nobody can read is no date: it is shown, never relied on.
fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockers_fields_survive_a_round_trip() {
        let text = r#"{"architecture":"amd64","os":"linux","created":"2024-01-02T03:04:05Z",
            "config":{"Env":["A=1"],"Cmd":["sh"],"ExposedPorts":{"80/tcp":{}},"Volumes":null,
              "Healthcheck":{"Test":["CMD","x"],"Interval":5},"OnBuild":["RUN x"],
              "ArgsEscaped":true,"Labels":null},
            "rootfs":{"type":"layers","diff_ids":null},"docker_version":"1"}"#;
        let config = ImageConfig::parse(text.as_bytes()).expect("parses");
        assert_eq!(config.config.env, ["A=1"]);
        assert!(config.config.exposed_ports.contains_key("80/tcp"));
        let again = serde_json::to_value(&config).expect("writes");
        assert_eq!(again["config"]["ArgsEscaped"], true);
        assert_eq!(again["docker_version"], "1");
        assert_eq!(again["config"]["Healthcheck"]["Interval"], 5);
        assert_eq!(again["created"], "2024-01-02T03:04:05Z");
    }

    #[test]
    fn a28_ambiguous_configs_are_refused() {
        let rootfs = r#""rootfs":{"type":"layers","diff_ids":[]}"#;
        assert!(ImageConfig::parse(format!("{{{rootfs}}}").as_bytes()).is_ok());
        for bad in [
            format!("{{{rootfs},{rootfs}}}"),
            format!("{{{rootfs},\"OS\":\"linux\"}}"),
            "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"x\"]}}".to_owned(),
            "{}".to_owned(),
        ] {
            assert!(ImageConfig::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
