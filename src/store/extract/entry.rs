//! Making one entry of each type.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::attributes::{self, Attributes};
use super::budget::Budget;
use super::path::EntryPath;
use super::tree::{self, Tree};
use super::whiteout::{self, Meaning};
use super::{Limits, Summary};
use crate::base::DiffId;
use crate::base::Ownership;
use crate::error::{Context, Error, Result};
use crate::store::OverlayXattrs;
use crate::store::archive::{Entry, EntryKind, Reader, show};
use crate::sys::writeback;

/// So many bytes of a file are sent to the disk at once while the rest is still unpacked …
const WRITEBACK_STEP: u64 = 8 << 20;
/// … and what is left at its end, unless it is less than this: small files are written in one go by
/// the sync, next to each other.
const WRITEBACK_LEAST: u64 = 256 << 10;
/// Memory for directory times before they are set and forgotten early.
const TIMES_BYTES: usize = 32 << 20;

/// One extraction under way.
pub(super) struct Extractor {
    tree: Tree,
    attributes: Attributes,
    budget: Budget,
    marks: OverlayXattrs,
    times: DirectoryTimes,
    devices_skipped: u64,
    opaque_root: bool,
}

impl Extractor {
    pub fn new(
        root: OwnedFd,
        ownership: Ownership,
        marks: OverlayXattrs,
        limits: &Limits,
    ) -> Result<Extractor> {
        // What a layer's root is unless its archive says otherwise.
        rustix::fs::fchmod(&root, Mode::from_raw_mode(0o755)).context(|| "set mode")?;
        Extractor::over(root, ownership, marks, limits)
    }

    /// Extracts into a tree that others use; see [`Tree::in_use`].
    pub fn into_tree_in_use(
        root: OwnedFd,
        ownership: Ownership,
        marks: OverlayXattrs,
        limits: &Limits,
    ) -> Result<Extractor> {
        let mut extractor = Extractor::over(root, ownership, marks, limits)?;
        extractor.tree.in_use = true;
        Ok(extractor)
    }

    fn over(
        root: OwnedFd,
        ownership: Ownership,
        marks: OverlayXattrs,
        limits: &Limits,
    ) -> Result<Extractor> {
        let budget = Budget::new(limits, &root)?;
        Ok(Extractor {
            attributes: Attributes::new(ownership, root.as_fd()),
            tree: Tree::new(root, marks),
            budget,
            marks,
            times: DirectoryTimes::default(),
            devices_skipped: 0,
            opaque_root: false,
        })
    }

    pub fn extract(&mut self, entry: &Entry, reader: &mut Reader) -> Result<()> {
        self.budget.add_entry(&*self.tree.root)?;
        self.extract_one(entry, reader)
            .context(|| format!("extract {}", show(&entry.path)))
    }

    /// Sets the times of directories, which every file made in them has changed.
    pub fn finish(mut self, diff_id: DiffId) -> Result<Summary> {
        self.times.apply(&self.tree)?;
        let mut warnings = Vec::new();
        if self.devices_skipped > 0 {
            let count = self.devices_skipped;
            warnings.push(format!(
                "{count} device nodes were left out: only root can make them"
            ));
        }
        if self.attributes.lost_xattrs {
            warnings.push("the filesystem of the store keeps no extended attributes".to_owned());
        }
        let to_path = |bytes: Vec<u8>| -> PathBuf {
            let text: std::ffi::OsString = std::os::unix::ffi::OsStringExt::from_vec(bytes);
            text.into()
        };
        Ok(Summary {
            diff_id,
            size_bytes: self.budget.size_bytes,
            entries: self.budget.entries,
            implicit_parents: self.tree.implicit.into_iter().map(to_path).collect(),
            warnings,
            overlay_xattrs: self.marks,
            opaque_root: self.opaque_root,
        })
    }

    fn extract_one(&mut self, entry: &Entry, reader: &mut Reader) -> Result<()> {
        let path = EntryPath::parse(&entry.path)?;
        if path.is_root() {
            return self.root(entry);
        }
        let meaning = match self.tree.in_use {
            // Only layers have whiteouts.
            true => Meaning::Ordinary,
            false => whiteout::meaning(&path)?,
        };
        match meaning {
            Meaning::Ordinary => {}
            Meaning::Skip => return Ok(()),
            Meaning::Delete(name) => return self.delete_below(&path, name, entry),
            Meaning::Opaque => return self.hide_below(&path, entry),
        }
        let parent = self.tree.parent(&path)?;
        let (dir, name) = (parent.as_fd(), path.name());
        match entry.kind {
            EntryKind::File => self.file(dir, name, entry, reader),
            EntryKind::Directory => self.directory(dir, &path, entry),
            EntryKind::Symlink => self.symlink(dir, name, entry),
            EntryKind::HardLink => self.hard_link(dir, name, entry),
            EntryKind::Fifo => self.node(dir, name, entry, FileType::Fifo, 0),
            EntryKind::Character(0, 0) => Err(Error::invalid(
                "a character device 0:0 is how overlayfs marks deletions, not content",
            )),
            EntryKind::Character(major, minor) => {
                let device = rustix::fs::makedev(major, minor);
                self.node(dir, name, entry, FileType::CharacterDevice, device)
            }
            EntryKind::Block(major, minor) => {
                let device = rustix::fs::makedev(major, minor);
                self.node(dir, name, entry, FileType::BlockDevice, device)
            }
        }
    }

