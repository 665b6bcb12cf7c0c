//! A file tree as one sees it from inside: paths are resolved here, one component at a time.
//!
//! The root is one pinned descriptor. Each component is opened by itself, `O_PATH` and without
//! following; symbolic links are read and their text is resolved from the root again, and `..` goes
//! back along descriptors that are already held. So neither a link nor a swap of directories leads
//! out of the root (CVE-2018-15664), and nothing is opened that a name merely claims to be: a FIFO
//! or device is pinned and looked at, never opened.
//!
//! Mounts of a container that does not run are not made: each is a descriptor that takes the place
//! of its directory here (CVE-2026-42306).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat, StatxAttributes, StatxFlags,
};
use rustix::io::Errno;

/// As many symbolic links as the kernel follows (`MAXSYMLINKS`).
const MOST_LINKS: u32 = 40;

/// The tree below a root.
#[derive(Debug)]
pub struct View {
    root: OwnedFd,
    mounts: Vec<Mounted>,
}

/// What is mounted in a view without being mounted.
#[derive(Debug)]
pub struct Mounted {
    /// Its place: a path without links, from the root.
    pub path: Vec<u8>,
    /// Its root.
    pub root: OwnedFd,
    pub read_only: bool,
}

/// Something in a tree, pinned by an `O_PATH` descriptor: what its name stands for later is
/// another thing.
#[derive(Debug)]
pub struct Node {
    pub fd: OwnedFd,
    pub stat: Stat,
}

impl Node {
    /// Looks at what is pinned.
    pub fn new(fd: OwnedFd) -> rustix::io::Result<Node> {
        let stat = rustix::fs::fstat(&fd)?;
        Ok(Node { fd, stat })
    }

    pub fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }

    pub fn is_directory(&self) -> bool {
        self.kind() == FileType::Directory
    }

    /// What tells two things apart.
    pub fn identity(&self) -> (u64, u64) {
        (self.stat.st_dev, self.stat.st_ino)
    }

    /// The text of a symbolic link.
    pub fn link_text(&self) -> rustix::io::Result<Vec<u8>> {
        Ok(rustix::fs::readlinkat(&self.fd, c"", Vec::new())?.into_bytes())
    }
}

/// Whether a symbolic link at the end of a path is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    Follow,
    Keep,
}

/// Where a path leads.
#[derive(Debug)]
pub struct Found {
    /// The path without links, from the root; empty for the root.
    pub path: Vec<u8>,
    /// The directory that holds it; the root holds itself.
    pub parent: OwnedFd,
    /// Its name there.
    pub name: Vec<u8>,
    /// What is there; none if only the name is missing.
    pub node: Option<Node>,
}

/// A directory passed on the way.
struct Step {
    name: Vec<u8>,
    fd: OwnedFd,
}

impl View {
    /// The tree below an open directory.
    pub fn new(root: OwnedFd) -> View {
        View {
            root,
            mounts: Vec::new(),
        }
    }

    /// Puts `root` where `path` leads to now; a path that is not there stays without.
    pub fn put(&mut self, path: &[u8], root: OwnedFd, read_only: bool) -> rustix::io::Result<()> {
        let found = match self.find(path, Last::Follow) {
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
            found => found?,
        };
        self.mounts.retain(|known| known.path != found.path);
        self.mounts.push(Mounted {
            path: found.path,
            root,
            read_only,
        });
        Ok(())
    }

    /// The root's descriptor.
    pub fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// What takes the place of a path.
    pub fn mounted_at(&self, path: &[u8]) -> Option<&Mounted> {
        self.mounts.iter().find(|mounted| mounted.path == path)
    }

    /// The mount that a path without links lies on, if it is not the root.
    pub fn mount_of(&self, path: &[u8]) -> Option<&Mounted> {
        let holds = |mounted: &&Mounted| {
            let rest = path.strip_prefix(&mounted.path[..]);
            rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
        };
        let holding = self.mounts.iter().filter(holds);
        holding.max_by_key(|mounted| mounted.path.len())
    }

    /// What `name` is in the directory `dir`; `path` is where that is from the root.
    pub fn child(
        &self,
        dir: BorrowedFd<'_>,
        path: &[u8],
        name: &[u8],
    ) -> rustix::io::Result<OwnedFd> {
        if !self.mounts.is_empty()
            && let Some(mounted) = self.mounted_at(&join(path, name))
        {
            return rustix::io::fcntl_dupfd_cloexec(&mounted.root, 3);
        }
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        rustix::fs::openat2(dir, name, flags, Mode::empty(), resolve)
    }

