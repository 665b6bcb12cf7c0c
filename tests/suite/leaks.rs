//! T9: what a test leaves behind. Tests run side by side, so what is found is tied to one bed by
//! its path, or must be new and stay for a while.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::bed::Bed;

/// How long teardown may go on in the background.
const GRACE: Duration = Duration::from_secs(5);
/// How processes that only delete are listed.
const DELETER: &str = ": hull: delete ";

/// How long `hull: delete`, which yields to everybody else, may take.
const DELETION: Duration = Duration::from_secs(90);

/// What was there before the test.
pub struct Baseline {
    cgroups: BTreeSet<PathBuf>,
}

impl Baseline {
    pub fn take() -> Baseline {
        Baseline {
            cgroups: empty_cgroups(),
        }
    }
}

/// Everything left behind, one line each; waits for what is still being torn down.
pub fn after(before: &Baseline, bed: &Bed) -> Vec<String> {
    let begun = Instant::now();
    let mut cgroups: BTreeSet<PathBuf> = empty_cgroups();
    loop {
        let mut found = mounts(&bed.dir);
        found.extend(processes_of(&bed.dir).into_iter().map(|(_, what)| what));
        found.extend(loop_devices(&bed.dir));
        found.extend(abstract_sockets(&bed.dir));
        found.extend(files(bed));
        // Only what was there all the time: a running test's cgroup is empty for a moment only.
        let now = empty_cgroups();
        cgroups.retain(|path| now.contains(path));
        let new = cgroups.difference(&before.cgroups);
        found.extend(new.map(|path| format!("cgroup {}", path.display())));
        // Without its process, what was to be deleted is left behind.
        let deletes = found.iter().any(|line| line.contains(DELETER));
        let patience = if deletes { DELETION } else { GRACE };
        if found.is_empty() || begun.elapsed() >= patience {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Ends what a failed test left running.
pub fn kill_processes_of(dir: &Path) {
    // Must not go by mounts or open files: with a leaked mount those would name half the machine.
    for pid in pids().filter(|pid| is_started_for(*pid, dir)) {
        // It may have ended by itself.
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
}

fn mounts(dir: &Path) -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").expect("mountinfo");
    let of_bed = table.lines().filter(|line| names(line, dir));
    of_bed.map(|line| format!("mount {line}")).collect()
}

/// True if `text` names the directory or something in it (and not one that starts alike).
fn names(text: &str, dir: &Path) -> bool {
    let dir = dir.to_string_lossy();
    text.match_indices(dir.as_ref()).any(|(at, _)| {
        let next = text[at + dir.len()..].chars().next();
        next.is_none_or(|next| !next.is_ascii_alphanumeric() && next != '-')
    })
}

/// Processes that have the bed in their environment, words, open files or own mounts.
pub fn processes_of(dir: &Path) -> Vec<(i32, String)> {
    pids()
        .filter(|pid| is_started_for(*pid, dir) || is_inside(*pid, dir))
        .map(|pid| (pid, format!("process {pid}: {}", title(pid))))
        .collect()
}

/// The same, without those that only delete what was removed: they come and go behind commands.
pub fn busy_processes_of(dir: &Path) -> Vec<(i32, String)> {
    let mut found = processes_of(dir);
    found.retain(|(_, what)| !what.contains(DELETER));
    found
}

/// All processes but this one.
fn pids() -> impl Iterator<Item = i32> {
    let own = std::process::id().cast_signed();
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(move |pid| *pid != own)
}

fn title(pid: i32) -> String {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&words).replace('\0', " ")
}

/// False for a process that ended meanwhile, is a zombie, or is not ours to look at.
fn is_started_for(pid: i32, dir: &Path) -> bool {
    let has = |name: &str| {
        let bytes = fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        names(&String::from_utf8_lossy(&bytes), dir)
    };
    has("environ") || has("cmdline")
}

fn is_inside(pid: i32, dir: &Path) -> bool {
    let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/mnt")).ok();
    let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
    if names(&mounts, dir) && namespace(&pid.to_string()) != namespace("self") {
        return true;
    }
    let files = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten();
    let targets = files
        .flatten()
        .filter_map(|file| fs::read_link(file.path()).ok());
    targets
        .into_iter()
        .any(|target| names(&target.to_string_lossy(), dir))
}

fn loop_devices(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    let backing = entries.filter_map(|entry| {
        let file = fs::read_to_string(entry.path().join("loop/backing_file")).ok()?;
        names(&file, dir).then(|| format!("loop device of {file}"))
    });
    backing.collect()
}

fn abstract_sockets(dir: &Path) -> Vec<String> {
    let table = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let of_bed = table
        .lines()
        .filter(|line| line.contains(" @") && names(line, dir));
    of_bed.map(|line| format!("socket {line}")).collect()
}

/// Directories that must be empty when there is no container.
fn files(bed: &Bed) -> Vec<String> {
    let mut found = Vec::new();
    for dir in [
        bed.run_dir().join("c"),
        bed.store().join("containers"),
        bed.store().join("names"),
    ] {
        found.extend(entries(&dir));
    }
    // Staging is one directory per boot; those may stay, what is in them may not.
    for boot in fs::read_dir(bed.store().join("tmp")).into_iter().flatten() {
        found.extend(entries(&boot.expect("readable").path()));
    }
    found
        .iter()
        .map(|path| format!("file {}", path.display()))
        .collect()
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// Leaf cgroups of hull's without a process, in all hierarchies.
fn empty_cgroups() -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut todo = vec![(PathBuf::from("/sys/fs/cgroup"), false)];
    while let Some((dir, is_ours)) = todo.pop() {
        let children: Vec<PathBuf> = fs::read_dir(&dir)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .map(|entry| entry.path())
            .collect();
        let is_leaf = children.is_empty();
        if is_ours && is_leaf && dir.file_name().is_some_and(|name| name != "hull") {
            let procs = fs::read_to_string(dir.join("cgroup.procs"));
            if procs.is_ok_and(|procs| procs.is_empty()) {
                found.insert(dir);
            }
            continue;
        }
        todo.extend(children.into_iter().map(|child| {
            let name = child.file_name().unwrap_or_default().to_string_lossy();
            let ours = is_ours || name == "hull" || name.starts_with("hull-");
            (child, ours)
        }));
    }
    found
}

/// The check itself must be able to fail.
#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::bed::Who;

    fn own_bed() -> Option<Bed> {
        let is_root = rustix::process::geteuid().is_root();
        Bed::new(if is_root { Who::Root } else { Who::User })
    }

    #[test]
    fn t9_a_process_left_behind_is_found() {
        let Some(bed) = own_bed() else { return };
        let mut sleep = bed.command(Path::new("/bin/sleep"));
        let mut child = sleep.arg("1000").spawn().expect("sleep starts");
        let found = after(&Baseline::take(), &bed);
        child.kill().expect("is our child");
        child.wait().expect("is our child");
        assert!(
            found.iter().any(|line| line.contains("sleep 1000")),
            "{found:?}"
        );
        assert_eq!(after(&Baseline::take(), &bed), [""; 0]);
    }

    #[test]
    fn t9_a_file_left_behind_is_found() {
        let Some(bed) = own_bed() else { return };
        for path in [
            bed.run_dir().join("c/x"),
            bed.store().join("tmp/boot/staged"),
        ] {
            fs::create_dir_all(&path).expect("made");
            let found = after(&Baseline::take(), &bed);
            fs::remove_dir(&path).expect("removed");
            assert_eq!(found, [format!("file {}", path.display())]);
        }
    }

    #[test]
    fn paths_that_start_alike_are_told_apart() {
        let dir = Path::new("/tmp/bed/1-2");
        assert!(names("a=/tmp/bed/1-2/store", dir) && names("/tmp/bed/1-2", dir));
        assert!(!names("/tmp/bed/1-23", dir) && !names("/tmp/bed/1-2-3", dir));
    }
}
