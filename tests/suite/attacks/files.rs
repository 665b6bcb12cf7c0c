//! A51 to A53, A60, A63 and A70: what an image has where the engine mounts, masks, writes or runs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use super::{Canary, keep_running, load, load_probe, needs_root, refused, run_image};
use crate::bed::{Bed, binary};
use crate::images::Tree;
use crate::process::{run, wait_until};

root_and_user!(
    a51_dev_that_is_a_link_is_refused,
    a51_twin_dev_with_files_and_without_dev,
    a52_proc_and_sys_must_be_directories,
    a52_twin_proc_and_sys_with_files_and_missing,
    a53_masks_do_not_come_from_the_container,
    a60_the_engine_is_never_written_to,
    a60_an_image_whose_shell_is_proc_self_exe_runs_nothing_of_ours,
    a63_programs_of_the_image_run_inside_only,
    a63_the_engine_executes_nothing_below_the_root,
    a70_protected_paths_cannot_be_written_or_unmounted,
    a70_masked_paths_are_empty,
    a70_twin_privileged_and_own_files_can_be_written,
);

fn a51_dev_that_is_a_link_is_refused(bed: &Bed) {
    let canary = Canary::new(bed);
    let up = format!("{}{}", "../".repeat(20), canary.path());
    for (name, target) in [
        ("dev-abs", canary.path()),
        ("dev-rel", up),
        ("dev-tmp", "/tmp".into()),
    ] {
        load(
            bed,
            name,
            Value::Null,
            Tree::default().symlink("dev", &target),
        );
        let ran = run_image(bed, &[], name, &["true"]);
        refused(bed, &ran);
        ran.stderr_has("/dev");
    }
    load(
        bed,
        "dev-file",
        Value::Null,
        Tree::default().file("dev", 0o644, b""),
    );
    refused(bed, &run_image(bed, &[], "dev-file", &["true"]));
    canary.is_unharmed("/dev");
}

fn a51_twin_dev_with_files_and_without_dev(bed: &Bed) {
    let canary = Canary::new(bed);
    let null = canary.dir.join("null").display().to_string();
    let tree = Tree::default()
        .dir("dev", 0o700)
        .file("dev/zero", 0o644, b"not zero")
        .symlink("dev/null", &null)
        .symlink("dev/pts", &canary.path())
        .symlink("dev/shm", &canary.path());
    load(bed, "dev", Value::Null, tree);
    let script = "stat -c '%F %t:%T' /dev/null /dev/zero; echo x > /dev/null; \
        touch /dev/shm/x; ls -d /dev/pts/ptmx; ls -ld /dev | cut -c1-10";
    let expected = "character special file 1:3\ncharacter special file 1:5\n/dev/pts/ptmx\n\
        drwxr-xr-x\n";
    run_image(bed, &[], "dev", &["sh", "-c", script])
        .fails(0)
        .stdout_is(expected);
    bed.run_rm(&[], &["sh", "-c", script])
        .fails(0)
        .stdout_is(expected);
    canary.is_unharmed("/dev");
}

fn a52_proc_and_sys_must_be_directories(bed: &Bed) {
    let canary = Canary::new(bed);
    for name in ["proc", "sys"] {
        let up = format!("{}{}", "../".repeat(20), canary.path());
        let links = [
            "/tmp".to_owned(),
            canary.path(),
            up,
            "/proc/self/fd".to_owned(),
            "nowhere".into(),
        ];
        for (number, target) in links.iter().enumerate() {
            let image = format!("{name}{number}");
            load(
                bed,
                &image,
                Value::Null,
                Tree::default().symlink(name, target),
            );
            let ran = run_image(bed, &[], &image, &["true"]);
            refused(bed, &ran);
            ran.stderr_has(&format!("/{name}"));
        }
        let image = format!("{name}-file");
        load(
            bed,
            &image,
            Value::Null,
            Tree::default().file(name, 0o644, b""),
        );
        refused(bed, &run_image(bed, &[], &image, &["true"]));
    }
    canary.is_unharmed("/proc or /sys");
}

