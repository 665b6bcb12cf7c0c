//! `hull oci delete`.

use super::{globals, on_containers};
use crate::cli::flags;
use crate::cli::{Command, Words};

pub const COMMAND: Command = Command {
    paths: &["oci delete"],
    about: "Remove a stopped container",
    usage: "[OPTIONS] ID",
    words: Words::Exactly(1),
    arguments: |command| {
        let about = "Kill it first if it runs; one that does not exist is no error";
        globals(command).arg(flags::switch("force", about).short('f'))
    },
    run: |matches, settings| {
        on_containers(matches, settings, |containers| {
            containers.delete(matches.words()[0], matches.on("force"))?;
            Ok(0)
        })
    },
    ..Command::BASE
};
