//! The spec's mounts, masked and read-only paths as operations.

use std::ffi::CString;
use std::path::{Component, Path};

use oci_spec::runtime::{Linux, Mount, Spec};

use super::{
    BindMount, CgroupHierarchy, FsMount, Host, Kind, Operation, Slot, Target, c_path, c_text,
};
use crate::error::{Context as _, Error, Result};
use crate::sys::mount::MountAttr;

/// `MOUNT_ATTR_*` of mount_setattr(2) by option name: (name, bits to set, bits to clear).
const ATTRIBUTES: &[(&str, u64, u64)] = &[
    ("ro", libc::MOUNT_ATTR_RDONLY, 0),
    ("rw", 0, libc::MOUNT_ATTR_RDONLY),
    ("nosuid", libc::MOUNT_ATTR_NOSUID, 0),
    ("suid", 0, libc::MOUNT_ATTR_NOSUID),
    ("nodev", libc::MOUNT_ATTR_NODEV, 0),
    ("dev", 0, libc::MOUNT_ATTR_NODEV),
    ("noexec", libc::MOUNT_ATTR_NOEXEC, 0),
    ("exec", 0, libc::MOUNT_ATTR_NOEXEC),
    ("relatime", 0, 0),
    ("norelatime", 0, 0),
    ("noatime", libc::MOUNT_ATTR_NOATIME, libc::MOUNT_ATTR__ATIME),
    ("atime", 0, 0),
    (
        "strictatime",
        libc::MOUNT_ATTR_STRICTATIME,
        libc::MOUNT_ATTR__ATIME,
    ),
    ("nodiratime", libc::MOUNT_ATTR_NODIRATIME, 0),
    ("diratime", 0, libc::MOUNT_ATTR_NODIRATIME),
    ("nosymfollow", libc::MOUNT_ATTR_NOSYMFOLLOW, 0),
    ("symfollow", 0, libc::MOUNT_ATTR_NOSYMFOLLOW),
];

const PROPAGATION: &[(&str, libc::c_ulong)] = &[
    ("private", libc::MS_PRIVATE),
    ("shared", libc::MS_SHARED),
    ("slave", libc::MS_SLAVE),
    ("unbindable", libc::MS_UNBINDABLE),
];

/// What may be mounted below /proc: single files that lxcfs and fips set-ups provide.
const BELOW_PROC: &[&str] = &[
    "cpuinfo",
    "diskstats",
    "meminfo",
    "stat",
    "swaps",
    "uptime",
    "loadavg",
    "slabinfo",
    "net/dev",
    "sys/kernel/ns_last_pid",
    "sys/crypto/fips_enabled",
];

/// Everything that mount options can say.
#[derive(Default)]
struct Options {
    attr: MountAttr,
    /// An `r…` form: the attributes reach the whole tree.
    recursive_attr: bool,
    bind: Option<bool>,
    data: Vec<(CString, Option<CString>)>,
}

/// Every mount option that has a meaning of its own here; others go to the file system.
pub fn mount_options() -> Vec<String> {
    let attributes = ATTRIBUTES.iter().map(|(name, ..)| *name);
    let doubled: Vec<&str> = attributes
        .chain(PROPAGATION.iter().map(|(name, _)| *name))
        .collect();
    let recursive = doubled.iter().map(|name| format!("r{name}"));
    let single = doubled.iter().chain(&["bind", "rbind", "defaults"]);
    let mut all: Vec<String> = single
        .map(|name| (*name).to_owned())
        .chain(recursive)
        .collect();
    all.sort_unstable();
    all
}

/// Adds the spec's mounts, all but the cgroup file system. With `shared_memory` that on /dev/shm is
/// one that is handed over.
pub(super) fn push(
    spec: &Spec,
    host: &Host,
    shared_memory: bool,
    ops: &mut Vec<Operation>,
) -> Result<()> {
    let shared = Path::new("/dev/shm");
    for mount in spec.mounts().iter().flatten() {
        if is_cgroup(mount) {
            continue;
        }
        let subject = || format!("mount on {}", mount.destination().display());
        let tmpfs = mount.typ().as_deref() == Some("tmpfs");
        if shared_memory && tmpfs && mount.destination() == shared {
            let target = target(shared, Kind::Directory).context(subject)?;
            ops.push(Operation::AttachSharedMemory { target });
            continue;
        }
        ops.push(operation(mount, host).context(subject)?);
    }
    Ok(())
}

