//! Points in time as Docker writes them: RFC 3339, UTC, nanoseconds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A moment in UTC with nanoseconds. `0001-01-01T00:00:00Z` (Go's zero time) stands for "never".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// The wall clock now.
    pub fn now() -> Self {
        Timestamp(jiff::Timestamp::now())
    }

    /// Seconds and nanoseconds since 1970-01-01T00:00:00Z; out of range is clamped.
    pub fn from_unix(seconds: i64, nanoseconds: i32) -> Self {
        let clamped = seconds.clamp(
            jiff::Timestamp::MIN.as_second(),
            jiff::Timestamp::MAX.as_second(),
        );
        Timestamp(jiff::Timestamp::new(clamped, nanoseconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH))
    }

    /// Whole seconds since 1970.
    pub fn unix_seconds(&self) -> i64 {
        self.0.as_second()
    }

    /// How long ago this was; zero when it lies in the future (the clock may have jumped).
    pub fn age(&self) -> Duration {
        let nanoseconds = jiff::Timestamp::now().as_nanosecond() - self.0.as_nanosecond();
        Duration::from_nanos(u64::try_from(nanoseconds.max(0)).unwrap_or(u64::MAX))
    }

    /// The library's value, for local-time formatting in `cli::output`.
    pub fn inner(&self) -> jiff::Timestamp {
        self.0
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parsed = text.parse::<jiff::Timestamp>();
        parsed
            .map(Timestamp)
            .map_err(|error| Error::invalid(format!("invalid time {text:?}: {error}")))
    }
}

impl TryFrom<String> for Timestamp {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> String {
        time.to_string()
    }
}

/// RFC 3339 with as many decimals as are not zero, as Go's `RFC3339Nano`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
