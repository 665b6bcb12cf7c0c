//! One more process in a running container: `exec`.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use oci_spec::runtime::Process;
use rustix::process::Pid;

use super::cgroup::Cgroup;
use super::launch::{Created, Launch, host, launch};
use super::plan::{self, Extras};
use crate::error::{Context as _, Result};
use crate::sys::process::{Parentage, join_namespace};

/// A process that waits, inside the container, to run its program.
pub struct Joined {
    pub created: Created,
}

/// What a process that joins needs.
pub struct Join<'a> {
    /// The container's first process.
    pub container: BorrowedFd<'a>,
    /// Its id in our PID namespace.
    pub pid: Pid,
    /// It lives in a user namespace of ours: join that first.
    pub user_namespace: bool,
    pub process: &'a Process,
    pub streams: [BorrowedFd<'a>; 3],
    pub cgroup: Option<&'a Cgroup>,
    pub extras: Extras,
}

/// Forks a process into the container's namespaces. The calling process is changed: it becomes
/// undumpable, and its children go to the container's PID (and user) namespace.
pub fn join(request: Join<'_>) -> Result<Joined> {
    let mut process = request.process.clone();
    if let Some(score) = process.oom_score_adj() {
        // Should: in this process, which hands it on to its child. The child has no procfs of its
        // own to write to, and undumpable ones belong to root.
        let file = "/proc/self/oom_score_adj";
        let written = std::fs::write(file, score.to_string());
        written.context(|| format!("set oom_score_adj to {score}"))?;
        process.set_oom_score_adj(None);
    }
    // Must not: show the container's root a process of ours that it could attach to while we hold
    // host descriptors (CVE-2016-9962); the mark is inherited by the fork.
    let not = rustix::process::DumpableBehavior::NotDumpable;
    rustix::process::set_dumpable_behavior(not).context(|| "become undumpable")?;
    let mut extras = request.extras;
    extras.join_kinds = different_namespaces(request.pid)?;
    extras.cgroup_files = request.cgroup.map(Cgroup::member_files).unwrap_or_default();
    let version_2: Option<OwnedFd> = request.cgroup.and_then(Cgroup::open_version_2);
    if request.user_namespace {
        let kind = libc::CLONE_NEWUSER as u64;
        join_namespace(request.container, kind).context(|| "join the user namespace")?;
    }
    if differs(request.pid, "pid")? {
        let kind = libc::CLONE_NEWPID as u64;
        join_namespace(request.container, kind).context(|| "join the PID namespace")?;
    }
    let plan = plan::build_exec(&process, &host(), extras)?;
    let created = launch(&Launch {
        plan: &plan,
        root_mount: None,
        shared_memory: None,
        streams: request.streams,
        parentage: Parentage::Caller,
        cgroup: None,
        gate: None,
        container: Some(request.container),
        join_cgroup: version_2.as_ref().map(|fd| fd.as_fd()),
    })?;
    Ok(Joined { created })
}

impl Joined {
    /// Lets the program run and waits until it does.
    pub fn start(&self) -> Result<()> {
        self.created.start()
    }
}

/// The namespaces in which process `pid` differs from us, without user and PID: entering one that
/// is ours already could need privileges that we lack.
fn different_namespaces(pid: Pid) -> Result<u64> {
    const KINDS: [(&str, libc::c_int); 5] = [
        ("mnt", libc::CLONE_NEWNS),
        ("net", libc::CLONE_NEWNET),
        ("uts", libc::CLONE_NEWUTS),
        ("ipc", libc::CLONE_NEWIPC),
        ("cgroup", libc::CLONE_NEWCGROUP),
    ];
    let mut kinds = 0;
    for (name, kind) in KINDS {
        if differs(pid, name)? {
            kinds |= kind as u64;
        }
    }
    Ok(kinds)
}

/// Whether process `pid` lives in another namespace of this name than we do.
fn differs(pid: Pid, name: &str) -> Result<bool> {
    let theirs = format!("/proc/{}/ns/{name}", pid.as_raw_nonzero());
    let theirs = std::fs::read_link(&theirs).context(|| format!("read {theirs}"))?;
    let ours = format!("/proc/self/ns/{name}");
    let ours = std::fs::read_link(&ours).context(|| format!("read {ours}"))?;
    Ok(ours != theirs)
}
