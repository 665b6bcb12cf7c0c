//! A stream of bytes → the pieces that become records: lines, or parts of lines that are too long.
//!
//! What has no end yet is kept, at most one piece a stream; the rest is handed on without a copy.

use super::{RECORD_MAX, Stream};

/// Cuts two streams at once.
#[derive(Debug, Default)]
pub(super) struct Lines {
    unfinished: [Vec<u8>; 2],
}

impl Lines {
    /// Hands `emit` every piece that `bytes` completes.
    pub(super) fn cut(&mut self, stream: Stream, bytes: &[u8], mut emit: impl FnMut(&[u8])) {
        let unfinished = &mut self.unfinished[stream as usize];
        let mut rest = bytes;
        while !rest.is_empty() {
            let window = &rest[..rest.len().min(RECORD_MAX - unfinished.len())];
            let newline = memchr::memchr(b'\n', window);
            let (piece, after) = rest.split_at(newline.map_or(window.len(), |at| at + 1));
            rest = after;
            let is_record = newline.is_some() || unfinished.len() + piece.len() >= RECORD_MAX;
            if is_record && unfinished.is_empty() {
                let whole = piece.len() - cut_character(piece);
                emit(&piece[..whole]);
                unfinished.extend_from_slice(&piece[whole..]);
                continue;
            }
            unfinished.extend_from_slice(piece);
            if is_record {
                let whole = unfinished.len() - cut_character(unfinished);
                emit(&unfinished[..whole]);
                unfinished.drain(..whole);
            }
        }
    }

    /// What is left of each stream when it has ended.
    pub(super) fn rest(&mut self, stream: Stream) -> Vec<u8> {
        std::mem::take(&mut self.unfinished[stream as usize])
    }
}

/// How many bytes at the end of `bytes` are the start of a character that is cut off there: each
/// half of it would turn into U+FFFD.
fn cut_character(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let whole = match bytes[bytes.len() - back] {
            0x80..=0xbf => continue,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        return if whole > back { back } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_character_is_seen_and_a_whole_one_is_not() {
        let euro = "€".as_bytes();
        assert_eq!(cut_character(&euro[..1]), 1);
        assert_eq!(cut_character(&euro[..2]), 2);
        assert_eq!(cut_character(euro), 0);
        assert_eq!(cut_character(b"\x80\x80\x80\x80"), 0);
        assert_eq!(cut_character(b"ab"), 0);
        assert_eq!(cut_character(&"😀".as_bytes()[..3]), 3);
        assert_eq!(cut_character(b""), 0);
    }

    #[test]
    fn f26_what_is_kept_is_bounded_and_nothing_is_lost() {
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        for _ in 0..100 {
            lines.cut(Stream::Stdout, &[b'x'; 7001], |piece| {
                assert!(piece.len() <= RECORD_MAX);
                seen.extend_from_slice(piece);
            });
            assert!(lines.unfinished[0].capacity() <= 2 * RECORD_MAX);
        }
        seen.extend(lines.rest(Stream::Stdout));
        assert_eq!(seen, vec![b'x'; 700_100]);
    }
}
