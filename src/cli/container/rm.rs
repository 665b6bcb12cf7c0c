//! `hull rm`.

use super::for_each;
use crate::cli::flags::{Matches, switch};
use crate::cli::{Command, Words, output};
use crate::config::Settings;
use crate::container::{self, Force};
use crate::error::{Kind, Result, Scope};

pub const COMMAND: Command = Command {
    paths: &["rm", "container rm", "container remove"],
    about: "Remove one or more containers",
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    words: Words::AtLeast(1),
    arguments: |command| {
        command
            .arg(
                switch(
                    "force",
                    "Force the removal of a running container (uses SIGKILL)",
                )
                .short('f'),
            )
            .arg(
                switch(
                    "volumes",
                    "Remove anonymous volumes associated with the container",
                )
                .short('v'),
            )
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    if !matches.on("force") {
        return for_each(settings, &matches.words(), |id, _| {
            container::remove(settings, id, Force::No)
        });
    }
    let records = container::records(settings);
    let mut code = 0;
    for name in matches.words() {
        let removed = records
            .find(name)
            .and_then(|id| container::remove(settings, &id, Force::Yes));
        match removed {
            Ok(()) => output::line(name)?,
            // Gone is what was asked for: said, but no failure.
            Err(error) if error.kind() == Kind::NotFound => {
                output::error(Scope::Other, &error);
            }
            Err(error) => code = output::error(Scope::Other, &error),
        }
    }
    Ok(code)
}
