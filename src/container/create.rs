//! `create`: a request and an image become a record.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::request::{ImageVolumes, Request};
use super::{
    defaults, donor, environment, lifecycle, limits, logging, notice_of, records, systemd, to_spec,
};
use crate::base::{ContainerId, Name, random_name};
use crate::config::Settings;
use crate::error::{Context as _, Error, Kind, Result};
use crate::image::{Execution, Image};
use crate::runtime::plan::validate_target;
use crate::state::{
    Config, DnsConfig, LogConfig, Mount, MountKind, NamespaceMode, NetworkMode, NewContainer,
    PortBinding, ProcessConfig, Records, SCHEMA, UlimitConfig,
};

/// How often a random name is tried before giving up.
const NAME_TRIES: u32 = 100;

/// Makes a container and returns its id. The image's layers stay referenced from here on.
///
/// # Errors
/// `Conflict` for a name that is taken, `Invalid` for values outside their grammar.
pub fn create(settings: &Settings, request: &Request, image: &Image) -> Result<ContainerId> {
    limits::check(&request.limits)?;
    let records = records(settings);
    let config = config(settings, &records, request, image)?;
    for target in image.config.config.volumes.keys() {
        let subject = || format!("volume {target:?} of the image");
        validate_target(Path::new(target), "", None).context(subject)?;
    }
    // A plan that cannot be made fails now, not at the first start.
    to_spec::check(&config)?;
    let command = command_line(&config.process.arguments());
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

fn config(
    settings: &Settings,
    records: &Records,
    request: &Request,
    image: &Image,
) -> Result<Config> {
    let execution = &image.config.config;
    let id = ContainerId::from_bytes(random_bytes::<32>()?);
    let mut process = process(request, image)?;
    let systemd = systemd::is_wanted(request.systemd, &process);
    if systemd {
        systemd::add_environment(&mut process.env, &id);
    }
    let (network, namespaces) = donor::resolve(records, request)?;
    let mut labels = execution.labels.clone();
    labels.extend(request.labels.clone());
    Ok(Config {
        schema: SCHEMA,
        id,
        created: request.at,
        image_name: request.image.clone(),
        image: image.id,
        manifest: image.manifest,
        layers: image.diff_ids.clone(),
        process,
        hostname: hostname(records, request, &id)?,
        domainname: request.domainname.clone(),
        labels,
        mounts: mounts(records, request, execution, systemd)?,
        network,
        cap_add: request.cap_add.clone(),
        cap_drop: request.cap_drop.clone(),
        privileged: request.privileged,
        read_only: request.read_only,
        init: request.init,
        auto_remove: request.auto_remove,
        shm_bytes: request.shm_bytes.unwrap_or(defaults::SHM_BYTES),
        ulimits: ulimits(settings, request),
        stop_signal: stop_signal(request, execution, systemd)?,
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
        no_healthcheck: request.lifecycle.health.disabled,
        timeout: request.lifecycle.timeout,
        notify: request.lifecycle.notify.unwrap_or_default(),
        exposed_ports: exposed(request, execution),
        namespaces,
        ports: request.ports.clone(),
        publish_all: request.publish_all,
        dns: dns(settings, request),
        files: request.files.clone(),
        annotations: request.annotations.clone(),
        umask: request.umask,
        pid_file: request.pid_file.clone(),
        monitor_pid_file: request.monitor_pid_file.clone(),
        id_file: request.id_file.clone(),
        systemd,
    })
}

/// What the image exposes, the user adds, and what is published, as Docker shows it.
fn exposed(request: &Request, execution: &Execution) -> Vec<String> {
    let mut exposed: Vec<String> = execution.exposed_ports.keys().cloned().collect();
    exposed.extend(request.expose.iter().cloned());
    exposed.extend(request.ports.iter().map(PortBinding::container));
    exposed.sort_unstable();
    exposed.dedup();
    exposed
}

fn stop_signal(request: &Request, execution: &Execution, systemd: bool) -> Result<i32> {
    let given = request.stop_signal.as_deref();
    let of_systemd = systemd.then_some(systemd::STOP_SIGNAL);
    let name = given.or(of_systemd).or(execution.stop_signal.as_deref());
    let name = name.filter(|name| !name.is_empty()).unwrap_or("TERM");
    crate::sys::signal::parse(name).ok_or_else(|| Error::invalid(format!("Invalid signal: {name}")))
}

/// What was asked for, then what other containers and the image add where nothing is yet.
fn mounts(
    records: &Records,
    request: &Request,
    execution: &Execution,
    systemd: bool,
) -> Result<Vec<Mount>> {
    let mut mounts = request.mounts.clone();
    let mut add = |mount: Mount| {
        if !mounts.iter().any(|known| known.target == mount.target) {
            mounts.push(mount);
        }
    };
    for text in &request.volumes_from {
        donor::mounts_of(records, text)?
            .into_iter()
            .for_each(&mut add);
    }
    if request.image_volumes == ImageVolumes::Tmpfs {
        let targets = execution.volumes.keys();
        targets
            .map(|target| scratch(target, &["mode=755"]))
            .for_each(&mut add);
    }
    if systemd {
        systemd::mounts().into_iter().for_each(&mut add);
    }
    Ok(mounts)
}

/// A tmpfs.
pub(super) fn scratch(target: &str, options: &[&str]) -> Mount {
    Mount {
        kind: MountKind::Tmpfs,
        source: PathBuf::new(),
        target: PathBuf::from(target),
        options: options.iter().map(|option| (*option).to_owned()).collect(),
    }
}

/// The command line, then the settings; what neither says is the host's, at every start.
fn dns(settings: &Settings, request: &Request) -> DnsConfig {
    let either = |given: &[String], configured: &[String]| match given.is_empty() {
        true => configured.to_vec(),
        false => given.to_vec(),
    };
    if let NetworkMode::Container(_) = request.network {
        return DnsConfig::default();
    }
    let (given, configured) = (&request.dns, &settings.dns);
    DnsConfig {
        servers: match given.servers.is_empty() {
            true => configured.servers.clone(),
            false => given.servers.clone(),
        },
        search: either(&given.search, &configured.search),
        options: either(&given.options, &configured.options),
    }
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
        env: environment::of(request, execution)?,
        working_dir: working_dir(request, &execution.working_dir)?,
        user: request
            .user
            .clone()
            .unwrap_or_else(|| execution.user.clone()),
        terminal: request.terminal,
        open_stdin: request.open_stdin,
        stdin_once: request.stdin_once,
        unset_env: request.unset_env.clone(),
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

fn hostname(records: &Records, request: &Request, id: &ContainerId) -> Result<String> {
    if let Some(name) = &request.hostname {
        return Ok(name.clone());
    }
    let of_another = match (&request.network, &request.namespaces.uts) {
        (NetworkMode::Host, _) | (_, NamespaceMode::Host) => {
            let name = rustix::system::uname();
            return Ok(name.nodename().to_string_lossy().into_owned());
        }
        (_, NamespaceMode::Container(name)) | (NetworkMode::Container(name), _) => name,
        _ => return Ok(id.short()),
    };
    Ok(records.config(&records.find(of_another)?)?.hostname)
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
    let driver = request.log_driver.as_deref();
    let log = logging::settle(&settings.logs, driver, &request.log_options)?;
    if log.driver == logging::PASSTHROUGH && request.terminal {
        return Err(Error::invalid(
            "conflicting options: cannot specify both --tty and --log-driver passthrough",
        ));
    }
    Ok(log)
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

pub(super) fn refuse_nul(text: &str) -> Result<()> {
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
