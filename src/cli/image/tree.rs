//! `hull images --tree`: names, platforms, and what each image takes on disk.

use crate::base::{ByteSize, Reference};
use crate::cli::flags::Matches;
use crate::cli::image::filter::Conditions;
use crate::cli::image::images_in_use;
use crate::cli::output;
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::image::{self, Image, ImageUsage, Listed};
use crate::store::Store;

/// What has no place in this view, in the words of Docker.
const ELSEWHERE: [(&str, &str); 4] = [
    ("quiet", "--quiet"),
    ("no-trunc", "--no-trunc"),
    ("digests", "--show-digest"),
    ("format", "--format"),
];

/// Headers, and the widths of all columns but the first.
const COLUMNS: [(&str, usize); 4] = [
    ("ID", 12),
    ("DISK USAGE", 10),
    ("CONTENT SIZE", 12),
    ("EXTRA", 5),
];
const UNTAGGED: &str = "<untagged>";

/// An image with its names and the cells beside them.
struct Node {
    names: Vec<String>,
    platform: String,
    cells: [String; 4],
}

/// Prints the images.
pub fn print(
    matches: &Matches,
    settings: &Settings,
    store: Option<&Store>,
    images: Vec<Listed>,
    filters: &Conditions,
) -> Result<()> {
    for (flag, shown) in ELSEWHERE {
        if matches.given(flag) {
            let why = format!("{shown} is not yet supported with --tree");
            return Err(Error::invalid(why));
        }
    }
    let images: Vec<Listed> = images
        .into_iter()
        .filter(|listed| !filters.by_name() || !names_of(listed, filters).is_empty())
        .collect();
    let mut nodes = Vec::new();
    if let Some(store) = store {
        for usage in image::usage(store, images, &images_in_use(settings)?)?.images {
            if let Some(image) = &usage.listed.image {
                nodes.push(node(store, image, &usage, filters)?);
            }
        }
    }
    nodes.sort_by_key(|node| (node.names.is_empty(), node.names.clone()));
    output::line(render(&nodes))
}

fn node(store: &Store, image: &Image, usage: &ImageUsage, filters: &Conditions) -> Result<Node> {
    let content = image::content_bytes(store, image)?;
    let mark = if usage.containers > 0 { "U" } else { "" };
    Ok(Node {
        names: names_of(&usage.listed, filters),
        platform: image.config.platform().to_string(),
        cells: [
            image.id.short(),
            ByteSize(usage.shared_bytes + usage.unique_bytes).human(3),
            ByteSize(content).human(3),
            mark.to_owned(),
        ],
    })
}

fn names_of(listed: &Listed, filters: &Conditions) -> Vec<String> {
    let names = listed.names.iter().map(|record| &record.reference);
    let names = names.filter(|name| name.digest.is_none() && filters.admits_name(name));
    let mut names: Vec<String> = names.map(Reference::familiar).collect();
    names.sort();
    names
}

/// The view: names, the last one with the image's cells; below, the platform with its own.
fn render(nodes: &[Node]) -> String {
    let firsts = nodes.iter().flat_map(|node| {
        let names = node.names.iter().map(|name| name.chars().count());
        names.chain([node.platform.chars().count() + 3])
    });
    let width = firsts.max().unwrap_or("IMAGE".len());
    let row = |first: &str, cells: [&str; 4]| {
        let mut line = format!("{first:width$}");
        for (cell, (title, column)) in cells.iter().zip(COLUMNS) {
            line += &match title {
                "DISK USAGE" | "CONTENT SIZE" => format!("   {cell:>column$}"),
                _ => format!("   {cell:column$}"),
            };
        }
        line.trim_end().to_owned()
    };
    let mut lines = vec![row("IMAGE", COLUMNS.map(|(title, _)| title))];
    for node in nodes {
        let cells = node.cells.each_ref().map(String::as_str);
        let (last, before) = match node.names.split_last() {
            Some((last, before)) => (last.as_str(), before),
            None => (UNTAGGED, &[][..]),
        };
        lines.extend(before.iter().cloned());
        lines.push(row(last, cells));
        lines.push(row(&format!("└─ {}", node.platform), cells));
        lines.push(String::new());
    }
    if lines.len() > 1 {
        lines.pop();
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_has_the_columns_of_docker() {
        let node = |names: &[&str], cells: [&str; 4]| Node {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            platform: "linux/amd64".to_owned(),
            cells: cells.map(str::to_owned),
        };
        let nodes = [
            node(
                &["alpine:3", "alpine:latest"],
                ["0123456789ab", "13.6MB", "3.8MB", "U"],
            ),
            node(&[], ["fedcba987654", "5MB", "1MB", ""]),
        ];
        let expected = "\
IMAGE            ID             DISK USAGE   CONTENT SIZE   EXTRA
alpine:3
alpine:latest    0123456789ab       13.6MB          3.8MB   U
└─ linux/amd64   0123456789ab       13.6MB          3.8MB   U

<untagged>       fedcba987654          5MB            1MB
└─ linux/amd64   fedcba987654          5MB            1MB";
        assert_eq!(render(&nodes), expected);
        assert_eq!(
            render(&[]),
            "IMAGE   ID             DISK USAGE   CONTENT SIZE   EXTRA"
        );
    }
}
