//! The fields of Docker's documents about containers, in Docker's order and with the values of a
//! plain container. Scripts and templates count on every field being there, with its type; what
//! hull has no value for has this one.

use serde_json::{Map, Value};

/// A container.
pub const CONTAINER: &[(&str, &str)] = &[
    ("Id", r#""""#),
    ("Created", r#""""#),
    ("Path", r#""""#),
    ("Args", "[]"),
    ("State", "{}"),
    ("Image", r#""""#),
    ("ResolvConfPath", r#""""#),
    ("HostnamePath", r#""""#),
    ("HostsPath", r#""""#),
    ("LogPath", r#""""#),
    ("Name", r#""""#),
    ("RestartCount", "0"),
    ("Driver", r#""""#),
    ("Platform", r#""""#),
    ("MountLabel", r#""""#),
    ("ProcessLabel", r#""""#),
    ("AppArmorProfile", r#""""#),
    ("ExecIDs", "null"),
    ("HostConfig", "{}"),
    ("GraphDriver", "{}"),
    ("Mounts", "[]"),
    ("Config", "{}"),
    ("NetworkSettings", "{}"),
];

/// `.State`; `Health` only where there are checks.
pub const STATE: &[(&str, &str)] = &[
    ("Status", r#""""#),
    ("Running", "false"),
    ("Paused", "false"),
    ("Restarting", "false"),
    ("OOMKilled", "false"),
    ("Dead", "false"),
    ("Pid", "0"),
    ("ExitCode", "0"),
    ("Error", r#""""#),
    ("StartedAt", r#""""#),
    ("FinishedAt", r#""""#),
];

/// `.HostConfig`.
pub const HOST_CONFIG: &[(&str, &str)] = &[
    ("Binds", "[]"),
    ("ContainerIDFile", r#""""#),
    ("LogConfig", "{}"),
    ("NetworkMode", r#""""#),
    ("PortBindings", "{}"),
    ("RestartPolicy", "{}"),
    ("AutoRemove", "false"),
    ("VolumeDriver", r#""""#),
    ("VolumesFrom", "null"),
    ("CapAdd", "null"),
    ("CapDrop", "null"),
    ("CgroupnsMode", r#""""#),
    ("Dns", "[]"),
    ("DnsOptions", "[]"),
    ("DnsSearch", "[]"),
    ("ExtraHosts", "null"),
    ("GroupAdd", "null"),
    ("IpcMode", r#""""#),
    ("Cgroup", r#""""#),
    ("Links", "null"),
    ("OomScoreAdj", "0"),
    ("PidMode", r#""""#),
    ("Privileged", "false"),
    ("PublishAllPorts", "false"),
    ("ReadonlyRootfs", "false"),
    ("SecurityOpt", "null"),
    ("UTSMode", r#""""#),
    ("UsernsMode", r#""""#),
    ("ShmSize", "0"),
    ("Runtime", r#""""#),
    ("ConsoleSize", "[0, 0]"),
    ("Isolation", r#""""#),
    ("CpuShares", "0"),
    ("Memory", "0"),
    ("NanoCpus", "0"),
    ("CgroupParent", r#""""#),
    ("BlkioWeight", "0"),
    ("BlkioWeightDevice", "[]"),
    ("BlkioDeviceReadBps", "[]"),
    ("BlkioDeviceWriteBps", "[]"),
    ("BlkioDeviceReadIOps", "[]"),
    ("BlkioDeviceWriteIOps", "[]"),
    ("CpuPeriod", "0"),
    ("CpuQuota", "0"),
    ("CpuRealtimePeriod", "0"),
    ("CpuRealtimeRuntime", "0"),
    ("CpusetCpus", r#""""#),
    ("CpusetMems", r#""""#),
    ("Devices", "[]"),
    ("DeviceCgroupRules", "null"),
    ("DeviceRequests", "null"),
    ("KernelMemory", "0"),
    ("KernelMemoryTCP", "0"),
    ("MemoryReservation", "0"),
    ("MemorySwap", "0"),
    ("MemorySwappiness", "null"),
    ("OomKillDisable", "false"),
    ("PidsLimit", "null"),
    ("Ulimits", "[]"),
    ("CpuCount", "0"),
    ("CpuPercent", "0"),
    ("IOMaximumIOps", "0"),
    ("IOMaximumBandwidth", "0"),
    ("MaskedPaths", "[]"),
    ("ReadonlyPaths", "[]"),
];

/// `.Config`.
pub const CONFIG: &[(&str, &str)] = &[
    ("Hostname", r#""""#),
    ("Domainname", r#""""#),
    ("User", r#""""#),
    ("AttachStdin", "false"),
    ("AttachStdout", "false"),
    ("AttachStderr", "false"),
    ("ExposedPorts", "{}"),
    ("Tty", "false"),
    ("OpenStdin", "false"),
    ("StdinOnce", "false"),
    ("Env", "[]"),
    ("Cmd", "[]"),
    ("Image", r#""""#),
    ("Volumes", "null"),
    ("WorkingDir", r#""""#),
    ("Entrypoint", "null"),
    ("OnBuild", "null"),
    ("Labels", "{}"),
];

/// `.NetworkSettings`.
pub const NETWORK_SETTINGS: &[(&str, &str)] = &[
    ("Bridge", r#""""#),
    ("SandboxID", r#""""#),
    ("HairpinMode", "false"),
    ("LinkLocalIPv6Address", r#""""#),
    ("LinkLocalIPv6PrefixLen", "0"),
    ("Ports", "{}"),
    ("SandboxKey", r#""""#),
    ("SecondaryIPAddresses", "null"),
    ("SecondaryIPv6Addresses", "null"),
    ("EndpointID", r#""""#),
    ("Gateway", r#""""#),
    ("GlobalIPv6Address", r#""""#),
    ("GlobalIPv6PrefixLen", "0"),
    ("IPAddress", r#""""#),
    ("IPPrefixLen", "0"),
    ("IPv6Gateway", r#""""#),
    ("MacAddress", r#""""#),
    ("Networks", "{}"),
];

/// One of `.NetworkSettings.Networks`.
pub const NETWORK: &[(&str, &str)] = &[
    ("IPAMConfig", "null"),
    ("Links", "null"),
    ("Aliases", "null"),
    ("NetworkID", r#""""#),
    ("EndpointID", r#""""#),
    ("Gateway", r#""""#),
    ("IPAddress", r#""""#),
    ("IPPrefixLen", "0"),
    ("IPv6Gateway", r#""""#),
    ("GlobalIPv6Address", r#""""#),
    ("GlobalIPv6PrefixLen", "0"),
    ("MacAddress", r#""""#),
    ("DriverOpts", "null"),
];
/// The document with Docker's fields in Docker's order, then those that only hull has.
pub fn complete(document: Value, fields: &[(&str, &str)]) -> Value {
    let Value::Object(mut known) = document else {
        return document;
    };
    let mut whole = Map::new();
    for (name, plain) in fields {
        let value = known.shift_remove(*name);
        let value = value.unwrap_or_else(|| serde_json::from_str(plain).unwrap_or_default());
        whole.insert((*name).to_owned(), value);
    }
    whole.extend(known);
    Value::Object(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_are_json() {
        let all = [
            CONTAINER,
            STATE,
            HOST_CONFIG,
            CONFIG,
            NETWORK_SETTINGS,
            NETWORK,
        ];
        for (name, plain) in all.into_iter().flatten() {
            let parsed: Result<Value, _> = serde_json::from_str(plain);
            assert!(parsed.is_ok(), "{name}: {plain}");
        }
    }

    #[test]
    fn documents_have_all_fields_in_order() {
        let made = complete(
            serde_json::json!({"Own": 1, "Pid": 7, "Status": "x"}),
            STATE,
        );
        let names: Vec<&String> = made.as_object().expect("is one").keys().collect();
        let expected = STATE.iter().map(|(name, _)| *name).chain(["Own"]);
        assert!(
            names.iter().map(|name| name.as_str()).eq(expected),
            "{names:?}"
        );
        assert_eq!((&made["Pid"], &made["Paused"]), (&7.into(), &false.into()));
    }
}
