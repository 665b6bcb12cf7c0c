//! The event log: what happened to containers and images, for `hull events`.
//!
//! `RUN/events` on tmpfs holds one JSON object a line, in Docker's shape. There is no daemon that
//! could be asked: whoever does something appends its line with one write(2) to a file opened with
//! `O_APPEND`, which the kernel does whole or not at all. At [`MOST_BYTES`] the file becomes
//! `events.1` and a new one is begun, so that the log holds between one and two of these. Like
//! Docker's, it does not outlive a reboot.
//!
//! An event that cannot be written is no error of what it tells of: it is left out.

mod read;

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::base::Timestamp;
use crate::error::{Context as _, Result};

pub use read::Events;

/// The file's name below the run directory, and that of its predecessor.
const FILE: &str = "events";
const OLDER: &str = "events.1";

/// Bytes at which a new file is begun.
const MOST_BYTES: u64 = 4 << 20;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    Container,
    Image,
    Network,
    Volume,
}

impl Subject {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Subject::Container => "container",
            Subject::Image => "image",
            Subject::Network => "network",
            Subject::Volume => "volume",
        }
    }
}

/// One event, with the field names of Docker's API (`GET /events`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The action, for containers and images; kept by Docker for old clients, as are the next two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The image of a container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(rename = "Type")]
    pub subject: Subject,
    #[serde(rename = "Action")]
    pub action: String,
    #[serde(rename = "Actor")]
    pub actor: Actor,
    pub scope: String,
    /// Seconds since 1970.
    pub time: i64,
    /// Nanoseconds since 1970.
    #[serde(rename = "timeNano")]
    pub time_nano: i64,
}

/// What it happened to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(rename = "Attributes")]
    pub attributes: BTreeMap<String, String>,
}

impl Event {
    /// An event of now. A container's attributes hold its `image` and `name`, an image's `name`.
    pub fn now(
        subject: Subject,
        action: &str,
        id: impl Into<String>,
        attributes: BTreeMap<String, String>,
    ) -> Event {
        let id = id.into();
        let nanoseconds = Timestamp::now().inner().as_nanosecond();
        let time_nano = i64::try_from(nanoseconds).unwrap_or(i64::MAX);
        let old = matches!(subject, Subject::Container | Subject::Image);
        let container = subject == Subject::Container;
        Event {
            status: old.then(|| action.to_owned()),
            id: old.then(|| id.clone()),
            from: attributes.get("image").filter(|_| container).cloned(),
            subject,
            action: action.to_owned(),
            actor: Actor { id, attributes },
            scope: "local".to_owned(),
            time: time_nano.div_euclid(1_000_000_000),
            time_nano,
        }
    }
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        let seconds = self.time_nano.div_euclid(1_000_000_000);
        let nanoseconds = self.time_nano.rem_euclid(1_000_000_000);
        Timestamp::from_unix(seconds, i32::try_from(nanoseconds).unwrap_or(0))
    }
}

/// Appends an event to the log in this run directory.
pub fn note(run: &Path, event: &Event) {
    if let Err(error) = append(run, event) {
        log::debug!("event {} is not noted: {error}", event.action);
    }
}

fn append(run: &Path, event: &Event) -> Result<()> {
    let mut line = serde_json::to_vec(event).context(|| "encode an event")?;
    line.push(b'\n');
    let path = run.join(FILE);
    let mut options = File::options();
    options.create(true).append(true).mode(0o600);
    let opened = options.open(&path);
    let mut file = match opened {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            make_directory(run)?;
            options.open(&path)
        }
        other => other,
    }
    .context(|| format!("open {}", path.display()))?;
    file.write_all(&line)
        .context(|| format!("write {}", path.display()))?;
    if file.metadata()?.len() >= MOST_BYTES {
        rotate(run, &file)?;
    }
    Ok(())
}

/// Makes the run directory of this user where there is none yet, for nobody else.
fn make_directory(run: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(run);
    made.context(|| format!("make {}", run.display()))
}

/// Begins a new file. Two may come here at once: only the one that locks the file that still has
/// the name renames it.
fn rotate(run: &Path, file: &File) -> Result<()> {
    if flock(file, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(());
    }
    let (path, held) = (run.join(FILE), file.metadata()?);
    let is_named = std::fs::metadata(&path)
        .is_ok_and(|named| (named.dev(), named.ino()) == (held.dev(), held.ino()));
    if is_named {
        std::fs::rename(&path, run.join(OLDER)).context(|| "begin a new event log")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(name: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("hull-events-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        path
    }

    fn event(action: &str) -> Event {
        let attributes = [("image", "alpine"), ("name", "x")];
        let attributes = attributes.map(|(key, value)| (key.to_owned(), value.to_owned()));
        Event::now(Subject::Container, action, "0123", attributes.into())
    }

    #[test]
    fn the_run_directory_is_made_for_its_user_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let run = directory("mode");
        note(&run, &event("start"));
        let mode = std::fs::metadata(&run).expect("made").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        std::fs::remove_dir_all(&run).expect("ours");
        Events::open(&run, true).expect("watched");
        let mode = std::fs::metadata(&run).expect("made").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        std::fs::remove_dir_all(&run).expect("ours");
    }

    #[test]
    fn events_have_dockers_shape() {
        let json = serde_json::to_value(event("start")).expect("encodes");
        assert_eq!(json["status"], "start");
        assert_eq!(json["id"], "0123");
        assert_eq!(json["from"], "alpine");
        assert_eq!(json["Type"], "container");
        assert_eq!(json["Actor"]["Attributes"]["name"], "x");
        assert_eq!(json["scope"], "local");
        let seconds = json["timeNano"].as_i64().expect("a number") / 1_000_000_000;
        assert_eq!(json["time"].as_i64(), Some(seconds));
    }

    #[test]
    fn what_is_noted_is_read_in_order_and_a_torn_line_is_left_out() {
        let run = directory("order");
        for action in ["create", "start"] {
            note(&run, &event(action));
        }
        let mut file = File::options()
            .append(true)
            .open(run.join(FILE))
            .expect("is there");
        file.write_all(b"{\"Type\":\"contai\n").expect("written");
        note(&run, &event("die"));
        let mut events = Events::open(&run, false).expect("opens");
        let actions: Vec<String> =
            std::iter::from_fn(|| events.next(None).expect("reads").map(|event| event.action))
                .collect();
        assert_eq!(actions, ["create", "start", "die"]);
        std::fs::remove_dir_all(&run).expect("removed");
    }

    #[test]
    fn a_full_file_makes_way_and_a_reader_follows() {
        let run = directory("full");
        note(&run, &event("first"));
        let mut events = Events::open(&run, true).expect("opens");
        let first = events.next(None).expect("reads").expect("is there");
        assert_eq!(first.action, "first");
        let long = "x".repeat(64 << 10);
        let count = 2 * MOST_BYTES as usize / long.len();
        for number in 0..count {
            let mut event = event(&format!("e{number}"));
            event
                .actor
                .attributes
                .insert("long".to_owned(), long.clone());
            note(&run, &event);
            let read = events.next(None).expect("reads").expect("is there");
            assert_eq!(read.action, format!("e{number}"));
        }
        assert!(run.join(OLDER).exists());
        let kept = std::fs::metadata(run.join(FILE)).map_or(0, |file| file.len());
        assert!(kept < MOST_BYTES, "{kept}");
        std::fs::remove_dir_all(&run).expect("removed");
    }
}
