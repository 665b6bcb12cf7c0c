//! How a record stands in a file: Docker's json-file, or the format of the Kubernetes runtime
//! interface (CRI), which podman calls k8s-file.
//!
//! ```text
//! {"log":"hello\n","stream":"stdout","time":"2026-01-02T03:04:05.678Z"}
//! 2026-01-02T03:04:05.678Z stdout F hello
//! ```

use serde::Deserialize;

use super::{Record, Stream, escape};
use crate::base::Timestamp;

/// A file's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line, Docker's.
    Json,
    /// Time, stream, `F` for a full line or `P` for a part of one, then the bytes as they are.
    Cri,
}

/// What stands around each record of one stream at one time. Made once for everything that was read
/// together: short lines would cost several times their length otherwise.
#[derive(Debug)]
pub(super) struct Frame {
    format: Format,
    /// Before a full line, and before a part of one.
    heads: [Vec<u8>; 2],
    tail: Vec<u8>,
}

impl Frame {
    /// Appends the record of one piece.
    pub(super) fn push(&self, out: &mut Vec<u8>, text: &[u8]) {
        let [full, part] = &self.heads;
        match self.format {
            Format::Json => {
                out.extend_from_slice(full);
                escape::append(out, text);
                out.extend_from_slice(&self.tail);
            }
            Format::Cri => {
                let (head, line) = match text.strip_suffix(b"\n") {
                    Some(line) => (full, line),
                    None => (part, text),
                };
                out.extend_from_slice(head);
                out.extend_from_slice(line);
                out.extend_from_slice(&self.tail);
            }
        }
    }
}

impl Format {
    /// For records of this stream and time; `attributes` is a JSON object or empty.
    pub(super) fn frame(self, stream: Stream, attributes: &str, time: &str) -> Frame {
        let stream = stream.name();
        let (heads, tail) = match (self, attributes) {
            (Format::Json, "") => (
                [r#"{"log":""#.to_owned(), String::new()],
                format!("\",\"stream\":\"{stream}\",\"time\":\"{time}\"}}\n"),
            ),
            (Format::Json, _) => (
                [r#"{"log":""#.to_owned(), String::new()],
                format!(
                    "\",\"stream\":\"{stream}\",\"attrs\":{attributes},\"time\":\"{time}\"}}\n"
                ),
            ),
            (Format::Cri, _) => (
                [format!("{time} {stream} F "), format!("{time} {stream} P ")],
                "\n".to_owned(),
            ),
        };
        Frame {
            format: self,
            heads: heads.map(String::into_bytes),
            tail: tail.into_bytes(),
        }
    }

    /// Appends the engine's own note that so many bytes are missing here.
    pub(super) fn push_gap(self, out: &mut Vec<u8>, lost: u64, time: &str) {
        let text = format!("[{lost} bytes of output lost: the log could not be written]\n");
        match self {
            Format::Json => {
                let attributes = format!(r#"{{"lost":"{lost}"}}"#);
                let frame = self.frame(Stream::Stderr, &attributes, time);
                frame.push(out, text.as_bytes());
            }
            Format::Cri => {
                let line = format!("{time} stderr F:lost={lost} {text}");
                out.extend_from_slice(line.as_bytes());
            }
        }
    }

    /// The record on a line without its newline; `None` if it is none of ours.
    pub(super) fn parse(self, line: &[u8]) -> Option<Record> {
        match self {
            Format::Json => parse_json(line),
            Format::Cri => parse_cri(line),
        }
    }
}

/// The parts of a line that matter. Docker's own files parse too.
#[derive(Deserialize)]
struct Line {
    log: String,
    stream: String,
    time: Timestamp,
    #[serde(default)]
    attrs: Attributes,
}

#[derive(Deserialize, Default)]
struct Attributes {
    lost: Option<String>,
}

fn parse_json(line: &[u8]) -> Option<Record> {
    let line: Line = serde_json::from_slice(line).ok()?;
    Some(Record {
        stream: Stream::named(&line.stream)?,
        time: line.time,
        text: line.log.into_bytes(),
        lost_bytes: line.attrs.lost.and_then(|lost| lost.parse().ok()),
    })
}

fn parse_cri(line: &[u8]) -> Option<Record> {
    let mut parts = line.splitn(4, |byte| *byte == b' ');
    let mut word = || std::str::from_utf8(parts.next()?).ok();
    let (time, stream, tags) = (word()?, word()?, word()?);
    let (time, stream) = (time.parse().ok()?, Stream::named(stream)?);
    let mut text = parts.next()?.to_vec();
    let mut tags = tags.split(':');
    match tags.next() {
        Some("F") => text.push(b'\n'),
        Some("P") => {}
        _ => return None,
    }
    let lost = tags.find_map(|tag| tag.strip_prefix("lost="));
    Some(Record {
        stream,
        time,
        text,
        lost_bytes: lost.and_then(|lost| lost.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(format: Format, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let frame = format.frame(Stream::Stdout, "", "2026-01-02T03:04:05Z");
        frame.push(&mut out, text);
        out
    }

    #[test]
    fn a92_a_line_of_a_k8s_file_is_one_record_whatever_it_holds() {
        let forged = b"2001-01-01T00:00:00Z stderr F:lost=9 \0x\n";
        let stored = pushed(Format::Cri, forged);
        let head = "2026-01-02T03:04:05Z stdout F ".as_bytes();
        assert_eq!(stored, [head, forged].concat());
        let record = Format::Cri.parse(&stored[..stored.len() - 1]);
        let record = record.expect("is a record");
        assert_eq!(record.text, forged);
        assert_eq!((record.stream, record.lost_bytes), (Stream::Stdout, None));
        assert_eq!(record.time.to_string(), "2026-01-02T03:04:05Z");
        let part = pushed(Format::Cri, b"no end \xff");
        assert_eq!(part, b"2026-01-02T03:04:05Z stdout P no end \xff\n");
        let part = Format::Cri.parse(&part[..part.len() - 1]);
        assert_eq!(part.expect("is a record").text, b"no end \xff");
    }

    #[test]
    fn lines_of_others_are_passed_over() {
        for line in ["", "x", "2026-01-02T03:04:05Z stdout F", "a b c d", "{}"] {
            assert_eq!(Format::Cri.parse(line.as_bytes()), None, "{line:?}");
            assert_eq!(Format::Json.parse(line.as_bytes()), None, "{line:?}");
        }
    }

    #[test]
    fn a_gap_names_its_bytes_in_both_formats() {
        for format in [Format::Json, Format::Cri] {
            let mut out = Vec::new();
            format.push_gap(&mut out, 17, "2026-01-02T03:04:05Z");
            let record = format.parse(out.strip_suffix(b"\n").expect("is a line"));
            assert_eq!(record.expect("is a record").lost_bytes, Some(17));
        }
    }
}
