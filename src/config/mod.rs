//! Settings: what the host, the user and the command line decided, as one value.
//!
//! Weakest first: built in, `/etc/docker/daemon.json` (the keys that apply),
//! `/etc/hull/config.json`, the user's `hull/config.json`, the environment, the command line.
//! Nothing here creates the store or talks to a network, and a start without any file costs a
//! handful of failing opens.

mod environment;
mod file;
mod passwd;
mod paths;
mod registries;
mod settings;
mod ulimit;

#[cfg(test)]
mod tests;

pub use environment::Environment;
#[cfg(test)]
pub use registries::RegistryMirror;
pub use registries::{RegistryRule, Serves};
pub use settings::{LogDefaults, Overrides, RegistrySettings, Settings};
