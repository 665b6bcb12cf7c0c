//! `exec`: one more process in a running container. No monitor, no record: the command itself
//! joins, relays and waits.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::Pid;
use rustix::termios::Winsize;

use super::between::Between;
use super::relay::{DetachKeys, RawMode, terminal_size, write_all};
use super::to_spec;
use crate::base::{ContainerId, Name};
use crate::config::Settings;
use crate::error::{Context as _, Error, Kind, Result};
use crate::rootfs::{User, resolve_user};
use crate::runtime::cgroup::Cgroup;
use crate::runtime::join::{Join, Joined, join};
use crate::runtime::plan::Extras;
use crate::runtime::process::{await_end, wait_code};
use crate::state::{Config, Live, Records, Status};

/// What to run.
#[derive(Debug, Clone, Default)]
pub struct ExecRequest {
    pub words: Vec<String>,
    pub env: Vec<String>,
    pub user: Option<String>,
    pub working_dir: Option<String>,
    pub terminal: bool,
    pub stdin: bool,
    pub detached: bool,
    pub privileged: bool,
    pub detach_keys: Vec<u8>,
}

/// Runs a program in a container and returns its exit code; 0 at once when detached.
///
/// # Errors
/// `Conflict` in Docker's words if the container does not run or is paused.
pub fn exec(
    settings: &Settings,
    id: &ContainerId,
    name: &str,
    request: &ExecRequest,
) -> Result<u8> {
    let records = super::records(settings);
    super::reconcile(settings, id)?;
    let meanwhile = |error| unless_ended(&records, id, error);
    let target = Target::find(&records, id, name, request).map_err(meanwhile)?;
    let between = match request.terminal || request.detached {
        true => Between::default(),
        false => Between::new(request.stdin)?,
    };
    let joined = target.join(between.streams(), request);
    let joined = joined.and_then(|joined| joined.start().map(|()| joined));
    let joined = joined.map_err(meanwhile)?;
    let noted = Noted {
        records: &records,
        config: &target.config,
        name: &target.name,
        exec_id: ContainerId::from_bytes(super::create::random_bytes::<32>()?).to_string(),
    };
    noted.start(&request.words);
    if request.detached {
        return Ok(0);
    }
    let code = match &joined.created.terminal {
        Some(terminal) => relay_terminal(terminal, &joined, request),
        None => between.relay(joined.created.pidfd.as_fd()),
    }?;
    noted.end(code);
    Ok(code)
}

/// Runs a program in a container, with its output going to `output`, and returns its exit code.
/// For a child of the container's monitor.
pub(super) fn probe(
    records: &Records,
    id: &ContainerId,
    words: Vec<String>,
    output: &OwnedFd,
) -> Result<u8> {
    let request = ExecRequest {
        words,
        ..ExecRequest::default()
    };
    let target = Target::find(records, id, &id.to_string(), &request)?;
    let joined = target.join([output.as_fd(); 3], &request)?;
    joined.start()?;
    wait_code(joined.created.pidfd.as_fd())
}

/// How long the first process of a container takes to end after those it takes along.
const ENDING: Duration = Duration::from_millis(200);

/// The error that joining a container met; if the container has ended meanwhile, that one.
fn unless_ended(records: &Records, id: &ContainerId, error: Error) -> Error {
    let of_program = [
        Kind::CommandNotFound,
        Kind::CommandNotExecutable,
        Kind::Conflict,
        Kind::Invalid,
    ];
    if of_program.contains(&error.kind()) {
        return error;
    }
    let container = records.record(id).ok().and_then(|record| record.live);
    let container = container.and_then(|live| live.pidfd());
    match container {
        Some(container) if await_end(container.as_fd(), ENDING).is_err() => error,
        _ => Error::conflict(format!("Container {id} is not running")),
    }
}

/// A running container and the user a program gets in it.
struct Target {
    live: Live,
    container: OwnedFd,
    config: Config,
    name: Name,
    user: User,
    cgroup: Cgroup,
}

impl Target {
    fn find(
        records: &Records,
        id: &ContainerId,
        name: &str,
        request: &ExecRequest,
    ) -> Result<Target> {
        let record = records.record(id)?;
        match record.state.status {
            Status::Paused => {
                return Err(Error::conflict(format!(
                    "Container {name} is paused, unpause the container before exec"
                )));
            }
            Status::Restarting => {
                return Err(Error::conflict(format!(
                    "Container {id} is restarting, wait until the container is running"
                )));
            }
            _ => {}
        }
        let not_running = || Error::conflict(format!("Container {id} is not running"));
        let live = record.live.ok_or_else(not_running)?;
        let container = live.pidfd().ok_or_else(not_running)?;
        let config = exec_config(records.config(id)?, request)?;
        let root = container_root(&live)?;
        // Docker's code for a program that cannot be run as asked: 126.
        let mut user = resolve_user(root.as_fd(), &config.process.user, &config.group_add)
            .map_err(|error| error.with_kind(Kind::CommandNotExecutable))?;
        user.keep_mapped_groups(crate::rootless::highest_gid(&live.pid.to_string())?);
        Ok(Target {
            container,
            user,
            name: record.state.name,
            cgroup: super::cgroup_of(records, id, Some(&live))?,
            config,
            live,
        })
    }

