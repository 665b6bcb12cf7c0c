//! The parent's side: forks the child, prepares cgroups while it mounts, collects its reports.

use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

use oci_spec::runtime::LinuxResources;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::{Pid, Resource, Signal};

use super::cgroup::Cgroup;
use super::child::{self, Slots};
use super::plan::{Host, Operation, Plan, Slot};
use super::{program, sync};
use crate::error::{Context as _, Error, Kind, Result};
use crate::sys::process::{self, ExecArray, Fork, Parentage};

/// Descriptors the child keeps are moved above this number, away from 0..2 and from the two that
/// the init reads.
const FIRST_FREE: i32 = 10;

/// What a launch needs besides the plan.
pub struct Launch<'a> {
    pub plan: &'a Plan,
    /// The root as a detached mount, if the plan says so.
    pub root_mount: Option<BorrowedFd<'a>>,
    /// What to mount on /dev/shm, if the plan says so.
    pub shared_memory: Option<BorrowedFd<'a>>,
    /// Standard input, output and error; ignored with a terminal.
    pub streams: [BorrowedFd<'a>; 3],
    /// Who becomes the parent.
    pub parentage: Parentage,
    /// Cgroups to make and join, with their limits.
    pub cgroup: Option<(&'a Cgroup, &'a LinuxResources)>,
    /// A listening socket through which a later process starts the program.
    pub gate: Option<BorrowedFd<'a>>,
    /// The pidfd of a running container to join.
    pub container: Option<BorrowedFd<'a>>,
    /// An open version 2 cgroup for a process that joins a running container.
    pub join_cgroup: Option<BorrowedFd<'a>>,
}

/// A container whose first process waits to run its program.
#[derive(Debug)]
pub struct Created {
    pub pid: Pid,
    pub pidfd: OwnedFd,
    /// The controlling side of the terminal.
    pub terminal: Option<OwnedFd>,
    /// What the host could not enforce.
    pub warnings: Vec<String>,
    /// The program's name, for errors.
    pub program: String,
    /// Where it is told to go on, and says if it could not.
    pub report: OwnedFd,
}

/// What this process may pass on to a container.
pub fn host() -> Host {
    const RESOURCES: [(Resource, u32); 10] = [
        (Resource::Cpu, libc::RLIMIT_CPU),
        (Resource::Fsize, libc::RLIMIT_FSIZE),
        (Resource::Data, libc::RLIMIT_DATA),
        (Resource::Stack, libc::RLIMIT_STACK),
        (Resource::Core, libc::RLIMIT_CORE),
        (Resource::Nproc, libc::RLIMIT_NPROC),
        (Resource::Nofile, libc::RLIMIT_NOFILE),
        (Resource::Memlock, libc::RLIMIT_MEMLOCK),
        (Resource::As, libc::RLIMIT_AS),
        (Resource::Sigpending, libc::RLIMIT_SIGPENDING),
    ];
    const SYS_RESOURCE: u64 = 1 << 24;
    let sets = rustix::thread::capabilities(None);
    let capabilities = sets.map_or(0, |sets| sets.permitted.bits());
    // Inside a user namespace the capability does not count for limits, getrlimit(2).
    let raises = capabilities & SYS_RESOURCE != 0 && !in_user_namespace();
    let limits = RESOURCES.iter().filter_map(|(resource, number)| {
        Some((*number, rustix::process::getrlimit(*resource).maximum?))
    });
    Host {
        capabilities,
        hard_limits: if raises { Vec::new() } else { limits.collect() },
        may_mknod: !in_user_namespace(),
    }
}

/// Whether ids are mapped, i.e. this is not the initial user namespace (user_namespaces(7)).
pub fn in_user_namespace() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().collect::<Vec<_>>() != ["0", "0", "4294967295"]
}

/// Forks the first process of a container and brings it to the point before its program.
///
/// # Errors
/// What failed in the child, in words; nothing is left running then, and no cgroup.
pub fn launch(request: &Launch<'_>) -> Result<Created> {
    let cgroup = request.cgroup.map(|(cgroup, _)| cgroup);
    let result = try_launch(request);
    if result.is_err()
        && let Some(cgroup) = cgroup
    {
        // The first error is the one to tell; what cannot be removed now is empty and reused.
        let _ = cgroup.remove();
    }
    result
}

