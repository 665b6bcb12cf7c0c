//! A86 to A89: `cp`, `export`, `commit` and `diff` of a tree that is made, or changed meanwhile, to
//! lead out of the container.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, RenameFlags};
use serde_json::Value;

use super::{Canary, load, needs_root};
use crate::bed::{Bed, Who};
use crate::images::Tree;
use crate::process::wait_until;

root_and_user!(
    a86_links_to_the_host_lead_nowhere,
    a86_a_component_swapped_for_a_link_leads_nowhere,
    a86_a_container_that_swaps_its_own_directories_gains_nothing,
    a86_twin_links_inside_are_followed,
    a87_a_swapped_target_in_a_volume_is_not_followed,
    a87_a_volume_of_a_stopped_container_is_entered_by_its_own_descriptor,
    a87_twin_links_into_a_volume_work,
    a88_special_files_are_copied_and_never_opened,
    a88_set_id_bits_go_only_with_archive,
    a88_twin_a_name_with_dots_is_only_a_name,
    a89_an_export_of_a_tree_that_changes_has_no_byte_of_the_host,
    a89_mounts_are_in_no_layer_and_no_archive,
);

/// Words that only files of the host hold.
const HOST: &str = "unharmed";

/// How long a race is run.
const RACE: Duration = Duration::from_secs(4);

/// A directory of the bed's account that everybody may change.
fn shared(bed: &Bed, name: &str) -> PathBuf {
    let path = bed.dir.join("work").join(name);
    fs::create_dir_all(&path).expect("made");
    bed.give(&path);
    fs::set_permissions(&path, PermissionsExt::from_mode(0o777)).expect("mode");
    path
}

/// Exchanges two names again and again while `work` runs.
fn while_swapping(dir: &Path, names: [&str; 2], mut work: impl FnMut()) {
    let stop = AtomicBool::new(false);
    let [one, other] = names.map(|name| dir.join(name));
    std::thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            let mut count = 0u64;
            while !stop.load(Ordering::Relaxed) {
                rustix::fs::renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE)
                    .expect("exchanged");
                count += 1;
            }
            count
        });
        let began = Instant::now();
        while began.elapsed() < RACE {
            work();
        }
        stop.store(true, Ordering::Relaxed);
        let count = swapper.join().expect("does not panic");
        assert!(count > 100, "there was a race: {count}");
    });
}

/// Fails if any file below holds a byte of the host's.
fn holds_nothing_of_the_host(dir: &Path) {
    let mut todo = vec![dir.to_owned()];
    while let Some(path) = todo.pop() {
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            continue;
        };
        if metadata.is_dir() {
            let entries = fs::read_dir(&path).into_iter().flatten().flatten();
            todo.extend(entries.map(|entry| entry.path()));
        } else if metadata.is_file() {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned();
            assert!(!text.contains(HOST), "{} is the host's", path.display());
        }
    }
}

