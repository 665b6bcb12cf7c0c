//! From the spec's resource limits to files and values: pure, one function per cgroup version.

use oci_spec::runtime::{
    LinuxBlockIo, LinuxCpu, LinuxDeviceCgroup, LinuxDeviceType, LinuxMemory, LinuxResources,
    LinuxThrottleDevice,
};

/// One value to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub controller: &'static str,
    pub file: String,
    pub value: String,
    /// Another file and value for kernels that do not have the first.
    pub otherwise: Option<(String, String)>,
}

fn setting(controller: &'static str, file: &str, value: impl ToString) -> Setting {
    Setting {
        controller,
        file: file.to_owned(),
        value: value.to_string(),
        otherwise: None,
    }
}

/// What every container may use, whatever its rules say, as with runc: making any node, and the
/// nodes that are in each /dev, terminals included.
const ALWAYS_ALLOWED: [&str; 10] = [
    "c *:* m",
    "b *:* m",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 5:0 rwm",
    "c 5:2 rwm",
    "c 136:* rwm",
];

/// Version 1 files in an order the kernel accepts. `swap_now` is the limit of memory and swap
/// that stands (`None`: there is none): memory may never be allowed more than both together.
pub fn version_1_settings(resources: &LinuxResources, swap_now: Option<i64>) -> Vec<Setting> {
    let mut out = device_settings(resources);
    if let Some(memory) = resources.memory() {
        out.extend(version_1_memory(memory, swap_now));
    }
    if let Some(cpu) = resources.cpu() {
        out.extend(cpu.shares().map(|v| setting("cpu", "cpu.shares", v)));
        out.extend(cpu.period().map(|v| setting("cpu", "cpu.cfs_period_us", v)));
        out.extend(cpu.quota().map(|v| setting("cpu", "cpu.cfs_quota_us", v)));
        out.extend(cpusets(cpu));
    }
    if let Some(block) = resources.block_io() {
        out.extend(version_1_block(block));
    }
    out.extend(pids_max(resources));
    out
}

fn device_settings(resources: &LinuxResources) -> Vec<Setting> {
    let rules = resources.devices().iter().flatten();
    let file = |allow| match allow {
        true => "devices.allow",
        false => "devices.deny",
    };
    let own = rules.map(|rule| setting("devices", file(rule.allow()), device_rule(rule)));
    let mut out: Vec<Setting> = own.collect();
    if !out.is_empty() {
        let always = ALWAYS_ALLOWED.into_iter();
        out.extend(always.map(|rule| setting("devices", "devices.allow", rule)));
    }
    out
}

fn version_1_memory(memory: &LinuxMemory, swap_now: Option<i64>) -> Vec<Setting> {
    let limit = memory
        .limit()
        .map(|v| setting("memory", "memory.limit_in_bytes", v));
    let both = memory
        .swap()
        .map(|v| setting("memory", "memory.memsw.limit_in_bytes", v));
    let grows_past = match (memory.limit(), swap_now) {
        (Some(limit), Some(now)) => limit < 0 || limit > now,
        _ => false,
    };
    let mut out: Vec<Setting> = match grows_past {
        true => both.into_iter().chain(limit).collect(),
        false => limit.into_iter().chain(both).collect(),
    };
    let soft = memory.reservation();
    out.extend(soft.map(|v| setting("memory", "memory.soft_limit_in_bytes", v)));
    let swappiness = memory.swappiness();
    out.extend(swappiness.map(|v| setting("memory", "memory.swappiness", v)));
    if memory.disable_oom_killer() == Some(true) {
        out.push(setting("memory", "memory.oom_control", 1));
    }
    out
}

fn version_1_block(block: &LinuxBlockIo) -> Vec<Setting> {
    let mut out = Vec::new();
    if let Some(weight) = block.weight() {
        out.push(Setting {
            otherwise: Some(("blkio.bfq.weight".to_owned(), weight.to_string())),
            ..setting("blkio", "blkio.weight", weight)
        });
    }
    for device in block.weight_device().iter().flatten() {
        let weight = device.weight().unwrap_or(0);
        let value = format!("{}:{} {weight}", device.major(), device.minor());
        out.push(Setting {
            otherwise: Some(("blkio.bfq.weight_device".to_owned(), value.clone())),
            ..setting("blkio", "blkio.weight_device", value)
        });
    }
    for (_, file, devices) in throttles(block) {
        let line = |d: &LinuxThrottleDevice| format!("{}:{} {}", d.major(), d.minor(), d.rate());
        let devices = devices.iter().flatten();
        out.extend(devices.map(|device| setting("blkio", file, line(device))));
    }
    out
}

type Throttle<'a> = (
    &'static str,
    &'static str,
    &'a Option<Vec<LinuxThrottleDevice>>,
);

/// The word of version 2, the file of version 1, and the devices.
fn throttles(block: &LinuxBlockIo) -> [Throttle<'_>; 4] {
    let read_bps = block.throttle_read_bps_device();
    let write_bps = block.throttle_write_bps_device();
    let read_iops = block.throttle_read_iops_device();
    let write_iops = block.throttle_write_iops_device();
    [
        ("rbps", "blkio.throttle.read_bps_device", read_bps),
        ("wbps", "blkio.throttle.write_bps_device", write_bps),
        ("riops", "blkio.throttle.read_iops_device", read_iops),
        ("wiops", "blkio.throttle.write_iops_device", write_iops),
    ]
}

