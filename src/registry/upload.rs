//! Uploads: blobs by upload session, manifests in one request (distribution-spec 1.1, "Push").
//!
//! Theory of operation. A session is a `Location` that the registry names; it must be of the origin
//! that was asked, because the login goes there too. A small blob is one PUT; a larger one is one
//! PATCH, as other clients send it, and an empty PUT that closes the session with the digest. When
//! a PATCH is interrupted, the session is asked what it has and the rest follows. A registry that
//! has kept less than was sent gets the rest in pieces, so that no interruption costs more than
//! one. A session that is gone is begun anew: the reference implementation (distribution)
//! drops one as soon as a request in it was interrupted, so nothing can be resumed there.
//!
//! Must not: be sent to a mirror. The endpoint is the last one, the registry itself.

use std::fs::File;

use ureq::http::{Response, Uri};
use ureq::{Body, ResponseExt};

use super::client::{Repository, retry_after};
use super::endpoint::Endpoint;
use super::failure::{Direction, Failure};
use super::outgoing::{Method, Outgoing, Payload};
use super::redirect::{next_hop, origin};
use crate::base::Digest;
use crate::error::{Error, Kind, Result};

/// Blobs up to this go with the closing request.
const SMALL: u64 = 1 << 20;
/// What is sent at once after an interruption that cost bytes.
const PIECE: u64 = 16 << 20;
/// So much progress makes a new failure count as the first one again.
const PROGRESS: u64 = 1 << 20;

type Attempt<T> = std::result::Result<T, Failure>;

/// A blob that is to be in the repository.
#[derive(Clone, Copy)]
pub struct Upload<'a> {
    pub digest: &'a Digest,
    pub size: u64,
    /// Its bytes, which have this digest.
    pub file: &'a File,
    /// Is told how much was sent.
    pub report: &'a (dyn Fn(u64) + Sync),
}

/// What a request for a session came to.
#[derive(Debug)]
pub enum Begun {
    /// The registry took the blob from its other repository.
    Mounted,
    /// The bytes are wanted.
    Session(Session),
}

/// Where the bytes of one blob go.
#[derive(Debug)]
pub struct Session {
    /// By the protocol that worked.
    at: Endpoint,
    location: Uri,
}

