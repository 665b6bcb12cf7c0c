//! `hull images`.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{ByteSize, Digest, Reference};
use crate::cli::flags::{self, Matches};
use crate::cli::image::filter::Conditions;
use crate::cli::image::{images_in_use, no_such_image};
use crate::cli::output::{self, Listing, Row};
use crate::cli::{Command, Words, store};
use crate::config::Settings;
use crate::error::Result;
use crate::image::{self, Listed};

pub const COMMAND: Command = Command {
    paths: &["images", "image ls", "image list"],
    about: "List images",
    usage: "[OPTIONS] [REPOSITORY[:TAG]]",
    words: Words::AtMost(1),
    arguments: |command| {
        let filter = "Filter output based on conditions provided";
        command
            .arg(flags::switch("all", "Show all images").short('a'))
            .arg(flags::switch("digests", "Show digests"))
            .arg(flags::filter(filter))
            .arg(output::format_flag())
            .arg(flags::switch("no-trunc", "Don't truncate output"))
            .arg(flags::switch("quiet", "Only show image IDs").short('q'))
    },
    run,
    ..Command::BASE
};

const LISTING: Listing = Listing {
    fields: &[
        ("ID", "IMAGE ID"),
        ("Repository", "REPOSITORY"),
        ("Tag", "TAG"),
        ("Digest", "DIGEST"),
        ("CreatedSince", "CREATED"),
        ("CreatedAt", "CREATED AT"),
        ("Size", "SIZE"),
        ("Containers", "CONTAINERS"),
        ("VirtualSize", "SIZE"),
        ("SharedSize", "SHARED SIZE"),
        ("UniqueSize", "UNIQUE SIZE"),
    ],
    columns: &["Repository", "Tag", "ID", "CreatedSince", "Size"],
    key: "ID",
};

const WITH_DIGESTS: Listing = Listing {
    columns: &["Repository", "Tag", "Digest", "ID", "CreatedSince", "Size"],
    ..LISTING
};

/// How Docker writes what is absent.
const NONE: &str = "<none>";

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let store = store::open_existing(settings)?;
    let find = |name: &str| match &store {
        Some(store) => image::find(store, name),
        None => Err(no_such_image(name)),
    };
    let mut filters = Conditions::parse(&matches.filters(), find)?;
    if let [pattern] = matches.words()[..] {
        filters.add_reference(pattern);
    }
    let listing = match &store {
        Some(store) => image::list(store, filters.detail())?,
        None => image::Listing::default(),
    };
    // One damaged image must not hide the others.
    for error in &listing.broken {
        output::note(format_args!("warning: {error}"));
    }
    let used: BTreeSet<Digest> = match filters.ask_for_containers() {
        true => images_in_use(settings)?
            .iter()
            .map(|used| used.image)
            .collect(),
        false => BTreeSet::new(),
    };
    let shape = Shape {
        whole_ids: matches.on("no-trunc"),
        digests: matches.on("digests"),
    };
    let mut rows: Vec<Row> = Vec::new();
    for listed in &listing.images {
        if filters.admits(listed, used.contains(&listed.id)) {
            rows.extend(rows_of(listed, &filters, shape));
        }
    }
    let quiet = matches.on("quiet");
    if quiet {
        rows.dedup_by_key(|row| row.cell("ID").to_owned());
    }
    let listing = if shape.digests {
        &WITH_DIGESTS
    } else {
        &LISTING
    };
    let format = matches.text("format").map(str::to_owned);
    let format = format.or_else(|| output::default_format(settings, "imagesFormat"));
    listing.print(format.as_deref(), quiet, &rows)?;
    Ok(0)
}

#[derive(Clone, Copy)]
pub(in crate::cli) struct Shape {
    pub whole_ids: bool,
    pub digests: bool,
}

/// A row for each name; names that differ only in being by digest share the row of their tag.
pub(in crate::cli) fn rows_of(listed: &Listed, filters: &Conditions, shape: Shape) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut tagged: BTreeMap<String, ()> = BTreeMap::new();
    for record in &listed.names {
        let name = &record.reference;
        if name.digest.is_none() {
            tagged.insert(name.full_name(), ());
        }
    }
    for record in &listed.names {
        let name = &record.reference;
        let by_digest = name.digest.is_some();
        if !filters.admits_name(name) || (by_digest && tagged.contains_key(&name.full_name())) {
            continue;
        }
        let digest = record.repo_digest.or(name.digest);
        rows.push(row(listed, Some(name), digest, shape));
    }
    if listed.names.is_empty() && !filters.by_name() {
        rows.push(row(listed, None, None, shape));
    }
    rows
}

fn row(listed: &Listed, name: Option<&Reference>, digest: Option<Digest>, shape: Shape) -> Row {
    let id = match shape.whole_ids {
        true => listed.id.to_string(),
        false => listed.id.short(),
    };
    let none = || NONE.to_owned();
    let created = listed.created;
    let size = ByteSize(listed.size_bytes).human(3);
    Row::new()
        .set("ID", id)
        .set(
            "Repository",
            name.map_or_else(none, Reference::familiar_name),
        )
        .set(
            "Tag",
            name.and_then(|name| name.tag.clone()).unwrap_or_else(none),
        )
        .set(
            "Digest",
            digest.map_or_else(none, |digest| digest.to_string()),
        )
        .set(
            "CreatedSince",
            created.map_or_else(|| "N/A".to_owned(), output::ago),
        )
        .set(
            "CreatedAt",
            created.map_or_else(|| "N/A".to_owned(), output::local_time),
        )
        .set("VirtualSize", ByteSize(listed.size_bytes).human(4))
        .set("Size", size)
        .set("Containers", "N/A")
        .set("SharedSize", "N/A")
        .set("UniqueSize", "N/A")
}
