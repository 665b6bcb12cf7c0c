//! Telling systemd that a container is ready, sd_notify(3).
//!
//! The service manager's socket stays outside. With `--sdnotify container` the container gets a
//! socket of the monitor's, and of what comes through it only the lines in [`PASSED`] go on: a
//! container may say how it fares, but may not name processes or hand over descriptors.

use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Instant;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType};

use crate::error::{Context as _, Result};
use crate::monitor::Chore;
use crate::state::{Config, Mount, MountKind, Notify};

/// Where the socket is in the container.
const DIRECTORY: &str = "/run/notify";
const VARIABLE: &str = "NOTIFY_SOCKET=/run/notify/socket";

/// The starts of lines that are passed on.
const PASSED: [&str; 6] = [
    "READY=1",
    "RELOADING=1",
    "STOPPING=1",
    "WATCHDOG=1",
    "STATUS=",
    "ERRNO=",
];

/// Messages are cut here; longer ones are nobody's.
const MOST_BYTES: usize = 4096;

/// The service manager that waits for word, if there is one: the value of `NOTIFY_SOCKET`.
pub(super) fn service_manager(config: &Config) -> Option<String> {
    let address = std::env::var("NOTIFY_SOCKET").ok()?;
    let is_address = address.starts_with(['/', '@']);
    (is_address && config.notify != Notify::Ignore).then_some(address)
}

/// Says that the program runs. `Conmon`: and that this is all there is to wait for.
pub(super) fn tell_started(to: &str, how: Notify) {
    let main = format!("MAINPID={}\n", std::process::id());
    match how {
        Notify::Conmon => send(to, &format!("{main}READY=1\n")),
        Notify::Container | Notify::Healthy => send(to, &main),
        Notify::Ignore => {}
    }
}

/// Says that the container is ready.
pub(super) fn tell_ready(to: &str) {
    send(to, "READY=1\n");
}

fn send(to: &str, text: &str) {
    // Whoever asked to be told may be gone; that is no fault of the container's.
    if let Err(error) = try_send(to, text) {
        log::debug!("{error}");
    }
}

fn try_send(to: &str, text: &str) -> Result<()> {
    let address = match to.strip_prefix('@') {
        Some(name) => SocketAddrUnix::new_abstract_name(name.as_bytes()),
        None => SocketAddrUnix::new(to),
    };
    let address = address.context(|| format!("reach {to}"))?;
    let sent = rustix::net::sendto(
        socket()?,
        text.as_bytes(),
        SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
        &address,
    );
    sent.map(drop).context(|| format!("tell {to}"))
}

fn socket() -> Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (family, kind) = (AddressFamily::UNIX, SocketType::DGRAM);
    rustix::net::socket_with(family, kind, flags, None).context(|| "make a socket")
}

/// Lets a container that is to say it itself do so: its end of the socket goes into the record that
/// it is started from. Where nobody waits for word there is none.
pub(super) fn give_socket(
    config: &mut Config,
    run: &Path,
    waiting: Option<&str>,
) -> Result<Option<OwnedFd>> {
    if waiting.is_none() || config.notify != Notify::Container {
        return Ok(None);
    }
    let socket = listen(run)?;
    let options = ["rprivate", "nosuid", "nodev", "noexec"];
    config.mounts.push(Mount {
        kind: MountKind::Bind,
        source: run.join("notify"),
        target: DIRECTORY.into(),
        options: options.map(str::to_owned).into(),
    });
    config.process.env.push(VARIABLE.to_owned());
    Ok(Some(socket))
}

/// Makes the container's socket.
fn listen(run: &Path) -> Result<OwnedFd> {
    let directory = run.join("notify");
    let subject = || format!("make the socket in {}", directory.display());
    // One of the last start may be there.
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir(&directory).context(subject)?;
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).context(subject)
    };
    mode(&directory, 0o755)?;
    let socket = socket()?;
    // An address holds 108 bytes only, unix(7); a descriptor's path is short.
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(CWD, &directory, flags, Mode::empty()).context(subject)?;
    let path = format!("/proc/self/fd/{}/socket", opened.as_raw_fd());
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?).context(subject)?;
    // The program may run as any user of the container.
    mode(&directory.join("socket"), 0o666)?;
    Ok(socket)
}

/// Passes on what the container says.
#[derive(Debug)]
pub(super) struct Relay {
    pub from: OwnedFd,
    pub to: String,
}

impl Chore for Relay {
    fn due(&self) -> Option<Instant> {
        None
    }

    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.from.as_fd()]
    }

    fn turn(&mut self) {
        let mut buffer = [0; MOST_BYTES];
        // One message a turn: a container that floods us does not keep us from the rest.
        if let Ok((count, _)) = rustix::net::recv(&self.from, &mut buffer[..], RecvFlags::DONTWAIT)
        {
            let passed = passed(&String::from_utf8_lossy(&buffer[..count]));
            if !passed.is_empty() {
                send(&self.to, &passed);
            }
        }
    }
}

/// The lines that may go on.
fn passed(message: &str) -> String {
    let may_pass = |line: &&str| PASSED.iter().any(|start| line.starts_with(start));
    let lines = message.lines().filter(may_pass);
    lines.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a95_a_container_says_how_it_fares_and_nothing_else() {
        let message = "READY=1\nSTATUS=up\nMAINPID=1\nFDSTORE=1\nBUSERROR=x\nREADY=0";
        assert_eq!(passed(message), "READY=1\nSTATUS=up\n");
        assert_eq!(passed("MAINPID=1"), "");
    }
}
