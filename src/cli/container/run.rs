//! `hull run`.

use super::streams::{detach_keys, exit_code, relay_options, require_terminal};
use super::{create, image};
use crate::cli::flags::container as flags;
use crate::cli::flags::streams::attach;
use crate::cli::flags::walk::FlagOrder;
use crate::cli::flags::{Matches, refused, switch, text};
use crate::cli::{Command, Words, output};
use crate::config::Settings;
use crate::container::{self, Foreground, Outcome, PASSTHROUGH, RelayOptions, Request};
use crate::error::{Error, Result, Scope};
use crate::state::ProcessConfig;

pub const COMMAND: Command = Command {
    paths: &["run", "container run"],
    about: "Create and run a new container from an image",
    usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    words: Words::AtLeast(1),
    order: FlagOrder::BeforeWords,
    scope: Scope::Run,
    arguments: |command| {
        flags::declare(command)
            .arg(
                switch(
                    "detach",
                    "Run container in background and print container ID",
                )
                .short('d'),
            )
            .arg(switch(
                "rmi",
                "Remove the image after the run, unless others use it; implies --rm",
            ))
            .arg(text(
                "detach-keys",
                "string",
                "Override the key sequence for detaching",
            ))
    },
    refused: refused::RUN,
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let mut request = flags::request(matches, settings)?;
    let remove_image = matches.on("rmi");
    request.auto_remove |= remove_image;
    let keys = detach_keys(settings, matches.text("detach-keys"), request.terminal)?;
    let streams = attach(matches);
    if matches.on("detach") {
        if !matches.texts("attach").is_empty() {
            return usage(Error::invalid(
                "conflicting options: cannot specify both --attach and --detach",
            ));
        }
        if remove_image {
            return Err(Error::invalid(
                "conflicting options: cannot specify both --rmi and --detach",
            ));
        }
        request.stdin_once = false;
        return run_detached(matches, settings, &request);
    }
    if let Err(error) = require_terminal(streams.stdin, request.terminal) {
        return usage(error);
    }
    let wants_output = streams.stdout || streams.stderr;
    if !wants_output && !request.stdin_once {
        return run_detached(matches, settings, &request);
    }
    let forward_signals = matches.on("sig-proxy");
    // Should: before the container is made. A signal that comes now is meant for its program.
    let begin = || match forward_signals && !request.terminal {
        true => container::hold_signals(),
        false => Ok(()),
    };
    let id = match create::make(matches, settings, &request, begin)? {
        Ok(id) => id,
        Err(code) => return Ok(code),
    };
    let size = request.terminal.then(container::terminal_size).flatten();
    let socket = container::start(settings, &id, Foreground::Attached { size })?;
    let socket = socket.ok_or_else(|| Error::conflict("the monitor kept its connection"))?;
    if !wants_output {
        output::line(id)?;
    }
    let driver = request.log_driver.as_ref().unwrap_or(&settings.logs.driver);
    // Not from its record: a container that is removed at its end may be gone by now.
    let process = ProcessConfig {
        terminal: request.terminal,
        open_stdin: request.open_stdin,
        stdin_once: request.stdin_once,
        ..ProcessConfig::default()
    };
    let options = RelayOptions {
        stdin: request.open_stdin && streams.stdin && driver != PASSTHROUGH,
        stdout: streams.stdout || (request.terminal && streams.stderr),
        stderr: streams.stderr,
        forward_signals,
        ..relay_options(settings, &id, &process, keys)
    };
    let outcome = container::relay(socket, &options)?;
    if let (true, Outcome::Exited(_)) = (remove_image, &outcome) {
        image::remove_in_child(settings, &request.image)?;
    }
    exit_code(outcome)
}

/// Mistakes for which Docker has another code.
fn usage(error: Error) -> Result<u8> {
    output::error(Scope::Run, &error);
    Ok(1)
}

fn run_detached(matches: &Matches, settings: &Settings, request: &Request) -> Result<u8> {
    let id = match create::make(matches, settings, request, || Ok(()))? {
        Ok(id) => id,
        Err(code) => return Ok(code),
    };
    container::start(settings, &id, Foreground::Detached)?;
    output::line(id).map(|()| 0)
}
