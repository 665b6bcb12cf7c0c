//! From the spec's resource limits to files and values: pure, one function per cgroup version.

use oci_spec::runtime::{LinuxDeviceCgroup, LinuxDeviceType, LinuxResources};

/// One value to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub controller: &'static str,
    pub file: String,
    pub value: String,
}

fn setting(controller: &'static str, file: &str, value: impl ToString) -> Setting {
    Setting {
        controller,
        file: file.to_owned(),
        value: value.to_string(),
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

/// Version 1 files in an order the kernel accepts.
pub fn version_1_settings(resources: &LinuxResources) -> Vec<Setting> {
    let mut out = Vec::new();
    let rules = resources.devices().iter().flatten();
    for rule in rules.clone() {
        let file = if rule.allow() {
            "devices.allow"
        } else {
            "devices.deny"
        };
        out.push(setting("devices", file, device_rule(rule)));
    }
    if rules.count() > 0 {
        let always = ALWAYS_ALLOWED.into_iter();
        out.extend(always.map(|rule| setting("devices", "devices.allow", rule)));
    }
    if let Some(memory) = resources.memory() {
        let names = [
            ("memory.limit_in_bytes", memory.limit()),
            ("memory.soft_limit_in_bytes", memory.reservation()),
            // After the memory limit: it may not be smaller.
            ("memory.memsw.limit_in_bytes", memory.swap()),
        ];
        let set = names
            .into_iter()
            .filter_map(|(file, value)| Some((file, value?)));
        out.extend(set.map(|(file, value)| setting("memory", file, value)));
        if memory.disable_oom_killer() == Some(true) {
            out.push(setting("memory", "memory.oom_control", 1));
        }
    }
    if let Some(cpu) = resources.cpu() {
        out.extend(cpu.shares().map(|v| setting("cpu", "cpu.shares", v)));
        out.extend(cpu.period().map(|v| setting("cpu", "cpu.cfs_period_us", v)));
        out.extend(cpu.quota().map(|v| setting("cpu", "cpu.cfs_quota_us", v)));
        out.extend(
            cpu.cpus()
                .as_ref()
                .map(|v| setting("cpuset", "cpuset.cpus", v)),
        );
        out.extend(
            cpu.mems()
                .as_ref()
                .map(|v| setting("cpuset", "cpuset.mems", v)),
        );
    }
    out.extend(pids_max(resources));
    out
}

/// Version 2 files.
pub fn version_2_settings(resources: &LinuxResources) -> Vec<Setting> {
    let mut out = Vec::new();
    if let Some(memory) = resources.memory() {
        let or_max = |value: i64| {
            if value < 0 {
                "max".to_owned()
            } else {
                value.to_string()
            }
        };
        out.extend(
            memory
                .limit()
                .map(|v| setting("memory", "memory.max", or_max(v))),
        );
        out.extend(
            memory
                .reservation()
                .map(|v| setting("memory", "memory.low", or_max(v))),
        );
        // The spec counts memory and swap together, version 2 counts swap alone.
        if let Some(swap) = memory.swap() {
            let limit = memory.limit().unwrap_or(0).max(0);
            let alone = if swap < 0 {
                swap
            } else {
                (swap - limit).max(0)
            };
            out.push(setting("memory", "memory.swap.max", or_max(alone)));
        }
    }
    if let Some(cpu) = resources.cpu() {
        // The kernel's own conversion: 2..262144 shares onto 1..10000 weight.
        let weight = |shares: u64| 1 + (shares.clamp(2, 262_144) - 2) * 9999 / 262_142;
        out.extend(
            cpu.shares()
                .filter(|v| *v > 0)
                .map(|v| setting("cpu", "cpu.weight", weight(v))),
        );
        if cpu.quota().is_some() || cpu.period().is_some() {
            let quota = cpu.quota().filter(|quota| *quota > 0);
            let quota = quota.map_or("max".to_owned(), |quota| quota.to_string());
            let period = cpu.period().unwrap_or(100_000);
            out.push(setting("cpu", "cpu.max", format!("{quota} {period}")));
        }
        out.extend(
            cpu.cpus()
                .as_ref()
                .map(|v| setting("cpuset", "cpuset.cpus", v)),
        );
        out.extend(
            cpu.mems()
                .as_ref()
                .map(|v| setting("cpuset", "cpuset.mems", v)),
        );
    }
    out.extend(pids_max(resources));
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
mod tests {
    use super::*;

    fn resources(json: serde_json::Value) -> LinuxResources {
        serde_json::from_value(json).expect("valid resources")
    }

    fn lines(settings: &[Setting]) -> Vec<String> {
        settings
            .iter()
            .map(|s| format!("{}={}", s.file, s.value))
            .collect()
    }

    #[test]
    fn limits_become_version_2_files() {
        let resources = resources(serde_json::json!({
            "memory": {"limit": 67108864, "swap": 134217728},
            "cpu": {"quota": 150000, "period": 100000, "shares": 1024, "cpus": "0-1"},
            "pids": {"limit": 2048}
        }));
        let expected = [
            "memory.max=67108864",
            "memory.swap.max=67108864",
            "cpu.weight=39",
            "cpu.max=150000 100000",
            "cpuset.cpus=0-1",
            "pids.max=2048",
        ];
        assert_eq!(lines(&version_2_settings(&resources)), expected);
    }

    #[test]
    fn limits_become_version_1_files() {
        let resources = resources(serde_json::json!({
            "devices": [
                {"allow": false},
                {"allow": true, "type": "c", "major": 7, "minor": 1, "access": "r"}
            ],
            "memory": {"limit": 67108864, "swap": -1},
            "cpu": {"quota": 50000, "period": 100000},
            "pids": {"limit": -1}
        }));
        let expected = [
            "devices.deny=a *:* rwm",
            "devices.allow=c 7:1 r",
            "devices.allow=c *:* m",
            "devices.allow=b *:* m",
            "devices.allow=c 1:3 rwm",
            "devices.allow=c 1:5 rwm",
            "devices.allow=c 1:7 rwm",
            "devices.allow=c 1:8 rwm",
            "devices.allow=c 1:9 rwm",
            "devices.allow=c 5:0 rwm",
            "devices.allow=c 5:2 rwm",
            "devices.allow=c 136:* rwm",
            "memory.limit_in_bytes=67108864",
            "memory.memsw.limit_in_bytes=-1",
            "cpu.cfs_period_us=100000",
            "cpu.cfs_quota_us=50000",
            "pids.max=max",
        ];
        assert_eq!(lines(&version_1_settings(&resources)), expected);
    }
}
