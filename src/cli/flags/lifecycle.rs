//! Flags of what happens to a container by itself: restarts, health checks, its longest time to
//! run, and who says that it is ready.

use std::time::Duration;

use clap::Command;

use super::moment::span;
use super::{Matches, integer, switch, text};
use crate::container::{HealthRequest, Lifecycle};
use crate::error::{Error, Result};
use crate::state::{Notify, OnFailure, RestartName, RestartPolicy};

/// Declares them.
pub fn declare(command: Command) -> Command {
    let duration = |name, about| text(name, "duration", about);
    command
        .arg(restart_flag())
        .arg(text(
            "health-cmd",
            "string",
            "Command to run to check health",
        ))
        .arg(duration(
            "health-interval",
            "Time between running the check (default 30s)",
        ))
        .arg(duration(
            "health-timeout",
            "Maximum time to allow one check to run (default 30s)",
        ))
        .arg(integer(
            "health-retries",
            "Consecutive failures needed to report unhealthy",
        ))
        .arg(duration(
            "health-start-period",
            "Time in which the container starts and failures do not count",
        ))
        .arg(duration(
            "health-start-interval",
            "Time between checks during the start period (default 5s)",
        ))
        .arg(text(
            "health-on-failure",
            "string",
            "What to do with an unhealthy container: none, kill, restart, stop",
        ))
        .arg(switch(
            "no-healthcheck",
            "Disable any container-specified HEALTHCHECK",
        ))
        .arg(integer(
            "timeout",
            "Seconds after which the container is killed",
        ))
        .arg(text(
            "sdnotify",
            "string",
            "Who tells systemd that it is ready: container, conmon, healthy, ignore",
        ))
}

/// `--restart`, which `update` has too.
pub fn restart_flag() -> clap::Arg {
    text(
        "restart",
        "string",
        "Restart policy to apply when a container exits",
    )
}

/// Reads them.
pub fn read(matches: &Matches) -> Result<Lifecycle> {
    let restart = matches.text("restart").map(restart).transpose()?;
    let restart = restart.unwrap_or_default();
    if matches.on("rm") && restart.name != RestartName::No {
        return Err(Error::invalid(
            "conflicting options: cannot specify both --restart and --rm",
        ));
    }
    let seconds = matches.value::<i64>("timeout");
    let timeout = seconds.map(|seconds| {
        u32::try_from(seconds)
            .map_err(|_| Error::invalid(format!("invalid --timeout {seconds}: must be 0 or more")))
    });
    Ok(Lifecycle {
        restart,
        health: health(matches)?,
        timeout: timeout.transpose()?.filter(|seconds| *seconds > 0),
        notify: matches.text("sdnotify").map(notify).transpose()?,
    })
}

/// `no`, `always`, `unless-stopped`, `on-failure[:MOST]`.
pub fn restart(text: &str) -> Result<RestartPolicy> {
    let (word, most) = match text.split_once(':') {
        Some((word, most)) => (word, Some(most)),
        None => (text, None),
    };
    let name = match word {
        "" | "no" => RestartName::No,
        "always" => RestartName::Always,
        "unless-stopped" => RestartName::UnlessStopped,
        "on-failure" => RestartName::OnFailure,
        other => {
            return Err(Error::invalid(format!("invalid restart policy '{other}'"))
                .hint("one of no, always, unless-stopped, on-failure[:N]"));
        }
    };
    let Some(most) = most else {
        return Ok(RestartPolicy { name, most: 0 });
    };
    let number: i64 = most.parse().map_err(|_| {
        Error::invalid("invalid restart policy format: maximum retry count must be an integer")
    })?;
    if name != RestartName::OnFailure && number != 0 {
        return Err(Error::invalid(format!(
            "invalid restart policy: maximum retry count cannot be used with restart policy \
             '{word}'"
        )));
    }
    let most = u32::try_from(number).map_err(|_| {
        Error::invalid("invalid restart policy: maximum retry count cannot be negative")
    })?;
    Ok(RestartPolicy { name, most })
}

fn health(matches: &Matches) -> Result<HealthRequest> {
    let period = |name: &str| {
        matches
            .text(name)
            .map(|text| nanoseconds(name, text))
            .transpose()
    };
    let retries = matches.value::<i64>("health-retries").map(|number| {
        u32::try_from(number).map_err(|_| Error::invalid("--health-retries cannot be negative"))
    });
    let request = HealthRequest {
        disabled: matches.on("no-healthcheck"),
        command: matches.text("health-cmd").map(str::to_owned),
        interval: period("health-interval")?,
        timeout: period("health-timeout")?,
        start_period: period("health-start-period")?,
        start_interval: period("health-start-interval")?,
        retries: retries.transpose()?,
        on_failure: matches
            .text("health-on-failure")
            .map(on_failure)
            .transpose()?
            .unwrap_or_default(),
    };
    let names = [
        "cmd",
        "interval",
        "timeout",
        "retries",
        "start-period",
        "start-interval",
    ];
    let given = |name: &&str| matches.given(&format!("health-{name}"));
    if request.disabled && names.iter().any(given) {
        return Err(Error::invalid(
            "--no-healthcheck conflicts with --health-* options",
        ));
    }
    Ok(request)
}

fn nanoseconds(name: &str, text: &str) -> Result<u64> {
    if text.starts_with('-') {
        return Err(Error::invalid(format!("--{name} cannot be negative")));
    }
    let given = match text {
        "0" => Some(Duration::ZERO),
        other => span(other),
    };
    let span = given.ok_or_else(|| {
        Error::invalid(format!("invalid argument \"{text}\" for \"--{name}\" flag"))
            .hint("a number with a unit, e.g. 30s or 1m30s")
    })?;
    if !span.is_zero() && span < Duration::from_millis(1) {
        return Err(Error::invalid(format!(
            "--{name} {text} is too short: at least 1ms"
        )));
    }
    Ok(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX))
}

fn on_failure(text: &str) -> Result<OnFailure> {
    match text {
        "none" => Ok(OnFailure::None),
        "kill" => Ok(OnFailure::Kill),
        "restart" => Ok(OnFailure::Restart),
        "stop" => Ok(OnFailure::Stop),
        other => Err(
            Error::invalid(format!("invalid --health-on-failure '{other}'"))
                .hint("one of none, kill, restart, stop"),
        ),
    }
}

fn notify(text: &str) -> Result<Notify> {
    match text {
        "container" => Ok(Notify::Container),
        "conmon" => Ok(Notify::Conmon),
        "healthy" => Ok(Notify::Healthy),
        "ignore" => Ok(Notify::Ignore),
        other => Err(Error::invalid(format!("invalid --sdnotify '{other}'"))
            .hint("one of container, conmon, healthy, ignore")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restart_policies_are_read_as_docker_reads_them() {
        let table = [
            ("no", Some((RestartName::No, 0))),
            ("", Some((RestartName::No, 0))),
            ("always", Some((RestartName::Always, 0))),
            ("unless-stopped", Some((RestartName::UnlessStopped, 0))),
            ("on-failure", Some((RestartName::OnFailure, 0))),
            ("on-failure:5", Some((RestartName::OnFailure, 5))),
            ("on-failure:-1", None),
            ("on-failure:x", None),
            ("always:3", None),
            ("bogus", None),
        ];
        for (text, expected) in table {
            let read = restart(text).ok().map(|policy| (policy.name, policy.most));
            assert_eq!(read, expected, "{text:?}");
        }
    }
}
