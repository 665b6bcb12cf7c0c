//! `hull generate man DIR` and `hull generate completions DIR` (hidden): the files that packages
//! install. They are committed too, and a test compares them with what this writes.

use std::fs;
use std::path::Path;

use clap_mangen::Man;

use crate::cli::flags::Matches;
use crate::cli::{COMMANDS, Command, GROUPS, Words, completion, dispatch, help, oci};
use crate::config::Settings;
use crate::error::{Context, Result, Scope};

pub const MAN: Command = Command {
    paths: &["generate man"],
    about: "Write the manual pages into a directory",
    usage: "DIR",
    words: Words::Exactly(1),
    hidden: true,
    run: |matches: &Matches, _: &Settings| {
        for (name, page) in pages()? {
            write(matches, &name, &page)?;
        }
        Ok(0)
    },
    ..Command::BASE
};

pub const COMPLETIONS: Command = Command {
    paths: &["generate completions"],
    about: "Write the completion scripts into a directory",
    usage: "DIR",
    words: Words::Exactly(1),
    hidden: true,
    run: |matches: &Matches, _: &Settings| {
        for (_, shell, file) in completion::SHELLS {
            write(matches, file, &completion::script(*shell))?;
        }
        Ok(0)
    },
    ..Command::BASE
};

fn write(matches: &Matches, name: &str, content: &[u8]) -> Result<()> {
    let directory = Path::new(matches.words()[0]);
    fs::create_dir_all(directory).context(|| format!("create {}", directory.display()))?;
    let path = directory.join(name);
    fs::write(&path, content).context(|| format!("write {}", path.display()))
}

/// File names and contents of all manual pages.
fn pages() -> Result<Vec<(String, Vec<u8>)>> {
    let visible = || COMMANDS.iter().filter(|command| !command.hidden);
    let mut pages = vec![("hull.1".to_owned(), main_page(visible().copied())?)];
    for command in visible() {
        let name = page_name(command);
        let page = command_page(command, &name)?;
        pages.push((format!("{name}.1"), page));
    }
    for (group, about) in GROUPS {
        let inside = |command: &&&Command| help::verb(command, group).is_some();
        let commands: Vec<_> = visible().filter(inside).copied().collect();
        if !commands.is_empty() {
            let page = group_page(group, about, commands)?;
            pages.push((format!("hull-{group}.1"), page));
        }
    }
    Ok(pages)
}

fn page_name(command: &Command) -> String {
    let path = command.paths.first().copied().unwrap_or_default();
    format!("hull-{}", path.replace(' ', "-"))
}

fn command_page(command: &Command, name: &str) -> Result<Vec<u8>> {
    let declared = dispatch::declare(command).name(name.to_owned());
    let mut page = start_page(declared)?;
    if let [called, aliases @ ..] = command.paths {
        let others: Vec<String> = aliases.iter().map(|path| format!("hull {path}")).collect();
        let synopsis = format!("hull {called} {}", command.usage);
        section(&mut page, "SYNOPSIS", &[("", &synopsis)]);
        if !others.is_empty() {
            section(&mut page, "ALIASES", &[("", &others.join(", "))]);
        }
    }
    if dispatch::declare(command)
        .get_arguments()
        .any(|arg| !arg.is_hide_set())
    {
        options(&mut page, dispatch::declare(command))?;
    }
    let status = match command.scope {
        Scope::Run => EXIT_STATUS_OF_RUN,
        Scope::Exec => EXIT_STATUS_OF_EXEC,
        Scope::Other => EXIT_STATUS_OF_OTHERS,
    };
    section(&mut page, "EXIT STATUS", status);
    section(&mut page, "SEE ALSO", &[("", "hull(1)")]);
    Ok(page)
}

fn group_page(group: &str, about: &str, commands: Vec<&'static Command>) -> Result<Vec<u8>> {
    let mut declared = clap::Command::new(format!("hull-{group}"));
    if group == "oci" {
        declared = oci::globals(declared);
    }
    let declared = declared
        .disable_help_flag(true)
        .disable_version_flag(true)
        .about(about.to_owned());
    let mut page = start_page(declared.clone())?;
    let synopsis = format!("hull {group} COMMAND [ARG...]");
    section(&mut page, "SYNOPSIS", &[("", &synopsis)]);
    if declared.get_arguments().count() > 0 {
        options(&mut page, declared)?;
    }
    listing(&mut page, commands.into_iter());
    section(&mut page, "SEE ALSO", &[("", "hull(1)")]);
    Ok(page)
}

/// Section COMMANDS: pages and what they are about.
fn listing(page: &mut Vec<u8>, commands: impl Iterator<Item = &'static Command>) {
    let mut listed: Vec<(String, &str)> = commands
        .map(|command| (format!("{}(1)", page_name(command)), command.about))
        .collect();
    listed.sort();
    let listed: Vec<(&str, &str)> = listed
        .iter()
        .map(|(name, about)| (&**name, *about))
        .collect();
    section(page, "COMMANDS", &listed);
}

fn main_page(commands: impl Iterator<Item = &'static Command>) -> Result<Vec<u8>> {
    let about = "a container engine in one binary: no daemon, with or without root";
    let mut page = start_page(help::globals().about(about))?;
    section(
        &mut page,
        "SYNOPSIS",
        &[("", "hull [OPTIONS] COMMAND [ARG...]")],
    );
    options(&mut page, help::globals())?;
    listing(&mut page, commands);
    section(&mut page, "EXIT STATUS", EXIT_STATUS);
    section(&mut page, "FILES", FILES);
    section(&mut page, "ENVIRONMENT", ENVIRONMENT);
    section(&mut page, "FROM DOCKER", FROM_DOCKER);
    Ok(page)
}

