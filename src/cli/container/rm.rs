//! `hull rm`.

use std::time::Duration;

use super::select;
use crate::base::ContainerId;
use crate::cli::flags::{Matches, integer, switch};
use crate::cli::{Command, output};
use crate::config::Settings;
use crate::container::{self, Force};
use crate::error::{Error, Kind, Result, Scope};

pub const COMMAND: Command = Command {
    paths: &["rm", "container rm", "container remove"],
    about: "Remove one or more containers",
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    words: select::WORDS,
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
            .arg(select::all("Remove all containers"))
            .arg(select::cidfile())
            .arg(select::filter().short(None))
            .arg(select::ignore())
            .arg(select::latest().short(None))
            .arg(
                integer(
                    "timeout",
                    "With --force: seconds to wait before killing the container",
                )
                .short('t')
                .alias("time"),
            )
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let chosen = select::choose(matches, settings, |_| true)?;
    let seconds = matches.value::<i64>("timeout");
    if !matches.on("force") {
        if seconds.is_some() {
            return Err(Error::invalid("--timeout needs --force"));
        }
        return chosen.each(settings, |id, _| container::remove(settings, id, Force::No));
    }
    let records = container::records(settings);
    let mut code = 0;
    for name in &chosen.names {
        let removed = records
            .find(name)
            .and_then(|id| remove_by_force(settings, &id, seconds));
        match removed {
            Ok(()) => output::line(name)?,
            // Gone is what was asked for: said, but no failure.
            Err(error) if error.kind() == Kind::NotFound => {
                if !matches.on("ignore") {
                    output::error(Scope::Other, &error);
                }
            }
            Err(error) => code = output::error(Scope::Other, &error),
        }
    }
    Ok(code)
}

fn remove_by_force(settings: &Settings, id: &ContainerId, seconds: Option<i64>) -> Result<()> {
    if let Some(seconds) = seconds {
        let grace = u64::try_from(seconds).ok().map(Duration::from_secs);
        container::stop(settings, id, None, grace)?;
    }
    container::remove(settings, id, Force::Yes)
}
