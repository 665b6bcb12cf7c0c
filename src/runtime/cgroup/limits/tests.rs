//! The two writers, against what the kernel's documents ask for.

use super::*;

fn resources(json: serde_json::Value) -> LinuxResources {
    serde_json::from_value(json).expect("valid resources")
}

fn lines(settings: &[Setting]) -> Vec<String> {
    let line = |s: &Setting| match &s.otherwise {
        None => format!("{}={}", s.file, s.value),
        Some((file, value)) => format!("{}={} or {file}={value}", s.file, s.value),
    };
    settings.iter().map(line).collect()
}

fn everything() -> LinuxResources {
    let device = |rate: u64| serde_json::json!([{"major": 8, "minor": 16, "rate": rate}]);
    resources(serde_json::json!({
        "memory": {
            "limit": 67108864, "swap": 134217728, "reservation": 33554432,
            "swappiness": 10, "disableOOMKiller": true
        },
        "cpu": {
            "quota": 150000, "period": 100000, "shares": 1024, "cpus": "0-1", "mems": "0"
        },
        "pids": {"limit": 2048},
        "blockIO": {
            "weight": 500,
            "weightDevice": [{"major": 8, "minor": 0, "weight": 10}],
            "throttleReadBpsDevice": device(1_048_576),
            "throttleWriteBpsDevice": device(0),
            "throttleReadIOPSDevice": device(100),
            "throttleWriteIOPSDevice": device(200)
        }
    }))
}

#[test]
fn golden_limits_as_version_2_files() {
    let expected = [
        "memory.max=67108864",
        "memory.swap.max=67108864",
        "memory.low=33554432",
        "cpu.weight=39",
        "cpu.max=150000 100000",
        "cpuset.cpus=0-1",
        "cpuset.mems=0",
        "io.bfq.weight=500 or io.weight=4950",
        "io.bfq.weight=8:0 10 or io.weight=8:0 1",
        "io.max=8:16 rbps=1048576",
        "io.max=8:16 wbps=max",
        "io.max=8:16 riops=100",
        "io.max=8:16 wiops=200",
        "pids.max=2048",
    ];
    assert_eq!(lines(&version_2_settings(&everything())), expected);
}

#[test]
fn golden_limits_as_version_1_files() {
    let expected = [
        "memory.limit_in_bytes=67108864",
        "memory.memsw.limit_in_bytes=134217728",
        "memory.soft_limit_in_bytes=33554432",
        "memory.swappiness=10",
        "memory.oom_control=1",
        "cpu.shares=1024",
        "cpu.cfs_period_us=100000",
        "cpu.cfs_quota_us=150000",
        "cpuset.cpus=0-1",
        "cpuset.mems=0",
        "blkio.weight=500 or blkio.bfq.weight=500",
        "blkio.weight_device=8:0 10 or blkio.bfq.weight_device=8:0 10",
        "blkio.throttle.read_bps_device=8:16 1048576",
        "blkio.throttle.write_bps_device=8:16 0",
        "blkio.throttle.read_iops_device=8:16 100",
        "blkio.throttle.write_iops_device=8:16 200",
        "pids.max=2048",
    ];
    assert_eq!(lines(&version_1_settings(&everything(), None)), expected);
}

#[test]
fn golden_device_rules_as_version_1_files() {
    let resources = resources(serde_json::json!({
        "devices": [
            {"allow": false},
            {"allow": true, "type": "c", "major": 7, "minor": 1, "access": "r"}
        ],
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
    ];
    assert_eq!(lines(&version_1_settings(&resources, None)), expected);
    assert!(version_2_settings(&resources).is_empty());
}

#[test]
fn memory_never_exceeds_memory_and_swap_on_the_way() {
    let order = |limit: i64, both: i64, now: Option<i64>| {
        let memory = serde_json::json!({"memory": {"limit": limit, "swap": both}});
        lines(&version_1_settings(&resources(memory), now))
    };
    let memory_first = |lines: Vec<String>| lines[0].starts_with("memory.limit");
    // Lowered: memory first, or both together would fall below it.
    assert!(memory_first(order(50, 100, Some(200))));
    // Raised past the old sum: the sum first, or memory would rise above it.
    assert!(!memory_first(order(300, 600, Some(200))));
    assert!(memory_first(order(200, 600, Some(200))));
    assert!(!memory_first(order(-1, -1, Some(200))));
    // A new cgroup, or one without a limit on the sum.
    assert!(memory_first(order(300, 600, None)));
}

#[test]
fn no_limit_is_written_as_each_version_says_it() {
    let none = resources(serde_json::json!({
        "memory": {"limit": 67108864, "swap": -1},
        "cpu": {"quota": -1},
        "pids": {"limit": -1}
    }));
    let expected = [
        "memory.limit_in_bytes=67108864",
        "memory.memsw.limit_in_bytes=-1",
        "cpu.cfs_quota_us=-1",
        "pids.max=max",
    ];
    assert_eq!(lines(&version_1_settings(&none, None)), expected);
    let expected = [
        "memory.max=67108864",
        "memory.swap.max=max",
        "cpu.max=max 100000",
        "pids.max=max",
    ];
    assert_eq!(lines(&version_2_settings(&none)), expected);
}

#[test]
fn swap_equal_to_memory_is_none_in_version_2() {
    let memory = resources(serde_json::json!({"memory": {"limit": 1000, "swap": 1000}}));
    assert_eq!(
        lines(&version_2_settings(&memory)),
        ["memory.max=1000", "memory.swap.max=0"]
    );
}

#[test]
fn shares_become_weights_over_the_whole_range() {
    for (shares, weight) in [(2, 1), (1024, 39), (262_144, 10_000), (1 << 40, 10_000)] {
        assert_eq!(cpu_weight(shares), weight, "{shares}");
    }
}