/// Title and name.
fn start_page(declared: clap::Command) -> Result<Vec<u8>> {
    let page = Man::new(declared).source("hull").manual("hull manual");
    let mut text = Vec::new();
    let title = page.render_title(&mut text);
    title.context(|| "write the title of a manual page")?;
    let mut name = Vec::new();
    let named = page.render_name_section(&mut name);
    named.context(|| "write the name of a manual page")?;
    text.extend(without_preamble(&name));
    Ok(text)
}

fn options(page: &mut Vec<u8>, declared: clap::Command) -> Result<()> {
    let mut text = Vec::new();
    let written = Man::new(declared).render_options_section(&mut text);
    written.context(|| "write the options of a manual page")?;
    page.extend(without_preamble(&text));
    Ok(())
}

/// The library begins each section with the same two definitions; the first ones suffice.
fn without_preamble(section: &[u8]) -> Vec<u8> {
    let definition = |line: &&[u8]| line.starts_with(b".ie ") || line.starts_with(b".el ");
    let lines = section.split_inclusive(|byte| *byte == b'\n');
    lines.skip_while(definition).flatten().copied().collect()
}

const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "Success."),
    (
        "1",
        "The command failed; wrong number of arguments; unknown command.",
    ),
    (
        "125",
        "Wrong flag; for run and create: the engine failed before the program started.",
    ),
    ("126", "run, exec: the program cannot be invoked."),
    ("127", "run, exec: the program was not found."),
    (
        "other",
        "run, exec, start -a: the exit status of the program; 128+N if signal N ended it.",
    ),
];

const EXIT_STATUS_OF_RUN: &[(&str, &str)] = &[
    ("125", "The engine failed before the program started."),
    ("126", "The program cannot be invoked."),
    ("127", "The program was not found."),
    (
        "other",
        "The exit status of the program, 128+N if signal N ended it; 0 if nobody waits for it.",
    ),
];

const EXIT_STATUS_OF_EXEC: &[(&str, &str)] = &[
    ("1", "The container is not there or does not run."),
    ("125", "The engine failed before the program started."),
    ("126", "The program cannot be invoked."),
    ("127", "The program was not found."),
    (
        "other",
        "The exit status of the program; 128+N if signal N ended it.",
    ),
];

const EXIT_STATUS_OF_OTHERS: &[(&str, &str)] = &[
    ("0", "Success."),
    (
        "1",
        "The command failed, for one of its arguments at least, or their number is wrong.",
    ),
    ("125", "A flag is wrong."),
];

const FILES: &[(&str, &str)] = &[
    (
        "/var/lib/hull, $XDG_DATA_HOME/hull",
        "Images, containers and volumes (root, others).",
    ),
    (
        "/run/hull, $XDG_RUNTIME_DIR/hull",
        "Run state, emptied at boot (root, others).",
    ),
    (
        "/etc/hull/config.json, $XDG_CONFIG_HOME/hull/config.json",
        "Settings.",
    ),
    (
        "/etc/docker/daemon.json",
        "Settings: the keys that apply to an engine without a daemon.",
    ),
    (
        "~/.docker/config.json",
        "Credentials and credential helpers.",
    ),
    (
        "$XDG_RUNTIME_DIR/containers/auth.json",
        "Logins of podman, read after that.",
    ),
    (
        "/etc/docker/certs.d/HOST/, /etc/containers/certs.d/HOST/",
        "Certificates for a registry: authorities (*.crt), our own (*.cert with *.key). The same \
         below ~/.config.",
    ),
    (
        "/etc/containers/registries.conf, registries.conf.d/*.conf",
        "Rules for registries: location, mirror, insecure, blocked. The same below ~/.config. \
         Search lists and aliases are not used: a short name is always docker.io's.",
    ),
    (
        "/etc/subuid, /etc/subgid",
        "Ids that containers of other users than root may use.",
    ),
];

const FROM_DOCKER: &[(&str, &str)] = &[
    (
        "systemctl start docker, service docker restart",
        "Not needed: there is no daemon. /etc/docker/daemon.json is read by every command.",
    ),
    (
        "systemctl enable docker",
        "hull system boot enable: starts the containers whose restart policy asks for it.",
    ),
];

const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "HULL_ROOT, HULL_RUNROOT, HULL_LOG, HULL_CONFIG",
        "As --root, --runroot, --log-level; a settings file.",
    ),
    (
        "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY",
        "Proxies to reach registries through.",
    ),
    ("DOCKER_CONFIG", "Directory of the client config files."),
    (
        "REGISTRY_AUTH_FILE",
        "The file logins are kept in, instead of config.json.",
    ),
    (
        "CONTAINERS_REGISTRIES_CONF",
        "The main file of rules for registries.",
    ),
    ("DOCKER_DEFAULT_PLATFORM", "Platform of pulled images."),
    ("DOCKER_HOST", "Ignored with a notice: there is no daemon."),
    (
        "XDG_DATA_HOME, XDG_RUNTIME_DIR, XDG_CONFIG_HOME",
        "Where files are.",
    ),
];

/// A section of paragraphs, each with a tag unless that is empty.
fn section(page: &mut Vec<u8>, title: &str, entries: &[(&str, &str)]) {
    // In roff a backslash starts a command, and so does a dot at the start of a line.
    let plain = |text: &str| text.replace('\\', "\\e").replace('-', "\\-");
    page.extend(format!(".SH {title:?}\n").into_bytes());
    for (tag, text) in entries {
        let tag = match *tag {
            "" => ".PP\n".to_owned(),
            tag => format!(".TP\n\\fB{}\\fR\n", plain(tag)),
        };
        page.extend(tag.into_bytes());
        page.extend(format!("\\&{}\n", plain(text)).into_bytes());
    }
}
