//! /dev: the device nodes, links and console that every container gets.

use std::path::Path;

use oci_spec::runtime::{Linux, LinuxDeviceType, Spec};

use super::{BindMount, Host, Kind, Operation, Target, c_path};
use crate::error::{Error, Result};
use crate::sys::mount::MountAttr;

/// The nodes the runtime spec requires ("Default Devices"): name, major, minor.
const NODES: [(&str, u32, u32); 6] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];

/// The links the runtime spec requires ("Dev symbolic links").
const LINKS: [(&str, &str); 5] = [
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
    ("pts/ptmx", "/dev/ptmx"),
];

/// Adds /dev's contents, unless the spec binds a /dev of its own.
pub(super) fn push(
    spec: &Spec,
    linux: &Linux,
    host: &Host,
    terminal: bool,
    ops: &mut Vec<Operation>,
) -> Result<()> {
    let mounts = spec.mounts().iter().flatten();
    let own_dev = mounts.filter(|mount| mount.destination() == Path::new("/dev"));
    let bound = own_dev
        .clone()
        .any(|mount| mount.typ().as_deref() == Some("bind"));
    if own_dev.count() == 0 || bound {
        return if terminal && !bound {
            Err(Error::invalid(
                "process.terminal: needs a mount on /dev and on /dev/pts",
            ))
        } else {
            terminal.then(|| ops.push(Operation::OpenTerminal { console: false }));
            Ok(())
        };
    }
    for (name, major, minor) in NODES {
        let path = format!("/dev/{name}");
        push_node(Path::new(&path), (major, minor), 0o20666, (0, 0), host, ops)?;
    }
    for device in linux.devices().iter().flatten() {
        let kind = match device.typ() {
            LinuxDeviceType::B => 0o60000,
            LinuxDeviceType::C | LinuxDeviceType::U => 0o20000,
            LinuxDeviceType::P => 0o10000,
            other => return Err(Error::invalid(format!("linux.devices: type {other:?}"))),
        };
        let mode = kind | (device.file_mode().unwrap_or(0o666) & 0o7777);
        let number = |n: i64| u32::try_from(n).map_err(|_| Error::invalid("linux.devices: number"));
        let numbers = (number(device.major())?, number(device.minor())?);
        let owner = (device.uid().unwrap_or(0), device.gid().unwrap_or(0));
        if !NODES
            .iter()
            .any(|(name, ..)| device.path() == &Path::new("/dev").join(name))
        {
            push_node(device.path(), numbers, mode, owner, host, ops)?;
        }
    }
    for (content, path) in LINKS {
        ops.push(Operation::MakeLink {
            content: c_path(Path::new(content))?,
            path: relative(Path::new(path))?,
        });
    }
    if terminal {
        ops.push(Operation::OpenTerminal { console: true });
    }
    Ok(())
}

fn push_node(
    path: &Path,
    (major, minor): (u32, u32),
    mode: u32,
    (uid, gid): (u32, u32),
    host: &Host,
    ops: &mut Vec<Operation>,
) -> Result<()> {
    if host.may_mknod {
        let path = relative(path)?;
        ops.push(Operation::MakeNode {
            path,
            mode,
            major,
            minor,
            uid,
            gid,
        });
    } else {
        ops.push(Operation::Bind(BindMount {
            source: c_path(path)?,
            recursive: false,
            attr: MountAttr::default(),
            attr_recursive: false,
            target: Target {
                path: relative(path)?,
                kind: Kind::LikeSource,
            },
        }));
    }
    Ok(())
}

fn relative(path: &Path) -> Result<std::ffi::CString> {
    c_path(
        path.strip_prefix("/")
            .map_err(|_| Error::invalid("linux.devices: relative path"))?,
    )
}
