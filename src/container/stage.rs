//! The stage: a short-lived process between a rootless monitor and its container.
//!
//! The monitor stays in the user's own namespace. The stage enters the mapped one, does what needs
//! root there, and forks the container with `CLONE_PARENT`, so that the container is the
//! monitor's child: its exit code and death signal go there. It hands over the descriptors and
//! ends.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use rustix::process::{Pid, PidfdFlags};
use serde::{Deserialize, Serialize};

use super::job::Job;
use super::streams::Streams;
use crate::error::{Context as _, Error, Kind, Result};
use crate::monitor::wire;
use crate::rootless;
use crate::runtime::launch::Created;
use crate::sys::process::{Fork, Parentage, exit_now, fork, unshare};

/// A container that is ready, told to the monitor.
#[derive(Serialize, Deserialize)]
struct Ready {
    pid: i32,
    program: String,
    warnings: Vec<String>,
    terminal: bool,
}

/// Launches the job as mapped root.
pub(super) fn launch_mapped(job: &Job<'_>, streams: &Streams) -> Result<Created> {
    let (ours, theirs) = wire::pair()?;
    let pidfd = match fork().context(|| "fork the stage")? {
        Fork::Child => {
            drop(ours);
            run(job, streams, theirs)
        }
        Fork::Parent { pidfd, .. } => pidfd,
    };
    drop(theirs);
    let result = receive(ours.as_fd());
    crate::runtime::process::wait_code(pidfd.as_fd())?;
    result
}

fn run(job: &Job<'_>, streams: &Streams, monitor: OwnedFd) -> ! {
    let result = enter_and_launch(job, streams);
    let sent = match &result {
        Ok(created) => send(monitor.as_fd(), created),
        Err(error) => {
            wire::send(monitor.as_fd(), wire::FAILED, &error.to_carried()).map_err(Error::from)
        }
    };
    // Without a monitor to tell, the container must not stay: it was forked to be its child.
    if let (Err(_), Ok(created)) = (&sent, &result) {
        let kill = rustix::process::Signal::KILL;
        let _ = rustix::process::pidfd_send_signal(&created.pidfd, kill);
    }
    exit_now(u8::from(sent.is_err()))
}

fn enter_and_launch(job: &Job<'_>, streams: &Streams) -> Result<Created> {
    let entered = rootless::enter(&job.settings.run)?;
    unshare(libc::CLONE_NEWNS).context(|| "make a mount namespace")?;
    job.launch(streams, entered.ownership, Parentage::CallersParent)
}

fn send(monitor: BorrowedFd<'_>, created: &Created) -> Result<()> {
    let ready = Ready {
        pid: created.pid.as_raw_nonzero().get(),
        program: created.program.clone(),
        warnings: created.warnings.clone(),
        terminal: created.terminal.is_some(),
    };
    let json = serde_json::to_vec(&ready)?;
    let parts = [
        std::io::IoSlice::new(&[wire::STARTED]),
        std::io::IoSlice::new(&json),
    ];
    let mut descriptors = vec![created.report.as_fd()];
    descriptors.extend(created.terminal.as_ref().map(|terminal| terminal.as_fd()));
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    rustix::net::sendmsg(monitor, &parts, &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

fn receive(stage: BorrowedFd<'_>) -> Result<Created> {
    let mut buffer = vec![0; wire::MOST_BYTES + 1];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let length = {
        let mut parts = [std::io::IoSliceMut::new(&mut buffer)];
        let flags = RecvFlags::CMSG_CLOEXEC;
        let received = rustix::net::recvmsg(stage, &mut parts, &mut control, flags);
        received.context(|| "hear from the stage")?.bytes
    };
    let descriptors: Vec<OwnedFd> = control
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        })
        .flatten()
        .collect();
    match buffer[..length].split_first() {
        Some((&wire::STARTED, json)) => created(serde_json::from_slice(json)?, descriptors),
        Some((_, carried)) => Err(Error::from_carried(carried)),
        None => Err(Error::new(
            Kind::System,
            "the process that sets up the container was killed",
        )),
    }
}

fn created(ready: Ready, descriptors: Vec<OwnedFd>) -> Result<Created> {
    let mut descriptors = descriptors.into_iter();
    let missing = || Error::new(Kind::System, "the stage sent no descriptors");
    let report = descriptors.next().ok_or_else(missing)?;
    let terminal = if ready.terminal {
        Some(descriptors.next().ok_or_else(missing)?)
    } else {
        None
    };
    let pid = Pid::from_raw(ready.pid).ok_or_else(missing)?;
    // Our own child, which nobody else can reap: the id cannot be reused yet.
    let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty());
    Ok(Created {
        pid,
        pidfd: pidfd.context(|| "open the container's first process")?,
        terminal,
        warnings: ready.warnings,
        program: ready.program,
        report,
    })
}
