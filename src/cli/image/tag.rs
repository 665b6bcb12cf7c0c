//! `hull tag` and `hull untag`.

use crate::base::Reference;
use crate::cli::flags::Matches;
use crate::cli::image::no_such_image;
use crate::cli::{Command, MappedRoot, Words, store};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::image;

pub const COMMAND: Command = Command {
    paths: &["tag", "image tag"],
    about: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG] [TARGET_IMAGE[:TAG]...]",
    words: Words::AtLeast(2),
    mapped_root: MappedRoot::Always,
    run,
    ..Command::BASE
};

pub const UNTAG: Command = Command {
    paths: &["untag", "image untag"],
    about: "Remove names from an image, which stays",
    usage: "IMAGE [NAME[:TAG]...]",
    words: Words::AtLeast(1),
    mapped_root: MappedRoot::Always,
    run: untag,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let words = matches.words();
    let (source, names) = (words[0], &words[1..]);
    // All are right before the first is given.
    let targets = names.iter().map(|name| {
        let target: Reference = name.parse()?;
        match target.digest {
            None => Ok(target),
            Some(_) => Err(Error::invalid(
                "refusing to create a tag with a digest reference",
            )),
        }
    });
    let targets = targets.collect::<Result<Vec<Reference>>>()?;
    let store = store::open_existing(settings)?;
    let store = store.ok_or_else(|| no_such_image(source))?;
    let image = image::tag(&store, source, &targets)?;
    for target in targets {
        super::notice(settings, "tag", image, &target.familiar());
    }
    Ok(0)
}

fn untag(matches: &Matches, settings: &Settings) -> Result<u8> {
    let words = matches.words();
    let store = store::open_existing(settings)?;
    let store = store.ok_or_else(|| no_such_image(words[0]))?;
    let names = words[1..].iter().map(|name| name.parse::<Reference>());
    let names = names.collect::<Result<Vec<Reference>>>()?;
    let (image, removed) = image::untag(&store, words[0], &names)?;
    for name in removed {
        super::notice(settings, "untag", image, &name.familiar());
    }
    Ok(0)
}
