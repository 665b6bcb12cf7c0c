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
    let mut rows = vec![["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"].map(str::to_owned)];
    rows.extend(states.iter().map(|state| {
        [
            state.id.clone(),
            state.pid.to_string(),
            state.status.clone(),
            state.bundle.display().to_string(),
            state.created.to_string(),
            owner(&state.bundle),
        ]
    }));
    let widths: [usize; 6] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0).max(9) + 3
    });
    for row in rows {
        let cells = row.iter().zip(widths);
        let text: String = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        output::line(text.trim_end())?;
    }
    Ok(())
}
