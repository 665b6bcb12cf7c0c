//! A registry in memory, for tests: what the distribution specification asks of one, and no more.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

use super::scripted::{Asked, Reply};

/// What it has.
#[derive(Debug, Default)]
pub struct Content {
    /// By digest.
    pub blobs: HashMap<String, Vec<u8>>,
    /// Which repository has which.
    pub held: HashSet<(String, String)>,
    /// By `repository:tag` and `repository@digest`: media type and bytes.
    pub manifests: HashMap<String, (String, Vec<u8>)>,
    /// Sessions and what they have.
    pub uploads: HashMap<String, Vec<u8>>,
    sessions: usize,
}

/// The registry. Shared by the threads of a [`super::scripted::Scripted`].
#[derive(Debug, Default)]
pub struct Shelf(Mutex<Content>);

/// `sha256:…` of these bytes.
pub fn digest(bytes: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

impl Shelf {
    /// What it has.
    pub fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what is asked.
    pub fn answer(&self, asked: &Asked) -> Reply {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let path = path.strip_prefix("/v2/").unwrap_or_default();
        if let Some((repository, rest)) = path.split_once("/blobs/uploads/") {
            return self.upload(asked, repository, rest, query);
        }
        let content = self.content();
        if let Some((repository, digest)) = path.split_once("/blobs/") {
            let held = content
                .held
                .contains(&(repository.to_owned(), digest.to_owned()));
            return match content.blobs.get(digest).filter(|_| held) {
                Some(bytes) => ranged(bytes, asked),
                None => Reply::status("404 Not Found"),
            };
        }
        drop(content);
        match path.split_once("/manifests/") {
            Some((repository, which)) => self.manifest(asked, repository, which),
            None if path.is_empty() => Reply::ok("{}"),
            None => self.tags(path, query, asked),
        }
    }

    fn upload(&self, asked: &Asked, repository: &str, session: &str, query: &str) -> Reply {
        let mut content = self.content();
        let parameter = |name: &str| {
            let found = query.split('&').find_map(|pair| pair.strip_prefix(name));
            found.unwrap_or_default().to_owned()
        };
        let at = |session: &str| format!("Location: /v2/{repository}/blobs/uploads/{session}?s=1");
        if asked.method == "POST" {
            let (digest, from) = (parameter("mount="), parameter("from="));
            if content.held.contains(&(from, digest.clone())) {
                content.held.insert((repository.to_owned(), digest));
                return Reply::status("201 Created");
            }
            content.sessions += 1;
            let session = format!("u{}", content.sessions);
            content.uploads.insert(session.clone(), Vec::new());
            return Reply::status("202 Accepted").header(at(&session));
        }
        let Some(have) = content.uploads.get_mut(session) else {
            return Reply::status("404 Not Found");
        };
        if let Some(range) = asked.header("content-range")
            && range.split('-').next() != Some(&have.len().to_string())
        {
            return Reply::status("416 Range Not Satisfiable");
        }
        have.extend_from_slice(&asked.body);
        let range = format!("Range: 0-{}", have.len().saturating_sub(1));
        match asked.method.as_str() {
            "GET" => Reply::status("204 No Content")
                .header(at(session))
                .header(range),
            "PATCH" => Reply::status("202 Accepted")
                .header(at(session))
                .header(range),
            _ => {
                let bytes = content.uploads.remove(session).unwrap_or_default();
                let found = digest(&bytes);
                if found != parameter("digest=") {
                    return Reply {
                        status: "400 Bad Request",
                        ..Reply::ok(r#"{"errors":[{"code":"DIGEST_INVALID"}]}"#)
                    };
                }
                content.held.insert((repository.to_owned(), found.clone()));
                content.blobs.insert(found.clone(), bytes);
                Reply::status("201 Created").header(format!("Docker-Content-Digest: {found}"))
            }
        }
    }

    fn manifest(&self, asked: &Asked, repository: &str, which: &str) -> Reply {
        let mut content = self.content();
        let separator = if which.starts_with("sha256:") {
            '@'
        } else {
            ':'
        };
        let name = format!("{repository}{separator}{which}");
        if asked.method == "PUT" {
            let kind = asked.header("content-type").unwrap_or_default().to_owned();
            let found = digest(&asked.body);
            let by_digest = format!("{repository}@{found}");
            let manifest = (kind, asked.body.clone());
            content.manifests.insert(by_digest, manifest.clone());
            content.manifests.insert(name, manifest);
            return Reply::status("201 Created").header(format!("Docker-Content-Digest: {found}"));
        }
        match content.manifests.get(&name) {
            Some((kind, bytes)) => Reply::ok(bytes.clone()).header(format!("Content-Type: {kind}")),
            None => Reply::status("404 Not Found"),
        }
    }

    /// `tags/list?n=…&last=…`: at most two a page, so that every client has to turn pages.
    fn tags(&self, path: &str, query: &str, _asked: &Asked) -> Reply {
        let Some(repository) = path.strip_suffix("/tags/list") else {
            return Reply::status("404 Not Found");
        };
        let content = self.content();
        let prefix = format!("{repository}:");
        let tags = content.manifests.keys();
        let mut tags: Vec<&str> = tags.filter_map(|name| name.strip_prefix(&prefix)).collect();
        tags.sort_unstable();
        let last = query.split('&').find_map(|pair| pair.strip_prefix("last="));
        tags.retain(|tag| last.is_none_or(|last| *tag > last));
        let more = tags.len() > 2;
        tags.truncate(2);
        let list: Vec<String> = tags.iter().map(|tag| format!("\"{tag}\"")).collect();
        let body = format!(
            "{{\"name\":\"{repository}\",\"tags\":[{}]}}",
            list.join(",")
        );
        let reply = Reply::ok(body);
        match tags.last().filter(|_| more) {
            Some(last) => reply.header(format!(
                "Link: </v2/{repository}/tags/list?last={last}&n=2>; rel=\"next\""
            )),
            None => reply,
        }
    }
}

/// Serves `bytes` with ranges.
pub fn ranged(bytes: &[u8], asked: &Asked) -> Reply {
    match asked.range_start() {
        None => Reply::ok(bytes),
        Some(start) if start >= bytes.len() => Reply::status("416 Range Not Satisfiable"),
        Some(start) => Reply {
            status: "206 Partial Content",
            ..Reply::ok(&bytes[start..])
        }
        .header(format!(
            "Content-Range: bytes {start}-{}/{}",
            bytes.len() - 1,
            bytes.len()
        )),
    }
}
