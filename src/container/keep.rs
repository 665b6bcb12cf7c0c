//! The monitor's second life: executed anew, small, with its descriptors handed over.
//!
//! Forking the monitor from the command costs least time, but the command's heap would stay for as
//! long as the container runs. So once the program runs the monitor executes this binary again:
//! same process, same children, same locks, nothing else.

use std::cell::Cell;
use std::ffi::CString;
use std::fs;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd, RawFd};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use rustix::fs::MemfdFlags;
use rustix::io::FdFlags;
use serde::{Deserialize, Serialize};

use super::health::{HealthChecks, Patient, TimeLimit};
use super::start::{Post, Risen};
use super::{logging, notify, remove, restart};
use crate::base::{ContainerId, Timestamp};
use crate::config::{Overrides, Settings};
use crate::error::{Context as _, Error, Result};
use crate::monitor::{Attended, Chore, attend};
use crate::runtime::cgroup::Cgroup;
use crate::state::{Config, End, Event, HealthCheck, Live, LogConfig, Notify, Records};
use crate::sys::descriptor::adopt;
use crate::sys::process::{ExecArray, exec_descriptor, exit_now};

/// How the argument vector of a monitor starts; what follows is the container's name.
pub const KEEPER: &str = "hull: monitor";

/// Everything the monitor holds when the program runs.
#[derive(Debug)]
pub(super) struct Handover {
    pub config: Config,
    pub post: Post,
    pub risen: Risen,
    pub first_client: Option<OwnedFd>,
    /// How long the last restart was put off; zero if a user started the container.
    pub pause: Duration,
    /// The service manager that waits for word.
    pub notify: Option<String>,
}

/// What crosses the exec, as JSON in a memfd; descriptors by number.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Carried {
    id: ContainerId,
    root: PathBuf,
    run: PathBuf,
    started: Timestamp,
    auto_remove: bool,
    stop_signal: i32,
    log: LogConfig,
    health: Option<HealthCheck>,
    timeout: Option<u32>,
    pause: Duration,
    /// Who says that the container is ready, and to whom.
    notify: Option<(Notify, String)>,
    notify_socket: Option<RawFd>,
    cgroup: Cgroup,
    lock: RawFd,
    container: RawFd,
    terminal: Option<RawFd>,
    stdin: Option<RawFd>,
    stdout: Option<RawFd>,
    stderr: Option<RawFd>,
    listener: RawFd,
    signals: RawFd,
    first_client: Option<RawFd>,
    user_namespace: Option<RawFd>,
}

/// Executes this binary as the monitor. If that is impossible, goes on in this image.
pub(super) fn hand_over(settings: &Settings, handover: Handover) -> ! {
    // A restarted one goes the long way each time: memory would grow with every turn.
    let brief = handover.pause.is_zero() && ends_at_once(&handover);
    let carried = carry(settings, handover);
    if let (true, Ok(carried)) = (brief, &carried) {
        exit_now(u8::from(stay(carried.clone()).is_err()));
    }
    let error = match carried
        .as_ref()
        .map_err(ToString::to_string)
        .and_then(|carried| execute(carried).map_err(|error| error.to_string()))
    {
        Ok(never) => never,
        Err(error) => error,
    };
    log::warn!("the monitor stays large: {error}");
    match carried {
        Ok(carried) => exit_now(u8::from(stay(carried).is_err())),
        Err(_) => exit_now(1),
    }
}

/// How long a container may take to end before the monitor thinks of its size.
const BRIEF: rustix::event::Timespec = rustix::event::Timespec {
    tv_sec: 0,
    tv_nsec: 20_000_000,
};

/// Whether the container ends before it, a client or a signal wants anything: then executing this
/// binary anew would only delay its end.
fn ends_at_once(handover: &Handover) -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let others = [
        &handover.risen.terminal,
        &handover.risen.stdout,
        &handover.risen.stderr,
        &handover.first_client,
    ];
    let mut polled = vec![PollFd::new(&handover.risen.container, PollFlags::IN)];
    polled.push(PollFd::new(&handover.post.listener, PollFlags::IN));
    polled.push(PollFd::new(&handover.post.signals, PollFlags::IN));
    polled.extend(
        others
            .into_iter()
            .flatten()
            .map(|fd| PollFd::new(fd, PollFlags::IN)),
    );
    // Interrupted is as good as an event.
    let _ = poll(&mut polled, Some(&BRIEF));
    !polled[0].revents().is_empty()
}

/// The monitor's main function after the exec; `arguments` is the whole vector.
pub fn keep(arguments: &[std::ffi::OsString]) -> u8 {
    let carried = arguments
        .get(1)
        .and_then(|number| number.to_str()?.parse::<RawFd>().ok())
        .ok_or_else(|| Error::invalid("a monitor is started by hull run or hull start only"))
        .and_then(read_carried);
    let prepared = carried.and_then(prepare_or_end);
    // Waiting needs little of the code that starting up has used.
    crate::sys::memory::release_program();
    match prepared.and_then(Prepared::stay) {
        Ok(()) => 0,
        Err(error) => {
            log::error!("{error}");
            1
        }
    }
}

