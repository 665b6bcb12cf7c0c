//! `hull container …` and the short forms: arguments and presentation of what [`crate::container`]
//! does.

pub mod attach;
pub mod commit;
pub mod cp;
pub mod create;
pub mod diff;
pub mod exec;
pub mod exists;
pub mod export;
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
mod streams;
pub mod top;
mod tree;
pub mod update;
pub mod wait;

use crate::cli::output;
use crate::config::Settings;
use crate::error::Result;
use crate::state::Limits;

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
