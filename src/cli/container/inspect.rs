//! The container half of `hull inspect`: Docker's JSON tree.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{facts, size, tree};
use crate::cli::flags::{Matches, switch};
use crate::cli::inspect::{format_flag, print_each};
use crate::cli::{Command, Words, store};
use crate::config::Settings;
use crate::container;
use crate::error::Result;
use crate::state::{
    Config, DeviceRate, Health, HealthCheck, Limits, Mount, MountKind, Record, Records, Status,
};

pub const COMMAND: Command = Command {
    paths: &["container inspect"],
    about: "Display detailed information on one or more containers",
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    words: Words::AtLeast(1),
    arguments: |command| {
        command
            .arg(format_flag())
            .arg(switch("size", "Display total file sizes").short('s'))
    },
    run: |matches: &Matches, settings: &Settings| {
        print_each(matches.text("format"), &matches.words(), |name| {
            look_up(settings, name, Sizes::asked(matches))
        })
    },
    ..Command::BASE
};

/// Go's zero time, for what has not happened.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// The container with this name or id.
pub fn look_up(settings: &Settings, name: &str, sizes: Sizes) -> Result<Value> {
    let records = container::records(settings);
    let id = records.find(name)?;
    let (record, config) = (records.record(&id)?, records.config(&id)?);
    let mut document = tree(&records, &record, &config);
    document["GraphDriver"]["Data"]["LowerDir"] = layers(settings, &config).into();
    if sizes == Sizes::Measured {
        if settings.rootless {
            // Files of mapped owners are measured where they can be read.
            store::become_mapped_root(settings)?;
        }
        let changed = size::changed(&records, &record);
        let below = size::Images::of(settings).below(&config)?;
        document["SizeRw"] = changed.into();
        document["SizeRootFs"] = (changed + below).into();
    }
    Ok(tree::complete(document, tree::CONTAINER))
}

/// Whether `-s` was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sizes {
    Left,
    Measured,
}

impl Sizes {
    /// As the flag `--size` says.
    pub fn asked(matches: &Matches) -> Self {
        match matches.on("size") {
            true => Sizes::Measured,
            false => Sizes::Left,
        }
    }
}

/// The directories below the container's own, topmost first; empty if they are not there any more.
fn layers(settings: &Settings, config: &Config) -> String {
    let store = store::open_existing(settings).ok().flatten();
    let layers = store.and_then(|store| store.layers_for(&config.layers).ok());
    let layers = layers.unwrap_or_default();
    let paths = layers
        .iter()
        .rev()
        .map(|layer| layer.path.display().to_string());
    paths.collect::<Vec<_>>().join(":")
}

fn tree(records: &Records, record: &Record, config: &Config) -> Value {
    let state = &record.state;
    let arguments = config.process.arguments();
    let (path, rest) = arguments
        .split_first()
        .map_or((String::new(), &[][..]), |(first, rest)| {
            (first.clone(), rest)
        });
    let health = records
        .health(&state.id)
        .filter(|_| config.health.is_some());
    let directory = records.directory(&state.id);
    let at = |name: &str| directory.join(name).display().to_string();
    let run = records.run_directory(&state.id);
    let now = |name: &str| run.path().join(name).display().to_string();
    json!({
        "Id": state.id.to_string(),
        "Created": state.created.to_string(),
        "Path": path,
        "Args": rest,
        "State": tree::complete(state_tree(record, health.as_ref()), tree::STATE),
        "Image": config.image.to_string(),
        "ResolvConfPath": now("resolv.conf"),
        "HostnamePath": now("hostname"),
        "HostsPath": now("hosts"),
        "LogPath": super::logs::path(records, &state.id, &config.log),
        "Name": format!("/{}", state.name),
        "RestartCount": state.restart_count,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": Value::Null,
        "HostConfig": tree::complete(
            super::isolation::complete(host_config(config), config),
            tree::HOST_CONFIG,
        ),
        "GraphDriver": {
            "Data": {
                "LowerDir": "",
                "MergedDir": "",
                "UpperDir": at("up/diff"),
                "WorkDir": at("up/work"),
            },
            "Name": "overlay2",
        },
        "Mounts": mounts(config),
        "Config": tree::complete(config_tree(config), tree::CONFIG),
        "NetworkSettings": tree::complete(network_settings(config), tree::NETWORK_SETTINGS),
    })
}

