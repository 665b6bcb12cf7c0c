//! The files of /etc that hull owns: hosts, hostname, resolv.conf, made anew at every start in the
//! run directory and bound into the container.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::{Context as _, Result};
use crate::state::{Config, NetworkMode};

/// Names below /etc and in the run directory.
pub const NAMES: [&str; 3] = ["hosts", "hostname", "resolv.conf"];

/// Writes the files. Names cannot hold what would forge a line: they were checked at create.
pub(super) fn write(directory: &Path, config: &Config) -> Result<()> {
    let mut hosts = String::from(
        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n\
         ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n",
    );
    for entry in &config.extra_hosts {
        if let Some((name, address)) = entry.split_once('=') {
            hosts.push_str(&format!("{address}\t{name}\n"));
        }
    }
    let resolv = match config.network {
        NetworkMode::Host => fs::read_to_string("/etc/resolv.conf").unwrap_or_default(),
        NetworkMode::None => String::new(),
    };
    let hostname = format!("{}\n", config.hostname);
    for (name, content) in NAMES.into_iter().zip([hosts, hostname, resolv]) {
        let path = directory.join(name);
        let mut options = fs::File::options();
        options.create(true).truncate(true).write(true).mode(0o644);
        let file = options.open(&path);
        let written = file.and_then(|mut file| file.write_all(content.as_bytes()));
        written.context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

/// A layer below every image's, which holds the places that are mounted on: without it the first
/// start would copy the image's /etc up to make them. Made once for a store.
pub(super) fn bottom_layer(root: &Path) -> Result<PathBuf> {
    let layer = root.join("bottom");
    // Made last: where it is, everything is.
    if layer.join("etc/resolv.conf").exists() {
        return Ok(layer);
    }
    let make = |name: &str| {
        let path = layer.join(name);
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&path);
        made.context(|| format!("make {}", path.display()))
    };
    for name in ["proc", "sys", "dev", "etc"] {
        make(name)?;
    }
    for name in NAMES {
        let path = layer.join("etc").join(name);
        let made = fs::File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o644)
            .open(&path);
        made.context(|| format!("make {}", path.display()))?;
    }
    Ok(layer)
}
