//! `hull logs`.

use crate::base::Timestamp;
use crate::cli::flags::moment::required as time;
use crate::cli::flags::{self, Matches};
use crate::cli::{Command, Words, output};
use crate::config::Settings;
use crate::container;
use crate::error::{Error, Result};
use crate::logs::{self, Follower, Query, Stream, Tail};

pub const COMMAND: Command = Command {
    paths: &["logs", "container logs"],
    about: "Fetch the logs of a container",
    usage: "[OPTIONS] CONTAINER",
    words: Words::Exactly(1),
    arguments: |command| {
        let since = "Show logs since a timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \
                     \"42m\")";
        let until = "Show logs before a timestamp or relative";
        command
            .arg(flags::switch("follow", "Follow log output").short('f'))
            .arg(flags::text("since", "string", since))
            .arg(flags::text("tail", "string", "Lines to show from the end of the logs").short('n'))
            .arg(flags::switch("timestamps", "Show timestamps").short('t'))
            .arg(flags::text("until", "string", until))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let records = container::records(settings);
    let id = records.find(matches.words()[0])?;
    let config = records.config(&id)?;
    if config.log.driver == "none" {
        return Err(Error::invalid(
            "configured logging driver does not support reading",
        ));
    }
    let now = Timestamp::now();
    let moment = |name: &str| matches.text(name).map(|text| time(text, now)).transpose();
    let query = Query {
        since: moment("since")?,
        until: moment("until")?,
        tail: tail(matches)?,
    };
    let directory = records.directory(&id).join("log");
    let name = container::log_name(&id);
    let stamped = matches.on("timestamps");
    if !matches.on("follow") {
        for record in logs::read(&directory, &name, query)? {
            print(&record?, stamped)?;
        }
        return Ok(0);
    }
    let mut follower = Follower::open(&directory, &name, query)?;
    let is_over = || {
        records
            .record(&id)
            .map_or(true, |record| record.live.is_none())
    };
    while let Some(record) = follower.next(None, is_over)? {
        print(&record, stamped)?;
    }
    Ok(0)
}

fn print(record: &logs::Record, stamped: bool) -> Result<()> {
    let mut text = String::new();
    if stamped {
        text = format!("{} ", output::log_time(record.time));
    }
    text.push_str(&record.text);
    match record.stream {
        Stream::Stdout => output::bytes(text.as_bytes()),
        Stream::Stderr => output::error_bytes(text.as_bytes()),
    }
}

fn tail(matches: &Matches) -> Result<Tail> {
    match matches.text("tail") {
        None | Some("all" | "-1") => Ok(Tail::All),
        Some(text) => text.parse().map(Tail::Last).map_err(|_| {
            Error::invalid(format!("invalid --tail {text:?}: must be a number or all"))
        }),
    }
}
