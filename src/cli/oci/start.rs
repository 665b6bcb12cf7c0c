//! `hull oci start`.

use super::{globals, on_containers};
use crate::cli::{Command, Words};

pub const COMMAND: Command = Command {
    paths: &["oci start"],
    about: "Run the program of a created container",
    usage: "[OPTIONS] ID",
    words: Words::Exactly(1),
    arguments: globals,
    run: |matches, settings| {
        on_containers(matches, settings, |containers| {
            containers.start(matches.words()[0])?;
            Ok(0)
        })
    },
    ..Command::BASE
};