    fn join(&self, stdio: [BorrowedFd<'_>; 3], request: &ExecRequest) -> Result<Joined> {
        let (config, user) = (&self.config, &self.user);
        let process = to_spec::exec_process(config, user, &request.words, request.privileged)?;
        let capabilities = process.capabilities().as_ref();
        let bounding = capabilities
            .and_then(|sets| sets.bounding().clone())
            .unwrap_or_default();
        let extras = Extras {
            filter: to_spec::filter(config, &bounding)?,
            die_with_parent: !request.detached,
            ..Extras::default()
        };
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        let null = rustix::fs::openat(CWD, "/dev/null", flags, Mode::empty());
        let null = null.context(|| "open /dev/null")?;
        let streams = match (request.detached, request.stdin) {
            (true, _) => [null.as_fd(); 3],
            (false, true) => stdio,
            (false, false) => [null.as_fd(), stdio[1], stdio[2]],
        };
        let pid = Pid::from_raw(self.live.pid);
        join(Join {
            container: self.container.as_fd(),
            pid: pid.ok_or_else(|| Error::corrupt("the record has no process"))?,
            user_namespace: self.live.user_namespace,
            process: &process,
            streams,
            cgroup: (!self.cgroup.is_none()).then_some(&self.cgroup),
            extras,
        })
    }
}

/// What the event log is told of one exec.
struct Noted<'a> {
    records: &'a Records,
    config: &'a Config,
    name: &'a Name,
    exec_id: String,
}

impl Noted<'_> {
    fn start(&self, words: &[String]) {
        let words = words.join(" ");
        for action in ["exec_create", "exec_start"] {
            self.note(&format!("{action}: {words}"), &[]);
        }
    }

    fn end(&self, code: u8) {
        self.note("exec_die", &[("exitCode", &code.to_string())]);
    }

    fn note(&self, action: &str, more: &[(&str, &str)]) {
        let mut attributes = vec![("execID", self.exec_id.as_str())];
        attributes.extend(more);
        super::notice_of(self.records, self.config, self.name, action, &attributes);
    }
}

/// The container's record with the request's own user, directory, variables.
fn exec_config(mut config: Config, request: &ExecRequest) -> Result<Config> {
    let process = &mut config.process;
    process.terminal = request.terminal;
    if let Some(user) = &request.user {
        process.user.clone_from(user);
    }
    if let Some(directory) = &request.working_dir {
        if !directory.starts_with('/') {
            let why = format!("Cwd must be an absolute path: {directory}");
            return Err(Error::new(Kind::CommandNotExecutable, why));
        }
        process.working_dir.clone_from(directory);
    }
    for entry in &request.env {
        let name = entry.split('=').next().unwrap_or("");
        if name.is_empty() || entry.contains('\0') {
            return Err(Error::invalid(format!(
                "invalid environment variable: {entry}"
            )));
        }
        process
            .env
            .retain(|known| known.split('=').next() != Some(name));
        if entry.contains('=') {
            process.env.push(entry.clone());
        }
    }
    Ok(config)
}

fn container_root(live: &Live) -> Result<OwnedFd> {
    let path = format!("/proc/{}/root", live.pid);
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::openat(CWD, &path, flags, Mode::empty());
    root.context(|| "open the container's root")
}

/// Copies between our terminal and the process's until it ends.
fn relay_terminal(terminal: &OwnedFd, joined: &Joined, request: &ExecRequest) -> Result<u8> {
    let signals = crate::sys::signal::watch(&[libc::SIGWINCH]).context(|| "watch signals")?;
    let _raw = if request.stdin {
        RawMode::enter()
    } else {
        None
    };
    resize(terminal);
    let mut keys = DetachKeys::new(request.detach_keys.clone());
    let mut reading = request.stdin;
    let mut buffer = [0; 16 << 10];
    let pidfd = &joined.created.pidfd;
    loop {
        let stdin = rustix::stdio::stdin();
        let mut polled = vec![
            PollFd::new(pidfd, PollFlags::IN),
            PollFd::new(&signals, PollFlags::IN),
            PollFd::new(terminal, PollFlags::IN),
        ];
        if reading {
            polled.push(PollFd::new(&stdin, PollFlags::IN));
        }
        match poll(&mut polled, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno).context(|| "wait for the program"),
        }
        let ready: Vec<bool> = polled.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(polled);
        if ready[1] && crate::sys::signal::read(signals.as_fd()).is_some() {
            resize(terminal);
        }
        // The terminal before the end: what was written last is still to be read.
        let idle = !ready[2] || !copy_output(terminal, &mut buffer)?;
        if ready[0] && idle {
            return wait_code(pidfd.as_fd());
        }
        if ready.get(3) == Some(&true) {
            match rustix::io::read(stdin, &mut buffer) {
                Err(Errno::INTR | Errno::AGAIN) => {}
                Ok(0) | Err(_) => reading = false,
                Ok(count) => {
                    let (bytes, detach) = keys.filter(&buffer[..count]);
                    // A program that has just ended takes no input.
                    let _ = write_all(terminal.as_fd(), &bytes);
                    if detach {
                        return Ok(0);
                    }
                }
            }
        }
    }
}

/// Copies one buffer; `false` when nothing more comes.
fn copy_output(terminal: &OwnedFd, buffer: &mut [u8]) -> Result<bool> {
    match rustix::io::read(terminal, &mut *buffer) {
        Ok(count) if count > 0 => {
            write_all(rustix::stdio::stdout(), &buffer[..count])?;
            Ok(true)
        }
        // EIO: nobody has the other side open.
        _ => Ok(false),
    }
}

fn resize(terminal: &OwnedFd) {
    if let Some((rows, columns)) = terminal_size() {
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // Only a cosmetic loss.
        let _ = rustix::termios::tcsetwinsize(terminal, size);
    }
}
