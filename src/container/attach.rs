//! `attach` and `wait`: clients of a running container's monitor.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::Duration;

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

/// Between two looks at a container whose monitor says nothing.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until the container does not run, and returns its exit code.
pub fn wait(settings: &Settings, id: &ContainerId) -> Result<u8> {
    let records = super::records(settings);
    let run = records.run_directory(id);
    loop {
        super::reconcile(settings, id)?;
        let record = records.record(id)?;
        if record.live.is_none() {
            return Ok(record.state.exit_code);
        }
        // Its end may come before the connection: then the record has the code.
        if let Ok(socket) = wire::connect(run.path())
            && let Some(code) = hear_end(socket.as_fd())?
        {
            return Ok(code);
        }
        // No word: it ended with everything recorded, or the monitor was killed. A dying process
        // closes its descriptors one by one: the socket may go before the lock that says it lives.
        std::thread::sleep(PAUSE);
    }
}

/// The exit code, from the monitor; `None` if that ends without a word.
fn hear_end(socket: BorrowedFd<'_>) -> Result<Option<u8>> {
    let mut buffer = [0; wire::MOST_BYTES + 1];
    while let Some((kind, content)) = wire::receive(socket, &mut buffer, RecvFlags::empty())
        .context(|| "hear from the monitor")?
    {
        if kind == wire::EXITED {
            return Ok(Some(content.first().copied().unwrap_or(255)));
        }
    }
    Ok(None)
}
