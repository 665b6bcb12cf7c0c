//! Walking a container's cgroups by descriptor: a container may nest them deeper than any path
//! can name, and as many as it likes.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, unlinkat};
use rustix::io::Errno;

use crate::error::{Context as _, Result};

/// How long a cgroup may be busy after its last process was reaped.
const PATIENCE: Duration = Duration::from_secs(5);

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Visits a cgroup and all below it, parents first. What vanishes meanwhile is passed over.
pub(super) fn walk(top: &Path, visit: &mut dyn FnMut(BorrowedFd<'_>)) {
    if let Ok(top) = openat(CWD, top, DIRECTORY, Mode::empty()) {
        through(top, visit, &mut |_, _| {});
    }
}

/// Removes a cgroup and all below it. Busy ones are tried again for a while.
///
/// # Errors
/// If something in it stays busy.
pub(super) fn remove(path: &Path) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match rustix::fs::rmdir(path) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(errno) if Instant::now() > deadline => {
                return Err(errno).context(|| format!("remove cgroup {}", path.display()));
            }
            Err(_) => {}
        }
        if let Ok(top) = openat(CWD, path, DIRECTORY, Mode::empty()) {
            // The next round says so if one could not be removed.
            through(top, &mut |_| {}, &mut |parent, name| {
                let _ = unlinkat(parent, name, AtFlags::REMOVEDIR);
            });
        }
        match rustix::fs::rmdir(path) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// The processes of one cgroup, without those below it.
pub(super) fn processes(directory: BorrowedFd<'_>) -> Vec<i32> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let mut text = String::new();
    let file = openat(directory, c"cgroup.procs", flags, Mode::empty());
    // A cgroup that is gone holds nobody.
    let read = file.map(|file| File::from(file).read_to_string(&mut text));
    let _ = read;
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// Down and up again with two open descriptors at a time: `enter` on the way down, and `leave` of
/// a child, by its parent and name, once all below it was left.
fn through(
    top: OwnedFd,
    enter: &mut dyn FnMut(BorrowedFd<'_>),
    leave: &mut dyn FnMut(BorrowedFd<'_>, &CStr),
) {
    let mut here = top;
    enter(here.as_fd());
    // For each level the children still to visit; the one being visited is the last.
    let mut levels = vec![children(here.as_fd())];
    while let Some(level) = levels.last_mut() {
        let Some(name) = level.last() else {
            levels.pop();
            let Some(above) = levels.last_mut() else {
                return;
            };
            let Ok(parent) = openat(&here, c"..", DIRECTORY, Mode::empty()) else {
                return;
            };
            here = parent;
            if let Some(name) = above.pop() {
                leave(here.as_fd(), &name);
            }
            continue;
        };
        match openat(&here, name.as_c_str(), DIRECTORY, Mode::empty()) {
            Ok(child) => {
                here = child;
                enter(here.as_fd());
                levels.push(children(here.as_fd()));
            }
            Err(_) => {
                level.pop();
            }
        }
    }
}

fn children(directory: BorrowedFd<'_>) -> Vec<CString> {
    let entries = Dir::read_from(directory).into_iter().flatten().flatten();
    let directories = entries.filter(|entry| entry.file_type() == FileType::Directory);
    let names = directories.map(|entry| entry.file_name().to_owned());
    names
        .filter(|name| !matches!(name.to_bytes(), b"." | b".."))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Directories behave alike wherever they are.
    #[test]
    fn f57_trees_deeper_than_a_path_can_name_are_walked_and_removed() {
        let name = format!("hull-test-tree-{}", std::process::id());
        let top = std::env::temp_dir().join(name);
        std::fs::create_dir(&top).expect("made");
        let mut here = openat(CWD, &top, DIRECTORY, Mode::empty()).expect("open");
        let long = CString::new("x".repeat(200)).expect("no NUL");
        for _ in 0..60 {
            for name in [c"a", c"b", long.as_c_str()] {
                rustix::fs::mkdirat(&here, name, Mode::RWXU).expect("made");
            }
            here = openat(&here, long.as_c_str(), DIRECTORY, Mode::empty()).expect("open");
        }
        let mut seen = 0;
        walk(&top, &mut |_| seen += 1);
        assert_eq!(seen, 1 + 60 * 3);
        remove(&top).expect("removed");
        assert!(!top.exists());
    }
}
