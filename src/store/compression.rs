//! Decompression by content, never by name or media type.
//!
//! gzip (all members), zstd (all frames, skippable ones included) and plain data. An incomplete end
//! or bytes after it are errors of kind `InvalidData`, which the store turns into `Corrupt`.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use super::read_ahead::BUFFER_BYTES;
use crate::error::{Context, Error, Result};

/// log2 of the largest zstd window: 128 MiB, what the zstd command accepts without being asked.
const ZSTD_WINDOW_LOG: u32 = 27;

/// The uncompressed bytes of `source`.
pub fn decompress<'a>(source: impl Read + Send + 'a) -> Result<Box<dyn Read + Send + 'a>> {
    let mut source = BufReader::with_capacity(BUFFER_BYTES, source);
    // The source's first read may be short; the longest magic has 6 bytes.
    let mut start = Vec::with_capacity(6);
    (&mut source)
        .take(6)
        .read_to_end(&mut start)
        .context(|| "read the start of the archive")?;
    let kind = sniff(&start);
    let whole = BufReader::with_capacity(BUFFER_BYTES, io::Cursor::new(start).chain(source));
    match kind {
        Kind::Plain => Ok(Box::new(whole)),
        Kind::Gzip => Ok(Box::new(Checked(MultiGzDecoder::new(whole)))),
        Kind::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(whole)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Ok(Box::new(Checked(decoder)))
        }
        Kind::Other(name) => Err(Error::unsupported(format!(
            "archives compressed with {name} are not supported"
        ))
        .hint("gzip, zstd and uncompressed archives are")),
    }
}

enum Kind {
    Plain,
    Gzip,
    Zstd,
    Other(&'static str),
}

fn sniff(start: &[u8]) -> Kind {
    match start {
        [0x1f, 0x8b, ..] => Kind::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Kind::Zstd,
        // A skippable frame (RFC 8878, 3.1.2) may come first.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Kind::Zstd,
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Kind::Other("xz"),
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A'] => Kind::Other("bzip2"),
        _ => Kind::Plain,
    }
}

/// Marks the decoder's own complaints as bad data; errors of the system keep their number.
struct Checked<R>(R);

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| {
            let is_ours = error.raw_os_error().is_none()
                && matches!(
                    error.kind(),
                    io::ErrorKind::Other
                        | io::ErrorKind::InvalidInput
                        | io::ErrorKind::InvalidData
                        | io::ErrorKind::UnexpectedEof
                );
            if is_ours {
                io::Error::new(io::ErrorKind::InvalidData, format!("decompress: {error}"))
            } else {
                error
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("writes");
        encoder.finish().expect("ends")
    }

    fn all(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        decompress(bytes)
            .expect("known format")
            .read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn gzip_members_and_zstd_frames_are_joined() {
        let two = [gzip(b"one "), gzip(b""), gzip(b"two")].concat();
        assert_eq!(all(&two).expect("reads"), b"one two");
        let frame = |bytes: &[u8]| zstd::encode_all(bytes, 1).expect("encodes");
        let skip = [b"\x53\x2a\x4d\x18\x03\0\0\0abc".to_vec()].concat();
        let zstd = [skip.clone(), frame(b"one "), skip, frame(b"two")].concat();
        assert_eq!(all(&zstd).expect("reads"), b"one two");
        assert_eq!(all(b"plain").expect("reads"), b"plain");
        assert_eq!(all(b"").expect("reads"), b"");
    }

    #[test]
    fn a12_a_truncated_end_or_bytes_after_it_are_refused() {
        let body: Vec<u8> = (0..100_000u32).map(|i| (i * i % 251) as u8).collect();
        for whole in [
            gzip(&body),
            zstd::encode_all(&body[..], 3).expect("encodes"),
        ] {
            assert_eq!(all(&whole).expect("reads"), body);
            for cut in [1, 4, 8, 100] {
                let error = all(&whole[..whole.len() - cut]).expect_err("truncated");
                assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
            }
            let trailing = [&whole[..], b"garbage"].concat();
            assert!(all(&trailing).is_err(), "bytes after the end");
        }
    }

    #[test]
    fn a12_a_zstd_window_over_128_mib_is_refused() {
        // Magic, frame header without single segment, window exponent 18 (2^28 bytes), one raw
        // last block of one byte.
        let frame = |exponent: u8| {
            let mut bytes = b"\x28\xb5\x2f\xfd\x00".to_vec();
            bytes.push(exponent << 3);
            bytes.extend_from_slice(&[0x09, 0, 0, b'x']);
            bytes
        };
        assert_eq!(all(&frame(17)).expect("128 MiB"), b"x");
        assert!(all(&frame(18)).is_err(), "256 MiB");
        assert!(all(&frame(21)).is_err(), "2 GiB");
    }

    #[test]
    fn unknown_compressions_are_named() {
        let error = decompress(&b"\xfd7zXZ\0rest"[..]).err().expect("refused");
        assert!(error.to_string().contains("xz"), "{error}");
    }
}
