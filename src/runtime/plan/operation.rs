//! The operations a child can be told to do, as data, and the words for their failure.

use std::ffi::CString;
use std::fmt;

use super::Identity;
use crate::sys::mount::MountAttr;
use crate::sys::seccomp::SockFilter;

/// A descriptor that the launcher opened before the fork, or that an earlier operation opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The root file system as a detached mount.
    RootMount,
    /// The root directory, `O_PATH`, once attached.
    Root,
    /// The container's own procfs, before anything in it is masked.
    Proc,
    /// The host's /dev/null, checked to be character device 1:3.
    Null,
    /// Standard input, output and error of the program.
    Stdin,
    Stdout,
    Stderr,
    /// The record socket to the parent.
    Report,
    /// A listening socket: whoever connects starts the program.
    Gate,
    /// The sealed init.
    Init,
    /// The pidfd of a running container to join.
    Container,
    /// Another container's /dev/shm as a detached mount.
    SharedMemory,
}

impl Slot {
    /// How many slots there are.
    pub const COUNT: usize = Slot::SharedMemory as usize + 1;
}

/// What kind of object a mount lands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A directory, made if missing.
    Directory,
    /// A file or directory, as the source is, made if missing.
    LikeSource,
    /// A directory that must be there and may not be reached through a link (CVE-2019-19921).
    OrdinaryDirectory,
}

/// A place below the root, resolved inside it without magic links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Relative path, no `..`, not empty.
    pub path: CString,
    pub kind: Kind,
}

/// A new file system instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FsMount {
    pub fs_type: CString,
    pub source: CString,
    /// Options for fsconfig(2): key and value, or a flag.
    pub options: Vec<(CString, Option<CString>)>,
    /// `MOUNT_ATTR_*` bits.
    pub attr: u64,
    pub target: Target,
    /// Copy what the directory holds into the new file system (`tmpcopyup`)? Kept as a slot too.
    pub keep: Option<Slot>,
}

/// A part of the host's file tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindMount {
    pub source: CString,
    pub recursive: bool,
    pub attr: MountAttr,
    /// The attributes reach everything below the source, not only its top.
    pub attr_recursive: bool,
    pub target: Target,
}

/// One thing the child does. Order is the plan's business.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    DieWithParent,
    AwaitIdMaps,
    NewSession,
    JoinNamespace {
        kind: u64,
        path: CString,
    },
    JoinContainer {
        kinds: u64,
    },
    HostNull,
    HostPropagation {
        attr: MountAttr,
    },
    AttachRoot {
        source: Option<CString>,
        at: CString,
    },
    Mount(FsMount),
    Bind(BindMount),
    AttachSharedMemory {
        target: Target,
    },
    MakeNode {
        path: CString,
        mode: u32,
        major: u32,
        minor: u32,
        uid: u32,
        gid: u32,
    },
    MakeLink {
        content: CString,
        path: CString,
    },
    HostName {
        name: CString,
    },
    DomainName {
        name: CString,
    },
    LoopbackUp,
    Sysctl {
        path: CString,
        value: CString,
    },
    AwaitCgroups,
    JoinCgroups {
        files: Vec<CString>,
    },
    NewCgroupNamespace,
    Mask {
        path: CString,
    },
    ReadOnly {
        path: CString,
    },
    /// Makes a mount of ours read only once everything in it is made.
    SealMount {
        path: CString,
    },
    Pivot,
    ReadOnlyRoot,
    OpenTerminal {
        console: bool,
    },
    StandardStreams,
    Umask {
        mode: u32,
    },
    OomScore {
        value: CString,
    },
    ResourceLimit {
        resource: u32,
        soft: u64,
        hard: u64,
    },
    SessionKeyring,
    WorkingDirectory {
        path: CString,
        make: bool,
    },
    DropBounding {
        keep: u64,
    },
    NoNewPrivileges,
    Filter {
        program: Vec<SockFilter>,
        flags: u32,
    },
    BecomeUser(Identity),
    Capabilities {
        effective: u64,
        permitted: u64,
        inheritable: u64,
        ambient: u64,
    },
    FindProgram {
        name: String,
        candidates: Vec<CString>,
    },
    ResetSignals,
    Ready,
    AwaitGate,
    RunInit {
        reaper: bool,
    },
}

