//! Turns an OCI runtime spec into a [`Plan`]: every string, number and filter the child will need,
//! in the order it needs them. Pure: reads no file, asks the kernel nothing.

mod device;
mod mounts;
mod operation;
mod process;
#[cfg(test)]
mod tests;

use std::ffi::CString;
use std::path::{Path, PathBuf};

use oci_spec::runtime::{Linux, LinuxNamespaceType, Spec};

pub use mounts::{mount_options, validate_target};
pub use operation::{BindMount, FsMount, Kind, Operation, Slot, Target};
pub use process::{IPC_SYSCTLS, Identity};

use crate::error::{Context as _, Error, Result};
use crate::sys::mount::MountAttr;
use crate::sys::seccomp::SockFilter;

/// What the host grants, needed to cut the spec's wishes to what can be had.
#[derive(Debug, Clone)]
pub struct Host {
    /// Capabilities this process may pass on (permitted set, bit per capability).
    pub capabilities: u64,
    /// Hard limits per resource, where raising them would need `CAP_SYS_RESOURCE`.
    pub hard_limits: Vec<(u32, u64)>,
    /// Device nodes can be made; otherwise they are bound from the host.
    pub may_mknod: bool,
}

impl Host {
    /// What its first process may do in a new user namespace: it has every capability there, but
    /// device nodes belong to the initial one, mknod(2).
    fn inside_user_namespace(&self) -> Host {
        Host {
            capabilities: u64::MAX,
            may_mknod: false,
            ..self.clone()
        }
    }
}

/// What the caller adds to the spec.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    /// An empty directory where the root is attached, in the container's mount namespace only.
    pub attach_at: CString,
    /// The root comes as a detached mount in [`Slot::RootMount`], not from `spec.root.path`.
    pub root_is_mounted: bool,
    /// /dev/shm is handed over as a mount, another container's.
    pub shared_memory: bool,
    /// Run the small init as PID 1 (`--init`).
    pub reaper: bool,
    /// `cgroup.procs` or `tasks` files to write `0` to, by host path.
    pub cgroup_files: Vec<CString>,
    /// Version 1 hierarchies for a mount of type `cgroup`; none means version 2.
    pub cgroup_hierarchies: Vec<CgroupHierarchy>,
    /// Make a missing working directory, as Docker does.
    pub make_cwd: bool,
    /// Stay in the launcher's session keyring.
    pub keep_keyring: bool,
    /// The compiled system-call filter; empty for none.
    pub filter: Vec<SockFilter>,
    /// Flags for seccomp(2).
    pub filter_flags: u32,
    /// The container dies with the process that launched it (its monitor).
    pub die_with_parent: bool,
    /// `CLONE_NEW*` kinds in which a container to join differs from us.
    pub join_kinds: u64,
    /// The child writes its `READY` record only after everything, then waits on this socket
    /// instead of the report socket (the OCI create/start split).
    pub gate: bool,
}

/// One version 1 hierarchy as a container sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupHierarchy {
    /// Its directory's name below /sys/fs/cgroup.
    pub name: String,
    /// Controllers, or `name=…`.
    pub controllers: Vec<String>,
    /// The container's own directory, on the host.
    pub directory: PathBuf,
}

/// Everything the child does, and the strings for the last step.
#[derive(Debug)]
pub struct Plan {
    /// `CLONE_NEW*` bits for clone3.
    pub namespaces: u64,
    /// The operations in order.
    pub operations: Vec<Operation>,
    /// The program's arguments.
    pub arguments: Vec<CString>,
    /// The program's environment.
    pub environment: Vec<CString>,
    /// The user namespace's maps, if the spec asks for a new one: (container, host, size).
    pub uid_map: Vec<(u32, u32, u32)>,
    /// As `uid_map`, for groups.
    pub gid_map: Vec<(u32, u32, u32)>,
    /// The program wants a terminal.
    pub terminal: bool,
}

