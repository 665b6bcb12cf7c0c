//! `hull wait`.

use crate::cli::flags::Matches;
use crate::cli::{Command, Words, output};
use crate::config::Settings;
use crate::container;
use crate::error::{Result, Scope};

pub const COMMAND: Command = Command {
    paths: &["wait", "container wait"],
    about: "Block until one or more containers stop, then print their exit codes",
    usage: "CONTAINER [CONTAINER...]",
    words: Words::AtLeast(1),
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let records = container::records(settings);
    let mut result = 0;
    for name in matches.words() {
        match records
            .find(name)
            .and_then(|id| container::wait(settings, &id))
        {
            Ok(code) => output::line(code)?,
            Err(error) => result = output::error(Scope::Other, &error),
        }
    }
    Ok(result)
}
