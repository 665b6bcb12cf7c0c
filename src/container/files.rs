//! The files of /etc that hull owns: hosts, hostname, resolv.conf, made anew at every start in the
//! run directory and bound into the container.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::{Context as _, Result};
use crate::state::{Config, HostsFile, NetworkMode, TimeZone};

/// Names below /etc and in the run directory.
pub const NAMES: [&str; 3] = ["hosts", "hostname", "resolv.conf"];

/// Beside those, where they were asked for.
const TIME_ZONE: &str = "localtime";

/// What a hosts file starts with.
const LOOPBACK: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n\
                        fe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\n\
                        ff02::2\tip6-allrouters\n";

/// Writes the files; those of another container's network are there already. Names cannot hold
/// what would forge a line: they were checked at create.
pub(super) fn write(directory: &Path, config: &Config) -> Result<()> {
    if let NetworkMode::Container(_) = config.network {
        return write_time_zone(directory, config);
    }
    let hosts = hosts(config)?;
    let resolv = super::resolver::text(config);
    let hostname = format!("{}\n", config.hostname);
    for (name, content) in NAMES.into_iter().zip([hosts, hostname, resolv]) {
        write_file(&directory.join(name), content.as_bytes())?;
    }
    write_time_zone(directory, config)
}

/// The names of the files of this container that are bound into /etc besides [`NAMES`].
pub(super) fn more(config: &Config) -> Vec<&'static str> {
    let files = &config.files;
    let mut names = Vec::new();
    if files.time_zone.is_some() {
        names.push(TIME_ZONE);
    }
    if files.accounts.is_wanted() {
        names.extend(super::accounts::NAMES);
    }
    names
}

fn hosts(config: &Config) -> Result<String> {
    let mut hosts = match (&config.files.hosts, &config.network) {
        (HostsFile::Empty, _) => String::new(),
        (HostsFile::From(path), _) => {
            let text = fs::read_to_string(path);
            text.context(|| format!("read {}", path.display()))?
        }
        // In the host's network the host's names hold, as with Docker.
        (_, NetworkMode::Host) => {
            fs::read_to_string("/etc/hosts").unwrap_or_else(|_| LOOPBACK.to_owned())
        }
        _ => LOOPBACK.to_owned(),
    };
    if !hosts.is_empty() && !hosts.ends_with('\n') {
        hosts.push('\n');
    }
    for entry in &config.extra_hosts {
        let Some((name, address)) = entry.split_once([':', '=']) else {
            continue;
        };
        match (address, &config.network) {
            ("host-gateway", NetworkMode::Host) => {
                hosts.push_str(&format!("127.0.0.1\t{name}\n"));
            }
            // Nothing leads to the host; create has said so.
            ("host-gateway", _) => {}
            _ => hosts.push_str(&format!("{address}\t{name}\n")),
        }
    }
    Ok(hosts)
}

fn write_time_zone(directory: &Path, config: &Config) -> Result<()> {
    let source = match &config.files.time_zone {
        None => return Ok(()),
        Some(TimeZone::Local) => PathBuf::from("/etc/localtime"),
        Some(TimeZone::Zone(name)) => Path::new("/usr/share/zoneinfo").join(name),
    };
    let bytes = fs::read(&source).context(|| format!("read {}", source.display()))?;
    write_file(&directory.join(TIME_ZONE), &bytes)
}

/// Makes a file, or gives it other content, readable by everybody.
pub(super) fn write_file(path: &Path, content: &[u8]) -> Result<()> {
    let mut options = fs::File::options();
    options.create(true).truncate(true).write(true).mode(0o644);
    let file = options.open(path);
    let written = file.and_then(|mut file| file.write_all(content));
    written.context(|| format!("write {}", path.display()))
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
