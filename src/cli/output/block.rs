//! A block of lines at the end of a terminal's text, redrawn in place with ANSI sequences. Pure:
//! it makes the text to write.
//!
//! No line is ever as wide as the terminal, and the block never as high: a line that wraps, or one
//! that has left at the top, cannot be reached by moving the cursor up.

use std::fmt::Write as _;

use super::progress::Step;
use crate::base::ByteSize;
use crate::cli::output::escape;

/// Widest and narrowest bar between its brackets.
const BAR: usize = 50;
const LEAST_BAR: usize = 8;

/// A terminal's size in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub columns: usize,
    pub rows: usize,
}

impl Size {
    /// That of a terminal that does not tell.
    pub const USUAL: Size = Size {
        columns: 80,
        rows: 24,
    };
}

/// Lines of things, in the order in which they came.
#[derive(Debug, Default)]
pub struct Block {
    lines: Vec<(String, Step)>,
    /// Lines on the screen, from the cursor up.
    drawn: usize,
    changed: bool,
}

impl Block {
    /// Takes a new state; nothing is drawn.
    pub fn set(&mut self, name: &str, step: Step) {
        match self.lines.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) if *known == step => return,
            Some((_, known)) => *known = step,
            None => self.lines.push((name.to_owned(), step)),
        }
        self.changed = true;
    }

    /// Whether the screen is behind.
    pub fn has_changed(&self) -> bool {
        self.changed
    }

    /// The text that brings the screen up to date: what fits, things that move first.
    pub fn draw(&mut self, size: Size) -> String {
        if !self.changed {
            return String::new();
        }
        let room = size.rows.saturating_sub(1).max(1);
        let count = self.lines.len();
        let mut text = self.back_to_top();
        if count <= room {
            for (name, step) in &self.lines {
                push_line(&mut text, &describe(name, step, size.columns));
            }
            self.drawn = count;
        } else {
            let shown = self.most_moving(room - 1);
            for index in &shown {
                let (name, step) = &self.lines[*index];
                push_line(&mut text, &describe(name, step, size.columns));
            }
            let more = format!("… and {} more", count - shown.len());
            push_line(&mut text, &cut(&more, size.columns));
            self.drawn = room;
        }
        text.push_str(ERASE_BELOW);
        self.changed = false;
        text
    }

    /// The same with every line, whatever the height; they never change again.
    pub fn finish(&mut self, size: Size) -> String {
        let mut text = String::new();
        if self.changed || self.drawn != self.lines.len() {
            text = self.back_to_top();
            for (name, step) in &self.lines {
                push_line(&mut text, &describe(name, step, size.columns));
            }
            text.push_str(ERASE_BELOW);
        }
        *self = Block::default();
        text
    }

    fn back_to_top(&self) -> String {
        match self.drawn {
            0 => String::new(),
            drawn => format!("\x1b[{drawn}A\r"),
        }
    }

    /// Which lines to show if there is room for so many: those under way, then the first others.
    fn most_moving(&self, room: usize) -> Vec<usize> {
        let moves = |index: &usize| {
            let amount = self.lines[*index].1.amount;
            amount.is_some_and(|(done, all)| done < all)
        };
        let all = 0..self.lines.len();
        let moving = all.clone().filter(moves);
        let others = all.filter(|index| !moves(index));
        let mut shown: Vec<usize> = moving.chain(others).take(room).collect();
        shown.sort_unstable();
        shown
    }
}

/// Erase from the cursor to the end of the screen.
const ERASE_BELOW: &str = "\x1b[J";

/// A line, and the rest of the older one there erased.
fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push_str("\x1b[K\n");
}

/// `1a2b3c: Downloading [====>      ]  12.3MB/45MB`; the bar takes what the width leaves.
fn describe(name: &str, step: &Step, columns: usize) -> String {
    let mut text = format!("{}: {}", escape(name), escape(&step.state));
    if let Some((done, all)) = step.amount {
        let numbers = format!(
            "{}/{}",
            ByteSize(done).human(4),
            ByteSize(all.max(done)).human(4)
        );
        // Blank, brackets, two blanks, and the column that stays empty.
        let taken = width(&text) + numbers.len() + 6;
        let bar = columns.saturating_sub(taken).min(BAR);
        if bar >= LEAST_BAR {
            let filled = match all {
                0 => 0,
                all => u128::from(done.min(all)) * bar as u128 / u128::from(all),
            };
            let filled = usize::try_from(filled).unwrap_or(bar);
            let drawn = format!("{}>", "=".repeat(filled.saturating_sub(1)));
            let _ = write!(text, " [{drawn:bar$}] ");
        }
        let _ = write!(text, " {numbers}");
    }
    cut(&text, columns)
}

