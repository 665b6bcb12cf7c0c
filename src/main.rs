//! hull, a container engine in one binary.
mod base;
mod error;
mod sys;

fn main() {}
