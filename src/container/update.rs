//! `update`: other limits for a container, in its record and, while it runs, in its cgroup.
//!
//! Should: the cgroup first, then the record. The kernel may refuse, and then nothing has changed;
//! if the record cannot be written, the cgroup gets its old values back. The record is replaced
//! whole, by rename and under the container's lock, so that whoever reads it sees the old limits or
//! the new ones, and a power cut leaves either.

use std::time::{Duration, Instant};

use super::limits;
use crate::base::ContainerId;
use crate::config::Settings;
use crate::container::devices::Found;
use crate::error::{Context as _, Error, Result};
use crate::runtime::cgroup::{Hierarchies, Undo};
use crate::state::{DeviceRate, Limits, Live, Records, RestartName, RestartPolicy};

/// How long a start under way may take until the container can be changed.
const START: Duration = Duration::from_secs(10);

/// The same for one that is being started again and may have read its record already.
const RAISE: Duration = Duration::from_millis(300);

/// What to change; what is not given stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub limits: Limits,
    pub restart: Option<RestartPolicy>,
}

/// Changes a container, whether it runs or not.
///
/// # Errors
/// `Invalid` for limits that do not fit together, `Conflict` if the container uses more memory
/// than it is to have. Nothing has changed then.
pub fn update(settings: &Settings, id: &ContainerId, change: &Change) -> Result<()> {
    super::reconcile(settings, id)?;
    let records = super::records(settings);
    let subject = || format!("Cannot update container {id}");
    let hierarchies = super::hierarchies(&records)?;
    let lock = records.lock(id)?;
    let mut config = records.config(id)?;
    let old = config.limits.clone();
    config.limits = merged(&old, &change.limits).context(subject)?;
    limits::check(&config.limits).context(subject)?;
    if let Some(policy) = change.restart {
        if config.auto_remove && policy.name != RestartName::No {
            let text = "Restart policy cannot be updated because AutoRemove is enabled for the \
                        container";
            return Err(Error::conflict(text).wrap(subject()));
        }
        // The monitor reads it when the container ends.
        config.restart = policy;
    }
    let undo = apply(&records, id, &old, &config.limits, &hierarchies).context(subject)?;
    if let Err(error) = records.replace_config(&lock, &config) {
        undo.unwrap_or_default().restore();
        return Err(error.wrap(subject()));
    }
    drop(lock);
    super::notice(&records, id, "update", &[]);
    if undo.is_none() && await_start(&records, id) {
        // It read the old record and started meanwhile.
        apply(&records, id, &old, &config.limits, &hierarchies).context(subject)?;
    }
    Ok(())
}

/// Writes the limits to a running container's cgroup; `None` if it does not run.
fn apply(
    records: &Records,
    id: &ContainerId,
    old: &Limits,
    new: &Limits,
    hierarchies: &Hierarchies,
) -> Result<Option<Undo>> {
    let run = records.run_directory(id);
    if !run.has_monitor() || !run.live().is_some_and(runs) {
        return Ok(None);
    }
    let cgroup = super::cgroup(records, id)?;
    if cgroup.is_none() {
        return Ok(Some(Undo::default()));
    }
    let kept = limits::kept(&lifted(old, new), hierarchies)?;
    let mut resources = limits::resources(&kept, false, &Found::rates(&kept)?);
    // What a container may open is decided when it starts.
    resources.set_devices(None);
    cgroup.change(&resources).map(Some)
}

/// Between an end and the next start there is nothing to change.
fn runs(live: Live) -> bool {
    !live.restarting
}

