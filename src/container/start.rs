//! `start`: forks the monitor, which brings the container up.
//!
//! The order matters for what a kill at any point leaves:
//! 1. The monitor takes `monitor.lock`: one start at a time, and the mark that it lives.
//! 2. The root is mounted detached, the child is forked and walks its plan; it dies with us.
//! 3. `run.json` is published, then the program is let go: never a process without a record.
//! 4. The client is told, the start is noted on disk, and the monitor executes itself anew.

use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::process::Signal;
use rustix::termios::Winsize;

use super::job::Job;
use super::keep::{Handover, hand_over};
use super::streams::{Streams, leave_streams};
use super::{access, files, limits, logging, notify, orphans, remove, stage};
use crate::base::{ContainerId, Ownership, Timestamp};
use crate::config::Settings;
use crate::error::{Context as _, Error, Kind, Result, Scope};
use crate::monitor::wire;
use crate::runtime::cgroup::{Cgroup, Hierarchies};
use crate::runtime::launch::Created;
use crate::runtime::process::start_ticks;
use crate::state::{Config, Event, Health, Live, Records, RunDirectory, boot_id};
use crate::sys::process::{Fork, Parentage, exit_now, fork};

/// What the caller wants of the started container.
#[derive(Debug, Clone, Copy)]
pub enum Foreground {
    /// Its output; the terminal's size, if there is one: rows, columns.
    Attached { size: Option<(u16, u16)> },
    /// Only that it runs.
    Detached,
}

/// Starts a container; with [`Foreground::Attached`] returns the connection to its monitor.
///
/// # Errors
/// `CommandNotFound` and `CommandNotExecutable` for the program; the container then stays as it
/// was, with the reason in its record, or is gone if it was to be removed.
pub fn start(
    settings: &Settings,
    id: &ContainerId,
    foreground: Foreground,
) -> Result<Option<OwnedFd>> {
    start_monitor(settings, id, foreground).inspect_err(|_| {
        let config = super::records(settings).config(id);
        if config.is_ok_and(|config| config.auto_remove) {
            // The monitor did it, if it came so far; one that runs by another command stays.
            let _ = remove::remove(settings, id, remove::Force::No);
        }
    })
}

fn start_monitor(
    settings: &Settings,
    id: &ContainerId,
    foreground: Foreground,
) -> Result<Option<OwnedFd>> {
    super::reconcile(settings, id)?;
    let (ours, theirs) = wire::pair()?;
    match fork().context(|| "fork the monitor")? {
        Fork::Child => {
            drop(ours);
            monitor(settings, id, theirs, foreground)
        }
        Fork::Parent { .. } => drop(theirs),
    }
    let mut buffer = [0; wire::MOST_BYTES + 1];
    let flags = rustix::net::RecvFlags::empty();
    match wire::receive(ours.as_fd(), &mut buffer, flags).context(|| "hear from the monitor")? {
        Some((wire::STARTED, warnings)) => {
            // The check before a start knows the hierarchies; only the kernel knows the rest.
            let warnings: Vec<String> = serde_json::from_slice(warnings).unwrap_or_default();
            for warning in warnings {
                log::warn!("a limit is not enforced: {warning}");
            }
            match foreground {
                Foreground::Attached { .. } => Ok(Some(ours)),
                Foreground::Detached => Ok(None),
            }
        }
        Some((wire::FAILED, carried)) => Err(Error::from_carried(carried)),
        _ => Err(Error::new(
            Kind::System,
            format!("the monitor of container {id} was killed"),
        )),
    }
}

/// The monitor's life until it executes itself anew. Never returns to the command's code.
fn monitor(settings: &Settings, id: &ContainerId, client: OwnedFd, foreground: Foreground) -> ! {
    let records = super::records(settings);
    let result = leave_caller().and_then(|()| bring_up(settings, &records, id, foreground));
    match result {
        Ok(mut handover) => {
            let mut first_client = None;
            let started = &handover.risen.live_state;
            if matches!(foreground, Foreground::Attached { .. }) {
                super::notice(&records, id, "attach", &[]);
            }
            super::notice(&records, id, "start", &[]);
            // The client may be gone: the container lives on without it.
            let warnings = serde_json::to_vec(&handover.risen.warnings).unwrap_or_default();
            let _ = wire::send(client.as_fd(), wire::STARTED, &warnings);
            if matches!(foreground, Foreground::Attached { .. }) {
                first_client = Some(client);
            }
            note_start(&records, started, StartedBy::User);
            handover.first_client = first_client;
            hand_over(settings, handover)
        }
        Err(error) => {
            let _ = wire::send(client.as_fd(), wire::FAILED, &error.to_carried());
            exit_now(1)
        }
    }
}

