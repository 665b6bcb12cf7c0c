//! hull, a container engine in one binary.
mod base;
mod config;
mod error;
mod image;
mod registry;
mod store;
mod sys;

fn main() {}