fn a86_links_to_the_host_lead_nowhere(bed: &Bed) {
    let canary = Canary::new(bed);
    let up = format!("{}{}", "../".repeat(20), canary.path());
    let tree = Tree::default()
        .symlink("abs", &canary.path())
        .symlink("rel", &up)
        .symlink("file", &format!("{}/file", canary.path()))
        .dir("d", 0o755)
        .symlink("d/sub", &canary.path())
        .symlink("proc-root", "/proc/1/root")
        .symlink("self-root", "/proc/self/root");
    load(bed, "links", Value::Null, tree);
    let words = [
        "run",
        "-d",
        "--name",
        "box",
        "--network",
        "none",
        "links",
        "sleep",
        "60",
    ];
    bed.hull(&words).ok();
    bed.file("evil", b"evil\n");
    shared(bed, "tree/sub");
    bed.file("tree/sub/file", b"evil\n");
    for state in ["running", "stopped"] {
        for path in [
            "abs/file",
            "rel/file",
            "d/sub/file",
            "proc-root/x",
            "self-root/x",
        ] {
            let ran = bed.hull(&["cp", &format!("box:/{path}"), "out"]);
            ran.fails(1).stderr_has("Could not find the file");
            let ran = bed.hull(&["cp", "evil", &format!("box:/{path}")]);
            if !path.contains("-root") {
                ran.fails(1).stderr_has("Could not find the file");
            }
        }
        bed.hull(&["cp", "-L", "box:/file", "out"]).fails(1);
        // A link that leads out is a missing place of the container's own.
        bed.hull(&["cp", "evil", "box:/file"]).fails(1);
        // A directory does not replace a link, nor go through it.
        bed.hull(&["cp", "tree/.", "box:/d"])
            .fails(1)
            .stderr_has("cannot overwrite");
        let tar = "tar -C tree -c sub/file | hull cp - box:/d";
        bed.shell(tar)
            .expect(!canary.dir.join("sub/evil").exists(), "below the root");
        bed.hull(&["cp", "box:/d", &format!("copy-{state}")]).ok();
        let copied = bed.dir.join(format!("work/copy-{state}/sub"));
        assert!(fs::symlink_metadata(copied).expect("copied").is_symlink());
        canary.is_unharmed(state);
        bed.hull(&["stop", "-t", "0", "box"]).ok();
    }
}

fn a86_a_component_swapped_for_a_link_leads_nowhere(bed: &Bed) {
    let canary = Canary::new(bed);
    let dir = shared(bed, "swapped");
    fs::create_dir(dir.join("real")).expect("made");
    fs::write(dir.join("real/file"), "inside\n").expect("written");
    fs::set_permissions(dir.join("real"), PermissionsExt::from_mode(0o777)).expect("mode");
    bed.give(&dir.join("real"));
    symlink(canary.path(), dir.join("link")).expect("linked");
    let volume = format!("{}:/v", dir.display());
    bed.detached(&["--name", "box", "-v", &volume], &["sleep", "600"]);
    bed.file("evil", b"evil\n");
    let out = bed.dir.join("work/out");
    let mut copied = 0;
    while_swapping(&dir, ["real", "link"], || {
        let ran = bed.hull(&["cp", "box:/v/real/file", "out"]);
        if ran.code == 0 {
            copied += 1;
            assert_ne!(
                fs::read_to_string(&out).expect("copied"),
                format!("{HOST}\n")
            );
        }
        bed.hull(&["cp", "evil", "box:/v/real/file"]);
        bed.hull(&["cp", "evil", "box:/v/real/null"]);
        // The whole of it, in both directions.
        let _ = fs::remove_dir_all(bed.dir.join("work/tree"));
        bed.hull(&["cp", "box:/v", "tree"]);
        holds_nothing_of_the_host(&bed.dir.join("work/tree"));
    });
    assert!(copied > 0, "the directory was there at times");
    canary.is_unharmed("cp through a swapped directory");
}

fn a86_a_container_that_swaps_its_own_directories_gains_nothing(bed: &Bed) {
    let canary = Canary::new(bed);
    let script = format!(
        "mkdir -p /s/d; echo inside >/s/d/file; ln -s {} /s/l; touch /ready; \
         while :; do mv /s/d /s/x; mv /s/l /s/d; mv /s/d /s/l; mv /s/x /s/d; done",
        canary.path()
    );
    bed.detached(&["--name", "box"], &["sh", "-c", &script]);
    let ready = || bed.hull(&["exec", "box", "ls", "/ready"]).code == 0;
    wait_until("the script runs", ready);
    bed.file("evil", b"evil\n");
    let began = Instant::now();
    while began.elapsed() < RACE {
        let _ = fs::remove_dir_all(bed.dir.join("work/tree"));
        bed.hull(&["cp", "box:/s", "tree"]);
        holds_nothing_of_the_host(&bed.dir.join("work/tree"));
        bed.hull(&["cp", "box:/s/d/file", "out"]);
        holds_nothing_of_the_host(&bed.dir.join("work/out"));
        bed.hull(&["cp", "evil", "box:/s/d/file"]);
        bed.hull(&["cp", "evil", "box:/s/d"]);
    }
    canary.is_unharmed("cp into directories on the move");
}

