//! `start`: forks the monitor, which brings the container up.
//!
//! The order matters for what a kill at any point leaves:
//! 1. The monitor takes `monitor.lock`: one start at a time, and the mark that it lives.
//! 2. The root is mounted detached, the child is forked and walks its plan; it dies with us.
//! 3. `run.json` is published, then the program is let go: never a process without a record.
//! 4. The client is told, the start is noted on disk, and the monitor executes itself anew.

use std::fs;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::pipe::PipeFlags;
use rustix::process::Signal;
use rustix::termios::Winsize;

use super::devices::Found;
use super::donor::{self, Donated};
use super::keep::{Handover, hand_over};
use super::{
    access, accounts, defaults, files, limits, logging, notify, orphans, remove, stage, to_spec,
};
use crate::base::Ownership;
use crate::base::{ContainerId, Timestamp};
use crate::config::Settings;
use crate::error::{Context as _, Error, Kind, Result, Scope};
use crate::monitor::wire;
use crate::rootfs::{self, Upper};
use crate::runtime::cgroup::{Cgroup, Hierarchies};
use crate::runtime::launch::{Created, Launch, host, launch};
use crate::runtime::plan::{self, Extras};
use crate::runtime::process::start_ticks;
use crate::state::{Config, Event, Health, Live, Records, RunDirectory, boot_id};
use crate::store::{OverlayXattrs, Store};
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

/// Lets go of the caller's streams, unless the container is to have them.
fn leave_streams(config: &Config) -> Result<()> {
    if config.log.driver == logging::PASSTHROUGH {
        return Ok(());
    }
    let null = null()?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}

fn null() -> Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, "/dev/null", flags, Mode::empty()).context(|| "open /dev/null")
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

/// Both sides of the container's streams.
#[derive(Debug)]
pub(super) struct Streams {
    pub give: [OwnedFd; 3],
    keep_stdin: Option<OwnedFd>,
    keep_stdout: Option<OwnedFd>,
    keep_stderr: Option<OwnedFd>,
}

impl Streams {
    /// The caller's own, for a container that passes everything through.
    ///
    /// Must not be a terminal: who has one can read what is typed there, and type.
    fn of_caller(wants_stdin: bool) -> Result<Streams> {
        use rustix::stdio::{stderr, stdin, stdout};
        let own = [stdin(), stdout(), stderr()];
        if own.into_iter().any(rustix::termios::isatty) {
            return Err(Error::invalid(
                "the '--log-driver passthrough' option cannot be used on a TTY",
            ));
        }
        let copy = |fd: BorrowedFd<'_>| {
            let copied = rustix::io::fcntl_dupfd_cloexec(fd, 3);
            copied.context(|| "hand over our own streams")
        };
        let [stdin, stdout, stderr] = own;
        let stdin = if wants_stdin { copy(stdin)? } else { null()? };
        Ok(Streams {
            give: [stdin, copy(stdout)?, copy(stderr)?],
            keep_stdin: None,
            keep_stdout: None,
            keep_stderr: None,
        })
    }

    /// Pipes, or nothing where a terminal takes their place.
    fn open(config: &Config) -> Result<Streams> {
        let pipe = || rustix::pipe::pipe_with(PipeFlags::CLOEXEC).context(|| "make a pipe");
        if config.log.driver == logging::PASSTHROUGH {
            return Streams::of_caller(config.process.open_stdin);
        }
        if config.process.terminal {
            let give = [null()?, null()?, null()?];
            return Ok(Streams {
                give,
                keep_stdin: None,
                keep_stdout: None,
                keep_stderr: None,
            });
        }
        let (stdin, keep_stdin) = if config.process.open_stdin {
            let (read, write) = pipe()?;
            (read, Some(write))
        } else {
            (null()?, None)
        };
        let (keep_stdout, stdout) = pipe()?;
        let (keep_stderr, stderr) = pipe()?;
        Ok(Streams {
            give: [stdin, stdout, stderr],
            keep_stdin,
            keep_stdout: Some(keep_stdout),
            keep_stderr: Some(keep_stderr),
        })
    }
}

/// One container on its way up, for a process that may mount.
pub(super) struct Job<'a> {
    pub settings: &'a Settings,
    pub config: &'a Config,
    pub directory: PathBuf,
    /// Its run directory.
    pub run: PathBuf,
    /// Its cgroups; none where this user may not write any.
    pub cgroup: Cgroup,
}

