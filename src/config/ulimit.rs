//! One resource limit with its two values, as `--ulimit` and `default-ulimits` give it.

/// Soft and hard value of one limit; -1 stands for unlimited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ulimit {
    /// Name without `RLIMIT_`, lower case, e.g. `nofile`.
    pub name: String,
    /// What the process starts with.
    pub soft: i64,
    /// How far the process may raise it.
    pub hard: i64,
}
