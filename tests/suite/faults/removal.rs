//! F7, F16 and what removal promises: it returns at once, is never half done, and the space comes
//! back whoever is killed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::fs::{FlockOperation, flock};

use super::{Seed, archive, checked_image, expect_no_crash, points, sweep, traced, verify};
use crate::bed::{Bed, Who};
use crate::images::{Image, Tree};
use crate::leaks::processes_of;
use crate::process::{Ran, run, wait_until};

each_who!(
    f7_rmi_and_prune_killed_anywhere_lose_no_layer,
    what_is_removed_is_deleted_after_the_command,
    a_killed_deleter_is_replaced_by_the_next_removal,
    rmi_takes_all_and_passes_over_what_is_gone,
    prune_removes_a_hundred_images_in_one_go,
    system_df_counts_what_is_on_disk,
);

root_and_user!(the_deleter_has_nothing_of_its_caller);

const CHANGES: &str = "trace=openat,mkdir,mkdirat,rename,renameat,renameat2,flock,fsync,syncfs,\
                       unlink,unlinkat,rmdir,clone,clone3,execveat";

/// An image whose deletion takes longer than a command deletes by itself.
fn large(name: &str) -> Image {
    let mut tree = Tree::default();
    for directory in 0..20 {
        tree = tree.dir(&format!("d{directory}"), 0o755);
        for file in 0..400 {
            tree = tree.file(&format!("d{directory}/{file}"), 0o644, b"x");
        }
    }
    let mut image = Image::busybox(name);
    image.layers.push(tree.tar());
    image
}

/// What is out of sight and not deleted yet.
fn buried(bed: &Bed) -> Vec<PathBuf> {
    let boots = fs::read_dir(bed.store().join("tmp")).into_iter().flatten();
    let inside = boots
        .flatten()
        .flat_map(|boot| fs::read_dir(boot.path()).into_iter().flatten().flatten());
    inside.map(|entry| entry.path()).collect()
}

/// While it is held, commands believe that somebody is deleting.
fn hold_deleter(bed: &Bed) -> File {
    let held = File::open(bed.store().join("tmp")).expect("the store has a tmp");
    wait_until("nobody deletes", || {
        flock(&held, FlockOperation::NonBlockingLockExclusive).is_ok()
    });
    held
}

fn layers(bed: &Bed) -> usize {
    let layers = fs::read_dir(bed.store().join("layers"));
    layers.into_iter().flatten().count()
}

fn what_is_removed_is_deleted_after_the_command(bed: &Bed) {
    bed.load(&large("large:1"));
    let before = layers(bed);
    let held = hold_deleter(bed);
    let removed = bed.hull(&["rmi", "large:1"]);
    removed
        .fails(0)
        .stdout_has("Untagged: large:1\nDeleted: sha256:");
    assert_eq!(layers(bed), before - 1, "gone for every reader");
    assert!(!buried(bed).is_empty(), "but not deleted yet");
    drop(held);
    // A removal takes up what another one left. (A process of another test that is just being
    // started may hold a copy of our lock: hence again.)
    wait_until("all is deleted", || {
        bed.hull(&["create", "--name", "box", "busybox:test"]).ok();
        bed.hull(&["rm", "box"]).ok();
        buried(bed).is_empty()
    });
}

fn a_killed_deleter_is_replaced_by_the_next_removal(bed: &Bed) {
    bed.load(&large("large:1"));
    let deleters = |bed: &Bed| -> Vec<i32> {
        let found = processes_of(&bed.dir).into_iter();
        let found = found.filter(|(_, what)| what.contains(": hull: delete "));
        found.map(|(pid, _)| pid).collect()
    };
    let rmi = bed.hull(&["rmi", "large:1"]);
    rmi.fails(0);
    for pid in deleters(bed) {
        // It may have ended by itself.
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    wait_until("it is dead", || deleters(bed).is_empty());
    verify(&bed.store());
    bed.hull(&["tag", "busybox:test", "other:1"]).ok();
    bed.hull(&["rmi", "other:1"]).ok();
    wait_until("all is deleted", || buried(bed).is_empty());
}

/// Own session, no terminal, no pipe, no directory, no environment, and of low priority.
fn the_deleter_has_nothing_of_its_caller(bed: &Bed) {
    bed.load(&large("large:1"));
    let log = bed.dir.join("trace");
    let calls = "trace=setsid,chdir,dup2,close_range,execveat,setpriority,ioprio_set";
    let Some(traced) = traced(bed, &["-e", calls, "-s", "200"], &log, &["rmi", "large:1"]) else {
        return;
    };
    run(traced, b"").ok();
    let text = fs::read_to_string(&log).expect("strace wrote its log");
    let (deleter, _) = text
        .lines()
        .find(|line| line.contains("execveat(") && line.contains("\"hull: delete\""))
        .and_then(|line| line.split_once(' '))
        .unwrap_or_else(|| panic!("no deleter in\n{text}"));
    let own: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with(&format!("{deleter} ")))
        .collect();
    let has = |call: &str| own.iter().any(|line| line.contains(call));
    for call in [
        "chdir(\"/\"",
        ", 0",
        ", 1",
        ", 2",
        "close_range(3, 4294967295, CLOSE_RANGE_CLOEXEC",
        "/* 0 vars */",
        "setpriority(PRIO_PROCESS, 0, 10",
        "ioprio_set(",
    ] {
        assert!(has(call), "{call} of {deleter} in\n{text}");
    }
    assert!(text.contains("setsid()"), "{text}");
    wait_until("all is deleted", || buried(bed).is_empty());
}

