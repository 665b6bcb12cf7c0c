//! The host's `/etc/passwd`, read without NSS (a static glibc binary must not load NSS modules).

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// More than any real user table; a larger file is not read further.
const LIMIT: u64 = 8 << 20;

/// The home directory of `uid` in the table at `path`, if it has an absolute one.
pub fn home_of(path: &Path, uid: u32) -> Option<PathBuf> {
    let mut bytes = Vec::new();
    File::open(path)
        .ok()?
        .take(LIMIT)
        .read_to_end(&mut bytes)
        .ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let home = text.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let same = fields.get(2)?.parse() == Ok(uid);
        same.then(|| fields.get(5).copied()).flatten()
    })?;
    home.starts_with('/').then(|| home.into())
}
