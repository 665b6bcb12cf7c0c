//! Following a log while it grows, woken by inotify.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;

use super::reader::{Reader, read};
use super::{Format, Query, Record};
use crate::base::Timestamp;
use crate::error::{Context, Result};

/// A reader that waits for more at the end.
#[derive(Debug)]
pub struct Follower {
    reader: Reader,
    /// `None` if the user's inotify instances are used up: then every wait takes its whole time.
    inotify: Option<OwnedFd>,
    until: Option<Timestamp>,
}

impl Follower {
    /// Starts with what `query` asks for, then goes on.
    pub fn open(dir: &Path, name: &str, format: Format, query: Query) -> Result<Follower> {
        // Should: watch, then read. A record appended in between wakes us once too often.
        let flags = CreateFlags::NONBLOCK | CreateFlags::CLOEXEC;
        let inotify = inotify::init(flags).ok().filter(|fd| {
            let events = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO;
            inotify::add_watch(fd, dir, events).is_ok()
        });
        let reader = read(dir, name, format, query)?;
        Ok(Follower {
            reader,
            inotify,
            until: query.until,
        })
    }

    /// The next record that is there now.
    pub fn present(&mut self) -> Result<Option<Record>> {
        loop {
            if self.reader.is_past_end() {
                return Ok(None);
            }
            if let Some(record) = self.reader.next().transpose()? {
                return Ok(Some(record));
            }
            // Should: then read on in the old file before the next. Its last records may have been
            // written after we read it and before it was renamed. The reader does it in this order.
            if !self.reader.find_successors()? {
                return Ok(None);
            }
        }
    }

    /// Whether nothing that is wanted can come any more.
    pub fn is_over(&self) -> bool {
        self.reader.is_past_end() || self.until.is_some_and(|until| Timestamp::now() >= until)
    }

    /// Waits for a change of the files, for `wake` (a pidfd, say; then true), or for `pause`.
    pub fn wait(&self, wake: Option<BorrowedFd<'_>>, pause: Duration) -> Result<bool> {
        let timeout = Timespec {
            tv_sec: 0,
            tv_nsec: pause.subsec_nanos().into(),
        };
        let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(2);
        fds.extend(wake.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        fds.extend(
            self.inotify
                .as_ref()
                .map(|fd| PollFd::new(fd, PollFlags::IN)),
        );
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno).context(|| "wait for the log"),
        }
        let woken = wake.is_some() && !fds[0].revents().is_empty();
        if let Some(inotify) = &self.inotify {
            // What changed does not matter: the files are looked at anyway.
            let mut events = [0; 4096];
            while rustix::io::read(inotify, &mut events).is_ok_and(|count| count > 0) {}
        }
        Ok(woken)
    }
}
