//! `rm`: out of sight in one rename, then deleted.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};

use super::{access, stop};
use crate::base::ContainerId;
use crate::config::Settings;
use crate::error::{Context as _, Error, Kind, Result};
use crate::state::Records;
use crate::store::{Store, delete_grave};
use crate::sys::process::{Fork, exit_now, fork, join_namespace};

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
    match bury_and_delete(&records, id, settings.rootless) {
        Err(error) if error.kind() == Kind::NotFound => {
            run.remove()?;
            // A container with --rm whose end we saw removes itself; gone is what was asked for.
            if was_recorded { Ok(()) } else { Err(error) }
        }
        other => other,
    }?;
    records.sweep_run_directories()
}

/// Takes the container out of sight and deletes it.
pub(super) fn bury_and_delete(
    records: &Records,
    id: &ContainerId,
    user_namespace: bool,
) -> Result<()> {
    let grave = records.bury(id)?;
    if !user_namespace {
        return delete(&grave, None);
    }
    delete_mapped(&grave, None)
}

/// Deletes a buried tree, as root of this user namespace if its files have mapped owners.
pub(super) fn delete(grave: &Path, user_namespace: Option<BorrowedFd<'_>>) -> Result<()> {
    match user_namespace {
        Some(namespace) => delete_mapped(grave, Some(namespace)),
        None => delete_here(grave),
    }
}

fn delete_here(grave: &Path) -> Result<()> {
    let (Some(parent), Some(name)) = (grave.parent(), grave.file_name()) else {
        return Ok(());
    };
    let parent = open_directory(parent)?;
    delete_grave(&parent, name)
}

/// Deletes in a child: entering a user namespace would change this process for good.
fn delete_mapped(grave: &Path, namespace: Option<BorrowedFd<'_>>) -> Result<()> {
    let pidfd = match fork().context(|| "fork to delete a container")? {
        Fork::Child => {
            let joined = match namespace {
                Some(namespace) => join_namespace(namespace, libc::CLONE_NEWUSER as u64)
                    .context(|| "join the user namespace"),
                None => crate::rootless::IdMap::for_caller()
                    .and_then(|map| crate::rootless::become_mapped_root(&map)),
            };
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
