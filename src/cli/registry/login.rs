//! `hull login`.

use std::io::Read as _;

use super::prompt::{self, Answer, Echo};
use super::server;
use crate::cli::flags::registry::{self, RegistryArgs};
use crate::cli::flags::{self, Matches};
use crate::cli::{Command, Words, output};
use crate::config::Settings;
use crate::error::{Context as _, Error, Result};
use crate::registry::{Client, Credential, Credentials, LoginFile};

/// No password is longer.
const PASSWORD_LIMIT: u64 = 64 << 10;

pub const COMMAND: Command = Command {
    paths: &["login"],
    about: "Log in to a registry",
    usage: "[OPTIONS] [SERVER]",
    words: Words::AtMost(1),
    arguments: |command| {
        let stdin = "Take the password from stdin";
        registry::declare_access(command)
            .arg(flags::switch("get-login", "Show who is logged in"))
            .arg(flags::text("password", "string", "Password").short('p'))
            .arg(flags::switch("password-stdin", stdin))
            .arg(flags::text("username", "string", "Username").short('u'))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let settings = RegistryArgs::read(matches)?.apply(settings)?;
    let place = server::place(matches.words().first().copied())?;
    if matches.on("get-login") {
        return show_login(&settings, &place);
    }
    let (user, password) = (matches.text("username"), given_password(matches)?);
    if user.is_none() && password.is_none() {
        match try_stored(&settings, &place)? {
            Stored::Accepted => return succeed(),
            Stored::Refused(error) if !prompt::can_ask() => return Err(error),
            Stored::Refused(error) => output::note(format_args!("{error}")),
            Stored::None => {}
        }
    }
    if (user.is_none() || password.is_none()) && !prompt::can_ask() {
        let why = "cannot perform an interactive login: stdin is not a terminal";
        return Err(Error::invalid(why).hint("use --username and --password-stdin"));
    }
    let user = match user {
        Some(user) => user.to_owned(),
        None => match prompt::ask("Username: ", Echo::Shown)? {
            Answer::Line(user) => user.trim().to_owned(),
            Answer::GivenUp(code) => return Ok(code),
        },
    };
    check_user(&user)?;
    let password = match password {
        Some(password) => password,
        None => match prompt::ask("Password: ", Echo::Hidden)? {
            Answer::Line(password) => password,
            Answer::GivenUp(code) => return Ok(code),
        },
    };
    if password.is_empty() {
        return Err(Error::invalid("the password is empty"));
    }
    log_in(&settings, &place, Credential { user, password })
}

/// Asks the registry first: only a login that it takes is kept.
fn log_in(settings: &Settings, place: &str, login: Credential) -> Result<u8> {
    let path = server::login_file(settings)?;
    let mut credentials = Credentials::default();
    let host = place.split('/').next().unwrap_or_default();
    credentials.insert(host, login.clone());
    Client::new(&settings.registry, credentials).check_login(place)?;
    LoginFile::store(&path, place, &login)?;
    if LoginFile::read(&path)?.program_for(host)?.is_none() {
        output::note(format_args!(
            "WARNING! Your credentials are stored unencrypted in {}.\n\
             Configure a credential helper (credsStore) to remove this warning.",
            path.display()
        ));
    }
    succeed()
}

fn succeed() -> Result<u8> {
    output::line("Login Succeeded")?;
    Ok(0)
}

fn show_login(settings: &Settings, place: &str) -> Result<u8> {
    match Credentials::load(settings).find(place)? {
        Some(login) => output::line(&login.user)?,
        None => return Err(Error::not_found(format!("not logged into {place}"))),
    }
    Ok(0)
}

enum Stored {
    None,
    Accepted,
    Refused(Error),
}

/// Tries the login that is kept already.
fn try_stored(settings: &Settings, place: &str) -> Result<Stored> {
    let credentials = Credentials::load(settings);
    let Some(login) = credentials.find(place)? else {
        return Ok(Stored::None);
    };
    output::line(format_args!(
        "Authenticating with existing credentials... [Username: {}]",
        login.user
    ))?;
    match Client::new(&settings.registry, credentials).check_login(place) {
        Ok(()) => Ok(Stored::Accepted),
        Err(error) => Ok(Stored::Refused(error)),
    }
}

/// `--password` or `--password-stdin`.
fn given_password(matches: &Matches) -> Result<Option<String>> {
    let typed = matches.text("password");
    if typed.is_some() {
        output::note("WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
    }
    if !matches.on("password-stdin") {
        return Ok(typed.map(str::to_owned));
    }
    if typed.is_some() {
        return Err(Error::invalid(
            "--password and --password-stdin are mutually exclusive",
        ));
    }
    if matches.text("username").is_none() {
        return Err(Error::invalid(
            "must provide --username with --password-stdin",
        ));
    }
    let mut password = String::new();
    let stdin = std::io::stdin().lock();
    let read = stdin.take(PASSWORD_LIMIT).read_to_string(&mut password);
    read.context(|| "read the password from stdin")?;
    // One end of line is the shell's; more of them are the password's.
    let line = password.strip_suffix('\n').unwrap_or(&password);
    Ok(Some(line.strip_suffix('\r').unwrap_or(line).to_owned()))
}

/// A colon would make the rest of the name a part of the password.
fn check_user(user: &str) -> Result<()> {
    if user.is_empty() {
        return Err(Error::invalid("the user name is empty"));
    }
    if user.contains(':') || user.contains(char::is_control) {
        return Err(Error::invalid(
            "the user name has a colon or a control character",
        ));
    }
    Ok(())
}
