//! `rm`: out of sight in one rename, then deleted.

use std::ffi::OsString;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};

use super::{access, stop};
use crate::base::ContainerId;
use crate::config::Settings;
use crate::error::{Context as _, Error, Kind, Result};
use crate::rootless::{IdMap, become_mapped_root};
use crate::state::Records;
use crate::store::{Store, clear_away, delete_buried, delete_rest};
use crate::sys::process::{Fork, exit_now, fork, join_namespace, yield_disk};

/// Whether a running container may be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    No,
    /// Kill it first, at once.
    Yes,
}

/// Removes a container. Works first time, whatever state it is in, and needs no free space.
///
/// # Errors
/// `Conflict` in Docker's words for a running container without force.
pub fn remove(settings: &Settings, id: &ContainerId, force: Force) -> Result<()> {
    Store::check_format(&settings.root)?;
    let records = super::records(settings);
    let run = records.run_directory(id);
    let was_recorded = run.is_recorded();
    if let Err(error) = super::reconcile(settings, id) {
        // What cannot be recorded, on a full disk or of a broken record, goes all the same.
        log::debug!("{error}");
    }
    access::await_writer(&run);
    // Must not: ask a record, which may be broken.
    if run.has_monitor() {
        if force == Force::No {
            return Err(Error::conflict(format!(
                "You cannot remove a running container {id}. Stop the container before attempting \
                 removal or force remove"
            )));
        }
        stop::kill_and_wait(&records, id)?;
    }
    let Some(_lock) = run.lock()? else {
        return Err(Error::conflict(format!("container {id} is being started")));
    };
    super::end_cgroup(&records, id)?;
    if records.exists(id) {
        super::notice(&records, id, "destroy", &[]);
    }
    match bury_and_delete(&records, id) {
        Err(error) if error.kind() == Kind::NotFound => {
            run.remove()?;
            // A container with --rm whose end we saw removes itself; gone is what was asked for.
            if was_recorded { Ok(()) } else { Err(error) }
        }
        other => other,
    }?;
    records.sweep_run_directories()
}

/// Takes the container out of sight and has it deleted.
pub(super) fn bury_and_delete(records: &Records, id: &ContainerId) -> Result<()> {
    records.bury(id)?;
    clear_away(records.root());
    Ok(())
}

/// Deletes a buried tree to the end, as root of this user namespace if its files have mapped
/// owners: for a monitor, whom nobody waits for.
pub(super) fn delete(grave: &Path, user_namespace: Option<BorrowedFd<'_>>) -> Result<()> {
    match user_namespace {
        Some(namespace) => delete_mapped(grave, namespace),
        None => delete_here(grave),
    }
}

fn delete_here(grave: &Path) -> Result<()> {
    let (Some(parent), Some(name)) = (grave.parent(), grave.file_name()) else {
        return Ok(());
    };
    let parent = open_directory(parent)?;
    delete_buried(&parent, name)
}

/// Deletes in a child: entering a user namespace would change this process for good.
fn delete_mapped(grave: &Path, namespace: BorrowedFd<'_>) -> Result<()> {
    let pidfd = match fork().context(|| "fork to delete a container")? {
        Fork::Child => {
            let joined = join_namespace(namespace, libc::CLONE_NEWUSER as u64)
                .context(|| "join the user namespace");
            let deleted = joined.and_then(|()| delete_here(grave));
            exit_now(u8::from(deleted.is_err()))
        }
        Fork::Parent { pidfd, .. } => pidfd,
    };
    match crate::runtime::process::wait_code(pidfd.as_fd())? {
        0 => Ok(()),
        _ => Err(Error::new(
            Kind::System,
            format!("delete {}", grave.display()),
        )),
    }
}

fn open_directory(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, path, flags, Mode::empty())
        .context(|| format!("open {}", path.display()))
}

/// The main function of the process that deletes what a command left to it; `arguments` is the
/// whole vector. Nobody reads what it says.
pub fn delete_in_background(arguments: &[OsString]) -> u8 {
    let Some(root) = arguments.get(1) else {
        return 1;
    };
    // What others do comes first, but the space is wanted back: at 19, a busy machine would hardly
    // ever let it run. Without the right to yield it goes all the same.
    let _ = rustix::process::setpriority_process(None, 10);
    let _ = yield_disk();
    // Files of mapped owners are only root's of the user's namespace.
    let is_root = rustix::process::geteuid().is_root();
    let become_root = || IdMap::for_caller().and_then(|map| become_mapped_root(&map));
    let entered = if is_root { Ok(()) } else { become_root() };
    match entered.and_then(|()| delete_rest(Path::new(root))) {
        Ok(()) => 0,
        Err(_) => 1,
    }
}
