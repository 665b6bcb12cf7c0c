//! Words → one command with its values, or a screen of text that ends the program.
//!
//! Usage mistakes are screens, not errors: Docker's users match on their exact lines, which span
//! several lines and have exit codes of their own.

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue};

use crate::cli::flags::walk::{self, FlagOrder};
use crate::cli::flags::{Matches, WORDS, refused};
use crate::cli::{COMMANDS, Command, GROUPS, MappedRoot, REFUSED, Words, help, oci, output, store};
use crate::config::{Overrides, Settings};
use crate::error::{Result, Scope};

/// A command ready to run.
pub struct Invocation {
    command: &'static Command,
    matches: Matches,
    globals: Globals,
}

/// Text that answers a command line by itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Screen {
    /// What to print; ends with a newline.
    pub text: String,
    /// The exit code; zero means the text goes to stdout.
    pub code: u8,
}

/// What was given before the command's name.
#[derive(Default)]
struct Globals {
    overrides: Overrides,
    docker_config: Option<String>,
    notices: Vec<String>,
}

impl Invocation {
    /// Loads the settings and runs the command; the result is the exit code.
    pub fn run(&self) -> Result<u8> {
        let mut settings = Settings::load(&self.globals.overrides)?;
        if let Some(directory) = &self.globals.docker_config {
            settings.docker_config = Some(directory.into());
        }
        output::log::install(settings.log_level);
        for notice in &self.globals.notices {
            output::note(notice);
        }
        if self.command.mapped_root == MappedRoot::Always && settings.rootless {
            store::become_mapped_root(&settings)?;
        }
        let code = (self.command.run)(&self.matches, &settings)?;
        // An error must not be followed by something that looks like its reason.
        if code == 0 {
            store::tell_notice();
        }
        Ok(code)
    }

    /// Which exit codes the command's errors have.
    pub fn scope(&self) -> Scope {
        self.command.scope
    }
}

/// Finds the command that the program's arguments name. `hull-runc …` means `hull oci …`.
pub fn enter(arguments: impl Iterator<Item = OsString>) -> Result<Invocation, Screen> {
    let mut words = Vec::new();
    for (position, argument) in arguments.enumerate() {
        if position == 0 {
            let name = Path::new(&argument).file_name().unwrap_or_default();
            words.extend((name == "hull-runc").then(|| "oci".to_owned()));
            continue;
        }
        words.push(argument.into_string().map_err(|argument| Screen {
            text: format!("hull: argument {argument:?} is not valid UTF-8\n"),
            code: 125,
        })?);
    }
    parse(COMMANDS, &words)
}

