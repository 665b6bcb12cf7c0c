//! `hull stop` and `hull restart`.

use std::time::Duration;

use super::select;
use crate::cli::Command;
use crate::cli::flags::{Matches, integer, switch, text};
use crate::config::Settings;
use crate::container::{self, Foreground};
use crate::error::{Error, Result};
use crate::state::Status;

pub const COMMAND: Command = Command {
    paths: &["stop", "container stop"],
    about: "Stop one or more running containers",
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    words: select::WORDS,
    arguments: |command| arguments(command).arg(select::ignore()),
    run,
    ..Command::BASE
};

pub const RESTART: Command = Command {
    paths: &["restart", "container restart"],
    about: "Restart one or more containers",
    arguments: |command| {
        let about = "With --all: only the containers that run";
        arguments(command).arg(switch("running", about))
    },
    run: restart,
    ..COMMAND
};

fn arguments(command: clap::Command) -> clap::Command {
    command
        .arg(text("signal", "string", "Signal to send to the container").short('s'))
        .arg(
            integer("timeout", "Seconds to wait before killing the container")
                .short('t')
                .alias("time"),
        )
        .arg(select::all("Act on all containers"))
        .arg(select::cidfile())
        .arg(select::filter())
        .arg(select::latest())
}

/// What `-s` and `-t` say.
struct How {
    signal: Option<i32>,
    seconds: Option<i64>,
}

impl How {
    fn of(matches: &Matches) -> Result<How> {
        let signal = matches.text("signal").map(|name| {
            crate::sys::signal::parse(name)
                .ok_or_else(|| Error::invalid(format!("Invalid signal: {name}")))
        });
        Ok(How {
            signal: signal.transpose()?,
            seconds: matches.value::<i64>("timeout"),
        })
    }

    /// The grace time: the flag's, or the container's own. A negative one waits for ever.
    fn grace(&self, of_container: u32) -> Option<Duration> {
        let seconds = self.seconds.unwrap_or(i64::from(of_container));
        if of_container == u32::MAX && self.seconds.is_none() {
            return None;
        }
        u64::try_from(seconds).ok().map(Duration::from_secs)
    }

    fn stop(&self, settings: &Settings, id: &crate::base::ContainerId) -> Result<()> {
        let config = container::records(settings).config(id)?;
        container::stop(settings, id, self.signal, self.grace(config.stop_timeout))
    }
}

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let how = How::of(matches)?;
    let chosen = select::choose(matches, settings, is_up)?;
    chosen.each(settings, |id, _| how.stop(settings, id))
}

fn restart(matches: &Matches, settings: &Settings) -> Result<u8> {
    let how = How::of(matches)?;
    let chosen = select::choose(matches, settings, |_| true)?;
    chosen.each(settings, |id, _| {
        how.stop(settings, id)?;
        container::start(settings, id, Foreground::Detached)?;
        container::notice(&container::records(settings), id, "restart", &[]);
        Ok(())
    })
}

fn is_up(status: Status) -> bool {
    matches!(
        status,
        Status::Running | Status::Paused | Status::Restarting
    )
}
