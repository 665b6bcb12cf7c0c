//! Flags of `run`, each seen from inside the container.

mod engine;
mod names;
mod refusals;
mod shared;

use crate::bed::{Bed, Who};

each_who!(
    environment_comes_from_flags_files_and_the_host,
    workdir_is_made_and_entered,
    user_names_come_from_the_image,
    entrypoint_replaces_and_clears_the_command,
    a_bind_mount_shows_the_host_directory,
    a_read_only_bind_mount_refuses_writes,
    a_missing_bind_source_is_an_error_with_mount,
    read_only_root_refuses_writes,
    tmpfs_is_mounted_with_its_options,
    capabilities_are_dockers_and_can_be_changed,
    no_new_privileges_is_set_on_request,
    init_is_the_first_process_and_reaps,
    ulimits_are_set,
    shm_has_its_size,
    hostname_is_set,
    labels_come_from_flags_and_files,
    conflicting_options_are_refused,
    the_container_sees_its_own_processes_only,
    no_descriptor_but_the_three_reaches_the_program,
);

fn environment_comes_from_flags_files_and_the_host(bed: &Bed) {
    let file = bed.file(
        "env",
        b"# comment\nFROM_FILE=\"q\"\n  INDENTED=x \nBOTH=file\nHOME_COPY\n",
    );
    let file = file.to_str().expect("is text");
    let flags = [
        "run",
        "--rm",
        "--network",
        "none",
        "--env-file",
        file,
        "-e",
        "BOTH=flag",
    ];
    let more = [
        "-e",
        "COPIED",
        "-e",
        "UNSET_HERE",
        "-e",
        "EMPTY=",
        "busybox:test",
        "env",
    ];
    let mut command = bed.hull_command(&[&flags[..], &more[..]].concat());
    command.env("COPIED", "from host");
    let ran = crate::process::run(command, b"");
    let env = format!("\n{}\n", ran.ok());
    for line in [
        "FROM_FILE=\"q\"",
        "INDENTED=x ",
        "BOTH=flag",
        "COPIED=from host",
        "EMPTY=",
    ] {
        ran.expect(env.contains(&format!("\n{line}\n")), line);
    }
    ran.expect(
        !env.contains("UNSET_HERE") && !env.contains("HOME_COPY"),
        "no unset names",
    );
    ran.expect(
        env.contains("\nHOME=/root\n") && env.contains("\nHOSTNAME="),
        "HOME and HOSTNAME",
    );
    let bad = bed.file("bad", b"bad key=1\n");
    bed.run_rm(&["--env-file", bad.to_str().expect("is text")], &["true"])
        .fails(125);
}

fn workdir_is_made_and_entered(bed: &Bed) {
    assert_eq!(
        bed.inside(&["-w", "/not/yet/there"], &["pwd"]),
        "/not/yet/there"
    );
    assert_eq!(bed.inside(&[], &["pwd"]), "/");
}

fn user_names_come_from_the_image(bed: &Bed) {
    let ids = ["sh", "-c", "id -u; id -g; echo $HOME"];
    assert_eq!(bed.inside(&[], &ids), "0\n0\n/root");
    bed.run_rm(&["-u", "nobody-here"], &["true"])
        .fails(125)
        .stderr_has("unable to find user nobody-here: no matching entries in passwd file");
    if bed.who == Who::NoSubids {
        // Only one id exists there: every other user must be refused, not replaced.
        bed.run_rm(&["-u", "guest"], &["true"]).fails(125);
        return;
    }
    assert_eq!(
        bed.inside(&["-u", "guest"], &ids),
        "1000\n1000\n/home/guest"
    );
    assert_eq!(bed.inside(&["-u", "1234"], &ids), "1234\n0\n/");
    assert_eq!(
        bed.inside(&["-u", "guest:staff"], &ids),
        "1000\n50\n/home/guest"
    );
    assert_eq!(bed.inside(&["-u", "guest"], &["id", "-G"]), "1000 50");
}

fn entrypoint_replaces_and_clears_the_command(bed: &Bed) {
    assert_eq!(bed.inside(&["--entrypoint", "echo"], &["a", "b"]), "a b");
    assert_eq!(bed.inside(&["--entrypoint", "pwd"], &[]), "/");
    let none = bed.run_rm(&["--entrypoint", ""], &[]);
    none.expect(
        none.code == 0 || none.code == 125,
        "the image's command, or none",
    );
}

