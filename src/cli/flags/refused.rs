//! Flags of other engines that `run`, `create` and `exec` do not have, with the reason: whoever
//! relies on one must learn it, and not from a container that behaves otherwise.

const NO_NETWORK: &str = "this version has no networks of its own, only none, host and \
                          container:NAME";
const OWN_IDS: &str = "a container has the user namespace of its user, no id maps of its own";
const PULL_FIRST: &str = "use hull pull first";
const NO_PODS: &str = "this version has no pods";
const DESCRIPTORS: &str = "no descriptor above 2 reaches a container's program";
const NO_STARTUP: &str = "use --health-start-period and --health-start-interval";
const HEALTH_LOG: &str = "the last 5 results are kept, see hull inspect";
const WINDOWS: &str = "it is an option of Windows containers";

/// Name and reason. A flag that a command declares wins over its entry here.
pub const RUN: &[(&str, &str)] = &[
    ("arch", "use --platform os/arch[/variant]"),
    ("authfile", PULL_FIRST),
    ("cert-dir", "put certificates into /etc/docker/certs.d/HOST"),
    ("cgroup-conf", "this version writes no cgroup files by name"),
    ("cgroups", "each container has its own cgroup below hull's"),
    ("chrootdirs", "there are no such directories in a container"),
    ("cpu-count", WINDOWS),
    ("cpu-percent", WINDOWS),
    (
        "cpu-rt-period",
        "real-time limits are of cgroup version 1 only",
    ),
    (
        "cpu-rt-runtime",
        "real-time limits are of cgroup version 1 only",
    ),
    ("creds", "use hull login first"),
    ("decryption-key", "images are not encrypted"),
    ("gidmap", OWN_IDS),
    ("gpus", "CDI devices are not supported yet; see --device"),
    ("health-log-destination", HEALTH_LOG),
    ("health-max-log-count", HEALTH_LOG),
    ("health-max-log-size", HEALTH_LOG),
    ("health-startup-cmd", NO_STARTUP),
    ("health-startup-interval", NO_STARTUP),
    ("health-startup-retries", NO_STARTUP),
    ("health-startup-success", NO_STARTUP),
    ("health-startup-timeout", NO_STARTUP),
    ("init-ctr", NO_PODS),
    ("init-path", "hull has its own init, see --init"),
    ("io-maxbandwidth", WINDOWS),
    ("io-maxiops", WINDOWS),
    ("ip", NO_NETWORK),
    ("ip6", NO_NETWORK),
    ("isolation", WINDOWS),
    ("latest", "name the image"),
    ("link", NO_NETWORK),
    ("link-local-ip", NO_NETWORK),
    ("mac-address", NO_NETWORK),
    ("os", "use --platform os/arch[/variant]"),
    ("permissive", "hull runs no checkpoints"),
    (
        "personality",
        "a container runs with the host's execution domain",
    ),
    ("pod", NO_PODS),
    ("pod-id-file", NO_PODS),
    ("preserve-fd", DESCRIPTORS),
    ("preserve-fds", DESCRIPTORS),
    ("rdt-class", "hull sets no cache allocation classes"),
    ("requires", "start the other containers first"),
    ("retry", PULL_FIRST),
    ("retry-delay", PULL_FIRST),
    (
        "rootfs",
        "import the directory as an image: tar -C DIR -c . | hull import - NAME",
    ),
    ("seccomp-policy", "see --security-opt seccomp=FILE"),
    (
        "secret",
        "this version keeps no secrets; bind a file with -v",
    ),
    ("shm-size-systemd", "see --shm-size and --tmpfs"),
    (
        "storage-opt",
        "the size of a container's layer cannot be limited",
    ),
    ("subgidname", OWN_IDS),
    ("subuidname", OWN_IDS),
    (
        "tls-verify",
        "name the registry under insecure-registries in daemon.json",
    ),
    ("uidmap", OWN_IDS),
    ("use-api-socket", "hull has no API socket to hand on"),
    ("variant", "use --platform os/arch[/variant]"),
    ("volume-driver", "this version binds host directories only"),
];

