//! Whose files can be told apart.

/// What owners files have in the store and inside containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// As the image says: as root, or with ranges of subordinate ids.
    Full,
    /// A user namespace with one id: every owner becomes 0. Layers unpacked that way have names of
    /// their own.
    Squashed,
}
