//! `hull rename`.

use crate::cli::flags::Matches;
use crate::cli::{Command, Words, output};
use crate::config::Settings;
use crate::container;
use crate::error::{Error, Result, Scope};

pub const COMMAND: Command = Command {
    paths: &["rename", "container rename"],
    about: "Rename a container",
    usage: "CONTAINER NEW_NAME",
    words: Words::Exactly(2),
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let words = matches.words();
    if words.iter().any(|word| word.trim().is_empty()) {
        return Err(Error::invalid("Neither old nor new names may be empty"));
    }
    let found = container::records(settings).find(words[0]);
    match found.and_then(|id| container::rename(settings, &id, words[1])) {
        Ok(()) => Ok(0),
        Err(error) => {
            let code = output::error(Scope::Other, &error);
            output::note(format_args!(
                "Error: failed to rename container named {}",
                words[0]
            ));
            Ok(code)
        }
    }
}
