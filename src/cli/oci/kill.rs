//! `hull oci kill`.

use super::{globals, on_containers};
use crate::cli::flags;
use crate::cli::{Command, Words};
use crate::error::Error;
use crate::runtime::bundle::Receivers;
use crate::sys::signal;

pub const COMMAND: Command = Command {
    paths: &["oci kill"],
    about: "Send a signal, SIGTERM unless given, to a container",
    usage: "[OPTIONS] ID [SIGNAL]",
    words: Words::Between(1, 2),
    arguments: |command| {
        let about = "Send it to every process of the container";
        globals(command).arg(flags::switch("all", about).short('a'))
    },
    run: |matches, settings| {
        on_containers(matches, settings, |containers| {
            let words = matches.words();
            let name = words.get(1).copied().unwrap_or("SIGTERM");
            let number = signal::parse(name)
                .ok_or_else(|| Error::invalid(format!("unknown signal {name:?}")))?;
            let receivers = match matches.on("all") {
                true => Receivers::All,
                false => Receivers::First,
            };
            containers.kill(words[0], number, receivers)?;
            Ok(0)
        })
    },
    ..Command::BASE
};
