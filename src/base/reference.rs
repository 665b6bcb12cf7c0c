//! Image references: `[host[:port]/]path[:tag][@digest]`, grammar and normal form of the
//! distribution project (package `reference`): no host means `docker.io`, no slash `library/`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Digest;
use crate::error::{Error, Result};

/// The registry that names without a host belong to.
const DEFAULT_REGISTRY: &str = "docker.io";

/// A parsed, normalised image reference. Every part is inside its grammar, so parts may be used in
/// URLs and (joined by `/`) as relative paths: no part is `.`, `..` or empty.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference {
    /// `host` or `host:port`, `docker.io` when none was given.
    pub registry: String,
    /// Path below the registry, e.g. `library/alpine`.
    pub repository: String,
    /// Tag; `None` only if a digest was given.
    pub tag: Option<String>,
    /// Digest after `@`.
    pub digest: Option<Digest>,
}

impl Reference {
    /// The name as Docker shows it: without `docker.io/` and `library/`, without tag and digest.
    pub fn familiar_name(&self) -> String {
        if self.registry != DEFAULT_REGISTRY {
            return format!("{}/{}", self.registry, self.repository);
        }
        match self.repository.strip_prefix("library/") {
            Some(short) if !short.contains('/') => short.to_owned(),
            _ => self.repository.clone(),
        }
    }

    /// The familiar name with tag and digest, e.g. `alpine:3.20`.
    pub fn familiar(&self) -> String {
        format!("{}{}", self.familiar_name(), self.suffix())
    }

    /// Registry and repository, the directory of this name's tags in the store.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The same name with this tag and no digest.
    pub fn with_tag(&self, tag: &str) -> Result<Reference> {
        if !is_tag(tag) {
            return Err(Error::invalid(format!(
                "invalid tag {tag:?}: invalid tag format"
            )));
        }
        Ok(Reference {
            tag: Some(tag.to_owned()),
            digest: None,
            ..self.clone()
        })
    }

    /// The same name with this digest and no tag.
    pub fn with_digest(&self, digest: Digest) -> Reference {
        Reference {
            tag: None,
            digest: Some(digest),
            ..self.clone()
        }
    }

    fn suffix(&self) -> String {
        let tag = self
            .tag
            .as_ref()
            .map(|tag| format!(":{tag}"))
            .unwrap_or_default();
        let digest = self
            .digest
            .map(|digest| format!("@{digest}"))
            .unwrap_or_default();
        tag + &digest
    }
}

/// The canonical form: registry, repository, tag and digest, nothing left out.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.registry, self.repository, self.suffix())
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> String {
        reference.to_string()
    }
}

impl TryFrom<String> for Reference {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let shown: String = text.chars().take(160).collect();
        let refuse =
            |why: &str| Error::invalid(format!("{shown:?} is not a valid repository/tag: {why}"));
        let (rest, digest) = match text.split_once('@') {
            None => (text, None),
            Some((rest, digest)) => {
                let digest = digest
                    .parse()
                    .map_err(|_| refuse("invalid reference format"))?;
                (rest, Some(digest))
            }
        };
        let (name, tag) = split_tag(rest);
        if let Some(tag) = tag
            && !is_tag(tag)
        {
            return Err(refuse("invalid reference format"));
        }
        let (registry, repository) = split_registry(name);
        if !is_registry(&registry) {
            return Err(refuse("invalid reference format"));
        }
        if repository.to_ascii_lowercase() != repository
            && is_repository(&repository.to_ascii_lowercase())
        {
            return Err(refuse(&format!(
                "invalid reference format: repository name ({repository}) must be lowercase"
            )));
        }
        if !is_repository(&repository) {
            return Err(refuse("invalid reference format"));
        }
        if registry.len() + 1 + repository.len() > 255 {
            return Err(refuse(
                "repository name must not be more than 255 characters",
            ));
        }
        if digest.is_none() && name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(refuse("cannot specify 64-byte hexadecimal strings"));
        }
        let tag = match (tag, digest) {
            (None, None) => Some("latest".to_owned()),
            (tag, _) => tag.map(str::to_owned),
        };
        Ok(Reference {
            registry,
            repository,
            tag,
            digest,
        })
    }
}

/// Splits at the last colon after the last slash: a colon before it belongs to a port.
fn split_tag(text: &str) -> (&str, Option<&str>) {
    match text.rfind(':') {
        Some(colon) if !text[colon..].contains('/') => (&text[..colon], Some(&text[colon + 1..])),
        _ => (text, None),
    }
}

