//! `hull container …` and the short forms: arguments and presentation of what [`crate::container`]
//! does.

pub mod attach;
pub mod create;
pub mod exec;
pub mod exists;
mod facts;
mod filter;
pub mod healthcheck;
mod image;
pub mod inspect;
mod isolation;
pub mod kill;
pub mod logs;
pub mod ls;
pub mod pause;
pub mod port;
pub mod prune;
pub mod rename;
pub mod rm;
pub mod run;
mod select;
pub mod size;
pub mod start;
pub mod stats;
pub mod stop;
pub mod top;
pub mod update;
pub mod wait;

use crate::cli::output;
use crate::config::Settings;
use crate::container::Outcome;
use crate::error::{Error, Kind, Result};
use crate::state::Limits;

/// Docker's keys to leave a container running: ctrl-p, ctrl-q.
const DETACH_KEYS: &str = "ctrl-p,ctrl-q";

/// Names the limits that this host cannot keep, one line each.
///
/// # Errors
/// `Unsupported` with `--strict-limits`.
fn warn_of_limits(settings: &Settings, limits: &Limits) -> Result<()> {
    for unkept in crate::container::unkept_limits(settings, limits)? {
        let hint = unkept.hint();
        output::note(format!("WARNING: {unkept}. Limitation discarded ({hint})."));
    }
    Ok(())
}

/// The exit code of an attached client.
fn exit_code(outcome: Outcome) -> Result<u8> {
    match outcome {
        Outcome::Exited(code) => Ok(code),
        Outcome::Detached => Ok(0),
        Outcome::Lost => Err(
            Error::new(Kind::System, "the container's monitor was killed")
                .hint("the container is ended with it; see hull ps -a"),
        ),
    }
}

/// The bytes of a `--detach-keys` sequence: letters or `ctrl-` with one of `a-z@[\]^_`.
fn detach_keys(text: Option<&str>) -> Result<Vec<u8>> {
    let text = text.unwrap_or(DETACH_KEYS);
    let key = |part: &str| -> Option<u8> {
        match part.strip_prefix("ctrl-").map(str::as_bytes) {
            Some([c]) if b"abcdefghijklmnopqrstuvwxyz@[\\]^_".contains(c) => {
                Some(c.to_ascii_uppercase() & 0x1f)
            }
            None if part.len() == 1 => part.bytes().next(),
            _ => None,
        }
    };
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let keys = text.split(',').map(key).collect::<Option<Vec<u8>>>();
    keys.ok_or_else(|| Error::invalid(format!("invalid detach keys ({text})")))
}

/// `-it` wants a terminal on our side too.
fn require_terminal(stdin: bool, terminal: bool) -> Result<()> {
    if stdin && terminal && !rustix::termios::isatty(rustix::stdio::stdin()) {
        return Err(Error::new(Kind::Invalid, "the input device is not a TTY"));
    }
    Ok(())
}
