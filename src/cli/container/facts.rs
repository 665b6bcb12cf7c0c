//! What lists, filters and `inspect` say about a container in the same words.

use crate::state::{Config, Record, Status};

/// A port that the host answers for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Published {
    /// `80/tcp`.
    pub inside: String,
    /// Where the host listens, as text.
    pub address: String,
    pub port: u16,
}

/// The word of the column STATE.
pub(super) fn status(record: &Record) -> String {
    record.state.status.to_string()
}

/// Networks are none or the host's so far: nothing is published.
pub(super) fn published(_: &Config) -> Vec<Published> {
    Vec::new()
}

/// What is exposed, each with its protocol.
pub(super) fn exposed(config: &Config) -> Vec<String> {
    let ports = config.exposed_ports.iter();
    let whole = ports.map(|port| match port.contains('/') {
        true => port.clone(),
        false => format!("{port}/tcp"),
    });
    whole.collect()
}

/// The column PORTS: what is published, then what is only exposed, neighbouring numbers joined.
pub(super) fn ports(config: &Config) -> String {
    let published = published(config);
    let mut shown: Vec<String> = published
        .iter()
        .map(|port| format!("{}:{}->{}", port.address, port.port, port.inside))
        .collect();
    let all = exposed(config);
    let mut exposed: Vec<(&str, u16)> = all
        .iter()
        .filter(|inside| !published.iter().any(|port| port.inside == **inside))
        .filter_map(|port| {
            let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
            Some((protocol, number.parse().ok()?))
        })
        .collect();
    exposed.sort_unstable();
    let mut rest = exposed.as_slice();
    while let Some((protocol, first)) = rest.first() {
        let follows = |(at, (kind, number)): (usize, &(&str, u16))| {
            kind == protocol && usize::from(*number) == usize::from(*first) + at
        };
        let run = rest
            .iter()
            .enumerate()
            .take_while(|pair| follows((pair.0, pair.1)));
        let run = run.count();
        let last = rest[run - 1].1;
        shown.push(match run {
            1 => format!("{first}/{protocol}"),
            _ => format!("{first}-{last}/{protocol}"),
        });
        rest = &rest[run..];
    }
    shown.join(", ")
}

/// The network by name.
pub(super) fn network(config: &Config) -> String {
    config.network.to_string()
}

/// `starting`, `healthy`, `unhealthy`, or `none` where nothing is checked.
pub(super) fn health(record: &Record) -> &'static str {
    record.health.map_or("none", |health| health.word())
}

/// It runs, or will again without anybody's doing: `ps` shows it without `-a`.
pub(super) fn lives(record: &Record) -> bool {
    has_program(record) || record.state.status == Status::Restarting
}

/// Its program is there, running or frozen.
pub(super) fn has_program(record: &Record) -> bool {
    matches!(record.state.status, Status::Running | Status::Paused)
}

/// How many named volumes it has: there are none yet.
pub(super) fn local_volumes(_: &Config) -> usize {
    0
}
