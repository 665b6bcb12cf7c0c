//! The OCI lifecycle over a bundle directory: create, start, state, kill, delete.
//!
//! One directory per container below the runtime root: `state.json` and, until the container was
//! started, the socket `gate` on which its first process waits. Liveness is asked of the kernel
//! (process id plus start time), never remembered.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use oci_spec::runtime::{Mount, Spec};
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use rustix::process::{Pid, PidfdFlags, Signal};
use serde::{Deserialize, Serialize};

use super::cgroup::{Cgroup, Hierarchies};
use super::launch::{Created, Launch, host, launch, start_through};
use super::plan::{self, Extras};
use super::process::start_ticks;
use crate::base::Timestamp;
use crate::error::{Context as _, Error, Result};
use crate::sys::process::Parentage;
use crate::sys::signal;

/// What the runtime spec calls the container's state, as stored and printed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    pub oci_version: String,
    pub id: String,
    /// `created`, `running` or `stopped`; derived on every read.
    #[serde(default)]
    pub status: String,
    #[serde(default)]
    pub pid: i32,
    pub bundle: PathBuf,
    /// The root file system's directory.
    pub rootfs: PathBuf,
    pub created: Timestamp,
    #[serde(default, skip_serializing_if = "HashMap::is_empty")]
    pub annotations: HashMap<String, String>,
    /// Start time of the first process in clock ticks since boot, so that a reused id is noticed.
    #[serde(default)]
    pub start_ticks: u64,
    /// Path of the cgroup below each hierarchy's root.
    #[serde(default)]
    pub cgroup: PathBuf,
}

/// How to create a container.
#[derive(Debug, Default)]
pub struct CreateOptions {
    pub bundle: PathBuf,
    /// A listening socket that is sent the terminal.
    pub console_socket: Option<PathBuf>,
    /// Where to write the first process's id.
    pub pid_file: Option<PathBuf>,
    /// Leave the first process in our session keyring.
    pub keep_keyring: bool,
}

/// Who gets a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receivers {
    /// The container's first process.
    First,
    /// Every process in the container's cgroup.
    All,
}

/// What `run` does once the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    No,
    ForEnd,
}

/// Containers of one runtime root.
#[derive(Debug)]
pub struct Containers {
    root: PathBuf,
}

impl Containers {
    /// The containers below this directory, made if missing.
    pub fn at(root: &Path) -> Result<Containers> {
        use std::os::unix::fs::DirBuilderExt as _;
        let mut builder = fs::DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(root);
        made.context(|| format!("make runtime root {}", root.display()))?;
        Ok(Containers {
            root: root.to_owned(),
        })
    }

    /// Makes the container and leaves its first process before the program.
    pub fn create(&self, id: &str, options: &CreateOptions) -> Result<State> {
        let (state, created) = self.create_process(id, options)?;
        // The process goes on without us: whoever starts it speaks through the gate.
        drop(created);
        Ok(state)
    }

    fn create_process(&self, id: &str, options: &CreateOptions) -> Result<(State, Created)> {
        let spec = read_spec(&options.bundle)?;
        let directory = self.directory(id)?;
        let made = fs::create_dir(&directory);
        if made
            .as_ref()
            .is_err_and(|error| error.kind() == std::io::ErrorKind::AlreadyExists)
        {
            return Err(Error::conflict(format!("container with id {id:?} exists"))
                .hint("delete it first or choose another id"));
        }
        made.context(|| format!("make {}", directory.display()))?;
        let result = launch_gated(id, &spec, options, &directory);
        if result.is_err() {
            // The first error is the one to tell.
            let _ = fs::remove_dir_all(&directory);
        }
        result
    }

    /// Runs the program of a created container.
    pub fn start(&self, id: &str) -> Result<()> {
        let state = self.state(id)?;
        if state.status != "created" {
            let text = format!("cannot start container {id:?}: it is {}", state.status);
            return Err(Error::conflict(text));
        }
        let spec = read_spec(&state.bundle)?;
        let program = spec
            .process()
            .as_ref()
            .and_then(|process| process.args().as_ref()?.first().cloned());
        let directory = self.directory(id)?;
        let socket = connect_gate(&directory).context(|| format!("start container {id:?}"))?;
        // Nobody may start it twice.
        let gate = directory.join("gate");
        fs::remove_file(&gate).context(|| format!("remove {}", gate.display()))?;
        start_through(socket.as_fd(), &program.unwrap_or_default())
    }

