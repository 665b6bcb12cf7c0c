//! F56, F59: a removal that finds the root busy, and a start that fails at any of its steps.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::lost::nothing_runs;
use crate::bed::{Bed, Who, skip};
use crate::leaks::busy_processes_of;
use crate::process::wait_until;

each_who!(f59_a_start_that_fails_at_any_step_is_undone);
root_and_user!(
    f56_a_root_that_is_in_use_elsewhere_is_removed,
    f56_a_shell_and_mounts_in_the_files_of_a_container,
);

/// A process of the host that is ended with the test.
struct Squatter(Child);

impl Squatter {
    fn start(program: &str, words: &[&str]) -> Squatter {
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::inherit());
        let child = command.spawn().expect("starts");
        Squatter(child)
    }

    fn end(&mut self) {
        // It is our child and sleeps.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Squatter {
    fn drop(&mut self) {
        self.end();
    }
}

fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        skip("needs root to enter a mount namespace from outside");
    }
    is_root
}

/// A process outside the container has its mounts: they stay for as long as it lives.
fn f56_a_root_that_is_in_use_elsewhere_is_removed(bed: &Bed) {
    if !is_root() {
        return;
    }
    let id = bed.detached(
        &["--name", "box", "--tmpfs", "/t", "--tmpfs", "/t/deep"],
        &["sh", "-c", "echo x > /file; sleep 1000"],
    );
    let pid = bed.inspect("box", "{{.State.Pid}}");
    let user = ["--user", "--setuid", "0", "--setgid", "0"];
    let user = if bed.who == Who::Root { &[][..] } else { &user };
    let place = ["--target", &pid, "--mount"];
    let sleep = ["/bin/sleep", "1000"];
    let mut squatter = Squatter::start("nsenter", &[&place[..], user, &sleep].concat());
    let inside = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/mnt")).ok();
    let squatting = squatter.0.id().to_string();
    wait_until("it has the container's mounts", || {
        inside(&squatting) == inside(&pid)
            && fs::read_link(format!("/proc/{squatting}/exe"))
                .is_ok_and(|path| path.ends_with("busybox") || path.ends_with("sleep"))
    });
    bed.hull(&["rm", "-f", "box"]).fails(0).stdout_is("box\n");
    bed.hull(&["ps", "-aq"]).fails(0).stdout_is("");
    let mounts = fs::read_to_string(format!("/proc/{squatting}/mountinfo")).expect("lives");
    assert!(mounts.contains("/t/deep"), "it was in use all the time");
    assert!(!bed.store().join("containers").join(&id).exists());
    let same_name = ["run", "--rm", "--name", "box", "--network", "none"];
    bed.hull(&[&same_name[..], &["busybox:test", "true"]].concat())
        .ok();
    squatter.end();
    super::sweep(bed);
    nothing_runs(bed);
}

/// Somebody of the host looks at the files where they lie, and has mounted something there.
fn f56_a_shell_and_mounts_in_the_files_of_a_container(bed: &Bed) {
    if !is_root() {
        return;
    }
    let id = bed.detached(
        &["--name", "box"],
        &[
            "sh",
            "-c",
            "mkdir -p /a/b; echo x > /a/b/c; echo made; sleep 1000",
        ],
    );
    wait_until("it made its files", || {
        bed.hull(&["logs", "box"]).stdout == "made\n"
    });
    let files = bed.store().join("containers").join(&id).join("up/diff/a");
    let place = files.display();
    let script = format!("mount -t tmpfs none {place}/b && cd {place} && exec sleep 1000");
    let mut squatter = Squatter::start("unshare", &["--mount", "sh", "-c", &script]);
    let mounts = format!("/proc/{}/mountinfo", squatter.0.id());
    wait_until("it has mounted", || {
        let table = fs::read_to_string(&mounts).unwrap_or_default();
        table.contains(&format!("{place}/b"))
    });
    bed.hull(&["rm", "-f", "box"]).fails(0).stdout_is("box\n");
    bed.hull(&["ps", "-aq"]).fails(0).stdout_is("");
    assert!(!Path::new(&files).exists());
    squatter.end();
    super::sweep(bed);
    nothing_runs(bed);
}

/// How one start fails, and with what.
struct Failure {
    flags: Vec<String>,
    words: &'static [&'static str],
    code: i32,
    reason: &'static str,
}

fn failures(bed: &Bed) -> Vec<Failure> {
    let gone = bed.dir.join("work/gone").display().to_string();
    let profile = bed.dir.join("work/profile.json").display().to_string();
    let make = |flags: &[&str], words, code, reason| Failure {
        flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
        words,
        code,
        reason,
    };
    vec![
        make(&[], &["nosuch"], 127, "executable file not found"),
        make(&[], &["/no/such"], 127, "/no/such"),
        make(&[], &["/etc"], 126, "permission denied"),
        make(&["-w", "/etc/passwd"], &["true"], 125, "working directory"),
        make(&["-u", "nosuch"], &["true"], 125, "unable to find user"),
        make(&["--sysctl", "net.ipv4.no=1"], &["true"], 125, "sysctl"),
        make(&["-v", &format!("{gone}:/x")], &["true"], 125, "/x"),
        make(&["-v", "/etc/hosts:/bin"], &["true"], 125, "/bin"),
        make(
            &["--security-opt", &format!("seccomp={profile}")],
            &["true"],
            125,
            "seccomp",
        ),
    ]
}

fn f59_a_start_that_fails_at_any_step_is_undone(bed: &Bed) {
    for failure in failures(bed) {
        let gone = bed.dir.join("work/gone");
        fs::create_dir_all(&gone).expect("made");
        let profile = bed.file("profile.json", br#"{"defaultAction":"SCMP_ACT_ALLOW"}"#);
        let flags: Vec<&str> = failure.flags.iter().map(String::as_str).collect();
        let head = ["--name", "box", "--network", "none"];
        let tail = [&head[..], &flags, &["busybox:test"], failure.words].concat();
        bed.hull(&[&["create"], &tail[..]].concat()).ok();
        fs::remove_dir(&gone).expect("is empty");
        fs::write(&profile, "garbage").expect("written");
        let before = mounts();
        for _ in 0..2 {
            let ran = bed.hull(&["start", "box"]);
            ran.fails(1).stderr_has(failure.reason);
            let state = bed.hull(&[
                "inspect",
                "-f",
                "{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}",
                "box",
            ]);
            let (begin, code) = ("created ", format!("created {} ", failure.code));
            state.expect(state.stdout.starts_with(begin), "it never ran");
            state.expect(state.stdout.starts_with(&code), &code);
            state.stdout_has(failure.reason);
            undone(bed);
        }
        assert_eq!(mounts(), before);
        bed.hull(&["rm", "box"]).ok();
        // With --rm nothing at all is left, and the code is Docker's.
        let own = bed.dir.display().to_string();
        if !failure.flags.iter().any(|flag| flag.contains(&own)) {
            let ran = bed.hull(&[&["run", "--rm"], &tail[..]].concat());
            ran.fails(failure.code).stderr_has(failure.reason);
            undone(bed);
            bed.hull(&["ps", "-aq"]).fails(0).stdout_is("");
        }
    }
}

fn undone(bed: &Bed) {
    wait_until("no process is left", || {
        busy_processes_of(&bed.dir).is_empty()
    });
    nothing_runs(bed);
}

/// Mounts of this namespace, those of other tests aside.
fn mounts() -> usize {
    let table = fs::read_to_string("/proc/self/mountinfo").expect("mountinfo");
    table
        .lines()
        .filter(|line| line.contains("/run/c/"))
        .count()
}
