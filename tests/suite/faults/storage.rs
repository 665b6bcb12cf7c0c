//! F17, F20, F21, F22: a disk that fails to sync, has no inode or byte left, or is read-only.

use std::fs;
use std::path::Path;

use super::disk::Disk;
use super::full::fill;
use super::{Seed, archive, checked_image, expect_no_crash, points, sweep, traced, verify};
use crate::bed::{Bed, Who, on_bed, skip};
use crate::images::Image;
use crate::process::{run, wait_until};

root_and_user!(f17_what_was_not_synced_is_not_reported_done);

#[test]
fn f20_after_a_restart_a_full_disk_is_emptied_too() {
    on_bed(Who::Root, full_after_restart);
}

#[test]
fn f21_without_an_inode_things_are_listed_and_go() {
    on_bed(Who::Root, no_inode_free);
}

#[test]
fn f22_a_read_only_store_is_read_and_says_so() {
    on_bed(Who::Root, read_only);
}

const SYNCS: &str = "trace=fsync,fdatasync,syncfs";

fn f17_what_was_not_synced_is_not_reported_done(bed: &Bed) {
    let mut seed = Seed::new();
    let path = archive(bed, "new.tar", &checked_image("new:1", &mut seed, 1));
    bed.hull(&["tag", "busybox:test", "old:1"]).ok();
    let create = [
        "create",
        "--name",
        "box",
        "--network",
        "none",
        "busybox:test",
    ];
    let log = bed.dir.join("trace");
    let clear = || {
        bed.hull(&["rm", "-f", "box"]);
        bed.hull(&["rmi", "-f", "new:1"]);
        bed.hull(&["rmi", "-f", "other:1"]);
        bed.hull(&["tag", "busybox:test", "old:1"]).ok();
    };
    for words in [
        &["load", "-q", "-i", &path][..],
        &["tag", "busybox:test", "other:1"],
        &["rmi", "old:1"],
        &create,
    ] {
        let Some(untouched) = traced(bed, &["-e", SYNCS], &log, words) else {
            return;
        };
        run(untouched, b"").ok();
        clear();
        let before = verify(&bed.store());
        let points = points(&log);
        assert!(!points.is_empty(), "{words:?} syncs nothing");
        for (call, number) in seed.choose(points, 6) {
            let error = ["EIO", "ENOSPC"][seed.below(2)];
            let at = format!("inject={call}:error={error}:when={number}");
            let failing = traced(bed, &["-e", SYNCS, "-e", &at], &log, words);
            let ran = run(failing.expect("worked before"), b"");
            expect_no_crash(&ran);
            ran.expect(ran.code != 0, &format!("{at}: not reported done"));
            let now = verify(&bed.store());
            // A name that was being taken away may be gone; nothing else may.
            let is_kept = |old: &&String| now.contains(old) || old.contains("old:1");
            ran.expect(before.iter().all(|old| is_kept(&old)), &at);
            // The second time it succeeds, whatever the first one left.
            let again = bed.hull(words);
            again.expect(
                again.code == 0 || again.stderr.contains("No such image"),
                "it can be repeated",
            );
            clear();
        }
    }
    sweep(bed);
}

/// What a user does to get space back.
fn empty(disk: &Disk<'_>) {
    disk.hull(&["ps", "-a"]).fails(0).stdout_has("box");
    disk.hull(&["images"]).fails(0).stdout_has("two");
    disk.hull(&["system", "df"]).fails(0).stdout_has("Images");
    disk.hull(&["system", "check"]).fails(0);
    disk.hull(&["inspect", "box"]).ok();
    disk.hull(&["rm", "box"]).fails(0).stdout_is("box\n");
    disk.hull(&["rmi", "two:1"]).fails(0).stdout_has("Deleted:");
    disk.hull(&["image", "prune", "-a", "-f"])
        .fails(0)
        .stdout_has("untagged: three:1");
    disk.hull(&["system", "prune", "-f"]).fails(0);
    disk.hull(&["images", "--format", "{{.Repository}}"])
        .fails(0)
        .stdout_is("one\n");
    wait_until("the space is free", || {
        let boots = fs::read_dir(disk.store().join("tmp")).into_iter().flatten();
        let left = boots
            .flatten()
            .map(|boot| fs::read_dir(boot.path()).into_iter().flatten().count());
        left.sum::<usize>() == 0
    });
}

/// Three images, one used by a container that stays, and a container to be removed.
fn furnish(bed: &Bed, disk: &Disk<'_>) {
    for name in ["one:1", "two:1", "three:1"] {
        let mut image = Image::busybox(name);
        image.config["Labels"] = serde_json::json!({"name": name});
        let path = archive(bed, "image.tar", &image);
        disk.hull(&["load", "-q", "-i", &path]).ok();
    }
    disk.hull(&["create", "--name", "box", "two:1", "true"])
        .ok();
    disk.hull(&["create", "--name", "kept", "one:1", "true"])
        .ok();
}

