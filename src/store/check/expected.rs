//! What a layer's archive says its tree is: the same rules as extraction, without a disk.
//!
//! Later entries win, links on the way to an entry are followed inside the tree, hard links share
//! one description. Contents are kept as digests.

use std::collections::{BTreeMap, VecDeque};

use sha2::{Digest as _, Sha256};

use crate::base::Digest;
use crate::error::{Error, Result};
use crate::store::OverlayXattrs;
use crate::store::archive::{Entry, EntryKind, Reader, show};
use crate::store::extract::{EntryPath, Meaning, is_kept, meaning, without_root_id};

/// Links on the way to one entry, as the kernel counts them.
const MOST_LINKS: usize = 40;

/// What something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Made {
    File {
        size: u64,
        digest: Digest,
    },
    Symlink(Vec<u8>),
    Directory,
    Fifo,
    Character(u32, u32),
    Block(u32, u32),
    /// Deletes what a layer below has.
    Deletion,
}

/// One inode.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub made: Made,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub mtime: (i64, u32),
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Hides what layers below have in this directory.
    pub opaque: bool,
    /// The archive says how it is; a directory that it only uses takes that from elsewhere.
    pub described: bool,
}

/// A whole tree.
pub(super) struct Expected {
    pub nodes: Vec<Node>,
    /// Paths without leading slash; the root is empty.
    pub names: BTreeMap<Vec<u8>, usize>,
    marks: OverlayXattrs,
}

impl Expected {
    pub fn new(marks: OverlayXattrs) -> Expected {
        let root = Node {
            described: true,
            ..directory()
        };
        Expected {
            nodes: vec![root],
            names: BTreeMap::from([(Vec::new(), 0)]),
            marks,
        }
    }

    /// Takes the next entry, with its data.
    pub fn add(&mut self, entry: &Entry, reader: &mut Reader) -> Result<()> {
        let path = EntryPath::parse(&entry.path)?;
        if path.is_root() {
            let root = &mut self.nodes[0];
            (root.mode, root.uid, root.gid) = (entry.mode, entry.uid, entry.gid);
            return Ok(());
        }
        let meaning = meaning(&path)?;
        if meaning == Meaning::Skip {
            return Ok(());
        }
        let parent = self.parent(path.parent())?;
        match meaning {
            Meaning::Delete(name) => {
                let node = Node {
                    made: Made::Deletion,
                    ..directory()
                };
                self.put(join(&parent, name), node);
            }
            Meaning::Opaque => {
                let at = self.names[&parent];
                // Of the root itself the layer's record tells.
                self.nodes[at].opaque = true;
            }
            _ => self.ordinary(join(&parent, path.name()), entry, reader)?,
        }
        Ok(())
    }

    fn ordinary(&mut self, path: Vec<u8>, entry: &Entry, reader: &mut Reader) -> Result<()> {
        let made = match entry.kind {
            EntryKind::File => Made::File {
                size: entry.size,
                digest: content(entry, reader)?,
            },
            EntryKind::Directory => return self.directory(path, entry),
            EntryKind::HardLink => return self.hard_link(path, entry),
            EntryKind::Symlink => Made::Symlink(entry.link.clone()),
            EntryKind::Fifo => Made::Fifo,
            // No user namespace may make devices: extraction leaves them out.
            EntryKind::Character(..) | EntryKind::Block(..)
                if self.marks == OverlayXattrs::User =>
            {
                return Ok(());
            }
            EntryKind::Character(major, minor) => Made::Character(major, minor),
            EntryKind::Block(major, minor) => Made::Block(major, minor),
        };
        self.put(path, describe(entry, made));
        Ok(())
    }

    fn directory(&mut self, path: Vec<u8>, entry: &Entry) -> Result<()> {
        let known = self.names.get(&path).map(|at| &mut self.nodes[*at]);
        let mut node = describe(entry, Made::Directory);
        match known {
            Some(known) if known.made == Made::Directory => {
                let mut xattrs = std::mem::take(&mut known.xattrs);
                xattrs.extend(node.xattrs);
                let opaque = known.opaque;
                *known = Node {
                    xattrs,
                    opaque,
                    made: Made::Directory,
                    mode: node.mode,
                    uid: node.uid,
                    gid: node.gid,
                    mtime: node.mtime,
                    described: true,
                };
            }
            known => {
                node.opaque = known.is_some_and(|known| known.made == Made::Deletion);
                self.put(path, node);
            }
        }
        Ok(())
    }

    fn hard_link(&mut self, path: Vec<u8>, entry: &Entry) -> Result<()> {
        let target = EntryPath::parse(&entry.link)?;
        let missing = || Error::corrupt(format!("{} links to nothing", show(&entry.path)));
        let parent = self.walk(target.parent(), false)?;
        let at = self.names.get(&join(&parent, target.name()));
        let at = *at.ok_or_else(missing)?;
        self.forget(&path);
        self.names.insert(path, at);
        Ok(())
    }

