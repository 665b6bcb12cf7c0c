//! `hull logout`.

use super::server;
use crate::cli::flags::{self, Matches};
use crate::cli::{Command, Words, output};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::registry::{LoginFile, Removed};

pub const COMMAND: Command = Command {
    paths: &["logout"],
    about: "Log out from a registry",
    usage: "[OPTIONS] [SERVER]",
    words: Words::AtMost(1),
    arguments: |command| {
        let authfile = "File with the logins, instead of ~/.docker/config.json";
        command
            .arg(flags::switch("all", "Forget the logins to all registries").short('a'))
            .arg(flags::text("authfile", "path", authfile))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let mut settings = settings.clone();
    if let Some(authfile) = matches.text("authfile") {
        settings.auth_file = Some(authfile.into());
    }
    let words = matches.words();
    let path = server::login_file(&settings)?;
    if matches.on("all") {
        if !words.is_empty() {
            return Err(Error::invalid("--all takes no SERVER"));
        }
        LoginFile::erase_all(&path)?;
        output::line("Removed login credentials for all registries")?;
        return Ok(0);
    }
    let place = server::place(words.first().copied())?;
    let shown = server::shown(&place);
    match LoginFile::erase(&path, &place)? {
        Removed::Yes => output::line(format_args!("Removing login credentials for {shown}"))?,
        Removed::Nothing => output::line(format_args!("Not logged in to {shown}"))?,
    }
    // Logging out must not look done while another file still has a login that is used.
    for other in &settings.login_files()[1..] {
        if LoginFile::read(other)?.find(&place)?.is_some() {
            output::note(format_args!(
                "WARNING! {} still has a login for {place}: hull logout --authfile {0} {place}",
                other.display()
            ));
        }
    }
    Ok(0)
}
