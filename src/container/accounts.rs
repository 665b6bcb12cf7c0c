//! Lines that are added to the image's /etc/passwd and /etc/group, where that was asked for.
//!
//! They are made of numbers, of names that were checked, and of templates that were checked to be
//! one line: never of the container's environment (CVE-2022-4318).

use std::fs;
use std::os::fd::BorrowedFd;
use std::path::Path;

use super::files::write_file;
use crate::error::{Error, Result};
use crate::rootfs::{User, read_account_file};
use crate::state::Config;

/// Names below /etc and in the run directory.
pub(super) const NAMES: [&str; 2] = ["passwd", "group"];

/// Writes both files for a container whose root is mounted at `root`.
pub(super) fn write(
    root: BorrowedFd<'_>,
    directory: &Path,
    config: &Config,
    user: &User,
) -> Result<()> {
    let accounts = &config.files.accounts;
    if !accounts.is_wanted() {
        return Ok(());
    }
    let mut passwd = Lines(read_account_file(root, "etc/passwd")?);
    let mut group = Lines(read_account_file(root, "etc/group")?);
    for name in &accounts.host_users {
        let line = host_line(name)?;
        let uid = line.split(':').nth(2).and_then(|uid| uid.parse().ok());
        if uid.is_some_and(|uid| !passwd.has_id(uid)) {
            passwd.add(&line);
        }
    }
    if !passwd.has_id(user.uid) {
        let name = match config.process.user.split(':').next() {
            Some(name) if is_name(name) => name.to_owned(),
            _ => user.uid.to_string(),
        };
        let default = "$USERNAME:*:$UID:$GID:$NAME:$HOME:/bin/sh";
        let template = accounts.passwd_entry.as_deref().unwrap_or(default);
        let line = template
            .replace("$USERNAME", &name)
            .replace("$UID", &user.uid.to_string())
            .replace("$GID", &user.gid.to_string())
            .replace("$NAME", "container user")
            .replace("$HOME", home(config, user));
        passwd.add(&line);
    }
    if !group.has_id(user.gid) {
        let default = "$GROUPNAME:x:$GID:";
        let template = accounts.group_entry.as_deref().unwrap_or(default);
        let number = user.gid.to_string();
        let line = template
            .replace("$GROUPNAME", &number)
            .replace("$GID", &number);
        group.add(&line);
    }
    for (name, lines) in NAMES.into_iter().zip([passwd, group]) {
        write_file(&directory.join(name), lines.0.as_bytes())?;
    }
    Ok(())
}

/// The working directory is the home of who has none; not if it would be more than a field.
fn home<'a>(config: &'a Config, user: &'a User) -> &'a str {
    let directory = config.process.working_dir.as_str();
    let is_field = !directory.contains(|c: char| c == ':' || c.is_control());
    match is_field && directory.starts_with('/') {
        true => directory,
        false => &user.home,
    }
}

fn is_name(text: &str) -> bool {
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    let shape = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    first && text.bytes().all(shape)
}

/// The line of one of the host's users, without the password field.
fn host_line(name: &str) -> Result<String> {
    let missing = || Error::not_found(format!("unable to find user {name} on the host"));
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut lines = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    let fields = lines.find(|fields| fields.first() == Some(&name) && fields.len() == 7);
    let mut fields = fields.ok_or_else(missing)?;
    fields[1] = "*";
    Ok(fields.join(":"))
}

struct Lines(String);

impl Lines {
    fn has_id(&self, id: u32) -> bool {
        let ids = self.0.lines().filter_map(|line| line.split(':').nth(2));
        ids.filter_map(|text| text.parse::<u32>().ok())
            .any(|known| known == id)
    }

    fn add(&mut self, line: &str) {
        if !self.0.is_empty() && !self.0.ends_with('\n') {
            self.0.push('\n');
        }
        self.0.push_str(line);
        self.0.push('\n');
    }
}
