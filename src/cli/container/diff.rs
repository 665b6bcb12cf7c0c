//! `hull diff`.

use crate::cli::flags::Matches;
use crate::cli::{Command, MappedRoot, Words, output, store};
use crate::config::Settings;
use crate::container;
use crate::error::{Error, Result};

pub const COMMAND: Command = Command {
    paths: &["diff", "container diff"],
    about: "Inspect changes to files or directories on a container's filesystem",
    usage: "CONTAINER",
    words: Words::Exactly(1),
    mapped_root: MappedRoot::Always,
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let name = matches.words()[0];
    let store = store::open_existing(settings)?
        .ok_or_else(|| Error::not_found(format!("No such container: {name}")))?;
    let id = container::records(settings).find(name)?;
    for change in container::diff(settings, &store, &id)? {
        let path = String::from_utf8_lossy(&change.path).into_owned();
        // A file's name is its maker's: one change is one line.
        output::line(format_args!(
            "{} {}",
            change.kind,
            path.replace('\n', "\\n")
        ))?;
    }
    Ok(0)
}
