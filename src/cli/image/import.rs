//! `hull import`.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};

use crate::base::Reference;
use crate::cli::flags::{self, Matches};
use crate::cli::{Command, MappedRoot, Words, output, store};
use crate::config::Settings;
use crate::error::{Context, Error, Result};
use crate::image::{self, ImportRequest, Platform};
use crate::registry;

pub const COMMAND: Command = Command {
    paths: &["import", "image import"],
    about: "Import the contents from a tarball to create a filesystem image",
    usage: "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
    words: Words::Between(1, 2),
    mapped_root: MappedRoot::Always,
    arguments: |command| {
        let change = "Apply Dockerfile instruction to the created image";
        command
            .arg(flags::list("change", "list", change).short('c'))
            .arg(
                flags::text("message", "string", "Set commit message for imported image")
                    .short('m'),
            )
            .arg(flags::text(
                "platform",
                "string",
                "Set platform of the image",
            ))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let words = matches.words();
    let source = words[0];
    let name = words
        .get(1)
        .map(|name| name.parse::<Reference>())
        .transpose()?;
    if name.as_ref().is_some_and(|name| name.digest.is_some()) {
        return Err(Error::invalid("cannot import digest reference"));
    }
    let platform = matches
        .text("platform")
        .map(str::parse::<Platform>)
        .transpose()?;
    let changes: Vec<String> = matches
        .texts("change")
        .into_iter()
        .map(str::to_owned)
        .collect();
    let is_address = source.starts_with("http://") || source.starts_with("https://");
    // Of a file, as of stdin, Docker only says that it was none it fetched.
    let origin = if is_address { source } else { "-" };
    let default = format!("Imported from {origin}");
    let request = ImportRequest {
        source,
        name,
        changes: &changes,
        message: matches.text("message").or(Some(&default)),
        platform,
    };
    let input: Box<dyn Read + Send> = match source {
        "-" if io::stdin().is_terminal() => {
            return Err(
                Error::invalid("requested import from stdin, but stdin is a terminal")
                    .hint("name a file, or pipe a tar into it"),
            );
        }
        "-" => Box::new(io::stdin()),
        _ if is_address => registry::download(&settings.registry, source)?,
        _ => Box::new(File::open(source).context(|| format!("open {source}"))?),
    };
    let store = store::open(settings)?;
    let (id, _) = image::import(&store, input, &request)?;
    super::notice(settings, "import", id, &id.to_string());
    output::line(id)?;
    Ok(0)
}
