//! Commands about images.

pub mod filter;
pub mod history;
pub mod import;
pub mod inspect;
pub mod load;
pub mod ls;
mod progress;
pub mod pull;
pub mod rm;
pub mod tag;

use crate::config::Settings;
use crate::error::{Error, Result};
use crate::image::InUse;

/// The images that containers use, and so must keep.
fn images_in_use(_settings: &Settings) -> Result<Vec<InUse>> {
    Ok(Vec::new())
}

/// The error for an image that is not here, as [`crate::image::find`] words it, for the case that
/// there is not even a store.
fn no_such_image(name: &str) -> Error {
    let shown = match name.parse::<crate::base::Reference>() {
        Ok(reference) => reference.familiar(),
        Err(error) => return error,
    };
    Error::not_found(format!("No such image: {shown}"))
}
