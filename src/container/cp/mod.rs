//! `cp`: files between a container and this machine, or a tar stream.
//!
//! Both sides are views held by one pinned root each ([`crate::rootfs::View`]); nothing is copied
//! through a path that the container could change meanwhile. Words and their meaning are in
//! [`paths`], the copying is [`TreeCopy`]'s.

mod paths;

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit};

pub use self::paths::Endpoint;
use self::paths::{Placement, There, Typed, place};
use super::access::{self, Access, Intent};
use crate::base::Ownership;
use crate::config::Settings;
use crate::error::{Context as _, Error, Result};
use crate::rootfs::{Found, Last, Node, Owner, Target, TreeCopy, View, is_kernels, is_mount_root};
use crate::store::{Form, Pack, Placing, Store, decompress, unpack_into};

/// What to copy, and how.
#[derive(Debug, Clone)]
pub struct CopyRequest {
    pub source: Endpoint,
    pub target: Endpoint,
    /// `-a`: owners, set-id bits and device nodes are kept.
    pub archive: bool,
    /// `-L`: a link given as source is followed.
    pub follow_link: bool,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// What a tar of it takes.
    pub tar_bytes: u64,
    /// Where it went; none for a stream.
    pub to: Option<String>,
    /// Sockets and devices that were not copied.
    pub left_out: u64,
}

/// One container's side.
struct Inside<'a> {
    name: &'a str,
    path: &'a str,
    typed: Typed,
}

impl<'a> Inside<'a> {
    fn new(name: &'a str, path: &'a str) -> Inside<'a> {
        let typed = Typed::new(path, "");
        Inside { name, path, typed }
    }

    fn missing(&self, path: &str) -> Error {
        let name = self.name;
        Error::not_found(format!(
            "Could not find the file {path} in container {name}"
        ))
    }
}

/// Copies. In a user namespace the caller must be its root.
pub fn copy(
    settings: &Settings,
    store: &Store,
    ownership: Ownership,
    request: &CopyRequest,
) -> Result<Copied> {
    raise_descriptors();
    let open = |name: &str, intent| {
        let id = super::records(settings).find(name)?;
        access::open(settings, store, &id, intent)
    };
    match (&request.source, &request.target) {
        (Endpoint::Container { .. }, Endpoint::Container { .. }) => Err(Error::unsupported(
            "copying between containers is not supported",
        )
        .hint("copy to this machine first")),
        (Endpoint::Container { name, path }, Endpoint::Stream) => {
            let access = open(name, Intent::Read)?;
            write_stream(&access, &Inside::new(name, path), request)
        }
        (Endpoint::Container { name, path }, Endpoint::Local(target)) => {
            let target = Outside::new(target)?;
            target.check_output()?;
            let access = open(name, Intent::Read)?;
            copy_out(&access, &Inside::new(name, path), &target, request)
        }
        (Endpoint::Stream, Endpoint::Container { name, path }) => {
            let access = open(name, Intent::Write)?;
            read_stream(&access, &Inside::new(name, path), ownership, request)
        }
        (Endpoint::Local(source), Endpoint::Container { name, path }) => {
            let source = Outside::new(source)?;
            let access = open(name, Intent::Write)?;
            copy_in(&access, &source, &Inside::new(name, path), request)
        }
        _ => Err(Error::invalid("must specify at least one container source")),
    }
}

/// This machine's side.
struct Outside<'a> {
    view: View,
    text: &'a str,
    typed: Typed,
}

