//! `hull info`: the host and the settings, with Docker's field names.

use serde_json::{Map, Value, json};

use crate::base::{ByteSize, Digest, Timestamp};
use crate::cli::flags::{self, Matches};
use crate::cli::version::VERSION;
use crate::cli::{Command, output, store};
use crate::config::Settings;
use crate::container;
use crate::error::Result;
use crate::state::{Limits, Record, Records, Status};

pub const COMMAND: Command = Command {
    paths: &["info", "system info"],
    about: "Display system-wide information",
    arguments: |command| {
        let format = "Format output using a custom template: 'json' or a Go template";
        command.arg(flags::text("format", "string", format).short('f'))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let mut facts = counts(settings)?;
    facts.extend(host(settings));
    let facts = Value::Object(facts);
    if let Some(format) = matches.text("format") {
        output::document(Some(format), &facts)?;
        return Ok(0);
    }
    output::line(text(&facts))?;
    Ok(0)
}

fn text(facts: &Value) -> String {
    let mut text = format!(
        "Client:\n Version:    {VERSION}\n Context:    default\n Debug Mode: false\n\nServer:"
    );
    for (label, field) in LINES {
        let shown = match &facts[*field] {
            Value::Null => continue,
            Value::String(text) if text.is_empty() => continue,
            Value::String(text) => text.clone(),
            Value::Number(bytes) if *field == "MemTotal" => gibibytes(bytes.as_u64()),
            other => other.to_string(),
        };
        text.push_str(&format!("\n {label}: {shown}"));
        match *field {
            "Driver" => text.push_str(&pairs(&facts["DriverStatus"])),
            "CgroupVersion" => text.push_str(&plugins(&facts["Plugins"])),
            "DefaultRuntime" => text.push_str(&security(&facts["SecurityOptions"])),
            _ => {}
        }
    }
    let registry = &facts["RegistryConfig"];
    for (label, field) in [
        ("Insecure Registries", "InsecureRegistryCIDRs"),
        ("Registry Mirrors", "Mirrors"),
    ] {
        let items: Vec<&str> = strings(&registry[field]).collect();
        if !items.is_empty() {
            text.push_str(&format!("\n {label}:\n  {}", items.join("\n  ")));
        }
    }
    text.push_str("\n Live Restore Enabled: true");
    for warning in strings(&facts["Warnings"]) {
        text.push_str(&format!("\n\n{warning}"));
    }
    text
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn pairs(list: &Value) -> String {
    let pairs = list.as_array().into_iter().flatten();
    let lines = pairs.map(|pair| {
        let words: Vec<&str> = strings(pair).collect();
        format!("\n  {}", words.join(": "))
    });
    lines.collect()
}

fn plugins(plugins: &Value) -> String {
    let lines = ["Volume", "Network", "Log"].map(|kind| {
        let names: Vec<&str> = strings(&plugins[kind]).collect();
        format!("\n  {kind}: {}", names.join(" "))
    });
    format!("\n Plugins:{}", lines.concat())
}

/// `name=seccomp,profile=builtin` → the name, and below it what it is set to.
fn security(options: &Value) -> String {
    let mut text = "\n Security Options:".to_owned();
    for option in strings(options) {
        let mut parts = option.split(',').filter_map(|part| part.split_once('='));
        let name = parts.next().map_or(option, |(_, name)| name);
        text.push_str(&format!("\n  {name}"));
        for (key, value) in parts {
            let label = if key == "profile" { "Profile" } else { key };
            text.push_str(&format!("\n   {label}: {value}"));
        }
    }
    text
}

/// The lines of the text form and the fields they show.
const LINES: &[(&str, &str)] = &[
    ("Containers", "Containers"),
    (" Running", "ContainersRunning"),
    (" Paused", "ContainersPaused"),
    (" Stopped", "ContainersStopped"),
    ("Images", "Images"),
    ("Server Version", "ServerVersion"),
    ("Storage Driver", "Driver"),
    ("Logging Driver", "LoggingDriver"),
    ("Cgroup Driver", "CgroupDriver"),
    ("Cgroup Version", "CgroupVersion"),
    ("Default Runtime", "DefaultRuntime"),
    ("Kernel Version", "KernelVersion"),
    ("Operating System", "OperatingSystem"),
    ("OSType", "OSType"),
    ("Architecture", "Architecture"),
    ("CPUs", "NCPU"),
    ("Total Memory", "MemTotal"),
    ("Name", "Name"),
    ("ID", "ID"),
    ("Docker Root Dir", "DockerRootDir"),
    ("Debug Mode", "Debug"),
    ("HTTP Proxy", "HttpProxy"),
    ("HTTPS Proxy", "HttpsProxy"),
    ("No Proxy", "NoProxy"),
    ("Experimental", "ExperimentalBuild"),
];

/// How many containers and images there are.
fn counts(settings: &Settings) -> Result<Map<String, Value>> {
    let (records, broken) = Records::at(&settings.root, &settings.run).list()?;
    let running = |record: &&Record| record.state.status == Status::Running;
    let paused = |record: &&Record| record.state.status == Status::Paused;
    let running = records.iter().filter(running).count();
    let paused = records.iter().filter(paused).count();
    let all = records.len() + broken.len();
    let mut images: Vec<Digest> = match store::open_existing(settings)? {
        Some(store) => store.refs()?.iter().map(|record| record.image).collect(),
        None => Vec::new(),
    };
    images.sort();
    images.dedup();
    let counts = [
        ("Containers", all),
        ("ContainersRunning", running),
        ("ContainersPaused", paused),
        ("ContainersStopped", all - running - paused),
        ("Images", images.len()),
    ];
    Ok(counts
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count.into()))
        .collect())
}

