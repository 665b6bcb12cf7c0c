//! `stop`, `kill`, `pause`, `unpause`: signals through the container's pidfd, freezing through its
//! cgroup.

use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use rustix::process::PidfdFlags;

use super::{DEATH, await_death};
use crate::base::ContainerId;
use crate::config::Settings;
use crate::error::{Context as _, Error, Result};
use crate::monitor::wire;
use crate::runtime::process::await_end;
use crate::state::{Event, Live, Record, Records, RunDirectory, Status, next};

/// How long a monitor whose container is not the recorded process may take to end by itself.
const PARTING: Duration = Duration::from_secs(2);

/// Asks the program to end, and kills it after `grace` (`None`: wait for ever).
pub fn stop(
    settings: &Settings,
    id: &ContainerId,
    signal: Option<i32>,
    grace: Option<Duration>,
) -> Result<()> {
    let records = super::records(settings);
    super::reconcile(settings, id)?;
    let run = records.run_directory(id);
    // Whatever its restart policy says: the next end is the last.
    run.request_stop()?;
    let record = settle(&records, id)?;
    // Stopped is what was asked for.
    let Some(live) = record.live else {
        return Ok(());
    };
    if record.state.status == Status::Paused {
        set_paused(&records, id, &live, false)?;
    }
    let config = records.config(id)?;
    let monitor = monitor_of(&run);
    let Some(container) = live.pidfd() else {
        return await_parting(monitor, id);
    };
    let signal = signal.unwrap_or(config.stop_signal);
    notice_signal(&records, id, signal);
    send(&container, id, signal)?;
    let patience = grace.unwrap_or(Duration::from_secs(60 * 60 * 24 * 365));
    if await_end(container.as_fd(), patience).is_err() {
        notice_signal(&records, id, libc::SIGKILL);
        send(&container, id, libc::SIGKILL)?;
        await_death(container.as_fd(), &live, id)?;
    }
    await_monitor(monitor)?;
    super::notice(&records, id, "stop", &[]);
    Ok(())
}

/// Should: before the signal is sent, or the monitor's word of the end comes first.
fn notice_signal(records: &Records, id: &ContainerId, signal: i32) {
    super::notice(records, id, "kill", &[("signal", &signal.to_string())]);
}

/// Sends a signal to the container's first process.
///
/// # Errors
/// `Conflict` in Docker's words if it does not run.
pub fn kill(settings: &Settings, id: &ContainerId, name: &str, signal: i32) -> Result<()> {
    let records = super::records(settings);
    super::reconcile(settings, id)?;
    let record = records.record(id)?;
    let not_running = || {
        Error::conflict(format!(
            "Cannot kill container: {name}: Container {id} is not running"
        ))
    };
    let run = records.run_directory(id);
    if record.live.is_none() {
        return Err(not_running());
    }
    let is_last = signal == libc::SIGKILL || signal == records.config(id)?.stop_signal;
    if is_last {
        run.request_stop()?;
    }
    let record = match is_last {
        true => settle(&records, id)?,
        false => record,
    };
    let Some(live) = record.live else {
        return Ok(());
    };
    let container = live.pidfd().ok_or_else(not_running)?;
    let monitor = monitor_of(&run);
    notice_signal(&records, id, signal);
    send(&container, id, signal)?;
    if is_last && record.state.status == Status::Paused {
        // Should: after the signal. A frozen process ends only once thawed, and does nothing else
        // before.
        set_paused(&records, id, &live, false)?;
    }
    if signal != libc::SIGKILL {
        return Ok(());
    }
    await_death(container.as_fd(), &live, id)?;
    await_monitor(monitor)
}

/// Waits until a container is not about to be restarted: told to stop, its monitor ends, unless it
/// has just started the container.
fn settle(records: &Records, id: &ContainerId) -> Result<Record> {
    let end = Instant::now() + DEATH;
    loop {
        let record = records.record(id)?;
        if record.state.status != Status::Restarting {
            return Ok(record);
        }
        if Instant::now() >= end {
            return Err(Error::conflict(format!(
                "container {id} is being restarted"
            )));
        }
        // Connecting wakes the monitor; it ends, or the record changes soon.
        if let Some(monitor) = monitor_of(&records.run_directory(id)) {
            let _ = await_end(monitor.as_fd(), Duration::from_millis(20));
        }
    }
}

