//! A container's record as an OCI runtime spec: pure, golden-tested.

use std::path::{Path, PathBuf};

use oci_spec::runtime::{
    Capabilities, Capability, Linux, LinuxCapabilities, LinuxNamespace, LinuxNamespaceType,
    Mount as OciMount, PosixRlimitBuilder, PosixRlimitType, Process, Root, Spec, User as OciUser,
};

use super::devices::{Found, Node};
use super::{defaults, limits};
use crate::error::{Error, Result};
use crate::rootfs::User;
use crate::runtime::plan::validate_target;
use crate::state::{Config, Mount, MountKind, NetworkMode};
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
}

/// The group of terminals in every distribution.
const TTY_GROUP: u32 = 5;

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
    spec.set_mounts(Some(mounts(config, around)));
    spec.set_linux(Some(linux(config, around)));
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
    config.network != NetworkMode::Host
}

fn process(config: &Config, user: &User) -> Result<Process> {
    let mut process = Process::default();
    let mut oci_user = OciUser::default();
    oci_user.set_uid(user.uid).set_gid(user.gid);
    oci_user.set_additional_gids(Some(user.groups.clone()));
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
    let mut add = |name: &str, value: &str| {
        let prefix = format!("{name}=");
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
    let parse = |name: &str| -> Result<caps::Capability> {
        let upper = name.to_ascii_uppercase();
        let full = if upper.starts_with("CAP_") {
            upper
        } else {
            format!("CAP_{upper}")
        };
        full.parse().map_err(|_| {
            Error::invalid(format!("invalid capability: {name:?}"))
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
        set.push(parse(name)?);
    }
    for name in config.cap_drop.iter().filter(|name| !is_all(name)) {
        let dropped = parse(name)?;
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

fn namespaces(config: &Config) -> Vec<LinuxNamespace> {
    let mut kinds = vec![
        LinuxNamespaceType::Mount,
        LinuxNamespaceType::Pid,
        LinuxNamespaceType::Ipc,
        LinuxNamespaceType::Cgroup,
    ];
    if own_uts(config) {
        kinds.push(LinuxNamespaceType::Uts);
    }
    if config.network == NetworkMode::None {
        kinds.push(LinuxNamespaceType::Network);
    }
    let namespace = |kind| {
        let mut namespace = LinuxNamespace::default();
        namespace.set_typ(kind);
        namespace
    };
    kinds.into_iter().map(namespace).collect()
}

fn linux(config: &Config, around: &Surroundings) -> Linux {
    let mut linux = Linux::default();
    linux.set_namespaces(Some(namespaces(config)));
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
    let unmasked = config.privileged
        || config
            .security_options
            .iter()
            .any(|option| option == "systempaths=unconfined");
    let list = |paths: &[&str]| {
        paths
            .iter()
            .map(|path| (*path).to_owned())
            .collect::<Vec<_>>()
    };
    let mut masked = list(&defaults::MASKED_PATHS);
    masked.extend(around.throttled_cpus.iter().cloned());
    if binds_sys(config, around) {
        masked.push(defaults::MASKED_IN_BOUND_SYS.to_owned());
    }
    linux.set_masked_paths((!unmasked).then_some(masked));
    linux.set_readonly_paths((!unmasked).then(|| list(&defaults::READ_ONLY_PATHS)));
    linux
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

fn oci_mount(fs_type: &str, source: &Path, target: &Path, options: &[&str]) -> OciMount {
    let mut mount = OciMount::default();
    mount
        .set_typ(Some(fs_type.to_owned()))
        .set_source(Some(source.to_owned()));
    mount.set_destination(target.to_owned());
    mount.set_options(Some(
        options.iter().map(|option| (*option).to_owned()).collect(),
    ));
    mount
}

fn mounts(config: &Config, around: &Surroundings) -> Vec<OciMount> {
    let fs = |fs_type: &str, target: &str, options: &[&str]| {
        oci_mount(fs_type, Path::new(fs_type), Path::new(target), options)
    };
    let read_only = if config.privileged { "rw" } else { "ro" };
    let shm = format!("size={}", config.shm_bytes);
    let hidden = ["nosuid", "noexec", "nodev"];
    let mut out = vec![fs("proc", "/proc", &hidden)];
    out.push(fs(
        "tmpfs",
        "/dev",
        &["nosuid", "noexec", "strictatime", "mode=755", "size=65536k"],
    ));
    let mut devpts = vec![
        "nosuid",
        "noexec",
        "newinstance",
        "ptmxmode=0666",
        "mode=0620",
    ];
    if around.highest_gid >= TTY_GROUP {
        devpts.push("gid=5");
    }
    out.push(fs("devpts", "/dev/pts", &devpts));
    if binds_sys(config, around) {
        // The kernel lets only the owner of the network namespace make a sysfs for it.
        let options = ["rbind", "nosuid", "noexec", "nodev", "rro", "rslave"];
        out.push(oci_mount(
            "bind",
            Path::new("/sys"),
            Path::new("/sys"),
            &options,
        ));
    } else {
        out.push(fs(
            "sysfs",
            "/sys",
            &["nosuid", "noexec", "nodev", read_only],
        ));
        out.push(fs(
            "cgroup",
            "/sys/fs/cgroup",
            &["nosuid", "noexec", "nodev", "relatime", read_only],
        ));
    }
    out.push(fs("mqueue", "/dev/mqueue", &hidden));
    out.push(fs(
        "tmpfs",
        "/dev/shm",
        &["nosuid", "noexec", "nodev", "mode=1777", &shm],
    ));
    for name in super::files::NAMES {
        let target = Path::new("/etc").join(name);
        let taken = config.mounts.iter().any(|mount| mount.target == target);
        if !taken {
            let source = around.files.join(name);
            out.push(oci_mount(
                "bind",
                &source,
                &target,
                &["bind", "rprivate", "nosuid", "nodev"],
            ));
        }
    }
    if around.user_namespace {
        out.extend(around.devices.nodes.iter().map(bound_device));
    }
    out.extend(config.mounts.iter().map(user_mount));
    out
}

/// A device of the host where none can be made.
fn bound_device(node: &Node) -> OciMount {
    let options = ["bind", "rprivate", "nosuid", "noexec", "dev"];
    oci_mount("bind", &node.on_host, &node.in_container, &options)
}

fn user_mount(mount: &Mount) -> OciMount {
    let mut options: Vec<&str> = mount.options.iter().map(String::as_str).collect();
    let propagation = ["private", "shared", "slave", "unbindable"];
    let is_propagation = |option: &&str| {
        propagation.contains(&option.strip_prefix('r').unwrap_or(option))
            || propagation.contains(option)
    };
    match mount.kind {
        MountKind::Bind => {
            if !options.iter().any(is_propagation) {
                options.push("rprivate");
            }
            for (on, off) in [("nosuid", "suid"), ("nodev", "dev")] {
                if !options.contains(&off) && !options.contains(&on) {
                    options.push(on);
                }
            }
            // Read only reaches what is mounted below the source too, or it would be a promise
            // that a submount breaks.
            let options: Vec<&str> = options
                .into_iter()
                .map(|option| if option == "ro" { "rro" } else { option })
                .collect();
            let mut all = vec!["rbind"];
            all.extend(options);
            oci_mount("bind", &mount.source, &mount.target, &all)
        }
        MountKind::Tmpfs => {
            for default in ["nosuid", "nodev"] {
                if !options.contains(&default.trim_start_matches("no")) {
                    options.push(default);
                }
            }
            oci_mount("tmpfs", Path::new("tmpfs"), &mount.target, &options)
        }
    }
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