fn f7_rmi_and_prune_killed_anywhere_lose_no_layer(bed: &Bed) {
    let mut seed = Seed::new();
    // Two that share a layer, one of which goes.
    let kept = checked_image("kept:1", &mut seed, 1);
    let mut gone = kept.clone();
    gone.name = "gone:1".to_owned();
    let own = Tree::default().file("own", 0o644, b"own").tar();
    gone.layers.push(own);
    let kept = archive(bed, "kept.tar", &kept);
    let gone = archive(bed, "gone.tar", &gone);
    bed.hull(&["load", "-q", "-i", &kept]).ok();
    // In use, so that prune lets it be.
    bed.hull(&["create", "--name", "box", "kept:1"]).ok();
    bed.hull(&["create", "--name", "boy", "busybox:test"]).ok();
    let log = bed.dir.join("trace");
    for words in [&["rmi", "gone:1"][..], &["image", "prune", "-a", "-f"]] {
        bed.hull(&["load", "-q", "-i", &gone]).ok();
        let Some(untouched) = traced(bed, &["-e", CHANGES], &log, words) else {
            return;
        };
        run(untouched, b"").ok();
        let points = points(&log);
        let all = points.len();
        let chosen = seed.choose(points, if bed.who == Who::Root { 20 } else { 8 });
        eprintln!("{} of {all} points of {words:?}", chosen.len());
        for (call, number) in chosen {
            bed.hull(&["load", "-q", "-i", &gone]).ok();
            let at = format!("inject={call}:signal=SIGKILL:when={number}");
            let killed = traced(bed, &["-e", CHANGES, "-e", &at], &log, words);
            run(killed.expect("worked before"), b"");
            let names = verify(&bed.store());
            assert!(names.iter().any(|name| name.contains("kept")), "{at}");
            // The second time it is done, or there is nothing left to do.
            let again = bed.hull(&[words, if words[0] == "rmi" { &["-i"] } else { &[] }].concat());
            again.fails(0);
            let names = verify(&bed.store());
            assert!(!names.iter().any(|name| name.contains("gone")), "{at}");
        }
    }
    bed.hull(&["start", "-a", "box"]).ok();
    sweep(bed);
}

fn rmi_takes_all_and_passes_over_what_is_gone(bed: &Bed) {
    bed.hull(&["tag", "busybox:test", "second:1"]).ok();
    bed.hull(&["rmi", "nothing"])
        .fails(1)
        .stderr_has("No such image: nothing:latest");
    let ignored = bed.hull(&["rmi", "-i", "nothing", "second:1", "neither"]);
    ignored.fails(0).stdout_is("Untagged: second:1\n");
    ignored.expect(!ignored.stderr.contains("No such"), "nothing to say");
    bed.hull(&["rmi", "--all", "busybox:test"])
        .fails(1)
        .one_error_line()
        .stderr_has("--all takes no image names");
    bed.load(&Image::busybox("third:1"));
    bed.hull(&["create", "--name", "box", "busybox:test"]).ok();
    bed.hull(&["rmi", "-a"])
        .fails(1)
        .stdout_has("Untagged: ")
        .stderr_has("conflict: unable to remove repository reference");
    bed.hull(&["rm", "box"]).ok();
    let all = bed.hull(&["rmi", "-a"]);
    all.fails(0).stdout_has("Deleted: sha256:");
    bed.hull(&["images", "-q"]).fails(0).stdout_is("");
    assert_eq!(layers(bed), 0);
    bed.hull(&["rmi", "-a"]).fails(0).stdout_is("");
}

fn expect_times(ran: &Ran, text: &str, times: usize) {
    let found = ran.stdout.matches(text).count();
    ran.expect(found == times, &format!("{times} times {text:?}"));
}

