//! The question before something is removed for good.

use std::io::BufRead as _;

use crate::cli::output;
use crate::error::{Context as _, Result};

/// Asks on stdout, as Docker does, and reads one line: only `y` is yes, and the end of input is no.
pub fn confirm(warning: &str) -> Result<bool> {
    let question = format!("{warning}\nAre you sure you want to continue? [y/N] ");
    output::bytes(output::escape(&question).as_bytes())?;
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.context(|| "read the answer")?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}
