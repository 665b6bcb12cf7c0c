//! The host's device nodes that limits and `--device` name, looked up at every start: their
//! numbers may change with a boot.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use oci_spec::runtime::{LinuxDevice, LinuxDeviceType};

use crate::error::{Context as _, Error, Result};
use crate::state::{Device, Limits};

/// Directories in /dev that hold no devices of this host's hardware.
const NOT_DEVICES: [&str; 7] = ["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"];

/// One node that a container gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub on_host: PathBuf,
    pub in_container: PathBuf,
    pub kind: LinuxDeviceType,
    pub major: i64,
    pub minor: i64,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub access: String,
}

/// All devices that the limits name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    pub nodes: Vec<Node>,
    /// Path, major and minor number.
    pub block: Vec<(PathBuf, i64, i64)>,
}

impl Found {
    /// Looks them up.
    ///
    /// # Errors
    /// `NotFound` or `Invalid` in Docker's words for what is no device.
    pub fn of(limits: &Limits) -> Result<Found> {
        let mut found = Found::default();
        for device in &limits.devices {
            let shown = device.on_host.display();
            found.add(device).context(|| {
                format!("error gathering device information while adding custom device \"{shown}\"")
            })?;
        }
        found.block = Found::rates(limits)?.block;
        Ok(found)
    }

    /// With every device of the host, as a privileged container has them; one at a place.
    pub fn with_all_of_host(mut self) -> Found {
        let all = Device {
            on_host: PathBuf::from("/dev"),
            in_container: PathBuf::from("/dev"),
            access: "rwm".to_owned(),
        };
        // Devices come and go: what was there when it was looked for is what there is.
        let _ = self.add(&all);
        let mut places = std::collections::HashSet::new();
        self.nodes
            .retain(|node| places.insert(node.in_container.clone()));
        self
    }

    /// Only the block devices that have rates.
    pub fn rates(limits: &Limits) -> Result<Found> {
        let mut found = Found::default();
        let rates = [
            &limits.blkio_weight_device,
            &limits.device_read_bps,
            &limits.device_write_bps,
            &limits.device_read_iops,
            &limits.device_write_iops,
        ];
        for rate in rates.into_iter().flatten() {
            let metadata = fs::metadata(&rate.path);
            let metadata = metadata.context(|| rate.path.display().to_string())?;
            let (major, minor) = numbers(metadata.rdev());
            found.block.push((rate.path.clone(), major, minor));
        }
        Ok(found)
    }

    /// The numbers of a block device.
    pub fn block_device(&self, path: &Path) -> Option<(i64, i64)> {
        let mut all = self.block.iter();
        let (_, major, minor) = all.find(|(known, ..)| known == path)?;
        Some((*major, *minor))
    }

    fn add(&mut self, device: &Device) -> Result<()> {
        let metadata = fs::metadata(&device.on_host)?;
        if !metadata.is_dir() {
            self.nodes.push(node(device, &metadata)?);
            return Ok(());
        }
        let before = self.nodes.len();
        self.add_below(device)?;
        match self.nodes.len() {
            none if none == before => Err(Error::invalid("no devices in it")),
            _ => Ok(()),
        }
    }

    fn add_below(&mut self, directory: &Device) -> Result<()> {
        for entry in fs::read_dir(&directory.on_host)? {
            let entry = entry?;
            let name = entry.file_name();
            // Not through links: what they lead to is named by itself.
            let metadata = entry.metadata()?;
            let below = Device {
                on_host: directory.on_host.join(&name),
                in_container: directory.in_container.join(&name),
                access: directory.access.clone(),
            };
            let skipped = NOT_DEVICES.iter().any(|skipped| name == *skipped);
            if metadata.is_dir() && !skipped {
                self.add_below(&below)?;
            } else if name != "console"
                && let Ok(node) = node(&below, &metadata)
            {
                self.nodes.push(node);
            }
        }
        Ok(())
    }
}

impl Node {
    /// As the runtime spec has it.
    pub fn to_spec(&self) -> LinuxDevice {
        let mut device = LinuxDevice::default();
        device
            .set_path(self.in_container.clone())
            .set_typ(self.kind);
        device.set_major(self.major).set_minor(self.minor);
        device.set_file_mode(Some(self.mode));
        device.set_uid(Some(self.uid)).set_gid(Some(self.gid));
        device
    }
}

fn node(device: &Device, metadata: &fs::Metadata) -> Result<Node> {
    let kind = match metadata.file_type() {
        kind if kind.is_block_device() => LinuxDeviceType::B,
        kind if kind.is_char_device() => LinuxDeviceType::C,
        _ => return Err(Error::invalid("not a device node")),
    };
    let (major, minor) = numbers(metadata.rdev());
    Ok(Node {
        on_host: device.on_host.clone(),
        in_container: device.in_container.clone(),
        kind,
        major,
        minor,
        mode: metadata.mode() & 0o7777,
        uid: metadata.uid(),
        gid: metadata.gid(),
        access: device.access.clone(),
    })
}

fn numbers(device: u64) -> (i64, i64) {
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    (i64::from(major), i64::from(minor))
}
