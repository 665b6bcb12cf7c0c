//! Builds what the binary embeds: the small static init (`init/`) and the default seccomp filter.
//!
//! The init is compiled by the same rustc, but without cargo: it is another program, with its own
//! flags, and must not take part in the package's profile or link with a libc.

#[path = "src/runtime/seccomp/compile.rs"]
mod compile;
#[path = "src/runtime/seccomp/numbers.rs"]
mod numbers;
#[path = "src/runtime/seccomp/profile.rs"]
mod profile;

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// As in `src/sys/seccomp.rs`, which needs crates that a build script should not.
#[derive(Debug, Clone, Copy)]
struct SockFilter {
    code: u16,
    jt: u8,
    jf: u8,
    k: u32,
}

fn main() -> Result<(), String> {
    build_init().map_err(|message| format!("build the static init: {message}"))?;
    build_seccomp().map_err(|message| format!("compile the seccomp profile: {message}"))
}

/// The default profile for the default capabilities, as a Rust array.
fn build_seccomp() -> Result<(), String> {
    println!("cargo::rerun-if-changed=src/runtime/seccomp");
    let json = fs::read_to_string("src/runtime/seccomp/default.json");
    let json = json.map_err(|error| error.to_string())?;
    let profile: Result<profile::Profile, _> = serde_json::from_str(&json);
    let mut profile = profile.map_err(|error| error.to_string())?;
    profile.select(&profile::Machine {
        // Of the default capabilities the profile asks about this one only.
        has: &|name| name == "CAP_SYS_CHROOT",
        kernel: (u32::MAX, 0),
    });
    let mut text = String::from("[\n");
    for SockFilter { code, jt, jf, k } in compile::compile(&profile.policy()?)? {
        writeln!(
            text,
            "SockFilter {{ code: {code}, jt: {jt}, jf: {jf}, k: {k} }},"
        )
        .map_err(|error| error.to_string())?;
    }
    text.push(']');
    let output = PathBuf::from(variable("OUT_DIR")?).join("default-seccomp.rs");
    fs::write(output, text).map_err(|error| error.to_string())
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
