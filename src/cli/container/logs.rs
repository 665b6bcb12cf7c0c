//! `hull logs`.

use std::collections::BTreeMap;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::base::{ContainerId, Timestamp};
use crate::cli::flags::moment::required as moment;
use crate::cli::flags::{self, Matches};
use crate::cli::{Command, Words, output};
use crate::config::Settings;
use crate::container;
use crate::error::{Context as _, Error, Result};
use crate::logs::{self, Follower, JournalReader, Query, Record, Stream, Tail};
use crate::state::{LogConfig, Records};

pub const COMMAND: Command = Command {
    paths: &["logs", "container logs"],
    about: "Fetch the logs of a container",
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    words: Words::AtLeast(1),
    arguments: |command| {
        let since = "Show logs since a timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \
                     \"42m\" for 42 minutes)";
        let until = "Show logs before a timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative \
                     (e.g. \"42m\" for 42 minutes)";
        let tail = "Number of lines to show from the end of the logs";
        let names = "Name each line's container by its name, where there are several";
        command
            .arg(flags::switch(
                "details",
                "Show extra details provided to logs",
            ))
            .arg(flags::switch("follow", "Follow log output").short('f'))
            .arg(flags::switch("names", names))
            .arg(flags::text("since", "string", since))
            .arg(flags::text("tail", "string", tail).short('n'))
            .arg(flags::switch("timestamps", "Show timestamps").short('t'))
            .arg(flags::text("until", "string", until))
    },
    run,
    ..Command::BASE
};

/// How often it is asked whether a container still runs when nothing wakes us earlier.
const PAUSE: Duration = Duration::from_millis(100);

/// The same once its first process has ended: its monitor will be done soon.
const SHORT_PAUSE: Duration = Duration::from_millis(5);

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let records = container::records(settings);
    let now = Timestamp::now();
    let time = |name: &str| {
        let time = matches.text(name).map(|text| moment(text, now));
        let time = time.transpose();
        time.context(|| format!("invalid value for \"{name}\""))
    };
    let query = Query {
        since: time("since")?,
        until: time("until")?,
        tail: tail(matches.text("tail")),
    };
    let names = matches.words();
    let mut sources = Vec::new();
    for name in &names {
        let mut source = Source::open(&records, name, query, matches)?;
        source.printer.prefix = match (names.len(), matches.on("names")) {
            (1, _) => String::new(),
            (_, false) => format!("{} ", source.id.short()),
            (_, true) => format!("{} ", records.record(&source.id)?.state.name),
        };
        sources.push(source);
    }
    let mut out = Out::default();
    if !matches.on("follow") {
        for source in &mut sources {
            source.print_present(&mut out)?;
        }
        return out.flush().map(|()| 0);
    }
    follow(&records, sources, &mut out)?;
    Ok(0)
}

/// Prints what comes until every container has ended.
fn follow(records: &Records, mut sources: Vec<Source>, out: &mut Out) -> Result<()> {
    loop {
        let mut running = Vec::new();
        for mut source in sources {
            // Should: ask before reading. What was written before the end is then read.
            let over = source.is_over(records);
            source.print_present(out)?;
            if !over {
                running.push(source);
            }
        }
        out.flush()?;
        sources = running;
        match &mut sources[..] {
            [] => return Ok(()),
            [one] => one.wait(PAUSE)?,
            // Nobody watches several logs for one late line.
            [one, ..] => one.wait(SHORT_PAUSE * 4)?,
        }
    }
}

/// Where the records of one container come from.
enum Log {
    Present(logs::Reader),
    Growing(Box<Follower>),
    Journal(JournalReader),
    GrowingJournal(JournalReader),
}

/// One container whose log is shown.
struct Source {
    id: ContainerId,
    records: Log,
    /// Its first process; readable once that has ended.
    process: Option<OwnedFd>,
    has_ended: bool,
    printer: Printer,
}

impl Source {
    fn open(records: &Records, name: &str, query: Query, matches: &Matches) -> Result<Source> {
        let id = records.find(name)?;
        let config = records.config(&id)?;
        let follow = matches.on("follow");
        let place = container::log_place(records, &id, &config.log);
        let source = match (place, config.log.driver.as_str()) {
            (Some(place), _) if follow => {
                let (directory, format) = (&place.directory, place.format);
                let follower = Follower::open(directory, &place.name, format, query)?;
                Log::Growing(Box::new(follower))
            }
            (Some(place), _) => {
                let (directory, format) = (&place.directory, place.format);
                Log::Present(logs::read(directory, &place.name, format, query)?)
            }
            (None, "journald") if follow => {
                Log::GrowingJournal(JournalReader::follow(&id.to_string(), query)?)
            }
            (None, "journald") => Log::Journal(JournalReader::open(&id.to_string(), query)?),
            _ => {
                return Err(Error::invalid(
                    "configured logging driver does not support reading",
                ));
            }
        };
        let details = match matches.on("details") {
            true => details(&container::log_attributes(records, &id)?),
            false => String::new(),
        };
        let live = follow.then(|| records.run_directory(&id).live()).flatten();
        Ok(Source {
            id,
            records: source,
            process: live.and_then(|live| live.pidfd()),
            has_ended: false,
            printer: Printer {
                stamped: matches.on("timestamps"),
                details,
                prefix: String::new(),
            },
        })
    }

