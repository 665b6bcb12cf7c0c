//! Which ids exist inside the user namespace: container id 0 is the caller, 1 and up are the
//! subordinate ranges in file order (podman's layout, so trees can be exchanged).

use std::fmt;
use std::fs;

use crate::base::Ownership;
use crate::error::{Context, Error, Kind, Result};
use crate::rootless::mappers::{self, Mappers};
use crate::rootless::subid::{self, Range, Source};

/// One line of `uid_map` or `gid_map`: `count` ids, `inside` the namespace and `outside`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub inside: u32,
    pub outside: u32,
    pub count: u32,
}

/// Why only one id can be mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// No line for this user in the named file.
    NoSubordinateIds { path: &'static str, user: String },
    /// newuidmap or newgidmap is not installed.
    MapperMissing { name: &'static str },
    /// The mapper has neither the setuid bit nor file capabilities, or its mount ignores them.
    MapperUnprivileged { path: &'static str },
    /// The caller set no_new_privs, under which setuid programs gain nothing.
    NoNewPrivileges,
}

/// A complete plan for a user namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdMap {
    Full {
        uids: Vec<Extent>,
        gids: Vec<Extent>,
        mappers: Mappers,
    },
    Single {
        uid: u32,
        gid: u32,
        cause: Cause,
    },
}

impl IdMap {
    /// Reads the system's files: the widest map this process may have.
    pub fn for_caller() -> Result<IdMap> {
        let uid = rustix::process::getuid().as_raw();
        let gid = rustix::process::getgid().as_raw();
        let passwd = read("/etc/passwd")?;
        let name = subid::account_name(&passwd, uid);
        let single = |cause| Ok(IdMap::Single { uid, gid, cause });
        let none = |path| Cause::NoSubordinateIds {
            path,
            user: name.map_or_else(|| uid.to_string(), str::to_string),
        };
        let own = |path, accounts: &str| {
            let text = read(path)?;
            let source = Source {
                path,
                text: &text,
                accounts,
            };
            subid::ranges(&source, name, uid)
        };
        let uids = own("/etc/subuid", &passwd)?;
        if uids.is_empty() {
            return single(none("/etc/subuid"));
        }
        // subgid(5) too is keyed by user, but its numbers are groups.
        let gids = own("/etc/subgid", &read("/etc/group")?)?;
        if gids.is_empty() {
            return single(none("/etc/subgid"));
        }
        match mappers::find()? {
            Ok(mappers) => Ok(IdMap::Full {
                uids: extents("/etc/subuid", uid, &uids)?,
                gids: extents("/etc/subgid", gid, &gids)?,
                mappers,
            }),
            Err(cause) => single(cause),
        }
    }

    /// Whether owners are kept.
    pub fn ownership(&self) -> Ownership {
        match self {
            IdMap::Full { .. } => Ownership::Full,
            IdMap::Single { .. } => Ownership::Squashed,
        }
    }

    /// The one-line notice for a single map, with what to do about it.
    pub fn notice(&self) -> Option<String> {
        match self {
            IdMap::Full { .. } => None,
            IdMap::Single { cause, .. } => Some(format!(
                "only one user id inside containers: {cause}; {}",
                cause.fix()
            )),
        }
    }
}

/// What distinguishes this map from another: its ids, not the way they are written.
impl fmt::Display for IdMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |extents: &[Extent]| extents.iter().map(Extent::to_string).collect::<Vec<_>>();
        match self {
            IdMap::Full { uids, gids, .. } => {
                write!(f, "u {} g {}", list(uids).join(","), list(gids).join(","))
            }
            IdMap::Single { uid, gid, .. } => write!(f, "u 0 {uid} 1 g 0 {gid} 1"),
        }
    }
}

/// As newuidmap and `uid_map` take it.
impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.inside, self.outside, self.count)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::NoSubordinateIds { path, user } => write!(f, "no ids for {user} in {path}"),
            Cause::MapperMissing { name } => write!(f, "{name} is not installed"),
            Cause::MapperUnprivileged { path } => {
                write!(
                    f,
                    "{path} has no privileges (not setuid root, or mounted nosuid)"
                )
            }
            Cause::NoNewPrivileges => write!(f, "no_new_privs is set on this process"),
        }
    }
}

impl Cause {
    /// One line that removes the cause.
    pub fn fix(&self) -> String {
        match self {
            Cause::NoSubordinateIds { user, .. } => format!(
                "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}"
            ),
            Cause::MapperMissing { .. } => {
                "install the package uidmap (Debian, Ubuntu) or shadow-utils (Fedora)".into()
            }
            Cause::MapperUnprivileged { path } => format!("sudo chmod u+s {path}"),
            Cause::NoNewPrivileges => "start hull without it (systemd: NoNewPrivileges=no)".into(),
        }
    }
}

/// The caller's id as 0, then the ranges one after the other.
fn extents(path: &str, id: u32, ranges: &[Range]) -> Result<Vec<Extent>> {
    // UID_GID_MAP_MAX_EXTENTS of the kernel since 4.15; one is the caller's own.
    const MOST: usize = 340 - 1;
    if ranges.len() > MOST {
        let message = format!("{path}: {} ranges, the kernel maps {MOST}", ranges.len());
        return Err(Error::invalid(message).hint(format!("merge neighbouring ranges in {path}")));
    }
    let mut extents = vec![Extent {
        inside: 0,
        outside: id,
        count: 1,
    }];
    let mut inside = 1u32;
    for range in ranges {
        extents.push(Extent {
            inside,
            outside: range.first,
            count: range.count,
        });
        // Disjoint ranges of 32-bit ids cannot sum up to more than 32 bits.
        inside = inside.saturating_add(range.count);
    }
    Ok(extents)
}

/// A missing file is an empty one: minimal systems have no `/etc/subuid`.
fn read(path: &str) -> Result<String> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error)
            .context(|| format!("read {path}"))
            .map_err(|error| error.with_kind(Kind::System)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caller_is_root_and_ranges_follow() {
        let ranges = [(100_000, 65_536), (300_000, 10)];
        let ranges = ranges.map(|(first, count)| Range { first, count });
        let lines: Vec<_> = extents("/etc/subuid", 1000, &ranges)
            .expect("fits")
            .iter()
            .map(Extent::to_string)
            .collect();
        assert_eq!(lines, ["0 1000 1", "1 100000 65536", "65537 300000 10"]);
    }

    #[test]
    fn more_ranges_than_the_kernel_maps_are_refused() {
        let range = |first| Range { first, count: 1 };
        let most: Vec<_> = (0..339).map(range).collect();
        assert_eq!(
            extents("/etc/subuid", 1000, &most).expect("fits").len(),
            340
        );
        let more: Vec<_> = (0..340).map(range).collect();
        assert!(extents("/etc/subuid", 1000, &more).is_err());
    }

    #[test]
    fn every_cause_names_its_fix() {
        let causes = [
            Cause::NoSubordinateIds {
                path: "/etc/subuid",
                user: "ann".into(),
            },
            Cause::MapperMissing { name: "newuidmap" },
            Cause::MapperUnprivileged {
                path: "/usr/bin/newuidmap",
            },
            Cause::NoNewPrivileges,
        ];
        for cause in causes {
            let map = IdMap::Single {
                uid: 1000,
                gid: 1000,
                cause: cause.clone(),
            };
            let notice = map.notice().expect("single maps have one");
            assert!(
                notice.ends_with(&cause.fix()) && !notice.contains('\n'),
                "{notice}"
            );
        }
    }
}
