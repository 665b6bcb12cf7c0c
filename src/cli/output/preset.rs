//! The formats of lists that a user has set for good: `psFormat`, `imagesFormat` and others of the
//! Docker client's `config.json`.

use crate::cli::output::note;
use crate::config::Settings;

/// The format under this key, if the user's configuration has one.
pub fn default_format(settings: &Settings, key: &str) -> Option<String> {
    let home = || Some(settings.home.as_ref()?.join(".docker"));
    let directory = settings.docker_config.clone().or_else(home)?;
    let path = directory.join("config.json");
    // Without such a file, or without a right to read it, there is no such wish.
    let text = std::fs::read_to_string(&path).ok()?;
    let document: serde_json::Value = match serde_json::from_str(&text) {
        Ok(document) => document,
        Err(_) => {
            note(format_args!("warning: {}: not JSON", path.display()));
            return None;
        }
    };
    let format = document.get(key)?.as_str()?;
    (!format.is_empty()).then(|| format.to_owned())
}
