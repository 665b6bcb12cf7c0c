//! Records and what becomes of them, as golden files. `plan`'s tests go on from there.

use oci_spec::runtime::LinuxNamespaceType;
use serde_json::{Value, json};

use super::{Found, Node, Surroundings, to_spec};
use crate::base::golden;
use crate::rootfs::User;
use crate::state::Config;

/// A record with every default.
fn plain() -> Value {
    let digest = format!("sha256:{}", "1".repeat(64));
    json!({
        "schema": 1,
        "id": "c".repeat(64),
        "created": "2026-01-02T03:04:05Z",
        "image_name": "busybox",
        "image": digest,
        "manifest": digest,
        "layers": [digest],
        "process": {
            "entrypoint": null,
            "command": ["sh", "-c", "echo hello"],
            "env": ["PATH=/usr/bin:/bin", "HOSTNAME=cccccccccccc", "HOME=/root"],
            "working_dir": "/",
            "user": "",
            "terminal": false,
            "open_stdin": false,
        },
        "hostname": "cccccccccccc",
        "domainname": "",
        "labels": {},
        "mounts": [],
        "network": "none",
        "cap_add": [],
        "cap_drop": [],
        "privileged": false,
        "read_only": false,
        "init": false,
        "auto_remove": true,
        "shm_bytes": 67_108_864,
        "ulimits": [],
        "stop_signal": 15,
        "stop_timeout": 10,
        "log": {"driver": "json-file", "max_bytes": null, "max_files": 1},
        "limits": {"pids": 2048},
        "extra_hosts": [],
        "sysctls": {},
        "security_options": [],
        "group_add": [],
        "oom_score_adj": null,
        "exposed_ports": [],
        "namespaces": {},
        "files": {},
        "umask": null,
        "annotations": {},
        "systemd": false,
    })
}

/// [`plain`] with other values for some fields.
fn record(changes: Value) -> Config {
    let mut record = plain();
    let changes = changes.as_object().expect("changes are an object").clone();
    for (key, value) in changes {
        assert!(record.get(&key).is_some(), "{key} is a field of the record");
        record[key] = value;
    }
    serde_json::from_value(record).expect("the record is valid")
}

fn root() -> User {
    User {
        uid: 0,
        gid: 0,
        groups: vec![10],
        home: "/root".to_owned(),
    }
}

fn on_host() -> Surroundings {
    Surroundings {
        user_namespace: false,
        highest_gid: u32::MAX,
        files: "/run/hull/c/cccccccccccc".into(),
        devices: Found::default(),
        throttled_cpus: Vec::new(),
        joined: Vec::new(),
        network_files: None,
        has_mqueue: true,
        more_files: Vec::new(),
    }
}

/// config.json with the members of maps, and the sets of capabilities, in order.
fn text(config: &Config, user: &User, around: &Surroundings) -> String {
    let spec = to_spec(config, user, around).expect("a spec can be made");
    let mut value = serde_json::to_value(&spec).expect("is JSON");
    value.sort_all_objects();
    let sets = value["process"]["capabilities"].as_object_mut();
    for set in sets.into_iter().flat_map(|sets| sets.values_mut()) {
        let names = set.as_array_mut().expect("a set is a list");
        names.sort_by_key(ToString::to_string);
    }
    format!("{value:#}\n")
}

macro_rules! check {
    ($name:literal, $config:expr, $user:expr, $around:expr) => {
        golden::check(
            $name,
            include_str!(concat!("../../../tests/golden/", $name)),
            &text(&$config, &$user, &$around),
        )
    };
}

#[test]
fn a70_what_this_host_alone_has_is_masked_too() {
    let throttle = "/sys/devices/system/cpu/cpu3/thermal_throttle";
    let mut around = Surroundings {
        user_namespace: true,
        throttled_cpus: vec![throttle.to_owned()],
        ..on_host()
    };
    let masks = |network: &str, around: &Surroundings| {
        let config = record(json!({"network": network}));
        let spec = to_spec(&config, &root(), around).expect("a spec can be made");
        let linux = spec.linux().clone().expect("has a linux part");
        linux.masked_paths().clone().expect("has masks")
    };
    let has = |list: &[String], path: &str| list.iter().any(|known| known == path);
    let bound = masks("host", &around);
    assert!(
        has(&bound, throttle) && has(&bound, "/sys/kernel"),
        "{bound:?}"
    );
    let own = masks("none", &around);
    assert!(has(&own, throttle) && !has(&own, "/sys/kernel"), "{own:?}");
    around.user_namespace = false;
    assert!(!has(&masks("host", &around), "/sys/kernel"));
}

#[test]
fn golden_plain() {
    let config = record(json!({}));
    check!("plain.config.json", config, root(), on_host());
}

#[test]
fn golden_privileged() {
    let config = record(json!({"privileged": true, "init": true}));
    check!("privileged.config.json", config, root(), on_host());
}

#[test]
fn golden_user_namespace() {
    let around = Surroundings {
        user_namespace: true,
        highest_gid: 0,
        ..on_host()
    };
    let mut user = root();
    user.keep_mapped_groups(around.highest_gid);
    let config = record(json!({}));
    check!("user-namespace.config.json", config, user, around);
}