/// Lets go of the caller's terminal, directory and descriptors.
fn leave_caller() -> Result<()> {
    crate::sys::descriptor::close_on_exec_from(3).context(|| "mark descriptors")?;
    rustix::process::setsid().context(|| "start a session")?;
    rustix::process::chdir("/").context(|| "change to /")?;
    // What is made for the container has the modes we say, whatever the caller's mask.
    rustix::process::umask(Mode::from_raw_mode(0o022));
    Ok(())
}

/// What of a started container is noted on disk.
#[derive(Debug, Clone)]
pub(super) struct LiveState {
    pub id: ContainerId,
    pub started: Timestamp,
    pub auto_remove: bool,
}

/// Who started a container this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StartedBy {
    User,
    RestartPolicy,
}

/// Notes the start, so that a reboot shows the container as exited. One that is removed at its end
/// needs no note.
pub(super) fn note_start(records: &Records, state: &LiveState, by: StartedBy) {
    if state.auto_remove {
        return;
    }
    let noted = records.apply(&state.id, Event::Started, |stored| {
        stored.started = Some(state.started);
        stored.error.clear();
        stored.exit_code = 0;
        stored.oom_killed = false;
        stored.stopped_by_user = false;
        if by == StartedBy::User {
            stored.restart_count = 0;
        }
    });
    if let Err(error) = noted {
        // The container runs and its live record says so; only a reboot would show it wrongly.
        log::warn!("{error}");
    }
}

/// What a monitor has for as long as it lives, however often its container is started.
#[derive(Debug)]
pub(super) struct Post {
    pub lock: OwnedFd,
    /// Where clients connect.
    pub listener: OwnedFd,
    /// Signals sent to the monitor itself, as a signalfd.
    pub signals: OwnedFd,
}

fn bring_up(
    settings: &Settings,
    records: &Records,
    id: &ContainerId,
    foreground: Foreground,
) -> Result<Handover> {
    if !records.exists(id) {
        return Err(Error::not_found(format!("No such container: {id}")));
    }
    let run = records.run_directory(id);
    access::await_writer(&run);
    let Some(lock) = run.lock()? else {
        return Err(Error::conflict(format!(
            "container {id} is already running"
        )));
    };
    // Should: under the lock. An update that finds it held waits, and changes what runs.
    let config = match records.config(id) {
        Ok(config) => config,
        Err(error) => {
            // The lock's file is all there is.
            run.remove()?;
            return Err(error);
        }
    };
    let lock = OwnedFd::from(lock);
    let risen = run.forget_stop_request().and_then(|()| {
        leave_streams(&config)?;
        let signals = crate::sys::signal::block_and_watch().context(|| "watch signals")?;
        let listener = wire::listen(run.path())?;
        let notify = notify::service_manager(&config);
        let risen = raise(settings, records, &config, foreground, notify.as_deref())?;
        Ok((risen, listener, signals, notify))
    });
    match risen {
        Ok((risen, listener, signals, notify)) => Ok(Handover {
            config,
            post: Post {
                lock,
                listener,
                signals,
            },
            risen,
            first_client: None,
            pause: Duration::ZERO,
            notify,
        }),
        Err(error) => {
            give_back(records, &config, &error);
            drop(lock);
            Err(error)
        }
    }
}

/// Undoes a failed start and notes the reason.
fn give_back(records: &Records, config: &Config, error: &Error) {
    // What cannot be given back now is taken by the next start or removal of this container.
    let _ = super::cgroup(records, &config.id).and_then(|cgroup| cgroup.remove());
    if config.auto_remove {
        let _ = remove::bury_and_delete(records, &config.id);
        return;
    }
    let _ = records.run_directory(&config.id).remove();
    let _ = records.apply(&config.id, Event::Died, |state| {
        state.exit_code = error.exit_code(Scope::Run);
        state.error = error.to_string();
        state.finished = Some(Timestamp::now());
    });
}

/// A container that runs, as its monitor holds it.
#[derive(Debug)]
pub(super) struct Risen {
    pub live_state: LiveState,
    pub cgroup: Cgroup,
    pub container: OwnedFd,
    pub terminal: Option<OwnedFd>,
    pub stdin: Option<OwnedFd>,
    pub stdout: Option<OwnedFd>,
    pub stderr: Option<OwnedFd>,
    pub user_namespace: Option<OwnedFd>,
    /// The mount namespace in which to look for what outlives the first process, where neither a
    /// cgroup nor a PID namespace holds it.
    pub orphans_in: Option<PathBuf>,
    /// Limits that the kernel turned out not to have.
    pub warnings: Vec<String>,
    /// Where the container says that it is ready.
    pub notify_socket: Option<OwnedFd>,
}

/// Limits that cannot be kept are not asked for; the command said so at create.
fn with_kept_limits(config: &Config, hierarchies: &Hierarchies) -> Result<Config> {
    Ok(Config {
        limits: limits::kept(&config.limits, hierarchies)?,
        ..config.clone()
    })
}

