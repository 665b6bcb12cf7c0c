//! What a user asks for with `run` and `create`, typed, before any image is known.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::lifecycle::Lifecycle;
use crate::base::{Name, Timestamp};
use crate::state::{
    DnsConfig, FilesConfig, Limits, Mount, Namespaces, NetworkMode, PortBinding, UlimitConfig,
};

/// Limits in the order they were given; a later one of the same name wins.
pub type Ulimits = Vec<UlimitConfig>;

/// What becomes of the places where the image wants volumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageVolumes {
    /// They are directories of the container's own layer.
    Directories,
    Tmpfs,
}

/// Whether to set up for systemd as the first process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Systemd {
    No,
    IfItIsTheCommand,
    Always,
}

/// A container to make.
#[derive(Debug, Clone)]
pub struct Request {
    /// The image as typed.
    pub image: String,
    pub name: Option<Name>,
    /// Words after the image.
    pub command: Vec<String>,
    /// `--entrypoint`: `Some` of an empty list clears the image's.
    pub entrypoint: Option<Vec<String>>,
    /// `K=V`, environment files first; `K` alone unsets what the image set.
    pub env: Vec<String>,
    /// `K=V` with `${NAME}` of the image's variables, weaker than `env`.
    pub env_merge: Vec<String>,
    /// Names to leave out; `*` is everything that nobody asked for.
    pub unset_env: Vec<String>,
    pub working_dir: Option<String>,
    pub user: Option<String>,
    pub hostname: Option<String>,
    pub domainname: String,
    pub terminal: bool,
    pub open_stdin: bool,
    /// The end of the first client's input is that of the program's.
    pub stdin_once: bool,
    pub auto_remove: bool,
    pub network: NetworkMode,
    /// Nobody chose the network.
    pub network_is_default: bool,
    pub namespaces: Namespaces,
    pub ports: Vec<PortBinding>,
    pub publish_all: bool,
    pub dns: DnsConfig,
    pub files: FilesConfig,
    pub annotations: BTreeMap<String, String>,
    pub umask: Option<u32>,
    pub pid_file: Option<PathBuf>,
    pub monitor_pid_file: Option<PathBuf>,
    pub id_file: Option<PathBuf>,
    pub systemd: Systemd,
    pub image_volumes: ImageVolumes,
    /// Containers whose mounts are wanted too, `NAME[:ro]`.
    pub volumes_from: Vec<String>,
    pub mounts: Vec<Mount>,
    pub read_only: bool,
    pub cap_add: Vec<String>,
    pub cap_drop: Vec<String>,
    pub privileged: bool,
    pub init: bool,
    pub labels: BTreeMap<String, String>,
    pub stop_signal: Option<String>,
    pub stop_timeout: Option<u32>,
    pub ulimits: Ulimits,
    pub shm_bytes: Option<u64>,
    pub limits: Limits,
    pub group_add: Vec<String>,
    pub security_options: Vec<String>,
    pub extra_hosts: Vec<String>,
    pub sysctls: BTreeMap<String, String>,
    pub log_driver: Option<String>,
    pub log_options: BTreeMap<String, String>,
    pub oom_score_adj: Option<i32>,
    pub expose: Vec<String>,
    pub lifecycle: Lifecycle,
    /// When the request was made.
    pub at: Timestamp,
}

impl Request {
    /// A request for this image with every default.
    pub fn new(image: impl Into<String>) -> Self {
        Request {
            image: image.into(),
            name: None,
            command: Vec::new(),
            entrypoint: None,
            env: Vec::new(),
            env_merge: Vec::new(),
            unset_env: Vec::new(),
            working_dir: None,
            user: None,
            hostname: None,
            domainname: String::new(),
            terminal: false,
            open_stdin: false,
            stdin_once: false,
            auto_remove: false,
            network: NetworkMode::None,
            network_is_default: true,
            namespaces: Namespaces::default(),
            ports: Vec::new(),
            publish_all: false,
            dns: DnsConfig::default(),
            files: FilesConfig::default(),
            annotations: BTreeMap::new(),
            umask: None,
            pid_file: None,
            monitor_pid_file: None,
            id_file: None,
            systemd: Systemd::No,
            image_volumes: ImageVolumes::Directories,
            volumes_from: Vec::new(),
            mounts: Vec::new(),
            read_only: false,
            cap_add: Vec::new(),
            cap_drop: Vec::new(),
            privileged: false,
            init: false,
            labels: BTreeMap::new(),
            stop_signal: None,
            stop_timeout: None,
            ulimits: Vec::new(),
            shm_bytes: None,
            limits: Limits::default(),
            group_add: Vec::new(),
            security_options: Vec::new(),
            extra_hosts: Vec::new(),
            sysctls: BTreeMap::new(),
            log_driver: None,
            log_options: BTreeMap::new(),
            oom_score_adj: None,
            expose: Vec::new(),
            lifecycle: Lifecycle::default(),
            at: Timestamp::now(),
        }
    }
}