/// The same for `exec`.
pub const EXEC: &[(&str, &str)] = &[
    ("cidfile", "name the container: hull exec $(cat FILE)"),
    ("latest", "name the container"),
    ("no-session", "an exec has no session to leave out"),
    ("preserve-fd", DESCRIPTORS),
    ("preserve-fds", DESCRIPTORS),
];

/// The reason for which this flag is refused, if it is a known one.
pub fn reason(table: &[(&'static str, &'static str)], name: &str) -> Option<&'static str> {
    let found = table.iter().find(|(known, _)| *known == name);
    found.map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::container;
    use crate::cli::{Command, declare};

    /// The flags of the tables of Docker 29 and podman 5.8 that users know.
    const RUN_FLAGS: &str = "\
        add-host annotation arch attach authfile blkio-weight blkio-weight-device cap-add cap-drop \
        cert-dir cgroup-conf cgroup-parent cgroupns cgroups chrootdirs cidfile conmon-pidfile \
        cpu-count cpu-percent cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus \
        cpuset-cpus cpuset-mems creds decryption-key device device-cgroup-rule \
        device-read-bps device-read-iops device-write-bps device-write-iops disable-content-trust \
        dns dns-option dns-search domainname entrypoint env env-file env-host env-merge expose \
        gidmap gpus group-add group-entry health-cmd health-interval health-log-destination \
        health-max-log-count health-max-log-size health-on-failure health-retries \
        health-start-interval health-start-period health-startup-cmd health-startup-interval \
        health-startup-retries health-startup-success health-startup-timeout health-timeout \
        hostname hosts-file hostuser http-proxy image-volume init init-ctr init-path interactive \
        io-maxbandwidth io-maxiops ip ip6 ipc isolation label label-file latest link link-local-ip \
        log-driver log-opt mac-address memory memory-reservation memory-swap memory-swappiness \
        mount name network network-alias no-healthcheck no-hostname no-hosts oom-kill-disable \
        oom-score-adj os passwd passwd-entry permissive personality pid pidfile pids-limit \
        platform pod pod-id-file preserve-fd preserve-fds privileged publish publish-all pull \
        quiet rdt-class read-only read-only-tmpfs replace requires restart retry retry-delay rm \
        rootfs runtime sdnotify seccomp-policy secret security-opt shm-size shm-size-systemd \
        stop-signal stop-timeout storage-opt subgidname subuidname sysctl systemd timeout \
        tls-verify tmpfs tty tz uidmap ulimit umask unsetenv unsetenv-all use-api-socket user \
        userns uts variant volume volume-driver volumes-from workdir";
    const RUN_ONLY: &str = "attach detach detach-keys rmi sig-proxy";
    const EXEC_FLAGS: &str = "cidfile detach detach-keys env env-file interactive latest \
        no-session preserve-fd preserve-fds privileged tty user workdir";

    fn missing(command: &Command, names: &[&str]) -> Vec<String> {
        let declared = declare(command);
        let has = |name: &str| {
            let mut flags = declared.get_arguments();
            flags.any(|flag| flag.get_long() == Some(name))
        };
        let known = |name: &str| has(name) || reason(command.refused, name).is_some();
        let names = names.iter().flat_map(|names| names.split_whitespace());
        names
            .filter(|name| !known(name))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn every_flag_of_the_neighbours_is_declared_or_refused_with_a_reason() {
        let none: [String; 0] = [];
        let run = [RUN_FLAGS, RUN_ONLY];
        assert_eq!(missing(&container::run::COMMAND, &run), none);
        assert_eq!(missing(&container::create::COMMAND, &[RUN_FLAGS]), none);
        assert_eq!(missing(&container::exec::COMMAND, &[EXEC_FLAGS]), none);
    }
}
