//! hull, a container engine in one binary.
mod base;
mod error;
mod store;
mod sys;

fn main() {}
