//! `hull image exists`: for scripts, the answer is the exit code.

use crate::cli::flags::Matches;
use crate::cli::{Command, Words, store};
use crate::config::Settings;
use crate::error::{Kind, Result};
use crate::image;

pub const COMMAND: Command = Command {
    paths: &["image exists"],
    about: "Check if an image exists: exit code 0 if it does, 1 if not",
    usage: "IMAGE",
    words: Words::Exactly(1),
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let Some(store) = store::open_existing(settings)? else {
        return Ok(1);
    };
    match image::find(&store, matches.words()[0]) {
        Ok(_) => Ok(0),
        Err(error) if error.kind() == Kind::NotFound => Ok(1),
        Err(error) => Err(error),
    }
}
