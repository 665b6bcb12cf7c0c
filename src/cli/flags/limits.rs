//! The flags that limit resources, of `run`, `create` and `update` → [`Limits`]. Values are checked
//! here one by one, as Docker's command does; how they fit together is [`crate::container`]'s
//! matter.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::ValueParser;
use clap::{Arg, Command};

use super::{Matches, integer, list, switch, text, value};
use crate::base::ByteSize;
use crate::error::{Error, Result};
use crate::state::{Device, DeviceRate, Limits};

/// Declares those that a container can be given at any time.
pub fn declare(command: Command) -> Command {
    declare_devices(declare_cpu(declare_memory(command)))
        .arg(integer(
            "pids-limit",
            "Limit the number of processes (-1 for unlimited)",
        ))
        .arg(switch(
            "strict-limits",
            "Fail if a limit cannot be enforced on this host",
        ))
}

/// Declares those that are decided at create.
pub fn declare_fixed(command: Command) -> Command {
    command
        .arg(text(
            "cgroup-parent",
            "string",
            "Optional parent cgroup for the container",
        ))
        .arg(typed_list(
            "device",
            "Add a host device to the container",
            device,
        ))
        .arg(typed_list(
            "device-cgroup-rule",
            "Add a rule to the cgroup allowed devices list",
            device_rule,
        ))
        .arg(switch("oom-kill-disable", "Disable OOM Killer"))
        .arg(integer(
            "oom-score-adj",
            "Tune the host's OOM preferences (-1000 to 1000)",
        ))
}

fn declare_memory(command: Command) -> Command {
    command
        .arg(value::<ByteSize>("memory", "bytes", "Memory limit").short('m'))
        .arg(value::<ByteSize>(
            "memory-reservation",
            "bytes",
            "Memory soft limit",
        ))
        .arg(value::<SwapSize>(
            "memory-swap",
            "bytes",
            "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
        ))
        .arg(integer(
            "memory-swappiness",
            "Tune container memory swappiness (0 to 100)",
        ))
}

fn declare_cpu(command: Command) -> Command {
    command
        .arg(integer(
            "cpu-period",
            "Limit CPU CFS (Completely Fair Scheduler) period",
        ))
        .arg(integer(
            "cpu-quota",
            "Limit CPU CFS (Completely Fair Scheduler) quota",
        ))
        .arg(integer("cpu-shares", "CPU shares (relative weight)").short('c'))
        .arg(value::<Cpus>("cpus", "decimal", "Number of CPUs"))
        .arg(text(
            "cpuset-cpus",
            "string",
            "CPUs in which to allow execution (0-3, 0,1)",
        ))
        .arg(text(
            "cpuset-mems",
            "string",
            "MEMs in which to allow execution (0-3, 0,1)",
        ))
}

fn declare_devices(command: Command) -> Command {
    let weight = "Block IO (relative weight), between 10 and 1000, or 0 to disable";
    command
        .arg(value::<u16>("blkio-weight", "uint16", weight))
        .arg(typed_list(
            "blkio-weight-device",
            "Block IO weight (relative device weight)",
            device_weight,
        ))
        .arg(typed_list(
            "device-read-bps",
            "Limit read rate (bytes per second) from a device",
            byte_rate,
        ))
        .arg(typed_list(
            "device-write-bps",
            "Limit write rate (bytes per second) to a device",
            byte_rate,
        ))
        .arg(typed_list(
            "device-read-iops",
            "Limit read rate (IO per second) from a device",
            operation_rate,
        ))
        .arg(typed_list(
            "device-write-iops",
            "Limit write rate (IO per second) to a device",
            operation_rate,
        ))
}

