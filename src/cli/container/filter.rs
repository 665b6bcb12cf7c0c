//! `ps --filter`: the keys of Docker and podman, as questions to a container's record.

use std::collections::BTreeSet;

use crate::base::{ContainerId, DiffId, Digest, Timestamp};
use crate::cli::container::facts;
use crate::cli::flags::filter::Patterns;
use crate::cli::flags::{Filter, Filters};
use crate::cli::store;
use crate::config::Settings;
use crate::error::{Error, Kind, Result};
use crate::image;
use crate::state::{Config, Record, Records, Status};

/// What `ps` filters by; `pod` and `is-task` match nothing here, as there are neither.
const KEYS: &[&str] = &[
    "ancestor",
    "before",
    "command",
    "exited",
    "expose",
    "health",
    "id",
    "is-task",
    "label",
    "label!",
    "name",
    "network",
    "pod",
    "publish",
    "restart-policy",
    "should-start-on-boot",
    "since",
    "status",
    "until",
    "volume",
];

/// Those that ask the container's configuration, which costs a read each.
const OF_CONFIG: &[&str] = &[
    "ancestor",
    "command",
    "expose",
    "health",
    "label",
    "label!",
    "network",
    "publish",
    "restart-policy",
    "should-start-on-boot",
    "volume",
];

const STATUSES: &[&str] = &[
    "created",
    "restarting",
    "running",
    "removing",
    "paused",
    "exited",
    "dead",
    // podman's words
    "configured",
    "initialized",
    "stopped",
    "stopping",
    "unknown",
];

const HEALTHS: &[&str] = &["starting", "healthy", "unhealthy", "none"];

/// The filters of one `ps`, checked.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    filters: Filters,
    ids: Patterns,
    names: Patterns,
    commands: Patterns,
    exit_codes: BTreeSet<u8>,
    ancestors: Vec<Ancestor>,
    before: Option<(ContainerId, Timestamp)>,
    since: Option<(ContainerId, Timestamp)>,
    until: Option<Timestamp>,
    published: BTreeSet<String>,
    exposed: BTreeSet<String>,
    on_boot: Option<bool>,
}

/// An image that containers are to stem from.
#[derive(Debug)]
struct Ancestor {
    id: Digest,
    layers: Vec<DiffId>,
}

impl Conditions {
    pub(super) fn parse(given: &[Filter], settings: &Settings) -> Result<Conditions> {
        if given.is_empty() {
            return Ok(Conditions::default());
        }
        let filters = Filters::check(given, KEYS)?;
        filters.one_of("status", STATUSES)?;
        if let Some(bad) = unknown(filters.values("health"), HEALTHS) {
            let text = format!("Unrecognised filter value for health: {bad}");
            return Err(Error::invalid(text).hint(format!("one of {}", HEALTHS.join(", "))));
        }
        filters.flag("is-task")?;
        let records = crate::container::records(settings);
        Ok(Conditions {
            ids: filters.patterns("id"),
            names: filters.patterns("name"),
            commands: filters.patterns("command"),
            exit_codes: exit_codes(filters.values("exited"))?,
            ancestors: ancestors(settings, filters.values("ancestor"))?,
            before: moment(&records, filters.values("before"))?,
            since: moment(&records, filters.values("since"))?,
            until: filters.until(Timestamp::now())?,
            published: ports("publish", filters.values("publish"))?,
            exposed: ports("expose", filters.values("expose"))?,
            on_boot: filters.flag("should-start-on-boot")?,
            filters,
        })
    }

    /// Something was asked that concerns stopped containers: then they are meant too, without `-a`.
    pub(super) fn mean_all(&self) -> bool {
        self.filters.has_any(&["status", "exited"])
    }

    /// Whether [`Conditions::admit`] has to be given the configuration.
    pub(super) fn need_config(&self) -> bool {
        self.filters.has_any(OF_CONFIG)
    }

    pub(super) fn admit(&self, record: &Record, config: Option<&Config>) -> bool {
        let state = &record.state;
        let (id, name) = (state.id.to_string(), state.name.as_str());
        let ended = state.status == Status::Exited;
        let other = |of: &(ContainerId, Timestamp)| of.0 != state.id;
        let filters = &self.filters;
        let configured = || config.is_some_and(|config| self.admit_config(record, config));
        self.ids.match_any(&[&id])
            // Docker's names begin with a slash, and patterns may know it.
            && self.names.match_any(&[name, &format!("/{name}")])
            && self.commands.match_any(&[&state.command])
            && filters.any("status", |status| is_status(record, status))
            && (!filters.has("exited") || ended && self.exit_codes.contains(&state.exit_code))
            && self.before.is_none_or(|of| other(&of) && state.created < of.1)
            && self.since.is_none_or(|of| other(&of) && state.created > of.1)
            && self.until.is_none_or(|until| state.created < until)
            && !filters.has("pod")
            && !matches!(filters.flag("is-task"), Ok(Some(true)))
            && (!self.need_config() || configured())
    }