fn a_bind_mount_shows_the_host_directory(bed: &Bed) {
    let file = bed.file("seen", b"from the host\n");
    let volume = format!("{}:/data", file.parent().expect("has one").display());
    assert_eq!(
        bed.inside(&["-v", &volume], &["cat", "/data/seen"]),
        "from the host"
    );
    bed.inside(&["-v", &volume], &["sh", "-c", "echo back > /data/written"]);
    let written = bed.dir.join("work/written");
    assert_eq!(
        std::fs::read_to_string(written).expect("was written"),
        "back\n"
    );
}

fn a_read_only_bind_mount_refuses_writes(bed: &Bed) {
    let file = bed.file("seen", b"x\n");
    let dir = file.parent().expect("has one").display().to_string();
    for flags in [
        ["-v".to_owned(), format!("{dir}:/data:ro")],
        [
            "--mount".to_owned(),
            format!("type=bind,source={dir},target=/data,readonly"),
        ],
    ] {
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let ran = bed.run_rm(&flags, &["sh", "-c", "echo x > /data/new"]);
        ran.fails(1).stderr_has("Read-only file system");
        bed.inside(&flags, &["cat", "/data/seen"]);
    }
    assert!(!bed.dir.join("work/new").exists());
}

fn a_missing_bind_source_is_an_error_with_mount(bed: &Bed) {
    let missing = bed.dir.join("work/missing").display().to_string();
    let mount = format!("type=bind,src={missing},dst=/data");
    bed.run_rm(&["--mount", &mount], &["true"])
        .fails(125)
        .stderr_has("bind source path does not exist");
    bed.inside(&["-v", &format!("{missing}:/data")], &["ls", "/data"]);
    assert!(
        bed.dir.join("work/missing").is_dir(),
        "-v makes the directory, as Docker does"
    );
}

fn read_only_root_refuses_writes(bed: &Bed) {
    let ran = bed.run_rm(&["--read-only"], &["touch", "/file"]);
    ran.fails(1).stderr_has("Read-only file system");
    bed.inside(&["--read-only", "--tmpfs", "/tmp"], &["touch", "/tmp/file"]);
    bed.inside(&[], &["touch", "/file"]);
}

fn tmpfs_is_mounted_with_its_options(bed: &Bed) {
    let mounts = bed.inside(
        &["--tmpfs", "/scratch:size=1m,mode=700"],
        &["cat", "/proc/mounts"],
    );
    let line = mounts.lines().find(|line| line.contains(" /scratch "));
    let line = line.unwrap_or_else(|| panic!("no /scratch in\n{mounts}"));
    assert!(
        line.contains(" tmpfs ") && line.contains("size=1024k"),
        "{line}"
    );
    assert!(
        line.contains("nosuid") && line.contains("nodev") && line.contains("noexec"),
        "{line}"
    );
}

/// The bounding set, as a number.
fn bounding(bed: &Bed, flags: &[&str]) -> u64 {
    let status = bed.inside(flags, &["grep", "CapBnd", "/proc/self/status"]);
    let hex = status.split_whitespace().next_back().expect("a number");
    u64::from_str_radix(hex, 16).expect("is hex")
}

fn capabilities_are_dockers_and_can_be_changed(bed: &Bed) {
    const CHOWN: u64 = 1;
    const NET_ADMIN: u64 = 1 << 12;
    const SYS_ADMIN: u64 = 1 << 21;
    let default = bounding(bed, &[]);
    assert_eq!(
        default & !0xa804_25fb,
        0,
        "no more than Docker's default: {default:x}"
    );
    assert_eq!(default & (NET_ADMIN | SYS_ADMIN), 0);
    assert_eq!(bounding(bed, &["--cap-drop", "ALL"]), 0);
    assert_eq!(
        bounding(bed, &["--cap-drop", "all", "--cap-add", "cap_chown"]),
        CHOWN
    );
    assert_eq!(
        bounding(bed, &["--cap-add", "NET_ADMIN"]),
        default | NET_ADMIN
    );
    assert_eq!(bounding(bed, &["--cap-drop", "CHOWN"]), default & !CHOWN);
    bed.run_rm(&["--cap-add", "NOT_ONE"], &["true"])
        .fails(125)
        .stderr_has("NOT_ONE");
}

fn no_new_privileges_is_set_on_request(bed: &Bed) {
    let flags = ["--security-opt", "no-new-privileges"];
    let set = bed.inside(&flags, &["grep", "NoNewPrivs", "/proc/self/status"]);
    assert!(set.ends_with('1'), "{set}");
    let seccomp = bed.inside(&[], &["grep", "Seccomp:", "/proc/self/status"]);
    assert!(seccomp.ends_with('2'), "a filter by default: {seccomp}");
}