/// Whether a start that was under way has come to its end, and the container runs. One that waits
/// to be started again reads the new record when it is.
fn await_start(records: &Records, id: &ContainerId) -> bool {
    let run = records.run_directory(id);
    let begun = Instant::now();
    while run.has_monitor() {
        let live = run.live();
        let patience = match &live {
            Some(live) if live.restarting => RAISE,
            _ => START,
        };
        if live.is_some_and(runs) {
            return true;
        }
        if begun.elapsed() > patience {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    false
}

/// The old limits with the new ones in their place.
fn merged(old: &Limits, change: &Limits) -> Result<Limits> {
    conflicts(old, change)?;
    let mut new = old.clone();
    take(&mut new.memory, &change.memory);
    take(&mut new.memory_swap, &change.memory_swap);
    take(&mut new.memory_reservation, &change.memory_reservation);
    take(&mut new.memory_swappiness, &change.memory_swappiness);
    take(&mut new.nano_cpus, &change.nano_cpus);
    take(&mut new.cpu_shares, &change.cpu_shares);
    take(&mut new.cpu_quota, &change.cpu_quota);
    take(&mut new.cpu_period, &change.cpu_period);
    take(&mut new.cpuset_cpus, &change.cpuset_cpus);
    take(&mut new.cpuset_mems, &change.cpuset_mems);
    take(&mut new.pids, &change.pids);
    take(&mut new.blkio_weight, &change.blkio_weight);
    take(&mut new.blkio_weight_device, &change.blkio_weight_device);
    take(&mut new.device_read_bps, &change.device_read_bps);
    take(&mut new.device_write_bps, &change.device_write_bps);
    take(&mut new.device_read_iops, &change.device_read_iops);
    take(&mut new.device_write_iops, &change.device_write_iops);
    take(&mut new.strict, &change.strict);
    Ok(limits::settled(new))
}

/// Takes over what was given.
fn take<T: Clone + Default + PartialEq>(old: &mut T, change: &T) {
    if *change != T::default() {
        old.clone_from(change);
    }
}

/// Docker's rules for one way of limiting after another.
fn conflicts(old: &Limits, new: &Limits) -> Result<()> {
    let nano = |what: &str| {
        let text = format!("Nano CPUs cannot be updated as {what} has already been set");
        Err(Error::conflict(format!("Conflicting options: {text}")))
    };
    let other = |what: &str| {
        let text = format!("{what} cannot be updated as NanoCPUs has already been set");
        Err(Error::conflict(format!("Conflicting options: {text}")))
    };
    if new.nano_cpus > 0 && old.cpu_period > 0 {
        return nano("CPU Period");
    }
    if new.nano_cpus > 0 && old.cpu_quota > 0 {
        return nano("CPU Quota");
    }
    if new.cpu_period > 0 && old.nano_cpus > 0 {
        return other("CPU Period");
    }
    if new.cpu_quota > 0 && old.nano_cpus > 0 {
        return other("CPU Quota");
    }
    if old.memory_swap > 0 && new.memory > old.memory_swap && new.memory_swap == 0 {
        return Err(Error::conflict(
            "Memory limit should be smaller than already set memoryswap limit, update the \
             memoryswap at the same time",
        ));
    }
    Ok(())
}

/// The new limits, and a rate of 0, which lifts it, for every device that has one no more.
fn lifted(old: &Limits, new: &Limits) -> Limits {
    let with = |old: &[DeviceRate], new: &[DeviceRate]| {
        let gone = old
            .iter()
            .filter(|rate| new.iter().all(|other| other.path != rate.path));
        let gone = gone.map(|rate| DeviceRate {
            path: rate.path.clone(),
            rate: 0,
        });
        new.iter().cloned().chain(gone).collect()
    };
    Limits {
        device_read_bps: with(&old.device_read_bps, &new.device_read_bps),
        device_write_bps: with(&old.device_write_bps, &new.device_write_bps),
        device_read_iops: with(&old.device_read_iops, &new.device_read_iops),
        device_write_iops: with(&old.device_write_iops, &new.device_write_iops),
        ..new.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn old() -> Limits {
        Limits {
            memory: 100 << 20,
            memory_swap: 200 << 20,
            pids: Some(10),
            ..Limits::default()
        }
    }

    #[test]
    fn what_is_not_given_stays() {
        let change = Limits {
            cpu_shares: 512,
            ..Limits::default()
        };
        let new = merged(&old(), &change).expect("fits");
        let expected = Limits {
            cpu_shares: 512,
            ..old()
        };
        assert_eq!(new, expected);
    }

    #[test]
    fn memory_past_the_swap_limit_wants_both() {
        let change = |memory: i64, memory_swap: i64| Limits {
            memory: memory << 20,
            memory_swap,
            ..Limits::default()
        };
        assert!(merged(&old(), &change(201, 0)).is_err());
        let both = merged(&old(), &change(201, -1)).expect("fits");
        assert_eq!(both.memory_swap, -1);
        assert!(merged(&both, &change(900, 0)).is_ok());
        let first = merged(&Limits::default(), &change(50, 0)).expect("fits");
        assert_eq!(first.memory_swap, 100 << 20);
    }

    #[test]
    fn one_way_of_limiting_cpus_excludes_the_other() {
        let cpus = Limits {
            nano_cpus: 1,
            ..Limits::default()
        };
        let quota = Limits {
            cpu_quota: 1000,
            ..Limits::default()
        };
        for (old, new) in [(&cpus, &quota), (&quota, &cpus)] {
            let error = merged(old, new).expect_err("conflict").to_string();
            assert!(error.starts_with("Conflicting options: "), "{error}");
        }
    }

    #[test]
    fn devices_without_a_rate_are_freed() {
        let limits = |paths: &[&str]| Limits {
            device_read_bps: paths
                .iter()
                .map(|path| DeviceRate {
                    path: path.into(),
                    rate: 7,
                })
                .collect(),
            ..Limits::default()
        };
        let all = lifted(&limits(&["/dev/a", "/dev/b"]), &limits(&["/dev/b"]));
        let rates = all.device_read_bps.iter();
        let rates: Vec<_> = rates.map(|rate| (rate.path.to_str(), rate.rate)).collect();
        assert_eq!(rates, [(Some("/dev/b"), 7), (Some("/dev/a"), 0)]);
    }
}
