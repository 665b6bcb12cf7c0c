//! The last leg: limits, working directory, user, capabilities, filter, program.

use std::ffi::CString;
use std::path::Path;

use oci_spec::runtime::{Capabilities, LinuxCapabilities, PosixRlimitType, Process};

use super::{Extras, Host, Operation, c_path, c_text};
use crate::error::{Error, Result};

/// The program's user and groups, as numbers inside the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub uid: u32,
    pub gid: u32,
    /// Supplementary groups, complete: nothing is inherited (CVE-2022-2989).
    pub groups: Vec<u32>,
}

/// Docker's search path for images that set none.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub(super) fn push(
    process: &Process,
    host: &Host,
    extras: &Extras,
    ops: &mut Vec<Operation>,
) -> Result<()> {
    ops.push(Operation::StandardStreams);
    ops.push(Operation::Umask {
        mode: process.user().umask().unwrap_or(0o022),
    });
    if !extras.keep_keyring {
        ops.push(Operation::SessionKeyring);
    }
    if let Some(score) = process.oom_score_adj() {
        let value = c_text("process.oomScoreAdj", &score.to_string())?;
        ops.push(Operation::OomScore { value });
    }
    limits(process, host, ops);
    let path = c_path(process.cwd())?;
    if !process.cwd().is_absolute() {
        return Err(Error::invalid(format!(
            "process.cwd: {:?} is not absolute",
            process.cwd()
        )));
    }
    ops.push(Operation::WorkingDirectory {
        path,
        make: extras.make_cwd,
    });
    privileges(process, host, extras, ops)?;
    ops.push(Operation::FindProgram {
        name: program(process)?,
        candidates: candidates(process)?,
    });
    ops.push(Operation::ResetSignals);
    // Changing the user cleared the death signal, prctl(2).
    if extras.die_with_parent {
        ops.push(Operation::DieWithParent);
    }
    ops.push(Operation::Ready);
    if extras.gate {
        ops.push(Operation::AwaitGate);
    }
    ops.push(Operation::RunInit {
        reaper: extras.reaper,
    });
    Ok(())
}

/// Should: bounding set first (needs CAP_SETPCAP), filter while CAP_SYS_ADMIN lasts unless
/// no_new_privs makes it unnecessary, user before the final sets (setresuid(2) clears some).
fn privileges(
    process: &Process,
    host: &Host,
    extras: &Extras,
    ops: &mut Vec<Operation>,
) -> Result<()> {
    let none = LinuxCapabilities::default();
    let sets = match process.capabilities() {
        Some(sets) => sets.clone(),
        None => {
            let mut sets = none;
            for set in [
                LinuxCapabilities::set_bounding,
                LinuxCapabilities::set_effective,
                LinuxCapabilities::set_permitted,
                LinuxCapabilities::set_inheritable,
                LinuxCapabilities::set_ambient,
            ] {
                set(&mut sets, None);
            }
            sets
        }
    };
    let bits = |set: &Option<Capabilities>| capability_bits(set) & host.capabilities;
    let permitted = bits(sets.permitted());
    ops.push(Operation::DropBounding {
        keep: bits(sets.bounding()),
    });
    let no_new_privileges = process.no_new_privileges().unwrap_or(false);
    let filter = (!extras.filter.is_empty()).then(|| Operation::Filter {
        program: extras.filter.clone(),
        flags: extras.filter_flags,
    });
    if no_new_privileges {
        ops.push(Operation::NoNewPrivileges);
    } else {
        ops.extend(filter.clone());
    }
    ops.push(Operation::BecomeUser(Identity {
        uid: process.user().uid(),
        gid: process.user().gid(),
        groups: process.user().additional_gids().clone().unwrap_or_default(),
    }));
    let inheritable = bits(sets.inheritable());
    ops.push(Operation::Capabilities {
        effective: bits(sets.effective()) & permitted,
        permitted,
        inheritable,
        ambient: bits(sets.ambient()) & permitted & inheritable,
    });
    if no_new_privileges {
        ops.extend(filter);
    }
    Ok(())
}

/// One bit per capability, as in capset(2).
pub fn capability_bits(set: &Option<Capabilities>) -> u64 {
    let names = set
        .iter()
        .flatten()
        .map(|capability| format!("CAP_{capability}"));
    let known = names.filter_map(|name| name.parse::<caps::Capability>().ok());
    known.fold(0, |bits, capability| bits | capability.bitmask())
}

fn limits(process: &Process, host: &Host, ops: &mut Vec<Operation>) {
    for limit in process.rlimits().iter().flatten() {
        let resource = resource_number(limit.typ());
        let most = host
            .hard_limits
            .iter()
            .find(|(number, _)| *number == resource);
        let hard = most.map_or(limit.hard(), |(_, most)| limit.hard().min(*most));
        ops.push(Operation::ResourceLimit {
            resource,
            soft: limit.soft().min(hard),
            hard,
        });
    }
}

