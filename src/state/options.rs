//! The parts of a container's record that most containers leave at their defaults.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where each namespace comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespaces {
    #[serde(default)]
    pub pid: NamespaceMode,
    #[serde(default)]
    pub ipc: NamespaceMode,
    #[serde(default)]
    pub uts: NamespaceMode,
    #[serde(default)]
    pub cgroup: NamespaceMode,
    /// Only said, never another one: the user's own, or the host's for root.
    #[serde(default)]
    pub user: NamespaceMode,
}

/// Where one namespace comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NamespaceMode {
    /// Nothing was said: a new one.
    #[default]
    Default,
    /// A new one.
    Private,
    /// The host's.
    Host,
    /// A new one that other containers may join.
    Shareable,
    /// A new one, without what it is most used for (/dev/shm).
    None,
    /// That of another container: its id, in a request the name as typed.
    Container(String),
}

impl NamespaceMode {
    /// Whether the container gets a new one.
    pub fn is_new(&self) -> bool {
        !matches!(self, NamespaceMode::Host | NamespaceMode::Container(_))
    }
}

impl fmt::Display for NamespaceMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NamespaceMode::Default => Ok(()),
            NamespaceMode::Private => f.write_str("private"),
            NamespaceMode::Host => f.write_str("host"),
            NamespaceMode::Shareable => f.write_str("shareable"),
            NamespaceMode::None => f.write_str("none"),
            NamespaceMode::Container(id) => write!(f, "container:{id}"),
        }
    }
}

/// One published port of the container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PortBinding {
    pub container_port: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// Every address of the host if `None`.
    pub host_ip: Option<IpAddr>,
    /// First and last of the host's ports to choose from; any free one if `None`.
    pub host_ports: Option<(u16, u16)>,
}

impl PortBinding {
    /// `80/tcp`.
    pub fn container(&self) -> String {
        format!("{}/{}", self.container_port, self.protocol)
    }

    /// `8080`, `8000-8010`, or nothing.
    pub fn host_port_text(&self) -> String {
        match self.host_ports {
            None => String::new(),
            Some((first, last)) if first == last => first.to_string(),
            Some((first, last)) => format!("{first}-{last}"),
        }
    }
}

/// What /etc/resolv.conf says instead of what the host's does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsConfig {
    #[serde(default)]
    pub servers: Vec<IpAddr>,
    #[serde(default)]
    pub search: Vec<String>,
    #[serde(default)]
    pub options: Vec<String>,
}

/// What of /etc is the engine's and what is the image's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesConfig {
    #[serde(default)]
    pub hosts: HostsFile,
    /// Leave the image's /etc/hostname.
    #[serde(default)]
    pub keep_hostname: bool,
    #[serde(default)]
    pub accounts: AccountFiles,
    #[serde(default)]
    pub time_zone: Option<TimeZone>,
}

/// Where /etc/hosts starts from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostsFile {
    /// The names of the loopback interface; the host's file in the host's network.
    #[default]
    Engine,
    /// The image's, not mounted over.
    Image,
    /// The lines of this file of the host.
    From(PathBuf),
    /// Nothing but what was asked for.
    Empty,
}

/// What is added to the image's /etc/passwd and /etc/group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountFiles {
    /// Add a line for the user if the image has none.
    #[serde(default)]
    pub add_user: bool,
    /// That line, with `$USERNAME`, `$UID`, `$GID`, `$NAME` and `$HOME` to be filled in.
    #[serde(default)]
    pub passwd_entry: Option<String>,
    /// The same for the group: `$GROUPNAME`, `$GID`.
    #[serde(default)]
    pub group_entry: Option<String>,
    /// Users of the host to add.
    #[serde(default)]
    pub host_users: Vec<String>,
}

impl AccountFiles {
    /// Whether there is anything to add.
    pub fn is_wanted(&self) -> bool {
        *self != AccountFiles::default()
    }
}

/// What /etc/localtime says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeZone {
    /// What the host's does.
    Local,
    /// A name of the time zone database, e.g. `Europe/Paris`.
    Zone(String),
}
