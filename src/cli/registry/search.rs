//! `hull search`.

use super::server;
use crate::base::Reference;
use crate::cli::flags::registry::{self, RegistryArgs};
use crate::cli::flags::{self, Filters, Matches, parse_bool};
use crate::cli::output::{self, Listing, Row};
use crate::cli::{Command, Words};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::registry::Found;

/// What Docker Hub gives when nothing is asked for, and the most it gives.
const DEFAULT_LIMIT: usize = 25;
const MOST: i64 = 100;
/// Tags have no such limit of the registry's.
const MOST_TAGS: i64 = i64::MAX;

pub const COMMAND: Command = Command {
    paths: &["search"],
    about: "Search a registry for images",
    usage: "[OPTIONS] TERM",
    words: Words::Exactly(1),
    arguments: |command| {
        let filter = "Filter output (\"stars=3\", \"is-official=true\")";
        registry::declare(command)
            .arg(flags::filter(filter))
            .arg(output::format_flag())
            .arg(flags::integer("limit", "Max number of search results"))
            .arg(flags::switch("list-tags", "List the tags of a repository"))
            .arg(flags::switch("no-trunc", "Don't truncate output"))
    },
    run,
    ..Command::BASE
};

const IMAGES: Listing = Listing {
    fields: &[
        ("Name", "NAME"),
        ("Description", "DESCRIPTION"),
        ("StarCount", "STARS"),
        ("IsOfficial", "OFFICIAL"),
        ("IsAutomated", "AUTOMATED"),
    ],
    columns: &[
        "Name",
        "Description",
        "StarCount",
        "IsOfficial",
        "IsAutomated",
    ],
    key: "Name",
};

const TAGS: Listing = Listing {
    fields: &[("Name", "NAME"), ("Tag", "TAG")],
    columns: &["Name", "Tag"],
    key: "Tag",
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let access = RegistryArgs::read(matches)?;
    let term = matches.words()[0];
    if matches.on("list-tags") {
        return list_tags(matches, settings, &access, term);
    }
    let conditions = Conditions::read(matches)?;
    let (registry, term) = split(term);
    let registry = server::place(registry)?;
    let client = access.client_for(settings, &registry)?;
    let limit = limit(matches, MOST)?.unwrap_or(DEFAULT_LIMIT);
    let mut found = client.search(&registry, term, limit)?;
    found.retain(|image| conditions.hold(image));
    let format = matches.text("format");
    let is_json = format.is_some_and(|format| format == "json" || format == "{{json .}}");
    let whole = matches.on("no-trunc");
    let rows: Vec<Row> = found
        .iter()
        .map(|image| row(image, &registry, whole, is_json))
        .collect();
    IMAGES.print(format, false, &rows)?;
    Ok(0)
}

fn row(image: &Found, registry: &str, whole: bool, is_json: bool) -> Row {
    let description = image.description.replace(['\n', '\r', '\t'], " ");
    let name = match registry {
        "docker.io" => image.name.clone(),
        // As it has to be written to be pulled.
        registry => format!("{registry}/{}", image.name),
    };
    let mark = |holds: bool| match (holds, is_json) {
        (_, true) => holds.to_string(),
        (true, false) => "[OK]".to_owned(),
        (false, false) => String::new(),
    };
    Row::new()
        .set("Name", name)
        .set(
            "Description",
            match whole {
                true => description,
                false => output::cut(&description, 45),
            },
        )
        .set("StarCount", image.stars.to_string())
        .set("IsOfficial", mark(image.is_official))
        .set("IsAutomated", mark(image.is_automated))
}

fn list_tags(
    matches: &Matches,
    settings: &Settings,
    access: &RegistryArgs,
    name: &str,
) -> Result<u8> {
    let limit = limit(matches, MOST_TAGS)?;
    let reference: Reference = name.parse()?;
    let client = access.client(settings, &reference)?;
    let mut tags = client.repository(&reference)?.tags()?;
    tags.truncate(limit.unwrap_or(usize::MAX));
    let row = |tag: &String| {
        Row::new()
            .set("Name", reference.full_name())
            .set("Tag", tag)
    };
    let rows: Vec<Row> = tags.iter().map(row).collect();
    TAGS.print(matches.text("format"), false, &rows)?;
    Ok(0)
}

/// The registry a term begins with, and what is looked for there.
fn split(term: &str) -> (Option<&str>, &str) {
    match term.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => {
            (Some(host), rest)
        }
        _ => (None, term),
    }
}

fn limit(matches: &Matches, most: i64) -> Result<Option<usize>> {
    let Some(limit) = matches.value::<i64>("limit").filter(|limit| *limit != 0) else {
        return Ok(None);
    };
    match (1..=most).contains(&limit) {
        true => Ok(usize::try_from(limit).ok()),
        false => Err(Error::invalid(format!(
            "limit {limit} is outside the range of [1, {most}]"
        ))),
    }
}

struct Conditions {
    stars: u64,
    is_official: Option<bool>,
    is_automated: Option<bool>,
}

impl Conditions {
    fn read(matches: &Matches) -> Result<Self> {
        let keys = ["stars", "is-official", "is-automated"];
        let filters = Filters::check(&matches.filters(), &keys)?;
        let refuse =
            |key: &str, value: &str| Error::invalid(format!("Invalid filter '{key}={value}'"));
        let stars = filters.values("stars").iter().map(|value| {
            let stars: Option<u64> = value.parse().ok();
            stars.ok_or_else(|| refuse("stars", value))
        });
        let stars = stars.collect::<Result<Vec<_>>>()?;
        let truth = |key: &str| {
            let value = filters.values(key).last();
            let read = value.map(|value| parse_bool(value).map_err(|_| refuse(key, value)));
            read.transpose()
        };
        Ok(Conditions {
            stars: stars.into_iter().max().unwrap_or(0),
            is_official: truth("is-official")?,
            is_automated: truth("is-automated")?,
        })
    }

    fn hold(&self, image: &Found) -> bool {
        image.stars >= self.stars
            && self
                .is_official
                .is_none_or(|wanted| wanted == image.is_official)
            && self
                .is_automated
                .is_none_or(|wanted| wanted == image.is_automated)
    }
}
