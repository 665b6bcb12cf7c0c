//! `[SERVER]`: which registry is meant.

use std::path::PathBuf;

use crate::config::Settings;
use crate::error::{Error, Kind, Result};
use crate::registry::{DOCKER_KEY, place_of};

/// `host[:port][/path]`, docker.io when nothing is given. A protocol is left out: it is not the
/// user's to choose here.
pub fn place(word: Option<&str>) -> Result<String> {
    let Some(word) = word else {
        return Ok("docker.io".to_owned());
    };
    let place = place_of(word);
    let (host, path) = place.split_once('/').unwrap_or((place, ""));
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !name.ends_with(':') && !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let named = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let is_host = match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(named),
    };
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let is_path = path.is_empty() || format!("x.example/{path}").parse::<Path>().is_ok();
    if is_host && is_port && is_path {
        return Ok(place.to_owned());
    }
    Err(Error::invalid(format!("{word:?} is not a registry"))
        .hint("name it HOST[:PORT], as in reg.example:5000"))
}

type Path = crate::base::Reference;

/// How Docker shows the registry.
pub fn shown(place: &str) -> &str {
    match place {
        "docker.io" => DOCKER_KEY,
        other => other,
    }
}

/// The file logins are kept in.
pub fn login_file(settings: &Settings) -> Result<PathBuf> {
    let first = settings.login_files().into_iter().next();
    first.ok_or_else(|| {
        Error::new(Kind::System, "there is no home directory to keep logins in")
            .hint("set HOME or DOCKER_CONFIG, or name a file with --authfile")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_host_with_or_without_protocol() {
        for (word, expected) in [
            ("reg.example", "reg.example"),
            ("https://reg.example:5000/", "reg.example:5000"),
            ("http://reg.example/v1/", "reg.example"),
            ("https://index.docker.io/v1/", "docker.io"),
            ("index.docker.io", "docker.io"),
            ("localhost:5000", "localhost:5000"),
            ("[::1]:5000", "[::1]:5000"),
            ("[::1]", "[::1]"),
            ("reg.example/team", "reg.example/team"),
        ] {
            assert_eq!(place(Some(word)).expect(word), expected);
        }
        for bad in [
            "",
            "a b",
            "-x",
            "u@reg.example",
            "reg.example:0",
            "reg.example:x",
            "a:1:2",
            "[::1",
            "reg.example/../x",
            "reg.example/Team",
            "reg.example\n",
            "https://",
        ] {
            assert!(place(Some(bad)).is_err(), "{bad:?}");
        }
    }
}
