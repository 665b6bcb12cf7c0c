//! What systemd wants of a container in which it is the first process
//! (systemd.io/CONTAINER_INTERFACE).

use super::create::scratch;
use super::request::Systemd;
use crate::base::ContainerId;
use crate::state::{Mount, ProcessConfig};

/// Asks systemd to shut down.
pub(super) const STOP_SIGNAL: &str = "SIGRTMIN+3";

/// Commands that are systemd, or a name for it.
const COMMANDS: [&str; 5] = [
    "/sbin/init",
    "/usr/sbin/init",
    "/usr/local/sbin/init",
    "/lib/systemd/systemd",
    "/usr/lib/systemd/systemd",
];

/// Whether this container is set up for systemd.
pub(super) fn is_wanted(choice: Systemd, process: &ProcessConfig) -> bool {
    match choice {
        Systemd::No => false,
        Systemd::Always => true,
        Systemd::IfItIsTheCommand => {
            let arguments = process.arguments();
            let program = arguments.first().map_or("", String::as_str);
            COMMANDS.contains(&program) || matches!(program, "init" | "systemd")
        }
    }
}

/// The directories that systemd expects to be empty and its own.
pub(super) fn mounts() -> Vec<Mount> {
    let options = ["rw", "mode=755"];
    let open = ["rw", "mode=1777"];
    vec![
        scratch("/run", &options),
        scratch("/run/lock", &options),
        scratch("/tmp", &open),
        scratch("/var/log/journal", &options),
    ]
}

/// systemd makes the machine id of this.
pub(super) fn add_environment(env: &mut Vec<String>, id: &ContainerId) {
    if !env.iter().any(|entry| entry.starts_with("container_uuid=")) {
        env.push(format!("container_uuid={}", &id.to_string()[..32]));
    }
}
