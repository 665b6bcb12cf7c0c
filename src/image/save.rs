//! `save`: images of the store as an archive or a directory.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use super::layout::{Layout, Sink, write};
use super::outgoing::{Outgoing, Words, choose};
use super::platform::Platform;
use crate::base::Digest;
use crate::error::{Context, Error, Result};
use crate::store::{Store, remove_tree};

/// What to save.
#[derive(Debug, Clone)]
pub struct SaveRequest<'a> {
    /// Names and ids.
    pub names: &'a [&'a str],
    /// What the images must be for.
    pub platform: Option<Platform>,
    /// In which form.
    pub layout: Layout,
}

/// Images that are ready to be written.
#[derive(Debug)]
pub struct Saving {
    images: Vec<Outgoing>,
    layout: Layout,
}

impl Saving {
    /// Finds the images and all they consist of: what is missing is told before anything is
    /// written.
    pub fn prepare(store: &Store, request: &SaveRequest<'_>) -> Result<Saving> {
        let words = match request.layout {
            Layout::Docker | Layout::Dir => Words::Own,
            Layout::Oci => Words::Oci,
        };
        let mut images = Vec::new();
        for (record, names) in choose(store, request.names)? {
            let image = Outgoing::read(store, &record, names, words)?;
            if let Some(insisted) = &request.platform {
                image.expect_platform(insisted)?;
            }
            images.push(image);
        }
        Ok(Saving {
            images,
            layout: request.layout,
        })
    }

    /// The ids of the images.
    pub fn ids(&self) -> impl Iterator<Item = Digest> {
        self.images.iter().map(Outgoing::id)
    }

    /// Writes an archive.
    pub fn to_archive(&self, out: &mut dyn Write) -> Result<()> {
        write(&self.images, self.layout, &mut Sink::Tar(out))
    }

    /// Writes a directory, which appears once it is whole. One that is there must be empty.
    pub fn to_directory(&self, path: &Path) -> Result<()> {
        let target = NewDirectory::make(path)?;
        write(
            &self.images,
            self.layout,
            &mut Sink::Directory(target.dir()?),
        )?;
        target.keep()
    }
}

/// A directory under a name aside until it is whole.
pub(super) struct NewDirectory {
    parent: OwnedFd,
    aside: String,
    name: PathBuf,
}

impl NewDirectory {
    pub fn make(path: &Path) -> Result<NewDirectory> {
        let subject = || format!("make {}", path.display());
        if std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Error::conflict("it exists and is not empty")
                .hint("name a new directory")
                .wrap(subject()));
        }
        let (Some(name), parent) = (path.file_name(), path.parent()) else {
            return Err(Error::invalid("it names no directory").wrap(subject()));
        };
        let parent = parent
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let parent = rustix::fs::openat(CWD, parent, flags, Mode::empty()).context(subject)?;
        let aside = format!(".{}.{}.part", name.to_string_lossy(), std::process::id());
        rustix::fs::mkdirat(&parent, &aside, Mode::from_raw_mode(0o755)).context(subject)?;
        Ok(NewDirectory {
            parent,
            aside,
            name: name.into(),
        })
    }

    pub fn dir(&self) -> Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(
            &self.parent,
            &self.aside,
            flags,
            Mode::empty(),
        )?)
    }

    pub fn keep(self) -> Result<()> {
        // rename(2) takes the place of an empty directory.
        let renamed = rustix::fs::renameat(&self.parent, &self.aside, &self.parent, &self.name);
        let kept = renamed.and_then(|()| rustix::fs::fsync(&self.parent));
        kept.context(|| format!("make {}", self.name.display()))
    }
}

impl Drop for NewDirectory {
    fn drop(&mut self) {
        let there = rustix::fs::statat(&self.parent, &self.aside, AtFlags::SYMLINK_NOFOLLOW);
        if there.is_ok() {
            let parent = self.parent.try_clone().map(File::from);
            // The error that stopped us is the one to tell.
            let _ = parent.map(|parent| remove_tree(&parent, &self.aside));
        }
    }
}
