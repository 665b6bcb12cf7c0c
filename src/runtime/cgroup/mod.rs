//! A cgroup per container on whatever the host has: version 2, version 1 hierarchies, or both.
//!
//! Cgroups are how every process of a container is found, killed and frozen; limits come second.
//! Version 2 members are put there by clone3 (`CLONE_INTO_CGROUP`); in version 1 the child joins
//! by itself through `tasks`. Both avoid the RCU grace period (8 ms and more) that writing
//! another process's id into `cgroup.procs` costs.

mod hierarchy;
mod limits;

use std::ffi::CString;
use std::fs;
use std::io::ErrorKind;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use oci_spec::runtime::LinuxResources;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags};
use serde::{Deserialize, Serialize};

pub use hierarchy::{Hierarchies, Version1};
pub use limits::{Setting, version_1_settings, version_2_settings};

use super::plan::CgroupHierarchy;
use crate::error::{Context as _, Error, Result};
use crate::sys::signal;

/// The cgroups of one container: one directory per hierarchy, all with the same relative path.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Cgroup {
    version_2: Option<PathBuf>,
    version_1: Vec<(Version1, PathBuf)>,
    /// Version 2 has the controllers, not just the process tree.
    version_2_controls: bool,
}

impl Cgroup {
    /// The cgroup at `path` (e.g. `hull/<id>`) below the root of every hierarchy.
    ///
    /// # Errors
    /// `Invalid` for a path with `..` (attack A65).
    pub fn at(hierarchies: &Hierarchies, path: &Path) -> Result<Cgroup> {
        let components = path.components().filter(|part| *part != Component::RootDir);
        let relative: PathBuf = components.collect();
        let normal = relative
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !normal || relative.as_os_str().is_empty() {
            let shown = path.display();
            return Err(Error::invalid(format!(
                "invalid cgroup path {shown}: `..` is not allowed"
            )));
        }
        Ok(Cgroup {
            version_2: hierarchies
                .version_2
                .as_ref()
                .map(|root| root.join(&relative)),
            version_1: hierarchies
                .version_1
                .iter()
                .map(|v1| (v1.clone(), v1.mount.join(&relative)))
                .collect(),
            version_2_controls: hierarchies.version_1.is_empty(),
        })
    }

    /// Nothing on this host can hold processes.
    pub fn is_none(&self) -> bool {
        self.version_2.is_none() && self.version_1.is_empty()
    }

    /// Makes the version 2 directory and opens it for clone3.
    pub fn make_version_2(&self) -> Result<Option<OwnedFd>> {
        let Some(path) = &self.version_2 else {
            return Ok(None);
        };
        if self.version_2_controls {
            hierarchy::enable_controllers(path)?;
        }
        make(path)?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(CWD, path, flags, Mode::empty());
        Ok(Some(
            opened.context(|| format!("open cgroup {}", path.display()))?,
        ))
    }

