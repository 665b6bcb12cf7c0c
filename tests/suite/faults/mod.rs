//! Faults: what is killed, cut off, full or damaged at any moment leaves nothing half done.
//!
//! Points in time are counted in system calls (strace injects a signal or an error into the Nth) or
//! are fractions of an untouched run. Where there are more points than time, a seed chooses; it is
//! printed, and `HULL_SEED` repeats it.

mod crowd;
mod disk;
mod endings;
mod full;
mod halfway;
mod kill;
mod locks;
mod login;
mod logs;
mod lost;
mod pairs;
mod power;
mod race;
mod records;
mod removal;
mod rot;
mod scarce;
mod undone;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::bed::{Bed, Who, skip};
use crate::images::{Image, Tree, digest};
use crate::process::{Ran, run};

const STRACE: &str = "/usr/bin/strace";

/// Chooses among points: xorshift64.
pub struct Seed(u64);

impl Seed {
    pub fn new() -> Seed {
        let given = std::env::var("HULL_SEED").ok();
        let seed = given.and_then(|text| text.parse().ok()).unwrap_or_else(|| {
            let now = std::time::UNIX_EPOCH.elapsed().expect("after 1970");
            u64::from(now.subsec_nanos()) << 16 | u64::from(std::process::id())
        });
        eprintln!("HULL_SEED={seed}");
        Seed(seed.max(1))
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).expect("48 bits fit") % end.max(1)
    }

    /// At most `most` of the items, in their order.
    pub fn choose<T>(&mut self, mut items: Vec<T>, most: usize) -> Vec<T> {
        while items.len() > most {
            items.remove(self.below(items.len()));
        }
        items
    }
}

/// `hull words…` under strace; `None` (with a `SKIP` line) where that cannot be.
pub fn traced(bed: &Bed, options: &[&str], log: &Path, words: &[&str]) -> Option<Command> {
    let hull = bed.hull_command(words);
    traced_command(bed, options, log, &hull)
}

/// The same for a command that has other global flags.
pub fn traced_command(bed: &Bed, options: &[&str], log: &Path, hull: &Command) -> Option<Command> {
    if !Path::new(STRACE).exists() {
        skip("no strace");
        return None;
    }
    let mut command = bed.command(Path::new(STRACE));
    if bed.who != Who::Root {
        if !rustix::process::geteuid().is_root() {
            skip("newuidmap has no privileges under the strace of a user");
            return None;
        }
        // strace itself stays root: only then do set-user-id programs keep their meaning.
        command.uid(0).gid(0).args(["-u", bed.user()]);
    }
    command.args(["-f", "-qq", "-o"]).arg(log).args(options);
    command.arg(hull.get_program()).args(hull.get_args());
    Some(command)
}

/// How often each of the system calls happens, at most, in one process of an untouched run.
pub fn counts(log: &Path) -> BTreeMap<String, usize> {
    let text = fs::read_to_string(log).expect("strace wrote its log");
    let mut found: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for line in text.lines() {
        let Some((pid, rest)) = line.split_once(' ') else {
            continue;
        };
        let name = rest.trim_start().split('(').next().unwrap_or_default();
        if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            *found.entry((pid, name)).or_default() += 1;
        }
    }
    let mut most = BTreeMap::new();
    for ((_, name), count) in found {
        let entry = most.entry(name.to_owned()).or_default();
        *entry = count.max(*entry);
    }
    most
}

/// Every (system call, number) of an untouched run.
pub fn points(log: &Path) -> Vec<(String, usize)> {
    let of_one = |(name, count): (String, usize)| (1..=count).map(move |n| (name.clone(), n));
    counts(log).into_iter().flat_map(of_one).collect()
}

/// An image whose files can be checked from inside: `/sums` is what `sha256sum` says of them.
pub fn checked_image(name: &str, seed: &mut Seed, files: usize) -> Image {
    let mut tree = Tree::default().dir("data", 0o755);
    let mut sums = String::new();
    for number in 0..files {
        let content: Vec<u8> = (0..20_000)
            .flat_map(|_| (seed.below(1 << 32) as u32).to_le_bytes())
            .collect();
        let path = format!("data/{number}");
        let hex = digest(&content)["sha256:".len()..].to_owned();
        sums.push_str(&format!("{hex}  /{path}\n"));
        tree = tree.file(&path, 0o644, &content);
    }
    let mut image = Image::busybox(name);
    image.layers.push(tree.tar());
    let sums = Tree::default().file("sums", 0o644, sums.as_bytes());
    image.layers.push(sums.tar());
    image
}

/// The words that check an image of [`checked_image`] from inside.
pub const CHECK: [&str; 4] = ["sha256sum", "-c", "-s", "/sums"];

/// Panics unless everything a reference in the store names is there and is what it says, and every
/// blob has the digest it is named by. Returns the names of the images.
#[track_caller]
pub fn verify(store: &Path) -> Vec<String> {
    let blobs = store.join("blobs/sha256");
    for entry in fs::read_dir(&blobs).into_iter().flatten().flatten() {
        let hex = entry.file_name().to_string_lossy().into_owned();
        let bytes = fs::read(entry.path()).expect("blob");
        assert_eq!(digest(&bytes), format!("sha256:{hex}"), "blob of this name");
    }
    let json = |digest: &str| -> Value {
        let hex = digest.strip_prefix("sha256:").expect("a sha256");
        let path = blobs.join(hex);
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&bytes).expect("is JSON")
    };
    let mut names = Vec::new();
    for path in reference_files(&store.join("refs")) {
        let bytes = fs::read(&path).expect("reference");
        let record: Value = serde_json::from_slice(&bytes)
            .unwrap_or_else(|error| panic!("{}: {error}: {bytes:?}", path.display()));
        let manifest = json(record["manifest"].as_str().expect("has a manifest"));
        let config = json(manifest["config"]["digest"].as_str().expect("has a config"));
        for diff_id in config["rootfs"]["diff_ids"].as_array().expect("has layers") {
            let hex = &diff_id.as_str().expect("is text")["sha256:".len()..];
            let layer = store.join("layers");
            let whole = ["", ".sq"].iter().any(|suffix| {
                let layer = layer.join(format!("{hex}{suffix}"));
                layer.join("layer.json").exists() && layer.join("fs").exists()
            });
            assert!(whole, "{} needs layer {hex}", path.display());
        }
        names.push(record["reference"].to_string());
    }
    names.sort();
    names
}

fn reference_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() {
                todo.push(entry.path());
            } else if name.starts_with("_tag_") || name.starts_with("_digest_") {
                found.push(entry.path());
            }
        }
    }
    found
}

/// Neither panicked nor died of a signal of its own.
#[track_caller]
pub fn expect_no_crash(ran: &Ran) {
    ran.expect(!ran.stderr.contains("panicked"), "no panic")
        .expect((0..128).contains(&ran.code), "no death by a signal");
}

/// Wipes what killed commands left, as the next command that stages something does.
#[track_caller]
pub fn sweep(bed: &Bed) {
    bed.load(&Image::busybox("busybox:test"));
    bed.hull(&["tag", "busybox:test", "swept:1"]).ok();
    bed.hull(&["rmi", "swept:1"]).ok();
}

/// Writes the docker-archive of an image; returns its path.
pub fn archive(bed: &Bed, name: &str, image: &Image) -> String {
    let path = bed.file(name, &image.docker_archive());
    path.display().to_string()
}

/// Runs a helper of the machine, which must succeed.
#[track_caller]
pub fn must(program: &str, words: &[&str]) {
    let mut command = Command::new(program);
    command.args(words);
    run(command, b"").ok();
}
