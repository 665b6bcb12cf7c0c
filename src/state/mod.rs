//! The record of each container: what it is (`config.json`), how it stands (`state.json`), and
//! what runs of it now (`run.json` on tmpfs).
//!
//! "Running" is never read from a file alone: it is the lock that the monitor holds, under this
//! boot's id. [`Records::apply`] is the only writer of `state.json`, and [`status::next`] the only
//! judge of what may follow what. Readers take no lock: every file is replaced by rename.

mod config;
mod lifecycle;
mod limits;
mod live;
mod names;
mod options;
mod records;
mod rename;
mod status;

pub use config::{
    Config, LogConfig, Mount, MountKind, NetworkMode, ProcessConfig, SCHEMA, UlimitConfig,
};
pub use lifecycle::{
    Health, HealthCheck, HealthStatus, Notify, OnFailure, Probe, RestartName, RestartPolicy,
};
pub use limits::{Device, DeviceRate, Limits};
pub use live::{End, Live, MonitorLock, RunDirectory, boot_id};
pub use options::{
    DnsConfig, FilesConfig, HostsFile, NamespaceMode, Namespaces, PortBinding, TimeZone,
};
pub use records::{NewContainer, Record, Records};
pub use status::{Event, Status, next};