fn prune_removes_a_hundred_images_in_one_go(bed: &Bed) {
    let mut names = Vec::new();
    for number in 0..20 {
        let mut image = Image::busybox(&format!("many:{number}"));
        image.config["Labels"] = serde_json::json!({"n": number.to_string()});
        bed.load(&image);
        for other in 0..4 {
            let name = format!("r{number}/x:{other}");
            bed.hull(&["tag", &format!("many:{number}"), &name]).ok();
            names.push(name);
        }
    }
    bed.hull(&["create", "--name", "box", "many:7"]).ok();
    let prune = ["image", "prune", "-a", "-f"];
    bed.hull(&[&prune[..], &["--filter", "until=2000-01-01T00:00:00Z"]].concat())
        .fails(0)
        .stdout_is("Total reclaimed space: 0B\n");
    let one = bed.hull(&[&prune[..], &["--filter", "label=n=3"]].concat());
    one.fails(0).stdout_has("untagged: many:3\n");
    expect_times(&one, "untagged: ", 5);
    let rest = bed.hull(&[&prune[..], &["--filter", "label!=n=4"]].concat());
    expect_no_crash(&rest);
    // Without those in use, filtered out and gone: 17 of many, and busybox:test.
    expect_times(&rest, "untagged: ", 17 * 5 + 1);
    let left = bed.hull(&["images", "-q"]);
    left.expect(
        left.ok().lines().count() == 2,
        "the one in use and the one with the label",
    );
    verify(&bed.store());
}

/// Sizes of all files below, a file with several names once.
fn bytes_below(dir: &Path, inodes: &mut BTreeSet<u64>) -> u64 {
    let mut bytes = 0;
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let metadata = entry.metadata().expect("readable");
        if metadata.is_dir() {
            bytes += bytes_below(&entry.path(), inodes);
        } else if metadata.is_file() && inodes.insert(metadata.ino()) {
            bytes += metadata.len();
        }
    }
    bytes
}

/// What `du` would say of everything that holds images.
fn bytes_of_images(bed: &Bed) -> u64 {
    let mut inodes = BTreeSet::new();
    let mut bytes = 0;
    for part in ["blobs", "partial", "tmp"] {
        bytes += bytes_below(&bed.store().join(part), &mut inodes);
    }
    let layers = fs::read_dir(bed.store().join("layers")).expect("layers");
    for layer in layers.flatten() {
        bytes += bytes_below(&layer.path().join("fs"), &mut inodes);
    }
    bytes
}

#[track_caller]
fn expect_df(bed: &Bed) {
    let words = ["system", "df", "--format", "{{.Type}} {{.Size}}"];
    let ran = bed.hull(&words);
    let line = ran.ok().lines().next().unwrap_or_default().to_owned();
    let size = line.strip_prefix("Images ").expect("is first");
    let number = size.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor = match &size[number.len()..] {
        "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        other => panic!("{other} in {line}"),
    };
    let shown = number.parse::<f64>().expect("a number") * factor;
    let found = bytes_of_images(bed) as f64;
    // Four digits are shown.
    ran.expect((shown - found).abs() <= found / 1000.0, &found.to_string());
}

fn system_df_counts_what_is_on_disk(bed: &Bed) {
    let mut image = Image::busybox("linked:1");
    let mut tree = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(300_000);
    header.set_mode(0o644);
    let content = vec![7; 300_000];
    tree.append_data(&mut header, "one", &content[..])
        .expect("memory takes it");
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(tar::EntryType::Link);
    link.set_size(0);
    tree.append_link(&mut link, "two", "one")
        .expect("memory takes it");
    image
        .layers
        .push(tree.into_inner().expect("memory takes it"));
    let archive = bed.file("linked.tar", &image.oci().archive());
    bed.hull(&["load", "-q", "-i", &archive.to_string_lossy()])
        .ok();
    expect_df(bed);
    // A download that was broken off.
    let partial = bed
        .store()
        .join("partial")
        .join("0123456789abcdef".repeat(4));
    fs::write(&partial, vec![1; 200_000]).expect("writable");
    expect_df(bed);
    // A removal that is not over.
    bed.load(&large("large:1"));
    let held = hold_deleter(bed);
    bed.hull(&["rmi", "large:1"]).ok();
    expect_df(bed);
    drop(held);
    // The layer below is both images' and counts once.
    let verbose = ["system", "df", "-v", "--format", "json"];
    let document = bed.hull(&verbose);
    let document: serde_json::Value = serde_json::from_str(document.ok()).expect("is JSON");
    for listed in document["Images"].as_array().expect("a list") {
        assert_ne!(listed["SharedSize"], "0B", "{listed}");
    }
    bed.hull(&["rmi", "linked:1"]).ok();
    wait_until("all is deleted", || {
        bed.hull(&["tag", "busybox:test", "again:1"]).ok();
        bed.hull(&["rmi", "again:1"]).ok();
        buried(bed).is_empty()
    });
    fs::remove_file(partial).expect("nobody collects it for a day");
    expect_df(bed);
}