/// Builds the plan for the first process of a container.
///
/// # Errors
/// `Invalid`, naming the field, for what cannot be honoured.
pub fn build(spec: &Spec, host: &Host, extras: Extras) -> Result<Plan> {
    let process = spec
        .process()
        .as_ref()
        .ok_or_else(|| Error::invalid("process is missing"))?;
    let default_linux = Linux::default();
    let linux = spec.linux().as_ref().unwrap_or(&default_linux);
    let (namespaces, joins) = namespaces(linux)?;
    let inside = host.inside_user_namespace();
    let host = if has_user_namespace(spec) {
        &inside
    } else {
        host
    };
    let terminal = process.terminal().unwrap_or(false);
    let mut ops = Vec::with_capacity(64);
    if extras.die_with_parent {
        ops.push(Operation::DieWithParent);
    }
    if has(namespaces, libc::CLONE_NEWUSER) {
        ops.push(Operation::AwaitIdMaps);
    }
    ops.push(Operation::NewSession);
    ops.extend(joins);
    ops.push(Operation::HostNull);
    root(spec, linux, &extras, &mut ops)?;
    mounts::push(spec, host, extras.shared_memory, &mut ops)?;
    device::push(spec, linux, host, terminal, &mut ops)?;
    identity_of_host(spec, linux, namespaces, &mut ops)?;
    cgroups(&extras, namespaces, spec, &mut ops)?;
    mounts::push_protection(linux, &mut ops)?;
    ops.push(Operation::Pivot);
    if spec
        .root()
        .as_ref()
        .is_some_and(|root| root.readonly().unwrap_or(false))
    {
        ops.push(Operation::ReadOnlyRoot);
    }
    process::push(process, host, &extras, &mut ops)?;
    Ok(Plan {
        namespaces: namespaces & !(libc::CLONE_NEWCGROUP as u64),
        operations: ops,
        arguments: process::arguments(process)?,
        environment: process::environment(process)?,
        uid_map: map_of(linux.uid_mappings()),
        gid_map: map_of(linux.gid_mappings()),
        terminal,
    })
}

/// Builds the plan for one more process in a running container: no mounts, no new namespaces.
pub fn build_exec(
    process: &oci_spec::runtime::Process,
    host: &Host,
    extras: Extras,
) -> Result<Plan> {
    let terminal = process.terminal().unwrap_or(false);
    let mut ops = Vec::with_capacity(24);
    if extras.die_with_parent {
        ops.push(Operation::DieWithParent);
    }
    ops.push(Operation::NewSession);
    if !extras.cgroup_files.is_empty() {
        ops.push(Operation::JoinCgroups {
            files: extras.cgroup_files.clone(),
        });
    }
    ops.push(Operation::JoinContainer {
        kinds: extras.join_kinds,
    });
    if terminal {
        ops.push(Operation::OpenTerminal { console: false });
    }
    process::push(process, host, &extras, &mut ops)?;
    Ok(Plan {
        namespaces: 0,
        operations: ops,
        arguments: process::arguments(process)?,
        environment: process::environment(process)?,
        uid_map: Vec::new(),
        gid_map: Vec::new(),
        terminal,
    })
}

/// The spec asks for a new user namespace.
pub fn has_user_namespace(spec: &Spec) -> bool {
    let linux = spec.linux().as_ref();
    let mut namespaces = linux
        .iter()
        .flat_map(|linux| linux.namespaces().iter().flatten());
    namespaces
        .any(|namespace| namespace.typ() == LinuxNamespaceType::User && namespace.path().is_none())
}

fn has(flags: u64, flag: libc::c_int) -> bool {
    flags & flag as u64 != 0
}

/// Splits the spec's namespaces into new ones (bits) and existing ones (operations).
fn namespaces(linux: &Linux) -> Result<(u64, Vec<Operation>)> {
    let mut flags = 0;
    let mut joins = Vec::new();
    for namespace in linux.namespaces().iter().flatten() {
        let kind = namespace.typ() as u64;
        match (namespace.path(), namespace.typ()) {
            (None, LinuxNamespaceType::Time) => {
                return Err(Error::unsupported("linux.namespaces: a time namespace"));
            }
            (None, _) => flags |= kind,
            (Some(path), LinuxNamespaceType::Network)
            | (Some(path), LinuxNamespaceType::Ipc)
            | (Some(path), LinuxNamespaceType::Uts)
            | (Some(path), LinuxNamespaceType::Cgroup) => {
                joins.push(Operation::JoinNamespace {
                    kind,
                    path: c_path(path)?,
                });
            }
            (Some(path), typ) => {
                return Err(Error::unsupported(format!(
                    "linux.namespaces: joining the {typ} namespace {}",
                    path.display()
                )));
            }
        }
    }
    if !has(flags, libc::CLONE_NEWNS) {
        return Err(Error::invalid(
            "linux.namespaces: a mount namespace is required",
        ));
    }
    Ok((flags, joins))
}

