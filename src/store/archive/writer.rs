//! Headers of a tar entry, the same bytes for the same entry every time: ustar, with PAX records
//! only for what ustar cannot hold.

use super::source::BLOCK;
use super::sparse::Segment;
use super::{Entry, EntryKind};

/// Appends the headers of `entry` to `out`. For a sparse file, also the map its data begins with.
pub(in crate::store) fn write_headers(entry: &Entry, out: &mut Vec<u8>) {
    let map = entry
        .segments
        .as_deref()
        .map(|parts| sparse_map(parts, entry.size));
    let data: u64 = match (&entry.segments, &map) {
        (Some(segments), Some(map)) => {
            map.len() as u64 + segments.iter().map(|part| part.length).sum::<u64>()
        }
        _ if entry.kind == EntryKind::File => entry.size,
        _ => 0,
    };
    let records = pax_records(entry, data);
    if !records.is_empty() {
        let mut header = Fields::new(b"PaxHeaders.0/entry", b"", b'x');
        header.octal(100, 8, 0o644);
        header.octal(124, 12, records.len() as u64);
        out.extend_from_slice(&header.finish());
        out.extend_from_slice(&records);
        pad(out);
    }
    let name: &[u8] = if map.is_some() {
        b"GNUSparseFile.0/entry"
    } else {
        &entry.path
    };
    let mut header = Fields::new(name, &entry.link, type_of(&entry.kind));
    header.octal(100, 8, u64::from(entry.mode));
    header.octal(108, 8, fitting(u64::from(entry.uid), 7));
    header.octal(116, 8, fitting(u64::from(entry.gid), 7));
    header.octal(124, 12, fitting(data, 11));
    let seconds = u64::try_from(entry.mtime.0).unwrap_or(0);
    header.octal(136, 12, fitting(seconds, 11));
    if let EntryKind::Character(major, minor) | EntryKind::Block(major, minor) = entry.kind {
        header.octal(329, 8, u64::from(major));
        header.octal(337, 8, u64::from(minor));
    }
    out.extend_from_slice(&header.finish());
    out.extend(map.into_iter().flatten());
}

/// Fills the last block up.
fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(BLOCK), 0);
}

fn type_of(kind: &EntryKind) -> u8 {
    match kind {
        EntryKind::File => b'0',
        EntryKind::HardLink => b'1',
        EntryKind::Symlink => b'2',
        EntryKind::Character(..) => b'3',
        EntryKind::Block(..) => b'4',
        EntryKind::Directory => b'5',
        EntryKind::Fifo => b'6',
    }
}

/// Whether a number fits into so many octal digits.
fn fits(value: u64, digits: u32) -> bool {
    value < 1 << (3 * digits)
}

/// The number, or 0 where a PAX record says it instead.
fn fitting(value: u64, digits: u32) -> u64 {
    if fits(value, digits) { value } else { 0 }
}

/// PAX 1.0: the number of segments, then offset and length of each, padded to a block. GNU tar
/// makes a file as long as its last segment says, so a hole at the end needs an empty one.
fn sparse_map(segments: &[Segment], size: u64) -> Vec<u8> {
    let end = segments.last().map_or(0, |last| last.offset + last.length);
    let tail = (end < size).then_some(Segment {
        offset: size,
        length: 0,
    });
    let count = segments.len() + usize::from(tail.is_some());
    let mut map = format!("{count}\n").into_bytes();
    for part in segments.iter().chain(&tail) {
        map.extend_from_slice(format!("{}\n{}\n", part.offset, part.length).as_bytes());
    }
    pad(&mut map);
    map
}

fn pax_records(entry: &Entry, data: u64) -> Vec<u8> {
    let mut records = Vec::new();
    let mut add = |key: &[u8], value: &[u8]| records.extend(record(key, value));
    let number = |value: u64| value.to_string().into_bytes();
    let is_sparse = entry.segments.is_some();
    if is_sparse {
        add(b"GNU.sparse.major", b"1");
        add(b"GNU.sparse.minor", b"0");
        add(b"GNU.sparse.name", &entry.path);
        add(b"GNU.sparse.realsize", &number(entry.size));
    } else if entry.path.len() > 100 {
        add(b"path", &entry.path);
    }
    if entry.link.len() > 100 {
        add(b"linkpath", &entry.link);
    }
    if !fits(data, 11) {
        add(b"size", &number(data));
    }
    for (key, id) in [(b"uid", entry.uid), (b"gid", entry.gid)] {
        if !fits(u64::from(id), 7) {
            add(key, &number(u64::from(id)));
        }
    }
    if u64::try_from(entry.mtime.0).map_or(true, |seconds| !fits(seconds, 11)) {
        add(b"mtime", entry.mtime.0.to_string().as_bytes());
    }
    for (name, value) in &entry.xattrs {
        add(&[b"SCHILY.xattr.", &name[..]].concat(), value);
    }
    records
}

/// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    [length.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}

/// A header block being filled.
struct Fields([u8; BLOCK]);

impl Fields {
    fn new(name: &[u8], link: &[u8], kind: u8) -> Fields {
        let mut fields = Fields([0; BLOCK]);
        fields.text(0, name);
        fields.text(157, link);
        fields.0[156] = kind;
        fields.0[257..265].copy_from_slice(b"ustar\x0000");
        for (at, length) in [(100, 8), (108, 8), (116, 8), (124, 12), (136, 12)] {
            fields.octal(at, length, 0);
        }
        fields
    }

    /// At most 100 bytes; a PAX record has the whole text of a longer one.
    fn text(&mut self, at: usize, text: &[u8]) {
        let length = text.len().min(100);
        self.0[at..at + length].copy_from_slice(&text[..length]);
    }

    /// Octal digits and a NUL.
    fn octal(&mut self, at: usize, length: usize, value: u64) {
        let digits = format!("{value:0width$o}", width = length - 1);
        self.0[at..at + length - 1].copy_from_slice(digits.as_bytes());
        self.0[at + length - 1] = 0;
    }

    fn finish(mut self) -> [u8; BLOCK] {
        self.0[148..156].fill(b' ');
        let sum: u64 = self.0.iter().map(|byte| u64::from(*byte)).sum();
        self.octal(148, 7, sum);
        self.0[155] = b' ';
        self.0
    }
}
