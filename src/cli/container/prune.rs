//! `hull container prune`, and what all prunes have in common.

use crate::base::{ByteSize, Timestamp};
use crate::cli::confirm::confirm;
use crate::cli::flags::{self, Filters, Matches, switch};
use crate::cli::{Command, output};
use crate::config::Settings;
use crate::container::{self, ContainersPruned};
use crate::error::{Error, Result, Scope};

pub const COMMAND: Command = Command {
    paths: &["container prune"],
    about: "Remove all stopped containers",
    arguments: |command| {
        let about = "Provide filter values (e.g. \"until=<timestamp>\")";
        command.arg(filter(about)).arg(force())
    },
    run,
    ..Command::BASE
};

/// What prunes are filtered by.
pub const KEYS: &[&str] = &["until", "label", "label!"];

/// `--filter`, which has no short form here: `-f` is [`force`].
pub fn filter(about: &'static str) -> clap::Arg {
    flags::filter(about).short(None)
}

pub fn force() -> clap::Arg {
    switch("force", "Do not prompt for confirmation").short('f')
}

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let filters = Filters::check(&matches.filters(), KEYS)?;
    // A wrong time is told before the question.
    filters.until(Timestamp::now())?;
    let warning = "WARNING! This will remove all stopped containers.";
    if !matches.on("force") && !confirm(warning)? {
        return Ok(0);
    }
    let pruned = remove(settings, &filters)?;
    print(&pruned)?;
    reclaimed(pruned.bytes)?;
    Ok(tell(&pruned.failed))
}

/// Removes the stopped containers that the filters want gone.
pub fn remove(settings: &Settings, filters: &Filters) -> Result<ContainersPruned> {
    let until = filters.until(Timestamp::now())?;
    container::prune(settings, |record, config| {
        filters.labels(&config.labels) && until.is_none_or(|until| record.state.created < until)
    })
}

/// `Deleted Containers:` and the ids, if there are any.
pub fn print(pruned: &ContainersPruned) -> Result<()> {
    if pruned.ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = pruned.ids.iter().map(ToString::to_string).collect();
    output::line(format_args!("Deleted Containers:\n{}\n", ids.join("\n")))
}

pub fn reclaimed(bytes: u64) -> Result<()> {
    let size = ByteSize(bytes).human(4);
    output::line(format_args!("Total reclaimed space: {size}"))
}

/// Prints what could not be removed; the result is the exit code.
pub fn tell(failed: &[Error]) -> u8 {
    let codes = failed
        .iter()
        .map(|error| output::error(Scope::Other, error));
    codes.max().unwrap_or(0)
}
