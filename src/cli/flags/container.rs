//! The flags that `run` and `create` share → a typed [`Request`].

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Command;

use super::{Matches, integer, lifecycle, limits, list, mounts, switch, switch_on, text, value};
use crate::base::{ByteSize, ContainerId, Name};
use crate::container::Request;
use crate::error::{Context as _, Error, Kind, Result};
use crate::state::{NetworkMode, UlimitConfig};

/// Declares them.
pub fn declare(command: Command) -> Command {
    let command = lifecycle::declare(declare_process(declare_program(command)));
    let command = limits::declare_fixed(limits::declare(command));
    declare_isolation(command)
        .arg(text(
            "cidfile",
            "string",
            "Write the container ID to the file",
        ))
        .arg(list("label", "list", "Set meta data on a container").short('l'))
        .arg(list(
            "label-file",
            "list",
            "Read in a line delimited file of labels",
        ))
        .arg(text(
            "log-driver",
            "string",
            "Logging driver for the container",
        ))
        .arg(list("log-opt", "list", "Log driver options"))
        .arg(text("name", "string", "Assign a name to the container"))
        .arg(text(
            "platform",
            "string",
            "Set platform if the image has several",
        ))
        .arg(text(
            "pull",
            "string",
            "Pull image before creating (\"always\", \"missing\", \"never\")",
        ))
        .arg(switch("quiet", "Suppress the pull output").short('q'))
        .arg(switch(
            "rm",
            "Remove the container and its anonymous volumes when it exits",
        ))
        .arg(text(
            "stop-signal",
            "string",
            "Signal to stop the container",
        ))
        .arg(integer(
            "stop-timeout",
            "Timeout (in seconds) to stop a container",
        ))
}

/// The flags of one program, which `exec` has too.
pub fn declare_program(command: Command) -> Command {
    command
        .arg(list("env", "list", "Set environment variables").short('e'))
        .arg(list(
            "env-file",
            "list",
            "Read in a file of environment variables",
        ))
        .arg(switch("interactive", "Keep STDIN open even if not attached").short('i'))
        .arg(switch("tty", "Allocate a pseudo-TTY").short('t'))
        .arg(
            text(
                "user",
                "string",
                "Username or UID (format: <name|uid>[:<group|gid>])",
            )
            .short('u'),
        )
        .arg(
            text(
                "workdir",
                "string",
                "Working directory inside the container",
            )
            .short('w'),
        )
}

fn declare_process(command: Command) -> Command {
    command
        .arg(text(
            "entrypoint",
            "string",
            "Overwrite the default ENTRYPOINT of the image",
        ))
        .arg(list("group-add", "list", "Add additional groups to join"))
        .arg(text("hostname", "string", "Container host name").short('h'))
        .arg(text("domainname", "string", "Container NIS domain name"))
        .arg(switch(
            "init",
            "Run an init that forwards signals and reaps processes",
        ))
        .arg(list("ulimit", "ulimit", "Ulimit options"))
}

fn declare_isolation(command: Command) -> Command {
    command
        .arg(list(
            "add-host",
            "list",
            "Add a custom host-to-IP mapping (host:ip)",
        ))
        .arg(list("cap-add", "list", "Add Linux capabilities"))
        .arg(list("cap-drop", "list", "Drop Linux capabilities"))
        .arg(list("expose", "list", "Expose a port or a range of ports"))
        .arg(list(
            "mount",
            "mount",
            "Attach a filesystem mount to the container",
        ))
        .arg(
            text(
                "network",
                "string",
                "Connect the container to a network: none or host",
            )
            .alias("net"),
        )
        .arg(switch(
            "privileged",
            "Give extended privileges to the container",
        ))
        .arg(switch(
            "read-only",
            "Mount the container's root filesystem as read only",
        ))
        .arg(list("security-opt", "list", "Security options"))
        .arg(value::<ByteSize>("shm-size", "bytes", "Size of /dev/shm"))
        .arg(list("sysctl", "map", "Sysctl options"))
        .arg(list("tmpfs", "list", "Mount a tmpfs directory"))
        .arg(
            list(
                "volume",
                "list",
                "Bind mount a directory or file (source:target[:options])",
            )
            .short('v'),
        )
        .arg(switch_on(
            "sig-proxy",
            "Proxy received signals to the process",
        ))
}

