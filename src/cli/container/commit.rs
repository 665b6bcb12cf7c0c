//! `hull commit`.

use crate::base::Reference;
use crate::cli::flags::{Matches, list, switch, switch_on, text};
use crate::cli::{Command, MappedRoot, Words, output, store};
use crate::config::Settings;
use crate::container::{self, CommitRequest};
use crate::error::{Error, Result};

pub const COMMAND: Command = Command {
    paths: &["commit", "container commit"],
    about: "Create a new image from a container's changes",
    usage: "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
    words: Words::Between(1, 2),
    mapped_root: MappedRoot::Always,
    arguments: |command| {
        let author = "Author (e.g., \"John Hannibal Smith <hannibal@a-team.com>\")";
        let change = "Apply Dockerfile instruction to the created image";
        command
            .arg(text("author", "string", author).short('a'))
            .arg(list("change", "list", change).short('c'))
            .arg(text("message", "string", "Commit message").short('m'))
            .arg(switch_on("pause", "Pause container during commit").short('p'))
            .arg(switch("no-pause", "Do not pause container during commit"))
            .arg(
                switch(
                    "quiet",
                    "Accepted for podman; only the image's id is printed",
                )
                .short('q'),
            )
            .arg(
                switch(
                    "squash",
                    "Make one layer of the image's and the container's",
                )
                .short('s'),
            )
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let words = matches.words();
    let name = words.get(1).map(|name| name.parse::<Reference>());
    let name = name.transpose()?;
    if name.as_ref().is_some_and(|name| name.digest.is_some()) {
        return Err(Error::invalid(
            "refusing to create a tag with a digest reference",
        ));
    }
    let own = |flag: &str| matches.text(flag).filter(|text| !text.is_empty());
    let request = CommitRequest {
        name,
        author: own("author").map(str::to_owned),
        comment: own("message").map(str::to_owned),
        changes: matches
            .texts("change")
            .into_iter()
            .map(str::to_owned)
            .collect(),
        pause: matches.on("pause") && !matches.on("no-pause"),
        squash: matches.on("squash"),
    };
    let store = store::open_existing(settings)?
        .ok_or_else(|| Error::not_found(format!("No such container: {}", words[0])))?;
    let id = container::records(settings).find(words[0])?;
    output::line(container::commit(settings, &store, &id, &request)?)?;
    Ok(0)
}
