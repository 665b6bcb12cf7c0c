//! `hull stats`: what containers use, once or again and again.

use std::collections::HashMap;
use std::time::Duration;

use crate::base::{ByteSize, ContainerId};
use crate::cli::flags::{self, Matches};
use crate::cli::output::{self, Listing, Row};
use crate::cli::{Command, Words};
use crate::config::Settings;
use crate::container::{self, Sample, Used};
use crate::error::{Error, Kind, Result, Scope};
use crate::state::Status;

pub const COMMAND: Command = Command {
    paths: &["stats", "container stats"],
    about: "Display a live stream of container(s) resource usage statistics",
    usage: "[OPTIONS] [CONTAINER...]",
    words: Words::AtLeast(0),
    arguments: |command| {
        let format = "Format output: 'table', 'table TEMPLATE', 'json' or a Go template";
        command
            .arg(
                flags::switch("all", "Show all containers (default shows just running)").short('a'),
            )
            .arg(flags::text("format", "string", format))
            .arg(flags::integer("interval", "Seconds between two results (1)").short('i'))
            .arg(flags::switch(
                "no-stream",
                "Disable streaming stats and only pull the first result",
            ))
            .arg(flags::switch("no-trunc", "Do not truncate output"))
    },
    run,
    ..Command::BASE
};

const LISTING: Listing = Listing {
    fields: &[
        ("Container", "CONTAINER"),
        ("Name", "NAME"),
        ("ID", "CONTAINER ID"),
        ("CPUPerc", "CPU %"),
        ("MemUsage", "MEM USAGE / LIMIT"),
        ("MemPerc", "MEM %"),
        ("NetIO", "NET I/O"),
        ("BlockIO", "BLOCK I/O"),
        ("PIDs", "PIDS"),
    ],
    columns: &[
        "ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs",
    ],
    key: "ID",
};

/// Where to look, and how to show it.
struct View<'a> {
    settings: &'a Settings,
    /// As typed, with what was found; `None` for whatever there is.
    named: Option<Vec<(String, ContainerId)>>,
    all: bool,
    whole: bool,
    format: Option<&'a str>,
}

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let interval = matches.value::<i64>("interval").unwrap_or(1);
    let interval = u64::try_from(interval).ok().filter(|seconds| *seconds > 0);
    let interval =
        interval.ok_or_else(|| Error::invalid("invalid --interval: must be 1 or more"))?;
    let records = container::records(settings);
    let words = matches.words();
    let named = words
        .iter()
        .map(|word| Ok(((*word).to_owned(), records.find(word)?)));
    let named = named.collect::<Result<Vec<_>>>()?;
    let view = View {
        settings,
        named: Some(named).filter(|named| !named.is_empty()),
        all: matches.on("all"),
        whole: matches.on("no-trunc"),
        format: matches.text("format"),
    };
    let once = matches.on("no-stream");
    let mut before = view.samples()?;
    if !once && output::stdout_is_terminal() {
        output::bytes(b"\x1b[2J\x1b[H")?;
    }
    tell_what_is_missing(&before);
    loop {
        std::thread::sleep(Duration::from_secs(if once { 1 } else { interval }));
        let now = view.samples()?;
        view.print(&before, &now, once)?;
        if once {
            return Ok(0);
        }
        before = now;
    }
}

/// Said once: what procfs does not tell.
fn tell_what_is_missing(samples: &[(String, Sample)]) {
    let used = samples.iter().filter_map(|(_, sample)| sample.used);
    if used.into_iter().any(|used| used.without_cgroups) {
        output::note(
            "WARNING: this user may not write any cgroup here: CPU, memory and processes are \
             those of /proc; limits and block devices cannot be told.",
        );
    }
}

impl View<'_> {
    /// Each container with the name to show for it.
    fn samples(&self) -> Result<Vec<(String, Sample)>> {
        let chosen = match &self.named {
            Some(named) => named.clone(),
            None => self.present()?,
        };
        let mut samples = Vec::new();
        for (name, id) in chosen {
            match container::sample(self.settings, &id) {
                Ok(sample) => samples.push((name, sample)),
                // Gone meanwhile.
                Err(error) if error.kind() == Kind::NotFound => {}
                Err(error) => {
                    output::error(Scope::Other, &error);
                }
            }
        }
        Ok(samples)
    }

    fn present(&self) -> Result<Vec<(String, ContainerId)>> {
        let (listed, broken) = container::records(self.settings).list()?;
        for error in &broken {
            output::error(Scope::Other, error);
        }
        let runs = |status| matches!(status, Status::Running | Status::Paused);
        let states = listed.into_iter().map(|record| record.state);
        let states = states.filter(|state| self.all || runs(state.status));
        Ok(states.map(|state| (state.id.short(), state.id)).collect())
    }

    fn print(
        &self,
        before: &[(String, Sample)],
        now: &[(String, Sample)],
        once: bool,
    ) -> Result<()> {
        let earlier: HashMap<ContainerId, Used> = before
            .iter()
            .filter_map(|(_, sample)| Some((sample.id, sample.used?)))
            .collect();
        let rows: Vec<Row> = now
            .iter()
            .map(|(name, sample)| self.row(name, sample, earlier.get(&sample.id)))
            .collect();
        if once || !output::stdout_is_terminal() {
            return LISTING.print(self.format, false, &rows);
        }
        // Home, each line to its end, and what is below: nothing flickers.
        let text = LISTING.text(self.format, &rows)?;
        let lines: String = text.lines().map(|line| format!("{line}\x1b[K\n")).collect();
        output::bytes(format!("\x1b[H{lines}\x1b[J").as_bytes())
    }

    fn row(&self, name: &str, sample: &Sample, before: Option<&Used>) -> Row {
        let id = match self.whole {
            true => sample.id.to_string(),
            false => sample.id.short(),
        };
        let used = sample.used.unwrap_or_default();
        // A container that has just started has no earlier counters.
        let cpu = before.map_or(0.0, |before| used.cpu_percent(before));
        let pair = |(first, second): (u64, u64)| {
            let text = |bytes| ByteSize(bytes).human(3);
            format!("{} / {}", text(first), text(second))
        };
        let (memory, limit) = (ByteSize(used.memory), ByteSize(used.memory_limit));
        let block = match used.without_cgroups {
            true => "-- / --".to_owned(),
            false => pair(used.block),
        };
        Row::new()
            .set("Container", name)
            .set("Name", sample.name.to_string())
            .set("ID", id)
            .set("CPUPerc", format!("{cpu:.2}%"))
            .set(
                "MemUsage",
                format!("{} / {}", memory.binary(), limit.binary()),
            )
            .set("MemPerc", format!("{:.2}%", used.memory_percent()))
            .set("NetIO", pair(used.network))
            .set("BlockIO", block)
            .set("PIDs", used.tasks.to_string())
    }
}
