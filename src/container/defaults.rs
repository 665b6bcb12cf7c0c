//! What a container gets unless it says otherwise.

use caps::Capability;

/// The capabilities of a container: Docker's 14 without MKNOD, NET_RAW and AUDIT_WRITE.
pub const CAPABILITIES: [Capability; 11] = [
    Capability::CAP_CHOWN,
    Capability::CAP_DAC_OVERRIDE,
    Capability::CAP_FSETID,
    Capability::CAP_FOWNER,
    Capability::CAP_SETGID,
    Capability::CAP_SETUID,
    Capability::CAP_SETFCAP,
    Capability::CAP_SETPCAP,
    Capability::CAP_NET_BIND_SERVICE,
    Capability::CAP_SYS_CHROOT,
    Capability::CAP_KILL,
];

/// Hidden: what they show is the host's business, or a channel between containers.
pub const MASKED_PATHS: [&str; 13] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/fs/selinux",
];

/// Where the first CPU counts how often it was too hot; the others have their own number in it.
pub const THERMAL_THROTTLE: &str = "/sys/devices/system/cpu/cpu0/thermal_throttle";

/// Masked where /sys is the host's, bound: a new sysfs shows less of it.
pub const MASKED_IN_BOUND_SYS: &str = "/sys/kernel";

/// Visible, but not to be written.
pub const READ_ONLY_PATHS: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// Search path of images that set none.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// `nofile` limits: systemd's pair.
pub const NOFILE: (i64, i64) = (1024, 524_288);

/// Processes per container.
pub const PIDS_LIMIT: i64 = 2048;

/// Bytes of /dev/shm.
pub const SHM_BYTES: u64 = 64 << 20;

/// Seconds between the stop signal and SIGKILL.
pub const STOP_TIMEOUT: u32 = 10;
