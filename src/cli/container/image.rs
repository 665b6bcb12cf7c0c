//! The image of a container to be made: found, or pulled if it is missing.

use crate::base::Reference;
use crate::cli::flags::obtain::Pull;
use crate::cli::flags::registry::RegistryArgs;
use crate::cli::output::{self, Stream};
use crate::cli::{image as commands, store};
use crate::config::Settings;
use crate::error::{Context as _, Error, Kind, Result, Scope};
use crate::image::{self, Image, Platform};
use crate::store::GcGuard;
use crate::sys::process::{Fork, exit_now, fork};

/// Finds the image, pulling as the policy says, and keeps the collector away from it.
/// `Err(code)` inside: a child has said why already.
pub fn obtain(
    settings: &Settings,
    name: &str,
    policy: Pull,
    platform: Option<&str>,
    quiet: bool,
) -> Result<std::result::Result<(Image, GcGuard), u8>> {
    let wanted = platform.map(str::parse::<Platform>).transpose()?;
    let store = crate::container::store(settings)?;
    let guard = store.share_gc_lock()?;
    let found = match image::find(&store, name) {
        Err(error) if error.kind() == Kind::NotFound => None,
        other => Some(other?),
    };
    let fits = |image: &Image| match &wanted {
        Some(wanted) => wanted.rank(&image.config.platform()).is_some(),
        None => true,
    };
    let is_here = found.as_ref().is_some_and(fits);
    match (policy, found) {
        (Pull::Missing | Pull::Never, Some(image)) if fits(&image) => {
            return Ok(Ok((image, guard)));
        }
        (Pull::Never, _) => {
            let familiar = name
                .parse::<Reference>()
                .map_or(name.to_owned(), |r| r.familiar());
            return Err(Error::not_found(format!("No such image: {familiar}"))
                .hint("hull pull it first, or drop --pull never"));
        }
        _ => {}
    }
    // Must not be held while waiting for a registry.
    drop(guard);
    let reference: Reference = name.parse()?;
    if policy == Pull::Missing && !quiet && reference.to_string() != embedded_name() {
        output::note(format_args!(
            "Unable to find image '{}' locally",
            reference.familiar()
        ));
    }
    let here = matches!(policy, Pull::Newer) && is_here;
    match fetch_in_child(settings, &reference, platform, quiet)? {
        code if code != 0 && !here => Ok(Err(code)),
        _ => {
            let guard = store.share_gc_lock()?;
            Ok(Ok((image::find(&store, name)?, guard)))
        }
    }
}

fn embedded_name() -> String {
    image::HELLO
        .parse::<Reference>()
        .map(|name| name.to_string())
        .unwrap_or_default()
}

/// Pulls in a child: without root it enters a user namespace for good, and with or without, its
/// threads and memory do not stay in the process that forks the container.
fn fetch_in_child(
    settings: &Settings,
    reference: &Reference,
    platform: Option<&str>,
    quiet: bool,
) -> Result<u8> {
    let pidfd = match fork().context(|| "fork to pull the image")? {
        Fork::Child => {
            let code = match fetch(settings, reference, platform, quiet) {
                Ok(()) => 0,
                Err(error) => output::error(Scope::Run, &error),
            };
            exit_now(code)
        }
        Fork::Parent { pidfd, .. } => pidfd,
    };
    crate::runtime::process::wait_code(std::os::fd::AsFd::as_fd(&pidfd))
}

/// Removes the image after the run; one that others use stays.
pub fn remove_in_child(settings: &Settings, name: &str) -> Result<()> {
    let pidfd = match fork().context(|| "fork to remove the image")? {
        Fork::Child => {
            let removed = match settings.rootless {
                true => store::become_mapped_root(settings),
                false => Ok(()),
            };
            let removed = removed.and_then(|()| commands::rm::remove_silently(settings, name));
            exit_now(match removed {
                Err(error) if error.kind() != Kind::Conflict => output::error(Scope::Run, &error),
                _ => 0,
            })
        }
        Fork::Parent { pidfd, .. } => pidfd,
    };
    crate::runtime::process::wait_code(std::os::fd::AsFd::as_fd(&pidfd)).map(drop)
}

fn fetch(
    settings: &Settings,
    reference: &Reference,
    platform: Option<&str>,
    quiet: bool,
) -> Result<()> {
    if reference.to_string() == embedded_name() {
        if settings.rootless {
            store::become_mapped_root(settings)?;
        }
        let store = store::open(settings)?;
        return image::ensure_hello(&store, crate::init_program::INIT_PROGRAM).map(drop);
    }
    let stream = if quiet {
        Stream::Nowhere
    } else {
        Stream::Stderr
    };
    let access = RegistryArgs::default();
    let asked = commands::pull::Asked::of(platform, &access);
    commands::pull::fetch(settings, reference, &asked, stream).map(drop)
}