/// Makes a request of the values.
pub fn request(matches: &Matches) -> Result<Request> {
    let words = matches.words();
    let mut request = Request::new(words[0]);
    request.command = words[1..].iter().map(|word| (*word).to_owned()).collect();
    let owned = |name: &str| matches.text(name).map(str::to_owned);
    let many = |name: &str| -> Vec<String> {
        matches.texts(name).into_iter().map(str::to_owned).collect()
    };
    request.name = matches.text("name").map(str::parse::<Name>).transpose()?;
    request.entrypoint = matches.text("entrypoint").map(|word| {
        if word.is_empty() {
            Vec::new()
        } else {
            vec![word.to_owned()]
        }
    });
    request.env = environment(matches)?;
    request.working_dir = owned("workdir");
    request.user = owned("user");
    request.hostname = owned("hostname");
    request.domainname = owned("domainname").unwrap_or_default();
    request.terminal = matches.on("tty");
    request.open_stdin = matches.on("interactive");
    request.auto_remove = matches.on("rm");
    request.network = network(matches.text("network"))?;
    request.mounts = mounts::all(matches)?;
    request.read_only = matches.on("read-only");
    request.cap_add = many("cap-add");
    request.cap_drop = many("cap-drop");
    request.privileged = matches.on("privileged");
    request.init = matches.on("init");
    request.labels = labels(matches)?;
    request.stop_signal = owned("stop-signal");
    request.ulimits = matches
        .texts("ulimit")
        .into_iter()
        .map(ulimit)
        .collect::<Result<_>>()?;
    request.shm_bytes = matches.value::<ByteSize>("shm-size").map(|size| size.0);
    request.limits = limits::all_limits(matches)?;
    request.oom_score_adj = limits::oom_score(matches)?;
    request.group_add = many("group-add");
    request.security_options = security_options(matches)?;
    request.extra_hosts = extra_hosts(matches)?;
    request.sysctls = pairs(matches, "sysctl")?;
    request.expose = many("expose");
    request.lifecycle = lifecycle::read(matches)?;
    request.log_driver = owned("log-driver");
    numbers(matches, &mut request)?;
    log_options(matches, &mut request)?;
    Ok(request)
}

fn numbers(matches: &Matches, request: &mut Request) -> Result<()> {
    let within = |name: &str, low: i64, high: i64| -> Result<Option<i64>> {
        match matches.value::<i64>(name) {
            Some(number) if !(low..=high).contains(&number) => Err(Error::invalid(format!(
                "invalid --{name} {number}: must be from {low} to {high}"
            ))),
            other => Ok(other),
        }
    };
    let timeout = within("stop-timeout", -1, i64::from(u32::MAX) - 1)?;
    // -1 waits for ever; the largest number of seconds is as good.
    request.stop_timeout = timeout.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX));
    Ok(())
}

fn network(name: Option<&str>) -> Result<NetworkMode> {
    match name {
        None | Some("none" | "default") => Ok(NetworkMode::None),
        Some("host") => Ok(NetworkMode::Host),
        Some(other) => Err(Error::not_found(format!("network {other} not found"))
            .hint("this version knows the networks none and host")),
    }
}

/// Environment files first, then `--env`; a name alone takes the caller's value, if there is one.
pub fn environment(matches: &Matches) -> Result<Vec<String>> {
    let mut entries = Vec::new();
    for file in matches.texts("env-file") {
        for line in file_lines(file)? {
            entries.extend(entry(&line).context(|| format!("environment file {file}"))?);
        }
    }
    for text in matches.texts("env") {
        entries.extend(entry(text)?);
    }
    Ok(entries)
}

fn entry(text: &str) -> Result<Option<String>> {
    let name = text.split('=').next().unwrap_or("");
    if name.is_empty() {
        return Err(Error::invalid(format!(
            "invalid environment variable: {text}"
        )));
    }
    if name.contains(char::is_whitespace) {
        return Err(Error::invalid(format!(
            "variable '{name}' contains whitespaces"
        )));
    }
    if text.contains('=') {
        return Ok(Some(text.to_owned()));
    }
    Ok(std::env::var(name)
        .ok()
        .map(|value| format!("{name}={value}")))
}