fn state_tree(record: &Record, health: Option<&Health>) -> Value {
    let state = &record.state;
    let time = |time: Option<crate::base::Timestamp>| {
        time.map_or(NEVER.to_owned(), |time| time.to_string())
    };
    let running = matches!(
        state.status,
        Status::Running | Status::Paused | Status::Restarting
    );
    let mut tree = json!({
        "Status": state.status.to_string(),
        "Running": running,
        "Paused": state.status == Status::Paused,
        "Restarting": state.status == Status::Restarting,
        "OOMKilled": state.oom_killed,
        "Dead": false,
        "Pid": record.live.as_ref().map_or(0, |live| live.pid),
        "ExitCode": if running && state.status != Status::Restarting { 0 } else { state.exit_code },
        "Error": state.error,
        "StartedAt": time(state.started),
        "FinishedAt": time(state.finished),
    });
    if let Some(health) = health {
        tree["Health"] = json!(health);
    }
    tree
}

/// Binds as `-v` takes them.
fn binds(config: &Config) -> Vec<String> {
    let binds = config.mounts.iter();
    let binds = binds.filter(|mount| mount.kind == MountKind::Bind);
    let text = |mount: &Mount| {
        let options = match mount.options.join(",") {
            none if none.is_empty() => none,
            options => format!(":{options}"),
        };
        let (source, target) = (mount.source.display(), mount.target.display());
        format!("{source}:{target}{options}")
    };
    binds.map(text).collect()
}

fn host_config(config: &Config) -> Value {
    let tmpfs: BTreeMap<String, String> = config
        .mounts
        .iter()
        .filter(|mount| mount.kind == MountKind::Tmpfs)
        .map(|mount| (mount.target.display().to_string(), mount.options.join(",")))
        .collect();
    let ulimits: Vec<Value> = config
        .ulimits
        .iter()
        .map(|limit| json!({"Name": limit.name, "Hard": limit.hard, "Soft": limit.soft}))
        .collect();
    let protected = |paths: &[&str]| (!config.privileged).then(|| json!(paths));
    let mut tree = json!({
        "Binds": binds(config),
        "ContainerIDFile": "",
        "LogConfig": {"Type": config.log.driver, "Config": config.log.options},
        "NetworkMode": network_name(config),
        "PortBindings": {},
        "RestartPolicy": {
            "Name": config.restart.name.word(),
            "MaximumRetryCount": config.restart.most,
        },
        "AutoRemove": config.auto_remove,
        "VolumeDriver": "",
        "VolumesFrom": Value::Null,
        "CapAdd": list_or_null(&config.cap_add),
        "CapDrop": list_or_null(&config.cap_drop),
        "CgroupnsMode": "private",
        "Dns": [],
        "DnsOptions": [],
        "DnsSearch": [],
        "ExtraHosts": list_or_null(&config.extra_hosts),
        "GroupAdd": list_or_null(&config.group_add),
        "IpcMode": "private",
        "Cgroup": "",
        "Links": Value::Null,
        "OomScoreAdj": config.oom_score_adj.unwrap_or(0),
        "PidMode": "",
        "Privileged": config.privileged,
        "PublishAllPorts": false,
        "ReadonlyRootfs": config.read_only,
        "SecurityOpt": list_or_null(&config.security_options),
        "Tmpfs": tmpfs,
        "UTSMode": "",
        "UsernsMode": "",
        "ShmSize": config.shm_bytes,
        "Sysctls": config.sysctls,
        "Runtime": "hull",
        "Init": config.init,
        "Ulimits": ulimits,
        "MaskedPaths": protected(&container::MASKED_PATHS),
        "ReadonlyPaths": protected(&container::READ_ONLY_PATHS),
    });
    let (Value::Object(tree_map), Value::Object(limits)) = (&mut tree, limits_tree(config)) else {
        return tree;
    };
    tree_map.extend(limits);
    // As in Docker, left out where they say nothing; templates find them all the same.
    tree_map.retain(|name, value| match name.as_str() {
        "Tmpfs" | "Sysctls" => value.as_object().is_none_or(|map| !map.is_empty()),
        "Init" => *value != Value::Bool(false),
        _ => true,
    });
    tree
}

