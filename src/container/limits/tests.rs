//! Docker's rules, and what is told where a host cannot keep them.

use std::path::PathBuf;

use super::kept::without;
use super::*;
use crate::container::devices::Found;
use crate::runtime::cgroup::{Hierarchies, Version1};
use crate::state::DeviceRate;

fn refused(limits: Limits) -> String {
    match check(&limits) {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn check_words(table: &[(Limits, &str)]) {
    for (limits, words) in table {
        assert_eq!(refused(limits.clone()), *words);
    }
}

#[test]
fn memory_that_cannot_be_are_refused_in_dockers_words() {
    let with = Limits::default;
    let megabytes = |n: i64| n << 20;
    let table = [
        (
            Limits {
                memory: megabytes(5),
                ..with()
            },
            "Minimum memory limit allowed is 6MB",
        ),
        (
            Limits {
                memory: megabytes(64),
                memory_swap: megabytes(63),
                ..with()
            },
            "Minimum memoryswap limit should be larger than memory limit, see usage",
        ),
        (
            Limits {
                memory_swap: megabytes(64),
                ..with()
            },
            "You should always set the Memory limit when using Memoryswap limit, see usage",
        ),
        (
            Limits {
                memory_reservation: 1,
                ..with()
            },
            "Minimum memory reservation allowed is 6MB",
        ),
        (
            Limits {
                memory: megabytes(8),
                memory_reservation: megabytes(9),
                ..with()
            },
            "Minimum memory limit can not be less than memory reservation limit, see usage",
        ),
    ];
    check_words(&table);
}

#[test]
fn cpus_that_cannot_be_are_refused_in_dockers_words() {
    let with = Limits::default;
    let table = [
        (
            Limits {
                nano_cpus: 500_000_000,
                cpu_quota: 1000,
                ..with()
            },
            "Conflicting options: Nano CPUs and CPU Quota cannot both be set",
        ),
        (
            Limits {
                nano_cpus: 500_000_000,
                cpu_period: 1000,
                ..with()
            },
            "Conflicting options: Nano CPUs and CPU Period cannot both be set",
        ),
        (
            Limits {
                cpu_quota: 999,
                ..with()
            },
            "CPU cfs quota can not be less than 1ms (i.e. 1000)",
        ),
        (
            Limits {
                cpu_period: 999,
                ..with()
            },
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
        ),
        (
            Limits {
                blkio_weight: 9,
                ..with()
            },
            "Range of blkio weight is from 10 to 1000",
        ),
        (
            Limits {
                cpuset_cpus: "0-".to_owned(),
                ..with()
            },
            "Invalid value 0- for cpuset cpus",
        ),
    ];
    check_words(&table);
    let many = Limits {
        nano_cpus: i64::MAX,
        ..with()
    };
    assert!(refused(many).starts_with("range of CPUs is from 0.01 to "));
    let far = Limits {
        cpuset_cpus: "4000".to_owned(),
        ..with()
    };
    assert!(refused(far).starts_with("Requested CPUs are not available - requested 4000, "));
}

#[test]
fn the_parent_cgroup_stays_below_the_root() {
    let with = Limits::default;
    let out = Limits {
        cgroup_parent: "/a/../../b".to_owned(),
        ..with()
    };
    assert!(refused(out).contains("`..` is not allowed"));
    let fine = Limits {
        memory: 6 << 20,
        memory_swap: -1,
        nano_cpus: 10_000_000,
        cpuset_cpus: "0".to_owned(),
        ..with()
    };
    assert_eq!(refused(fine), "");
}

#[test]
fn swap_is_twice_the_memory_unless_given() {
    let swap = |memory, memory_swap| {
        let limits = Limits {
            memory,
            memory_swap,
            ..Limits::default()
        };
        settled(limits).memory_swap
    };
    assert_eq!(swap(100, 0), 200);
    assert_eq!(swap(100, 150), 150);
    assert_eq!(swap(100, -1), -1);
    assert_eq!(swap(0, 0), 0);
}

#[test]
fn cpus_become_a_quota_of_a_tenth_of_a_second() {
    let limits = Limits {
        nano_cpus: 1_500_000_000,
        ..Limits::default()
    };
    let resources = resources(&limits, false, &Found::default());
    let cpu = resources.cpu().as_ref().expect("is set");
    assert_eq!((cpu.quota(), cpu.period()), (Some(150_000), Some(100_000)));
}

/// Everything that can be limited.
fn everything() -> Limits {
    let device = || {
        vec![DeviceRate {
            path: PathBuf::from("/dev/null"),
            rate: 100,
        }]
    };
    Limits {
        memory: 64 << 20,
        memory_swap: 65 << 20,
        memory_reservation: 32 << 20,
        memory_swappiness: Some(1),
        nano_cpus: 1,
        cpu_shares: 2,
        cpu_quota: 1000,
        cpu_period: 1000,
        cpuset_cpus: "0".to_owned(),
        cpuset_mems: "0".to_owned(),
        pids: Some(10),
        oom_kill_disable: true,
        blkio_weight: 10,
        blkio_weight_device: device(),
        device_read_bps: device(),
        device_write_bps: device(),
        device_read_iops: device(),
        device_write_iops: device(),
        devices: Vec::new(),
        device_rules: vec!["c 1:1 r".to_owned()],
        cgroup_parent: String::new(),
        strict: false,
    }
}

#[test]
fn without_cgroups_every_limit_is_named_and_none_is_left() {
    let nothing = unkept(&everything(), &Hierarchies::default());
    assert_eq!(nothing.len(), 19);
    let left = without(&everything(), &nothing);
    assert_eq!(left, Limits::default());
    assert!(refuse(&nothing).is_err() && refuse(&[]).is_ok());
}

#[test]
fn what_a_hierarchy_lacks_is_named_by_its_file() {
    let directory = std::env::temp_dir().join(format!("hull-test-offer-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("made");
    std::fs::write(directory.join("memory.limit_in_bytes"), "").expect("written");
    let hierarchies = Hierarchies {
        version_2: None,
        version_1: vec![Version1 {
            controllers: vec!["memory".to_owned()],
            mount: directory.clone(),
        }],
    };
    let limits = Limits {
        memory: 64 << 20,
        memory_swap: 65 << 20,
        cpu_shares: 2,
        ..Limits::default()
    };
    let lines: Vec<String> = unkept(&limits, &hierarchies)
        .iter()
        .map(ToString::to_string)
        .collect();
    std::fs::remove_dir_all(&directory).expect("removed");
    let expected = [
        "--memory-swap: the kernel has no memory.memsw.limit_in_bytes here",
        "--cpu-shares: the kernel has no cpu here",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn version_2_names_what_it_cannot() {
    let directory = std::env::temp_dir().join(format!("hull-test-offer2-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("made");
    let file = directory.join("cgroup.controllers");
    std::fs::write(file, "cpuset cpu io memory pids\n").expect("written");
    let hierarchies = Hierarchies {
        version_2: Some(directory.clone()),
        version_1: Vec::new(),
    };
    let flags: Vec<&str> = unkept(&everything(), &hierarchies)
        .iter()
        .map(|unkept| unkept.flag)
        .collect();
    std::fs::remove_dir_all(&directory).expect("removed");
    let expected = [
        "--memory-swappiness",
        "--oom-kill-disable",
        "--device-cgroup-rule",
    ];
    assert_eq!(flags, expected);
}

#[test]
fn devices_not_given_are_denied() {
    let limits = Limits {
        device_rules: vec!["b 8:* rw".to_owned()],
        ..Limits::default()
    };
    let plain = resources(&limits, false, &Found::default());
    let rules = plain.devices().as_ref().expect("are set");
    assert_eq!(rules.len(), 2);
    assert!(!rules[0].allow() && rules[0].major().is_none());
    assert_eq!((rules[1].major(), rules[1].minor()), (Some(8), None));
    assert!(
        resources(&limits, true, &Found::default())
            .devices()
            .is_none()
    );
}
