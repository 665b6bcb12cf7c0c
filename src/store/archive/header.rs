//! One 512-byte tar header.

use super::source::BLOCK;
use crate::error::{Error, Result};

/// The fixed fields, as far as every entry type needs them.
pub(super) struct Header {
    pub block: [u8; BLOCK],
    pub name: Vec<u8>,
    pub link: Vec<u8>,
    pub mode: u32,
    pub uid: u64,
    pub gid: u64,
    pub size: u64,
    pub mtime: i64,
    pub kind: u8,
}

const MAGIC_POSIX: &[u8] = b"ustar\0";

impl Header {
    pub fn parse(block: [u8; BLOCK]) -> Result<Header> {
        check_sum(&block)?;
        let kind = block[156];
        let is_posix = &block[257..263] == MAGIC_POSIX;
        let prefix = &block[345..500];
        let mut name = until_nul(&block[..100]).to_vec();
        if is_posix {
            // star keeps times where the last 24 bytes of the prefix are.
            if &block[508..512] == b"tar\0" && block[475] != 0 {
                return Err(ambiguous("a prefix in star's format"));
            }
            let prefix = until_nul(prefix);
            if !prefix.is_empty() {
                name = [prefix, b"/", &name].concat();
            }
        } else if kind != b'S' && prefix.iter().any(|byte| *byte != 0) {
            // Python joins it to the name, Go and GNU tar do not.
            return Err(ambiguous("a name prefix without the POSIX magic"));
        }
        Ok(Header {
            name,
            link: until_nul(&block[157..257]).to_vec(),
            mode: (unsigned(&block[100..108], "mode")? & 0o7777) as u32,
            uid: unsigned(&block[108..116], "uid")?,
            gid: unsigned(&block[116..124], "gid")?,
            size: unsigned(&block[124..136], "size")?,
            mtime: number(&block[136..148], "mtime")?,
            kind,
            block,
        })
    }

    /// Major and minor number of a device entry.
    pub fn device(&self) -> Result<(u32, u32)> {
        let part = |field: &[u8], name, limit: u64| {
            let value = unsigned(field, name)?;
            // The kernel's dev_t has 12 bits of major and 20 of minor.
            if value >= limit {
                return Err(Error::invalid(format!("{name} {value} is out of range")));
            }
            Ok(value as u32)
        };
        Ok((
            part(&self.block[329..337], "device major", 1 << 12)?,
            part(&self.block[337..345], "device minor", 1 << 20)?,
        ))
    }
}

pub(super) fn ambiguous(what: &str) -> Error {
    Error::corrupt(format!("tar programs disagree about it: {what}"))
        .hint("write the archive again with a current tar")
}

pub(super) fn until_nul(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0);
    &field[..end.unwrap_or(field.len())]
}

/// The sum of the block with its own field read as spaces. Old programs summed signed bytes.
fn check_sum(block: &[u8; BLOCK]) -> Result<()> {
    let stored = number(&block[148..156], "checksum")?;
    let spaced = |(index, byte): (usize, &u8)| {
        if (148..156).contains(&index) {
            b' '
        } else {
            *byte
        }
    };
    let bytes = || block.iter().enumerate().map(spaced);
    let plain: i64 = bytes().map(i64::from).sum();
    let signed: i64 = bytes().map(|byte| i64::from(byte.cast_signed())).sum();
    if stored != plain && stored != signed {
        return Err(Error::corrupt("a tar header has a wrong checksum"));
    }
    Ok(())
}

pub(super) fn unsigned(field: &[u8], name: &str) -> Result<u64> {
    let value = number(field, name)?;
    u64::try_from(value).map_err(|_| Error::corrupt(format!("{name} {value} is negative")))
}

/// Octal text, or base-256 with the top bit set (GNU): two's complement in the other bits.
fn number(field: &[u8], name: &str) -> Result<i64> {
    let malformed = || {
        let shown = field.escape_ascii();
        Error::corrupt(format!("malformed {name} \"{shown}\" in a tar header"))
    };
    if field[0] & 0x80 != 0 {
        let negative = match field[0] {
            0x80 => false,
            0xff => true,
            _ => return Err(malformed()),
        };
        let fill = if negative { 0xff } else { 0 };
        let (high, low) = field[1..].split_at(field.len().saturating_sub(9));
        let mut bytes = [fill; 8];
        bytes[8 - low.len()..].copy_from_slice(low);
        let value = i64::from_be_bytes(bytes);
        let fits = high.iter().all(|byte| *byte == fill) && (value < 0) == negative;
        return if fits { Ok(value) } else { Err(malformed()) };
    }
    let text = field.trim_ascii_start();
    let digits = text
        .iter()
        .take_while(|b| (b'0'..=b'7').contains(*b))
        .count();
    if !text[digits..].iter().all(|b| matches!(b, 0 | b' ')) {
        return Err(malformed());
    }
    // At most 12 digits of 3 bits: cannot overflow.
    let value = |sum: i64, digit: &u8| sum * 8 + i64::from(digit - b'0');
    Ok(text[..digits].iter().fold(0, value))
}