/// Shorter than the terminal is wide, and one line.
fn cut(text: &str, columns: usize) -> String {
    let mut left = columns.saturating_sub(1);
    let mut kept = String::with_capacity(text.len());
    for character in text.chars() {
        let character = if character.is_control() {
            ' '
        } else {
            character
        };
        let Some(rest) = left.checked_sub(character_width(character)) else {
            break;
        };
        left = rest;
        kept.push(character);
    }
    kept
}

fn width(text: &str) -> usize {
    text.chars().map(character_width).sum()
}

/// No character is wider than two columns; those that may be count as such.
fn character_width(character: char) -> usize {
    if u32::from(character) < 0x1100 { 1 } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Size = Size {
        columns: 120,
        rows: 24,
    };

    fn step(state: &'static str, amount: Option<(u64, u64)>) -> Step {
        let state = state.into();
        Step { state, amount }
    }

    /// What a terminal shows after the text, as far as it knows the sequences used here.
    fn screen(text: &str) -> Vec<String> {
        let mut rows: Vec<Vec<char>> = vec![Vec::new()];
        let (mut row, mut column) = (0, 0);
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '\n' => {
                    (row, column) = (row + 1, 0);
                    rows.resize(rows.len().max(row + 1), Vec::new());
                }
                '\r' => column = 0,
                '\x1b' => {
                    let sequence: String = characters
                        .by_ref()
                        .skip(1)
                        .take_while(|c| *c != 'K' && *c != 'J' && *c != 'A')
                        .collect();
                    if let Ok(up) = sequence.parse::<usize>() {
                        row -= up;
                    } else {
                        // What a row ends with after its last drawing is all that is compared.
                        rows[row].truncate(column);
                    }
                }
                character => {
                    rows[row].truncate(column);
                    rows[row].push(character);
                    column += 1;
                }
            }
        }
        rows.truncate(row);
        rows.iter().map(|row| row.iter().collect()).collect()
    }

    #[test]
    fn lines_are_redrawn_in_place() {
        let mut block = Block::default();
        block.set("ab", step("Waiting", None));
        block.set("cd", step("Waiting", None));
        let mut text = block.draw(WIDE);
        assert_eq!(text, "ab: Waiting\x1b[K\ncd: Waiting\x1b[K\n\x1b[J");
        assert_eq!(block.draw(WIDE), "", "nothing has changed");
        block.set("ab", step("Downloading", Some((3_900_000, 7_800_000))));
        text += &block.draw(WIDE);
        let bar = format!("{}>{}", "=".repeat(24), " ".repeat(25));
        let line = format!("ab: Downloading [{bar}]  3.9MB/7.8MB");
        assert_eq!(screen(&text), [line, "cd: Waiting".to_owned()]);
    }

    #[test]
    fn no_line_reaches_the_edge_whatever_the_width() {
        for columns in 1..140 {
            let size = Size { columns, rows: 24 };
            for name in ["1234567890ab", "層層層層"] {
                let amount = Some((12_345_678, 987_654_321));
                let line = describe(name, &step("Downloading", amount), size.columns);
                assert!(width(&line) < columns.max(1), "{columns}: {line:?}");
            }
        }
        let line = describe("ab", &step("Downloading", Some((1, 2))), 40);
        assert_eq!(line, "ab: Downloading [======>       ]  1B/2B");
    }

    #[test]
    fn a_block_is_never_higher_than_the_terminal_until_it_ends() {
        let size = Size {
            columns: 80,
            rows: 5,
        };
        let mut block = Block::default();
        for number in 0..9 {
            block.set(&format!("l{number}"), step("Waiting", None));
        }
        block.set("l7", step("Downloading", Some((1, 2))));
        let mut text = block.draw(size);
        let shown = screen(&text);
        assert_eq!(shown.len(), 4, "{shown:?}");
        assert_eq!(shown[..2], ["l0: Waiting", "l1: Waiting"]);
        assert!(shown[2].starts_with("l7: Downloading"), "{shown:?}");
        assert_eq!(shown[3], "… and 6 more");
        text += &block.finish(size);
        let shown = screen(&text);
        assert_eq!(shown.len(), 9, "{shown:?}");
        assert_eq!(shown[8], "l8: Waiting");
        assert_eq!(block.finish(size), "", "nothing is left");
    }

    #[test]
    fn names_and_states_cannot_steer_the_terminal() {
        let state = "up\x1b[2J\nand\ton".into();
        let line = describe(
            "a\x1b]0;x\x07\rb",
            &Step {
                state,
                amount: None,
            },
            120,
        );
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
}
