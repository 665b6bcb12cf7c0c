//! `hull exec`.

use super::streams::{detach_keys, require_terminal};
use crate::cli::flags::walk::FlagOrder;
use crate::cli::flags::{self, Matches, switch, text};
use crate::cli::{Command, Words, output};
use crate::config::Settings;
use crate::container::{self, ExecRequest};
use crate::error::{Result, Scope};

pub const COMMAND: Command = Command {
    paths: &["exec", "container exec"],
    about: "Execute a command in a running container",
    usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
    words: Words::AtLeast(2),
    order: FlagOrder::BeforeWords,
    scope: Scope::Exec,
    arguments: |command| {
        let keys = "Override the key sequence for detaching";
        flags::container::declare_program(command)
            .arg(switch("detach", "Detached mode: run command in the background").short('d'))
            .arg(text("detach-keys", "string", keys))
            .arg(switch(
                "privileged",
                "Give extended privileges to the command",
            ))
    },
    refused: flags::refused::EXEC,
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let words = matches.words();
    let (name, command) = (words[0], &words[1..]);
    let keys = detach_keys(settings, matches.text("detach-keys"), matches.on("tty"))?;
    let request = ExecRequest {
        words: command.iter().map(|word| (*word).to_owned()).collect(),
        env: flags::environment::entries(matches)?,
        user: matches.text("user").map(str::to_owned),
        working_dir: matches.text("workdir").map(str::to_owned),
        terminal: matches.on("tty"),
        stdin: matches.on("interactive"),
        detached: matches.on("detach"),
        privileged: matches.on("privileged"),
        detach_keys: keys,
    };
    if !request.detached
        && let Err(error) = require_terminal(request.stdin, request.terminal)
    {
        // Docker's code for this mistake alone, as for `run`.
        output::error(Scope::Exec, &error);
        return Ok(1);
    }
    let id = container::records(settings).find(name)?;
    container::exec(settings, &id, name, &request)
}
