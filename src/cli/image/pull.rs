//! `hull pull`.

use std::time::Duration;

use crate::base::Reference;
use crate::cli::flags::registry::{self, RegistryArgs};
use crate::cli::flags::{self, Matches};
use crate::cli::image::progress::Layers;
use crate::cli::output::{self, Stream};
use crate::cli::{Command, Words, store};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::image::{self, Platform, PullRequest, Pulled};
use crate::registry::Client;

pub const COMMAND: Command = Command {
    paths: &["pull", "image pull"],
    about: "Download an image from a registry",
    usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
    words: Words::Exactly(1),
    arguments: |command| {
        let all = "Download all tagged images in the repository";
        let arch = "Choose images for this architecture, instead of the machine's";
        let delay = "Wait so long before the first retry";
        let os = "Choose images for this operating system";
        let platform = "Set platform if the registry has images for several";
        let policy = "When to pull (\"always\", \"missing\", \"newer\", \"never\")";
        let trust = "Accepted; image signatures are not supported";
        let variant = "Choose images for this variant of the architecture";
        registry::declare(command)
            .arg(flags::switch("all-tags", all).short('a'))
            .arg(flags::text("arch", "string", arch))
            .arg(flags::switch_on("disable-content-trust", trust).hide(true))
            .arg(flags::text("os", "string", os))
            .arg(flags::text("platform", "string", platform))
            .arg(flags::text("policy", "string", policy))
            .arg(flags::switch("quiet", "Suppress verbose output").short('q'))
            .arg(flags::value::<u32>(
                "retry",
                "uint",
                "Attempts after a failure",
            ))
            .arg(flags::text("retry-delay", "duration", delay))
            .arg(flags::text("variant", "string", variant))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let name = matches.words()[0];
    // As podman's users write it.
    let name = name.strip_prefix("docker://").unwrap_or(name);
    let reference: Reference = name.parse()?;
    let quiet = matches.on("quiet");
    let stream = if quiet {
        Stream::Nowhere
    } else {
        Stream::Stdout
    };
    let platform = platform_of(matches)?;
    let access = RegistryArgs::read(matches)?;
    let asked = Asked {
        platform: platform.as_deref(),
        access: &access,
        retries: matches.value("retry"),
        delay: matches.text("retry-delay").map(parse_delay).transpose()?,
    };
    if matches.on("all-tags") {
        return pull_all(settings, name, &reference, &asked, stream);
    }
    let default_tag = reference.digest.is_none()
        && reference.tag.as_deref() == Some("latest")
        && !name.ends_with(":latest");
    if default_tag && !quiet {
        output::line("Using default tag: latest")?;
    }
    let policy = matches.text("policy").unwrap_or("always");
    pull_one(settings, name, &reference, policy, &asked, stream)?;
    output::line(&reference)?;
    Ok(0)
}

/// Pulls as `--policy` says.
fn pull_one(
    settings: &Settings,
    name: &str,
    reference: &Reference,
    policy: &str,
    asked: &Asked<'_>,
    stream: Stream,
) -> Result<()> {
    let is_here = || -> Result<bool> {
        let store = store::open_existing(settings)?;
        Ok(store.is_some_and(|store| image::find(&store, name).is_ok()))
    };
    let pull = || fetch(settings, reference, asked, stream).map(|_| ());
    match policy {
        "always" => pull(),
        "missing" if is_here()? => Ok(()),
        "missing" => pull(),
        "newer" => match pull() {
            // The image that is here will do.
            Err(error) if is_here()? => {
                output::note(format_args!("{error}"));
                Ok(())
            }
            pulled => pulled,
        },
        "never" if is_here()? => Ok(()),
        "never" => {
            let why = format!("No such image: {}", reference.familiar());
            Err(Error::not_found(why).hint("drop --policy never"))
        }
        other => Err(Error::invalid(format!("invalid pull policy: '{other}'"))
            .hint("always, missing, newer and never are known")),
    }
}

/// All tags of a repository, one after the other; the first that cannot be had ends it.
fn pull_all(
    settings: &Settings,
    name: &str,
    reference: &Reference,
    asked: &Asked<'_>,
    stream: Stream,
) -> Result<u8> {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains([':', '@']) {
        return Err(Error::invalid("tag can't be used with --all-tags/-a"));
    }
    let client = asked.client(settings, reference)?;
    let tags = client.repository(reference)?.tags()?;
    if tags.is_empty() {
        let why = format!("{} has no tags", reference.familiar_name());
        return Err(Error::not_found(why));
    }
    for tag in tags {
        // Words of a registry: a tag outside the grammar is not one.
        fetch_by(&client, settings, &reference.with_tag(&tag)?, asked, stream)?;
    }
    output::line(reference.full_name())?;
    Ok(0)
}

/// `--platform`, or podman's three flags for it.
fn platform_of(matches: &Matches) -> Result<Option<String>> {
    let parts = ["os", "arch", "variant"].map(|name| matches.text(name));
    let platform = matches.text("platform").map(str::to_owned);
    match (platform, parts) {
        (platform, [None, None, None]) => Ok(platform),
        (Some(_), _) => Err(Error::invalid(
            "--platform says what --os, --arch and --variant would",
        )
        .hint("give one or the other")),
        (None, [os, arch, variant]) => {
            let host = Platform::host();
            let mut text = format!(
                "{}/{}",
                os.unwrap_or(&host.os),
                arch.unwrap_or(&host.architecture)
            );
            if let Some(variant) = variant {
                text += &format!("/{variant}");
            }
            Ok(Some(text))
        }
    }
}

fn parse_delay(text: &str) -> Result<Duration> {
    flags::moment::span(text).ok_or_else(|| {
        Error::invalid(format!("invalid --retry-delay {text:?}")).hint("as in 500ms, 5s, 1m")
    })
}

/// What the user says about how to pull.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub platform: Option<&'a str>,
    pub access: &'a RegistryArgs,
    pub retries: Option<u32>,
    pub delay: Option<Duration>,
}

