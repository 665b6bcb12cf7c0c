//! What happens to a container by itself: restarts, health checks, its longest time to run.

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;

/// When a container that ended is started again, `--restart`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartPolicy {
    pub name: RestartName,
    /// Restarts allowed by `on-failure`; 0 for any number.
    #[serde(default)]
    pub most: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartName {
    #[default]
    No,
    OnFailure,
    Always,
    UnlessStopped,
}

impl RestartName {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            RestartName::No => "no",
            RestartName::OnFailure => "on-failure",
            RestartName::Always => "always",
            RestartName::UnlessStopped => "unless-stopped",
        }
    }
}

impl RestartPolicy {
    /// Whether a container that ended by itself is started again. `restarts` counts those since a
    /// user last started it.
    pub fn restarts(self, exit_code: u8, restarts: u32) -> bool {
        match self.name {
            RestartName::No => false,
            RestartName::Always | RestartName::UnlessStopped => true,
            RestartName::OnFailure => exit_code != 0 && (self.most == 0 || restarts < self.most),
        }
    }

    /// Whether it is started when the machine is: it ran before, and its policy says so. Docker
    /// starts one with `always` even after a user stopped it.
    pub fn starts_at_boot(self, stopped_by_user: bool, exit_code: u8) -> bool {
        match self.name {
            RestartName::No => false,
            RestartName::Always => true,
            RestartName::UnlessStopped => !stopped_by_user,
            RestartName::OnFailure => !stopped_by_user && exit_code != 0,
        }
    }
}

/// How a container's health is found out, complete with defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// `["CMD", word…]` or `["CMD-SHELL", line]`.
    pub test: Vec<String>,
    /// Nanoseconds, as in images, all four.
    pub interval: u64,
    pub timeout: u64,
    pub start_period: u64,
    pub start_interval: u64,
    /// Failures in a row that make it unhealthy.
    pub retries: u32,
    #[serde(default)]
    pub on_failure: OnFailure,
}

impl HealthCheck {
    /// A check with Docker's defaults.
    pub fn usual(test: Vec<String>) -> Self {
        const SECOND: u64 = 1_000_000_000;
        HealthCheck {
            test,
            interval: 30 * SECOND,
            timeout: 30 * SECOND,
            start_period: 0,
            start_interval: 5 * SECOND,
            retries: 3,
            on_failure: OnFailure::None,
        }
    }
}

/// What becomes of a container that turns unhealthy, `--health-on-failure`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    #[default]
    None,
    Kill,
    Restart,
    Stop,
}

/// Who says that the container is ready, `--sdnotify`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notify {
    /// The program itself, through a socket that is passed on.
    #[default]
    Container,
    /// The monitor, once the program runs.
    Conmon,
    /// The monitor, once the container is healthy.
    Healthy,
    /// Nobody.
    Ignore,
}

/// The health of a container, Docker's `.State.Health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    #[serde(rename = "Status")]
    pub status: HealthStatus,
    #[serde(rename = "FailingStreak")]
    pub failing_streak: u32,
    /// The last few probes, oldest first.
    #[serde(rename = "Log")]
    pub log: Vec<Probe>,
}

impl Health {
    /// Before the first probe.
    pub fn starting() -> Self {
        Health {
            status: HealthStatus::Starting,
            failing_streak: 0,
            log: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    Starting,
    Healthy,
    Unhealthy,
}

impl HealthStatus {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            HealthStatus::Starting => "starting",
            HealthStatus::Healthy => "healthy",
            HealthStatus::Unhealthy => "unhealthy",
        }
    }
}

/// One run of a health check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    #[serde(rename = "Start")]
    pub start: Timestamp,
    #[serde(rename = "End")]
    pub end: Timestamp,
    /// −1 if it did not end in time or could not be run.
    #[serde(rename = "ExitCode")]
    pub exit_code: i32,
    /// The start of what it printed.
    #[serde(rename = "Output")]
    pub output: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_decides_by_exit_code_and_count() {
        let policy = |name, most| RestartPolicy { name, most };
        let table = [
            (policy(RestartName::No, 0), 1, 0, false),
            (policy(RestartName::Always, 0), 0, 999, true),
            (policy(RestartName::UnlessStopped, 0), 0, 0, true),
            (policy(RestartName::OnFailure, 0), 0, 0, false),
            (policy(RestartName::OnFailure, 0), 1, 999, true),
            (policy(RestartName::OnFailure, 3), 1, 2, true),
            (policy(RestartName::OnFailure, 3), 1, 3, false),
        ];
        for (policy, code, count, expected) in table {
            assert_eq!(
                policy.restarts(code, count),
                expected,
                "{policy:?} {code} {count}"
            );
        }
        assert!(policy(RestartName::Always, 0).starts_at_boot(true, 0));
        assert!(!policy(RestartName::UnlessStopped, 0).starts_at_boot(true, 0));
        assert!(policy(RestartName::OnFailure, 1).starts_at_boot(false, 2));
    }
}
