//! Why the kernel or the distribution refuses a user namespace, told by cause.

use std::fs;

use rustix::io::Errno;

use crate::error::{Context, Error, Kind, Result};

/// The switches that decide, as read from `/proc`; `None` where this kernel has no such switch.
#[derive(Debug, Default, Clone)]
pub struct Switches {
    /// `user.max_user_namespaces`
    pub most_namespaces: Option<String>,
    /// `kernel.unprivileged_userns_clone`: Debian's and Arch's own
    pub unprivileged_clone: Option<String>,
    /// `kernel.apparmor_restrict_unprivileged_userns`: Ubuntu 23.10 and later
    pub apparmor_restricts: Option<String>,
    /// The AppArmor profile of this process
    pub apparmor_profile: Option<String>,
}

impl Switches {
    /// Reads the four files; about 20 us.
    pub fn read() -> Switches {
        let read = |path: &str| Some(fs::read_to_string(path).ok()?.trim().to_string());
        Switches {
            most_namespaces: read("/proc/sys/user/max_user_namespaces"),
            unprivileged_clone: read("/proc/sys/kernel/unprivileged_userns_clone"),
            apparmor_restricts: read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
            apparmor_profile: read("/proc/self/attr/apparmor/current"),
        }
    }

    /// AppArmor lets an unconfined program make the namespace, and then denies it every capability
    /// there: the failure would come later and name something else.
    pub fn check_apparmor(&self) -> Result<()> {
        let restricts = self.apparmor_restricts.as_deref() == Some("1");
        if !restricts || self.apparmor_profile.as_deref() != Some("unconfined") {
            return Ok(());
        }
        Err(Error::unsupported(
            "AppArmor keeps programs without a profile from using user namespaces",
        )
        .hint(
            "load the profile shipped with hull, or: \
             sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ))
    }

    /// The error for a refused `clone(CLONE_NEWUSER)`.
    pub fn explain(&self, errno: Errno) -> Error {
        let is_zero = |value: &Option<String>| value.as_deref() == Some("0");
        let (why, fix) = if is_zero(&self.most_namespaces) {
            (
                "user namespaces are turned off (user.max_user_namespaces is 0)",
                "sudo sysctl -w user.max_user_namespaces=28633",
            )
        } else if is_zero(&self.unprivileged_clone) {
            (
                "only root may make user namespaces (kernel.unprivileged_userns_clone is 0)",
                "sudo sysctl -w kernel.unprivileged_userns_clone=1",
            )
        } else if errno == Errno::NOSPC || errno == Errno::USERS {
            (
                "too many user namespaces, or too deeply nested",
                "raise user.max_user_namespaces, or nest fewer containers",
            )
        } else if errno == Errno::INVAL {
            (
                "this kernel has no user namespaces (CONFIG_USER_NS)",
                "run hull as root",
            )
        } else {
            (
                "a seccomp filter, a chroot or a security module forbids user namespaces",
                "inside another container, start that one with --security-opt seccomp=unconfined",
            )
        };
        let refused: Result<()> = Err(errno.into());
        match refused.context(|| why) {
            Ok(()) => Error::unsupported(why),
            Err(error) => error.with_kind(Kind::Unsupported).hint(fix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(value: &str) -> Option<String> {
        Some(value.to_string())
    }

    #[test]
    fn each_refusal_names_its_fix() {
        let off = Switches {
            most_namespaces: set("0"),
            ..Switches::default()
        };
        let debian = Switches {
            unprivileged_clone: set("0"),
            ..Switches::default()
        };
        let open = Switches {
            most_namespaces: set("15000"),
            unprivileged_clone: set("1"),
            ..Switches::default()
        };
        let table = [
            (off, Errno::NOSPC, "max_user_namespaces=28633"),
            (debian, Errno::PERM, "unprivileged_userns_clone=1"),
            (open.clone(), Errno::NOSPC, "nest fewer"),
            (open.clone(), Errno::INVAL, "as root"),
            (open, Errno::PERM, "seccomp=unconfined"),
        ];
        for (switches, errno, fix) in table {
            let error = switches.explain(errno);
            assert!(
                error.hint_text().is_some_and(|hint| hint.contains(fix)),
                "{error}"
            );
            assert_eq!(error.errno(), Some(errno));
            assert_eq!(error.kind(), Kind::Unsupported);
        }
    }

    #[test]
    fn apparmor_stops_only_unconfined_programs() {
        let with = |restricts: &str, profile: &str| Switches {
            apparmor_restricts: set(restricts),
            apparmor_profile: set(profile),
            ..Switches::default()
        };
        assert!(with("1", "unconfined").check_apparmor().is_err());
        assert!(with("1", "hull (unconfined)").check_apparmor().is_ok());
        assert!(with("0", "unconfined").check_apparmor().is_ok());
        assert!(Switches::default().check_apparmor().is_ok());
    }
}
