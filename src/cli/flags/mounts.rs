//! `--volume`, `--mount` and `--tmpfs` → mounts.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::Matches;
use crate::error::{Context as _, Error, Result};
use crate::state::{Mount, MountKind};

/// All mounts of a command line; one target may be named once only.
pub fn all(matches: &Matches) -> Result<Vec<Mount>> {
    let mut mounts = Vec::new();
    for text in matches.texts("volume") {
        mounts.push(volume(text)?);
    }
    for text in matches.texts("mount") {
        mounts.push(mount(text)?);
    }
    for text in matches.texts("tmpfs") {
        mounts.push(tmpfs(text)?);
    }
    for (index, mount) in mounts.iter().enumerate() {
        if mounts[..index]
            .iter()
            .any(|other: &Mount| other.target == mount.target)
        {
            let target = mount.target.display();
            return Err(Error::invalid(format!("Duplicate mount point: {target}")));
        }
    }
    Ok(mounts)
}

/// `source:target[:options]`. A missing source directory is made, as Docker does.
fn volume(text: &str) -> Result<Mount> {
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, options) = match parts[..] {
        [source, target] => (source, target, ""),
        [source, target, options] => (source, target, options),
        [_] => {
            return Err(Error::unsupported(format!("anonymous volume {text:?}"))
                .hint("this version binds host directories: use /source:/target"));
        }
        _ => {
            return Err(Error::invalid(format!(
                "invalid volume specification: '{text}'"
            )));
        }
    };
    if !source.starts_with(['/', '.', '~']) {
        let shape = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
        if !source.bytes().all(shape) || source.is_empty() {
            return Err(Error::invalid(format!(
                "create {source}: \"{source}\" includes invalid characters for a local volume \
                 name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a \
                 host directory, use absolute path"
            )));
        }
        return Err(Error::unsupported(format!("named volume {source:?}"))
            .hint("this version binds host directories: use /source:/target"));
    }
    let source = absolute(source)?;
    if !source.exists() {
        fs::create_dir_all(&source).context(|| format!("make {}", source.display()))?;
    }
    let mut mapped = Vec::new();
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            // SELinux relabelling means nothing where SELinux is not.
            "z" | "Z" | "nocopy" | "copy" | "rbind" | "bind" => {}
            "ro" | "rw" | "suid" | "dev" | "exec" | "noexec" | "nosuid" | "nodev" | "private"
            | "rprivate" | "shared" | "rshared" | "slave" | "rslave" => {
                mapped.push(option.to_owned());
            }
            _ => return Err(Error::invalid(format!("invalid mode: {options}"))),
        }
    }
    Ok(Mount {
        kind: MountKind::Bind,
        source,
        target: target_of(target)?,
        options: mapped,
    })
}

/// `type=bind|tmpfs,source=…,target=…,…`
fn mount(text: &str) -> Result<Mount> {
    let refuse =
        |why: String| Error::invalid(format!("invalid argument {text:?} for --mount: {why}"));
    let mut kind = "volume";
    let (mut source, mut target, mut options) = (None, None, Vec::new());
    for field in text.split(',') {
        let (key, value) = field.split_once('=').unwrap_or((field, "true"));
        match key {
            "type" => kind = value,
            "source" | "src" => source = Some(value),
            "target" | "dst" | "destination" => target = Some(value),
            "readonly" | "ro" => {
                if super::parse_bool(value).map_err(refuse)? {
                    options.push("ro".to_owned());
                }
            }
            "bind-propagation" => options.push(value.to_owned()),
            "tmpfs-size" => {
                let size: crate::base::ByteSize = value.parse()?;
                options.push(format!("size={}", size.0));
            }
            "tmpfs-mode" => options.push(format!("mode={value}")),
            _ => return Err(refuse(format!("unexpected key '{key}' in '{field}'"))),
        }
    }
    let target = target_of(target.ok_or_else(|| refuse("target is required".to_owned()))?)?;
    match kind {
        "bind" => {
            let source = absolute(source.ok_or_else(|| refuse("source is required".to_owned()))?)?;
            if !source.exists() {
                return Err(Error::invalid(format!(
                    "invalid mount config for type \"bind\": bind source path does not exist: {}",
                    source.display()
                )));
            }
            Ok(Mount {
                kind: MountKind::Bind,
                source,
                target,
                options,
            })
        }
        "tmpfs" => Ok(Mount {
            kind: MountKind::Tmpfs,
            source: PathBuf::new(),
            target,
            options,
        }),
        other => Err(Error::unsupported(format!("mount type {other:?}"))
            .hint("this version mounts bind and tmpfs")),
    }
}

/// `target[:options]`, options as mount(8) has them for tmpfs.
fn tmpfs(text: &str) -> Result<Mount> {
    let (target, options) = text.split_once(':').unwrap_or((text, ""));
    let mut all = vec!["noexec".to_owned()];
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            "exec" => all.retain(|known| known != "noexec"),
            _ => all.push(option.to_owned()),
        }
    }
    let target = target_of(target)?;
    Ok(Mount {
        kind: MountKind::Tmpfs,
        source: PathBuf::new(),
        target,
        options: all,
    })
}

fn absolute(path: &str) -> Result<PathBuf> {
    if path.starts_with('~') {
        return Err(Error::invalid(format!(
            "{path:?}: the shell did not expand ~"
        )));
    }
    std::path::absolute(path).context(|| format!("resolve {path}"))
}

fn target_of(text: &str) -> Result<PathBuf> {
    let path = Path::new(text);
    if !path.is_absolute() {
        return Err(Error::invalid(format!(
            "invalid mount path: '{text}' mount path must be absolute"
        )));
    }
    let parts = path
        .components()
        .filter(|part| !matches!(part, Component::CurDir));
    Ok(parts.collect())
}
