//! Writing limits to a cgroup: all at a start, and all or nothing in one that runs.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use oci_spec::runtime::LinuxResources;
use rustix::io::Errno;

use super::limits::{Setting, version_1_settings, version_2_settings};
use super::{Cgroup, Hierarchies};
use crate::error::{Context as _, Error, Kind, Result};

impl Hierarchies {
    /// Whether new cgroups will have this controller, and in version 1 this file: version 2 shows
    /// most files in no root.
    pub fn offer(&self, controller: &str, version_1_file: &str) -> bool {
        if self.is_version_2() {
            let controller = if controller == "blkio" {
                "io"
            } else {
                controller
            };
            let root = self.version_2.as_ref();
            let list = root.map(|root| fs::read_to_string(root.join("cgroup.controllers")));
            let list = list.and_then(|list| list.ok()).unwrap_or_default();
            return list.split_whitespace().any(|known| known == controller);
        }
        let mut found = self.version_1.iter().filter(|v1| v1.has(controller));
        found
            .next()
            .is_some_and(|v1| version_1_file.is_empty() || v1.mount.join(version_1_file).exists())
    }

    /// Version 2 has the controllers, not just the process tree.
    pub fn is_version_2(&self) -> bool {
        self.version_1.is_empty() && self.version_2.is_some()
    }
}

/// What stood in the files before, to be written back in reverse order.
#[derive(Debug, Default)]
pub struct Undo(Vec<(PathBuf, String)>);

impl Undo {
    /// Puts everything back. What was allowed before is allowed again; an error could only be told
    /// beside the one that led here.
    pub fn restore(self) {
        for (file, value) in self.0.into_iter().rev() {
            let _ = fs::write(file, value);
        }
    }
}

impl Cgroup {
    /// Writes the limits. What this host cannot enforce is returned as text, one line each.
    pub fn apply(&self, resources: &LinuxResources) -> Result<Vec<String>> {
        let mut missing = Vec::new();
        let mut open = OpenFile::default();
        for setting in self.settings(resources, None) {
            if let Outcome::Missing = self.write(&setting, &mut open)? {
                missing.push(format!("this host has no {}", setting.file));
            }
        }
        Ok(missing)
    }

    /// Writes limits to a cgroup in use.
    ///
    /// # Errors
    /// If the kernel refuses one of them; then all are as they were.
    pub fn change(&self, resources: &LinuxResources) -> Result<Undo> {
        self.check_memory_in_use(resources)?;
        let swap_now = self.read_number("memory", "memory.memsw.limit_in_bytes");
        let mut undo = Undo::default();
        let mut open = OpenFile::default();
        for setting in self.settings(resources, swap_now) {
            let before = self.before(&setting);
            match self.write(&setting, &mut open) {
                Ok(Outcome::Done) => undo.0.extend(before),
                Ok(Outcome::Missing) => {}
                Err(error) => {
                    undo.restore();
                    return Err(self.in_words(error, &setting));
                }
            }
        }
        Ok(undo)
    }

    fn settings(&self, resources: &LinuxResources, swap_now: Option<i64>) -> Vec<Setting> {
        match self.version_2_controls {
            true => version_2_settings(resources),
            false => version_1_settings(resources, swap_now),
        }
    }

    /// Where this setting's file is, if the kernel has it: the file and the value for it.
    fn place<'a>(&self, setting: &'a Setting) -> Option<(PathBuf, &'a str)> {
        let directory = match self.version_2_controls {
            true => self.version_2.as_deref(),
            false => self.directory_of(setting.controller),
        };
        let directory: &Path = directory?;
        let first = directory.join(&setting.file);
        match &setting.otherwise {
            Some((file, value)) if !first.exists() => Some((directory.join(file), value)),
            _ => Some((first, &setting.value)),
        }
    }

    fn write(&self, setting: &Setting, open: &mut OpenFile) -> Result<Outcome> {
        let Some((file, value)) = self.place(setting) else {
            return Ok(Outcome::Missing);
        };
        match open.write(&file, value) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Outcome::Missing),
            other => other
                .map(|()| Outcome::Done)
                .context(|| format!("write {value:?} to {}", file.display())),
        }
    }

    /// What to write to undo the setting.
    fn before(&self, setting: &Setting) -> Option<(PathBuf, String)> {
        let (file, value) = self.place(setting)?;
        let text = fs::read_to_string(&file).ok()?;
        let Some((device, new)) = value
            .split_once(' ')
            .filter(|(first, _)| first.contains(':'))
        else {
            return Some((file, text.trim_end().to_owned()));
        };
        // One line of many, by its device's numbers.
        let line = text
            .lines()
            .find(|line| line.split(' ').next() == Some(device));
        let none = match new.split_once('=') {
            Some((word, _)) => format!("{device} {word}=max"),
            None => format!("{device} 0"),
        };
        Some((file, line.map_or(none, str::to_owned)))
    }

    /// In version 2 the kernel takes any limit and kills what does not fit; version 1 says no.
    fn check_memory_in_use(&self, resources: &LinuxResources) -> Result<()> {
        let limit = resources
            .memory()
            .as_ref()
            .and_then(|memory| memory.limit());
        let Some(limit) = limit.filter(|limit| *limit > 0 && self.version_2_controls) else {
            return Ok(());
        };
        let usage = self.usage();
        let held = usage.memory_held.unwrap_or(0);
        match held > limit.unsigned_abs() {
            true => Err(too_little(limit, Some(held))),
            false => Ok(()),
        }
    }

    fn in_words(&self, error: Error, setting: &Setting) -> Error {
        let memory = setting.controller == "memory";
        match (error.errno(), setting.value.parse()) {
            (Some(Errno::BUSY), Ok(limit)) if memory => too_little(limit, self.usage().memory),
            _ => error,
        }
    }

    pub(super) fn read_number(&self, controller: &str, file: &str) -> Option<i64> {
        let text = fs::read_to_string(self.directory_of(controller)?.join(file)).ok()?;
        text.trim().parse().ok()
    }
}

/// The file written last: device rules are a dozen lines for one file.
#[derive(Debug, Default)]
struct OpenFile(Option<(PathBuf, File)>);

impl OpenFile {
    /// Writes a value with one call, as cgroup files want it.
    fn write(&mut self, path: &Path, value: &str) -> io::Result<()> {
        let mut file = match self.0.take() {
            Some((open, file)) if open == path => file,
            _ => File::options().write(true).open(path)?,
        };
        file.write_all(value.as_bytes())?;
        self.0 = Some((path.to_owned(), file));
        Ok(())
    }
}

/// Whether a setting's file was there.
enum Outcome {
    Done,
    Missing,
}

fn too_little(limit: i64, used: Option<u64>) -> Error {
    let used = used.map_or(String::new(), |used| format!(" (current usage: {used})"));
    let text = format!("unable to set memory limit to {limit}{used}");
    Error::new(Kind::Conflict, text).hint("free memory in the container, or choose a higher limit")
}
