//! `hull import`.

use std::fs::File;
use std::io;

use crate::base::Reference;
use crate::cli::flags::{self, Matches};
use crate::cli::{Command, MappedRoot, Words, output, store};
use crate::config::Settings;
use crate::error::{Context, Error, Result};
use crate::image::{self, ImportRequest, Platform};

pub const COMMAND: Command = Command {
    paths: &["import", "image import"],
    about: "Import the contents from a tarball to create a filesystem image",
    usage: "[OPTIONS] file|- [REPOSITORY[:TAG]]",
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
    if source.starts_with("http://") || source.starts_with("https://") {
        return Err(
            Error::unsupported("import reads files and standard input, no addresses")
                .hint(format!("curl -L {source} | hull import -")),
        );
    }
    let name = words
        .get(1)
        .map(|name| name.parse::<Reference>())
        .transpose()?;
    let platform = matches
        .text("platform")
        .map(str::parse::<Platform>)
        .transpose()?;
    let changes: Vec<String> = matches
        .texts("change")
        .into_iter()
        .map(str::to_owned)
        .collect();
    let request = ImportRequest {
        source,
        name,
        changes: &changes,
        message: matches.text("message"),
        platform,
    };
    let (id, _) = if source == "-" {
        let store = store::open(settings)?;
        image::import(&store, io::stdin(), &request)?
    } else {
        let file = File::open(source).context(|| format!("open {source}"))?;
        let store = store::open(settings)?;
        image::import(&store, file, &request)?
    };
    super::notice(settings, "import", id, &id.to_string());
    output::line(id)?;
    Ok(0)
}
