//! `hull system check`: whether everything that images and containers need is there and whole.
//!
//! Exit code 0: all is well; 1: something is damaged, said line by line on stdout with what to do.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;

use crate::cli::flags::{self, Matches};
use crate::cli::image::images_in_use;
use crate::cli::{Command, MappedRoot, output, store};
use crate::config::Settings;
use crate::container;
use crate::error::{Error, Kind, Result};
use crate::image::{self, Force, InUse, Remover};
use crate::registry::{Client, Credentials};
use crate::store::{BrokenRef, Damage, Depth, Part, RefRecord, Report, Root, Store};

pub const COMMAND: Command = Command {
    paths: &["system check"],
    about: "Check that images and containers are whole, and mend them",
    mapped_root: MappedRoot::Always,
    arguments: |command| {
        let deep = "Read every blob and compare every unpacked layer with its archive";
        let force = "With --repair: remove the images and containers that cannot be mended";
        command
            .arg(flags::switch("deep", deep))
            .arg(flags::switch("force", force).short('f'))
            .arg(flags::text("max", "duration", "Accepted: unneeded parts have no age").short('m'))
            .arg(flags::switch("quick", "Look at records only (default)").short('q'))
            .arg(flags::switch("repair", "Mend what is damaged").short('r'))
    },
    run,
    ..Command::BASE
};

/// A manifest may have to come before it is known what else is damaged.
const ROUNDS: usize = 3;

/// All that is wrong.
struct Found {
    report: Report,
    broken: Vec<BrokenRef>,
    /// Containers whose records cannot be read.
    containers: Vec<Error>,
    names: Vec<RefRecord>,
    used: Vec<InUse>,
}

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let (deep, repair) = (matches.on("deep"), matches.on("repair"));
    if deep && matches.on("quick") {
        return Err(Error::invalid("--quick and --deep exclude each other"));
    }
    if matches.on("force") && !repair {
        return Err(Error::invalid("--force needs --repair"));
    }
    let depth = if deep { Depth::Deep } else { Depth::Quick };
    let Some(store) = store::open_existing(settings)? else {
        return output::line("nothing is stored").map(|()| 0);
    };
    let mut found = look(&store, settings, depth)?;
    tell(&found)?;
    if repair {
        for _ in 0..ROUNDS {
            if found.report.damages.is_empty() || !mend(&store, settings, &found)? {
                break;
            }
            found = look(&store, settings, depth)?;
        }
        if matches.on("force") && !found.is_well() {
            remove(&store, settings, &found)?;
            found = look(&store, settings, depth)?;
        }
        if found.report.orphans > 0 && found.broken.is_empty() {
            let kept = || {
                Ok(images_in_use(settings)?
                    .iter()
                    .map(|user| user.manifest)
                    .collect())
            };
            let collected = store.collect_garbage(kept)?;
            let count = collected.blobs + collected.layers;
            output::line(format_args!("removed: {count} parts that nothing needs"))?;
        }
    }
    summarize(&found, repair)?;
    Ok(u8::from(!found.is_well()))
}

impl Found {
    fn is_well(&self) -> bool {
        self.report.damages.is_empty() && self.broken.is_empty() && self.containers.is_empty()
    }
}

