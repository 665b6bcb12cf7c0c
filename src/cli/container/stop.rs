//! `hull stop` and `hull restart`.

use std::time::Duration;

use super::for_each;
use crate::cli::flags::{Matches, integer, text};
use crate::cli::{Command, Words};
use crate::config::Settings;
use crate::container::{self, Foreground};
use crate::error::{Error, Result};

pub const COMMAND: Command = Command {
    paths: &["stop", "container stop"],
    about: "Stop one or more running containers",
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    words: Words::AtLeast(1),
    arguments,
    run,
    ..Command::BASE
};

pub const RESTART: Command = Command {
    paths: &["restart", "container restart"],
    about: "Restart one or more containers",
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
    for_each(settings, &matches.words(), |id, _| how.stop(settings, id))
}

fn restart(matches: &Matches, settings: &Settings) -> Result<u8> {
    let how = How::of(matches)?;
    for_each(settings, &matches.words(), |id, _| {
        how.stop(settings, id)?;
        container::start(settings, id, Foreground::Detached)?;
        container::notice(&container::records(settings), id, "restart", &[]);
        Ok(())
    })
}
