//! `hull create`.

use super::image::obtain;
use crate::base::ContainerId;
use crate::cli::flags::Matches;
use crate::cli::flags::container::{self as flags, IdFile};
use crate::cli::flags::walk::FlagOrder;
use crate::cli::system::boot;
use crate::cli::{Command, Words, output};
use crate::config::Settings;
use crate::container::{self, Request};
use crate::error::{Result, Scope};
use crate::state::RestartName;

pub const COMMAND: Command = Command {
    paths: &["create", "container create"],
    about: "Create a new container",
    usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    words: Words::AtLeast(1),
    order: FlagOrder::BeforeWords,
    scope: Scope::Run,
    arguments: flags::declare,
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let request = flags::request(matches)?;
    match make(matches, settings, &request) {
        Ok(Ok(id)) => output::line(id).map(|()| 0),
        Ok(Err(code)) => Ok(code),
        // Only a wrong command line is 125 here: Docker's daemon answers the rest with 1.
        Err(error) => Ok(output::error(Scope::Other, &error)),
    }
}

/// Obtains the image and makes the container.
pub(super) fn make(
    matches: &Matches,
    settings: &Settings,
    request: &Request,
) -> Result<std::result::Result<ContainerId, u8>> {
    let id_file = IdFile::reserve(matches)?;
    let (policy, platform) = (flags::pull(matches)?, matches.text("platform"));
    let quiet = matches.on("quiet");
    // The image may not be collected between finding it and publishing who uses it.
    let (image, _guard) = match obtain(settings, &request.image, policy, platform, quiet)? {
        Ok(found) => found,
        Err(code) => return Ok(Err(code)),
    };
    super::warn_of_limits(settings, &request.limits)?;
    let id = container::create(settings, request, &image)?;
    if let Some(file) = id_file {
        file.write(&id)?;
    }
    let policy = request.lifecycle.restart.name;
    if matches!(policy, RestartName::Always | RestartName::UnlessStopped) {
        boot::tell(settings);
    }
    Ok(Ok(id))
}