/// What is known about the engine and the host, in Docker's order.
fn host(settings: &Settings) -> Map<String, Value> {
    let parts = [limits(settings), machine(), engine(settings)];
    let parts = parts.into_iter().filter_map(|part| match part {
        Value::Object(fields) => Some(fields),
        _ => None,
    });
    parts.flatten().collect()
}

fn limits(settings: &Settings) -> Value {
    let keeps = |limits: Limits| {
        container::unkept_limits(settings, &limits).is_ok_and(|unkept| unkept.is_empty())
    };
    let none = Limits::default;
    let memory = keeps(Limits {
        memory: 1 << 30,
        ..none()
    });
    let swap = keeps(Limits {
        memory: 1 << 30,
        memory_swap: 1 << 31,
        ..none()
    });
    let cpu = keeps(Limits {
        cpu_quota: 100_000,
        cpu_period: 100_000,
        ..none()
    });
    let shares = keeps(Limits {
        cpu_shares: 512,
        ..none()
    });
    let cpuset = keeps(Limits {
        cpuset_cpus: "0".to_owned(),
        ..none()
    });
    let pids = keeps(Limits {
        pids: Some(100),
        ..none()
    });
    let version = cgroup_version();
    json!({
        "ID": machine_id(),
        "Driver": "overlay2",
        "DriverStatus": [
            ["Supports d_type", "true"],
            ["Native Overlay Diff", "true"],
            ["userxattr", settings.rootless.to_string()],
        ],
        "Plugins": {
            "Volume": ["local"],
            "Network": ["host", "none"],
            "Authorization": null,
            "Log": ["json-file", "none"],
        },
        "MemoryLimit": memory,
        "SwapLimit": swap,
        "KernelMemory": false,
        "KernelMemoryTCP": false,
        "CpuCfsPeriod": cpu,
        "CpuCfsQuota": cpu,
        "CPUShares": shares,
        "CPUSet": cpuset,
        "PidsLimit": pids,
        "IPv4Forwarding": forwards(),
        "Debug": settings.log_level >= log::LevelFilter::Debug,
        "NFd": 0,
        "OomKillDisable": memory && version == "1",
        "NGoroutines": 0,
        "SystemTime": Timestamp::now().to_string(),
        "LoggingDriver": settings.logs.driver,
        "CgroupDriver": "cgroupfs",
        "CgroupVersion": version,
        "NEventsListener": 0,
    })
}

