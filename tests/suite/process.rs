//! Running one command to its end: captured, bounded in time, and explained when it disappoints.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything the suite runs takes on a slow, busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A finished command.
#[derive(Debug)]
pub struct Ran {
    pub words: String,
    /// Exit code; 128 + N for a command that died of signal N.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Panics with everything there is to know unless `holds`.
    #[track_caller]
    pub fn expect(&self, holds: bool, expectation: &str) -> &Self {
        assert!(holds, "{}", self.report(expectation));
        self
    }

    /// Must have succeeded; returns stdout without its last newline.
    #[track_caller]
    pub fn ok(&self) -> &str {
        self.expect(self.code == 0, "exit code 0");
        self.stdout.strip_suffix('\n').unwrap_or(&self.stdout)
    }

    /// Must have ended with this code.
    #[track_caller]
    pub fn fails(&self, code: i32) -> &Self {
        self.expect(self.code == code, &format!("exit code {code}"))
    }

    /// Must have failed, with an error of hull's own.
    #[track_caller]
    pub fn expect_failure(&self) -> &Self {
        self.expect(self.code != 0, "another exit code than 0")
            .one_error_line()
    }

    #[track_caller]
    pub fn stdout_is(&self, text: &str) -> &Self {
        self.expect(self.stdout == text, &format!("stdout is {text:?}"))
    }

    #[track_caller]
    pub fn stdout_has(&self, text: &str) -> &Self {
        self.expect(self.stdout.contains(text), &format!("stdout has {text:?}"))
    }

    #[track_caller]
    pub fn stderr_has(&self, text: &str) -> &Self {
        self.expect(self.stderr.contains(text), &format!("stderr has {text:?}"))
    }

    /// An error is one line, and a hint at most one more.
    #[track_caller]
    pub fn one_error_line(&self) -> &Self {
        let lines: Vec<&str> = self.stderr.lines().collect();
        let hint = lines.len() == 2 && lines[1].trim_start().to_lowercase().starts_with("hint");
        self.expect(lines.len() == 1 || hint, "one line on stderr (and a hint)")
            .expect(self.stdout.is_empty(), "nothing on stdout")
    }

    fn report(&self, expectation: &str) -> String {
        let mut text = format!("expected: {expectation}\ncommand: {}\n", self.words);
        let _ = writeln!(text, "exit code: {}", self.code);
        let _ = write!(text, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        text
    }
}

/// A command that is still running, its outputs being read.
pub struct Running {
    pub child: Child,
    words: String,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
}

/// How the command is written in reports.
pub fn words_of(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

/// Starts `command` with stdout and stderr captured.
pub fn start(mut command: Command) -> Running {
    let words = words_of(&command);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {words}: {error}"));
    let stdout = collect(child.stdout.take().expect("piped"));
    let stderr = collect(child.stderr.take().expect("piped"));
    Running {
        child,
        words,
        stdout,
        stderr,
    }
}

/// Runs `command` to its end with `input` on its stdin.
#[track_caller]
pub fn run(mut command: Command, input: &[u8]) -> Ran {
    command.stdin(match input {
        [] => Stdio::null(),
        _ => Stdio::piped(),
    });
    let mut running = start(command);
    if let Some(mut stdin) = running.child.stdin.take() {
        let input = input.to_vec();
        // A command may end without reading its input: a broken pipe is no error here.
        thread::spawn(move || stdin.write_all(&input));
    }
    running.finish()
}

impl Running {
    /// Waits for the end. Panics if it does not come, or if something keeps the outputs open.
    #[track_caller]
    pub fn finish(mut self) -> Ran {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().expect("is our child") {
                Some(status) => break Some(status),
                None if Instant::now() >= deadline => break None,
                None => thread::sleep(Duration::from_millis(3)),
            }
        };
        if status.is_none() {
            // The error would be that it ended meanwhile.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let grace = Duration::from_secs(10);
        let (stdout, stderr) = (
            self.stdout.recv_timeout(grace),
            self.stderr.recv_timeout(grace),
        );
        let closed = stdout.is_ok() && stderr.is_ok();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        use std::os::unix::process::ExitStatusExt;
        let code = status.map_or(-1, |status| {
            status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
        });
        let ran = Ran {
            words: self.words,
            code,
            stdout: text(stdout.unwrap_or_default()),
            stderr: text(stderr.unwrap_or_default()),
        };
        ran.expect(status.is_some(), "ends in time");
        ran.expect(closed, "nobody keeps stdout or stderr open after its end");
        ran
    }

    /// Sends a signal to the command itself.
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        nix::sys::signal::kill(pid, signal).expect("is our child");
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        // The receiver is gone if the test gave up waiting.
        let _ = sender.send(bytes);
    });
    receiver
}

/// Asks again until `condition` holds; panics with `what` if it never does.
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
