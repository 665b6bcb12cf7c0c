//! One settings file: JSON with the key names of Docker's `daemon.json`.
//!
//! In Docker's own file unknown keys are ignored (they belong to the daemon); in hull's they are
//! refused, because there they can only be typing errors. Every complaint names file, line and key.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::environment::Environment;
use super::settings::{Settings, parse_level};
use super::ulimit::Ulimit;
use crate::base::ByteSize;
use crate::error::{Context, Error, Result};

/// Far more than any settings file needs.
const LIMIT: u64 = 1 << 20;

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Docker's: may be absent, unknown keys ignored.
    Docker,
    /// hull's: may be absent.
    Own,
    /// hull's, named by the user: must be there.
    Named,
}

/// Reads `path` over `settings`. An absent file changes nothing.
pub fn apply(
    path: &Path,
    origin: Origin,
    env: &Environment,
    settings: &mut Settings,
) -> Result<()> {
    let subject = || format!("read {}", path.display());
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if origin != Origin::Named && is_absent(&error) => return Ok(()),
        Err(error) => return Err(error).context(subject),
    };
    check_owner(&file, path, env.privileged)?;
    let mut text = String::new();
    file.by_ref()
        .take(LIMIT)
        .read_to_string(&mut text)
        .context(subject)?;
    let document: Value = serde_json::from_str(&text).map_err(|error| {
        Error::invalid(format!("{}: {error}", path.display())).hint("it must be one JSON object")
    })?;
    let Value::Object(entries) = document else {
        let why = format!("{}: line 1: not a JSON object", path.display());
        return Err(Error::invalid(why));
    };
    for (key, value) in &entries {
        set(settings, env, origin, key, value).map_err(|why| {
            let line = line_of(&text, key);
            Error::invalid(format!("{}: line {line}: {key:?} {why}", path.display()))
        })?;
    }
    Ok(())
}

/// A user's file that cannot be reached is as good as absent only if it does not exist; for the
/// host's files an unreadable directory (0700 root) is the same as none.
fn is_absent(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied
    )
}

/// Settings decide where a process with root's rights writes: nobody else may give them.
pub fn check_owner(file: &File, path: &Path, privileged: bool) -> Result<()> {
    if !privileged {
        return Ok(());
    }
    let meta = file
        .metadata()
        .context(|| format!("stat {}", path.display()))?;
    if !meta.is_file() || meta.uid() != 0 || meta.mode() & 0o022 != 0 {
        let why = format!(
            "{}: refused: others than root could have written it",
            path.display()
        );
        let fix = format!("chown root {0} && chmod 0644 {0}", path.display());
        return Err(Error::invalid(why).hint(fix));
    }
    Ok(())
}

/// The line on which `key` first stands, from 1.
fn line_of(text: &str, key: &str) -> usize {
    let quoted = format!("{key:?}");
    let before = text.split(&quoted).next().unwrap_or_default();
    before.matches('\n').count() + 1
}

type Outcome<T> = std::result::Result<T, String>;

fn set(
    settings: &mut Settings,
    env: &Environment,
    origin: Origin,
    key: &str,
    value: &Value,
) -> Outcome<()> {
    match key {
        "registry-mirrors" => settings.registry.mirrors = mirrors(value)?,
        "insecure-registries" => settings.registry.insecure = texts(value)?,
        "dns" => settings.dns.servers = addresses(value)?,
        "dns-opts" => settings.dns.options = texts(value)?,
        "dns-search" => settings.dns.search = texts(value)?,
        "log-driver" => settings.logs.driver = text(value)?,
        "log-opts" => set_log_options(settings, object(value)?)?,
        "default-ulimits" => settings.default_ulimits = ulimits(object(value)?)?,
        "max-concurrent-downloads" => settings.pull_concurrency = count(value)?,
        // Docker's directory holds Docker's own store; hull keeps a place of its own beside it.
        "data-root" if origin == Origin::Docker => {
            if env.privileged {
                settings.root = absolute(value)?.join("hull");
            }
        }
        "data-root" | "root" => settings.root = absolute(value)?,
        "runroot" if origin != Origin::Docker => settings.run = absolute(value)?,
        "log-level" if origin != Origin::Docker => {
            settings.log_level = parse_level(&text(value)?).map_err(|error| error.to_string())?;
        }
        _ if origin == Origin::Docker => {}
        _ => return Err("is not a setting".to_owned()),
    }
    Ok(())
}

fn set_log_options(settings: &mut Settings, options: &Map<String, Value>) -> Outcome<()> {
    for (name, value) in options {
        let named = |why: String| format!("{name}: {why}");
        let value = text(value).map_err(named)?;
        settings.logs.options.insert(name.clone(), value.clone());
        match name.as_str() {
            "max-size" if value == "-1" => settings.logs.max_size = None,
            "max-size" => {
                let size: ByteSize = value.parse().map_err(|error| format!("{name}: {error}"))?;
                settings.logs.max_size = Some(size.0);
            }
            "max-file" => {
                let files = value.parse().ok().filter(|files| *files >= 1);
                settings.logs.max_file =
                    files.ok_or_else(|| named(format!("{value:?} is not a number from 1")))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn text(value: &Value) -> Outcome<String> {
    let text = value.as_str().ok_or("must be a string")?;
    Ok(text.to_owned())
}

fn texts(value: &Value) -> Outcome<Vec<String>> {
    let items = value.as_array().ok_or("must be a list of strings")?;
    let items = items.iter().map(text);
    items
        .collect::<Outcome<_>>()
        .map_err(|_| "must be a list of strings".to_owned())
}

fn object(value: &Value) -> Outcome<&Map<String, Value>> {
    Ok(value.as_object().ok_or("must be an object")?)
}

fn addresses(value: &Value) -> Outcome<Vec<std::net::IpAddr>> {
    let parse = |text: String| {
        text.parse()
            .map_err(|_| format!("must be a list of IP addresses, {text:?} is none"))
    };
    texts(value)?.into_iter().map(parse).collect()
}

fn mirrors(value: &Value) -> Outcome<Vec<String>> {
    let parse = |text: String| {
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"));
        match rest {
            Some(host) if !host.is_empty() && !host.contains(['@', '?', '#', ' ']) => {
                Ok(text.trim_end_matches('/').to_owned())
            }
            _ => Err(format!(
                "must be a list of https:// addresses, {text:?} is none"
            )),
        }
    };
    texts(value)?.into_iter().map(parse).collect()
}

fn absolute(value: &Value) -> Outcome<PathBuf> {
    let path = PathBuf::from(text(value)?);
    match path.is_absolute() {
        true => Ok(path),
        false => Err("must be an absolute path".to_owned()),
    }
}

fn count(value: &Value) -> Outcome<usize> {
    let count = value.as_u64().filter(|count| (1..=64).contains(count));
    let count = count.ok_or("must be a number from 1 to 64")?;
    Ok(count as usize)
}

/// `{"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 2048}}`, the daemon's form.
fn ulimits(value: &Map<String, Value>) -> Outcome<Vec<Ulimit>> {
    let parse = |(name, value): (&String, &Value)| {
        let field = |key: &str| value.get(key).and_then(Value::as_i64);
        let hard = field("Hard").or_else(|| field("Soft"));
        match (hard, field("Soft").or(hard)) {
            (Some(hard), Some(soft)) => Ok(Ulimit {
                name: name.clone(),
                soft,
                hard,
            }),
            _ => Err(format!("{name}: must have numbers \"Soft\" and \"Hard\"")),
        }
    };
    value.iter().map(parse).collect()
}
