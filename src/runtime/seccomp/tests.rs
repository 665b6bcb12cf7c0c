//! Verdicts of compiled filters, asked of a small BPF interpreter and of the kernel itself.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::compile::{ENOSYS, RET_ALLOW, RET_ERRNO, RET_KILL_PROCESS};
use super::*;
use crate::sys::seccomp::tests as calls;
use crate::sys::user_namespace::{Anchor, in_forked_child};

const X86_64: u32 = 0xc000_003e;
const I386: u32 = 0x4000_0003;
const X32: u32 = 0x4000_0000;

const EPERM: u32 = RET_ERRNO | 1;
const UNKNOWN: u32 = RET_ERRNO | ENOSYS;

/// Runs the program as the kernel would; panics where the kernel would have refused to load it.
fn run(program: &[SockFilter], arch: u32, number: u32, arguments: [u64; 6]) -> u32 {
    let word = |at: u32| match at {
        0 => number,
        4 => arch,
        16..64 => {
            let argument = arguments[(at as usize - 16) / 8];
            if at.is_multiple_of(8) {
                argument as u32
            } else {
                (argument >> 32) as u32
            }
        }
        _ => panic!("load from {at}"),
    };
    let (mut accumulator, mut at) = (0, 0);
    loop {
        let SockFilter { code, jt, jf, k } = program[at];
        let jump = |holds: bool| usize::from(if holds { jt } else { jf });
        at += 1 + match code {
            0x20 => {
                accumulator = word(k);
                0
            }
            0x54 => {
                accumulator &= k;
                0
            }
            0x05 => k as usize,
            0x15 => jump(accumulator == k),
            0x25 => jump(accumulator > k),
            0x35 => jump(accumulator >= k),
            0x06 => return k,
            _ => panic!("instruction {code:#x}"),
        };
    }
}

fn capabilities(names: &[&str]) -> Capabilities {
    let parse = |name: &&str| name.parse().expect("a capability");
    names.iter().map(parse).collect()
}

fn by_default() -> Capabilities {
    capabilities(&["CHOWN", "KILL", "SETUID", "SYS_CHROOT"])
}

fn arguments(list: &[u64]) -> [u64; 6] {
    let mut all = [0; 6];
    all[..list.len()].copy_from_slice(list);
    all
}

/// Architecture, call, its first arguments, the verdict, and a name for messages.
type Row = (u32, u32, &'static [u64], u32, &'static str);

fn check(program: &[SockFilter], table: &[Row]) {
    for (arch, number, list, verdict, name) in table {
        let got = run(program, *arch, *number, arguments(list));
        assert_eq!(
            got, *verdict,
            "{name} {arch:#x} {number:#x} {list:x?}: {got:#x}"
        );
    }
}

