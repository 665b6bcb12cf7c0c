//! Progress of several things at once (the layers of a pull), as Docker shows it.
//!
//! On a terminal each thing has a line of its own that is redrawn in place with ANSI sequences.
//! Elsewhere each change of state is one plain line; states with an amount are left out.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::base::ByteSize;
use crate::cli::output::escape;

/// Where progress goes: `pull` speaks on stdout, `run` must leave that to the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
    /// `--quiet`
    Nowhere,
}

/// The state of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// `Downloading`, `Pull complete`, …
    pub state: Cow<'static, str>,
    /// Bytes done and bytes in all, where counting makes sense.
    pub amount: Option<(u64, u64)>,
}

/// Least time between two drawings of a line whose state is the same.
const PAUSE: Duration = Duration::from_millis(100);
/// Width of the bar between its brackets.
const BAR: usize = 50;

/// Draws progress. Threads may share it.
pub struct Progress {
    stream: Stream,
    redraw: bool,
    lines: Mutex<Vec<Line>>,
}

struct Line {
    name: String,
    step: Step,
    drawn: Instant,
}

impl Progress {
    /// Progress on this stream.
    pub fn new(stream: Stream) -> Self {
        let redraw = match stream {
            Stream::Stdout => io::stdout().is_terminal(),
            Stream::Stderr => io::stderr().is_terminal(),
            Stream::Nowhere => false,
        };
        Progress {
            stream,
            redraw,
            lines: Mutex::new(Vec::new()),
        }
    }

    /// Prints a line of its own. Lines drawn so far are finished: they no longer change.
    pub fn say(&self, text: &str) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.clear();
        self.write(&format!("{}\n", escape(text)));
    }

    /// Shows the state of a thing.
    pub fn set(&self, name: &str, step: Step) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let text = update(&mut lines, self.redraw, name, step, Instant::now());
        self.write(&text);
    }

    fn write(&self, text: &str) {
        // Progress is a courtesy: a full or closed stream must not end the work it describes.
        let _ = match self.stream {
            Stream::Stdout => io::stdout().lock().write_all(text.as_bytes()),
            Stream::Stderr => io::stderr().lock().write_all(text.as_bytes()),
            Stream::Nowhere => Ok(()),
        };
    }
}

/// Takes the new state into the lines; the result is what to write.
fn update(lines: &mut Vec<Line>, redraw: bool, name: &str, step: Step, now: Instant) -> String {
    let Some(position) = lines.iter().position(|line| line.name == name) else {
        let silent = !redraw && step.amount.is_some();
        let text = match silent {
            true => String::new(),
            false => format!("{}\n", describe(name, &step, redraw)),
        };
        let (name, drawn) = (name.to_owned(), now);
        lines.push(Line { name, step, drawn });
        return text;
    };
    let up = lines.len() - position;
    let line = &mut lines[position];
    let same_state = line.step.state == step.state;
    let done = step.amount.is_some_and(|(done, all)| done >= all);
    if line.step == step {
        return String::new();
    }
    if same_state && (!redraw || (!done && now.duration_since(line.drawn) < PAUSE)) {
        return String::new();
    }
    line.step = step;
    line.drawn = now;
    if !redraw && line.step.amount.is_some() {
        return String::new();
    }
    let text = describe(name, &line.step, redraw);
    match redraw {
        // Up, first column, erase, write, down again.
        true => format!("\x1b[{up}A\r\x1b[2K{text}\x1b[{up}B\r"),
        false => format!("{text}\n"),
    }
}

fn describe(name: &str, step: &Step, with_amount: bool) -> String {
    let mut text = format!("{}: {}", escape(name), step.state);
    if let (true, Some((done, all))) = (with_amount, step.amount) {
        let filled = match all {
            0 => 0,
            all => usize::try_from(done.min(all).saturating_mul(BAR as u64) / all).unwrap_or(BAR),
        };
        let bar = format!("{}>", "=".repeat(filled.saturating_sub(1)));
        let (done, all) = (ByteSize(done).human(4), ByteSize(all).human(4));
        let _ = write!(text, " [{bar:BAR$}]  {done}/{all}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Step = Step {
        state: Cow::Borrowed("Pulling fs layer"),
        amount: None,
    };

    #[test]
    fn plain_streams_get_one_line_per_state() {
        let mut lines = Vec::new();
        let now = Instant::now();
        let mut text = String::new();
        let steps = [
            ("Pulling fs layer", None),
            ("Downloading", Some((0, 9))),
            ("Downloading", Some((5, 9))),
            ("Pull complete", None),
            ("Pull complete", None),
        ];
        for (state, amount) in steps {
            let state = state.into();
            text += &update(&mut lines, false, "ab", Step { state, amount }, now);
        }
        assert_eq!(text, "ab: Pulling fs layer\nab: Pull complete\n");
    }

    #[test]
    fn terminals_redraw_the_line_in_place() {
        let mut lines = Vec::new();
        let now = Instant::now();
        assert_eq!(
            update(&mut lines, true, "ab", START, now),
            "ab: Pulling fs layer\n"
        );
        assert_eq!(
            update(&mut lines, true, "cd", START, now),
            "cd: Pulling fs layer\n"
        );
        let step = Step {
            state: "Downloading".into(),
            amount: Some((3_900_000, 7_800_000)),
        };
        let bar = format!("{}>{}", "=".repeat(24), " ".repeat(25));
        assert_eq!(
            update(&mut lines, true, "ab", step.clone(), now),
            format!("\x1b[2A\r\x1b[2Kab: Downloading [{bar}]  3.9MB/7.8MB\x1b[2B\r")
        );
        assert_eq!(update(&mut lines, true, "ab", step.clone(), now), "");
        let step = Step {
            amount: Some((4_000_000, 7_800_000)),
            ..step
        };
        assert_eq!(update(&mut lines, true, "ab", step.clone(), now), "");
        let later = update(&mut lines, true, "ab", step, now + PAUSE);
        assert!(later.starts_with("\x1b[2A"), "{later:?}");
    }
}
