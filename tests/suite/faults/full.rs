//! F19, F20: the disk is full, at any write or altogether.

use std::fs::File;

use super::disk::Disk;
use super::{Seed, archive, checked_image, expect_no_crash, points, sweep, traced, verify};
use crate::bed::{Bed, Who, on_bed};
use crate::images::{Image, Tree};
use crate::process::{run, wait_until};
use crate::registry::Registry;

each_who!(f19_no_space_at_any_write_undoes_the_operation);

#[test]
fn f19_an_image_too_large_for_the_disk_leaves_the_space_free() {
    on_bed(Who::Root, too_large);
}

#[test]
fn f20_with_no_byte_free_containers_stop_and_go() {
    on_bed(Who::Root, no_byte_free);
}

const WRITES: &str = "trace=openat,mkdir,mkdirat,write,rename,renameat,renameat2,symlinkat,linkat,\
                      ftruncate,fsync,fdatasync,syncfs,fsetxattr,copy_file_range";

fn f19_no_space_at_any_write_undoes_the_operation(bed: &Bed) {
    let mut seed = Seed::new();
    let Some(registry) = Registry::start(bed) else {
        return;
    };
    let image = checked_image("new:1", &mut seed, 2);
    let name = registry.push(&image, "new:1");
    let path = archive(bed, "new.tar", &image);
    let none = ["--network", "none", "busybox:test", "true"];
    let operations = [
        [&["create", "--name", "box"][..], &none].concat(),
        [&["run", "--name", "box"][..], &none].concat(),
        vec!["load", "-q", "-i", &path],
        vec!["pull", "-q", &name],
    ];
    let log = bed.dir.join("trace");
    let clear = || {
        bed.hull(&["rm", "-f", "box"]);
        for image in ["new:1", &name] {
            bed.hull(&["rmi", "-f", image]);
        }
    };
    for words in operations {
        let Some(untouched) = traced(bed, &["-e", WRITES], &log, &words) else {
            return;
        };
        run(untouched, b"").ok();
        clear();
        let before = verify(&bed.store());
        for (call, number) in seed.choose(points(&log), if bed.who == Who::Root { 10 } else { 5 }) {
            let at = format!("inject={call}:error=ENOSPC:when={number}");
            let full = traced(bed, &["-e", WRITES, "-e", &at], &log, &words);
            let ran = run(full.expect("worked before"), b"");
            expect_no_crash(&ran);
            let now = verify(&bed.store());
            ran.expect(
                before.iter().all(|old| now.contains(old)),
                "no image is lost",
            );
            if ran.code == 0 && words[0] != "run" && words[0] != "create" {
                ran.expect(now.len() > before.len(), "what is reported done is there");
            }
            bed.hull(&["images"]).fails(0).stdout_has("busybox");
            let listed = bed.hull(&["ps", "-a", "--format", "{{.Names}} {{.State}}"]);
            match listed.ok() {
                "" => {}
                "box created" | "box exited" => {
                    bed.hull(&["rm", "-f", "box"]).fails(0).stdout_is("box\n");
                }
                other => panic!("{at}: {other}"),
            }
            clear();
        }
        let again = bed.hull(&words);
        again.fails(0);
        clear();
    }
    sweep(bed);
}

fn random_layer(seed: &mut Seed, mebibytes: usize) -> Vec<u8> {
    let bytes = (0..mebibytes << 18).flat_map(|_| (seed.below(1 << 32) as u32).to_le_bytes());
    let content: Vec<u8> = bytes.collect();
    Tree::default().file("big", 0o644, &content).tar()
}

fn free_bytes(disk: &Disk<'_>) -> u64 {
    let stat = rustix::fs::statvfs(disk.path()).expect("statvfs");
    stat.f_bavail * stat.f_frsize
}

