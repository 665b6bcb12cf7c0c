//! `hull start`.

use super::select;
use super::streams::{detach_keys, exit_code, relay_options, require_terminal};
use crate::cli::flags::{Matches, switch, text};
use crate::cli::{Command, output};
use crate::config::Settings;
use crate::container::{self, Foreground, PASSTHROUGH, RelayOptions};
use crate::error::{Context as _, Error, Result};
use crate::state::Status;

pub const COMMAND: Command = Command {
    paths: &["start", "container start"],
    about: "Start one or more stopped containers",
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    words: select::WORDS,
    arguments: |command| {
        command
            .arg(switch("attach", "Attach STDOUT/STDERR and forward signals").short('a'))
            .arg(text(
                "detach-keys",
                "string",
                "Override the key sequence for detaching",
            ))
            .arg(switch("interactive", "Attach container's STDIN").short('i'))
            .arg(select::all("Start all containers that do not run").short(None))
            .arg(select::filter())
            .arg(select::latest())
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let is_down = |status| {
        !matches!(
            status,
            Status::Running | Status::Paused | Status::Restarting
        )
    };
    let chosen = select::choose(matches, settings, is_down)?;
    let names = &chosen.names;
    let stdin = matches.on("interactive");
    if matches.on("attach") || stdin {
        let [name] = &names[..] else {
            return Err(Error::invalid(
                "you cannot start and attach multiple containers at once",
            ));
        };
        return start_attached(settings, name, stdin, matches.text("detach-keys"));
    }
    let mut failed = Vec::new();
    let code = chosen.each(settings, |id, name| {
        let status = container::records(settings).record(id)?.state.status;
        let result = match status {
            Status::Running | Status::Restarting => Ok(None),
            Status::Paused => Err(Error::conflict(
                "cannot start a paused container, try unpause instead",
            )),
            _ => container::start(settings, id, Foreground::Detached),
        };
        if result.is_err() {
            failed.push(name.to_owned());
        }
        result.map(drop)
    })?;
    if code != 0 {
        let missing = names
            .iter()
            .filter(|name| container::records(settings).find(name).is_err());
        failed.extend(missing.cloned());
        failed.dedup();
        output::note(format_args!(
            "Error: failed to start containers: {}",
            failed.join(", ")
        ));
    }
    Ok(code)
}

fn start_attached(settings: &Settings, name: &str, stdin: bool, keys: Option<&str>) -> Result<u8> {
    let records = container::records(settings);
    let id = records.find(name)?;
    let config = records.config(&id)?;
    let terminal = config.process.terminal;
    let keys = detach_keys(settings, keys, terminal)?;
    require_terminal(stdin, terminal)?;
    let size = terminal.then(container::terminal_size).flatten();
    let socket = match records.record(&id)?.state.status {
        Status::Running => Some(container::attach(settings, &id)?),
        _ => container::start(settings, &id, Foreground::Attached { size })
            .context(|| format!("start container {name}"))?,
    };
    let socket = socket.ok_or_else(|| Error::conflict("the monitor kept its connection"))?;
    let options = RelayOptions {
        stdin: stdin && config.process.open_stdin && config.log.driver != PASSTHROUGH,
        ..relay_options(settings, &id, &config.process, keys)
    };
    exit_code(container::relay(socket, &options)?)
}
