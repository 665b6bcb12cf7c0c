//! `hull oci …`, also called `hull-runc …`: runc's command line over OCI bundles, for programs that
//! drive a runtime (conmon, podman, conformance suites). What it does is [`Containers`]'.

pub mod create;
pub mod delete;
pub mod features;
pub mod kill;
pub mod list;
pub mod spec;
pub mod start;
pub mod state;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use serde_json::json;

use crate::base::Timestamp;
use crate::cli::flags::{self, Matches};
use crate::cli::version::VERSION;
use crate::config::Settings;
use crate::error::{Context as _, Error, Result};
use crate::runtime::bundle::Containers;

/// The version of the runtime specification that is implemented.
const SPEC_VERSION: &str = "1.2.0";

/// The flags that runc takes before the subcommand. Every subcommand declares them, so that they
/// may stand on either side of it.
pub fn globals(command: clap::Command) -> clap::Command {
    command
        .arg(flags::switch("debug", "Accepted and ignored"))
        .arg(flags::text("log", "path", "Append errors to this file too"))
        .arg(flags::text(
            "log-format",
            "string",
            "Format of the lines in the log: text or json",
        ))
        .arg(flags::text(
            "root",
            "path",
            "Directory of container state (RUNROOT/oci unless given)",
        ))
        .arg(flags::text(
            "rootless",
            "value",
            "Accepted and ignored: hull finds out by itself",
        ))
        .arg(flags::switch(
            "systemd-cgroup",
            "Take linux.cgroupsPath as slice:prefix:name",
        ))
}

/// `hull oci --version`, in the lines that callers of runc read.
pub fn version() -> String {
    format!("hull version {VERSION}\nspec: {SPEC_VERSION}\n")
}

/// Acts on the containers of `--root`; errors reach the log, if there is one, and the caller.
fn on_containers(
    matches: &Matches,
    settings: &Settings,
    act: impl FnOnce(&Containers) -> Result<u8>,
) -> Result<u8> {
    let result = check_log_format(matches).and_then(|()| {
        let root = matches.text("root").map(PathBuf::from);
        act(&Containers::at(
            &root.unwrap_or_else(|| settings.run.join("oci")),
        )?)
    });
    // Callers read the reason from the log, users from stderr; runc tells both too.
    if let (Err(error), Some(file)) = (&result, matches.text("log")) {
        append(file, &log_line(matches.text("log-format"), error))?;
    }
    result
}

fn check_log_format(matches: &Matches) -> Result<()> {
    match matches.text("log-format") {
        None | Some("text" | "json") => Ok(()),
        Some(other) => {
            Err(Error::invalid(format!("invalid log format {other:?}")).hint("text or json"))
        }
    }
}

fn append(file: &str, line: &str) -> Result<()> {
    let opened = OpenOptions::new().append(true).create(true).open(file);
    let written = opened.and_then(|mut log| log.write_all(line.as_bytes()));
    written.context(|| format!("write log {file}"))
}

/// One line as runc writes it; podman looks for `level` and `msg`.
fn log_line(format: Option<&str>, error: &Error) -> String {
    let (message, time) = (error.to_string(), Timestamp::now().to_string());
    match format {
        Some("json") => {
            let line = json!({"level": "error", "msg": message, "time": time});
            format!("{line}\n")
        }
        _ => format!("time={time:?} level=error msg={message:?}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_lines_are_those_of_runc() {
        let error = Error::not_found("no \"x\"\nhere").wrap("exec");
        let line = log_line(Some("json"), &error);
        assert!(line.ends_with("}\n"), "{line:?}");
        let value: serde_json::Value = serde_json::from_str(&line).expect("one JSON value");
        assert_eq!(value["level"], "error");
        assert_eq!(value["msg"], "exec: no \"x\"\nhere");
        let line = log_line(None, &error);
        assert!(line.contains(" level=error msg=\"exec: no"), "{line}");
        assert_eq!(line.matches('\n').count(), 1, "{line:?}");
    }
}
