//! Executes one OCI bundle: namespaces, mounts, privileges, the container's first process.
//!
//! Never sees an image, a name or the store: above this module nobody calls mount(2), below it
//! nobody knows what an image is. The order of work:
//!
//! 1. [`plan::build`] turns the OCI spec into a flat list of operations (pure, golden-tested).
//! 2. [`launch::launch`] forks into new namespaces and talks to the child.
//! 3. [`child`] walks the list between fork and exec: system calls only, no allocation, no locks.
//!    It reports `{operation, errno}` in 8 bytes ([`sync`]); the parent holds the words.
//!
//! What enters the container is never this binary: the last step runs the small static init from a
//! sealed memfd, which then becomes the container's program (CVE-2019-5736).

pub mod bundle;
pub mod cgroup;
mod child;
pub mod join;
pub mod launch;
pub mod plan;
pub mod process;
pub mod program;
pub mod seccomp;
mod sync;
