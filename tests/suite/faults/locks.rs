//! F12: the holder of a lock is stopped. Whoever needs the lock waits a minute and says who has it;
//! readers need none.

use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rustix::fs::{FlockOperation, flock};

use super::{expect_no_crash, traced};
use crate::bed::{Bed, Who, on_bed};
use crate::images::Image;
use crate::process::{Ran, Running, start, wait_until};

/// One test for all locks and both users: everybody waits for the same minute.
#[test]
fn f12_who_waits_for_a_stopped_holder_is_told_its_pid() {
    std::thread::scope(|scope| {
        let one = scope.spawn(|| on_bed(Who::Root, everybody_waits));
        let other = scope.spawn(|| on_bed(Who::User, everybody_waits));
        let ended = [one.join(), other.join()];
        for end in ended {
            end.expect("both users pass");
        }
    });
}

/// A process that takes a lock and does nothing; the command whose words end in `sleep 1000`.
struct Holder {
    child: std::process::Child,
    pid: u32,
}

impl Holder {
    fn take(bed: &Bed, path: &PathBuf) -> Holder {
        let mut command = bed.command("/usr/bin/flock".as_ref());
        command.args(["--no-fork", "--exclusive"]).arg(path);
        command.args(["sleep", "1000"]).stdin(Stdio::null());
        let child = command.spawn().expect("flock starts");
        let pid = child.id();
        wait_until("the lock is held", || {
            let file = std::fs::File::open(path);
            file.is_ok_and(|file| {
                flock(file.as_fd(), FlockOperation::NonBlockingLockExclusive).is_err()
            })
        });
        Holder { child, pid }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // It is our child and sleeps.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn create(name: &str) -> Vec<&str> {
    let head = ["create", "--network", "none", "--name"];
    [&head[..], &[name, "busybox:test", "true"]].concat()
}

fn everybody_waits(bed: &Bed) {
    bed.hull(&create("box")).ok();
    bed.hull(&create("named")).ok();
    // An image of its own, whose removal has content to collect.
    let mut other = Image::busybox("other:1");
    other.config["Labels"] = serde_json::json!({"name": "other"});
    bed.load(&other);
    let id = bed.inspect("box", "{{.Id}}");
    let record = bed.store().join("containers").join(id).join("lock");
    let name = bed.store().join("names/named");
    let free = bed.store().join("names/free");
    for path in [&record, &free] {
        std::fs::write(path, "").expect("lock file");
        bed.give(path);
    }
    let holders = [&record, &name, &free].map(|path| Holder::take(bed, path));
    let Some((stopped, stopped_pid)) = stopped_create(bed) else {
        return;
    };
    let begun = Instant::now();
    let mut waiting: Vec<(Running, String)> = Vec::new();
    let mut wait = |words: &[&str], pid: u32| {
        waiting.push((bed.start(words), format!("process {pid} (")));
    };
    let several = "has held the lock for 60 s".to_owned();
    wait(&["rename", "box", "bax"], holders[0].pid);
    wait(&create("free"), holders[2].pid);
    wait(&create("halted"), stopped_pid);
    // The commands that wait share the collector's lock too: any of them may be named.
    waiting.push((bed.start(&["rmi", "other:1"]), several));
    // I7: nobody else notices.
    for words in [
        &["ps", "-a"][..],
        &["inspect", "box"],
        &["inspect", "--format", "{{.Name}}", "named"],
        &["logs", "box"],
        &["images"],
    ] {
        bed.hull(words).ok();
    }
    assert!(begun.elapsed() < Duration::from_secs(40), "read at once");
    // What is removed is gone, whoever has its name locked.
    let removal = bed.start(&["rm", "named"]);
    for (running, pid) in waiting {
        let ran = running.finish();
        expect_no_crash(&ran);
        waited(&ran, begun).stderr_has(&pid);
    }
    let removed = removal.finish();
    removed.fails(0).stdout_is("named\n");
    removed.stderr_has(&format!("process {} (", holders[1].pid));
    drop(holders);
    // The stopped one is let go, and does its work.
    stopped.signal(Signal::SIGCONT);
    resume(stopped_pid);
    stopped.finish().ok();
    bed.hull(&["rename", "box", "bax"]).ok();
    bed.hull(&["rm", "bax", "halted"]).ok();
    for name in ["named", "free"] {
        bed.hull(&create(name)).ok();
        bed.hull(&["rm", name]).ok();
    }
    bed.hull(&["rmi", "-f", "other:1"]);
    super::sweep(bed);
}

#[track_caller]
fn waited(ran: &Ran, begun: Instant) -> &Ran {
    let waited = begun.elapsed() >= Duration::from_secs(60);
    ran.expect(waited, "a minute's patience")
        .expect(ran.code != 0, "a failure")
        .stderr_has("has held the lock for 60 s")
}

/// A real command that is stopped while it holds the name `halted` and the gc lock, shared.
fn stopped_create(bed: &Bed) -> Option<(Running, u32)> {
    let log = bed.dir.join("trace");
    let options = [
        "-e",
        "trace=fsync",
        "-e",
        "inject=fsync:signal=SIGSTOP:when=3",
    ];
    let mut command = traced(bed, &options, &log, &create("halted"))?;
    command.stdin(Stdio::null());
    let running = start(command);
    let path = bed.store().join("names/halted");
    wait_until("the command holds the name", || path.exists());
    let mut pid = None;
    wait_until("and is stopped", || {
        pid = crate::leaks::processes_of(&bed.dir)
            .into_iter()
            .map(|(pid, _)| pid)
            .find(|pid| is_stopped(*pid));
        pid.is_some()
    });
    Some((running, u32::try_from(pid?).ok()?))
}

fn is_stopped(pid: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let is_tracer = String::from_utf8_lossy(&words).starts_with("/usr/bin/strace");
    !is_tracer && (status.contains("State:\tT") || status.contains("State:\tt"))
}

fn resume(pid: u32) {
    let pid = nix::unistd::Pid::from_raw(pid.cast_signed());
    nix::sys::signal::kill(pid, Signal::SIGCONT).expect("is stopped");
}
