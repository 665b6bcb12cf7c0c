//! Names that users give to containers: `[a-zA-Z0-9][a-zA-Z0-9_.-]+`, at most 128 bytes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A container name. Holds no slash and never starts with a dot, so it is safe as a file name.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// The name as text, without Docker's leading slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.strip_prefix('/').unwrap_or(text);
        let first = text
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric());
        let rest = text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        if first && rest && (2..=128).contains(&text.len()) {
            return Ok(Name(text.to_owned()));
        }
        let shown: String = text.chars().take(140).collect();
        Err(Error::invalid(format!(
            "Invalid container name ({shown}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
        ))
        .hint("use 2 to 128 of these characters"))
    }
}

impl TryFrom<String> for Name {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a69_names_are_never_paths() {
        for good in ["ab", "a.b-c_9", "/web"] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        let long = "a".repeat(129);
        for bad in [
            "", "a", "/", ".", "..", "-a", ".a", "a/b", "a b", "a\n", "ä1", &long,
        ] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }
}
