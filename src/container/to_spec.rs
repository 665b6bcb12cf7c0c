//! A container's record as an OCI runtime spec: pure, golden-tested.

mod mounts;

use std::path::PathBuf;

use oci_spec::runtime::{
    Capabilities, Capability, Linux, LinuxCapabilities, LinuxNamespace, LinuxNamespaceType,
    PosixRlimitBuilder, PosixRlimitType, Process, Root, Spec, User as OciUser,
};

use super::devices::{Found, Node};
use super::{defaults, limits};
use crate::error::{Error, Result};
use crate::rootfs::User;
use crate::runtime::plan::validate_target;
use crate::state::{Config, MountKind, NetworkMode};
use crate::sys::seccomp::SockFilter;

/// What the spec depends on besides the record.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The container lives in a user namespace of ours.
    pub user_namespace: bool,
    /// The highest group id that has a mapping there.
    pub highest_gid: u32,
    /// Where the files are that are bound into /etc.
    pub files: PathBuf,
    /// The devices that the limits name.
    pub devices: Found,
    /// The directories of this host's CPUs that count how often each was too hot.
    pub throttled_cpus: Vec<String>,
    /// Namespaces of other containers: kind and a path that stands for each.
    pub joined: Vec<(LinuxNamespaceType, PathBuf)>,
    /// Where the files are that belong to another container's network.
    pub network_files: Option<PathBuf>,
    /// The host has message queues to be seen.
    pub has_mqueue: bool,
    /// Files beside those that every container gets into /etc.
    pub more_files: Vec<&'static str>,
}

/// Fails on a record that no spec can be made of.
pub fn check(config: &Config) -> Result<()> {
    capabilities(config)?;
    for mount in &config.mounts {
        let bind = (mount.kind == MountKind::Bind).then_some(Some(mount.source.as_path()));
        validate_target(&mount.target, "", bind)?;
    }
    for limit in &config.ulimits {
        rlimit_type(&limit.name)?;
    }
    Ok(())
}

/// The spec of this container, run as `user`.
pub fn to_spec(config: &Config, user: &User, around: &Surroundings) -> Result<Spec> {
    let mut spec = Spec::default();
    let mut root = Root::default();
    // The root is handed over as a mount; the path is only its name.
    root.set_path(PathBuf::from("rootfs"));
    root.set_readonly(Some(config.read_only));
    spec.set_root(Some(root));
    spec.set_hostname(Some(config.hostname.clone()).filter(|_| own_uts(config)));
    spec.set_domainname(Some(config.domainname.clone()).filter(|name| !name.is_empty()));
    spec.set_process(Some(process(config, user)?));
    spec.set_mounts(Some(mounts::all(config, around)));
    spec.set_linux(Some(linux(config, around)?));
    let annotations = config.annotations.clone();
    spec.set_annotations(Some(annotations.into_iter().collect()));
    Ok(spec)
}

/// The process of `exec`, with these words, in this container.
pub fn exec_process(
    config: &Config,
    user: &User,
    words: &[String],
    privileged: bool,
) -> Result<Process> {
    let mut config = config.clone();
    config.process.entrypoint = None;
    config.process.command = Some(words.to_vec());
    config.privileged |= privileged;
    process(&config, user)
}

fn own_uts(config: &Config) -> bool {
    config.namespaces.uts.is_new()
}

fn process(config: &Config, user: &User) -> Result<Process> {
    let mut process = Process::default();
    let mut oci_user = OciUser::default();
    oci_user.set_uid(user.uid).set_gid(user.gid);
    oci_user.set_additional_gids(Some(user.groups.clone()));
    oci_user.set_umask(config.umask);
    process.set_user(oci_user);
    process.set_args(Some(config.process.arguments()));
    process.set_env(Some(environment(config, user)));
    process.set_cwd(PathBuf::from(&config.process.working_dir));
    process.set_terminal(Some(config.process.terminal));
    process.set_oom_score_adj(config.oom_score_adj);
    let no_new_privileges = config.security_options.iter().any(|option| {
        matches!(
            option.as_str(),
            "no-new-privileges" | "no-new-privileges=true" | "no-new-privileges:true"
        )
    });
    process.set_no_new_privileges(Some(no_new_privileges));
    let bounding = capabilities(config)?;
    // Docker's rule: who is not root starts with nothing in effect.
    let effective = if user.uid == 0 {
        bounding.clone()
    } else {
        Capabilities::new()
    };
    let mut sets = LinuxCapabilities::default();
    sets.set_bounding(Some(bounding));
    sets.set_effective(Some(effective.clone()))
        .set_permitted(Some(effective));
    sets.set_inheritable(None).set_ambient(None);
    process.set_capabilities(Some(sets));
    let limits = config.ulimits.iter().map(|limit| {
        let value = |n: i64| u64::try_from(n).unwrap_or(u64::MAX);
        let rlimit = PosixRlimitBuilder::default()
            .typ(rlimit_type(&limit.name)?)
            .soft(value(limit.soft))
            .hard(value(limit.hard))
            .build();
        rlimit.map_err(|error| Error::invalid(format!("ulimit {}: {error}", limit.name)))
    });
    process.set_rlimits(Some(limits.collect::<Result<_>>()?));
    Ok(process)
}

