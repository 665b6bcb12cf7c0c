//! `hull attach`.

use super::streams::{detach_keys, exit_code_of_attach, relay_options, require_terminal};
use crate::cli::flags::{Matches, switch, switch_on, text};
use crate::cli::{Command, Words};
use crate::config::Settings;
use crate::container::{self, RelayOptions};
use crate::error::Result;

pub const COMMAND: Command = Command {
    paths: &["attach", "container attach"],
    about: "Attach local standard input, output, and error streams to a running container",
    usage: "[OPTIONS] CONTAINER",
    words: Words::Exactly(1),
    arguments: |command| {
        command
            .arg(text(
                "detach-keys",
                "string",
                "Override the key sequence for detaching",
            ))
            .arg(switch("no-stdin", "Do not attach STDIN"))
            .arg(switch_on(
                "sig-proxy",
                "Proxy all received signals to the process",
            ))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let records = container::records(settings);
    let id = records.find(matches.words()[0])?;
    let config = records.config(&id)?;
    let terminal = config.process.terminal;
    let keys = detach_keys(settings, matches.text("detach-keys"), terminal)?;
    let stdin = config.process.open_stdin && !matches.on("no-stdin");
    require_terminal(stdin, terminal)?;
    let socket = container::attach(settings, &id)?;
    let options = RelayOptions {
        stdin,
        redraw: true,
        forward_signals: matches.on("sig-proxy"),
        ..relay_options(settings, &id, &config.process, keys)
    };
    exit_code_of_attach(settings, &id, container::relay(socket, &options)?)
}