fn a52_twin_proc_and_sys_with_files_and_missing(bed: &Bed) {
    let tree = Tree::default()
        .dir("proc", 0o555)
        .file("proc/cpuinfo", 0o644, b"forged")
        .symlink("proc/self", "/tmp")
        .dir("sys", 0o555)
        .symlink("sys/kernel", "/tmp");
    load(bed, "full", Value::Null, tree);
    let script =
        "readlink /proc/self > /dev/null && ls -d /sys/kernel/. && grep -c forged /proc/cpuinfo";
    run_image(bed, &[], "full", &["sh", "-c", script])
        .fails(1)
        .stdout_is("/sys/kernel/.\n0\n");
    bed.run_rm(&[], &["sh", "-c", script])
        .fails(1)
        .stdout_is("/sys/kernel/.\n0\n");
}

/// T3: whatever stands at /dev/null while a container starts, files are masked by the real one.
fn a53_masks_do_not_come_from_the_container(bed: &Bed) {
    let canary = Canary::new(bed);
    let dev = bed.dir.join("work/dev");
    fs::create_dir(&dev).expect("made");
    bed.give(&dev);
    let mount = format!("{}:/dev", dev.display());
    let check = ["stat", "-c", "%t:%T", "/proc/timer_list"];
    // Still: a link to a file of the host, a plain file, nothing.
    let null = dev.join("null");
    let plain = |path: &Path| fs::write(path, "plain").expect("made");
    let kinds: [&dyn Fn(); 3] = [
        &|| symlink(canary.dir.join("null"), &null).expect("made"),
        &|| plain(&null),
        &|| {},
    ];
    for make in kinds {
        make();
        bed.run_rm(&["-v", &mount], &check)
            .fails(0)
            .stdout_is("1:3\n");
        // Nothing there is what the last of them leaves.
        let _ = fs::remove_file(&null);
    }
    // And swapped meanwhile.
    let swap = format!(
        "cd /swap; ln -s {}/null l; echo p > f; while :; do \
         ln -f f null; mv l null; ln -s {}/null l; rm null; done",
        canary.path(),
        canary.path()
    );
    let swapped = format!("{}:/swap", dev.display());
    bed.detached(&["--name", "swapper", "-v", &swapped], &["sh", "-c", &swap]);
    wait_until("the file is swapped", || dev.join("f").exists());
    for _ in 0..15 {
        bed.run_rm(&["-v", &mount], &check)
            .fails(0)
            .stdout_is("1:3\n");
    }
    bed.hull(&["rm", "-f", "swapper"]).ok();
    canary.is_unharmed("a mask");
}

/// T3: a container holds the program of everything that joins it, and writes as soon as it can.
fn a60_the_engine_is_never_written_to(bed: &Bed) {
    if !load_probe(bed) {
        return;
    }
    let before = fs::read(binary()).expect("the binary");
    // Its first process is the small init all the time.
    keep_running(bed, "ctr", &["--init"], "probe", &["probe", "overwrite"]);
    for _ in 0..40 {
        bed.hull(&["exec", "ctr", "/bin/true"]).fails(0);
    }
    let logs = bed.hull(&["logs", "ctr"]).stdout;
    bed.hull(&["rm", "-f", "ctr"]).ok();
    assert!(logs.contains("saw "), "it had something to attack: {logs}");
    assert!(!logs.contains("WROTE"), "it wrote to a program: {logs}");
    for line in logs.lines().filter(|line| line.starts_with("saw ")) {
        assert!(
            line.starts_with("saw /memfd:hull-init"),
            "only the sealed init is seen: {line}"
        );
    }
    assert!(
        fs::read(binary()).expect("the binary") == before,
        "the binary has changed"
    );
}

fn a60_an_image_whose_shell_is_proc_self_exe_runs_nothing_of_ours(bed: &Bed) {
    let before = fs::read(binary()).expect("the binary");
    let tree = Tree::default()
        .file("entry", 0o755, b"#!/proc/self/exe\n")
        .whiteout("bin/sh")
        .symlink("bin/sh", "/proc/self/exe")
        .file("script", 0o755, b"#!/bin/sh\ntrue\n");
    load(bed, "self", json!({"Entrypoint": ["/entry"]}), tree);
    let ran = run_image(bed, &[], "self", &["version"]);
    ran.expect(
        ran.code != 0 && ran.stdout.is_empty(),
        "fails and prints nothing",
    );
    for words in [
        &["/bin/sh", "version"][..],
        &["/script"],
        &["/proc/self/exe", "version"],
    ] {
        let ran = run_image(bed, &["--entrypoint", ""], "self", words);
        ran.expect(
            ran.code != 0 && ran.stdout.is_empty(),
            "fails and prints nothing",
        );
        ran.expect(!ran.stderr.contains("Usage"), "is not hull");
    }
    keep_running(
        bed,
        "ctr",
        &["--entrypoint", ""],
        "self",
        &["/bin/sleep", "1000"],
    );
    for words in [
        &["/bin/sh", "version"][..],
        &["/entry"],
        &["/proc/self/exe", "version"],
    ] {
        let ran = bed.hull(&[&["exec", "ctr"], words].concat());
        ran.expect(
            ran.code != 0 && ran.stdout.is_empty(),
            "fails and prints nothing",
        );
    }
    assert!(
        fs::read(binary()).expect("the binary") == before,
        "the binary has changed"
    );
}

