//! What runs of a container now: `RUN/c/<id12>/`, on tmpfs, valid for this boot only.
//!
//! `monitor.lock` is locked by the monitor as long as it lives: the kernel's own record of
//! liveness. `run.json` names the first process by id and start time. `ctl` is the monitor's
//! socket.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags};
use serde::{Deserialize, Serialize};

use crate::base::{ContainerId, Timestamp};
use crate::error::{Context as _, Result};

/// `run.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Live {
    pub boot_id: String,
    pub pid: i32,
    /// Start time of that process, clock ticks since boot (proc_pid_stat(5), field 22).
    pub start_ticks: u64,
    pub monitor_pid: i32,
    pub started: Timestamp,
    /// Path of the cgroup below every hierarchy's root.
    pub cgroup: PathBuf,
    /// The container lives in a user namespace of ours.
    pub user_namespace: bool,
    pub paused: bool,
}

/// The lock of a live monitor.
#[derive(Debug)]
pub struct MonitorLock(File);

/// The lock belongs to the descriptor and goes where it goes.
impl From<MonitorLock> for OwnedFd {
    fn from(lock: MonitorLock) -> OwnedFd {
        lock.0.into()
    }
}

/// The run directory of one container.
#[derive(Debug, Clone)]
pub struct RunDirectory(PathBuf);

impl RunDirectory {
    /// Below the run directory of this user; not made yet.
    pub fn of(run: &Path, id: &ContainerId) -> Self {
        RunDirectory(run.join("c").join(id.short()))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it, 0700.
    pub fn make(&self) -> Result<()> {
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0);
        made.context(|| format!("make {}", self.0.display()))
    }

    /// Takes the monitor's lock for life; `None` if a monitor has it.
    pub fn lock(&self) -> Result<Option<MonitorLock>> {
        let path = self.0.join("monitor.lock");
        let mut options = File::options();
        let file = options
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path);
        let file = file.context(|| format!("open {}", path.display()))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(MonitorLock(file))),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(errno).context(|| format!("lock {}", path.display())),
        }
    }

    /// Whether a monitor lives.
    pub fn has_monitor(&self) -> bool {
        let Ok(file) = File::open(self.0.join("monitor.lock")) else {
            return false;
        };
        flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
    }

    /// Something of this boot ran here, whether or not it still does.
    pub fn was_live(&self) -> bool {
        self.live().is_some()
    }

    /// The live record of this boot, if there is one that can be read.
    pub fn live(&self) -> Option<Live> {
        let bytes = fs::read(self.0.join("run.json")).ok()?;
        let live: Live = serde_json::from_slice(&bytes).ok()?;
        (live.boot_id == boot_id()).then_some(live)
    }

    /// Publishes the live record.
    pub fn write(&self, live: &Live) -> Result<()> {
        let bytes = serde_json::to_vec(live).context(|| "encode run.json")?;
        let temporary = self.0.join("run.json.new");
        fs::write(&temporary, bytes).context(|| format!("write {}", temporary.display()))?;
        let file = self.0.join("run.json");
        fs::rename(&temporary, &file).context(|| format!("write {}", file.display()))
    }

    /// Removes everything here. What is gone already is fine.
    pub fn remove(&self) -> Result<()> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other.context(|| format!("remove {}", self.0.display())),
        }
    }
}

impl Live {
    /// The first process, if it is still the one recorded: a reused id is never signalled.
    pub fn pidfd(&self) -> Option<OwnedFd> {
        let pid = Pid::from_raw(self.pid)?;
        let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok()?;
        // Should: after opening, so that the id cannot be reused in between.
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        let (_, after) = stat.rsplit_once(") ")?;
        let ticks: u64 = after.split(' ').nth(19)?.parse().ok()?;
        (ticks == self.start_ticks).then_some(pidfd)
    }
}

/// This boot's id, random(4): run records of another boot mean nothing.
pub fn boot_id() -> &'static str {
    static BOOT_ID: OnceLock<String> = OnceLock::new();
    BOOT_ID.get_or_init(|| {
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        text.trim().to_owned()
    })
}
