//! `hull oci features`: what the runtime understands, as the runtime specification words it.

use serde_json::{Value, json};

use super::{globals, on_containers};
use crate::cli::{Command, output};
use crate::runtime::plan;

pub const COMMAND: Command = Command {
    paths: &["oci features"],
    about: "Print what this runtime supports as JSON",
    arguments: globals,
    run: |matches, settings| {
        on_containers(matches, settings, |_| {
            output::document(None, &document())?;
            Ok(0)
        })
    },
    ..Command::BASE
};

fn document() -> Value {
    let mut capabilities: Vec<String> = caps::all().iter().map(ToString::to_string).collect();
    capabilities.sort();
    json!({
        "ociVersionMin": "1.0.0",
        "ociVersionMax": super::SPEC_VERSION,
        "hooks": [],
        "mountOptions": plan::mount_options(),
        "linux": {
            "namespaces": ["cgroup", "ipc", "mount", "network", "pid", "user", "uts"],
            "capabilities": capabilities,
            "cgroup": {
                "v1": true,
                "v2": true,
                "systemd": false,
                "systemdUser": false,
                "rdma": false,
            },
            "seccomp": {"enabled": true},
            "apparmor": {"enabled": false},
            "selinux": {"enabled": false},
            "intelRdt": {"enabled": false},
        },
    })
}