/// The subject of an error: what the child was doing, on which thing.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::DieWithParent => write!(f, "tie the container to its monitor"),
            Operation::AwaitIdMaps => write!(f, "become root of the user namespace"),
            Operation::NewSession => write!(f, "start a session"),
            Operation::JoinNamespace { path, .. } => {
                write!(f, "join namespace {}", path.to_string_lossy())
            }
            Operation::JoinContainer { .. } => write!(f, "join the container's namespaces"),
            Operation::HostNull => write!(f, "open /dev/null"),
            Operation::HostPropagation { .. } => write!(f, "cut mount propagation"),
            Operation::AttachRoot { source, at } => {
                let source = source.as_deref().map(|s| s.to_string_lossy());
                let source = source.unwrap_or("root file system".into());
                write!(f, "attach {source} at {}", at.to_string_lossy())
            }
            Operation::Mount(mount) => {
                let target = mount.target.path.to_string_lossy();
                write!(f, "mount {} on /{target}", mount.fs_type.to_string_lossy())
            }
            Operation::Bind(bind) => {
                let source = bind.source.to_string_lossy();
                write!(
                    f,
                    "bind {source} on /{}",
                    bind.target.path.to_string_lossy()
                )
            }
            Operation::AttachSharedMemory { .. } => write!(f, "mount shared memory on /dev/shm"),
            Operation::MakeNode { path, .. } => {
                write!(f, "make device /{}", path.to_string_lossy())
            }
            Operation::MakeLink { path, .. } => write!(f, "make link /{}", path.to_string_lossy()),
            Operation::HostName { name } => {
                write!(f, "set host name {}", name.to_string_lossy())
            }
            Operation::DomainName { name } => {
                write!(f, "set domain name {}", name.to_string_lossy())
            }
            Operation::LoopbackUp => write!(f, "bring up the loopback interface"),
            Operation::Sysctl { path, value } => {
                let (path, value) = (path.to_string_lossy(), value.to_string_lossy());
                write!(f, "set sysctl {path} to {value}")
            }
            Operation::AwaitCgroups => write!(f, "wait for the cgroups"),
            Operation::JoinCgroups { .. } => write!(f, "join the cgroups"),
            Operation::NewCgroupNamespace => write!(f, "make a cgroup namespace"),
            Operation::Mask { path } => write!(f, "mask /{}", path.to_string_lossy()),
            Operation::ReadOnly { path } => {
                write!(f, "make /{} read only", path.to_string_lossy())
            }
            Operation::SealMount { path } => write!(f, "seal /{}", path.to_string_lossy()),
            Operation::Pivot => write!(f, "change the root"),
            Operation::ReadOnlyRoot => write!(f, "make the root read only"),
            _ => self.describe_process(f),
        }
    }
}

impl Operation {
    fn describe_process(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::OpenTerminal { .. } => write!(f, "open a terminal in the container"),
            Operation::StandardStreams => write!(f, "place the standard streams"),
            Operation::Umask { .. } => write!(f, "set the umask"),
            Operation::OomScore { value } => {
                write!(f, "set oom_score_adj to {}", value.to_string_lossy())
            }
            Operation::ResourceLimit { resource, .. } => write!(f, "set resource limit {resource}"),
            Operation::SessionKeyring => write!(f, "join a session keyring"),
            Operation::WorkingDirectory { path, .. } => {
                write!(
                    f,
                    "change to working directory {:?}",
                    path.to_string_lossy()
                )
            }
            Operation::DropBounding { .. } => write!(f, "drop capabilities"),
            Operation::NoNewPrivileges => write!(f, "set no_new_privs"),
            Operation::Filter { .. } => write!(f, "load the seccomp filter"),
            Operation::BecomeUser(identity) => {
                write!(f, "become user {}:{}", identity.uid, identity.gid)
            }
            Operation::Capabilities { .. } => write!(f, "set capabilities"),
            Operation::FindProgram { name, .. } => write!(f, "exec: {name:?}"),
            Operation::ResetSignals => write!(f, "reset signals"),
            Operation::Ready => write!(f, "report readiness"),
            Operation::AwaitGate => write!(f, "wait to be started"),
            _ => write!(f, "run the program"),
        }
    }
}
