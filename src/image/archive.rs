//! The files of an image archive, wherever they are: in a tar file or in an OCI layout directory.
//!
//! A tar is indexed once and then read in place. What is not a plain file on disk (a pipe, a
//! compressed archive) is first written to an unnamed file in the store. Names from an archive are
//! only compared with names in its index, never opened; in a directory they are opened beneath it
//! without following any link.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags};

use sha2::{Digest as _, Sha256};

use super::manifest::Descriptor;
use super::tar_index::{Member, index};
use crate::base::Digest;
use crate::error::{Context, Error, Kind, Result};
use crate::store::{Store, decompress, fill};

/// Opened content of one or more images.
pub enum Archive {
    /// A tar file and where its members are.
    Tar(File, HashMap<String, Member>),
    /// A directory.
    Directory(OwnedFd),
}

impl Archive {
    /// Opens a directory, or a file as [`Archive::of_file`] does.
    pub fn open(store: &Store, path: &Path) -> Result<Archive> {
        let subject = || format!("open {}", path.display());
        let file = File::open(path).map_err(|error| {
            let kind = match error.kind() {
                io::ErrorKind::NotFound => Kind::NotFound,
                _ => Kind::System,
            };
            Error::from(error).with_kind(kind).wrap(subject())
        })?;
        if file.metadata().context(subject)?.is_dir() {
            return Ok(Archive::Directory(file.into()));
        }
        Archive::of_file(store, file).context(|| path.display().to_string())
    }

    /// Opens a tar, plain or compressed, from a file or a pipe.
    pub fn of_file(store: &Store, file: File) -> Result<Archive> {
        let mut start = [0; 6];
        let at_start = rustix::fs::tell(&file) == Ok(0);
        let plain = at_start
            && file.metadata()?.is_file()
            && file.read_at(&mut start, 0)? > 0
            && !matches!(
                start,
                [0x1f, 0x8b, ..]
                    | [0x28, 0xb5, 0x2f, 0xfd, ..]
                    | [_, 0x2a, 0x4d, 0x18, ..]
                    | [0xfd, b'7', b'z', ..]
                    | [b'B', b'Z', b'h', ..]
            );
        let file = if plain { file } else { spool(store, file)? };
        let members = index(&file)?;
        Ok(Archive::Tar(file, members))
    }

    /// Whether there is such a file.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Archive::Tar(_, members) => members.contains_key(name),
            Archive::Directory(_) => matches!(self.file(name), Ok(Some(_))),
        }
    }

    /// A reader of the file `name`, and its length.
    pub fn file(&self, name: &str) -> Result<Option<(Section, u64)>> {
        match self {
            Archive::Tar(file, members) => match members.get(name) {
                None => Ok(None),
                Some(Member::Other) => Err(Error::corrupt(format!(
                    "{:?} in the archive is not a regular file",
                    crate::registry::escaped(name)
                ))),
                Some(Member::File { offset, length }) => {
                    let file = file.try_clone()?;
                    Ok(Some((Section::new(file, *offset, *length), *length)))
                }
            },
            Archive::Directory(dir) => {
                let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
                let opened = rustix::fs::openat2(dir, name, flags, Mode::empty(), resolve);
                let file = match opened {
                    Ok(fd) => File::from(fd),
                    Err(rustix::io::Errno::NOENT) => return Ok(None),
                    Err(error) => return Err(error).context(|| format!("open {name}")),
                };
                let meta = file.metadata().context(|| format!("stat {name}"))?;
                if !meta.is_file() {
                    return Err(Error::corrupt(format!("{name} is not a regular file")));
                }
                Ok(Some((Section::new(file, 0, meta.len()), meta.len())))
            }
        }
    }

    /// A reader of a layer, which must be there.
    pub fn section(&self, name: &str) -> Result<Section> {
        let found = self.file(name)?;
        let missing = || {
            let shown = crate::registry::escaped(name);
            Error::corrupt(format!("layer {shown:?} is missing in the archive"))
        };
        Ok(found.ok_or_else(missing)?.0)
    }

    /// How long a layer is.
    pub fn length(&self, name: &str) -> Result<u64> {
        let section = self.section(name)?;
        Ok(section.end - section.offset)
    }

    /// How a layer is compressed, by its first bytes.
    pub fn form(&self, name: &str) -> Result<Form> {
        let mut start = Vec::new();
        self.section(name)?.take(4).read_to_end(&mut start)?;
        Ok(match start[..] {
            [0x1f, 0x8b, ..] => Form::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd] | [_, 0x2a, 0x4d, 0x18] => Form::Zstd,
            // Anything else that is compressed is refused where it is unpacked.
            _ => Form::Tar,
        })
    }

    /// What a manifest would say of a layer.
    pub fn describe(&self, name: &str) -> Result<Descriptor> {
        Ok(Descriptor {
            media_type: self.form(name)?.media_type().to_owned(),
            digest: self.digest(name)?,
            size: self.length(name)?,
        })
    }

    /// The digest of a layer's bytes.
    fn digest(&self, name: &str) -> Result<Digest> {
        let mut hasher = Sha256::new();
        let mut section = self.section(name)?;
        let mut buffer = vec![0; 256 << 10];
        loop {
            match section.read(&mut buffer)? {
                0 => return Ok(Digest::from_hasher(hasher)),
                count => hasher.update(&buffer[..count]),
            }
        }
    }

    /// A file that must be there and is at most `limit` bytes long.
    pub fn small(&self, name: &str, limit: u64) -> Result<Vec<u8>> {
        let shown = || crate::registry::escaped(name);
        let found = self.file(name)?;
        let (mut reader, length) = found
            .ok_or_else(|| Error::corrupt(format!("{:?} is missing in the archive", shown())))?;
        if length > limit {
            let why = format!("{:?} in the archive has more than {limit} bytes", shown());
            return Err(Error::corrupt(why));
        }
        let mut bytes = Vec::new();
        reader
            .read_to_end(&mut bytes)
            .context(|| format!("read {:?} in the archive", shown()))?;
        Ok(bytes)
    }
}

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Tar,
    Gzip,
    Zstd,
}

impl Form {
    /// OCI's name for it.
    pub fn media_type(self) -> &'static str {
        match self {
            Form::Tar => "application/vnd.oci.image.layer.v1.tar",
            Form::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Form::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }
}

/// A part of a file, read without moving its offset, so that threads can share it.
#[derive(Debug)]
pub struct Section {
    file: File,
    offset: u64,
    end: u64,
}

impl Section {
    fn new(file: File, offset: u64, length: u64) -> Self {
        let end = offset.saturating_add(length);
        Section { file, offset, end }
    }

    /// Continues `count` bytes further on.
    pub fn skip(mut self, count: u64) -> Self {
        self.offset = self.offset.saturating_add(count).min(self.end);
        self
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.offset).unwrap_or(usize::MAX);
        let want = buffer.len().min(left);
        let count = self.file.read_at(&mut buffer[..want], self.offset)?;
        if count == 0 && want > 0 {
            let why = "the archive ends in the middle of a file";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
        }
        self.offset += count as u64;
        Ok(count)
    }
}

/// Writes what `source` unpacks to into a file without a name.
fn spool(store: &Store, source: File) -> Result<File> {
    let subject = || "keep the archive for reading";
    let file = store.unnamed_file().context(subject)?;
    let reader = decompress(source)?;
    fill(&mut &file, &file, reader, |error| {
        Error::corrupt(format!("read the archive: {error}")).hint("is the file complete?")
    })
    .context(subject)?;
    Ok(file)
}