fn init_is_the_first_process_and_reaps(bed: &Bed) {
    let own = bed.inside(&["--init"], &["sh", "-c", "echo $$"]);
    assert_ne!(own, "1");
    assert_eq!(bed.inside(&[], &["sh", "-c", "echo $$"]), "1");
    let orphans = "for i in 1 2 3; do (sleep 0.1 &) ; done; sleep 0.5; ps -o stat | grep -c Z";
    assert_eq!(
        bed.run_rm(&["--init"], &["sh", "-c", orphans]).stdout,
        "0\n"
    );
}

fn ulimits_are_set(bed: &Bed) {
    let flags = ["--ulimit", "nofile=100:200", "--ulimit", "core=0"];
    let words = ["sh", "-c", "ulimit -n; ulimit -Hn; ulimit -c"];
    assert_eq!(bed.inside(&flags, &words), "100\n200\n0");
    bed.run_rm(&["--ulimit", "nofile=200:100"], &["true"])
        .fails(125);
}

fn shm_has_its_size(bed: &Bed) {
    let size = |flags: &[&str]| bed.inside(flags, &["sh", "-c", "df -k /dev/shm | tail -n 1"]);
    let default = size(&[]);
    assert!(default.contains(" 65536 "), "{default}");
    let small = size(&["--shm-size", "1m"]);
    assert!(small.contains(" 1024 "), "{small}");
}

fn hostname_is_set(bed: &Bed) {
    assert_eq!(bed.inside(&["--hostname", "box"], &["hostname"]), "box");
    assert_eq!(bed.inside(&["-h", "box"], &["cat", "/etc/hostname"]), "box");
    let id = bed.detached(&[], &["sleep", "1000"]);
    bed.hull(&["exec", &id, "hostname"])
        .fails(0)
        .stdout_is(&format!("{}\n", &id[..12]));
}

fn labels_come_from_flags_and_files(bed: &Bed) {
    let file = bed.file("labels", b"# comment\nfrom=file\n");
    let file = file.to_str().expect("is text");
    let words = [
        "create",
        "--name",
        "ctr",
        "-l",
        "a=b=c",
        "-l",
        "bare",
        "--label-file",
        file,
        "busybox:test",
    ];
    bed.hull(&words).ok();
    let labels = bed.inspect("ctr", "{{json .Config.Labels}}");
    let labels: serde_json::Value = serde_json::from_str(&labels).expect("is JSON");
    assert_eq!(
        labels,
        serde_json::json!({"a": "b=c", "from": "file", "bare": ""})
    );
    let found = bed.hull(&["ps", "-aq", "-f", "label=from=file"]);
    assert_eq!(found.ok().lines().count(), 1);
    bed.hull(&["ps", "-aq", "-f", "label=from=else"])
        .fails(0)
        .stdout_is("");
}

fn conflicting_options_are_refused(bed: &Bed) {
    bed.run_rm(&["-v", "rel/path:/x"], &["true"])
        .fails(125)
        .stderr_has("includes invalid characters for a local volume name");
    bed.run_rm(&["-m", "1m"], &["true"]).fails(125);
    bed.run_rm(&["--pull", "bogus"], &["true"])
        .fails(125)
        .stderr_has("invalid pull option");
}

fn the_container_sees_its_own_processes_only(bed: &Bed) {
    let pids = bed.inside(&[], &["sh", "-c", "ls /proc | grep -c '^[0-9]'"]);
    let count: u32 = pids.parse().expect("is a number");
    assert!(count <= 4, "{count} processes");
    let links = bed.inside(&[], &["sh", "-c", "ip link show | grep -c '^[0-9]'"]);
    assert_eq!(links, "1", "--network none has the loopback interface only");
}

fn no_descriptor_but_the_three_reaches_the_program(bed: &Bed) {
    // ls(1) itself has the directory open.
    let list = bed.inside(&[], &["ls", "/proc/self/fd"]);
    assert_eq!(
        list.split_whitespace().collect::<Vec<_>>(),
        ["0", "1", "2", "3"]
    );
    bed.detached(&["--name", "ctr"], &["sleep", "1000"]);
    let list = bed.hull(&["exec", "ctr", "ls", "/proc/self/fd"]);
    assert_eq!(
        list.ok().split_whitespace().collect::<Vec<_>>(),
        ["0", "1", "2", "3"]
    );
}
