//! `hull info`: the host and the settings, with Docker's field names.

use serde_json::{Map, Value, json};

use crate::base::{ByteSize, Digest};
use crate::cli::flags::{self, Matches};
use crate::cli::version::VERSION;
use crate::cli::{Command, output, store};
use crate::config::Settings;
use crate::error::Result;
use crate::state::{Record, Records, Status};

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
    let mut text = format!("Client:\n Version:    {VERSION}\n Context:    default\n\nServer:");
    for (label, field) in LINES {
        let shown = match &facts[*field] {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Array(items) => {
                let items = items.iter().filter_map(Value::as_str);
                items.collect::<Vec<_>>().join(" ")
            }
            Value::Number(bytes) if *field == "MemTotal" => gibibytes(bytes.as_u64()),
            other => other.to_string(),
        };
        text.push_str(&format!("\n {label}: {shown}"));
    }
    output::line(text)?;
    Ok(0)
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
    ("Security Options", "SecurityOptions"),
    ("Kernel Version", "KernelVersion"),
    ("Operating System", "OperatingSystem"),
    ("OSType", "OSType"),
    ("Architecture", "Architecture"),
    ("CPUs", "NCPU"),
    ("Total Memory", "MemTotal"),
    ("Name", "Name"),
    ("Docker Root Dir", "DockerRootDir"),
    ("HTTP Proxy", "HttpProxy"),
    ("HTTPS Proxy", "HttpsProxy"),
    ("No Proxy", "NoProxy"),
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

/// What is known about the engine and the host.
fn host(settings: &Settings) -> Map<String, Value> {
    let kernel = rustix::system::uname();
    let memory = rustix::system::sysinfo();
    let security = match settings.rootless {
        true => json!([
            "name=seccomp,profile=builtin",
            "name=rootless",
            "name=cgroupns"
        ]),
        false => json!(["name=seccomp,profile=builtin", "name=cgroupns"]),
    };
    let proxies = &settings.registry.proxies;
    let facts = json!({
        "ServerVersion": VERSION,
        "Driver": "overlay2",
        "LoggingDriver": settings.logs.driver,
        "CgroupDriver": "cgroupfs",
        "CgroupVersion": cgroup_version(),
        "SecurityOptions": security,
        "KernelVersion": kernel.release().to_string_lossy(),
        "OperatingSystem": operating_system(),
        "OSType": "linux",
        "Architecture": kernel.machine().to_string_lossy(),
        "NCPU": std::thread::available_parallelism().map_or(1, usize::from),
        "MemTotal": memory.totalram.saturating_mul(memory.mem_unit.into()),
        "Name": kernel.nodename().to_string_lossy(),
        "DockerRootDir": settings.root.to_string_lossy(),
        "HttpProxy": proxies.http,
        "HttpsProxy": proxies.https,
        "NoProxy": proxies.no_proxy,
        "RegistryConfig": {
            "Mirrors": settings.registry.mirrors,
            "InsecureRegistryCIDRs": settings.registry.insecure,
        },
    });
    facts.as_object().cloned().unwrap_or_default()
}

/// `2` where the unified hierarchy is what `/sys/fs/cgroup` holds, else `1` (hybrid included).
fn cgroup_version() -> &'static str {
    match std::fs::exists("/sys/fs/cgroup/cgroup.controllers") {
        Ok(true) => "2",
        Ok(false) | Err(_) => "1",
    }
}

/// PRETTY_NAME of os-release(5).
fn operating_system() -> String {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.map_or_else(
        || "Linux".to_owned(),
        |name| name.trim_matches('"').to_owned(),
    )
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