/// What Docker's profile says, call by call.
const ON_X86_64: &[Row] = &[
    (X86_64, 0, &[], RET_ALLOW, "read"),
    (X86_64, 1, &[], RET_ALLOW, "write"),
    (X86_64, 59, &[], RET_ALLOW, "execve"),
    (X86_64, 101, &[], RET_ALLOW, "ptrace"),
    (X86_64, 161, &[], RET_ALLOW, "chroot"),
    (X86_64, 231, &[], RET_ALLOW, "exit_group"),
    (X86_64, 322, &[], RET_ALLOW, "execveat"),
    (X86_64, 439, &[], RET_ALLOW, "faccessat2"),
    (X86_64, 452, &[], RET_ALLOW, "fchmodat2"),
    (X86_64, 158, &[], RET_ALLOW, "arch_prctl"),
    // A74
    (X86_64, 56, &[0x11], RET_ALLOW, "clone as fork"),
    (X86_64, 56, &[0x003d_0f00], RET_ALLOW, "clone as thread"),
    (X86_64, 56, &[0x1000_0000], EPERM, "clone NEWUSER"),
    (X86_64, 56, &[0x0002_0011], EPERM, "clone NEWNS"),
    (X86_64, 56, &[0xff_4000_0000], EPERM, "clone NEWNET"),
    (X86_64, 435, &[], UNKNOWN, "clone3"),
    (X86_64, 272, &[], EPERM, "unshare"),
    (X86_64, 308, &[], EPERM, "setns"),
    (X86_64, 165, &[], EPERM, "mount"),
    (X86_64, 166, &[], EPERM, "umount2"),
    (X86_64, 155, &[], EPERM, "pivot_root"),
    (X86_64, 430, &[], EPERM, "fsopen"),
    (X86_64, 432, &[], EPERM, "fsmount"),
    (X86_64, 428, &[], EPERM, "open_tree"),
    (X86_64, 442, &[], EPERM, "mount_setattr"),
    (X86_64, 467, &[], EPERM, "open_tree_attr"),
    (X86_64, 304, &[], EPERM, "open_by_handle_at"),
    // A75
    (X86_64, 248, &[], EPERM, "add_key"),
    (X86_64, 249, &[], EPERM, "request_key"),
    (X86_64, 250, &[], EPERM, "keyctl"),
    // A76
    (X86_64, 41, &[2, 1], RET_ALLOW, "socket INET"),
    (X86_64, 41, &[16, 3], RET_ALLOW, "socket NETLINK"),
    (X86_64, 41, &[38], EPERM, "socket ALG"),
    (
        X86_64,
        41,
        &[0x1_0000_0026],
        EPERM,
        "socket ALG, high half set",
    ),
    (X86_64, 41, &[40], EPERM, "socket VSOCK"),
    (X86_64, 41, &[39], RET_ALLOW, "socket NFC"),
    (X86_64, 425, &[], EPERM, "io_uring_setup"),
    (X86_64, 426, &[], EPERM, "io_uring_enter"),
    (X86_64, 427, &[], EPERM, "io_uring_register"),
    (X86_64, 323, &[], EPERM, "userfaultfd"),
    (X86_64, 321, &[], EPERM, "bpf"),
    (X86_64, 298, &[], EPERM, "perf_event_open"),
    (X86_64, 246, &[], EPERM, "kexec_load"),
    (X86_64, 320, &[], EPERM, "kexec_file_load"),
    (X86_64, 167, &[], EPERM, "swapon"),
    (X86_64, 169, &[], EPERM, "reboot"),
    (X86_64, 175, &[], EPERM, "init_module"),
    (X86_64, 313, &[], EPERM, "finit_module"),
    // A77
    (X86_64, 16, &[0, 0x5401], RET_ALLOW, "ioctl TCGETS"),
    (X86_64, 16, &[0, 0x5412], EPERM, "ioctl TIOCSTI"),
    (
        X86_64,
        16,
        &[0, 0xdead_0000_5412],
        EPERM,
        "ioctl TIOCSTI, high half set",
    ),
    (X86_64, 16, &[0, 0x541c], EPERM, "ioctl TIOCLINUX"),
    (X86_64, 16, &[0x5412, 0x541b], RET_ALLOW, "ioctl FIONREAD"),
    (X86_64, 135, &[0], RET_ALLOW, "personality LINUX"),
    (X86_64, 135, &[8], RET_ALLOW, "personality LINUX32"),
    (
        X86_64,
        135,
        &[0x2_0008],
        RET_ALLOW,
        "personality UNAME26|LINUX32",
    ),
    (X86_64, 135, &[0xffff_ffff], RET_ALLOW, "personality query"),
    (
        X86_64,
        135,
        &[0x4_0000],
        EPERM,
        "personality ADDR_NO_RANDOMIZE",
    ),
    (
        X86_64,
        135,
        &[0x1_0000_0000],
        EPERM,
        "personality, high half set",
    ),
    // A82
    (X86_64, 470, &[], UNKNOWN, "a call of the future"),
    (X86_64, 9999, &[], UNKNOWN, "no call"),
    (X86_64, u32::MAX, &[], UNKNOWN, "no call"),
];

#[test]
fn default_profile_on_x86_64() {
    check(&default_program(&by_default()), ON_X86_64);
}