fn try_launch(request: &Launch<'_>) -> Result<Created> {
    let plan = request.plan;
    let (ours, theirs) = report_pair()?;
    let init = high(program::sealed_init()?.as_fd())?;
    let mut kept = vec![high(theirs.as_fd())?, init];
    drop(theirs);
    let mut slots = Slots::empty();
    slots.set(Slot::Report, kept[0].as_raw_fd());
    slots.set(Slot::Init, kept[1].as_raw_fd());
    let streams = [Slot::Stdin, Slot::Stdout, Slot::Stderr]
        .into_iter()
        .zip(request.streams)
        // A reader of ours would wait for the end of a copy as long as the child waits.
        .filter(|_| !plan.terminal);
    let others = [
        (Slot::RootMount, request.root_mount),
        (Slot::SharedMemory, request.shared_memory),
        (Slot::Gate, request.gate),
        (Slot::Container, request.container),
    ];
    let others = others
        .into_iter()
        .filter_map(|(slot, fd)| Some((slot, fd?)));
    for (slot, descriptor) in streams.chain(others) {
        let copy = high(descriptor)?;
        slots.set(slot, copy.as_raw_fd());
        kept.push(copy);
    }
    let version_2 = match request.cgroup {
        Some((cgroup, _)) => cgroup.make_version_2()?,
        None => None,
    };
    let into = version_2
        .as_ref()
        .map(|fd| fd.as_fd())
        .or(request.join_cgroup);
    let arguments = ExecArray::new(&plan.arguments);
    let environment = ExecArray::new(&plan.environment);
    let fork = process::clone3(plan.namespaces, request.parentage, into);
    let (pid, pidfd) = match fork.map_err(|errno| refused(errno, plan))? {
        Fork::Child => {
            // With its own copy of our side the child would never learn that we are gone. Closing
            // is one system call, no more.
            drop(ours);
            child::run(plan, slots, &arguments, &environment)
        }
        Fork::Parent { pid, pidfd } => (pid, pidfd),
    };
    drop(kept);
    let program = plan
        .arguments
        .first()
        .map(|name| name.to_string_lossy().into_owned());
    let mut created = Created {
        pid,
        pidfd,
        terminal: None,
        warnings: Vec::new(),
        program: program.unwrap_or_default(),
        report: ours,
    };
    match prepare(request, &mut created) {
        Ok(()) => Ok(created),
        Err(error) => {
            created.abandon(request.parentage);
            Err(error)
        }
    }
}

/// Makes the cgroups and waits until the child is ready.
fn prepare(request: &Launch<'_>, created: &mut Created) -> Result<()> {
    if !request.plan.uid_map.is_empty() {
        write_id_maps(created.pid, request.plan)?;
        send_byte(created.report.as_fd(), sync::MAPPED)?;
    }
    if let Some((cgroup, resources)) = request.cgroup {
        cgroup.make_version_1()?;
        let joins = |operation: &Operation| matches!(operation, Operation::JoinCgroups { .. });
        if !request.plan.operations.iter().any(joins) {
            cgroup.add_to_version_1(created.pid)?;
        }
        created.warnings = cgroup.apply(resources)?;
    }
    if request.plan.operations.contains(&Operation::AwaitCgroups) {
        send_byte(created.report.as_fd(), sync::CGROUP)?;
    }
    created.await_ready(request.plan)
}

impl Created {
    fn await_ready(&mut self, plan: &Plan) -> Result<()> {
        loop {
            match sync::receive(self.report.as_fd()).context(|| "read the container's report")? {
                Some(record) if record.code == sync::READY => return Ok(()),
                Some(record) if record.code == sync::TERMINAL => {
                    self.terminal = record.descriptor;
                }
                Some(record) => return Err(words(plan, record.code, record.errno)),
                None => {
                    return Err(Error::new(
                        Kind::System,
                        "the container's first process died early",
                    )
                    .hint("it may have been killed for lack of memory"));
                }
            }
        }
    }

    /// Lets the program run and waits until it does.
    ///
    /// # Errors
    /// `CommandNotFound`, `CommandNotExecutable` when it cannot be run.
    pub fn start(&self) -> Result<()> {
        start_through(self.report.as_fd(), &self.program)
    }

    /// Ends it before its program runs.
    pub fn abandon(&self, parentage: Parentage) {
        // It may be gone already.
        let _ = rustix::process::pidfd_send_signal(&self.pidfd, Signal::KILL);
        if parentage == Parentage::Caller {
            let flags = rustix::process::WaitIdOptions::EXITED;
            let id = rustix::process::WaitId::PidFd(self.pidfd.as_fd());
            // Nothing to do about a child that somebody else reaped.
            let _ = rustix::process::waitid(id, flags);
        }
    }
}

/// Says go on this socket and reads whether the program could be run.
pub fn start_through(report: BorrowedFd<'_>, program: &str) -> Result<()> {
    send_byte(report, sync::GO)?;
    match sync::receive(report).context(|| "read the container's report")? {
        None => Ok(()),
        Some(record) => Err(program_words(
            program,
            Errno::from_raw_os_error(record.errno),
        )),
    }
}

fn send_byte(report: BorrowedFd<'_>, byte: u8) -> Result<()> {
    match rustix::net::send(report, &[byte], rustix::net::SendFlags::NOSIGNAL) {
        // The child is gone; its last record says why.
        Err(Errno::PIPE | Errno::CONNRESET) | Ok(_) => Ok(()),
        Err(errno) => Err(errno).context(|| "write to the container's first process"),
    }
}

fn report_pair() -> Result<(OwnedFd, OwnedFd)> {
    let (domain, kind) = (AddressFamily::UNIX, SocketType::SEQPACKET);
    let pair = rustix::net::socketpair(domain, kind, SocketFlags::CLOEXEC, None);
    pair.context(|| "make the report socket")
}

