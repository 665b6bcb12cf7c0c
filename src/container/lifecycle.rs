//! What a container does by itself, as asked for and as the image has it → as the record keeps it.

use crate::image::{Execution, Healthcheck};
use crate::state::{HealthCheck, Notify, OnFailure, RestartPolicy};

/// Of [`super::Request`]: restarts, health, time, readiness.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    pub restart: RestartPolicy,
    pub health: HealthRequest,
    /// Seconds until it is killed.
    pub timeout: Option<u32>,
    pub notify: Option<Notify>,
}

/// Health flags; what is absent comes from the image, then from Docker's defaults.
#[derive(Debug, Clone, Default)]
pub struct HealthRequest {
    pub disabled: bool,
    /// A line for the shell; empty for the image's own.
    pub command: Option<String>,
    /// Nanoseconds, all four.
    pub interval: Option<u64>,
    pub timeout: Option<u64>,
    pub start_period: Option<u64>,
    pub start_interval: Option<u64>,
    pub retries: Option<u32>,
    pub on_failure: OnFailure,
}

/// The health check of a container; `None` if it has none.
pub(super) fn health(request: &HealthRequest, image: &Execution) -> Option<HealthCheck> {
    let none = Healthcheck::default();
    let of_image = image.healthcheck.as_ref().unwrap_or(&none);
    let command = request.command.as_ref().filter(|line| !line.is_empty());
    let test = match command {
        Some(line) => vec!["CMD-SHELL".to_owned(), line.clone()],
        None => of_image.test.clone(),
    };
    let runs = matches!(test.first().map(String::as_str), Some("CMD" | "CMD-SHELL"));
    if request.disabled || !runs || test.len() < 2 {
        return None;
    }
    let span = |given: Option<u64>, of_image: i64, usual: u64| {
        let of_image = u64::try_from(of_image).ok();
        let first = [given, of_image]
            .into_iter()
            .flatten()
            .find(|span| *span > 0);
        first.unwrap_or(usual)
    };
    let retries = request.retries.filter(|number| *number > 0);
    let of_image_retries = u32::try_from(of_image.retries)
        .ok()
        .filter(|number| *number > 0);
    let usual = HealthCheck::usual(test);
    Some(HealthCheck {
        interval: span(request.interval, of_image.interval, usual.interval),
        timeout: span(request.timeout, of_image.timeout, usual.timeout),
        start_period: span(request.start_period, of_image.start_period, 0),
        start_interval: span(
            request.start_interval,
            of_image.start_interval,
            usual.start_interval,
        ),
        retries: retries.or(of_image_retries).unwrap_or(usual.retries),
        on_failure: request.on_failure,
        ..usual
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(test: &[&str]) -> Execution {
        Execution {
            healthcheck: Some(Healthcheck {
                test: test.iter().map(|word| (*word).to_owned()).collect(),
                interval: 7,
                retries: 2,
                ..Healthcheck::default()
            }),
            ..Execution::default()
        }
    }

    #[test]
    fn flags_win_over_the_image_and_the_image_over_defaults() {
        let none = HealthRequest::default();
        let check = health(&none, &image(&["CMD", "x"])).expect("has one");
        assert_eq!((check.interval, check.timeout), (7, 30_000_000_000));
        assert_eq!((check.retries, check.start_interval), (2, 5_000_000_000));
        let flags = HealthRequest {
            command: Some("y".to_owned()),
            interval: Some(9),
            ..HealthRequest::default()
        };
        let check = health(&flags, &image(&["CMD", "x"])).expect("has one");
        assert_eq!(check.test, ["CMD-SHELL", "y"]);
        assert_eq!(check.interval, 9);
    }

    #[test]
    fn no_test_is_no_check() {
        let none = HealthRequest::default();
        for test in [&[][..], &["NONE"], &["CMD"], &["BOGUS", "x"]] {
            assert_eq!(health(&none, &image(test)), None, "{test:?}");
        }
        let disabled = HealthRequest {
            disabled: true,
            ..HealthRequest::default()
        };
        assert_eq!(health(&disabled, &image(&["CMD", "x"])), None);
    }
}