/// Loads an image whose every helper program says so when it is run.
fn load_hostile(bed: &Bed) {
    let script = b"#!/bin/busybox sh\n/bin/busybox touch /ran\n";
    let mut tree = Tree::default().dir("lib", 0o755).dir("usr/sbin", 0o755);
    let names = [
        "ps",
        "nsenter",
        "tar",
        "xz",
        "unpigz",
        "gzip",
        "zstd",
        "mount",
        "getent",
        "newuidmap",
        "sh",
        "runc",
        "iptables",
        "nft",
    ];
    for name in names {
        for dir in ["bin", "usr/bin", "usr/sbin"] {
            tree = tree.file(&format!("{dir}/{name}"), 0o755, script);
        }
    }
    tree = tree
        .file("lib/libnss_files.so.2", 0o755, b"\x7fELF hostile")
        .file("etc/ld.so.preload", 0o644, b"/lib/libnss_files.so.2\n")
        .file("etc/nsswitch.conf", 0o644, b"passwd: files\n");
    load(bed, "hostile", Value::Null, tree);
}

fn a63_programs_of_the_image_run_inside_only(bed: &Bed) {
    load_hostile(bed);
    let words = ["/bin/busybox", "sleep", "1000"];
    keep_running(bed, "ctr", &["-u", "guest"], "hostile", &words);
    let file = bed.file("copied", b"x");
    let file = file.to_string_lossy();
    // A command that does not exist yet fails, which is fine here.
    for words in [
        &["top", "ctr"][..],
        &["cp", &file, "ctr:/tmp/x"],
        &["cp", "ctr:/etc/passwd", "-"],
        &["exec", "-u", "guest", "ctr", "/bin/busybox", "true"],
        &["logs", "ctr"],
        &["inspect", "ctr"],
        &["diff", "ctr"],
        &["export", "-o", "/dev/null", "ctr"],
        &["commit", "ctr", "made:1"],
        &["stats", "--no-stream", "ctr"],
        &["pause", "ctr"],
        &["unpause", "ctr"],
    ] {
        let _ = bed.hull(words);
    }
    let look = [
        "exec",
        "-u",
        "0",
        "ctr",
        "/bin/busybox",
        "test",
        "-e",
        "/ran",
    ];
    bed.hull(&look).fails(1);
    // The twin: it does say so when it is run.
    bed.hull(&["exec", "-u", "0", "ctr", "/bin/ps"]).ok();
    bed.hull(&look).fails(0);
}

fn a63_the_engine_executes_nothing_below_the_root(bed: &Bed) {
    if needs_root(bed, "strace would take the rights of newuidmap away") {
        return;
    }
    load_hostile(bed);
    keep_running(
        bed,
        "ctr",
        &[],
        "hostile",
        &["/bin/busybox", "sleep", "1000"],
    );
    let trace = bed.dir.join("work/trace");
    let traced = |words: &[&str]| -> String {
        let hull = bed.hull_command(words);
        let mut command = bed.command(Path::new("strace"));
        command
            .args(["-f", "-qq", "-e", "trace=execve,execveat", "-o"])
            .arg(&trace);
        command.arg(hull.get_program()).args(hull.get_args());
        run(command, b"").ok();
        fs::read_to_string(&trace).expect("the trace")
    };
    let inside = ["/bin/busybox", "true"];
    for words in [
        &["run", "--rm", "--network", "none", "hostile"][..],
        &["exec", "ctr"],
        &["exec", "-u", "guest", "ctr"],
    ] {
        let calls = traced(&[words, &inside].concat());
        let mut programs = Vec::new();
        for line in calls.lines().filter(|line| line.contains("exec")) {
            // `PID execve("PATH", …` or `PID execveat(FD, "", …`
            let path = line.split('"').nth(1).unwrap_or(line).to_owned();
            programs.push(path);
        }
        // The monitor executes itself anew beside the program, so the order is not fixed.
        let payload = programs
            .iter()
            .filter(|path| *path == "/bin/busybox")
            .count();
        assert_eq!(payload, 1, "{words:?}: {calls}");
        let own = binary().to_string_lossy();
        // By descriptor: the sealed init, and perhaps the monitor.
        let known = |path: &String| path.is_empty() || *path == own || path == "/bin/busybox";
        assert!(programs.iter().all(known), "{words:?}: {calls}");
    }
}

