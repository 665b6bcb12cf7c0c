//! `hull healthcheck run`.

use crate::cli::flags::{Matches, switch};
use crate::cli::{Command, Words, output};
use crate::config::Settings;
use crate::container;
use crate::error::{Result, Scope};

pub const COMMAND: Command = Command {
    paths: &["healthcheck run"],
    about: "Run the health check of a container once: 0 healthy, 1 unhealthy",
    usage: "[OPTIONS] CONTAINER",
    words: Words::Exactly(1),
    scope: Scope::Run,
    arguments: |command| {
        command.arg(switch(
            "ignore-result",
            "Exit with 0 whatever the check says",
        ))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let name = matches.words()[0];
    let id = container::records(settings).find(name)?;
    let healthy = container::check_health(settings, &id, name)?;
    output::line(if healthy { "healthy" } else { "unhealthy" })?;
    Ok(u8::from(!healthy && !matches.on("ignore-result")))
}
