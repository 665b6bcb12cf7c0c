//! Making a user namespace (user_namespaces(7)) without entering it yet.
//!
//! Only a process outside a new namespace can run newuidmap for it, so the namespace is born with
//! a child that does nothing; the caller maps it, joins it by descriptor and lets the child go.

#![allow(unsafe_code, reason = "clone, fork and _exit have no safe wrapper")]

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use rustix::io::Errno;

/// A child that does nothing but keep a new, still unmapped user namespace alive.
#[derive(Debug)]
pub struct Anchor(Pid);

impl Anchor {
    /// Forks the child into a new user namespace.
    pub fn start() -> Result<Anchor, Errno> {
        let parent = Pid::this();
        let flags = libc::CLONE_NEWUSER | libc::SIGCHLD;
        // SAFETY: clone(2) without CLONE_VM and with no stack is fork(2): the child gets a copy of
        // everything, and makes only system calls. The unused arguments are 0 on every machine.
        match unsafe { libc::syscall(libc::SYS_clone, flags as libc::c_long, 0, 0, 0, 0) } {
            0 => idle(parent),
            pid if pid > 0 => Ok(Anchor(Pid::from_raw(pid as libc::pid_t))),
            _ => Err(last_errno()),
        }
    }

    /// The child's process id, for newuidmap and `/proc`.
    pub fn pid(&self) -> i32 {
        self.0.as_raw()
    }
}

impl Drop for Anchor {
    fn drop(&mut self) {
        // Neither can fail: the child is ours and not reaped before this.
        let _ = kill(self.0, Signal::SIGKILL);
        let _ = waitpid(self.0, None);
    }
}

fn idle(parent: Pid) -> ! {
    let dies = rustix::process::Signal::KILL;
    let armed = rustix::process::set_parent_process_death_signal(Some(dies)).is_ok();
    // A parent that died before the line above sends nothing any more.
    while armed && Pid::parent() == parent {
        nix::unistd::pause();
    }
    // SAFETY: _exit(2) takes a number and never returns; no destructor of the parent's copy runs.
    unsafe { libc::_exit(0) }
}

fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)
}

/// A forked child of a test: one thread, as the command has.
#[cfg(test)]
pub struct ForkedChild {
    pid: Pid,
    complaint: std::io::PipeReader,
}

#[cfg(test)]
impl ForkedChild {
    /// Runs `action` in the child. It must not panic: the hook would wait for locks of threads
    /// that the child does not have.
    pub fn start(action: impl FnOnce() -> Result<(), String>) -> ForkedChild {
        use std::io::Write;
        let (reader, mut writer) = std::io::pipe().expect("pipe");
        // SAFETY: the child runs `action` and leaves by _exit; glibc keeps malloc usable.
        match unsafe { libc::fork() } {
            0 => {
                if let Err(complaint) = action() {
                    let _ = writer.write_all(complaint.as_bytes());
                }
                // SAFETY: as in `idle`: _exit(2) never returns.
                unsafe { libc::_exit(0) }
            }
            pid => ForkedChild {
                pid: Pid::from_raw(pid),
                complaint: reader,
            },
        }
    }

    /// Waits for the child and returns its complaint.
    pub fn finish(mut self) -> Result<(), String> {
        use std::io::Read;
        let mut complaint = String::new();
        let read = self.complaint.read_to_string(&mut complaint);
        waitpid(self.pid, None).expect("wait");
        match read {
            Ok(0) => Ok(()),
            _ => Err(complaint),
        }
    }
}

/// Runs `action` in a forked child and returns its complaint.
#[cfg(test)]
pub fn in_forked_child(action: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    ForkedChild::start(action).finish()
}
