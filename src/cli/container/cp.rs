//! `hull cp`.

use crate::base::ByteSize;
use crate::cli::flags::{Matches, switch, switch_on};
use crate::cli::{Command, MappedRoot, Words, output, store};
use crate::config::Settings;
use crate::container::{self, CopyRequest, Endpoint};
use crate::error::{Error, Result};

pub const COMMAND: Command = Command {
    paths: &["cp", "container cp"],
    about: "Copy files/folders between a container and the local filesystem",
    usage: "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-
       hull cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
    words: Words::Exactly(2),
    mapped_root: MappedRoot::Always,
    arguments: |command| {
        let archive = "Archive mode (copy all uid/gid information)";
        command
            .arg(switch("archive", archive).short('a'))
            .arg(switch("follow-link", "Always follow symbol link in SRC_PATH").short('L'))
            .arg(
                switch_on(
                    "quiet",
                    "Suppress progress output during copy, the default unless \
                        standard output is a terminal",
                )
                .short('q'),
            )
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let words = matches.words();
    let request = CopyRequest {
        source: Endpoint::parse(words[0]),
        target: Endpoint::parse(words[1]),
        archive: matches.on("archive"),
        follow_link: matches.on("follow-link"),
    };
    let no_store = || {
        let named = [&request.source, &request.target];
        let name = named.into_iter().find_map(|end| match end {
            Endpoint::Container { name, .. } => Some(name.as_str()),
            _ => None,
        });
        Error::not_found(format!("No such container: {}", name.unwrap_or_default()))
    };
    let open = store::open_existing(settings)?.ok_or_else(no_store)?;
    let ownership = store::ownership(settings)?;
    let copied = container::copy(settings, &open, ownership, &request)?;
    if copied.left_out > 0 {
        output::note(format_args!(
            "{} sockets or device nodes were not copied",
            copied.left_out
        ));
    }
    let quiet = match matches.given("quiet") {
        true => matches.on("quiet"),
        false => !output::stdout_is_terminal(),
    };
    if let (false, Some(to)) = (quiet, copied.to) {
        let size = ByteSize(copied.tar_bytes).human(3);
        output::note(format_args!("Successfully copied {size} to {to}"));
    }
    Ok(0)
}
