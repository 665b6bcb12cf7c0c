//! Commands about the engine and the host.

pub mod events;
pub mod info;
