//! Requests to registries: endpoint choice, authentication, redirects, retries.

use std::collections::HashMap;
use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ureq::Body;
use ureq::http::{Response, Uri};

use super::auth::{self, Challenge};
use super::blob::BlobReader;
use super::credentials::{Credential, Credentials};
use super::endpoint::{Endpoint, Scheme, Trust, endpoints_of, trust_of};
use super::failure::{Direction, Failure, message_of};
use super::outgoing::{Method, Outgoing};
use super::redirect::{MAX_HOPS, next_hop, origin};
use super::retry::Pace;
use super::transport::{Transport, parse_uri};
use crate::base::{Digest, Reference};
use crate::config::RegistrySettings;
use crate::error::{Error, Kind, Result};

/// Manifests, indexes and configs are refused beyond this.
pub const DOCUMENT_LIMIT: u64 = 4 << 20;

/// What we understand, in the order we like it.
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// A client for any registry. One per command; safe to share between threads.
#[derive(Debug)]
pub struct Client {
    settings: RegistrySettings,
    credentials: Credentials,
    transport: Transport,
    pub(super) pace: Pace,
    /// `Authorization` values by endpoint and scope.
    tokens: Mutex<HashMap<String, String>>,
    /// Endpoints found to speak plain HTTP only.
    plain: Mutex<Vec<String>>,
}

/// A manifest or index as received.
#[derive(Debug, Clone)]
pub struct Document {
    /// The bytes the digest is over.
    pub bytes: Vec<u8>,
    /// `Content-Type` without parameters.
    pub media_type: Option<String>,
    /// Computed here, over the bytes.
    pub digest: Digest,
}

/// One repository of one registry.
#[derive(Debug)]
pub struct Repository<'a> {
    pub(super) client: &'a Client,
    /// `host[:port]` as the user wrote it, for messages.
    pub host: String,
    /// Path below the registry.
    name: String,
    pub(super) endpoints: Vec<Endpoint>,
}

impl Client {
    /// A client that has not connected anywhere.
    pub fn new(settings: &RegistrySettings, credentials: Credentials) -> Self {
        Client::with_pace(settings, credentials, Pace::default())
    }

    /// The same with another number of attempts after the first, and another wait between them.
    pub fn retrying(self, retries: Option<u32>, delay: Option<Duration>) -> Self {
        let pace = Pace {
            retries: retries.unwrap_or(self.pace.retries),
            backoff: delay.unwrap_or(self.pace.backoff),
            ..self.pace
        };
        Client { pace, ..self }
    }

    /// The same with other waiting times.
    pub(super) fn with_pace(
        settings: &RegistrySettings,
        credentials: Credentials,
        pace: Pace,
    ) -> Self {
        Client {
            settings: settings.clone(),
            credentials,
            transport: Transport::new(settings.clone(), pace),
            pace,
            tokens: Mutex::default(),
            plain: Mutex::default(),
        }
    }