    fn admit_config(&self, record: &Record, config: &Config) -> bool {
        let filters = &self.filters;
        let exposed = facts::exposed(config);
        let exposes = |wanted: &String| exposed.contains(wanted);
        let publishes = |wanted: &String| config.ports.iter().any(|p| p.container() == *wanted);
        filters.labels(&config.labels)
            && (self.ancestors.is_empty() && !filters.has("ancestor")
                || self.ancestors.iter().any(|ancestor| ancestor.is_of(config)))
            && filters.any("volume", |wanted| has_volume(config, wanted))
            && filters.any("network", |wanted| facts::network(config) == wanted)
            && (self.exposed.is_empty() || self.exposed.iter().any(exposes))
            && (self.published.is_empty() || self.published.iter().any(publishes))
            && filters.any("health", |wanted| facts::health(record) == wanted)
            && filters.any("restart-policy", |wanted| {
                config.restart.name.word() == wanted
            })
            && self
                .on_boot
                .is_none_or(|wanted| wanted == starts_at_boot(record, config))
    }
}

impl Ancestor {
    /// The container's image is this one, or was made on top of it.
    fn is_of(&self, config: &Config) -> bool {
        config.image == self.id
            || !self.layers.is_empty()
                && config.layers.len() > self.layers.len()
                && config.layers.starts_with(&self.layers)
    }
}

fn starts_at_boot(record: &Record, config: &Config) -> bool {
    let state = &record.state;
    let exit_code = if facts::lives(record) {
        1
    } else {
        state.exit_code
    };
    config
        .restart
        .starts_at_boot(state.stopped_by_user, exit_code)
}

fn unknown<'a>(values: &'a [String], known: &[&str]) -> Option<&'a String> {
    values.iter().find(|value| !known.contains(&value.as_str()))
}

fn is_status(record: &Record, wanted: &str) -> bool {
    let wanted = match wanted {
        "configured" => "created",
        "stopped" => "exited",
        other => other,
    };
    facts::status(record) == wanted
}

fn exit_codes(values: &[String]) -> Result<BTreeSet<u8>> {
    let mut codes = BTreeSet::new();
    for value in values {
        let code = value.parse::<i64>().map_err(|_| {
            Error::invalid(format!(
                "Invalid filter 'exited={value}': strconv.Atoi: parsing {value:?}: invalid syntax"
            ))
        })?;
        // Another number is no error, and no container's exit code.
        codes.extend(u8::try_from(code).ok());
    }
    Ok(codes)
}

fn ancestors(settings: &Settings, values: &[String]) -> Result<Vec<Ancestor>> {
    let mut found = Vec::new();
    let store = match values {
        [] => None,
        _ => store::open_existing(settings)?,
    };
    let Some(store) = store else {
        return Ok(found);
    };
    for value in values {
        match image::find(&store, value) {
            Ok(image) => found.push(Ancestor {
                id: image.id,
                layers: image.diff_ids,
            }),
            // Docker warns in its log and lists nothing.
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Invalid) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// When the named container was made.
fn moment(records: &Records, values: &[String]) -> Result<Option<(ContainerId, Timestamp)>> {
    let Some(name) = values.last() else {
        return Ok(None);
    };
    let id = records.find(name)?;
    Ok(Some((id, records.record(&id)?.state.created)))
}

/// `80`, `80/udp`, `8000-8010/tcp` → single ports with their protocol.
fn ports(key: &str, values: &[String]) -> Result<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for value in values {
        let (numbers, protocol) = value.split_once('/').unwrap_or((value, "tcp"));
        let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
        let number = |text: &str| {
            text.parse::<u16>().map_err(|_| {
                let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                let why = if digits {
                    "value out of range"
                } else {
                    "invalid syntax"
                };
                let why = format!("strconv.ParseUint: parsing {text:?}: {why}");
                Error::invalid(format!("error while looking up for {key} {value}: {why}"))
            })
        };
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            let why = format!("Invalid range specified for the Port: {numbers}");
            let text = format!("error while looking up for {key} {value}: {why}");
            return Err(Error::invalid(text));
        }
        all.extend((first..=last).map(|port| format!("{port}/{protocol}")));
    }
    Ok(all)
}

/// By name, by source or by the place in the container.
fn has_volume(config: &Config, wanted: &str) -> bool {
    let is = |path: &std::path::Path| path.to_str() == Some(wanted);
    config
        .mounts
        .iter()
        .any(|mount| is(&mount.source) || is(&mount.target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_expanded_and_checked() {
        let parse = |text: &str| ports("expose", &[text.to_owned()]);
        let shown = |text: &str| {
            let ports = parse(text).expect(text).into_iter();
            ports.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(shown("80"), "80/tcp");
        assert_eq!(shown("53/udp"), "53/udp");
        assert_eq!(shown("80-82/tcp"), "80/tcp 81/tcp 82/tcp");
        let refused = [
            ("x/y", "strconv.ParseUint: parsing \"x\": invalid syntax"),
            (
                "99999",
                "strconv.ParseUint: parsing \"99999\": value out of range",
            ),
            ("8-4/tcp", "Invalid range specified for the Port: 8-4"),
        ];
        for (text, why) in refused {
            let error = parse(text).expect_err(text).to_string();
            assert_eq!(
                error,
                format!("error while looking up for expose {text}: {why}")
            );
        }
    }

    #[test]
    fn exit_codes_are_numbers() {
        let codes = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            exit_codes(&texts)
        };
        assert_eq!(codes(&["0", "137", "256", "-1"]).expect("numbers").len(), 2);
        assert!(codes(&["x"]).is_err());
    }
}