/// The first part is a registry if it has a dot or a colon, is `localhost`, or is not lower case.
fn split_registry(name: &str) -> (String, String) {
    let (registry, repository) = match name.split_once('/') {
        Some((first, rest))
            if first.contains(['.', ':'])
                || first == "localhost"
                || first.to_ascii_lowercase() != first =>
        {
            (first, rest)
        }
        _ => (DEFAULT_REGISTRY, name),
    };
    let registry = if registry == "index.docker.io" {
        DEFAULT_REGISTRY
    } else {
        registry
    };
    let library = registry == DEFAULT_REGISTRY && !repository.contains('/');
    let repository = if library {
        format!("library/{repository}")
    } else {
        repository.to_owned()
    };
    (registry.to_owned(), repository)
}

fn is_tag(text: &str) -> bool {
    let first = text
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    let rest = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    first && rest && text.len() <= 128
}

/// `domain-name[:port]`, an IPv4 address, or an IPv6 address in brackets.
fn is_registry(text: &str) -> bool {
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, after)) = rest.split_once(']') else {
            return false;
        };
        let port = after.strip_prefix(':');
        return address.contains(':')
            && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
            && (after.is_empty() || port.is_some_and(is_port));
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let is_label = |label: &str| {
        label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.split('.').all(is_label) && port.is_none_or(is_port)
}

/// Path components of lower-case letters and digits, separated inside by `.`, `_`, `__` or dashes.
fn is_repository(text: &str) -> bool {
    text.split('/').all(is_path_component)
}

fn is_path_component(text: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends = |b: Option<&u8>| b.is_some_and(|b| alphanumeric(*b));
    if !ends(bytes.first()) || !ends(bytes.last()) {
        return false;
    }
    bytes.split(|b| alphanumeric(*b)).all(|separator| {
        matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Input and canonical form. Cases after distribution/reference (Apache-2.0), written anew.
    #[test]
    fn references_normalise_as_docker_does() {
        let table = [
            ("alpine", "docker.io/library/alpine:latest"),
            ("alpine:3.20", "docker.io/library/alpine:3.20"),
            ("user/app", "docker.io/user/app:latest"),
            ("docker.io/alpine", "docker.io/library/alpine:latest"),
            ("index.docker.io/alpine", "docker.io/library/alpine:latest"),
            ("localhost/x", "localhost/x:latest"),
            ("localhost:5000/x/y:1", "localhost:5000/x/y:1"),
            ("127.0.0.1:5000/x", "127.0.0.1:5000/x:latest"),
            ("[::1]:5000/x", "[::1]:5000/x:latest"),
            ("Reg.io/x", "Reg.io/x:latest"),
            ("a__b/c-d.e/f---g", "docker.io/a__b/c-d.e/f---g:latest"),
        ];
        for (input, canonical) in table {
            let reference: Reference = input.parse().expect(input);
            assert_eq!(reference.to_string(), canonical);
            assert_eq!(
                reference
                    .to_string()
                    .parse::<Reference>()
                    .expect("round trip"),
                reference
            );
        }
    }

    #[test]
    fn a37_bad_references_are_refused_before_any_io() {
        let long = "a/".repeat(200) + "a";
        let huge = "a".repeat(10 << 10);
        let bad = [
            "",
            ":x",
            "../../x",
            "a/../b",
            "a//b",
            "/a",
            "a/",
            "UPPER",
            "a:b:c",
            "a@sha256:1",
            "a@md5:d41d8cd98f00b204e9800998ecf8427e",
            "a\nb",
            "a\0b",
            "a:-x",
            "-a",
            "a..b",
            "a_-b",
            "a.",
            "http://x/y",
            "user@reg.io/x",
            "[::1/x",
            &long,
            &huge,
        ];
        for text in bad {
            assert!(text.parse::<Reference>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a39_short_names_mean_docker_hub_only() {
        let reference: Reference = "foo".parse().expect("parses");
        assert_eq!(reference.full_name(), "docker.io/library/foo");
        assert_eq!(reference.familiar(), "foo:latest");
    }

    #[test]
    fn upper_case_names_say_why() {
        let error = "Foo".parse::<Reference>().expect_err("refused");
        assert!(
            error
                .to_string()
                .contains("repository name (library/Foo) must be lowercase")
        );
    }
}