/// The lines of an environment or label file: no comments, no leading blanks.
fn file_lines(file: &str) -> Result<Vec<String>> {
    let text = fs::read_to_string(file).context(|| format!("open {file}"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let lines = text.lines().map(str::trim_start);
    Ok(lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect())
}

fn labels(matches: &Matches) -> Result<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    let mut add = |text: &str| {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        labels.insert(key.to_owned(), value.to_owned());
    };
    for file in matches.texts("label-file") {
        file_lines(file)?.iter().for_each(|line| add(line));
    }
    matches.texts("label").into_iter().for_each(add);
    Ok(labels)
}

fn pairs(matches: &Matches, name: &str) -> Result<BTreeMap<String, String>> {
    let pair = |text: &str| {
        let (key, value) = text.split_once('=').ok_or_else(|| {
            Error::invalid(format!("invalid --{name} {text:?}: must be KEY=VALUE"))
        })?;
        Ok((key.to_owned(), value.to_owned()))
    };
    matches.texts(name).into_iter().map(pair).collect()
}

/// `name=soft[:hard]`, as docker's go-units.
fn ulimit(text: &str) -> Result<UlimitConfig> {
    let refuse = || Error::invalid(format!("invalid ulimit argument: {text}"));
    let (name, values) = text.split_once('=').ok_or_else(refuse)?;
    let (soft, hard) = values.split_once(':').unwrap_or((values, values));
    let number = |text: &str| text.parse::<i64>().map_err(|_| refuse());
    let (soft, hard) = (number(soft)?, number(hard)?);
    if hard != -1 && (soft > hard || soft == -1) {
        return Err(Error::invalid(format!(
            "ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}"
        )));
    }
    Ok(UlimitConfig {
        name: name.to_owned(),
        soft,
        hard,
    })
}

fn security_options(matches: &Matches) -> Result<Vec<String>> {
    let known = |text: &str| -> Result<String> {
        let text = text.replacen(':', "=", usize::from(!text.contains('=')));
        let (key, value) = text.split_once('=').unwrap_or((&text, ""));
        match (key, value) {
            ("no-new-privileges", "" | "true" | "false")
            | ("systempaths", "unconfined")
            | ("label" | "apparmor", _) => Ok(text),
            ("seccomp", "unconfined") => Ok(text),
            ("seccomp", path) => {
                let path = fs::canonicalize(path).context(|| format!("seccomp profile {path}"))?;
                Ok(format!("seccomp={}", path.display()))
            }
            _ => Err(Error::invalid(format!("invalid --security-opt: {text:?}"))),
        }
    };
    matches
        .texts("security-opt")
        .into_iter()
        .map(known)
        .collect()
}

/// `host:ip` or `host=ip`; the name may not hold what would forge a line of /etc/hosts.
fn extra_hosts(matches: &Matches) -> Result<Vec<String>> {
    let check = |text: &str| {
        let refuse = || Error::invalid(format!("bad format for add-host: {text:?}"));
        let (name, address) = text.split_once(['=', ':']).ok_or_else(refuse)?;
        let shape = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
        let address = address.trim_start_matches('[').trim_end_matches(']');
        if name.is_empty() || !name.bytes().all(shape) {
            return Err(refuse());
        }
        let parsed = address.parse::<std::net::IpAddr>();
        let address = parsed
            .map_err(|_| Error::invalid(format!("invalid IP address in add-host: {address:?}")))?;
        Ok(format!("{name}={address}"))
    };
    matches.texts("add-host").into_iter().map(check).collect()
}

fn log_options(matches: &Matches, request: &mut Request) -> Result<()> {
    for (key, value) in pairs(matches, "log-opt")? {
        match key.as_str() {
            "max-size" if value == "-1" => request.log_max_bytes = Some(u64::MAX),
            "max-size" => request.log_max_bytes = Some(value.parse::<ByteSize>()?.0),
            "max-file" => {
                let files = value.parse().ok().filter(|files| *files > 0);
                request.log_max_files = Some(
                    files.ok_or_else(|| Error::invalid(format!("invalid max-file {value:?}")))?,
                );
            }
            other => return Err(Error::invalid(format!("unknown log opt '{other}'"))),
        }
    }
    Ok(())
}

/// When to pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pull {
    Always,
    Missing,
    Never,
}

/// The value of `--pull`.
pub fn pull(matches: &Matches) -> Result<Pull> {
    match matches.text("pull") {
        None | Some("missing" | "") => Ok(Pull::Missing),
        Some("always") => Ok(Pull::Always),
        Some("never") => Ok(Pull::Never),
        Some(other) => Err(Error::invalid(format!(
            "invalid pull option: '{other}': must be one of \"always\", \"missing\" or \"never\""
        ))),
    }
}

/// The file of `--cidfile`, reserved before the container is made.
#[derive(Debug)]
pub struct IdFile {
    path: PathBuf,
    file: fs::File,
    written: bool,
}

impl IdFile {
    /// Makes the file; one that is there belongs to another container.
    pub fn reserve(matches: &Matches) -> Result<Option<IdFile>> {
        let Some(path) = matches.text("cidfile") else {
            return Ok(None);
        };
        match fs::File::create_new(path) {
            Ok(file) => Ok(Some(IdFile {
                path: Path::new(path).to_owned(),
                file,
                written: false,
            })),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Error::new(
                Kind::Conflict,
                format!(
                    "container ID file found, make sure the other container isn't running or \
                     delete {path}"
                ),
            )),
            Err(error) => Err(error).context(|| format!("create the container ID file {path}")),
        }
    }

    /// Writes the id, without a newline.
    pub fn write(mut self, id: &ContainerId) -> Result<()> {
        let written = self.file.write_all(id.to_string().as_bytes());
        written.context(|| format!("write {}", self.path.display()))?;
        self.written = true;
        Ok(())
    }
}

impl Drop for IdFile {
    fn drop(&mut self) {
        if !self.written {
            // No container was made: the next try must find the name free.
            let _ = fs::remove_file(&self.path);
        }
    }
}
