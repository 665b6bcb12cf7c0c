//! `hull top`: a container's processes, in the columns of ps(1).

mod columns;

use columns::{AUX, Column, FULL, Host};

use crate::cli::flags::Matches;
use crate::cli::flags::walk::FlagOrder;
use crate::cli::{Command, Words, output};
use crate::config::Settings;
use crate::container;
use crate::error::Result;

pub const COMMAND: Command = Command {
    paths: &["top", "container top"],
    about: "Display the running processes of a container",
    usage: "CONTAINER [ps OPTIONS]",
    words: Words::AtLeast(1),
    order: FlagOrder::BeforeWords,
    run,
    ..Command::BASE
};

/// Docker's least width of a column here.
const WIDTH: usize = 20;

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let words = matches.words();
    let id = container::records(settings).find(words[0])?;
    let processes = container::top(settings, &id)?;
    let rows = match chosen(&words[1..]) {
        Some(columns) => {
            let host = Host::read();
            let header = columns.iter().map(|column| column.header.clone()).collect();
            let row = |process| {
                let cells = columns.iter().map(|column| (column.cell)(process, &host));
                cells.collect::<Vec<String>>()
            };
            std::iter::once(header)
                .chain(processes.iter().map(row))
                .collect()
        }
        None => split(&container::host_ps(&words[1..], &processes)?),
    };
    output::columns(&rows, WIDTH)?;
    Ok(0)
}

/// The columns that these options of ps mean, if hull knows them.
fn chosen(options: &[&str]) -> Option<Vec<Column>> {
    match options {
        [] | ["-ef" | "-fe" | "-f"] => return columns::known(FULL),
        ["aux" | "-aux" | "axu" | "u"] => return columns::known(AUX),
        _ => {}
    }
    let mut list = Vec::new();
    let mut words = options.iter();
    while let Some(word) = words.next() {
        match *word {
            "-o" | "o" | "-eo" | "--format" => list.push(*words.next()?),
            word => list.push(
                word.strip_prefix("-eo")
                    .or_else(|| word.strip_prefix("-o"))?,
            ),
        }
    }
    columns::known(&list.join(","))
}

/// The lines of ps as cells: as many as the header has, the rest belongs to the last.
fn split(lines: &[String]) -> Vec<Vec<String>> {
    let header = lines.first().map(|line| line.split_whitespace().count());
    let count = header.unwrap_or(1).max(1);
    let cells = |line: &String| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (first, last) = words.split_at(words.len().min(count - 1));
        let mut cells: Vec<String> = first.iter().map(|word| (*word).to_owned()).collect();
        cells.push(last.join(" "));
        cells
    };
    lines.iter().map(cells).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_options_need_no_ps() {
        let headers = |options: &[&str]| {
            let columns = chosen(options)?;
            let headers = columns.iter().map(|column| column.header.as_str());
            Some(headers.collect::<Vec<_>>().join(" "))
        };
        let full = "UID PID PPID C STIME TTY TIME CMD";
        assert_eq!(headers(&[]).as_deref(), Some(full));
        assert_eq!(headers(&["-ef"]).as_deref(), Some(full));
        let aux = "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND";
        assert_eq!(headers(&["aux"]).as_deref(), Some(aux));
        for options in [
            &["-o", "pid,comm"][..],
            &["-opid,comm"],
            &["-o", "pid", "-o", "comm"],
        ] {
            assert_eq!(headers(options).as_deref(), Some("PID COMMAND"));
        }
        assert_eq!(
            headers(&["-o", "pid=ID,args"]).as_deref(),
            Some("ID COMMAND")
        );
        for options in [
            &["-o"][..],
            &["-o", "wchan"],
            &["-l"],
            &["-o", "pid", "--sort=pid"],
        ] {
            assert_eq!(headers(options), None);
        }
    }

    #[test]
    fn blanks_in_a_command_stay_in_the_last_column() {
        let lines = ["  PID CMD", "    7 sh -c  x", "    8 y"].map(str::to_owned);
        let expected = [["PID", "CMD"], ["7", "sh -c x"], ["8", "y"]];
        assert_eq!(
            split(&lines),
            expected.map(|row| row.map(str::to_owned).to_vec())
        );
    }
}