#[test]
fn golden_host_network() {
    let config = record(json!({"network": "host", "read_only": true}));
    check!("host-network.config.json", config, root(), on_host());
}

#[test]
fn golden_mounts() {
    let mounts = json!([
        {"kind": "bind", "source": "/srv/data", "target": "/data", "options": ["rbind", "ro"]},
        {"kind": "tmpfs", "source": "", "target": "/scratch", "options": ["size=64m", "noexec"]},
        {"kind": "bind", "source": "/srv/hosts", "target": "/etc/hosts", "options": ["rw"]},
    ]);
    let config = record(json!({"mounts": mounts, "shm_bytes": 1_048_576}));
    check!("mounts.config.json", config, root(), on_host());
}

#[test]
fn golden_capabilities() {
    let user = User {
        uid: 1000,
        gid: 1000,
        groups: Vec::new(),
        home: "/home/guest".to_owned(),
    };
    let process = json!({
        "entrypoint": ["/bin/top"],
        "command": ["-b"],
        "env": [],
        "working_dir": "/home/guest",
        "user": "guest",
        "terminal": true,
        "open_stdin": true,
    });
    let config = record(json!({
        "process": process,
        "cap_add": ["SYS_TIME", "cap_net_admin"],
        "cap_drop": ["CHOWN"],
        "security_options": ["no-new-privileges"],
        "ulimits": [{"name": "nofile", "soft": 1024, "hard": -1}],
        "sysctls": {"net.ipv4.ip_forward": "1"},
        "oom_score_adj": 500,
    }));
    check!("capabilities.config.json", config, user, on_host());
}

/// A node of the host, and a disk with rates.
fn devices() -> Found {
    let node = Node {
        on_host: "/dev/fuse".into(),
        in_container: "/dev/own/fuse".into(),
        kind: oci_spec::runtime::LinuxDeviceType::C,
        major: 10,
        minor: 229,
        mode: 0o666,
        uid: 0,
        gid: 0,
        access: "rw".to_owned(),
    };
    Found {
        nodes: vec![node],
        block: vec![("/dev/sda".into(), 8, 0)],
    }
}

#[test]
fn golden_limits() {
    let disk = |rate: u32| json!([{"path": "/dev/sda", "rate": rate}]);
    let limits = json!({
        "memory": 67_108_864,
        "memory_swap": 134_217_728,
        "memory_reservation": 33_554_432,
        "memory_swappiness": 10,
        "nano_cpus": 1_500_000_000,
        "cpu_shares": 512,
        "cpuset_cpus": "0-1",
        "cpuset_mems": "0",
        "pids": -1,
        "oom_kill_disable": true,
        "blkio_weight": 300,
        "blkio_weight_device": disk(200),
        "device_read_bps": disk(1_048_576),
        "device_write_iops": disk(100),
        "devices": [{"on_host": "/dev/fuse", "in_container": "/dev/own/fuse", "access": "rw"}],
        "device_rules": ["b 8:* r"],
    });
    let config = record(json!({"limits": limits}));
    let around = Surroundings {
        devices: devices(),
        ..on_host()
    };
    check!("limits.config.json", config, root(), around);
}

#[test]
fn a_user_namespace_gets_devices_bound() {
    let around = Surroundings {
        user_namespace: true,
        devices: devices(),
        ..on_host()
    };
    let spec = to_spec(&record(json!({})), &root(), &around).expect("has a spec");
    let linux = spec.linux().as_ref().expect("has a linux part");
    assert!(linux.devices().is_none());
    let mounts = spec.mounts().iter().flatten();
    let bound = mounts.filter(|mount| mount.source().as_deref() == Some("/dev/fuse".as_ref()));
    let targets: Vec<_> = bound.map(|mount| mount.destination().clone()).collect();
    assert_eq!(targets, [std::path::PathBuf::from("/dev/own/fuse")]);
}

#[test]
fn golden_joined_namespaces() {
    let donor = "d".repeat(64);
    let around = Surroundings {
        joined: vec![
            (LinuxNamespaceType::Network, "/proc/self/fd/20".into()),
            (LinuxNamespaceType::Ipc, "/proc/self/fd/21".into()),
        ],
        network_files: Some("/run/hull/c/dddddddddddd".into()),
        more_files: vec!["localtime", "passwd", "group"],
        ..on_host()
    };
    let config = record(json!({
        "network": {"container": donor},
        "namespaces": {"pid": {"container": donor}, "ipc": {"container": donor}},
        "umask": 0o077,
        "annotations": {"a.b": "c"},
        "systemd": true,
    }));
    check!("joined-namespaces.config.json", config, root(), around);
}

#[test]
fn golden_host_namespaces() {
    let around = Surroundings {
        user_namespace: true,
        highest_gid: 65536,
        ..on_host()
    };
    let shared = json!({"pid": "host", "ipc": "host", "uts": "host", "cgroup": "host"});
    let config = record(json!({
        "namespaces": shared,
        "files": {"hosts": "image", "keep_hostname": true},
        "security_options": ["unmask=/proc/keys", "mask=/proc/version:/sys/x"],
    }));
    check!("host-namespaces.config.json", config, root(), around);
}
