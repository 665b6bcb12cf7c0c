//! What a registry refuses, in words that are safe to print.

use std::io::Read;

use serde_json::Value;
use ureq::Body;

use crate::error::{Error, Kind};

/// Error bodies are read this far,
const READ_LIMIT: u64 = 1 << 20;
/// and this much of them is shown.
const SHOWN_LIMIT: usize = 1 << 10;

/// `text` with control characters as `\x1b` and at most 1 KiB: it comes from a stranger.
pub fn escaped(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        if shown.len() >= SHOWN_LIMIT {
            shown.push_str("...");
            break;
        }
        match character {
            c if c.is_control() => shown.push_str(&format!("\\x{:02x}", c as u32)),
            // Direction overrides can make a line read as another one.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => shown.push('?'),
            c => shown.push(c),
        }
    }
    shown
}

/// The registry's own words in an error body, or nothing.
pub fn message_of(body: Body) -> String {
    let mut bytes = Vec::new();
    // What was read before a failure is still the best explanation there is.
    let _ = body.into_reader().take(READ_LIMIT).read_to_end(&mut bytes);
    let document: Option<Value> = serde_json::from_slice(&bytes).ok();
    let first = document
        .as_ref()
        .and_then(|document| document.get("errors")?.get(0));
    let Some(first) = first else {
        return escaped(String::from_utf8_lossy(&bytes).trim());
    };
    let field = |name: &str| first.get(name).and_then(Value::as_str).unwrap_or_default();
    let code = field("code").to_ascii_lowercase().replace('_', " ");
    escaped(format!("{code}: {}", field("message")).trim_matches([':', ' ']))
}

/// Which way the bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Pull,
    Push,
}

/// Why one attempt gave nothing.
#[derive(Debug)]
pub enum Failure {
    /// The connection could not be made or broke.
    Transport(ureq::Error),
    /// The registry answered with this status.
    Status {
        /// HTTP status.
        code: u16,
        /// Its words, already escaped.
        message: String,
        /// Seconds it asked to wait.
        retry_after: Option<u64>,
    },
    /// We refuse what it answered.
    Refused(Error),
}

impl Failure {
    /// Whether the same request may succeed later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Failure::Transport(ureq::Error::Io(error)) => {
                error.kind() != std::io::ErrorKind::ConnectionRefused && !is_tls(error)
            }
            // Waiting once for nobody is long enough.
            Failure::Transport(ureq::Error::Timeout(ureq::Timeout::Connect)) => false,
            Failure::Transport(error) => matches!(
                error,
                ureq::Error::Timeout(_) | ureq::Error::Protocol(_) | ureq::Error::ConnectionFailed
            ),
            Failure::Status { code, .. } => matches!(code, 408 | 429 | 500..=599),
            Failure::Refused(_) => false,
        }
    }

    /// The error for the user; `what` is the thing asked for or sent, `host` the other side.
    pub fn into_error(self, direction: Direction, what: &str, host: &str) -> Error {
        let (verb, between) = match direction {
            Direction::Pull => ("get", "from"),
            Direction::Push => ("send", "to"),
        };
        match self {
            Failure::Refused(error) => error.wrap(format!("{what} {between} {host}")),
            Failure::Transport(error) => {
                let subject = format!("{verb} {what} {between} {host}");
                transport_error(&error, &subject, host)
            }
            Failure::Status {
                code,
                message,
                retry_after: _,
            } => status_error(code, message, direction, what, host),
        }
    }
}

fn status_error(code: u16, message: String, direction: Direction, what: &str, host: &str) -> Error {
    let message = match message.is_empty() {
        true if code == 404 => "not found".to_owned(),
        _ => message,
    };
    let registry = |why: String| Error::new(Kind::Registry, why);
    match (code, direction) {
        (404, Direction::Pull) => {
            Error::not_found(format!("{what} not found on {host}: {message}"))
                .hint("check the name and the tag")
        }
        (401 | 403, Direction::Pull) => registry(format!(
            "access to {what} denied by {host} (HTTP {code}): {message}: repository does not \
             exist or may require 'hull login'"
        ))
        .hint(format!("hull login {host}")),
        (401 | 403, Direction::Push) => registry(format!(
            "{what} refused by {host} (HTTP {code}): {message}: requested access to the resource \
             is denied"
        ))
        .hint(format!(
            "hull login {host}, and push to a name you may write to"
        )),
        (429, _) => registry(format!("{host} refuses {what}: {message}"))
            .hint("too many requests: wait, or log in for a higher limit"),
        (405, Direction::Push) => registry(format!("{host} takes no pushes: {message}"))
            .hint("a registry that is only a cache of another one is read-only"),
        (500..=599, _) => registry(format!("{host} answered HTTP {code} for {what}: {message}"))
            .hint("try again later"),
        (_, _) => registry(format!("{host} answered HTTP {code} for {what}: {message}")),
    }
}

fn is_tls(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::InvalidData
}

fn transport_error(error: &ureq::Error, subject: &str, host: &str) -> Error {
    let why = escaped(&error.to_string());
    let hint = match error {
        ureq::Error::HostNotFound => "check the registry's name and /etc/resolv.conf".to_owned(),
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => certificate_hint(host),
        ureq::Error::Io(io) if is_tls(io) => certificate_hint(host),
        _ => "check the network and the proxy settings, then try again".to_owned(),
    };
    Error::new(Kind::Registry, format!("{subject}: {why}")).hint(hint)
}

fn certificate_hint(host: &str) -> String {
    format!(
        "put its authority into /etc/docker/certs.d/{host}/ca.crt, or list {host:?} under \
         \"insecure-registries\" in /etc/hull/config.json"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a35_control_characters_and_floods_are_tamed() {
        assert_eq!(escaped("a\x1b[31m\r\x07b"), "a\\x1b[31m\\x0d\\x07b");
        let flood = "x".repeat(1 << 20);
        assert!(escaped(&flood).len() <= SHOWN_LIMIT + 3);
    }
}
