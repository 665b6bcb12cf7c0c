//! Progress of several things at once (the layers of a pull), as Docker shows it.
//!
//! On a terminal the things are a block of lines that one thread redraws in place, ten times a
//! second at most, while something changes. Whoever reports a change only writes it down: neither
//! a slow nor a stopped terminal holds up the work. Elsewhere each change of state is one plain
//! line, states with an amount are left out, and there is no thread.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::cli::output::block::{Block, Size};
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

/// Least time between two drawings.
const PAUSE: Duration = Duration::from_millis(100);

/// Shows progress. Threads may share it. Dropped, it leaves the last state of everything.
pub struct Progress(Kind);

enum Kind {
    Nowhere,
    /// The things and their last states, each of which has had its line.
    Plain(Stream, Mutex<Vec<(String, Step)>>),
    Terminal {
        screen: Arc<Screen>,
        drawer: Mutex<Option<JoinHandle<()>>>,
    },
}

impl Progress {
    /// Progress on this stream.
    pub fn new(stream: Stream) -> Self {
        let is_terminal = match stream {
            Stream::Stdout => io::stdout().is_terminal(),
            Stream::Stderr => io::stderr().is_terminal(),
            Stream::Nowhere => return Progress(Kind::Nowhere),
        };
        Progress(match is_terminal {
            false => Kind::Plain(stream, Mutex::default()),
            true => Kind::Terminal {
                screen: Arc::new(Screen::new(stream)),
                drawer: Mutex::default(),
            },
        })
    }

    /// Prints a line of its own. Lines drawn so far are finished: they no longer change.
    pub fn say(&self, text: &str) {
        match &self.0 {
            Kind::Nowhere => {}
            Kind::Plain(stream, things) => {
                lock(things).clear();
                write(*stream, &format!("{}\n", escape(text)));
            }
            Kind::Terminal { screen, .. } => screen.say(&escape(text)),
        }
    }

    /// Shows the state of a thing.
    pub fn set(&self, name: &str, step: Step) {
        match &self.0 {
            Kind::Nowhere => {}
            Kind::Plain(stream, things) => {
                if let Some(line) = plain_line(&mut lock(things), name, step) {
                    write(*stream, &line);
                }
            }
            Kind::Terminal { screen, drawer } => {
                lock(&screen.state).block.set(name, step);
                screen.changed.notify_one();
                lock(drawer).get_or_insert_with(|| {
                    let screen = Arc::clone(screen);
                    std::thread::spawn(move || screen.draw_until_ended())
                });
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let Kind::Terminal { screen, drawer } = &self.0 else {
            return;
        };
        lock(&screen.state).ended = true;
        screen.changed.notify_one();
        if let Some(drawer) = lock(drawer).take() {
            // It has said on stderr why it panicked; progress is a courtesy.
            let _ = drawer.join();
        }
        screen.finish();
    }
}

/// A terminal with a block of lines at its end.
struct Screen {
    stream: Stream,
    /// Held while something is written, so that what is composed first is written first.
    writing: Mutex<()>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    block: Block,
    ended: bool,
}

impl Screen {
    fn new(stream: Stream) -> Screen {
        Screen {
            stream,
            writing: Mutex::default(),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Draws what has changed, waits a little, and again. The size of the terminal is asked for
    /// each time: that is how a resize is noticed.
    fn draw_until_ended(&self) {
        loop {
            let state = lock(&self.state);
            let idle = |state: &mut State| !state.ended && !state.block.has_changed();
            let state = self.changed.wait_while(state, idle);
            drop(state.unwrap_or_else(PoisonError::into_inner));
            self.compose_and_write(|block, size| block.draw(size));
            let state = lock(&self.state);
            let waited = self
                .changed
                .wait_timeout_while(state, PAUSE, |state| !state.ended);
            if waited.unwrap_or_else(PoisonError::into_inner).0.ended {
                return;
            }
        }
    }

    fn say(&self, text: &str) {
        self.compose_and_write(|block, size| block.finish(size) + text + "\n");
    }

    fn finish(&self) {
        self.compose_and_write(Block::finish);
    }

    /// Must not: write with the state locked. A terminal stopped by ctrl-S takes nothing for as
    /// long as its user likes, and the work would wait for it.
    fn compose_and_write(&self, compose: impl FnOnce(&mut Block, Size) -> String) {
        let size = terminal_size(self.stream);
        let _writing = lock(&self.writing);
        let text = compose(&mut lock(&self.state).block, size);
        write(self.stream, &text);
    }
}

fn terminal_size(stream: Stream) -> Size {
    let known = match stream {
        Stream::Stderr => rustix::termios::tcgetwinsize(io::stderr().as_fd()),
        Stream::Stdout | Stream::Nowhere => rustix::termios::tcgetwinsize(io::stdout().as_fd()),
    };
    // A serial line does not know its size, and says 0.
    let or = |found: u16, usual: usize| match found {
        0 => usual,
        found => usize::from(found),
    };
    known.map_or(Size::USUAL, |known| Size {
        columns: or(known.ws_col, Size::USUAL.columns),
        rows: or(known.ws_row, Size::USUAL.rows),
    })
}

/// The line of a new state, unless it is one that counts.
fn plain_line(things: &mut Vec<(String, Step)>, name: &str, step: Step) -> Option<String> {
    let known = things.iter_mut().find(|(known, _)| known == name);
    let is_new = known
        .as_ref()
        .is_none_or(|(_, last)| last.state != step.state);
    let shown = is_new && step.amount.is_none();
    let line = shown.then(|| format!("{}: {}\n", escape(name), escape(&step.state)));
    match known {
        Some((_, last)) => *last = step,
        None => things.push((name.to_owned(), step)),
    }
    line
}

fn write(stream: Stream, text: &str) {
    if text.is_empty() {
        return;
    }
    // Progress is a courtesy: a full or closed stream must not end the work it describes.
    let _ = match stream {
        Stream::Stdout => io::stdout().lock().write_all(text.as_bytes()),
        Stream::Stderr => io::stderr().lock().write_all(text.as_bytes()),
        Stream::Nowhere => Ok(()),
    };
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_streams_get_one_line_per_state() {
        let mut things = Vec::new();
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
            let line = plain_line(&mut things, "ab", Step { state, amount });
            text += &line.unwrap_or_default();
        }
        assert_eq!(text, "ab: Pulling fs layer\nab: Pull complete\n");
    }

    #[test]
    fn nothing_runs_where_nothing_is_shown() {
        let progress = Progress::new(Stream::Nowhere);
        let state = "Downloading".into();
        let amount = Some((1, 2));
        progress.set("ab", Step { state, amount });
        assert!(matches!(progress.0, Kind::Nowhere));
    }
}
