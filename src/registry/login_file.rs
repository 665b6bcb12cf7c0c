//! A file of logins: `config.json` of the Docker client, or podman's `auth.json`.
//!
//! It belongs to other programs too. What is not understood stays as it is, a link stays a link,
//! and whoever reads while it is written, or after a power cut, finds the old file or the new one.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::credential_program::CredentialProgram;
use super::credentials::{Credential, decode, encode};
use crate::error::{Context, Error, Result};
use crate::sys::lock::{self, Sharing};

/// Docker's key for its own registry.
pub const DOCKER_KEY: &str = "https://index.docker.io/v1/";
/// Far more than any file of logins.
const LIMIT: u64 = 16 << 20;
/// Links that are followed to the file.
const MAX_LINKS: usize = 40;

/// What one file says.
pub struct LoginFile {
    path: PathBuf,
    document: Map<String, Value>,
}

/// Never the content: errors and logs are read by others.
impl fmt::Debug for LoginFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoginFile({})", self.path.display())
    }
}

/// What logging out came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// There was a login.
    Yes,
    /// There was none.
    Nothing,
}

impl LoginFile {
    /// Reads a file; an absent one holds nothing.
    pub fn read(path: &Path) -> Result<Self> {
        let mut text = String::new();
        match File::open(path) {
            Ok(file) => {
                let read = file.take(LIMIT).read_to_string(&mut text);
                read.context(|| format!("read {}", path.display()))?;
            }
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(error).context(|| format!("read {}", path.display())),
        }
        let document = match text.trim() {
            "" => Map::new(),
            text => parse(text).map_err(|error| error.wrap(path.display()))?,
        };
        let path = path.to_owned();
        Ok(LoginFile { path, document })
    }

    /// The login for `host[:port][/repository]`: of the longest part of the name that has one, and
    /// never of another host.
    pub fn find(&self, name: &str) -> Result<Option<Credential>> {
        let host = name.split('/').next().unwrap_or_default();
        if let Some(program) = self.program_for(host)? {
            return program.get(key_of(host));
        }
        let mut place = name;
        loop {
            if let Some(found) = self.entry(place).and_then(read_entry) {
                return Ok(Some(found));
            }
            match place.rsplit_once('/') {
                Some((shorter, _)) => place = shorter,
                None => return Ok(None),
            }
        }
    }

    /// The entry whose key means exactly `place`; the plainest key first.
    fn entry(&self, place: &str) -> Option<&Value> {
        let auths = self.document.get("auths")?.as_object()?;
        let exact = auths.get(key_of(place)).or_else(|| auths.get(place));
        exact.or_else(|| {
            let mut entries = auths.iter();
            let found = entries.find(|(key, _)| place_of(key) == place);
            found.map(|(_, entry)| entry)
        })
    }

    /// The program that keeps the logins of this host instead of the file.
    pub fn program_for(&self, host: &str) -> Result<Option<CredentialProgram>> {
        let own = self.document.get("credHelpers");
        let own = own.and_then(|own| own.get(key_of(host)).or_else(|| own.get(host)));
        let name = own.or_else(|| self.document.get("credsStore"));
        match name.and_then(Value::as_str) {
            None | Some("") => Ok(None),
            Some(name) => CredentialProgram::new(name)
                .map(Some)
                .map_err(|error| error.wrap(self.path.display())),
        }
    }

    /// Keeps a login for `place`, in the file or with the host's program. On disk when it returns.
    pub fn store(path: &Path, place: &str, login: &Credential) -> Result<()> {
        let host = place.split('/').next().unwrap_or_default();
        let program = LoginFile::read(path)?.program_for(host)?;
        if let Some(program) = &program {
            // Outside the lock: it may ask the user something.
            program.store(key_of(host), login)?;
        }
        let entry = match program {
            Some(_) => Map::new(),
            None => entry_of(login),
        };
        LoginFile::edit(path, |auths| {
            let mut kept = match auths.get(key_of(place)) {
                Some(Value::Object(known)) => known.clone(),
                _ => Map::new(),
            };
            for field in [
                "auth",
                "username",
                "password",
                "identitytoken",
                "registrytoken",
            ] {
                kept.shift_remove(field);
            }
            kept.extend(entry);
            auths.insert(key_of(place).to_owned(), Value::Object(kept));
        })
    }