/// The limits' part of it.
fn limits_tree(config: &Config) -> Value {
    let limits = &config.limits;
    json!({
        "Memory": limits.memory,
        "NanoCpus": limits.nano_cpus,
        "CpuShares": limits.cpu_shares,
        "CgroupParent": limits.cgroup_parent,
        "BlkioWeight": limits.blkio_weight,
        "BlkioWeightDevice": rates("Weight", &limits.blkio_weight_device),
        "BlkioDeviceReadBps": rates("Rate", &limits.device_read_bps),
        "BlkioDeviceWriteBps": rates("Rate", &limits.device_write_bps),
        "BlkioDeviceReadIOps": rates("Rate", &limits.device_read_iops),
        "BlkioDeviceWriteIOps": rates("Rate", &limits.device_write_iops),
        "CpuPeriod": limits.cpu_period,
        "CpuQuota": limits.cpu_quota,
        "CpusetCpus": limits.cpuset_cpus,
        "CpusetMems": limits.cpuset_mems,
        "Devices": devices(limits),
        "DeviceCgroupRules": list_or_null(&limits.device_rules),
        "MemoryReservation": limits.memory_reservation,
        "MemorySwap": limits.memory_swap,
        "MemorySwappiness": limits.memory_swappiness,
        "OomKillDisable": limits.oom_kill_disable,
        "PidsLimit": limits.pids,
    })
}

/// Limits per block device, with Docker's name of the number.
fn rates(number: &str, rates: &[DeviceRate]) -> Value {
    let rates = rates.iter();
    rates
        .map(|rate| json!({"Path": rate.path.display().to_string(), number: rate.rate}))
        .collect()
}

fn devices(limits: &Limits) -> Value {
    let devices = limits.devices.iter().map(|device| {
        json!({
            "PathOnHost": device.on_host.display().to_string(),
            "PathInContainer": device.in_container.display().to_string(),
            "CgroupPermissions": device.access,
        })
    });
    devices.collect()
}

fn list_or_null(list: &[String]) -> Value {
    if list.is_empty() {
        Value::Null
    } else {
        json!(list)
    }
}

fn mounts(config: &Config) -> Value {
    let mount = |mount: &crate::state::Mount| {
        let bind = mount.kind == MountKind::Bind;
        json!({
            "Type": if bind { "bind" } else { "tmpfs" },
            "Source": mount.source.display().to_string(),
            "Destination": mount.target.display().to_string(),
            "Mode": mount.options.join(","),
            "RW": !mount.options.iter().any(|option| option == "ro"),
            "Propagation": if bind { "rprivate" } else { "" },
        })
    };
    config.mounts.iter().map(mount).collect()
}

fn config_tree(config: &Config) -> Value {
    let process = &config.process;
    let exposed: Map<String, Value> = facts::exposed(config)
        .into_iter()
        .map(|port| (port, json!({})))
        .collect();
    let mut tree = json!({
        "Hostname": config.hostname,
        "Domainname": config.domainname,
        "User": process.user,
        "AttachStdin": process.stdin_once,
        "AttachStdout": true,
        "AttachStderr": true,
        "ExposedPorts": exposed,
        "Tty": process.terminal,
        "OpenStdin": process.open_stdin,
        "StdinOnce": process.stdin_once,
        "Env": process.env,
        "Cmd": process.command,
        "Image": config.image_name,
        "Volumes": Value::Null,
        "WorkingDir": process.working_dir.strip_prefix('/').filter(|rest| rest.is_empty())
            .map_or(process.working_dir.as_str(), |_| ""),
        "Entrypoint": process.entrypoint,
        "OnBuild": Value::Null,
        "Labels": config.labels,
        "StopSignal": signal_name(config.stop_signal),
        "StopTimeout": config.stop_timeout,
    });
    let check = config.health.as_ref().map(health_check);
    let none = config.no_healthcheck.then(|| json!({"Test": ["NONE"]}));
    if let Some(check) = check.or(none) {
        tree["Healthcheck"] = check;
    }
    tree
}

/// What was asked for: as Docker, without what is usual.
fn health_check(check: &HealthCheck) -> Value {
    let mut tree = json!({"Test": check.test});
    let usual = HealthCheck::usual(Vec::new());
    let fields = [
        ("Interval", check.interval, usual.interval),
        ("Timeout", check.timeout, usual.timeout),
        ("StartPeriod", check.start_period, usual.start_period),
        ("StartInterval", check.start_interval, usual.start_interval),
        ("Retries", check.retries.into(), usual.retries.into()),
    ];
    for (name, value, usual) in fields {
        if value != usual {
            tree[name] = json!(value);
        }
    }
    tree
}

fn signal_name(number: i32) -> String {
    match nix::sys::signal::Signal::try_from(number) {
        Ok(signal) => signal.as_str().to_owned(),
        Err(_) => format!("SIGRTMIN+{}", number - 34),
    }
}

fn network_name(config: &Config) -> String {
    config.network.to_string()
}

fn network_settings(config: &Config) -> Value {
    json!({"Networks": {network_name(config): tree::complete(json!({}), tree::NETWORK)}})
}
