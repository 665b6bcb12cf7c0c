//! What the user gave, asked by flag name.

use crate::cli::flags::{Filter, WORDS};

/// The values of one command line. Asking for a flag the command did not declare panics: that is a
/// slip in the command's own file, which its tests meet at once.
#[derive(Debug)]
pub struct Matches(clap::ArgMatches);

impl Matches {
    /// Wraps clap's result.
    pub fn new(matches: clap::ArgMatches) -> Self {
        Matches(matches)
    }

    /// Whether the command has this flag: for what several commands share.
    pub fn declares(&self, name: &str) -> bool {
        self.0.try_contains_id(name).is_ok()
    }

    /// Whether a switch is on.
    pub fn on(&self, name: &str) -> bool {
        self.0.get_flag(name)
    }

    /// The value of a text flag.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get_one::<String>(name).map(String::as_str)
    }

    /// All values of a list flag, in the order given.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        let values = self.0.get_many::<String>(name).unwrap_or_default();
        values.map(String::as_str).collect()
    }

    /// The value of a typed flag.
    pub fn value<T: Clone + Send + Sync + 'static>(&self, name: &str) -> Option<T> {
        self.0.get_one::<T>(name).cloned()
    }

    /// All values of a typed list flag, in the order given.
    pub fn values<T: Clone + Send + Sync + 'static>(&self, name: &str) -> Vec<T> {
        let values = self.0.get_many::<T>(name).unwrap_or_default();
        values.cloned().collect()
    }

    /// All `--filter`s, in the order given.
    pub fn filters(&self) -> Vec<Filter> {
        let filters = self.0.get_many::<Filter>("filter").unwrap_or_default();
        filters.filter(|f| !f.is_none()).cloned().collect()
    }

    /// Whether the flag was on the command line, rather than left at its default.
    pub fn given(&self, name: &str) -> bool {
        self.0.value_source(name) == Some(clap::parser::ValueSource::CommandLine)
    }

    /// The words that are no flags, in order.
    pub fn words(&self) -> Vec<&str> {
        self.texts(WORDS)
    }
}
