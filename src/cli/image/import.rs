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
    let origin = if is_address {
        public_part(source)
    } else {
        "-".to_owned()
    };
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

/// An address without what may be secret: a name and password before the host, a signed query. It
/// is kept in the image, which may be pushed.
fn public_part(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or(address);
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_without_its_secrets() {
        let table = [
            ("http://h/t.tar", "http://h/t.tar"),
            ("https://user:secret@h:1/t.tar?sig=x#y", "https://h:1/t.tar"),
            ("http://u@p@h", "http://h"),
            ("http://h/a@b", "http://h/a@b"),
        ];
        for (address, public) in table {
            assert_eq!(public_part(address), public);
        }
    }
}
