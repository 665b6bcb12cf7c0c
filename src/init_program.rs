//! The small static init (`init/`), embedded, and the record that tells it what to do.
//!
//! It is started from a sealed memfd with the container program's argv and environment, and this
//! record readable on fd 3; `init/control.rs` is the other side of the layout.

use std::ffi::CStr;

/// The program itself: a static ELF file of a few KiB.
pub static INIT_PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hull-init"));

/// The number on which the init finds its record.
pub const CONTROL_FD: i32 = 3;
/// The number that launchers give the report.
pub const REPORT_FD: i32 = 4;

/// What the init is to do.
#[derive(Debug, Clone, Copy)]
pub struct Control<'a> {
    /// The container's program: absolute inside its root, already resolved.
    pub path: &'a CStr,
    /// `--init`: stay as PID 1 and run the program as a child.
    pub stays_as_init: bool,
    /// Where `{u32 step, i32 errno}` goes if the program cannot be executed; closed if it can.
    pub report_fd: Option<u32>,
    /// An open number that becomes the program's fd 3 (socket activation, `--preserve-fds`).
    pub third_fd: Option<u32>,
}

impl Control<'_> {
    /// The bytes to put on [`CONTROL_FD`] before the path with its NUL, and how many of them count.
    /// Called between fork and exec, so nothing is allocated.
    pub fn header(&self) -> ([u8; 20], usize) {
        let flags = u32::from(self.stays_as_init)
            | u32::from(self.report_fd.is_some()) << 1
            | u32::from(self.third_fd.is_some()) << 2;
        let words = [
            u32::from_le_bytes(*b"HUL1"),
            flags,
            self.report_fd.unwrap_or(0),
            self.path.count_bytes() as u32,
            self.third_fd.unwrap_or(0),
        ];
        let mut bytes = [0; 20];
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        (bytes, if self.third_fd.is_some() { 20 } else { 16 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::ffi::CString;
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::fd::{AsRawFd, OwnedFd};

    use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, posix_spawn};
    use nix::sys::signal::{Signal, kill};
    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::Pid;
    use rustix::fs::{MemfdFlags, memfd_create};
    use rustix::pipe::{PipeFlags, pipe_with};

    /// The first word of a report about the program itself; the second is the errno.
    const STEP_EXEC: u32 = 0xFFFF_FFFE;

    impl Control<'_> {
        /// The whole record.
        fn encode(&self) -> Vec<u8> {
            let (header, length) = self.header();
            [&header[..length], self.path.to_bytes_with_nul()].concat()
        }
    }

    /// A started init: its process and the read ends of its standard output and report pipe.
    struct Running {
        pid: Pid,
        output: File,
        report: File,
    }

    struct Ended {
        code: i32,
        output: String,
        report: Vec<u8>,
    }

    fn memfd(bytes: &[u8]) -> OwnedFd {
        let fd = memfd_create("hull-test", MemfdFlags::CLOEXEC).expect("memfd");
        let mut file = File::from(fd);
        file.write_all(bytes).expect("write memfd");
        rustix::fs::seek(&file, rustix::fs::SeekFrom::Start(0)).expect("rewind");
        file.into()
    }

    fn strings(words: &[&str]) -> Vec<CString> {
        let text = |word: &&str| CString::new(*word).expect("no NUL");
        words.iter().map(text).collect()
    }

    /// Runs `launcher` words before the init (empty: the init itself), with the record on fd 3.
    fn start(launcher: &[&str], control: &[u8], argv: &[&str]) -> Running {
        let program = memfd(INIT_PROGRAM);
        let control = memfd(control);
        let (output, output_end) = pipe_with(PipeFlags::CLOEXEC).expect("pipe");
        let (report, report_end) = pipe_with(PipeFlags::CLOEXEC).expect("pipe");
        let mut actions = PosixSpawnFileActions::init().expect("actions");
        let mut given = vec![(&output_end, 1), (&control, 3), (&report_end, 4)];
        if !launcher.is_empty() {
            given.push((&program, 5));
        }
        let mut sources = Vec::new();
        for (fd, number) in given {
            // Above the targets, so that no dup2 closes a source.
            let fd = rustix::io::fcntl_dupfd_cloexec(fd, 20).expect("duplicate");
            actions.add_dup2(fd.as_raw_fd(), number).expect("dup2");
            sources.push(fd);
        }
        actions.add_close(0).expect("close");
        let itself = format!("/proc/{}/fd/{}", std::process::id(), program.as_raw_fd());
        let path = launcher.first().copied().unwrap_or(&itself);
        let words = if launcher.is_empty() {
            argv.to_vec()
        } else {
            [launcher, &["/proc/self/fd/5"], &argv[1..]].concat()
        };
        let attributes = PosixSpawnAttr::init().expect("attributes");
        let pid = posix_spawn(
            CString::new(path).expect("no NUL").as_c_str(),
            &actions,
            &attributes,
            &strings(&words),
            &strings(&["CANARY=kept", "PATH=/usr/bin:/bin"]),
        )
        .expect("spawn");
        Running {
            pid,
            output: output.into(),
            report: report.into(),
        }
    }

    impl Running {
        fn finish(mut self) -> Ended {
            let mut report = Vec::new();
            self.report.read_to_end(&mut report).expect("read report");
            let mut output = String::new();
            self.output.read_to_string(&mut output).expect("read");
            let code = match waitpid(self.pid, None).expect("wait") {
                WaitStatus::Exited(_, code) => code,
                other => panic!("{other:?}, output {output:?}"),
            };
            Ended {
                code,
                output,
                report,
            }
        }

        /// Waits for the program's first line, so that it is known to be running.
        fn wait_for(&mut self, line: &str) {
            let mut got = vec![0; line.len()];
            self.output.read_exact(&mut got).expect("read");
            assert_eq!(got, line.as_bytes());
        }
    }

    fn control(path: &str) -> Control<'_> {
        let path = CString::new(path).expect("no NUL");
        Control {
            path: Box::leak(path.into_boxed_c_str()),
            stays_as_init: false,
            report_fd: Some(4),
            third_fd: None,
        }
    }

    fn init(path: &str) -> Control<'_> {
        Control {
            stays_as_init: true,
            ..control(path)
        }
    }

    fn report_of(errno: rustix::io::Errno) -> Vec<u8> {
        let errno = errno.raw_os_error().to_le_bytes();
        [STEP_EXEC.to_le_bytes(), errno].concat()
    }

    #[test]
    fn init_program_is_small() {
        assert!(INIT_PROGRAM.len() < 20 * 1024, "{}", INIT_PROGRAM.len());
    }

    #[test]
    fn trampoline_keeps_argv_and_environment() {
        let script = "echo $0 $1 $CANARY $#; exit 5";
        let argv = ["odd name", "-c", script, "zero", "one"];
        let ended = start(&[], &control("/bin/sh").encode(), &argv).finish();
        assert_eq!(ended.output, "zero one kept 1\n");
        assert_eq!((ended.code, ended.report), (5, vec![]));
    }

    #[test]
    fn trampoline_leaves_no_descriptor_behind() {
        let argv = [
            "sh",
            "-c",
            "for n in 3 4 5; do [ ! -e /proc/$$/fd/$n ] || echo $n; done",
        ];
        for control in [control("/bin/sh"), init("/bin/sh")] {
            let ended = start(&[], &control.encode(), &argv).finish();
            assert_eq!((ended.output.as_str(), ended.code), ("", 0));
        }
    }

    #[test]
    fn trampoline_moves_the_third_descriptor() {
        // The report pipe stands in for a socket: it is at 4 and must arrive as 3.
        let control = Control {
            report_fd: None,
            third_fd: Some(4),
            ..control("/bin/sh")
        };
        let ended = start(&[], &control.encode(), &["sh", "-c", "echo hi >&3"]).finish();
        assert_eq!((ended.report.as_slice(), ended.code), (&b"hi\n"[..], 0));
    }

    #[test]
    fn failures_reach_the_report_in_both_roles() {
        use rustix::io::Errno;
        let table = [
            ("/does/not/exist", 127, Errno::NOENT),
            ("/dev/null/x", 127, Errno::NOTDIR),
            ("/etc", 126, Errno::ACCESS),
            ("/etc/passwd", 126, Errno::ACCESS),
        ];
        for (path, code, errno) in table {
            for control in [control(path), init(path)] {
                let ended = start(&[], &control.encode(), &["x"]).finish();
                assert_eq!(ended.code, code, "{control:?}");
                assert_eq!(ended.report, report_of(errno), "{control:?}");
            }
        }
    }

    #[test]
    fn a_record_cut_short_is_an_error() {
        let bytes = control("/bin/true").encode();
        for length in [4, 12, 16, bytes.len() - 1] {
            let ended = start(&[], &bytes[..length], &["hello"]).finish();
            assert_eq!(ended.code, 126, "{length}");
        }
    }

    #[test]
    fn hello_needs_its_name_and_no_record() {
        let ended = start(&[], b"", &["/hello"]).finish();
        assert_eq!(ended.code, 0);
        assert!(ended.output.contains("Hello from"), "{}", ended.output);
        for name in ["/bin/hell", "hello/x", "othello", ""] {
            assert_eq!(start(&[], b"", &[name]).finish().code, 126, "{name}");
        }
    }

    #[test]
    fn init_forwards_signals_to_the_program() {
        let script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done";
        let argv = ["sh", "-c", script];
        let mut running = start(&[], &init("/bin/sh").encode(), &argv);
        running.wait_for("ready\n");
        kill(running.pid, Signal::SIGTERM).expect("kill");
        assert_eq!(running.finish().code, 9);
    }

    #[test]
    fn init_reports_death_by_signal_as_a_shell_does() {
        let argv = ["sh", "-c", "kill -KILL $$"];
        let ended = start(&[], &init("/bin/sh").encode(), &argv).finish();
        assert_eq!(ended.code, 137);
    }

    #[test]
    fn init_restores_the_signal_mask() {
        let argv = ["grep", "SigBlk", "/proc/self/status"];
        let ended = start(&[], &init("/bin/grep").encode(), &argv).finish();
        assert_eq!(ended.output, "SigBlk:\t0000000000000000\n");
    }

    #[test]
    fn f55_init_reaps_orphans() {
        if !rustix::process::geteuid().is_root() {
            return eprintln!("SKIP a pid namespace needs root here");
        }
        let launcher = ["/usr/bin/unshare", "--pid", "--fork", "--mount-proc"];
        let script = "(sleep 0.02 &); sleep 0.3; grep -l 'State:.Z' /proc/[0-9]*/status; exit 7";
        let argv = ["sh", "-c", script];
        // The launcher would keep the report pipe open.
        let control = Control {
            report_fd: None,
            ..init("/bin/sh")
        };
        let running = start(&launcher, &control.encode(), &argv);
        let ended = running.finish();
        assert_eq!((ended.output.as_str(), ended.code), ("", 7));
    }
}
