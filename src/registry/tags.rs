//! The tags of a repository, page by page.

use serde::Deserialize;
use ureq::http::{Response, Uri};
use ureq::{Body, ResponseExt};

use super::client::{DOCUMENT_LIMIT, Repository, pull_scope, read_document};
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::outgoing::Outgoing;
use super::redirect::next_hop;
use crate::error::{Error, Kind, Result};

/// A list is not followed further.
const MAX_TAGS: usize = 100_000;
/// A registry may give them one by one, but not for ever.
const MAX_PAGES: usize = 10_000;
/// The grammar of a tag (distribution-spec 1.1, "Pulling manifests").
const MAX_TAG_BYTES: usize = 128;

#[derive(Deserialize)]
struct Page {
    /// Some registries say `null` for none.
    tags: Option<Vec<String>>,
}

impl Repository<'_> {
    /// All tags, as the registry orders them; they are words of the registry, not checked here.
    pub fn tags(&self) -> Result<Vec<String>> {
        let subject = format!("tags of {}", self.host);
        self.first(&subject, |at| self.tags_at(at))
    }

    fn tags_at(&self, at: &Endpoint) -> std::result::Result<Vec<String>, Failure> {
        let path = format!("{}/tags/list", at.repository);
        let asked = Outgoing::get(&path, &[]);
        let scope = pull_scope(at);
        let read = |response: Response<Body>| {
            let next = next_page(&response, at).map_err(Failure::Refused)?;
            Ok((read_page(response)?, next))
        };
        let mut page = self.retry(at, || self.client.send(at, &scope, &asked).and_then(read))?;
        let mut found = Vec::new();
        for _ in 0..MAX_PAGES {
            let (tags, next) = page;
            // What is longer than any tag is none, and would only take memory.
            found.extend(tags.into_iter().filter(|tag| tag.len() <= MAX_TAG_BYTES));
            if found.len() > MAX_TAGS {
                let why = format!("more than {MAX_TAGS} tags");
                return Err(Failure::Refused(Error::new(Kind::Registry, why)));
            }
            let Some(uri) = next else {
                return Ok(found);
            };
            // By the protocol that worked.
            let here = match uri.scheme_str() {
                Some("http") => at.plain(),
                _ => at.clone(),
            };
            let turn = || self.client.send_to(&here, &uri, &scope, &asked);
            page = self.retry(at, || turn().and_then(read))?;
        }
        let why = format!("more than {MAX_PAGES} pages of tags");
        Err(Failure::Refused(Error::new(Kind::Registry, why)))
    }
}

fn read_page(response: Response<Body>) -> std::result::Result<Vec<String>, Failure> {
    let bytes = read_document(response)?;
    if bytes.len() as u64 > DOCUMENT_LIMIT {
        let error = Error::corrupt("the list of tags is longer than 4 MiB");
        return Err(Failure::Refused(error));
    }
    let page: Page = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::Refused(Error::corrupt(format!("the list of tags: {error}"))))?;
    Ok(page.tags.unwrap_or_default())
}

/// Where `Link: <…>; rel="next"` leads: to the registry itself, or it is refused, because the login
/// goes there too.
///
/// Must not: compare with what answered, which may be where a redirect led.
fn next_page(response: &Response<Body>, at: &Endpoint) -> Result<Option<Uri>> {
    let header = response.headers().get("link");
    let Some(link) = header.and_then(|value| value.to_str().ok()) else {
        return Ok(None);
    };
    let target = link
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    let Some((target, _)) = target.filter(|(_, rest)| rest.contains("next")) else {
        return Ok(None);
    };
    let answered = response.get_uri();
    let uri = next_hop(answered, target)?;
    let plain = at.plain();
    let at = match at.plain_fallback && plain.is_origin_of(answered) {
        true => &plain,
        false => at,
    };
    if !at.is_origin_of(&uri) {
        let shown = super::escaped(target);
        let why = format!("next page of tags at {shown:?} refused: it is not of the registry");
        return Err(Error::new(Kind::Registry, why));
    }
    Ok(Some(uri))
}
