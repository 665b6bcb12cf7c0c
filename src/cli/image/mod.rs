//! Commands about images.

pub mod copy;
pub mod exists;
pub mod filter;
pub mod history;
pub mod import;
pub mod inspect;
pub mod list_tags;
pub mod load;
pub mod ls;
mod progress;
pub mod prune;
pub mod pull;
pub mod push;
pub mod rm;
pub mod save;
pub mod tag;
mod tree;

use crate::config::Settings;
use crate::error::{Error, Kind, Result};
use crate::events::{Event, Subject};
use crate::image::InUse;
use crate::state::Records;

/// The images that containers use, and so must keep. A container whose record cannot be read might
/// use any: then it is an error.
pub fn images_in_use(settings: &Settings) -> Result<Vec<InUse>> {
    let records = Records::at(&settings.root, &settings.run);
    let mut used = Vec::new();
    for id in records.ids()? {
        let config = match records.config(&id) {
            Ok(config) => config,
            // Removed since its name was read.
            Err(error) if error.kind() == Kind::NotFound => continue,
            // It can never be started again, whatever image it was of: no reason to keep one.
            Err(error) => {
                log::warn!("{error}");
                continue;
            }
        };
        let record = records.record(&id);
        used.push(InUse {
            image: config.image,
            manifest: config.manifest,
            container: id.short(),
            running: record.is_ok_and(|record| record.live.is_some()),
        });
    }
    Ok(used)
}

/// The error for an image that is not here, as [`crate::image::find`] words it, for the case that
/// there is not even a store.
fn no_such_image(name: &str) -> Error {
    let shown = match name.parse::<crate::base::Reference>() {
        Ok(reference) => reference.familiar(),
        Err(_) => name.to_owned(),
    };
    Error::not_found(format!("No such image: {shown}"))
}

/// Tells the event log of an image, with Docker's actions: `pull`, `tag`, `load`, `untag`, …
fn notice(settings: &Settings, action: &str, id: impl std::fmt::Display, name: &str) {
    let attributes = [("name".to_owned(), name.to_owned())].into();
    let event = Event::now(Subject::Image, action, id.to_string(), attributes);
    crate::events::note(&settings.run, &event);
}
