//! Which image to take, and where to write the container's id.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Command;

use super::{Matches, switch, text};
use crate::base::ContainerId;
use crate::error::{Context as _, Error, Kind, Result};

/// When to pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pull {
    Always,
    Missing,
    /// Always, but the image that is here will do if that fails.
    Newer,
    Never,
}

/// Declares them.
pub fn declare(command: Command) -> Command {
    let pull = "Pull image before creating (\"always\", \"missing\", \"newer\", \"never\")";
    let platform = "Set platform if the image has several";
    let replace = "Remove a container that has the name already";
    let trust = "Skip image verification";
    command
        .arg(text(
            "cidfile",
            "string",
            "Write the container ID to the file",
        ))
        .arg(switch("disable-content-trust", trust).hide(true))
        .arg(text("platform", "string", platform))
        .arg(text("pull", "string", pull))
        .arg(switch("quiet", "Suppress the pull output").short('q'))
        .arg(switch("replace", replace))
}

/// The value of `--pull`.
pub fn pull(matches: &Matches) -> Result<Pull> {
    match matches.text("pull") {
        None | Some("missing" | "") => Ok(Pull::Missing),
        Some("always") => Ok(Pull::Always),
        Some("newer") => Ok(Pull::Newer),
        Some("never") => Ok(Pull::Never),
        Some(other) => Err(Error::invalid(format!(
            "invalid pull option: '{other}': must be one of \"always\", \"missing\" or \"never\""
        ))),
    }
}

/// The file of `--cidfile`, reserved before the container is made.
#[derive(Debug)]
pub struct IdFile {
    path: PathBuf,
    file: fs::File,
    written: bool,
}

impl IdFile {
    /// Makes the file; one that is there belongs to another container.
    pub fn reserve(matches: &Matches) -> Result<Option<IdFile>> {
        let Some(path) = matches.text("cidfile") else {
            return Ok(None);
        };
        match fs::File::create_new(path) {
            Ok(file) => Ok(Some(IdFile {
                path: Path::new(path).to_owned(),
                file,
                written: false,
            })),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Error::new(
                Kind::Conflict,
                format!(
                    "container ID file found, make sure the other container isn't running or \
                     delete {path}"
                ),
            )),
            Err(error) => Err(error).context(|| format!("create the container ID file {path}")),
        }
    }

    /// Writes the id, without a newline.
    pub fn write(mut self, id: &ContainerId) -> Result<()> {
        let written = self.file.write_all(id.to_string().as_bytes());
        written.context(|| format!("write {}", self.path.display()))?;
        self.written = true;
        Ok(())
    }
}

impl Drop for IdFile {
    fn drop(&mut self) {
        if !self.written {
            // No container was made: the next try must find the name free.
            let _ = fs::remove_file(&self.path);
        }
    }
}
