//! `hull image list-tags`: the tags of a repository, without pulling anything.

use serde_json::json;

use crate::base::Reference;
use crate::cli::flags::Matches;
use crate::cli::flags::registry::{RegistryArgs, declare};
use crate::cli::{Command, Words, output};
use crate::config::Settings;
use crate::error::{Error, Result};

pub const COMMAND: Command = Command {
    paths: &["image list-tags"],
    about: "List the tags of a repository in a registry",
    usage: "[OPTIONS] [docker://]REPOSITORY",
    words: Words::Exactly(1),
    arguments: declare,
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let word = matches.words()[0];
    let name = word.strip_prefix("docker://").unwrap_or(word);
    let reference: Reference = name.parse()?;
    let last = name.rsplit('/').next().unwrap_or_default();
    if last.contains([':', '@']) {
        return Err(
            Error::invalid(format!("{name}: no tag or digest should be given")).hint(format!(
                "hull image list-tags {}",
                reference.familiar_name()
            )),
        );
    }
    let client = RegistryArgs::read(matches)?.client(settings, &reference)?;
    let tags = client.repository(&reference)?.tags()?;
    let document = json!({"Repository": reference.full_name(), "Tags": tags});
    output::document(None, &document)?;
    Ok(0)
}
