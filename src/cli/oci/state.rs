//! `hull oci state`.

use std::path::Path;

use serde_json::{Value, json};

use super::{globals, on_containers};
use crate::cli::{Command, Words, output};
use crate::runtime::bundle::State;

pub const COMMAND: Command = Command {
    paths: &["oci state"],
    about: "Print the state of a container as JSON",
    usage: "[OPTIONS] ID",
    words: Words::Exactly(1),
    arguments: globals,
    run: |matches, settings| {
        on_containers(matches, settings, |containers| {
            let state = containers.state(matches.words()[0])?;
            output::document(None, &document(&state))?;
            Ok(0)
        })
    },
    ..Command::BASE
};

/// The runtime specification's state, with the members that runc adds.
pub fn document(state: &State) -> Value {
    let mut document = json!({
        "ociVersion": state.oci_version,
        "id": state.id,
        "pid": state.pid,
        "status": state.status,
        "bundle": state.bundle,
        "rootfs": state.rootfs,
        "created": state.created.to_string(),
        "owner": owner(&state.bundle),
    });
    if !state.annotations.is_empty() {
        document["annotations"] = json!(state.annotations);
    }
    document
}

/// Whose bundle it is, by number: names would need NSS.
pub fn owner(bundle: &Path) -> String {
    use std::os::unix::fs::MetadataExt as _;
    let uid = std::fs::metadata(bundle).map(|metadata| metadata.uid());
    uid.map_or_else(|_| String::new(), |uid| uid.to_string())
}