fn high(descriptor: BorrowedFd<'_>) -> Result<OwnedFd> {
    rustix::io::fcntl_dupfd_cloexec(descriptor, FIRST_FREE).context(|| "duplicate a descriptor")
}

fn refused(errno: Errno, plan: &Plan) -> Error {
    let error = Error::from(errno).wrap(format!("make namespaces {:#x}", plan.namespaces));
    match errno {
        Errno::NOSPC => {
            error.hint("raise the limits in /proc/sys/user, e.g. user.max_net_namespaces")
        }
        Errno::AGAIN => error.hint("the process limit of this user or cgroup is reached"),
        Errno::NOSYS => error.hint("hull needs Linux 5.12 or newer"),
        _ => error,
    }
}

/// Writes the maps of a user namespace that the spec asks for.
fn write_id_maps(pid: Pid, plan: &Plan) -> Result<()> {
    let text = |map: &[(u32, u32, u32)]| {
        map.iter()
            .map(|(a, b, c)| format!("{a} {b} {c}\n"))
            .collect::<String>()
    };
    let process = format!("/proc/{}", pid.as_raw_nonzero());
    if !host_may_map_groups() {
        let file = format!("{process}/setgroups");
        std::fs::write(&file, "deny").context(|| format!("write {file}"))?;
    }
    for (file, map) in [("uid_map", &plan.uid_map), ("gid_map", &plan.gid_map)] {
        let file = format!("{process}/{file}");
        std::fs::write(&file, text(map)).context(|| format!("write {file}"))?;
    }
    Ok(())
}

/// Without CAP_SETGID in the parent namespace a gid map needs setgroups(2) denied first.
fn host_may_map_groups() -> bool {
    const SETGID: u64 = 1 << 6;
    let sets = rustix::thread::capabilities(None);
    sets.is_ok_and(|sets| sets.effective.bits() & SETGID != 0)
}

/// The words for a record that says failure.
fn words(plan: &Plan, code: u32, errno: i32) -> Error {
    let errno = Errno::from_raw_os_error(errno);
    let name = plan
        .arguments
        .first()
        .map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    if code == sync::PROGRAM {
        return program_words(&name, errno);
    }
    let Some(operation) = plan.operations.get(code as usize) else {
        return Error::new(
            Kind::System,
            format!("the container reported an unknown step {code}"),
        );
    };
    match operation {
        Operation::FindProgram { name, .. } => search_words(name, errno),
        Operation::Mount(mount) if errno == Errno::NOTDIR => {
            let target = mount.target.path.to_string_lossy();
            let text = format!("/{target} of the image must be mounted on ordinary directory");
            Error::corrupt(text).with_kind(Kind::Invalid)
        }
        Operation::WorkingDirectory { path, .. } if errno == Errno::LOOP => Error::invalid(
            format!("working directory {path:?} leads out of the container"),
        ),
        // The program cannot be run there: Docker's code for that is 126.
        Operation::WorkingDirectory { make: false, .. }
            if matches!(errno, Errno::NOENT | Errno::NOTDIR) =>
        {
            let error = Error::from(errno).wrap(operation.to_string());
            error.with_kind(Kind::CommandNotExecutable)
        }
        Operation::BecomeUser(_) if errno == Errno::INVAL => Error::from(errno)
            .wrap(operation.to_string())
            .hint("this id is not mapped: add a range to /etc/subuid and /etc/subgid"),
        other => Error::from(errno).wrap(other.to_string()),
    }
}

fn search_words(name: &str, errno: Errno) -> Error {
    match errno {
        Errno::NOENT if !name.contains('/') => Error::new(
            Kind::CommandNotFound,
            format!("exec: {name:?}: executable file not found in $PATH"),
        ),
        Errno::NOENT => Error::new(
            Kind::CommandNotFound,
            format!("exec: {name:?}: stat {name}: no such file or directory"),
        ),
        Errno::ACCESS => Error::new(
            Kind::CommandNotExecutable,
            format!("exec: {name:?}: permission denied"),
        ),
        other => Error::from(other).wrap(format!("exec: {name:?}")),
    }
}

fn program_words(name: &str, errno: Errno) -> Error {
    let (kind, why, hint) = match errno {
        Errno::NOENT => (
            Kind::CommandNotFound,
            "no such file or directory",
            "its interpreter or dynamic loader is missing in the image",
        ),
        Errno::ACCESS => (
            Kind::CommandNotExecutable,
            "permission denied",
            "check its mode",
        ),
        Errno::NOEXEC => (
            Kind::CommandNotExecutable,
            "exec format error",
            "the image is for another processor, or the script lacks its #! line",
        ),
        other => {
            return Error::from(other)
                .with_kind(Kind::CommandNotExecutable)
                .wrap(format!("exec {name:?}"));
        }
    };
    Error::new(kind, format!("exec {name:?}: {why}")).hint(hint)
}
