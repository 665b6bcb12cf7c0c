//! System calls and the entry point: the only `unsafe` of this program.

use core::arch::{asm, naked_asm};

/// One machine word, as system calls take and give it.
pub type Word = usize;

#[cfg(target_arch = "x86_64")]
mod number {
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const CLOSE: usize = 3;
    pub const RT_SIGPROCMASK: usize = 14;
    pub const IOCTL: usize = 16;
    pub const GETPID: usize = 39;
    pub const CLONE: usize = 56;
    pub const EXECVE: usize = 59;
    pub const WAIT4: usize = 61;
    pub const KILL: usize = 62;
    pub const FCNTL: usize = 72;
    pub const SETPGID: usize = 109;
    pub const RT_SIGTIMEDWAIT: usize = 128;
    pub const EXIT_GROUP: usize = 231;
}

#[cfg(target_arch = "aarch64")]
mod number {
    pub const IOCTL: usize = 29;
    pub const FCNTL: usize = 25;
    pub const CLOSE: usize = 57;
    pub const READ: usize = 63;
    pub const WRITE: usize = 64;
    pub const EXIT_GROUP: usize = 94;
    pub const KILL: usize = 129;
    pub const RT_SIGPROCMASK: usize = 135;
    pub const RT_SIGTIMEDWAIT: usize = 137;
    pub const SETPGID: usize = 154;
    pub const GETPID: usize = 172;
    pub const CLONE: usize = 220;
    pub const EXECVE: usize = 221;
    pub const WAIT4: usize = 260;
}

/// What the kernel leaves at the stack pointer: argc, argv, NULL, envp, NULL (execve(2)).
pub struct Start(*const Word);

/// The kernel jumps here. The stack pointer is the only argument, and must be aligned to 16.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    naked_asm!("xor ebp, ebp", "mov rdi, rsp", "and rsp, -16", "call {}", sym entry)
}

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    naked_asm!("mov x29, xzr", "mov x0, sp", "b {}", sym entry)
}

extern "C" fn entry(stack: *const Word) -> ! {
    exit(crate::run(&Start(stack)))
}

impl Start {
    fn count(&self) -> usize {
        // SAFETY: the stack pointer at the entry points to argc, which nothing has changed.
        unsafe { *self.0 }
    }

    fn arguments(&self) -> *const *const u8 {
        self.0.wrapping_add(1).cast()
    }

    fn environment(&self) -> *const *const u8 {
        // Past argv and its NULL.
        self.arguments().wrapping_add(self.count() + 1)
    }

    /// Whether the last component of argv[0] is this name.
    pub fn is_named(&self, name: &[u8]) -> bool {
        if self.count() == 0 {
            return false;
        }
        // SAFETY: argc is not 0, so the kernel put at least one pointer after it.
        let mut byte = unsafe { *self.arguments() };
        let mut matched = Some(0);
        loop {
            // SAFETY: argv[0] is NUL-terminated and the loop stops there.
            let found = unsafe { *byte };
            if found == 0 {
                return matched == Some(name.len());
            }
            matched = match matched {
                _ if found == b'/' => Some(0),
                Some(at) if name.get(at) == Some(&found) => Some(at + 1),
                _ => None,
            };
            byte = byte.wrapping_add(1);
        }
    }
}

/// At most this many bytes; 0 at the end and on failure.
pub fn read(fd: u32, buffer: &mut [u8]) -> usize {
    let arguments = [fd as Word, buffer.as_mut_ptr() as Word, buffer.len(), 0];
    // SAFETY: read(2) writes at most `len` bytes to the buffer, which is borrowed mutably.
    let got = unsafe { call(number::READ, arguments) };
    usize::try_from(got).unwrap_or(0)
}

/// How many bytes were taken; 0 on failure.
pub fn write(fd: u32, bytes: &[u8]) -> usize {
    let arguments = [fd as Word, bytes.as_ptr() as Word, bytes.len(), 0];
    // SAFETY: write(2) reads `len` bytes of the slice, borrowed for the call.
    let written = unsafe { call(number::WRITE, arguments) };
    usize::try_from(written).unwrap_or(0)
}

/// Closes a descriptor; a wrong number is the only failure, and means it is closed.
pub fn close(fd: u32) {
    // SAFETY: close(2) takes no pointers, and nothing here keeps descriptors.
    unsafe { call(number::CLOSE, [fd as Word, 0, 0, 0]) };
}

/// Sets FD_CLOEXEC.
pub fn close_on_exec(fd: u32) {
    const F_SETFD: Word = 2;
    // SAFETY: fcntl(F_SETFD) takes no pointers.
    unsafe { call(number::FCNTL, [fd as Word, F_SETFD, 1, 0]) };
}

/// A second number for `fd`, the lowest free one from `lowest` on.
pub fn duplicate_from(fd: u32, lowest: u32) {
    const F_DUPFD: Word = 0;
    // SAFETY: fcntl(F_DUPFD) takes no pointers.
    unsafe { call(number::FCNTL, [fd as Word, F_DUPFD, lowest as Word, 0]) };
}

