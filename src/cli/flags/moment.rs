//! Moments as users type them (`--since`, `--until`, `--filter until=…`): Unix seconds, RFC 3339
//! with or without its end, or a span before now, as in Go.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use crate::base::Timestamp;
use crate::error::{Error, Result};

/// The moment, or `None` if the text is not one.
pub fn parse(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some((negative, span)) = signed_span(text) {
        let span = SignedDuration::try_from(span).ok()?;
        let span = if negative { -span } else { span };
        return now.inner().checked_sub(span).ok().map(timestamp);
    }
    if let Some(time) = unix(text) {
        return Some(time);
    }
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let local = |civil: jiff::civil::DateTime| civil.to_zoned(TimeZone::system()).ok();
    let civil = text.parse::<jiff::civil::DateTime>().ok();
    if text.contains('T') || text.len() == "2006-01-02".len() {
        return civil
            .and_then(local)
            .map(|zoned| timestamp(zoned.timestamp()));
    }
    // A day with a zone: `2006-01-02Z`, `2006-01-02+01:00`.
    let (day, zone) = text.split_at_checked("2006-01-02".len())?;
    format!("{day}T00:00:00{zone}").parse().ok()
}

/// The moment that a flag's value names.
pub fn required(text: &str, now: Timestamp) -> Result<Timestamp> {
    parse(text, now).ok_or_else(|| {
        let why = format!("failed to parse value as time or duration: {text:?}");
        Error::invalid(why).hint("e.g. 10m, 2026-01-31 or 2026-01-31T12:00:00Z")
    })
}

fn timestamp(time: jiff::Timestamp) -> Timestamp {
    Timestamp::from_unix(time.as_second(), time.subsec_nanosecond())
}

/// `1700000000` or `1700000000.000000001`, exactly.
fn unix(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let whole = seconds.strip_prefix('-').unwrap_or(seconds);
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let nanoseconds = format!("{fraction:0<9}").parse().ok()?;
    Some(Timestamp::from_unix(seconds.parse().ok()?, nanoseconds))
}

fn signed_span(text: &str) -> Option<(bool, Duration)> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    Some((text.starts_with('-'), span(unsigned)?))
}

/// Go's `1h30m`, `1.5s`, `300ms`; needs a unit.
pub fn span(text: &str) -> Option<Duration> {
    const UNITS: [(&str, f64); 7] = [
        ("ms", 1e-3),
        ("us", 1e-6),
        ("µs", 1e-6),
        ("ns", 1e-9),
        ("h", 3600.0),
        ("m", 60.0),
        ("s", 1.0),
    ];
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let after = &rest[digits..];
        let mut units = UNITS.into_iter();
        let (unit, seconds) = units.find(|(unit, _)| after.starts_with(unit))?;
        total += number * seconds;
        rest = &after[unit.len()..];
    }
    (!text.is_empty() && total < 1e10).then(|| Duration::from_secs_f64(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_spans_seconds_or_dates() {
        let now = Timestamp::from_unix(1_000_000, 0);
        let table = [
            ("10m", 999_400),
            ("1h30m", 994_600),
            ("-10s", 1_000_010),
            ("0s", 1_000_000),
            ("0", 0),
            ("1700000000", 1_700_000_000),
            ("1700000000.5", 1_700_000_000),
            ("2013-01-02T13:23:37Z", 1_357_133_017),
            ("2013-01-02T14:23:37+01:00", 1_357_133_017),
            ("2013-01-02Z", 1_357_084_800),
        ];
        for (text, seconds) in table {
            let found = parse(text, now).map(|time| time.unix_seconds());
            assert_eq!(found, Some(seconds), "{text}");
        }
        for local in ["2013-01-02", "2013-01-02T13:23", "2013-01-02T13:23:37.5"] {
            assert!(parse(local, now).is_some(), "{local}");
        }
        for bad in ["", "x", "m", "1x", "2013-13-01", "1.2.3", "-", "10 m", "é"] {
            assert!(parse(bad, now).is_none(), "{bad:?}");
        }
        let exact = parse("1700000000.000000001", now);
        assert_eq!(exact, Some(Timestamp::from_unix(1_700_000_000, 1)));
    }
}