    /// Forgets the login for `place`.
    pub fn erase(path: &Path, place: &str) -> Result<Removed> {
        let file = LoginFile::read(path)?;
        let host = place.split('/').next().unwrap_or_default();
        let program = file.program_for(host)?;
        let known = match &program {
            Some(program) => program.get(key_of(host))?.is_some(),
            None => false,
        };
        if let Some(program) = &program {
            program.erase(key_of(host))?;
        }
        let listed = file.keys().iter().any(|key| place_of(key) == place);
        if listed {
            LoginFile::edit(path, |auths| auths.retain(|key, _| place_of(key) != place))?;
        }
        match listed || known {
            true => Ok(Removed::Yes),
            false => Ok(Removed::Nothing),
        }
    }

    /// Forgets every login.
    pub fn erase_all(path: &Path) -> Result<()> {
        let file = LoginFile::read(path)?;
        let general = file.document.get("credsStore").and_then(Value::as_str);
        if let Some(name) = general.filter(|name| !name.is_empty()) {
            let program = CredentialProgram::new(name)?;
            for server in program.list()? {
                program.erase(&server)?;
            }
        }
        let helpers = file.document.get("credHelpers").and_then(Value::as_object);
        for (server, _) in helpers.into_iter().flatten() {
            if let Some(program) = file.program_for(place_of(server))? {
                program.erase(key_of(place_of(server)))?;
            }
        }
        match file.keys().is_empty() {
            true => Ok(()),
            false => LoginFile::edit(path, Map::clear),
        }
    }

    fn keys(&self) -> Vec<&str> {
        let auths = self.document.get("auths").and_then(Value::as_object);
        auths
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str())
            .collect()
    }

    /// Changes the logins of a file. Read again under the lock: another login may have come
    /// between.
    fn edit(path: &Path, change: impl FnOnce(&mut Map<String, Value>)) -> Result<()> {
        let target = follow_links(path)?;
        let subject = || format!("write {}", target.display());
        let directory = target.parent().unwrap_or(Path::new("/"));
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(directory);
        made.context(|| format!("create {}", directory.display()))?;
        let directory = File::open(directory).context(subject)?;
        lock::lock(&directory, Sharing::Exclusive, subject)?;
        let mut file = LoginFile::read(&target)?;
        let auths = file
            .document
            .entry("auths")
            .or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(auths) = auths else {
            let why = format!("{}: \"auths\" is not an object", target.display());
            return Err(Error::invalid(why));
        };
        change(auths);
        replace(&target, &directory, &render(&file.document)).context(subject)
    }
}

/// Whose login a key is: `host[:port][/path]`. Keys with a protocol, and Docker's old ones, mean
/// the whole host.
pub fn place_of(key: &str) -> &str {
    let rest = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"));
    let (host, path) = match rest.unwrap_or(key).split_once('/') {
        Some((host, path)) => (host, path.trim_end_matches('/')),
        None => (rest.unwrap_or(key), ""),
    };
    match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        host if rest.is_some() || matches!(path, "" | "v1" | "v2") => host,
        _ => key.trim_end_matches('/'),
    }
}

/// The key a login is kept under.
fn key_of(place: &str) -> &str {
    match place {
        "docker.io" => DOCKER_KEY,
        other => other,
    }
}

fn read_entry(entry: &Value) -> Option<Credential> {
    let field = |name: &str| {
        let value = entry.get(name).and_then(Value::as_str);
        value.filter(|value| !value.is_empty())
    };
    if let Some(token) = field("identitytoken") {
        return Some(Credential::of_identity(token));
    }
    if let (Some(user), Some(password)) = (field("username"), field("password")) {
        return Some(Credential {
            user: user.to_owned(),
            password: password.to_owned(),
        });
    }
    let pair = String::from_utf8(decode(field("auth")?)?).ok()?;
    let (user, password) = pair.split_once(':')?;
    Some(Credential {
        user: user.to_owned(),
        password: password.trim_end_matches('\0').to_owned(),
    })
}

fn entry_of(login: &Credential) -> Map<String, Value> {
    let pair = format!("{}:{}", login.user, login.password);
    let auth = Value::String(encode(pair.as_bytes()));
    Map::from_iter([("auth".to_owned(), auth)])
}

/// The parser's message could quote the file, and with it a password: only its place is told.
fn parse(text: &str) -> Result<Map<String, Value>> {
    let parsed: serde_json::Result<Value> = serde_json::from_str(text);
    let document = parsed.map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        Error::invalid(format!("{place}: not JSON")).hint("correct or remove the file")
    })?;
    match document {
        Value::Object(document) => Ok(document),
        _ => Err(Error::invalid("not a JSON object").hint("correct or remove the file")),
    }
}

