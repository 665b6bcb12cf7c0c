//! `diff`, `export` and `commit`.
