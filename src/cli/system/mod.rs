//! Commands about the engine and the host.

pub mod info;
