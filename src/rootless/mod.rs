//! Becoming root of a user namespace in which the caller's ids and subordinate ids are mapped.
//!
//! Join or create, without a pause process: all containers of one user share one namespace, "R",
//! so that they can share networks and volumes. [`enter`] joins R through any process that lives
//! in it (a container's init, or a command at work), and makes a new one if there is none. The
//! monitor stays outside and reaches in by `/proc/PID/ns/user`. Nothing has to be migrated: when
//! the last process of R ends, R is gone, and the next command reads `/etc/subuid` afresh.
//!
//! Without subordinate ids, or without helpers that may use them, R maps one id: the caller is
//! root inside and nobody else exists. The layers of such a store are squashed to that id.
//!
//! Everything here runs before the process has threads: the kernel refuses a process with threads
//! to change its user namespace (setns(2), EINVAL).

mod blocked;
mod helpers;
mod holder;
mod map;
mod namespace;
mod subid;

pub use holder::{Entered, enter, record_holder};
pub use map::{Cause, Extent, IdMap, Ownership};
pub use namespace::{become_mapped_root, join};
pub use subid::Range;
