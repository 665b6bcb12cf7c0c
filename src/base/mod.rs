//! Vocabulary without I/O: the values every other module speaks of.

mod container_id;
mod digest;
#[cfg(test)]
pub mod golden;
mod name;
mod ownership;
mod random_name;
mod reference;
mod size;
mod timestamp;

pub use container_id::ContainerId;
pub use digest::{DiffId, Digest};
pub use name::Name;
pub use ownership::Ownership;
pub use random_name::random_name;
pub use reference::Reference;
pub use size::ByteSize;
pub use timestamp::Timestamp;