/// The record's variables and those every container gets, where they are not set.
fn environment(config: &Config, user: &User) -> Vec<String> {
    let mut env = config.process.env.clone();
    let unset = &config.process.unset_env;
    let mut add = |name: &str, value: &str| {
        let prefix = format!("{name}=");
        if unset.iter().any(|other| other == name || other == "*") {
            return;
        }
        if !env.iter().any(|entry| entry.starts_with(&prefix)) {
            env.push(format!("{prefix}{value}"));
        }
    };
    add("HOSTNAME", &config.hostname);
    if config.process.terminal {
        add("TERM", "xterm");
    }
    add("HOME", &user.home);
    add("container", "hull");
    env
}

/// The bounding set: `--privileged` is everything, `--cap-drop` before `--cap-add`, as Docker.
fn capabilities(config: &Config) -> Result<Capabilities> {
    let all = || caps::all().into_iter().collect::<Vec<_>>();
    let mut set: Vec<caps::Capability> = if config.privileged {
        all()
    } else {
        defaults::CAPABILITIES.to_vec()
    };
    let parse = |field: &str, name: &str| -> Result<caps::Capability> {
        let upper = name.to_ascii_uppercase();
        let full = if upper.starts_with("CAP_") {
            upper
        } else {
            format!("CAP_{upper}")
        };
        full.parse().map_err(|_| {
            Error::invalid(format!("invalid {field}: unknown capability: {full:?}"))
                .hint("names are those of capabilities(7), e.g. NET_ADMIN, or ALL")
        })
    };
    let is_all = |name: &String| name.eq_ignore_ascii_case("all");
    if config.cap_add.iter().any(is_all) {
        set = all();
    }
    if config.cap_drop.iter().any(is_all) {
        set.clear();
    }
    for name in config.cap_add.iter().filter(|name| !is_all(name)) {
        set.push(parse("CapAdd", name)?);
    }
    for name in config.cap_drop.iter().filter(|name| !is_all(name)) {
        let dropped = parse("CapDrop", name)?;
        set.retain(|capability| *capability != dropped);
    }
    Ok(set.into_iter().filter_map(oci_capability).collect())
}

/// The same capability in the OCI crate's enumeration.
fn oci_capability(capability: caps::Capability) -> Option<Capability> {
    capability.to_string().strip_prefix("CAP_")?.parse().ok()
}

fn rlimit_type(name: &str) -> Result<PosixRlimitType> {
    let text = format!("RLIMIT_{}", name.to_ascii_uppercase());
    serde_json::from_value(serde_json::Value::String(text))
        .map_err(|_| Error::invalid(format!("invalid ulimit type: {name}")))
}

fn namespaces(config: &Config, around: &Surroundings) -> Vec<LinuxNamespace> {
    let of = &config.namespaces;
    let new = [
        (LinuxNamespaceType::Mount, true),
        // That of another container is the launcher's business: it holds for children only.
        (LinuxNamespaceType::Pid, of.pid.is_new()),
        (LinuxNamespaceType::Ipc, of.ipc.is_new()),
        (LinuxNamespaceType::Cgroup, of.cgroup.is_new()),
        (LinuxNamespaceType::Uts, own_uts(config)),
        (
            LinuxNamespaceType::Network,
            config.network == NetworkMode::None,
        ),
    ];
    let namespace = |kind, path| {
        let mut namespace = LinuxNamespace::default();
        namespace.set_typ(kind).set_path(path);
        namespace
    };
    let new = new.into_iter().filter(|(_, wanted)| *wanted);
    let new = new.map(|(kind, _)| namespace(kind, None));
    let joined = around.joined.iter();
    let joined = joined.map(|(kind, path)| namespace(*kind, Some(path.clone())));
    new.chain(joined).collect()
}

