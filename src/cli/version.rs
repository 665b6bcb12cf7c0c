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
/// The oldest one that such programs may speak.
const LEAST_API_VERSION: &str = "1.24";

fn run(matches: &Matches, _: &Settings) -> Result<u8> {
    let kernel = rustix::system::uname();
    let kernel = kernel.release().to_string_lossy();
    if let Some(format) = matches.text("format") {
        output::document(Some(format), &document(&kernel))?;
        return Ok(0);
    }
    let arch = architecture();
    output::line(format_args!(
        "Client:\n Version:           {VERSION}\n API version:       {API_VERSION}\n \
         OS/Arch:           linux/{arch}\n Context:           default\n\n\
         Server: hull\n Engine:\n  Version:          {VERSION}\n  \
         API version:      {API_VERSION} (minimum version {LEAST_API_VERSION})\n  \
         OS/Arch:          linux/{arch}\n  Kernel:           {kernel}\n  \
         Experimental:     false"
    ))?;
    Ok(0)
}

/// Scripts ask for the client's or the server's version; here both are this program.
fn document(kernel: &str) -> serde_json::Value {
    let arch = architecture();
    json!({
        "Client": {
            "Version": VERSION,
            "ApiVersion": API_VERSION,
            "DefaultAPIVersion": API_VERSION,
            "GitCommit": "",
            "GoVersion": "",
            "Os": "linux",
            "Arch": arch,
            "BuildTime": "",
            "Context": "default",
        },
        "Server": {
            "Platform": {"Name": "hull"},
            "Components": [{
                "Name": "Engine",
                "Version": VERSION,
                "Details": {
                    "ApiVersion": API_VERSION,
                    "Arch": arch,
                    "BuildTime": "",
                    "Experimental": "false",
                    "GitCommit": "",
                    "GoVersion": "",
                    "KernelVersion": kernel,
                    "MinAPIVersion": LEAST_API_VERSION,
                    "Os": "linux",
                },
            }],
            "Version": VERSION,
            "ApiVersion": API_VERSION,
            "MinAPIVersion": LEAST_API_VERSION,
            "GitCommit": "",
            "GoVersion": "",
            "Os": "linux",
            "Arch": arch,
            "KernelVersion": kernel,
            "BuildTime": "",
        },
    })
}

/// The machine's architecture by the name image platforms use.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
