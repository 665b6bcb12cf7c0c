//! Reading the event log, and following it.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;

use super::{Event, FILE, OLDER};
use crate::error::{Context as _, Result};

/// A reader of the event log, oldest first.
#[derive(Debug)]
pub struct Events {
    run: PathBuf,
    /// `None` until somebody writes the first event.
    file: Option<BufReader<File>>,
    /// Still in the older file.
    in_older: bool,
    inotify: Option<OwnedFd>,
    /// The start of a line whose end is still to come.
    partial: Vec<u8>,
}

impl Events {
    /// Opens the log of this run directory; `follow` waits for more at its end.
    pub fn open(run: &Path, follow: bool) -> Result<Events> {
        let inotify = match follow {
            true => Some(watch(run)?),
            false => None,
        };
        let older = open(&run.join(OLDER))?;
        let in_older = older.is_some();
        let file = match older {
            Some(older) => Some(older),
            None => open(&run.join(FILE))?,
        };
        Ok(Events {
            run: run.to_owned(),
            file,
            in_older,
            inotify,
            partial: Vec::new(),
        })
    }

    /// The next event; when following, waits for it until `deadline`. `None` at the end.
    pub fn next(&mut self, deadline: Option<Instant>) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.next_present()? {
                return Ok(Some(event));
            }
            let Some(inotify) = &self.inotify else {
                return Ok(None);
            };
            if !wait(inotify, deadline)? {
                return Ok(None);
            }
        }
    }

    fn next_present(&mut self) -> Result<Option<Event>> {
        loop {
            if self.file.is_none() {
                self.file = open(&self.run.join(FILE))?;
            }
            let Some(file) = &mut self.file else {
                return Ok(None);
            };
            let count = file.read_until(b'\n', &mut self.partial);
            count.context(|| "read the event log")?;
            if self.partial.last() == Some(&b'\n') {
                let event = serde_json::from_slice(&self.partial);
                self.partial.clear();
                match event {
                    Ok(event) => return Ok(Some(event)),
                    // A line of a full disk, or of a newer version: the others still count.
                    Err(_) => continue,
                }
            }
            if !self.move_on()? {
                return Ok(None);
            }
        }
    }

    /// Goes to the next file, if there is one: from the older to the newer, or when the one we
    /// read has been renamed.
    fn move_on(&mut self) -> Result<bool> {
        let Some(next) = open(&self.run.join(FILE))? else {
            return Ok(false);
        };
        let same = match &self.file {
            Some(file) => identity(file.get_ref())? == identity(next.get_ref())?,
            None => false,
        };
        if same {
            return Ok(false);
        }
        if !std::mem::take(&mut self.in_older) {
            // Should: once more before leaving it. Its last lines may have come before it was
            // renamed and after we had read to its end.
            if let Some(file) = &mut self.file
                && file.fill_buf().is_ok_and(|rest| !rest.is_empty())
            {
                return Ok(true);
            }
        }
        self.partial.clear();
        self.file = Some(next);
        Ok(true)
    }
}

fn open(path: &Path) -> Result<Option<BufReader<File>>> {
    match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        opened => opened
            .map(|file| Some(BufReader::new(file)))
            .context(|| format!("open {}", path.display())),
    }
}

fn identity(file: &File) -> Result<(u64, u64)> {
    let metadata = file.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

fn watch(run: &Path) -> Result<OwnedFd> {
    super::make_directory(run)?;
    let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC);
    let inotify = inotify.context(|| "watch the event log")?;
    let events = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_FROM;
    inotify::add_watch(&inotify, run, events).context(|| format!("watch {}", run.display()))?;
    Ok(inotify)
}

/// Waits for a change; `false` at the deadline.
fn wait(inotify: &OwnedFd, deadline: Option<Instant>) -> Result<bool> {
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    if left.is_some_and(|left| left.is_zero()) {
        return Ok(false);
    }
    let timeout = left.and_then(|left| Timespec::try_from(left).ok());
    match poll(&mut [PollFd::new(inotify, PollFlags::IN)], timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(errno) => return Err(errno).context(|| "wait for events"),
    }
    // What changed does not matter: the file is looked at anyway.
    let mut events = [0; 4096];
    while rustix::io::read(inotify, &mut events).is_ok_and(|count| count > 0) {}
    Ok(true)
}
