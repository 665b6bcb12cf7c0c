//! How often and how long after a failure a request is tried again.

use std::time::Duration;

/// Attempts beyond the first, unless the user says otherwise.
const RETRIES: u32 = 5;
/// The longest a registry's `Retry-After` is obeyed.
const MAX_WAIT: Duration = Duration::from_secs(300);

/// Waiting times; tests shrink them.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Making a connection, all addresses of the host together.
    pub connect: Duration,
    /// No byte for this long means the transfer is stuck.
    pub progress: Duration,
    /// What a registry may take to answer a PUT: it may copy gigabytes to where it keeps them
    /// first.
    pub put: Duration,
    /// Wait before the first retry, doubled for each further one.
    pub backoff: Duration,
    /// Attempts beyond the first.
    pub retries: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            connect: Duration::from_secs(10),
            progress: Duration::from_secs(60),
            put: Duration::from_secs(20 * 60),
            backoff: Duration::from_millis(500),
            retries: RETRIES,
        }
    }
}

impl Pace {
    /// The wait before retry number `retry` (from 0). The registry's own wish counts when it is
    /// longer; up to half is added at random, so that many clients do not come back together.
    pub fn wait(&self, retry: u32, retry_after: Option<u64>) -> Duration {
        let own = self.backoff.saturating_mul(1 << retry.min(8));
        let asked = Duration::from_secs(retry_after.unwrap_or(0));
        let mut byte = [0];
        // No randomness means no jitter, which is only less polite.
        let _ = rustix::rand::getrandom(&mut byte, rustix::rand::GetRandomFlags::empty());
        let jitter = own / 2 * u32::from(byte[0]) / 255;
        (own + jitter).max(asked).min(MAX_WAIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f64_waits_double_and_obey_retry_after_up_to_five_minutes() {
        let pace = Pace::default();
        assert!(pace.wait(0, None) >= pace.backoff);
        assert!(pace.wait(3, None) >= pace.backoff * 8);
        assert!(pace.wait(0, Some(20)) >= Duration::from_secs(20));
        assert_eq!(pace.wait(0, Some(1 << 40)), MAX_WAIT);
    }
}
