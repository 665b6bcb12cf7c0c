//! The flags that say where input comes from and output goes: `--attach` and those of logs.

use clap::Command;
use clap::builder::ValueParser;

use super::{Matches, list, text};
use crate::container::Request;
use crate::error::{Error, Result};

/// Declares them.
pub fn declare(command: Command) -> Command {
    let attach = list("attach", "list", "Attach to STDIN, STDOUT or STDERR").short('a');
    command
        .arg(attach.value_parser(ValueParser::new(parse_stream)))
        .arg(text(
            "log-driver",
            "string",
            "Logging driver for the container",
        ))
        .arg(list("log-opt", "list", "Log driver options"))
}

fn parse_stream(text: &str) -> Result<String, String> {
    let name = text.to_ascii_lowercase();
    match name.as_str() {
        "stdin" | "stdout" | "stderr" => Ok(name),
        _ => Err("valid streams are STDIN, STDOUT and STDERR".to_owned()),
    }
}

/// Which streams a client in the foreground wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attach {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
}

/// The streams named with `--attach`; without it both outputs, and input with `-i`.
pub fn attach(matches: &Matches) -> Attach {
    let named = matches.texts("attach");
    match named.is_empty() {
        true => Attach {
            stdin: matches.on("interactive"),
            stdout: true,
            stderr: true,
        },
        false => Attach {
            stdin: named.contains(&"stdin"),
            stdout: named.contains(&"stdout"),
            stderr: named.contains(&"stderr"),
        },
    }
}

/// Puts the values into a request; whether those of the log make sense depends on the settings too.
///
/// # Errors
/// In Docker's words for options where nothing is logged.
pub fn fill(matches: &Matches, request: &mut Request) -> Result<()> {
    request.stdin_once = request.open_stdin && attach(matches).stdin;
    request.log_driver = matches.text("log-driver").map(str::to_owned);
    for option in matches.texts("log-opt") {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        request
            .log_options
            .insert(name.to_owned(), value.to_owned());
    }
    if request.log_driver.as_deref() == Some("none") && !request.log_options.is_empty() {
        return Err(Error::invalid("invalid logging opts for driver none"));
    }
    Ok(())
}