/// Adds the mount of the cgroup file system; the child must be in its cgroup by now.
pub(super) fn push_cgroup(
    spec: &Spec,
    hierarchies: &[CgroupHierarchy],
    ops: &mut Vec<Operation>,
) -> Result<()> {
    for mount in spec
        .mounts()
        .iter()
        .flatten()
        .filter(|mount| is_cgroup(mount))
    {
        let subject = || format!("mount on {}", mount.destination().display());
        let mut options = options(mount).context(subject)?;
        // A spec says `cgroup` for "whatever the host has", unless it names a controller.
        let any = mount.typ().as_deref() == Some("cgroup") && options.data.is_empty();
        if any && !hierarchies.is_empty() {
            push_hierarchies(mount, &options, hierarchies, ops).context(subject)?;
            continue;
        }
        let fs_type = if any {
            Some("cgroup2")
        } else {
            mount.typ().as_deref()
        };
        let fs_type = fs_type.unwrap_or("cgroup2");
        ops.push(Operation::Mount(FsMount {
            fs_type: c_text("type", fs_type)?,
            source: c_text("source", fs_type)?,
            options: std::mem::take(&mut options.data),
            attr: options.attr.set,
            target: target(mount.destination(), Kind::Directory).context(subject)?,
            keep: None,
        }));
    }
    Ok(())
}

/// Version 1: a tmpfs with the container's own directory of each hierarchy, as on the host.
fn push_hierarchies(
    mount: &Mount,
    options: &Options,
    hierarchies: &[CgroupHierarchy],
    ops: &mut Vec<Operation>,
) -> Result<()> {
    let top = mount.destination();
    let read_only = options.attr.set & libc::MOUNT_ATTR_RDONLY;
    ops.push(Operation::Mount(FsMount {
        fs_type: c"tmpfs".to_owned(),
        source: c"tmpfs".to_owned(),
        options: vec![(c"mode".to_owned(), Some(c"755".to_owned()))],
        attr: options.attr.set & !read_only,
        target: target(top, Kind::Directory)?,
        keep: None,
    }));
    for hierarchy in hierarchies {
        // Binds, not new instances: without a cgroup namespace those would show the host's root.
        ops.push(Operation::Bind(BindMount {
            source: c_path(&hierarchy.directory)?,
            recursive: false,
            attr: options.attr,
            attr_recursive: false,
            target: target(&top.join(&hierarchy.name), Kind::Directory)?,
        }));
        let others = hierarchy.controllers.iter();
        for controller in others.filter(|name| **name != hierarchy.name && !name.contains('=')) {
            ops.push(Operation::MakeLink {
                content: c_text("link", &hierarchy.name)?,
                path: relative(&top.join(controller))?,
            });
        }
    }
    if read_only != 0 {
        ops.push(Operation::SealMount {
            path: relative(top)?,
        });
    }
    Ok(())
}

/// Adds masked and read-only paths, after every mount.
pub(super) fn push_protection(linux: &Linux, ops: &mut Vec<Operation>) -> Result<()> {
    for path in linux.readonly_paths().iter().flatten() {
        ops.push(Operation::ReadOnly {
            path: relative(Path::new(path))?,
        });
    }
    for path in linux.masked_paths().iter().flatten() {
        ops.push(Operation::Mask {
            path: relative(Path::new(path))?,
        });
    }
    Ok(())
}

fn is_cgroup(mount: &Mount) -> bool {
    matches!(mount.typ().as_deref(), Some("cgroup" | "cgroup2"))
}

fn operation(mount: &Mount, host: &Host) -> Result<Operation> {
    let mut options = options(mount)?;
    let fs_type = mount.typ().as_deref().unwrap_or("");
    let bind = options.bind.or((fs_type == "bind").then_some(false));
    let is_bind = bind.is_some() || fs_type.is_empty();
    validate_target(
        mount.destination(),
        fs_type,
        is_bind.then(|| mount.source().as_deref()),
    )?;
    if is_bind {
        let source = mount
            .source()
            .as_deref()
            .ok_or_else(|| Error::invalid("no source"))?;
        return Ok(Operation::Bind(BindMount {
            source: c_path(source)?,
            recursive: bind.unwrap_or(false),
            attr: options.attr,
            attr_recursive: options.recursive_attr || bind == Some(true),
            target: target(mount.destination(), Kind::LikeSource)?,
        }));
    }
    // The kernel refuses an owner that has no mapping; group 5 (tty) is a convenience only.
    if !host.may_mknod && fs_type == "devpts" {
        options.data.retain(|(key, _)| key.as_bytes() != b"gid");
    }
    let kernel_fs = matches!(fs_type, "proc" | "sysfs");
    let ordinary = kernel_fs || mount.destination() == Path::new("/dev");
    let kind = if ordinary {
        Kind::OrdinaryDirectory
    } else {
        Kind::Directory
    };
    let source = mount.source().as_deref().unwrap_or(Path::new(fs_type));
    Ok(Operation::Mount(FsMount {
        fs_type: c_text("type", fs_type)?,
        source: c_path(source)?,
        options: options.data,
        attr: options.attr.set,
        target: target(mount.destination(), kind)?,
        keep: (fs_type == "proc").then_some(Slot::Proc),
    }))
}