fn a86_twin_links_inside_are_followed(bed: &Bed) {
    let tree = Tree::default()
        .symlink("abs", "/etc")
        .symlink("rel", "../../../etc")
        .symlink("chain", "abs/../rel");
    load(bed, "links", Value::Null, tree);
    let words = [
        "run",
        "-d",
        "--name",
        "box",
        "--network",
        "none",
        "links",
        "sleep",
        "60",
    ];
    bed.hull(&words).ok();
    bed.file("f", b"f\n");
    for path in ["abs", "rel", "chain"] {
        let passwd = bed.shell(&format!("hull cp box:/{path}/passwd - | tar -xO"));
        passwd.fails(0).stdout_has("guest");
        bed.hull(&["cp", "f", &format!("box:/{path}/{path}.new")])
            .ok();
        let there = format!("/etc/{path}.new");
        bed.hull(&["exec", "box", "cat", &there])
            .fails(0)
            .stdout_is("f\n");
    }
}

fn a87_a_swapped_target_in_a_volume_is_not_followed(bed: &Bed) {
    let canary = Canary::new(bed);
    let dir = shared(bed, "volume");
    fs::create_dir(dir.join("d")).expect("made");
    bed.give(&dir.join("d"));
    symlink(canary.path(), dir.join("l")).expect("linked");
    let volume = format!("{}:/v", dir.display());
    let words = [
        "create",
        "--name",
        "box",
        "--network",
        "none",
        "-v",
        &volume,
        "busybox:test",
    ];
    bed.hull(&words).ok();
    shared(bed, "tree/d/sub");
    for name in ["file", "null", "sub/file"] {
        bed.file(&format!("tree/d/{name}"), b"evil\n");
    }
    while_swapping(&dir, ["d", "l"], || {
        bed.hull(&["cp", "tree/.", "box:/v"]);
        bed.hull(&["cp", "tree/d/file", "box:/v/d/"]);
        bed.shell("tar -C tree -c d | hull cp - box:/v");
    });
    canary.is_unharmed("cp into a volume on the move");
}

fn a87_a_volume_of_a_stopped_container_is_entered_by_its_own_descriptor(bed: &Bed) {
    let dir = shared(bed, "volume");
    let volume = format!("{}:/v/deep", dir.display());
    let words = [
        "create",
        "--name",
        "box",
        "--network",
        "none",
        "-v",
        &volume,
        "busybox:test",
    ];
    bed.hull(&words).ok();
    bed.hull(&["start", "box"]).ok();
    bed.hull(&["wait", "box"]).ok();
    bed.file("f", b"f\n");
    let mounts = || {
        let text = fs::read_to_string("/proc/self/mountinfo").expect("linux");
        text.lines().count()
    };
    let before = mounts();
    bed.hull(&["cp", "f", "box:/v/deep/f"]).ok();
    bed.hull(&["cp", "f", "box:/v/deep/../beside"]).ok();
    assert_eq!(mounts(), before, "nothing is mounted");
    assert!(dir.join("f").exists() && !dir.join("beside").exists());
    bed.hull(&["diff", "box"])
        .fails(0)
        .stdout_is("A /v\nA /v/beside\n");
}

fn a87_twin_links_into_a_volume_work(bed: &Bed) {
    let dir = shared(bed, "volume");
    let volume = format!("{}:/v", dir.display());
    load(
        bed,
        "links",
        Value::Null,
        Tree::default().symlink("into", "v/sub"),
    );
    fs::create_dir(dir.join("sub")).expect("made");
    bed.give(&dir.join("sub"));
    let words = [
        "create",
        "--name",
        "box",
        "--network",
        "none",
        "-v",
        &volume,
        "links",
    ];
    bed.hull(&words).ok();
    bed.file("f", b"f\n");
    bed.hull(&["cp", "f", "box:/into"]).ok();
    assert_eq!(fs::read(dir.join("sub/f")).expect("copied"), b"f\n");
}

