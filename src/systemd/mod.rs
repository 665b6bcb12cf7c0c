//! What systemd is told: units that it reads, as text made from values that are checked first.

pub mod boot;
