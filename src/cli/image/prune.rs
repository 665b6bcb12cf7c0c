//! `hull image prune`.

use crate::base::Timestamp;
use crate::cli::confirm::confirm;
use crate::cli::container::prune::{KEYS, filter, force, reclaimed, tell};
use crate::cli::flags::{Filters, Matches, switch};
use crate::cli::image::images_in_use;
use crate::cli::{Command, MappedRoot, output, store};
use crate::config::Settings;
use crate::error::Result;
use crate::image::{self, ImagesPruned, Unused};

pub const COMMAND: Command = Command {
    paths: &["image prune"],
    about: "Remove unused images",
    mapped_root: MappedRoot::Always,
    arguments: |command| {
        let about = "Provide filter values (e.g. \"until=<timestamp>\")";
        command
            .arg(switch("all", "Remove all unused images, not just dangling ones").short('a'))
            .arg(filter(about))
            .arg(force())
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let keys = [KEYS, &["dangling"]].concat();
    let filters = Filters::check(&matches.filters(), &keys)?;
    filters.until(Timestamp::now())?;
    let which = match matches.on("all") || filters.flag("dangling")? == Some(false) {
        true => Unused::All,
        false => Unused::Dangling,
    };
    let warning = match which {
        Unused::All => {
            "WARNING! This will remove all images without at least one container associated to \
             them."
        }
        Unused::Dangling => "WARNING! This will remove all dangling images.",
    };
    if !matches.on("force") && !confirm(warning)? {
        return Ok(0);
    }
    let pruned = remove(settings, which, &filters)?;
    print(settings, &pruned)?;
    reclaimed(pruned.removed.bytes)?;
    Ok(tell(&pruned.failed))
}

/// Removes the unused images that the filters want gone. Without root, this must be mapped root.
pub fn remove(settings: &Settings, which: Unused, filters: &Filters) -> Result<ImagesPruned> {
    let until = filters.until(Timestamp::now())?;
    let Some(store) = store::open_existing(settings)? else {
        return Ok(ImagesPruned::default());
    };
    let wanted = |image: &image::Image| {
        let is_old = |until: Timestamp| image.created.is_some_and(|created| created < until);
        filters.labels(&image.config.config.labels) && until.is_none_or(is_old)
    };
    image::prune(&store, which, wanted, || images_in_use(settings))
}

/// `Deleted Images:` and what was untagged and deleted, if there is anything.
pub fn print(settings: &Settings, pruned: &ImagesPruned) -> Result<()> {
    if pruned.removed.images.is_empty() {
        return Ok(());
    }
    output::line("Deleted Images:")?;
    for (id, removal) in &pruned.removed.images {
        for name in &removal.untagged {
            super::notice(settings, "untag", id, name);
            output::line(format_args!("untagged: {name}"))?;
        }
        for digest in &removal.deleted {
            super::notice(settings, "delete", digest, digest);
            output::line(format_args!("deleted: {digest}"))?;
        }
    }
    output::line("")
}
