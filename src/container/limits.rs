//! Limits: how they fit together, which of them this host can keep, and what the runtime is to
//! write for them.

mod kept;
mod resources;
#[cfg(test)]
mod tests;

pub use kept::{Unkept, kept, refuse, unkept};
pub use resources::resources;

use super::defaults;
use crate::error::{Error, Result};
use crate::state::Limits;

/// The least memory a container can start in.
const LEAST_MEMORY: i64 = 6 << 20;

/// Fills in what follows from the rest, as Docker records it.
pub fn settled(mut limits: Limits) -> Limits {
    if limits.memory > 0 && limits.memory_swap == 0 {
        limits.memory_swap = limits.memory.saturating_mul(2);
    }
    limits.pids.get_or_insert(defaults::PIDS_LIMIT);
    limits
}

/// Refuses values that cannot be, or not together, in Docker's words.
pub fn check(limits: &Limits) -> Result<()> {
    check_memory(limits)?;
    check_cpu(limits)?;
    let refuse = |text: &str| Err(Error::invalid(text));
    if limits.blkio_weight != 0 && !(10..=1000).contains(&limits.blkio_weight) {
        return refuse("Range of blkio weight is from 10 to 1000");
    }
    if limits.cgroup_parent.split('/').any(|part| part == "..") {
        return refuse("invalid cgroup path in --cgroup-parent: `..` is not allowed");
    }
    Ok(())
}

fn check_memory(limits: &Limits) -> Result<()> {
    let (memory, swap) = (limits.memory, limits.memory_swap);
    let reservation = limits.memory_reservation;
    let why = if memory != 0 && memory < LEAST_MEMORY {
        "Minimum memory limit allowed is 6MB"
    } else if memory > 0 && swap > 0 && swap < memory {
        "Minimum memoryswap limit should be larger than memory limit, see usage"
    } else if memory == 0 && swap > 0 {
        "You should always set the Memory limit when using Memoryswap limit, see usage"
    } else if reservation > 0 && reservation < LEAST_MEMORY {
        "Minimum memory reservation allowed is 6MB"
    } else if memory > 0 && memory < reservation {
        "Minimum memory limit can not be less than memory reservation limit, see usage"
    } else {
        return Ok(());
    };
    Err(Error::invalid(why))
}

fn check_cpu(limits: &Limits) -> Result<()> {
    let both = |other| format!("Conflicting options: Nano CPUs and CPU {other} cannot both be set");
    let nano = limits.nano_cpus;
    if nano > 0 && limits.cpu_period > 0 {
        return Err(Error::invalid(both("Period")));
    }
    if nano > 0 && limits.cpu_quota > 0 {
        return Err(Error::invalid(both("Quota")));
    }
    let count = rustix::thread::sched_getaffinity(None).map_or(1, |set| set.count());
    if nano < 0 || nano > i64::from(count) * 1_000_000_000 {
        return Err(Error::invalid(format!(
            "range of CPUs is from 0.01 to {count}.00, as there are only {count} CPUs available"
        )));
    }
    if limits.cpu_shares == 1 {
        return Err(Error::invalid(
            "invalid CPU shares (1): the minimum allowed cpu-shares is 2",
        ));
    }
    if limits.cpu_period != 0 && !(1000..=1_000_000).contains(&limits.cpu_period) {
        return Err(Error::invalid(
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
        ));
    }
    // Ten milliseconds of a thousandth are below what the kernel counts: 0.01 CPUs is Docker's.
    let quota = if nano > 0 {
        nano / 10_000
    } else {
        limits.cpu_quota
    };
    if nano > 0 && quota < 1000 {
        return Err(Error::invalid(format!(
            "range of CPUs is from 0.01 to {count}.00, as there are only {count} CPUs available"
        )));
    }
    if quota > 0 && quota < 1000 {
        return Err(Error::invalid(
            "CPU cfs quota can not be less than 1ms (i.e. 1000)",
        ));
    }
    let list = |file: &str| {
        let text = std::fs::read_to_string(format!("/sys/devices/system/{file}/online"));
        text.unwrap_or_default().trim().to_owned()
    };
    check_set("cpus", "CPUs", &limits.cpuset_cpus, || list("cpu"))?;
    check_set("mems", "memory nodes", &limits.cpuset_mems, || list("node"))
}

fn check_set(kind: &str, what: &str, wanted: &str, there: impl Fn() -> String) -> Result<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    let refuse = || Error::invalid(format!("Invalid value {wanted} for cpuset {kind}"));
    let wanted_numbers = numbers(wanted).ok_or_else(refuse)?;
    let there = there();
    // A kernel without such a list knows one node, 0.
    let known = numbers(&there).unwrap_or_else(|| vec![0..=0]);
    let has = |number: u32| known.iter().any(|range| range.contains(&number));
    let ends = wanted_numbers
        .iter()
        .flat_map(|range| [*range.start(), *range.end()]);
    match ends.into_iter().all(has) {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "Requested {what} are not available - requested {wanted}, available: {there}"
        ))),
    }
}

/// A list as `0-2,7`, cpuset(7).
fn numbers(list: &str) -> Option<Vec<std::ops::RangeInclusive<u32>>> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first <= last).then_some(first..=last)
    };
    list.split(',').map(range).collect()
}
