//! The overlay mount of a container, made through the new mount interface (Linux 5.2; layers one
//! by one with `lowerdir+` from 6.7, in one string before).

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};

use crate::error::{Context as _, Error, Result};

/// The kernel's own limit of lower layers (fs/overlayfs/params.h, `OVL_MAX_STACK`).
const MOST_LAYERS: usize = 500;

/// The writable part of a root.
#[derive(Debug)]
pub struct Upper {
    /// What the container changed.
    pub diff: PathBuf,
    /// Overlay's work directory, on the same file system.
    pub work: PathBuf,
}

/// How to mount.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Overlay's own marks are `user.overlay.*`: required in a user namespace (Linux 5.11).
    pub user_xattr: bool,
    /// Never sync, for roots that are thrown away: else unmounting syncs the whole disk.
    pub volatile: bool,
}

/// Mounts `layers` (bottom first) below `upper`, detached.
///
/// # Errors
/// `Unsupported` where this file system or kernel cannot be used, with what to do.
pub fn mount(layers: &[PathBuf], upper: &Upper, options: Options) -> Result<OwnedFd> {
    if layers.len() > MOST_LAYERS {
        return Err(Error::unsupported(format!(
            "the image has {} layers, overlay takes {MOST_LAYERS}",
            layers.len()
        )));
    }
    let context = open(options)?;
    add_layers(context.as_fd(), layers)?;
    set(context.as_fd(), "upperdir", &upper.diff)?;
    set(context.as_fd(), "workdir", &upper.work)?;
    rustix::mount::fsconfig_create(context.as_fd()).map_err(|errno| refused(errno, &upper.diff))?;
    let flags = FsMountFlags::FSMOUNT_CLOEXEC;
    let mount = rustix::mount::fsmount(context.as_fd(), flags, MountAttrFlags::MOUNT_ATTR_NODEV);
    mount.context(|| "make the root mount")
}

/// Mounts `layers` (bottom first) for reading only, detached. Whiteouts in each layer hide what is
/// below it, also those of a container's changes given as the last layer.
///
/// # Errors
/// As [`mount`]; overlay wants two layers at least.
pub fn mount_read_only(layers: &[PathBuf], options: Options) -> Result<OwnedFd> {
    let context = open(options)?;
    add_layers(context.as_fd(), layers)?;
    rustix::mount::fsconfig_create(context.as_fd()).context(|| "mount the layers")?;
    let flags = FsMountFlags::FSMOUNT_CLOEXEC;
    let attributes = MountAttrFlags::MOUNT_ATTR_NODEV | MountAttrFlags::MOUNT_ATTR_RDONLY;
    let mount = rustix::mount::fsmount(context.as_fd(), flags, attributes);
    mount.context(|| "make the mount of the layers")
}

fn open(options: Options) -> Result<OwnedFd> {
    let context = rustix::mount::fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC);
    let context = context.map_err(|errno| {
        let error = Error::from(errno).wrap("open the overlay file system");
        match errno {
            Errno::NODEV => error.hint("load the kernel module overlay"),
            _ => error,
        }
    })?;
    let flag = |name: &str| {
        rustix::mount::fsconfig_set_flag(context.as_fd(), name)
            .context(|| format!("overlay option {name}"))
    };
    rustix::mount::fsconfig_set_string(context.as_fd(), "source", "hull").context(|| "overlay")?;
    // Distribution kernels default these on. A layer from a registry could then point into other
    // layers (redirect) or hide data (metacopy), and changes would not be seen in `diff`.
    let fixed = [
        ("redirect_dir", "nofollow"),
        ("metacopy", "off"),
        ("index", "off"),
    ];
    for (key, value) in fixed {
        rustix::mount::fsconfig_set_string(context.as_fd(), key, value)
            .context(|| format!("overlay option {key}={value}"))?;
    }
    if options.user_xattr {
        flag("userxattr")?;
    }
    if options.volatile {
        // Linux 5.10; without it the mount is only slower to undo.
        let _ = flag("volatile");
    }
    Ok(context)
}

fn add_layers(context: BorrowedFd<'_>, layers: &[PathBuf]) -> Result<()> {
    for (index, layer) in layers.iter().rev().enumerate() {
        match rustix::mount::fsconfig_set_string(context, "lowerdir+", layer.as_path()) {
            Err(Errno::INVAL) if index == 0 => return add_layers_at_once(context, layers),
            other => other.context(|| format!("use layer {}", layer.display()))?,
        }
    }
    Ok(())
}

/// Before Linux 6.7: one string with escaped separators, a page at most.
fn add_layers_at_once(context: BorrowedFd<'_>, layers: &[PathBuf]) -> Result<()> {
    let escape = |path: &PathBuf| {
        path.to_string_lossy()
            .replace('\\', "\\\\")
            .replace(':', "\\:")
            .replace(',', "\\,")
    };
    let names: Vec<String> = layers.iter().rev().map(escape).collect();
    rustix::mount::fsconfig_set_string(context, "lowerdir", names.join(":"))
        .context(|| format!("use {} layers at once", layers.len()))
        .map_err(|error| error.hint("a kernel of 6.7 or newer takes more layers"))
}

fn set(context: BorrowedFd<'_>, key: &str, path: &Path) -> Result<()> {
    rustix::mount::fsconfig_set_string(context, key, path)
        .context(|| format!("overlay option {key}={}", path.display()))
}

fn refused(errno: Errno, upper: &Path) -> Error {
    let text = format!("mount the root on {}", upper.display());
    let error = Error::from(errno).wrap(text);
    match errno {
        Errno::INVAL => error.hint(
            "this file system cannot hold an overlay's upper layer; choose a store on ext4, xfs or \
             btrfs with --root",
        ),
        Errno::PERM => error.hint("overlay in a user namespace needs Linux 5.11 or newer"),
        _ => error,
    }
}
