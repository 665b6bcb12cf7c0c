//! `hull oci list`.

use super::state::{document, owner};
use super::{globals, on_containers};
use crate::cli::flags::{self, Matches};
use crate::cli::{Command, output};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::runtime::bundle::State;

pub const COMMAND: Command = Command {
    paths: &["oci list"],
    about: "List the containers of a root",
    arguments: |command| {
        let format = flags::text("format", "string", "table or json").short('f');
        globals(command)
            .arg(format)
            .arg(flags::switch("quiet", "Print ids only").short('q'))
    },
    run: |matches: &Matches, settings: &Settings| {
        on_containers(matches, settings, |containers| {
            let states = containers.list()?;
            if matches.on("quiet") {
                states
                    .iter()
                    .try_for_each(|state| output::line(&state.id))?;
                return Ok(0);
            }
            match matches.text("format") {
                Some("json") => json(&states)?,
                None | Some("table") => table(&states)?,
                Some(other) => {
                    let text = format!("invalid format {other:?}");
                    return Err(Error::invalid(text).hint("table or json"));
                }
            }
            Ok(0)
        })
    },
    ..Command::BASE
};

fn json(states: &[State]) -> Result<()> {
    let documents: Vec<_> = states.iter().map(document).collect();
    output::line(serde_json::Value::Array(documents))
}

fn table(states: &[State]) -> Result<()> {
    let mut table = output::Table::new(&["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]);
    for state in states {
        table.row(&[
            &state.id,
            &state.pid.to_string(),
            &state.status,
            &state.bundle.to_string_lossy(),
            &state.created.to_string(),
            &owner(&state.bundle),
        ]);
    }
    table.print()
}
