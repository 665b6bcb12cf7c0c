//! `hull ps`.

use std::collections::BTreeMap;

use super::facts;
use super::filter::Conditions;
use crate::base::ByteSize;
use crate::cli::flags::{self, Matches};
use crate::cli::output::{self, Listing, Row};
use crate::cli::{Command, Words};
use crate::config::Settings;
use crate::container;
use crate::error::{Result, Scope};
use crate::state::{Config, HealthStatus, MountKind, Record, Status};

pub const COMMAND: Command = Command {
    paths: &["ps", "container ls", "container list", "container ps"],
    about: "List containers",
    words: Words::None,
    words_hint: "top",
    arguments: |command| {
        let format = "Format output: 'table', 'table TEMPLATE', 'json' or a Go template";
        command
            .arg(
                flags::switch("all", "Show all containers (default shows just running)").short('a'),
            )
            .arg(flags::filter("Filter output based on conditions provided"))
            .arg(flags::text("format", "string", format))
            .arg(flags::integer("last", "Show n last created containers (all states)").short('n'))
            .arg(flags::switch("latest", "Show the latest created container").short('l'))
            .arg(flags::switch("no-trunc", "Don't truncate output"))
            .arg(flags::switch("quiet", "Only display container IDs").short('q'))
            .arg(flags::switch("size", "Display total file sizes").short('s'))
    },
    run,
    ..Command::BASE
};

const LISTING: Listing = Listing {
    fields: &[
        ("ID", "CONTAINER ID"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("CreatedAt", "CREATED AT"),
        ("RunningFor", "CREATED"),
        ("Status", "STATUS"),
        ("State", "STATE"),
        ("Ports", "PORTS"),
        ("Names", "NAMES"),
        ("Size", "SIZE"),
        ("Labels", "LABELS"),
        ("Mounts", "MOUNTS"),
        ("Networks", "NETWORKS"),
        ("LocalVolumes", "LOCAL VOLUMES"),
        ("Platform", "PLATFORM"),
    ],
    columns: &[
        "ID",
        "Image",
        "Command",
        "RunningFor",
        "Status",
        "Ports",
        "Names",
    ],
    key: "ID",
};

const WITH_SIZE: Listing = Listing {
    columns: &[
        "ID",
        "Image",
        "Command",
        "RunningFor",
        "Status",
        "Ports",
        "Names",
        "Size",
    ],
    ..LISTING
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let records = container::records(settings);
    let filters = Conditions::parse(&matches.filters(), settings)?;
    let (mut listed, broken) = records.list()?;
    // One damaged container must not hide the others.
    for error in &broken {
        output::error(Scope::Other, error);
    }
    let last = if matches.on("latest") {
        Some(1)
    } else {
        matches.value::<i64>("last")
    };
    let all = matches.on("all") || last.is_some() || filters.mean_all();
    let format = matches.text("format");
    let quiet = matches.on("quiet");
    let lives = |record: &Record| matches!(record.state.status, Status::Running | Status::Paused);
    listed.retain(|record| all || lives(record));
    let mut shown = Vec::new();
    for record in listed {
        // The configuration is read only where something shown or asked needs it.
        let shows_it = !quiet && (format.is_some() || lives(&record));
        let config = match filters.need_config() || shows_it {
            true => records.config(&record.state.id).ok(),
            false => None,
        };
        if filters.admit(&record, config.as_ref()) {
            shown.push((record, config));
        }
    }
    if let Some(last) = last {
        shown.truncate(usize::try_from(last).unwrap_or(usize::MAX));
    }
    let whole = matches.on("no-trunc");
    let size = matches.on("size");
    let rows: Vec<Row> = shown
        .iter()
        .map(|(record, config)| {
            let row = row(record, config.as_ref(), whole, format.is_some());
            match size {
                true => row.set("Size", size_text(&records, record)),
                false => row,
            }
        })
        .collect();
    let listing = if size { WITH_SIZE } else { LISTING };
    listing.print(format, quiet, &rows)?;
    Ok(0)
}

/// What the default table shows, and all else only for a `--format` that may name it.
fn row(record: &Record, config: Option<&Config>, whole: bool, all: bool) -> Row {
    let state = &record.state;
    let id = if whole {
        state.id.to_string()
    } else {
        state.id.short()
    };
    let command = if whole {
        state.command.clone()
    } else {
        output::cut(&state.command, 20)
    };
    let row = Row::new()
        .set("ID", id)
        .set("Image", state.image_name.clone())
        .set("Command", output::quote(&command))
        .set("RunningFor", output::ago(state.created))
        .set("Status", status_text(record))
        .set(
            "Ports",
            config
                .filter(|_| record.live.is_some())
                .map(facts::ports)
                .unwrap_or_default(),
        )
        .set("Names", state.name.to_string())
        .set("Size", "0B");
    if !all {
        return row;
    }
    let row = row
        .set("CreatedAt", output::local_time(state.created))
        .set("State", facts::status(record))
        .set("LocalVolumes", "0")
        .set("Platform", "");
    match config {
        Some(config) => row
            .set("Mounts", mounts(config, whole))
            .set("Networks", facts::network(config))
            .labels(config.labels.clone()),
        None => row
            .set("Mounts", "")
            .set("Networks", "")
            .labels(BTreeMap::new()),
    }
}

fn mounts(config: &Config, whole: bool) -> String {
    let binds = config
        .mounts
        .iter()
        .filter(|mount| mount.kind == MountKind::Bind);
    let names = binds.map(|mount| {
        let name = mount.source.display().to_string();
        if whole { name } else { output::cut(&name, 15) }
    });
    names.collect::<Vec<_>>().join(",")
}

/// `Up 3 minutes`, `Exited (0) 2 hours ago`, `Created`, …
pub(super) fn status_text(record: &Record) -> String {
    let state = &record.state;
    let since = |time: Option<crate::base::Timestamp>| {
        output::human_duration(time.map(|time| time.age()).unwrap_or_default())
    };
    match state.status {
        Status::Running => match record.health {
            Some(health) => {
                let word = match health {
                    HealthStatus::Starting => "health: starting",
                    other => other.word(),
                };
                format!("Up {} ({word})", since(state.started))
            }
            None => format!("Up {}", since(state.started)),
        },
        Status::Paused => format!("Up {} (Paused)", since(state.started)),
        Status::Restarting => format!(
            "Restarting ({}) {} ago",
            state.exit_code,
            since(state.finished)
        ),
        Status::Created => "Created".to_owned(),
        Status::Exited => match state.finished {
            Some(_) => format!("Exited ({}) {} ago", state.exit_code, since(state.finished)),
            None => format!("Exited ({})", state.exit_code),
        },
    }
}

/// What the container changed, by apparent size.
fn size_text(records: &crate::state::Records, record: &Record) -> String {
    let diff = records.directory(&record.state.id).join("up/diff");
    let entries = walkdir::WalkDir::new(diff)
        .into_iter()
        .filter_map(|entry| entry.ok());
    let files = entries.filter(|entry| entry.file_type().is_file());
    let bytes = files
        .filter_map(|entry| Some(entry.metadata().ok()?.len()))
        .sum();
    ByteSize(bytes).human(3)
}
