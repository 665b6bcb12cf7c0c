//! `hull rmi`.

use crate::cli::flags::{self, Matches};
use crate::cli::image::{images_in_use, no_such_image};
use crate::cli::{Command, MappedRoot, Words, output, store};
use crate::config::Settings;
use crate::error::{Error, Kind, Result, Scope};
use crate::image::{self, Detail, Force, Removal, Remover};
use crate::state::Records;
use crate::store::Store;

pub const COMMAND: Command = Command {
    paths: &["rmi", "image rm", "image remove"],
    about: "Remove one or more images",
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    words: Words::AtLeastUnless(1, &["all"]),
    mapped_root: MappedRoot::Always,
    arguments: |command| {
        command
            .arg(flags::switch("all", "Remove all images").short('a'))
            .arg(flags::switch("force", "Force removal of the image").short('f'))
            .arg(flags::switch("ignore", "Ignore images that do not exist").short('i'))
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
    let words: Vec<String> = matches.words().into_iter().map(str::to_owned).collect();
    if matches.on("all") && !words.is_empty() {
        return Err(Error::invalid("--all takes no image names"));
    }
    // What is gone is what was asked for.
    let ignore = matches.on("ignore");
    let mut code = 0;
    let mut tell = |error: &Error| {
        let is_gone = error.kind() == Kind::NotFound;
        if !(is_gone && ignore) {
            output::error(Scope::Other, error);
        }
        if !(is_gone && (ignore || force == Force::Yes)) {
            code = 1;
        }
    };
    match store::open_existing(settings)? {
        Some(store) => {
            let words = match matches.on("all") {
                true => all(&store)?,
                false => words,
            };
            remove(settings, &store, &words, force, &mut tell)?;
        }
        None => words.iter().for_each(|word| tell(&no_such_image(word))),
    }
    // Listing the containers was the costly part; what killed commands left goes along.
    Records::at(&settings.root, &settings.run).sweep_names();
    Ok(code)
}

/// Removes one image without a word about it, unless somebody uses it.
pub(in crate::cli) fn remove_silently(settings: &Settings, name: &str) -> Result<()> {
    let store = store::open_existing(settings)?;
    let store = store.ok_or_else(|| no_such_image(name))?;
    let mut remover = Remover::new(&store, images_in_use(settings)?)?;
    remover.take(name, Force::No)?;
    remover.finish(|| images_in_use(settings)).map(drop)
}

/// The names of all images; the id of one that has none.
fn all(store: &Store) -> Result<Vec<String>> {
    let listing = image::list(store, Detail::Names)?;
    let words = listing.images.iter().flat_map(|listed| {
        let names = listed.names.iter().map(|name| name.reference.familiar());
        let unnamed = listed.names.is_empty().then(|| listed.id.to_string());
        names.chain(unnamed).collect::<Vec<_>>()
    });
    Ok(words.collect())
}

/// Each word for itself: what can be removed is, whatever happens to the others.
fn remove(
    settings: &Settings,
    store: &Store,
    words: &[String],
    force: Force,
    tell: &mut impl FnMut(&Error),
) -> Result<()> {
    let mut remover = Remover::new(store, images_in_use(settings)?)?;
    for word in words {
        if let Err(error) = remover.take(word, force) {
            tell(&error);
        }
    }
    let removed = remover.finish(|| images_in_use(settings))?;
    for (id, removal) in &removed.images {
        print(settings, id, removal)?;
    }
    Ok(())
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
