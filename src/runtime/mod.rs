//! Executes one OCI bundle: never sees an image, a name or the store.

pub mod seccomp;
