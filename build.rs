//! Builds what the binary embeds: the small static init (`init/`).
//!
//! The init is compiled by the same rustc, but without cargo: it is another program, with its own
//! flags, and must not take part in the package's profile or link with a libc.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() -> Result<(), String> {
    build_init().map_err(|message| format!("build the static init: {message}"))
}

fn build_init() -> Result<(), String> {
    println!("cargo::rerun-if-changed=init");
    println!("cargo::rerun-if-changed=build.rs");
    let output = variable("OUT_DIR").map(PathBuf::from)?.join("hull-init");
    let mut command = Command::new(variable("RUSTC")?);
    command
        .args(["--edition", "2024", "--crate-type", "bin"])
        .args(["--crate-name", "hull_init"])
        .args(["--target", &variable("TARGET")?])
        .args(["-C", "panic=abort", "-C", "opt-level=s", "-C", "lto=fat"])
        .args(["-C", "codegen-units=1", "-C", "relocation-model=static"])
        .args(["-C", "strip=symbols"])
        .arg("-o")
        .arg(&output)
        .arg(Path::new("init").join("main.rs"));
    // The last keeps code and data in one page run instead of padding each to its own.
    for argument in [
        "-nostdlib",
        "-nostartfiles",
        "-static",
        "-Wl,--build-id=none",
        "-Wl,-z,noseparate-code",
    ] {
        command.args(["-C", &format!("link-arg={argument}")]);
    }
    let status = command.status().map_err(|error| error.to_string())?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{command:?}: {status}"))
    }
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}"))
}
