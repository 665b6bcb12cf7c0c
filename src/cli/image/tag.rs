//! `hull tag`.

use crate::base::Reference;
use crate::cli::flags::Matches;
use crate::cli::image::no_such_image;
use crate::cli::{Command, MappedRoot, Words, store};
use crate::config::Settings;
use crate::error::Result;
use crate::image;

pub const COMMAND: Command = Command {
    paths: &["tag", "image tag"],
    about: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    words: Words::Exactly(2),
    mapped_root: MappedRoot::Always,
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let words = matches.words();
    let (source, name) = (words[0], words[1]);
    let target: Reference = name.parse()?;
    let store = store::open_existing(settings)?;
    let store = store.ok_or_else(|| no_such_image(source))?;
    image::tag(&store, source, &target)?;
    let image = image::find(&store, source)?;
    super::notice(settings, "tag", image.id, &target.familiar());
    Ok(0)
}
