//! Specs and the operations they become, as golden files. All but one of the specs are those that
//! the engine makes of its records.

use super::{CgroupHierarchy, Extras, Host, Plan, build};
use crate::base::golden;

/// Every capability up to CAP_CHECKPOINT_RESTORE, nothing to cut.
fn full_host() -> Host {
    Host {
        capabilities: (1 << 41) - 1,
        hard_limits: Vec::new(),
        may_mknod: true,
    }
}

/// As the engine asks for it.
fn engine_extras() -> Extras {
    Extras {
        attach_at: c"/run/hull/root".to_owned(),
        root_is_mounted: true,
        make_cwd: true,
        die_with_parent: true,
        cgroup_files: vec![c"/sys/fs/cgroup/pids/hull/c/tasks".to_owned()],
        cgroup_hierarchies: vec![
            hierarchy("pids", &["pids"]),
            hierarchy("cpu,cpuacct", &["cpu", "cpuacct"]),
            hierarchy("systemd", &["name=systemd"]),
        ],
        ..Extras::default()
    }
}

fn hierarchy(name: &str, controllers: &[&str]) -> CgroupHierarchy {
    CgroupHierarchy {
        name: name.to_owned(),
        controllers: controllers.iter().map(|text| (*text).to_owned()).collect(),
        directory: format!("/sys/fs/cgroup/{name}/hull/c").into(),
    }
}

/// One line for each fact and operation.
fn text(spec: &str, host: &Host, extras: Extras) -> String {
    let spec = serde_json::from_str(spec).expect("the spec is valid");
    let Plan {
        namespaces,
        operations,
        arguments,
        environment,
        uid_map,
        gid_map,
        terminal,
    } = build(&spec, host, extras).expect("a plan can be made");
    let mut text = format!(
        "namespaces {namespaces:#x}\nuid map {uid_map:?}\ngid map {gid_map:?}\n\
         arguments {arguments:?}\nenvironment {environment:?}\nterminal {terminal}\n"
    );
    for operation in operations {
        text.push_str(&format!("{operation:?}\n"));
    }
    text
}

macro_rules! check {
    ($name:literal, $spec:literal, $host:expr, $extras:expr) => {
        golden::check(
            $name,
            include_str!(concat!("../../../tests/golden/", $name)),
            &text(
                include_str!(concat!("../../../tests/golden/", $spec)),
                &$host,
                $extras,
            ),
        )
    };
}

#[test]
fn golden_plain() {
    let (host, extras) = (full_host(), engine_extras());
    check!("plain.plan", "plain.config.json", host, extras);
}

#[test]
fn golden_privileged() {
    let extras = Extras {
        reaper: true,
        ..engine_extras()
    };
    check!(
        "privileged.plan",
        "privileged.config.json",
        full_host(),
        extras
    );
}

#[test]
fn golden_user_namespace() {
    // What a rootless engine has there: few limits to raise, no device nodes, no cgroups.
    let host = Host {
        hard_limits: vec![(libc::RLIMIT_NOFILE, 4096)],
        may_mknod: false,
        ..full_host()
    };
    let extras = Extras {
        cgroup_files: Vec::new(),
        cgroup_hierarchies: Vec::new(),
        ..engine_extras()
    };
    check!(
        "user-namespace.plan",
        "user-namespace.config.json",
        host,
        extras
    );
}

#[test]
fn golden_host_network() {
    // A host with cgroup version 2 only.
    let extras = Extras {
        cgroup_files: Vec::new(),
        cgroup_hierarchies: Vec::new(),
        ..engine_extras()
    };
    check!(
        "host-network.plan",
        "host-network.config.json",
        full_host(),
        extras
    );
}

#[test]
fn golden_mounts() {
    let (host, extras) = (full_host(), engine_extras());
    check!("mounts.plan", "mounts.config.json", host, extras);
}

#[test]
fn golden_limits() {
    let (host, extras) = (full_host(), engine_extras());
    check!("limits.plan", "limits.config.json", host, extras);
}

#[test]
fn golden_capabilities() {
    // CAP_SYS_TIME (25) cannot be had here, whatever the spec says.
    let host = Host {
        capabilities: full_host().capabilities & !(1 << 25),
        ..full_host()
    };
    check!(
        "capabilities.plan",
        "capabilities.config.json",
        host,
        engine_extras()
    );
}

#[test]
fn golden_joined_namespaces() {
    let extras = Extras {
        shared_memory: true,
        ..engine_extras()
    };
    check!(
        "joined-namespaces.plan",
        "joined-namespaces.config.json",
        full_host(),
        extras
    );
}

#[test]
fn golden_host_namespaces() {
    let host = Host {
        may_mknod: false,
        ..full_host()
    };
    let extras = Extras {
        cgroup_files: Vec::new(),
        cgroup_hierarchies: Vec::new(),
        ..engine_extras()
    };
    check!(
        "host-namespaces.plan",
        "host-namespaces.config.json",
        host,
        extras
    );
}

#[test]
fn golden_bundle_of_an_ordinary_user() {
    // `runc spec --rootless`: a user namespace of its own, maps of one id.
    let host = Host {
        capabilities: 0,
        ..full_host()
    };
    let extras = Extras {
        attach_at: c"/home/guest/bundle/rootfs".to_owned(),
        gate: true,
        ..Extras::default()
    };
    check!("bundle.plan", "bundle.config.json", host, extras);
}
