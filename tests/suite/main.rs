//! The suite: the built binary, driven from its command line as a user drives it.
//!
//! Every test owns a [`bed::Bed`] (its own store, run directory and home) and runs as root, as an
//! unprivileged user with subordinate ids and as one without; see `each_who!`. `HULL_BIN` names the
//! binary under test, by default the one of this build. What this machine cannot run prints
//! `SKIP reason` and adds a line to the file that `HULL_SKIPS` names.

#![allow(
    clippy::print_stderr,
    reason = "skips and leaks are told to the test runner"
)]

#[macro_use]
mod bed;
mod archive;
mod attacks;
mod commit;
mod copy;
mod faults;
mod flags;
mod image_commands;
mod image_copy;
mod images;
mod leaks;
mod lifecycle;
mod limits;
mod listing;
mod login;
mod logs;
mod oci;
mod process;
mod programs;
mod progress;
mod pty;
mod push;
mod registry;
mod restart;
mod resume;
mod search;
mod seeds;
mod shown;
mod sites;
mod store;
mod streams;
mod terminal;
mod transfer;

/// The registries of the unit tests: one that follows a script, and one in memory.
#[allow(dead_code, reason = "the unit tests need more of it")]
#[path = "../../src/registry/scripted.rs"]
mod scripted;
#[allow(dead_code, reason = "the unit tests need more of it")]
#[path = "../../src/registry/shelf.rs"]
mod shelf;