    /// The root is ours; an archive may only say its mode and owner.
    fn root(&mut self, entry: &Entry) -> Result<()> {
        if entry.kind != EntryKind::Directory {
            return Err(Error::invalid("the root must be a directory"));
        }
        let root = self.tree.root.clone();
        self.attributes.note_directory(entry);
        let plain = Entry {
            kind: EntryKind::Directory,
            path: Vec::new(),
            link: Vec::new(),
            xattrs: Vec::new(),
            segments: None,
            ..*entry
        };
        self.attributes.apply(root.as_fd(), &plain)?;
        rustix::fs::fchmod(&*root, Mode::from_raw_mode(entry.mode)).context(|| "set mode")
    }

    fn file(
        &mut self,
        dir: BorrowedFd<'_>,
        name: &[u8],
        entry: &Entry,
        reader: &mut Reader,
    ) -> Result<()> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Attributes::creation_mode(entry);
        let make = || rustix::fs::openat(dir, name, flags, mode);
        let file = self.tree.create(dir, name, make)?;
        match &entry.segments {
            None => self.write(&file, 0, u64::MAX, reader)?,
            Some(segments) => {
                for segment in segments {
                    self.write(&file, segment.offset, segment.length, reader)?;
                }
                rustix::fs::ftruncate(&file, entry.size).context(|| "set the size")?;
            }
        }
        if self.attributes.needs_more(entry) {
            self.attributes.apply(file.as_fd(), entry)?;
        }
        attributes::set_times(&file, entry.mtime)
    }

    /// Writes up to `length` bytes of the entry's data at `offset`.
    fn write(
        &mut self,
        file: &OwnedFd,
        mut offset: u64,
        mut length: u64,
        reader: &mut Reader,
    ) -> Result<()> {
        let mut dirty = offset;
        while length > 0 {
            let bytes = reader.data(length)?;
            if bytes.is_empty() {
                break;
            }
            let written = match rustix::io::pwrite(file, bytes, offset) {
                Err(Errno::INTR) => continue,
                written => written.context(|| "write")?,
            };
            reader.consume(written);
            offset += written as u64;
            length -= written as u64;
            self.budget.add_bytes(written as u64, file)?;
            if offset - dirty >= WRITEBACK_STEP {
                writeback::start(file, dirty, offset - dirty);
                dirty = offset;
            }
        }
        if offset - dirty >= WRITEBACK_LEAST {
            writeback::start(file, dirty, offset - dirty);
        }
        Ok(())
    }

    fn directory(&mut self, dir: BorrowedFd<'_>, path: &EntryPath, entry: &Entry) -> Result<()> {
        let name = path.name();
        let mode = Attributes::creation_mode(entry);
        let mut is_new = true;
        if let Err(error) = rustix::fs::mkdirat(dir, name, mode) {
            if error != Errno::EXIST {
                return Err(error.into());
            }
            let existing = tree::stat_at(dir, name)?;
            let kind = existing.as_ref().map(tree::file_type);
            is_new = kind != Some(FileType::Directory);
            if is_new && self.tree.in_use {
                return Err(Error::conflict(
                    "cannot overwrite non-directory with directory",
                ));
            }
            if is_new {
                self.tree.remove(dir, name)?;
                rustix::fs::mkdirat(dir, name, mode)?;
            }
            let was_whiteout = existing.as_ref().is_some_and(whiteout::is_whiteout);
            if was_whiteout {
                whiteout::set_opaque(open_directory(dir, name)?, self.marks)
                    .context(|| "mark opaque")?;
            }
        }
        self.tree.implicit.remove(path.as_bytes());
        self.attributes.note_directory(entry);
        if !is_new || self.attributes.needs_more(entry) {
            let fd = open_directory(dir, name)?;
            self.attributes.apply(fd.as_fd(), entry)?;
            if !is_new {
                rustix::fs::fchmod(&fd, Mode::from_raw_mode(entry.mode)).context(|| "set mode")?;
            }
        }
        self.times.add(path.as_bytes(), entry.mtime);
        if self.times.paths.len() > TIMES_BYTES {
            self.times.apply(&self.tree)?;
        }
        Ok(())
    }

    fn symlink(&mut self, dir: BorrowedFd<'_>, name: &[u8], entry: &Entry) -> Result<()> {
        if entry.link.is_empty() {
            return Err(Error::invalid("a symlink without a target"));
        }
        let make = || rustix::fs::symlinkat(&entry.link[..], dir, name);
        self.tree.create(dir, name, make)?;
        self.attributes.apply_owner_at(dir, name, entry)?;
        let times = attributes::times(entry.mtime);
        rustix::fs::utimensat(dir, name, &times, AtFlags::SYMLINK_NOFOLLOW).context(|| "set times")
    }

    /// Links to a file of this tree: both names are looked up inside it, and the target itself is
    /// not followed.
    fn hard_link(&mut self, dir: BorrowedFd<'_>, name: &[u8], entry: &Entry) -> Result<()> {
        let subject = || format!("hard link to {}", show(&entry.link));
        let target = EntryPath::parse(&entry.link).context(subject)?;
        if target.is_root() {
            return Err(Error::invalid("it is the root").wrap(subject()));
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let from = match target.parent() {
            b"" => rustix::io::fcntl_dupfd_cloexec(&*self.tree.root, 3),
            parent => self.tree.open(parent, flags),
        };
        let from = from.context(subject)?;
        let missing = || Error::invalid("no such file in the archive so far").wrap(subject());
        let linked = tree::stat_at(from.as_fd(), target.name())?.ok_or_else(missing)?;
        if tree::file_type(&linked) == FileType::Directory || whiteout::is_whiteout(&linked) {
            return Err(Error::invalid("it is not a file").wrap(subject()));
        }
        let here = rustix::fs::fstat(dir)?;
        let there = rustix::fs::fstat(&from)?;
        if (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino) && name == target.name() {
            return Err(Error::invalid("it links to itself").wrap(subject()));
        }
        let target = target.name();
        let make = || rustix::fs::linkat(&from, target, dir, name, AtFlags::empty());
        self.tree.create(dir, name, make).context(subject)
    }

    fn node(
        &mut self,
        dir: BorrowedFd<'_>,
        name: &[u8],
        entry: &Entry,
        kind: FileType,
        device: u64,
    ) -> Result<()> {
        let is_device = kind != FileType::Fifo;
        // The kernel refuses device nodes in every user namespace but the first (mknod(2)).
        if is_device && self.marks == OverlayXattrs::User {
            self.devices_skipped += 1;
            return Ok(());
        }
        let mode = Attributes::creation_mode(entry);
        let make = || rustix::fs::mknodat(dir, name, kind, mode, device);
        self.tree.create(dir, name, make)?;
        self.attributes.apply_owner_at(dir, name, entry)?;
        Attributes::apply_mode_at(dir, name, entry)?;
        let times = attributes::times(entry.mtime);
        rustix::fs::utimensat(dir, name, &times, AtFlags::SYMLINK_NOFOLLOW).context(|| "set times")
    }

    fn delete_below(&mut self, path: &EntryPath, name: &[u8], entry: &Entry) -> Result<()> {
        // aufs stored whiteouts as hard links, so both types occur.
        if !matches!(entry.kind, EntryKind::File | EntryKind::HardLink) {
            return Err(Error::invalid("a whiteout must be a regular file"));
        }
        let parent = self.whiteout_parent(path)?;
        let make =
            || rustix::fs::mknodat(&parent, name, FileType::CharacterDevice, Mode::empty(), 0);
        self.tree.create(parent.as_fd(), name, make)
    }

    fn hide_below(&mut self, path: &EntryPath, entry: &Entry) -> Result<()> {
        if !matches!(entry.kind, EntryKind::File | EntryKind::HardLink) {
            return Err(Error::invalid("a whiteout must be a regular file"));
        }
        let parent = self.whiteout_parent(path)?;
        if path.parent().is_empty() {
            // Overlayfs does not look at the mark of a layer's root.
            self.opaque_root = true;
        }
        let dir = open_directory(parent.as_fd(), b".")?;
        whiteout::set_opaque(dir, self.marks).context(|| "mark opaque")
    }

    /// The directory a whiteout is in; none is ever meant to work through a symlink.
    fn whiteout_parent(&mut self, path: &EntryPath) -> Result<OwnedFd> {
        self.tree.parent(path)?;
        let parent = match path.parent() {
            b"" => b".",
            parent => parent,
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let root = self.tree.root.as_fd();
        tree::open_in_root(root, parent, flags, ResolveFlags::NO_SYMLINKS)
            .context(|| "open the directory of a whiteout")
    }
}

fn open_directory(dir: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::empty()).context(|| "open directory")
}

/// Directory times to set at the end: many small records in two buffers.
#[derive(Default)]
struct DirectoryTimes {
    paths: Vec<u8>,
    /// End of the path in `paths`, and the time.
    records: Vec<(usize, (i64, u32))>,
}

impl DirectoryTimes {
    fn add(&mut self, path: &[u8], mtime: (i64, u32)) {
        self.paths.extend_from_slice(path);
        self.records.push((self.paths.len(), mtime));
    }

    fn apply(&mut self, tree: &Tree) -> Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        let mut start = 0;
        for (end, mtime) in self.records.drain(..) {
            let path = &self.paths[start..end];
            start = end;
            match tree.open(path, flags) {
                Ok(dir) => attributes::set_times(dir, mtime)?,
                // A later entry replaced it.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                Err(error) => return Err(Error::from(error).wrap(show(path))),
            }
        }
        self.paths.clear();
        Ok(())
    }
}
