//! The one error type: what went wrong, on which thing, why, and what to try.
//!
//! An [`Error`] has a [`Kind`] (decides the exit code), a chain of contexts (outermost first, the
//! kernel's word last) and at most one hint. It is rendered once, by `cli::output`. Modules add the
//! subject with [`Context`]; nobody logs an error and returns it too.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `Result` with hull's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What class of failure this is. The command turns it into an exit code with [`Error::exit_code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// The command line is wrong: unknown flag, missing argument.
    Usage,
    /// A `--format` is no template (exit code 64, as Docker's).
    Format,
    /// A value given by the user, an image or a file is outside its grammar or limits.
    Invalid,
    /// The named container, image or file does not exist.
    NotFound,
    /// A name is taken, or the thing is in a state that forbids the operation.
    Conflict,
    /// The container's program does not exist (exit code 127).
    CommandNotFound,
    /// The container's program cannot be invoked (exit code 126).
    CommandNotExecutable,
    /// Stored or received content does not match its digest or format.
    Corrupt,
    /// The registry refused or the network failed.
    Registry,
    /// This host or kernel lacks something.
    Unsupported,
    /// A system call failed.
    System,
}

/// Where the error surfaced: `run`, `create` and `exec` have their own exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// `run`, `create`: 125 for the engine, 126 and 127 for the program.
    Run,
    /// `exec`: 1 for a container that does not run, else as `run`.
    Exec,
    /// Every other command: 1.
    Other,
}

/// hull's error. Boxed inside, so that `Result<()>` stays one word.
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    hint: Option<String>,
    /// Innermost first. Plain text: capturing a backtrace for every error, as error crates do when
    /// the environment asks for backtraces, costs milliseconds on the way to a container.
    messages: Vec<String>,
    errno: Option<rustix::io::Errno>,
}

impl Error {
    /// A new error with its outermost message.
    pub fn new(kind: Kind, message: impl fmt::Display) -> Self {
        Error::made(kind, message.to_string(), None)
    }

    fn made(kind: Kind, message: String, errno: Option<rustix::io::Errno>) -> Self {
        Error(Box::new(Inner {
            kind,
            hint: None,
            messages: vec![message],
            errno,
        }))
    }

    /// Shorthand for [`Kind::Invalid`].
    pub fn invalid(message: impl Into<String>) -> Self {
        Error::new(Kind::Invalid, message.into())
    }

    /// Shorthand for [`Kind::NotFound`].
    pub fn not_found(message: impl Into<String>) -> Self {
        Error::new(Kind::NotFound, message.into())
    }

    /// Shorthand for [`Kind::Conflict`].
    pub fn conflict(message: impl Into<String>) -> Self {
        Error::new(Kind::Conflict, message.into())
    }

    /// Shorthand for [`Kind::Corrupt`].
    pub fn corrupt(message: impl Into<String>) -> Self {
        Error::new(Kind::Corrupt, message.into())
    }

    /// Shorthand for [`Kind::Unsupported`].
    pub fn unsupported(message: impl Into<String>) -> Self {
        Error::new(Kind::Unsupported, message.into())
    }

    /// Adds what to try. The innermost hint wins: it knows most.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Changes the kind, keeping words and hint.
    #[must_use]
    pub fn with_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Wraps the chain in one more message (the subject).
    #[must_use]
    pub fn wrap(mut self, message: impl fmt::Display) -> Self {
        self.0.messages.push(message.to_string());
        self
    }

    /// The class of this error.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What to try, if known.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The errno at the root of the chain, if a system call failed.
    pub fn errno(&self) -> Option<rustix::io::Errno> {
        self.0.errno
    }

    /// The exit code Docker's users expect for this error.
    pub fn exit_code(&self, scope: Scope) -> u8 {
        match (scope, self.0.kind) {
            (_, Kind::Usage) => 125,
            (_, Kind::Format) => 64,
            (Scope::Run | Scope::Exec, Kind::CommandNotFound) => 127,
            (Scope::Run | Scope::Exec, Kind::CommandNotExecutable) => 126,
            // A container that is not there, or not running, is a plain failure for `exec`.
            (Scope::Exec, Kind::NotFound | Kind::Conflict) => 1,
            (Scope::Run | Scope::Exec, _) => 125,
            (Scope::Other, _) => 1,
        }
    }
}

/// An error on its way between two processes of ours: the words survive, the errno does not.
#[derive(Serialize, Deserialize)]
struct Carried {
    kind: Kind,
    message: String,
    hint: Option<String>,
}