    /// The repository a reference names; its tag and digest do not matter here. An error if the
    /// settings block it.
    pub fn repository(&self, reference: &Reference) -> Result<Repository<'_>> {
        Ok(Repository {
            client: self,
            host: reference.registry.clone(),
            name: reference.repository.clone(),
            endpoints: endpoints_of(reference, &self.settings)?,
        })
    }

    /// What the user set.
    pub(super) fn settings(&self) -> &RegistrySettings {
        &self.settings
    }

    /// Who the user is.
    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// One GET to one endpoint.
    pub(super) fn get(
        &self,
        at: &Endpoint,
        scope: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.send(at, scope, &Outgoing::get(path, headers))
    }

    /// One request to one endpoint, over plain HTTP if that is what it speaks and may.
    pub(super) fn send(&self, at: &Endpoint, scope: &str, asked: &Outgoing<'_>) -> Answer {
        let known = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
        let is_plain = known.contains(&at.authority);
        drop(known);
        let send = |at: &Endpoint| {
            let uri = parse_uri(&at.url(asked.path)).map_err(Failure::Refused)?;
            self.send_to(at, &uri, scope, asked)
        };
        if is_plain && at.plain_fallback {
            return send(&at.plain());
        }
        match send(at) {
            Err(Failure::Transport(error)) if self.may_fall_back(at, &error) => {
                let response = send(&at.plain())?;
                let mut known = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
                known.push(at.authority.clone());
                Ok(response)
            }
            Err(Failure::Transport(error))
                if at.scheme == Scheme::Https && is_plain_http(&error) =>
            {
                Err(Failure::Refused(plain_http(at)))
            }
            other => other,
        }
    }

    /// Plain HTTP: only where allowed, only if the port does not speak TLS at all, and with a login
    /// only if the user listed the host.
    fn may_fall_back(&self, at: &Endpoint, error: &ureq::Error) -> bool {
        // What cannot be looked up may exist.
        let anonymous = || matches!(self.credentials.find(&at.login), Ok(None));
        at.scheme == Scheme::Https
            && at.plain_fallback
            && speaks_no_tls(error)
            && (at.trust == Trust::Anything || anonymous())
    }

    /// One request to `uri`, which must be of this endpoint's origin; `asked.path` does not count.
    pub(super) fn send_to(
        &self,
        at: &Endpoint,
        uri: &Uri,
        scope: &str,
        asked: &Outgoing<'_>,
    ) -> Answer {
        if !at.is_origin_of(uri) {
            let why = format!("{uri} is not of the registry that was asked");
            return Err(Failure::Refused(Error::new(Kind::Registry, why)));
        }
        let key = format!("{} {scope}", at.url(""));
        let lock = || self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let token = lock().get(&key).cloned();
        let response = self.follow(at, uri, token.as_deref(), asked)?;
        let Some(challenge) = challenge_of(&response, uri) else {
            return checked(asked.method, response.response);
        };
        // The cached token expired, or there was none yet: once, then the answer stands. Another
        // thread may have renewed it meanwhile.
        let now = lock().get(&key).cloned();
        let renewed = match now != token {
            true => now,
            false => self.authorize(at, scope, &challenge)?,
        };
        let Some(token) = renewed else {
            return checked(asked.method, response.response);
        };
        lock().insert(key, token.clone());
        checked(
            asked.method,
            self.follow(at, uri, Some(&token), asked)?.response,
        )
    }

    /// Follows redirects by hand: credentials stay with the origin they belong to.
    fn follow(
        &self,
        at: &Endpoint,
        uri: &Uri,
        token: Option<&str>,
        asked: &Outgoing<'_>,
    ) -> std::result::Result<Answered, Failure> {
        let mut here = uri.clone();
        for _ in 0..=MAX_HOPS {
            let home = origin(&here) == origin(uri);
            let mut sent = asked.headers.to_vec();
            sent.extend(token.filter(|_| home).map(|token| ("Authorization", token)));
            let trust = self.trust_at(at, &here);
            let answer = self
                .transport
                .send(asked.method, &here, trust, &sent, asked.payload);
            let response = answer
                .map_err(Failure::Refused)?
                .map_err(Failure::Transport)?;
            let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            if !redirects || !asked.method.is_reading() {
                return Ok(Answered {
                    response,
                    from: here,
                });
            }
            let location = response.headers().get("location");
            let location = location
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default();
            here = next_hop(&here, location).map_err(Failure::Refused)?;
        }
        let why = format!("more than {MAX_HOPS} redirects");
        Err(Failure::Refused(Error::new(Kind::Registry, why)))
    }

    /// How the certificate at `uri` is looked at: another host than the endpoint's was not named
    /// insecure with it, whoever sent us there.
    fn trust_at(&self, at: &Endpoint, uri: &Uri) -> Trust {
        let authority = uri.authority().map(|a| a.as_str()).unwrap_or_default();
        match authority == at.authority {
            true => at.trust,
            false => trust_of(authority, &self.settings),
        }
    }

    /// The `Authorization` value that answers a challenge; `None` if there is no login for it.
    fn authorize(
        &self,
        at: &Endpoint,
        scope: &str,
        challenge: &Challenge,
    ) -> std::result::Result<Option<String>, Failure> {
        let login = self.credentials.find(&at.login).map_err(Failure::Refused)?;
        let identity = login.as_ref().and_then(Credential::identity_token);
        let basic = login.as_ref().filter(|_| identity.is_none());
        let basic = basic.map(Credential::basic);
        let Challenge::Bearer { realm, service } = challenge else {
            return Ok(basic);
        };
        let wanted = auth::Wanted {
            service: service.as_deref(),
            scope,
            login: login.as_ref(),
        };
        let uri = auth::token_url(at, realm, &wanted, &self.settings).map_err(Failure::Refused)?;
        let headers: Vec<_> = basic
            .iter()
            .map(|value| ("Authorization", value.as_str()))
            .collect();
        let trust = self.trust_at(at, &uri);
        let answer = match identity {
            Some(token) => {
                let form = auth::refresh_form(&wanted, token);
                self.transport.post_form(&uri, trust, &form)
            }
            None => self.transport.get(&uri, trust, &headers),
        };
        let answer = answer
            .map_err(Failure::Refused)?
            .map_err(Failure::Transport)?;
        let mut bytes = Vec::new();
        let body = checked(Method::Get, answer)?.into_body();
        body.into_reader()
            .take(auth::TOKEN_LIMIT + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::Transport(ureq::Error::Io(error)))?;
        auth::parse_token(&bytes)
            .map(Some)
            .map_err(Failure::Refused)
    }
}

