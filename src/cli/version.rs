//! `hull version`.

use serde_json::json;

use crate::cli::flags::{self, Matches};
use crate::cli::{Command, output};
use crate::config::Settings;
use crate::error::Result;

pub const COMMAND: Command = Command {
    paths: &["version"],
    about: "Show the version information",
    arguments: |command| {
        let format = "Format output using a custom template: 'json' or a Go template";
        command.arg(flags::text("format", "string", format).short('f'))
    },
    run,
    ..Command::BASE
};

/// hull's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The Docker API whose data formats hull prints; other programs compare it.
const API_VERSION: &str = "1.47";

fn run(matches: &Matches, _: &Settings) -> Result<u8> {
    let kernel = rustix::system::uname();
    let half = json!({
        "Version": VERSION,
        "APIVersion": API_VERSION,
        "MinAPIVersion": "1.24",
        "GitCommit": "",
        "GoVersion": "",
        "Os": "linux",
        "Arch": architecture(),
        "KernelVersion": kernel.release().to_string_lossy(),
        "BuildTime": "",
    });
    if let Some(format) = matches.text("format") {
        // Scripts ask for the client's or the server's version; here both are this program.
        output::document(Some(format), &json!({"Client": half, "Server": half}))?;
        return Ok(0);
    }
    output::line(format_args!(
        "hull:\n Version:           {VERSION}\n API version:       {API_VERSION}\n \
         OS/Arch:           linux/{}\n Kernel:            {}",
        architecture(),
        kernel.release().to_string_lossy()
    ))?;
    Ok(0)
}

/// The machine's architecture by the name image platforms use.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
