//! `stop`, `kill`, `pause`, `unpause`: signals through the container's pidfd, freezing through its
//! cgroup.

use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags};

use crate::base::ContainerId;
use crate::config::Settings;
use crate::error::{Context as _, Error, Result};
use crate::runtime::process::await_end;
use crate::state::{Live, Records, Status};

/// How long the kernel may take to end a killed process.
const DEATH: Duration = Duration::from_secs(10);

/// Asks the program to end, and kills it after `grace` (`None`: wait for ever).
pub fn stop(
    settings: &Settings,
    id: &ContainerId,
    signal: Option<i32>,
    grace: Option<Duration>,
) -> Result<()> {
    let records = super::records(settings);
    super::reconcile(&records, id)?;
    let record = records.record(id)?;
    // Stopped is what was asked for.
    let Some(live) = record.live else {
        return Ok(());
    };
    if record.state.status == Status::Paused {
        set_paused(&records, id, &live, false)?;
    }
    let config = records.config(id)?;
    let monitor = monitor_of(&live);
    let Some(container) = live.pidfd() else {
        return await_monitor(monitor);
    };
    send(&container, id, signal.unwrap_or(config.stop_signal))?;
    let patience = grace.unwrap_or(Duration::from_secs(60 * 60 * 24 * 365));
    if await_end(container.as_fd(), patience).is_err() {
        send(&container, id, libc::SIGKILL)?;
        await_end(container.as_fd(), DEATH).context(|| format!("container {id} does not die"))?;
    }
    await_monitor(monitor)
}

/// Sends a signal to the container's first process.
///
/// # Errors
/// `Conflict` in Docker's words if it does not run.
pub fn kill(settings: &Settings, id: &ContainerId, name: &str, signal: i32) -> Result<()> {
    let records = super::records(settings);
    super::reconcile(&records, id)?;
    let record = records.record(id)?;
    let not_running = || {
        Error::conflict(format!(
            "Cannot kill container: {name}: Container {id} is not running"
        ))
    };
    let live = record.live.ok_or_else(not_running)?;
    let container = live.pidfd().ok_or_else(not_running)?;
    let monitor = monitor_of(&live);
    send(&container, id, signal)?;
    if signal != libc::SIGKILL {
        return Ok(());
    }
    if record.state.status == Status::Paused {
        // A frozen process dies only once thawed.
        super::cgroup(&records, id)?.freeze(false)?;
    }
    await_end(container.as_fd(), DEATH).context(|| format!("container {id} does not die"))?;
    await_monitor(monitor)
}

/// Kills at once and waits until the monitor has recorded the end.
pub(super) fn kill_and_wait(records: &Records, id: &ContainerId) -> Result<()> {
    let Some(live) = records.run_directory(id).live() else {
        return Ok(());
    };
    let monitor = monitor_of(&live);
    let cgroup = super::cgroup(&records, id)?;
    if live.paused {
        cgroup.freeze(false)?;
    }
    if let Some(container) = live.pidfd() {
        send(&container, id, libc::SIGKILL)?;
        await_end(container.as_fd(), DEATH).context(|| format!("container {id} does not die"))?;
    }
    await_monitor(monitor)
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
    super::reconcile(&records, id)?;
    let record = records.record(id)?;
    let refuse = |text: &str| Error::conflict(format!("Container {id} is {text}"));
    match (record.state.status, paused) {
        (Status::Running, true) | (Status::Paused, false) => {}
        (Status::Paused, true) => return Err(refuse("already paused")),
        (_, true) => return Err(refuse("not running")),
        (_, false) => return Err(refuse("not paused")),
    }
    let live = record.live.ok_or_else(|| refuse("not running"))?;
    set_paused(&records, id, &live, paused)
}

fn set_paused(records: &Records, id: &ContainerId, live: &Live, paused: bool) -> Result<()> {
    super::cgroup(&records, id)?.freeze(paused)?;
    let _lock = records.lock(id)?;
    records.run_directory(id).write(&Live {
        paused,
        ..live.clone()
    })
}

fn send(container: &OwnedFd, id: &ContainerId, signal: i32) -> Result<()> {
    match crate::sys::signal::send(container.as_fd(), signal) {
        // It ended by itself in between.
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(errno) => Err(errno).context(|| format!("send signal {signal} to container {id}")),
    }
}

fn monitor_of(live: &Live) -> Option<OwnedFd> {
    rustix::process::pidfd_open(Pid::from_raw(live.monitor_pid)?, PidfdFlags::empty()).ok()
}

/// The monitor ends when everything is recorded and given back.
fn await_monitor(monitor: Option<OwnedFd>) -> Result<()> {
    match monitor {
        Some(monitor) => await_end(monitor.as_fd(), DEATH).context(|| "wait for the monitor"),
        None => Ok(()),
    }
}
