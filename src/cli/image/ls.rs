//! `hull images`.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{ByteSize, Digest, Reference};
use crate::cli::flags::{self, Matches};
use crate::cli::image::filter::Conditions;
use crate::cli::image::{images_in_use, no_such_image, tree};
use crate::cli::output::{self, Listing, Row};
use crate::cli::{Command, Words, store};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::image::{self, Detail, Listed};

pub const COMMAND: Command = Command {
    paths: &["images", "image ls", "image list"],
    about: "List images",
    usage: "[OPTIONS] [REPOSITORY[:TAG]]",
    words: Words::AtMost(1),
    arguments: |command| {
        let filter = "Filter output based on conditions provided";
        let sort = "Sort by created, id, repository, size or tag";
        let tree = "List images as a tree of their platforms, with what they take on disk";
        command
            .arg(flags::switch("all", "Show all images").short('a'))
            .arg(flags::switch("digests", "Show digests"))
            .arg(flags::filter(filter))
            .arg(output::format_flag())
            .arg(flags::switch("no-trunc", "Don't truncate output"))
            .arg(flags::switch("noheading", "Do not print headers").short('n'))
            .arg(flags::switch("quiet", "Only show image IDs").short('q'))
            .arg(flags::text("sort", "string", sort))
            .arg(flags::switch("tree", tree))
    },
    refused: &[("history", "hull does not keep the names an image once had")],
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
        Some(store) if matches.on("tree") => image::list(store, Detail::Whole)?,
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
    let all = matches.on("all") || filters.wants_intermediate();
    let mut images = listing.images;
    images.retain(|listed| {
        let used = used.contains(&listed.id);
        (all || !listed.is_intermediate) && filters.admits(listed, used)
    });
    match matches.on("tree") {
        true => tree::print(matches, settings, store.as_ref(), images, &filters)?,
        false => print(matches, settings, &images, &filters)?,
    }
    Ok(0)
}

fn print(
    matches: &Matches,
    settings: &Settings,
    images: &[Listed],
    filters: &Conditions,
) -> Result<()> {
    let shape = Shape {
        whole_ids: matches.on("no-trunc"),
        digests: matches.on("digests"),
    };
    let rows = images.iter().flat_map(|listed| {
        let rows = rows_of(listed, filters, shape);
        rows.into_iter().map(|row| (listed.size_bytes, row))
    });
    let mut rows: Vec<(u64, Row)> = rows.collect();
    sort(&mut rows, matches.text("sort").unwrap_or("created"))?;
    let mut rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    let quiet = matches.on("quiet");
    if quiet {
        rows.dedup_by_key(|row| row.cell("ID").to_owned());
    }
    let listing = match shape.digests {
        true => &WITH_DIGESTS,
        false => &LISTING,
    };
    let format = matches.text("format").map(str::to_owned);
    let format = format.or_else(|| output::default_format(settings, "imagesFormat"));
    match matches.on("noheading") {
        true => listing.print_without_header(format.as_deref(), quiet, &rows),
        false => listing.print(format.as_deref(), quiet, &rows),
    }
}

/// podman's `--sort`. They are in the order of their ages.
fn sort(rows: &mut [(u64, Row)], key: &str) -> Result<()> {
    let by = |field: &'static str| move |(_, row): &(u64, Row)| row.cell(field).to_owned();
    match key {
        "created" => {}
        "id" => rows.sort_by_key(by("ID")),
        "repository" => rows.sort_by_key(by("Repository")),
        "size" => rows.sort_by_key(|(size, _)| *size),
        "tag" => rows.sort_by_key(by("Tag")),
        other => {
            return Err(Error::invalid(format!("invalid sort {other:?}"))
                .hint("one of created, id, repository, size or tag"));
        }
    }
    Ok(())
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
