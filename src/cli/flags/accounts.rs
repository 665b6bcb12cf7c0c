//! podman's flags for the files of /etc that name users, and for the time zone.

use clap::Command;

use super::{Matches, list, switch, text};
use crate::container::Request;
use crate::error::{Error, Result};
use crate::state::TimeZone;

/// Where the host keeps the time zone database.
const ZONES: &str = "/usr/share/zoneinfo";

/// Declares them.
pub fn declare(command: Command) -> Command {
    let passwd = "Add a line for the user to /etc/passwd where there is none";
    command
        .arg(text(
            "group-entry",
            "string",
            "The line that is added to /etc/group",
        ))
        .arg(list(
            "hostuser",
            "list",
            "Add a user of the host to /etc/passwd",
        ))
        .arg(switch("passwd", passwd))
        .arg(text(
            "passwd-entry",
            "string",
            "The line that is added to /etc/passwd",
        ))
        .arg(text(
            "tz",
            "string",
            "Time zone: a name such as Europe/Paris, or \"local\"",
        ))
        .arg(text(
            "umask",
            "string",
            "Mode bits that new files do not get (default 0022)",
        ))
}

/// Fills them in.
pub fn fill(matches: &Matches, request: &mut Request) -> Result<()> {
    let accounts = &mut request.files.accounts;
    accounts.passwd_entry = line(matches, "passwd-entry", 6)?;
    accounts.group_entry = line(matches, "group-entry", 3)?;
    accounts.host_users = names(matches)?;
    accounts.add_user = matches.on("passwd") || accounts.is_wanted();
    request.files.time_zone = matches.text("tz").map(zone).transpose()?;
    request.umask = matches.text("umask").map(umask).transpose()?;
    Ok(())
}

/// One line of an account file: as many fields as it must have, nothing that starts another.
fn line(matches: &Matches, flag: &str, colons: usize) -> Result<Option<String>> {
    let Some(text) = matches.text(flag) else {
        return Ok(None);
    };
    let fields = text.matches(':').count() == colons;
    if !fields || text.chars().any(char::is_control) {
        return Err(Error::invalid(format!(
            "invalid --{flag} {text:?}: must be one line of {} fields, separated by colons",
            colons + 1
        )));
    }
    Ok(Some(text.to_owned()))
}

fn names(matches: &Matches) -> Result<Vec<String>> {
    let check = |name: &str| {
        let shape = |b: u8| b.is_ascii_alphanumeric() || b"_.-$".contains(&b);
        match !name.is_empty() && name.bytes().all(shape) {
            true => Ok(name.to_owned()),
            false => Err(Error::invalid(format!("invalid --hostuser {name:?}"))),
        }
    };
    matches.texts("hostuser").into_iter().map(check).collect()
}

fn zone(text: &str) -> Result<TimeZone> {
    if text == "local" {
        return Ok(TimeZone::Local);
    }
    let shape = |b: u8| b.is_ascii_alphanumeric() || b"_+-/".contains(&b);
    let name = !text.is_empty() && !text.starts_with('/') && text.bytes().all(shape);
    if !name || !std::path::Path::new(ZONES).join(text).is_file() {
        return Err(Error::invalid(format!("unknown time zone {text}"))
            .hint(format!("names are those of the files below {ZONES}")));
    }
    Ok(TimeZone::Zone(text.to_owned()))
}

fn umask(text: &str) -> Result<u32> {
    let digits = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let mode = u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o777);
    mode.filter(|_| digits)
        .ok_or_else(|| Error::invalid(format!("invalid umask string {text}: use 0000 to 0777")))
}
