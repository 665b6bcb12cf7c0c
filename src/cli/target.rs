//! The file of `--output`: there once it is whole, and not before.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use crate::error::{Context as _, Error, Result};

/// The file of `-o`: written without a name or beside its place, and there only once it is whole.
/// What is there and is no regular file (a pipe, a device) is written to as it is.
pub struct Target {
    pub file: File,
    pub path: PathBuf,
    /// Where it will be; none if it is written in its place.
    place: Option<Place>,
}

/// A name in a directory. Opened early: the command may get a mount namespace of its own, and the
/// kernel links and renames only within one mount.
struct Place {
    directory: File,
    name: OsString,
    /// The name until the file is whole.
    aside: String,
    /// It has that one; else it has none yet.
    is_named: bool,
}

impl Target {
    /// Opens the file. `failing` is what does not work if it cannot be.
    pub fn new(path: &str, failing: &str) -> Result<Target> {
        let wanted = Path::new(path);
        let refuse = |why: String| Error::invalid(format!("{failing}: invalid output path: {why}"));
        let parent = parent_of(wanted);
        if !parent.is_dir() {
            let shown = parent.display().to_string();
            return Err(refuse(format!("directory {shown:?} does not exist")));
        }
        let subject = || format!("open {path}");
        // A link is followed to its end, which is replaced.
        let full = wanted.canonicalize().unwrap_or_else(|_| wanted.to_owned());
        match full.metadata() {
            Ok(there) if there.is_dir() => {
                return Err(refuse(format!("{path:?} is a directory")));
            }
            Ok(there) if !there.is_file() => {
                let file = File::options().write(true).open(&full).context(subject)?;
                return Ok(Target {
                    file,
                    path: full,
                    place: None,
                });
            }
            _ => {}
        }
        let directory = File::open(parent_of(&full)).context(subject)?;
        let name = full.file_name().unwrap_or_default().to_owned();
        let aside = format!(".{}.{}.part", name.to_string_lossy(), std::process::id());
        let (file, is_named) = unnamed_or(&directory, &aside).context(subject)?;
        let place = Place {
            directory,
            name,
            aside,
            is_named,
        };
        Ok(Target {
            file,
            path: full,
            place: Some(place),
        })
    }

    /// The file is whole: it gets its name.
    pub fn keep(mut self) -> Result<()> {
        let kept = match &mut self.place {
            Some(place) => place.keep(&self.file),
            None => Ok(()),
        };
        kept.context(|| format!("write {}", self.path.display()))
    }
}

/// The directory that holds a path.
fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A file without a name, of which a kill leaves nothing; or with this one, on file systems that
/// have no others.
fn unnamed_or(directory: &File, name: &str) -> rustix::io::Result<(File, bool)> {
    let mode = Mode::from_raw_mode(0o600);
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    if let Ok(file) = rustix::fs::openat(directory, c".", flags | OFlags::TMPFILE, mode) {
        return Ok((file.into(), false));
    }
    let flags = flags | OFlags::CREATE | OFlags::EXCL;
    let file = rustix::fs::openat(directory, name, flags, mode)?;
    Ok((file.into(), true))
}

impl Place {
    fn keep(&mut self, file: &File) -> rustix::io::Result<()> {
        let directory = &self.directory;
        // Should: sync before the name. A power cut must not leave an empty file where an older,
        // whole one was.
        rustix::fs::fsync(file)?;
        if !self.is_named {
            let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
            let flags = AtFlags::SYMLINK_FOLLOW;
            rustix::fs::linkat(CWD, unnamed, directory, &self.aside, flags)?;
            self.is_named = true;
        }
        rustix::fs::renameat(directory, &self.aside, directory, &self.name)?;
        self.is_named = false;
        rustix::fs::fsync(directory)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_named {
            // The error that stopped us is the one to tell.
            let _ = rustix::fs::unlinkat(&self.directory, &self.aside, AtFlags::empty());
        }
    }
}
