//! `/etc/subuid` and `/etc/subgid` (subuid(5)): which ids beyond their own a user may map.
//!
//! A wrong line here hands one user the files of another, so ranges that are empty, overlap, or
//! cover an account are refused with the line to change rather than mapped.

use std::collections::HashMap;

use crate::error::{Error, Result};

/// `count` host ids from `first` on; never empty, never past the last id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    pub first: u32,
    pub count: u32,
}

impl Range {
    /// The last id of the range.
    pub fn last(&self) -> u32 {
        self.first + (self.count - 1)
    }

    fn overlaps(&self, other: &Range) -> bool {
        self.first <= other.last() && other.first <= self.last()
    }
}

/// One of the two files and what it is judged by.
pub struct Source<'a> {
    /// Named in messages.
    pub path: &'a str,
    /// The content of `/etc/subuid` or `/etc/subgid`.
    pub text: &'a str,
    /// The content of `/etc/passwd` or `/etc/group`: ids that belong to somebody already.
    pub accounts: &'a str,
}

/// The ranges of the user called `name` or `uid`, in file order (concatenated in the map).
pub fn ranges(source: &Source<'_>, name: Option<&str>, uid: u32) -> Result<Vec<Range>> {
    let number = uid.to_string();
    let mut own = Vec::new();
    let mut foreign = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let owner = line.split(':').next().unwrap_or_default();
        let is_own = owner == number || Some(owner) == name;
        match parse(line) {
            // The same line by name and by number is one grant, not two.
            Ok(range) if is_own && own.contains(&range) => {}
            Ok(range) if is_own => own.push(range),
            Ok(range) => foreign.push((owner, range)),
            Err(why) if is_own => {
                return Err(refuse(source, &format!("line {}: {why}", index + 1)));
            }
            // Somebody else's mistake is not ours to report; newuidmap skips it too.
            Err(_) => {}
        }
    }
    check(source, &own, &foreign)?;
    Ok(own)
}

/// The name of the account with this id in `/etc/passwd` or `/etc/group` text.
pub fn account_name(accounts: &str, id: u32) -> Option<&str> {
    accounts.lines().find_map(|line| {
        let (name, found) = account(line)?;
        (found == id).then_some(name)
    })
}

fn account(line: &str) -> Option<(&str, u32)> {
    let mut fields = line.split(':');
    let name = fields.next()?;
    let id = fields.nth(1)?.parse().ok()?;
    Some((name, id))
}

fn parse(line: &str) -> Result<Range, String> {
    let fields: Vec<&str> = line.split(':').collect();
    let &[_, first, count] = fields.as_slice() else {
        return Err(format!("'{line}' is not name:first:count"));
    };
    let number = |text: &str| text.parse::<u32>().map_err(|_| format!("bad id '{text}'"));
    let (first, count) = (number(first)?, number(count)?);
    if count == 0 {
        return Err("the range is empty".into());
    }
    // 2^32 - 1 means "no id" to the kernel.
    match first.checked_add(count) {
        Some(_) => Ok(Range { first, count }),
        None => Err("the range goes past the last id".into()),
    }
}

fn check(source: &Source<'_>, own: &[Range], foreign: &[(&str, Range)]) -> Result<()> {
    let accounts: HashMap<u32, &str> = source
        .accounts
        .lines()
        .filter_map(account)
        .map(|(name, id)| (id, name))
        .collect();
    for (index, range) in own.iter().enumerate() {
        let text = format!("{}:{}", range.first, range.count);
        if let Some(other) = own[..index].iter().find(|other| range.overlaps(other)) {
            let what = format!("{text} overlaps {}:{}", other.first, other.count);
            return Err(refuse(source, &what));
        }
        if let Some((owner, _)) = foreign.iter().find(|(_, other)| range.overlaps(other)) {
            return Err(refuse(source, &format!("{text} overlaps ids of {owner}")));
        }
        if let Some((id, name)) = accounts
            .iter()
            .find(|(id, _)| range.first <= **id && **id <= range.last())
        {
            let what = format!("{text} covers the account {name} ({id})");
            return Err(refuse(source, &what));
        }
    }
    Ok(())
}

fn refuse(source: &Source<'_>, what: &str) -> Error {
    let path = source.path;
    Error::invalid(format!("{path}: {what}")).hint(format!(
        "edit {path} so that your ranges are not empty and share no id with anybody"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n";

    fn read(text: &str) -> Result<Vec<Range>> {
        let source = Source {
            path: "/etc/subuid",
            text,
            accounts: PASSWD,
        };
        ranges(&source, Some("ann"), 1000)
    }

    #[test]
    fn ranges_by_name_and_by_uid_are_concatenated() {
        let text = "# c\n\nbob:1:5\nann:100000:65536\n1000:300000:10\nann:100000:65536\n";
        let expected = [(100_000, 65_536), (300_000, 10)];
        let expected = expected.map(|(first, count)| Range { first, count });
        assert_eq!(read(text).expect("valid"), expected);
        assert_eq!(
            read("annette:1:2\n10000:5:5\nbad line\n").expect("valid"),
            []
        );
    }

    #[test]
    fn a116_unsafe_ranges_are_refused_with_the_file_named() {
        let table = [
            ("ann:100000:0", "empty"),
            ("ann:100000:65536\nann:165535:10", "overlaps 100000:65536"),
            ("ann:100000:65536\nbob:165535:65536", "overlaps ids of bob"),
            ("ann:0:65536", "covers the account"),
            ("ann:900:200", "covers the account ann (1000)"),
            ("ann:4294967295:1", "past the last id"),
            ("ann:5:4294967295", "past the last id"),
            ("ann:-5:10", "bad id"),
            ("ann:100000", "not name:first:count"),
        ];
        for (text, words) in table {
            let error = read(text).expect_err(text);
            assert!(error.to_string().contains(words), "{text}: {error}");
            assert!(
                error
                    .hint_text()
                    .is_some_and(|hint| hint.contains("/etc/subuid"))
            );
        }
        // Benign twin: neighbours that touch share no id.
        assert!(read("ann:100000:65536\nbob:165536:65536\nann:34464:65536").is_ok());
    }

    #[test]
    fn account_names_are_found_by_id() {
        assert_eq!(account_name(PASSWD, 1000), Some("ann"));
        assert_eq!(account_name(PASSWD, 7), None);
    }
}