fn linux(config: &Config, around: &Surroundings) -> Result<Linux> {
    let mut linux = Linux::default();
    linux.set_namespaces(Some(namespaces(config, around)));
    let resources = limits::resources(&config.limits, config.privileged, &around.devices);
    linux.set_resources(Some(resources));
    // A user namespace makes no device nodes: there the host's are bound.
    let nodes = around.devices.nodes.iter().map(Node::to_spec);
    let nodes = (!around.user_namespace).then(|| nodes.collect::<Vec<_>>());
    linux.set_devices(nodes.filter(|nodes| !nodes.is_empty()));
    linux.set_seccomp(None);
    let mut sysctls: std::collections::HashMap<String, String> =
        config.sysctls.clone().into_iter().collect();
    if config.network == NetworkMode::None {
        for (key, value) in network_sysctls(around) {
            sysctls.entry(key.to_owned()).or_insert(value);
        }
    }
    linux.set_sysctl(Some(sysctls));
    let (masked, read_only) = protected(config, around);
    linux.set_masked_paths(masked);
    linux.set_readonly_paths(read_only);
    Ok(linux)
}

type Paths = Option<Vec<String>>;

/// What is masked and what is read only; neither for a privileged container.
fn protected(config: &Config, around: &Surroundings) -> (Paths, Paths) {
    let values = |key: &str| -> Vec<String> {
        let options = config.security_options.iter();
        let values = options.filter_map(|option| option.strip_prefix(key)?.strip_prefix('='));
        let paths = values.flat_map(|value| value.split(':'));
        paths.map(str::to_owned).collect()
    };
    let more = values("mask");
    let unmasked = values("unmask");
    let all = unmasked.iter().any(|path| path.eq_ignore_ascii_case("all"));
    let systempaths = config
        .security_options
        .iter()
        .any(|option| option == "systempaths=unconfined");
    if config.privileged || systempaths || all {
        return (Some(more).filter(|more| !more.is_empty()), None);
    }
    let list = |paths: &[&str]| {
        let paths = paths.iter().map(|path| (*path).to_owned());
        let kept = paths.filter(|path| !unmasked.contains(path));
        kept.collect::<Vec<_>>()
    };
    let mut masked = list(&defaults::MASKED_PATHS);
    masked.extend(around.throttled_cpus.iter().cloned());
    if binds_sys(config, around) {
        masked.push(defaults::MASKED_IN_BOUND_SYS.to_owned());
    }
    masked.extend(more);
    (Some(masked), Some(list(&defaults::READ_ONLY_PATHS)))
}

/// Whether /sys is the host's, bound, and not one of its own.
fn binds_sys(config: &Config, around: &Surroundings) -> bool {
    around.user_namespace && config.network == NetworkMode::Host
}

/// Kernel parameters of a network namespace of its own, as Docker sets them: any port, and ping
/// for every group that exists (the kernel refuses one without a mapping).
fn network_sysctls(around: &Surroundings) -> [(&'static str, String); 2] {
    const MOST_DOCKER: u32 = i32::MAX as u32;
    let highest = around.highest_gid.min(MOST_DOCKER);
    [
        ("net.ipv4.ip_unprivileged_port_start", "0".to_owned()),
        ("net.ipv4.ping_group_range", format!("0 {highest}")),
    ]
}

/// The system-call filter: the default, none, or the user's file.
pub fn filter(config: &Config, bounding: &Capabilities) -> Result<Vec<SockFilter>> {
    use crate::runtime::seccomp;
    let options = config.security_options.iter();
    let chosen = options
        .filter_map(|option| option.strip_prefix("seccomp="))
        .next_back();
    match chosen {
        Some("unconfined") => Ok(Vec::new()),
        Some(path) => {
            let json = std::fs::read_to_string(path)
                .map_err(|error| Error::from(error).wrap(format!("read seccomp profile {path}")))?;
            seccomp::compile(&seccomp::read_profile(&json, bounding)?)
        }
        None if config.privileged => Ok(Vec::new()),
        None => Ok(seccomp::default_program(bounding).into_owned()),
    }
}

#[cfg(test)]
mod tests;
