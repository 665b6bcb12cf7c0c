//! The engine: from what a user asks for to a running container and back.
//!
//! `create` writes a record; `start` forks a monitor that brings the container up ([`start`]) and
//! stays with it ([`keep`]); everything else talks to the record, the monitor's socket, or the
//! container's first process. [`to_spec`] is the pure step from a record to an OCI spec.

mod access;
mod accounts;
mod attach;
mod between;
mod commit;
mod cp;
mod create;
mod defaults;
mod devices;
mod diff;
mod donor;
mod environment;
mod exec;
mod export;
mod files;
mod health;
mod job;
mod keep;
mod lifecycle;
mod limits;
mod logging;
mod notice;
mod notify;
mod orphans;
mod processes;
mod prune;
mod relay;
mod remove;
mod rename;
mod request;
mod resolver;
mod restart;
mod stage;
mod start;
mod stats;
mod stop;
mod streams;
mod systemd;
mod to_spec;
mod top;
mod update;

pub use attach::{attach, wait};
pub use commit::{CommitRequest, commit};
pub use cp::{CopyRequest, Endpoint, copy, pour};
pub use create::create;
pub use defaults::{MASKED_PATHS, READ_ONLY_PATHS};
pub use diff::diff;
pub use exec::{ExecRequest, exec};
pub use export::{export, exported};
pub use health::check_health;
pub use keep::{KEEPER, keep};
pub use lifecycle::{HealthRequest, Lifecycle};
pub use limits::Unkept;
pub use logging::{PASSTHROUGH, log_attributes, log_place};
pub use notice::{notice, notice_of};
pub use processes::ProcessInfo;
pub use prune::{Pruned as ContainersPruned, prune};
pub use relay::{Outcome, RelayOptions, hold_signals, relay, terminal_size};
pub use remove::{Force, delete_in_background, remove};
pub use rename::rename;
pub use request::{ImageVolumes, Request, Systemd};
pub use start::{Foreground, start};
pub use stats::{Sample, Used, host_memory, sample};
pub use stop::{kill, pause, stop, unpause};
pub use top::{host_ps, top};
pub use update::{Change, update};

use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::base::{ContainerId, Ownership, Timestamp};
use crate::config::Settings;
use crate::error::{Context as _, Result};
use crate::runtime::cgroup::{Cgroup, Hierarchies};
use crate::runtime::process::await_end;
use crate::state::{Event, Limits, Live, Records, Status, boot_id};
use crate::store::Store;

/// The records of these settings.
pub fn records(settings: &Settings) -> Records {
    Records::at(&settings.root, &settings.run)
}

/// The store for reading, as this user unpacks layers; made if it is not there.
pub fn store(settings: &Settings) -> Result<Store> {
    Store::open(&settings.root, ownership(settings)?)
}

fn ownership(settings: &Settings) -> Result<Ownership> {
    if !settings.rootless {
        return Ok(Ownership::Full);
    }
    Ok(crate::rootless::IdMap::for_caller()?.ownership())
}

/// The cgroups of a container, none where this user may not write any.
fn cgroup(records: &Records, id: &ContainerId) -> Result<Cgroup> {
    cgroup_of(records, id, records.run_directory(id).live().as_ref())
}

/// The same, by a run record that was read already.
fn cgroup_of(records: &Records, id: &ContainerId, live: Option<&Live>) -> Result<Cgroup> {
    let recorded = live.and_then(|live| recorded_cgroup(id, live));
    let path = recorded.unwrap_or_else(|| configured_cgroup(records, id));
    Cgroup::at(&hierarchies(records)?, &path)
}

/// Kills what is left in the cgroups of a container and removes them.
///
/// Should: wherever one of its records says it is. One that is damaged must not leave the cgroup
/// that the other names.
fn end_cgroup(records: &Records, id: &ContainerId) -> Result<()> {
    let hierarchies = hierarchies(records)?;
    let configured = configured_cgroup(records, id);
    let live = records.run_directory(id).live();
    let recorded = live.and_then(|live| recorded_cgroup(id, &live));
    let recorded = recorded.filter(|path| *path != configured);
    for path in std::iter::once(configured).chain(recorded) {
        Cgroup::at(&hierarchies, &path)?.end(DEATH)?;
    }
    Ok(())
}

