//! `hull oci`: runc's command line over bundles, by hand and below podman.

use std::fs;
use std::io::IoSliceMut;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, UnixAddr, recvmsg};
use rustix::process::{PidfdFlags, PidfdGetfdFlags};
use serde_json::{Value, json};

use crate::bed::{Bed, Who, binary, on_bed, skip};
use crate::process::{self, Ran, wait_until};

each_who!(
    a_bundle_of_runc_spec_runs,
    a_bundle_of_hull_spec_runs,
    the_lifecycle_has_runcs_states,
    a_terminal_goes_to_the_console_socket,
    errors_reach_the_log,
    a_signal_to_run_reaches_the_program,
    what_cannot_be_honoured_is_refused,
    f54_children_without_a_first_process_die_with_their_cgroup,
);

/// A directory with config.json and a root file system that holds busybox.
struct Bundle<'b> {
    bed: &'b Bed,
    directory: PathBuf,
}

impl<'b> Bundle<'b> {
    /// With the config.json that `spec` writes into its current directory.
    fn new(bed: &'b Bed, spec: impl FnOnce(&Path) -> Ran) -> Bundle<'b> {
        let directory = bed.dir.join("work/bundle");
        let bin = directory.join("rootfs/bin");
        fs::create_dir_all(&bin).expect("bundle");
        fs::copy("/bin/busybox", bin.join("busybox")).expect("busybox");
        for name in ["sh", "cat", "ls", "sleep", "test", "tty", "touch", "trap"] {
            symlink("busybox", bin.join(name)).expect("link");
        }
        for name in ["proc", "sys", "dev", "tmp"] {
            fs::create_dir(directory.join("rootfs").join(name)).expect("mount point");
        }
        for path in ["", "rootfs", "rootfs/dev", "rootfs/proc", "rootfs/sys"] {
            bed.give(&directory.join(path));
        }
        spec(&directory).ok();
        let bundle = Bundle { bed, directory };
        bundle.edit(|config| config["process"]["terminal"] = json!(false));
        bundle
    }

    fn by_hull(bed: &'b Bed) -> Bundle<'b> {
        Bundle::new(bed, |directory| {
            let mut words = vec!["oci", "spec", "--bundle"];
            let directory = directory.to_string_lossy();
            words.push(&directory);
            words.extend((bed.who != Who::Root).then_some("--rootless"));
            bed.hull(&words)
        })
    }

    fn edit(&self, change: impl FnOnce(&mut Value)) {
        let path = self.directory.join("config.json");
        let text = fs::read(&path).expect("config.json");
        let mut config: Value = serde_json::from_slice(&text).expect("is JSON");
        change(&mut config);
        fs::write(&path, config.to_string()).expect("config.json");
    }

    fn program(&self, words: &[&str]) {
        self.edit(|config| config["process"]["args"] = json!(words));
    }

    /// `hull oci words…`, in the bundle.
    fn command(&self, words: &[&str]) -> std::process::Command {
        let mut command = self.bed.hull_command(&[&["oci"], words].concat());
        command.current_dir(&self.directory);
        command
    }

    #[track_caller]
    fn oci(&self, words: &[&str]) -> Ran {
        process::run(self.command(words), b"")
    }

    #[track_caller]
    fn state(&self, id: &str) -> Value {
        serde_json::from_str(self.oci(&["state", id]).ok()).expect("state is JSON")
    }
}

fn a_bundle_of_runc_spec_runs(bed: &Bed) {
    let runc = Path::new("/usr/sbin/runc");
    if !runc.exists() {
        return skip("no runc");
    }
    let bundle = Bundle::new(bed, |directory| {
        let mut command = bed.command(runc);
        command.arg("spec").current_dir(directory);
        command.args((bed.who != Who::Root).then_some("--rootless"));
        process::run(command, b"")
    });
    check_first_run(&bundle);
}

fn a_bundle_of_hull_spec_runs(bed: &Bed) {
    let bundle = Bundle::by_hull(bed);
    check_first_run(&bundle);
    let again = bundle.oci(&["spec"]);
    again.fails(1).stderr_has("config.json").one_error_line();
}

#[track_caller]
fn check_first_run(bundle: &Bundle<'_>) {
    let script = "echo out; echo err >&2; cat; echo x >/dev/null; test -c /dev/urandom; exit 7";
    bundle.program(&["sh", "-c", script]);
    let ran = process::run(bundle.command(&["run", "first"]), b"in\n");
    ran.fails(7).stdout_is("out\nin\n");
    ran.expect(ran.stderr == "err\n", "stderr is err");
    bundle.oci(&["list", "--quiet"]).fails(0).stdout_is("");
}

fn the_lifecycle_has_runcs_states(bed: &Bed) {
    let bundle = Bundle::by_hull(bed);
    bundle.program(&["sleep", "1000"]);
    // A pipe that the container keeps would keep this test waiting.
    let create = bundle.command(&["create", "--pid-file", "pid", "one"]);
    quiet(create);
    let state = bundle.state("one");
    assert_eq!(state["status"], "created", "{state}");
    let pid = fs::read_to_string(bundle.directory.join("pid")).expect("pid file");
    assert_eq!(state["pid"].to_string(), pid, "{state}");
    assert_eq!(state["bundle"], json!(bundle.directory), "{state}");
    bundle.oci(&["create", "one"]).fails(1).stderr_has("exists");
    bundle.oci(&["start", "one"]).ok();
    assert_eq!(bundle.state("one")["status"], "running");
    bundle.oci(&["start", "one"]).fails(1).one_error_line();
    bundle
        .oci(&["delete", "one"])
        .fails(1)
        .stderr_has("--force");
    bundle
        .oci(&["list"])
        .stdout_has("one")
        .stdout_has("running");
    bundle.oci(&["kill", "one", "KILL"]).ok();
    wait_until("the container stops", || {
        bundle.state("one")["status"] == "stopped"
    });
    bundle
        .oci(&["kill", "one"])
        .fails(1)
        .stderr_has("not running");
    bundle.oci(&["delete", "one"]).ok();
    bundle
        .oci(&["state", "one"])
        .fails(1)
        .stderr_has("does not exist");
    bundle.oci(&["delete", "one"]).fails(1);
    bundle.oci(&["delete", "--force", "one"]).ok();
}

/// Runs a command that must succeed and whose container may keep its output open.
#[track_caller]
fn quiet(mut command: std::process::Command) {
    use std::process::Stdio;
    command.stdin(Stdio::null());
    let status = command.stdout(Stdio::null()).status().expect("starts");
    assert!(
        status.success(),
        "{}: {status}",
        process::words_of(&command)
    );
}

fn f54_children_without_a_first_process_die_with_their_cgroup(bed: &Bed) {
    if bed.who != Who::Root {
        return skip("this user may write no cgroup here");
    }
    let bundle = Bundle::by_hull(bed);
    // In the host's PID namespace nothing ends with the first process.
    bundle.edit(|config| {
        let namespaces = config["linux"]["namespaces"].as_array_mut();
        let namespaces = namespaces.expect("has namespaces");
        namespaces.retain(|namespace| namespace["type"] != "pid");
    });
    let script = "sleep 1000 & echo $! > /tmp/a; sh -c 'sleep 1000 & echo $! > /tmp/b'; exit 0";
    bundle.program(&["sh", "-c", script]);
    bundle.edit(|config| config["root"]["readonly"] = json!(false));
    quiet(bundle.command(&["create", "left"]));
    bundle.oci(&["start", "left"]).ok();
    wait_until("the first process ends", || {
        bundle.state("left")["status"] == "stopped"
    });
    let alive = |name: &str| {
        let file = bundle.directory.join("rootfs/tmp").join(name);
        let pid = fs::read_to_string(file).expect("its id");
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    };
    assert!(alive("a") && alive("b"), "they outlive the first process");
    bundle.oci(&["delete", "left"]).ok();
    wait_until("they are dead", || !alive("a") && !alive("b"));
}

fn a_terminal_goes_to_the_console_socket(bed: &Bed) {
    let bundle = Bundle::by_hull(bed);
    bundle.program(&["sh", "-c", "tty; read line; echo got $line"]);
    bundle.edit(|config| config["process"]["terminal"] = json!(true));
    bundle
        .oci(&["create", "two"])
        .fails(1)
        .stderr_has("console socket");
    let path = bundle.directory.join("s");
    let listener = UnixListener::bind(&path).expect("socket");
    bed.give(&path);
    bundle.oci(&["create", "--console-socket", "s", "two"]).ok();
    let (socket, _) = listener.accept().expect("hull connects");
    let mut bytes = [0; 64];
    let mut buffers = [IoSliceMut::new(&mut bytes)];
    let mut space = nix::cmsg_space!([i32; 1]);
    let message = recvmsg::<UnixAddr>(
        socket.as_raw_fd(),
        &mut buffers,
        Some(&mut space),
        MsgFlags::MSG_CMSG_CLOEXEC,
    );
    let message = message.expect("a message");
    let mut controls = message.cmsgs().expect("control data");
    let Some(ControlMessageOwned::ScmRights(descriptors)) = controls.next() else {
        panic!("no descriptor in the message");
    };
    let state = bundle.state("two");
    assert_eq!(state["status"], "created", "{state}");
    bundle.oci(&["start", "two"]).ok();
    let said = converse(descriptors[0], "hello\n", "got hello");
    // The terminal may echo what is typed before the program says anything.
    assert!(said.contains("/dev/pts/0\r\n"), "{said:?}");
    nix::unistd::close(descriptors[0]).expect("was open");
    bundle.oci(&["delete", "--force", "two"]).ok();
}

/// Writes `text` to a terminal and reads until it said `awaited`.
fn converse(terminal: i32, text: &str, awaited: &str) -> String {
    // Borrowed by number through this process's own descriptor table, which needs no unsafe code.
    let own = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty());
    let file = rustix::process::pidfd_getfd(
        own.expect("this process lives"),
        terminal,
        PidfdGetfdFlags::empty(),
    );
    let file = file.expect("a copy of the descriptor");
    rustix::io::write(&file, text.as_bytes()).expect("written");
    let mut said = Vec::new();
    let mut bytes = [0; 256];
    while let Ok(count @ 1..) = rustix::io::read(&file, &mut bytes) {
        said.extend_from_slice(&bytes[..count]);
        if String::from_utf8_lossy(&said).contains(awaited) {
            break;
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

fn errors_reach_the_log(bed: &Bed) {
    let bundle = Bundle::by_hull(bed);
    bundle.program(&["nope"]);
    // As conmon calls it: global flags before the verb.
    let words = ["--log-format=json", "--log=log", "create", "three"];
    let message = "exec: \"nope\": executable file not found in $PATH";
    bundle.oci(&words).fails(1).stderr_has(message);
    let log = fs::read_to_string(bundle.directory.join("log")).expect("log");
    let line: Value = serde_json::from_str(&log).expect("one line of JSON");
    assert_eq!(line["level"], "error", "{line}");
    assert!(
        line["msg"]
            .to_string()
            .contains("executable file not found"),
        "{line}"
    );
    bundle.oci(&["state", "three"]).fails(1);
}

fn a_signal_to_run_reaches_the_program(bed: &Bed) {
    let bundle = Bundle::by_hull(bed);
    let script =
        "trap 'echo caught; exit 9' TERM; echo ready >/tmp/ready; while :; do sleep 0.1; done";
    bundle.program(&["sh", "-c", script]);
    bundle.edit(|config| {
        config["root"]["readonly"] = json!(false);
        let mounts = config["mounts"].as_array_mut().expect("mounts");
        let tmp = bundle.directory.join("tmp");
        fs::create_dir(&tmp).expect("tmp");
        bed.give(&tmp);
        mounts.push(json!({
            "destination": "/tmp", "type": "bind", "source": tmp, "options": ["bind"],
        }));
    });
    let mut command = bundle.command(&["run", "four"]);
    command.stdin(std::process::Stdio::null());
    let running = process::start(command);
    let ready = bundle.directory.join("tmp/ready");
    wait_until("the program runs", || ready.exists());
    running.signal(Signal::SIGTERM);
    running.finish().fails(9).stdout_is("caught\n");
    bundle.oci(&["list", "-q"]).stdout_is("");
}

fn what_cannot_be_honoured_is_refused(bed: &Bed) {
    let bundle = Bundle::by_hull(bed);
    for (flag, word) in [
        ("--no-pivot", "no-pivot"),
        ("--preserve-fds=3", "preserve-fds"),
    ] {
        bundle
            .oci(&["run", flag, "five"])
            .fails(1)
            .stderr_has(word)
            .one_error_line();
    }
    for id in ["..", "a/b", "", "a b"] {
        bundle.oci(&["run", id]).fails(1).stderr_has("invalid");
    }
    bundle.edit(|config| config["hooks"] = json!({"poststop": [{"path": "/bin/true"}]}));
    bundle
        .oci(&["run", "five"])
        .fails(1)
        .stderr_has("hooks")
        .one_error_line();
}

/// Names below /sys/fs/cgroup that are version 1 hierarchies on this host.
fn version_1_hierarchies() -> Vec<String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("mountinfo");
    let of_version_1 = mounts.lines().filter(|line| line.contains(" - cgroup "));
    let points = of_version_1.filter_map(|line| line.split(' ').nth(4));
    let mut names: Vec<String> = points
        .filter_map(|point| point.strip_prefix("/sys/fs/cgroup/"))
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

#[test]
fn version_1_hierarchies_show_the_containers_own_cgroup() {
    on_bed(Who::Root, |bed| {
        let expected = version_1_hierarchies();
        if !expected.iter().any(|name| name == "pids") {
            return skip("no cgroup version 1 hierarchy pids on this host");
        }
        let script = "ls /sys/fs/cgroup; cat /sys/fs/cgroup/pids/cgroup.procs; \
            touch /sys/fs/cgroup/x /sys/fs/cgroup/pids/x 2>/dev/null || echo read-only";
        let bundle = Bundle::by_hull(bed);
        bundle.program(&["sh", "-c", script]);
        let with_namespace = bed.inside(&[], &["sh", "-c", script]);
        let without = bundle.oci(&["run", "six"]).ok().to_owned();
        for output in [with_namespace, without] {
            let lines: Vec<&str> = output.lines().collect();
            let (names, rest) = lines.split_at(expected.len().min(lines.len()));
            assert_eq!(names, expected, "{output}");
            // sh, and cat when it does not replace sh; a process of the host would be 0.
            assert!(rest.contains(&"1") && !rest.contains(&"0"), "{output}");
            assert_eq!(rest.last(), Some(&"read-only"), "{output}");
        }
    });
}

#[test]
fn podman_runs_containers_with_it() {
    on_bed(Who::Root, |bed| {
        let podman = Path::new("/usr/bin/podman");
        if !podman.exists() {
            return skip("no podman");
        }
        let engine = bed.dir.join("podman");
        let runtime = bed.dir.join("hull-runc");
        symlink(binary(), &runtime).expect("link");
        // Its defaults name limits that this process may not be able to raise to.
        let limits = "[containers]\ndefault_ulimits = [\"nofile=1024:1024\"]\n\
            [engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"none\"\n";
        let limits = bed.file("containers.conf", limits.as_bytes());
        let archive = crate::images::Image::busybox("busybox:test").docker_archive();
        let archive = bed.file("podman.tar", &archive);
        let podman = |words: &[&str]| {
            let mut command = bed.command(podman);
            command.env("CONTAINERS_CONF", &limits);
            for (flag, name) in [
                ("--root", "root"),
                ("--runroot", "run"),
                ("--tmpdir", "tmp"),
            ] {
                command.arg(flag).arg(engine.join(name));
            }
            command.args(["--storage-driver", "vfs", "--runtime"]);
            command.arg(&runtime).args(words);
            process::run(command, b"")
        };
        podman(&["load", "-q", "-i", &archive.to_string_lossy()]).ok();
        for network in ["none", "host"] {
            let run = ["run", "--rm", "--network", network, "busybox:test"];
            let ran = podman(&[&run[..], &["sh", "-c", "echo hi; exit 3"]].concat());
            ran.fails(3).stdout_is("hi\n");
        }
        let run = ["run", "--rm", "--network", "none"];
        let missing = podman(&[&run[..], &["busybox:test", "nope"]].concat());
        missing.fails(127).stderr_has("executable file not found");
        let mapped = ["--uidmap", "0:100000:1000", "busybox:test", "id", "-u"];
        podman(&[&run[..], &mapped].concat())
            .fails(0)
            .stdout_is("0\n");
        let id = podman(&[
            "run",
            "-d",
            "--network",
            "none",
            "busybox:test",
            "sleep",
            "1000",
        ]);
        let id = id.ok();
        podman(&["stop", "-t", "0", id]).ok();
        podman(&["rm", id]).ok();
        // Directories that it made may be mount points of its own.
        podman(&["unmount", "--all"]).ok();
    });
}
