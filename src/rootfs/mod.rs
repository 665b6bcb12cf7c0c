//! From layer directories to a root file system, and questions about what is inside one.
//!
//! A root is an overlay mount that nobody but its holder sees: it is made detached, asked for users
//! by descriptor, and attached only in the container's own mount namespace. Nothing here ever
//! follows a path out of the root.

mod overlay;
mod user;

pub use overlay::{Options, Upper, mount};
pub use user::{User, read_account_file, resolve_user};
