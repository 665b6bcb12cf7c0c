//! The one program of ours that ever runs inside a container: a few KiB, static, without libc.
//!
//! hull starts it from a sealed memfd, so `/proc/self/exe` inside a container is never the engine
//! (CVE-2019-5736). It has three roles:
//! - *trampoline*: read the control record on fd 3, then `execve` the container's program with the
//!   argv and environment this process was given, unchanged;
//! - *init* (`--init`): the same in a child, while PID 1 forwards signals and reaps orphans;
//! - *hello*: without a control record and named `hello` it is the program of the hello image.
//!
//! Should: as a trampoline call nothing but read, close, fcntl, execve, write and exit_group, so
//! that the strictest seccomp profile still lets a program start.
//! Must not: allocate, panic, or look anything up inside the container's root.
#![no_std]
#![no_main]

mod control;
mod hello;
mod kernel;
mod reaper;

use control::Control;
use kernel::{Start, Word};

/// The record's place in the protocol that carries set-up failures: "the program itself".
const STEP_EXEC: u32 = 0xFFFF_FFFE;

/// Called by `_start` (kernel.rs) with what the kernel left on the stack.
fn run(start: &Start) -> Word {
    match control::read() {
        control::Read::Record(record) => enter(start, &record),
        control::Read::Truncated => 126,
        control::Read::Absent if start.is_named(b"hello") => hello::greet(),
        control::Read::Absent => {
            kernel::write(2, b"hull init: no control record on fd 3\n");
            126
        }
    }
}

fn enter(start: &Start, record: &Control) -> Word {
    kernel::close(control::FD);
    if let Some(fd) = record.third_fd {
        // The lowest free number at or above 3 is 3: it was closed just now.
        kernel::duplicate_from(fd, control::FD);
        kernel::close(fd);
    }
    if let Some(fd) = record.report_fd {
        kernel::close_on_exec(fd);
    }
    if record.stays_as_init {
        reaper::run(start, record)
    } else {
        execute(start, record)
    }
}

/// Returns only if the program cannot be executed. Success is the report fd closing by itself.
fn execute(start: &Start, record: &Control) -> Word {
    let errno = kernel::execute(record.path(), start);
    report(record, errno)
}

/// Tells the parent which errno stopped the program; returns the exit code Docker's users expect.
fn report(record: &Control, errno: i32) -> Word {
    if let Some(fd) = record.report_fd {
        let step = STEP_EXEC.to_le_bytes();
        let code = errno.to_le_bytes();
        let bytes = [
            step[0], step[1], step[2], step[3], code[0], code[1], code[2], code[3],
        ];
        kernel::write(fd, &bytes);
    }
    const ENOENT: i32 = 2;
    const ENOTDIR: i32 = 20;
    if errno == ENOENT || errno == ENOTDIR {
        127
    } else {
        126
    }
}

/// Nothing here panics on purpose; if the compiler is right about that, this is not even linked.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    kernel::exit(126)
}
