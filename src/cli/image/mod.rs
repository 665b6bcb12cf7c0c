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
    in_use(&Records::at(&settings.root, &settings.run))
}

fn in_use(records: &Records) -> Result<Vec<InUse>> {
    let mut used = Vec::new();
    for id in records.ids()? {
        let config = match records.config(&id) {
            Ok(config) => config,
            // Removed since its name was read.
            Err(error) if error.kind() == Kind::NotFound => continue,
            // It can never be started again, whatever image it was of: no reason to keep one.
            Err(error)
                if error.kind() == Kind::Corrupt && !records.run_directory(&id).has_monitor() =>
            {
                log::warn!("{error}");
                continue;
            }
            Err(error) => return Err(error),
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::base::ContainerId;

    #[test]
    fn only_a_spoilt_record_of_an_ended_container_keeps_no_image() {
        let name = format!("hull-test-in-use-{}", std::process::id());
        let place = std::env::temp_dir().join(name);
        let records = Records::at(&place.join("root"), &place.join("run"));
        let id: ContainerId = "a".repeat(64).parse().expect("an id");
        let config = records.directory(&id).join("config.json");
        // Reading it is EISDIR: as with EIO or EMFILE, nobody knows what it says.
        fs::create_dir_all(&config).expect("mkdir");
        let unreadable = in_use(&records);
        fs::remove_dir(&config).expect("removes");
        fs::write(&config, b"{").expect("writes");
        let spoilt = in_use(&records);
        let run = records.run_directory(&id);
        fs::create_dir_all(place.join("run")).expect("mkdir");
        run.make().expect("run directory");
        let lock = run.lock().expect("locks").expect("is free");
        let live = in_use(&records);
        drop(lock);
        fs::remove_dir_all(&place).expect("removes");
        assert!(unreadable.is_err(), "{unreadable:?}");
        assert_eq!(spoilt.expect("is passed over").len(), 0);
        assert!(live.is_err(), "{live:?}");
    }
}
