//! Who the user is to which registry.
//!
//! Logins come from the command line, from the files the user keeps them in, and from the programs
//! those files name. A login belongs to exactly one `host[:port]`, or to a path below one; nothing
//! is guessed from similar names (CVE-2021-41092).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::login_file::LoginFile;
use crate::config::Settings;
use crate::error::Result;

/// The user name that says "the password is an identity token", in the helpers' protocol.
const IDENTITY: &str = "<token>";

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
    /// A token that a token service exchanges for others, instead of name and password.
    pub fn of_identity(token: &str) -> Self {
        Credential {
            user: IDENTITY.to_owned(),
            password: token.to_owned(),
        }
    }

    /// The identity token, if that is what this is. No registry may see it as a password.
    pub fn identity_token(&self) -> Option<&str> {
        (self.user == IDENTITY).then_some(self.password.as_str())
    }

    /// The value of a basic `Authorization` header.
    pub fn basic(&self) -> String {
        let pair = format!("{}:{}", self.user, self.password);
        format!("Basic {}", encode(pair.as_bytes()))
    }
}

/// The logins of one user.
#[derive(Debug, Default)]
pub struct Credentials {
    /// From the command line, by `host[:port]`.
    given: BTreeMap<String, Credential>,
    files: Vec<LoginFile>,
    /// What was found already: a program may ask the user for a passphrase each time.
    found: Mutex<BTreeMap<String, Option<Credential>>>,
}

impl Credentials {
    /// Reads the user's files. One that cannot be read has no logins: most images need none.
    pub fn load(settings: &Settings) -> Self {
        let files = settings.login_files();
        let read = files.iter().filter_map(|path| {
            let read = LoginFile::read(path);
            read.inspect_err(|error| log::warn!("logins are left out: {error}"))
                .ok()
        });
        Credentials {
            files: read.collect(),
            ..Credentials::default()
        }
    }

    /// Adds or replaces the login of `registry` (`host[:port]`).
    pub fn insert(&mut self, registry: &str, credential: Credential) {
        self.given.insert(registry.to_owned(), credential);
    }

    /// The login for `host[:port][/repository]`: from the command line, else from the first file
    /// that has one.
    pub fn find(&self, name: &str) -> Result<Option<Credential>> {
        let host = name.split('/').next().unwrap_or_default();
        if let Some(given) = self.given.get(host) {
            return Ok(Some(given.clone()));
        }
        // Only inserted into; and a program is run once, whoever asks first.
        let mut known = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(name) {
            return Ok(found.clone());
        }
        let mut found = None;
        for file in &self.files {
            found = file.find(name)?;
            if found.is_some() {
                break;
            }
        }
        known.insert(name.to_owned(), found.clone());
        Ok(found)
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding (RFC 4648, section 4).
pub fn encode(bytes: &[u8]) -> String {
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

/// The bytes a text stands for; `None` if it is none of base64.
pub fn decode(text: &str) -> Option<Vec<u8>> {
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
    fn a34_no_password_in_debug_output() {
        let mut known = Credentials::default();
        let (user, password) = ("u".to_owned(), "p:q".to_owned());
        known.insert("reg.example", Credential { user, password });
        assert!(!format!("{known:?}").contains("p:q"));
        let found = |name: &str| known.find(name).expect("no file is read").is_some();
        assert!(
            found("reg.example/x") && !found("reg.example:444/x") && !found("reg.example.evil")
        );
    }
}
