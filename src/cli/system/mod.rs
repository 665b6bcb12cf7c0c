//! Commands about the engine and the host.

pub mod boot;
pub mod events;
pub mod info;
