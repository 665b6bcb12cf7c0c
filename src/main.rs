//! hull, a container engine in one binary.
mod base;
mod config;
mod error;
mod init_program;
mod runtime;
mod sys;

fn main() {}