impl<'a> Asked<'a> {
    /// Nothing but a platform and who is asking.
    pub fn of(platform: Option<&'a str>, access: &'a RegistryArgs) -> Self {
        Asked {
            platform,
            access,
            retries: None,
            delay: None,
        }
    }

    /// A client that has its logins. From here on this process is root of the user's namespace.
    fn client(&self, settings: &Settings, reference: &Reference) -> Result<Client> {
        let client = self.access.client(settings, reference)?;
        if settings.rootless {
            // Must not come later: a request may leave a thread behind.
            store::become_mapped_root(settings)?;
        }
        Ok(client.retrying(self.retries, self.delay))
    }
}

/// Pulls an image and shows on `stream` how it goes. `run` and `create` use it for missing images.
pub fn fetch(
    settings: &Settings,
    reference: &Reference,
    asked: &Asked<'_>,
    stream: Stream,
) -> Result<Pulled> {
    let client = asked.client(settings, reference)?;
    fetch_by(&client, settings, reference, asked, stream)
}

fn fetch_by(
    client: &Client,
    settings: &Settings,
    reference: &Reference,
    asked: &Asked<'_>,
    stream: Stream,
) -> Result<Pulled> {
    let platform = asked.platform.or(settings.platform.as_deref());
    let platform = platform.map(str::parse::<Platform>).transpose()?;
    let store = store::open(settings)?;
    let request = PullRequest {
        reference,
        platform,
        concurrency: settings.pull_concurrency,
    };
    let layers = Layers::new(stream);
    let pulled = image::pull(&store, client, &request, &layers)?;
    layers.say(&format!("Digest: {}", pulled.digest));
    let name = reference.familiar();
    super::notice(settings, "pull", &name, &name);
    layers.say(&match pulled.is_new {
        true => format!("Status: Downloaded newer image for {name}"),
        false => format!("Status: Image is up to date for {name}"),
    });
    Ok(pulled)
}
