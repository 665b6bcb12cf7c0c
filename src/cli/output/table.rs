//! Columns with the look of Go's `text/tabwriter` as Docker sets it up: at least ten wide, three
//! blanks between, the last cell of a line unpadded.

use crate::cli::output::{escape, line};
use crate::error::Result;

/// Least width of a column, gap included.
const LEAST: usize = 10;
/// Blanks between columns.
const GAP: usize = 3;

/// A table with fixed columns.
pub struct Table {
    text: String,
}

impl Table {
    /// A table with this header.
    pub fn new(header: &[&str]) -> Self {
        Table {
            text: header.join("\t"),
        }
    }

    /// Adds a row. Tabs and newlines in cells are made visible: they would break the columns.
    pub fn row(&mut self, cells: &[&str]) {
        self.text.push('\n');
        let cells: Vec<String> = cells.iter().map(|cell| one_line(cell)).collect();
        self.text.push_str(&cells.join("\t"));
    }

    /// Prints the table.
    pub fn print(&self) -> Result<()> {
        line(align(&self.text))
    }
}

/// A cell without tabs and newlines.
pub fn one_line(cell: &str) -> String {
    escape(cell).replace('\t', "\\t").replace('\n', "\\n")
}

/// Pads the cells of each line, which tabs end. As in Go, a column is a block of neighbouring lines
/// that have a cell there; other lines do not widen it.
pub fn align(text: &str) -> String {
    align_wide(text, LEAST)
}

/// Prints rows of cells in columns that are at least this wide.
pub fn columns(rows: &[Vec<String>], least: usize) -> Result<()> {
    let rows = rows.iter().map(|row| {
        let cells: Vec<String> = row.iter().map(|cell| one_line(cell)).collect();
        cells.join("\t")
    });
    line(align_wide(&rows.collect::<Vec<_>>().join("\n"), least))
}

fn align_wide(text: &str, least: usize) -> String {
    let rows: Vec<Vec<&str>> = text
        .split('\n')
        .map(|row| row.split('\t').collect())
        .collect();
    let mut widths: Vec<Vec<usize>> = rows.iter().map(|row| vec![0; row.len() - 1]).collect();
    let columns = widths.iter().map(Vec::len).max().unwrap_or(0);
    for column in 0..columns {
        let mut start = 0;
        while start < rows.len() {
            let has_cell = |row: &&Vec<&str>| row.len() > column + 1;
            let block = rows[start..].iter().take_while(has_cell).count();
            let cells = rows[start..start + block].iter();
            let longest = cells.map(|row| row[column].chars().count()).max();
            let width = longest.map_or(0, |length| (length + GAP).max(least));
            for row in &mut widths[start..start + block] {
                row[column] = width;
            }
            start += block.max(1);
        }
    }
    let lines = rows
        .iter()
        .zip(&widths)
        .map(|(row, widths)| pad(row, widths));
    lines.collect::<Vec<_>>().join("\n")
}

fn pad(row: &[&str], widths: &[usize]) -> String {
    let mut line = String::new();
    for (number, cell) in row.iter().enumerate() {
        line.push_str(cell);
        if let Some(width) = widths.get(number) {
            let blanks = width.saturating_sub(cell.chars().count());
            line.extend(std::iter::repeat_n(' ', blanks));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_padded_as_by_tabwriter() {
        let text = "CONTAINER ID\tIMAGE\tNAMES\n0123456789ab\talpine:3.20\tx\n0\tb\tc";
        let expected = "\
CONTAINER ID   IMAGE         NAMES
0123456789ab   alpine:3.20   x
0              b             c";
        assert_eq!(align(text), expected);
        assert_eq!(align("A\tB\n1\t2"), "A         B\n1         2");
        assert_eq!(align("no columns"), "no columns");
    }

    #[test]
    fn a_line_without_cells_ends_a_block() {
        assert_eq!(
            align("aaaaaaaaaaaa\tb\n\nc\td"),
            "aaaaaaaaaaaa   b\n\nc         d"
        );
    }

    #[test]
    fn width_counts_characters_not_bytes() {
        assert_eq!(align("ääää…\tb"), "ääää…     b");
    }

    #[test]
    fn a91_cells_cannot_break_out() {
        assert_eq!(one_line("a\tb\nc\x1b[1m"), "a\\tb\\nc\\x1b[1m");
    }
}
