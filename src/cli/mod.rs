//! The command line: which commands there are, and the way from words to one of them.
//!
//! A command is data, a [`Command`], in a file of its own under the folder of its noun. The table
//! [`COMMANDS`] lists them. Dispatch reads the words first and then builds the clap declarations of
//! that one command only: building the whole tree would take milliseconds on every start.
//!
//! **Adding a command** takes one file and one line:
//! 1. `src/cli/<noun>/<verb>.rs` with `pub const COMMAND: Command = Command { …, ..Command::BASE
//!    }`, an `arguments` function (flags, declared with the functions of [`flags`]) and a `run`
//!    function (which prints through [`output`] and returns the exit code).
//! 2. `&<noun>::<verb>::COMMAND` in [`COMMANDS`] (and `mod` lines).
//!
//! Then `hull generate man man` and `hull generate completions completions` renew the committed
//! manual pages and completions; `tests/tidy.rs` fails until they are.
//!
//! A command that touches files of mapped owners says `mapped_root: MappedRoot::Always`; dispatch
//! then enters the user namespace before anything else runs. [`store::open`] and
//! [`store::open_existing`] are the ways to the store. Errors are returned, not printed; a command
//! that goes on after one (`rm a b c`) hands it to [`output::error`] and returns 1 in the end.
//!
//! Commands translate arguments and present results. What they do belongs to lower modules.

mod completion;
mod confirm;
mod container;
mod dispatch;
pub mod flags;
mod generate;
mod help;
mod image;
mod inspect;
mod oci;
pub mod output;
mod registry;
mod store;
mod system;
mod target;
mod version;

use crate::config::Settings;
use crate::error::{Result, Scope};

#[cfg(test)]
pub use dispatch::declare;
pub use dispatch::{Screen, enter};
use flags::Matches;
use flags::walk::FlagOrder;

/// All commands, in the order of the help screen.
const COMMANDS: &[&Command] = &[
    &container::run::COMMAND,
    &container::create::COMMAND,
    &container::start::COMMAND,
    &container::stop::COMMAND,
    &container::stop::RESTART,
    &container::kill::COMMAND,
    &container::pause::COMMAND,
    &container::pause::UNPAUSE,
    &container::update::COMMAND,
    &container::stats::COMMAND,
    &container::top::COMMAND,
    &container::rm::COMMAND,
    &container::ls::COMMAND,
    &container::logs::COMMAND,
    &container::commit::COMMAND,
    &container::cp::COMMAND,
    &container::diff::COMMAND,
    &container::exec::COMMAND,
    &container::export::COMMAND,
    &container::attach::COMMAND,
    &container::wait::COMMAND,
    &container::inspect::COMMAND,
    &container::healthcheck::COMMAND,
    &container::rename::COMMAND,
    &container::port::COMMAND,
    &container::exists::COMMAND,
    &container::prune::COMMAND,
    &image::copy::COMMAND,
    &image::exists::COMMAND,
    &image::history::COMMAND,
    &image::import::COMMAND,
    &image::inspect::COMMAND,
    &image::list_tags::COMMAND,
    &image::load::COMMAND,
    &image::ls::COMMAND,
    &image::prune::COMMAND,
    &image::pull::COMMAND,
    &image::push::COMMAND,
    &image::rm::COMMAND,
    &image::save::COMMAND,
    &image::tag::COMMAND,
    &image::tag::UNTAG,
    &inspect::COMMAND,
    &registry::login::COMMAND,
    &registry::logout::COMMAND,
    &registry::search::COMMAND,
    &oci::create::COMMAND,
    &oci::start::COMMAND,
    &oci::state::COMMAND,
    &oci::kill::COMMAND,
    &oci::delete::COMMAND,
    &oci::create::RUN,
    &oci::list::COMMAND,
    &oci::spec::COMMAND,
    &oci::features::COMMAND,
    &system::boot::COMMAND,
    &system::check::COMMAND,
    &system::doctor::COMMAND,
    &system::events::COMMAND,
    &system::df::COMMAND,
    &system::info::COMMAND,
    &system::prune::COMMAND,
    &version::COMMAND,
    &completion::COMMAND,
    &generate::MAN,
    &generate::COMPLETIONS,
];

/// Nouns: first words that only gather commands.
const GROUPS: &[(&str, &str)] = &[
    ("builder", "Manage builds"),
    ("container", "Manage containers"),
    ("generate", "Write files made from the command table"),
    ("healthcheck", "Look at the health of containers"),
    ("image", "Manage images"),
    ("network", "Manage networks"),
    ("oci", "Run OCI bundles, with the command line of runc"),
    ("system", "Manage hull"),
    ("volume", "Manage volumes"),
];

/// The commands people type most; they head the help screen.
const COMMON: &[&str] = &[
    "run", "exec", "ps", "build", "pull", "push", "images", "login", "logout", "search", "version",
    "info",
];

/// Commands of other engines that hull will not have, and what to say instead.
const REFUSED: &[(&str, &str)] = &[
    ("checkpoint", "hull does not checkpoint containers"),
    ("farm", "hull builds on this machine only"),
    (
        "machine",
        "hull runs on Linux directly and needs no virtual machine",
    ),
    ("node", "hull manages one machine and has no swarm"),
    ("plugin", "hull has no plugins"),
    (
        "service",
        "hull manages one machine and has no swarm; --restart keeps a container running",
    ),
    ("stack", "hull manages one machine and has no swarm"),
    ("swarm", "hull manages one machine and has no swarm"),
    ("trust", "hull verifies digests and does not sign images"),
];

/// One command, as data.
pub struct Command {
    /// How it is called, the manual's name first: `["ps", "container ls", "container list"]`.
    pub paths: &'static [&'static str],
    /// One line, as in the list of commands.
    pub about: &'static str,
    /// What follows the path in the usage line.
    pub usage: &'static str,
    /// How many words besides flags it takes.
    pub words: Words,
    /// Where the user probably wanted to go when there are too many words; may be empty.
    pub words_hint: &'static str,
    /// Whether flags may follow words.
    pub order: FlagOrder,
    /// Which exit codes its errors have.
    pub scope: Scope,
    /// Whether a rootless user has to become mapped root before it runs.
    pub mapped_root: MappedRoot,
    /// Flags that it does not have, and why.
    pub refused: &'static [(&'static str, &'static str)],
    /// Left out of help screens, completions and manual pages.
    pub hidden: bool,
    /// Declares the flags.
    pub arguments: fn(clap::Command) -> clap::Command,
    /// Does it; the result is the exit code.
    pub run: fn(&Matches, &Settings) -> Result<u8>,
}

impl Command {
    /// What a command is unless it says otherwise.
    pub const BASE: Command = Command {
        paths: &[],
        about: "",
        usage: "[OPTIONS]",
        words: Words::None,
        words_hint: "",
        order: FlagOrder::Anywhere,
        scope: Scope::Other,
        mapped_root: MappedRoot::Never,
        refused: &[],
        hidden: false,
        arguments: |command| command,
        run: |_, _| Ok(0),
    };
}

/// How many words besides flags a command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    None,
    Exactly(usize),
    AtLeast(usize),
    /// As many, unless one of these flags names what is meant.
    AtLeastUnless(usize, &'static [&'static str]),
    AtMost(usize),
    Between(usize, usize),
}

/// Whether a rootless user has to become root in a user namespace for a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MappedRoot {
    /// It only reads records, or asks for it itself.
    Never,
    /// It touches files of mapped owners.
    Always,
}