fn machine() -> Value {
    let kernel = rustix::system::uname();
    let memory = rustix::system::sysinfo();
    json!({
        "KernelVersion": kernel.release().to_string_lossy(),
        "OperatingSystem": os_release("PRETTY_NAME").unwrap_or_else(|| "Linux".to_owned()),
        "OSVersion": os_release("VERSION_ID").unwrap_or_default(),
        "OSType": "linux",
        "Architecture": kernel.machine().to_string_lossy(),
        "NCPU": std::thread::available_parallelism().map_or(1, usize::from),
        "MemTotal": memory.totalram.saturating_mul(memory.mem_unit.into()),
        "Name": kernel.nodename().to_string_lossy(),
    })
}

fn engine(settings: &Settings) -> Value {
    let security = match settings.rootless {
        true => json!([
            "name=seccomp,profile=builtin",
            "name=rootless",
            "name=cgroupns"
        ]),
        false => json!(["name=seccomp,profile=builtin", "name=cgroupns"]),
    };
    let registry = &settings.registry;
    let proxy = |text: &Option<String>| text.clone().unwrap_or_default();
    json!({
        "IndexServerAddress": "https://index.docker.io/v1/",
        "RegistryConfig": {
            "IndexConfigs": {"docker.io": {
                "Mirrors": registry.mirrors, "Name": "docker.io", "Official": true, "Secure": true,
            }},
            "InsecureRegistryCIDRs": registry.insecure,
            "Mirrors": registry.mirrors,
        },
        "GenericResources": null,
        "DockerRootDir": settings.root.to_string_lossy(),
        "HttpProxy": proxy(&registry.proxies.http),
        "HttpsProxy": proxy(&registry.proxies.https),
        "NoProxy": proxy(&registry.proxies.no_proxy),
        "Labels": [],
        "ExperimentalBuild": false,
        "ServerVersion": VERSION,
        "Runtimes": {"hull": {"path": "hull"}},
        "DefaultRuntime": "hull",
        "Swarm": {
            "NodeID": "", "NodeAddr": "", "LocalNodeState": "inactive", "ControlAvailable": false,
            "Error": "", "RemoteManagers": null,
        },
        "LiveRestoreEnabled": true,
        "Isolation": "",
        "InitBinary": "hull",
        "SecurityOptions": security,
        "Warnings": null,
        "ClientInfo": {
            "Debug": false, "Version": VERSION, "Os": "linux", "Context": "default",
            "Plugins": [], "Warnings": null,
        },
    })
}

/// `2` where the unified hierarchy is what `/sys/fs/cgroup` holds, else `1` (hybrid included).
fn cgroup_version() -> &'static str {
    match std::fs::exists("/sys/fs/cgroup/cgroup.controllers") {
        Ok(true) => "2",
        Ok(false) | Err(_) => "1",
    }
}

/// A value of os-release(5).
fn os_release(name: &str) -> Option<String> {
    let text = std::fs::read_to_string("/etc/os-release").ok()?;
    let mut pairs = text.lines().filter_map(|line| line.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    Some(value.trim_matches('"').to_owned())
}

/// Tells this host from others; machine-id(5), where it is set.
fn machine_id() -> String {
    let text = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    text.trim().to_owned()
}

fn forwards() -> bool {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward");
    text.is_ok_and(|text| text.trim() == "1")
}

/// Memory is the one size Docker shows in binary units.
fn gibibytes(bytes: Option<u64>) -> String {
    let bytes = bytes.unwrap_or(0);
    match bytes >> 30 {
        0 => ByteSize(bytes).human(4),
        _ => {
            format!("{:.4}", bytes as f64 / f64::from(1 << 30))
                .chars()
                .take(5)
                .collect::<String>()
                + "GiB"
        }
    }
}
