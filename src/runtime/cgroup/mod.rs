//! A cgroup per container on whatever the host has: version 2, version 1 hierarchies, or both.
//!
//! Cgroups are how every process of a container is found, killed and frozen; limits come second.
//! Version 2 members are put there by clone3 (`CLONE_INTO_CGROUP`); in version 1 the child joins
//! by itself through `tasks`. Both avoid the RCU grace period (8 ms and more) that writing
//! another process's id into `cgroup.procs` costs.

mod apply;
mod freezer;
mod hierarchy;
mod limits;
mod tree;
mod usage;

use std::ffi::CString;
use std::fs;
use std::io::ErrorKind;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags};
use serde::{Deserialize, Serialize};

pub use apply::Undo;
pub use hierarchy::{Hierarchies, Version1};

use super::plan::CgroupHierarchy;
use crate::error::{Context as _, Error, Result};
use crate::sys::signal;

/// How long processes that are to be killed may take to freeze: it only helps.
const BRIEFLY: Duration = Duration::from_millis(100);

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
        let frozen = self.freeze_within(true, BRIEFLY).is_ok();
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
        let freezer = self.directory_of("freezer");
        let mut pids = Vec::new();
        for path in self.version_2.as_deref().into_iter().chain(freezer) {
            tree::walk(path, &mut |directory| {
                pids.extend(tree::processes(directory))
            });
        }
        pids.sort_unstable();
        pids.dedup();
        pids
    }

    /// The directory in which this controller works.
    fn directory_of(&self, controller: &str) -> Option<&Path> {
        let mut found = self.version_1.iter().filter(|(v1, _)| v1.has(controller));
        found.next().map(|(_, path)| path.as_path())
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
            if let Err(error) = tree::remove(path) {
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
