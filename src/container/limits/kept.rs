//! Which limits this host can keep: nothing that a user asked for is dropped in silence.

use std::fmt;

use crate::container::defaults;
use crate::error::{Error, Result};
use crate::runtime::cgroup::Hierarchies;
use crate::state::{DeviceRate, Limits};

/// The file of both weights in version 1, unless the scheduler is BFQ.
const WEIGHT: &str = "blkio.weight";

/// One limit that this host cannot keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unkept {
    /// As on the command line.
    pub flag: &'static str,
    why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// This user may write no cgroup at all.
    NoCgroups,
    /// The controller or its file is missing.
    Missing(&'static str),
    /// Version 2 cannot.
    Version2(&'static str),
}

impl Unkept {
    /// What would help.
    pub fn hint(&self) -> &'static str {
        match self.why {
            Why::NoCgroups => "run as root, or delegate a cgroup v2 subtree to this user",
            Why::Missing(_) => "enable this controller of the kernel: see /proc/cgroups",
            Why::Version2(hint) => hint,
        }
    }
}

impl fmt::Display for Unkept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flag = self.flag;
        match self.why {
            Why::NoCgroups => write!(f, "{flag}: this user may write no cgroup here"),
            Why::Missing(file) => write!(f, "{flag}: the kernel has no {file} here"),
            Why::Version2(_) => write!(f, "{flag}: cgroup v2 has no such limit"),
        }
    }
}

/// Which of the limits cannot be kept on these hierarchies.
pub fn unkept(given: &Limits, hierarchies: &Hierarchies) -> Vec<Unkept> {
    let asked = wishes(given).into_iter().filter(|wish| wish.asked);
    let unkept = asked.filter_map(|wish| {
        let why = hindrance(&wish, hierarchies)?;
        Some(Unkept {
            flag: wish.flag,
            why,
        })
    });
    unkept.collect()
}

fn hindrance(wish: &Wish, hierarchies: &Hierarchies) -> Option<Why> {
    let Wish {
        controller, file, ..
    } = *wish;
    if hierarchies.version_2.is_none() && hierarchies.version_1.is_empty() {
        return Some(Why::NoCgroups);
    }
    if hierarchies.is_version_2() {
        return match wish.old_only {
            Some(hint) => Some(Why::Version2(hint)),
            None => (!hierarchies.offer(controller, file)).then_some(Why::Missing(controller)),
        };
    }
    let bfq = file == WEIGHT && hierarchies.offer(controller, "blkio.bfq.weight");
    if bfq || hierarchies.offer(controller, file) {
        return None;
    }
    match hierarchies.offer(controller, "") {
        true => Some(Why::Missing(file)),
        false => Some(Why::Missing(controller)),
    }
}

/// One limit, whether it was asked for or not.
struct Wish {
    flag: &'static str,
    asked: bool,
    controller: &'static str,
    /// Its file in version 1.
    file: &'static str,
    /// What to do instead where version 2 cannot.
    old_only: Option<&'static str>,
}

fn wish(flag: &'static str, asked: bool, controller: &'static str, file: &'static str) -> Wish {
    Wish {
        flag,
        asked,
        controller,
        file,
        old_only: None,
    }
}

impl Wish {
    fn old_only(self, hint: &'static str) -> Wish {
        Wish {
            old_only: Some(hint),
            ..self
        }
    }
}

fn wishes(limits: &Limits) -> Vec<Wish> {
    let mut all = memory_wishes(limits);
    all.extend(cpu_wishes(limits));
    all.extend(device_wishes(limits));
    all.push(wish("--pids-limit", limits.pids > Some(0), "pids", ""));
    all
}

fn memory_wishes(limits: &Limits) -> Vec<Wish> {
    let of_memory = |flag, asked, file| wish(flag, asked, "memory", file);
    let (memory, swap) = (limits.memory, limits.memory_swap);
    // What follows from the memory by itself was not asked for.
    let swap = swap > 0 && swap != memory.saturating_mul(2);
    let soft = limits.memory_reservation > 0;
    let swappiness = limits.memory_swappiness.is_some();
    let no_kills = limits.oom_kill_disable;
    vec![
        of_memory("--memory", memory > 0, "memory.limit_in_bytes"),
        of_memory("--memory-swap", swap, "memory.memsw.limit_in_bytes"),
        of_memory("--memory-reservation", soft, "memory.soft_limit_in_bytes"),
        of_memory("--memory-swappiness", swappiness, "memory.swappiness")
            .old_only("limit swap with --memory-swap"),
        of_memory("--oom-kill-disable", no_kills, "memory.oom_control")
            .old_only("give a higher limit, or --memory-reservation alone"),
    ]
}

