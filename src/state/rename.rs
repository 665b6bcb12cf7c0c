//! A container's new name.
//!
//! `state.json` says what a container is called; a file in `ROOT/names` leads to the container and
//! keeps others away. A rename needs both, so its one moment is the rename(2) of `state.json`: a
//! name that leads to a container of another name is free, and nobody's. Killed before it, a rename
//! has not happened; killed after it, it has; repeating it does what is left.

use super::names;
use super::records::{Records, replace, sync_directory};
use crate::base::{ContainerId, Name};
use crate::error::{Error, Result};

impl Records {
    /// Gives a container a new name; returns the old one.
    ///
    /// # Errors
    /// `Conflict` in Docker's words if it is taken, by this container or another.
    pub fn rename(&self, id: &ContainerId, new: &Name) -> Result<Name> {
        let _lock = self.lock(id)?;
        let path = self.directory(id).join("state.json");
        let mut state = self.state(id)?;
        if state.name == *new {
            return Err(Error::conflict(
                "Renaming a container with the same name as its current name",
            ));
        }
        let claim = names::claim(&self.names(), new, id, |other| self.is_called(other, new));
        let claim = claim.map_err(|error| error.wrap("Error when allocating new name"))?;
        let old = std::mem::replace(&mut state.name, new.clone());
        let durable = !state.auto_remove;
        let written = claim
            .sync()
            .and_then(|()| sync_directory(&self.names()))
            .and_then(|()| Ok(serde_json::to_vec(&state)?))
            .and_then(|bytes| replace(&path, &bytes, durable));
        if let Err(error) = written {
            claim.abandon();
            return Err(error);
        }
        // Should: after the new state. One that stays leads to a container of another name.
        names::release(&self.names(), &old, id)?;
        Ok(old)
    }

    /// Whether this name is the container's: `names/` may still have one it does not bear any more.
    /// A container whose record cannot be read keeps every name that leads to it.
    pub(super) fn is_called(&self, id: &ContainerId, name: &Name) -> bool {
        match self.name(id) {
            Ok(own) => own == *name,
            Err(_) => self.exists(id),
        }
    }
}