/// As [`enter`], for any table.
fn parse(commands: &[&'static Command], words: &[String]) -> Result<Invocation, Screen> {
    let (globals, words) = split_globals(commands, words)?;
    let asks_help = words.first().is_some_and(|word| word == "help");
    let words = if asks_help { &words[1..] } else { &words[..] };
    let Some(first) = words.first() else {
        return Err(Screen::answer(help::top(commands)));
    };
    let reordered = (first == "oci").then(|| verb_first(words)).transpose()?;
    let words = reordered.as_deref().unwrap_or(words);
    let (command, path, rest) = find(commands, words)?;
    if asks_help {
        return Err(Screen::answer(help::command(command, path)));
    }
    let matches = parse_command(command, path, rest)?;
    Ok(Invocation {
        command,
        matches,
        globals,
    })
}

/// The flags before the command's name. Declared only when there are any.
fn split_globals(
    commands: &[&'static Command],
    words: &[String],
) -> Result<(Globals, Vec<String>), Screen> {
    let mut globals = Globals::default();
    if std::env::var_os("DOCKER_HOST").is_some_and(|host| !host.is_empty()) {
        globals.ignore("DOCKER_HOST");
    }
    if !words.first().is_some_and(|word| word.starts_with('-')) {
        return Ok((globals, words.to_vec()));
    }
    let declared = help::globals();
    let usage = |message: String| Screen::usage(&message, "hull", "[OPTIONS] COMMAND [ARG...]");
    let split = walk::split(&declared, FlagOrder::BeforeWords, words).map_err(usage)?;
    if split.help {
        return Err(Screen::answer(help::top(commands)));
    }
    let matches = values(&declared, &split).map_err(usage)?;
    if matches.on("version") {
        return Err(Screen::answer(format!(
            "hull version {}\n",
            env!("CARGO_PKG_VERSION")
        )));
    }
    let debug = matches.on("debug").then_some("debug");
    globals.overrides = Overrides {
        root: matches.text("root").map(Into::into),
        run: matches.text("runroot").map(Into::into),
        log_level: matches.text("log-level").or(debug).map(str::to_owned),
    };
    globals.docker_config = matches.text("config").map(str::to_owned);
    for ignored in ["host", "context"] {
        if matches.given(ignored) {
            globals.ignore(&format!("--{ignored}"));
        }
    }
    Ok((globals, split.words))
}

impl Globals {
    fn ignore(&mut self, what: &str) {
        let notice = format!("{what} is ignored: hull has no daemon and works on this machine");
        self.notices.push(notice);
    }
}

/// Moves the flags between `oci` and the verb behind the verb: runc takes them before, and every
/// verb declares them.
fn verb_first(words: &[String]) -> Result<Vec<String>, Screen> {
    let declared = oci::globals(clap::Command::new("oci"))
        .arg(crate::cli::flags::switch("version", "Print version information").short('v'));
    let usage = |message: String| Screen::usage(&message, "hull oci", "[OPTIONS] COMMAND");
    let split = walk::split(&declared, FlagOrder::BeforeWords, &words[1..]).map_err(usage)?;
    if split.flags.iter().any(|flag| flag == "--version") {
        return Err(Screen::answer(oci::version()));
    }
    let mut reordered = vec![words[0].clone()];
    let mut verb = split.words.into_iter();
    if split.help {
        reordered.push("--help".to_owned());
        return Ok(reordered);
    }
    reordered.extend(verb.next());
    if reordered.len() > 1 {
        reordered.extend(split.flags);
    }
    reordered.extend(verb);
    Ok(reordered)
}

/// The command that the first words name, its path as typed, and the words after it.
fn find<'w>(
    commands: &[&'static Command],
    words: &'w [String],
) -> Result<(&'static Command, &'static str, &'w [String]), Screen> {
    for length in (1..=words.len().min(2)).rev() {
        let typed = words[..length].join(" ");
        for command in commands {
            if let Some(path) = command.paths.iter().find(|path| **path == typed) {
                return Ok((command, path, &words[length..]));
            }
        }
    }
    let first = words[0].as_str();
    if let Some((_, why)) = REFUSED.iter().find(|(name, _)| *name == first) {
        return Err(Screen {
            text: format!("Error: hull {first}: {why}\n"),
            code: 1,
        });
    }
    let Some((group, about)) = GROUPS.iter().find(|(name, _)| *name == first) else {
        let text = format!(
            "hull: unknown command: hull {}\n\nRun 'hull --help' for more information\n",
            output::escape(first)
        );
        return Err(Screen { text, code: 1 });
    };
    match words.get(1).map(String::as_str) {
        None | Some("--help" | "-h" | "help") => {
            Err(Screen::answer(help::group(commands, group, about)))
        }
        Some(flag) if flag.starts_with('-') => {
            let group = format!("hull {group}");
            Err(Screen::usage(&unknown_flag(flag), &group, "COMMAND"))
        }
        Some(verb) => {
            let message = format!("hull: unknown command: hull {group} {verb}");
            let group = format!("hull {group}");
            let screen = Screen::usage(&message, &group, "COMMAND");
            Err(Screen { code: 1, ..screen })
        }
    }
}

fn unknown_flag(word: &str) -> String {
    let words = [word.to_owned()];
    let split = walk::split(&clap::Command::new(""), FlagOrder::Anywhere, &words);
    split
        .err()
        .unwrap_or_else(|| format!("unknown flag: {word}"))
}

/// Builds the declarations of one command and reads its words by them.
fn parse_command(command: &Command, path: &str, words: &[String]) -> Result<Matches, Screen> {
    let declared = declare(command);
    let called = format!("hull {path}");
    let usage = |message: String| Screen::usage(&message, &called, command.usage);
    let wrong = |message: String| refusal(command, &message).unwrap_or_else(|| usage(message));
    let split = walk::split(&declared, command.order, words).map_err(wrong)?;
    if split.help {
        return Err(Screen::answer(help::command(command, path)));
    }
    if let Some(rule) = broken_rule(words_wanted(command.words, &split), split.words.len()) {
        let too_many = command.words == Words::None && !command.words_hint.is_empty();
        let hint = match too_many {
            true => format!(" ({})", command.words_hint),
            false => String::new(),
        };
        let screen = usage(format!("hull: '{called}' {rule}{hint}"));
        let mut text = screen.text;
        if matches!(command.words, Words::AtLeast(_) | Words::AtLeastUnless(..)) {
            // Docker's own words, for this rule only.
            text = text.replace("\nRun 'hull", "\nSee 'hull");
        }
        return Err(Screen { text, code: 1 });
    }
    values(&declared, &split).map_err(usage)
}

/// The reason for which a command does not have a flag that others have.
fn refusal(command: &Command, message: &str) -> Option<Screen> {
    let name = message.strip_prefix("unknown flag: --")?;
    let reason = refused::reason(command.refused, name)?;
    Some(Screen {
        text: format!("Error: --{name} is not supported: {reason}\n"),
        code: 125,
    })
}

/// The clap declarations of a command: its own flags and the words.
pub fn declare(command: &Command) -> clap::Command {
    let name = command.paths.first().copied().unwrap_or_default();
    let words = clap::Arg::new(WORDS)
        .num_args(0..)
        .action(clap::ArgAction::Append)
        .allow_hyphen_values(true)
        .hide(true);
    let base = clap::Command::new(name)
        .about(command.about)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args_override_self(true);
    (command.arguments)(base).arg(words)
}

/// Lets clap convert the values.
fn values(declared: &clap::Command, split: &walk::Split) -> Result<Matches, String> {
    let has_words = declared.get_arguments().any(|arg| arg.get_id() == WORDS);
    let mut line = vec!["hull".to_owned()];
    line.extend(split.flags.iter().cloned());
    if has_words {
        line.push("--".to_owned());
        line.extend(split.words.iter().cloned());
    }
    let parsed = declared.clone().try_get_matches_from(line);
    parsed
        .map(|values| Matches::new(values, declared))
        .map_err(|error| explain(declared, &error))
}

/// clap's refusal in Docker's words.
fn explain(declared: &clap::Command, error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let named = context(ContextKind::InvalidArg);
    let name = named.split([' ', '=', '[']).next().unwrap_or_default();
    let name = name.trim_start_matches('-');
    let arg = declared
        .get_arguments()
        .find(|arg| arg.get_long() == Some(name));
    let why = match std::error::Error::source(error) {
        Some(source) => source.to_string(),
        None => error.kind().to_string(),
    };
    match arg {
        Some(arg) => walk::refused_value(arg, &context(ContextKind::InvalidValue), &why),
        None => why,
    }
}

/// The rule that counts for these flags.
fn words_wanted(rule: Words, split: &walk::Split) -> Words {
    let Words::AtLeastUnless(count, flags) = rule else {
        return rule;
    };
    let names = split
        .flags
        .iter()
        .filter_map(|flag| flag.strip_prefix("--")?.split('=').next());
    match names.into_iter().any(|name| flags.contains(&name)) {
        true => Words::AtLeast(0),
        false => Words::AtLeast(count),
    }
}

/// Docker's sentence about the number of words, if it is wrong.
fn broken_rule(rule: Words, count: usize) -> Option<String> {
    let plural = |n: usize| if n == 1 { "argument" } else { "arguments" };
    match rule {
        Words::None if count > 0 => Some("accepts no arguments".to_owned()),
        Words::Exactly(n) if count != n => Some(format!("requires {n} {}", plural(n))),
        Words::AtLeast(n) if count < n => Some(format!("requires at least {n} {}", plural(n))),
        Words::AtMost(n) if count > n => Some(format!("requires at most {n} {}", plural(n))),
        Words::Between(low, high) if !(low..=high).contains(&count) => Some(format!(
            "requires at least {low} and at most {high} {}",
            plural(high)
        )),
        _ => None,
    }
}

impl Screen {
    /// Prints the text; the result is the exit code.
    pub fn show(&self) -> u8 {
        output::screen(self)
    }

    fn answer(text: String) -> Screen {
        Screen { text, code: 0 }
    }

    fn usage(message: &str, called: &str, usage: &str) -> Screen {
        let message = output::escape(message);
        let text = format!(
            "{message}\n\nUsage:  {called} {usage}\n\n\
             Run '{called} --help' for more information\n"
        );
        Screen { text, code: 125 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::flags;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const RUN: Command = Command {
        paths: &["run", "container run"],
        usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
        words: Words::AtLeast(1),
        order: FlagOrder::BeforeWords,
        scope: Scope::Run,
        arguments: |command| {
            command
                .arg(flags::switch("rm", "Remove"))
                .arg(flags::integer("timeout", "Seconds").short('t'))
                .arg(flags::list("env", "list", "Variables").short('e'))
        },
        ..Command::BASE
    };
    const PS: Command = Command {
        paths: &["ps", "container ls"],
        words_hint: "see hull top",
        arguments: |_| panic!("only the named command may be built"),
        ..Command::BASE
    };
    const BARE: Command = Command {
        paths: &["bare", "container bare"],
        words_hint: "see hull top",
        ..Command::BASE
    };

    fn parse_line(line: &str) -> Result<Invocation, Screen> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&[&PS, &RUN, &BARE], &words)
    }

    fn refused(line: &str) -> Screen {
        match parse_line(line) {
            Ok(_) => panic!("{line:?} was accepted"),
            Err(screen) => screen,
        }
    }

    #[test]
    fn one_command_is_built_and_only_once() {
        static BUILT: AtomicUsize = AtomicUsize::new(0);
        const COUNTED: Command = Command {
            paths: &["counted"],
            arguments: |command| {
                BUILT.fetch_add(1, Ordering::Relaxed);
                command
            },
            ..Command::BASE
        };
        let parsed = parse(&[&PS, &RUN, &COUNTED], &["counted".to_owned()]);
        assert!(parsed.is_ok());
        assert_eq!(BUILT.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn values_reach_the_command() {
        let invocation = parse_line("run --rm -e A=b -t -3 alpine --rm").map_err(|s| s.text);
        let matches = invocation.expect("is legal").matches;
        assert!(matches.on("rm"));
        assert_eq!(matches.texts("env"), ["A=b"]);
        assert_eq!(matches.value::<i64>("timeout"), Some(-3));
        assert_eq!(matches.words(), ["alpine", "--rm"]);
    }

    #[test]
    fn empty_repeated_and_dashed_values_are_kept() {
        let words = [
            "run",
            "-e",
            "",
            "-e=--rm",
            "-t",
            "1",
            "--timeout=2",
            "--",
            "-x",
            "",
        ];
        let words = words.map(str::to_owned);
        let invocation = parse(&[&RUN], &words).map_err(|screen| screen.text);
        let matches = invocation.expect("is legal").matches;
        assert_eq!(matches.texts("env"), ["", "--rm"]);
        assert_eq!(matches.value::<i64>("timeout"), Some(2));
        assert!(!matches.on("rm"));
        assert!(matches.given("env") && !matches.given("rm"));
        assert_eq!(matches.words(), ["-x", ""]);
    }

    #[test]
    fn unknown_flag_shows_the_usage_line_with_125() {
        let screen = refused("container bare --nope");
        assert_eq!(screen.code, 125);
        assert_eq!(
            screen.text,
            "unknown flag: --nope\n\nUsage:  hull container bare [OPTIONS]\n\n\
             Run 'hull container bare --help' for more information\n"
        );
        assert_eq!(refused("--nope ps").code, 125);
        assert_eq!(refused("container --nope").code, 125);
    }

    #[test]
    fn unknown_command_is_1() {
        let screen = refused("nope");
        assert_eq!(screen.code, 1);
        assert_eq!(
            screen.text,
            "hull: unknown command: hull nope\n\nRun 'hull --help' for more information\n"
        );
        let screen = refused("container nope");
        assert_eq!(screen.code, 1);
        assert!(
            screen
                .text
                .starts_with("hull: unknown command: hull container nope\n")
        );
        let screen = refused("swarm init");
        assert_eq!(screen.code, 1);
        assert!(
            screen.text.starts_with("Error: hull swarm: "),
            "{}",
            screen.text
        );
    }

    #[test]
    fn word_counts_are_checked_with_1() {
        let screen = refused("run --rm");
        assert_eq!(screen.code, 1);
        assert_eq!(
            screen.text,
            "hull: 'hull run' requires at least 1 argument\n\n\
             Usage:  hull run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\n\
             See 'hull run --help' for more information\n"
        );
        let screen = refused("bare x");
        let first = screen.text.lines().next();
        assert_eq!(
            first,
            Some("hull: 'hull bare' accepts no arguments (see hull top)")
        );
        let table = [
            (Words::Exactly(1), 2, "requires 1 argument"),
            (Words::AtMost(1), 2, "requires at most 1 argument"),
            (
                Words::Between(1, 2),
                3,
                "requires at least 1 and at most 2 arguments",
            ),
        ];
        for (rule, count, text) in table {
            assert_eq!(broken_rule(rule, count).as_deref(), Some(text));
        }
    }

    #[test]
    fn refused_values_name_the_flag() {
        let screen = refused("run -t soon alpine");
        assert_eq!(screen.code, 125);
        let first = screen.text.lines().next();
        assert_eq!(
            first,
            Some(
                "invalid argument \"soon\" for \"-t, --timeout\" flag: \
                 strconv.ParseInt: parsing \"soon\": invalid syntax"
            )
        );
    }

    #[test]
    fn global_flags_stand_before_the_command() {
        let invocation = parse_line("--root /x --debug -H tcp://h run alpine");
        let globals = invocation
            .map_err(|screen| screen.text)
            .expect("is legal")
            .globals;
        assert_eq!(globals.overrides.root.as_deref(), Some(Path::new("/x")));
        assert_eq!(globals.overrides.log_level.as_deref(), Some("debug"));
        assert!(
            globals
                .notices
                .iter()
                .any(|notice| notice.starts_with("--host is ignored"))
        );
        let screen = refused("--version");
        assert_eq!(screen.code, 0);
        assert!(screen.text.starts_with("hull version "));
    }

    #[test]
    fn a91_control_characters_in_words_are_escaped() {
        let words = ["\x1b]0;x\x07".to_owned()];
        let screen = parse(&[&BARE], &words).err().expect("is unknown");
        assert!(!screen.text.contains('\x1b'), "{:?}", screen.text);
    }
}
