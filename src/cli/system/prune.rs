//! `hull system prune`.

use crate::base::Timestamp;
use crate::cli::confirm::confirm;
use crate::cli::container::prune as containers;
use crate::cli::flags::{Filters, Matches, switch};
use crate::cli::image::prune as images;
use crate::cli::{Command, store};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::image::Unused;

pub const COMMAND: Command = Command {
    paths: &["system prune"],
    about: "Remove unused data",
    arguments: |command| {
        let about = "Provide filter values (e.g. \"label=<key>=<value>\")";
        command
            .arg(switch("all", "Remove all unused images not just dangling ones").short('a'))
            .arg(containers::filter(about))
            .arg(containers::force())
            .arg(switch("volumes", "Prune anonymous volumes"))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let given = matches.filters();
    let filters = Filters::check(&given, containers::KEYS)?;
    filters.until(Timestamp::now())?;
    let volumes = matches.on("volumes");
    if volumes && filters.has("until") {
        return Err(Error::invalid(
            "The \"until\" filter is not supported with \"--volumes\"",
        ));
    }
    let which = match matches.on("all") {
        true => Unused::All,
        false => Unused::Dangling,
    };
    let shown: Vec<String> = given
        .iter()
        .map(|filter| format!("{}={}", filter.key, filter.value))
        .collect();
    if !matches.on("force") && !confirm(&warning(which, volumes, &shown))? {
        return Ok(0);
    }
    let of_containers = containers::remove(settings, &filters)?;
    containers::print(&of_containers)?;
    if settings.rootless {
        // Layers have mapped owners. Containers are deleted before, in children of their own.
        store::become_mapped_root(settings)?;
    }
    let of_images = images::remove(settings, which, &filters)?;
    images::print(settings, &of_images)?;
    containers::reclaimed(of_containers.bytes + of_images.removed.bytes)?;
    let failed = [of_containers.failed, of_images.failed]
        .into_iter()
        .flatten();
    Ok(containers::tell(&failed.collect::<Vec<_>>()))
}

fn warning(which: Unused, volumes: bool, filters: &[String]) -> String {
    let mut text = "WARNING! This will remove:\n  - all stopped containers\n  \
                    - all networks not used by at least one container\n"
        .to_owned();
    if volumes {
        text.push_str("  - all anonymous volumes not used by at least one container\n");
    }
    text.push_str(match which {
        Unused::All => {
            "  - all images without at least one container associated to them\n  \
             - all build cache\n"
        }
        Unused::Dangling => "  - all dangling images\n  - unused build cache\n",
    });
    if !filters.is_empty() {
        text.push_str("\n  Items to be pruned will be filtered with:\n");
        for filter in filters {
            text.push_str(&format!("  - {filter}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warning_names_what_goes() {
        let shown = warning(Unused::All, true, &["label=x".to_owned()]);
        let expected = "WARNING! This will remove:\n  - all stopped containers\n  \
            - all networks not used by at least one container\n  \
            - all anonymous volumes not used by at least one container\n  \
            - all images without at least one container associated to them\n  \
            - all build cache\n\n  Items to be pruned will be filtered with:\n  - label=x\n";
        assert_eq!(shown, expected);
        let shown = warning(Unused::Dangling, false, &[]);
        assert!(shown.ends_with("  - all dangling images\n  - unused build cache\n"));
    }
}
