//! Container identifiers: 256 random bits, shown as 64 hex digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::digest::{hex, unhex};
use crate::error::{Error, Result};

/// The identifier of a container. Only hex digits, so it is safe as a file name everywhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContainerId([u8; 32]);

impl ContainerId {
    /// An identifier of these random bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        ContainerId(bytes)
    }

    /// The first 12 hex digits: host name, tables, run directory.
    pub fn short(&self) -> String {
        hex(&self.0[..6])
    }
}

impl FromStr for ContainerId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        unhex(text).map(ContainerId).ok_or_else(|| {
            let shown: String = text.chars().take(80).collect();
            Error::invalid(format!("invalid container id {shown:?}: not 64 hex digits"))
        })
    }
}

impl TryFrom<String> for ContainerId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ContainerId> for String {
    fn from(id: ContainerId) -> String {
        id.to_string()
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
