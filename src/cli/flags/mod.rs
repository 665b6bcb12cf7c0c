//! Flags: text of the command line → typed values.
//!
//! clap holds the declarations (names, value kinds, help texts) and converts values; completions
//! and manual pages are made from the same declarations. Splitting the words is [`walk`]'s task,
//! because scripts rely on the exact grammar and messages of Docker's own flag library.
//!
//! The functions here are the only way commands declare flags, so that each flag of one kind
//! behaves alike: every switch takes `=true` and `=false`, every repeated flag keeps the last value
//! or collects them all.

mod accounts;
pub mod container;
pub mod environment;
pub mod filter;
pub mod lifecycle;
pub mod limits;
mod matches;
pub mod moment;
mod mounts;
mod namespaces;
mod network;
pub mod obtain;
mod ports;
pub mod refused;
pub mod registry;
mod security;
pub mod streams;
pub mod walk;

use std::str::FromStr;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction};

pub use filter::{Filter, Filters};
pub use matches::Matches;

/// The id of the words that are not flags; the frame adds them to each command.
pub const WORDS: &str = "words";

/// A boolean that is off unless given. `--name`, `--name=true`, `--name=false`, `-x`, `-xyz`.
pub fn switch(name: &'static str, about: &'static str) -> Arg {
    let arg = Arg::new(name).long(name).help(about);
    arg.action(ArgAction::SetTrue)
}

/// A boolean that is on unless `--name=false` is given.
pub fn switch_on(name: &'static str, about: &'static str) -> Arg {
    let arg = Arg::new(name).long(name).help(about);
    arg.action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .default_value("true")
        .default_missing_value("true")
        .value_parser(ValueParser::new(parse_bool))
}

/// A flag with one text value; the last one given wins. `kind` is shown in the help text.
pub fn text(name: &'static str, kind: &'static str, about: &'static str) -> Arg {
    let arg = Arg::new(name).long(name).help(about).value_name(kind);
    arg.action(ArgAction::Set).allow_hyphen_values(true)
}

/// A flag that may be given several times; all values are kept in order.
pub fn list(name: &'static str, kind: &'static str, about: &'static str) -> Arg {
    let arg = Arg::new(name).long(name).help(about).value_name(kind);
    arg.action(ArgAction::Append).allow_hyphen_values(true)
}

/// A flag whose value has a type of its own, e.g. `value::<ByteSize>("memory", "bytes", …)`.
pub fn value<T>(name: &'static str, kind: &'static str, about: &'static str) -> Arg
where
    T: FromStr + Clone + Send + Sync + 'static,
    T::Err: std::fmt::Display,
{
    text(name, kind, about).value_parser(ValueParser::new(parse::<T>))
}

/// A flag with a whole number, negative ones included.
pub fn integer(name: &'static str, about: &'static str) -> Arg {
    text(name, "int", about).value_parser(ValueParser::new(parse_integer))
}

/// `--filter key=value`, as all listing and pruning commands have it; see [`Matches::filters`].
pub fn filter(about: &'static str) -> Arg {
    let arg = list("filter", "filter", about).short('f');
    arg.value_parser(ValueParser::new(Filter::parse))
}

/// Converts a value; the message is the type's own.
fn parse<T>(text: &str) -> Result<T, String>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text.parse::<T>().map_err(|error| error.to_string())
}

fn parse_integer(text: &str) -> Result<i64, String> {
    let refuse = |_| format!("strconv.ParseInt: parsing {text:?}: invalid syntax");
    text.parse::<i64>().map_err(refuse)
}

/// The spellings Go's `strconv.ParseBool` takes.
pub fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!(
            "strconv.ParseBool: parsing {text:?}: invalid syntax"
        )),
    }
}
