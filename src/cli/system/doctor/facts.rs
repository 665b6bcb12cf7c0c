//! What `doctor` knows about the machine. Everything here looks, and changes nothing; what cannot
//! be read is told as unknown.

use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::base::Ownership;
use crate::config::Settings;
use crate::error::{Context as _, Result};
use crate::rootless::{IdMap, become_mapped_root, namespaces_allowed};
use crate::runtime::cgroup::Hierarchies;
use crate::runtime::process::wait_code;
use crate::state::Records;
use crate::store::Store;
use crate::sys::process::{Fork, exit_now, fork};

/// One account on one machine.
#[derive(Debug, Clone)]
pub struct Facts {
    pub rootless: bool,
    pub user: String,
    pub uid: u32,
    /// As uname(2) tells it.
    pub kernel: String,
    /// Why a user namespace cannot be made, and the command that helps.
    pub namespace: Result<(), (String, String)>,
    pub ids: Ids,
    /// Whether overlay works as this account mounts it, here.
    pub overlay: Overlay,
    pub cgroups: Cgroups,
    /// systemd is the first process.
    pub systemd: bool,
    /// The user's services outlive the session; `None` where nobody decides that.
    pub lingering: Option<bool>,
    /// `/dev/net/tun` can be opened.
    pub tun: Tun,
    /// The lowest port that every user may listen on.
    pub first_port: u32,
    /// The seccomp actions of the kernel, empty if there are none.
    pub seccomp: String,
    pub store: StoreFacts,
}