/// Starts the container of a monitor that has its post.
pub(super) fn raise(
    settings: &Settings,
    records: &Records,
    config: &Config,
    foreground: Foreground,
    notify: Option<&str>,
) -> Result<Risen> {
    let run = records.run_directory(&config.id);
    logging::check_place(records, config)?;
    let streams = Streams::open(config)?;
    files::write(run.path(), config)?;
    let hierarchies = super::hierarchies(records)?;
    let cgroup_path = super::cgroup_path(&config.id, &config.limits.cgroup_parent);
    let cgroup = Cgroup::at(&hierarchies, &cgroup_path)?;
    let mut kept = with_kept_limits(config, &hierarchies)?;
    let notify_socket = notify::give_socket(&mut kept, run.path(), notify)?;
    let job = Job {
        settings,
        config: &kept,
        directory: records.directory(&config.id),
        run: run.path().to_owned(),
        cgroup,
    };
    let created = if settings.rootless {
        stage::launch_mapped(&job, &streams)?
    } else {
        job.launch(&streams, Ownership::Full, Parentage::Caller)?
    };
    set_first_size(created.terminal.as_ref(), foreground)?;
    let pid = created.pid.as_raw_nonzero().get();
    let started = Timestamp::now();
    let live = Live {
        boot_id: boot_id().to_owned(),
        pid,
        start_ticks: start_ticks(pid)?.0,
        started,
        cgroup: cgroup_path,
        user_namespace: settings.rootless,
        paused: false,
        restarting: false,
        ended: None,
    };
    if config.health.is_some() {
        run.write_health(&Health::starting())?;
    }
    publish(&run, config, &live)?;
    let user_namespace = start_program(&created, settings, &live)?;
    let unheld = job.cgroup.is_none() && !config.namespaces.pid.is_new();
    if let Some(to) = notify {
        notify::tell_started(to, config.notify);
    }
    Ok(Risen {
        notify_socket,
        live_state: LiveState {
            id: config.id,
            started,
            auto_remove: config.auto_remove,
        },
        cgroup: job.cgroup,
        container: created.pidfd,
        terminal: created.terminal,
        stdin: streams.keep_stdin,
        stdout: streams.keep_stdout,
        stderr: streams.keep_stderr,
        user_namespace,
        orphans_in: unheld.then(|| orphans::mount_namespace(pid)).flatten(),
        warnings: created.warnings,
    })
}

/// Notes what runs, and the ids of the first process and of its monitor where the user wants them.
fn publish(run: &RunDirectory, config: &Config, live: &Live) -> Result<()> {
    run.write(live)?;
    let monitor = rustix::process::getpid().as_raw_nonzero().get();
    let files = [
        (&config.pid_file, live.pid),
        (&config.monitor_pid_file, monitor),
    ];
    for (path, pid) in files {
        if let Some(path) = path {
            fs::write(path, pid.to_string()).context(|| format!("write {}", path.display()))?;
        }
    }
    Ok(())
}

fn set_first_size(terminal: Option<&OwnedFd>, foreground: Foreground) -> Result<()> {
    let (Some(terminal), Foreground::Attached { size: Some(size) }) = (terminal, foreground) else {
        return Ok(());
    };
    let size = Winsize {
        ws_row: size.0,
        ws_col: size.1,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    rustix::termios::tcsetwinsize(terminal, size).context(|| "set the terminal's size")
}

/// Lets the program run; returns its user namespace where it has one of ours.
fn start_program(created: &Created, settings: &Settings, live: &Live) -> Result<Option<OwnedFd>> {
    let started = created.start().and_then(|()| match settings.rootless {
        true => hold_user_namespace(settings, live).map(Some),
        false => Ok(None),
    });
    started.inspect_err(|_| {
        // Most often the child has exited by itself; it is ours to reap.
        let _ = rustix::process::pidfd_send_signal(&created.pidfd, Signal::KILL);
        let _ = crate::runtime::process::wait_code(created.pidfd.as_fd());
    })
}

/// Keeps the container's user namespace, and tells the next command where to find it.
///
/// Must not come before the container's own exec: a process that changed its user id shows its
/// namespaces to nobody (ptrace(2), "access mode checking") until its exec made memory that
/// belongs to the new user namespace, in which we may do everything.
fn hold_user_namespace(settings: &Settings, live: &Live) -> Result<OwnedFd> {
    let path = format!("/proc/{}/ns/user", live.pid);
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let namespace = rustix::fs::openat(CWD, &path, flags, Mode::empty());
    let namespace = namespace.context(|| format!("open {path}"))?;
    crate::rootless::record_holder(&settings.run, live.pid, live.start_ticks)?;
    Ok(namespace)
}