/// Where the run record says that the cgroup is, if it can be this container's at all.
fn recorded_cgroup(id: &ContainerId, live: &Live) -> Option<PathBuf> {
    let path = &live.cgroup;
    let mut components = path.components();
    let is_below = components.all(|component| matches!(component, Component::Normal(_)));
    let is_own = path.file_name() == Some(id.to_string().as_ref());
    (is_below && is_own).then(|| path.clone())
}

/// Where its config puts it; one that cannot be read asked for nothing.
fn configured_cgroup(records: &Records, id: &ContainerId) -> PathBuf {
    let config = records.config(id);
    let parent = config.map_or(String::new(), |config| config.limits.cgroup_parent);
    cgroup_path(id, &parent)
}

/// The hierarchies that this user may write.
fn hierarchies(records: &Records) -> Result<Hierarchies> {
    Hierarchies::known(&records.run().join("cgroups.json"), boot_id())
}

/// Below every hierarchy's root, as Docker lays it out: the parent, then the whole id.
fn cgroup_path(id: &ContainerId, parent: &str) -> PathBuf {
    let parent = match parent.trim_matches('/') {
        "" => "hull",
        parent => parent,
    };
    Path::new(parent).join(id.to_string())
}

/// Which of a request's limits this host cannot keep: what to tell the user before a container is
/// made.
///
/// # Errors
/// `Unsupported` where the user wants all of them or none.
pub fn unkept_limits(settings: &Settings, limits: &Limits) -> Result<Vec<Unkept>> {
    let unkept = limits::unkept(limits, &hierarchies(&records(settings))?);
    if limits.strict {
        limits::refuse(&unkept)?;
    }
    Ok(unkept)
}

/// How long the kernel may take to end a killed process.
const DEATH: Duration = Duration::from_secs(10);

/// How long a process may take whose memory is gone already: the last one of a container unmounts
/// its root, and overlayfs then writes all the disk's dirty pages (seen: 20 s on a busy disk).
const UNMOUNT: Duration = Duration::from_secs(120);

/// Waits for the end of a killed container's first process.
fn await_death(container: BorrowedFd<'_>, live: &Live, id: &ContainerId) -> Result<()> {
    let ended = await_end(container, DEATH).or_else(|error| {
        // Of a process that is past its own memory nothing but the kernel's work is left.
        let status = std::fs::read_to_string(format!("/proc/{}/status", live.pid));
        match status.is_ok_and(|status| status.contains("VmSize:")) {
            true => Err(error),
            false => await_end(container, UNMOUNT),
        }
    });
    ended.context(|| format!("container {id} does not die"))
}

/// Ends what a killed monitor left of a container: kills the processes, records the end, gives
/// everything back. Called by every command that changes a container; does nothing while its
/// monitor lives.
pub fn reconcile(settings: &Settings, id: &ContainerId) -> Result<()> {
    Store::check_format(&settings.root)?;
    let records = records(settings);
    let run = records.run_directory(id);
    if !run.is_recorded() || run.has_monitor() {
        return Ok(());
    }
    // Taking the lock makes us the one who cleans up, and keeps a new monitor away meanwhile.
    let Some(_lock) = run.lock()? else {
        return Ok(());
    };
    if !run.is_recorded() {
        // It ended by itself in between, and only our lock is there.
        return run.remove();
    }
    let live = run.live();
    if let Some(live) = &live
        && let Some(container) = live.pidfd()
    {
        // It may end by itself first.
        let _ = rustix::process::pidfd_send_signal(&container, rustix::process::Signal::KILL);
        await_death(container.as_fd(), live, id)?;
    }
    let oom_killed = cgroup(&records, id)?.oom_kills() > 0;
    end_cgroup(&records, id)?;
    let end = live.and_then(|live| live.ended);
    let died = records.apply(id, Event::Died, |state| {
        state.status = Status::Exited;
        state.exit_code = end.map_or(137, |end| end.exit_code);
        state.finished = Some(end.map_or_else(Timestamp::now, |end| end.at));
        state.oom_killed = oom_killed;
        if end.is_none() {
            state.error = "monitor lost".to_owned();
        }
    });
    if end.is_none() {
        notice(&records, id, "die", &[("exitCode", "137")]);
    }
    // Should: the record before the run directory; killed in between, we are called again.
    match died.context(|| format!("record the end of container {id}"))? {
        state if state.auto_remove => remove::bury_and_delete(&records, id),
        _ => run.remove(),
    }
}