fn look(store: &Store, settings: &Settings, depth: Depth) -> Result<Found> {
    let (names, broken) = store.refs_and_broken()?;
    let used = images_in_use(settings)?;
    let of_images = names.iter().map(|record| Root {
        name: shown(record),
        manifest: record.manifest,
        index: record.repo_digest,
    });
    let of_containers = used.iter().map(root_of);
    let roots: Vec<Root> = of_images.chain(of_containers).collect();
    let is_shown = depth == Depth::Deep && std::io::stderr().is_terminal();
    let progress = |done: usize, all: usize| {
        if is_shown {
            let end = if done == all { "\r\x1b[K" } else { "" };
            // Nothing depends on its being seen.
            let _ = output::error_bytes(format!("\rchecked {done} of {all}{end}").as_bytes());
        }
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let mut report = store.check(&roots, depth, threads, &progress)?;
    if !report.damages.is_empty() {
        forget_removed(&mut report, store, settings)?;
    }
    let (_, containers) = container::records(settings).list()?;
    Ok(Found {
        report,
        broken,
        containers,
        names,
        used,
    })
}

/// What was removed while it was looked at is no damage.
fn forget_removed(report: &mut Report, store: &Store, settings: &Settings) -> Result<()> {
    let names = store.refs_and_broken()?.0;
    let used = images_in_use(settings)?;
    let there: BTreeSet<String> = names
        .iter()
        .map(shown)
        .chain(used.iter().map(|user| root_of(user).name))
        .collect();
    for damage in &mut report.damages {
        damage.needed_by.retain(|name| there.contains(name));
    }
    report.damages.retain(|damage| !damage.needed_by.is_empty());
    Ok(())
}

fn root_of(user: &InUse) -> Root {
    Root {
        name: format!("container {}", user.container),
        manifest: user.manifest,
        index: None,
    }
}

/// What an image is called here: by its name, or by its id if it has none.
fn shown(record: &RefRecord) -> String {
    match image::is_untagged(&record.reference) {
        true => record.image.short(),
        false => record.reference.familiar(),
    }
}

fn tell(found: &Found) -> Result<()> {
    for damage in &found.report.damages {
        let needed_by = damage.needed_by.join(", ");
        let Damage { part, why, .. } = damage;
        output::line(format_args!("damaged: {part} of {needed_by}: {why}"))?;
    }
    for BrokenRef { path, error } in &found.broken {
        output::line(format_args!("damaged: reference {path}: {error}"))?;
    }
    for error in &found.containers {
        output::line(format_args!("damaged: {error}"))?;
    }
    Ok(())
}

/// Mends what it can; false if that was nothing.
fn mend(store: &Store, settings: &Settings, found: &Found) -> Result<bool> {
    let mut client = || Ok(Client::new(&settings.registry, Credentials::load(settings)));
    let mut any = false;
    for damage in &found.report.damages {
        let needs = |name: &String| damage.needed_by.contains(name);
        let names: Vec<RefRecord> = found
            .names
            .iter()
            .filter(|record| needs(&shown(record)))
            .cloned()
            .collect();
        let running = || {
            let used = images_in_use(settings)?;
            Ok(used
                .iter()
                .filter(|user| user.running)
                .map(root_of)
                .collect())
        };
        let mended = image::mend(store, &mut client, damage, &names, &running);
        let part = &damage.part;
        match mended {
            Ok(()) => {
                any = true;
                output::line(format_args!("repaired: {part}"))?;
            }
            Err(error) => output::line(format_args!("cannot repair: {part}: {error}"))?,
        }
    }
    Ok(any)
}

/// Removes what is damaged for good.
fn remove(store: &Store, settings: &Settings, found: &Found) -> Result<()> {
    for broken in &found.broken {
        match store.drop_broken_ref(broken) {
            Ok(()) => output::line(format_args!("removed: reference {}", broken.path))?,
            Err(error) => output::line(format_args!("cannot remove: {error}"))?,
        }
    }
    // A blob is not needed to run: it can be pulled or made again.
    for damage in &found.report.damages {
        if let Part::Blob { digest, .. } = &damage.part {
            match store.drop_bad_blob(digest) {
                Ok(true) => output::line(format_args!(
                    "removed: blob {digest}; a pull brings it again"
                ))?,
                Ok(false) => {}
                Err(error) => output::line(format_args!("cannot remove: {error}"))?,
            }
        }
    }
    let needed_by = |is_it: fn(&Part) -> bool| -> BTreeSet<&String> {
        let damages = found.report.damages.iter();
        let damages = damages.filter(|damage| is_it(&damage.part));
        damages.flat_map(|damage| &damage.needed_by).collect()
    };
    let without_layer = needed_by(|part| matches!(part, Part::Layer(_)));
    let needed = needed_by(|part| !matches!(part, Part::Blob { .. }));
    let records = container::records(settings);
    for user in &found.used {
        if !without_layer.contains(&format!("container {}", user.container)) {
            continue;
        }
        let id = records.find(&user.container)?;
        match container::remove(settings, &id, container::Force::No) {
            Ok(()) => output::line(format_args!("removed: container {}", user.container))?,
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => output::line(format_args!("cannot remove: {error}"))?,
        }
    }
    let mut remover = Remover::new(store, images_in_use(settings)?)?;
    for name in needed.iter().filter(|name| !name.starts_with("container ")) {
        match remover.take(name, Force::Yes) {
            Ok(()) => output::line(format_args!("removed: image {name}"))?,
            // Gone with another name.
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => output::line(format_args!("cannot remove: {error}"))?,
        }
    }
    remover.finish(|| images_in_use(settings)).map(drop)
}

fn summarize(found: &Found, repair: bool) -> Result<()> {
    let report = &found.report;
    let count = report.damages.len() + found.broken.len() + found.containers.len();
    for diff_id in &report.unverified {
        output::note(format_args!(
            "note: layer {diff_id} cannot be verified: no archive of it is kept"
        ));
    }
    let mut more = String::new();
    if report.orphans > 0 && !repair {
        let orphans = report.orphans;
        more.push_str(&format!(
            "; {orphans} parts are needed by nothing (hull image prune removes them)"
        ));
    }
    if report.partials > 0 {
        let partials = report.partials;
        more.push_str(&format!("; {partials} downloads are unfinished"));
    }
    let (layers, blobs) = (report.layers, report.blobs);
    let checked = format!("{layers} layers and {blobs} blobs checked");
    if count == 0 {
        return output::line(format_args!("{checked}, no damage found{more}"));
    }
    output::line(format_args!("{checked}, {count} damaged{more}"))?;
    output::note(match repair {
        false => "hint: hull system check --repair mends them",
        true => {
            "hint: pull or load the images again, or let hull system check --repair --force remove \
             them; a container with a broken record goes by hull rm -f"
        }
    });
    Ok(())
}