#[test]
fn a76_default_profile_on_the_other_abis() {
    let program = default_program(&by_default());
    check(
        &program,
        &[
            (I386, 3, &[], RET_ALLOW, "read"),
            (I386, 11, &[], RET_ALLOW, "execve"),
            (I386, 102, &[], RET_ALLOW, "socketcall"),
            (I386, 359, &[2], RET_ALLOW, "socket INET"),
            (I386, 359, &[38], EPERM, "socket ALG"),
            (I386, 359, &[40], EPERM, "socket VSOCK"),
            (I386, 425, &[], EPERM, "io_uring_setup"),
            (I386, 374, &[], EPERM, "userfaultfd"),
            (I386, 357, &[], EPERM, "bpf"),
            (I386, 310, &[], EPERM, "unshare"),
            (I386, 21, &[], EPERM, "mount"),
            (I386, 120, &[0x1000_0000], EPERM, "clone NEWUSER"),
            (I386, 120, &[0x11], RET_ALLOW, "clone as fork"),
            (I386, 54, &[0, 0x5412], EPERM, "ioctl TIOCSTI"),
            (I386, 54, &[0, 0x5401], RET_ALLOW, "ioctl TCGETS"),
            (I386, 286, &[], EPERM, "add_key"),
            (I386, 166, &[], EPERM, "vm86"),
            (I386, 9999, &[], UNKNOWN, "no call"),
            // 323 is userfaultfd for x86_64 and eventfd for i386.
            (I386, 323, &[], RET_ALLOW, "eventfd"),
            (X86_64, X32, &[], RET_ALLOW, "x32 read"),
            (X86_64, X32 | 41, &[38], EPERM, "x32 socket ALG"),
            (X86_64, X32 | 41, &[2], RET_ALLOW, "x32 socket INET"),
            (X86_64, X32 | 425, &[], EPERM, "x32 io_uring_setup"),
            (X86_64, X32 | 323, &[], EPERM, "x32 userfaultfd"),
            (X86_64, X32 | 272, &[], EPERM, "x32 unshare"),
            (X86_64, X32 | 514, &[0, 0x5412], EPERM, "x32 ioctl TIOCSTI"),
            (X86_64, X32 | 520, &[], RET_ALLOW, "x32 execve"),
            (X86_64, X32 | 16, &[], UNKNOWN, "x32 has its own ioctl"),
            (X86_64, X32 | 9999, &[], UNKNOWN, "no call"),
            (0xc000_00b7, 0, &[], RET_KILL_PROCESS, "another machine"),
        ],
    );
}

#[test]
fn capabilities_open_their_calls_and_no_others() {
    let admin = default_program(&capabilities(&["SYS_ADMIN"]));
    let time = default_program(&capabilities(&["SYS_TIME", "SYSLOG"]));
    let none = default_program(&capabilities(&[]));
    let table = [
        (&admin, 165, RET_ALLOW, "mount"),
        (&admin, 272, RET_ALLOW, "unshare"),
        (&admin, 435, RET_ALLOW, "clone3"),
        (&admin, 227, EPERM, "clock_settime"),
        (&admin, 161, EPERM, "chroot"),
        (&admin, 425, EPERM, "io_uring_setup"),
        (&time, 227, RET_ALLOW, "clock_settime"),
        (&time, 103, RET_ALLOW, "syslog"),
        (&time, 165, EPERM, "mount"),
        (&none, 103, EPERM, "syslog"),
        (&none, 161, EPERM, "chroot"),
        (&none, 0, RET_ALLOW, "read"),
    ];
    for (program, number, verdict, name) in table {
        assert_eq!(run(program, X86_64, number, [0; 6]), verdict, "{name}");
    }
    let namespaces = arguments(&[0x1000_0000]);
    assert_eq!(run(&admin, X86_64, 56, namespaces), RET_ALLOW);
    let sti = arguments(&[0, 0x5412]);
    assert_eq!(run(&admin, X86_64, 16, sti), EPERM, "TIOCSTI stays closed");
}

#[test]
fn embedded_program_equals_one_compiled_now() {
    let embedded = default_program(&by_default());
    assert!(matches!(embedded, Cow::Borrowed(_)));
    let now = compile(&default_seccomp(&by_default())).expect("compiles");
    assert_eq!(embedded, now);
    assert!(now.len() < 1000, "{}", now.len());
}

#[test]
fn asked_capabilities_are_those_of_the_profile() {
    let rules = default_profile().syscalls.expect("has rules");
    let filters = rules
        .iter()
        .flat_map(|rule| rule.includes.iter().chain(&rule.excludes));
    let named: BTreeSet<String> = filters
        .flat_map(|f| f.caps.clone().unwrap_or_default())
        .collect();
    let asked: BTreeSet<String> = ASKED.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(named, asked);
}

