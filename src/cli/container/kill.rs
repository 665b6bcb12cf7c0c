//! `hull kill`.

use super::for_each;
use crate::cli::flags::{Matches, text};
use crate::cli::{Command, Words};
use crate::config::Settings;
use crate::container;
use crate::error::{Error, Result};

pub const COMMAND: Command = Command {
    paths: &["kill", "container kill"],
    about: "Kill one or more running containers",
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    words: Words::AtLeast(1),
    arguments: |command| {
        command.arg(text("signal", "string", "Signal to send to the container").short('s'))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let name = matches.text("signal").unwrap_or("KILL");
    let signal = crate::sys::signal::parse(name)
        .ok_or_else(|| Error::invalid(format!("Invalid signal: {name}")))?;
    for_each(settings, &matches.words(), |id, name| {
        container::kill(settings, id, name, signal)
    })
}
