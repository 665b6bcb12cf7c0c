//! `hull system df`: what images and containers take on disk, and what could be given back.
//!
//! Sizes are sums of files, each once: shared layers count in one place only, and compressed blobs
//! count as the files they are. A directory's own blocks are left out. What is in the store for no
//! image counts among the images as reclaimable: downloads that were broken off, and what was
//! removed and is still being deleted. With `-v`, an image's size is what it shares and what it has
//! alone.

use serde_json::{Value, json};

use crate::base::ByteSize;
use crate::cli::container::{ls as containers, size};
use crate::cli::flags::{self, Matches};
use crate::cli::image::{filter::Conditions, images_in_use, ls as images};
use crate::cli::output::{self, Listing, Row};
use crate::cli::{Command, MappedRoot, store};
use crate::config::Settings;
use crate::container;
use crate::error::{Result, Scope};
use crate::image::{self, Detail, ImageUsage, Usage};
use crate::state::{Config, Record, Status};

pub const COMMAND: Command = Command {
    paths: &["system df"],
    about: "Show disk usage",
    // Files of mapped owners are measured where they can be read.
    mapped_root: MappedRoot::Always,
    arguments: |command| {
        let verbose = "Show detailed information on space usage";
        command
            .arg(output::format_flag())
            .arg(flags::switch("verbose", verbose).short('v'))
    },
    run,
    ..Command::BASE
};

const SUMMARY: Listing = Listing {
    fields: &[
        ("Type", "TYPE"),
        ("TotalCount", "TOTAL"),
        ("Active", "ACTIVE"),
        ("Size", "SIZE"),
        ("Reclaimable", "RECLAIMABLE"),
    ],
    columns: &["Type", "TotalCount", "Active", "Size", "Reclaimable"],
    key: "Type",
};

const IMAGES: Listing = Listing {
    fields: &[
        ("Containers", "CONTAINERS"),
        ("CreatedAt", "CREATED AT"),
        ("CreatedSince", "CREATED"),
        ("Digest", "DIGEST"),
        ("ID", "IMAGE ID"),
        ("Repository", "REPOSITORY"),
        ("SharedSize", "SHARED SIZE"),
        ("Size", "SIZE"),
        ("Tag", "TAG"),
        ("UniqueSize", "UNIQUE SIZE"),
        ("VirtualSize", "SIZE"),
    ],
    columns: &[
        "Repository",
        "Tag",
        "ID",
        "CreatedSince",
        "Size",
        "SharedSize",
        "UniqueSize",
        "Containers",
    ],
    key: "ID",
};

const CONTAINERS: Listing = Listing {
    fields: &[
        ("ID", "CONTAINER ID"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("LocalVolumes", "LOCAL VOLUMES"),
        ("Size", "SIZE"),
        ("RunningFor", "CREATED"),
        ("Status", "STATUS"),
        ("Names", "NAMES"),
        ("CreatedAt", "CREATED AT"),
        ("State", "STATE"),
        ("Ports", "PORTS"),
        ("Labels", "LABELS"),
        ("Mounts", "MOUNTS"),
        ("Networks", "NETWORKS"),
        ("Platform", "PLATFORM"),
    ],
    columns: &[
        "ID",
        "Image",
        "Command",
        "LocalVolumes",
        "Size",
        "RunningFor",
        "Status",
        "Names",
    ],
    key: "ID",
};

/// There are none of either yet: a header and nothing below.
const VOLUMES: &str = "VOLUME NAME   LINKS     SIZE";
const CACHE: &str = "CACHE ID   CACHE TYPE   SIZE      CREATED   LAST USED   USAGE     SHARED";

/// A container and what it wrote.
struct Measured {
    record: Record,
    config: Option<Config>,
    bytes: u64,
}

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let usage = image_usage(settings)?;
    let containers = measure(settings)?;
    let format = matches.text("format");
    if !matches.on("verbose") {
        SUMMARY.print(format, false, &summary(&usage, &containers))?;
        return Ok(0);
    }
    let whole = format.is_some();
    let image_rows = image_rows(&usage, whole);
    let container_rows: Vec<Row> = containers
        .iter()
        .map(|measured| container_row(measured, whole))
        .collect();
    if let Some(format) = format {
        let document = json!({
            "Images": documents(&IMAGES, &image_rows),
            "Containers": documents(&CONTAINERS, &container_rows),
            "Volumes": [],
            "BuildCache": [],
        });
        return output::document(Some(format), &document).map(|()| 0);
    }
    output::line(format_args!(
        "Images space usage:\n\n{}\n\nContainers space usage:\n\n{}\n\n\
         Local Volumes space usage:\n\n{VOLUMES}\n\nBuild cache usage: 0B\n\n{CACHE}",
        IMAGES.render(None, false, &image_rows)?,
        CONTAINERS.render(None, false, &container_rows)?,
    ))?;
    Ok(0)
}

