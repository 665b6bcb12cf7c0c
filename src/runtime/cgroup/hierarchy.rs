//! Which cgroup hierarchies this host has, from /proc/self/mountinfo (proc_pid_mountinfo(5)).

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Context as _, Result};

/// One mounted version 1 hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version1 {
    /// Controllers, or `name=…` for a hierarchy without any.
    pub controllers: Vec<String>,
    /// Where it is mounted.
    pub mount: PathBuf,
}

impl Version1 {
    /// This hierarchy has the controller.
    pub fn has(&self, controller: &str) -> bool {
        self.controllers.iter().any(|own| own == controller)
    }
}

/// All hierarchies we may write to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hierarchies {
    pub version_2: Option<PathBuf>,
    pub version_1: Vec<Version1>,
}

/// The file of [`Hierarchies::known`].
#[derive(Serialize, Deserialize)]
struct Noted {
    boot_id: String,
    hierarchies: Hierarchies,
}

impl Hierarchies {
    /// What is mounted and writable for us. An ordinary user without delegation gets none.
    pub fn detect() -> Result<Hierarchies> {
        let text = fs::read_to_string("/proc/self/mountinfo").context(|| "read mountinfo")?;
        let mut found = Hierarchies::parse(&text);
        if rustix::process::geteuid().is_root() {
            // A hierarchy that is mounted read only says so when a directory is made in it.
            return Ok(found);
        }
        let writable = |path: &Path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
        found.version_2 = found.version_2.filter(|path| writable(path));
        found.version_1.retain(|v1| writable(&v1.mount));
        Ok(found)
    }

    /// What was found earlier in this boot and noted in `file`, if it is still there; otherwise as
    /// [`Hierarchies::detect`], noted for the next. The kernel writes mountinfo slowly.
    pub fn known(file: &Path, boot_id: &str) -> Result<Hierarchies> {
        let noted = fs::read(file).ok();
        let noted = noted.and_then(|bytes| serde_json::from_slice::<Noted>(&bytes).ok());
        if let Some(noted) = noted
            && noted.boot_id == boot_id
            && noted.hierarchies.are_there()
        {
            return Ok(noted.hierarchies);
        }
        let hierarchies = Hierarchies::detect()?;
        let noted = Noted {
            boot_id: boot_id.to_owned(),
            hierarchies: hierarchies.clone(),
        };
        let temporary = file.with_extension(std::process::id().to_string());
        let written = serde_json::to_vec(&noted).ok().and_then(|bytes| {
            fs::write(&temporary, bytes)
                .and_then(|()| fs::rename(&temporary, file))
                .ok()
        });
        if written.is_none() {
            // Only the next start is a little slower.
            let _ = fs::remove_file(&temporary);
        }
        Ok(hierarchies)
    }

    fn are_there(&self) -> bool {
        let last = self.version_1.last().map(|v1| &v1.mount);
        let mut checked = last.into_iter().chain(&self.version_2);
        checked.all(|mount| mount.join("cgroup.procs").exists())
    }

    /// Reads mountinfo; the first mount of each hierarchy counts.
    fn parse(mountinfo: &str) -> Hierarchies {
        let mut found = Hierarchies::default();
        for line in mountinfo.lines() {
            let Some((mount, file_system)) = line.split_once(" - ") else {
                continue;
            };
            let (Some(root), Some(point)) = (mount.split(' ').nth(3), mount.split(' ').nth(4))
            else {
                continue;
            };
            let mut fields = file_system.split(' ');
            let (fs_type, _, options) = (fields.next(), fields.next(), fields.next());
            // A bind mount of a part of a hierarchy is not its root.
            if root != "/" {
                continue;
            }
            match (fs_type, options) {
                (Some("cgroup2"), _) if found.version_2.is_none() => {
                    found.version_2 = Some(PathBuf::from(point));
                }
                (Some("cgroup"), Some(options)) => found.add_version_1(point, options),
                _ => {}
            }
        }
        found
    }

