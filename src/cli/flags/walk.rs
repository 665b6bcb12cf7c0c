//! Splits words into flags and the rest, by the grammar of Docker's flag library (Go's pflag).
//!
//! The result is handed to clap in one unambiguous spelling (`--name=value … -- word word`), so
//! that clap only converts values. Why not clap's own splitting: after the first word that is no
//! flag, `run` and `exec` leave everything to the container; `--rm=false` and `-e=A=b` are legal;
//! and a wrong flag must be answered with the words scripts match on (`unknown shorthand flag: 'x'
//! in -xyz`).

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, Command};

use crate::cli::flags::parse_bool;

/// Whether flags may follow the first word that is no flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagOrder {
    /// `hull rm a -f` is `hull rm -f a`.
    Anywhere,
    /// `hull run alpine ls -la`: what follows the image belongs to the container.
    BeforeWords,
}

/// The words of a command, split.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// `--help` was given; nothing else matters.
    pub help: bool,
    /// Flags with values, as `--name=value`.
    pub flags: Vec<String>,
    /// Everything that is no flag.
    pub words: Vec<String>,
}

/// Splits `words` by the flags that `command` declares. The error is Docker's message.
pub fn split(command: &Command, order: FlagOrder, words: &[String]) -> Result<Split, String> {
    let mut walk = Walk {
        command,
        rest: words.iter(),
        switches: BTreeMap::new(),
        split: Split::default(),
    };
    while let Some(word) = walk.rest.next() {
        if word == "--" {
            walk.split.words.extend(walk.rest.by_ref().cloned());
        } else if let Some(long) = word.strip_prefix("--") {
            walk.long(word, long)?;
        } else if word.len() > 1 && word.starts_with('-') {
            walk.cluster(word)?;
        } else {
            walk.split.words.push(word.clone());
            if order == FlagOrder::BeforeWords {
                walk.split.words.extend(walk.rest.by_ref().cloned());
            }
        }
        if walk.split.help {
            break;
        }
    }
    let on = walk.switches.into_iter().filter(|(_, on)| *on);
    walk.split
        .flags
        .extend(on.map(|(name, _)| format!("--{name}")));
    Ok(walk.split)
}

/// `-f, --filter` or `--filter`: how messages name a flag.
pub fn display_name(arg: &Arg) -> String {
    let long = arg.get_long().unwrap_or_else(|| arg.get_id().as_str());
    match arg.get_short() {
        Some(short) => format!("-{short}, --{long}"),
        None => format!("--{long}"),
    }
}

/// Docker's message for a value that its flag refuses.
pub fn refused_value(arg: &Arg, value: &str, why: &str) -> String {
    let name = display_name(arg);
    format!("invalid argument {value:?} for {name:?} flag: {why}")
}

struct Walk<'a> {
    command: &'a Command,
    rest: std::slice::Iter<'a, String>,
    /// The last state of each switch: clap's switches know no `=false`.
    switches: BTreeMap<String, bool>,
    split: Split,
}

impl<'a> Walk<'a> {
    fn long(&mut self, word: &str, long: &str) -> Result<(), String> {
        let (name, attached) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (long, None),
        };
        if name.is_empty() || name.starts_with('-') {
            return Err(format!("bad flag syntax: {word}"));
        }
        let Some(arg) = self.find(|arg| has_long(arg, name)) else {
            if name == "help" {
                self.split.help = true;
                return Ok(());
            }
            return Err(format!("unknown flag: --{name}"));
        };
        let value = match attached {
            Some(value) => Some(value),
            None if value_is_optional(arg) => None,
            None => {
                let next = self.rest.next().cloned();
                Some(next.ok_or_else(|| format!("flag needs an argument: --{name}"))?)
            }
        };
        self.push(arg, value)
    }

    fn cluster(&mut self, word: &str) -> Result<(), String> {
        let mut rest = &word[1..];
        while let Some(short) = rest.chars().next() {
            let letters = rest;
            rest = &rest[short.len_utf8()..];
            let Some(arg) = self.find(|arg| has_short(arg, short)) else {
                if short == 'h' {
                    self.split.help = true;
                    return Ok(());
                }
                return Err(format!("unknown shorthand flag: '{short}' in -{letters}"));
            };
            if let Some(value) = rest.strip_prefix('=') {
                return self.push(arg, Some(value.to_owned()));
            }
            if value_is_optional(arg) {
                self.push(arg, None)?;
                continue;
            }
            if !rest.is_empty() {
                return self.push(arg, Some(rest.to_owned()));
            }
            let next = self.rest.next().cloned();
            let missing = || format!("flag needs an argument: '{short}' in -{letters}");
            return self.push(arg, Some(next.ok_or_else(missing)?));
        }
        Ok(())
    }

    fn find(&self, matches: impl Fn(&Arg) -> bool) -> Option<&'a Arg> {
        self.command.get_arguments().find(|arg| matches(arg))
    }

    fn push(&mut self, arg: &Arg, value: Option<String>) -> Result<(), String> {
        let name = arg.get_long().unwrap_or_else(|| arg.get_id().as_str());
        if matches!(arg.get_action(), ArgAction::SetTrue) {
            let on = match &value {
                Some(text) => parse_bool(text).map_err(|why| refused_value(arg, text, &why))?,
                None => true,
            };
            self.switches.insert(name.to_owned(), on);
        } else {
            self.split.flags.push(match value {
                Some(value) => format!("--{name}={value}"),
                None => format!("--{name}"),
            });
        }
        Ok(())
    }
}

