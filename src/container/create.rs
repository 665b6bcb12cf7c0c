//! `create`: a request and an image become a record.

use std::collections::BTreeMap;
use std::path::Path;

use super::{defaults, lifecycle, limits, notice_of, records, request::Request, to_spec};
use crate::base::{ContainerId, Name, random_name};
use crate::config::Settings;
use crate::error::{Context as _, Error, Kind, Result};
use crate::image::Image;
use crate::runtime::plan::validate_target;
use crate::state::{
    Config, LogConfig, NetworkMode, NewContainer, ProcessConfig, SCHEMA, UlimitConfig,
};

/// How often a random name is tried before giving up.
const NAME_TRIES: u32 = 100;

/// Makes a container and returns its id. The image's layers stay referenced from here on.
///
/// # Errors
/// `Conflict` for a name that is taken, `Invalid` for values outside their grammar.
pub fn create(settings: &Settings, request: &Request, image: &Image) -> Result<ContainerId> {
    limits::check(&request.limits)?;
    let config = config(settings, request, image)?;
    for target in image.config.config.volumes.keys() {
        let subject = || format!("volume {target:?} of the image");
        validate_target(Path::new(target), "", None).context(subject)?;
    }
    // A plan that cannot be made fails now, not at the first start.
    to_spec::check(&config)?;
    let command = command_line(&config.process.arguments());
    let records = records(settings);
    let publish = |name: &Name| {
        records.publish(&NewContainer {
            config: &config,
            name,
            command: command.clone(),
        })?;
        notice_of(&records, &config, name, "create", &[]);
        Ok::<(), Error>(())
    };
    if let Some(name) = &request.name {
        publish(name)?;
        return Ok(config.id);
    }
    for attempt in 0..NAME_TRIES {
        let name = random_name(random_bytes::<8>()?, attempt)?;
        match publish(&name) {
            Err(error) if error.kind() == Kind::Conflict => {}
            other => return other.map(|()| config.id),
        }
    }
    Err(Error::conflict("no free random name found").hint("choose one with --name"))
}

fn config(settings: &Settings, request: &Request, image: &Image) -> Result<Config> {
    let execution = &image.config.config;
    let id = ContainerId::from_bytes(random_bytes::<32>()?);
    let process = process(request, image)?;
    let stop_signal = request
        .stop_signal
        .as_deref()
        .or(execution.stop_signal.as_deref());
    let stop_signal = stop_signal
        .filter(|name| !name.is_empty())
        .unwrap_or("TERM");
    let stop_signal = crate::sys::signal::parse(stop_signal)
        .ok_or_else(|| Error::invalid(format!("Invalid signal: {stop_signal}")))?;
    let mut labels = execution.labels.clone();
    labels.extend(request.labels.clone());
    let mut exposed: Vec<String> = execution.exposed_ports.keys().cloned().collect();
    exposed.extend(request.expose.iter().cloned());
    Ok(Config {
        schema: SCHEMA,
        id,
        created: request.at,
        image_name: request.image.clone(),
        image: image.id,
        manifest: image.manifest,
        layers: image.diff_ids.clone(),
        process,
        hostname: hostname(request, &id)?,
        domainname: request.domainname.clone(),
        labels,
        mounts: request.mounts.clone(),
        network: request.network,
        cap_add: request.cap_add.clone(),
        cap_drop: request.cap_drop.clone(),
        privileged: request.privileged,
        read_only: request.read_only,
        init: request.init,
        auto_remove: request.auto_remove,
        shm_bytes: request.shm_bytes.unwrap_or(defaults::SHM_BYTES),
        ulimits: ulimits(settings, request),
        stop_signal,
        stop_timeout: request.stop_timeout.unwrap_or(defaults::STOP_TIMEOUT),
        log: log(settings, request)?,
        limits: limits::settled(request.limits.clone()),
        extra_hosts: request.extra_hosts.clone(),
        sysctls: request.sysctls.clone(),
        security_options: request.security_options.clone(),
        group_add: request.group_add.clone(),
        oom_score_adj: request.oom_score_adj,
        restart: request.lifecycle.restart,
        health: lifecycle::health(&request.lifecycle.health, execution),
        timeout: request.lifecycle.timeout,
        notify: request.lifecycle.notify.unwrap_or_default(),
        exposed_ports: exposed,
    })
}

/// The program: the user's words before the image's, Docker's rules.
fn process(request: &Request, image: &Image) -> Result<ProcessConfig> {
    let execution = &image.config.config;
    let words = (!request.command.is_empty()).then(|| request.command.clone());
    let (entrypoint, command) = match &request.entrypoint {
        // A given entry point clears the image's command, which was meant for the other one.
        Some(entrypoint) => (Some(entrypoint.clone()).filter(|e| !e.is_empty()), words),
        None => (
            execution.entrypoint.clone(),
            words.or_else(|| execution.cmd.clone()),
        ),
    };
    let process = ProcessConfig {
        entrypoint: entrypoint.filter(|list| !list.is_empty()),
        command: command.filter(|list| !list.is_empty()),
        env: environment(request, execution)?,
        working_dir: working_dir(request, &execution.working_dir)?,
        user: request
            .user
            .clone()
            .unwrap_or_else(|| execution.user.clone()),
        terminal: request.terminal,
        open_stdin: request.open_stdin,
    };
    if process.arguments().is_empty() {
        return Err(Error::invalid("No command specified")
            .hint("the image names no program: give one after the image"));
    }
    for text in process
        .arguments()
        .iter()
        .chain([&process.user, &process.working_dir])
    {
        refuse_nul(text)?;
    }
    Ok(process)
}

