//! `hull wait`.

use std::time::Duration;

use super::select;
use crate::base::ContainerId;
use crate::cli::flags::{self, Matches, list, switch, text};
use crate::cli::{Command, output};
use crate::config::Settings;
use crate::container;
use crate::error::{Error, Kind, Result, Scope};
use crate::state::Status;

pub const COMMAND: Command =
    Command {
        paths: &["wait", "container wait"],
        about: "Block until one or more containers stop, then print their exit codes",
        usage: "[OPTIONS] CONTAINER [CONTAINER...]",
        words: select::WORDS,
        arguments: |command| {
            command
            .arg(list(
                "condition",
                "string",
                "Wait for one of these states instead: created, running, paused, exited, stopped",
            ))
            .arg(switch(
                "exit-first-match",
                "Return when the first container meets a condition",
            ))
            .arg(switch("ignore", "Print -1 for a container that does not exist"))
            .arg(
                text("interval", "duration", "Time between two looks at the state")
                    .short('i'),
            )
            .arg(select::latest())
        },
        run,
        ..Command::BASE
    };

/// podman's words for states, and ours for them.
const CONDITIONS: [(&str, Status); 6] = [
    ("configured", Status::Created),
    ("created", Status::Created),
    ("running", Status::Running),
    ("paused", Status::Paused),
    ("exited", Status::Exited),
    ("stopped", Status::Exited),
];

/// What podman prints where there is no exit code.
const NO_CODE: i32 = -1;

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let chosen = select::choose(matches, settings, |_| true)?;
    let conditions = conditions(&matches.texts("condition"))?;
    let interval = interval(matches.text("interval"))?;
    let look = Look {
        settings,
        conditions: &conditions,
        ignore: matches.on("ignore"),
    };
    if matches.on("exit-first-match") {
        loop {
            for name in &chosen.names {
                if let Some(code) = look.at(name)? {
                    output::line(code)?;
                    return Ok(0);
                }
            }
            std::thread::sleep(interval);
        }
    }
    let mut result = 0;
    for name in &chosen.names {
        match look.until(name, interval) {
            Ok(code) => output::line(code)?,
            Err(error) => result = output::error(Scope::Other, &error),
        }
    }
    Ok(result)
}

struct Look<'a> {
    settings: &'a Settings,
    conditions: &'a [Status],
    ignore: bool,
}

impl Look<'_> {
    /// Waits for one container; the result is its exit code.
    fn until(&self, name: &str, interval: Duration) -> Result<i32> {
        if self.conditions.iter().any(|c| *c != Status::Exited) {
            loop {
                match self.at(name)? {
                    Some(code) => return Ok(code),
                    None => std::thread::sleep(interval),
                }
            }
        }
        match self.find(name)? {
            Some(id) => container::wait(self.settings, &id).map(i32::from),
            None => Ok(NO_CODE),
        }
    }

    /// The exit code, or -1, of a container that meets a condition now.
    fn at(&self, name: &str) -> Result<Option<i32>> {
        let Some(id) = self.find(name)? else {
            return Ok(Some(NO_CODE));
        };
        let state = container::records(self.settings).record(&id)?.state;
        let is_met = match self.conditions {
            [] => matches!(state.status, Status::Exited | Status::Created),
            conditions => conditions.contains(&state.status),
        };
        let code = match state.status {
            Status::Exited => i32::from(state.exit_code),
            _ => NO_CODE,
        };
        Ok(is_met.then_some(code))
    }

    fn find(&self, name: &str) -> Result<Option<ContainerId>> {
        match container::records(self.settings).find(name) {
            Err(error) if self.ignore && error.kind() == Kind::NotFound => Ok(None),
            found => found.map(Some),
        }
    }
}

fn conditions(words: &[&str]) -> Result<Vec<Status>> {
    let parse = |word: &&str| {
        let found = CONDITIONS.iter().find(|(name, _)| name == word);
        found.map(|(_, status)| *status).ok_or_else(|| {
            Error::invalid(format!("invalid condition {word:?}"))
                .hint("one of configured, created, running, paused, exited, stopped")
        })
    };
    words.iter().map(parse).collect()
}

/// A Go duration, or a number of milliseconds.
fn interval(text: Option<&str>) -> Result<Duration> {
    let Some(text) = text else {
        return Ok(Duration::from_millis(250));
    };
    let milliseconds = text.parse::<u64>().ok().map(Duration::from_millis);
    let span = milliseconds.or_else(|| flags::moment::span(text));
    span.ok_or_else(|| Error::invalid(format!("invalid interval {text:?}")))
}