/// What came of a request.
pub(super) type Answer = std::result::Result<Response<Body>, Failure>;

/// A response and the address that gave it, after redirects.
struct Answered {
    response: Response<Body>,
    from: Uri,
}

/// The challenge of a 401 by the registry itself. One after a redirect is somebody else's.
fn challenge_of(answered: &Answered, asked: &Uri) -> Option<Challenge> {
    if answered.response.status() != 401 || origin(&answered.from) != origin(asked) {
        return None;
    }
    let headers = answered.response.headers().get_all("www-authenticate");
    let mut found: Vec<_> = headers
        .iter()
        .filter_map(|value| auth::parse_challenge(value.to_str().ok()?))
        .collect();
    found.sort_by_key(|challenge| *challenge == Challenge::Basic);
    found.into_iter().next()
}

fn checked(method: Method, response: Response<Body>) -> Answer {
    let code = response.status().as_u16();
    if method.accepts(code) {
        return Ok(response);
    }
    let header = response.headers().get("retry-after");
    let retry_after = header.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Err(Failure::Status {
        code,
        retry_after,
        message: message_of(response.into_body()),
    })
}

/// What a TLS handshake with something that speaks plain HTTP ends in.
fn speaks_no_tls(error: &ureq::Error) -> bool {
    use std::io::ErrorKind::{ConnectionReset, UnexpectedEof};
    let closed = matches!(error, ureq::Error::Io(io)
        if matches!(io.kind(), UnexpectedEof | ConnectionReset));
    closed || is_plain_http(error)
}

/// The same, where it answered.
fn is_plain_http(error: &ureq::Error) -> bool {
    error.to_string().contains("InvalidContentType")
}

fn plain_http(at: &Endpoint) -> Error {
    let host = &at.authority;
    let why = match at.plain_fallback {
        true => "it speaks plain HTTP, where anybody could read the login for it",
        false => "it speaks plain HTTP instead of HTTPS",
    };
    Error::new(Kind::Registry, why).hint(format!(
        "if you trust the way to it: --tls-verify=false, or list {host:?} under \
         \"insecure-registries\" in /etc/hull/config.json"
    ))
}

