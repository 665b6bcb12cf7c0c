//! `hull oci spec`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use oci_spec::runtime::Spec;

use super::{globals, on_containers};
use crate::cli::Command;
use crate::cli::flags;
use crate::error::{Context as _, Result};

pub const COMMAND: Command = Command {
    paths: &["oci spec"],
    about: "Write a config.json to start from",
    arguments: |command| {
        let about = "Directory to write to (the current one unless given)";
        // Hides the global --rootless, which has a value.
        globals(command)
            .mut_arg("rootless", |_| {
                flags::switch("rootless", "Write one for a user without root")
            })
            .arg(flags::text("bundle", "path", about).short('b'))
    },
    run: |matches, settings| {
        on_containers(matches, settings, |_| {
            let spec = match matches.on("rootless") {
                true => {
                    let (uid, gid) = (rustix::process::getuid(), rustix::process::getgid());
                    Spec::rootless(uid.as_raw(), gid.as_raw())
                }
                false => Spec::default(),
            };
            write(Path::new(matches.text("bundle").unwrap_or(".")), spec)?;
            Ok(0)
        })
    },
    ..Command::BASE
};

fn write(bundle: &Path, mut spec: Spec) -> Result<()> {
    spec.set_hostname(Some("hull".to_owned()));
    let path = bundle.join("config.json");
    let mut text = serde_json::to_vec_pretty(&spec).context(|| "encode the spec")?;
    text.push(b'\n');
    // Must not: overwrite what somebody edited.
    let opened = OpenOptions::new().write(true).create_new(true).open(&path);
    let written = opened.and_then(|mut file| file.write_all(&text));
    written.context(|| format!("write {}", path.display()))
}
