//! The HTTP client of registries (distribution-spec 1.1, pull side).
//!
//! Everything a registry says is hostile: sizes are bounded before they are read, digests decide
//! over headers, credentials go only to the host they are for, HTTPS is never given up for a host
//! the user has not named insecure. This module moves bytes; what a manifest means is `image`'s.
//! Blocking, and without any name service library: see [`resolve`].

mod auth;
mod blob;
mod client;
mod credentials;
mod dns;
mod download;
mod endpoint;
mod failure;
mod redirect;
mod resolve;
mod retry;
#[cfg(test)]
pub mod scripted;
#[cfg(test)]
mod tests;
mod transport;

pub use blob::BlobReader;
pub use client::{Client, DOCUMENT_LIMIT, Document, Repository};
pub use credentials::{Credential, Credentials};
pub use download::download;
pub use failure::escaped;
