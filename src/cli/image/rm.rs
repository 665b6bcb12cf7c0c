//! `hull rmi`.

use crate::cli::flags::{self, Matches};
use crate::cli::image::{images_in_use, no_such_image};
use crate::cli::{Command, MappedRoot, Words, output, store};
use crate::config::Settings;
use crate::error::{Kind, Result, Scope};
use crate::image::{self, Force, Removal};
use crate::state::Records;
use crate::store::Store;

pub const COMMAND: Command = Command {
    paths: &["rmi", "image rm", "image remove"],
    about: "Remove one or more images",
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    words: Words::AtLeast(1),
    mapped_root: MappedRoot::Always,
    arguments: |command| {
        command
            .arg(flags::switch("force", "Force removal of the image").short('f'))
            .arg(flags::switch(
                "no-prune",
                "Accepted: layers that others use always stay",
            ))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let force = match matches.on("force") {
        true => Force::Yes,
        false => Force::No,
    };
    let store = store::open_existing(settings)?;
    let mut code = 0;
    // Each word for itself: what can be removed is, whatever happens to the others.
    for name in matches.words() {
        let removal = remove(settings, store.as_ref(), name, force);
        if let Err(error) = removal.and_then(|(id, removal)| print(settings, &id, &removal)) {
            output::error(Scope::Other, &error);
            if force == Force::No || error.kind() != Kind::NotFound {
                code = 1;
            }
        }
    }
    // Listing the containers was the costly part; what killed commands left goes along.
    Records::at(&settings.root, &settings.run).sweep_names();
    Ok(code)
}

/// The image's id, for the event log, and what was removed.
pub(in crate::cli) fn remove(
    settings: &Settings,
    store: Option<&Store>,
    name: &str,
    force: Force,
) -> Result<(String, Removal)> {
    let store = store.ok_or_else(|| no_such_image(name))?;
    // A broken image is removed by its name; its id is not known then.
    let id =
        image::find(store, name).map_or_else(|_| name.to_owned(), |image| image.id.to_string());
    let removal = image::remove(store, name, force, || images_in_use(settings))?;
    Ok((id, removal))
}

fn print(settings: &Settings, id: &str, removal: &Removal) -> Result<()> {
    for name in &removal.untagged {
        super::notice(settings, "untag", id, name);
        output::line(format_args!("Untagged: {name}"))?;
    }
    for digest in &removal.deleted {
        super::notice(settings, "delete", digest, &digest.to_string());
        output::line(format_args!("Deleted: {digest}"))?;
    }
    Ok(())
}