    /// The container's state as of now.
    pub fn state(&self, id: &str) -> Result<State> {
        let file = self.directory(id)?.join("state.json");
        let text = match fs::read(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::not_found(format!("container {id:?} does not exist")));
            }
            other => other.context(|| format!("read {}", file.display()))?,
        };
        let mut state: State =
            serde_json::from_slice(&text).context(|| format!("read {}", file.display()))?;
        let alive = state.pidfd().is_some();
        let waiting = self.directory(id)?.join("gate").exists();
        state.status = match (alive, waiting) {
            (true, true) => "created",
            (true, false) => "running",
            (false, _) => "stopped",
        }
        .to_owned();
        if !alive {
            state.pid = 0;
        }
        Ok(state)
    }

    /// Every container here, broken ones left out.
    pub fn list(&self) -> Result<Vec<State>> {
        let entries = fs::read_dir(&self.root);
        let entries = entries.context(|| format!("read {}", self.root.display()))?;
        let names = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok());
        let mut states: Vec<State> = names.filter_map(|name| self.state(&name).ok()).collect();
        states.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(states)
    }

    /// Sends a signal. With nobody left to receive it, that is an error for `First` only.
    pub fn kill(&self, id: &str, number: i32, receivers: Receivers) -> Result<()> {
        let state = self.state(id)?;
        let subject = || format!("send a signal to container {id:?}");
        if receivers == Receivers::All {
            let cgroup = state.cgroup()?;
            if number == libc::SIGKILL {
                return cgroup.kill_all(Duration::from_secs(10));
            }
            return cgroup.signal_all(number).context(subject);
        }
        let pidfd = state.pidfd().ok_or_else(|| {
            Error::conflict(format!(
                "cannot kill container {id:?}: container not running"
            ))
        })?;
        signal::send(pidfd.as_fd(), number).context(subject)
    }

    /// Removes a stopped container; with `force` kills it first. Gone is success with `force`.
    pub fn delete(&self, id: &str, force: bool) -> Result<()> {
        let state = match self.state(id) {
            Err(error) if force && error.kind() == crate::error::Kind::NotFound => return Ok(()),
            other => other?,
        };
        if state.status == "running" && !force {
            let text = format!("cannot delete container {id:?}: it is running");
            return Err(Error::conflict(text).hint("kill it first or use --force"));
        }
        if let Some(pidfd) = state.pidfd() {
            // It may end by itself first.
            let _ = rustix::process::pidfd_send_signal(&pidfd, Signal::KILL);
            super::process::await_end(pidfd.as_fd(), Duration::from_secs(10))?;
        }
        let cgroup = state.cgroup()?;
        cgroup.kill_all(Duration::from_secs(10))?;
        cgroup.remove()?;
        let directory = self.directory(id)?;
        fs::remove_dir_all(&directory).context(|| format!("remove {}", directory.display()))
    }

    /// Creates, starts and waits, passing on the signals that ask to end; the result is the
    /// program's exit code, 128 plus the number for a signal.
    pub fn run(&self, id: &str, options: &CreateOptions, wait: Wait) -> Result<u8> {
        // Should: before the container exists, or a signal would end us and leave it.
        let signals = match wait {
            Wait::No => None,
            Wait::ForEnd => Some(signal::block_and_watch().context(|| "watch for signals")?),
        };
        let (_, created) = self.create_process(id, options)?;
        if let Err(error) = self.start(id) {
            self.delete(id, true)?;
            return Err(error);
        }
        let Some(signals) = signals else { return Ok(0) };
        super::process::pass_signals_until_end(signals.as_fd(), created.pidfd.as_fd())?;
        let code = super::process::wait_code(created.pidfd.as_fd())?;
        self.delete(id, true)?;
        Ok(code)
    }

    fn directory(&self, id: &str) -> Result<PathBuf> {
        let shape = |b: u8| b.is_ascii_alphanumeric() || b"_+-.".contains(&b);
        let good = !id.is_empty() && id.len() <= 1024 && id.bytes().all(shape);
        if !good || id == "." || id == ".." {
            return Err(Error::invalid(format!("invalid container id {id:?}"))
                .hint("use letters, digits and _+-."));
        }
        Ok(self.root.join(id))
    }
}

impl State {
    /// The first process, if it is still the one that we made.
    pub fn pidfd(&self) -> Option<OwnedFd> {
        let pid = Pid::from_raw(self.pid)?;
        let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok()?;
        // Should: after opening, so that the id cannot be reused in between.
        let (ticks, dead) = start_ticks(self.pid).ok()?;
        (ticks == self.start_ticks && !dead).then_some(pidfd)
    }

    /// The container's cgroups.
    pub fn cgroup(&self) -> Result<Cgroup> {
        Cgroup::at(&Hierarchies::detect()?, &self.cgroup)
    }
}

