//! `hull kill`.

use super::select;
use crate::cli::Command;
use crate::cli::flags::{Matches, text};
use crate::config::Settings;
use crate::container;
use crate::error::{Error, Result};
use crate::state::Status;

pub const COMMAND: Command = Command {
    paths: &["kill", "container kill"],
    about: "Kill one or more running containers",
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    words: select::WORDS,
    arguments: |command| {
        command
            .arg(text("signal", "string", "Signal to send to the container").short('s'))
            .arg(select::all("Signal all containers that run"))
            .arg(select::cidfile())
            .arg(select::latest())
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let name = matches.text("signal").unwrap_or("KILL");
    let signal = crate::sys::signal::parse(name)
        .ok_or_else(|| Error::invalid(format!("Invalid signal: {name}")))?;
    let is_up = |status| {
        matches!(
            status,
            Status::Running | Status::Paused | Status::Restarting
        )
    };
    let chosen = select::choose(matches, settings, is_up)?;
    chosen.each(settings, |id, name| {
        container::kill(settings, id, name, signal)
    })
}
