//! Compressing a layer for a registry: the same layer gives the same blob each time.
//!
//! The gzip header has no time and no name, and the bytes reach the compressor in pieces of one
//! size, whatever they are read from.

use std::fs::File;
use std::io::{self, Write};

use flate2::GzBuilder;
use sha2::{Digest as _, Sha256};

use super::layer_source::LayerSource;
use crate::base::Digest;
use crate::error::{Context, Error, Result};
use crate::store::{Packed, Store, fill};

/// "Unknown", whatever machine this is (RFC 1952, 2.3.1).
const UNKNOWN_SYSTEM: u8 = 255;

/// How layers are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    Gzip { level: u32 },
    Zstd { level: u32 },
}

impl Compression {
    /// What everybody can read, at the level its tool has by default.
    pub const DEFAULT: Compression = Compression::Gzip { level: 6 };

    /// `--compression-format` with its `--compression-level`.
    pub fn new(format: &str, level: Option<u32>) -> Result<Compression> {
        let (made, most) = match format {
            "gzip" => (
                Compression::Gzip {
                    level: level.unwrap_or(6),
                },
                9,
            ),
            "zstd" => (
                Compression::Zstd {
                    level: level.unwrap_or(3),
                },
                20,
            ),
            other => {
                let why = format!("compression format {other:?} is not supported");
                return Err(Error::invalid(why).hint("gzip and zstd are"));
            }
        };
        match level {
            Some(level) if !(1..=most).contains(&level) => Err(Error::invalid(format!(
                "compression level {level}: {format} has 1 to {most}"
            ))),
            _ => Ok(made),
        }
    }

    /// Its name in notes.
    pub fn name(self) -> String {
        match self {
            Compression::Gzip { level } => format!("gzip-{level}"),
            Compression::Zstd { level } => format!("zstd-{level}"),
        }
    }
}

/// Compresses a layer into a file without a name.
pub fn pack(store: &Store, layer: &LayerSource, way: Compression) -> Result<(Packed, File)> {
    let subject = || format!("compress layer {}", layer.diff_id);
    let file = store.unnamed_file().context(subject)?;
    let tar = layer.tar()?;
    let out = Hashed {
        file: &file,
        hasher: Sha256::new(),
        size: 0,
    };
    // A layer that is damaged says so itself.
    let what = |error: io::Error| Error::from(error);
    let out = match way {
        Compression::Gzip { level } => {
            let header = GzBuilder::new().mtime(0).operating_system(UNKNOWN_SYSTEM);
            let mut encoder = header.write(out, flate2::Compression::new(level));
            fill(&mut encoder, &file, tar, what).context(subject)?;
            encoder.finish()
        }
        Compression::Zstd { level } => {
            let mut encoder = zstd::Encoder::new(out, level.cast_signed()).context(subject)?;
            encoder.include_checksum(true).context(subject)?;
            fill(&mut encoder, &file, tar, what).context(subject)?;
            encoder.finish()
        }
    };
    let out = out.context(subject)?;
    let packed = Packed {
        digest: Digest::from_hasher(out.hasher),
        size: out.size,
    };
    Ok((packed, file))
}

/// Writes to a file and hashes what it writes.
struct Hashed<'a> {
    file: &'a File,
    hasher: Sha256,
    size: u64,
}

impl Write for Hashed<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.file.write(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use super::super::layer_source::{layer_sources, tests::scene};
    use super::super::tests::fixture::tar_of;
    use super::*;
    use crate::store::decompress;

    #[test]
    fn a_layer_gives_the_same_blob_each_time_and_its_tar_back() {
        let big = "text ".repeat(1 << 20);
        let (scratch, made) = scene(&[&[("a", &big)]]);
        let layer = &layer_sources(&scratch.store, &made.manifest).expect("read")[0];
        for way in [
            Compression::DEFAULT,
            Compression::Gzip { level: 1 },
            Compression::Zstd { level: 3 },
        ] {
            let (packed, mut file) = pack(&scratch.store, layer, way).expect("packs");
            let (again, _) = pack(&scratch.store, layer, way).expect("packs");
            assert_eq!(packed, again);
            let mut blob = Vec::new();
            file.rewind().expect("rewinds");
            file.read_to_end(&mut blob).expect("reads");
            assert_eq!(Digest::of(&blob), packed.digest);
            assert_eq!(blob.len() as u64, packed.size);
            let mut tar = Vec::new();
            decompress(&blob[..])
                .expect("known")
                .read_to_end(&mut tar)
                .expect("reads");
            assert!(tar == tar_of(&[("a", &big)]), "{way:?}");
        }
    }

    #[test]
    fn a_gzip_header_tells_neither_time_nor_machine() {
        let (scratch, made) = scene(&[&[("a", "1")]]);
        let layer = &layer_sources(&scratch.store, &made.manifest).expect("read")[0];
        let (_, mut file) = pack(&scratch.store, layer, Compression::DEFAULT).expect("packs");
        let mut head = [0; 10];
        file.rewind().expect("rewinds");
        file.read_exact(&mut head).expect("reads");
        assert_eq!(head[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
        assert_eq!(head[9], UNKNOWN_SYSTEM);
    }

    #[test]
    fn levels_have_their_limits() {
        assert!(Compression::new("gzip", Some(9)).is_ok());
        assert!(Compression::new("gzip", Some(10)).is_err());
        assert!(Compression::new("gzip", Some(0)).is_err());
        assert!(Compression::new("zstd", Some(20)).is_ok());
        let error = Compression::new("xz", None).expect_err("refused");
        assert_eq!(error.hint_text(), Some("gzip and zstd are"));
    }
}
