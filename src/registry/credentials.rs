//! Logins, as the Docker client stores them: the `auths` of `~/.docker/config.json`.
//!
//! A login belongs to exactly one `host[:port]`; nothing is guessed from prefixes (CVE-2021-41092).

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde_json::Value;

use crate::config::Settings;
use crate::error::{Context, Error, Result};

/// A user name and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// User name.
    pub user: String,
    /// Password or access token.
    pub password: String,
}

/// Never the password: errors and logs are read by others.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({})", self.user)
    }
}

impl Credential {
    /// The value of a basic `Authorization` header.
    pub fn basic(&self) -> String {
        let pair = format!("{}:{}", self.user, self.password);
        format!("Basic {}", encode(pair.as_bytes()))
    }
}

/// The logins of one user by `host[:port]`.
#[derive(Debug, Clone, Default)]
pub struct Credentials(BTreeMap<String, Credential>);

impl Credentials {
    /// Reads the user's Docker client configuration; an absent file is no logins.
    pub fn load(settings: &Settings) -> Result<Self> {
        let home = || Some(settings.home.as_ref()?.join(".docker"));
        let docker = settings.docker_config.clone().or_else(home);
        let docker = docker.map(|directory| directory.join("config.json"));
        let Some(path): Option<PathBuf> = settings.auth_file.clone().or(docker) else {
            return Ok(Self::default());
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(error).context(|| format!("read {}", path.display())),
        };
        // The parser's message could quote the file, and with it a password: only its place is
        // told.
        let document: Value = serde_json::from_str(&text).map_err(|error| {
            let place = format!("line {} column {}", error.line(), error.column());
            Error::invalid(format!("{}: {place}: not JSON", path.display()))
        })?;
        Ok(Self::from_auths(&document))
    }

    fn from_auths(document: &Value) -> Self {
        let mut known = Self::default();
        let auths = document.get("auths").and_then(Value::as_object);
        for (server, entry) in auths.into_iter().flatten() {
            if let Some(credential) = read_entry(entry) {
                known.0.insert(host_of(server).to_owned(), credential);
            }
        }
        known
    }

    /// Adds or replaces the login of `registry` (`host[:port]`).
    pub fn insert(&mut self, registry: &str, credential: Credential) {
        self.0.insert(host_of(registry).to_owned(), credential);
    }

    /// The login for `host[:port][/repository]`: that of exactly this host.
    pub fn find(&self, name: &str) -> Option<&Credential> {
        self.0.get(name.split('/').next()?)
    }
}

/// `https://index.docker.io/v1/` is Docker's key for its hub; others may carry scheme and path.
fn host_of(server: &str) -> &str {
    let rest = server
        .strip_prefix("https://")
        .or_else(|| server.strip_prefix("http://"))
        .unwrap_or(server);
    match rest.split('/').next().unwrap_or_default() {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        host => host,
    }
}

fn read_entry(entry: &Value) -> Option<Credential> {
    let field = |name: &str| entry.get(name).and_then(Value::as_str);
    if let (Some(user), Some(password)) = (field("username"), field("password")) {
        return Some(Credential {
            user: user.to_owned(),
            password: password.to_owned(),
        });
    }
    let pair = String::from_utf8(decode(field("auth")?)?).ok()?;
    let (user, password) = pair.split_once(':')?;
    Some(Credential {
        user: user.to_owned(),
        password: password.trim_end_matches('\0').to_owned(),
    })
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding (RFC 4648, section 4).
fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut word = [0; 4];
        word[1..=chunk.len()].copy_from_slice(chunk);
        let word = u32::from_be_bytes(word);
        for position in 0..4 {
            let index = (word >> (18 - 6 * position)) & 63;
            let digit = ALPHABET[index as usize] as char;
            text.push(if position <= chunk.len() { digit } else { '=' });
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|known| *known == digit)?;
        bits = bits << 6 | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_matches_the_rfc_vectors() {
        let table = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, coded) in table {
            assert_eq!(encode(plain.as_bytes()), coded);
            assert_eq!(decode(coded).as_deref(), Some(plain.as_bytes()));
        }
        assert_eq!(decode("Zm9v!"), None);
    }

    #[test]
    fn a34_a_login_matches_one_host_exactly() {
        let document = serde_json::json!({"auths": {
            "reg.example": {"auth": "dTpwOnE="},
            "https://index.docker.io/v1/": {"username": "hub", "password": "x"},
            "broken.example": {"auth": "!!"}}});
        let known = Credentials::from_auths(&document);
        let found = known.find("reg.example").expect("stored");
        assert_eq!((found.user.as_str(), found.password.as_str()), ("u", "p:q"));
        assert_eq!(
            known.find("docker.io").map(|c| c.user.as_str()),
            Some("hub")
        );
        for other in [
            "reg.example.evil",
            "reg.example:444",
            "REG.example.",
            "broken.example",
        ] {
            assert!(known.find(other).is_none(), "{other}");
        }
        assert!(
            !format!("{known:?}").contains("p:q"),
            "no password in debug output"
        );
    }
}
