//! What runs of a container now: `RUN/c/<id12>/`, on tmpfs, valid for this boot only.
//!
//! `monitor.lock` is locked by the monitor as long as it lives: the kernel's own record of
//! liveness. The lock is one of the open file description (`F_OFD_SETLK`, fcntl(2)): it goes where
//! the descriptor goes, and readers can ask about it without taking it, so that no reader is ever
//! mistaken for a monitor. `run.json` names the first process by id and start time. `ctl` is the
//! monitor's socket.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use nix::fcntl::{FcntlArg, fcntl};
use rustix::process::{Pid, PidfdFlags};
use serde::{Deserialize, Serialize};

use super::lifecycle::Health;
use crate::base::{ContainerId, Timestamp};
use crate::error::{Context as _, Result};

/// The health of a running container, in its run directory; of an ended one, beside its record.
pub(super) const HEALTH: &str = "health.json";

/// `run.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Live {
    pub boot_id: String,
    pub pid: i32,
    /// Start time of that process, clock ticks since boot (proc_pid_stat(5), field 22).
    pub start_ticks: u64,
    pub started: Timestamp,
    /// Path of the cgroup below every hierarchy's root.
    pub cgroup: PathBuf,
    /// The container lives in a user namespace of ours.
    pub user_namespace: bool,
    pub paused: bool,
    /// It has ended, `ended` says how, and its monitor is going to start it again.
    #[serde(default)]
    pub restarting: bool,
    /// How it ended, when that could not be written to the store: a full disk, say.
    #[serde(default)]
    pub ended: Option<End>,
}

/// The end of a container.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct End {
    pub exit_code: u8,
    pub at: Timestamp,
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

    /// The one with this name, of a container that need not exist.
    pub(super) fn named(run: &Path, name: &str) -> Self {
        RunDirectory(run.join("c").join(name))
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

    /// Makes the directory and takes the monitor's lock for life; `None` if a monitor has it.
    pub fn lock(&self) -> Result<Option<MonitorLock>> {
        let path = self.0.join("monitor.lock");
        let subject = || format!("lock {}", path.display());
        loop {
            self.make()?;
            let mut options = File::options();
            options.create(true).truncate(false).write(true).mode(0o600);
            let file = match options.open(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                opened => opened.context(|| format!("open {}", path.display()))?,
            };
            match fcntl(&file, FcntlArg::F_OFD_SETLK(&whole_file(libc::F_WRLCK))) {
                Ok(_) => {}
                Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EACCES) => return Ok(None),
                Err(errno) => return Err(std::io::Error::from(errno)).context(subject),
            }
            // Whoever had it may have removed the directory: then our lock keeps nobody out.
            if is_at(&file, &path) {
                return Ok(Some(MonitorLock(file)));
            }
        }
    }

    /// Whether a monitor lives.
    pub fn has_monitor(&self) -> bool {
        let Ok(file) = File::open(self.0.join("monitor.lock")) else {
            return false;
        };
        let mut held = whole_file(libc::F_WRLCK);
        let asked = fcntl(&file, FcntlArg::F_OFD_GETLK(&mut held));
        asked.is_ok() && i32::from(held.l_type) != libc::F_UNLCK
    }

    /// Something ran here, whether or not it still does and whether or not its record can be read.
    pub fn is_recorded(&self) -> bool {
        self.0.join("run.json").exists()
    }

    /// The live record of this boot, if there is one that can be read.
    pub fn live(&self) -> Option<Live> {
        let bytes = fs::read(self.0.join("run.json")).ok()?;
        let live: Live = serde_json::from_slice(&bytes).ok()?;
        (live.boot_id == boot_id()).then_some(live)
    }

    /// Notes that a user wants the container to end: its next end is the last.
    pub fn request_stop(&self) -> Result<()> {
        match File::create(self.stop_request()) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            made => made
                .map(drop)
                .context(|| "note that the container is to stop"),
        }
    }

    /// Whether a user wants the container to end.
    pub fn stop_is_requested(&self) -> bool {
        self.stop_request().exists()
    }

    /// A user starts it: what was wanted before does not count any more.
    pub fn forget_stop_request(&self) -> Result<()> {
        match fs::remove_file(self.stop_request()) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).context(|| "start afresh")
            }
            _ => Ok(()),
        }
    }

    fn stop_request(&self) -> PathBuf {
        self.0.join("stop")
    }

    /// The health of the running container, where it has checks.
    pub fn health(&self) -> Option<Health> {
        let bytes = fs::read(self.0.join(HEALTH)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Publishes its health.
    pub fn write_health(&self, health: &Health) -> Result<()> {
        let bytes = serde_json::to_vec(health).context(|| "encode the health")?;
        let temporary = self.0.join("health.json.new");
        fs::write(&temporary, bytes).context(|| format!("write {}", temporary.display()))?;
        fs::rename(&temporary, self.0.join(HEALTH)).context(|| "publish the health")
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
    ///
    /// Should: out of sight in one step, before anything in it goes. Without its lock file the
    /// directory would be free for a new monitor, whose files would then be removed.
    pub fn remove(&self) -> Result<()> {
        let subject = || format!("remove {}", self.0.display());
        let name = self.0.file_name().unwrap_or_default().to_string_lossy();
        let gone = self
            .0
            .with_file_name(format!(".{name}-{}", std::process::id()));
        match fs::rename(&self.0, &gone) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            renamed => renamed.context(subject)?,
        }
        fs::remove_dir_all(&gone).context(subject)
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

fn whole_file(kind: i32) -> libc::flock {
    libc::flock {
        l_type: i16::try_from(kind).expect("lock kinds are 0, 1 and 2"),
        l_whence: 0,
        l_start: 0,
        l_len: 0,
        // Must be 0 for locks of the open file description.
        l_pid: 0,
    }
}

/// Whether the open file is still what the path names.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(held), Ok(named)) => identity(held) == identity(named),
        _ => false,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(name: &str) -> RunDirectory {
        let name = format!("hull-test-live-{name}-{}", std::process::id());
        RunDirectory(std::env::temp_dir().join(name))
    }

    #[test]
    fn asking_for_a_monitor_never_looks_like_one() {
        let run = directory("ask");
        run.make().expect("made");
        let asker = std::thread::spawn({
            let run = run.clone();
            move || (0..20_000).filter(|_| run.has_monitor()).count()
        });
        // Each time free: nobody but readers was there.
        let taken = (0..2_000).filter(|_| matches!(run.lock(), Ok(Some(_))));
        assert_eq!(taken.count(), 2_000);
        asker.join().expect("does not panic");
        let lock = run.lock().expect("works");
        assert!(lock.is_some() && run.has_monitor());
        assert!(
            run.lock().expect("works").is_none(),
            "one monitor at a time"
        );
        drop(lock);
        assert!(!run.has_monitor());
        run.remove().expect("removed");
    }

    #[test]
    fn the_lock_of_a_removed_directory_keeps_nobody_out() {
        let run = directory("removed");
        for _ in 0..200 {
            let first = run.lock().expect("works").expect("is free");
            let other = std::thread::spawn({
                let run = run.clone();
                move || {
                    run.lock()
                        .expect("works")
                        .is_some_and(|_| run.has_monitor())
                }
            });
            run.remove().expect("removed");
            drop(first);
            // Either it came too early, or what it got is the lock that the others see.
            let _ = other.join().expect("does not panic");
            let again = run.lock().expect("works").expect("is free");
            assert!(run.has_monitor());
            drop(again);
        }
        run.remove().expect("removed");
    }
}