/// Kills at once and waits until the monitor has recorded the end, whatever `run.json` says.
pub(super) fn kill_and_wait(records: &Records, id: &ContainerId) -> Result<()> {
    let run = records.run_directory(id);
    run.request_stop()?;
    let Some(monitor) = monitor_of(&run) else {
        return Ok(());
    };
    let live = run.live();
    if live.as_ref().is_none_or(|live| live.paused) {
        // Frozen processes do not die. Without a freezer nothing is frozen.
        let _ = super::cgroup(records, id)?.freeze(false);
    }
    if let Some(live) = live
        && let Some(container) = live.pidfd()
    {
        send(&container, id, libc::SIGKILL)?;
        await_death(container.as_fd(), &live, id)?;
        return await_monitor(Some(monitor));
    }
    if await_end(monitor.as_fd(), PARTING).is_err() {
        // Its record is wrong. The container dies with its monitor.
        send(&monitor, id, libc::SIGKILL)?;
    }
    await_monitor(Some(monitor))
}

/// Freezes every process of the container.
pub fn pause(settings: &Settings, id: &ContainerId) -> Result<()> {
    change_pause(settings, id, true)
}

/// Thaws them.
pub fn unpause(settings: &Settings, id: &ContainerId) -> Result<()> {
    change_pause(settings, id, false)
}

fn change_pause(settings: &Settings, id: &ContainerId, paused: bool) -> Result<()> {
    let records = super::records(settings);
    super::reconcile(settings, id)?;
    let record = records.record(id)?;
    let refuse = |text: &str| Error::conflict(format!("Container {id} is {text}"));
    let event = if paused {
        Event::Paused
    } else {
        Event::Resumed
    };
    if next(record.state.status, event).is_none() {
        return Err(match (record.state.status, paused) {
            (Status::Paused, _) => refuse("already paused"),
            (Status::Restarting, true) => refuse("restarting, wait until the container is running"),
            (_, true) => refuse("not running"),
            (_, false) => refuse("not paused"),
        });
    }
    let live = record.live.ok_or_else(|| refuse("not running"))?;
    set_paused(&records, id, &live, paused)?;
    let action = if paused { "pause" } else { "unpause" };
    super::notice(&records, id, action, &[]);
    Ok(())
}

/// Should: noted before it is frozen and after it is thawed. Killed in between, we leave a
/// container that `unpause` takes.
fn set_paused(records: &Records, id: &ContainerId, live: &Live, paused: bool) -> Result<()> {
    let cgroup = super::cgroup(records, id)?;
    if !paused {
        cgroup.freeze(false)?;
        return note_paused(records, id, live, false);
    }
    note_paused(records, id, live, true)?;
    cgroup.freeze(true).inspect_err(|_| {
        // It runs on; the first error is the one to tell.
        let _ = note_paused(records, id, live, false);
    })
}

/// Notes it of the same run of the container; one that has ended meanwhile is not paused.
fn note_paused(records: &Records, id: &ContainerId, live: &Live, paused: bool) -> Result<()> {
    let _lock = records.lock(id)?;
    let run = records.run_directory(id);
    match run.live() {
        Some(now) if now.pid == live.pid => run.write(&Live { paused, ..now }),
        _ if paused => Err(Error::conflict(format!("Container {id} is not running"))),
        _ => Ok(()),
    }
}

fn send(container: &OwnedFd, id: &ContainerId, signal: i32) -> Result<()> {
    match crate::sys::signal::send(container.as_fd(), signal) {
        // It ended by itself in between.
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(errno) => Err(errno).context(|| format!("send signal {signal} to container {id}")),
    }
}

/// The monitor, as the kernel knows it from its socket: no recorded id that could be reused.
fn monitor_of(run: &RunDirectory) -> Option<OwnedFd> {
    let socket = wire::connect(run.path()).ok()?;
    let monitor = rustix::net::sockopt::socket_peercred(&socket).ok()?;
    rustix::process::pidfd_open(monitor.pid, PidfdFlags::empty()).ok()
}

/// The monitor ends when everything is recorded and given back.
fn await_monitor(monitor: Option<OwnedFd>) -> Result<()> {
    match monitor {
        Some(monitor) => await_end(monitor.as_fd(), DEATH).context(|| "wait for the monitor"),
        None => Ok(()),
    }
}

/// Waits for the monitor of a container that has just ended, as it seems.
fn await_parting(monitor: Option<OwnedFd>, id: &ContainerId) -> Result<()> {
    match monitor {
        Some(monitor) if await_end(monitor.as_fd(), PARTING).is_err() => Err(Error::corrupt(
            format!("the process recorded for container {id} is another one"),
        )
        .hint(format!("remove it: hull rm -f {}", id.short()))),
        _ => Ok(()),
    }
}
