//! What a container is: everything decided at `create`. `hull update` alone replaces it, whole.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::lifecycle::{HealthCheck, Notify, RestartPolicy};
use super::limits::Limits;
use super::options::{DnsConfig, FilesConfig, Namespaces, PortBinding};
use crate::base::{ContainerId, DiffId, Digest, Timestamp};

/// The version of `config.json`, `state.json` and `run.json`.
pub const SCHEMA: u32 = 1;

/// `containers/<id>/config.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Config {
    pub schema: u32,
    pub id: ContainerId,
    pub created: Timestamp,
    /// The image as the user named it.
    pub image_name: String,
    /// The image's id (digest of its config).
    pub image: Digest,
    /// Its manifest: keeps the image's blobs and layers from being collected.
    pub manifest: Digest,
    /// The image's layers, bottom first.
    pub layers: Vec<DiffId>,
    pub process: ProcessConfig,
    pub hostname: String,
    pub domainname: String,
    pub labels: BTreeMap<String, String>,
    pub mounts: Vec<Mount>,
    pub network: NetworkMode,
    pub cap_add: Vec<String>,
    pub cap_drop: Vec<String>,
    pub privileged: bool,
    pub read_only: bool,
    /// Run the small init as PID 1.
    pub init: bool,
    pub auto_remove: bool,
    pub shm_bytes: u64,
    pub ulimits: Vec<UlimitConfig>,
    /// Signal number that asks the program to end.
    pub stop_signal: i32,
    /// Seconds until SIGKILL.
    pub stop_timeout: u32,
    pub log: LogConfig,
    pub limits: Limits,
    pub extra_hosts: Vec<String>,
    pub sysctls: BTreeMap<String, String>,
    pub security_options: Vec<String>,
    pub group_add: Vec<String>,
    pub oom_score_adj: Option<i32>,
    #[serde(default)]
    pub restart: RestartPolicy,
    #[serde(default)]
    pub health: Option<HealthCheck>,
    /// The user wanted none, whatever the image has.
    #[serde(default)]
    pub no_healthcheck: bool,
    /// Seconds after which it is killed.
    #[serde(default)]
    pub timeout: Option<u32>,
    #[serde(default)]
    pub notify: Notify,
    /// What the image exposes and the user added, e.g. `80/tcp`.
    pub exposed_ports: Vec<String>,
    /// Which namespaces are not the container's own.
    #[serde(default)]
    pub namespaces: Namespaces,
    #[serde(default)]
    pub ports: Vec<PortBinding>,
    /// Publish every exposed port.
    #[serde(default)]
    pub publish_all: bool,
    #[serde(default)]
    pub dns: DnsConfig,
    #[serde(default)]
    pub files: FilesConfig,
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// Mode bits that files do not get.
    #[serde(default)]
    pub umask: Option<u32>,
    /// Where the first process's id is written at every start.
    #[serde(default)]
    pub pid_file: Option<PathBuf>,
    /// Where the monitor's id is written at every start.
    #[serde(default)]
    pub monitor_pid_file: Option<PathBuf>,
    /// Where the id was written.
    #[serde(default)]
    pub id_file: Option<PathBuf>,
    /// Set up for systemd as the first process.
    #[serde(default)]
    pub systemd: bool,
}

/// The program and its surroundings.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ProcessConfig {
    pub entrypoint: Option<Vec<String>>,
    pub command: Option<Vec<String>>,
    /// `K=V` entries, complete.
    pub env: Vec<String>,
    pub working_dir: String,
    /// `user[:group]` as given, resolved inside the root at every start.
    pub user: String,
    pub terminal: bool,
    /// Standard input stays open without a client.
    pub open_stdin: bool,
    /// It ends with the input of a client.
    #[serde(default)]
    pub stdin_once: bool,
    /// Names that not even the engine sets; `*` is every one of its own.
    #[serde(default)]
    pub unset_env: Vec<String>,
}

impl ProcessConfig {
    /// The whole argument vector.
    pub fn arguments(&self) -> Vec<String> {
        let parts = [&self.entrypoint, &self.command];
        parts.into_iter().flatten().flatten().cloned().collect()
    }
}

/// One mount besides the root.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Mount {
    pub kind: MountKind,
    /// Host path of a bind; empty otherwise.
    pub source: PathBuf,
    pub target: PathBuf,
    /// Options in the words of mount(8), e.g. `ro`, `rprivate`, `size=64m`.
    pub options: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MountKind {
    Bind,
    Tmpfs,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkMode {
    /// A network namespace with nothing but loopback.
    None,
    /// The host's own network.
    Host,
    /// That of another container: its id, in a request the name as typed.
    Container(String),
}

impl fmt::Display for NetworkMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NetworkMode::None => f.write_str("none"),
            NetworkMode::Host => f.write_str("host"),
            NetworkMode::Container(id) => write!(f, "container:{id}"),
        }
    }
}

/// One resource limit: name without `RLIMIT_`, lower case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UlimitConfig {
    pub name: String,
    pub soft: i64,
    pub hard: i64,
}

/// Where output goes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogConfig {
    /// `json-file`, `local`, `k8s-file`, `journald`, `passthrough` or `none`.
    pub driver: String,
    /// Bytes at which the file is rotated.
    pub max_bytes: Option<u64>,
    /// Files kept.
    pub max_files: u32,
    /// Files that were rotated away are compressed.
    #[serde(default)]
    pub compress: bool,
    /// What was asked for, by the user or the settings.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}
