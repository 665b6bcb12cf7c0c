//! Making, mapping and joining a user namespace.

use std::fs::{self, File};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::error::{Context, Error, Kind, Result};
use crate::rootless::blocked::Switches;
use crate::rootless::map::IdMap;
use crate::sys::user_namespace::Anchor;

/// Moves this process, which must have one thread, into a new user namespace mapped as told.
///
/// Should: map from outside, then join. The mappers have no privileges inside, and a process that
/// entered before its id was mapped would be nobody (uid 65534) and could not write the map.
pub fn become_mapped_root(map: &IdMap) -> Result<()> {
    let anchor = create(map)?;
    join(open(anchor.pid())?.as_fd())
}

/// Whether this account may make a user namespace: makes one, and lets it go.
pub fn namespaces_allowed() -> Result<()> {
    let switches = Switches::read();
    switches.check_apparmor()?;
    let anchor = Anchor::start().map_err(|errno| switches.explain(errno))?;
    drop(anchor);
    Ok(())
}

/// A new user namespace, mapped, kept alive by the child returned.
pub fn create(map: &IdMap) -> Result<Anchor> {
    let switches = Switches::read();
    switches.check_apparmor()?;
    let anchor = Anchor::start().map_err(|errno| switches.explain(errno))?;
    let pid = anchor.pid();
    match map {
        IdMap::Full {
            uids,
            gids,
            mappers,
        } => mappers.run(pid, uids, gids)?,
        IdMap::Single { uid, gid, .. } => {
            // The kernel wants this before an unprivileged gid_map (since 3.19, CVE-2014-8989):
            // dropping a group could otherwise open what the group was forbidden.
            write(pid, "setgroups", "deny")?;
            write(pid, "uid_map", &format!("0 {uid} 1"))?;
            write(pid, "gid_map", &format!("0 {gid} 1"))?;
        }
    }
    Ok(anchor)
}

/// Moves this process, which must have one thread, into the user namespace.
pub fn join(user_namespace: BorrowedFd<'_>) -> Result<()> {
    move_into_link_name_space(user_namespace, Some(LinkNameSpaceType::User))
        .context(|| "join the user namespace")
}

/// The user namespace of a process.
pub fn open(pid: i32) -> Result<OwnedFd> {
    let path = format!("/proc/{pid}/ns/user");
    let file = File::open(&path).context(|| format!("open {path}"))?;
    Ok(file.into())
}

fn write(pid: i32, file: &str, text: &str) -> Result<()> {
    let path = format!("/proc/{pid}/{file}");
    fs::write(&path, text)
        .context(|| format!("write {path}"))
        .map_err(|error: Error| error.with_kind(Kind::Unsupported))
}
