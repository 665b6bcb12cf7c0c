//! A test's own corner of the machine: store, run directory and home of one kind of user.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::images::Image;
use crate::leaks;
use crate::process::{self, Ran, Running};

/// Who runs the binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Root,
    /// Unprivileged, with ranges in /etc/subuid and /etc/subgid.
    User,
    /// Unprivileged, without.
    NoSubids,
}

/// The account a [`Who`] stands for here.
#[derive(Debug, Clone)]
struct Account {
    name: String,
    uid: u32,
    gid: u32,
}

/// Makes three tests of each function: `name::root`, `name::user` and `name::no_subids`.
macro_rules! each_who {
    ($($name:ident),+ $(,)?) => { $(
        mod $name {
            use crate::bed::{Who, on_bed};

            #[test]
            fn root() {
                on_bed(Who::Root, super::$name);
            }

            #[test]
            fn user() {
                on_bed(Who::User, super::$name);
            }

            #[test]
            fn no_subids() {
                on_bed(Who::NoSubids, super::$name);
            }
        }
    )+ };
}

/// Makes two tests of each function, where a user without subordinate ids is not another case.
macro_rules! root_and_user {
    ($($name:ident),+ $(,)?) => { $(
        mod $name {
            use crate::bed::{Who, on_bed};

            #[test]
            fn root() {
                on_bed(Who::Root, super::$name);
            }

            #[test]
            fn user() {
                on_bed(Who::User, super::$name);
            }
        }
    )+ };
}

/// Says that a test cannot run here, and why.
pub fn skip(reason: &str) {
    use std::io::Write as _;
    let test = std::thread::current().name().unwrap_or("test").to_owned();
    let line = format!("SKIP {test}: {reason}\n");
    eprint!("{line}");
    if let Some(path) = std::env::var_os("HULL_SKIPS") {
        let file = fs::OpenOptions::new().append(true).create(true).open(path);
        let mut file = file.expect("the file named by HULL_SKIPS");
        file.write_all(line.as_bytes()).expect("written");
    }
}

/// Runs `test` on a bed that has the image `busybox:test`, then checks that nothing leaked.
pub fn on_bed(who: Who, test: impl FnOnce(&Bed)) {
    let Some(bed) = Bed::new(who) else { return };
    bed.load(&Image::busybox("busybox:test"));
    test(&bed);
}

/// See the top of this file. Dropping it removes its containers and looks for leaks.
pub struct Bed {
    pub who: Who,
    pub dir: PathBuf,
    account: Account,
    before: leaks::Baseline,
}

impl Bed {
    /// An empty bed, or `None` (with a `SKIP` line) if this machine has no such user.
    pub fn new(who: Who) -> Option<Bed> {
        let account = match account_of(who) {
            Ok(account) => account,
            Err(reason) => {
                skip(&reason);
                return None;
            }
        };
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = beds().join(format!("{}-{number}", std::process::id()));
        let bed = Bed {
            who,
            dir,
            account,
            before: leaks::Baseline::take(),
        };
        for name in ["", "home", "run", "xdg", "work"] {
            bed.make_dir(&bed.dir.join(name));
        }
        Some(bed)
    }

    fn make_dir(&self, path: &Path) {
        fs::create_dir_all(path).expect("bed directory");
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("bed mode");
        self.give(path);
    }

    /// Makes `path` the account's own.
    pub fn give(&self, path: &Path) {
        chown(path, Some(self.account.uid), Some(self.account.gid)).expect("bed owner");
    }