impl Error {
    /// For another process; [`Error::from_carried`] reads it there.
    pub fn to_carried(&self) -> Vec<u8> {
        let carried = Carried {
            kind: self.kind(),
            message: self.to_string(),
            hint: self.hint_text().map(str::to_owned),
        };
        serde_json::to_vec(&carried).unwrap_or_default()
    }

    /// What [`Error::to_carried`] made.
    pub fn from_carried(bytes: &[u8]) -> Error {
        match serde_json::from_slice::<Carried>(bytes) {
            Ok(Carried {
                kind,
                message,
                hint: Some(hint),
            }) => Error::new(kind, message).hint(hint),
            Ok(Carried {
                kind,
                message,
                hint: None,
            }) => Error::new(kind, message),
            Err(_) => Error::new(Kind::System, "a helper process ended without a word"),
        }
    }
}

/// The whole chain on one line, outermost first, joined by `: `, without the hint.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, message) in self.0.messages.iter().rev().enumerate() {
            let separator = if index == 0 { "" } else { ": " };
            write!(f, "{separator}{message}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        let errno = error
            .raw_os_error()
            .map(rustix::io::Errno::from_raw_os_error);
        // Readers of ours wrap an error in an `io::Error` to pass it through `Read`.
        match error.downcast::<Error>() {
            Ok(own) => own,
            Err(error) => Error::made(Kind::System, without_number(&error), errno),
        }
    }
}

/// The words of an error, without the number that Rust puts behind those of the system.
fn without_number(error: &std::io::Error) -> String {
    let text = error.to_string();
    let suffix = error
        .raw_os_error()
        .map(|number| format!(" (os error {number})"));
    let words = suffix.and_then(|suffix| text.strip_suffix(&suffix).map(str::to_owned));
    words.unwrap_or(text)
}

impl std::error::Error for Error {}

impl From<rustix::io::Errno> for Error {
    fn from(errno: rustix::io::Errno) -> Self {
        Error::made(Kind::System, without_number(&errno.into()), Some(errno))
    }
}

impl From<nix::errno::Errno> for Error {
    fn from(error: nix::errno::Errno) -> Self {
        rustix::io::Errno::from_raw_os_error(error as i32).into()
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Error::made(Kind::Corrupt, error.to_string(), None)
    }
}

/// Adds the subject to an error that leaves a module.
pub trait Context<T> {
    /// Wraps the error in `message()`; the closure runs only on failure.
    fn context<D: fmt::Display>(self, message: impl FnOnce() -> D) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for std::result::Result<T, E> {
    fn context<D: fmt::Display>(self, message: impl FnOnce() -> D) -> Result<T> {
        self.map_err(|error| error.into().wrap(message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_system_come_without_its_number() {
        let error = std::fs::read("/nonexistent").context(|| "read /nonexistent");
        let error = error.expect_err("is not there").to_string();
        assert_eq!(error, "read /nonexistent: No such file or directory");
        let error: Error = rustix::io::Errno::NOSPC.into();
        assert_eq!(error.to_string(), "No space left on device");
        let own: Error = std::io::Error::other("so (os error 2)").into();
        assert_eq!(own.to_string(), "so (os error 2)");
    }

    #[test]
    fn message_lists_subject_before_cause() {
        let low: Result<()> = Err(rustix::io::Errno::NOENT.into());
        let error = low.context(|| "open layer abc").expect_err("is an error");
        assert!(
            error
                .to_string()
                .starts_with("open layer abc: No such file"),
            "{error}"
        );
        assert_eq!(error.errno(), Some(rustix::io::Errno::NOENT));
    }

    #[test]
    fn innermost_hint_wins() {
        let error = Error::invalid("x").hint("inner").wrap("y").hint("outer");
        assert_eq!(error.hint_text(), Some("inner"));
    }

    #[test]
    fn exit_codes_follow_docker() {
        assert_eq!(Error::not_found("x").exit_code(Scope::Run), 125);
        assert_eq!(Error::not_found("x").exit_code(Scope::Exec), 1);
        assert_eq!(Error::not_found("x").exit_code(Scope::Other), 1);
        for scope in [Scope::Run, Scope::Exec] {
            let code = |kind| Error::new(kind, "x").exit_code(scope);
            assert_eq!(code(Kind::CommandNotFound), 127);
            assert_eq!(code(Kind::CommandNotExecutable), 126);
        }
        assert_eq!(Error::new(Kind::Usage, "x").exit_code(Scope::Other), 125);
    }
}