/// Attaches the root where only this mount namespace sees it.
fn root(spec: &Spec, linux: &Linux, extras: &Extras, ops: &mut Vec<Operation>) -> Result<()> {
    let propagation = match linux.rootfs_propagation().as_deref() {
        None | Some("") | Some("rprivate") => libc::MS_PRIVATE,
        Some("private") => libc::MS_PRIVATE,
        Some("slave") | Some("rslave") => libc::MS_SLAVE,
        Some("shared") | Some("rshared") => libc::MS_SHARED,
        Some("unbindable") | Some("runbindable") => libc::MS_UNBINDABLE,
        Some(other) => {
            return Err(Error::invalid(format!(
                "linux.rootfsPropagation: {other:?}"
            )));
        }
    };
    // Should: cut propagation before anything is mounted, so that no mount of ours reaches the
    // host (runc #2404). Slave, so that the host's unmounts still reach us.
    let host = if propagation == libc::MS_PRIVATE {
        libc::MS_PRIVATE
    } else {
        libc::MS_SLAVE
    };
    ops.push(Operation::HostPropagation {
        attr: propagate(host),
    });
    let path = spec.root().as_ref().map(|root| root.path().as_path());
    let source = match (extras.root_is_mounted, path) {
        (true, _) => None,
        (false, Some(path)) => Some(c_path(path)?),
        (false, None) => return Err(Error::invalid("root.path is missing")),
    };
    ops.push(Operation::AttachRoot {
        source,
        at: extras.attach_at.clone(),
    });
    Ok(())
}

fn propagate(flag: libc::c_ulong) -> MountAttr {
    MountAttr {
        propagation: flag,
        ..MountAttr::default()
    }
}

/// Host name, loopback, kernel parameters: what belongs to namespaces, not to the process.
fn identity_of_host(
    spec: &Spec,
    linux: &Linux,
    namespaces: u64,
    ops: &mut Vec<Operation>,
) -> Result<()> {
    if let Some(name) = spec.hostname().as_ref().filter(|name| !name.is_empty()) {
        if !has(namespaces, libc::CLONE_NEWUTS) {
            return Err(Error::invalid("hostname: needs a new uts namespace"));
        }
        ops.push(Operation::HostName {
            name: c_text("hostname", name)?,
        });
    }
    if let Some(name) = spec.domainname().as_ref().filter(|name| !name.is_empty()) {
        ops.push(Operation::DomainName {
            name: c_text("domainname", name)?,
        });
    }
    if has(namespaces, libc::CLONE_NEWNET) {
        ops.push(Operation::LoopbackUp);
    }
    let mut sysctls: Vec<_> = linux.sysctl().iter().flatten().collect();
    sysctls.sort();
    for (key, value) in sysctls {
        let path = process::sysctl_path(key, namespaces)?;
        ops.push(Operation::Sysctl {
            path,
            value: c_text("linux.sysctl", value)?,
        });
    }
    Ok(())
}

/// Joins the cgroups, then hides the path to them in a cgroup namespace of our own.
fn cgroups(extras: &Extras, namespaces: u64, spec: &Spec, ops: &mut Vec<Operation>) -> Result<()> {
    ops.push(Operation::AwaitCgroups);
    if !extras.cgroup_files.is_empty() {
        ops.push(Operation::JoinCgroups {
            files: extras.cgroup_files.clone(),
        });
    }
    // Must not: unshare before joining, or the namespace's root would be the launcher's cgroup.
    if has(namespaces, libc::CLONE_NEWCGROUP) {
        ops.push(Operation::NewCgroupNamespace);
    }
    mounts::push_cgroup(spec, &extras.cgroup_hierarchies, ops)
}

fn map_of(map: &Option<Vec<oci_spec::runtime::LinuxIdMapping>>) -> Vec<(u32, u32, u32)> {
    let extents = map.iter().flatten();
    extents
        .map(|extent| (extent.container_id(), extent.host_id(), extent.size()))
        .collect()
}

/// A path as the kernel takes it.
pub fn c_string(path: &Path) -> Result<CString> {
    c_path(path)
}

fn c_path(path: &Path) -> Result<CString> {
    use std::os::unix::ffi::OsStrExt as _;
    let bytes = CString::new(path.as_os_str().as_bytes());
    bytes.map_err(|_| Error::invalid(format!("path {path:?} holds a NUL byte")))
}

/// A text as the kernel takes it.
fn c_text(field: &str, text: &str) -> Result<CString> {
    CString::new(text)
        .map_err(|_| Error::invalid(format!("{text:?} holds a NUL byte")))
        .context(|| field.to_owned())
}