fn cpusets(cpu: &LinuxCpu) -> impl Iterator<Item = Setting> {
    let cpus = cpu.cpus().as_ref();
    let mems = cpu.mems().as_ref();
    let cpus = cpus.map(|v| setting("cpuset", "cpuset.cpus", v));
    let mems = mems.map(|v| setting("cpuset", "cpuset.mems", v));
    cpus.into_iter().chain(mems)
}

/// Version 2 files. Device rules are not among them: there they are programs, not values.
pub fn version_2_settings(resources: &LinuxResources) -> Vec<Setting> {
    let mut out = Vec::new();
    if let Some(memory) = resources.memory() {
        out.extend(version_2_memory(memory));
    }
    if let Some(cpu) = resources.cpu() {
        let shares = cpu.shares().filter(|shares| *shares > 0);
        out.extend(shares.map(|v| setting("cpu", "cpu.weight", cpu_weight(v))));
        if cpu.quota().is_some() || cpu.period().is_some() {
            let quota = cpu.quota().filter(|quota| *quota > 0);
            let quota = quota.map_or("max".to_owned(), |quota| quota.to_string());
            let period = cpu.period().unwrap_or(100_000);
            out.push(setting("cpu", "cpu.max", format!("{quota} {period}")));
        }
        out.extend(cpusets(cpu));
    }
    if let Some(block) = resources.block_io() {
        out.extend(version_2_block(block));
    }
    out.extend(pids_max(resources));
    out
}

fn version_2_memory(memory: &LinuxMemory) -> Vec<Setting> {
    let or_max = |value: i64| match value {
        ..0 => "max".to_owned(),
        value => value.to_string(),
    };
    // The spec counts memory and swap together, version 2 counts swap alone.
    let alone = memory.swap().map(|swap| match swap {
        ..0 => swap,
        both => (both - memory.limit().unwrap_or(0).max(0)).max(0),
    });
    let values = [
        ("memory.max", memory.limit()),
        ("memory.swap.max", alone),
        ("memory.low", memory.reservation()),
    ];
    let values = values.into_iter();
    let set = values.filter_map(|(file, value)| Some(setting("memory", file, or_max(value?))));
    set.collect()
}

/// 2..262144 shares onto 1..10000 weight, in a straight line as runc's and crun's.
fn cpu_weight(shares: u64) -> u64 {
    1 + (shares.clamp(2, 262_144) - 2) * 9999 / 262_142
}

fn version_2_block(block: &LinuxBlockIo) -> Vec<Setting> {
    // BFQ counts to 1000 as version 1, io.weight to 10000.
    let wider = |weight: u16| 1 + (u32::from(weight).max(10) - 10) * 9999 / 990;
    let mut out = Vec::new();
    if let Some(weight) = block.weight() {
        out.push(Setting {
            otherwise: Some(("io.weight".to_owned(), wider(weight).to_string())),
            ..setting("io", "io.bfq.weight", weight)
        });
    }
    for device in block.weight_device().iter().flatten() {
        let (weight, numbers) = (
            device.weight().unwrap_or(0),
            format!("{}:{}", device.major(), device.minor()),
        );
        let value = format!("{numbers} {}", wider(weight));
        out.push(Setting {
            otherwise: Some(("io.weight".to_owned(), value)),
            ..setting("io", "io.bfq.weight", format!("{numbers} {weight}"))
        });
    }
    for (word, _, devices) in throttles(block) {
        let rate = |rate: u64| match rate {
            0 => "max".to_owned(),
            rate => rate.to_string(),
        };
        let line = |d: &LinuxThrottleDevice| {
            format!("{}:{} {word}={}", d.major(), d.minor(), rate(d.rate()))
        };
        let devices = devices.iter().flatten();
        out.extend(devices.map(|device| setting("io", "io.max", line(device))));
    }
    out
}

fn pids_max(resources: &LinuxResources) -> Option<Setting> {
    let limit = resources.pids().as_ref()?.limit();
    let value = if limit > 0 {
        limit.to_string()
    } else {
        "max".to_owned()
    };
    Some(setting("pids", "pids.max", value))
}

/// A line for devices.allow or devices.deny: `c 1:3 rwm`, `*` for anything.
fn device_rule(rule: &LinuxDeviceCgroup) -> String {
    let kind = match rule.typ() {
        Some(LinuxDeviceType::B) => 'b',
        Some(LinuxDeviceType::C | LinuxDeviceType::U) => 'c',
        _ => 'a',
    };
    let number = |n: Option<i64>| match n {
        Some(n) if n >= 0 => n.to_string(),
        _ => "*".to_owned(),
    };
    let access = rule
        .access()
        .as_deref()
        .filter(|access| !access.is_empty())
        .unwrap_or("rwm");
    format!(
        "{kind} {}:{} {access}",
        number(rule.major()),
        number(rule.minor())
    )
}

#[cfg(test)]
mod tests;
