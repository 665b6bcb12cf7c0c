//! hull, a container engine in one binary.
mod base;
mod error;
mod logs;
mod sys;

fn main() {}
