//! Deleting what is out of sight: a little of it at once, the rest in the background.
//!
//! Whoever removes something renames it to `tmp/<boot-id>/` and calls [`clear_away`]. That deletes
//! for some milliseconds, which is enough for a usual container, and leaves the rest to a process
//! of its own ([`DELETER`]), so that nobody waits for the disk. There is one such process at a
//! time: it holds the flock(2) on `tmp/`, which needs no file and so no space. Whoever finds that
//! lock taken may rely on its holder, who looks again after letting go of it. A deleter that was
//! killed has lost its lock, and the next command that removes or stages something starts another.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;

use super::atomic;
use super::remove::{Deleted, Pace, delete_grave, remove_paced};
use crate::error::{Context, Error, Result};
use crate::sys::descriptor::close_on_exec_from;
use crate::sys::process::{ExecArray, Fork, exec_descriptor, exit_now, fork, place_descriptor};

/// `argv[0]` of the process that deletes in the background; its only word is the store's root.
pub const DELETER: &str = "hull: delete";

/// How long a command deletes by itself. (In unit tests there is no binary to leave the rest to.)
const FOREGROUND: Duration = match cfg!(test) {
    true => Duration::from_secs(3600),
    false => Duration::from_millis(5),
};

/// What a look at all that is out of sight found.
#[derive(Debug, Default)]
struct Sweep {
    /// Something was deleted, at least in part.
    progress: bool,
    /// Something that nobody else is deleting is still there.
    left: bool,
}

/// Deletes what is out of sight in the store at `root`, or sees to it that it is deleted. Called
/// after every removal; must not be what a removal fails of.
pub fn clear_away(root: &Path) {
    let until = Pace::Until(Instant::now() + FOREGROUND);
    let swept = sweep(root, until);
    let done = swept.and_then(|swept| match swept.left {
        true => leave_to_deleter(root),
        false => Ok(()),
    });
    if let Err(error) = done {
        log::debug!("{error}");
    }
}

/// Deletes all that is out of sight; returns at once where another process is at it.
///
/// Should: unlock before the last look, or what is buried meanwhile is left to nobody.
pub fn delete_rest(root: &Path) -> Result<()> {
    let Some(tmp) = open_tmp(root)? else {
        return Ok(());
    };
    loop {
        match flock(&tmp, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => return Ok(()),
            locked => locked.context(|| "lock tmp")?,
        }
        while sweep(root, Pace::Whole)?.progress {}
        flock(&tmp, FlockOperation::Unlock).context(|| "unlock tmp")?;
        // What cannot be deleted makes no progress, and is left to the next command.
        if !sweep(root, Pace::Whole)?.progress {
            return Ok(());
        }
    }
}

/// Bytes of files that are out of sight and not deleted yet, and of those still being staged.
pub(super) fn bytes_in_tmp(root: &Path) -> u64 {
    let entries = walkdir::WalkDir::new(root.join("tmp")).into_iter();
    let files = entries.filter_map(|entry| entry.ok()?.metadata().ok());
    files.filter(|it| it.is_file()).map(|it| it.len()).sum()
}

fn open_tmp(root: &Path) -> Result<Option<OwnedFd>> {
    let path = root.join("tmp");
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(CWD, &path, flags, Mode::empty()) {
        Ok(tmp) => Ok(Some(tmp)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(Error::from(error).wrap(format!("open {}", path.display()))),
    }
}

/// Wipes what nobody holds: tombstones, the stages of killed processes, other boots' directories.
/// What cannot be deleted must not keep the others.
fn sweep(root: &Path, pace: Pace) -> Result<Sweep> {
    let mut swept = Sweep::default();
    let Some(tmp) = open_tmp(root)? else {
        return Ok(swept);
    };
    let boot = atomic::boot_id()?;
    for name in atomic::names_in(tmp.as_fd())? {
        if name != boot {
            swept.note(remove_paced(&tmp, &name, pace));
        }
    }
    let Ok(current) = atomic::open_dir(tmp.as_fd(), &boot) else {
        return Ok(swept);
    };
    for name in atomic::names_in(current.as_fd())? {
        if is_ours(&name) {
            swept.note(delete_grave(&current, &name, pace));
        }
    }
    Ok(swept)
}

impl Sweep {
    fn note(&mut self, deleted: Result<Deleted>) {
        match deleted {
            Ok(Deleted::Whole) => self.progress = true,
            Ok(Deleted::Partly) => self.left = true,
            // Its owner or its deleter sees to it.
            Ok(Deleted::Held) => {}
            Err(error) => {
                log::debug!("{error}");
                self.left = true;
            }
        }
    }
}

/// `<pid>-<32 hex digits>`; others use this directory too.
fn is_ours(name: &str) -> bool {
    name.split_once('-').is_some_and(|(pid, random)| {
        !pid.is_empty()
            && pid.bytes().all(|b| b.is_ascii_digit())
            && random.len() == 32
            && random.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

/// Starts a deleter unless there is one.
fn leave_to_deleter(root: &Path) -> Result<()> {
    let Some(tmp) = open_tmp(root)? else {
        return Ok(());
    };
    if let Err(Errno::WOULDBLOCK) = flock(&tmp, FlockOperation::NonBlockingLockExclusive) {
        return Ok(());
    }
    drop(tmp);
    let open = |path: &str, flags: OFlags| {
        rustix::fs::openat(CWD, path, flags | OFlags::CLOEXEC, Mode::empty())
            .context(|| format!("open {path}"))
    };
    let binary = open("/proc/self/exe", OFlags::PATH)?;
    let null = open("/dev/null", OFlags::RDWR)?;
    let root = std::path::absolute(root)?;
    let words = [DELETER.as_bytes(), root.as_os_str().as_bytes()].map(CString::new);
    let words: Vec<CString> = words
        .into_iter()
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| Error::invalid("NUL in the store's path"))?;
    let none: [CString; 0] = [];
    let (words, none) = (ExecArray::new(&words), ExecArray::new(&none));
    // Twice, so that it is nobody's child: whoever called may live long and wait for others.
    match fork().context(|| "fork to delete")? {
        Fork::Parent { pidfd, .. } => {
            let id = rustix::process::WaitId::PidFd(pidfd.as_fd());
            rustix::process::waitid(id, rustix::process::WaitIdOptions::EXITED)?;
            Ok(())
        }
        Fork::Child => {
            // The rest is only slower if this fails.
            let _ = rustix::process::setsid();
            if let Ok(Fork::Child) = fork() {
                become_deleter(binary.as_fd(), null.as_fd(), &words, &none);
            }
            exit_now(0)
        }
    }
}

/// After the fork: nothing of the caller's stays open, and no directory of its in use.
fn become_deleter(
    binary: BorrowedFd<'_>,
    null: BorrowedFd<'_>,
    words: &ExecArray<'_>,
    environment: &ExecArray<'_>,
) -> ! {
    let detached = rustix::process::chdir(c"/")
        .and_then(|()| (0..3).try_for_each(|number| place_descriptor(null, number)))
        .and_then(|()| close_on_exec_from(3));
    if detached.is_ok() {
        exec_descriptor(binary, words, environment);
    }
    // The next command tries again.
    exit_now(1)
}