    /// Resolves a path from the root. Only its last name may be missing.
    pub fn find(&self, path: &[u8], last: Last) -> rustix::io::Result<Found> {
        let mut trail: Vec<Step> = Vec::new();
        let mut todo = parts_reversed(path);
        let mut links = 0;
        while let Some(name) = todo.pop() {
            if name == b".." {
                trail.pop();
                continue;
            }
            let dir = trail.last().map_or(self.root(), |step| step.fd.as_fd());
            let here = path_of(&trail);
            let node = match self.child(dir, &here, &name) {
                Err(Errno::NOENT) if todo.is_empty() => None,
                child => Some(Node::new(child?)?),
            };
            let kind = node.as_ref().map(Node::kind);
            if let Some(link) = &node
                && kind == Some(FileType::Symlink)
                && (last == Last::Follow || !todo.is_empty())
            {
                links += 1;
                if links > MOST_LINKS {
                    return Err(Errno::LOOP);
                }
                let text = link.link_text()?;
                if text.first() == Some(&b'/') {
                    trail.clear();
                }
                todo.extend(parts_reversed(&text));
                continue;
            }
            if todo.is_empty() {
                return Ok(Found {
                    path: join(&here, &name),
                    parent: rustix::io::fcntl_dupfd_cloexec(dir, 3)?,
                    name,
                    node,
                });
            }
            match node {
                Some(node) if kind == Some(FileType::Directory) => {
                    trail.push(Step { name, fd: node.fd });
                }
                _ => return Err(Errno::NOTDIR),
            }
        }
        self.end_of(&trail)
    }

    /// A path that ended in `..`, or in a link to the root, is a directory passed already.
    fn end_of(&self, trail: &[Step]) -> rustix::io::Result<Found> {
        let duplicate = |fd: BorrowedFd<'_>| rustix::io::fcntl_dupfd_cloexec(fd, 3);
        let (last, before) = match trail.split_last() {
            Some((last, before)) => (Some(last), before),
            None => (None, trail),
        };
        let parent = before.last().map_or(self.root(), |step| step.fd.as_fd());
        let fd = last.map_or(self.root(), |step| step.fd.as_fd());
        Ok(Found {
            path: path_of(trail),
            parent: duplicate(parent)?,
            name: last.map_or_else(|| b".".to_vec(), |step| step.name.clone()),
            node: Some(Node::new(duplicate(fd)?)?),
        })
    }
}

/// The names in a path, last first, without those that mean nothing.
fn parts_reversed(path: &[u8]) -> Vec<Vec<u8>> {
    let parts = path.split(|byte| *byte == b'/').rev();
    let named = parts.filter(|part| !matches!(*part, b"" | b"."));
    named.map(<[u8]>::to_vec).collect()
}

fn path_of(trail: &[Step]) -> Vec<u8> {
    trail.iter().fold(Vec::new(), |mut path, step| {
        path.push(b'/');
        path.extend_from_slice(&step.name);
        path
    })
}

/// `path/name`; the root's path is empty.
pub fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    [path, b"/", name].concat()
}

