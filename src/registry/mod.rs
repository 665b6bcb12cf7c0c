//! The HTTP client of registries (distribution-spec 1.1).
//!
//! Everything a registry says is hostile: sizes are bounded before they are read, digests decide
//! over headers, credentials go only to the host they are for, HTTPS is never given up for a host
//! the user has not named insecure. This module moves bytes; what a manifest means is `image`'s.
//! Blocking, and without any name service library: see [`resolve`].

mod auth;
mod blob;
mod certificates;
mod client;
mod credential_program;
mod credentials;
mod dns;
mod download;
mod endpoint;
mod failure;
mod login;
mod login_file;
mod outgoing;
mod redirect;
mod resolve;
mod retry;
#[cfg(test)]
pub mod scripted;
mod search;
#[cfg(test)]
pub mod shelf;
mod tags;
#[cfg(test)]
mod tests;
mod tls;
mod transport;
mod upload;

pub use blob::BlobReader;
pub use client::{Client, DOCUMENT_LIMIT, Document, Repository};
pub use credentials::{Credential, Credentials};
pub use download::download;
pub use failure::escaped;
pub use login_file::{DOCKER_KEY, LoginFile, Removed, place_of};
pub use search::Found;
pub use upload::{Begun, Upload};