fn cpu_wishes(limits: &Limits) -> Vec<Wish> {
    let quota = "cpu.cfs_quota_us";
    let (cpus, mems) = (&limits.cpuset_cpus, &limits.cpuset_mems);
    vec![
        wish("--cpus", limits.nano_cpus > 0, "cpu", quota),
        wish("--cpu-quota", limits.cpu_quota > 0, "cpu", quota),
        wish("--cpu-period", limits.cpu_period > 0, "cpu", quota),
        wish("--cpu-shares", limits.cpu_shares > 0, "cpu", "cpu.shares"),
        wish("--cpuset-cpus", !cpus.is_empty(), "cpuset", "cpuset.cpus"),
        wish("--cpuset-mems", !mems.is_empty(), "cpuset", "cpuset.mems"),
    ]
}

fn device_wishes(limits: &Limits) -> Vec<Wish> {
    let of_block = |flag, asked, file| wish(flag, asked, "blkio", file);
    let throttled = |flag, rates: &[DeviceRate]| {
        let file = "blkio.throttle.read_bps_device";
        of_block(flag, !rates.is_empty(), file)
    };
    let weights = !limits.blkio_weight_device.is_empty();
    let rules = !limits.device_rules.is_empty();
    vec![
        of_block("--blkio-weight", limits.blkio_weight > 0, WEIGHT),
        of_block("--blkio-weight-device", weights, WEIGHT),
        throttled("--device-read-bps", &limits.device_read_bps),
        throttled("--device-write-bps", &limits.device_write_bps),
        throttled("--device-read-iops", &limits.device_read_iops),
        throttled("--device-write-iops", &limits.device_write_iops),
        wish("--device-cgroup-rule", rules, "devices", "")
            .old_only("the container has only the device nodes it is given, and may use those"),
    ]
}

/// Clears what cannot be kept, so that a start does not fail or warn of it again.
pub fn without(limits: &Limits, unkept: &[Unkept]) -> Limits {
    let mut left = limits.clone();
    for Unkept { flag, .. } in unkept {
        match *flag {
            "--memory" => (left.memory, left.memory_swap) = (0, 0),
            "--memory-swap" => left.memory_swap = 0,
            "--memory-reservation" => left.memory_reservation = 0,
            "--memory-swappiness" => left.memory_swappiness = None,
            "--oom-kill-disable" => left.oom_kill_disable = false,
            "--cpus" => left.nano_cpus = 0,
            "--cpu-quota" => left.cpu_quota = 0,
            "--cpu-period" => left.cpu_period = 0,
            "--cpu-shares" => left.cpu_shares = 0,
            "--cpuset-cpus" => left.cpuset_cpus.clear(),
            "--cpuset-mems" => left.cpuset_mems.clear(),
            "--pids-limit" => left.pids = None,
            "--blkio-weight" => left.blkio_weight = 0,
            "--blkio-weight-device" => left.blkio_weight_device.clear(),
            "--device-cgroup-rule" => left.device_rules.clear(),
            "--device-read-bps" => left.device_read_bps.clear(),
            "--device-write-bps" => left.device_write_bps.clear(),
            "--device-read-iops" => left.device_read_iops.clear(),
            _ => left.device_write_iops.clear(),
        }
    }
    left
}

/// What is left of a container's limits on these hierarchies.
///
/// # Errors
/// `Unsupported` where the user wants all of them or none. The number of processes that every
/// container is given does not count.
pub fn kept(limits: &Limits, hierarchies: &Hierarchies) -> Result<Limits> {
    let unkept = unkept(limits, hierarchies);
    if limits.strict {
        let own =
            |one: &&Unkept| one.flag == "--pids-limit" && limits.pids == Some(defaults::PIDS_LIMIT);
        let asked: Vec<Unkept> = unkept.iter().filter(|one| !own(one)).cloned().collect();
        refuse(&asked)?;
    }
    Ok(without(limits, &unkept))
}

/// One error for limits that may not be missing.
pub fn refuse(unkept: &[Unkept]) -> Result<()> {
    let Some(first) = unkept.first() else {
        return Ok(());
    };
    let all: Vec<String> = unkept.iter().map(ToString::to_string).collect();
    let text = format!("cannot be enforced: {}", all.join("; "));
    Err(Error::unsupported(text).hint(first.hint()))
}
