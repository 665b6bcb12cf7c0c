//! Programs that keep logins: `docker-credential-NAME get|store|erase|list`.
//!
//! The name comes from a file and becomes part of a program's name, so it is looked at first. A
//! program that fails, hangs or talks nonsense is an error: going on without a login, or with
//! another one, would hide it.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use serde_json::Value;

use super::credentials::Credential;
use super::escaped;
use crate::error::{Context, Error, Kind, Result};

/// Some of them ask for a passphrase.
const PATIENCE: Duration = Duration::from_secs(120);
/// More than any answer; it is not read further.
const ANSWER_LIMIT: u64 = 1 << 20;

/// The program behind one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialProgram {
    name: String,
    patience: Duration,
}

impl CredentialProgram {
    /// The program `docker-credential-NAME`; `name` is checked.
    pub fn new(name: &str) -> Result<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let legal = name.len() <= 64 && name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !legal || !name.chars().all(plain) {
            let shown = escaped(name);
            return Err(
                Error::invalid(format!("{shown:?} is not a name of a credential helper"))
                    .hint("for docker-credential-pass it is \"pass\""),
            );
        }
        Ok(CredentialProgram {
            name: format!("docker-credential-{name}"),
            patience: PATIENCE,
        })
    }

    /// The login kept for `server`, if there is one.
    pub fn get(&self, server: &str) -> Result<Option<Credential>> {
        let answer = match self.run("get", server.as_bytes())? {
            Answer::Done(bytes) => bytes,
            Answer::Failed(words) if is_unknown(&words) => return Ok(None),
            Answer::Failed(words) => return Err(self.failed("get", server, &words)),
        };
        let document: Option<Value> = serde_json::from_slice(&answer).ok();
        let field = |name: &str| {
            let value = document.as_ref()?.get(name)?.as_str()?;
            Some(value.to_owned())
        };
        // Must not: be shown; what is wrong with it may be the secret itself.
        let (Some(user), Some(password)) = (field("Username"), field("Secret")) else {
            return Err(self.failed("get", server, "its answer is not a login"));
        };
        let silent = user.is_empty() && password.is_empty();
        Ok((!silent).then_some(Credential { user, password }))
    }

    /// Keeps a login.
    pub fn store(&self, server: &str, login: &Credential) -> Result<()> {
        let message = serde_json::json!({
            "ServerURL": server, "Username": login.user, "Secret": login.password});
        match self.run("store", message.to_string().as_bytes())? {
            Answer::Done(_) => Ok(()),
            Answer::Failed(words) => Err(self.failed("store", server, &words)),
        }
    }

    /// Forgets a login; one that it does not know is forgotten already.
    pub fn erase(&self, server: &str) -> Result<()> {
        match self.run("erase", server.as_bytes())? {
            Answer::Failed(words) if !is_unknown(&words) => {
                Err(self.failed("erase", server, &words))
            }
            Answer::Done(_) | Answer::Failed(_) => Ok(()),
        }
    }

    /// The servers it has logins for.
    pub fn list(&self) -> Result<Vec<String>> {
        let all = "all servers";
        let answer = match self.run("list", b"")? {
            Answer::Done(bytes) => bytes,
            Answer::Failed(words) => return Err(self.failed("list", all, &words)),
        };
        let document: Option<serde_json::Map<String, Value>> = serde_json::from_slice(&answer).ok();
        let document = document.ok_or_else(|| self.failed("list", all, "its answer is no list"))?;
        Ok(document.into_iter().map(|(server, _)| server).collect())
    }

    fn failed(&self, verb: &str, server: &str, why: &str) -> Error {
        let why = escaped(why.trim());
        let server = escaped(server);
        Error::new(
            Kind::Registry,
            format!("{} {verb} for {server}: {why}", self.name),
        )
        .hint("credsStore and credHelpers in the file of logins name this program")
    }

    fn run(&self, verb: &str, input: &[u8]) -> Result<Answer> {
        let subject = || format!("run {} {verb}", self.name);
        let program = self.find()?;
        let child = Command::new(program)
            .arg(verb)
            .stdin(readable(input).context(subject)?)
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.context(subject)?;
        let answer = self.wait(&mut child);
        if answer.is_err() {
            // An error would mean that it has ended.
            let _ = child.kill();
            let _ = child.wait();
        }
        answer.map_err(|error| error.wrap(subject()))
    }

    /// Reads what it says, and waits for its end; both within one limit.
    fn wait(&self, child: &mut Child) -> Result<Answer> {
        let end = Instant::now() + self.patience;
        let late = || {
            let seconds = self.patience.as_secs();
            Error::new(Kind::Registry, format!("no answer within {seconds} s"))
        };
        let mut stdout = child.stdout.take().expect("is piped");
        let mut answer = Vec::new();
        loop {
            let left = end.checked_duration_since(Instant::now());
            let left = Timespec::try_from(left.ok_or_else(late)?).ok();
            let mut watched = [PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::IN)];
            match poll(&mut watched, left.as_ref()) {
                Ok(0) => return Err(late()),
                Err(rustix::io::Errno::INTR) => continue,
                other => other.context(|| "wait for its answer")?,
            };
            let mut buffer = [0; 4096];
            let count = stdout.read(&mut buffer).context(|| "read its answer")?;
            answer.extend_from_slice(&buffer[..count]);
            if answer.len() as u64 > ANSWER_LIMIT {
                return Err(Error::new(
                    Kind::Registry,
                    "its answer is longer than 1 MiB",
                ));
            }
            if count == 0 {
                break;
            }
        }
        loop {
            if let Some(status) = child.try_wait().context(|| "wait for its end")? {
                let words = || String::from_utf8_lossy(&answer).into_owned();
                return Ok(match status.success() {
                    true => Answer::Done(answer),
                    false if words().trim().is_empty() => Answer::Failed(status.to_string()),
                    false => Answer::Failed(words()),
                });
            }
            if Instant::now() >= end {
                return Err(late());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Its path. Relative directories in PATH are passed over: what lies in the directory one
    /// happens to be in is nobody's choice.
    fn find(&self) -> Result<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let candidates = std::env::split_paths(&path)
            .filter(|directory| directory.is_absolute())
            .map(|directory| directory.join(&self.name));
        let runs = |path: &PathBuf| {
            let meta = std::fs::metadata(path);
            meta.is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
        };
        candidates.into_iter().find(runs).ok_or_else(|| {
            Error::not_found(format!("{} is not in PATH", self.name))
                .hint("install it, or take it out of credsStore and credHelpers")
        })
    }
}

