//! Amounts of bytes: what users type (`64m`) and what tables show (`7.8MB`).

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// A number of bytes. Parses with binary units (docker's `RAMInBytes`), prints with decimal ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ByteSize(pub u64);

impl FromStr for ByteSize {
    type Err = Error;

    /// `[digits[.digits]][ ][b|k|m|g|t|p][i][b]`, any case; the units are powers of 1024.
    fn from_str(text: &str) -> Result<Self> {
        let refuse = || Error::invalid(format!("invalid size: '{text}'")).hint("e.g. 512m or 2g");
        let split = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let number: f64 = number.parse().map_err(|_| refuse())?;
        let unit = unit.strip_prefix(' ').unwrap_or(unit).to_ascii_lowercase();
        let power = match unit.as_str() {
            "" | "b" => 0,
            "k" | "kb" | "kib" => 1,
            "m" | "mb" | "mib" => 2,
            "g" | "gb" | "gib" => 3,
            "t" | "tb" | "tib" => 4,
            "p" | "pb" | "pib" => 5,
            _ => return Err(refuse()),
        };
        let bytes = number * 1024f64.powi(power);
        if !(0.0..9.2e18).contains(&bytes) {
            return Err(refuse());
        }
        Ok(ByteSize(bytes as u64))
    }
}

/// Four significant digits with decimal units, as go-units `HumanSize`: `7.798MB`, `9.14kB`, `0B`.
impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.human(4))
    }
}

impl ByteSize {
    /// Decimal units with this many significant digits and no trailing zeros; tables use 3.
    pub fn human(&self, digits: usize) -> String {
        const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
        self.scaled(1000.0, UNITS, digits)
    }

    /// Binary units with four significant digits, as go-units `BytesSize`: `1.191MiB`.
    pub fn binary(&self) -> String {
        const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        self.scaled(1024.0, UNITS, 4)
    }

    fn scaled(&self, base: f64, units: [&str; 7], digits: usize) -> String {
        let mut value = self.0 as f64;
        let mut unit = 0;
        while value >= base && unit + 1 < units.len() {
            value /= base;
            unit += 1;
        }
        let whole = (value as u64).to_string().len();
        let text = format!("{value:.*}", digits.saturating_sub(whole));
        let text = if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            &text
        };
        format!("{text}{}", units[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_parse_as_docker_units() {
        let table = [
            ("32", 32),
            ("32b", 32),
            ("32kb", 32 << 10),
            ("32Mi", 0),
            ("1.5g", 3 << 29),
            ("64m", 64 << 20),
        ];
        for (text, bytes) in table {
            match text.parse::<ByteSize>() {
                Ok(size) => assert_eq!(size.0, bytes, "{text}"),
                Err(_) => assert_eq!(bytes, 0, "{text}"),
            }
        }
        for bad in ["", "m", "-1", "1.2.3", "12x", "hello", "9999999999999t"] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn sizes_print_as_docker_units() {
        let table = [
            (0, "0B"),
            (1000, "1kB"),
            (9140, "9.14kB"),
            (73_800_000, "73.8MB"),
        ];
        for (bytes, text) in table {
            assert_eq!(ByteSize(bytes).to_string(), text);
        }
        assert_eq!(ByteSize(7_798_123).human(3), "7.8MB");
        let binary = [
            (0, "0B"),
            (1_248_832, "1.191MiB"),
            (64 << 20, "64MiB"),
            (1023, "1023B"),
        ];
        for (bytes, text) in binary {
            assert_eq!(ByteSize(bytes).binary(), text);
        }
    }
}
