//! `hull inspect` and what all `… inspect` commands share.

use serde_json::Value;

use crate::cli::container::inspect::Sizes;
use crate::cli::flags::{self, Matches};
use crate::cli::{Command, Words, container, image, output};
use crate::config::Settings;
use crate::error::{Error, Kind, Result, Scope};

pub const COMMAND: Command = Command {
    paths: &["inspect"],
    about: "Return low-level information on containers, images and other objects",
    usage: "[OPTIONS] NAME|ID [NAME|ID...]",
    words: Words::AtLeast(1),
    arguments: |command| {
        let kind = "Only inspect objects of the given type";
        let size = "Display total file sizes if the type is container";
        command
            .arg(format_flag())
            .arg(flags::switch("size", size).short('s'))
            .arg(flags::text("type", "string", kind))
    },
    run,
    ..Command::BASE
};

/// Looks an object up. `Kind::NotFound` lets the next kind of object have the name.
type LookUp = fn(&Settings, &str, Sizes) -> Result<Value>;

/// The kinds of objects, in the order in which they get a name.
const KINDS: &[(&str, LookUp)] = &[
    ("container", container::inspect::look_up),
    ("image", |settings, name, _| {
        image::inspect::look_up(settings, name)
    }),
];

/// `--format`, as all inspecting commands have it.
pub fn format_flag() -> clap::Arg {
    let about = "Format output using a custom template: 'json' or a Go template";
    flags::text("format", "string", about).short('f')
}

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let kind = matches.text("type").unwrap_or_default();
    if !kind.is_empty() && !KINDS.iter().any(|(name, _)| *name == kind) {
        return Err(Error::invalid(format!("unknown type: {kind:?}")));
    }
    let fitting = || {
        KINDS
            .iter()
            .filter(|(name, _)| kind.is_empty() || *name == kind)
    };
    print_each(matches.text("format"), &matches.words(), |name| {
        for (_, look_up) in fitting() {
            match look_up(settings, name, Sizes::asked(matches)) {
                Err(error) if error.kind() == Kind::NotFound => {}
                other => return other,
            }
        }
        let object = if kind.is_empty() { "object" } else { kind };
        Err(Error::not_found(format!("No such {object}: {name}")))
    })
}

/// Prints what was found of `names`, then an error for each that was not; the result is the exit
/// code. Without a format the output is one JSON array, also if it is empty.
pub fn print_each(
    format: Option<&str>,
    names: &[&str],
    look_up: impl Fn(&str) -> Result<Value>,
) -> Result<u8> {
    // A wrong template is refused before anything is looked for.
    if let Some(format) = format.filter(|format| *format != "json") {
        output::Template::parse(format)?;
    }
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for name in names {
        match look_up(name) {
            Ok(value) => found.push(value),
            Err(error) => errors.push(error),
        }
    }
    match format {
        None => output::document(None, &Value::Array(found))?,
        Some("json") => output::document(Some("json"), &Value::Array(found))?,
        // Docker's blank line: scripts that read one line get one.
        Some(_) if found.is_empty() => output::line("")?,
        Some(format) => {
            for value in &found {
                if let Err(error) = output::document(Some(format), value) {
                    output::line("")?;
                    errors.push(error);
                }
            }
        }
    }
    for error in &errors {
        output::error(Scope::Other, error);
    }
    Ok(u8::from(!errors.is_empty()))
}
