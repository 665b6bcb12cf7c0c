//! What a container may do: capabilities, security options, kernel parameters, limits of single
//! processes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use clap::Command;

use super::{Matches, list, switch};
use crate::container::Request;
use crate::error::{Context as _, Error, Result};
use crate::runtime::plan::IPC_SYSCTLS;
use crate::state::UlimitConfig;

/// Names of limits, without `RLIMIT_`, as `ulimit` has them.
const ULIMITS: [&str; 16] = [
    "as",
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// Declares them.
pub fn declare(command: Command) -> Command {
    command
        .arg(list("cap-add", "list", "Add Linux capabilities"))
        .arg(list("cap-drop", "list", "Drop Linux capabilities"))
        .arg(list("group-add", "list", "Add additional groups to join"))
        .arg(switch(
            "privileged",
            "Give extended privileges to the container",
        ))
        .arg(list("security-opt", "list", "Security options"))
        .arg(list("sysctl", "map", "Sysctl options"))
        .arg(list("ulimit", "ulimit", "Ulimit options"))
}

/// Fills them in.
pub fn fill(matches: &Matches, request: &mut Request) -> Result<()> {
    let many = |name: &str| -> Vec<String> {
        matches.texts(name).into_iter().map(str::to_owned).collect()
    };
    request.cap_add = many("cap-add");
    request.cap_drop = many("cap-drop");
    request.privileged = matches.on("privileged");
    request.group_add = many("group-add");
    if request.group_add.iter().any(|group| group == "keep-groups") {
        let what = "--group-add keep-groups is not supported yet";
        return Err(Error::unsupported(what).hint("name the groups, or their numbers"));
    }
    for text in matches.texts("ulimit") {
        match text {
            "host" => request.ulimits.extend(of_caller()),
            text => request.ulimits.push(ulimit(text).map_err(|why| {
                let flag = format!("invalid argument {text:?} for \"--ulimit\" flag: {why}");
                Error::invalid(flag)
            })?),
        }
    }
    let options = matches.texts("security-opt").into_iter();
    request.security_options = options.map(security_option).collect::<Result<_>>()?;
    request.sysctls = sysctls(&matches.texts("sysctl"))?;
    Ok(())
}

fn sysctls(texts: &[&str]) -> Result<BTreeMap<String, String>> {
    let one = |text: &&str| {
        let refuse = || {
            let why = format!("sysctl '{text}' is not allowed");
            Error::invalid(format!(
                "invalid argument {text:?} for \"--sysctl\" flag: {why}"
            ))
            .hint("only net.*, kernel.shm*, kernel.msg*, kernel.sem and fs.mqueue.* may be set")
        };
        let (key, value) = text.split_once('=').ok_or_else(refuse)?;
        let dotted = key.replace('/', ".");
        let namespaced = IPC_SYSCTLS.contains(&dotted.as_str())
            || dotted.starts_with("net.")
            || dotted.starts_with("fs.mqueue.");
        match namespaced {
            true => Ok((key.to_owned(), value.to_owned())),
            false => Err(refuse()),
        }
    };
    texts.iter().map(one).collect()
}

/// `name=soft[:hard]`, as docker's go-units.
fn ulimit(text: &str) -> std::result::Result<UlimitConfig, String> {
    let refuse = || format!("invalid ulimit argument: {text}");
    let (name, values) = text.split_once('=').ok_or_else(refuse)?;
    if !ULIMITS.contains(&name) {
        return Err(format!("invalid ulimit type: {name}"));
    }
    let (soft, hard) = values.split_once(':').unwrap_or((values, values));
    let number = |text: &str| {
        let number = text.parse::<i64>().ok().filter(|number| *number >= -1);
        number.ok_or_else(refuse)
    };
    let (soft, hard) = (number(soft)?, number(hard)?);
    if hard != -1 && (soft > hard || soft == -1) {
        let text = "ulimit soft limit must be less than or equal to hard limit";
        return Err(format!("{text}: {soft} > {hard}"));
    }
    Ok(UlimitConfig {
        name: name.to_owned(),
        soft,
        hard,
    })
}

/// The caller's own limits (`--ulimit host`).
fn of_caller() -> Vec<UlimitConfig> {
    use rustix::process::{Resource, getrlimit};
    let known = [
        ("as", Resource::As),
        ("core", Resource::Core),
        ("cpu", Resource::Cpu),
        ("data", Resource::Data),
        ("fsize", Resource::Fsize),
        ("locks", Resource::Locks),
        ("memlock", Resource::Memlock),
        ("msgqueue", Resource::Msgqueue),
        ("nofile", Resource::Nofile),
        ("nproc", Resource::Nproc),
        ("rss", Resource::Rss),
        ("sigpending", Resource::Sigpending),
        ("stack", Resource::Stack),
    ];
    let number = |limit: Option<u64>| limit.and_then(|limit| i64::try_from(limit).ok());
    let limits = known.into_iter().map(|(name, resource)| {
        let limit = getrlimit(resource);
        UlimitConfig {
            name: name.to_owned(),
            soft: number(limit.current).unwrap_or(-1),
            hard: number(limit.maximum).unwrap_or(-1),
        }
    });
    limits.collect()
}

fn security_option(given: &str) -> Result<String> {
    let text = given.replacen(':', "=", usize::from(!given.contains('=')));
    let (key, value) = text.split_once('=').unwrap_or((&text, ""));
    match (key, value) {
        ("no-new-privileges", "" | "true" | "false") | ("systempaths", "unconfined") => Ok(text),
        ("label", "disable") | ("apparmor" | "seccomp", "unconfined") => Ok(text),
        // Where the kernel part is off they mean nothing; on, they would be a promise not kept.
        ("label", value) if !value.is_empty() => {
            unenforced(&text, "SELinux", Path::new("/sys/fs/selinux/enforce"))
        }
        ("apparmor", value) if !value.is_empty() => unenforced(
            &text,
            "AppArmor",
            Path::new("/sys/kernel/security/apparmor/profiles"),
        ),
        ("mask" | "unmask", paths) if !paths.is_empty() => {
            let all = key == "unmask" && paths.eq_ignore_ascii_case("all");
            let fine = |path: &str| path.starts_with('/') && !path.contains("/../");
            match all || paths.split(':').all(fine) {
                true => Ok(text),
                false => Err(Error::invalid(format!(
                    "invalid --security-opt {given:?}: paths must be absolute"
                ))),
            }
        }
        ("seccomp", path) if !path.is_empty() => {
            let path = fs::canonicalize(path)
                .context(|| format!("opening seccomp profile ({path}) failed"))?;
            Ok(format!("seccomp={}", path.display()))
        }
        ("proc-opts" | "writable-cgroups", _) => Err(Error::unsupported(format!(
            "--security-opt {key} is not supported"
        ))),
        _ => Err(Error::invalid(format!("Invalid --security-opt: {given:?}"))),
    }
}

fn unenforced(text: &str, what: &str, mark: &Path) -> Result<String> {
    if !mark.exists() {
        return Ok(text.to_owned());
    }
    let why = format!("--security-opt {text}: this version applies no {what} labels or profiles");
    Err(Error::unsupported(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_options_are_known_or_refused() {
        let good = [
            ("no-new-privileges", "no-new-privileges"),
            ("no-new-privileges:true", "no-new-privileges=true"),
            ("seccomp=unconfined", "seccomp=unconfined"),
            ("seccomp:unconfined", "seccomp=unconfined"),
            ("label=disable", "label=disable"),
            ("mask=/proc/x:/sys/y", "mask=/proc/x:/sys/y"),
            ("unmask=ALL", "unmask=ALL"),
        ];
        for (given, kept) in good {
            assert_eq!(security_option(given).expect(given), kept);
        }
        for bad in [
            "",
            "x",
            "no-new-privileges=maybe",
            "mask=",
            "mask=proc",
            "proc-opts=hidepid=2",
        ] {
            assert!(security_option(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ulimits_have_go_units_messages() {
        let message = |text| ulimit(text).expect_err(text);
        assert_eq!(message("nofile"), "invalid ulimit argument: nofile");
        assert_eq!(message("files=1"), "invalid ulimit type: files");
        assert_eq!(message("nofile=-2"), "invalid ulimit argument: nofile=-2");
        assert!(message("nofile=2:1").ends_with("less than or equal to hard limit: 2 > 1"));
        let limit = ulimit("nofile=100:-1").expect("is legal");
        assert_eq!((limit.soft, limit.hard), (100, -1));
    }
}
