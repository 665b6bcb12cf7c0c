//! `hull run`.

use super::{create, detach_keys, exit_code, image, require_terminal};
use crate::cli::flags::container as flags;
use crate::cli::flags::walk::FlagOrder;
use crate::cli::flags::{Matches, refused, switch, text};
use crate::cli::{Command, Words, output};
use crate::config::Settings;
use crate::container::{self, Foreground, Outcome, RelayOptions};
use crate::error::{Error, Result, Scope};

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
    let detached = matches.on("detach");
    let remove_image = matches.on("rmi");
    request.auto_remove |= remove_image;
    if remove_image && detached {
        return Err(Error::invalid(
            "conflicting options: cannot specify both --rmi and --detach",
        ));
    }
    let keys = detach_keys(matches.text("detach-keys"))?;
    if !detached && let Err(error) = require_terminal(request.open_stdin, request.terminal) {
        // Docker's code for this mistake alone.
        output::error(Scope::Run, &error);
        return Ok(1);
    }
    let id = match create::make(matches, settings, &request)? {
        Ok(id) => id,
        Err(code) => return Ok(code),
    };
    if detached {
        container::start(settings, &id, Foreground::Detached)?;
        return output::line(id).map(|()| 0);
    }
    let size = request.terminal.then(container::terminal_size).flatten();
    let socket = container::start(settings, &id, Foreground::Attached { size })?;
    let socket = socket.ok_or_else(|| Error::conflict("the monitor kept its connection"))?;
    let options = RelayOptions {
        stdin: request.open_stdin,
        terminal: request.terminal,
        forward_signals: matches.on("sig-proxy"),
        detach_keys: if request.terminal { keys } else { Vec::new() },
    };
    let outcome = container::relay(socket, &options)?;
    if let (true, Outcome::Exited(_)) = (remove_image, &outcome) {
        image::remove_in_child(settings, &request.image)?;
    }
    exit_code(outcome)
}
