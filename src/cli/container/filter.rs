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
            && any(&self.names, &|name| {
                state.name.as_str().contains(name.trim_matches('/'))
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