    /// Opens the version 2 directory of a running container.
    pub fn open_version_2(&self) -> Option<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat(CWD, self.version_2.as_ref()?, flags, Mode::empty()).ok()
    }

    /// Makes the version 1 directories. Called while the child is busy with its mounts.
    pub fn make_version_1(&self) -> Result<()> {
        for (v1, path) in &self.version_1 {
            if v1.has("cpuset") {
                hierarchy::inherit_cpuset(&v1.mount, path)?;
            }
            make(path)?;
        }
        Ok(())
    }

    /// Puts a process that cannot do so itself into the version 1 cgroups. Slow, see above.
    pub fn add_to_version_1(&self, pid: Pid) -> Result<()> {
        for (_, path) in &self.version_1 {
            let file = path.join("cgroup.procs");
            let id = pid.as_raw_nonzero().to_string();
            fs::write(&file, id).context(|| format!("write {}", file.display()))?;
        }
        Ok(())
    }

    /// The `tasks` files that the child writes itself into.
    pub fn member_files(&self) -> Vec<CString> {
        use std::os::unix::ffi::OsStringExt as _;
        let files = self.version_1.iter().map(|(_, path)| path.join("tasks"));
        files
            .filter_map(|file| CString::new(file.into_os_string().into_vec()).ok())
            .collect()
    }

    /// The version 1 hierarchies as the container is to see them.
    pub fn hierarchies(&self) -> Vec<CgroupHierarchy> {
        let named = self.version_1.iter().filter_map(|(v1, path)| {
            Some(CgroupHierarchy {
                name: v1.mount.file_name()?.to_str()?.to_owned(),
                controllers: v1.controllers.clone(),
                directory: path.clone(),
            })
        });
        named.collect()
    }

    /// Writes the limits. What this host cannot enforce is returned as text, one line each.
    pub fn apply(&self, resources: &LinuxResources) -> Result<Vec<String>> {
        let mut missing = Vec::new();
        if self.version_2_controls {
            for setting in version_2_settings(resources) {
                write_setting(self.version_2.as_deref(), &setting, &mut missing)?;
            }
            return Ok(missing);
        }
        for setting in version_1_settings(resources) {
            let found = self
                .version_1
                .iter()
                .find(|(v1, _)| v1.has(setting.controller));
            write_setting(
                found.map(|(_, path)| path.as_path()),
                &setting,
                &mut missing,
            )?;
        }
        Ok(missing)
    }

    /// Kills every process inside and waits until they are gone.
    ///
    /// # Errors
    /// If something is left after `patience` (a process in uninterruptible sleep).
    pub fn kill_all(&self, patience: Duration) -> Result<()> {
        let deadline = Instant::now() + patience;
        loop {
            let members = self.members();
            if members.is_empty() {
                return Ok(());
            }
            self.kill_once(&members);
            if Instant::now() > deadline {
                let text = format!("{} processes did not die", members.len());
                return Err(Error::new(crate::error::Kind::System, text));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Sends a signal to every process inside.
    ///
    /// # Errors
    /// The first refusal; processes that end meanwhile are none.
    pub fn signal_all(&self, number: i32) -> Result<()> {
        for pid in self.members() {
            let Some(pid) = Pid::from_raw(pid) else {
                continue;
            };
            let opened = rustix::process::pidfd_open(pid, PidfdFlags::empty());
            let sent = opened.and_then(|pidfd| signal::send(pidfd.as_fd(), number));
            match sent {
                Ok(()) | Err(Errno::SRCH) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    fn kill_once(&self, members: &[i32]) {
        if let Some(path) = &self.version_2
            && fs::write(path.join("cgroup.kill"), "1").is_ok()
        {
            return;
        }
        // Linux before 5.14, or version 1 only: freeze, so that nobody forks away, and signal.
        let frozen = self.freeze(true).is_ok();
        for pid in members {
            if let Some(pid) = Pid::from_raw(*pid) {
                // A process may end by itself in between.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
        if frozen {
            // Frozen tasks die only once thawed; the loop above looks again.
            let _ = self.freeze(false);
        }
    }

    /// The ids of all processes inside, from a hierarchy that has them all.
    pub fn members(&self) -> Vec<i32> {
        let freezer = self.version_1.iter().find(|(v1, _)| v1.has("freezer"));
        let paths = self.version_2.iter().chain(freezer.map(|(_, path)| path));
        let mut pids: Vec<i32> = paths.flat_map(|path| members_below(path)).collect();
        pids.sort_unstable();
        pids.dedup();
        pids
    }

    /// Freezes or thaws every process inside, and waits until it is so.
    pub fn freeze(&self, frozen: bool) -> Result<()> {
        let freezer = self.version_1.iter().find(|(v1, _)| v1.has("freezer"));
        let (file, value, state, wanted) = match (freezer, &self.version_2) {
            (Some((_, path)), _) => {
                let word = if frozen { "FROZEN" } else { "THAWED" };
                (
                    path.join("freezer.state"),
                    word,
                    path.join("freezer.state"),
                    word,
                )
            }
            (None, Some(path)) => {
                let (value, state) = if frozen {
                    ("1", "frozen 1")
                } else {
                    ("0", "frozen 0")
                };
                (
                    path.join("cgroup.freeze"),
                    value,
                    path.join("cgroup.events"),
                    state,
                )
            }
            (None, None) => {
                return Err(Error::unsupported("no cgroup freezer on this host")
                    .hint("pausing needs cgroup v2 or the v1 freezer"));
            }
        };
        fs::write(&file, value).context(|| format!("write {}", file.display()))?;
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            let text =
                fs::read_to_string(&state).context(|| format!("read {}", state.display()))?;
            if text.lines().any(|line| line == wanted) {
                return Ok(());
            }
            // Version 1 may stop half way (`FREEZING`) and wants to be told again.
            fs::write(&file, value).context(|| format!("write {}", file.display()))?;
            std::thread::sleep(Duration::from_millis(1));
        }
        if frozen {
            // Should: never leave a container half frozen.
            let _ = fs::write(&file, if freezer.is_some() { "THAWED" } else { "0" });
        }
        Err(Error::new(
            crate::error::Kind::System,
            "the container did not freeze in 10 s",
        ))
    }

    /// Kills what is left inside and removes the directories. Where the first process had a PID
    /// namespace of its own nothing is left, and nobody is looked for.
    pub fn end(&self, patience: Duration) -> Result<()> {
        let paths = self
            .version_2
            .iter()
            .chain(self.version_1.iter().map(|(_, path)| path));
        let removed = |path: &PathBuf| match fs::remove_dir(path) {
            Err(error) => error.kind() == ErrorKind::NotFound,
            Ok(()) => true,
        };
        if paths.map(removed).fold(true, |all, gone| all & gone) {
            return Ok(());
        }
        self.kill_all(patience)?;
        self.remove()
    }

    /// Removes the directories, children first. Busy ones are tried again for a while: a cgroup
    /// empties a moment after its last process was reaped.
    pub fn remove(&self) -> Result<()> {
        let paths = self
            .version_2
            .iter()
            .chain(self.version_1.iter().map(|(_, path)| path));
        let mut first_error = None;
        for path in paths {
            if let Err(error) = remove_tree(path) {
                first_error.get_or_insert(error);
            }
        }
        first_error.map_or(Ok(()), Err)
    }
}

fn make(path: &Path) -> Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => fs::create_dir_all(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
    .context(|| format!("make cgroup {}", path.display()))
}

fn write_setting(
    directory: Option<&Path>,
    setting: &Setting,
    missing: &mut Vec<String>,
) -> Result<()> {
    let Some(directory) = directory else {
        missing.push(format!(
            "this host has no {} controller",
            setting.controller
        ));
        return Ok(());
    };
    let file = directory.join(&setting.file);
    match fs::write(&file, &setting.value) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            missing.push(format!("this host has no {}", setting.file));
            Ok(())
        }
        other => other.context(|| format!("write {:?} to {}", setting.value, file.display())),
    }
}

fn members_below(path: &Path) -> Vec<i32> {
    let text = fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default();
    let mut pids: Vec<i32> = text.lines().filter_map(|line| line.parse().ok()).collect();
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            pids.extend(members_below(&entry.path()));
        }
    }
    pids
}

fn remove_tree(path: &Path) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(2);
    loop {
        match fs::remove_dir(path) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) if Instant::now() > deadline => {
                return Err(error).context(|| format!("remove cgroup {}", path.display()));
            }
            Err(_) => {}
        }
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                // The loop says so if it could not be removed.
                let _ = remove_tree(&entry.path());
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