    /// A file of the account's in the bed's work directory.
    pub fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.dir.join("work").join(name);
        fs::write(&path, content).expect("bed file");
        self.give(&path);
        path
    }

    pub fn store(&self) -> PathBuf {
        self.dir.join("store")
    }

    pub fn run_dir(&self) -> PathBuf {
        self.dir.join("run")
    }

    /// The name of its account.
    pub fn user(&self) -> &str {
        &self.account.name
    }

    /// A command of this account with a small, known environment.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("HOME", self.dir.join("home"))
            .env("USER", &self.account.name)
            .env("LOGNAME", &self.account.name)
            .env("XDG_RUNTIME_DIR", self.dir.join("xdg"))
            .env("TERM", "xterm")
            .env("HULL_TEST_BED", &self.dir)
            .current_dir(self.dir.join("work"));
        if rustix::process::geteuid().is_root() && self.account.uid != 0 {
            // The standard library drops the supplementary groups with the user.
            command.uid(self.account.uid).gid(self.account.gid);
        }
        command
    }

    /// `hull` with the global flags of this bed and `words`.
    pub fn hull_command<S: AsRef<str>>(&self, words: &[S]) -> Command {
        let mut command = self.command(binary());
        command.arg("--root").arg(self.store());
        command.arg("--runroot").arg(self.run_dir());
        command.args(words.iter().map(AsRef::as_ref));
        command
    }

    /// Runs `hull words…` to its end with nothing on stdin.
    #[track_caller]
    pub fn hull<S: AsRef<str>>(&self, words: &[S]) -> Ran {
        process::run(self.hull_command(words), b"")
    }

    /// The same with `input` on stdin.
    #[track_caller]
    pub fn hull_with_input<S: AsRef<str>>(&self, words: &[S], input: &[u8]) -> Ran {
        process::run(self.hull_command(words), input)
    }

    /// Runs a script of sh(1) in which `hull` is the binary with this bed's global flags.
    #[track_caller]
    pub fn shell(&self, script: &str) -> Ran {
        let function = format!(
            "hull() {{ {} --root {} --runroot {} \"$@\"; }}\n",
            binary().display(),
            self.store().display(),
            self.run_dir().display()
        );
        let mut command = self.command(Path::new("/bin/sh"));
        command.arg("-c").arg(function + script);
        process::run(command, b"")
    }

    /// Starts `hull words…` and leaves it running, with nothing on stdin.
    pub fn start<S: AsRef<str>>(&self, words: &[S]) -> Running {
        let mut command = self.hull_command(words);
        command.stdin(std::process::Stdio::null());
        process::start(command)
    }

    /// `run --rm --network none busybox:test words…`, which must succeed.
    #[track_caller]
    pub fn inside(&self, flags: &[&str], words: &[&str]) -> String {
        self.run_rm(flags, words).ok().to_owned()
    }

    /// The same, whatever it ends with.
    #[track_caller]
    pub fn run_rm(&self, flags: &[&str], words: &[&str]) -> Ran {
        let head = ["run", "--rm", "--network", "none"];
        self.hull(&[&head, flags, &["busybox:test"], words].concat())
    }

    /// `run -d --network none flags… busybox:test words…`; returns the id.
    #[track_caller]
    pub fn detached(&self, flags: &[&str], words: &[&str]) -> String {
        let head = ["run", "-d", "--network", "none"];
        let ran = self.hull(&[&head, flags, &["busybox:test"], words].concat());
        let id = ran.ok().to_owned();
        let is_id = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        ran.expect(is_id, "stdout is a container id");
        id
    }

    /// One value of `inspect --format`.
    #[track_caller]
    pub fn inspect(&self, name: &str, template: &str) -> String {
        self.hull(&["inspect", "--format", template, name])
            .ok()
            .to_owned()
    }

    /// Loads an image from a docker-archive.
    #[track_caller]
    pub fn load(&self, image: &Image) {
        let path = self.file("image.tar", &image.docker_archive());
        self.hull(&["load", "-q", "-i", &path.to_string_lossy()])
            .ok();
        fs::remove_file(path).expect("was written");
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let all = self.hull(&["ps", "-aq"]).stdout;
        let ids: Vec<&str> = all.split_whitespace().collect();
        if !ids.is_empty() {
            self.hull(&[&["rm", "-f", "-v"], &ids[..]].concat());
        }
        let found = if std::thread::panicking() {
            Vec::new()
        } else {
            leaks::after(&self.before, self)
        };
        leaks::kill_processes_of(&self.dir);
        self.remove();
        assert!(found.is_empty(), "left behind:\n{}", found.join("\n"));
    }
}

impl Bed {
    fn remove(&self) {
        if fs::remove_dir_all(&self.dir).is_err() {
            // Without root, files of subordinate ids are only ours inside a user namespace. What
            // stays lies in a temporary directory of this run.
            let mut command = Command::new("unshare");
            command.args(["--map-root-user", "--map-auto", "rm", "-rf"]);
            let _ = command.arg(&self.dir).status();
        }
    }
}

/// The account for `who`, or why there is none.
fn account_of(who: Who) -> Result<Account, String> {
    let own = rustix::process::geteuid().as_raw();
    if own == 0 {
        let name = match who {
            Who::Root => "root",
            Who::User => "hulltest",
            Who::NoSubids => "hullnosub",
        };
        return find_account(|account| account.name == name)
            .ok_or_else(|| format!("no user {name}; tests/run creates it"));
    }
    let account =
        find_account(|account| account.uid == own).ok_or("this user is not in /etc/passwd")?;
    let has_subids = fs::read_to_string("/etc/subuid")
        .unwrap_or_default()
        .lines()
        .any(|line| line.starts_with(&format!("{}:", account.name)));
    match (who, has_subids) {
        (Who::User, true) | (Who::NoSubids, false) => Ok(account),
        (Who::Root, _) => Err("needs root".to_owned()),
        (Who::User, false) => Err("this user has no subordinate ids".to_owned()),
        (Who::NoSubids, true) => Err("this user has subordinate ids".to_owned()),
    }
}

fn find_account(is_it: impl Fn(&Account) -> bool) -> Option<Account> {
    let passwd = fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    let accounts = passwd.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        Some(Account {
            name: (*fields.first()?).to_owned(),
            uid: fields.get(2)?.parse().ok()?,
            gid: fields.get(3)?.parse().ok()?,
        })
    });
    accounts.into_iter().find(|account| is_it(account))
}

/// Where beds are made: `HULL_TEST_DIR`, or a directory of this user's in the temporary one.
fn beds() -> &'static Path {
    static BEDS: OnceLock<PathBuf> = OnceLock::new();
    BEDS.get_or_init(|| {
        let uid = rustix::process::geteuid().as_raw();
        let path = match std::env::var_os("HULL_TEST_DIR") {
            Some(path) => PathBuf::from(path),
            None => std::env::temp_dir().join(format!("hull-test-{uid}")),
        };
        fs::create_dir_all(&path).expect("directory for beds");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("mode for beds");
        path
    })
}

/// The binary under test, at a path that every user can reach.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os("HULL_BIN") {
            return PathBuf::from(path);
        }
        let built = Path::new(env!("CARGO_BIN_EXE_hull"));
        let reachable =
            |path: &Path| fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o001 != 0);
        if built.ancestors().all(reachable) {
            return built.to_owned();
        }
        let copy = beds().join(format!("hull-{}", std::process::id()));
        fs::copy(built, &copy).expect("copy of the binary");
        fs::set_permissions(&copy, Permissions::from_mode(0o755)).expect("mode");
        copy
    })
}
