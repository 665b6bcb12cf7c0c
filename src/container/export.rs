//! `export`: a container's files as one tar, without its mounts.
//!
//! The root is mounted anew for reading, so nothing that is mounted in the container is in it: no
//! volume, no secret, no generated file of /etc, only the empty places they are mounted on.

use std::os::fd::OwnedFd;

use super::access::{self, Intent};
use crate::base::ContainerId;
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::store::{Form, Pack, Store, plainly};

/// The files of a container as a tar stream. In a user namespace the caller must be its root.
pub fn export(settings: &Settings, store: &Store, id: &ContainerId) -> Result<Pack<'static>> {
    super::cp::raise_descriptors();
    let config = super::records(settings).config(id)?;
    let root: OwnedFd = access::mount_stopped(settings, store, &config, Intent::Read)?;
    Pack::new(root, b"", Form::Tree, plainly())
}

/// Fails if the container was removed while it was read: then something is missing.
pub fn exported(settings: &Settings, id: &ContainerId) -> Result<()> {
    let records = super::records(settings);
    if !records.exists(id) {
        return Err(
            Error::not_found(format!("No such container: {id}")).wrap("it was removed meanwhile")
        );
    }
    super::notice::notice(&records, id, "export", &[]);
    Ok(())
}
