//! hull, a container engine in one binary.
mod base;
mod cli;
mod config;
mod error;
mod sys;

use std::process::ExitCode;

fn main() -> ExitCode {
    sys::signal_default::restore_sigpipe();
    let invocation = match cli::enter(std::env::args_os()) {
        Ok(invocation) => invocation,
        Err(screen) => return ExitCode::from(screen.show()),
    };
    let code = invocation.run();
    ExitCode::from(code.unwrap_or_else(|error| cli::output::error(invocation.scope(), &error)))
}
