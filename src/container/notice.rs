//! What is told to the event log of a container, with Docker's actions and attributes.

use std::collections::BTreeMap;

use crate::base::{ContainerId, Name};
use crate::events::{Event, Subject, note};
use crate::state::{Config, Records};

/// Notes an event of a container whose record is read for it. A record that is gone or broken
/// leaves the event without attributes.
pub fn notice(records: &Records, id: &ContainerId, action: &str, more: &[(&str, &str)]) {
    let known = records.config(id).ok().zip(records.name(id).ok());
    match known {
        Some((config, name)) => notice_of(records, &config, &name, action, more),
        None => {
            let attributes = more.iter().map(|(key, value)| pair(key, value));
            let event = Event::now(
                Subject::Container,
                action,
                id.to_string(),
                attributes.collect(),
            );
            note(records.run(), &event);
        }
    }
}

/// As [`notice`], for a record that has been read.
pub fn notice_of(
    records: &Records,
    config: &Config,
    name: &Name,
    action: &str,
    more: &[(&str, &str)],
) {
    let mut attributes: BTreeMap<String, String> = config.labels.clone();
    attributes.extend([
        pair("image", &config.image_name),
        pair("name", &name.to_string()),
    ]);
    attributes.extend(more.iter().map(|(key, value)| pair(key, value)));
    let event = Event::now(
        Subject::Container,
        action,
        config.id.to_string(),
        attributes,
    );
    note(records.run(), &event);
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}
