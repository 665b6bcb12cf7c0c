//! Commands about the engine and the host.

pub mod boot;
pub mod check;
pub mod df;
pub mod doctor;
pub mod events;
pub mod info;
pub mod prune;
