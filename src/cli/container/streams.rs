//! What the commands that attach have in common: which streams, which keys detach, how it ended.

use std::time::{Duration, Instant};

use crate::base::ContainerId;
use crate::cli::output;
use crate::config::Settings;
use crate::container::{Outcome, RelayOptions};
use crate::error::{Error, Kind, Result};
use crate::state::{ProcessConfig, RunDirectory};

/// Docker's keys to leave a container running: ctrl-p, ctrl-q.
const DETACH_KEYS: &str = "ctrl-p,ctrl-q";

/// All streams of a container with this process, ours for the time being.
pub(super) fn relay_options(
    settings: &Settings,
    id: &ContainerId,
    process: &ProcessConfig,
    keys: Vec<u8>,
) -> RelayOptions {
    let records = crate::container::records(settings);
    RelayOptions {
        stdin: process.open_stdin,
        ends_stdin: process.stdin_once,
        stdout: true,
        stderr: true,
        terminal: process.terminal,
        redraw: false,
        forward_signals: true,
        detach_keys: if process.terminal { keys } else { Vec::new() },
        control: records.run_directory(id).path().to_owned(),
    }
}

/// The exit code of an attached client.
pub(super) fn exit_code(outcome: Outcome) -> Result<u8> {
    match outcome {
        Outcome::Exited(code) => Ok(code),
        Outcome::Detached | Outcome::InputPassed => Ok(0),
        Outcome::Signalled(number) => Ok(128 + number),
        Outcome::Lagged => Err(Error::new(
            Kind::System,
            "output came faster than it was read here, so this client was detached",
        )
        .hint("the container goes on; hull logs has all of it")),
        Outcome::Lost => Err(
            Error::new(Kind::System, "the container's monitor was killed")
                .hint("the container is ended with it; see hull ps -a"),
        ),
    }
}

/// As [`exit_code`], where Docker says that the keys were seen.
pub(super) fn exit_code_of_attach(
    settings: &Settings,
    id: &ContainerId,
    outcome: Outcome,
) -> Result<u8> {
    if outcome == Outcome::Detached {
        output::note("read escape sequence");
    }
    let run = crate::container::records(settings).run_directory(id);
    match outcome {
        // The container has ended since, and the word that we were too slow with it.
        Outcome::Lost if !has_lost_monitor(&run) => exit_code(Outcome::Lagged),
        other => exit_code(other),
    }
}

/// How long a killed monitor may take to let go of its lock: the kernel closes descriptors one by
/// one, and its end of our connection may have been first.
const LETTING_GO: Duration = Duration::from_millis(200);

fn has_lost_monitor(run: &RunDirectory) -> bool {
    let deadline = Instant::now() + LETTING_GO;
    while run.has_monitor() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    run.is_recorded() && !run.has_monitor()
}

/// The bytes of the keys that detach from a terminal: those of the flag, of Docker's client
/// configuration, or the usual ones. Without a terminal there are none, and only the flag is looked
/// at.
pub(super) fn detach_keys(
    settings: &Settings,
    flag: Option<&str>,
    terminal: bool,
) -> Result<Vec<u8>> {
    if let Some(keys) = flag.filter(|text| !text.is_empty()) {
        return parse_keys(keys);
    }
    if !terminal {
        return Ok(Vec::new());
    }
    parse_keys(configured_keys(settings).as_deref().unwrap_or(DETACH_KEYS))
}

/// `detachKeys` of config.json. A file that cannot be read is another command's trouble.
fn configured_keys(settings: &Settings) -> Option<String> {
    let home = || Some(settings.home.as_ref()?.join(".docker"));
    let directory = settings.docker_config.clone().or_else(home)?;
    let text = std::fs::read_to_string(directory.join("config.json")).ok()?;
    let document: serde_json::Value = serde_json::from_str(&text).ok()?;
    let keys = document.get("detachKeys")?.as_str()?;
    (!keys.is_empty()).then(|| keys.to_owned())
}

/// Letters, or `ctrl-` with one of `a-z@[\]^_`, with commas between.
fn parse_keys(text: &str) -> Result<Vec<u8>> {
    let key = |part: &str| -> Option<u8> {
        match part.strip_prefix("ctrl-").map(str::as_bytes) {
            Some([c]) if b"abcdefghijklmnopqrstuvwxyz@[\\]^_".contains(c) => {
                Some(c.to_ascii_uppercase() & 0x1f)
            }
            None if part.len() == 1 => part.bytes().next(),
            _ => None,
        }
    };
    let keys = text.split(',').map(key).collect::<Option<Vec<u8>>>();
    keys.ok_or_else(|| Error::invalid(format!("Invalid detach keys ({text}) provided")))
}

/// `-it` wants a terminal on our side too.
pub(super) fn require_terminal(stdin: bool, terminal: bool) -> Result<()> {
    if stdin && terminal && !rustix::termios::isatty(rustix::stdio::stdin()) {
        return Err(Error::new(Kind::Invalid, "the input device is not a TTY"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_letters_and_control_characters() {
        let table: [(&str, &[u8]); 5] = [
            ("ctrl-p,ctrl-q", &[16, 17]),
            ("a", b"a"),
            (
                "ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_",
                &[0, 27, 28, 29, 30, 31],
            ),
            ("a,b,c", b"abc"),
            ("A,1", b"A1"),
        ];
        for (text, bytes) in table {
            assert_eq!(parse_keys(text).expect(text), bytes);
        }
        for bad in [
            "", "ab", "ctrl-", "ctrl-A", "ctrl-1", "a,,b", "shift-a", "é",
        ] {
            let error = parse_keys(bad).expect_err(bad).to_string();
            assert_eq!(error, format!("Invalid detach keys ({bad}) provided"));
        }
    }
}
