//! A command on a real terminal: keys in, screen out, window sizes.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcgetwinsize, tcsetwinsize};

use crate::bed::Bed;
use crate::process::{PATIENCE, words_of};

/// A command that has the terminal as its controlling one.
pub struct Terminal {
    master: File,
    /// Kept open, so that the settings can be read after the command has ended.
    slave: OwnedFd,
    child: Child,
    words: String,
    screen: Arc<Mutex<Vec<u8>>>,
    /// The settings before the command started.
    pub fresh: String,
}

/// The terminal's settings in a form that can be compared.
pub fn settings(termios: &Termios) -> String {
    format!(
        "{:?} {:?} {:?} {:?}",
        termios.input_modes, termios.output_modes, termios.control_modes, termios.local_modes
    )
}

impl Terminal {
    /// Starts `hull words…` on a new terminal of this size.
    pub fn start(bed: &Bed, words: &[&str], rows: u16, columns: u16) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC);
        let master = master.expect("a terminal");
        grantpt(&master).expect("grantpt");
        unlockpt(&master).expect("unlockpt");
        let name = ptsname(&master, Vec::new()).expect("ptsname");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = open(&name, flags, Mode::empty()).expect("terminal opens");
        resize_fd(&master, rows, columns);
        bed.give(Path::new(name.to_str().expect("is text")));
        let fresh = settings(&tcgetattr(&slave).expect("is a terminal"));
        let hull = bed.hull_command(words);
        // setsid(1) makes its stdin the controlling terminal, then becomes the command.
        let mut command = bed.command(Path::new("/usr/bin/setsid"));
        command
            .arg("--ctty")
            .arg(hull.get_program())
            .args(hull.get_args());
        let words = words_of(&command);
        let copy = || Stdio::from(slave.try_clone().expect("another handle"));
        let child = command
            .stdin(copy())
            .stdout(copy())
            .stderr(copy())
            .spawn()
            .expect("setsid starts");
        let screen = Arc::new(Mutex::new(Vec::new()));
        let master = File::from(master);
        let mut reader = master.try_clone().expect("another handle");
        let shared = Arc::clone(&screen);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                let mut screen = shared.lock().expect("nobody panics with it");
                screen.extend_from_slice(&bytes[..count]);
            }
        });
        Terminal {
            master,
            slave,
            child,
            words,
            screen,
            fresh,
        }
    }

    /// Everything printed so far.
    pub fn screen(&self) -> String {
        let screen = self.screen.lock().expect("nobody panics with it");
        String::from_utf8_lossy(&screen).into_owned()
    }

    /// Types.
    pub fn send(&mut self, keys: &str) {
        self.master
            .write_all(keys.as_bytes())
            .expect("terminal takes keys");
    }

    /// Types the keys again and again until the screen has `text`.
    #[track_caller]
    pub fn send_until(&mut self, keys: &str, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.screen().contains(text) {
            self.send(keys);
            let report = format!(
                "expected on the terminal: {text:?} after {keys:?}\ncommand: {}\nscreen: {}",
                self.words,
                self.screen()
            );
            assert!(Instant::now() < deadline, "{report}");
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Waits until the screen has `text`.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.screen().contains(text) {
            let ended = self.child.try_wait().expect("is our child");
            // What it printed last may still be on its way.
            thread::sleep(Duration::from_millis(if ended.is_some() {
                200
            } else {
                10
            }));
            let report = format!(
                "expected on the terminal: {text:?}\ncommand: {}\nended: {ended:?}\nscreen: {}",
                self.words,
                self.screen()
            );
            let is_over = ended.is_some() || Instant::now() >= deadline;
            assert!(!is_over || self.screen().contains(text), "{report}");
        }
    }

    /// Changes the window size, as dragging its corner does.
    pub fn resize(&self, rows: u16, columns: u16) {
        resize_fd(&self.master, rows, columns);
    }

    pub fn settings(&self) -> String {
        settings(&tcgetattr(&self.slave).expect("is a terminal"))
    }

    /// Sends a signal to the command itself.
    pub fn signal(&self, name: &str) {
        let signal = format!("SIG{name}").parse::<nix::sys::signal::Signal>();
        let pid = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        nix::sys::signal::kill(pid, signal.expect("is a signal")).expect("is our child");
    }

    /// Waits for the end; returns the exit code.
    #[track_caller]
    pub fn finish(&mut self) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("is our child") {
                return status.code().unwrap_or(-1);
            }
            let report = format!("never ended: {}\nscreen: {}", self.words, self.screen());
            assert!(Instant::now() < deadline, "{report}");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // An error means that it has ended, which is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn resize_fd(terminal: impl std::os::fd::AsFd, rows: u16, columns: u16) {
    let mut size: Winsize = tcgetwinsize(&terminal).expect("is a terminal");
    size.ws_row = rows;
    size.ws_col = columns;
    tcsetwinsize(&terminal, size).expect("is a terminal");
}
