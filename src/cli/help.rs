//! Help screens in Docker's layout, made from the command table and the flags' declarations.

use std::fmt::Write;

use clap::Arg;

use crate::cli::{COMMON, Command, GROUPS, dispatch, flags, oci};

/// Columns of a help screen. Not the terminal's width: a screen must not depend on who reads it.
const WIDTH: usize = 80;

/// The flags before the command's name.
pub fn globals() -> clap::Command {
    clap::Command::new("hull")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args_override_self(true)
        .arg(flags::text(
            "config",
            "string",
            "Location of client config files",
        ))
        .arg(
            flags::text("context", "string", "Accepted and ignored")
                .short('c')
                .hide(true),
        )
        .arg(flags::switch("debug", "Enable debug messages").short('D'))
        .arg(
            flags::list("host", "list", "Accepted and ignored")
                .short('H')
                .hide(true),
        )
        .arg(
            flags::text(
                "log-level",
                "string",
                "Set the logging level: debug, info, warn, error",
            )
            .short('l'),
        )
        .arg(flags::text(
            "root",
            "string",
            "Directory of images, containers and volumes",
        ))
        .arg(flags::text(
            "runroot",
            "string",
            "Directory of run state, emptied at boot",
        ))
        .arg(flags::switch("version", "Print version information and quit").short('v'))
}