/// The `RLIMIT_*` number, getrlimit(2).
fn resource_number(kind: PosixRlimitType) -> u32 {
    match kind {
        PosixRlimitType::RlimitCpu => libc::RLIMIT_CPU,
        PosixRlimitType::RlimitFsize => libc::RLIMIT_FSIZE,
        PosixRlimitType::RlimitData => libc::RLIMIT_DATA,
        PosixRlimitType::RlimitStack => libc::RLIMIT_STACK,
        PosixRlimitType::RlimitCore => libc::RLIMIT_CORE,
        PosixRlimitType::RlimitRss => libc::RLIMIT_RSS,
        PosixRlimitType::RlimitNproc => libc::RLIMIT_NPROC,
        PosixRlimitType::RlimitNofile => libc::RLIMIT_NOFILE,
        PosixRlimitType::RlimitMemlock => libc::RLIMIT_MEMLOCK,
        PosixRlimitType::RlimitAs => libc::RLIMIT_AS,
        PosixRlimitType::RlimitLocks => libc::RLIMIT_LOCKS,
        PosixRlimitType::RlimitSigpending => libc::RLIMIT_SIGPENDING,
        PosixRlimitType::RlimitMsgqueue => libc::RLIMIT_MSGQUEUE,
        PosixRlimitType::RlimitNice => libc::RLIMIT_NICE,
        PosixRlimitType::RlimitRtprio => libc::RLIMIT_RTPRIO,
        PosixRlimitType::RlimitRttime => libc::RLIMIT_RTTIME,
    }
}

fn program(process: &Process) -> Result<String> {
    let first = process.args().iter().flatten().next();
    first
        .cloned()
        .ok_or_else(|| Error::invalid("process.args is empty"))
}

/// Every path the program may have, in the order execvp(3) would try them.
fn candidates(process: &Process) -> Result<Vec<CString>> {
    let name = program(process)?;
    if name.is_empty() {
        // It would be found in every directory: as the directory.
        return Ok(Vec::new());
    }
    if name.contains('/') {
        return Ok(vec![c_text("process.args", &name)?]);
    }
    let variables = process.env().iter().flatten();
    let path = variables
        .filter_map(|entry| entry.strip_prefix("PATH="))
        .next_back();
    let directories = path.unwrap_or(DEFAULT_PATH).split(':');
    let directories = directories.map(|dir| if dir.is_empty() { "." } else { dir });
    directories
        .map(|dir| c_path(&Path::new(dir).join(&name)))
        .collect()
}

pub(super) fn arguments(process: &Process) -> Result<Vec<CString>> {
    process
        .args()
        .iter()
        .flatten()
        .map(|text| c_text("process.args", text))
        .collect()
}

pub(super) fn environment(process: &Process) -> Result<Vec<CString>> {
    process
        .env()
        .iter()
        .flatten()
        .map(|text| c_text("process.env", text))
        .collect()
}

/// Kernel parameters of an IPC namespace; others that may be set are `net.*` and `fs.mqueue.*`.
pub const IPC_SYSCTLS: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

/// The path below /proc/sys of a kernel parameter that belongs to one of our new namespaces.
pub(super) fn sysctl_path(key: &str, namespaces: u64) -> Result<CString> {
    let has = |flag: libc::c_int| namespaces & flag as u64 != 0;
    let shape = |c: char| c.is_ascii_alphanumeric() || "._-/*".contains(c);
    let dotted = key.replace('/', ".");
    let parts_fine = dotted.split('.').all(|part| !part.is_empty()) && key.chars().all(shape);
    let ours = (has(libc::CLONE_NEWNET) && dotted.starts_with("net."))
        || (has(libc::CLONE_NEWIPC) && IPC_SYSCTLS.contains(&dotted.as_str()))
        || (has(libc::CLONE_NEWIPC) && dotted.starts_with("fs.mqueue."))
        || (has(libc::CLONE_NEWUTS) && dotted == "kernel.domainname");
    if !parts_fine || !ours {
        return Err(Error::invalid(format!(
            "sysctl {key:?} is not in a separate kernel namespace of the container"
        ))
        .hint("only net.*, kernel.shm*, kernel.msg*, kernel.sem and fs.mqueue.* may be set"));
    }
    // A key with slashes keeps dots inside its parts (interface names); otherwise dots separate.
    let path = if key.contains('/') {
        key.to_owned()
    } else {
        key.replace('.', "/")
    };
    c_text("linux.sysctl", &format!("sys/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a66_only_namespaced_sysctls_have_a_path() {
        let all = (libc::CLONE_NEWNET | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS) as u64;
        let good = [
            "net.ipv4.ping_group_range",
            "net/ipv4/conf/eth0.1/rp_filter",
            "kernel.sem",
            "fs.mqueue.msg_max",
            "kernel.shm_rmid_forced",
        ];
        for key in good {
            assert!(sysctl_path(key, all).is_ok(), "{key}");
        }
        let bad = [
            "kernel.core_pattern",
            "net/../kernel/core_pattern",
            "kernel.shm_rmid_forced=1",
            "net.ipv4\n.x",
            "vm.swappiness",
            "",
            "net.",
            "kernel.shmmax.x",
        ];
        for key in bad {
            assert!(sysctl_path(key, all).is_err(), "{key}");
        }
        assert!(sysctl_path("net.ipv4.ip_forward", libc::CLONE_NEWIPC as u64).is_err());
    }

    #[test]
    fn program_is_searched_like_execvp_does() {
        let mut process = Process::default();
        process.set_args(Some(vec!["ls".into(), "-l".into()]));
        process.set_env(Some(vec!["PATH=/a::/b".into()]));
        let paths = candidates(&process).expect("valid");
        assert_eq!(
            paths,
            [c"/a/ls".to_owned(), c"./ls".to_owned(), c"/b/ls".to_owned()]
        );
    }
}