/// Fills the disk until so many bytes are free.
pub fn fill(disk: &Disk<'_>, leave: u64) {
    let file = File::create(disk.path().join("filler")).expect("filler");
    let none = rustix::fs::FallocateFlags::empty();
    for step in [64 << 20, 1 << 20, 64 << 10, 4 << 10, 1 << 10] {
        while free_bytes(disk) >= leave + step {
            let length = file.metadata().expect("filler").len();
            if rustix::fs::fallocate(&file, none, length, step).is_err() {
                break;
            }
        }
    }
    file.sync_all().expect("filler");
}

fn too_large(bed: &Bed) {
    let Some(disk) = Disk::new(bed, 1024) else {
        return;
    };
    let mut seed = Seed::new();
    let small = archive(bed, "small.tar", &Image::busybox("small:1"));
    disk.hull(&["load", "-q", "-i", &small]).ok();
    let mut large = Image::busybox("large:1");
    large.layers.push(random_layer(&mut seed, 70));
    let large = archive(bed, "large.tar", &large);
    // hull leaves half a GiB to the others of the machine.
    fill(&disk, (512 << 20) + (40 << 20));
    let free = free_bytes(&disk);
    for _ in 0..3 {
        disk.hull(&["load", "-q", "-i", &large])
            .fails(1)
            .one_error_line()
            .stderr_has("o space left");
        disk.hull(&["images", "--format", "{{.Repository}}"])
            .fails(0)
            .stdout_is("small\n");
        let now = free_bytes(&disk);
        // Directories that grew stay grown.
        assert!(now + (1 << 20) > free, "{free} bytes were free, now {now}");
    }
    disk.hull(&["run", "--rm", "--network", "none", "small:1", "true"])
        .ok();
    std::fs::remove_file(disk.path().join("filler")).expect("filler");
    disk.hull(&["load", "-q", "-i", &large]).ok();
}

fn no_byte_free(bed: &Bed) {
    let Some(disk) = Disk::new(bed, 1024) else {
        return;
    };
    for name in ["one:1", "two:1"] {
        let mut image = Image::busybox(name);
        image.config["Labels"] = serde_json::json!({"name": name});
        let path = archive(bed, "image.tar", &image);
        disk.hull(&["load", "-q", "-i", &path]).ok();
    }
    for (name, more) in [("box", &[][..]), ("boy", &[]), ("boz", &["--rm"])] {
        let head = ["run", "-d", "--network", "none", "--name", name];
        let script = "trap 'exit 7' TERM; while :; do sleep 0.1; done";
        let words = [&head[..], more, &["one:1", "sh", "-c", script]].concat();
        disk.hull(&words).ok();
        wait_until("its trap is set", || {
            disk.hull(&["exec", name, "true"]).code == 0
        });
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    fill(&disk, 0);
    assert_eq!(free_bytes(&disk), 0);
    disk.hull(&["ps"]).fails(0).stdout_has("one:1");
    disk.hull(&["inspect", "box"]).ok();
    disk.hull(&["exec", "box", "true"]).ok();
    disk.hull(&["stop", "box"]).ok();
    let state = [
        "inspect",
        "--format",
        "{{.State.Status}} {{.State.ExitCode}}",
    ];
    disk.hull(&[&state[..], &["box"]].concat())
        .fails(0)
        .stdout_is("exited 7\n");
    disk.hull(&["kill", "boy"]).ok();
    disk.hull(&[&state[..], &["boy"]].concat())
        .fails(0)
        .stdout_is("exited 137\n");
    disk.hull(&["rm", "box"]).fails(0).stdout_is("box\n");
    disk.hull(&["rm", "-f", "boy", "boz"])
        .fails(0)
        .stdout_is("boy\nboz\n");
    disk.hull(&["ps", "-aq"]).fails(0).stdout_is("");
    disk.hull(&["rmi", "two:1"]).fails(0).stdout_has("Deleted:");
    disk.hull(&["images", "--format", "{{.Repository}}"])
        .fails(0)
        .stdout_is("one\n");
    std::fs::remove_file(disk.path().join("filler")).expect("filler");
    disk.hull(&["run", "--rm", "--network", "none", "one:1", "true"])
        .ok();
}
