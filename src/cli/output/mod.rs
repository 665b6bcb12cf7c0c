//! The only place that prints.
//!
//! Text from images, containers and users is data: [`escape`] makes control characters visible
//! before they can reach a terminal. Exceptions are the byte streams that `attach`, `logs`, `save`
//! and the like pass through unchanged, with [`bytes`].
//!
//! A closed pipe ends the program silently, by signal: `main` gives SIGPIPE its default action.

mod block;
mod duration;
mod listing;
pub mod log;
mod preset;
mod progress;
mod table;
mod template;

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io::{self, IsTerminal, Write};

use crate::cli::Screen;
use crate::error::{Context, Error, Result, Scope};

pub use duration::{ago, event_time, human_duration, local_time, log_time};
pub use listing::{Listing, Row, cut, quote};
pub use preset::default_format;
pub use progress::{Progress, Step, Stream};
pub use table::{Table, columns};
pub use template::Template;

/// Prints one line to stdout, escaped.
pub fn line(text: impl Display) -> Result<()> {
    let mut text = escape(&text.to_string()).into_owned();
    text.push('\n');
    bytes(text.as_bytes())
}

/// Prints bytes to stdout as they are.
pub fn bytes(bytes: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    written.context(|| "write to stdout")
}

/// Prints bytes to stderr as they are.
pub fn error_bytes(bytes: &[u8]) -> Result<()> {
    io::stderr()
        .lock()
        .write_all(bytes)
        .context(|| "write to stderr")
}

/// Prints one line to stderr, escaped: warnings, notices, the chatter beside a result.
pub fn note(text: impl Display) {
    let mut text = escape(&text.to_string()).into_owned();
    text.push('\n');
    stderr(text.as_bytes());
}

/// Prints one thing as `inspect`, `info` and `version` do: by a template, as one line for `json`,
/// or as a JSON document in Docker's layout (four blanks a level, HTML left alone).
pub fn document(format: Option<&str>, value: &serde_json::Value) -> Result<()> {
    match format {
        None => bytes(pretty_json(value).as_bytes()),
        Some("json") => line(template::json_text(value)),
        Some(format) => line(Template::parse(format)?.render(value)?),
    }
}

/// `--format` of lists.
pub fn format_flag() -> clap::Arg {
    let about = "Format output: 'table', 'table TEMPLATE', 'json' or a Go template";
    crate::cli::flags::text("format", "string", about)
}

/// Whether a list's `--format` asks for this field. A wrong one does not: it is refused later.
pub fn names(format: &str, field: &str) -> bool {
    let template = format.strip_prefix("table").unwrap_or(format);
    Template::parse_row(template).is_ok_and(|template| template.names(field))
}

/// One line of JSON, escaped as all JSON is.
pub fn json_line(value: &serde_json::Value) -> String {
    template::json_text(value)
}

/// Whether stdout is a terminal.
pub fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Prints an error; the result is the exit code.
pub fn error(scope: Scope, error: &Error) -> u8 {
    stderr(render_error(scope, error).as_bytes());
    error.exit_code(scope)
}

/// Prints a screen, to stdout if it is an answer and to stderr if it is a refusal.
pub fn screen(screen: &Screen) -> u8 {
    if screen.code == 0 {
        return match bytes(screen.text.as_bytes()) {
            Ok(()) => 0,
            Err(failure) => error(Scope::Other, &failure),
        };
    }
    stderr(screen.text.as_bytes());
    screen.code
}

fn stderr(bytes: &[u8]) {
    // There is nobody left to tell when stderr fails; the exit code still speaks.
    let _ = io::stderr().lock().write_all(bytes);
}

/// One line: `Error: ` (for commands that share their streams with a container's program: `hull: `,
/// so that readers know who speaks), the chain of causes, and the hint in brackets.
fn render_error(scope: Scope, error: &Error) -> String {
    let speaker = match scope {
        Scope::Run | Scope::Exec => "hull",
        Scope::Other => "Error",
    };
    let mut text = format!("{speaker}: {error}");
    if let Some(hint) = error.hint_text() {
        let _ = write!(text, " ({hint})");
    }
    let mut text = escape(&text).replace('\n', "\\n");
    text.push('\n');
    text
}

fn pretty_json(value: &serde_json::Value) -> String {
    let mut buffer = Vec::new();
    let layout = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut buffer, layout);
    serde::Serialize::serialize(value, &mut serializer)
        .expect("a JSON value has text keys, and a vector takes any number of bytes");
    buffer.push(b'\n');
    let text = String::from_utf8(buffer).expect("serde_json writes UTF-8");
    escape_json(&text).into_owned()
}

/// Makes characters that steer a terminal visible: `\x1b`, `\u{202e}`. Newlines stay, so that
/// several lines can be escaped at once; tabs too.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers_terminal) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if !steers_terminal(character) {
            escaped.push(character);
            continue;
        }
        let _ = match u32::from(character) {
            code @ 0..0x80 => write!(escaped, "\\x{code:02x}"),
            code => write!(escaped, "\\u{{{code:x}}}"),
        };
    }
    Cow::Owned(escaped)
}

/// As [`escape`], within JSON text, where serde leaves DEL, C1 and direction marks as they are.
pub fn escape_json(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers_terminal) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if steers_terminal(character) {
            // All of them are in the basic plane: one unit each.
            let _ = write!(escaped, "\\u{:04x}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// Control characters but tab and newline, and the marks that reverse the reading direction.
fn steers_terminal(character: char) -> bool {
    let direction = matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    direction || (character.is_control() && !matches!(character, '\t' | '\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a91_control_characters_become_visible() {
        let table = [
            ("plain äöü 漢 \t\n", "plain äöü 漢 \t\n"),
            ("\x1b]52;c;x\x07", "\\x1b]52;c;x\\x07"),
            ("a\rb\x08\x7f", "a\\x0db\\x08\\x7f"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{202e}gpj.exe", "\\u{202e}gpj.exe"),
        ];
        for (text, shown) in table {
            assert_eq!(escape(text), shown);
        }
        let shown = pretty_json(&serde_json::json!({"a": "\x1b[\u{9b}\u{202e}<b>"}));
        assert_eq!(shown, "{\n    \"a\": \"\\u001b[\\u009b\\u202e<b>\"\n}\n");
    }

    #[test]
    fn a24_errors_stay_on_one_line() {
        let error = Error::invalid("file \"a\nb\x1b[2J\"").hint("rename it");
        assert_eq!(
            render_error(Scope::Other, &error),
            "Error: file \"a\\nb\\x1b[2J\" (rename it)\n"
        );
        assert_eq!(
            render_error(Scope::Run, &Error::not_found("x").wrap("y")),
            "hull: y: x\n"
        );
    }
}
