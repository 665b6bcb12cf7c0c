//! Following a log while it grows: woken by inotify, ended by the end of the container.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;

use super::reader::{Reader, read};
use super::{Query, Record};
use crate::base::Timestamp;
use crate::error::{Context, Result};

/// How often the caller's question is asked again when nothing wakes us earlier.
const PAUSE: Duration = Duration::from_millis(100);

/// A reader that waits for more at the end.
#[derive(Debug)]
pub struct Follower {
    reader: Reader,
    /// `None` if the user's inotify instances are used up: then it looks every [`PAUSE`].
    inotify: Option<OwnedFd>,
    until: Option<Timestamp>,
}

impl Follower {
    /// Starts with what `query` asks for, then goes on.
    pub fn open(dir: &Path, name: &str, query: Query) -> Result<Follower> {
        // Should: watch, then read. A record appended in between wakes us once too often.
        let flags = CreateFlags::NONBLOCK | CreateFlags::CLOEXEC;
        let inotify = inotify::init(flags).ok().filter(|fd| {
            let events = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO;
            inotify::add_watch(fd, dir, events).is_ok()
        });
        let reader = read(dir, name, query)?;
        Ok(Follower {
            reader,
            inotify,
            until: query.until,
        })
    }

    /// The next record; waits for it. `None` once `is_over` says that nothing more will be written
    /// and all that was written has been handed out. `wake` (a pidfd, say) ends a wait early.
    pub fn next(
        &mut self,
        wake: Option<BorrowedFd<'_>>,
        mut is_over: impl FnMut() -> bool,
    ) -> Result<Option<Record>> {
        let mut wake = wake;
        loop {
            // Should: ask before reading. What was written before the end is then read below.
            let over = is_over() || self.until.is_some_and(|until| Timestamp::now() >= until);
            if let Some(record) = self.next_present()? {
                return Ok(Some(record));
            }
            if over {
                return Ok(None);
            }
            if self.wait(wake)? {
                // Readable for ever from now on; `is_over` decides when it is asked again.
                wake = None;
            }
        }
    }

    fn next_present(&mut self) -> Result<Option<Record>> {
        loop {
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

    /// Waits for a change, for `wake` (then true), or for [`PAUSE`].
    fn wait(&self, wake: Option<BorrowedFd<'_>>) -> Result<bool> {
        let timeout = Timespec {
            tv_sec: 0,
            tv_nsec: PAUSE.subsec_nanos().into(),
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
