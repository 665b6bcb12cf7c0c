//! Moments and durations as Docker's flags take them.

use std::time::Duration;

use crate::base::Timestamp;
use crate::error::{Error, Result};

/// Unix seconds, RFC 3339 with or without its end, or a Go duration before now.
pub fn moment(text: &str, now: Timestamp) -> Result<Timestamp> {
    if let Some(span) = go_duration(text) {
        let then = now
            .inner()
            .checked_sub(jiff::SignedDuration::try_from(span).unwrap_or_default());
        let then = then.map_err(|_| Error::invalid(format!("invalid time {text:?}")))?;
        return Ok(Timestamp::from_unix(
            then.as_second(),
            then.subsec_nanosecond(),
        ));
    }
    if let Ok(seconds) = text.parse::<f64>() {
        let nanoseconds = (seconds.fract() * 1e9) as i32;
        return Ok(Timestamp::from_unix(seconds as i64, nanoseconds));
    }
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let local = text.parse::<jiff::civil::DateTime>();
    let local = local
        .ok()
        .and_then(|time| time.to_zoned(jiff::tz::TimeZone::system()).ok());
    let local = local.map(|time| time.timestamp());
    local
        .map(|time| Timestamp::from_unix(time.as_second(), time.subsec_nanosecond()))
        .ok_or_else(|| {
            Error::invalid(format!("invalid time {text:?}"))
                .hint("e.g. 10m or 2026-01-31T12:00:00Z")
        })
}

/// Go's `1h30m`, `1.5s`, `300ms`; needs a unit.
pub fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let after = &rest[digits..];
        let units = [
            ("ms", 1e-3),
            ("us", 1e-6),
            ("ns", 1e-9),
            ("h", 3600.0),
            ("m", 60.0),
            ("s", 1.0),
        ];
        let (unit, seconds) = units
            .into_iter()
            .find(|(unit, _)| after.starts_with(unit))?;
        total += number * seconds;
        rest = &after[unit.len()..];
    }
    (!text.is_empty() && total < 1e10).then(|| Duration::from_secs_f64(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_durations_seconds_or_dates() {
        let now = Timestamp::from_unix(1_000_000, 0);
        let table = [
            ("10m", 999_400),
            ("1h30m", 994_600),
            ("1700000000", 1_700_000_000),
            ("2013-01-02T13:23:37Z", 1_357_133_017),
        ];
        for (text, seconds) in table {
            assert_eq!(
                moment(text, now).expect(text).unix_seconds(),
                seconds,
                "{text}"
            );
        }
        for bad in ["", "x", "m"] {
            assert!(moment(bad, now).is_err(), "{bad:?}");
        }
    }
}
