//! The devices of the host that a container gets, as they are at this start.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use oci_spec::runtime::LinuxDeviceType;

use crate::error::{Error, Result};
use crate::state::Config;

/// Directories of /dev that are no place of device nodes, or are the container's own.
const LEFT_OUT: [&str; 8] = [
    "pts",
    "shm",
    "fd",
    "mqueue",
    "console",
    ".lxc",
    ".lxd-mounts",
    ".udev",
];

/// How deep /dev is walked.
const DEPTH: u32 = 8;

/// One device node.
#[derive(Debug, Clone)]
pub struct HostDevice {
    /// Where it is on the host.
    pub source: PathBuf,
    /// Where it is to be in the container.
    pub path: PathBuf,
    pub kind: LinuxDeviceType,
    pub major: u32,
    pub minor: u32,
    /// Permission bits.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

/// The devices of this container; without root a privileged one gets those it names only.
pub(super) fn find(config: &Config, rootless: bool) -> Result<Vec<HostDevice>> {
    let mut found = Vec::new();
    if config.privileged && !rootless {
        walk(Path::new("/dev"), Path::new("/dev"), DEPTH, &mut found);
    }
    for device in &config.devices {
        let before = found.len();
        match fs::metadata(&device.host) {
            Ok(metadata) if metadata.is_dir() => {
                walk(&device.host, &device.container, DEPTH, &mut found);
            }
            Ok(_) => found.extend(at(&device.host, &device.container)),
            Err(error) => {
                return Err(gathering(&device.host, &error.to_string()));
            }
        }
        if found.len() == before {
            return Err(gathering(&device.host, "not a device node"));
        }
    }
    // The last one asked for at a place is meant.
    found.reverse();
    let mut places = std::collections::HashSet::new();
    found.retain(|device| places.insert(device.path.clone()));
    found.reverse();
    Ok(found)
}

fn gathering(path: &Path, why: &str) -> Error {
    Error::invalid(format!(
        "error gathering device information while adding custom device {path:?}: {why}"
    ))
}

/// Everything below a directory; what cannot be read now is not there.
fn walk(host: &Path, container: &Path, depth: u32, found: &mut Vec<HostDevice>) {
    let entries = fs::read_dir(host).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
    names.sort_unstable();
    for name in names {
        if LEFT_OUT.iter().any(|other| name == *other) {
            continue;
        }
        let (host, container) = (host.join(&name), container.join(&name));
        let Ok(metadata) = fs::symlink_metadata(&host) else {
            continue;
        };
        if metadata.is_dir() && depth > 0 {
            walk(&host, &container, depth - 1, found);
        } else if !metadata.is_symlink() {
            found.extend(at(&host, &container));
        }
    }
}

fn at(host: &Path, container: &Path) -> Option<HostDevice> {
    let metadata = fs::metadata(host).ok()?;
    let kind = if metadata.file_type().is_char_device() {
        LinuxDeviceType::C
    } else if metadata.file_type().is_block_device() {
        LinuxDeviceType::B
    } else {
        return None;
    };
    let device = metadata.rdev();
    Some(HostDevice {
        source: host.to_owned(),
        path: container.to_owned(),
        kind,
        major: rustix::fs::major(device),
        minor: rustix::fs::minor(device),
        mode: metadata.mode() & 0o7777,
        uid: metadata.uid(),
        gid: metadata.gid(),
    })
}