fn image_usage(settings: &Settings) -> Result<Usage> {
    let Some(store) = store::open_existing(settings)? else {
        return Ok(Usage::default());
    };
    let listing = image::list(&store, Detail::Whole)?;
    // One damaged image must not hide the others.
    for error in &listing.broken {
        output::note(format_args!("warning: {error}"));
    }
    image::usage(&store, listing.images, &images_in_use(settings)?)
}

fn measure(settings: &Settings) -> Result<Vec<Measured>> {
    let records = container::records(settings);
    let (listed, broken) = records.list()?;
    for error in &broken {
        output::error(Scope::Other, error);
    }
    let measured = listed.into_iter().map(|record| Measured {
        config: records.config(&record.state.id).ok(),
        bytes: size::changed(&records, &record),
        record,
    });
    Ok(measured.collect())
}

fn summary(usage: &Usage, containers: &[Measured]) -> Vec<Row> {
    let runs = |measured: &&Measured| {
        let status = measured.record.state.status;
        matches!(
            status,
            Status::Running | Status::Paused | Status::Restarting
        )
    };
    let sum = |of: &mut dyn Iterator<Item = &Measured>| of.map(|measured| measured.bytes).sum();
    let all: u64 = sum(&mut containers.iter());
    let running: u64 = sum(&mut containers.iter().filter(runs));
    let in_use = usage.images.iter().filter(|image| image.containers > 0);
    vec![
        line(
            "Images",
            (usage.images.len(), in_use.count()),
            usage.total_bytes,
            usage.total_bytes.saturating_sub(usage.used_bytes),
        ),
        line(
            "Containers",
            (containers.len(), containers.iter().filter(runs).count()),
            all,
            all - running,
        ),
        line("Local Volumes", (0, 0), 0, 0),
        line("Build Cache", (0, 0), 0, 0),
    ]
}

fn line(kind: &str, (total, active): (usize, usize), bytes: u64, free: u64) -> Row {
    let size = |bytes: u64| ByteSize(bytes).human(4);
    let reclaimable = match free.saturating_mul(100).checked_div(bytes) {
        Some(percent) => format!("{} ({percent}%)", size(free)),
        None => size(free),
    };
    Row::new()
        .set("Type", kind)
        .set("TotalCount", total.to_string())
        .set("Active", active.to_string())
        .set("Size", size(bytes))
        .set("Reclaimable", reclaimable)
}

fn image_rows(usage: &Usage, whole_ids: bool) -> Vec<Row> {
    let all = Conditions::default();
    let shape = images::Shape {
        whole_ids,
        digests: false,
    };
    let rows = |image: &ImageUsage| {
        let rows = images::rows_of(&image.listed, &all, shape).into_iter();
        let rows = rows.map(|row| {
            let bytes = image.shared_bytes + image.unique_bytes;
            row.set("Size", ByteSize(bytes).human(4))
                .set("VirtualSize", ByteSize(bytes).human(4))
                .set("SharedSize", ByteSize(image.shared_bytes).human(4))
                .set("UniqueSize", ByteSize(image.unique_bytes).human(4))
                .set("Containers", image.containers.to_string())
        });
        rows.collect::<Vec<_>>()
    };
    usage.images.iter().flat_map(rows).collect()
}

fn container_row(measured: &Measured, whole: bool) -> Row {
    let request = containers::Request {
        format: Some("json".to_owned()),
        whole,
        ..containers::Request::default()
    };
    let row = containers::row(&measured.record, measured.config.as_ref(), &request);
    row.set("Size", ByteSize(measured.bytes).human(3))
}

fn documents(listing: &Listing, rows: &[Row]) -> Value {
    rows.iter().map(|row| row.json(listing)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_a_share_of_all() {
        let row = line("Images", (3, 1), 4_445_830, 2_222_915);
        assert_eq!(row.cell("Size"), "4.446MB");
        assert_eq!(row.cell("Reclaimable"), "2.223MB (50%)");
        let none = line("Build Cache", (0, 0), 0, 0);
        assert_eq!(none.cell("Reclaimable"), "0B");
    }
}