impl<'a> Outside<'a> {
    fn new(text: &'a str) -> Result<Outside<'a>> {
        if text.is_empty() {
            return Err(Error::invalid("the path is empty"));
        }
        let base = std::env::current_dir().context(|| "find the current directory")?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::openat(CWD, c"/", flags, Mode::empty()).context(|| "open /")?;
        Ok(Outside {
            view: View::new(root),
            text,
            typed: Typed::new(text, &base.to_string_lossy()),
        })
    }

    fn shown(&self) -> String {
        self.typed.shown(self.text)
    }

    /// Docker's check, before the container is asked.
    fn check_output(&self) -> Result<()> {
        let parent = self.typed.parent();
        match self.view.find(parent.as_bytes(), Last::Follow) {
            Ok(Found { node: Some(_), .. }) => {}
            _ => {
                return Err(Error::not_found(format!(
                    "invalid output path: directory {parent:?} does not exist"
                )));
            }
        }
        let there = self.view.find(self.typed.path.as_bytes(), Last::Follow);
        match there.ok().and_then(|found| found.node) {
            Some(node) if !is_file_or_directory(&node) => Err(Error::invalid(format!(
                "invalid output path: {:?} must be a directory or a regular file",
                self.text
            ))),
            _ => Ok(()),
        }
    }
}

fn is_file_or_directory(node: &Node) -> bool {
    matches!(node.kind(), FileType::Directory | FileType::RegularFile)
}

fn copy_out(
    access: &Access,
    from: &Inside<'_>,
    to: &Outside<'_>,
    request: &CopyRequest,
) -> Result<Copied> {
    let (source, path) = source_inside(access, from, request)?;
    let found = to.view.find(to.typed.path.as_bytes(), Last::Follow);
    let found = found.context(|| format!("stat {}", to.shown()))?;
    let me = (
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw(),
    );
    let owner = match request.archive {
        true => Owner::Source,
        false => Owner::Fixed(me.0, me.1),
    };
    let mut copy = TreeCopy::new(&access.view, &to.view, owner, request.archive);
    let name = &from.typed.name;
    put(
        &mut copy,
        (source, &path, name),
        &from.typed,
        found,
        &to.typed,
    )?;
    Ok(Copied {
        tar_bytes: copy.tar_bytes,
        to: Some(to.shown()),
        left_out: copy.left_out,
    })
}

fn copy_in(
    access: &Access,
    from: &Outside<'_>,
    to: &Inside<'_>,
    request: &CopyRequest,
) -> Result<Copied> {
    let lstat = |why: &str| Error::not_found(format!("lstat {}: {why}", from.typed.path));
    let last = follow(&from.typed, request);
    let found = match from.view.find(from.typed.path.as_bytes(), last) {
        Err(Errno::NOENT) => return Err(lstat("no such file or directory")),
        Err(Errno::NOTDIR) => return Err(lstat("not a directory")),
        found => found.context(|| format!("lstat {}", from.typed.path))?,
    };
    let source = found
        .node
        .ok_or_else(|| lstat("no such file or directory"))?;
    if from.typed.is_directory && !source.is_directory() {
        return Err(lstat("not a directory"));
    }
    let target = target_inside(access, to)?;
    if let Some(node) = &target.node
        && !is_file_or_directory(node)
    {
        return Err(Error::invalid(format!(
            "destination \"{}:{}\" must be a directory or a regular file",
            to.name, to.path
        )));
    }
    let owner = match request.archive {
        true => Owner::Source,
        false => Owner::Fixed(0, 0),
    };
    let mut copy = TreeCopy::new(&from.view, &access.view, owner, true);
    let source = (source, &found.path[..], &from.typed.name);
    put(&mut copy, source, &from.typed, target, &to.typed)
        .map_err(|error| sealed(access, error))?;
    Ok(Copied {
        tar_bytes: copy.tar_bytes,
        to: Some(format!("{}:{}", to.name, to.typed.shown(to.path))),
        left_out: copy.left_out,
    })
}

/// Copies the source, under its name or another, where Docker's rules put it.
fn put(
    copy: &mut TreeCopy<'_>,
    (source, path, name): (Node, &[u8], &String),
    from: &Typed,
    found: Found,
    to: &Typed,
) -> Result<()> {
    let there = match &found.node {
        None => There::Nothing,
        Some(node) if node.is_directory() => There::Directory,
        Some(_) => There::File,
    };
    let placement = place(source.is_directory(), from.contents, to, there)?;
    let existing = |fd: OwnedFd| Target {
        fd,
        path: found.path.clone(),
    };
    match (placement, found.node) {
        (Placement::Merge, Some(node)) => copy.copy_contents(source, path, existing(node.fd)),
        (Placement::Inside, Some(node)) => {
            copy.copy(source, path, &existing(node.fd), name.as_bytes())
        }
        _ => {
            let length = found.path.len() - found.name.len() - 1;
            let into = Target {
                fd: found.parent,
                path: found.path[..length].to_vec(),
            };
            copy.copy(source, path, &into, &found.name)
        }
    }
}

fn follow(typed: &Typed, request: &CopyRequest) -> Last {
    match request.follow_link || typed.is_directory {
        true => Last::Follow,
        false => Last::Keep,
    }
}

fn source_inside(
    access: &Access,
    from: &Inside<'_>,
    request: &CopyRequest,
) -> Result<(Node, Vec<u8>)> {
    let last = follow(&from.typed, request);
    let found = match access.view.find(from.typed.path.as_bytes(), last) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Err(from.missing(from.path)),
        found => found.context(|| format!("look at {} in {}", from.path, from.name))?,
    };
    let node = found.node.ok_or_else(|| from.missing(from.path))?;
    if from.typed.is_directory && !node.is_directory() {
        return Err(Error::invalid(format!("{}: not a directory", from.path)));
    }
    Ok((node, found.path))
}

