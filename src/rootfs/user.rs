//! `user[:group]` → numbers, from the container's own /etc/passwd and /etc/group.
//!
//! The files are opened in the root without magic links, must be regular and small, and are read
//! as data: no NSS, nothing of the container is loaded or run (CVE-2024-9676, CVE-2016-3697).

use std::fs::File;
use std::io::Read as _;
use std::os::fd::BorrowedFd;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::error::{Context as _, Error, Result};

/// The largest /etc/passwd or /etc/group that is read, in bytes.
const MOST_BYTES: u64 = 8 << 20;

/// Who the program runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
    /// Supplementary groups. `gid` is one of them, so that a program cannot drop it with a
    /// set-group-id program and reach what is closed to the group (CVE-2022-36109).
    pub groups: Vec<u32>,
    pub home: String,
}

impl User {
    /// Leaves out supplementary groups that the user namespace cannot express.
    pub fn keep_mapped_groups(&mut self, highest_gid: u32) {
        self.groups.retain(|gid| *gid <= highest_gid);
        if highest_gid == 0 {
            // A map of one id denies setgroups(2); there is no other group to change to.
            self.groups.clear();
        }
    }
}

/// Resolves `user` inside `root`; empty means root. `extra` are `--group-add` values.
///
/// Digits are numbers, never names. A number out of range is refused. Unknown numbers are fine,
/// with group 0; unknown names are not.
pub fn resolve_user(root: BorrowedFd<'_>, user: &str, extra: &[String]) -> Result<User> {
    let (name, group) = match user.split_once(':') {
        Some((name, group)) => (name, Some(group).filter(|group| !group.is_empty())),
        None => (user, None),
    };
    let name = if name.is_empty() { "0" } else { name };
    let passwd = read_account_file(root, "etc/passwd")?;
    let groups = read_account_file(root, "etc/group")?;
    let number = id(name)?;
    let entry = passwd
        .lines()
        .filter_map(Entry::parse)
        .find(|entry| match number {
            Some(number) => entry.id == number,
            None => entry.name == name,
        });
    let (uid, own_gid, home) = match (&entry, number) {
        (Some(entry), _) => (entry.id, entry.gid(), entry.field(5)),
        (None, Some(number)) => (number, 0, ""),
        (None, None) => {
            return Err(Error::invalid(format!(
                "unable to find user {name}: no matching entries in passwd file"
            )));
        }
    };
    let gid = group.map_or(Ok(own_gid), |group| group_id(&groups, group))?;
    let mut all = Vec::new();
    if let (Some(entry), None) = (&entry, group) {
        all.extend(memberships(&groups, entry.name));
    }
    for group in extra {
        all.push(group_id(&groups, group)?);
    }
    all.push(gid);
    all.sort_unstable();
    all.dedup();
    let home = if home.starts_with('/') { home } else { "/" };
    Ok(User {
        uid,
        gid,
        groups: all,
        home: home.to_owned(),
    })
}

/// One line of /etc/passwd or /etc/group: name, password, id, …
struct Entry<'a> {
    name: &'a str,
    id: u32,
    line: &'a str,
}

impl<'a> Entry<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let id = fields.nth(1)?.parse().ok().filter(|id| *id != u32::MAX)?;
        Some(Entry { name, id, line })
    }

    fn field(&self, index: usize) -> &'a str {
        self.line.split(':').nth(index).unwrap_or("")
    }

    fn gid(&self) -> u32 {
        self.field(3).parse().unwrap_or(0)
    }
}

/// A number if `text` is digits (or looks like a signed or hex one, which is refused).
fn id(text: &str) -> Result<Option<u32>> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    if digits.is_empty() || !(hexadecimal || digits.bytes().all(|b| b.is_ascii_digit())) {
        return Ok(None);
    }
    let number = text.parse().ok().filter(|number| *number != u32::MAX);
    number.map(Some).ok_or_else(|| {
        Error::invalid(format!("invalid user or group id {text:?}"))
            .hint("ids go from 0 to 4294967294")
    })
}

fn group_id(groups: &str, text: &str) -> Result<u32> {
    if let Some(number) = id(text)? {
        return Ok(number);
    }
    let found = groups
        .lines()
        .filter_map(Entry::parse)
        .find(|entry| entry.name == text);
    found.map(|entry| entry.id).ok_or_else(|| {
        Error::invalid(format!(
            "unable to find group {text}: no matching entries in group file"
        ))
    })
}

fn memberships<'a>(groups: &'a str, user: &'a str) -> impl Iterator<Item = u32> + 'a {
    let entries = groups.lines().filter_map(Entry::parse);
    entries
        .filter(move |entry| {
            entry
                .field(3)
                .split(',')
                .any(|member| member.trim() == user)
        })
        .map(|entry| entry.id)
}