fn carry(settings: &Settings, handover: Handover) -> Result<Carried> {
    let give = |descriptor: OwnedFd| -> Result<RawFd> {
        rustix::io::fcntl_setfd(&descriptor, FdFlags::empty())
            .context(|| "hand over a descriptor")?;
        Ok(std::os::fd::IntoRawFd::into_raw_fd(descriptor))
    };
    let maybe = |descriptor: Option<OwnedFd>| descriptor.map(give).transpose();
    let (config, post, risen) = (handover.config, handover.post, handover.risen);
    Ok(Carried {
        id: config.id,
        root: settings.root.clone(),
        run: settings.run.clone(),
        started: risen.live_state.started,
        auto_remove: config.auto_remove,
        stop_signal: config.stop_signal,
        log: config.log,
        health: config.health,
        timeout: config.timeout,
        pause: handover.pause,
        notify: handover.notify.map(|to| (config.notify, to)),
        notify_socket: maybe(risen.notify_socket)?,
        cgroup: risen.cgroup,
        lock: give(post.lock)?,
        container: give(risen.container)?,
        terminal: maybe(risen.terminal)?,
        stdin: maybe(risen.stdin)?,
        stdout: maybe(risen.stdout)?,
        stderr: maybe(risen.stderr)?,
        listener: give(post.listener)?,
        signals: give(post.signals)?,
        first_client: maybe(handover.first_client)?,
        user_namespace: maybe(risen.user_namespace)?,
    })
}

/// Returns only the reason for failure.
fn execute(carried: &Carried) -> Result<String> {
    let memfd = rustix::fs::memfd_create("hull-monitor", MemfdFlags::empty());
    let memfd = memfd.context(|| "make the monitor's record")?;
    let mut file = fs::File::from(memfd);
    file.write_all(&serde_json::to_vec(carried)?)?;
    file.rewind()?;
    let binary = rustix::fs::openat(
        rustix::fs::CWD,
        "/proc/self/exe",
        rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )
    .context(|| "open our own binary")?;
    let title = format!("{KEEPER} {}", carried.id.short());
    let words = [title, file.as_raw_fd().to_string()];
    let words: Vec<CString> = words
        .into_iter()
        .filter_map(|word| CString::new(word).ok())
        .collect();
    let none: [CString; 0] = [];
    let error = exec_descriptor(
        binary.as_fd(),
        &ExecArray::new(&words),
        &ExecArray::new(&none),
    );
    Ok(format!("execute our own binary: {error}"))
}

fn read_carried(number: RawFd) -> Result<Carried> {
    let mut file = fs::File::from(adopt(number).context(|| "open the monitor's record")?);
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)
        .context(|| "read the monitor's record")?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// The descriptors taken over and the log open: all that remains is to wait.
struct Prepared {
    carried: Carried,
    post: Post,
    records: Records,
    attended: Attended,
    user_namespace: Option<OwnedFd>,
    /// Set by a health check that wants the container restarted.
    wants_restart: Rc<Cell<bool>>,
}

/// A monitor that cannot attend to its container ends it and gives everything back, as whoever
/// finds it without a monitor would.
fn prepare_or_end(carried: Carried) -> Result<Prepared> {
    let id = carried.id;
    let overrides = Overrides {
        root: Some(carried.root.clone()),
        run: Some(carried.run.clone()),
        log_level: None,
    };
    prepare(carried).inspect_err(|_| {
        // Should: after the lock was dropped. What fails here the next command does.
        let _ = Settings::load(&overrides).and_then(|settings| super::reconcile(&settings, &id));
    })
}

fn prepare(carried: Carried) -> Result<Prepared> {
    // The program may stop reading its input at any time; nobody may end the monitor that way.
    crate::sys::signal::ignore_sigpipe();
    // Only a label for ps(1).
    let _ = rustix::thread::set_name(c"hull: monitor");
    let take = |number: RawFd| -> Result<OwnedFd> {
        let descriptor = adopt(number).context(|| "take over a descriptor")?;
        rustix::io::fcntl_setfd(&descriptor, FdFlags::CLOEXEC)?;
        Ok(descriptor)
    };
    let maybe = |number: Option<RawFd>| number.map(take).transpose();
    let post = Post {
        lock: take(carried.lock)?,
        listener: take(carried.listener)?,
        signals: take(carried.signals)?,
    };
    let records = Records::at(&carried.root, &carried.run);
    let log = logging::open(&records, &carried.id, &carried.log)?;
    let user_namespace = maybe(carried.user_namespace)?;
    let container = take(carried.container)?;
    let wants_restart = Rc::new(Cell::new(false));
    let mut chores: Vec<Box<dyn Chore>> = Vec::new();
    if let Some(seconds) = carried.timeout {
        chores.push(Box::new(TimeLimit::new(container.try_clone()?, seconds)));
    }
    if let Some(check) = &carried.health {
        let patient = Patient {
            records: records.clone(),
            id: carried.id,
            container: container.try_clone()?,
            stop_signal: carried.stop_signal,
            wants_restart: Rc::clone(&wants_restart),
            waiting: match &carried.notify {
                Some((Notify::Healthy, to)) => Some(to.clone()),
                _ => None,
            },
        };
        chores.push(Box::new(HealthChecks::new(check.clone(), patient)));
    }
    if let (Some(from), Some((_, to))) = (maybe(carried.notify_socket)?, &carried.notify) {
        let to = to.clone();
        chores.push(Box::new(notify::Relay { from, to }));
    }
    let attended = Attended {
        container,
        terminal: maybe(carried.terminal)?,
        stdin: maybe(carried.stdin)?,
        stdout: maybe(carried.stdout)?,
        stderr: maybe(carried.stderr)?,
        log,
        listener: post.listener.try_clone()?,
        first_client: maybe(carried.first_client)?,
        signals: post.signals.try_clone()?,
        stop_signal: carried.stop_signal,
        chores,
    };
    Ok(Prepared {
        carried,
        post,
        records,
        attended,
        user_namespace,
        wants_restart,
    })
}