impl Repository<'_> {
    /// The manifest or index called `which`: a tag, or a digest that it must have.
    pub fn manifest(&self, which: &str, expected: Option<&Digest>) -> Result<Document> {
        let subject = match expected {
            Some(digest) => format!("manifest {}@{digest}", self.name),
            None => format!("manifest {}:{which}", self.name),
        };
        let address = expected.map_or(which.to_owned(), Digest::to_string);
        self.first(&subject, |at| {
            let path = format!("{}/manifests/{address}", at.repository);
            let scope = pull_scope(at);
            let headers = [("Accept", ACCEPT)];
            let asked = Outgoing::get(&path, &headers);
            // The body too is worth another attempt.
            let (bytes, media_type) = self.retry(at, || {
                let response = self.client.send(at, &scope, &asked)?;
                let media_type = response.headers().get("content-type");
                let media_type = media_type.and_then(|value| value.to_str().ok());
                let media_type = media_type.and_then(|value| value.split(';').next());
                let media_type = media_type.map(|value| value.trim().to_owned());
                Ok((read_document(response)?, media_type))
            })?;
            check_document(bytes, media_type, expected).map_err(Failure::Refused)
        })
    }

    /// Opens a blob for reading from `offset`; interruptions are resumed behind the scenes. The
    /// caller hashes: nothing here knows whether the bytes are right.
    pub fn blob(&self, digest: &Digest, size: u64, offset: u64) -> BlobReader<'_> {
        BlobReader::new(self, *digest, size, offset)
    }

    /// The same from the registry itself: a mirror's bytes were not the right ones.
    pub fn blob_of_origin(&self, digest: &Digest, size: u64, offset: u64) -> BlobReader<'_> {
        let mut blob = self.blob(digest, size, offset);
        blob.endpoint = self.endpoints.len() - 1;
        blob
    }

    /// One attempt to open a blob at `offset`, at the endpoint with this number.
    pub(super) fn open_blob(
        &self,
        endpoint: usize,
        digest: &Digest,
        offset: u64,
    ) -> std::result::Result<Response<Body>, Failure> {
        let at = &self.endpoints[endpoint % self.endpoints.len()];
        let path = format!("{}/blobs/{digest}", at.repository);
        let range = format!("bytes={offset}-");
        let headers = [("Range", range.as_str())];
        let headers = if offset == 0 {
            &headers[..0]
        } else {
            &headers[..]
        };
        self.client.get(at, &pull_scope(at), &path, headers)
    }

    /// How many endpoints this repository has.
    pub(super) fn endpoint_count(&self) -> usize {
        self.endpoints.len()
    }

    /// Asks the endpoints in order; a mirror that fails in whatever way is passed over.
    pub(super) fn first<T>(
        &self,
        subject: &str,
        ask: impl Fn(&Endpoint) -> std::result::Result<T, Failure>,
    ) -> Result<T> {
        let mut last = None;
        for at in &self.endpoints {
            match ask(at) {
                Ok(found) => return Ok(found),
                Err(failure) => last = Some(failure),
            }
        }
        let failure = last.expect("a repository has at least one endpoint");
        Err(failure.into_error(Direction::Pull, subject, &self.host))
    }

    /// Asks `at`, which is one of the endpoints, again after failures that may pass.
    pub(super) fn retry<T>(
        &self,
        at: &Endpoint,
        ask: impl Fn() -> std::result::Result<T, Failure>,
    ) -> std::result::Result<T, Failure> {
        let own = self.endpoints.last().expect("a repository has an endpoint");
        // A mirror is not waited for: the next endpoint may answer at once.
        let retries = match at.authority == own.authority {
            true => self.client.pace.retries,
            false => self.client.pace.retries.min(1),
        };
        for retry in 0.. {
            match ask() {
                Err(failure) if failure.is_temporary() && retry < retries => {
                    std::thread::sleep(self.client.pace.wait(retry, retry_after(&failure)));
                }
                other => return other,
            }
        }
        unreachable!("the loop ends by returning")
    }
}

/// What a token has to allow for reading; computed here, whatever the registry proposes.
pub(super) fn pull_scope(at: &Endpoint) -> String {
    format!("repository:{}:pull", at.repository)
}

/// What the registry asked us to wait, in seconds.
pub(super) fn retry_after(failure: &Failure) -> Option<u64> {
    match failure {
        Failure::Status { retry_after, .. } => *retry_after,
        _ => None,
    }
}

/// The body, and one byte more than is accepted if there are so many.
pub(super) fn read_document(response: Response<Body>) -> std::result::Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let body = response.into_body().into_reader();
    body.take(DOCUMENT_LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::Transport(ureq::Error::Io(error)))?;
    Ok(bytes)
}

/// The digest over what was received rules; headers are only said to be so.
fn check_document(
    bytes: Vec<u8>,
    media_type: Option<String>,
    expected: Option<&Digest>,
) -> Result<Document> {
    if bytes.len() as u64 > DOCUMENT_LIMIT {
        return Err(Error::corrupt("the manifest is longer than 4 MiB"));
    }
    let digest = Digest::of(&bytes);
    if let Some(expected) = expected.filter(|expected| **expected != digest) {
        return Err(Error::corrupt(format!(
            "digest mismatch: asked for {expected}, received {digest}"
        )));
    }
    Ok(Document {
        bytes,
        media_type,
        digest,
    })
}
