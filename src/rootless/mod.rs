//! Becoming root of a user namespace in which the caller's ids and subordinate ids are mapped.
//!
//! Join or create, without a pause process: all containers of one user share one namespace, "R",
//! so that they can share networks and volumes. [`enter`] joins R through any process that lives
//! in it (a container's init, or a command at work), and makes a new one if there is none. The
//! monitor stays outside and reaches in by `/proc/PID/ns/user`. Nothing has to be migrated: when
//! the last process of R ends, R is gone, and the next command reads `/etc/subuid` afresh.
//!
//! Without subordinate ids, or without mappers that may use them, R maps one id: the caller is
//! root inside and nobody else exists. The layers of such a store are squashed to that id.
//!
//! Everything here runs before the process has threads: the kernel refuses a process with threads
//! to change its user namespace (setns(2), EINVAL).

mod blocked;
mod holder;
mod map;
mod mappers;
mod namespace;
mod subid;

pub use holder::{enter, record_holder};
pub use map::IdMap;
pub use namespace::{become_mapped_root, namespaces_allowed};

use crate::error::{Context as _, Result};

/// The highest group id that a process's user namespace maps (user_namespaces(7)); `process` is a
/// process id or `self`.
pub fn highest_gid(process: &str) -> Result<u32> {
    let file = format!("/proc/{process}/gid_map");
    let map = std::fs::read_to_string(&file).context(|| format!("read {file}"))?;
    let ends = map.lines().filter_map(|line| {
        let mut fields = line.split_whitespace();
        let (first, count) = (fields.next()?, fields.nth(1)?);
        first
            .parse::<u32>()
            .ok()?
            .checked_add(count.parse::<u32>().ok()? - 1)
    });
    Ok(ends.max().unwrap_or(0))
}
