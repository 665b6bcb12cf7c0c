//! `container prune`: every container that does not run.

use std::path::Path;

use walkdir::WalkDir;

use super::{Force, remove};
use crate::base::ContainerId;
use crate::config::Settings;
use crate::error::{Error, Kind, Result};
use crate::state::{Config, Record, Status};

/// What was removed, and what could not be.
#[derive(Debug, Default)]
pub struct Pruned {
    pub ids: Vec<ContainerId>,
    /// What their writable layers held.
    pub bytes: u64,
    pub failed: Vec<Error>,
}

/// Removes the containers that do not run and are wanted gone. One that is started meanwhile stays,
/// and one that somebody else removes is not counted.
pub fn prune(settings: &Settings, wanted: impl Fn(&Record, &Config) -> bool) -> Result<Pruned> {
    let records = super::records(settings);
    let mut pruned = Pruned::default();
    let (listed, broken) = records.list()?;
    pruned.failed = broken;
    for record in listed {
        if !matches!(record.state.status, Status::Created | Status::Exited) {
            continue;
        }
        let id = &record.state.id;
        let Ok(config) = records.config(id) else {
            // What it is cannot be known, so neither whether it is wanted: `rm` takes it.
            continue;
        };
        if !wanted(&record, &config) {
            continue;
        }
        let bytes = size_bytes(&records.directory(id).join("up/diff"));
        match remove(settings, id, Force::No) {
            Ok(()) => {
                pruned.ids.push(*id);
                pruned.bytes += bytes;
            }
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Conflict) => {}
            Err(error) => pruned.failed.push(error),
        }
    }
    Ok(pruned)
}

/// The sizes of all files, as `ls` tells them. What cannot be read counts nothing.
fn size_bytes(directory: &Path) -> u64 {
    let entries = WalkDir::new(directory).into_iter().filter_map(Result::ok);
    let files = entries.filter(|entry| entry.file_type().is_file());
    files
        .filter_map(|entry| Some(entry.metadata().ok()?.len()))
        .sum()
}
