//! seccomp: which system calls a container may make.
//!
//! The default profile (`default.json`) is Docker's, stricter, and answers ENOSYS to calls it does
//! not know, because that is what libc falls back on. It is compiled to BPF by build.rs for the
//! default capabilities; other capability sets and profiles are compiled when they are used.
//!
//! A filter compares integers. It cannot look behind pointers, so `clone3`'s flags are out of
//! reach (refused), and so is i386's `socketcall`. Where the kernel looks at 32 bits of an
//! argument, so must a rule that refuses: the upper half is the attacker's (CVE-2019-10063).

mod compile;
mod numbers;
mod profile;

use std::borrow::Cow;

use oci_spec::runtime::{Capabilities, LinuxSeccomp, LinuxSeccompArg, LinuxSyscall};

pub use crate::sys::seccomp::SockFilter;

use crate::error::{Error, Result};
use profile::{Argument, Machine, Profile, Syscalls};

const DEFAULT_PROFILE: &str = include_str!("default.json");

/// The default profile's program for the default capabilities, made by build.rs.
static DEFAULT_PROGRAM: &[SockFilter] = &include!(concat!(env!("OUT_DIR"), "/default-seccomp.rs"));

/// The capabilities the default profile asks about, and whether containers have them by default.
const ASKED: [(&str, bool); 14] = [
    ("CAP_BPF", false),
    ("CAP_DAC_READ_SEARCH", false),
    ("CAP_PERFMON", false),
    ("CAP_SYSLOG", false),
    ("CAP_SYS_ADMIN", false),
    ("CAP_SYS_BOOT", false),
    ("CAP_SYS_CHROOT", true),
    ("CAP_SYS_MODULE", false),
    ("CAP_SYS_NICE", false),
    ("CAP_SYS_PACCT", false),
    ("CAP_SYS_PTRACE", false),
    ("CAP_SYS_RAWIO", false),
    ("CAP_SYS_TIME", false),
    ("CAP_SYS_TTY_CONFIG", false),
];

/// The default profile as a program. `--privileged` means none at all, not this with everything.
pub fn default_program(capabilities: &Capabilities) -> Cow<'static, [SockFilter]> {
    if ASKED
        .iter()
        .all(|(name, by_default)| has(capabilities, name) == *by_default)
    {
        return Cow::Borrowed(DEFAULT_PROGRAM);
    }
    let mut profile = default_profile();
    profile.select(&machine(&|name| has(capabilities, name)));
    let policy = profile.policy().expect("build.rs compiled this profile");
    Cow::Owned(compile::compile(&policy).expect("fewer rules than build.rs compiled"))
}

/// The default profile in the OCI form.
#[cfg(test)]
pub fn default_seccomp(capabilities: &Capabilities) -> LinuxSeccomp {
    resolve(default_profile(), capabilities).expect("build.rs compiled this profile")
}

/// A user's profile (`--security-opt seccomp=FILE`) in the OCI form. Docker's format or OCI's.
pub fn read_profile(json: &str, capabilities: &Capabilities) -> Result<LinuxSeccomp> {
    let profile: Profile = serde_json::from_str(json)
        .map_err(|error| Error::invalid(format!("seccomp profile: {error}")))?;
    resolve(profile, capabilities)
}

/// The program for the `linux.seccomp` of a bundle.
pub fn compile(seccomp: &LinuxSeccomp) -> Result<Vec<SockFilter>> {
    let policy = as_profile(seccomp).policy().map_err(invalid)?;
    compile::compile(&policy).map_err(invalid)
}

fn invalid(message: String) -> Error {
    Error::invalid(format!("seccomp profile: {message}"))
}

fn default_profile() -> Profile {
    serde_json::from_str(DEFAULT_PROFILE).expect("build.rs parsed this profile")
}

fn has(capabilities: &Capabilities, name: &str) -> bool {
    let short = name.strip_prefix("CAP_").unwrap_or(name);
    short
        .parse()
        .is_ok_and(|capability| capabilities.contains(&capability))
}

fn machine<'a>(has: &'a dyn Fn(&str) -> bool) -> Machine<'a> {
    let release = rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned();
    let mut numbers = release
        .split(['.', '-'])
        .map(|number| number.parse().unwrap_or(0));
    let kernel = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    Machine { has, kernel }
}

fn resolve(mut profile: Profile, capabilities: &Capabilities) -> Result<LinuxSeccomp> {
    profile.select(&machine(&|name| has(capabilities, name)));
    // Compiled later; refused now, while the file can still be named.
    profile.policy().map_err(invalid)?;
    let mut syscalls = profile.syscalls.clone().unwrap_or_default();
    for rule in &mut syscalls {
        rule.names.extend(rule.name.take());
    }
    let mut value = serde_json::json!({
        "defaultAction": profile.default_action,
        "architectures": profile.architecture_names(),
        "syscalls": syscalls,
    });
    if let Some(errno) = profile.default_errno_ret {
        value["defaultErrnoRet"] = errno.into();
    }
    serde_json::from_value(value).map_err(|error| invalid(error.to_string()))
}

fn as_profile(seccomp: &LinuxSeccomp) -> Profile {
    let names = |list: &Vec<_>| {
        list.iter()
            .map(oci_spec::runtime::Arch::to_string)
            .collect()
    };
    Profile {
        default_action: seccomp.default_action().to_string(),
        default_errno_ret: seccomp.default_errno_ret(),
        architectures: seccomp.architectures().as_ref().map(names),
        arch_map: None,
        syscalls: seccomp
            .syscalls()
            .as_ref()
            .map(|list| list.iter().map(as_rule).collect()),
    }
}

fn as_rule(rule: &LinuxSyscall) -> Syscalls {
    Syscalls {
        name: None,
        names: rule.names().clone(),
        action: rule.action().to_string(),
        errno_ret: rule.errno_ret(),
        args: rule
            .args()
            .as_ref()
            .map(|list| list.iter().map(as_argument).collect()),
        includes: None,
        excludes: None,
    }
}

fn as_argument(argument: &LinuxSeccompArg) -> Argument {
    Argument {
        // An index out of range is refused with its words by `policy`.
        index: u32::try_from(argument.index()).unwrap_or(u32::MAX),
        value: argument.value(),
        value_two: argument.value_two().unwrap_or(0),
        op: argument.op().to_string(),
    }
}

#[cfg(test)]
mod tests;
