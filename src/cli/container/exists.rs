//! `hull container exists`: for scripts, the answer is the exit code.

use crate::cli::flags::{Matches, switch};
use crate::cli::{Command, Words};
use crate::config::Settings;
use crate::container;
use crate::error::{Kind, Result, Scope};

pub const COMMAND: Command = Command {
    paths: &["container exists"],
    about: "Check if a container exists: exit code 0 if it does, 1 if not, 125 on an error",
    usage: "[OPTIONS] CONTAINER",
    words: Words::Exactly(1),
    // Whatever else goes wrong is 125, which no script takes for "no".
    scope: Scope::Run,
    arguments: |command| {
        command.arg(switch(
            "external",
            "Accepted: containers of other programs are not in this store",
        ))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    match container::records(settings).find(matches.words()[0]) {
        Ok(_) => Ok(0),
        Err(error) if error.kind() == Kind::NotFound => Ok(1),
        Err(error) => Err(error),
    }
}
