//! `hull load`.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::path::Path;

use crate::cli::flags::{self, Matches};
use crate::cli::image::progress::Layers;
use crate::cli::output::{self, Stream};
use crate::cli::{Command, MappedRoot, store};
use crate::config::Settings;
use crate::error::{Context, Error, Result};
use crate::image::{self, Platform};

pub const COMMAND: Command = Command {
    paths: &["load", "image load"],
    about: "Load an image from a tar archive or STDIN",
    mapped_root: MappedRoot::Always,
    arguments: |command| {
        let platform = "Load only the given platform of a multi-platform archive";
        command
            .arg(
                flags::text(
                    "input",
                    "string",
                    "Read from tar archive file, instead of STDIN",
                )
                .short('i'),
            )
            .arg(flags::text("platform", "string", platform))
            .arg(flags::switch("quiet", "Suppress the load output").short('q'))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let input = matches.text("input").filter(|path| *path != "-");
    let stdin = io::stdin();
    if input.is_none() && stdin.is_terminal() {
        return Err(
            Error::invalid("requested load from stdin, but stdin is empty")
                .hint("name a file with --input"),
        );
    }
    let platform = matches
        .text("platform")
        .map(str::parse::<Platform>)
        .transpose()?;
    let platform = platform.as_ref();
    // As Docker: progress is for eyes only, scripts get the result lines.
    let watched = output::stdout_is_terminal() && !matches.on("quiet");
    let layers = Layers::of_archive(if watched {
        Stream::Stdout
    } else {
        Stream::Nowhere
    });
    let store = store::open(settings)?;
    let loaded = match input {
        Some(path) => image::load_path(&store, Path::new(path), platform, &layers)?,
        None => {
            let stdin = stdin
                .as_fd()
                .try_clone_to_owned()
                .context(|| "read stdin")?;
            image::load_stream(&store, File::from(stdin), platform, &layers)?
        }
    };
    for image in loaded {
        for named in image.named {
            let line = match named.reference {
                Some(name) => {
                    if let Some(old) = named.replaced {
                        let name = name.familiar();
                        output::line(format_args!(
                            "The image {name} already exists, renaming the old one with ID {old} \
                             to empty string"
                        ))?;
                    }
                    format!("Loaded image: {}", name.familiar())
                }
                None => format!("Loaded image ID: {}", image.id),
            };
            super::notice(settings, "load", image.id, &image.id.to_string());
            output::line(line)?;
        }
    }
    Ok(0)
}