/// Whether this is the root of a mount, in whatever mount namespace (statx(2), Linux 5.8).
pub fn is_mount_root(fd: &OwnedFd) -> bool {
    let flags = AtFlags::EMPTY_PATH | AtFlags::SYMLINK_NOFOLLOW;
    let known = rustix::fs::statx(fd, c"", flags, StatxFlags::empty());
    known.is_ok_and(|known| known.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Whether this is a view of the kernel and no place for files: reading all of it would not end
/// well, and says nothing about a container. Copies of a tree leave out what is in it.
pub fn is_kernels(fd: &OwnedFd) -> bool {
    /// linux/magic.h: proc, sysfs, cgroup, cgroup2, devpts, mqueue (ipc/mqueue.c), debugfs,
    /// tracefs, securityfs, bpf.
    const KINDS: [i64; 10] = [
        0x9fa0,
        0x6265_6572,
        0x0027_e0eb,
        0x6367_7270,
        0x1cd1,
        0x1980_0202,
        0x6462_6720,
        0x7472_6163,
        0x7363_6673,
        0xcafe_4a11,
    ];
    rustix::fs::fstatfs(fd).is_ok_and(|known| KINDS.contains(&known.f_type))
}

/// The names in a directory, sorted by their bytes, and a descriptor that lists it.
pub fn names_in(dir: BorrowedFd<'_>) -> rustix::io::Result<Vec<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let readable = rustix::fs::openat(dir, c".", flags, Mode::empty())?;
    crate::sys::directory::names(readable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    struct Scene(PathBuf);

    impl Scene {
        fn new(name: &str) -> Scene {
            let path =
                std::env::temp_dir().join(format!("hull-view-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            for directory in ["root/a/b", "root/mounted", "outside/inner"] {
                fs::create_dir_all(path.join(directory)).expect("made");
            }
            fs::write(path.join("root/a/b/file"), "inside").expect("written");
            fs::write(path.join("outside/secret"), "outside").expect("written");
            Scene(path)
        }

        fn link(&self, text: &str, name: &str) {
            symlink(text, self.0.join("root").join(name)).expect("linked");
        }

        fn view(&self) -> View {
            View::new(self.open("root"))
        }

        fn open(&self, name: &str) -> OwnedFd {
            File::open(self.0.join(name)).expect("opened").into()
        }
    }

    impl Drop for Scene {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// The path found, with `?` for a missing last name.
    fn shown(view: &View, path: &str, last: Last) -> rustix::io::Result<String> {
        let found = view.find(path.as_bytes(), last)?;
        let mark = if found.node.is_none() { "?" } else { "" };
        Ok(format!("{}{mark}", String::from_utf8_lossy(&found.path)))
    }

    #[test]
    fn a86_paths_and_links_stay_below_the_root() {
        let scene = Scene::new("links");
        let outside = scene.0.join("outside").display().to_string();
        scene.link("/a", "absolute");
        scene.link("../../../../a/b", "up");
        scene.link(&outside, "out");
        scene.link("../outside", "beside");
        scene.link("loop", "loop");
        scene.link("/", "top");
        scene.link("a/b/new", "dangling");
        let view = scene.view();
        let table = [
            ("/a/b/file", Last::Keep, Ok("/a/b/file")),
            ("a//./b/", Last::Keep, Ok("/a/b")),
            ("/absolute/b", Last::Keep, Ok("/a/b")),
            ("/absolute", Last::Keep, Ok("/absolute")),
            ("/absolute", Last::Follow, Ok("/a")),
            ("/up/file", Last::Keep, Ok("/a/b/file")),
            ("/../../a", Last::Keep, Ok("/a")),
            ("/a/../../mounted", Last::Keep, Ok("/mounted")),
            ("/top/a", Last::Keep, Ok("/a")),
            ("/top", Last::Follow, Ok("")),
            ("/a/..", Last::Keep, Ok("")),
            ("/a/b/nothing", Last::Keep, Ok("/a/b/nothing?")),
            ("/dangling", Last::Follow, Ok("/a/b/new?")),
            ("/no/thing", Last::Keep, Err(Errno::NOENT)),
            ("/a/b/file/x", Last::Keep, Err(Errno::NOTDIR)),
            ("/loop", Last::Follow, Err(Errno::LOOP)),
            ("/out/secret", Last::Keep, Err(Errno::NOENT)),
            ("/beside/secret", Last::Follow, Err(Errno::NOENT)),
        ];
        for (path, last, wanted) in table {
            let found = shown(&view, path, last);
            assert_eq!(found, wanted.map(str::to_owned), "{path}");
        }
    }

    #[test]
    fn a87_a_mount_is_entered_by_its_own_descriptor() {
        let scene = Scene::new("mounts");
        scene.link("/mounted", "link");
        let mut view = scene.view();
        view.put(b"/link", scene.open("outside"), true)
            .expect("put");
        view.put(b"/nowhere/x", scene.open("outside"), true)
            .expect("ignored");
        for path in [
            "/mounted/secret",
            "/link/secret",
            "/a/../link/inner/../secret",
        ] {
            let found = shown(&view, path, Last::Keep);
            assert_eq!(found.as_deref(), Ok("/mounted/secret"), "{path}");
        }
        assert!(view.mount_of(b"/mounted/secret").is_some());
        assert!(view.mount_of(b"/mountedx").is_none() && view.mount_of(b"/a").is_none());
        // `..` leads back to where the mount is, not to what lies above it on the host.
        let found = shown(&view, "/mounted/../a", Last::Keep);
        assert_eq!(found.as_deref(), Ok("/a"));
    }
}
