//! Safe wrappers around the kernel, one file per subject: the only place with `unsafe`.
//!
//! What the crates rustix (files, mounts, file descriptors) and nix (processes, signals, sockets)
//! offer safely is used directly; only what they lack is here.

#![allow(unsafe_code, reason = "this module exists to hold it")]

pub mod descriptor;
pub mod directory;
pub mod keyring;
pub mod lock;
pub mod loopback;
pub mod memory;
pub mod mount;
pub mod process;
pub mod seccomp;
pub mod signal;
pub mod user_namespace;
pub mod writeback;