fn launch_gated(
    id: &str,
    spec: &Spec,
    options: &CreateOptions,
    directory: &Path,
) -> Result<(State, Created)> {
    refuse_unsupported(spec)?;
    let linux = spec.linux().clone().unwrap_or_default();
    let path = cgroup_path(id, linux.cgroups_path().as_deref());
    let cgroup = Cgroup::at(&Hierarchies::detect()?, &path)?;
    let mut extras = extras_for(spec)?;
    extras.keep_keyring = options.keep_keyring;
    if !plan::has_user_namespace(spec) {
        // Inside one the child may not open them; the launcher puts it there.
        extras.cgroup_files = cgroup.member_files();
    }
    extras.cgroup_hierarchies = cgroup.hierarchies();
    let mut spec = absolute_root(spec, &options.bundle);
    if cgroup.is_none() {
        // There is nothing of its own to show; what /sys brings along stays.
        let cgroup = |mount: &Mount| mount.typ().as_deref() == Some("cgroup");
        let mounts = spec.mounts_mut().iter_mut();
        mounts.for_each(|mounts| mounts.retain(|mount| !cgroup(mount)));
    }
    // On top of itself: where root of a user namespace can reach the root, it can attach it.
    extras.attach_at = plan::c_string(&rootfs_of(&spec))?;
    let plan = plan::build(&spec, &host(), extras)?;
    let gate = bind_gate(directory)?;
    let resources = linux.resources().clone().unwrap_or_default();
    let created = launch(&Launch {
        plan: &plan,
        root_mount: None,
        shared_memory: None,
        streams: [
            rustix::stdio::stdin(),
            rustix::stdio::stdout(),
            rustix::stdio::stderr(),
        ],
        parentage: Parentage::Caller,
        cgroup: Some((&cgroup, &resources)),
        gate: Some(gate.as_fd()),
        container: None,
        join_cgroup: None,
    })?;
    let pid = created.pid.as_raw_nonzero().get();
    let state = State {
        oci_version: spec.version().clone(),
        id: id.to_owned(),
        status: "created".to_owned(),
        pid,
        bundle: fs::canonicalize(&options.bundle).unwrap_or(options.bundle.clone()),
        rootfs: rootfs_of(&spec),
        created: Timestamp::now(),
        annotations: spec.annotations().clone().unwrap_or_default(),
        start_ticks: start_ticks(pid)?.0,
        cgroup: path,
    };
    let published = publish(&state, &created, options, directory);
    if let Err(error) = published {
        // Nothing may be left of a container that nobody will know of.
        let _ = rustix::process::pidfd_send_signal(&created.pidfd, Signal::KILL);
        let _ = cgroup.kill_all(Duration::from_secs(5));
        let _ = cgroup.remove();
        return Err(error);
    }
    Ok((state, created))
}

/// Writes the state, then hands out terminal and id: whoever sees those may ask for the state.
fn publish(
    state: &State,
    created: &Created,
    options: &CreateOptions,
    directory: &Path,
) -> Result<()> {
    let file = directory.join("state.json");
    let temporary = directory.join("state.json.new");
    let bytes = serde_json::to_vec(state).context(|| "encode the state")?;
    fs::write(&temporary, bytes).context(|| format!("write {}", temporary.display()))?;
    fs::rename(&temporary, &file).context(|| format!("write {}", file.display()))?;
    if let Some(terminal) = &created.terminal {
        let socket = options.console_socket.as_ref().ok_or_else(|| {
            Error::invalid("process.terminal is true, but there is no console socket")
                .hint("use --console-socket or set process.terminal to false")
        })?;
        send_terminal(socket, terminal.as_fd())?;
    }
    if let Some(file) = &options.pid_file {
        let write = fs::File::create(file).and_then(|mut f| write!(f, "{}", state.pid));
        write.context(|| format!("write pid file {}", file.display()))?;
    }
    Ok(())
}

/// Reads `config.json`.
pub fn read_spec(bundle: &Path) -> Result<Spec> {
    let file = bundle.join("config.json");
    let bytes = fs::read(&file).context(|| format!("read {}", file.display()))?;
    serde_json::from_slice(&bytes).context(|| format!("read {}", file.display()))
}

