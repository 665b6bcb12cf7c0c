//! F1, F2, F5: `kill -9` at any system call of create, of run, of pull.

use std::path::PathBuf;
use std::process::Stdio;

use super::{CHECK, Seed, checked_image, counts, points, sweep, traced, verify};
use crate::bed::{Bed, Who};
use crate::leaks::busy_processes_of;
use crate::process::{run, start, wait_until};
use crate::registry::Registry;

each_who!(
    f1_create_killed_anywhere_is_all_or_nothing,
    f2_run_killed_anywhere_leaves_no_process_without_a_record,
    f5_a_killed_pull_changes_nothing_and_the_next_completes,
    f5_three_pulls_killed_at_once,
);

/// What changes something: made, moved, written, synced, locked, started.
const CHANGES: &str = "trace=openat,mkdir,mkdirat,write,rename,renameat,renameat2,flock,fsync,\
                       fdatasync,syncfs,ftruncate,unlink,unlinkat,rmdir,fchmod,fcntl";
/// And what brings a container up.
const STARTS: &str = "trace=openat,mkdir,mkdirat,write,rename,renameat,renameat2,flock,fsync,\
                      unlink,unlinkat,clone,clone3,unshare,setns,setsid,mount,move_mount,fsopen,\
                      fsconfig,fsmount,open_tree,pivot_root,socketpair,bind,listen,sendmsg,sendto,\
                      recvmsg,recvfrom,execve,execveat,prctl,memfd_create,pidfd_open,ioctl";

fn kill_at(name: &str, number: usize) -> String {
    format!("inject={name}:signal=SIGKILL:when={number}")
}

/// `NAME STATE` of every container.
fn listed(bed: &Bed) -> String {
    let words = ["ps", "-a", "--format", "{{.Names}} {{.State}}"];
    bed.hull(&words).ok().to_owned()
}

fn f1_create_killed_anywhere_is_all_or_nothing(bed: &Bed) {
    let create = [
        "create",
        "--name",
        "box",
        "--network",
        "none",
        "busybox:test",
        "echo",
        "whole",
    ];
    let log = bed.dir.join("trace");
    let Some(untouched) = traced(bed, &["-e", CHANGES], &log, &create) else {
        return;
    };
    run(untouched, b"").ok();
    bed.hull(&["rm", "box"]).ok();
    let mut seed = Seed::new();
    for (name, number) in seed.choose(points(&log), if bed.who == Who::Root { 50 } else { 25 }) {
        let at = kill_at(&name, number);
        let killed = traced(bed, &["-e", CHANGES, "-e", &at], &log, &create);
        let killed = run(killed.expect("worked before"), b"");
        match listed(bed).as_str() {
            "" => {
                killed.expect(killed.code != 0, &format!("{at}: no container, no success"));
                bed.hull(&create).ok();
            }
            "box created" => {
                bed.hull(&create).fails(1).stderr_has("already in use");
            }
            other => panic!("after {at}: {other}"),
        }
        bed.hull(&["start", "-a", "box"])
            .fails(0)
            .stdout_is("whole\n");
        bed.hull(&["rm", "-f", "box"]).fails(0).stdout_is("box\n");
    }
    sweep(bed);
}

fn f2_run_killed_anywhere_leaves_no_process_without_a_record(bed: &Bed) {
    let words = [
        "run",
        "-d",
        "--name",
        "box",
        "--network",
        "none",
        "busybox:test",
        "sleep",
        "1000",
    ];
    let log = bed.dir.join("trace");
    let run_killed = |options: &[&str]| -> Option<()> {
        // The tracer stands aside: it would wait for the monitor, and keep our pipes open.
        let mut command = traced(bed, &[&["-D"], options].concat(), &log, &words)?;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("strace starts");
        child.wait().expect("is our child");
        Some(())
    };
    let Some(()) = run_killed(&["-e", STARTS]) else {
        return;
    };
    assert_eq!(listed(bed), "box running");
    bed.hull(&["rm", "-f", "box"]).ok();
    let mut seed = Seed::new();
    let mut chosen = Vec::new();
    for (name, count) in counts(&log) {
        let all = (1..=count).map(|number| (name.clone(), number));
        chosen.extend(seed.choose(all.collect(), 3));
    }
    let most = if bed.who == Who::Root { 40 } else { 16 };
    for (name, number) in seed.choose(chosen, most) {
        let at = kill_at(&name, number);
        run_killed(&["-e", STARTS, "-e", &at]).expect("worked before");
        let state = settled(bed, &at);
        if !state.is_empty() {
            bed.hull(&["rm", "-f", "box"]).fails(0).stdout_is("box\n");
        }
        assert_eq!(listed(bed), "", "after {at}");
        wait_until(&format!("nothing is left after {at}"), || {
            processes(bed).is_empty()
        });
    }
    sweep(bed);
}

