//! An unpacked layer beside what its archive says: every name, kind, content, mode, owner, time
//! and extended attribute.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read as _;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, ResolveFlags, Stat};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::expected::{Expected, Made, Node};
use crate::base::{Digest, Ownership};
use crate::error::{Context, Result};
use crate::store::archive::show;
use crate::store::extract::{clamp_time, is_kept, is_opaque, is_whiteout};

/// Enough to know what happened; a layer that is all wrong would fill the screen.
const MOST_DIFFERENCES: usize = 100;

struct Comparison<'a> {
    expected: &'a Expected,
    ownership: Ownership,
    root: OwnedFd,
    /// The inode on disk of each expected one that has been seen.
    inodes: HashMap<usize, (u64, u64)>,
    differences: Vec<String>,
}

/// What differs, one line each.
pub(super) fn compare(
    tree: &Path,
    expected: &Expected,
    ownership: Ownership,
) -> Result<Vec<String>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let root = rustix::fs::openat(CWD, tree, flags, Mode::empty()).context(|| "open it")?;
    let mut comparison = Comparison {
        expected,
        ownership,
        root,
        inodes: HashMap::new(),
        differences: Vec::new(),
    };
    comparison.run()?;
    Ok(comparison.differences)
}

impl Comparison<'_> {
    fn run(&mut self) -> Result<()> {
        let mut missing: BTreeSet<&[u8]> = BTreeSet::new();
        missing.extend(self.expected.names.keys().map(|name| &name[..]));
        let mut todo = vec![Vec::new()];
        while let Some(path) = todo.pop() {
            let dir = self
                .open(&path)
                .context(|| format!("open {}", show(&path)))?;
            if path.is_empty() {
                missing.remove(&path[..]);
                let stat = rustix::fs::fstat(&dir)?;
                self.attributes(&path, &self.expected.nodes[0], &stat);
            }
            for name in names(&dir)? {
                let child = match &path[..] {
                    b"" => name.clone(),
                    path => [path, b"/", &name[..]].concat(),
                };
                if self.differences.len() >= MOST_DIFFERENCES {
                    return Ok(());
                }
                let Some(at) = self.expected.names.get(&child) else {
                    self.differ(&child, "it is not in the layer's archive");
                    continue;
                };
                missing.remove(&child[..]);
                self.node(&child, *at, dir.as_fd(), &name)?;
                if self.expected.nodes[*at].made == Made::Directory {
                    todo.push(child);
                }
            }
        }
        for path in missing {
            self.differ(path, "it is missing");
        }
        Ok(())
    }

    fn differ(&mut self, path: &[u8], why: &str) {
        self.differences.push(format!("{}: {why}", show(path)));
    }

    /// A directory of the tree; no link on the way is followed.
    fn open(&self, path: &[u8]) -> rustix::io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        if path.is_empty() {
            return rustix::fs::openat(&self.root, c".", flags, Mode::empty());
        }
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        rustix::fs::openat2(&self.root, path, flags, Mode::empty(), resolve)
    }

    fn node(&mut self, path: &[u8], at: usize, dir: BorrowedFd<'_>, name: &[u8]) -> Result<()> {
        let node = &self.expected.nodes[at];
        let stat = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let inode = (stat.st_dev, stat.st_ino);
        match self.inodes.insert(at, inode) {
            // Another name of the same inode, which has been looked at.
            Some(seen) if seen == inode => return Ok(()),
            Some(_) => {
                self.differ(path, "it is no hard link any more");
                return Ok(());
            }
            None => {}
        }
        if let Some(why) = differs_in_kind(&node.made, &stat, dir, name)? {
            self.differ(path, &why);
            return Ok(());
        }
        self.attributes(path, node, &stat);
        if matches!(node.made, Made::File { .. } | Made::Directory) {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            match rustix::fs::openat(dir, name, flags, Mode::empty()) {
                Ok(file) => self.inside(path, node, file)?,
                Err(error) => self.differ(path, &format!("it cannot be read: {error}")),
            }
        }
        Ok(())
    }

    /// What has to be opened to be seen: content and extended attributes.
    fn inside(&mut self, path: &[u8], node: &Node, file: OwnedFd) -> Result<()> {
        if node.made == Made::Directory && is_opaque(&file) != node.opaque {
            self.differ(path, "it hides other files of the layers below");
        }
        if node.described
            && let Some(found) = attributes_of(&file)?
        {
            let mut wanted = node.xattrs.clone();
            if self.ownership == Ownership::Squashed {
                // One that has a single id cannot give capabilities.
                wanted.remove(&b"security.capability"[..]);
            }
            if found != wanted {
                self.differ(path, "its extended attributes differ");
            }
        }
        if let Made::File { digest, .. } = &node.made {
            match digest_of(file) {
                Ok(found) if found == *digest => {}
                Ok(_) => self.differ(path, "its content differs from the layer's archive"),
                Err(error) => self.differ(path, &format!("it cannot be read: {error}")),
            }
        }
        Ok(())
    }

    fn attributes(&mut self, path: &[u8], node: &Node, stat: &Stat) {
        if !node.described {
            return;
        }
        let is_link = matches!(node.made, Made::Symlink(_));
        let mode = stat.st_mode & 0o7777;
        if !is_link && mode != node.mode & 0o7777 {
            self.differ(
                path,
                &format!("its mode is {mode:o} instead of {:o}", node.mode),
            );
        }
        let (uid, gid) = (stat.st_uid, stat.st_gid);
        if self.ownership == Ownership::Full && (uid, gid) != (node.uid, node.gid) {
            let wanted = format!("{}:{}", node.uid, node.gid);
            self.differ(
                path,
                &format!("its owner is {uid}:{gid} instead of {wanted}"),
            );
        }
        // Files made in the root have changed its time, and no archive sets it.
        if !path.is_empty() && stat.st_mtime != clamp_time(node.mtime.0) {
            self.differ(path, "its time of modification differs");
        }
    }
}