/// The text of /etc/passwd or /etc/group in `root`; empty if there is none.
pub fn read_account_file(root: BorrowedFd<'_>, path: &str) -> Result<String> {
    let refuse = |why: &str| {
        Error::invalid(format!("/{path} of the image {why}")).hint("use numeric ids with --user")
    };
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    // NONBLOCK: opening a FIFO must not wait for a writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = match rustix::fs::openat2(root, path, flags, Mode::empty(), resolve) {
        Ok(file) => file,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(String::new()),
        Err(Errno::LOOP) => return Err(refuse("is a loop of links")),
        Err(Errno::NXIO | Errno::NODEV | Errno::ACCESS) => {
            return Err(refuse("is no regular file"));
        }
        Err(errno) => return Err(errno).context(|| format!("open /{path} of the image")),
    };
    let stat = rustix::fs::fstat(&file).context(|| format!("stat /{path} of the image"))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(refuse("is no regular file"));
    }
    if stat.st_size as u64 > MOST_BYTES {
        return Err(refuse("is larger than 8 MiB"));
    }
    let mut bytes = Vec::new();
    let read = File::from(file).take(MOST_BYTES).read_to_end(&mut bytes);
    read.context(|| format!("read /{path} of the image"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    struct Root(std::path::PathBuf);

    impl Root {
        fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("hull-user-{name}-{}", std::process::id()));
            std::fs::create_dir_all(path.join("etc")).expect("made");
            Root(path)
        }

        fn with(name: &str, passwd: &str, group: &str) -> Self {
            let root = Root::new(name);
            std::fs::write(root.0.join("etc/passwd"), passwd).expect("written");
            std::fs::write(root.0.join("etc/group"), group).expect("written");
            root
        }

        fn resolve(&self, user: &str, extra: &[&str]) -> Result<User> {
            let fd = File::open(&self.0).expect("opened");
            let extra: Vec<String> = extra.iter().map(|text| (*text).to_owned()).collect();
            resolve_user(fd.as_fd(), user, &extra)
        }
    }

    impl Drop for Root {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n99999999999:x:0:0::/:/bin/sh\n\
        1:x:0:0::/evil:/bin/sh\napp:x:1000:1001:App:/home/app:/bin/sh\nbroken\n:x:5:5::/:\n";
    const GROUP: &str = "root:x:0:\nwheel:x:10:root,app\napps:x:1001:\naudio:x:29:app\n";

    #[test]
    fn a43_digits_are_numbers_and_never_names() {
        let root = Root::with("digits", PASSWD, GROUP);
        assert_eq!(root.resolve("1", &[]).expect("resolves").uid, 1);
        assert_eq!(root.resolve("1000:1000", &[]).expect("resolves").gid, 1000);
        for bad in [
            "4294967295",
            "4294967296",
            "-1",
            "0x0",
            "99999999999",
            "1:-1",
            "1:0x1",
        ] {
            assert!(root.resolve(bad, &[]).is_err(), "{bad}");
        }
        assert_eq!(
            root.resolve("2147483648", &[]).expect("resolves").uid,
            1 << 31
        );
    }

    #[test]
    fn a45_groups_are_those_of_the_container_only() {
        let root = Root::with("groups", PASSWD, GROUP);
        let app = root.resolve("app", &[]).expect("resolves");
        assert_eq!(
            (app.uid, app.gid, app.home.as_str()),
            (1000, 1001, "/home/app")
        );
        assert_eq!(app.groups, [10, 29, 1001]);
        assert_eq!(root.resolve("app:root", &[]).expect("resolves").groups, [0]);
        assert_eq!(
            root.resolve("7", &["audio", "5"]).expect("resolves").groups,
            [0, 5, 29]
        );
        let mut root_user = root.resolve("", &[]).expect("resolves");
        assert_eq!(root_user.groups, [0, 10]);
        root_user.keep_mapped_groups(9);
        assert_eq!(root_user.groups, [0]);
        root_user.keep_mapped_groups(0);
        assert_eq!(root_user.groups, [] as [u32; 0]);
    }

    #[test]
    fn unknown_names_are_refused_in_dockers_words() {
        let root = Root::with("unknown", PASSWD, GROUP);
        let error = root
            .resolve("nosuch", &[])
            .expect_err("refused")
            .to_string();
        assert_eq!(
            error,
            "unable to find user nosuch: no matching entries in passwd file"
        );
        let error = root
            .resolve("app:nosuch", &[])
            .expect_err("refused")
            .to_string();
        assert_eq!(
            error,
            "unable to find group nosuch: no matching entries in group file"
        );
    }

    #[test]
    fn a44_passwd_must_be_a_small_regular_file_inside_the_root() {
        let root = Root::new("odd");
        let passwd = root.0.join("etc/passwd");
        assert_eq!(root.resolve("7", &[]).expect("no passwd is fine").gid, 0);
        let canary = root.0.with_extension("canary");
        std::fs::write(&canary, "app:x:0:0::/:/bin/sh\n").expect("written");
        symlink(&canary, &passwd).expect("linked");
        assert!(
            root.resolve("app", &[]).is_err(),
            "a link out of the root shows nothing"
        );
        std::fs::remove_file(&canary).expect("removed");
        std::fs::remove_file(&passwd).expect("removed");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &passwd,
            FileType::Fifo,
            Mode::from_raw_mode(0o644),
            0,
        )
        .expect("made");
        for user in ["app", "7"] {
            let resolved = root.resolve(user, &[]);
            assert!(resolved.is_err(), "a FIFO is refused at once");
        }
        std::fs::remove_file(&passwd).expect("removed");
        std::fs::write(&passwd, "app:x:0:0::/:/bin/sh\n").expect("written");
        assert!(root.resolve("app", &[]).is_ok(), "a small one is read");
        let file = File::options().append(true).open(&passwd).expect("opened");
        file.set_len(10 << 30).expect("sparse");
        assert!(root.resolve("app", &[]).is_err(), "10 GiB are refused");
    }

    #[test]
    fn a44_large_and_linked_passwd_files_work() {
        let many: String = (0..50_000)
            .map(|n| format!("u{n}:x:{n}:{n}::/home/u{n}:/bin/sh\n"))
            .collect();
        let root = Root::with("many", "", GROUP);
        std::fs::remove_file(root.0.join("etc/passwd")).expect("removed");
        std::fs::write(root.0.join("etc/real"), many).expect("written");
        symlink(Path::new("/etc/real"), root.0.join("etc/passwd")).expect("linked");
        assert_eq!(root.resolve("u49999", &[]).expect("resolves").uid, 49_999);
    }
}
