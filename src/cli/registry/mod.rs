//! Commands about registries themselves: logging in and out, and searching.

pub mod login;
pub mod logout;
mod prompt;
pub mod search;
mod server;
