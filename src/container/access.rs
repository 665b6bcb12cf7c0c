//! The files of a container, whatever its state, without running anything of it.
//!
//! A running or paused one is seen through the root of its first process: one descriptor, below
//! which its mounts are where it sees them. One that does not run is mounted for the moment,
//! detached, so that nobody else sees it and nothing stays when this process dies; its binds are
//! entered by descriptors of their sources. Who only reads gets a mount that cannot be written and
//! has the container's changes as its topmost layer: no two overlays ever write to the same
//! directory.

use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, OFlags};

use super::files;
use crate::base::ContainerId;
use crate::config::Settings;
use crate::error::{Context as _, Error, Result};
use crate::rootfs::{self, Upper, View};
use crate::state::{Config, Live, MonitorLock, MountKind, RunDirectory};
use crate::store::{OverlayXattrs, Store};

/// How long a start or an end under way is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is wanted of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    Read,
    Write,
}

/// The files of one container.
#[derive(Debug)]
pub(super) struct Access {
    pub view: View,
    pub config: Config,
    /// It runs, so what is read-only is so already.
    pub live: bool,
    /// No start while a container that does not run is written to.
    lock: Option<(RunDirectory, MonitorLock)>,
}

impl Drop for Access {
    fn drop(&mut self) {
        if let Some((run, _lock)) = self.lock.take() {
            // Made for the lock alone. Left behind, it is swept with the container.
            let _ = run.remove();
        }
    }
}

/// Opens the files of a container as a process in it would see them. In a user namespace the caller
/// must be its root; a mount namespace of its own is made then.
pub(super) fn open(
    settings: &Settings,
    store: &Store,
    id: &ContainerId,
    intent: Intent,
) -> Result<Access> {
    let records = super::records(settings);
    super::reconcile(settings, id)?;
    let config = records.config(id)?;
    let run = records.run_directory(id);
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(live) = records.record(id)?.live
            && let Some(root) = root_of(&live)?
        {
            return Ok(Access {
                view: View::new(root),
                config,
                live: true,
                lock: None,
            });
        }
        let lock = match intent {
            Intent::Read => None,
            Intent::Write => run.lock()?,
        };
        if lock.is_some() || (intent == Intent::Read && !run.has_monitor()) {
            let mut view = View::new(mount_stopped(settings, store, &config, intent)?);
            put_binds(&mut view, &config)?;
            return Ok(Access {
                view,
                config,
                live: false,
                lock: lock.map(|lock| (run, lock)),
            });
        }
        if Instant::now() > deadline {
            return Err(Error::conflict(format!(
                "container {id} is being started or written to"
            )));
        }
        sleep(Duration::from_millis(5));
    }
}

/// Waits as long as somebody writes to the files of a container that does not run: who does holds
/// the monitor's lock, and records no process. A start under way looks the same until it does.
pub(super) fn await_writer(run: &RunDirectory) {
    let deadline = Instant::now() + PATIENCE;
    while run.has_monitor() && !run.is_recorded() && Instant::now() < deadline {
        sleep(Duration::from_millis(5));
    }
}

/// The root of the container's first process; none if it has ended.
fn root_of(live: &Live) -> Result<Option<OwnedFd>> {
    let Some(process) = live.pidfd() else {
        return Ok(None);
    };
    let path = format!("/proc/{}/root", live.pid);
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = match rustix::fs::openat(CWD, &path, flags, Mode::empty()) {
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::SRCH) => return Ok(None),
        root => root.context(|| "open the container's root")?,
    };
    // Should: after opening. While the process is there, its id is no other's.
    let there = crate::sys::signal::send(process.as_fd(), 0);
    Ok(there.is_ok().then_some(root))
}

/// The root of a container that does not run, with its changes and without its mounts.
pub(super) fn mount_stopped(
    settings: &Settings,
    store: &Store,
    config: &Config,
    intent: Intent,
) -> Result<OwnedFd> {
    own_mounts(settings)?;
    let (mut layers, options) = layers(settings, store, config)?;
    let up = super::records(settings).directory(&config.id).join("up");
    let diff = up.join("diff");
    match intent {
        Intent::Read => {
            layers.push(diff);
            rootfs::mount_read_only(&layers, options)
        }
        Intent::Write => {
            let work = up.join("work");
            rootfs::mount(&layers, &Upper { diff, work }, options)
        }
    }
}

/// What the container was made of, without its changes.
pub(super) fn mount_image(settings: &Settings, store: &Store, config: &Config) -> Result<OwnedFd> {
    own_mounts(settings)?;
    let (mut layers, options) = layers(settings, store, config)?;
    if layers.len() == 1 {
        // Overlay wants two: an empty one of ours.
        layers.insert(0, settings.root.join("bottom/proc"));
    }
    rootfs::mount_read_only(&layers, options)
}

/// Its layers, bottom first, and how they are mounted.
pub(super) fn layers(
    settings: &Settings,
    store: &Store,
    config: &Config,
) -> Result<(Vec<PathBuf>, rootfs::Options)> {
    let layers = store.layers_for(&config.layers)?;
    let marked = |xattrs| xattrs == OverlayXattrs::User;
    let user_xattr = settings.rootless || layers.iter().any(|layer| marked(layer.overlay_xattrs));
    let mut paths = vec![files::bottom_layer(&settings.root)?];
    paths.extend(layers.into_iter().map(|layer| layer.path));
    let options = rootfs::Options {
        user_xattr,
        volatile: config.auto_remove,
    };
    Ok((paths, options))
}

/// Mounting asks for rights over the mount namespace, which root of a user namespace has only in
/// one of its own.
fn own_mounts(settings: &Settings) -> Result<()> {
    static DONE: std::sync::OnceLock<()> = std::sync::OnceLock::new();
    if settings.rootless && DONE.set(()).is_ok() {
        let made = crate::sys::process::unshare(libc::CLONE_NEWNS);
        made.context(|| "make a mount namespace")?;
    }
    Ok(())
}

/// Binds of a container that does not run. A source that has gone fails at the start, not here.
fn put_binds(view: &mut View, config: &Config) -> Result<()> {
    for mount in &config.mounts {
        if mount.kind != MountKind::Bind {
            continue;
        }
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let Ok(source) = rustix::fs::openat(CWD, &mount.source, flags, Mode::empty()) else {
            continue;
        };
        let read_only = mount
            .options
            .iter()
            .any(|option| option == "ro" || option == "rro");
        view.put(mount.target.as_os_str().as_bytes(), source, read_only)
            .context(|| format!("mount {}", mount.target.display()))?;
    }
    Ok(())
}
