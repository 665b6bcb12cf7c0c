//! Limits as the runtime spec has them.

use oci_spec::runtime::{
    LinuxBlockIo, LinuxCpu, LinuxDeviceCgroup, LinuxDeviceType, LinuxMemory, LinuxPids,
    LinuxResources, LinuxThrottleDeviceBuilder, LinuxWeightDeviceBuilder,
};

use crate::container::devices::{Found, Node};
use crate::state::{DeviceRate, Limits};

/// The limits as the runtime spec has them. `found` are the devices they name, as they are now.
pub fn resources(limits: &Limits, privileged: bool, found: &Found) -> LinuxResources {
    let mut out = LinuxResources::default();
    out.set_devices((!privileged).then(|| device_rules(limits, &found.nodes)));
    out.set_memory(memory(limits));
    out.set_cpu(cpu(limits));
    out.set_block_io(block(limits, found));
    if let Some(limit) = limits.pids {
        let mut pids = LinuxPids::default();
        pids.set_limit(limit);
        out.set_pids(Some(pids));
    }
    out
}

fn memory(limits: &Limits) -> Option<LinuxMemory> {
    let given = |bytes: i64| Some(bytes).filter(|bytes| *bytes != 0);
    let mut memory = LinuxMemory::default();
    memory.set_limit(given(limits.memory));
    memory.set_swap(given(limits.memory_swap));
    memory.set_reservation(given(limits.memory_reservation));
    memory.set_swappiness(limits.memory_swappiness);
    memory.set_disable_oom_killer(limits.oom_kill_disable.then_some(true));
    (memory != LinuxMemory::default()).then_some(memory)
}

fn cpu(limits: &Limits) -> Option<LinuxCpu> {
    const PERIOD: u64 = 100_000;
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let mut cpu = LinuxCpu::default();
    cpu.set_shares(Some(limits.cpu_shares).filter(|shares| *shares > 0));
    if limits.nano_cpus > 0 {
        cpu.set_period(Some(PERIOD));
        cpu.set_quota(Some(limits.nano_cpus / 10_000));
    } else {
        cpu.set_period(Some(limits.cpu_period).filter(|period| *period > 0));
        cpu.set_quota(Some(limits.cpu_quota).filter(|quota| *quota != 0));
    }
    cpu.set_cpus(text(&limits.cpuset_cpus));
    cpu.set_mems(text(&limits.cpuset_mems));
    (cpu != LinuxCpu::default()).then_some(cpu)
}

fn block(limits: &Limits, found: &Found) -> Option<LinuxBlockIo> {
    let throttled = |rates: &[DeviceRate]| {
        let devices = rates.iter().filter_map(|rate| {
            let (major, minor) = found.block_device(&rate.path)?;
            let device = LinuxThrottleDeviceBuilder::default();
            let device = device.major(major).minor(minor).rate(rate.rate);
            device.build().ok()
        });
        Some(devices.collect::<Vec<_>>()).filter(|devices| !devices.is_empty())
    };
    let weights = limits.blkio_weight_device.iter().filter_map(|weight| {
        let (major, minor) = found.block_device(&weight.path)?;
        let weight = u16::try_from(weight.rate).ok()?;
        let device = LinuxWeightDeviceBuilder::default();
        let device = device.major(major).minor(minor).weight(weight);
        device.build().ok()
    });
    let weights = Some(weights.collect::<Vec<_>>()).filter(|devices| !devices.is_empty());
    let mut block = LinuxBlockIo::default();
    block.set_weight(Some(limits.blkio_weight).filter(|weight| *weight > 0));
    block.set_weight_device(weights);
    block.set_throttle_read_bps_device(throttled(&limits.device_read_bps));
    block.set_throttle_write_bps_device(throttled(&limits.device_write_bps));
    block.set_throttle_read_iops_device(throttled(&limits.device_read_iops));
    block.set_throttle_write_iops_device(throttled(&limits.device_write_iops));
    (block != LinuxBlockIo::default()).then_some(block)
}

/// Nothing but the nodes every container has, those that were given, and the user's own rules.
fn device_rules(limits: &Limits, nodes: &[Node]) -> Vec<LinuxDeviceCgroup> {
    let mut all = LinuxDeviceCgroup::default();
    all.set_allow(false).set_access(Some("rwm".to_owned()));
    let given = nodes.iter().map(|node| {
        let mut rule = LinuxDeviceCgroup::default();
        rule.set_allow(true).set_typ(Some(node.kind));
        rule.set_major(Some(node.major)).set_minor(Some(node.minor));
        rule.set_access(Some(node.access.clone()));
        rule
    });
    let own = limits.device_rules.iter().filter_map(|line| {
        let mut words = line.split(' ');
        let kind = match words.next()? {
            "b" => LinuxDeviceType::B,
            "c" => LinuxDeviceType::C,
            _ => LinuxDeviceType::A,
        };
        let (major, minor) = words.next()?.split_once(':')?;
        let mut rule = LinuxDeviceCgroup::default();
        rule.set_allow(true).set_typ(Some(kind));
        rule.set_major(major.parse().ok())
            .set_minor(minor.parse().ok());
        rule.set_access(words.next().map(str::to_owned));
        Some(rule)
    });
    std::iter::once(all).chain(given).chain(own).collect()
}