/// Becomes the program at `path` (with its NUL), with the argv and environment of `start`.
/// Returns the errno.
pub fn execute(path: &[u8], start: &Start) -> i32 {
    let arguments = [
        path.as_ptr() as Word,
        start.arguments() as Word,
        start.environment() as Word,
        0,
    ];
    // SAFETY: the path has its NUL (control.rs); both arrays are the kernel's own, NULL-terminated.
    let result = unsafe { call(number::EXECVE, arguments) };
    -(result as i32)
}

/// Ends the process.
pub fn exit(code: Word) -> ! {
    loop {
        // SAFETY: exit_group(2) takes no pointers and does not return.
        unsafe { call(number::EXIT_GROUP, [code, 0, 0, 0]) };
    }
}

/// 0 in the child, its pid in the parent, or a negative errno.
pub fn fork() -> i32 {
    const SIGCHLD: Word = 17;
    // SAFETY: clone(2) with only an exit signal is fork: own memory, same stack, no pointers.
    let result = unsafe { call(number::CLONE, [SIGCHLD, 0, 0, 0]) };
    result as i32
}

/// Replaces the mask of blocked signals; returns the one before.
pub fn set_blocked_signals(mask: u64) -> u64 {
    const SIG_SETMASK: Word = 2;
    let mut before = 0u64;
    let arguments = [
        SIG_SETMASK,
        &raw const mask as Word,
        &raw mut before as Word,
        size_of::<u64>(),
    ];
    // SAFETY: rt_sigprocmask(2) reads one set and writes one, both live locals of the size given.
    unsafe { call(number::RT_SIGPROCMASK, arguments) };
    before
}

/// Waits for one of the (blocked) signals in `mask`; a negative errno when interrupted.
pub fn next_signal(mask: u64) -> i32 {
    let arguments = [&raw const mask as Word, 0, 0, size_of::<u64>()];
    // SAFETY: rt_sigtimedwait(2) reads the set, a live local; no info and no timeout are wanted.
    let result = unsafe { call(number::RT_SIGTIMEDWAIT, arguments) };
    result as i32
}

/// Reaps one dead child if there is one; 0 or a negative errno otherwise.
pub fn wait_any(status: &mut i32) -> i32 {
    const WNOHANG: Word = 1;
    let arguments = [Word::MAX, &raw mut *status as Word, WNOHANG, 0];
    // SAFETY: wait4(2) writes one int, borrowed mutably.
    let result = unsafe { call(number::WAIT4, arguments) };
    result as i32
}

/// Sends a signal; the caller knows the process is not reaped yet.
pub fn kill(pid: i32, signal: i32) {
    // SAFETY: kill(2) takes no pointers.
    unsafe { call(number::KILL, [pid as Word, signal as Word, 0, 0]) };
}

/// Makes this process the leader of a process group of its own.
pub fn lead_own_group() {
    // SAFETY: setpgid(2) takes no pointers.
    unsafe { call(number::SETPGID, [0, 0, 0, 0]) };
}

/// Makes this process's group the foreground group of the terminal, if `fd` is one.
pub fn take_terminal(fd: u32) {
    const TIOCSPGRP: Word = 0x5410;
    // SAFETY: getpid(2) takes nothing.
    let group = unsafe { call(number::GETPID, [0, 0, 0, 0]) } as i32;
    let arguments = [fd as Word, TIOCSPGRP, &raw const group as Word, 0];
    // SAFETY: TIOCSPGRP reads one pid_t, a live local.
    unsafe { call(number::IOCTL, arguments) };
}

/// One system call; the fifth and sixth arguments are 0.
///
/// # Safety
/// The arguments must be what the call needs, and pointers among them valid for it.
#[cfg(target_arch = "x86_64")]
unsafe fn call(number: Word, arguments: [Word; 4]) -> isize {
    let result;
    // SAFETY: the kernel clobbers rax, rcx and r11 only; memory is what the caller answers for.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            in("r10") arguments[3],
            in("r8") 0,
            in("r9") 0,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

#[cfg(target_arch = "aarch64")]
unsafe fn call(number: Word, arguments: [Word; 4]) -> isize {
    let result;
    // SAFETY: the kernel clobbers x0 only; memory is what the caller answers for.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") arguments[0] as isize => result,
            in("x1") arguments[1],
            in("x2") arguments[2],
            in("x3") arguments[3],
            in("x4") 0,
            in("x5") 0,
            options(nostack),
        );
    }
    result
}

/// The compiler calls these by name for arrays; there is no libc to bring them. Volatile accesses
/// keep it from recognising the loops and calling the functions from themselves.
///
/// # Safety
/// As memset(3).
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(start: *mut u8, value: i32, length: usize) -> *mut u8 {
    for offset in 0..length {
        // SAFETY: the caller owns `length` bytes at `start`.
        unsafe { start.wrapping_add(offset).write_volatile(value as u8) };
    }
    start
}

/// # Safety
/// As memcpy(3).
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    for offset in 0..length {
        // SAFETY: the caller may read `length` bytes at `from`.
        let byte = unsafe { from.wrapping_add(offset).read_volatile() };
        // SAFETY: the caller owns `length` bytes at `to`.
        unsafe { to.wrapping_add(offset).write_volatile(byte) };
    }
    to
}