enum Answer {
    Done(Vec<u8>),
    /// What it said, or how it ended.
    Failed(String),
}

/// The word of the helpers' own library for "I know none".
fn is_unknown(words: &str) -> bool {
    words.trim() == "credentials not found in native keychain"
}

/// The input as a file: a program that ends without reading it breaks no pipe.
fn readable(input: &[u8]) -> Result<OwnedFd> {
    let descriptor = memfd_create("login", MemfdFlags::CLOEXEC).context(|| "make its input")?;
    let mut file = File::from(descriptor);
    let written = file.write_all(input).and_then(|()| file.rewind());
    written.context(|| "write its input")?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a34_a_program_that_hangs_is_given_up() {
        let program = CredentialProgram {
            name: "docker-credential-slow".to_owned(),
            patience: Duration::from_millis(50),
        };
        for script in ["exec sleep 1000", "exec >&-; exec sleep 1000"] {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", script]).stdout(Stdio::piped());
            let mut child = command.spawn().expect("starts");
            let waited = program.wait(&mut child);
            child.kill().expect("it runs still");
            child.wait().expect("is our child");
            let Err(error) = waited else {
                panic!("{script} has no end");
            };
            assert!(error.to_string().contains("no answer"), "{error}");
        }
    }

    #[test]
    fn a34_names_of_programs_are_checked() {
        for good in ["pass", "ecr-login", "osx.keychain", "a_b"] {
            assert!(CredentialProgram::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "../x",
            "a/b",
            "-x",
            ".x",
            "a b",
            "a\0",
            "a\n",
            &"x".repeat(65),
        ] {
            assert!(CredentialProgram::new(bad).is_err(), "{bad:?}");
        }
    }
}
