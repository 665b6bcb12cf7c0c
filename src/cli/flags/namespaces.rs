//! `--pid`, `--ipc`, `--uts`, `--cgroupns`, `--userns`: whose namespaces a container lives in.

use clap::Command;

use super::{Matches, text};
use crate::container::Request;
use crate::error::{Error, Result};
use crate::state::NamespaceMode;

/// Declares them.
pub fn declare(command: Command) -> Command {
    let ipc = "IPC mode: private, shareable, none, host or container:NAME";
    command
        .arg(text(
            "cgroupns",
            "string",
            "Cgroup namespace: host or private",
        ))
        .arg(text("ipc", "string", ipc))
        .arg(text(
            "pid",
            "string",
            "PID namespace: private, host or container:NAME",
        ))
        .arg(text("userns", "string", "User namespace: host"))
        .arg(text(
            "uts",
            "string",
            "UTS namespace: private, host or container:NAME",
        ))
}

/// Fills them in.
pub fn fill(matches: &Matches, request: &mut Request) -> Result<()> {
    let all = &mut request.namespaces;
    all.pid = mode(matches.text("pid"), "--pid: invalid PID mode", &[])?;
    let shared = [
        ("shareable", NamespaceMode::Shareable),
        ("none", NamespaceMode::None),
    ];
    let ipc = matches.text("ipc");
    let refusal = format!("Invalid IPC mode: {}", ipc.unwrap_or_default());
    all.ipc = mode(ipc, &refusal, &shared)?;
    all.uts = mode(matches.text("uts"), "--uts: invalid UTS mode", &[])?;
    all.cgroup = mode(
        matches.text("cgroupns"),
        "--cgroupns: invalid CGROUP mode",
        &[],
    )?;
    if let NamespaceMode::Container(_) = all.cgroup {
        return Err(Error::invalid("--cgroupns: invalid CGROUP mode"));
    }
    all.user = user(matches.text("userns"))?;
    Ok(())
}

fn mode(
    text: Option<&str>,
    refusal: &str,
    more: &[(&str, NamespaceMode)],
) -> Result<NamespaceMode> {
    let refuse = || Error::invalid(refusal);
    match text {
        None | Some("") => Ok(NamespaceMode::Default),
        Some("private") => Ok(NamespaceMode::Private),
        Some("host") => Ok(NamespaceMode::Host),
        Some(other) => {
            if let Some((_, mode)) = more.iter().find(|(name, _)| *name == other) {
                return Ok(mode.clone());
            }
            if other.starts_with("ns:") {
                return Err(refuse().hint("a namespace by its path is not supported yet"));
            }
            let name = other.strip_prefix("container:").ok_or_else(refuse)?;
            match name {
                "" => Err(refuse()),
                name => Ok(NamespaceMode::Container(name.to_owned())),
            }
        }
    }
}

fn user(text: Option<&str>) -> Result<NamespaceMode> {
    let kind = text.unwrap_or_default().split(':').next();
    match kind.unwrap_or_default() {
        "" => Ok(NamespaceMode::Default),
        "host" => Ok(NamespaceMode::Host),
        name @ ("keep-id" | "auto" | "nomap" | "private" | "ns" | "container") => {
            let what = format!("--userns {name} is not supported yet");
            Err(Error::unsupported(what).hint("a container has the user namespace of its user"))
        }
        _ => Err(Error::invalid("--userns: invalid USER mode")),
    }
}
