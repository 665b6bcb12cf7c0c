//! `registries.conf`, version 2: other places and rules for registries, as podman's users write
//! them (containers-registries.conf(5)).
//!
//! Read when a registry is about to be asked, not at every start: the file is long on some hosts,
//! and `hull ps` has no use for it. Short names are docker.io's whatever is written here, so search
//! lists and aliases are passed over.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::environment::Environment;
use super::file::check_owner;
use crate::error::{Context, Error, Result};

/// Far more than any such file needs.
const LIMIT: u64 = 4 << 20;

/// Where these files are.
#[derive(Debug, Clone, Default)]
pub struct RegistryFiles {
    /// The one main file.
    pub main: Option<PathBuf>,
    /// Whether the main file has to be there, because a variable names it.
    pub named: bool,
    /// Directories of further files, weakest first.
    pub directories: Vec<PathBuf>,
    /// Whether a file that others could have written is refused.
    pub privileged: bool,
}

/// What is said of all names that begin with a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryRule {
    /// `host[:port][/path]`, or `*.domain`.
    pub prefix: String,
    /// What replaces the prefix; empty: nothing.
    pub location: String,
    /// Any certificate, or plain HTTP.
    pub insecure: bool,
    /// Not to be asked at all.
    pub blocked: bool,
    /// Asked before, in this order, for reading.
    pub mirrors: Vec<RegistryMirror>,
}

/// Another place with the same content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryMirror {
    /// What replaces the rule's prefix.
    pub location: String,
    /// Any certificate, or plain HTTP.
    pub insecure: bool,
    /// For which references.
    pub serves: Serves,
}

/// Which references a mirror is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Serves {
    /// Every one.
    #[serde(alias = "")]
    All,
    /// Those with a digest: the mirror cannot lie about them.
    DigestOnly,
    /// Those without.
    TagOnly,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    registry: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Table {
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    location: String,
    #[serde(default)]
    insecure: bool,
    #[serde(default)]
    blocked: bool,
    #[serde(default)]
    mirror_by_digest_only: bool,
    #[serde(default)]
    mirror: Vec<MirrorTable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct MirrorTable {
    #[serde(default)]
    location: String,
    #[serde(default)]
    insecure: bool,
    pull_from_mirror: Option<Serves>,
}

impl RegistryFiles {
    /// The places for this user: a file of the user's own replaces the host's, further files add
    /// to it.
    pub fn find(env: &Environment, user: Option<&Path>) -> Self {
        let host = env.etc.join("containers");
        let own = user.map(|directory| directory.join("containers"));
        let named = env.variable("CONTAINERS_REGISTRIES_CONF");
        let own_main = own.as_ref().map(|own| own.join("registries.conf"));
        let own_main = own_main.filter(|path| path.exists());
        let main = named.map(PathBuf::from).or(own_main);
        RegistryFiles {
            main: Some(main.unwrap_or_else(|| host.join("registries.conf"))),
            named: named.is_some(),
            directories: [Some(host), own]
                .into_iter()
                .flatten()
                .map(|directory| directory.join("registries.conf.d"))
                .collect(),
            privileged: env.privileged,
        }
    }

    /// Reads them all. Of several rules for one prefix the last one read holds.
    pub fn load(&self) -> Result<Vec<RegistryRule>> {
        let mut rules = Vec::new();
        for (number, path) in self.paths()?.into_iter().enumerate() {
            let must_exist = number == 0 && self.named;
            let Some(text) = self.read(&path, must_exist)? else {
                continue;
            };
            let found = parse(&text).map_err(|error| error.wrap(path.display()))?;
            for rule in found {
                rules.retain(|known: &RegistryRule| known.prefix != rule.prefix);
                rules.push(rule);
            }
        }
        Ok(rules)
    }

    fn paths(&self) -> Result<Vec<PathBuf>> {
        let mut paths: Vec<PathBuf> = self.main.iter().cloned().collect();
        for directory in &self.directories {
            let entries = match std::fs::read_dir(directory) {
                Ok(entries) => entries,
                Err(error) if is_absent(&error) => continue,
                Err(error) => {
                    return Err(error).context(|| format!("read {}", directory.display()));
                }
            };
            let mut found = Vec::new();
            for entry in entries {
                let path = entry
                    .context(|| format!("read {}", directory.display()))?
                    .path();
                found.extend(Some(path).filter(|path| path.extension() == Some("conf".as_ref())));
            }
            found.sort();
            paths.extend(found);
        }
        Ok(paths)
    }

    fn read(&self, path: &Path, must_exist: bool) -> Result<Option<String>> {
        let subject = || format!("read {}", path.display());
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if !must_exist && is_absent(&error) => return Ok(None),
            Err(error) => return Err(error).context(subject),
        };
        check_owner(&file, path, self.privileged)?;
        let mut text = String::new();
        file.take(LIMIT)
            .read_to_string(&mut text)
            .context(subject)?;
        Ok(Some(text))
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied
    )
}

