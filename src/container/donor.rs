//! Containers that share something with a new one: their namespaces, their mounts.
//!
//! At create names become ids. At every start the namespaces are opened through the donor's first
//! process, which its pidfd pins: a donor that has ended is an error, never another process that
//! got its id.

use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use oci_spec::runtime::LinuxNamespaceType;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::mount::OpenTreeFlags;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};

use super::request::Request;
use crate::base::ContainerId;
use crate::error::{Context as _, Error, Kind, Result};
use crate::monitor::wire;
use crate::runtime::process::wait_code;
use crate::state::{
    Config, Live, Mount, MountKind, NamespaceMode, Namespaces, NetworkMode, Records,
};
use crate::sys::process::{Fork, Parentage, exit_now, fork, join_namespace};

/// The network and namespaces of a request, with ids for names.
pub(super) fn resolve(records: &Records, request: &Request) -> Result<(NetworkMode, Namespaces)> {
    let id = |name: &str| records.find(name).map(|id| id.to_string());
    let one = |mode: &NamespaceMode| match mode {
        NamespaceMode::Container(name) => id(name).map(NamespaceMode::Container),
        other => Ok(other.clone()),
    };
    let network = match &request.network {
        NetworkMode::Container(name) => NetworkMode::Container(id(name)?),
        other => other.clone(),
    };
    let asked = &request.namespaces;
    let namespaces = Namespaces {
        pid: one(&asked.pid)?,
        ipc: one(&asked.ipc)?,
        uts: one(&asked.uts)?,
        cgroup: one(&asked.cgroup)?,
        user: one(&asked.user)?,
    };
    if let NamespaceMode::Container(id) = &namespaces.ipc {
        check_ipc(records, id)?;
    }
    Ok((network, namespaces))
}

fn check_ipc(records: &Records, id: &str) -> Result<()> {
    let donor = records.config(&id.parse()?)?;
    match donor.namespaces.ipc {
        NamespaceMode::Shareable | NamespaceMode::Host => Ok(()),
        _ => Err(Error::invalid(format!(
            "can't join IPC of container {id}: non-shareable IPC (hint: use IpcMode:shareable for \
             the donor container)"
        ))),
    }
}

/// The mounts of the container that a `--volumes-from NAME[:ro]` names.
pub(super) fn mounts_of(records: &Records, text: &str) -> Result<Vec<Mount>> {
    let (name, mode) = text.split_once(':').unwrap_or((text, "rw"));
    if !matches!(mode, "ro" | "rw" | "z" | "Z") {
        return Err(Error::invalid(format!("invalid mode: {mode}")));
    }
    let mut mounts = records.config(&records.find(name)?)?.mounts;
    mounts.retain(|mount| mount.kind == MountKind::Bind);
    if mode == "ro" {
        for mount in &mut mounts {
            mount
                .options
                .retain(|option| option != "rw" && option != "ro");
            mount.options.push("ro".to_owned());
        }
    }
    Ok(mounts)
}

/// Where the files of /etc are that belong to another container's network.
pub(super) fn network_files(records: &Records, config: &Config) -> Result<Option<PathBuf>> {
    let NetworkMode::Container(id) = &config.network else {
        return Ok(None);
    };
    let donor: ContainerId = id.parse()?;
    live(records, &donor, "network")?;
    Ok(Some(records.run_directory(&donor).path().to_owned()))
}

/// Namespaces of other containers, open.
#[derive(Debug, Default)]
pub(super) struct Donated {
    /// What to join: kind and a path of this process that stands for it.
    pub joined: Vec<(LinuxNamespaceType, PathBuf)>,
    /// The process whose PID namespace the container gets.
    pid: Option<OwnedFd>,
    /// The /dev/shm that the container gets, as a detached mount.
    pub shared_memory: Option<OwnedFd>,
    /// Keeps the paths valid.
    open: Vec<File>,
}

impl Donated {
    /// Opens what the record asks for.
    ///
    /// # Errors
    /// `Conflict` in Docker's words for a donor that does not run.
    pub fn open(records: &Records, config: &Config) -> Result<Donated> {
        let mut donated = Donated::default();
        let of = &config.namespaces;
        if let NetworkMode::Container(id) = &config.network {
            donated.join(records, id, "network", "net", LinuxNamespaceType::Network)?;
        }
        if let NamespaceMode::Container(id) = &of.ipc {
            donated.join(records, id, "IPC", "ipc", LinuxNamespaceType::Ipc)?;
            let (_, process) = live(records, &id.parse()?, "IPC")?;
            donated.shared_memory = shared_memory(process.as_fd())?;
        }
        if let NamespaceMode::Container(id) = &of.uts {
            donated.join(records, id, "UTS", "uts", LinuxNamespaceType::Uts)?;
        }
        if let NamespaceMode::Container(id) = &of.pid {
            donated.pid = Some(live(records, &id.parse()?, "PID")?.1);
        }
        Ok(donated)
    }

