//! Sparse files: GNU's old format (type `S`) and PAX 1.0.

use super::header::unsigned;
use super::pax::Pax;
use super::source::{BLOCK, Source};
use crate::error::{Error, Result};

/// More segments than this are refused before memory is taken for them (CVE-2025-58183).
const MAX_SEGMENTS: usize = 65_536;

/// A run of data in a sparse file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Segment {
    pub offset: u64,
    pub length: u64,
}

/// Reads the map of an old GNU sparse entry: four pairs in the header, 21 in each further block.
pub(super) fn read_gnu_map(
    source: &mut Source,
    header: &[u8; BLOCK],
) -> Result<(Vec<Segment>, u64)> {
    let real_size = unsigned(&header[483..495], "sparse size")?;
    let mut segments = Vec::new();
    push_pairs(&mut segments, &header[386..482])?;
    let mut extended = header[482] != 0;
    while extended {
        let block = source.block()?.ok_or_else(super::source::truncated)?;
        push_pairs(&mut segments, &block[..504])?;
        extended = block[504] != 0;
    }
    Ok((segments, real_size))
}

fn push_pairs(segments: &mut Vec<Segment>, fields: &[u8]) -> Result<()> {
    for pair in fields.chunks_exact(24) {
        // The first empty field ends the list, as for every reader.
        if pair[0] == 0 || pair[12] == 0 {
            return Ok(());
        }
        push(
            segments,
            unsigned(&pair[..12], "sparse offset")?,
            unsigned(&pair[12..], "sparse length")?,
        )?;
    }
    Ok(())
}

/// Reads the map at the start of a PAX 1.0 sparse entry's data: a count, then offset and length of
/// each segment, one decimal number a line, padded to a block. Returns the bytes it took.
pub(super) fn read_pax_map(source: &mut Source, size: u64) -> Result<(Vec<Segment>, u64)> {
    let mut lines = Lines {
        source,
        block: Vec::new(),
        at: 0,
        taken: 0,
        size,
    };
    let count = lines.number()?;
    if count > MAX_SEGMENTS as u64 {
        return Err(too_many());
    }
    let mut segments = Vec::new();
    for _ in 0..count {
        let offset = lines.number()?;
        let length = lines.number()?;
        push(&mut segments, offset, length)?;
    }
    Ok((segments, lines.taken))
}

struct Lines<'a> {
    source: &'a mut Source,
    block: Vec<u8>,
    at: usize,
    taken: u64,
    size: u64,
}

impl Lines<'_> {
    fn number(&mut self) -> Result<u64> {
        let malformed = || Error::corrupt("malformed sparse map");
        let mut value: u64 = 0;
        for position in 0..21 {
            match self.byte()? {
                b'\n' if position > 0 => return Ok(value),
                digit @ b'0'..=b'9' => {
                    let shifted = value.checked_mul(10).ok_or_else(malformed)?;
                    let next = shifted.checked_add(u64::from(digit - b'0'));
                    value = next.ok_or_else(malformed)?;
                }
                _ => return Err(malformed()),
            }
        }
        Err(malformed())
    }

    fn byte(&mut self) -> Result<u8> {
        if self.at == self.block.len() {
            if self.taken + BLOCK as u64 > self.size {
                return Err(Error::corrupt("a sparse map is longer than its entry"));
            }
            self.block = self.source.bytes(BLOCK)?;
            self.taken += BLOCK as u64;
            self.at = 0;
        }
        self.at += 1;
        Ok(self.block[self.at - 1])
    }
}

fn push(segments: &mut Vec<Segment>, offset: u64, length: u64) -> Result<()> {
    if segments.len() >= MAX_SEGMENTS {
        return Err(too_many());
    }
    segments.push(Segment { offset, length });
    Ok(())
}

fn too_many() -> Error {
    Error::invalid(format!("a sparse file has over {MAX_SEGMENTS} segments"))
}

/// Segments must ascend without overlap, end inside the file and be exactly the data that follows.
pub(super) fn check(segments: &[Segment], data: u64, real_size: u64) -> Result<()> {
    let mut end = 0u64;
    let mut sum = 0u64;
    for segment in segments {
        let next = segment.offset.checked_add(segment.length);
        let next = next.filter(|next| segment.offset >= end && *next <= real_size);
        end = next.ok_or_else(|| Error::corrupt("a sparse map overlaps or leaves its file"))?;
        sum += segment.length;
    }
    if sum != data {
        return Err(Error::corrupt("a sparse map does not match its data"));
    }
    Ok(())
}

/// The map kind a PAX header announces: `Some` if it is version 1.0.
pub(super) fn pax_real_size(pax: &Pax) -> Result<Option<u64>> {
    match (pax.sparse_major, pax.sparse_minor, pax.sparse_size) {
        (None, None, None) => Ok(None),
        (Some(1), Some(0), Some(size)) => Ok(Some(size)),
        _ => Err(Error::unsupported("unknown version of a sparse file")
            .hint("write the archive with --sparse-version=1.0")),
    }
}