/// `hull --help`.
pub fn top(commands: &[&'static Command]) -> String {
    let mut text = "Usage:  hull [OPTIONS] COMMAND\n\n".to_owned();
    text.push_str("A container engine in one binary: no daemon, with or without root\n");
    let named = |name: &str| {
        commands
            .iter()
            .find(|command| command.paths.contains(&name))
    };
    let common = COMMON
        .iter()
        .filter_map(|name| Some((*name, named(name)?.about)));
    section(&mut text, "Common Commands", common.collect());
    let visible = |name: &str| {
        commands
            .iter()
            .any(|c| !c.hidden && verb(c, name).is_some())
    };
    let groups = GROUPS.iter().filter(|(name, _)| visible(name)).copied();
    section(&mut text, "Management Commands", groups.collect());
    let mut others = Vec::new();
    for command in commands.iter().filter(|command| !command.hidden) {
        let single = command.paths.iter().filter(|path| !path.contains(' '));
        let rare = single.filter(|path| !COMMON.contains(path)).take(1);
        others.extend(rare.map(|path| (*path, command.about)));
    }
    others.sort_unstable();
    section(&mut text, "Commands", others);
    text.push_str("\nGlobal Options:\n");
    text.push_str(&options(&globals()));
    text.push_str("\nRun 'hull COMMAND --help' for more information on a command.\n");
    text
}

/// `hull container --help`.
pub fn group(commands: &[&'static Command], group: &str, about: &str) -> String {
    let mut text = format!("Usage:  hull {group} COMMAND\n\n{about}\n");
    let mut verbs: Vec<_> = commands
        .iter()
        .filter_map(|command| Some((verb(command, group)?, command.about)))
        .collect();
    verbs.sort_unstable();
    section(&mut text, "Commands", verbs);
    if group == "oci" {
        text.push_str("\nOptions:\n");
        text.push_str(&options(&oci::globals(clap::Command::new("oci"))));
    }
    let _ = writeln!(
        text,
        "\nRun 'hull {group} COMMAND --help' for more information on a command."
    );
    text
}

/// `hull ps --help`.
pub fn command(command: &Command, path: &str) -> String {
    let mut text = format!(
        "Usage:  hull {path} {}\n\n{}\n",
        command.usage, command.about
    );
    if let [manual, others @ ..] = command.paths
        && !others.is_empty()
    {
        let aliases = others
            .iter()
            .chain([manual])
            .map(|path| format!("hull {path}"));
        let _ = writeln!(
            text,
            "\nAliases:\n  {}",
            aliases.collect::<Vec<_>>().join(", ")
        );
    }
    let options = options(&dispatch::declare(command));
    if !options.is_empty() {
        let _ = write!(text, "\nOptions:\n{options}");
    }
    text
}

/// The verb under which a command appears in a group.
pub fn verb(command: &Command, group: &str) -> Option<&'static str> {
    let mut paths = command.paths.iter().filter_map(|path| path.split_once(' '));
    paths.find(|(noun, _)| *noun == group).map(|(_, verb)| verb)
}

fn section(text: &mut String, title: &str, entries: Vec<(&str, &str)>) {
    if entries.is_empty() {
        return;
    }
    let width = entries
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or(0)
        .max(11);
    let _ = writeln!(text, "\n{title}:");
    for (name, about) in entries {
        let _ = writeln!(text, "  {name:width$} {about}");
    }
}

/// The list of flags, by name, with the help texts in one column.
fn options(command: &clap::Command) -> String {
    let mut shown: Vec<&Arg> = command.get_arguments().collect();
    shown.retain(|arg| !arg.is_hide_set() && arg.get_long().is_some());
    shown.sort_by_key(|arg| arg.get_long());
    let lines: Vec<(String, String)> = shown.into_iter().map(describe).collect();
    let column = lines.iter().map(|(flag, _)| flag.len()).max().unwrap_or(0) + 3;
    let mut text = String::new();
    for (flag, about) in lines {
        let _ = write!(text, "{flag:column$}");
        for (number, line) in wrap(&about, WIDTH.saturating_sub(column))
            .iter()
            .enumerate()
        {
            let indent = if number == 0 { 0 } else { column };
            let _ = writeln!(text, "{:indent$}{line}", "");
        }
    }
    text
}

fn describe(arg: &Arg) -> (String, String) {
    let long = arg.get_long().unwrap_or_default();
    let mut flag = match arg.get_short() {
        Some(short) => format!("  -{short}, --{long}"),
        None => format!("      --{long}"),
    };
    if let Some([kind]) = arg.get_value_names() {
        let _ = write!(flag, " {kind}");
    }
    let mut about = arg.get_help().map(ToString::to_string).unwrap_or_default();
    if let [default] = arg.get_default_values() {
        let default = default.to_string_lossy();
        let _ = match default.as_ref() {
            "true" => write!(about, " (default true)"),
            text => write!(about, " (default {text:?})"),
        };
    }
    (flag, about)
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines
            .last_mut()
            .expect("starts with one line and only grows");
        if line.is_empty() {
            line.push_str(word);
        } else if line.len() + 1 + word.len() <= width.max(24) {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::COMMANDS;

    const PS: Command = Command {
        paths: &["ps", "container ls", "container list", "container ps"],
        about: "List containers",
        arguments: |command| {
            let filter = "Filter output based on conditions provided, of which there are many";
            command
                .arg(flags::list("filter", "filter", filter).short('f'))
                .arg(flags::switch("all", "Show all containers").short('a'))
                .arg(flags::switch_on("trunc", "Cut"))
        },
        ..Command::BASE
    };

    #[test]
    fn command_help_has_the_layout_of_docker() {
        let expected = "\
Usage:  hull container ls [OPTIONS]

List containers

Aliases:
  hull container ls, hull container list, hull container ps, hull ps

Options:
  -a, --all             Show all containers
  -f, --filter filter   Filter output based on conditions provided, of which
                        there are many
      --trunc           Cut (default true)
";
        assert_eq!(command(&PS, "container ls"), expected);
    }

    #[test]
    fn group_help_lists_verbs() {
        let text = group(&[&PS], "container", "Manage containers");
        assert!(
            text.contains("\nCommands:\n  ls          List containers\n"),
            "{text}"
        );
    }

    #[test]
    fn every_command_and_flag_is_explained() {
        for command in COMMANDS {
            assert!(!command.about.is_empty(), "{:?}", command.paths);
            assert!(!command.about.ends_with('.'), "{:?}", command.paths);
            let declared = dispatch::declare(command);
            for arg in declared
                .get_arguments()
                .filter(|arg| arg.get_long().is_some())
            {
                assert!(
                    arg.get_help().is_some(),
                    "{:?} {:?}",
                    command.paths,
                    arg.get_id()
                );
            }
            let mut names: Vec<_> = declared.get_arguments().map(|arg| arg.get_id()).collect();
            names.sort();
            names.dedup();
            assert_eq!(
                names.len(),
                declared.get_arguments().count(),
                "{:?}",
                command.paths
            );
        }
    }
}
