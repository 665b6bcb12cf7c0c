//! flock(2) with an end: whoever waits for a lock waits a minute at most, then says who holds it.
//!
//! A lock of ours is held for milliseconds. A holder that was stopped (SIGSTOP, a debugger, a
//! frozen cgroup) or hangs in a dead filesystem would otherwise hang everybody else too.

use std::fmt::Display;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock, fstat, major, minor};
use rustix::io::Errno;

use crate::error::{Error, Result};

/// How long to wait for a lock whose holder does nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// The pauses between two tries, each twice the last. A wait inside the kernel would be woken at
/// once, but ends only by a signal, and a command has no thread to send itself one.
const FIRST_PAUSE: Duration = Duration::from_micros(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// Whether others may hold the lock at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    Shared,
    Exclusive,
}

/// Locks an open file.
///
/// # Errors
/// `Conflict` after a minute, with the pid and command of the holder; `subject` says what for.
pub fn lock<S: Display>(file: impl AsFd, sharing: Sharing, subject: impl Fn() -> S) -> Result<()> {
    lock_while(file, sharing, subject, || ())
}

/// The same, where the holder may take long as long as it gets on: the minute starts again
/// whenever `progress` changes.
pub fn lock_while<S: Display, P: PartialEq>(
    file: impl AsFd,
    sharing: Sharing,
    subject: impl Fn() -> S,
    progress: impl Fn() -> P,
) -> Result<()> {
    lock_within(file.as_fd(), sharing, PATIENCE, progress).map_err(|error| error.wrap(subject()))
}

fn lock_within<P: PartialEq>(
    file: BorrowedFd<'_>,
    sharing: Sharing,
    patience: Duration,
    progress: impl Fn() -> P,
) -> Result<()> {
    let operation = match sharing {
        Sharing::Shared => FlockOperation::NonBlockingLockShared,
        Sharing::Exclusive => FlockOperation::NonBlockingLockExclusive,
    };
    let mut pause = FIRST_PAUSE;
    let mut waiting: Option<(Instant, P)> = None;
    loop {
        match flock(file, operation) {
            Ok(()) => return Ok(()),
            Err(Errno::WOULDBLOCK | Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let now = progress();
        match &waiting {
            Some((since, before)) if *before == now => {
                if since.elapsed() >= patience {
                    return Err(held(file, patience));
                }
            }
            _ => waiting = Some((Instant::now(), now)),
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The error that names who has the lock.
fn held(file: BorrowedFd<'_>, patience: Duration) -> Error {
    let waited = format!("for {} s", patience.as_secs());
    let Some(pid) = holder(file) else {
        return Error::conflict(format!("another process has held the lock {waited}"));
    };
    let command = command_of(pid);
    Error::conflict(format!(
        "process {pid} ({command}) has held the lock {waited}"
    ))
    .hint(format!(
        "let it go on (kill -CONT {pid}) or end it (kill -KILL {pid})"
    ))
}

/// The process that took a flock(2) on this file, by /proc/locks (proc(5)): fields are number,
/// class, kind, access, pid, device:inode; `->` marks those who wait.
fn holder(file: BorrowedFd<'_>) -> Option<i32> {
    let stat = fstat(file).ok()?;
    let device = format!("{:02x}:{:02x}", major(stat.st_dev), minor(stat.st_dev));
    let table = std::fs::read_to_string("/proc/locks").ok()?;
    // Some filesystems (btrfs, overlay) show another device there: then the inode has to do.
    let found = |exact: bool| {
        table.lines().find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (pid, place) = match fields[..] {
                [_, "FLOCK", _, _, pid, place, ..] => (pid, place),
                _ => return None,
            };
            let (on, inode) = place.rsplit_once(':')?;
            let is_it = inode.parse() == Ok(stat.st_ino) && (!exact || on == device);
            is_it.then(|| pid.parse().ok()).flatten()
        })
    };
    // Not positive: taken in a pid namespace that is not ours to see.
    found(true).or_else(|| found(false)).filter(|pid| *pid > 0)
}

/// The words of a process on one line, cut after a hundred characters.
fn command_of(pid: i32) -> String {
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = String::from_utf8_lossy(&words);
    let shown = text
        .trim_end_matches('\0')
        .chars()
        .map(|letter| match letter {
            '\0' => ' ',
            letter if letter.is_control() => '?',
            letter => letter,
        });
    let shown: String = shown.take(100).collect();
    if shown.is_empty() {
        return "which has ended; a child of it goes on".to_owned();
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs::File;

    use super::*;

    fn file(name: &str) -> (File, File, std::path::PathBuf) {
        let name = format!("hull-test-lock-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let held = File::create(&path).expect("made");
        (held, File::open(&path).expect("opens"), path)
    }

    #[test]
    fn f12_a_wait_ends_and_names_the_holder() {
        let (held, other, path) = file("holder");
        let short = Duration::from_millis(30);
        lock(&held, Sharing::Shared, || "x").expect("is free");
        lock(&other, Sharing::Shared, || "x").expect("is shared");
        flock(&other, FlockOperation::Unlock).expect("is ours");
        let error = lock_within(other.as_fd(), Sharing::Exclusive, short, || ());
        let text = error.expect_err("is held").to_string();
        let own = std::process::id();
        assert!(text.starts_with(&format!("process {own} (")), "{text}");
        assert!(text.contains("hull"), "the command: {text}");
        drop(held);
        lock_within(other.as_fd(), Sharing::Exclusive, short, || ()).expect("is free now");
        std::fs::remove_file(path).expect("is there");
    }

    #[test]
    fn a_holder_that_gets_on_is_waited_for() {
        let (held, other, path) = file("progress");
        lock(&held, Sharing::Exclusive, || "x").expect("is free");
        let short = Duration::from_millis(30);
        let held = Cell::new(Some(held));
        let (begun, turns) = (Instant::now(), Cell::new(0));
        let progress = || {
            turns.set(turns.get() + 1);
            if begun.elapsed() > short * 4 {
                held.take();
            }
            turns.get()
        };
        lock_within(other.as_fd(), Sharing::Exclusive, short, progress).expect("comes free");
        assert!(begun.elapsed() > short * 4);
        std::fs::remove_file(path).expect("is there");
    }
}
