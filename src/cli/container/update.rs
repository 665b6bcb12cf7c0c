//! `hull update`.

use super::{select, warn_of_limits};
use crate::cli::flags::{Matches, lifecycle, limits};
use crate::cli::{Command, Words};
use crate::config::Settings;
use crate::container::{self, Change};
use crate::error::{Error, Result};
use crate::state::Limits;

pub const COMMAND: Command = Command {
    paths: &["update", "container update"],
    about: "Update configuration of one or more containers",
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    words: Words::AtLeast(1),
    arguments: |command| limits::declare(command).arg(lifecycle::restart_flag()),
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let change = Change {
        limits: limits::limits(matches)?,
        restart: matches
            .text("restart")
            .map(lifecycle::restart)
            .transpose()?,
    };
    if change.limits == Limits::default() && change.restart.is_none() {
        return Err(Error::invalid(
            "you must provide one or more flags when using this command",
        ));
    }
    warn_of_limits(settings, &change.limits)?;
    let chosen = select::choose(matches, settings, |_| false)?;
    chosen.each(settings, |id, _| container::update(settings, id, &change))
}