/// Where the copy goes, and whether anything may be written there.
fn target_inside(access: &Access, to: &Inside<'_>) -> Result<Found> {
    let found = match access.view.find(to.typed.path.as_bytes(), Last::Follow) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Err(to.missing(to.typed.parent())),
        found => found.context(|| format!("look at {} in {}", to.path, to.name))?,
    };
    if !access.live {
        match access.view.mount_of(&found.path) {
            Some(mount) if mount.read_only => return Err(volume_is_sealed()),
            None if access.config.read_only => return Err(root_is_sealed()),
            _ => {}
        }
    }
    Ok(found)
}

fn root_is_sealed() -> Error {
    Error::conflict("container rootfs is marked read-only")
}

fn volume_is_sealed() -> Error {
    Error::conflict("mounted volume is marked read-only")
}

/// The kernel's refusal to write, in Docker's words.
fn sealed(access: &Access, error: Error) -> Error {
    match error.errno() {
        Some(Errno::ROFS) if access.config.read_only => root_is_sealed(),
        Some(Errno::ROFS) => volume_is_sealed(),
        _ => error,
    }
}

fn write_stream(access: &Access, from: &Inside<'_>, request: &CopyRequest) -> Result<Copied> {
    let (node, path) = source_inside(access, from, request)?;
    let view = &access.view;
    let enter = move |dir: std::os::fd::BorrowedFd<'_>, below: &[u8], name: &[u8]| {
        let child = view.child(dir, &[&path[..], below].concat(), name)?;
        match is_mount_root(&child) && is_kernels(&child) {
            true => Err(Errno::NOENT),
            false => Ok(child),
        }
    };
    let name = match from.typed.contents {
        true => b".",
        false => from.typed.name.as_bytes(),
    };
    let mut pack = Pack::new(node.fd, name, Form::Tree, Box::new(enter))?;
    let tar_bytes = pour(&mut pack, &mut io::stdout().lock(), "standard output")?;
    Ok(Copied {
        tar_bytes,
        to: None,
        left_out: 0,
    })
}

/// Writes all of a stream, in large pieces.
pub fn pour(from: &mut impl Read, to: &mut impl Write, name: &str) -> Result<u64> {
    let mut buffer = vec![0; 256 << 10];
    let mut written = 0;
    loop {
        let mut filled = 0;
        while filled < buffer.len() {
            match from.read(&mut buffer[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        if filled == 0 {
            to.flush().context(|| format!("write to {name}"))?;
            return Ok(written);
        }
        to.write_all(&buffer[..filled])
            .context(|| format!("write to {name}"))?;
        written += filled as u64;
    }
}

fn read_stream(
    access: &Access,
    to: &Inside<'_>,
    ownership: Ownership,
    request: &CopyRequest,
) -> Result<Copied> {
    let target = target_inside(access, to)?;
    if !target.node.as_ref().is_some_and(Node::is_directory) {
        return Err(Error::invalid(format!(
            "destination \"{}:{}\" must be a directory",
            to.name, to.path
        )));
    }
    // What is mounted without being mounted is a root of its own.
    let mount = access.view.mount_of(&target.path);
    let root = mount.map_or(access.view.root(), |mount| {
        std::os::fd::AsFd::as_fd(&mount.root)
    });
    let below = mount.map_or(0, |mount| mount.path.len());
    let placing = Placing {
        below: target.path[below..].to_vec(),
        owner: (!request.archive).then_some((0, 0)),
    };
    let root = rustix::io::fcntl_dupfd_cloexec(root, 3)?;
    let stream = decompress(io::stdin())?;
    let tar_bytes =
        unpack_into(stream, root, &placing, ownership).map_err(|error| sealed(access, error))?;
    Ok(Copied {
        tar_bytes,
        to: Some(format!("{}:{}", to.name, to.typed.shown(to.path))),
        left_out: 0,
    })
}

/// Two descriptors are open for each directory on the way down a tree.
pub(super) fn raise_descriptors() {
    let limits = rustix::process::getrlimit(Resource::Nofile);
    // A tree too deep for the limit is refused later, by name.
    let _ = rustix::process::setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limits.maximum,
            maximum: limits.maximum,
        },
    );
}
