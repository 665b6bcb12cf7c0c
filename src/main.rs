//! hull, a container engine in one binary.
mod base;
mod error;
mod init_program;
mod rootless;
mod runtime;
mod sys;

fn main() {}