/// Refuses targets that would replace the root or shadow parts of procfs (CVE-2019-16884).
/// `bind_source` is `Some` for bind mounts.
pub fn validate_target(
    destination: &Path,
    fs_type: &str,
    bind_source: Option<Option<&Path>>,
) -> Result<()> {
    let path = relative(destination)?;
    let text = path.to_string_lossy();
    let source = bind_source.flatten();
    if text == "proc" {
        let own = fs_type == "proc" && bind_source.is_none();
        let hosts = source == Some(Path::new("/proc"));
        return if own || hosts {
            Ok(())
        } else {
            Err(below_proc(destination))
        };
    }
    if let Some(below) = text.strip_prefix("proc/")
        && !BELOW_PROC.contains(&below)
    {
        return Err(below_proc(destination));
    }
    let sysfs = fs_type == "sysfs" || source == Some(Path::new("/sys"));
    if text == "sys" && !sysfs {
        return Err(below_proc(destination));
    }
    Ok(())
}

fn below_proc(destination: &Path) -> Error {
    Error::invalid(format!(
        "cannot mount on {}: it belongs to the engine",
        destination.display()
    ))
    .hint("choose a target outside /proc and /sys")
}

/// A path below the root without its leading slash. `..` would be resolved inside the root, but
/// says that somebody tries something.
fn relative(path: &Path) -> Result<CString> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => parts.push(name),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(Error::invalid(format!(
                    "{}: `..` is not allowed",
                    path.display()
                )));
            }
        }
    }
    if !path.is_absolute() {
        return Err(Error::invalid(format!(
            "{}: not an absolute path",
            path.display()
        )));
    }
    if parts.is_empty() {
        return Err(Error::invalid("cannot mount on /").hint("choose a directory below the root"));
    }
    c_path(&parts.iter().collect::<std::path::PathBuf>())
}

fn target(destination: &Path, kind: Kind) -> Result<Target> {
    Ok(Target {
        path: relative(destination)?,
        kind,
    })
}

fn options(mount: &Mount) -> Result<Options> {
    let mut options = Options::default();
    for option in mount.options().iter().flatten() {
        one_option(option, &mut options)?;
    }
    // The access-time modes are one field: clearing it is only asked for with a new value.
    Ok(options)
}

fn one_option(option: &str, options: &mut Options) -> Result<()> {
    if let Some((_, set, clear)) = ATTRIBUTES.iter().find(|(name, ..)| *name == option) {
        options.attr.clear = (options.attr.clear | clear) & !set;
        options.attr.set = (options.attr.set & !clear) | set;
        return Ok(());
    }
    let recursive = option.strip_prefix('r').unwrap_or("");
    if let Some((_, set, clear)) = ATTRIBUTES.iter().find(|(name, ..)| *name == recursive) {
        options.recursive_attr = true;
        options.attr.set |= set;
        options.attr.clear |= clear;
        return Ok(());
    }
    let plain = PROPAGATION
        .iter()
        .find(|(name, _)| *name == option || *name == recursive);
    if let Some((_, flag)) = plain {
        options.attr.propagation = *flag;
        return Ok(());
    }
    match option {
        "bind" => options.bind = Some(options.bind.unwrap_or(false)),
        "rbind" => options.bind = Some(true),
        "defaults" | "async" | "nomand" | "nolazytime" | "noiversion" | "loud" | "" => {}
        "tmpcopyup" | "idmap" | "ridmap" | "remount" => {
            return Err(Error::unsupported(format!("mount option {option:?}")));
        }
        _ => {
            let (key, value) = match option.split_once('=') {
                Some((key, value)) => (key, Some(c_text("options", value)?)),
                None => (option, None),
            };
            options.data.push((c_text("options", key)?, value));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a46_targets_that_belong_to_the_engine_are_refused() {
        let bad = [
            "/",
            "/..",
            "/a/../..",
            "relative",
            "",
            "/proc",
            "/proc/self",
            "/proc/sys",
            "/sys",
        ];
        for path in bad {
            let result = validate_target(Path::new(path), "bind", Some(Some(Path::new("/data"))));
            assert!(result.is_err(), "{path:?} must be refused");
        }
        let good = [
            "/data",
            "/proc/cpuinfo",
            "/sys/fs/bpf",
            "/a/./b",
            "/procedure",
            "/system",
        ];
        for path in good {
            let result = validate_target(Path::new(path), "bind", Some(Some(Path::new("/data"))));
            assert!(result.is_ok(), "{path:?} must work: {result:?}");
        }
        assert!(validate_target(Path::new("/proc"), "proc", None).is_ok());
        assert!(validate_target(Path::new("/proc"), "tmpfs", None).is_err());
    }
}
