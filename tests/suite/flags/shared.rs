//! Namespaces and mounts that a container shares with the host or with another container.

use crate::bed::{Bed, Who};

root_and_user!(
    a_network_is_shared_with_its_names,
    processes_are_shared_and_seen,
    the_hosts_processes_are_seen,
    shared_memory_needs_a_shareable_donor,
    ipc_is_the_hosts_or_without_shared_memory,
    the_host_name_is_shared,
    a_host_network_leaves_the_host_name_alone,
    mounts_of_another_container_are_taken_over,
    what_another_container_must_give_is_checked,
    conflicting_modes_have_dockers_messages,
    exec_enters_shared_namespaces,
    devices_are_there,
    masks_change_on_request,
);

fn namespace(bed: &Bed, container: &str, name: &str) -> String {
    let file = format!("/proc/self/ns/{name}");
    let ran = bed.hull(&["exec", container, "readlink", &file]);
    ran.ok().to_owned()
}

fn of_host(name: &str) -> String {
    let link = std::fs::read_link(format!("/proc/self/ns/{name}")).expect("a namespace");
    link.to_string_lossy().into_owned()
}

fn donor(bed: &Bed) {
    let flags = ["--name", "donor", "--ipc", "shareable", "-h", "giver"];
    bed.detached(&flags, &["sleep", "1000"]);
}

/// `run --rm flags… busybox:test words…`, without the network that a bed gives.
fn joined(bed: &Bed, flags: &[&str], words: &[&str]) -> crate::process::Ran {
    bed.hull(&[&["run", "--rm"], flags, &["busybox:test"], words].concat())
}

fn a_network_is_shared_with_its_names(bed: &Bed) {
    donor(bed);
    let words = [
        "sh",
        "-c",
        "readlink /proc/self/ns/net; hostname; cat /etc/hostname",
    ];
    let ran = joined(bed, &["--network", "container:donor"], &words);
    let expected = format!("{}\ngiver\ngiver\n", namespace(bed, "donor", "net"));
    ran.fails(0).stdout_is(&expected);
    assert_ne!(namespace(bed, "donor", "net"), of_host("net"));
    let other = bed.inside(&[], &["readlink", "/proc/self/ns/net"]);
    assert_ne!(other, namespace(bed, "donor", "net"));
}

fn processes_are_shared_and_seen(bed: &Bed) {
    donor(bed);
    let shown = bed.inside(&["--pid", "container:donor"], &["ps", "-o", "args"]);
    assert!(shown.contains("sleep 1000"), "{shown}");
    let own = bed.inside(&[], &["ps", "-o", "args"]);
    assert!(!own.contains("sleep 1000"), "{own}");
    // The launcher is back in its own namespace: others start as before.
    assert_eq!(bed.inside(&[], &["sh", "-c", "echo $$"]), "1");
}

fn the_hosts_processes_are_seen(bed: &Bed) {
    let flags = ["--pid", "host"];
    let link = bed.inside(&flags, &["readlink", "/proc/self/ns/pid"]);
    assert_eq!(link, of_host("pid"));
    let me = format!("/proc/{}", std::process::id());
    bed.inside(&flags, &["ls", "-d", &me]);
    // What is written through procfs at the start is still written.
    let words = ["cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"];
    assert_eq!(bed.inside(&flags, &words), "0");
    let masked = bed.inside(&flags, &["sh", "-c", "cat /proc/keys | wc -c"]);
    assert_eq!(masked, "0");
}

fn shared_memory_needs_a_shareable_donor(bed: &Bed) {
    donor(bed);
    bed.hull(&["exec", "donor", "sh", "-c", "echo shared > /dev/shm/file"])
        .ok();
    let flags = ["--ipc", "container:donor"];
    assert_eq!(bed.inside(&flags, &["cat", "/dev/shm/file"]), "shared");
    let link = bed.inside(&flags, &["readlink", "/proc/self/ns/ipc"]);
    assert_eq!(link, namespace(bed, "donor", "ipc"));
    bed.detached(&["--name", "private"], &["sleep", "1000"]);
    bed.run_rm(&["--ipc", "container:private"], &["true"])
        .fails(125)
        .stderr_has("non-shareable IPC");
}

fn ipc_is_the_hosts_or_without_shared_memory(bed: &Bed) {
    let words = ["readlink", "/proc/self/ns/ipc"];
    assert_eq!(bed.inside(&["--ipc", "host"], &words), of_host("ipc"));
    assert_ne!(bed.inside(&[], &words), of_host("ipc"));
    let mounts = ["sh", "-c", "grep -c ' /dev/shm ' /proc/mounts || true"];
    assert_eq!(bed.inside(&["--ipc", "none"], &mounts), "0");
    assert_eq!(bed.inside(&["--ipc", "private"], &mounts), "1");
}

fn the_host_name_is_shared(bed: &Bed) {
    donor(bed);
    let words = ["readlink", "/proc/self/ns/uts"];
    assert_eq!(bed.inside(&["--uts", "host"], &words), of_host("uts"));
    let flags = ["--uts", "container:donor"];
    assert_eq!(bed.inside(&flags, &words), namespace(bed, "donor", "uts"));
    assert_eq!(bed.inside(&flags, &["hostname"]), "giver");
}

fn a_host_network_leaves_the_host_name_alone(bed: &Bed) {
    let before = rustix::system::uname().nodename().to_owned();
    let ran = joined(bed, &["--network", "host", "-h", "box"], &["hostname"]);
    ran.fails(0).stdout_is("box\n");
    let plain = joined(bed, &["--network", "host"], &["hostname"]);
    assert_eq!(plain.ok(), before.to_string_lossy());
    assert_eq!(rustix::system::uname().nodename(), before.as_c_str());
}

