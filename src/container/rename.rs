//! `rename`.

use crate::base::{ContainerId, Name};
use crate::config::Settings;
use crate::error::Result;
use crate::store::Store;

/// Gives a container a new name, whatever state it is in.
pub fn rename(settings: &Settings, id: &ContainerId, new: &str) -> Result<()> {
    Store::check_format(&settings.root)?;
    let new: Name = new
        .parse()
        .map_err(|error: crate::error::Error| error.wrap("Error when allocating new name"))?;
    let records = super::records(settings);
    let old = records.rename(id, &new)?;
    super::notice(&records, id, "rename", &[("oldName", &format!("/{old}"))]);
    Ok(())
}
