//! `hull pull`.

use crate::base::Reference;
use crate::cli::flags::registry::{self, RegistryArgs};
use crate::cli::flags::{self, Matches};
use crate::cli::image::progress::Layers;
use crate::cli::output::{self, Stream};
use crate::cli::{Command, Words, store};
use crate::config::Settings;
use crate::error::Result;
use crate::image::{self, Platform, PullRequest, Pulled};

pub const COMMAND: Command = Command {
    paths: &["pull", "image pull"],
    about: "Download an image from a registry",
    usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
    words: Words::Exactly(1),
    arguments: |command| {
        let platform = "Set platform if the registry has images for several";
        registry::declare(command)
            .arg(flags::text("platform", "string", platform))
            .arg(flags::switch("quiet", "Suppress verbose output").short('q'))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let name = matches.words()[0];
    let reference: Reference = name.parse()?;
    let quiet = matches.on("quiet");
    let stream = if quiet {
        Stream::Nowhere
    } else {
        Stream::Stdout
    };
    let default_tag = reference.digest.is_none()
        && reference.tag.as_deref() == Some("latest")
        && !name.ends_with(":latest");
    if default_tag && !quiet {
        output::line("Using default tag: latest")?;
    }
    let platform = matches.text("platform");
    let access = RegistryArgs::read(matches)?;
    fetch(settings, &reference, platform, &access, stream)?;
    output::line(&reference)?;
    Ok(0)
}

/// Pulls an image and shows on `stream` how it goes. `run` and `create` use it for missing images.
pub fn fetch(
    settings: &Settings,
    reference: &Reference,
    platform: Option<&str>,
    access: &RegistryArgs,
    stream: Stream,
) -> Result<Pulled> {
    let platform = platform.or(settings.platform.as_deref());
    let platform = platform.map(str::parse::<Platform>).transpose()?;
    let client = access.client(settings, reference)?;
    // Should: programs that keep logins run as the user, whom a keyring knows.
    client.look_up_logins(reference)?;
    if settings.rootless {
        store::become_mapped_root(settings)?;
    }
    let store = store::open(settings)?;
    let request = PullRequest {
        reference,
        platform,
        concurrency: settings.pull_concurrency,
    };
    let layers = Layers::new(stream);
    let pulled = image::pull(&store, &client, &request, &layers)?;
    layers.say(&format!("Digest: {}", pulled.digest));
    let name = reference.familiar();
    super::notice(settings, "pull", &name, &name);
    layers.say(&match pulled.is_new {
        true => format!("Status: Downloaded newer image for {name}"),
        false => format!("Status: Image is up to date for {name}"),
    });
    Ok(pulled)
}