/// What was given of the flags of [`declare`].
pub fn limits(matches: &Matches) -> Result<Limits> {
    let bytes = |name: &str| {
        let size = matches.value::<ByteSize>(name).map_or(0, |size| size.0);
        i64::try_from(size).unwrap_or(i64::MAX)
    };
    let number = |name: &str| matches.value::<i64>(name).unwrap_or(0);
    let words = |name: &str| matches.text(name).unwrap_or_default().to_owned();
    let swappiness = match matches.value::<i64>("memory-swappiness") {
        None | Some(-1) => None,
        Some(value) => Some(within(value, 0, 100).ok_or_else(|| {
            let range = "valid memory swappiness range is 0-100";
            Error::invalid(format!("Invalid value: {value}, {range}"))
        })?),
    };
    let pids = matches.value::<i64>("pids-limit");
    if let Some(pids) = pids.filter(|pids| !(-1..=4_194_304).contains(pids)) {
        return Err(Error::invalid(format!(
            "invalid --pids-limit {pids}: must be from -1 to 4194304"
        )));
    }
    let (shares, period) = (number("cpu-shares"), number("cpu-period"));
    Ok(Limits {
        memory: bytes("memory"),
        memory_swap: matches
            .value::<SwapSize>("memory-swap")
            .map_or(0, |size| size.0),
        memory_reservation: bytes("memory-reservation"),
        memory_swappiness: swappiness,
        nano_cpus: matches.value::<Cpus>("cpus").map_or(0, |cpus| cpus.0),
        cpu_shares: within(shares, 0, i64::MAX).ok_or_else(|| {
            let why = "the minimum allowed cpu-shares is 2";
            Error::invalid(format!("invalid CPU shares ({shares}): {why}"))
        })?,
        cpu_quota: number("cpu-quota"),
        cpu_period: within(period, 0, i64::MAX).ok_or_else(period_range)?,
        cpuset_cpus: words("cpuset-cpus"),
        cpuset_mems: words("cpuset-mems"),
        // Docker's 0 is no limit too.
        pids: pids.map(|pids| if pids > 0 { pids } else { -1 }),
        blkio_weight: matches.value("blkio-weight").unwrap_or(0),
        blkio_weight_device: matches.values("blkio-weight-device"),
        device_read_bps: matches.values("device-read-bps"),
        device_write_bps: matches.values("device-write-bps"),
        device_read_iops: matches.values("device-read-iops"),
        device_write_iops: matches.values("device-write-iops"),
        strict: matches.on("strict-limits"),
        ..Limits::default()
    })
}

/// The same and what was given of [`declare_fixed`].
pub fn all_limits(matches: &Matches) -> Result<Limits> {
    Ok(Limits {
        oom_kill_disable: matches.on("oom-kill-disable"),
        devices: matches.values("device"),
        device_rules: matches.values("device-cgroup-rule"),
        cgroup_parent: matches.text("cgroup-parent").unwrap_or_default().to_owned(),
        ..limits(matches)?
    })
}

/// The value of `--oom-score-adj`.
pub fn oom_score(matches: &Matches) -> Result<Option<i32>> {
    let Some(score) = matches.value::<i64>("oom-score-adj") else {
        return Ok(None);
    };
    let inside = i32::try_from(score).ok();
    let inside = inside.filter(|score| (-1000..=1000).contains(score));
    let refuse = || {
        let range = "range for oom score adj is [-1000, 1000]";
        Error::invalid(format!("Invalid value {score}, {range}"))
    };
    inside.map(Some).ok_or_else(refuse)
}

/// Docker's words for a period out of range.
fn period_range() -> Error {
    Error::invalid(
        "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
    )
}

fn within(value: i64, low: i64, high: i64) -> Option<u64> {
    let inside = (low..=high).contains(&value);
    u64::try_from(value).ok().filter(|_| inside)
}

fn typed_list<T: Clone + Send + Sync + 'static>(
    name: &'static str,
    about: &'static str,
    parse: fn(&str) -> Result<T, String>,
) -> Arg {
    list(name, "list", about).value_parser(ValueParser::new(parse))
}

/// `--memory-swap`: bytes, or -1.
#[derive(Debug, Clone, Copy)]
struct SwapSize(i64);