    fn add_version_1(&mut self, point: &str, options: &str) {
        const NOT_CONTROLLERS: [&str; 8] = [
            "rw",
            "ro",
            "xattr",
            "noprefix",
            "clone_children",
            "cpuset_v2_mode",
            "none",
            "favordynmods",
        ];
        let controllers = options.split(',').filter(|option| {
            !NOT_CONTROLLERS.contains(option) && !option.starts_with("release_agent=")
        });
        let controllers: Vec<String> = controllers.map(str::to_owned).collect();
        if !controllers.is_empty()
            && !self
                .version_1
                .iter()
                .any(|known| known.controllers == controllers)
        {
            self.version_1.push(Version1 {
                controllers,
                mount: PathBuf::from(point),
            });
        }
    }
}

/// Makes the parents of a version 2 cgroup and hands every controller down to them.
pub(super) fn enable_controllers(path: &Path) -> Result<()> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    if parent.join("cgroup.procs").exists() && parent.ends_with("hull") {
        return Ok(());
    }
    fs::create_dir_all(parent).context(|| format!("make cgroup {}", parent.display()))?;
    let ancestors: Vec<&Path> = parent.ancestors().collect();
    for directory in ancestors.into_iter().rev() {
        let Ok(text) = fs::read_to_string(directory.join("cgroup.controllers")) else {
            continue;
        };
        for controller in text.split_whitespace() {
            // One at a time: a controller that cannot be enabled must not stop the others; its
            // absence is reported when a limit needs it.
            let _ = fs::write(
                directory.join("cgroup.subtree_control"),
                format!("+{controller}"),
            );
        }
    }
    Ok(())
}

/// Makes a version 1 cpuset cgroup below `top` with the processors and memory nodes of its
/// parents, also where others made those; an empty cpuset admits nobody, cpuset(7).
pub(super) fn inherit_cpuset(top: &Path, path: &Path) -> Result<()> {
    let parent = path.parent().unwrap_or(top);
    let own = parent.ends_with("hull");
    // Ours hand everything down by themselves, once they are there.
    if own && parent.exists() {
        return Ok(());
    }
    let below = |directory: &&Path| *directory != top && directory.starts_with(top);
    let directories: Vec<&Path> = path.ancestors().take_while(below).collect();
    for directory in directories.into_iter().rev() {
        fs::create_dir_all(directory).context(|| format!("make cgroup {}", directory.display()))?;
        for file in ["cpuset.cpus", "cpuset.mems"] {
            fill_from_parent(directory, file)?;
        }
        if own && directory == parent {
            let flag = parent.join("cgroup.clone_children");
            fs::write(&flag, "1").context(|| format!("write {}", flag.display()))?;
        }
    }
    Ok(())
}

fn fill_from_parent(directory: &Path, file: &str) -> Result<()> {
    let to = directory.join(file);
    let value = fs::read_to_string(&to).context(|| format!("read {}", to.display()))?;
    if !value.trim().is_empty() {
        return Ok(());
    }
    let from = directory.parent().unwrap_or(directory).join(file);
    let value = fs::read_to_string(&from).context(|| format!("read {}", from.display()))?;
    fs::write(&to, value.trim()).context(|| format!("write {}", to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hybrid_hosts_have_both_versions() {
        let text = "25 24 0:22 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n\
            26 24 0:23 / /sys/fs/cgroup/systemd rw - cgroup none rw,xattr,name=systemd\n\
            27 24 0:24 / /sys/fs/cgroup/unified rw shared:4 - cgroup2 cgroup2 rw\n\
            28 24 0:22 /a /mnt rw - cgroup cgroup rw,cpu,cpuacct\n";
        let found = Hierarchies::parse(text);
        assert_eq!(
            found.version_2.as_deref(),
            Some(Path::new("/sys/fs/cgroup/unified"))
        );
        let controllers: Vec<_> = found
            .version_1
            .iter()
            .map(|v1| v1.controllers.join("+"))
            .collect();
        assert_eq!(controllers, ["cpu+cpuacct", "name=systemd"]);
    }
}
