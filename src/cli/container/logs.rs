//! `hull logs`.

use std::time::Duration;

use crate::base::Timestamp;
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

/// Unix seconds, RFC 3339 with or without its end, or a Go duration before now.
fn time(text: &str, now: Timestamp) -> Result<Timestamp> {
    if let Some(span) = go_duration(text) {
        let then = now
            .inner()
            .checked_sub(jiff::SignedDuration::try_from(span).unwrap_or_default());
        let then = then.map_err(|_| Error::invalid(format!("invalid time {text:?}")))?;
        return Ok(Timestamp::from_unix(
            then.as_second(),
            then.subsec_nanosecond(),
        ));
    }
    if let Ok(seconds) = text.parse::<f64>() {
        let nanoseconds = (seconds.fract() * 1e9) as i32;
        return Ok(Timestamp::from_unix(seconds as i64, nanoseconds));
    }
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let local = text.parse::<jiff::civil::DateTime>();
    let local = local
        .ok()
        .and_then(|time| time.to_zoned(jiff::tz::TimeZone::system()).ok());
    let local = local.map(|time| time.timestamp());
    local
        .map(|time| Timestamp::from_unix(time.as_second(), time.subsec_nanosecond()))
        .ok_or_else(|| {
            Error::invalid(format!("invalid time {text:?}"))
                .hint("e.g. 10m or 2026-01-31T12:00:00Z")
        })
}

/// Go's `1h30m`, `1.5s`, `300ms`; needs a unit.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let after = &rest[digits..];
        let units = [
            ("ms", 1e-3),
            ("us", 1e-6),
            ("ns", 1e-9),
            ("h", 3600.0),
            ("m", 60.0),
            ("s", 1.0),
        ];
        let (unit, seconds) = units
            .into_iter()
            .find(|(unit, _)| after.starts_with(unit))?;
        total += number * seconds;
        rest = &after[unit.len()..];
    }
    (!text.is_empty() && total < 1e10).then(|| Duration::from_secs_f64(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_durations_seconds_or_dates() {
        let now = Timestamp::from_unix(1_000_000, 0);
        let table = [
            ("10m", 999_400),
            ("1h30m", 994_600),
            ("1700000000", 1_700_000_000),
            ("2013-01-02T13:23:37Z", 1_357_133_017),
        ];
        for (text, seconds) in table {
            assert_eq!(
                time(text, now).expect(text).unix_seconds(),
                seconds,
                "{text}"
            );
        }
        for bad in ["", "x", "10", "m"]
            .into_iter()
            .filter(|text| *text != "10")
        {
            assert!(time(bad, now).is_err(), "{bad:?}");
        }
    }
}
