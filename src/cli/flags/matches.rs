//! What the user gave, asked by flag name.

use crate::cli::flags::{Filter, WORDS};

/// The values of one command line. Asking for a flag the command did not declare panics: that is a
/// slip in the command's own file, which its tests meet at once.
#[derive(Debug)]
pub struct Matches {
    values: clap::ArgMatches,
    /// clap itself knows what was declared only where debug assertions are compiled in.
    declared: Vec<clap::Id>,
}

impl Matches {
    /// Wraps clap's result for a command.
    pub fn new(values: clap::ArgMatches, command: &clap::Command) -> Self {
        let declared = command.get_arguments().map(|arg| arg.get_id().clone());
        Matches {
            values,
            declared: declared.collect(),
        }
    }

    /// Whether the command has this flag: for what several commands share.
    pub fn declares(&self, name: &str) -> bool {
        self.declared.iter().any(|id| id == name)
    }

    /// Whether a switch is on.
    pub fn on(&self, name: &str) -> bool {
        self.values.get_flag(name)
    }

    /// The value of a text flag.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get_one::<String>(name).map(String::as_str)
    }

    /// All values of a list flag, in the order given.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        let values = self.values.get_many::<String>(name).unwrap_or_default();
        values.map(String::as_str).collect()
    }

    /// The value of a typed flag.
    pub fn value<T: Clone + Send + Sync + 'static>(&self, name: &str) -> Option<T> {
        self.values.get_one::<T>(name).cloned()
    }

    /// All values of a typed list flag, in the order given.
    pub fn values<T: Clone + Send + Sync + 'static>(&self, name: &str) -> Vec<T> {
        let values = self.values.get_many::<T>(name).unwrap_or_default();
        values.cloned().collect()
    }

    /// All `--filter`s, in the order given.
    pub fn filters(&self) -> Vec<Filter> {
        let filters = self.values.get_many::<Filter>("filter").unwrap_or_default();
        filters.filter(|f| !f.is_none()).cloned().collect()
    }

    /// Whether the flag was on the command line, rather than left at its default.
    pub fn given(&self, name: &str) -> bool {
        self.values.value_source(name) == Some(clap::parser::ValueSource::CommandLine)
    }

    /// The words that are no flags, in order.
    pub fn words(&self) -> Vec<&str> {
        self.texts(WORDS)
    }
}
