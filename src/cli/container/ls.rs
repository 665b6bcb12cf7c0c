//! `hull ps`.

use std::collections::BTreeMap;

use super::facts;
use super::filter::Conditions;
use super::size;
use crate::base::Timestamp;
use crate::cli::flags::{self, Matches};
use crate::cli::output::{self, Listing, Row};
use crate::cli::{Command, Words, store};
use crate::config::Settings;
use crate::container;
use crate::error::{Error, Result, Scope};
use crate::state::{Config, MountKind, Record, Records, Status};

pub const COMMAND: Command = Command {
    paths: &["ps", "container ls", "container list", "container ps"],
    about: "List containers",
    words: Words::None,
    words_hint: "top",
    arguments: |command| {
        let sort = "Sort by command, created, id, image, names, runningfor, size or status";
        command
            .arg(
                flags::switch("all", "Show all containers (default shows just running)").short('a'),
            )
            .arg(flags::filter("Filter output based on conditions provided"))
            .arg(output::format_flag())
            .arg(flags::integer("last", "Show n last created containers (all states)").short('n'))
            .arg(flags::switch("latest", "Show the latest created container").short('l'))
            .arg(flags::switch("no-trunc", "Don't truncate output"))
            .arg(flags::switch("noheading", "Do not print headers"))
            .arg(flags::switch("quiet", "Only display container IDs").short('q'))
            .arg(flags::switch("size", "Display total file sizes").short('s'))
            .arg(flags::text("sort", "string", sort))
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
        ("HealthStatus", "HEALTH STATUS"),
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

/// What one call is asked to show.
#[derive(Debug, Default)]
pub(in crate::cli) struct Request {
    pub format: Option<String>,
    pub quiet: bool,
    pub whole: bool,
    pub size: bool,
}

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let records = container::records(settings);
    let conditions = Conditions::parse(&matches.filters(), settings)?;
    let format = matches.text("format").map(str::to_owned);
    let request = Request {
        quiet: matches.on("quiet"),
        whole: matches.on("no-trunc"),
        // A template that names the size wants it measured, unless the flag says otherwise.
        size: match matches.given("size") {
            true => matches.on("size"),
            false => format
                .as_deref()
                .is_some_and(|text| output::names(text, "Size")),
        },
        format: format.or_else(|| output::default_format(settings, "psFormat")),
    };
    if request.size && settings.rootless {
        // Files of mapped owners are measured where they can be read.
        store::become_mapped_root(settings)?;
    }
    let (listed, broken) = records.list()?;
    // One damaged container must not hide the others.
    for error in &broken {
        output::error(Scope::Other, error);
    }
    let shown = choose(matches, &records, listed, &conditions, &request);
    let mut rows: Vec<Row> = Vec::with_capacity(shown.len());
    let mut images = size::Images::of(settings);
    for (record, config) in &shown {
        let mut row = row(record, config.as_ref(), &request);
        if request.size {
            row = row.set(
                "Size",
                size::text(&records, record, config.as_ref(), &mut images)?,
            );
        }
        rows.push(row);
    }
    if let Some(key) = matches.text("sort") {
        sort(&mut rows, &shown, key)?;
    }
    let listing = if matches.on("size") {
        WITH_SIZE
    } else {
        LISTING
    };
    if matches.on("noheading") {
        listing.print_without_header(request.format.as_deref(), request.quiet, &rows)?;
        return Ok(0);
    }
    listing.print(request.format.as_deref(), request.quiet, &rows)?;
    Ok(0)
}

/// The containers that are asked for, with their configuration where something shown or asked needs
/// it.
fn choose(
    matches: &Matches,
    records: &Records,
    mut listed: Vec<Record>,
    conditions: &Conditions,
    request: &Request,
) -> Vec<(Record, Option<Config>)> {
    let last = match matches.value::<i64>("last").filter(|last| *last != -1) {
        None if matches.on("latest") => Some(1),
        last => last
            .and_then(|last| usize::try_from(last).ok())
            .filter(|last| *last > 0),
    };
    let all = matches.on("all") || last.is_some() || conditions.mean_all();
    listed.retain(|record| all || facts::lives(record));
    let mut shown = Vec::new();
    for record in listed {
        let shows_ports = !request.quiet && facts::has_program(&record);
        let shows_more = !request.quiet && (request.size || request.format.is_some());
        let config = match conditions.need_config() || shows_ports || shows_more {
            true => records.config(&record.state.id).ok(),
            false => None,
        };
        if conditions.admit(&record, config.as_ref()) {
            shown.push((record, config));
        }
    }
    shown.truncate(last.unwrap_or(usize::MAX));
    shown
}

/// One line of the list; all fields only for a `--format` that may name them.
pub(in crate::cli) fn row(record: &Record, config: Option<&Config>, request: &Request) -> Row {
    let state = &record.state;
    let id = match request.whole {
        true => state.id.to_string(),
        false => state.id.short(),
    };
    if request.quiet {
        return Row::new().set("ID", id);
    }
    let command = match request.whole {
        true => state.command.clone(),
        false => output::cut(&state.command, 20),
    };
    let ports = config
        .filter(|_| facts::has_program(record))
        .map(facts::ports);
    let row = Row::new()
        .set("ID", id)
        .set("Image", state.image_name.clone())
        .set("Command", output::quote(&command))
        .set("RunningFor", output::ago(state.created))
        .set("Status", status_text(record))
        .set("Ports", ports.unwrap_or_default())
        .set("Names", state.name.to_string())
        .set("Size", "0B");
    if request.format.is_none() {
        return row;
    }
    let time = |time: Option<Timestamp>| time.map(output::local_time).unwrap_or_default();
    let row = row
        .set("CreatedAt", output::local_time(state.created))
        .set("State", facts::status(record))
        .set_null("Platform")
        // podman's
        .set("Created", output::ago(state.created))
        .set("ExitCode", state.exit_code.to_string())
        .set(
            "Pid",
            record.live.as_ref().map_or(0, |live| live.pid).to_string(),
        )
        .set("Pod", "")
        .set("PodName", "")
        .set("StartedAt", time(state.started))
        .set("ExitedAt", time(state.finished));
    let Some(config) = config else {
        // Its configuration cannot be read; the error was told.
        return [
            "HealthStatus",
            "ImageID",
            "LocalVolumes",
            "Mounts",
            "Networks",
            "Restarts",
        ]
        .into_iter()
        .fold(row, |row, field| row.set(field, ""))
        .labels(BTreeMap::new());
    };
    row.set("HealthStatus", facts::health(record))
        .set("ImageID", config.image.hex())
        .set("LocalVolumes", facts::local_volumes(config).to_string())
        .set("Mounts", mounts(config, request.whole))
        .set("Networks", facts::network(config))
        .set("Restarts", state.restart_count.to_string())
        .labels(config.labels.clone())
}

fn mounts(config: &Config, whole: bool) -> String {
    let shown = config
        .mounts
        .iter()
        .filter(|mount| mount.kind != MountKind::Tmpfs);
    let names = shown.map(|mount| {
        let name = mount.source.display().to_string();
        if whole { name } else { output::cut(&name, 15) }
    });
    names.collect::<Vec<_>>().join(",")
}

/// podman's `--sort`.
fn sort(rows: &mut Vec<Row>, shown: &[(Record, Option<Config>)], key: &str) -> Result<()> {
    let text = |record: &Record| {
        let state = &record.state;
        Ok(match key {
            "command" => state.command.clone(),
            "id" => state.id.to_string(),
            "image" => state.image_name.clone(),
            "names" => state.name.to_string(),
            "status" => facts::status(record),
            // By age, which is how they are; the size is told in words.
            "created" | "runningfor" | "size" => String::new(),
            other => {
                let keys = "command, created, id, image, names, runningfor, size or status";
                return Err(Error::invalid(format!("invalid sort {other:?}"))
                    .hint(format!("one of {keys}")));
            }
        })
    };
    let keys = shown.iter().map(|(record, _)| text(record));
    let keys = keys.collect::<Result<Vec<String>>>()?;
    let mut keyed: Vec<(String, Row)> = keys.into_iter().zip(rows.drain(..)).collect();
    keyed.sort_by(|one, other| one.0.cmp(&other.0));
    rows.extend(keyed.into_iter().map(|(_, row)| row));
    Ok(())
}

/// `Up 3 minutes (healthy)`, `Exited (0) 2 hours ago`, `Created`, …
pub(super) fn status_text(record: &Record) -> String {
    let state = &record.state;
    let since = |time: Option<Timestamp>| {
        output::human_duration(time.map(|time| time.age()).unwrap_or_default())
    };
    match state.status {
        Status::Running => {
            let health = match facts::health(record) {
                "none" => String::new(),
                "starting" => " (health: starting)".to_owned(),
                known => format!(" ({known})"),
            };
            format!("Up {}{health}", since(state.started))
        }
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
