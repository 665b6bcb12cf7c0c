//! What a container may use: limits as they were given, in Docker's units.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The limits of one container. Zero, empty and `None` mean that there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Bytes.
    pub memory: i64,
    /// Bytes of memory and swap together; -1 for no limit on swap.
    pub memory_swap: i64,
    /// Bytes that stay when the host runs short.
    pub memory_reservation: i64,
    /// 0 to 100.
    pub memory_swappiness: Option<u64>,
    /// Billionths of a CPU.
    pub nano_cpus: i64,
    /// Share of CPU time against others; 1024 is the usual one.
    pub cpu_shares: u64,
    /// Microseconds per period.
    pub cpu_quota: i64,
    /// Microseconds.
    pub cpu_period: u64,
    /// As `0-2,7`.
    pub cpuset_cpus: String,
    pub cpuset_mems: String,
    /// Processes; -1 for no limit, `None` only before a container is made.
    pub pids: Option<i64>,
    pub oom_kill_disable: bool,
    /// 10 to 1000.
    pub blkio_weight: u16,
    pub blkio_weight_device: Vec<DeviceRate>,
    pub device_read_bps: Vec<DeviceRate>,
    pub device_write_bps: Vec<DeviceRate>,
    pub device_read_iops: Vec<DeviceRate>,
    pub device_write_iops: Vec<DeviceRate>,
    /// Nodes of the host that the container gets.
    pub devices: Vec<Device>,
    /// Lines as `c 1:3 rwm`.
    pub device_rules: Vec<String>,
    /// The cgroup below which the container's own is made.
    pub cgroup_parent: String,
    /// A limit that cannot be enforced is an error.
    pub strict: bool,
}

/// A number for one block device: bytes or operations per second, or a weight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRate {
    pub path: PathBuf,
    pub rate: u64,
}

/// One `--device`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    pub on_host: PathBuf,
    pub in_container: PathBuf,
    /// Of `rwm`.
    pub access: String,
}
