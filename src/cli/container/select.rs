//! Which containers a command is about: its words, or podman's `--all`, `--filter`, `--latest`,
//! `--cidfile`.

use std::io::ErrorKind;

use super::filter::Conditions;
use crate::base::ContainerId;
use crate::cli::flags::{self, Matches, list, switch};
use crate::cli::{Words, output};
use crate::config::Settings;
use crate::container;
use crate::error::{Context as _, Error, Kind, Result, Scope};
use crate::state::{Record, Status};

/// The flags that name containers in place of words.
pub const WORDS: Words =
    Words::AtLeastUnless(1, &["all", "cidfile", "filter", "latest", "running"]);

/// What is chosen.
#[derive(Debug, Default)]
pub struct Chosen {
    /// Words as typed, or whole ids.
    pub names: Vec<String>,
    /// `--ignore`: what is not there is no error.
    ignore: bool,
}

pub fn all(about: &'static str) -> clap::Arg {
    switch("all", about).short('a')
}

pub fn latest() -> clap::Arg {
    switch("latest", "Act on the container that was made last").short('l')
}

pub fn cidfile() -> clap::Arg {
    list("cidfile", "file", "Read the container ID from the file")
}

/// `--filter`, without its short form where `-f` is another flag.
pub fn filter() -> clap::Arg {
    flags::filter("Act on the containers that the conditions hold for, as in ps")
}

pub fn ignore() -> clap::Arg {
    switch("ignore", "Ignore a container that does not exist").short('i')
}

/// Reads words and flags; a command asks only for the flags it declared. `in_all` tells which
/// containers `--all` means.
pub fn choose(
    matches: &Matches,
    settings: &Settings,
    in_all: impl Fn(Status) -> bool,
) -> Result<Chosen> {
    let on = |name: &str| matches.declares(name) && matches.on(name);
    let words = matches.words();
    let mut chosen = Chosen {
        names: words.iter().map(|word| (*word).to_owned()).collect(),
        ignore: on("ignore"),
    };
    if matches.declares("cidfile") {
        for path in matches.texts("cidfile") {
            chosen.names.extend(read_id(path, chosen.ignore)?);
        }
    }
    let (all, latest, running) = (on("all"), on("latest"), on("running"));
    let filters = match matches.declares("filter") {
        true => matches.filters(),
        false => Vec::new(),
    };
    if !(all || latest || running || !filters.is_empty()) {
        return Ok(chosen);
    }
    if !words.is_empty() && (all || latest || running) {
        let flag = if latest { "latest" } else { "all" };
        return Err(Error::invalid(format!(
            "no arguments are needed with --{flag}"
        )));
    }
    let records = container::records(settings);
    let conditions = Conditions::parse(&filters, settings)?;
    let (mut listed, broken) = records.list()?;
    for error in &broken {
        output::error(Scope::Other, error);
    }
    let admitted = |record: &Record| {
        let config = match conditions.need_config() {
            true => records.config(&record.state.id).ok(),
            false => None,
        };
        conditions.admit(record, config.as_ref())
    };
    listed.retain(|record| {
        let status = record.state.status;
        (!all || in_all(status)) && (!running || status == Status::Running) && admitted(record)
    });
    if latest {
        // They are listed newest first.
        listed.truncate(1);
        if listed.is_empty() {
            return Err(Error::not_found("there is no container"));
        }
    }
    let ids = listed.iter().map(|record| record.state.id.to_string());
    chosen.names.extend(ids);
    Ok(chosen)
}

/// The id in a file that `--cidfile` of `run` wrote.
fn read_id(path: &str, ignore: bool) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.lines().next().unwrap_or_default().to_owned())),
        Err(error) if ignore && error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context(|| format!("read container ID file {path}")),
    }
}

impl Chosen {
    /// Does something to each container, prints its name on success and the error on failure, and
    /// goes on; 1 if any failed.
    pub fn each(
        &self,
        settings: &Settings,
        mut act: impl FnMut(&ContainerId, &str) -> Result<()>,
    ) -> Result<u8> {
        let records = container::records(settings);
        let mut code = 0;
        for name in &self.names {
            match records.find(name).and_then(|id| act(&id, name)) {
                Ok(()) => output::line(name)?,
                Err(error) if self.ignore && error.kind() == Kind::NotFound => {}
                Err(error) => code = output::error(Scope::Other, &error),
            }
        }
        Ok(code)
    }
}
