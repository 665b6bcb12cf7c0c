//! `hull image inspect`: an image as Docker's JSON tree.

use serde_json::{Map, Value, json};

use crate::base::Reference;
use crate::cli::flags::{self, Matches};
use crate::cli::image::no_such_image;
use crate::cli::{Command, Words, inspect, store};
use crate::config::Settings;
use crate::error::{Context, Error, Result};
use crate::image::{self, Image, Platform, is_untagged};
use crate::store::{RefRecord, Store};

pub const COMMAND: Command = Command {
    paths: &["image inspect"],
    about: "Display detailed information on one or more images",
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    words: Words::AtLeast(1),
    arguments: |command| {
        let platform = "Inspect the image only if it is for this platform";
        command
            .arg(inspect::format_flag())
            .arg(flags::text("platform", "string", platform))
    },
    run: |matches: &Matches, settings: &Settings| {
        let platform = matches.text("platform").map(str::parse::<Platform>);
        let platform = platform.transpose()?;
        let look_up = |name: &str| look_up_for(settings, name, platform.as_ref());
        inspect::print_each(matches.text("format"), &matches.words(), look_up)
    },
    ..Command::BASE
};

/// The document of an image.
pub fn look_up(settings: &Settings, name: &str) -> Result<Value> {
    look_up_for(settings, name, None)
}

fn look_up_for(settings: &Settings, name: &str, platform: Option<&Platform>) -> Result<Value> {
    let store = store::open_existing(settings)?;
    let store = store.ok_or_else(|| no_such_image(name))?;
    let image = image::find(&store, name).map_err(|error| match name.parse::<Reference>() {
        // What cannot be an image's name may still be that of something else.
        Err(_) => Error::not_found(format!("No such image: {name}")),
        Ok(_) => error,
    })?;
    check_platform(&image, name, platform)?;
    let mut records = store.refs()?;
    records.retain(|record| record.image == image.id && !is_untagged(&record.reference));
    document(&store, &image, &records)
}

/// The store has one platform of each image; another one than is asked for is none, in the words
/// of Docker.
pub(super) fn check_platform(image: &Image, name: &str, wanted: Option<&Platform>) -> Result<()> {
    let own = image.config.platform();
    match wanted {
        Some(wanted) if wanted.rank(&own).is_none() => Err(Error::not_found(format!(
            "image with reference {name} was found but does not provide the specified platform \
             ({wanted})"
        ))
        .hint(format!("it is for {own}"))),
        _ => Ok(()),
    }
}

fn document(store: &Store, image: &Image, records: &[RefRecord]) -> Result<Value> {
    let config = &image.config;
    // The config as its author wrote it, with fields hull does not know.
    let written: Value = serde_json::from_slice(&image.config_bytes).context(|| "image config")?;
    let last = config.history.last();
    let comment = last
        .and_then(|entry| entry.comment.clone())
        .unwrap_or_default();
    let tagged = records.iter().map(|record| record.updated).max();
    let layers: Vec<String> = image.diff_ids.iter().map(ToString::to_string).collect();
    let size = image::size_bytes(store, image)?;
    let directories = store.layers_for(&image.diff_ids)?;
    let directories: Vec<String> = directories
        .iter()
        .rev()
        .map(|layer| layer.path.display().to_string())
        .collect();
    let mut driver = Map::new();
    if let Some((upper, lower)) = directories.split_first() {
        if !lower.is_empty() {
            driver.insert("LowerDir".to_owned(), lower.join(":").into());
        }
        driver.insert("UpperDir".to_owned(), upper.as_str().into());
    }
    let mut document = json!({
        "Id": image.id.to_string(),
        "RepoTags": tags(records),
        "RepoDigests": digests(records),
        "Parent": "",
        "Comment": comment,
        "Created": image.created.map(|time| time.to_string()),
        "DockerVersion": "",
        "Author": config.author.clone().unwrap_or_default(),
        "Config": with_defaults(written.get("config")),
        "Architecture": config.architecture,
        "Variant": config.variant,
        "Os": config.os,
        "Size": size,
        "GraphDriver": {"Data": driver, "Name": "overlay2"},
        "RootFS": {"Type": "layers", "Layers": layers},
        "Metadata": {"LastTagTime": tagged.map(|time| time.to_string())},
    });
    if let (None, Some(fields)) = (&config.variant, document.as_object_mut()) {
        fields.shift_remove("Variant");
    }
    Ok(document)
}

fn tags(records: &[RefRecord]) -> Vec<String> {
    let tagged = records
        .iter()
        .filter(|record| record.reference.digest.is_none());
    tagged.map(|record| record.reference.familiar()).collect()
}

fn digests(records: &[RefRecord]) -> Vec<String> {
    let known = records.iter().filter_map(|record| {
        let digest = record.repo_digest.or(record.reference.digest)?;
        let name: Reference = record.reference.with_digest(digest);
        Some(name.familiar())
    });
    let mut digests: Vec<String> = known.collect();
    digests.sort();
    digests.dedup();
    digests
}

/// The image's `config` object with the fields that Docker always prints, because templates ask for
/// them and a missing one is an error.
fn with_defaults(written: Option<&Value>) -> Value {
    let always = [
        ("Hostname", json!("")),
        ("Domainname", json!("")),
        ("User", json!("")),
        ("AttachStdin", json!(false)),
        ("AttachStdout", json!(false)),
        ("AttachStderr", json!(false)),
        ("ExposedPorts", Value::Null),
        ("Tty", json!(false)),
        ("OpenStdin", json!(false)),
        ("StdinOnce", json!(false)),
        ("Env", Value::Null),
        ("Cmd", Value::Null),
        ("Image", json!("")),
        ("Volumes", Value::Null),
        ("WorkingDir", json!("")),
        ("Entrypoint", Value::Null),
        ("OnBuild", Value::Null),
        ("Labels", Value::Null),
    ];
    let written = written
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let mut config = Map::new();
    for (name, default) in always {
        config.insert(
            name.to_owned(),
            written.get(name).cloned().unwrap_or(default),
        );
    }
    config.extend(written);
    config.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configs_keep_unknown_fields_and_gain_the_usual_ones() {
        let written = json!({"Cmd": ["sh"], "ArgsEscaped": true, "Shell": ["/bin/sh"]});
        let config = with_defaults(Some(&written));
        assert_eq!(config["Cmd"], json!(["sh"]));
        assert_eq!(config["ArgsEscaped"], true);
        assert_eq!(config["Labels"], Value::Null);
        assert_eq!(config["User"], "");
    }
}
