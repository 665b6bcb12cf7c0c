//! `hull create`.

use super::image::obtain;
use crate::base::ContainerId;
use crate::cli::flags::container as flags;
use crate::cli::flags::obtain::{self, IdFile};
use crate::cli::flags::walk::FlagOrder;
use crate::cli::flags::{Matches, refused};
use crate::cli::system::boot;
use crate::cli::{Command, Words, output};
use crate::config::Settings;
use crate::container::{self, Force, Request};
use crate::error::{Result, Scope};
use crate::state::{NetworkMode, RestartName};

pub const COMMAND: Command = Command {
    paths: &["create", "container create"],
    about: "Create a new container",
    usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    words: Words::AtLeast(1),
    order: FlagOrder::BeforeWords,
    scope: Scope::Run,
    arguments: flags::declare,
    refused: refused::RUN,
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let request = flags::request(matches, settings)?;
    match make(matches, settings, &request, || Ok(())) {
        Ok(Ok(id)) => output::line(id).map(|()| 0),
        Ok(Err(code)) => Ok(code),
        // Only a wrong command line is 125 here: Docker's daemon answers the rest with 1.
        Err(error) => Ok(output::error(Scope::Other, &error)),
    }
}

/// Obtains the image and makes the container. `begin` is called when the image is there, which may
/// have taken long; the rest is quick.
pub(super) fn make(
    matches: &Matches,
    settings: &Settings,
    request: &Request,
    begin: impl FnOnce() -> Result<()>,
) -> Result<std::result::Result<ContainerId, u8>> {
    let id_file = IdFile::reserve(matches)?;
    let (policy, platform) = (obtain::pull(matches)?, matches.text("platform"));
    let quiet = matches.on("quiet");
    // The image may not be collected between finding it and publishing who uses it.
    let (image, _guard) = match obtain(settings, &request.image, policy, platform, quiet)? {
        Ok(found) => found,
        Err(code) => return Ok(Err(code)),
    };
    super::warn_of_limits(settings, &request.limits)?;
    warn(request);
    if matches.on("replace") {
        remove_holder(settings, request)?;
    }
    begin()?;
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

/// Says what was asked for and has no effect.
fn warn(request: &Request) {
    let published = !request.ports.is_empty() || request.publish_all;
    match &request.network {
        NetworkMode::Host if published => {
            output::note("WARNING: Published ports are discarded when using host network mode");
        }
        NetworkMode::None if published && request.network_is_default => output::note(
            "WARNING: Published ports are discarded: this version has no network \"bridge\", the \
             container has a loopback interface only. Use --network host to serve on the host.",
        ),
        _ => {}
    }
    let gateway = |entry: &&String| entry.ends_with(":host-gateway");
    if request.network == NetworkMode::None
        && let Some(entry) = request.extra_hosts.iter().find(gateway)
    {
        output::note(format_args!(
            "WARNING: --add-host {entry} is discarded: nothing leads to the host without a network"
        ));
    }
}

/// Removes the container that has the wanted name, whatever its state.
fn remove_holder(settings: &Settings, request: &Request) -> Result<()> {
    let Some(name) = &request.name else {
        return Ok(());
    };
    let holder = container::records(settings).named(name);
    holder.map_or(Ok(()), |id| container::remove(settings, &id, Force::Yes))
}
