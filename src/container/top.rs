//! `top`: the processes of a running container.
//!
//! Docker runs the host's ps(1) and picks lines by the column PID, which fails without procps and
//! with formats that lack the column, and asks for every process of the host. hull knows the usual
//! formats by itself and asks ps only for others, with the ids given.

use std::process::{Command, Stdio};

use super::processes::{ProcessInfo, processes};
use crate::base::ContainerId;
use crate::config::Settings;
use crate::error::{Context as _, Error, Kind, Result};
use crate::state::Status;

/// The processes, lowest id first.
///
/// # Errors
/// `Conflict` in Docker's words if the container does not run.
pub fn top(settings: &Settings, id: &ContainerId) -> Result<Vec<ProcessInfo>> {
    let records = super::records(settings);
    super::reconcile(settings, id)?;
    let record = records.record(id)?;
    let not_running = || Error::conflict(format!("Container {id} is not running"));
    if record.state.status == Status::Restarting {
        let text = "is restarting, wait until the container is running";
        return Err(Error::conflict(format!("Container {id} {text}")));
    }
    let live = record.live.ok_or_else(not_running)?;
    let found = processes(&records, id, &live)?;
    super::notice(&records, id, "top", &[]);
    Ok(found)
}

/// What the host's ps(1) prints with these options: its lines, the header first.
///
/// # Errors
/// `Unsupported` where there is no ps, and what it says of options that it does not know.
pub fn host_ps(options: &[&str], processes: &[ProcessInfo]) -> Result<Vec<String>> {
    let pids: Vec<i32> = processes.iter().map(|process| process.pid).collect();
    let list: Vec<String> = pids.iter().map(ToString::to_string).collect();
    let chosen = ps(options, Some(&format!("-q{}", list.join(","))));
    if let Ok(lines) = chosen {
        return Ok(lines);
    }
    // These options choose processes themselves: pick ours.
    let mut lines = ps(options, None)?.into_iter();
    let header = lines.next().unwrap_or_default();
    let column = header.split_whitespace().position(|name| name == "PID");
    let column = column.ok_or_else(|| Error::invalid("Couldn't find PID field in ps output"))?;
    let ours = |line: &String| {
        let pid = line.split_whitespace().nth(column);
        pid.and_then(|pid| pid.parse().ok())
            .is_some_and(|pid| pids.contains(&pid))
    };
    Ok(std::iter::once(header.clone())
        .chain(lines.filter(ours))
        .collect())
}

fn ps(options: &[&str], chosen: Option<&str>) -> Result<Vec<String>> {
    let mut command = Command::new("ps");
    command.args(options).args(chosen).stdin(Stdio::null());
    let output = command.output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::unsupported("these options need ps(1), which this host does not have")
                .hint("without it: no options, aux, or -o with the usual columns")
        }
        _ => Error::from(error).wrap("run ps"),
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("it failed").to_owned();
        return Err(Error::new(Kind::Invalid, said)).context(|| "ps");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().map(str::to_owned).collect())
}
