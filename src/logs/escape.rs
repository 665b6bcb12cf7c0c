//! Bytes of any kind → the inside of a JSON string, exactly as Docker's json-file writes it.

/// 1 where a byte cannot stand for itself: controls, quote, backslash, and `<>&` as in Go.
const SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table[b'<' as usize] = true;
    table[b'>' as usize] = true;
    table[b'&' as usize] = true;
    // U+2028 and U+2029 start with this byte; JavaScript takes them for line ends.
    table[0xe2] = true;
    table
};

/// Appends `bytes` to `out`, escaped. Each byte that is not part of UTF-8 becomes one U+FFFD.
pub(super) fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        append_valid(out, text.as_bytes());
        return;
    }
    for chunk in bytes.utf8_chunks() {
        append_valid(out, chunk.valid().as_bytes());
        for _ in chunk.invalid() {
            out.extend_from_slice(br"\ufffd");
        }
    }
}

fn append_valid(out: &mut Vec<u8>, text: &[u8]) {
    let mut from = 0;
    for (at, byte) in text.iter().enumerate() {
        if !SPECIAL[usize::from(*byte)] {
            continue;
        }
        let separator = match text[at..] {
            [0xe2, 0x80, last @ (0xa8 | 0xa9), ..] => Some(last),
            [0xe2, ..] => continue,
            _ => None,
        };
        out.extend_from_slice(&text[from..at]);
        from = at + 1;
        match (byte, separator) {
            (_, Some(last)) => {
                out.extend_from_slice(br"\u202");
                out.push(b'8' + (last - 0xa8));
                from = at + 3;
            }
            (b'"' | b'\\', None) => out.extend_from_slice(&[b'\\', *byte]),
            (b'\n', None) => out.extend_from_slice(br"\n"),
            (b'\r', None) => out.extend_from_slice(br"\r"),
            (_, None) => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(br"\u00");
                out.push(DIGITS[usize::from(byte >> 4)]);
                out.push(DIGITS[usize::from(byte & 15)]);
            }
        }
    }
    out.extend_from_slice(&text[from..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(bytes: &[u8]) -> String {
        let mut out = Vec::new();
        append(&mut out, bytes);
        String::from_utf8(out).expect("is UTF-8")
    }

    #[test]
    fn a92_text_is_escaped_as_docker_does() {
        let table: [(&[u8], &str); 9] = [
            (b"plain", "plain"),
            (b"a\"b\\c\n\r", r#"a\"b\\c\n\r"#),
            (b"\0\x1b[31m\t\x7f", "\\u0000\\u001b[31m\\u0009\x7f"),
            (b"<a>&", r"\u003ca\u003e\u0026"),
            ("é€😀".as_bytes(), "é€😀"),
            (
                "\u{2028}\u{2029}\u{202a}".as_bytes(),
                "\\u2028\\u2029\u{202a}",
            ),
            (b"\xff", r"\ufffd"),
            (b"a\xe2\x82", r"a\ufffd\ufffd"),
            (b"\xc0\xaf", r"\ufffd\ufffd"),
        ];
        for (bytes, text) in table {
            assert_eq!(escaped(bytes), text, "{bytes:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_parse_back_as_json(bytes: Vec<u8>) {
            let text = format!("\"{}\"", escaped(&bytes));
            let parsed: String = serde_json::from_str(&text).expect("is JSON");
            if let Ok(utf8) = std::str::from_utf8(&bytes) {
                assert_eq!(parsed, utf8);
            }
        }
    }
}
