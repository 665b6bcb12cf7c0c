//! `ps --filter`: repeated values of a key are alternatives, different keys must all hold, and
//! repeated labels must all hold.

use crate::cli::flags::Filter;
use crate::error::{Error, Result};
use crate::state::{Config, Record, Status};

const STATUSES: [&str; 7] = [
    "created",
    "restarting",
    "running",
    "removing",
    "paused",
    "exited",
    "dead",
];

#[derive(Debug, Default)]
pub(super) struct Filters {
    ids: Vec<String>,
    names: Vec<String>,
    labels: Vec<String>,
    statuses: Vec<String>,
    ancestors: Vec<String>,
    exited: Vec<u8>,
}

impl Filters {
    pub(super) fn parse(given: &[Filter]) -> Result<Filters> {
        let mut filters = Filters::default();
        for filter in given {
            let value = filter.value.clone();
            match filter.key.as_str() {
                "id" => filters.ids.push(value),
                "name" => filters.names.push(value),
                "label" => filters.labels.push(value),
                "ancestor" => filters.ancestors.push(value),
                "status" if STATUSES.contains(&value.as_str()) => filters.statuses.push(value),
                "status" => {
                    return Err(Error::invalid(format!("Invalid filter 'status={value}'")));
                }
                "exited" => filters.exited.push(
                    value
                        .parse()
                        .map_err(|_| Error::invalid(format!("Invalid filter 'exited={value}'")))?,
                ),
                other => return Err(Error::invalid(format!("Invalid filter '{other}'"))),
            }
        }
        Ok(filters)
    }

    /// A status was named: then stopped containers are meant too, without `-a`.
    pub(super) fn name_status(&self) -> bool {
        !self.statuses.is_empty() || !self.exited.is_empty()
    }

    pub(super) fn need_config(&self) -> bool {
        !self.labels.is_empty() || !self.ancestors.is_empty()
    }

    pub(super) fn admit(&self, record: &Record, config: Option<&Config>) -> bool {
        let state = &record.state;
        let any = |values: &[String], test: &dyn Fn(&str) -> bool| {
            values.is_empty() || values.iter().any(|value| test(value))
        };
        let exited = state.status == Status::Exited;
        any(&self.ids, &|id| state.id.to_string().starts_with(id))
            && any(&self.names, &|pattern| {
                has_name(state.name.as_str(), pattern)
            })
            && any(&self.statuses, &|status| state.status.to_string() == status)
            && (self.exited.is_empty() || exited && self.exited.contains(&state.exit_code))
            && any(&self.ancestors, &|image| {
                config.is_some_and(|config| is_ancestor(config, image))
            })
            && self
                .labels
                .iter()
                .all(|label| config.is_some_and(|config| has_label(config, label)))
    }
}

/// A part of the name. Docker takes a regular expression and scripts write its anchors, with or
/// without the slash that names have there: `^web$`, `^/web$`, `^/?web$`.
fn has_name(name: &str, pattern: &str) -> bool {
    let (starts, rest) = match pattern.strip_prefix('^') {
        Some(rest) => (true, rest.strip_prefix("/?").unwrap_or(rest)),
        None => (false, pattern),
    };
    let (ends, part) = match rest.strip_suffix('$') {
        Some(part) => (true, part),
        None => (false, rest),
    };
    let part = part.trim_start_matches('/');
    match (starts, ends) {
        (false, false) => name.contains(part),
        (true, false) => name.starts_with(part),
        (false, true) => name.ends_with(part),
        (true, true) => name == part,
    }
}

fn is_ancestor(config: &Config, image: &str) -> bool {
    let hex = image.strip_prefix("sha256:").unwrap_or(image);
    let reference = |text: &str| text.parse::<crate::base::Reference>().ok();
    config.image.hex().starts_with(hex)
        || reference(image).is_some_and(|wanted| reference(&config.image_name) == Some(wanted))
}

fn has_label(config: &Config, label: &str) -> bool {
    match label.split_once('=') {
        Some((key, value)) => config.labels.get(key).is_some_and(|own| own == value),
        None => config.labels.contains_key(label),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_in_part_or_between_anchors() {
        for pattern in [
            "web",
            "eb",
            "/web",
            "^web",
            "^/web-1$",
            "^/?web-1$",
            "1$",
            "",
        ] {
            assert!(has_name("web-1", pattern), "{pattern}");
        }
        for pattern in ["^eb", "web$", "^web$", "web-11", "^/?eb"] {
            assert!(!has_name("web-1", pattern), "{pattern}");
        }
    }
}