fn a88_special_files_are_copied_and_never_opened(bed: &Bed) {
    let script = "mkdir /s; mkfifo /s/fifo; truncate -s 4E /s/huge; \
                  echo x >/s/file; touch /ready; nc -l -U /s/socket & sleep 600";
    bed.detached(&["--name", "box"], &["sh", "-c", script]);
    let ready = || bed.hull(&["exec", "box", "ls", "/ready"]).code == 0;
    wait_until("the script runs", ready);
    bed.hull(&["exec", "box", "rm", "/s/huge"]);
    let began = Instant::now();
    bed.hull(&["cp", "box:/s", "tree"]).ok();
    bed.hull(&["cp", "box:/s/fifo", "one"]).ok();
    bed.shell("hull cp box:/s - | tar -t | sort")
        .fails(0)
        .stdout_has("s/fifo\ns/file\n");
    bed.hull(&["export", "-o", "all.tar", "box"]).ok();
    bed.hull(&["commit", "--no-pause", "box", "made:1"]).ok();
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "nothing waits for a writer"
    );
    let work = bed.dir.join("work");
    for name in ["tree/fifo", "one"] {
        let kind = fs::symlink_metadata(work.join(name))
            .expect("copied")
            .file_type();
        assert!(kind.is_fifo(), "{name}");
    }
    assert!(!work.join("tree/socket").exists());
    // And the way in; a FIFO at the target is replaced, not written to.
    bed.hull(&["cp", "tree/file", "box:/s/new"]).ok();
    bed.shell("mkdir in; mkfifo in/fifo; echo y >in/other").ok();
    bed.hull(&["cp", "in", "box:/s/in"]).ok();
    bed.hull(&["cp", "tree/file", "box:/s/in/fifo"])
        .fails(1)
        .stderr_has("regular file");
    bed.shell("rm in/fifo; echo z >in/fifo").ok();
    bed.hull(&["cp", "in/.", "box:/s/in"]).ok();
    bed.hull(&["exec", "box", "cat", "/s/in/fifo"])
        .fails(0)
        .stdout_is("z\n");
}

fn a88_set_id_bits_go_only_with_archive(bed: &Bed) {
    let script = "mkdir /s; cp /bin/busybox /s/suid; chmod 6755 /s/suid; mkdir -m 2777 /s/d";
    let words = [
        "run",
        "--name",
        "box",
        "--network",
        "none",
        "busybox:test",
        "sh",
        "-c",
        script,
    ];
    bed.hull(&words).ok();
    bed.hull(&["cp", "box:/s", "plain"]).ok();
    bed.hull(&["cp", "-a", "box:/s", "kept"]).ok();
    let mode = |name: &str| {
        let path = bed.dir.join("work").join(name);
        fs::metadata(path).expect("copied").mode() & 0o7777
    };
    assert_eq!((mode("plain/suid"), mode("plain/d")), (0o755, 0o777));
    assert_eq!((mode("kept/suid"), mode("kept/d")), (0o6755, 0o2777));
    if needs_root(bed, "only root can put a device node into an image") {
        return;
    }
    // The node of a disk that an image brings along would be readable by everybody here.
    let node = Tree::default().special("disk", tar::EntryType::Block, (8, 0));
    load(bed, "nodes", Value::Null, node);
    bed.hull(&["create", "--name", "nodes", "--network", "none", "nodes"])
        .ok();
    let ran = bed.hull(&["cp", "nodes:/disk", "disk"]);
    ran.fails(0).stderr_has("not copied");
    assert!(!bed.dir.join("work/disk").exists());
    bed.hull(&["cp", "-a", "nodes:/disk", "disk"]).ok();
    let kind = fs::symlink_metadata(bed.dir.join("work/disk")).expect("copied");
    assert!(kind.file_type().is_block_device());
}

