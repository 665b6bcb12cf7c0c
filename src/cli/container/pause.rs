//! `hull pause` and `hull unpause`.

use super::for_each;
use crate::cli::{Command, Words};
use crate::container;

pub const COMMAND: Command = Command {
    paths: &["pause", "container pause"],
    about: "Pause all processes within one or more containers",
    usage: "CONTAINER [CONTAINER...]",
    words: Words::AtLeast(1),
    run: |matches, settings| {
        for_each(settings, &matches.words(), |id, _| {
            container::pause(settings, id)
        })
    },
    ..Command::BASE
};

pub const UNPAUSE: Command = Command {
    paths: &["unpause", "container unpause"],
    about: "Unpause all processes within one or more containers",
    run: |matches, settings| {
        for_each(settings, &matches.words(), |id, _| {
            container::unpause(settings, id)
        })
    },
    ..COMMAND
};