fn parse(text: &str) -> Result<Vec<RegistryRule>> {
    let document: Document = toml::from_str(text).map_err(|error| {
        let line = error
            .span()
            .map(|span| text[..span.start].matches('\n').count() + 1);
        let line = line.map_or(String::new(), |line| format!("line {line}: "));
        Error::invalid(format!("{line}{}", error.message().replace('\n', " ")))
    })?;
    document.registry.into_iter().map(rule_of).collect()
}

fn rule_of(table: Table) -> Result<RegistryRule> {
    let location = place(&table.location)?;
    let prefix = match table.prefix.trim_end_matches('/') {
        "" => location.clone(),
        prefix => place(prefix)?,
    };
    if prefix.is_empty() {
        return Err(Error::invalid(
            "a [[registry]] has no prefix and no location",
        ));
    }
    let is_pattern = prefix.contains('*');
    let domain = prefix.strip_prefix("*.");
    if is_pattern && domain.is_none_or(|domain| domain.contains('*')) {
        let why = format!("prefix {prefix:?}: * may only stand for the first part, as *.example");
        return Err(Error::invalid(why));
    }
    let serves = match table.mirror_by_digest_only {
        true => Serves::DigestOnly,
        false => Serves::All,
    };
    let mirrors = table.mirror.into_iter().map(|mirror| {
        let location = place(&mirror.location)?;
        if location.is_empty() {
            return Err(Error::invalid(format!(
                "a mirror of {prefix:?} has no location"
            )));
        }
        Ok(RegistryMirror {
            location,
            insecure: mirror.insecure,
            serves: mirror.pull_from_mirror.unwrap_or(serves),
        })
    });
    let mirrors = mirrors.collect::<Result<_>>()?;
    let own = if is_pattern { "" } else { &prefix };
    Ok(RegistryRule {
        location: if location.is_empty() {
            own.to_owned()
        } else {
            location
        },
        prefix,
        insecure: table.insecure,
        blocked: table.blocked,
        mirrors,
    })
}

/// `host[:port][/path]`: no protocol (that is `insecure`'s), no login, nothing odd.
fn place(text: &str) -> Result<String> {
    let text = text.trim_end_matches('/');
    let odd = |c: char| c.is_control() || c.is_whitespace() || "@?#\\\"".contains(c);
    if text.contains("://") || text.contains(odd) || text.split('/').any(|part| part == "..") {
        return Err(
            Error::invalid(format!("{text:?} is not HOST[:PORT][/PATH]"))
                .hint("leave out https://; insecure = true allows plain HTTP"),
        );
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_prefix_location_and_mirrors() {
        let text = r#"
            unqualified-search-registries = ["evil.example"]
            short-name-mode = "enforcing"
            [aliases]
            "alpine" = "evil.example/alpine"
            [[registry]]
            location = "reg.example/team/"
            mirror-by-digest-only = true
            [[registry.mirror]]
            location = "10.0.0.1:5000/copy"
            insecure = true
            [[registry.mirror]]
            location = "m.example"
            pull-from-mirror = "tag-only"
            [[registry]]
            prefix = "*.blocked.example"
            blocked = true
        "#;
        let rules = parse(text).expect("legal");
        assert_eq!(rules.len(), 2);
        assert_eq!(rules[0].prefix, "reg.example/team");
        assert_eq!(rules[0].location, "reg.example/team");
        let serves: Vec<_> = rules[0].mirrors.iter().map(|m| m.serves).collect();
        assert_eq!(serves, [Serves::DigestOnly, Serves::TagOnly]);
        assert!(rules[0].mirrors[0].insecure && !rules[0].mirrors[1].insecure);
        assert_eq!((rules[1].location.as_str(), rules[1].blocked), ("", true));
    }

    #[test]
    fn what_is_no_rule_is_refused_with_its_place() {
        for (text, part) in [
            ("[[registry]]\n", "no prefix"),
            (
                "[[registry]]\nlocation = \"https://x.example\"",
                "HOST[:PORT]",
            ),
            ("[[registry]]\nprefix = \"a*.example\"", "first part"),
            (
                "[[registry]]\nprefix = \"x.example\"\n[[registry.mirror]]\n",
                "no location",
            ),
            ("\n\n[[registry]\n", "line 3"),
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
