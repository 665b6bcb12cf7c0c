//! Reading the entries of one container from the journal, through journalctl(1): its files have a
//! format of their own, and a user may only see what that program shows.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

use super::{Query, Record, Stream, Tail};
use crate::base::Timestamp;
use crate::error::{Context as _, Error, Kind, Result};

/// Yields the records of one container, oldest first.
#[derive(Debug)]
pub struct JournalReader {
    child: Child,
    lines: BufReader<ChildStdout>,
}

/// Whether to end with what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Now,
    Never,
}

impl JournalReader {
    /// What is there.
    ///
    /// # Errors
    /// `Unsupported` if there is no journalctl.
    pub fn open(container: &str, query: Query) -> Result<JournalReader> {
        JournalReader::start(container, query, End::Now)
    }

    /// What is there and what comes; [`JournalReader::stop`] ends it.
    pub fn follow(container: &str, query: Query) -> Result<JournalReader> {
        JournalReader::start(container, query, End::Never)
    }

    fn start(container: &str, query: Query, end: End) -> Result<JournalReader> {
        let mut command = Command::new("journalctl");
        command.args(words(container, query, end));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            let why = "reading the logs of a container with the driver journald needs journalctl";
            Error::new(Kind::Unsupported, format!("{why}: {error}"))
        })?;
        let stdout = child.stdout.take().expect("its output is a pipe");
        Ok(JournalReader {
            child,
            lines: BufReader::new(stdout),
        })
    }

    /// Where the entries come from, to wait for them.
    pub fn source(&self) -> &ChildStdout {
        self.lines.get_ref()
    }

    /// Whether a record can be read without waiting.
    pub fn has_line(&self) -> bool {
        memchr::memchr(b'\n', self.lines.buffer()).is_some()
    }
}

impl Iterator for JournalReader {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        loop {
            line.clear();
            match self.lines.read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Some(Err(error).context(|| "read from journalctl")),
            }
            if let Some(record) = parse(&line) {
                return Some(Ok(record));
            }
        }
    }
}

impl Drop for JournalReader {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is reaped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn words(container: &str, query: Query, end: End) -> Vec<String> {
    let mut words: Vec<String> = ["--quiet", "--all", "--output=json"]
        .map(str::to_owned)
        .into();
    let at = |name: &str, time: Timestamp| format!("--{name}=@{}", time.unix_seconds());
    words.extend(query.since.map(|time| at("since", time)));
    words.extend(query.until.map(|time| at("until", time)));
    match (query.tail, end) {
        (Tail::Last(count), _) => words.push(format!("--lines={count}")),
        // Following begins with the last ten unless told otherwise.
        (Tail::All, End::Never) => words.push("--lines=all".to_owned()),
        (Tail::All, End::Now) => {}
    }
    if end == End::Never {
        words.push("--follow".to_owned());
    }
    words.push(format!("CONTAINER_ID_FULL={container}"));
    words
}

/// The fields that matter; each is text, or a list of bytes if it is none.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "MESSAGE")]
    message: Value,
    #[serde(rename = "PRIORITY")]
    priority: Option<String>,
    #[serde(rename = "SYSLOG_TIMESTAMP")]
    time: Option<Timestamp>,
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    microseconds: Option<String>,
    #[serde(rename = "CONTAINER_PARTIAL_MESSAGE")]
    partial: Option<String>,
}

fn parse(line: &[u8]) -> Option<Record> {
    let entry: Entry = serde_json::from_slice(line).ok()?;
    let mut text = match entry.message {
        Value::String(text) => text.into_bytes(),
        Value::Array(bytes) => {
            let byte = |value: &Value| value.as_u64().and_then(|byte| u8::try_from(byte).ok());
            bytes.iter().map(byte).collect::<Option<Vec<u8>>>()?
        }
        _ => return None,
    };
    if entry.partial.as_deref() != Some("true") {
        text.push(b'\n');
    }
    let received = || {
        let microseconds: i64 = entry.microseconds?.parse().ok()?;
        let nanoseconds = i32::try_from(microseconds % 1_000_000 * 1000).ok()?;
        Some(Timestamp::from_unix(microseconds / 1_000_000, nanoseconds))
    };
    Some(Record {
        stream: match entry.priority.as_deref() {
            Some("3") => Stream::Stderr,
            _ => Stream::Stdout,
        },
        time: entry.time.or_else(received)?,
        text,
        lost_bytes: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_become_records() {
        let line = br#"{"MESSAGE":"a","PRIORITY":"3","__REALTIME_TIMESTAMP":"1500000"}"#;
        let record = parse(line).expect("is a record");
        assert_eq!(
            (record.stream, &record.text[..]),
            (Stream::Stderr, &b"a\n"[..])
        );
        assert_eq!(record.time, Timestamp::from_unix(1, 500_000_000));
        let line = br#"{"MESSAGE":[97,0,255],"PRIORITY":"6","CONTAINER_PARTIAL_MESSAGE":"true",
            "SYSLOG_TIMESTAMP":"2026-01-02T03:04:05.6Z","__REALTIME_TIMESTAMP":"1"}"#;
        let record = parse(line).expect("is a record");
        assert_eq!(record.text, [97, 0, 255]);
        assert_eq!(record.time.to_string(), "2026-01-02T03:04:05.6Z");
        assert_eq!(
            parse(br#"{"MESSAGE":null,"__REALTIME_TIMESTAMP":"1"}"#),
            None
        );
    }

    #[test]
    fn what_is_wanted_is_told_to_journalctl() {
        let query = Query {
            since: Some(Timestamp::from_unix(5, 7)),
            until: None,
            tail: Tail::Last(3),
        };
        let now = words("abc", query, End::Now).join(" ");
        let expected = "--quiet --all --output=json --since=@5 --lines=3 CONTAINER_ID_FULL=abc";
        assert_eq!(now, expected);
        let follow = words("abc", Query::ALL, End::Never).join(" ");
        assert!(follow.contains("--lines=all --follow"), "{follow}");
    }
}