fn mounts_of_another_container_are_taken_over(bed: &Bed) {
    let file = bed.file("seen", b"bound\n");
    let dir = file.parent().expect("has one").display().to_string();
    let flags = [
        "create",
        "--name",
        "donor",
        "-v",
        &format!("{dir}:/data"),
        "busybox:test",
    ];
    bed.hull(&flags).ok();
    assert_eq!(
        bed.inside(&["--volumes-from", "donor"], &["cat", "/data/seen"]),
        "bound"
    );
    bed.run_rm(&["--volumes-from", "donor:ro"], &["touch", "/data/new"])
        .fails(1)
        .stderr_has("Read-only file system");
    bed.inside(&["--volumes-from", "donor"], &["touch", "/data/new"]);
    bed.run_rm(&["--volumes-from", "donor:bad"], &["true"])
        .fails(125)
        .stderr_has("invalid mode: bad");
}

fn what_another_container_must_give_is_checked(bed: &Bed) {
    bed.hull(&[
        "create",
        "--name",
        "still",
        "--ipc",
        "shareable",
        "busybox:test",
    ])
    .ok();
    for (flags, what) in [
        (["--network", "container:still"], "network"),
        (["--pid", "container:still"], "PID"),
        (["--ipc", "container:still"], "IPC"),
        (["--uts", "container:still"], "UTS"),
    ] {
        let text = format!("cannot join {what} of a non running container: ");
        joined(bed, &flags, &["true"]).fails(125).stderr_has(&text);
    }
    for flags in [["--network", "container:nope"], ["--pid", "container:nope"]] {
        joined(bed, &flags, &["true"])
            .fails(125)
            .stderr_has("No such container: nope");
    }
}

fn conflicting_modes_have_dockers_messages(bed: &Bed) {
    donor(bed);
    let shared = ["--network", "container:donor"];
    let table: &[(&[&str], &str)] = &[
        (
            &["-h", "x"],
            "conflicting options: hostname and the network mode",
        ),
        (
            &["--dns", "1.1.1.1"],
            "conflicting options: dns and the network mode",
        ),
        (
            &["--add-host", "a:1.1.1.1"],
            "conflicting options: custom host-to-IP mapping and the network mode",
        ),
        (
            &["-p", "80:80"],
            "conflicting options: port publishing and the container type network mode",
        ),
        (
            &["--expose", "80"],
            "conflicting options: port exposing and the container type network mode",
        ),
    ];
    for (flags, text) in table {
        let flags = [&shared, *flags].concat();
        joined(bed, &flags, &["true"]).fails(125).stderr_has(text);
    }
    bed.run_rm(&["--uts", "host", "-h", "x"], &["true"])
        .fails(125)
        .stderr_has("conflicting options: hostname and the UTS mode");
    for (flag, text) in [
        ("--pid", "--pid: invalid PID mode"),
        ("--ipc", "Invalid IPC mode: bogus"),
        ("--uts", "--uts: invalid UTS mode"),
        ("--cgroupns", "--cgroupns: invalid CGROUP mode"),
        ("--userns", "--userns: invalid USER mode"),
    ] {
        bed.run_rm(&[flag, "bogus"], &["true"])
            .fails(125)
            .stderr_has(text);
    }
}

fn exec_enters_shared_namespaces(bed: &Bed) {
    bed.detached(
        &["--name", "ctr", "--pid", "host", "--ipc", "host"],
        &["sleep", "1000"],
    );
    assert_eq!(namespace(bed, "ctr", "pid"), of_host("pid"));
    assert_eq!(namespace(bed, "ctr", "ipc"), of_host("ipc"));
    let mode = bed.inspect("ctr", "{{.HostConfig.PidMode}} {{.HostConfig.IpcMode}}");
    assert_eq!(mode, "host host");
}

fn devices_are_there(bed: &Bed) {
    let flags = ["--device", "/dev/zero:/dev/nothing"];
    let words = [
        "sh",
        "-c",
        "head -c 3 /dev/nothing | wc -c; ls -l /dev/nothing | cut -c1",
    ];
    assert_eq!(bed.inside(&flags, &words), "3\nc");
    if bed.who == Who::Root {
        let all = bed.inside(&["--privileged"], &["sh", "-c", "ls /dev | wc -l"]);
        let few = bed.inside(&[], &["sh", "-c", "ls /dev | wc -l"]);
        let number = |text: &str| text.parse::<u32>().expect("a number");
        assert!(number(&all) > number(&few), "{all} and {few}");
    }
    bed.run_rm(&["--device", "/dev/none-such"], &["true"])
        .fails(125)
        .stderr_has("error gathering device information while adding custom device");
}

fn masks_change_on_request(bed: &Bed) {
    let masked = ["sh", "-c", "cat /proc/interrupts | wc -c"];
    assert_eq!(bed.inside(&[], &masked), "0");
    let unmask = ["--security-opt", "unmask=/proc/interrupts"];
    assert_ne!(bed.inside(&unmask, &masked), "0");
    let version = ["sh", "-c", "cat /proc/version | wc -c"];
    assert_ne!(bed.inside(&[], &version), "0");
    let mask = ["--security-opt", "mask=/proc/version"];
    assert_eq!(bed.inside(&mask, &version), "0");
}