/// The image's variables, then the user's; a name without a value removes one.
fn environment(request: &Request, execution: &crate::image::Execution) -> Result<Vec<String>> {
    execution.check_env()?;
    let mut variables: Vec<(&str, &str)> = Vec::new();
    for entry in execution.env.iter().chain(&request.env) {
        refuse_nul(entry)?;
        let (name, value) = match entry.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (entry.as_str(), None),
        };
        if name.is_empty() || name.chars().any(char::is_control) {
            let why = format!("invalid environment variable: {entry}");
            return Err(Error::invalid(why));
        }
        let known = variables.iter_mut().find(|(known, _)| *known == name);
        match (known, value) {
            (Some(known), Some(value)) => known.1 = value,
            (None, Some(value)) => variables.push((name, value)),
            (_, None) => variables.retain(|(known, _)| *known != name),
        }
    }
    if !variables.iter().any(|(name, _)| *name == "PATH") {
        variables.insert(0, ("PATH", defaults::PATH));
    }
    let entries = variables.into_iter();
    Ok(entries
        .map(|(name, value)| format!("{name}={value}"))
        .collect())
}

fn working_dir(request: &Request, of_image: &str) -> Result<String> {
    if let Some(given) = &request.working_dir {
        if !given.starts_with('/') {
            return Err(Error::invalid(format!(
                "the working directory '{given}' is invalid, it needs to be an absolute path"
            )));
        }
        return Ok(given.clone());
    }
    // An image's relative directory is meant from the root, as Docker reads it.
    let separator = if of_image.starts_with('/') { "" } else { "/" };
    Ok(format!("{separator}{of_image}"))
}

fn hostname(request: &Request, id: &ContainerId) -> Result<String> {
    let Some(name) = &request.hostname else {
        if request.network == NetworkMode::Host {
            return Ok(rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .into_owned());
        }
        return Ok(id.short());
    };
    let shape = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(shape) {
        return Err(Error::invalid(format!("invalid hostname format: {name:?}"))
            .hint("use at most 64 letters, digits, dots and dashes"));
    }
    Ok(name.clone())
}

fn ulimits(settings: &Settings, request: &Request) -> Vec<UlimitConfig> {
    let (soft, hard) = defaults::NOFILE;
    // The kernel ignores a core limit of 0 for piped handlers; 1 is its "never", core(5).
    let own = [("nofile", soft, hard), ("core", 1, -1)];
    let own = own.map(|(name, soft, hard)| UlimitConfig {
        name: name.to_owned(),
        soft,
        hard,
    });
    let configured = settings.default_ulimits.iter().map(|limit| UlimitConfig {
        name: limit.name.clone(),
        soft: limit.soft,
        hard: limit.hard,
    });
    let all = own
        .into_iter()
        .chain(configured)
        .chain(request.ulimits.iter().cloned());
    let by_name: BTreeMap<String, UlimitConfig> =
        all.map(|limit| (limit.name.clone(), limit)).collect();
    by_name.into_values().collect()
}

fn log(settings: &Settings, request: &Request) -> Result<LogConfig> {
    let driver = request
        .log_driver
        .as_ref()
        .unwrap_or(&settings.logs.driver)
        .clone();
    if driver != "json-file" && driver != "none" {
        return Err(
            Error::unsupported(format!("log driver {driver:?} is not supported"))
                .hint("use json-file or none"),
        );
    }
    Ok(LogConfig {
        driver,
        max_bytes: request.log_max_bytes.or(settings.logs.max_size),
        max_files: request.log_max_files.unwrap_or(settings.logs.max_file),
    })
}

/// The command as `ps` shows it: arguments with blanks in them in quotes.
fn command_line(arguments: &[String]) -> String {
    let mut words = arguments.iter();
    let program = words.next().cloned().unwrap_or_default();
    words.fold(program, |line, word| match word.contains(' ') {
        true => format!("{line} '{word}'"),
        false => format!("{line} {word}"),
    })
}

fn refuse_nul(text: &str) -> Result<()> {
    if text.contains('\0') {
        return Err(Error::invalid(format!("{text:?} holds a NUL byte")));
    }
    Ok(())
}

pub(super) fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let flags = rustix::rand::GetRandomFlags::empty();
    rustix::rand::getrandom(&mut bytes[..], flags).context(|| "get random bytes")?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_with_blanks_are_quoted_as_docker_does() {
        let line = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            command_line(&words)
        };
        assert_eq!(line(&["sh", "-c", "echo a"]), "sh -c 'echo a'");
        assert_eq!(line(&["my program", "x"]), "my program x");
        assert_eq!(line(&[]), "");
    }
}
