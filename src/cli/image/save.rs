//! `hull save`.

use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use crate::cli::flags::{self, Matches};
use crate::cli::image::no_such_image;
use crate::cli::target::Target;
use crate::cli::{Command, MappedRoot, Words, output, store};
use crate::config::Settings;
use crate::error::{Context as _, Error, Result};
use crate::image::{Layout, Platform, SaveRequest, Saving};

pub const COMMAND: Command = Command {
    paths: &["save", "image save"],
    about: "Save one or more images to a tar archive (streamed to STDOUT by default)",
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    words: Words::AtLeast(1),
    mapped_root: MappedRoot::Always,
    arguments: |command| {
        let format = "Form of what is saved: docker-archive, oci-archive, oci-dir or docker-dir";
        let multi = "Accepted for podman; an archive takes any number of images";
        let output = "Write to a file, instead of STDOUT";
        let platform = "Save only if the image is for this platform";
        command
            .arg(flags::text("format", "string", format))
            .arg(flags::switch("multi-image-archive", multi).short('m'))
            .arg(flags::text("output", "string", output).short('o'))
            .arg(flags::text("platform", "string", platform))
            .arg(flags::switch("quiet", "Accepted for podman; nothing is told").short('q'))
    },
    run,
    ..Command::BASE
};

/// What `--format` means: a layout, and whether it is a directory.
fn form(name: &str) -> Result<(Layout, bool)> {
    Ok(match name {
        "docker-archive" => (Layout::Docker, false),
        "oci-archive" => (Layout::Oci, false),
        "oci-dir" => (Layout::Oci, true),
        "docker-dir" => (Layout::Dir, true),
        _ => {
            return Err(
                Error::invalid(format!("unknown format {name:?} for saving images"))
                    .hint("docker-archive, oci-archive, oci-dir and docker-dir are known"),
            );
        }
    })
}

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let (layout, is_directory) = form(matches.text("format").unwrap_or("docker-archive"))?;
    let path = matches.text("output").filter(|path| !path.is_empty());
    let path = path.filter(|path| *path != "-");
    if path.is_none() && is_directory {
        return Err(
            Error::invalid("a directory cannot be written to stdout").hint("name it with --output")
        );
    }
    if path.is_none() && output::stdout_is_terminal() {
        return Err(Error::invalid(
            "cowardly refusing to save to a terminal. Use the -o flag or redirect",
        ));
    }
    let platform = matches.text("platform").map(str::parse::<Platform>);
    let names = matches.words();
    let request = SaveRequest {
        names: &names,
        platform: platform.transpose()?,
        layout,
    };
    let store = store::open_existing(settings)?;
    let store = store.ok_or_else(|| no_such_image(names[0]))?;
    let saving = Saving::prepare(&store, &request)?;
    match path {
        None => saving.to_archive(&mut io::stdout().lock())?,
        Some(path) if is_directory => saving.to_directory(Path::new(path))?,
        Some(path) => {
            let target = Target::new(path, "failed to save image")?;
            let mut out = BufWriter::with_capacity(256 << 10, &target.file);
            let written = saving.to_archive(&mut out).and_then(|()| Ok(out.flush()?));
            drop(out);
            written.context(|| format!("write {}", target.path.display()))?;
            target.keep()?;
        }
    }
    for id in saving.ids() {
        super::notice(settings, "save", id, &id.to_string());
    }
    Ok(0)
}