fn custom(rules: &str) -> Vec<SockFilter> {
    let json = format!(
        r#"{{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],
        "syscalls":[{rules}]}}"#
    );
    let seccomp = read_profile(&json, &by_default()).expect("valid");
    compile(&seccomp).expect("compiles")
}

#[test]
fn every_comparison_looks_at_all_64_bits() {
    const V: u64 = 0x5_0000_0005;
    let samples = [
        0,
        4,
        5,
        6,
        V - 1,
        V,
        V + 1,
        0x4_ffff_ffff,
        0x6_0000_0000,
        u64::MAX,
    ];
    type Holds = fn(u64) -> bool;
    let table: [(&str, Holds); 6] = [
        ("EQ", |a| a == V),
        ("NE", |a| a != V),
        ("LT", |a| a < V),
        ("LE", |a| a <= V),
        ("GT", |a| a > V),
        ("GE", |a| a >= V),
    ];
    for (operator, holds) in table {
        let program = custom(&format!(
            r#"{{"names":["read"],"action":"SCMP_ACT_ALLOW",
            "args":[{{"index":3,"value":{V},"op":"SCMP_CMP_{operator}"}}]}}"#
        ));
        for sample in samples {
            let got = run(&program, X86_64, 0, arguments(&[V, V, V, sample]));
            let expected = if holds(sample) { RET_ALLOW } else { EPERM };
            assert_eq!(got, expected, "{sample:#x} {operator} {V:#x}");
        }
    }
    let masked = custom(
        r#"{"names":["read"],"action":"SCMP_ACT_ALLOW","args":
        [{"index":5,"value":1095216660480,"valueTwo":21474836480,"op":"SCMP_CMP_MASKED_EQ"}]}"#,
    );
    for (argument, verdict) in [
        (0x5_0000_0000, RET_ALLOW),
        (0xf05_0000_0001, RET_ALLOW),
        (5, EPERM),
    ] {
        let got = run(&masked, X86_64, 0, arguments(&[0, 0, 0, 0, 0, argument]));
        assert_eq!(got, verdict, "{argument:#x}");
    }
}

#[test]
fn arguments_are_and_rules_are_or() {
    let program = custom(
        r#"{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[
            {"index":0,"value":1,"op":"SCMP_CMP_EQ"},{"index":1,"value":2,"op":"SCMP_CMP_EQ"}]},
        {"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":7,"args":[
            {"index":0,"value":9,"op":"SCMP_CMP_GE"}]}"#,
    );
    let table = [
        ([1, 2], RET_ALLOW),
        ([1, 3], EPERM),
        ([2, 2], EPERM),
        ([9, 2], RET_ERRNO | 7),
    ];
    for (list, verdict) in table {
        assert_eq!(
            run(&program, X86_64, 0, arguments(&list)),
            verdict,
            "{list:?}"
        );
    }
}

#[test]
fn two_conditions_on_one_argument_mean_either() {
    let program = custom(
        r#"{"names":["socket"],"action":"SCMP_ACT_ERRNO","errnoRet":97,"args":[
            {"index":0,"value":38,"op":"SCMP_CMP_EQ"},{"index":0,"value":40,"op":"SCMP_CMP_EQ"}]},
        {"names":["socket"],"action":"SCMP_ACT_ALLOW"}"#,
    );
    let table = [(38, RET_ERRNO | 97), (40, RET_ERRNO | 97), (2, RET_ALLOW)];
    for (family, verdict) in table {
        assert_eq!(run(&program, X86_64, 41, arguments(&[family])), verdict);
    }
}

