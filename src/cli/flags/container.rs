//! The flags that `run` and `create` share → a typed [`Request`]. Each group has a file of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Command;

use super::{
    Matches, accounts, environment, integer, lifecycle, limits, list, mounts, namespaces, network,
    obtain, security, streams, switch, switch_on, text, value,
};
use crate::base::{ByteSize, Name};
use crate::config::Settings;
use crate::container::{ImageVolumes, Request, Systemd};
use crate::error::{Context as _, Error, Result};

/// Declares them.
pub fn declare(command: Command) -> Command {
    let command = declare_engine(declare_process(declare_program(command)));
    let command = environment::declare_more(obtain::declare(command));
    let command = security::declare(network::declare(command));
    let command = mounts::declare(accounts::declare(namespaces::declare(command)));
    let command = limits::declare_fixed(limits::declare(lifecycle::declare(command)));
    streams::declare(command)
        .arg(list("label", "list", "Set meta data on a container").short('l'))
        .arg(list(
            "label-file",
            "list",
            "Read in a line delimited file of labels",
        ))
        .arg(text("name", "string", "Assign a name to the container"))
        .arg(switch(
            "rm",
            "Remove the container and its anonymous volumes when it exits",
        ))
        .arg(switch_on(
            "sig-proxy",
            "Proxy received signals to the process",
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
    environment::declare(command)
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
            "Overwrite the default ENTRYPOINT of the image (a word, or a JSON list)",
        ))
        .arg(switch(
            "init",
            "Run an init that forwards signals and reaps processes",
        ))
        .arg(text(
            "systemd",
            "string",
            "Prepare for systemd: \"true\" if it is the command, \"always\", \"false\"",
        ))
}

fn declare_engine(command: Command) -> Command {
    let monitor = "Write the id of the container's monitor to the file";
    command
        .arg(list(
            "annotation",
            "map",
            "Add an annotation to the container",
        ))
        .arg(text("conmon-pidfile", "string", monitor))
        .arg(text(
            "pidfile",
            "string",
            "Write the id of the first process to the file",
        ))
        .arg(text(
            "runtime",
            "string",
            "Runtime to use for this container: hull",
        ))
        .arg(value::<ByteSize>("shm-size", "bytes", "Size of /dev/shm"))
}

/// Makes a request of the values.
pub fn request(matches: &Matches, settings: &Settings) -> Result<Request> {
    let words = matches.words();
    let mut request = Request::new(words[0]);
    request.command = words[1..].iter().map(|word| (*word).to_owned()).collect();
    let owned = |name: &str| matches.text(name).map(str::to_owned);
    request.name = matches.text("name").map(str::parse::<Name>).transpose()?;
    if matches.on("replace") && request.name.is_none() {
        let why = "cannot replace container without --name being set";
        return Err(Error::invalid(why));
    }
    request.entrypoint = matches.text("entrypoint").map(entrypoint);
    environment::fill(matches, settings, &mut request)?;
    request.working_dir = owned("workdir").filter(|path| !path.is_empty());
    request.user = owned("user");
    request.terminal = matches.on("tty");
    request.open_stdin = matches.on("interactive");
    request.auto_remove = matches.on("rm");
    namespaces::fill(matches, &mut request)?;
    network::fill(matches, &mut request)?;
    mounts::fill(matches, &mut request)?;
    security::fill(matches, &mut request)?;
    accounts::fill(matches, &mut request)?;
    request.init = matches.on("init");
    request.labels = labels(matches)?;
    request.stop_signal = owned("stop-signal");
    request.shm_bytes = matches.value::<ByteSize>("shm-size").map(|size| size.0);
    request.limits = limits::all_limits(matches)?;
    request.oom_score_adj = limits::oom_score(matches)?;
    request.lifecycle = lifecycle::read(matches)?;
    numbers(matches, &mut request)?;
    streams::fill(matches, &mut request)?;
    engine(matches, &mut request)?;
    Ok(request)
}

/// One word, taken as it is; or podman's form, a JSON list of words.
fn entrypoint(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    let list = text.starts_with('[').then(|| serde_json::from_str(text));
    match list {
        Some(Ok(words)) => words,
        _ => vec![text.to_owned()],
    }
}

/// What the engine does besides running the container.
fn engine(matches: &Matches, request: &mut Request) -> Result<()> {
    if let Some(name) = matches.text("runtime").filter(|name| *name != "hull") {
        let error = Error::invalid(format!("unknown or invalid runtime name: {name}"));
        return Err(error.hint("hull runs containers itself"));
    }
    let path = |name: &str| -> Result<Option<PathBuf>> {
        let given = matches.text(name).filter(|path| !path.is_empty());
        given.map(mounts::absolute).transpose()
    };
    request.pid_file = path("pidfile")?;
    request.monitor_pid_file = path("conmon-pidfile")?;
    request.id_file = path("cidfile")?;
    for text in matches.texts("annotation") {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        if key.is_empty() {
            let why = format!("invalid --annotation {text:?}: must be KEY=VALUE");
            return Err(Error::invalid(why));
        }
        request.annotations.insert(key.to_owned(), value.to_owned());
    }
    request.systemd = match matches.text("systemd") {
        None | Some("false") => Systemd::No,
        Some("true") => Systemd::IfItIsTheCommand,
        Some("always") => Systemd::Always,
        Some(other) => {
            let why = format!("invalid --systemd {other:?}: use true, false or always");
            return Err(Error::invalid(why));
        }
    };
    request.image_volumes = match matches.text("image-volume") {
        None | Some("" | "anonymous" | "bind" | "ignore") => ImageVolumes::Directories,
        Some("tmpfs") => ImageVolumes::Tmpfs,
        Some(other) => {
            let why = format!("invalid --image-volume {other:?}: use anonymous, tmpfs or ignore");
            return Err(Error::invalid(why));
        }
    };
    Ok(())
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

fn labels(matches: &Matches) -> Result<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    let mut add = |text: &str| {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        labels.insert(key.to_owned(), value.to_owned());
    };
    for file in matches.texts("label-file") {
        let lines = environment::file_lines(file);
        let lines = lines.context(|| format!("invalid label file ({file})"))?;
        lines.iter().for_each(|line| add(line));
    }
    for text in matches.texts("label") {
        if text.is_empty() || text.starts_with('=') {
            let why = format!("invalid label '{text}': empty name");
            let flag = format!("invalid argument {text:?} for \"-l, --label\" flag: {why}");
            return Err(Error::invalid(flag));
        }
        add(text);
    }
    Ok(labels)
}
