//! `hull image copy`.

use std::io::{BufWriter, Write as _};
use std::path::Path;

use crate::base::Reference;
use crate::cli::flags::registry::{End, RegistryArgs, declare_end};
use crate::cli::flags::{self, Matches};
use crate::cli::image::progress::Layers;
use crate::cli::output::Stream;
use crate::cli::target::Target;
use crate::cli::{Command, Words, output, store};
use crate::config::Settings;
use crate::error::{Context as _, Error, Result};
use crate::image::{self, Access, Destination, Place, Platform, Source, Which};

pub const COMMAND: Command = Command {
    paths: &["image copy"],
    about: "Copy an image between registries, archives, directories and the store",
    usage: "[OPTIONS] SOURCE DESTINATION",
    words: Words::Exactly(2),
    arguments: |command| {
        let all = "Copy the images of all platforms and the list of them";
        let digest_file = "Write the digest of the copied image to this file";
        let multi = "Of an image for several platforms: system (this one) or all";
        let preserve = "Accepted: nothing is converted, so digests always stay";
        declare_end(declare_end(command, End::Source), End::Destination)
            .arg(flags::switch("all", all).short('a'))
            .arg(flags::text("digestfile", "path", digest_file))
            .arg(flags::text("multi-arch", "string", multi))
            .arg(flags::text(
                "platform",
                "string",
                "Copy the image for this platform",
            ))
            .arg(flags::switch("preserve-digests", preserve))
            .arg(flags::switch("quiet", "Suppress output information").short('q'))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let words = matches.words();
    let (from, to): (Place, Place) = (words[0].parse()?, words[1].parse()?);
    let which = which(matches, settings)?;
    let client_of = |place: &Place, end: End| match place {
        Place::Registry(name) => {
            let client = RegistryArgs::read_end(matches, end)?.client(settings, name)?;
            Ok::<_, Error>(Some(client))
        }
        _ => Ok(None),
    };
    let client = client_of(&from, End::Source)?;
    let receiver = client_of(&to, End::Destination)?;
    if settings.rootless {
        store::become_mapped_root(settings)?;
    }
    let store = store::open(settings)?;
    let access = Access {
        store: &store,
        client: client.as_ref(),
    };
    let source = Source::open(&from, access).context(|| format!("copy {}", words[0]))?;
    let layers = Layers::new(match matches.on("quiet") || !output::stdout_is_terminal() {
        true => Stream::Nowhere,
        false => Stream::Stdout,
    });
    let copied = match &to {
        Place::OciArchive(path, tag) => to_file(path, &mut |out| {
            image::copy(
                &source,
                &which,
                Destination::OciArchive(out, tag.as_deref()),
            )
        }),
        Place::DockerArchive(path, name) => to_file(path, &mut |out| {
            image::copy(
                &source,
                &which,
                Destination::DockerArchive(out, name.as_ref()),
            )
        }),
        Place::OciDirectory(path, tag) => {
            let to = Destination::OciDirectory(path, tag.as_deref());
            image::copy(&source, &which, to)
        }
        Place::Directory(path) => image::copy(&source, &which, Destination::Directory(path)),
        Place::Store(name) => {
            let name: Reference = name.parse()?;
            if name.digest.is_some() {
                return Err(Error::invalid(
                    "refusing to create a tag with a digest reference",
                ));
            }
            image::copy(&source, &which, Destination::Store(&store, &name, &layers))
        }
        Place::Registry(name) => {
            let client = receiver.as_ref().expect("made for every registry");
            let to = Destination::Registry(client, name, &store);
            image::copy(&source, &which, to)
        }
    };
    let digest = copied.context(|| format!("copy {} to {}", words[0], words[1]))?;
    if let Some(path) = matches.text("digestfile") {
        std::fs::write(path, digest.to_string()).context(|| format!("write {path}"))?;
    }
    Ok(0)
}

fn which(matches: &Matches, settings: &Settings) -> Result<Which> {
    let platform = matches.text("platform").or(settings.platform.as_deref());
    let platform = platform.map(str::parse::<Platform>).transpose()?;
    let all = match matches.text("multi-arch") {
        None => matches.on("all"),
        Some("all") => true,
        Some("system") => false,
        Some(other) => {
            return Err(
                Error::invalid(format!("unknown multi-arch option {other:?}"))
                    .hint("one of system and all"),
            );
        }
    };
    Ok(match all {
        true => Which::All,
        false => Which::One(platform.unwrap_or_else(Platform::host)),
    })
}

/// Writes an archive, which is there once it is whole.
fn to_file<T>(
    path: &Path,
    write: &mut dyn FnMut(&mut dyn std::io::Write) -> Result<T>,
) -> Result<T> {
    let target = Target::new(&path.to_string_lossy(), "image copy")?;
    let mut out = BufWriter::with_capacity(256 << 10, &target.file);
    let written = write(&mut out).and_then(|done| {
        out.flush()?;
        Ok(done)
    });
    drop(out);
    let done = written?;
    target.keep()?;
    Ok(done)
}
