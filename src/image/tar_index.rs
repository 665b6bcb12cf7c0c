//! Where the members of an image archive are in its tar file.
//!
//! A walk over the headers that reads no content: names and sizes are all an image archive needs.
//! Long names and PAX records are bounded before they are read, and a header that two programs
//! could skip differently is refused, because what follows it would be another archive to each.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::error::{Error, Result};

const BLOCK: u64 = 512;
/// Entries of an image archive; a real one has a few per layer.
const MAX_ENTRIES: usize = 100_000;
/// A long name or a set of PAX records.
const MAX_EXTENSION: u64 = 1 << 20;

/// A member of a tar file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    /// A regular file.
    File {
        /// Where its bytes begin.
        offset: u64,
        /// How many there are.
        length: u64,
    },
    /// Anything else, which nobody has a use for.
    Other,
}

/// What extension headers say about the next entry.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    size: Option<u64>,
}

/// Finds the members. Of several with one name the last counts, as in every tar.
pub fn index(file: &File) -> Result<HashMap<String, Member>> {
    let total = file.metadata()?.len();
    let mut members = HashMap::new();
    let mut extended = Extended::default();
    let mut at = 0;
    let mut entries = 0;
    while at < total {
        let mut block = [0; BLOCK as usize];
        if total - at < BLOCK {
            return Err(damaged("it ends in the middle of a header"));
        }
        file.read_exact_at(&mut block, at)?;
        if block.iter().all(|byte| *byte == 0) {
            break;
        }
        let header = tar::Header::from_byte_slice(&block);
        check_sum(header, &block)?;
        entries += 1;
        if entries > MAX_ENTRIES {
            return Err(damaged("it has more than 100,000 entries"));
        }
        let kind = header.entry_type();
        let own = header
            .entry_size()
            .map_err(|_| damaged("a size is not a number"))?;
        let is_extension = kind.is_pax_local_extensions() || kind.is_gnu_longname();
        let size = match is_extension {
            true => own,
            false => extended.size.take().unwrap_or(own),
        };
        let offset = at + BLOCK;
        let end = offset.checked_add(size).filter(|end| *end <= total);
        let end = end.ok_or_else(|| damaged("it ends in the middle of a file"))?;
        at = end
            .next_multiple_of(BLOCK)
            .min(total.next_multiple_of(BLOCK));
        if is_extension {
            let bytes = read_extension(file, offset, size)?;
            if kind.is_gnu_longname() {
                extended.path = Some(until_nul(&bytes).to_vec());
            } else {
                read_pax(&bytes, &mut extended)?;
            }
            continue;
        }
        let path = extended.path.take();
        if kind.is_pax_global_extensions() || kind.is_gnu_longlink() {
            continue;
        }
        let path = path.unwrap_or_else(|| header.path_bytes().into_owned());
        let member = member_of(kind, offset, size)?;
        // A name that is no text is no name an image refers to.
        if let Ok(name) = String::from_utf8(path) {
            members.insert(name.trim_start_matches("./").to_owned(), member);
        }
    }
    match members.is_empty() {
        true => Err(damaged("it is empty")),
        false => Ok(members),
    }
}

fn member_of(kind: tar::EntryType, offset: u64, length: u64) -> Result<Member> {
    if kind.is_file() || kind.is_contiguous() {
        return Ok(Member::File { offset, length });
    }
    if kind.is_gnu_sparse() {
        return Err(damaged("it has a sparse file"));
    }
    // Some programs skip what a size on a link or directory announces, others do not.
    match length {
        0 => Ok(Member::Other),
        _ => Err(damaged("something that is no file has a size")),
    }
}

/// The header's sum, with its own field taken as spaces.
fn check_sum(header: &tar::Header, block: &[u8; BLOCK as usize]) -> Result<()> {
    let others = block[..148].iter().chain(&block[156..]);
    let sum: u32 = others.map(|byte| u32::from(*byte)).sum();
    match header.cksum() {
        Ok(said) if said == sum + 8 * u32::from(b' ') => Ok(()),
        _ => Err(damaged("a header's sum is wrong")),
    }
}