impl FromStr for SwapSize {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "-1" {
            return Ok(SwapSize(-1));
        }
        let size = text.parse::<ByteSize>()?;
        Ok(SwapSize(i64::try_from(size.0).unwrap_or(i64::MAX)))
    }
}

/// `--cpus`: a decimal number or a fraction, exact to a billionth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cpus(i64);

impl FromStr for Cpus {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        const BILLION: i128 = 1_000_000_000;
        let refuse = || Error::invalid(format!("failed to parse {text} as a rational number"));
        let (above, below) = text.split_once('/').unwrap_or((text, "1"));
        let (above, scale) = decimal(above).ok_or_else(refuse)?;
        let (below, 1) = decimal(below).ok_or_else(refuse)? else {
            return Err(refuse());
        };
        let whole = scale.checked_mul(below).filter(|whole| *whole != 0);
        let whole = whole.ok_or_else(refuse)?;
        let nano = above.checked_mul(BILLION).ok_or_else(refuse)?;
        if nano % whole != 0 {
            return Err(Error::invalid("value is too precise"));
        }
        i64::try_from(nano / whole).map(Cpus).map_err(|_| refuse())
    }
}

/// A decimal number as a whole one and the power of ten to divide it by.
fn decimal(text: &str) -> Option<(i128, i128)> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    let scale = 10i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let plain = !all.is_empty() && all.bytes().all(|byte| byte.is_ascii_digit());
    let number = plain.then(|| all.parse::<i128>().ok()).flatten()?;
    Some((sign * number, scale))
}

/// `/dev/sda:value`.
fn rate(text: &str, parse: impl Fn(&str) -> Option<u64>, why: &str) -> Result<DeviceRate, String> {
    let (path, value) = text
        .split_once(':')
        .filter(|(path, value)| !path.is_empty() && !value.contains(':'))
        .ok_or_else(|| format!("bad format: {text}"))?;
    if !path.starts_with("/dev/") {
        return Err(format!("bad format for device path: {text}"));
    }
    Ok(DeviceRate {
        path: PathBuf::from(path),
        rate: parse(value).ok_or_else(|| format!("{why}: {text}"))?,
    })
}

fn device_weight(text: &str) -> Result<DeviceRate, String> {
    let weight = |value: &str| {
        let weight = value.parse().ok();
        weight.filter(|weight| *weight == 0 || (10..=1000).contains(weight))
    };
    rate(text, weight, "invalid weight for device")
}

fn byte_rate(text: &str) -> Result<DeviceRate, String> {
    let bytes = |value: &str| value.parse::<ByteSize>().ok().map(|size| size.0);
    let form = "The correct format is <device-path>:<number>[<unit>]. Number must be a positive \
                integer. Unit is optional and can be kb, mb, or gb";
    rate(text, bytes, "invalid rate for device").map_err(|why| with_form(why, form))
}

fn operation_rate(text: &str) -> Result<DeviceRate, String> {
    let form = "The correct format is <device-path>:<number>. Number must be a positive integer";
    let number = |value: &str| value.parse().ok();
    rate(text, number, "invalid rate for device").map_err(|why| with_form(why, form))
}

fn with_form(why: String, form: &str) -> String {
    match why.starts_with("invalid rate") {
        true => format!("{why}. {form}"),
        false => why,
    }
}

/// `/dev/a[:/dev/b][:rwm]`.
fn device(text: &str) -> Result<Device, String> {
    let is_access = |word: &str| {
        let known = word.bytes().all(|byte| b"rwm".contains(&byte));
        let mut letters: Vec<u8> = word.bytes().collect();
        letters.sort_unstable();
        letters.dedup();
        known && !word.is_empty() && letters.len() == word.len()
    };
    let parts: Vec<&str> = text.split(':').collect();
    let (on_host, in_container, access) = match parts[..] {
        [host] => (host, host, "rwm"),
        [host, access] if is_access(access) => (host, host, access),
        [host, container] => (host, container, "rwm"),
        [host, container, access] if is_access(access) => (host, container, access),
        [_, _, access] => return Err(format!("bad mode specified: {access}")),
        _ => return Err(format!("bad format for path: {text}")),
    };
    for path in [on_host, in_container] {
        if !Path::new(path).is_absolute() {
            return Err(format!("{path} is not an absolute path"));
        }
    }
    Ok(Device {
        on_host: PathBuf::from(on_host),
        in_container: PathBuf::from(in_container),
        access: access.to_owned(),
    })
}

