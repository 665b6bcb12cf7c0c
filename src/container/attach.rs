//! `attach` and `wait`: clients of a running container's monitor.

use std::os::fd::{AsFd as _, OwnedFd};

use rustix::net::RecvFlags;

use super::logging::PASSTHROUGH;
use crate::base::ContainerId;
use crate::config::Settings;
use crate::error::{Context as _, Error, Result};
use crate::monitor::wire;
use crate::state::Status;

/// Connects to a running container for its output.
///
/// # Errors
/// `Conflict` in Docker's words if it does not run or is paused.
pub fn attach(settings: &Settings, id: &ContainerId) -> Result<OwnedFd> {
    let records = super::records(settings);
    super::reconcile(settings, id)?;
    match records.record(id)?.state.status {
        Status::Running => {}
        Status::Paused => {
            return Err(Error::conflict(
                "You cannot attach to a paused container, unpause it first",
            ));
        }
        Status::Restarting => {
            return Err(Error::conflict(
                "You cannot attach to a restarting container, wait until it is running",
            ));
        }
        _ => {
            return Err(Error::conflict(
                "You cannot attach to a stopped container, start it first",
            ));
        }
    }
    if records.config(id)?.log.driver == PASSTHROUGH {
        return Err(Error::conflict(
            "this container is using the 'passthrough' log driver, cannot attach",
        ));
    }
    let socket = wire::connect(records.run_directory(id).path())?;
    wire::send(socket.as_fd(), wire::ATTACH, &[]).context(|| "attach")?;
    super::notice(&records, id, "attach", &[]);
    Ok(socket)
}

/// Waits until the container does not run, and returns its exit code.
pub fn wait(settings: &Settings, id: &ContainerId) -> Result<u8> {
    let records = super::records(settings);
    super::reconcile(settings, id)?;
    let record = records.record(id)?;
    if record.live.is_none() {
        return Ok(record.state.exit_code);
    }
    // Its end may come before the connection: then the record has the code.
    if let Ok(socket) = wire::connect(records.run_directory(id).path()) {
        let mut buffer = [0; wire::MOST_BYTES + 1];
        while let Some((kind, content)) =
            wire::receive(socket.as_fd(), &mut buffer, RecvFlags::empty())
                .context(|| "hear from the monitor")?
        {
            if kind == wire::EXITED {
                return Ok(content.first().copied().unwrap_or(255));
            }
        }
    }
    // No word: the monitor was killed, or ended with everything recorded.
    super::reconcile(settings, id)?;
    Ok(records.record(id)?.state.exit_code)
}