fn read_extension(file: &File, offset: u64, size: u64) -> Result<Vec<u8>> {
    if size > MAX_EXTENSION {
        return Err(damaged("a name has more than 1 MiB"));
    }
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

/// PAX records (pax(1), "pax Extended Header"): `LENGTH KEY=VALUE\n`.
fn read_pax(bytes: &[u8], extended: &mut Extended) -> Result<()> {
    for record in tar::PaxExtensions::new(bytes) {
        let record = record.map_err(|_| damaged("a PAX record is malformed"))?;
        match record.key_bytes() {
            b"path" => extended.path = Some(record.value_bytes().to_vec()),
            b"size" => {
                let size = record.value().ok().and_then(|text| text.parse().ok());
                extended.size = Some(size.ok_or_else(|| damaged("a size is not a number"))?);
            }
            _ => {}
        }
    }
    Ok(())
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn damaged(why: &str) -> Error {
    Error::corrupt(format!("not a usable tar archive: {why}")).hint("is the file complete?")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn index_of(bytes: &[u8]) -> Result<HashMap<String, Member>> {
        let memory = rustix::fs::memfd_create(c"tar", rustix::fs::MemfdFlags::CLOEXEC);
        let mut file = File::from(memory.expect("memfd"));
        file.write_all(bytes).expect("fixture");
        index(&file)
    }

    fn header(kind: tar::EntryType, name: &str, size: u64) -> Vec<u8> {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_path(name).expect("path");
        header.set_cksum();
        header.as_bytes().to_vec()
    }

    fn member(bytes: &mut Vec<u8>, kind: tar::EntryType, name: &str, content: &[u8]) {
        bytes.extend(header(kind, name, content.len() as u64));
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }

    #[test]
    fn members_are_found_with_long_names_and_pax_sizes() {
        let mut bytes = Vec::new();
        member(&mut bytes, tar::EntryType::Regular, "./short", b"abc");
        member(&mut bytes, tar::EntryType::GNULongName, "x", b"gnu/long\0");
        member(&mut bytes, tar::EntryType::Regular, "cut", b"12345");
        member(
            &mut bytes,
            tar::EntryType::XHeader,
            "x",
            b"12 path=pax\n12 size=600\n",
        );
        bytes.extend(header(tar::EntryType::Regular, "cut", 0));
        bytes.resize(bytes.len() + 1024, b'x');
        member(&mut bytes, tar::EntryType::Regular, "last", b"z");
        let found = index_of(&bytes).expect("index");
        let length = |name: &str| match found[name] {
            Member::File { length, .. } => length,
            Member::Other => panic!("{name} is a file"),
        };
        assert_eq!((length("short"), length("gnu/long")), (3, 5));
        assert_eq!((length("pax"), length("last")), (600, 1));
    }

    #[test]
    fn a19_huge_names_are_refused_without_being_read() {
        // The size is announced; a sparse file of that length costs the attacker nothing.
        let huge = header(tar::EntryType::GNULongName, "x", MAX_EXTENSION + 1);
        let memory = rustix::fs::memfd_create(c"tar", rustix::fs::MemfdFlags::CLOEXEC);
        let mut file = File::from(memory.expect("memfd"));
        file.write_all(&huge).expect("fixture");
        file.set_len(8 << 30).expect("sparse");
        let error = index(&file).expect_err("refused");
        assert!(error.to_string().contains("more than 1 MiB"), "{error}");
    }

    #[test]
    fn headers_that_can_be_read_in_two_ways_are_refused() {
        let mut linked = Vec::new();
        member(&mut linked, tar::EntryType::Symlink, "l", b"xyz");
        assert!(index_of(&linked).is_err());
        let mut broken = Vec::new();
        member(&mut broken, tar::EntryType::Regular, "a", b"1");
        broken[0] ^= 1;
        assert!(index_of(&broken).is_err());
        assert!(index_of(&[]).is_err());
        assert!(index_of(&[0; 1024]).is_err());
    }
}