    fn print_present(&mut self, out: &mut Out) -> Result<()> {
        loop {
            let record = match &mut self.records {
                Log::Present(reader) => reader.next().transpose()?,
                Log::Growing(follower) => follower.present()?,
                Log::Journal(reader) => reader.next().transpose()?,
                Log::GrowingJournal(reader) => {
                    if !reader.has_line() && !is_readable(reader, Duration::ZERO) {
                        return Ok(());
                    }
                    reader.next().transpose()?
                }
            };
            match record {
                Some(record) => self.printer.print(&record, out)?,
                None => return Ok(()),
            }
        }
    }

    /// Its monitor lives on while the container is restarted.
    fn is_over(&self, records: &Records) -> bool {
        let past_end = match &self.records {
            Log::Growing(follower) => follower.is_over(),
            _ => false,
        };
        past_end || !records.run_directory(&self.id).has_monitor()
    }

    fn wait(&mut self, pause: Duration) -> Result<()> {
        let pause = if self.has_ended { SHORT_PAUSE } else { pause };
        match &self.records {
            Log::Growing(follower) => {
                let wake = self.process.as_ref().filter(|_| !self.has_ended);
                // Readable for ever from then on.
                self.has_ended |= follower.wait(wake.map(|fd| fd.as_fd()), pause)?;
            }
            Log::GrowingJournal(reader) => drop(is_readable(reader, pause)),
            _ => {}
        }
        Ok(())
    }
}

fn is_readable(reader: &JournalReader, pause: Duration) -> bool {
    let timeout = Timespec {
        tv_sec: 0,
        tv_nsec: pause.subsec_nanos().into(),
    };
    let mut polled = [PollFd::new(reader.source(), PollFlags::IN)];
    // Interrupted: the caller comes again.
    poll(&mut polled, Some(&timeout)).is_ok_and(|count| count > 0)
}

/// How records of one container are shown.
struct Printer {
    stamped: bool,
    details: String,
    prefix: String,
}

impl Printer {
    fn print(&self, record: &Record, out: &mut Out) -> Result<()> {
        let mut head = self.prefix.clone();
        if self.stamped {
            head.push_str(&output::log_time(record.time));
            head.push(' ');
        }
        head.push_str(&self.details);
        out.add(record.stream, &[head.as_bytes(), &record.text])
    }
}

/// `key=value,key=value` and a blank, each part as in a URL: Docker's `--details`.
fn details(attributes: &BTreeMap<String, String>) -> String {
    let escape = |text: &str| -> String {
        let escaped = text.bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            b' ' => "+".to_owned(),
            other => format!("%{other:02X}"),
        });
        escaped.collect()
    };
    let pairs = attributes
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    let pairs: Vec<String> = pairs.collect();
    format!("{} ", pairs.join(","))
}

/// Gathers what goes to one stream, so that a log of short lines is not a write for each. Whatever
/// changes streams comes in its order.
#[derive(Default)]
struct Out {
    held: Vec<u8>,
    of_stderr: bool,
}

impl Out {
    const MOST: usize = 64 << 10;

    fn add(&mut self, stream: Stream, parts: &[&[u8]]) -> Result<()> {
        let of_stderr = stream == Stream::Stderr;
        if of_stderr != self.of_stderr || self.held.len() >= Out::MOST {
            self.flush()?;
        }
        self.of_stderr = of_stderr;
        parts
            .iter()
            .for_each(|part| self.held.extend_from_slice(part));
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        match self.of_stderr {
            true => output::error_bytes(&self.held)?,
            false => output::bytes(&self.held)?,
        }
        self.held.clear();
        Ok(())
    }
}

/// As Docker reads it: whatever is no number, or a negative one, means everything.
fn tail(text: Option<&str>) -> Tail {
    let count = text.and_then(|text| text.parse::<i64>().ok());
    match count.and_then(|count| u64::try_from(count).ok()) {
        Some(count) => Tail::Last(count),
        None => Tail::All,
    }
}

/// Where a container's log is, for `inspect`; empty if it has no file.
pub fn path(records: &Records, id: &ContainerId, log: &LogConfig) -> String {
    let place = container::log_place(records, id, log);
    let path = place.map(|place| place.directory.join(place.name));
    path.map(|path| path.display().to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_escaped_as_in_a_url() {
        let attributes = [("b", "x y"), ("a/b", "ü,=")];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(details(&attributes.into()), "a%2Fb=%C3%BC%2C%3D,b=x+y ");
        assert_eq!(details(&BTreeMap::new()), " ");
    }

    #[test]
    fn a_tail_that_is_no_number_is_everything() {
        for text in [None, Some("all"), Some("-1"), Some("x")] {
            assert_eq!(tail(text), Tail::All, "{text:?}");
        }
        assert_eq!(tail(Some("0")), Tail::Last(0));
    }
}
