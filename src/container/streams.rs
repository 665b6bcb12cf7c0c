//! The streams of a container: pipes to its monitor, or what the caller has.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::pipe::PipeFlags;

use super::logging::PASSTHROUGH;
use crate::error::{Context as _, Error, Result};
use crate::state::Config;

/// Both sides of the container's streams.
#[derive(Debug)]
pub(super) struct Streams {
    pub give: [OwnedFd; 3],
    pub keep_stdin: Option<OwnedFd>,
    pub keep_stdout: Option<OwnedFd>,
    pub keep_stderr: Option<OwnedFd>,
}

impl Streams {
    /// Pipes, or nothing where a terminal takes their place.
    pub(super) fn open(config: &Config) -> Result<Streams> {
        let pipe = || rustix::pipe::pipe_with(PipeFlags::CLOEXEC).context(|| "make a pipe");
        if config.log.driver == PASSTHROUGH {
            return Streams::of_caller(config.process.open_stdin);
        }
        if config.process.terminal {
            let give = [null()?, null()?, null()?];
            return Ok(Streams {
                give,
                keep_stdin: None,
                keep_stdout: None,
                keep_stderr: None,
            });
        }
        let (stdin, keep_stdin) = if config.process.open_stdin {
            let (read, write) = pipe()?;
            (read, Some(write))
        } else {
            (null()?, None)
        };
        let (keep_stdout, stdout) = pipe()?;
        let (keep_stderr, stderr) = pipe()?;
        Ok(Streams {
            give: [stdin, stdout, stderr],
            keep_stdin,
            keep_stdout: Some(keep_stdout),
            keep_stderr: Some(keep_stderr),
        })
    }

    /// The caller's own, for a container that passes everything through.
    ///
    /// Must not be a terminal: who has one can read what is typed there, and type.
    fn of_caller(wants_stdin: bool) -> Result<Streams> {
        use rustix::stdio::{stderr, stdin, stdout};
        let own = [stdin(), stdout(), stderr()];
        if own.into_iter().any(rustix::termios::isatty) {
            return Err(Error::invalid(
                "the '--log-driver passthrough' option cannot be used on a TTY",
            ));
        }
        let copy = |fd: BorrowedFd<'_>| {
            let copied = rustix::io::fcntl_dupfd_cloexec(fd, 3);
            copied.context(|| "hand over our own streams")
        };
        let [stdin, stdout, stderr] = own;
        let stdin = if wants_stdin { copy(stdin)? } else { null()? };
        Ok(Streams {
            give: [stdin, copy(stdout)?, copy(stderr)?],
            keep_stdin: None,
            keep_stdout: None,
            keep_stderr: None,
        })
    }
}

/// Lets go of the caller's streams, unless the container is to have them.
pub(super) fn leave_streams(config: &Config) -> Result<()> {
    if config.log.driver == PASSTHROUGH {
        return Ok(());
    }
    let null = null()?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}

fn null() -> Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, "/dev/null", flags, Mode::empty()).context(|| "open /dev/null")
}
