//! `hull completion SHELL`: completion scripts, made from the command table.

use clap_complete::Shell;

use crate::cli::flags::Matches;
use crate::cli::{COMMANDS, Command, GROUPS, Words, dispatch, help, output};
use crate::config::Settings;
use crate::error::{Error, Result};

pub const COMMAND: Command = Command {
    paths: &["completion"],
    about: "Print a completion script for bash, zsh or fish",
    usage: "bash|zsh|fish",
    words: Words::Exactly(1),
    run,
    ..Command::BASE
};

/// The shells and the names their scripts are installed under.
pub const SHELLS: &[(&str, Shell, &str)] = &[
    ("bash", Shell::Bash, "hull.bash"),
    ("zsh", Shell::Zsh, "_hull"),
    ("fish", Shell::Fish, "hull.fish"),
];

fn run(matches: &Matches, _: &Settings) -> Result<u8> {
    let wanted = matches.words()[0];
    let Some((_, shell, _)) = SHELLS.iter().find(|(name, ..)| *name == wanted) else {
        return Err(
            Error::invalid(format!("unknown shell {wanted:?}")).hint("one of bash, zsh and fish")
        );
    };
    output::bytes(&script(*shell))?;
    Ok(0)
}

/// The completion script of a shell.
pub fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut tree(), "hull", &mut script);
    script
}

/// All commands as one clap tree. Only for completions: a normal start never builds it.
fn tree() -> clap::Command {
    let visible = || COMMANDS.iter().filter(|command| !command.hidden);
    let mut root = help::globals();
    for command in visible() {
        for path in command.paths.iter().filter(|path| !path.contains(' ')) {
            root = root.subcommand(dispatch::declare(command).name(*path));
        }
    }
    for (group, about) in GROUPS {
        let mut noun = clap::Command::new(*group).about(*about);
        for command in visible() {
            let inside = command.paths.iter().filter_map(|path| path.split_once(' '));
            for (_, verb) in inside.filter(|(noun, _)| noun == group) {
                noun = noun.subcommand(dispatch::declare(command).name(verb));
            }
        }
        if noun.has_subcommands() {
            root = root.subcommand(noun);
        }
    }
    root
}