impl Repository<'_> {
    /// Whether the registry says that it has this blob.
    pub fn has_blob(&self, digest: &Digest, size: u64) -> Result<bool> {
        let path = format!("{}/blobs/{digest}", self.registry().repository);
        let asked = Outgoing {
            method: Method::Head,
            ..Outgoing::get(&path, &[])
        };
        let scope = self.push_scope();
        match self.retry(self.registry(), || {
            self.client.send(self.registry(), &scope, &asked)
        }) {
            Ok(response) => {
                let length = response.headers().get("content-length");
                let length = length.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
                Ok(length.is_none_or(|length| length == size))
            }
            // Who refuses to tell may take the bytes all the same.
            Err(Failure::Status { code, .. })
                if (400..500).contains(&code) && !matches!(code, 401 | 408 | 429) =>
            {
                Ok(false)
            }
            Err(failure) => Err(self.failed(failure, &format!("blob {digest}"))),
        }
    }

    /// Asks for a session, and first that the blob be taken from the repository `from` of the same
    /// registry.
    pub fn begin_upload(&self, digest: &Digest, from: Option<&str>) -> Result<Begun> {
        let begin = |from| self.retry(self.registry(), || self.begin(digest, from));
        let begun = match from {
            None => begin(None),
            // Not to be allowed to read there is no reason not to send the bytes.
            Some(from) => match begin(Some(from)) {
                Err(failure) if !failure.is_temporary() => begin(None),
                begun => begun,
            },
        };
        begun.map_err(|failure| self.failed(failure, &format!("blob {digest}")))
    }

    /// Sends a blob, in `session` if there is one, and continues after interruptions.
    pub fn upload(&self, blob: &Upload<'_>, session: Option<Session>) -> Result<()> {
        let mut way = Way {
            session,
            offset: 0,
            piece: u64::MAX,
            sure: true,
        };
        let (mut retries, mut progress) = (0, 0);
        loop {
            let failure = match self.send_blob(blob, &mut way) {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            if way.offset.saturating_sub(progress) >= PROGRESS {
                progress = way.offset;
                retries = 0;
            }
            // A session that is not known any more was lost with a restart of the registry.
            let lost = matches!(
                failure,
                Failure::Status {
                    code: 404 | 416,
                    ..
                }
            );
            let restarted = way.offset > 0 && matches!(failure, Failure::Transport(_));
            if retries >= self.client.pace.retries || !(lost || restarted || failure.is_temporary())
            {
                return Err(self.failed(failure, &format!("blob {}", blob.digest)));
            }
            if lost {
                way.session = None;
            }
            way.sure = false;
            std::thread::sleep(self.client.pace.wait(retries, retry_after(&failure)));
            retries += 1;
        }
    }

    /// Puts a manifest under a tag, or under its digest. The registry must know it by the digest
    /// that was computed here.
    pub fn put_manifest(&self, which: &str, media_type: &str, bytes: &[u8]) -> Result<Digest> {
        let subject = format!("manifest {which}");
        let path = format!("{}/manifests/{which}", self.registry().repository);
        let asked = Outgoing {
            method: Method::Put,
            path: &path,
            headers: &[("Content-Type", media_type)],
            payload: Payload::Bytes(bytes),
        };
        let scope = self.push_scope();
        let response = self
            .retry(self.registry(), || {
                self.client.send(self.registry(), &scope, &asked)
            })
            .map_err(|failure| self.failed(failure, &subject))?;
        let digest = Digest::of(bytes);
        check_digest(&response, &digest).map_err(|failure| self.failed(failure, &subject))?;
        Ok(digest)
    }

    /// One attempt to send what is missing.
    fn send_blob(&self, blob: &Upload<'_>, way: &mut Way) -> Attempt<()> {
        if let (Some(session), false) = (&way.session, way.sure) {
            let kept = self.progress_of(session)?;
            if let Some((location, kept)) = kept.filter(|(_, kept)| (1..=blob.size).contains(kept))
            {
                if kept < way.offset {
                    way.piece = PIECE;
                }
                way.offset = kept;
                way.session.as_mut().expect("is there").location = location;
            } else {
                way.session = None;
            }
        }
        way.sure = true;
        if way.session.is_none() {
            way.offset = 0;
            match self.begin(blob.digest, None)? {
                Begun::Mounted => return Ok(()),
                Begun::Session(session) => way.session = Some(session),
            }
        }
        let session = way.session.as_mut().expect("was begun");
        let whole = blob.size <= SMALL && way.offset == 0;
        while !whole && way.offset < blob.size {
            let end = blob.size.min(way.offset.saturating_add(way.piece));
            let from = way.offset;
            // What was sent counts until the registry says what it has.
            way.offset = end;
            way.offset = self.send_piece(blob, session, from, end)?;
        }
        let payload = match whole {
            true => part(blob, 0, blob.size),
            false => Payload::Bytes(&[]),
        };
        self.close(blob.digest, session, payload)
    }

    /// Sends bytes into the session; how many of all the registry has then.
    fn send_piece(
        &self,
        blob: &Upload<'_>,
        session: &mut Session,
        from: u64,
        end: u64,
    ) -> Attempt<u64> {
        let range = format!("{from}-{}", end - 1);
        let headers = [
            ("Content-Type", "application/octet-stream"),
            ("Content-Range", range.as_str()),
        ];
        // Some registries take a range for a sign of pieces, and those they refuse.
        let whole = from == 0 && end == blob.size;
        let asked = Outgoing {
            method: Method::Patch,
            path: "",
            headers: if whole { &headers[..1] } else { &headers },
            payload: part(blob, from, end - from),
        };
        let response = self.in_session(session, &session.location, &asked)?;
        session.location = location_of(&response, &session.location)?;
        let kept = range_end(&response).filter(|kept| *kept > 0);
        let kept = kept.unwrap_or(end);
        if kept <= from || kept > end {
            let why = format!("{kept} bytes kept where {from} to {end} were sent");
            return Err(Failure::Refused(Error::new(Kind::Registry, why)));
        }
        Ok(kept)
    }

    /// Names the digest of what was sent, which ends the session.
    fn close(&self, digest: &Digest, session: &Session, payload: Payload<'_>) -> Attempt<()> {
        let location = session.location.to_string();
        let separator = if location.contains('?') { '&' } else { '?' };
        let uri = format!("{location}{separator}digest={digest}");
        let uri = super::transport::parse_uri(&uri).map_err(Failure::Refused)?;
        let asked = Outgoing {
            method: Method::Put,
            path: "",
            headers: &[("Content-Type", "application/octet-stream")],
            payload,
        };
        let response = self.in_session(session, &uri, &asked)?;
        check_digest(&response, digest)
    }

    /// What an interrupted session has, `None` if the registry does not say.
    fn progress_of(&self, session: &Session) -> Attempt<Option<(Uri, u64)>> {
        let asked = Outgoing::get("", &[]);
        match self.in_session(session, &session.location, &asked) {
            Ok(response) => {
                let kept = range_end(&response);
                let location = location_of(&response, &session.location);
                // A session goes on where it was if nothing else is said.
                let location = location.unwrap_or_else(|_| session.location.clone());
                Ok(kept.map(|kept| (location, kept)))
            }
            Err(Failure::Status { code, .. }) if (400..500).contains(&code) && code != 429 => {
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// One attempt to get a session.
    fn begin(&self, digest: &Digest, from: Option<&str>) -> Attempt<Begun> {
        let at = self.registry();
        let mount = from.map(|from| format!("?mount={digest}&from={from}"));
        let path = format!(
            "{}/blobs/uploads/{}",
            at.repository,
            mount.unwrap_or_default()
        );
        let mut scope = self.push_scope();
        if let Some(from) = from {
            scope = format!("{scope} repository:{from}:pull");
        }
        let asked = Outgoing {
            method: Method::Post,
            payload: Payload::Bytes(&[]),
            ..Outgoing::get(&path, &[])
        };
        let response = self.client.send(at, &scope, &asked)?;
        if response.status() == 201 {
            return Ok(Begun::Mounted);
        }
        let uri = response.get_uri().clone();
        let location = location_of(&response, &uri)?;
        let at = match uri.scheme_str() {
            Some("http") => at.plain(),
            _ => at.clone(),
        };
        Ok(Begun::Session(Session { at, location }))
    }

    fn in_session(
        &self,
        session: &Session,
        uri: &Uri,
        asked: &Outgoing<'_>,
    ) -> Attempt<Response<Body>> {
        self.client
            .send_to(&session.at, uri, &self.push_scope(), asked)
    }

    /// The registry itself.
    fn registry(&self) -> &Endpoint {
        self.endpoints.last().expect("a repository has an endpoint")
    }

    fn push_scope(&self) -> String {
        format!("repository:{}:pull,push", self.registry().repository)
    }

    fn failed(&self, failure: Failure, what: &str) -> Error {
        failure.into_error(Direction::Push, what, &self.host)
    }
}

/// How far an upload has come.
struct Way {
    session: Option<Session>,
    offset: u64,
    /// Sent in one request.
    piece: u64,
    /// Whether `offset` is what the registry has.
    sure: bool,
}

fn part<'a>(blob: &Upload<'a>, from: u64, length: u64) -> Payload<'a> {
    Payload::Part {
        file: blob.file,
        from,
        length,
        report: blob.report,
    }
}

/// Where the session goes on: of the origin that was asked, or nowhere. The login and the image's
/// bytes go there.
fn location_of(response: &Response<Body>, asked: &Uri) -> Attempt<Uri> {
    let header = response.headers().get("location");
    let location = header.and_then(|value| value.to_str().ok());
    let refuse = |why: &str| {
        let shown = super::escaped(location.unwrap_or_default());
        let why = format!("upload location {shown:?} refused: {why}");
        Failure::Refused(Error::new(Kind::Registry, why).hint(
            "the registry, or the proxy before it, does not know the address it is reached by",
        ))
    };
    let Some(text) = location.filter(|text| !text.is_empty()) else {
        return Err(refuse("there is none"));
    };
    let target = next_hop(asked, text).map_err(Failure::Refused)?;
    if origin(&target) != origin(asked) {
        return Err(refuse("it is not of the registry that was asked"));
    }
    Ok(target)
}

/// The number of bytes a registry has, by its header `Range: 0-99`. Nothing is `0-0` to many, which
/// one byte is too; it counts as nothing.
fn range_end(response: &Response<Body>) -> Option<u64> {
    let header = response.headers().get("range")?.to_str().ok()?;
    let range = header.strip_prefix("bytes=").unwrap_or(header);
    let end: u64 = range.strip_prefix("0-")?.trim().parse().ok()?;
    Some(if end == 0 { 0 } else { end.saturating_add(1) })
}

/// The digest computed here rules; a registry that has computed another has other bytes.
fn check_digest(response: &Response<Body>, expected: &Digest) -> Attempt<()> {
    let header = response.headers().get("docker-content-digest");
    let Some(said) = header.and_then(|value| value.to_str().ok()) else {
        return Ok(());
    };
    if said.parse::<Digest>().is_ok_and(|said| said == *expected) {
        return Ok(());
    }
    let said = super::escaped(said);
    let why = format!("digest mismatch: sent {expected}, stored as {said}");
    Err(Failure::Refused(Error::corrupt(why)))
}
