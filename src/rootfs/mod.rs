//! From layer directories to a root file system, and questions about what is inside one.
//!
//! A root is an overlay mount that nobody but its holder sees: it is made detached, asked for users
//! by descriptor, and attached only in the container's own mount namespace. Nothing here ever
//! follows a path out of the root.

mod copy;
mod overlay;
mod user;
mod view;

pub use copy::{Owner, Target, TreeCopy};
pub use overlay::{Options, Upper, mount, mount_read_only};
pub use user::{User, read_account_file, resolve_user};
pub use view::{Found, Last, Node, View, is_kernels, is_mount_root, join, names_in};
