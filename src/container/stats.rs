//! `stats`: what a container uses, from its cgroups, or where there are none from procfs.

use std::fs;

use super::{cgroup, processes};
use crate::base::{ContainerId, Name};
use crate::config::Settings;
use crate::error::Result;
use crate::state::{Live, NetworkMode, Records};

/// One reading of a container's counters.
#[derive(Debug, Clone)]
pub struct Sample {
    pub id: ContainerId,
    pub name: Name,
    /// `None` for a container that does not run.
    pub used: Option<Used>,
}

/// What a running container has used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    pub cpu_nanoseconds: u64,
    /// CPU time of the whole host at the same moment, idle time too.
    pub host_nanoseconds: u64,
    pub cpus: u64,
    pub memory: u64,
    pub memory_limit: u64,
    /// Bytes received and sent.
    pub network: (u64, u64),
    /// Bytes read and written.
    pub block: (u64, u64),
    pub tasks: u64,
    /// Read from procfs: no limit and no block devices are known.
    pub without_cgroups: bool,
}

impl Used {
    /// Docker's percentage: of one CPU, so that two busy ones are 200.
    pub fn cpu_percent(&self, before: &Used) -> f64 {
        let own = self.cpu_nanoseconds.saturating_sub(before.cpu_nanoseconds);
        let host = self
            .host_nanoseconds
            .saturating_sub(before.host_nanoseconds);
        match host {
            0 => 0.0,
            host => own as f64 / host as f64 * self.cpus as f64 * 100.0,
        }
    }

    /// Of its limit, or of the host's memory without one.
    pub fn memory_percent(&self) -> f64 {
        match self.memory_limit {
            0 => 0.0,
            limit => self.memory as f64 / limit as f64 * 100.0,
        }
    }
}

/// Reads a container's counters.
///
/// # Errors
/// `NotFound` for one that is gone.
pub fn sample(settings: &Settings, id: &ContainerId) -> Result<Sample> {
    let records = super::records(settings);
    let record = records.record(id)?;
    let used = match &record.live {
        Some(live) => Some(used(&records, id, live)?),
        None => None,
    };
    Ok(Sample {
        id: *id,
        name: record.state.name,
        used,
    })
}

fn used(records: &Records, id: &ContainerId, live: &Live) -> Result<Used> {
    let (host_nanoseconds, cpus) = host_cpu();
    let total = host_memory();
    let network = match records.config(id)?.network {
        // The host's own counters are not the container's.
        NetworkMode::Host => (0, 0),
        _ => network(live.pid),
    };
    let base = Used {
        host_nanoseconds,
        cpus,
        network,
        memory_limit: total,
        ..Used::default()
    };
    let cgroup = cgroup(records, id)?;
    if !cgroup.is_none() {
        let usage = cgroup.usage();
        let limit = usage.memory_limit.filter(|limit| *limit < total);
        return Ok(Used {
            cpu_nanoseconds: usage.cpu_nanoseconds.unwrap_or(0),
            memory: usage.memory.unwrap_or(0),
            memory_limit: limit.unwrap_or(total),
            block: usage.block.unwrap_or((0, 0)),
            tasks: usage.tasks.unwrap_or(0),
            ..base
        });
    }
    let all = processes::processes(records, id, live)?;
    let ticks: u64 = all.iter().map(|process| process.all_cpu_ticks).sum();
    Ok(Used {
        cpu_nanoseconds: nanoseconds(ticks),
        memory: all.iter().map(|process| process.resident).sum(),
        tasks: all.iter().map(|process| process.threads).sum(),
        without_cgroups: true,
        ..base
    })
}

fn nanoseconds(ticks: u64) -> u64 {
    ticks.saturating_mul(1_000_000_000 / rustix::param::clock_ticks_per_second().max(1))
}

/// All CPUs' time since boot, and how many they are (proc_stat(5)).
fn host_cpu() -> (u64, u64) {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    // User to steal; what guests used is in the first two already.
    let ticks = first.split_whitespace().skip(1).take(8);
    let ticks: u64 = ticks.filter_map(|field| field.parse::<u64>().ok()).sum();
    let is_cpu = |line: &&str| line.starts_with("cpu") && !line.starts_with("cpu ");
    let cpus = text.lines().filter(is_cpu).count();
    (nanoseconds(ticks), cpus as u64)
}

/// Bytes of memory that this host has.
pub fn host_memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

/// Bytes received and sent by the network namespace of a process, loopback left out.
fn network(pid: i32) -> (u64, u64) {
    let text = fs::read_to_string(format!("/proc/{pid}/net/dev")).unwrap_or_default();
    parse_network(&text)
}

fn parse_network(text: &str) -> (u64, u64) {
    let interfaces = text.lines().filter_map(|line| line.split_once(':'));
    let interfaces = interfaces.filter(|(name, _)| name.trim() != "lo");
    interfaces.fold((0, 0), |(received, sent), (_, numbers)| {
        let numbers: Vec<u64> = numbers
            .split_whitespace()
            .map(|number| number.parse().unwrap_or(0))
            .collect();
        let at = |index: usize| numbers.get(index).copied().unwrap_or(0);
        (received + at(0), sent + at(8))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_busy_cpus_of_four_are_200_percent() {
        let before = Used::default();
        let after = Used {
            cpu_nanoseconds: 2_000_000_000,
            host_nanoseconds: 4_000_000_000,
            cpus: 4,
            memory: 1 << 20,
            memory_limit: 4 << 20,
            ..before
        };
        assert_eq!(after.cpu_percent(&before), 200.0);
        assert_eq!(after.cpu_percent(&after), 0.0);
        // A process that ended took its ticks along.
        assert_eq!(before.cpu_percent(&after), 0.0);
        assert_eq!(after.memory_percent(), 25.0);
        assert_eq!(before.memory_percent(), 0.0);
    }

    #[test]
    fn loopback_is_no_traffic() {
        let text = "Inter-|   Receive\n face |bytes\n    lo: 9 0 0 0 0 0 0 0 9 0 0 0 0 0 0 0\n  \
                    eth0: 100 1 0 0 0 0 0 0 200 2 0 0 0 0 0 0\n";
        assert_eq!(parse_network(text), (100, 200));
    }
}
