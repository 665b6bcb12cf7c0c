//! The engine: from what a user asks for to a running container and back.
//!
//! `create` writes a record; `start` forks a monitor that brings the container up ([`start`]) and
//! stays with it ([`keep`]); everything else talks to the record, the monitor's socket, or the
//! container's first process. [`to_spec`] is the pure step from a record to an OCI spec.

mod attach;
mod between;
mod create;
mod defaults;
mod exec;
mod files;
mod keep;
mod relay;
mod remove;
mod request;
mod stage;
mod start;
mod stop;
mod to_spec;

pub use attach::{attach, wait};
pub use create::create;
pub use defaults::{MASKED_PATHS, READ_ONLY_PATHS};
pub use exec::{ExecRequest, exec};
pub use keep::{KEEPER, keep, log_name};
pub use relay::{Outcome, RelayOptions, relay, terminal_size};
pub use remove::{Force, images_in_use, remove};
pub use request::{Request, Ulimits};
pub use start::{Foreground, start};
pub use stop::{kill, pause, stop, unpause};

use std::fs;

use crate::base::ContainerId;
use crate::config::Settings;
use crate::error::{Context as _, Result};
use crate::runtime::cgroup::{Cgroup, Hierarchies};
use crate::state::{Event, Records, boot_id};
use crate::store::{Ownership, Store};

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
    Ok(match crate::rootless::IdMap::for_caller()?.ownership() {
        crate::rootless::Ownership::Full => Ownership::Full,
        crate::rootless::Ownership::Squashed => Ownership::Squashed,
    })
}

/// The cgroups of a container, none where this user may not write any.
fn cgroup(records: &Records, id: &ContainerId) -> Result<Cgroup> {
    let known = Hierarchies::known(&records.run().join("cgroups.json"), boot_id())?;
    Cgroup::at(&known, &cgroup_path(id))
}

fn cgroup_path(id: &ContainerId) -> std::path::PathBuf {
    std::path::Path::new("hull").join(id.to_string())
}

/// Ends what a killed monitor left of a container: kills the processes, records the end, gives
/// everything back. Called by every command that changes a container; does nothing while its
/// monitor lives.
pub fn reconcile(records: &Records, id: &ContainerId) -> Result<()> {
    let run = records.run_directory(id);
    if !run.was_live() {
        return Ok(());
    }
    // Taking the lock makes us the one who cleans up, and keeps a new monitor away meanwhile.
    let Some(_lock) = run.lock()? else {
        return Ok(());
    };
    let Some(live) = run.live() else {
        return Ok(());
    };
    if let Some(pidfd) = live.pidfd() {
        // It may end by itself first.
        let _ = rustix::process::pidfd_send_signal(&pidfd, rustix::process::Signal::KILL);
    }
    let cgroup = cgroup(records, id)?;
    cgroup.kill_all(std::time::Duration::from_secs(10))?;
    cgroup.remove()?;
    let _ = fs::remove_file(run.path().join("run.json"));
    let died = records.apply(id, Event::Died, |state| {
        state.status = crate::state::Status::Exited;
        state.exit_code = 137;
        state.error = "monitor lost".to_owned();
        state.finished = Some(crate::base::Timestamp::now());
    });
    let state = died.context(|| format!("record the end of container {id}"))?;
    if state.auto_remove {
        remove::bury_and_delete(records, id, live.user_namespace)?;
    }
    Ok(())
}
