//! The engine: from what a user asks for to a running container and back.
//!
//! `create` writes a record; `start` forks a monitor that brings the container up ([`start`]) and
//! stays with it ([`keep`]); everything else talks to the record, the monitor's socket, or the
//! container's first process. [`to_spec`] is the pure step from a record to an OCI spec.

mod access;
mod attach;
mod between;
mod commit;
mod cp;
mod create;
mod defaults;
mod diff;
mod exec;
mod export;
mod files;
mod keep;
mod notice;
mod relay;
mod remove;
mod request;
mod stage;
mod start;
mod stop;
mod to_spec;

pub use attach::{attach, wait};
pub use commit::{CommitRequest, commit};
pub use cp::{CopyRequest, Endpoint, copy, pour};
pub use create::create;
pub use defaults::{MASKED_PATHS, READ_ONLY_PATHS};
pub use diff::diff;
pub use exec::{ExecRequest, exec};
pub use export::{export, exported};
pub use keep::{KEEPER, keep, log_name};
pub use notice::{notice, notice_of};
pub use relay::{Outcome, RelayOptions, relay, terminal_size};
pub use remove::{Force, remove};
pub use request::Request;
pub use start::{Foreground, start};
pub use stop::{kill, pause, stop, unpause};

use std::os::fd::AsFd as _;
use std::time::Duration;

use crate::base::{ContainerId, Ownership, Timestamp};
use crate::config::Settings;
use crate::error::{Context as _, Result};
use crate::runtime::cgroup::{Cgroup, Hierarchies};
use crate::state::{Event, Live, Records, Status, boot_id};
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
    let known = Hierarchies::known(&records.run().join("cgroups.json"), boot_id())?;
    Cgroup::at(&known, &cgroup_path(id))
}

/// Whether this user has cgroups here to keep limits with.
pub fn can_limit(settings: &Settings) -> Result<bool> {
    let known = Hierarchies::known(&settings.run.join("cgroups.json"), boot_id())?;
    Ok(known.version_2.is_some() || !known.version_1.is_empty())
}

fn cgroup_path(id: &ContainerId) -> std::path::PathBuf {
    std::path::Path::new("hull").join(id.to_string())
}

/// How long the kernel may take to end a killed process.
const DEATH: Duration = Duration::from_secs(10);

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
    if let Some(container) = live.as_ref().and_then(Live::pidfd) {
        // It may end by itself first.
        let _ = rustix::process::pidfd_send_signal(&container, rustix::process::Signal::KILL);
        let ended = crate::runtime::process::await_end(container.as_fd(), DEATH);
        ended.context(|| format!("container {id} does not die"))?;
    }
    cgroup(&records, id)?.end(DEATH)?;
    let end = live.and_then(|live| live.ended);
    let died = records.apply(id, Event::Died, |state| {
        state.status = Status::Exited;
        state.exit_code = end.map_or(137, |end| end.exit_code);
        state.finished = Some(end.map_or_else(Timestamp::now, |end| end.at));
        if end.is_none() {
            state.error = "monitor lost".to_owned();
        }
    });
    // Should: the record before the run directory; killed in between, we are called again.
    match died.context(|| format!("record the end of container {id}"))? {
        state if state.auto_remove => remove::bury_and_delete(&records, id, settings.rootless),
        _ => run.remove(),
    }
}
