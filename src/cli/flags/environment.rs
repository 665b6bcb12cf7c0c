//! `--env`, `--env-file` and their relatives → entries of the environment.

use std::fs;
use std::path::PathBuf;

use clap::Command;

use super::{Matches, list, switch};
use crate::config::Settings;
use crate::container::Request;
use crate::error::{Context as _, Error, Result};

/// What Docker's client fills in from its configuration: key there, name here.
const PROXIES: [(&str, &str); 5] = [
    ("httpProxy", "HTTP_PROXY"),
    ("httpsProxy", "HTTPS_PROXY"),
    ("noProxy", "NO_PROXY"),
    ("ftpProxy", "FTP_PROXY"),
    ("allProxy", "ALL_PROXY"),
];

/// Declares those that `exec` has too.
pub fn declare(command: Command) -> Command {
    let file = "Read in a file of environment variables";
    command
        .arg(list("env", "list", "Set environment variables").short('e'))
        .arg(list("env-file", "list", file))
}

/// Declares those of `run` and `create` alone.
pub fn declare_more(command: Command) -> Command {
    let merge = "Set variables from those of the image (K=${K}-more)";
    command
        .arg(switch("env-host", "Pass the caller's environment"))
        .arg(list("env-merge", "list", merge))
        .arg(switch("http-proxy", "Pass the caller's proxy variables"))
        .arg(list("unsetenv", "list", "Unset a variable of the image"))
        .arg(switch(
            "unsetenv-all",
            "Unset the variables of the image and those that are always set",
        ))
}

/// Environment files first, then `--env`. A name alone takes the caller's value; without one it
/// stays a name, which removes the image's variable, unless it is from a file.
pub fn entries(matches: &Matches) -> Result<Vec<String>> {
    let mut entries = Vec::new();
    for file in matches.texts("env-file") {
        for line in file_lines("env", file)? {
            if line.contains('=') {
                entries.push(line);
            } else if let Ok(value) = std::env::var(&line) {
                entries.push(format!("{line}={value}"));
            }
        }
    }
    for text in matches.texts("env") {
        given(text, &mut entries)?;
    }
    Ok(entries)
}

fn given(text: &str, entries: &mut Vec<String>) -> Result<()> {
    let name = text.split('=').next().unwrap_or("");
    if name.is_empty() {
        let why = format!("invalid environment variable: {text}");
        let flag = format!("invalid argument {text:?} for \"-e, --env\" flag: {why}");
        return Err(Error::invalid(flag));
    }
    if text.contains('=') {
        entries.push(text.to_owned());
    } else if let Some(start) = text.strip_suffix('*') {
        let mut all = of_caller(|name| name.starts_with(start));
        entries.append(&mut all);
    } else {
        entries.push(match std::env::var(text) {
            Ok(value) => format!("{text}={value}"),
            Err(_) => text.to_owned(),
        });
    }
    Ok(())
}

/// The caller's variables, in order; those that are no text are left out.
fn of_caller(wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let all = std::env::vars_os();
    let all = all.filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let all = all.filter(|(name, _)| !name.is_empty() && wanted(name));
    let texts = all.filter_map(|(name, value)| Some(format!("{name}={}", value.to_str()?)));
    let mut texts: Vec<String> = texts.collect();
    texts.sort_unstable();
    texts
}

/// Fills in everything about the environment.
pub fn fill(matches: &Matches, settings: &Settings, request: &mut Request) -> Result<()> {
    let mut env = Vec::new();
    if matches.on("env-host") {
        env = of_caller(|_| true);
    }
    let given = entries(matches)?;
    for entry in proxies(matches, settings)? {
        let name = entry.split('=').next();
        if !given.iter().any(|other| other.split('=').next() == name) {
            env.push(entry);
        }
    }
    env.extend(given);
    request.env = env;
    for text in matches.texts("env-merge") {
        if !text.contains('=') || text.starts_with('=') {
            let why = format!("invalid --env-merge {text:?}: must be NAME=VALUE");
            return Err(Error::invalid(why));
        }
        request.env_merge.push(text.to_owned());
    }
    for name in matches.texts("unsetenv") {
        request.unset_env.push(name.to_owned());
    }
    if matches.on("unsetenv-all") {
        request.unset_env.push("*".to_owned());
    }
    Ok(())
}

/// The caller's own proxies where asked for, else those of the Docker client's configuration.
fn proxies(matches: &Matches, settings: &Settings) -> Result<Vec<String>> {
    if matches.on("http-proxy") {
        let is_proxy = |name: &str| {
            let upper = name.to_ascii_uppercase();
            PROXIES.iter().any(|(_, known)| *known == upper)
        };
        return Ok(of_caller(is_proxy));
    }
    let home = || settings.home.as_ref().map(|home| home.join(".docker"));
    let Some(directory): Option<PathBuf> = settings.docker_config.clone().or_else(home) else {
        return Ok(Vec::new());
    };
    // A file that is not there, or is of no use, is the registry commands' business.
    let Ok(text) = fs::read(directory.join("config.json")) else {
        return Ok(Vec::new());
    };
    let json: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    let of_default = &json["proxies"]["default"];
    let mut entries = Vec::new();
    for (key, name) in PROXIES {
        if let Some(value) = of_default[key].as_str().filter(|value| !value.is_empty()) {
            entries.push(format!("{name}={value}"));
            entries.push(format!("{}={value}", name.to_ascii_lowercase()));
        }
    }
    Ok(entries)
}

/// The lines of an environment or label file: no comments, no leading blanks, a name in each.
pub fn file_lines(kind: &str, file: &str) -> Result<Vec<String>> {
    let bytes = fs::read(file).context(|| format!("open {file}"))?;
    lines_of(&bytes).context(|| format!("invalid {kind} file ({file})"))
}

fn lines_of(bytes: &[u8]) -> Result<Vec<String>> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(Error::invalid("it contains bytes that are not UTF-8"));
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = Vec::new();
    for line in text
        .lines()
        .map(|line| line.trim_start_matches([' ', '\t']))
    {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let name = line.split('=').next().unwrap_or("");
        if name.is_empty() {
            let why = format!("no variable name on line '{line}'");
            return Err(Error::invalid(why));
        }
        if name.contains([' ', '\t']) {
            let why = format!("variable '{name}' contains whitespaces");
            return Err(Error::invalid(why));
        }
        lines.push(line.to_owned());
    }
    Ok(lines)
}
