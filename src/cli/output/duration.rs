//! Spans of time in words, as the library go-units writes them, and local times.

use std::time::Duration;

use crate::base::Timestamp;

/// `4 minutes ago`.
pub fn ago(time: Timestamp) -> String {
    format!("{} ago", human_duration(time.age()))
}

/// The largest unit that fits, with go-units' switching points.
pub fn human_duration(span: Duration) -> String {
    let seconds = span.as_secs();
    let minutes = seconds / 60;
    // go-units rounds hours to the nearest, but counts years in whole hours.
    let hours = (seconds + 30 * 60) / 3600;
    let days = hours / 24;
    match (seconds, minutes, hours) {
        (0, ..) => "Less than a second".to_owned(),
        (1, ..) => "1 second".to_owned(),
        (..60, ..) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".to_owned(),
        (_, ..60, _) => format!("{minutes} minutes"),
        (.., 1) => "About an hour".to_owned(),
        (.., ..48) => format!("{hours} hours"),
        _ if days < 14 => format!("{days} days"),
        _ if days < 60 => format!("{} weeks", days / 7),
        _ if days < 730 => format!("{} months", days / 30),
        _ => format!("{} years", seconds / 3600 / 24 / 365),
    }
}

/// As Go prints a time: `2026-11-22 17:30:00 +0100 CET`, the columns `CreatedAt`.
pub fn local_time(time: Timestamp) -> String {
    let zoned = time.inner().to_zoned(jiff::tz::TimeZone::system());
    zoned.strftime("%Y-%m-%d %H:%M:%S %z %Z").to_string()
}

/// As `logs -t` prints a time: RFC 3339 in UTC with nine decimals.
pub fn log_time(time: Timestamp) -> String {
    format!("{:.9}", time.inner())
}

/// As `events` writes them: local, nine decimals, `Z` for UTC.
pub fn event_time(time: Timestamp) -> String {
    let local = time.inner().to_zoned(jiff::tz::TimeZone::system());
    let text = local.strftime("%Y-%m-%dT%H:%M:%S.%9f%:z").to_string();
    match text.strip_suffix("+00:00") {
        Some(utc) => format!("{utc}Z"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;

    #[test]
    fn durations_are_those_of_go_units() {
        let table = [
            (0, "Less than a second"),
            (1, "1 second"),
            (45, "45 seconds"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (119, "About a minute"),
            (2 * MINUTE, "2 minutes"),
            (59 * MINUTE + 59, "59 minutes"),
            (HOUR, "About an hour"),
            (HOUR + 29 * MINUTE, "About an hour"),
            (HOUR + 31 * MINUTE, "2 hours"),
            (30 * HOUR, "30 hours"),
            (47 * HOUR, "47 hours"),
            (48 * HOUR, "2 days"),
            (13 * DAY, "13 days"),
            (14 * DAY, "2 weeks"),
            (30 * DAY, "4 weeks"),
            (59 * DAY, "8 weeks"),
            (60 * DAY, "2 months"),
            (365 * DAY, "12 months"),
            (729 * DAY, "24 months"),
            (730 * DAY, "2 years"),
            (3 * 365 * DAY, "3 years"),
        ];
        for (seconds, text) in table {
            assert_eq!(human_duration(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn local_times_have_offset_and_zone() {
        let text = local_time(Timestamp::from_unix(0, 0));
        assert_eq!(text.split(' ').count(), 4, "{text}");
    }
}
