//! `hull events`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::base::Timestamp;
use crate::cli::flags::moment::required as moment;
use crate::cli::flags::{self, Filter, Matches};
use crate::cli::output::Template;
use crate::cli::{Command, output};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::events::{Event, Events, Subject};

pub const COMMAND: Command = Command {
    paths: &["events", "system events"],
    about: "Get events as they happen",
    arguments: |command| {
        let format = "Format output using a custom template: 'json' or a Go template";
        command
            .arg(flags::filter("Filter output based on conditions provided"))
            .arg(flags::text("format", "string", format))
            .arg(flags::text(
                "since",
                "string",
                "Show all events since a moment",
            ))
            .arg(flags::switch_on(
                "stream",
                "Wait for more events at the end",
            ))
            .arg(flags::text("until", "string", "Show events until a moment"))
            .arg(flags::switch("no-trunc", "Accepted: nothing is cut").hide(true))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let now = Timestamp::now();
    let at = |name: &str| matches.text(name).map(|text| moment(text, now)).transpose();
    let (since, until) = (at("since")?, at("until")?);
    let filters = Filters::parse(&matches.filters())?;
    let format = Format::parse(matches.text("format"))?;
    let past = |moment: Option<Timestamp>| moment.is_some_and(|moment| moment <= now);
    let follow = matches.on("stream") && !past(until);
    // Without --since only what happens from now on is asked for.
    let since = since.unwrap_or(match follow || until.is_some() {
        true => now,
        false => Timestamp::from_unix(0, 0),
    });
    let deadline = until.map(|until| Instant::now() + ahead(until, now));
    let mut events = Events::open(&settings.run, follow)?;
    while let Some(event) = events.next(deadline)? {
        let time = event.at();
        if until.is_some_and(|until| time > until) {
            break;
        }
        if time >= since && filters.admit(&event) {
            output::line(format.render(&event)?)?;
        }
    }
    Ok(0)
}

fn ahead(until: Timestamp, now: Timestamp) -> Duration {
    let nanoseconds = until.inner().as_nanosecond() - now.inner().as_nanosecond();
    Duration::from_nanos(u64::try_from(nanoseconds.max(0)).unwrap_or(u64::MAX))
}

enum Format {
    Text,
    Json,
    Template(Template),
}

impl Format {
    fn parse(given: Option<&str>) -> Result<Format> {
        Ok(match given.map(str::trim) {
            None | Some("") => Format::Text,
            Some("json" | "{{json .}}") => Format::Json,
            Some(_) => Format::Template(Template::parse(given.unwrap_or_default())?),
        })
    }

    fn render(&self, event: &Event) -> Result<String> {
        match self {
            Format::Text => Ok(text(event)),
            Format::Json => Ok(output::json_line(&serde_json::to_value(event)?)),
            Format::Template(template) => template.render(&for_templates(event)?),
        }
    }
}

/// Docker's templates see Go's field names beside the JSON ones.
fn for_templates(event: &Event) -> Result<serde_json::Value> {
    let mut value = serde_json::to_value(event)?;
    if let Some(map) = value.as_object_mut() {
        let more = [
            ("Status", event.status.clone().unwrap_or_default().into()),
            ("ID", event.id.clone().unwrap_or_default().into()),
            ("From", event.from.clone().unwrap_or_default().into()),
            ("Scope", event.scope.clone().into()),
            ("Time", event.time.into()),
            ("TimeNano", event.time_nano.into()),
        ];
        map.extend(more.map(|(key, value): (&str, serde_json::Value)| (key.to_owned(), value)));
    }
    Ok(value)
}

/// `TIME TYPE ACTION ID (key=value, …)`, the time local with nine decimals.
fn text(event: &Event) -> String {
    let attributes = event.actor.attributes.iter();
    let attributes: Vec<String> = attributes
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    format!(
        "{} {} {} {} ({})",
        output::event_time(event.at()),
        event.subject.word(),
        event.action,
        event.actor.id,
        attributes.join(", ")
    )
}

/// Values of one key are alternatives, different keys must all hold, and all labels must.
#[derive(Debug, Default)]
struct Filters {
    by_key: BTreeMap<String, Vec<String>>,
}

impl Filters {
    fn parse(given: &[Filter]) -> Result<Filters> {
        let known = [
            "type",
            "event",
            "container",
            "image",
            "network",
            "volume",
            "label",
            "scope",
            "daemon",
        ];
        let mut filters = Filters::default();
        for Filter { key, value } in given {
            if !known.contains(&key.as_str()) {
                return Err(Error::invalid(format!("invalid filter '{key}'")));
            }
            let values = filters.by_key.entry(key.clone()).or_default();
            values.push(value.clone());
        }
        Ok(filters)
    }

    fn admit(&self, event: &Event) -> bool {
        self.by_key.iter().all(|(key, values)| {
            let mut values = values.iter().map(String::as_str);
            match key.as_str() {
                "type" => values.any(|value| value == event.subject.word()),
                "scope" => values.any(|value| value == event.scope),
                // `exec_start: sh` is found by its first part too.
                "event" => values.any(|value| {
                    let action = event.action.as_str();
                    value == action || action.split(": ").next() == Some(value)
                }),
                "container" => values.any(|value| is_about(event, Subject::Container, value)),
                "network" => values.any(|value| is_about(event, Subject::Network, value)),
                "volume" => values.any(|value| is_about(event, Subject::Volume, value)),
                "image" => values.any(|value| {
                    is_about(event, Subject::Image, value) || event.from.as_deref() == Some(value)
                }),
                "label" => values.all(|value| has_label(event, value)),
                _ => false,
            }
        })
    }
}

fn is_about(event: &Event, subject: Subject, value: &str) -> bool {
    let name = event.actor.attributes.get("name").map(String::as_str);
    let is_name =
        name == Some(value) || name.and_then(|name| name.split(':').next()) == Some(value);
    event.subject == subject
        && (is_name || (!value.is_empty() && event.actor.id.starts_with(value)))
}

fn has_label(event: &Event, wanted: &str) -> bool {
    let attributes = &event.actor.attributes;
    match wanted.split_once('=') {
        Some((key, value)) => attributes.get(key).is_some_and(|known| known == value),
        None => attributes.contains_key(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: &str, attributes: &[(&str, &str)]) -> Event {
        let attributes = attributes.iter();
        let attributes = attributes.map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Event::now(Subject::Container, action, "abcdef", attributes.collect())
    }

    #[test]
    fn filters_admit_what_docker_admits() {
        let event = event(
            "exec_start: sh",
            &[("name", "web"), ("image", "nginx"), ("a", "b")],
        );
        let table: &[(&[&str], bool)] = &[
            (&[], true),
            (&["type=container"], true),
            (&["type=image"], false),
            (&["type=image", "type=container"], true),
            (&["event=exec_start"], true),
            (&["event=exec_start: sh"], true),
            (&["event=exec"], false),
            (&["container=web"], true),
            (&["container=abc"], true),
            (&["container=we"], false),
            (&["image=nginx"], true),
            (&["label=a"], true),
            (&["label=a=b", "label=c"], false),
            (&["container=web", "event=die"], false),
        ];
        for (given, admitted) in table {
            let given: Vec<Filter> = given
                .iter()
                .filter_map(|text| text.split_once('='))
                .map(|(key, value)| Filter {
                    key: key.to_owned(),
                    value: value.to_owned(),
                })
                .collect();
            let filters = Filters::parse(&given).expect("known keys");
            assert_eq!(filters.admit(&event), *admitted, "{given:?}");
        }
        let unknown = Filter {
            key: "x".to_owned(),
            value: String::new(),
        };
        assert!(Filters::parse(&[unknown]).is_err());
    }
}
