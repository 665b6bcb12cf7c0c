//! Without cgroups, and in another's PID namespace, nothing ends a container's processes with the
//! first one. What they still share is the container's mount namespace, which no other process is
//! in: that is how they are found.
//!
//! Adopting them instead (prctl(2), `PR_SET_CHILD_SUBREAPER`) was rejected: the monitor would be
//! given the dead of PID namespaces too, and those end only once it has waited for each.

use std::fs;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::DEATH;
use crate::error::{Context as _, Result};
use crate::runtime::process::await_end;

/// A process's mount namespace, as a name that compares equal for equal ones.
pub(super) fn mount_namespace(pid: i32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/mnt")).ok()
}

/// Kills everything in a mount namespace, until nothing is.
///
/// # Errors
/// If one does not die.
pub(super) fn end(namespace: &Path) -> Result<()> {
    let deadline = Instant::now() + DEATH;
    loop {
        let inside = inside(namespace);
        if inside.is_empty() {
            return Ok(());
        }
        for pid in inside {
            let pidfd = Pid::from_raw(pid).map(|pid| pidfd_open(pid, PidfdFlags::empty()));
            let Some(Ok(pidfd)) = pidfd else {
                continue;
            };
            // Should: looked at again, once the id is held and cannot be another's.
            if mount_namespace(pid).as_deref() != Some(namespace) {
                continue;
            }
            // It may end by itself first.
            let _ = pidfd_send_signal(&pidfd, Signal::KILL);
            let left = deadline.saturating_duration_since(Instant::now());
            await_end(pidfd.as_fd(), left)
                .context(|| format!("process {pid} of the container does not die"))?;
        }
    }
}

/// The dead show no namespace.
fn inside(namespace: &Path) -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| mount_namespace(*pid).as_deref() == Some(namespace))
        .collect()
}