#[test]
fn every_action_has_its_verdict() {
    let table = [
        ("ALLOW", 0x7fff_0000),
        ("ERRNO", 0x0005_0001),
        ("KILL", 0),
        ("KILL_THREAD", 0),
        ("KILL_PROCESS", 0x8000_0000),
        ("TRAP", 0x0003_0000),
        ("TRACE", 0x7ff0_0001),
        ("LOG", 0x7ffc_0000),
        ("NOTIFY", 0x7fc0_0000),
    ];
    for (action, verdict) in table {
        let rule = format!(r#"{{"names":["write"],"action":"SCMP_ACT_{action}"}}"#);
        assert_eq!(run(&custom(&rule), X86_64, 1, [0; 6]), verdict, "{action}");
    }
}

#[test]
fn calls_younger_than_a_profile_are_unknown() {
    let program = custom(r#"{"names":["read","getpid"],"action":"SCMP_ACT_ALLOW"}"#);
    let table = [(38, EPERM), (39, RET_ALLOW), (40, UNKNOWN), (600, UNKNOWN)];
    for (number, verdict) in table {
        assert_eq!(run(&program, X86_64, number, [0; 6]), verdict, "{number}");
    }
    // Only the named ABI exists.
    for (arch, number) in [(I386, 3), (X86_64, X32)] {
        assert_eq!(run(&program, arch, number, [0; 6]), RET_KILL_PROCESS);
    }
}

#[test]
fn bad_profiles_are_refused() {
    let rule = |text: &str| format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{text}]}}"#);
    let table = [
        "{}".to_string(),
        r#"{"defaultAction":"SCMP_ACT_PERHAPS"}"#.into(),
        r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["PDP11"]}"#.into(),
        rule(r#"{"names":["read"],"action":"ALLOW"}"#),
        rule(r#"{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":65536}"#),
        rule(
            r#"{"names":["read"],"action":"SCMP_ACT_ALLOW",
            "args":[{"index":6,"value":0,"op":"SCMP_CMP_EQ"}]}"#,
        ),
        rule(
            r#"{"names":["read"],"action":"SCMP_ACT_ALLOW",
            "args":[{"index":0,"value":0,"op":"SCMP_CMP_IS"}]}"#,
        ),
    ];
    for json in table {
        assert!(read_profile(&json, &by_default()).is_err(), "{json}");
    }
}

fn expect_errno(name: &str, got: Option<i32>, wanted: Option<i32>) -> Result<(), String> {
    if got == wanted {
        Ok(())
    } else {
        Err(format!("{name}: errno {got:?} instead of {wanted:?}"))
    }
}

/// What a container's program would see of the calls of A74, A76, A77 and A82.
fn probe_the_kernel(namespace: BorrowedFd<'_>) -> Result<(), String> {
    const PERM: Option<i32> = Some(1);
    let code = |result: Result<(), Errno>| result.err().map(Errno::raw_os_error);
    let uts = Some(LinkNameSpaceType::HostNameAndNISDomainName);
    let joined = move_into_link_name_space(namespace, uts);
    expect_errno("setns", code(joined), PERM)?;
    let anchored = Anchor::start().map(drop);
    expect_errno("clone NEWUSER", code(anchored), PERM)?;
    let open = |family| socket(family, SocketType::SEQPACKET, None);
    let alg = open(AddressFamily::from_raw(38)).map(drop);
    expect_errno("AF_ALG", code(alg), PERM)?;
    let unix = open(AddressFamily::UNIX).map_err(|errno| format!("AF_UNIX: {errno}"))?;
    expect_errno("TIOCSTI", calls::type_into(unix.as_fd()), PERM)?;
    let readable = rustix::io::ioctl_fionread(&unix).map(drop);
    expect_errno("FIONREAD", code(readable), None)?;
    expect_errno("no such call", calls::call_nothing(), Some(38))?;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if status.contains("Seccomp:\t2") {
        Ok(())
    } else {
        Err("no filter is loaded".into())
    }
}

#[test]
fn a74_a76_a77_a82_the_kernel_enforces_the_default_program() {
    let program = default_program(&by_default());
    let namespace = std::fs::File::open("/proc/self/ns/uts").expect("open");
    let load = |program: &[SockFilter]| {
        rustix::thread::set_no_new_privs(true)
            .and_then(|()| crate::sys::seccomp::install(program, 0))
            .map_err(|errno| format!("load: {errno}"))
    };
    let result = in_forked_child(|| {
        load(&program)?;
        probe_the_kernel(namespace.as_fd())
    });
    assert_eq!(result, Ok(()));
    // The probe itself can tell: under a filter that allows everything it complains.
    let allow = r#"{"defaultAction":"SCMP_ACT_ALLOW"}"#;
    let allow = read_profile(allow, &by_default()).expect("valid");
    let allow = compile(&allow).expect("compiles");
    let result = in_forked_child(|| {
        load(&allow)?;
        probe_the_kernel(namespace.as_fd())
    });
    assert!(result.is_err());
}