    /// Gives a path to a new inode, whatever had it before.
    fn put(&mut self, path: Vec<u8>, node: Node) {
        self.forget(&path);
        self.nodes.push(node);
        self.names.insert(path, self.nodes.len() - 1);
    }

    fn forget(&mut self, path: &[u8]) {
        if self.names.remove(path).is_none() {
            return;
        }
        let inside = [path, b"/"].concat();
        let names = self.names.range(inside.clone()..);
        let below = names.take_while(|(name, _)| name.starts_with(&inside));
        let below: Vec<Vec<u8>> = below.map(|(name, _)| name.clone()).collect();
        for name in below {
            self.names.remove(&name);
        }
    }

    /// The real path of a directory that an entry uses, made if it is missing.
    fn parent(&mut self, path: &[u8]) -> Result<Vec<u8>> {
        self.walk(path, true)
    }

    fn walk(&mut self, path: &[u8], make: bool) -> Result<Vec<u8>> {
        let cannot = || Error::corrupt(format!("the way to {} cannot be followed", show(path)));
        let parts = |path: &[u8]| -> Vec<Vec<u8>> {
            let parts = path.split(|byte| *byte == b'/');
            let parts = parts.filter(|part| !part.is_empty() && *part != b".");
            parts.map(<[u8]>::to_vec).collect()
        };
        let mut todo: VecDeque<Vec<u8>> = parts(path).into();
        let mut here: Vec<u8> = Vec::new();
        let mut links = 0;
        while let Some(part) = todo.pop_front() {
            if part == b".." {
                let up = here.iter().rposition(|byte| *byte == b'/');
                here.truncate(up.unwrap_or(0));
                continue;
            }
            let next = join(&here, &part);
            let made = self.names.get(&next).map(|at| self.nodes[*at].made.clone());
            match made {
                Some(Made::Directory) => here = next,
                Some(Made::Symlink(target)) => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(cannot());
                    }
                    if target.starts_with(b"/") {
                        here.clear();
                    }
                    for part in parts(&target).into_iter().rev() {
                        todo.push_front(part);
                    }
                }
                None | Some(Made::Deletion) if make => {
                    let opaque = made.is_some();
                    self.put(
                        next.clone(),
                        Node {
                            opaque,
                            ..directory()
                        },
                    );
                    here = next;
                }
                _ => return Err(cannot()),
            }
        }
        Ok(here)
    }
}

fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    match directory {
        b"" => name.to_vec(),
        directory => [directory, b"/", name].concat(),
    }
}

/// A directory that the archive uses and does not describe.
fn directory() -> Node {
    Node {
        made: Made::Directory,
        mode: 0o755,
        uid: 0,
        gid: 0,
        mtime: (0, 0),
        xattrs: BTreeMap::new(),
        opaque: false,
        described: false,
    }
}

fn describe(entry: &Entry, made: Made) -> Node {
    let has_attributes = matches!(made, Made::File { .. } | Made::Directory);
    let kept = entry.xattrs.iter().filter_map(|(name, value)| {
        let value = match &name[..] {
            b"security.capability" => without_root_id(value),
            name if is_kept(name) => Some(value.clone()),
            _ => None,
        };
        Some((name.clone(), value?))
    });
    let xattrs = if has_attributes {
        kept.collect()
    } else {
        BTreeMap::new()
    };
    Node {
        made,
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        mtime: entry.mtime,
        xattrs,
        opaque: false,
        described: true,
    }
}

/// The digest of a file's content, holes included.
fn content(entry: &Entry, reader: &mut Reader) -> Result<Digest> {
    let mut hasher = Sha256::new();
    let mut take = |hasher: &mut Sha256, mut length: u64| -> Result<()> {
        while length > 0 {
            let bytes = reader.data(length)?;
            if bytes.is_empty() {
                break;
            }
            hasher.update(bytes);
            let count = bytes.len();
            reader.consume(count);
            length -= count as u64;
        }
        Ok(())
    };
    let Some(segments) = &entry.segments else {
        take(&mut hasher, u64::MAX)?;
        return Ok(Digest::from_hasher(hasher));
    };
    let mut at = 0;
    for segment in segments {
        zeros(&mut hasher, segment.offset.saturating_sub(at));
        take(&mut hasher, segment.length)?;
        at = segment.offset + segment.length;
    }
    zeros(&mut hasher, entry.size.saturating_sub(at));
    Ok(Digest::from_hasher(hasher))
}

fn zeros(hasher: &mut Sha256, mut length: u64) {
    let block = [0; 4096];
    while length > 0 {
        let count = length.min(block.len() as u64);
        hasher.update(&block[..usize::try_from(count).unwrap_or(block.len())]);
        length -= count;
    }
}
