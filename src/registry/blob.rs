//! Reading one blob over as many connections as it takes.
//!
//! The reader continues where the bytes already handed out end, by `Range`. A server that ignores
//! the range, or answers with another one, is detected and the bytes before are skipped; whether
//! the whole is right, only the digest decides.

use std::io::Read;

use ureq::http::Response;
use ureq::{Body, BodyReader};

use super::client::{Repository, retry_after};
use super::failure::{Direction, Failure};
use crate::base::Digest;
use crate::error::{Error, Result};

/// This much progress makes a new failure count as the first one again.
const PROGRESS: u64 = 1 << 20;

/// A blob being downloaded.
pub struct BlobReader<'a> {
    repository: &'a Repository<'a>,
    digest: Digest,
    size: u64,
    offset: u64,
    body: Option<BodyReader<'static>>,
    pub(super) endpoint: usize,
    retries: u32,
    /// The offset at which `retries` was last reset.
    progress: u64,
    /// A partial answer was wrong: ask for the whole from now on.
    whole_only: bool,
}

impl<'a> BlobReader<'a> {
    pub(super) fn new(
        repository: &'a Repository<'a>,
        digest: Digest,
        size: u64,
        offset: u64,
    ) -> Self {
        BlobReader {
            repository,
            digest,
            size,
            offset,
            body: None,
            endpoint: 0,
            retries: 0,
            progress: offset,
            whole_only: false,
        }
    }

    /// Reads the next bytes; 0 at the end of the blob. Never hands out more than `size` bytes.
    pub fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize> {
        while self.offset < self.size {
            if self.body.is_none()
                && let Err(failure) = self.open()
            {
                self.pause(failure)?;
                continue;
            }
            let Some(body) = &mut self.body else { continue };
            let left = usize::try_from(self.size - self.offset).unwrap_or(usize::MAX);
            let want = buffer.len().min(left);
            match body.read(&mut buffer[..want]) {
                Ok(0) => self.pause(broken("the connection ended early"))?,
                Ok(count) => {
                    self.offset += count as u64;
                    return Ok(count);
                }
                Err(error) => self.pause(Failure::Transport(ureq::Error::Io(error)))?,
            }
        }
        self.check_end()?;
        Ok(0)
    }

    fn open(&mut self) -> std::result::Result<(), Failure> {
        let from = if self.whole_only { 0 } else { self.offset };
        let response = self
            .repository
            .open_blob(self.endpoint, &self.digest, from)?;
        let start = match response.status().as_u16() {
            206 => range_start(&response),
            _ => Some(0),
        };
        let is_usable = start == Some(from) || start == Some(0);
        if !is_usable {
            self.whole_only = true;
            return Err(broken("the server sent another range than asked for"));
        }
        let start = start.unwrap_or(0);
        let length = response.body().content_length();
        let announced = length.map(|length| start.saturating_add(length));
        if let Some(announced) = announced.filter(|announced| *announced != self.size) {
            let why = format!(
                "blob {}: {announced} bytes announced where the manifest says {}",
                self.digest, self.size
            );
            return Err(Failure::Refused(Error::corrupt(why)));
        }
        let mut body = response.into_body().into_reader();
        let skip = self.offset - start;
        let skipped = std::io::copy(&mut body.by_ref().take(skip), &mut std::io::sink())
            .map_err(|error| Failure::Transport(ureq::Error::Io(error)))?;
        if skipped != skip {
            return Err(broken("the connection ended early"));
        }
        self.body = Some(body);
        Ok(())
    }

    /// After a failure: waits for the next attempt, or gives up.
    fn pause(&mut self, failure: Failure) -> Result<()> {
        self.body = None;
        if self.offset - self.progress >= PROGRESS {
            self.progress = self.offset;
            self.retries = 0;
        }
        let more_endpoints = self.endpoint + 1 < self.repository.endpoint_count();
        if more_endpoints {
            self.endpoint += 1;
            return Ok(());
        }
        // A refused connection in the middle of a transfer is a restart of the server.
        let restarted = self.offset > 0 && matches!(failure, Failure::Transport(_));
        if self.retries >= self.repository.client.pace.retries
            || !(failure.is_temporary() || restarted)
        {
            let what = format!("blob {}", self.digest);
            return Err(failure.into_error(Direction::Pull, &what, &self.repository.host));
        }
        let pace = self.repository.client.pace;
        std::thread::sleep(pace.wait(self.retries, retry_after(&failure)));
        self.retries += 1;
        Ok(())
    }

    /// All bytes are here; one more means the server sends something else than was described.
    fn check_end(&mut self) -> Result<()> {
        let Some(mut body) = self.body.take() else {
            return Ok(());
        };
        match body.read(&mut [0]) {
            Ok(1..) => Err(Error::corrupt(format!(
                "blob {}: longer than the {} bytes of the manifest",
                self.digest, self.size
            ))),
            // Nothing is missing, so how the connection ends does not matter.
            Ok(0) | Err(_) => Ok(()),
        }
    }
}

fn broken(why: &'static str) -> Failure {
    let error = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, why);
    Failure::Transport(ureq::Error::Io(error))
}

/// The first byte of a partial answer (`Content-Range: bytes 5-9/10`).
fn range_start(response: &Response<Body>) -> Option<u64> {
    let header = response.headers().get("content-range")?.to_str().ok()?;
    header
        .strip_prefix("bytes ")?
        .split('-')
        .next()?
        .parse()
        .ok()
}