impl Job<'_> {
    /// Mounts the root, resolves the user in it, plans, forks.
    pub(super) fn launch(
        &self,
        streams: &Streams,
        ownership: Ownership,
        parentage: Parentage,
    ) -> Result<Created> {
        let config = self.config;
        let records = super::records(self.settings);
        let donated = Donated::open(&records, config)?;
        let root = self.mount_root(ownership)?;
        let mut user = rootfs::resolve_user(root.as_fd(), &config.process.user, &config.group_add)?;
        let highest_gid = crate::rootless::highest_gid("self")?;
        user.keep_mapped_groups(highest_gid);
        accounts::write(root.as_fd(), &self.run, config, &user)?;
        let around = self.surroundings(&records, &donated, highest_gid)?;
        let mut spec = to_spec::to_spec(config, &user, &around)?;
        let cgroup = &self.cgroup;
        let linux = spec.linux().as_ref();
        let resources = linux.and_then(|linux| linux.resources().clone());
        let resources = resources.unwrap_or_default();
        let process = spec.process_mut().as_mut();
        let bounding = process.and_then(|process| process.capabilities().clone());
        let bounding = bounding
            .and_then(|sets| sets.bounding().clone())
            .unwrap_or_default();
        let extras = Extras {
            attach_at: plan::c_string(&self.attach_point()?)?,
            root_is_mounted: true,
            reaper: config.init,
            cgroup_files: cgroup.member_files(),
            cgroup_hierarchies: cgroup.hierarchies(),
            make_cwd: true,
            filter: to_spec::filter(config, &bounding)?,
            die_with_parent: true,
            shared_memory: donated.shared_memory.is_some(),
            ..Extras::default()
        };
        let plan = plan::build(&spec, &host(), extras)?;
        let cgroup = (!cgroup.is_none()).then_some((cgroup, &resources));
        let request = Launch {
            plan: &plan,
            root_mount: Some(root.as_fd()),
            shared_memory: donated.shared_memory.as_ref().map(|fd| fd.as_fd()),
            streams: borrow(&streams.give),
            parentage,
            cgroup,
            gate: None,
            container: None,
            join_cgroup: None,
        };
        let created = donated.in_pid_namespace(parentage, || launch(&request))?;
        self.check_warnings(created, parentage)
    }

    fn surroundings(
        &self,
        records: &Records,
        donated: &Donated,
        highest_gid: u32,
    ) -> Result<to_spec::Surroundings> {
        let named = Found::of(&self.config.limits)?;
        let every = self.config.privileged && !self.settings.rootless;
        Ok(to_spec::Surroundings {
            user_namespace: self.settings.rootless,
            highest_gid,
            files: self.run.clone(),
            devices: match every {
                true => named.with_all_of_host(),
                false => named,
            },
            throttled_cpus: throttled_cpus(),
            joined: donated.joined.clone(),
            network_files: donor::network_files(records, self.config)?,
            has_mqueue: Path::new("/dev/mqueue").is_dir(),
            more_files: files::more(self.config),
        })
    }

    /// What only the kernel could tell of the limits: an error where the user wants them all.
    fn check_warnings(&self, created: Created, parentage: Parentage) -> Result<Created> {
        if !self.config.limits.strict || created.warnings.is_empty() {
            return Ok(created);
        }
        created.abandon(parentage);
        let text = format!("cannot be enforced: {}", created.warnings.join("; "));
        Err(Error::unsupported(text).hint("leave --strict-limits out to go without"))
    }

    fn mount_root(&self, ownership: Ownership) -> Result<OwnedFd> {
        let store = Store::open_existing(&self.settings.root, ownership)?;
        let store = store.ok_or_else(|| Error::not_found("the store is gone"))?;
        let layers = store.layers_for(&self.config.layers)?;
        let user_xattr = self.settings.rootless
            || layers
                .iter()
                .any(|layer| layer.overlay_xattrs == OverlayXattrs::User);
        let mut paths = vec![files::bottom_layer(&self.settings.root)?];
        paths.extend(layers.into_iter().map(|layer| layer.path));
        let up = self.directory.join("up");
        let upper = Upper {
            diff: up.join("diff"),
            work: up.join("work"),
        };
        let options = rootfs::Options {
            user_xattr,
            volatile: self.config.auto_remove,
        };
        rootfs::mount(&paths, &upper, options)
    }

    /// One empty directory serves all containers: the mount on it is private to each.
    fn attach_point(&self) -> Result<PathBuf> {
        let path = self.settings.run.join("root");
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path);
        made.context(|| format!("make {}", path.display()))?;
        Ok(path)
    }
}

fn borrow(descriptors: &[OwnedFd; 3]) -> [BorrowedFd<'_>; 3] {
    [
        descriptors[0].as_fd(),
        descriptors[1].as_fd(),
        descriptors[2].as_fd(),
    ]
}

/// Where the CPUs of this host count how often each was too hot; most machines have none.
fn throttled_cpus() -> Vec<String> {
    let of_first = Path::new(defaults::THERMAL_THROTTLE);
    let name = of_first.file_name();
    let all = of_first.parent().and_then(Path::parent);
    let (Some(name), Some(all), true) = (name, all, of_first.exists()) else {
        return Vec::new();
    };
    let entries = fs::read_dir(all).into_iter().flatten().flatten();
    let counters = entries.map(|cpu| cpu.path().join(name));
    let there = counters.filter(|path| path.exists());
    there
        .map(|path| path.to_string_lossy().into_owned())
        .collect()
}
