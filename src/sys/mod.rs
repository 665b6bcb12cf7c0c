//! Safe wrappers around the kernel, one file per subject: the only place with `unsafe`.
//!
//! What the crates rustix (files, mounts, file descriptors) and nix (processes, signals, sockets)
//! offer safely is used directly; only what they lack is here.

pub mod seccomp;
pub mod user_namespace;
