//! `hull oci create` and `hull oci run`.

use std::path::PathBuf;

use super::{globals, on_containers};
use crate::cli::flags::{self, Matches};
use crate::cli::{Command, Words};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::runtime::bundle::{CreateOptions, Wait};

pub const COMMAND: Command = Command {
    paths: &["oci create"],
    about: "Create a container from a bundle",
    usage: "[OPTIONS] ID",
    words: Words::Exactly(1),
    arguments,
    run: |matches: &Matches, settings: &Settings| {
        on_containers(matches, settings, |containers| {
            let options = options(matches)?;
            containers.create(matches.words()[0], &options)?;
            Ok(0)
        })
    },
    ..Command::BASE
};

pub const RUN: Command = Command {
    paths: &["oci run"],
    about: "Create a container from a bundle, start it and wait for its end",
    usage: "[OPTIONS] ID",
    words: Words::Exactly(1),
    arguments: |command| {
        arguments(command).arg(flags::switch("detach", "Do not wait for the end").short('d'))
    },
    run: |matches: &Matches, settings: &Settings| {
        on_containers(matches, settings, |containers| {
            let wait = match matches.on("detach") {
                true => Wait::No,
                false => Wait::ForEnd,
            };
            containers.run(matches.words()[0], &options(matches)?, wait)
        })
    },
    ..Command::BASE
};

fn arguments(command: clap::Command) -> clap::Command {
    globals(command)
        .arg(
            flags::text(
                "bundle",
                "path",
                "Directory of config.json (the current one unless given)",
            )
            .short('b'),
        )
        .arg(flags::text(
            "console-socket",
            "path",
            "Socket that receives the container's terminal",
        ))
        .arg(flags::switch(
            "no-new-keyring",
            "Leave the container in the caller's session keyring",
        ))
        .arg(flags::switch(
            "no-pivot",
            "Refused: the container could reach the host's root",
        ))
        .arg(flags::text(
            "pid-file",
            "path",
            "File to write the process id to",
        ))
        .arg(flags::integer(
            "preserve-fds",
            "Number of further descriptors to pass on; only 0 is supported",
        ))
}

fn options(matches: &Matches) -> Result<CreateOptions> {
    if matches.on("no-pivot") {
        return Err(Error::unsupported("--no-pivot is not supported")
            .hint("put the bundle on another file system than the initramfs"));
    }
    if matches.value::<i64>("preserve-fds").unwrap_or(0) != 0 {
        return Err(Error::unsupported("--preserve-fds is not supported"));
    }
    let path = |name| matches.text(name).map(PathBuf::from);
    Ok(CreateOptions {
        bundle: path("bundle").unwrap_or_else(|| PathBuf::from(".")),
        console_socket: path("console-socket"),
        pid_file: path("pid-file"),
        keep_keyring: matches.on("no-new-keyring"),
    })
}