impl Prepared {
    /// Attends to the container until its end, then records it and gives everything back, or
    /// starts it again.
    fn stay(self) -> Result<()> {
        let ended = attend(self.attended)?;
        let wish = match (ended.told, self.wants_restart.get()) {
            // The machine goes down, say: whoever told us does not want it back now.
            (true, _) => Wish::Stay,
            (false, true) => Wish::Restart,
            (false, false) => Wish::AsPolicy,
        };
        let after = finish(&self.records, &self.carried, ended.exit_code, wish);
        let exit_code = ended.exit_code;
        // Should: after everything is recorded and out of sight; whoever waited may look at once.
        ended.announce();
        match after? {
            After::Gone(None) => {}
            After::Gone(Some(grave)) => {
                remove::delete(&grave, self.user_namespace.as_ref().map(|fd| fd.as_fd()))?;
            }
            After::Again(pause) => {
                drop(self.user_namespace);
                let again = restart::Again {
                    pause,
                    exit_code,
                    notify: self.carried.notify.map(|(_, to)| to),
                };
                restart::start_again(&self.records, &self.carried.id, self.post, again)?;
            }
        }
        Ok(())
    }
}

/// Both steps in this image, for a container that has ended already or where executing failed.
fn stay(carried: Carried) -> Result<()> {
    prepare_or_end(carried)?.stay()
}

/// Whether an ended container is wanted back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Stay,
    Restart,
    AsPolicy,
}

/// What is left to do for a container that has ended.
enum After {
    /// Everything is recorded; what is left to delete.
    Gone(Option<PathBuf>),
    /// Start it again after this pause.
    Again(Duration),
}

/// Records the end and gives cgroup, run directory and, with `--rm`, the container back.
fn finish(records: &Records, carried: &Carried, exit_code: u8, wish: Wish) -> Result<After> {
    // Should: before the counters go with the cgroup.
    let oom_killed = carried.cgroup.oom_kills() > 0;
    if oom_killed {
        super::notice(records, &carried.id, "oom", &[]);
    }
    carried.cgroup.end(Duration::from_secs(10))?;
    let code = exit_code.to_string();
    super::notice(records, &carried.id, "die", &[("exitCode", &code)]);
    if carried.auto_remove {
        super::notice(records, &carried.id, "destroy", &[]);
        return records
            .bury(&carried.id)
            .map(|grave| After::Gone(Some(grave)));
    }
    let end = End {
        exit_code,
        at: Timestamp::now(),
    };
    let run = records.run_directory(&carried.id);
    let stopped = run.stop_is_requested();
    let policy = records.config(&carried.id).map(|config| config.restart);
    let policy = policy.unwrap_or_default();
    let mut again = false;
    // Should: the record before the run directory, so that nobody sees a loss between the two.
    let recorded = records.apply(&carried.id, Event::Died, |state| {
        state.status = crate::state::Status::Exited;
        state.exit_code = end.exit_code;
        state.finished = Some(end.at);
        state.oom_killed = oom_killed;
        state.stopped_by_user = stopped;
        let by_policy = policy.restarts(exit_code, state.restart_count);
        again = match wish {
            Wish::Stay => false,
            Wish::Restart => !stopped,
            Wish::AsPolicy => !stopped && by_policy,
        };
        state.restart_count += u32::from(again);
    });
    if let Some(live) = run.live()
        && (again || recorded.is_err())
    {
        // A full disk, say: the run directory keeps it for the next command.
        let (pid, restarting) = (if again { 0 } else { live.pid }, again);
        run.write(&Live {
            pid,
            restarting,
            paused: false,
            ended: Some(end),
            ..live
        })?;
    }
    recorded?;
    if again {
        return Ok(After::Again(restart::next_pause(
            carried.pause,
            carried.started.age(),
        )));
    }
    records.keep_health(&carried.id)?;
    run.remove()?;
    Ok(After::Gone(None))
}
