//! `hull push`.

use crate::base::{DiffId, Reference};
use crate::cli::flags::registry::{self, RegistryArgs};
use crate::cli::flags::{self, Matches};
use crate::cli::output::{self, Step, Stream};
use crate::cli::{Command, Words, store};
use crate::config::Settings;
use crate::error::{Context, Error, Result};
use crate::image::{
    self, Compression, Format, Platform, PushEvent, PushProgress, PushRequest, Pushed,
};
use crate::store::Store;

/// Layers sent at the same time, as Docker does.
const CONCURRENCY: usize = 5;

pub const COMMAND: Command = Command {
    paths: &["push", "image push"],
    about: "Upload an image to a registry",
    usage: "[OPTIONS] NAME[:TAG] [DESTINATION]",
    words: Words::Between(1, 2),
    arguments: |command| {
        let all = "Push all tags of an image to the repository";
        let compression = "Compress layers with this (gzip, zstd), where they are not already";
        let level = "Level of the compression";
        let digestfile = "Write the digest of the pushed image to this file";
        let format = "Format of the manifest (oci, v2s2), instead of the image's own";
        let platform = "Push the image only if it is for this platform";
        let trust = "Accepted; image signatures are not supported";
        registry::declare(command)
            .arg(flags::switch("all-tags", all).short('a'))
            .arg(flags::text("compression-format", "string", compression))
            .arg(flags::value::<u32>("compression-level", "int", level))
            .arg(flags::text("digestfile", "path", digestfile))
            .arg(flags::switch_on("disable-content-trust", trust).hide(true))
            .arg(flags::text("format", "string", format).short('f'))
            .arg(flags::text("platform", "string", platform))
            .arg(flags::switch("quiet", "Suppress verbose output").short('q'))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let words = matches.words();
    let (source, destination) = (words[0], words.get(1).copied());
    let target = target_of(source, destination)?;
    let quiet = matches.on("quiet");
    let compression = compression_of(matches)?;
    let platform = matches.text("platform").map(str::parse::<Platform>);
    let format = matches.text("format").map(str::parse::<Format>);
    let (platform, format) = (platform.transpose()?, format.transpose()?);
    let missing = || {
        let name = target.familiar();
        Error::not_found(format!(
            "An image does not exist locally with the tag: {name}"
        ))
        .hint("hull images lists what is here, hull tag gives an image another name")
    };
    let client = RegistryArgs::read(matches)?.client(settings, &target)?;
    if settings.rootless {
        store::become_mapped_root(settings)?;
    }
    let store = store::open_existing(settings)?.ok_or_else(missing)?;
    let shown = Layers::new(quiet);
    let request = PushRequest {
        image: source,
        target: &target,
        platform,
        format,
        compression,
        concurrency: CONCURRENCY,
    };
    if matches.on("all-tags") {
        let tags = tags_of(&store, source, destination, &target)?;
        shown.say(&heading(&target));
        for tag in tags {
            let name = tag.to_string();
            let request = PushRequest {
                image: &name,
                target: &tag,
                ..request.clone()
            };
            let pushed = image::push(&store, &client, &request, &shown)?;
            shown.end(&tag, &pushed, settings);
        }
    } else {
        if destination.is_none() {
            store.find_ref(&target)?.ok_or_else(missing)?;
        }
        if target.tag.as_deref() == Some("latest") && !source.ends_with(":latest") {
            shown.say("Using default tag: latest");
        }
        shown.say(&heading(&target));
        let pushed = image::push(&store, &client, &request, &shown)?;
        shown.end(&target, &pushed, settings);
        if let Some(path) = matches.text("digestfile") {
            std::fs::write(path, pushed.digest.to_string()).context(|| format!("write {path}"))?;
        }
    }
    if quiet {
        output::line(&target)?;
    }
    Ok(0)
}

/// The name there: that of the image, or podman's second word.
fn target_of(source: &str, destination: Option<&str>) -> Result<Reference> {
    let name = match destination {
        None => source,
        Some(name) => match name.split_once("://") {
            None => name,
            Some(("docker", name)) => name,
            Some((transport, _)) => return Err(other_transport(name, transport)),
        },
    };
    if let Some((transport @ ("oci" | "oci-archive" | "docker-archive" | "dir"), rest)) =
        name.split_once(':')
        && rest.contains('/')
    {
        return Err(other_transport(name, transport));
    }
    let reference: Reference = name.parse()?;
    if reference.digest.is_some() {
        return Err(Error::invalid("cannot push a digest reference")
            .hint("give the image a tag with hull tag, and push that"));
    }
    Ok(reference)
}

fn other_transport(name: &str, transport: &str) -> Error {
    Error::unsupported(format!(
        "cannot push to {name:?}: not a registry ({transport})"
    ))
    .hint("hull push writes to registries, hull save to files")
}

fn compression_of(matches: &Matches) -> Result<Option<Compression>> {
    let level: Option<u32> = matches.value("compression-level");
    match (matches.text("compression-format"), level) {
        (Some(format), level) => Compression::new(format, level).map(Some),
        (None, Some(level)) => Compression::new("gzip", Some(level)).map(Some),
        (None, None) => Ok(None),
    }
}

/// All tags of a repository that are here, sorted.
fn tags_of(
    store: &Store,
    source: &str,
    destination: Option<&str>,
    target: &Reference,
) -> Result<Vec<Reference>> {
    // A tag that was left out reads as the default one.
    let last = source.rsplit('/').next().unwrap_or(source);
    if last.contains(':') || destination.is_some() {
        return Err(Error::invalid("tag can't be used with --all-tags/-a"));
    }
    let refs = store.refs()?.into_iter().map(|record| record.reference);
    let same = |name: &Reference| name.full_name() == target.full_name() && name.digest.is_none();
    let tags: Vec<Reference> = refs.filter(same).collect();
    if tags.is_empty() {
        let name = target.familiar_name();
        let why = format!("An image does not exist locally with the tag: {name}");
        return Err(Error::not_found(why));
    }
    Ok(tags)
}

fn heading(target: &Reference) -> String {
    format!("The push refers to repository [{}]", target.full_name())
}

/// Docker's lines for layers that go out.
struct Layers {
    shown: output::Progress,
}

impl Layers {
    fn new(quiet: bool) -> Self {
        let stream = match quiet {
            true => Stream::Nowhere,
            false => Stream::Stdout,
        };
        Layers {
            shown: output::Progress::new(stream),
        }
    }

    fn say(&self, text: &str) {
        self.shown.say(text);
    }

    fn end(&self, target: &Reference, pushed: &Pushed, settings: &Settings) {
        let tag = target.tag.as_deref().unwrap_or("latest");
        let Pushed { digest, size } = pushed;
        self.say(&format!("{tag}: digest: {digest} size: {size}"));
        let name = target.familiar();
        super::notice(settings, "push", &name, &name);
    }
}

impl PushProgress for Layers {
    fn layer(&self, layer: &DiffId, event: PushEvent) {
        let (state, amount) = match event {
            PushEvent::Preparing => ("Preparing".into(), None),
            PushEvent::Pushing { bytes, total } => ("Pushing".into(), Some((bytes, total))),
            PushEvent::Pushed => ("Pushed".into(), None),
            PushEvent::Exists => ("Layer already exists".into(), None),
            PushEvent::Mounted(from) => (format!("Mounted from {from}").into(), None),
        };
        self.shown.set(&layer.0.short(), Step { state, amount });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_names_of_registries() {
        let target = |source, destination| {
            target_of(source, destination).map(|target: Reference| target.to_string())
        };
        assert_eq!(target("h:1/a", None).expect("legal"), "h:1/a:latest");
        let podman = target("a", Some("docker://h:1/b:2")).expect("legal");
        assert_eq!(podman, "h:1/b:2");
        assert_eq!(target("a", Some("h:1/b:2")).expect("legal"), "h:1/b:2");
        for refused in ["oci-archive:/tmp/x", "dir:/tmp/x", "oci://x"] {
            let error = target("a", Some(refused)).expect_err(refused);
            assert!(error.to_string().contains("not a registry"), "{error}");
        }
        let digest = format!("a@sha256:{}", "0".repeat(64));
        let error = target(&digest, None).expect_err("refused");
        assert!(error.to_string().contains("digest reference"), "{error}");
    }
}