/// The table of defaults: paths that may be seen, not written.
const READ_ONLY: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// The table of defaults: paths that may not be seen.
const MASKED: [&str; 13] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
    "/sys/fs/selinux",
];

/// Runs a script in a new container and in a running one.
fn both(bed: &Bed, flags: &[&str], script: &str) -> [crate::process::Ran; 2] {
    let of_run = bed.run_rm(flags, &["sh", "-c", script]);
    bed.detached(&[&["--name", "ctr"], flags].concat(), &["sleep", "1000"]);
    let of_exec = bed.hull(&["exec", "ctr", "sh", "-c", script]);
    bed.hull(&["rm", "-f", "ctr"]).ok();
    [of_run, of_exec]
}

fn a70_protected_paths_cannot_be_written_or_unmounted(bed: &Bed) {
    let paths = [&READ_ONLY[..], &MASKED].concat().join(" ");
    let script = format!(
        "for path in {paths} /sys /sys/fs/cgroup; do
            [ -e $path ] || continue
            umount $path 2>/dev/null && echo unmounted $path
            umount -l $path 2>/dev/null && echo detached $path
            mount -o remount,rw $path 2>/dev/null && echo remounted $path
            mount -o remount,bind,rw $path 2>/dev/null && echo remounted $path
            mount --bind /tmp $path 2>/dev/null && echo covered $path
            mv $path /tmp/x 2>/dev/null && echo moved $path
            [ -d $path ] && mkdir $path/x 2>/dev/null && echo made $path/x
         done
         for file in /proc/sys/kernel/hostname /proc/sys/kernel/core_pattern \
             /proc/sys/vm/swappiness /proc/sys/net/ipv4/ip_forward /proc/sysrq-trigger \
             /sys/kernel/uevent_helper /sys/kernel/profiling /proc/irq/default_smp_affinity; do
            [ -e $file ] && (: >> $file) 2>/dev/null && echo opened $file
         done
         for file in $(find /proc/sys/kernel /sys/kernel /sys/module -maxdepth 2 -type f \
             -perm -200 2>/dev/null | head -n 300); do
            (: >> $file) 2>/dev/null && echo opened $file
         done
         echo done"
    );
    for ran in both(bed, &[], &script) {
        ran.fails(0).stdout_is("done\n");
    }
    // With the right to mount, the paths are still protected as long as nothing is mounted anew.
    let script = "(: >> /proc/sys/vm/swappiness) 2>/dev/null && echo opened; echo done";
    for ran in both(bed, &["--cap-add", "SYS_ADMIN"], script) {
        ran.fails(0).stdout_is("done\n");
    }
}

fn a70_masked_paths_are_empty(bed: &Bed) {
    let paths = MASKED.join(" ");
    let script = format!(
        "for path in {paths} $(ls -d /sys/devices/system/cpu/cpu*/thermal_throttle 2>/dev/null); do
            if [ -d $path ]; then
                [ -z \"$(ls -A $path 2>/dev/null)\" ] || echo visible $path
                grep -q \" $path tmpfs ro,\" /proc/self/mounts || echo writable $path
            elif [ -e $path ]; then
                [ \"$(stat -c %t:%T $path)\" = 1:3 ] || echo visible $path
            fi
         done
         [ -e /proc/timer_list ] && echo done"
    );
    for ran in both(bed, &[], &script) {
        ran.fails(0).stdout_is("done\n");
    }
    let ran = bed.run_rm(&["--read-only"], &["sh", "-c", &script]);
    ran.fails(0).stdout_is("done\n");
}

fn a70_twin_privileged_and_own_files_can_be_written(bed: &Bed) {
    let script = "echo x > /tmp/x && echo 100 > /proc/self/oom_score_adj && \
        stat -c %t:%T /proc/timer_list && echo done";
    for ran in both(bed, &["--security-opt", "systempaths=unconfined"], script) {
        ran.fails(0).stdout_is("0:0\ndone\n");
    }
}