/// Refuses what we would otherwise silently leave out.
fn refuse_unsupported(spec: &Spec) -> Result<()> {
    let linux = spec.linux().clone().unwrap_or_default();
    let hooks = spec.hooks().as_ref().is_some_and(|hooks| {
        [
            hooks.prestart(),
            hooks.create_runtime(),
            hooks.create_container(),
            hooks.start_container(),
            hooks.poststart(),
            hooks.poststop(),
        ]
        .iter()
        .any(|list| list.as_ref().is_some_and(|list| !list.is_empty()))
    });
    let refused = [
        (hooks, "hooks"),
        (linux.intel_rdt().is_some(), "linux.intelRdt"),
        (linux.personality().is_some(), "linux.personality"),
        (
            linux.time_offsets().as_ref().is_some_and(|t| !t.is_empty()),
            "linux.timeOffsets",
        ),
    ];
    match refused.into_iter().find(|(present, _)| *present) {
        Some((_, field)) => Err(Error::unsupported(format!("{field} is not supported"))),
        None => Ok(()),
    }
}

fn extras_for(spec: &Spec) -> Result<Extras> {
    let filter = match spec
        .linux()
        .as_ref()
        .and_then(|linux| linux.seccomp().as_ref())
    {
        Some(seccomp) => super::seccomp::compile(seccomp)?,
        None => Vec::new(),
    };
    Ok(Extras {
        gate: true,
        filter,
        ..Extras::default()
    })
}

fn rootfs_of(spec: &Spec) -> PathBuf {
    let root = spec.root().as_ref();
    let path = root.map(|root| root.path().clone()).unwrap_or_default();
    fs::canonicalize(&path).unwrap_or(path)
}

fn absolute_root(spec: &Spec, bundle: &Path) -> Spec {
    let mut spec = spec.clone();
    if let Some(root) = spec.root_mut() {
        let path = bundle.join(root.path());
        root.set_path(path);
    }
    spec
}

/// The cgroup's path: the spec's, with systemd's `slice:prefix:name` written out, or ours.
fn cgroup_path(id: &str, wanted: Option<&Path>) -> PathBuf {
    let Some(wanted) = wanted.filter(|path| !path.as_os_str().is_empty()) else {
        return Path::new("hull").join(id);
    };
    let text = wanted.to_string_lossy();
    match text.split(':').collect::<Vec<_>>()[..] {
        [slice, prefix, name] => {
            let slice = if slice.is_empty() {
                "system.slice"
            } else {
                slice
            };
            Path::new(slice).join(format!("{prefix}-{name}.scope"))
        }
        _ => wanted.to_owned(),
    }
}

fn gate_address(directory: &OwnedFd) -> Result<SocketAddrUnix> {
    // Through the directory's descriptor: an address holds 108 bytes only, unix(7).
    let path = format!("/proc/self/fd/{}/gate", directory.as_raw_fd());
    SocketAddrUnix::new(path).context(|| "name the start socket")
}

fn open_directory(path: &Path) -> Result<OwnedFd> {
    use rustix::fs::{CWD, Mode, OFlags};
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(CWD, path, flags, Mode::empty());
    opened.context(|| format!("open {}", path.display()))
}

fn bind_gate(directory: &Path) -> Result<OwnedFd> {
    let (domain, kind) = (AddressFamily::UNIX, SocketType::SEQPACKET);
    let socket = rustix::net::socket_with(domain, kind, SocketFlags::CLOEXEC, None)
        .context(|| "make the start socket")?;
    let opened = open_directory(directory)?;
    rustix::net::bind(&socket, &gate_address(&opened)?).context(|| "bind the start socket")?;
    rustix::net::listen(&socket, 1).context(|| "listen on the start socket")?;
    Ok(socket)
}

fn connect_gate(directory: &Path) -> Result<OwnedFd> {
    let (domain, kind) = (AddressFamily::UNIX, SocketType::SEQPACKET);
    let socket = rustix::net::socket_with(domain, kind, SocketFlags::CLOEXEC, None)
        .context(|| "make the start socket")?;
    let opened = open_directory(directory)?;
    rustix::net::connect(&socket, &gate_address(&opened)?).context(|| "connect")?;
    Ok(socket)
}

/// Sends the terminal to a console socket, as runc does: one descriptor with the pty's name.
fn send_terminal(path: &Path, terminal: BorrowedFd<'_>) -> Result<()> {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage};
    let (domain, kind) = (AddressFamily::UNIX, SocketType::STREAM);
    let subject = || format!("send the terminal to {}", path.display());
    let socket = rustix::net::socket_with(domain, kind, SocketFlags::CLOEXEC, None);
    let socket = socket.context(subject)?;
    let address = SocketAddrUnix::new(path).context(subject)?;
    rustix::net::connect(&socket, &address).context(subject)?;
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [terminal];
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    let data = [std::io::IoSlice::new(b"/dev/ptmx")];
    rustix::net::sendmsg(&socket, &data, &mut control, SendFlags::NOSIGNAL).context(subject)?;
    Ok(())
}
