//! PAX extended headers: `LENGTH KEY=VALUE\n` records (pax(1), "pax Header Block").

use super::header::ambiguous;
use crate::error::{Error, Result};

/// What one extended header says about the next entry.
#[derive(Default)]
pub(super) struct Pax {
    pub path: Option<Vec<u8>>,
    pub link: Option<Vec<u8>>,
    pub size: Option<u64>,
    pub uid: Option<u64>,
    pub gid: Option<u64>,
    pub mtime: Option<(i64, u32)>,
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub sparse_major: Option<u64>,
    pub sparse_minor: Option<u64>,
    pub sparse_name: Option<Vec<u8>>,
    pub sparse_size: Option<u64>,
}

impl Pax {
    pub fn parse(bytes: &[u8]) -> Result<Pax> {
        let mut pax = Pax::default();
        for_each_record(bytes, |key, value| pax.take(key, value))?;
        Ok(pax)
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let name = String::from_utf8_lossy(key);
        match key {
            b"path" => self.path = Some(text(value, &name)?),
            b"linkpath" => self.link = Some(text(value, &name)?),
            b"size" => self.size = Some(decimal(value, &name)?),
            b"uid" => self.uid = Some(decimal(value, &name)?),
            b"gid" => self.gid = Some(decimal(value, &name)?),
            b"mtime" => self.mtime = Some(time(value)?),
            b"GNU.sparse.major" => self.sparse_major = Some(decimal(value, &name)?),
            b"GNU.sparse.minor" => self.sparse_minor = Some(decimal(value, &name)?),
            b"GNU.sparse.name" => self.sparse_name = Some(text(value, &name)?),
            b"GNU.sparse.realsize" => self.sparse_size = Some(decimal(value, &name)?),
            _ if key.starts_with(b"GNU.sparse.") => {
                return Err(Error::unsupported(
                    "sparse files in GNU's PAX formats 0.0 and 0.1 are not read",
                )
                .hint("write the archive with --sparse-version=1.0"));
            }
            _ => {
                if let Some(attribute) = key.strip_prefix(b"SCHILY.xattr.") {
                    self.xattrs.push((attribute.to_vec(), value.to_vec()));
                }
            }
        }
        Ok(())
    }
}

/// A global header may carry comments. What changes later entries is read by some programs and
/// skipped by others (Go, hence Docker).
pub(super) fn check_global(bytes: &[u8]) -> Result<()> {
    for_each_record(bytes, |key, _| {
        let changes_entries = matches!(
            key,
            b"path" | b"linkpath" | b"size" | b"uid" | b"gid" | b"mtime" | b"hdrcharset"
        ) || key.starts_with(b"GNU.sparse.")
            || key.starts_with(b"SCHILY.xattr.");
        if changes_entries {
            let name = String::from_utf8_lossy(key).into_owned();
            return Err(ambiguous(&format!("a global PAX header sets {name}")));
        }
        Ok(())
    })
}

fn for_each_record(
    mut bytes: &[u8],
    mut take: impl FnMut(&[u8], &[u8]) -> Result<()>,
) -> Result<()> {
    let malformed = || Error::corrupt("malformed PAX header");
    while !bytes.is_empty() {
        let space = bytes.iter().take(20).position(|b| *b == b' ');
        let space = space.ok_or_else(malformed)?;
        let digits = &bytes[..space];
        if digits.first() == Some(&b'0') {
            return Err(malformed());
        }
        let length = decimal(digits, "PAX record length")?;
        let length = usize::try_from(length).map_err(|_| malformed())?;
        let record = bytes.get(..length).ok_or_else(malformed)?;
        let body = record.get(space + 1..).ok_or_else(malformed)?;
        let body = body.strip_suffix(b"\n").ok_or_else(malformed)?;
        let equals = body.iter().position(|b| *b == b'=').ok_or_else(malformed)?;
        if equals == 0 || body[..equals].contains(&0) {
            return Err(malformed());
        }
        take(&body[..equals], &body[equals + 1..])?;
        bytes = &bytes[length..];
    }
    Ok(())
}

/// A name: not empty, without NUL.
fn text(value: &[u8], key: &str) -> Result<Vec<u8>> {
    if value.is_empty() || value.contains(&0) {
        return Err(ambiguous(&format!("PAX {key} is empty or contains NUL")));
    }
    Ok(value.to_vec())
}

fn decimal(value: &[u8], key: &str) -> Result<u64> {
    let digits = std::str::from_utf8(value)
        .ok()
        .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|text| text.parse::<u64>().ok())
        .filter(|number| i64::try_from(*number).is_ok());
    digits.ok_or_else(|| {
        let shown: String = value.escape_ascii().take(40).map(char::from).collect();
        Error::corrupt(format!("malformed {key} \"{shown}\""))
    })
}

/// Seconds with any number of decimals, rounded down to nanoseconds; huge ones are clamped.
fn time(value: &[u8]) -> Result<(i64, u32)> {
    let malformed = || Error::corrupt("malformed PAX mtime");
    let text = std::str::from_utf8(value).map_err(|_| malformed())?;
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(malformed());
    }
    let seconds = whole.parse::<i64>().unwrap_or(i64::MAX);
    let padded: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let nanoseconds: u32 = padded.parse().map_err(|_| malformed())?;
    Ok(match (negative, nanoseconds) {
        (false, _) => (seconds, nanoseconds),
        (true, 0) => (-seconds, 0),
        // -1.25 is 0.75 seconds after -2.
        (true, _) => (-seconds - 1, 1_000_000_000 - nanoseconds),
    })
}
