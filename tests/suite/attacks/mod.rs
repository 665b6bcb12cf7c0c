//! Attacks on the runtime and on what an image's config may say, one test for each attempt.
//!
//! A test is called by the id of its attack line; its twin (`a40_twin_…`) is what must go on
//! working. `tests/mutations` proves that each test fails when the defence is taken out.

mod accounts;
mod config;
mod copy;
mod files;
mod flags;
pub mod logs;
mod process;
mod registry;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::bed::{Bed, Who, skip};
use crate::images::{Image, Tree};
use crate::process::{Ran, Running, run, start};

/// What the caller has in its environment and no container may see.
const SECRET: &str = "CANARY-7c1f";

/// A directory of the host with things an attack would change, and how they were before.
struct Canary {
    dir: PathBuf,
    before: Vec<String>,
}

impl Canary {
    fn new(bed: &Bed) -> Canary {
        let dir = bed.dir.join("canary");
        for path in [&dir, &dir.join("sub")] {
            fs::create_dir(path).expect("canary");
            bed.give(path);
        }
        for name in ["file", "null", "sub/file"] {
            let path = dir.join(name);
            fs::write(&path, "unharmed\n").expect("canary");
            fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).expect("canary");
            bed.give(&path);
        }
        let before = snapshot(&dir);
        Canary { dir, before }
    }

    fn path(&self) -> String {
        self.dir.to_string_lossy().into_owned()
    }

    #[track_caller]
    fn is_unharmed(&self, what: &str) {
        assert_eq!(snapshot(&self.dir), self.before, "{what} changed the host");
    }
}

/// Every file below with mode, owner, inode, change time and content.
fn snapshot(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![dir.to_owned()];
    while let Some(path) = left.pop() {
        let meta = fs::symlink_metadata(&path).expect("canary is there");
        let content = if meta.is_dir() {
            let entries = fs::read_dir(&path).expect("canary");
            left.extend(entries.map(|entry| entry.expect("canary").path()));
            Vec::new()
        } else {
            fs::read(&path).expect("canary")
        };
        found.push(format!(
            "{} {:o} {}:{} {} {} {:?}",
            path.display(),
            meta.mode(),
            meta.uid(),
            meta.gid(),
            meta.ino(),
            meta.ctime_nsec(),
            String::from_utf8_lossy(&content)
        ));
    }
    found.sort();
    found
}

/// Loads busybox with another `config` and a layer on top.
fn load(bed: &Bed, name: &str, config: Value, tree: Tree) {
    let mut image = Image::busybox(name);
    if let (Some(known), Value::Object(new)) = (image.config.as_object_mut(), config) {
        known.extend(new);
    }
    image.layers.push(tree.tar());
    bed.load(&image);
}

/// `run --rm --network none flags… image words…`.
#[track_caller]
fn run_image(bed: &Bed, flags: &[&str], image: &str, words: &[&str]) -> Ran {
    let head = ["run", "--rm", "--network", "none"];
    bed.hull(&[&head, flags, &[image], words].concat())
}

/// `run -d --network none --name NAME flags… image words…`.
#[track_caller]
fn keep_running(bed: &Bed, name: &str, flags: &[&str], image: &str, words: &[&str]) {
    let head = ["run", "-d", "--network", "none", "--name", name];
    bed.hull(&[&head, flags, &[image], words].concat()).ok();
}

/// Refused before anything ran: code 125, one line, no container left.
#[track_caller]
fn refused(bed: &Bed, ran: &Ran) {
    ran.fails(125).one_error_line();
    bed.hull(&["ps", "-aq"]).fails(0).stdout_is("");
}

/// As [`refused`], of `create`, which answers 1 where `run` answers 125.
fn not_created(bed: &Bed, ran: &Ran) {
    ran.fails(1).one_error_line();
    bed.hull(&["ps", "-aq"]).fails(0).stdout_is("");
}

/// Loads the image `probe` with the program of `probe.c`; false (and a `SKIP` line) if this machine
/// cannot build it.
fn load_probe(bed: &Bed) -> bool {
    static PROGRAM: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        let number = std::process::id();
        let path = std::env::temp_dir().join(format!("hull-probe-{number}"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/attacks/probe.c");
        let mut gcc = Command::new("gcc");
        gcc.args(["-static", "-O1", "-Wall", "-Wextra", "-o"]);
        let built = gcc.arg(&path).arg(&source).output();
        let built = built.map_err(|error| format!("gcc: {error}"))?;
        if !built.status.success() {
            return Err(String::from_utf8_lossy(&built.stderr).into_owned());
        }
        let bytes = fs::read(&path).map_err(|error| error.to_string())?;
        fs::remove_file(&path).map_err(|error| error.to_string())?;
        Ok(bytes)
    });
    match program {
        Ok(bytes) => {
            let tree = Tree::default().file("bin/probe", 0o755, bytes);
            load(bed, "probe", Value::Null, tree);
            true
        }
        Err(reason) => {
            skip(&format!("the probe cannot be built: {reason}"));
            false
        }
    }
}

/// `hull words…` started by a shell that has a directory of the host open as 3 to 50.
fn hull_with_open_files(bed: &Bed, dir: &Path, words: &[&str]) -> Ran {
    let hull = bed.hull_command(words);
    let mut command = bed.command(Path::new("/bin/bash"));
    command
        .arg("-c")
        .arg(r#"for fd in {3..50}; do eval "exec $fd<\"$0\""; done; exec "$@""#)
        .arg(dir)
        .arg(hull.get_program())
        .args(hull.get_args());
    run(command, b"")
}

/// `hull words…` with a secret in its environment, left running.
fn start_with_secret(bed: &Bed, words: &[&str]) -> Running {
    let mut command = bed.hull_command(words);
    command.env("HULL_SECRET", SECRET);
    command.stdin(std::process::Stdio::null());
    start(command)
}

/// True (and a `SKIP` line) unless root runs the test.
fn needs_root(bed: &Bed, why: &str) -> bool {
    let lacks = bed.who != Who::Root;
    if lacks {
        skip(why);
    }
    lacks
}

/// The fields of `/proc/self/status` that start with one of these names.
fn status_fields(status: &str, name: &str) -> String {
    let line = status.lines().find(|line| line.starts_with(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {status}"));
    line.split_whitespace().nth(1).unwrap_or("").to_owned()
}