    fn join(
        &mut self,
        records: &Records,
        id: &str,
        what: &str,
        name: &str,
        kind: LinuxNamespaceType,
    ) -> Result<()> {
        let id = id.parse()?;
        let (live, pidfd) = live(records, &id, what)?;
        let path = format!("/proc/{}/ns/{name}", live.pid);
        let file = File::open(&path).context(|| format!("open {path}"))?;
        // Should: after opening, so that the id was not another process's by then.
        if !is_alive(&pidfd) {
            return Err(not_running(&id, what));
        }
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        self.joined.push((kind, path.into()));
        self.open.push(file);
        Ok(())
    }

    /// Runs `launch`, whose child starts in the donor's PID namespace if there is one. A process
    /// that stays goes back, for its later children; one that forks for its parent ends soon, and
    /// may not go back: without root the namespace it came from belongs to the host.
    pub fn in_pid_namespace<T>(
        &self,
        parentage: Parentage,
        launch: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let Some(donor) = &self.pid else {
            return launch();
        };
        let kind = libc::CLONE_NEWPID as u64;
        let own = File::open("/proc/self/ns/pid").context(|| "open the PID namespace")?;
        join_namespace(donor.as_fd(), kind).context(|| "join the PID namespace")?;
        let launched = launch();
        if parentage == Parentage::Caller {
            join_namespace(own.as_fd(), kind).context(|| "return to the PID namespace")?;
        }
        launched
    }
}

/// A copy of the mount on /dev/shm of a process, detached; none if it has no such mount. A child
/// fetches it, because who enters a mount namespace has left its own.
fn shared_memory(process: BorrowedFd<'_>) -> Result<Option<OwnedFd>> {
    let (ours, theirs) = wire::pair()?;
    let child = match fork().context(|| "fork to fetch /dev/shm")? {
        Fork::Child => {
            let sent = fetch_shared_memory(process).and_then(|mount| send(theirs.as_fd(), &mount));
            exit_now(match sent {
                Ok(()) => 0,
                Err(Errno::NOENT | Errno::INVAL) => 2,
                Err(_) => 1,
            })
        }
        Fork::Parent { pidfd, .. } => pidfd,
    };
    drop(theirs);
    let mount = receive(ours.as_fd()).context(|| "fetch /dev/shm")?;
    match (wait_code(child.as_fd())?, mount) {
        (0, Some(mount)) => Ok(Some(mount)),
        (2, _) => Ok(None),
        _ => Err(Error::new(
            Kind::System,
            "fetch /dev/shm of the other container",
        )),
    }
}

fn fetch_shared_memory(process: BorrowedFd<'_>) -> rustix::io::Result<OwnedFd> {
    join_namespace(process, libc::CLONE_NEWNS as u64)?;
    // Whatever the other container put there: only its own mounts can be reached, and no link.
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::NO_SYMLINKS;
    let place = rustix::fs::openat2(CWD, c"/dev/shm", flags, Mode::empty(), resolve)?;
    let clone = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH;
    rustix::mount::open_tree(&place, c"", clone)
}

fn send(to: BorrowedFd<'_>, descriptor: &OwnedFd) -> rustix::io::Result<()> {
    let descriptors = [descriptor.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    let parts = [std::io::IoSlice::new(b"m")];
    rustix::net::sendmsg(to, &parts, &mut control, SendFlags::NOSIGNAL).map(drop)
}

/// What [`send`] sent, if it did.
fn receive(from: BorrowedFd<'_>) -> rustix::io::Result<Option<OwnedFd>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let mut parts = [std::io::IoSliceMut::new(&mut byte)];
    rustix::net::recvmsg(from, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut all) => all.next(),
        _ => None,
    });
    Ok(descriptors.next())
}

fn live(records: &Records, id: &ContainerId, what: &str) -> Result<(Live, OwnedFd)> {
    if !records.exists(id) {
        return Err(Error::not_found(format!("No such container: {id}")));
    }
    let live = records.run_directory(id).live();
    let open = live.and_then(|live| Some((live.clone(), live.pidfd()?)));
    open.ok_or_else(|| not_running(id, what))
}

fn not_running(id: &ContainerId, what: &str) -> Error {
    let text = format!("cannot join {what} of a non running container: {id}");
    Error::conflict(text).hint("start that container first")
}

fn is_alive(pidfd: &OwnedFd) -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let now = rustix::event::Timespec::default();
    let mut polled = [PollFd::new(pidfd, PollFlags::IN)];
    matches!(poll(&mut polled, Some(&now)), Ok(0))
}