/// As after a restart of the host: this boot has no directory for tombstones yet.
fn full_after_restart(bed: &Bed) {
    let Some(disk) = Disk::new(bed, 1024) else {
        return;
    };
    furnish(bed, &disk);
    wait_until("nothing is being deleted", || {
        let boots = fs::read_dir(disk.store().join("tmp")).expect("tmp");
        let mut boots = boots.flatten();
        boots.all(|boot| fs::remove_dir(boot.path()).is_ok())
    });
    fill(&disk, 0);
    // Even a directory's block is not to be had.
    let made = fs::create_dir(disk.store().join("tmp/x"));
    assert!(made.is_err(), "there is space left");
    empty(&disk);
}

fn no_inode_free(bed: &Bed) {
    let Some(disk) = Disk::new(bed, 64) else {
        return;
    };
    // hull leaves half a GiB to others, which this disk does not have: the store comes ready-made.
    let Some(large) = ready_made(bed) else {
        return;
    };
    let copied = std::process::Command::new("/bin/cp")
        .args(["-a", &large.display().to_string()])
        .arg(disk.store())
        .status();
    assert!(copied.expect("cp starts").success());
    let fillers = disk.path().join("fillers");
    fs::create_dir(&fillers).expect("is made");
    let mut number = 0;
    while fs::write(fillers.join(number.to_string()), b"").is_ok() {
        number += 1;
    }
    let stat = rustix::fs::statvfs(disk.path()).expect("statvfs");
    assert_eq!(stat.f_ffree, 0, "inodes are left");
    disk.hull(&["create", "--name", "boy", "one:1"])
        .fails(1)
        .one_error_line()
        .stderr_has("o space left");
    disk.hull(&["tag", "one:1", "more:1"])
        .fails(1)
        .one_error_line()
        .stderr_has("o space left");
    empty(&disk);
}

/// The store of [`furnish`], made where there is space.
fn ready_made(bed: &Bed) -> Option<std::path::PathBuf> {
    for name in ["one:1", "two:1", "three:1"] {
        let mut image = Image::busybox(name);
        image.config["Labels"] = serde_json::json!({"name": name});
        bed.load(&image);
    }
    bed.hull(&["rmi", "busybox:test"]).ok();
    bed.hull(&["create", "--name", "box", "two:1", "true"]).ok();
    bed.hull(&["create", "--name", "kept", "one:1", "true"])
        .ok();
    Some(bed.store())
}

/// Where the kernel can be told that this file system has an error, as a failing disk tells it.
fn trigger(disk: &Disk<'_>) -> Option<std::path::PathBuf> {
    let devices = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    let device = devices.into_iter().find(|it| {
        let file = fs::read_to_string(it.path().join("loop/backing_file"));
        file.is_ok_and(|file| Path::new(file.trim_end()) == disk.file())
    })?;
    let path = Path::new("/sys/fs/ext4")
        .join(device.file_name())
        .join("trigger_fs_error");
    path.exists().then_some(path)
}

fn read_only(bed: &Bed) {
    let Some(disk) = Disk::new(bed, 1024) else {
        return;
    };
    furnish(bed, &disk);
    let script = "trap 'exit 7' TERM; while :; do sleep 0.1; done";
    let head = ["run", "-d", "--network", "none", "--name", "runs"];
    disk.hull(&[&head[..], &["one:1", "sh", "-c", script]].concat())
        .ok();
    wait_until("its trap is set", || {
        disk.hull(&["exec", "runs", "true"]).code == 0
    });
    let Some(trigger) = trigger(&disk) else {
        disk.hull(&["rm", "-f", "runs"]).ok();
        return skip("this kernel's ext4 has no trigger_fs_error");
    };
    super::must(
        "/bin/mount",
        &[
            "-o",
            "remount,errors=remount-ro",
            &disk.path().display().to_string(),
        ],
    );
    fs::write(trigger, b"1").expect("root may");
    assert!(
        fs::write(disk.path().join("x"), b"").is_err(),
        "it is read-only"
    );
    disk.hull(&["ps", "-a"]).fails(0).stdout_has("runs");
    disk.hull(&["images"]).fails(0).stdout_has("three");
    disk.hull(&["image", "inspect", "one:1"]).ok();
    disk.hull(&["history", "one:1"]).ok();
    disk.hull(&["system", "df"]).ok();
    disk.hull(&["system", "check", "--deep"]).fails(0);
    disk.hull(&["logs", "runs"]).ok();
    let path = archive(bed, "new.tar", &Image::busybox("new:1"));
    for words in [
        &["tag", "one:1", "x:1"][..],
        &["rmi", "three:1"],
        &["image", "prune", "-a", "-f"],
        &["load", "-q", "-i", &path],
        &["create", "one:1"],
        &["rm", "box"],
    ] {
        let ran = disk.hull(words);
        expect_no_crash(&ran);
        ran.expect(ran.code != 0, "it cannot be done");
        ran.one_error_line().stderr_has("ead-only file system");
    }
    // The end of what runs is known, though it cannot be written down.
    disk.hull(&["stop", "runs"]);
    let state = [
        "inspect",
        "--format",
        "{{.State.Status}} {{.State.ExitCode}}",
        "runs",
    ];
    disk.hull(&state).fails(0).stdout_is("exited 7\n");
    disk.replug();
    disk.hull(&state).fails(0).stdout_is("exited 7\n");
    disk.hull(&["rm", "-f", "runs", "box", "kept"]).ok();
}