/// Why it is not what it should be, but for content.
fn differs_in_kind(
    made: &Made,
    stat: &Stat,
    dir: BorrowedFd<'_>,
    name: &[u8],
) -> Result<Option<String>> {
    let kind = FileType::from_raw_mode(stat.st_mode);
    let device = |major, minor| stat.st_rdev == rustix::fs::makedev(major, minor);
    let is_it = match made {
        Made::Deletion => is_whiteout(stat),
        Made::File { .. } => kind == FileType::RegularFile,
        Made::Symlink(_) => kind == FileType::Symlink,
        Made::Directory => kind == FileType::Directory,
        Made::Fifo => kind == FileType::Fifo,
        Made::Character(major, minor) => {
            kind == FileType::CharacterDevice && device(*major, *minor)
        }
        Made::Block(major, minor) => kind == FileType::BlockDevice && device(*major, *minor),
    };
    if !is_it {
        return Ok(Some("it is of another kind".to_owned()));
    }
    Ok(match made {
        Made::File { size, .. } if stat.st_size.cast_unsigned() != *size => {
            let length = stat.st_size;
            Some(format!("it has {length} bytes instead of {size}"))
        }
        Made::Symlink(target) => {
            let found = rustix::fs::readlinkat(dir, name, Vec::new())?;
            (found.as_bytes() != target).then(|| "it points elsewhere".to_owned())
        }
        _ => None,
    })
}

fn names(dir: &OwnedFd) -> Result<Vec<Vec<u8>>> {
    let mut buffer = vec![std::mem::MaybeUninit::<u8>::uninit(); 32 << 10];
    let mut entries = RawDir::new(dir, &mut buffer);
    let mut names = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(name.to_vec());
        }
    }
    // What is told first must not depend on the file system.
    names.sort();
    Ok(names)
}

/// Those that an archive may set; `None` where the file system has none.
fn attributes_of(file: &OwnedFd) -> Result<Option<BTreeMap<Vec<u8>, Vec<u8>>>> {
    let mut list = vec![0; 64 << 10];
    let length = match rustix::fs::flistxattr(file, &mut list[..]) {
        Err(Errno::OPNOTSUPP) => return Ok(None),
        length => length.context(|| "list extended attributes")?,
    };
    let mut found = BTreeMap::new();
    for name in list[..length].split(|byte| *byte == 0) {
        if !is_kept(name) && name != b"security.capability" {
            continue;
        }
        let mut value = vec![0; 64 << 10];
        let length = rustix::fs::fgetxattr(file, name, &mut value[..]);
        let length = length.context(|| format!("read attribute {}", show(name)))?;
        value.truncate(length);
        found.insert(name.to_vec(), value);
    }
    Ok(Some(found))
}

fn digest_of(file: OwnedFd) -> std::io::Result<Digest> {
    let mut file = std::fs::File::from(file);
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 128 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Digest::from_hasher(hasher)),
            count => hasher.update(&buffer[..count]),
        }
    }
}