/// `c 1:3 rwm`, with `*` for any number.
fn device_rule(text: &str) -> Result<String, String> {
    let refuse = || format!("invalid device cgroup format '{text}'");
    let [kind, numbers, access] = text.split(' ').collect::<Vec<_>>()[..] else {
        return Err(refuse());
    };
    let (major, minor) = numbers.split_once(':').ok_or_else(refuse)?;
    let number = |word: &str| word == "*" || word.parse::<u32>().is_ok();
    let letters = access.bytes().all(|byte| b"rwm".contains(&byte));
    let known = matches!(kind, "a" | "b" | "c") && number(major) && number(minor);
    let good = known && letters && (1..=3).contains(&access.len());
    good.then(|| text.to_owned()).ok_or_else(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpus_are_exact() {
        let table = [
            ("1.5", 1_500_000_000),
            ("0.01", 10_000_000),
            (".5", 500_000_000),
            ("3/4", 750_000_000),
            ("-1", -1_000_000_000),
            ("0.000000001", 1),
        ];
        for (text, nano) in table {
            assert_eq!(text.parse::<Cpus>().ok(), Some(Cpus(nano)), "{text}");
        }
        for bad in ["", "a", "1.2.3", "1/0", "0.0000000001", "1/3", "1e-1x"] {
            assert!(bad.parse::<Cpus>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn devices_are_read_as_docker_does() {
        let parsed = |text: &str| {
            device(text).map(|device| {
                let (host, container) = (device.on_host.display(), device.in_container.display());
                format!("{host} {container} {}", device.access)
            })
        };
        let good = [
            ("/dev/a", "/dev/a /dev/a rwm"),
            ("/dev/a:r", "/dev/a /dev/a r"),
            ("/dev/a:/dev/b", "/dev/a /dev/b rwm"),
            ("/dev/a:/dev/b:wm", "/dev/a /dev/b wm"),
        ];
        for (text, shown) in good {
            assert_eq!(parsed(text).as_deref(), Ok(shown));
        }
        let bad = [
            ("a", "a is not an absolute path"),
            ("/dev/a:b", "b is not an absolute path"),
            ("/dev/a:/dev/b:rr", "bad mode specified: rr"),
            ("/a:/b:r:w", "bad format for path: /a:/b:r:w"),
        ];
        for (text, why) in bad {
            assert_eq!(parsed(text), Err(why.to_owned()));
        }
    }

    #[test]
    fn rules_and_rates_have_a_grammar() {
        for good in ["c 1:3 rwm", "a *:* m", "b 8:* r"] {
            assert!(device_rule(good).is_ok(), "{good}");
        }
        for bad in [
            "c 1:3",
            "x 1:3 r",
            "c 1 r",
            "c 1:3 rwmr",
            "c 1:3 x",
            "c 1:3  r",
            "c -1:3 r",
        ] {
            assert!(device_rule(bad).is_err(), "{bad}");
        }
        assert_eq!(byte_rate("/dev/sda:1mb").map(|rate| rate.rate), Ok(1 << 20));
        assert!(byte_rate("sda:1mb").is_err_and(|why| why.contains("device path")));
        assert!(operation_rate("/dev/sda:1mb").is_err_and(|why| why.contains("positive")));
        assert!(device_weight("/dev/sda:9").is_err_and(|why| why.contains("weight")));
    }
}
