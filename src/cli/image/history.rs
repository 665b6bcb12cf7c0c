//! `hull history`.

use crate::base::{ByteSize, DiffId, Digest};
use crate::cli::flags::{self, Matches};
use crate::cli::image::inspect::check_platform;
use crate::cli::image::no_such_image;
use crate::cli::output::{self, Listing, Row};
use crate::cli::{Command, Words, store};
use crate::config::Settings;
use crate::error::Result;
use crate::image::{self, Platform};

pub const COMMAND: Command = Command {
    paths: &["history", "image history"],
    about: "Show the history of an image",
    usage: "[OPTIONS] IMAGE",
    words: Words::Exactly(1),
    arguments: |command| {
        let human = "Print sizes and dates in human readable format";
        command
            .arg(output::format_flag())
            .arg(flags::switch_on("human", human).short('H'))
            .arg(flags::switch("no-trunc", "Don't truncate output"))
            .arg(flags::text(
                "platform",
                "string",
                "Show the history only if the image is for this platform",
            ))
            .arg(flags::switch("quiet", "Only show image IDs").short('q'))
    },
    run,
    ..Command::BASE
};

const LISTING: Listing = Listing {
    fields: &[
        ("ID", "IMAGE"),
        ("CreatedSince", "CREATED"),
        ("CreatedAt", "CREATED AT"),
        ("CreatedBy", "CREATED BY"),
        ("Size", "SIZE"),
        ("Comment", "COMMENT"),
    ],
    columns: &["ID", "CreatedSince", "CreatedBy", "Size", "Comment"],
    key: "ID",
};

const DATED: Listing = Listing {
    columns: &["ID", "CreatedAt", "CreatedBy", "Size", "Comment"],
    ..LISTING
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let name = matches.words()[0];
    let store = store::open_existing(settings)?;
    let store = store.ok_or_else(|| no_such_image(name))?;
    let image = image::find(&store, name)?;
    let platform = matches.text("platform").map(str::parse::<Platform>);
    check_platform(&image, name, platform.transpose()?.as_ref())?;
    let whole = matches.on("no-trunc");
    let human = matches.value::<bool>("human").unwrap_or(true);
    let shown_id = |id: Digest| match whole {
        true => id.to_string(),
        false => id.short(),
    };
    let mut rows = Vec::new();
    let layers = store.layers_for(&image.diff_ids)?;
    let size_of = |diff_id: &DiffId| {
        let layer = layers.iter().find(|layer| layer.diff_id == *diff_id);
        layer.map_or(0, |layer| layer.size_bytes)
    };
    let mut diff_ids = image.diff_ids.iter();
    let steps = image::steps(&store, &image)?;
    for (entry, step) in image.config.history.iter().zip(steps) {
        let layer = if entry.empty_layer {
            None
        } else {
            diff_ids.next()
        };
        let size = layer.map_or(0, size_of);
        let made_by = entry
            .created_by
            .clone()
            .unwrap_or_default()
            .replace('\t', " ");
        let created = entry.created;
        let since = created.map(output::ago).unwrap_or_default();
        let at = created.map(|time| time.to_string()).unwrap_or_default();
        let shown_size = match human {
            true => ByteSize(size).human(3),
            false => size.to_string(),
        };
        let comment = entry.comment.clone().unwrap_or_default();
        rows.push(
            Row::new()
                .set("ID", step.map_or_else(|| "<missing>".to_owned(), shown_id))
                .set("CreatedSince", since)
                .set("CreatedAt", at)
                .set(
                    "CreatedBy",
                    if whole {
                        made_by
                    } else {
                        output::cut(&made_by, 45)
                    },
                )
                .set("Size", shown_size)
                .set("Comment", comment),
        );
    }
    rows.reverse();
    let listing = if human { LISTING } else { DATED };
    listing.print(matches.text("format"), matches.on("quiet"), &rows)?;
    Ok(0)
}