/// What `ps` says once nobody is at work any more.
fn settled(bed: &Bed, at: &str) -> String {
    let mut state = String::new();
    wait_until(&format!("the start killed at {at} is over"), || {
        state = listed(bed);
        match state.as_str() {
            // It is seen running before the last of its start is done, and killed.
            "box running" => bed.hull(&["exec", "box", "true"]).code == 0,
            "" | "box created" | "box exited" => processes(bed).is_empty() && listed(bed) == state,
            other => panic!("after {at}: {other}"),
        }
    });
    state
}

/// Processes of the bed, without tracers on their way out.
fn processes(bed: &Bed) -> Vec<String> {
    let found = busy_processes_of(&bed.dir)
        .into_iter()
        .map(|(_, what)| what);
    found.filter(|what| !what.contains("strace")).collect()
}

fn f5_a_killed_pull_changes_nothing_and_the_next_completes(bed: &Bed) {
    pulls_killed(bed, 1, if bed.who == Who::Root { 12 } else { 6 });
}

fn f5_three_pulls_killed_at_once(bed: &Bed) {
    pulls_killed(bed, 3, 3);
}

/// Kills `side_by_side` pulls of the same image, `rounds` times.
fn pulls_killed(bed: &Bed, side_by_side: usize, rounds: usize) {
    let Some(registry) = Registry::start(bed) else {
        return;
    };
    let mut seed = Seed::new();
    let name = registry.push(&checked_image("box", &mut seed, 4), "app:1");
    let pull = ["pull", "-q", &name];
    let logs: Vec<PathBuf> = (0..side_by_side)
        .map(|number| bed.dir.join(format!("trace-{number}")))
        .collect();
    let Some(untouched) = traced(bed, &["-e", CHANGES], &logs[0], &pull) else {
        return;
    };
    run(untouched, b"").ok();
    let points = points(&logs[0]);
    let images = || bed.hull(&["images", "--no-trunc"]).ok().to_owned();
    let pulled = images();
    bed.hull(&["rmi", &name]).ok();
    let before = images();
    for _ in 0..rounds {
        let mut at = Vec::new();
        let running: Vec<_> = logs
            .iter()
            .map(|log| {
                let (name, number) = &points[seed.below(points.len())];
                at.push(kill_at(name, *number));
                let options = ["-e", CHANGES, "-e", at.last().expect("was pushed")];
                let mut command = traced(bed, &options, log, &pull).expect("worked before");
                command.stdin(Stdio::null());
                start(command)
            })
            .collect();
        let done = running
            .into_iter()
            .filter(|_| true)
            .map(|one| one.finish().code);
        let any_done = done.collect::<Vec<_>>().contains(&0);
        verify(&bed.store());
        let now = images();
        // One that was killed after its last change has done it all.
        let whole = now.lines().count() == pulled.lines().count();
        assert!(now == before || whole, "after {at:?}:\n{now}");
        assert!(whole || !any_done, "reported done, and lost: {at:?}");
        bed.hull(&pull).ok();
        verify(&bed.store());
        let check = [&["run", "--rm", "--network", "none", &name][..], &CHECK].concat();
        bed.hull(&check).ok();
        bed.hull(&["rmi", &name]).ok();
    }
    sweep(bed);
}