/// Ids inside the user's containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ids {
    /// Root needs no map.
    All,
    /// So many besides the user's own.
    Mapped(u64),
    Single {
        why: String,
        fix: String,
    },
    Refused {
        why: String,
        fix: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlay {
    Works,
    /// The kernel does not know it.
    Missing,
    Refused(String),
    /// There is no user namespace to try it in.
    Untried,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cgroups {
    /// The unified hierarchy is what is mounted.
    pub version_2: bool,
    /// Controllers this account may use.
    pub controllers: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tun {
    Works,
    Missing,
    Refused,
}

/// The store and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreFacts {
    pub root: PathBuf,
    pub free_bytes: u64,
    pub free_files: u64,
    /// Files the file system can have; 0 if it knows no limit.
    pub files: u64,
    /// The file system is in memory.
    pub in_memory: bool,
    /// What cannot be read, and the command that helps.
    pub damaged: Vec<(String, String)>,
    /// The directory for run state is in memory.
    pub run: PathBuf,
    pub run_in_memory: bool,
}

pub fn gather(settings: &Settings) -> Facts {
    let uid = rustix::process::geteuid().as_raw();
    let rootless = settings.rootless;
    let namespace = match rootless {
        true => namespaces_allowed().map_err(|error| {
            let fix = error.hint_text().unwrap_or_default().to_owned();
            (error.to_string(), fix)
        }),
        false => Ok(()),
    };
    let systemd = Path::new("/run/systemd/system").is_dir();
    let user = user_name(uid);
    Facts {
        kernel: rustix::system::uname()
            .release()
            .to_string_lossy()
            .into_owned(),
        ids: ids(rootless),
        overlay: overlay(settings, namespace.is_ok()),
        cgroups: cgroups(),
        lingering: (rootless && systemd)
            .then(|| Path::new("/var/lib/systemd/linger").join(&user).exists()),
        tun: tun(),
        first_port: number("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap_or(1024),
        seccomp: read("/proc/sys/kernel/seccomp/actions_avail"),
        store: store(settings),
        rootless,
        user,
        uid,
        namespace,
        systemd,
    }
}

fn read(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.trim().to_owned()
}

fn number(path: &str) -> Option<u32> {
    read(path).parse().ok()
}

fn user_name(uid: u32) -> String {
    let passwd = read("/etc/passwd");
    let name = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid.to_string()).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| uid.to_string())
}

fn ids(rootless: bool) -> Ids {
    if !rootless {
        return Ids::All;
    }
    match IdMap::for_caller() {
        Ok(IdMap::Full { uids, .. }) => Ids::Mapped(
            uids.iter()
                .skip(1)
                .map(|extent| u64::from(extent.count))
                .sum(),
        ),
        Ok(IdMap::Single { cause, .. }) => Ids::Single {
            why: cause.to_string(),
            fix: cause.fix(),
        },
        Err(error) => Ids::Refused {
            why: error.to_string(),
            fix: error.hint_text().unwrap_or_default().to_owned(),
        },
    }
}

/// Mounts one for nobody to see: detached, and gone with the descriptor.
fn overlay(settings: &Settings, namespace: bool) -> Overlay {
    let known = read("/proc/filesystems");
    // A module that is not loaded is loaded by the first mount.
    let is_known = known.lines().any(|line| line.ends_with("\toverlay"));
    if settings.rootless && !namespace {
        return Overlay::Untried;
    }
    match try_overlay(settings) {
        Ok(()) => Overlay::Works,
        Err(_) if !is_known => Overlay::Missing,
        Err(error) => Overlay::Refused(error.to_string()),
    }
}

fn try_overlay(settings: &Settings) -> Result<()> {
    let place = nearest(&settings.root);
    let scratch = scratch(&place)?;
    let tried = in_child(settings.rootless, || {
        for name in ["lower", "upper", "work"] {
            fs::create_dir(scratch.join(name)).context(|| "make a directory")?;
        }
        if settings.rootless {
            // Only in a mount namespace of its own may mapped root mount anything.
            crate::sys::process::unshare(libc::CLONE_NEWNS).context(|| "make a mount namespace")?;
        }
        let upper = crate::rootfs::Upper {
            diff: scratch.join("upper"),
            work: scratch.join("work"),
        };
        let options = crate::rootfs::Options {
            user_xattr: settings.rootless,
            volatile: true,
        };
        let layers = [scratch.join("lower")];
        let mount = crate::rootfs::mount(&layers, &upper, options)?;
        let file = rustix::fs::openat(
            mount.as_fd(),
            "file",
            OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC,
            Mode::RUSR,
        );
        file.context(|| "write into an overlay").map(drop)
    });
    let removed = in_child(settings.rootless, || {
        fs::remove_dir_all(&scratch).context(|| "remove")
    });
    if let Err(error) = removed {
        log::debug!("{}: {error}", scratch.display());
    }
    tried
}

/// A fresh directory on the file system of the store.
fn scratch(place: &Path) -> Result<PathBuf> {
    for attempt in 0..100 {
        let path = place.join(format!(".hull-doctor-{}-{attempt}", std::process::id()));
        match fs::create_dir(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => {
                made.context(|| format!("make a directory in {}", place.display()))?;
                return Ok(path);
            }
        }
    }
    Err(crate::error::Error::conflict(
        "no free name for a directory",
    ))
}

/// Does something in a child, as mapped root if wanted; an error comes back as its text.
fn in_child(mapped: bool, action: impl FnOnce() -> Result<()>) -> Result<()> {
    use std::io::{Read as _, Write as _};
    let (mut reader, mut writer) = std::io::pipe().context(|| "make a pipe")?;
    let pidfd = match fork().context(|| "fork")? {
        Fork::Child => {
            let entered = match mapped {
                true => IdMap::for_caller().and_then(|map| become_mapped_root(&map)),
                false => Ok(()),
            };
            let done = entered.and_then(|()| action());
            if let Err(error) = &done {
                // The code says that it failed.
                let _ = writer.write_all(error.to_string().as_bytes());
            }
            exit_now(u8::from(done.is_err()))
        }
        Fork::Parent { pidfd, .. } => pidfd,
    };
    drop(writer);
    let mut text = String::new();
    let read = reader.read_to_string(&mut text);
    let code = wait_code(pidfd.as_fd())?;
    read.context(|| "read from the child")?;
    match code {
        0 => Ok(()),
        _ => Err(crate::error::Error::unsupported(text)),
    }
}

/// The directory itself, or what is above it.
fn nearest(path: &Path) -> PathBuf {
    let found = path.ancestors().find(|path| path.is_dir());
    found.unwrap_or(Path::new("/")).to_owned()
}

fn cgroups() -> Cgroups {
    let found = Hierarchies::detect().unwrap_or_default();
    let version_2 = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    let mut controllers: Vec<String> = found
        .version_1
        .iter()
        .flat_map(|one| one.controllers.clone())
        .filter(|name| !name.starts_with("name="))
        .collect();
    if let Some(own) = own_cgroup(&found) {
        let text = fs::read_to_string(own.join("cgroup.controllers")).unwrap_or_default();
        let writable = rustix::fs::access(&own, rustix::fs::Access::WRITE_OK).is_ok();
        if writable {
            controllers.extend(text.split_whitespace().map(str::to_owned));
        }
    }
    controllers.sort();
    controllers.dedup();
    Cgroups {
        version_2,
        controllers,
    }
}

/// The directory of this process in the unified hierarchy, where it is delegated.
fn own_cgroup(found: &Hierarchies) -> Option<PathBuf> {
    let text = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let mount = match &found.version_2 {
        Some(mount) => mount.clone(),
        None => PathBuf::from("/sys/fs/cgroup"),
    };
    Some(mount.join(own))
}

fn tun() -> Tun {
    let opened = File::options().read(true).write(true).open("/dev/net/tun");
    match opened {
        Ok(_) => Tun::Works,
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Tun::Refused,
        Err(_) => Tun::Missing,
    }
}

fn store(settings: &Settings) -> StoreFacts {
    let place = nearest(&settings.root);
    let space = rustix::fs::statvfs(&place).ok();
    StoreFacts {
        root: settings.root.clone(),
        free_bytes: space.as_ref().map_or(0, |fs| fs.f_bavail * fs.f_frsize),
        free_files: space.as_ref().map_or(0, |fs| fs.f_favail),
        files: space.as_ref().map_or(0, |fs| fs.f_files),
        in_memory: is_in_memory(&place),
        damaged: damaged(settings),
        run: settings.run.clone(),
        run_in_memory: is_in_memory(&nearest(&settings.run)),
    }
}

fn is_in_memory(path: &Path) -> bool {
    // statfs(2): TMPFS_MAGIC and RAMFS_MAGIC
    const MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];
    rustix::fs::statfs(path).is_ok_and(|fs| MEMORY.contains(&(fs.f_type as i64)))
}

/// Records that cannot be read, without reading content.
fn damaged(settings: &Settings) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut tell = |error: crate::error::Error, fix: &str| {
        let fix = error.hint_text().unwrap_or(fix).to_owned();
        found.push((error.to_string(), fix));
    };
    match Store::open_existing(&settings.root, Ownership::Full) {
        Ok(None) => {}
        Ok(Some(store)) => match store.refs_and_broken() {
            Ok((_, broken)) => {
                for one in broken {
                    let path = settings.root.join("refs").join(&one.path);
                    let error = one.error.wrap(format!("image record {}", path.display()));
                    tell(error, &format!("rm {}", path.display()));
                }
            }
            Err(error) => tell(error, ""),
        },
        Err(error) => tell(error, ""),
    }
    match Records::at(&settings.root, &settings.run).list() {
        Ok((_, broken)) => broken.into_iter().for_each(|error| tell(error, "")),
        Err(error) => tell(error, ""),
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_not_there_yet_is_that_above_it() {
        assert_eq!(nearest(Path::new("/proc/no/such")), Path::new("/proc"));
        assert!(!is_in_memory(Path::new("/proc")));
    }
}
