//! Names of archive entries, checked before anything is done with them.

use crate::error::{Error, Result};
use crate::store::archive::show;

/// PATH_MAX of Linux, without the NUL.
const MAX_PATH: usize = 4095;
/// NAME_MAX of Linux.
const MAX_NAME: usize = 255;

/// A relative path without empty, `.` or `..` components. Empty for the root itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct EntryPath {
    bytes: Vec<u8>,
    /// Where the last component starts.
    name_at: usize,
}

impl EntryPath {
    /// Strips leading slashes; refuses `..`, which no honest layer contains.
    pub fn parse(raw: &[u8]) -> Result<EntryPath> {
        let mut bytes = Vec::with_capacity(raw.len());
        let mut name_at = 0;
        for part in raw.split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => continue,
                b".." => return Err(Error::invalid(format!("{} contains \"..\"", show(raw)))),
                _ if part.len() > MAX_NAME => {
                    return Err(Error::invalid(format!(
                        "{} has a component longer than {MAX_NAME} bytes",
                        show(raw)
                    )));
                }
                _ => {}
            }
            if !bytes.is_empty() {
                bytes.push(b'/');
            }
            name_at = bytes.len();
            bytes.extend_from_slice(part);
        }
        if bytes.len() > MAX_PATH {
            let shown = show(raw);
            return Err(Error::invalid(format!(
                "{shown} is longer than {MAX_PATH} bytes"
            )));
        }
        Ok(EntryPath { bytes, name_at })
    }

    pub fn is_root(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn parent(&self) -> &[u8] {
        &self.bytes[..self.name_at.saturating_sub(1)]
    }

    pub fn name(&self) -> &[u8] {
        &self.bytes[self.name_at..]
    }

    /// All components but the last.
    pub fn parents(&self) -> impl Iterator<Item = &[u8]> {
        self.parent()
            .split(|byte| *byte == b'/')
            .filter(|part| !part.is_empty())
    }
}
