//! Looking for repositories: the search of old (`/v1/search`, which Docker Hub and some
//! registries have), else the catalog that every registry may offer.

use std::io::Read;

use serde_json::Value;
use ureq::Body;
use ureq::http::Response;

use super::auth::percent;
use super::client::{Client, DOCUMENT_LIMIT};
use super::endpoint::{Api, Endpoint};
use super::failure::{Direction, Failure};
use crate::error::{Error, Kind, Result};

/// Where Docker Hub is searched.
const HUB_INDEX: &str = "index.docker.io";
/// Names in one page of a catalog; registries refuse more than this.
const PAGE: usize = 1000;
/// Pages that are read: a catalog has an end, and a hostile one may not.
const MAX_PAGES: usize = 100;

/// A repository that fits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// As the registry calls it.
    pub name: String,
    /// One line of somebody's.
    pub description: String,
    /// How many users like it.
    pub stars: u64,
    /// Whether the registry's makers vouch for it.
    pub is_official: bool,
    /// Whether the registry builds it.
    pub is_automated: bool,
}

impl Client {
    /// Repositories of a registry that fit `term`, at most `limit`.
    pub fn search(&self, registry: &str, term: &str, limit: usize) -> Result<Vec<Found>> {
        let own = self.registry_of(registry)?;
        let at = Endpoint {
            api: Api::V1,
            ..own.clone()
        };
        let is_hub = registry == "docker.io";
        let at = match is_hub {
            true => Endpoint {
                authority: HUB_INDEX.to_owned(),
                // Nothing that is searched there is anybody's own.
                login: HUB_INDEX.to_owned(),
                ..at
            },
            false => at,
        };
        let path = format!("search?q={}&n={limit}", percent(term));
        let subject = format!("search for {term:?}");
        let wrong = |failure: Failure| failure.into_error(Direction::Pull, &subject, registry);
        let answer = self.get(&at, "", &path, &[]);
        match answer {
            Ok(response) => {
                let document = read_json(response).map_err(wrong)?;
                match read_results(&document, limit) {
                    Some(found) => return Ok(found),
                    None if is_hub => return Err(nonsense(registry)),
                    None => {}
                }
            }
            // No such search there.
            Err(Failure::Status { code, .. }) if !is_hub && !matches!(code, 429 | 500..) => {}
            Err(failure) => return Err(wrong(failure)),
        }
        let all = self.pages(&own, "registry:catalog:*", "_catalog", "repositories");
        let mut names = all.map_err(wrong)?;
        names.retain(|name| name.contains(term));
        names.sort();
        names.truncate(limit);
        let named = names.into_iter().map(|name| Found {
            name,
            ..Found::default()
        });
        Ok(named.collect())
    }

    /// A list that comes in pages. Where the next one begins follows from the last name: an address
    /// the registry gives is not needed.
    fn pages(
        &self,
        at: &Endpoint,
        scope: &str,
        path: &str,
        field: &str,
    ) -> std::result::Result<Vec<String>, Failure> {
        let mut all: Vec<String> = Vec::new();
        let mut query = format!("{path}?n={PAGE}");
        for _ in 0..MAX_PAGES {
            let response = self.get(at, scope, &query, &[])?;
            let more = response.headers().contains_key("link");
            let document = read_json(response)?;
            let names = document.get(field).and_then(Value::as_array);
            let names = names.into_iter().flatten().filter_map(Value::as_str);
            let before = all.len();
            all.extend(names.map(str::to_owned));
            match all.last() {
                Some(last) if more && all.len() > before => {
                    query = format!("{path}?n={PAGE}&last={}", percent(last));
                }
                _ => break,
            }
        }
        Ok(all)
    }
}

fn nonsense(registry: &str) -> Error {
    let why = format!("{registry}: its answer to a search is none");
    Error::new(Kind::Registry, why)
}

fn read_json(response: Response<Body>) -> std::result::Result<Value, Failure> {
    let mut bytes = Vec::new();
    let body = response.into_body().into_reader();
    body.take(DOCUMENT_LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::Transport(ureq::Error::Io(error)))?;
    if bytes.len() as u64 > DOCUMENT_LIMIT {
        let why = "the answer is longer than 4 MiB";
        return Err(Failure::Refused(Error::new(Kind::Registry, why)));
    }
    // Some answer every path with a page: that is no list.
    Ok(serde_json::from_slice(&bytes).unwrap_or_default())
}

fn read_results(document: &Value, limit: usize) -> Option<Vec<Found>> {
    let results = document.get("results")?.as_array()?;
    let read = |entry: &Value| {
        let text = |name: &str| {
            let value = entry.get(name).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let holds = |name: &str| entry.get(name).and_then(Value::as_bool).unwrap_or(false);
        Found {
            name: text("name"),
            description: text("description"),
            stars: entry.get("star_count").and_then(Value::as_u64).unwrap_or(0),
            is_official: holds("is_official"),
            is_automated: holds("is_automated"),
        }
    };
    Some(results.iter().take(limit).map(read).collect())
}