/// Tabs, as the Docker client writes it.
fn render(document: &Map<String, Value>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let layout = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, layout);
    serde::Serialize::serialize(document, &mut serializer)
        .expect("a JSON value has text keys, and a vector takes any number of bytes");
    bytes.push(b'\n');
    bytes
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// The file behind `path`: a link into a directory of settings must stay one.
fn follow_links(path: &Path) -> Result<PathBuf> {
    let subject = || format!("resolve {}", path.display());
    let mut here = std::path::absolute(path).context(subject)?;
    for _ in 0..MAX_LINKS {
        match std::fs::read_link(&here) {
            Ok(target) => {
                let parent = here.parent().unwrap_or(Path::new("/"));
                here = parent.join(target);
            }
            // Not a link, or not there.
            Err(error) if error.kind() == ErrorKind::InvalidInput || is_absent(&error) => {
                return Ok(here);
            }
            Err(error) => return Err(error).context(subject),
        }
    }
    Err(Error::invalid(format!(
        "{}: too many links",
        path.display()
    )))
}

/// Puts `bytes` in the place of the file: whole, readable for its owner only, on disk.
fn replace(path: &Path, directory: &File, bytes: &[u8]) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!(".{name}.hull-new"));
    // A writer that was killed may have left one; the lock says that nobody uses it.
    let _ = std::fs::remove_file(&aside);
    let published = write_aside(path, &aside, bytes).and_then(|()| {
        std::fs::rename(&aside, path).context(|| "rename")?;
        directory.sync_all().context(|| "sync its directory")
    });
    if published.is_err() {
        // It holds passwords, and the error speaks already.
        let _ = std::fs::remove_file(&aside);
    }
    published
}

fn write_aside(path: &Path, aside: &Path, bytes: &[u8]) -> Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(aside)?;
    file.write_all(bytes)?;
    if let Ok(old) = std::fs::metadata(path)
        && let Ok(new) = file.metadata()
        && (old.uid(), old.gid()) != (new.uid(), new.gid())
    {
        // Root may write another user's file; it must stay that user's.
        std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()))?;
    }
    file.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(document: Value) -> LoginFile {
        let Value::Object(document) = document else {
            panic!("an object");
        };
        LoginFile {
            path: "config.json".into(),
            document,
        }
    }

    fn user(file: &LoginFile, name: &str) -> Option<String> {
        let found = file.find(name).expect("no program is asked");
        found.map(|login| login.user)
    }

    #[test]
    fn a34_a_login_matches_one_host_exactly() {
        let known = file(serde_json::json!({"auths": {
            "reg.example": {"auth": "dTpwOnE="},
            "https://old.example/v1/": {"auth": "djpw"},
            "https://index.docker.io/v1/": {"username": "hub", "password": "x"},
            "broken.example": {"auth": "!!"}}}));
        let found = known.find("reg.example/team/app").expect("read");
        let found = found.expect("stored");
        assert_eq!((found.user.as_str(), found.password.as_str()), ("u", "p:q"));
        assert_eq!(user(&known, "docker.io/library/x").as_deref(), Some("hub"));
        assert_eq!(user(&known, "old.example").as_deref(), Some("v"));
        for other in [
            "reg.example.evil/app",
            "reg.example:444/app",
            "REG.example./app",
            "user@reg.example/app",
            "broken.example",
            "reg.exampl",
        ] {
            assert_eq!(user(&known, other), None, "{other}");
        }
    }

    #[test]
    fn a34_a_login_for_a_path_is_for_what_is_below() {
        let known = file(serde_json::json!({"auths": {
            "reg.example/team": {"auth": "dGVhbTpw"},
            "reg.example/team/app": {"auth": "YXBwOnA="}}}));
        assert_eq!(user(&known, "reg.example/team/x").as_deref(), Some("team"));
        assert_eq!(user(&known, "reg.example/team/app").as_deref(), Some("app"));
        for other in ["reg.example", "reg.example/other", "reg.example/teams/x"] {
            assert_eq!(user(&known, other), None, "{other}");
        }
    }

    #[test]
    fn an_identity_token_is_not_a_password() {
        let known = file(serde_json::json!({"auths": {
            "reg.example": {"auth": "MDowOg==", "identitytoken": "refresh"}}}));
        let found = known.find("reg.example/x").expect("read").expect("stored");
        assert_eq!(found.identity_token(), Some("refresh"));
    }
}
