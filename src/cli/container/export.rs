//! `hull export`.

use std::io;

use crate::cli::flags::{Matches, text};
use crate::cli::target::Target;
use crate::cli::{Command, MappedRoot, Words, output, store};
use crate::config::Settings;
use crate::container;
use crate::error::{Error, Result};

pub const COMMAND: Command = Command {
    paths: &["export", "container export"],
    about: "Export a container's filesystem as a tar archive",
    usage: "[OPTIONS] CONTAINER",
    words: Words::Exactly(1),
    mapped_root: MappedRoot::Always,
    arguments: |command| {
        let output = "Write to a file, instead of STDOUT";
        command.arg(text("output", "string", output).short('o'))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let name = matches.words()[0];
    let file = matches.text("output").filter(|path| !path.is_empty());
    if file.is_none() && output::stdout_is_terminal() {
        return Err(Error::invalid(
            "cowardly refusing to save to a terminal. Use the -o flag or redirect",
        ));
    }
    let target = file.map(|path| Target::new(path, "failed to export container"));
    let target = target.transpose()?;
    let store = store::open_existing(settings)?
        .ok_or_else(|| Error::not_found(format!("No such container: {name}")))?;
    let id = container::records(settings).find(name)?;
    let mut pack = container::export(settings, &store, &id)?;
    match target {
        None => {
            container::pour(&mut pack, &mut io::stdout().lock(), "standard output").map(drop)?
        }
        Some(mut target) => {
            container::pour(&mut pack, &mut target.file, &target.path.to_string_lossy())?;
            container::exported(settings, &id)?;
            target.keep()?;
            return Ok(0);
        }
    }
    container::exported(settings, &id)?;
    Ok(0)
}