fn a88_twin_a_name_with_dots_is_only_a_name(bed: &Bed) {
    let script = "mkdir -p '/s/..x' '/s/...'; echo a >'/s/..x/a'; echo b >'/s/.../-b'";
    let words = [
        "run",
        "--name",
        "box",
        "--network",
        "none",
        "busybox:test",
        "sh",
        "-c",
        script,
    ];
    bed.hull(&words).ok();
    bed.hull(&["cp", "box:/s", "tree"]).ok();
    let work = bed.dir.join("work/tree");
    assert_eq!(fs::read(work.join("..x/a")).expect("copied"), b"a\n");
    assert_eq!(fs::read(work.join(".../-b")).expect("copied"), b"b\n");
}

fn a89_an_export_of_a_tree_that_changes_has_no_byte_of_the_host(bed: &Bed) {
    let canary = Canary::new(bed);
    let script = format!(
        "mkdir -p /s/d/deep; for i in $(seq 200); do echo inside >/s/d/deep/$i; done; \
         ln -s {} /s/l; touch /ready; \
         while :; do mv /s/d /s/x; mv /s/l /s/d; mv /s/d /s/l; mv /s/x /s/d; \
         rm -f /s/d/deep/7; echo inside >/s/d/deep/7; done",
        canary.path()
    );
    bed.detached(&["--name", "box"], &["sh", "-c", &script]);
    let ready = || bed.hull(&["exec", "box", "ls", "/ready"]).code == 0;
    wait_until("the script runs", ready);
    let began = Instant::now();
    while began.elapsed() < RACE {
        bed.hull(&["export", "-o", "all.tar", "box"]).ok();
        let tar = fs::read(bed.dir.join("work/all.tar")).expect("written");
        let found = tar
            .windows(HOST.len())
            .any(|window| window == HOST.as_bytes());
        assert!(!found, "a file of the host is in the archive");
        bed.shell("tar -tf all.tar").ok();
        bed.hull(&["diff", "box"]).ok();
        bed.hull(&["commit", "--no-pause", "box", "made:1"]).ok();
    }
    let words = [
        "run",
        "--rm",
        "--network",
        "none",
        "made:1",
        "grep",
        "-r",
        HOST,
        "/s",
    ];
    bed.hull(&words).fails(1).stdout_is("");
    canary.is_unharmed("export");
}

fn a89_mounts_are_in_no_layer_and_no_archive(bed: &Bed) {
    bed.file("secret", b"CANARY-5d\n");
    let file = format!("{}:/run/secret:ro", bed.dir.join("work/secret").display());
    let whole = format!("{}:/etc/dir", bed.dir.join("work").display());
    let host = [
        "--add-host",
        "canary-5d.example:10.1.2.3",
        "--hostname",
        "canary-5d",
    ];
    let flags = [
        "--name", "box", "-v", &file, "-v", &whole, "--tmpfs", "/scratch",
    ];
    let script = "echo CANARY-5d >/scratch/x; echo CANARY-5d >>/etc/hosts; touch /ready; sleep 600";
    bed.detached(&[&host[..], &flags].concat(), &["sh", "-c", script]);
    let ready = || bed.hull(&["exec", "box", "ls", "/ready"]).code == 0;
    wait_until("the script runs", ready);
    bed.hull(&[
        "exec",
        "box",
        "grep",
        "CANARY-5d",
        "/run/secret",
        "/etc/hosts",
    ])
    .ok();
    let found = bed.shell("hull export box | grep -aci canary-5d");
    found.expect(found.stdout == "0\n", "no byte of a mount");
    bed.hull(&["diff", "box"]).fails(0).stdout_is("A /ready\n");
    bed.hull(&["commit", "box", "made:1"]).ok();
    let look = "! cat /run/secret /etc/hosts | grep CANARY && ls /scratch";
    let words = [
        "run",
        "--rm",
        "--network",
        "none",
        "made:1",
        "sh",
        "-c",
        look,
    ];
    bed.hull(&words).fails(0).stdout_is("");
    let layers = bed.store().join("layers");
    if bed.who == Who::Root {
        holds_nothing_of(&layers, "CANARY-5d");
    }
}

fn holds_nothing_of(dir: &Path, text: &str) {
    let mut command = std::process::Command::new("grep");
    let ran = command
        .args(["-rlaI", text])
        .arg(dir)
        .output()
        .expect("grep runs");
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "");
}
