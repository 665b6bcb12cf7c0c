//! What is mounted in a container besides its root, in order.

use std::path::{Path, PathBuf};

use oci_spec::runtime::Mount as OciMount;

use super::{Surroundings, binds_sys};
use crate::container::devices::Node;
use crate::state::{Config, HostsFile, Mount, MountKind, NamespaceMode};

/// The group of terminals in every distribution.
const TTY_GROUP: u32 = 5;

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

/// Everything that is mounted, in order.
pub(super) fn all(config: &Config, around: &Surroundings) -> Vec<OciMount> {
    let fs = |fs_type: &str, target: &str, options: &[&str]| {
        oci_mount(fs_type, Path::new(fs_type), Path::new(target), options)
    };
    let read_only = if config.privileged { "rw" } else { "ro" };
    let cgroups = match config.systemd {
        true => "rw",
        false => read_only,
    };
    let hidden = ["nosuid", "noexec", "nodev"];
    let mut out = vec![match (&config.namespaces.pid, around.user_namespace) {
        // The kernel makes a procfs for the owner of the PID namespace only.
        (NamespaceMode::Host, true) => of_host("/proc"),
        _ => fs("proc", "/proc", &hidden),
    }];
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
            &["nosuid", "noexec", "nodev", "relatime", cgroups],
        ));
    }
    out.extend(ipc(config, around));
    out.extend(files(config, around));
    if around.user_namespace {
        out.extend(around.devices.nodes.iter().map(bound_device));
    }
    out.extend(config.mounts.iter().map(user_mount));
    out
}

/// A file system of the host, with everything below it.
fn of_host(path: &str) -> OciMount {
    let options = ["rbind", "rprivate", "nosuid", "noexec", "nodev"];
    oci_mount("bind", Path::new(path), Path::new(path), &options)
}

/// Message queues and shared memory.
fn ipc(config: &Config, around: &Surroundings) -> Vec<OciMount> {
    let fs = |fs_type: &str, target: &str, options: &[&str]| {
        oci_mount(fs_type, Path::new(fs_type), Path::new(target), options)
    };
    let hidden = ["nosuid", "noexec", "nodev"];
    let mqueue = fs("mqueue", "/dev/mqueue", &hidden);
    if config.namespaces.ipc == NamespaceMode::Host {
        // Only the owner of the IPC namespace may mount its queues anew.
        let queues = match (around.user_namespace, around.has_mqueue) {
            (false, _) => Some(mqueue),
            (true, true) => Some(of_host("/dev/mqueue")),
            (true, false) => None,
        };
        return queues.into_iter().chain([of_host("/dev/shm")]).collect();
    }
    let mut out = vec![mqueue];
    let size = format!("size={}", config.shm_bytes);
    let shm = ["nosuid", "noexec", "nodev", "mode=1777", &size];
    if config.namespaces.ipc != NamespaceMode::None {
        out.push(fs("tmpfs", "/dev/shm", &shm));
    }
    out
}

/// The files of /etc that are the engine's, unless something is mounted there.
fn files(config: &Config, around: &Surroundings) -> Vec<OciMount> {
    use crate::container::files::NAMES;
    let files = &config.files;
    let wanted = |name: &&str| match *name {
        "hosts" => files.hosts != HostsFile::Image,
        "hostname" => !files.keep_hostname,
        _ => true,
    };
    let own = around.network_files.as_ref().unwrap_or(&around.files);
    let of_network = NAMES.iter().copied().filter(wanted);
    let all = of_network.map(|name| (own, name));
    let more = around.more_files.iter();
    let all = all.chain(more.map(|name| (&around.files, *name)));
    let mount = |(source, name): (&PathBuf, &str)| {
        let target = Path::new("/etc").join(name);
        let options = ["bind", "rprivate", "nosuid", "nodev"];
        let mount = || oci_mount("bind", &source.join(name), &target, &options);
        let taken = config.mounts.iter().any(|mount| mount.target == target);
        (!taken).then(mount)
    };
    all.filter_map(mount).collect()
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
            // As it is: only the top, or the whole tree.
            let mut all = match options.contains(&"bind") {
                true => Vec::new(),
                false => vec!["rbind"],
            };
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
