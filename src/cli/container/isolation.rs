//! The part of `HostConfig` that says what a container shares with the host and with others.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::state::{Config, NamespaceMode};

/// Fills in the fields of this part.
pub fn complete(mut tree: Value, config: &Config) -> Value {
    let of = &config.namespaces;
    // Docker's word for an own one is nothing.
    let shared = |mode: &NamespaceMode| match mode.is_new() {
        true => String::new(),
        false => mode.to_string(),
    };
    let own = |mode: &NamespaceMode| match mode {
        NamespaceMode::Default => "private".to_owned(),
        other => other.to_string(),
    };
    let id_file = config.id_file.as_ref();
    let fields = [
        (
            "ContainerIDFile",
            json!(id_file.map_or_else(String::new, |path| path.display().to_string())),
        ),
        ("PortBindings", port_bindings(config)),
        ("PublishAllPorts", json!(config.publish_all)),
        ("CgroupnsMode", json!(own(&of.cgroup))),
        ("IpcMode", json!(own(&of.ipc))),
        ("PidMode", json!(shared(&of.pid))),
        ("UTSMode", json!(shared(&of.uts))),
        ("UsernsMode", json!(of.user.to_string())),
        ("Dns", json!(config.dns.servers)),
        ("DnsOptions", json!(config.dns.options)),
        ("DnsSearch", json!(config.dns.search)),
        ("Annotations", json!(config.annotations)),
    ];
    for (name, value) in fields {
        tree[name] = value;
    }
    tree
}

/// By port of the container, as Docker groups them.
fn port_bindings(config: &Config) -> Value {
    let mut ports: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for binding in &config.ports {
        let address = binding.host_ip.map(|address| address.to_string());
        let host = json!({
            "HostIp": address.unwrap_or_default(),
            "HostPort": binding.host_port_text(),
        });
        ports.entry(binding.container()).or_default().push(host);
    }
    json!(ports)
}