fn has_long(arg: &Arg, name: &str) -> bool {
    let alias = || arg.get_all_aliases().is_some_and(|all| all.contains(&name));
    arg.get_long() == Some(name) || (arg.get_long().is_some() && alias())
}

fn has_short(arg: &Arg, short: char) -> bool {
    let alias = || {
        arg.get_all_short_aliases()
            .is_some_and(|all| all.contains(&short))
    };
    arg.get_short() == Some(short) || alias()
}

fn value_is_optional(arg: &Arg) -> bool {
    let optional = || {
        arg.get_num_args()
            .is_some_and(|range| range.min_values() == 0)
    };
    !arg.get_action().takes_values() || optional()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::flags;

    fn run() -> Command {
        Command::new("run")
            .arg(flags::switch("detach", "").short('d'))
            .arg(flags::switch("interactive", "").short('i'))
            .arg(flags::switch("tty", "").short('t'))
            .arg(flags::switch("rm", ""))
            .arg(flags::switch_on("sig-proxy", ""))
            .arg(flags::text("name", "string", ""))
            .arg(flags::text("timeout", "int", "").short('T').alias("time"))
            .arg(flags::list("env", "list", "").short('e'))
    }

    fn walk(order: FlagOrder, line: &str) -> Result<Split, String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        split(&run(), order, &words)
    }

    #[test]
    fn flags_end_at_the_image_for_run() {
        let table = [
            ("alpine ls -la", "", "alpine ls -la"),
            (
                "-it alpine sh -c x",
                "--interactive --tty",
                "alpine sh -c x",
            ),
            (
                "--name x -dit alpine",
                "--name=x --detach --interactive --tty",
                "alpine",
            ),
            ("--name=x alpine --name y", "--name=x", "alpine --name y"),
            (
                "-e A=b -eC=d -e=E=f x",
                "--env=A=b --env=C=d --env=E=f",
                "x",
            ),
            ("--rm --rm=false x", "", "x"),
            ("--rm=false --rm=1 x", "--rm", "x"),
            ("--sig-proxy=false x", "--sig-proxy=false", "x"),
            ("-d=false -d=t x", "--detach", "x"),
            ("-itT5 x", "--timeout=5 --interactive --tty", "x"),
            ("--time -1 x", "--timeout=-1", "x"),
            ("-- -x --rm", "", "-x --rm"),
            ("x -- y", "", "x -- y"),
            ("-", "", "-"),
        ];
        for (line, flags, words) in table {
            let split = walk(FlagOrder::BeforeWords, line).expect(line);
            assert_eq!(split.flags.join(" "), flags, "{line}");
            assert_eq!(split.words.join(" "), words, "{line}");
            assert!(!split.help, "{line}");
        }
    }

    #[test]
    fn flags_may_follow_words_elsewhere() {
        let split = walk(FlagOrder::Anywhere, "a -d b --name x -- -t").expect("is legal");
        assert_eq!(split.flags, ["--name=x", "--detach"]);
        assert_eq!(split.words, ["a", "b", "-t"]);
    }

    #[test]
    fn messages_are_those_of_docker() {
        let table = [
            ("--nope", "unknown flag: --nope"),
            ("--nope=3", "unknown flag: --nope"),
            ("-x", "unknown shorthand flag: 'x' in -x"),
            ("-itx5", "unknown shorthand flag: 'x' in -x5"),
            ("--name", "flag needs an argument: --name"),
            ("-e", "flag needs an argument: 'e' in -e"),
            ("-ie", "flag needs an argument: 'e' in -e"),
            ("---rm", "bad flag syntax: ---rm"),
            ("--=x", "bad flag syntax: --=x"),
            (
                "-d=maybe",
                "invalid argument \"maybe\" for \"-d, --detach\" flag: \
                 strconv.ParseBool: parsing \"maybe\": invalid syntax",
            ),
        ];
        for (line, message) in table {
            assert_eq!(walk(FlagOrder::BeforeWords, line), Err(message.to_owned()));
        }
    }

    #[test]
    fn help_wins_over_what_follows() {
        for line in ["--help", "-h", "--rm --help --nope", "-dh"] {
            assert!(
                walk(FlagOrder::BeforeWords, line).expect(line).help,
                "{line}"
            );
        }
        let split = walk(FlagOrder::BeforeWords, "alpine --help").expect("is legal");
        assert!(!split.help);
    }
}
