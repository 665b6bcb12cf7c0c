//! `hull pause` and `hull unpause`.

use super::select;
use crate::cli::Command;
use crate::container;
use crate::state::Status;

pub const COMMAND: Command = Command {
    paths: &["pause", "container pause"],
    about: "Pause all processes within one or more containers",
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    words: select::WORDS,
    arguments,
    run: |matches, settings| {
        let chosen = select::choose(matches, settings, |status| status == Status::Running)?;
        chosen.each(settings, |id, _| container::pause(settings, id))
    },
    ..Command::BASE
};

pub const UNPAUSE: Command = Command {
    paths: &["unpause", "container unpause"],
    about: "Unpause all processes within one or more containers",
    run: |matches, settings| {
        let chosen = select::choose(matches, settings, |status| status == Status::Paused)?;
        chosen.each(settings, |id, _| container::unpause(settings, id))
    },
    ..COMMAND
};

fn arguments(command: clap::Command) -> clap::Command {
    command
        .arg(select::all("Act on all containers"))
        .arg(select::cidfile())
        .arg(select::filter())
        .arg(select::latest())
}
