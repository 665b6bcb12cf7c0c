//! One request on its way out: what it asks for, and bytes that can be sent again.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// What may be asked of a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Patch,
    Put,
}

impl Method {
    /// The word in the request.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Patch => "PATCH",
            Method::Put => "PUT",
        }
    }

    /// Changes nothing, so it may be led elsewhere by a redirect.
    pub fn is_reading(self) -> bool {
        matches!(self, Method::Get | Method::Head)
    }

    /// Whether this status is a success.
    pub fn accepts(self, code: u16) -> bool {
        match self {
            Method::Get => matches!(code, 200 | 204 | 206),
            Method::Head => code == 200,
            _ => matches!(code, 200..=204),
        }
    }
}

/// The body of a request. A request may be sent twice, when its token has expired.
#[derive(Clone, Copy)]
pub enum Payload<'a> {
    /// None, and none is announced.
    None,
    /// These bytes.
    Bytes(&'a [u8]),
    /// A part of a file.
    Part {
        file: &'a File,
        from: u64,
        length: u64,
        /// Is told how far into the file it was read.
        report: &'a (dyn Fn(u64) + Sync),
    },
}

impl<'a> Payload<'a> {
    /// The length to announce.
    pub fn length(&self) -> Option<u64> {
        match self {
            Payload::None => None,
            Payload::Bytes(bytes) => Some(bytes.len() as u64),
            Payload::Part { length, .. } => Some(*length),
        }
    }

    /// The bytes from the start.
    pub fn reader(self) -> Box<dyn Read + 'a> {
        match self {
            Payload::None => Box::new(io::empty()),
            Payload::Bytes(bytes) => Box::new(bytes),
            Payload::Part {
                file,
                from,
                length,
                report,
            } => Box::new(Part {
                file,
                at: from,
                end: from + length,
                report,
            }),
        }
    }
}

/// A request below `/v2/` of an endpoint.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    pub method: Method,
    /// Below `/v2/`.
    pub path: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub payload: Payload<'a>,
}

impl<'a> Outgoing<'a> {
    /// A request that changes nothing.
    pub fn get(path: &'a str, headers: &'a [(&'a str, &'a str)]) -> Self {
        Outgoing {
            method: Method::Get,
            path,
            headers,
            payload: Payload::None,
        }
    }
}

/// Reads by position, so that threads and repetitions share the file.
struct Part<'a> {
    file: &'a File,
    at: u64,
    end: u64,
    report: &'a (dyn Fn(u64) + Sync),
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let want = buffer.len().min(left);
        if want == 0 {
            return Ok(0);
        }
        let count = self.file.read_at(&mut buffer[..want], self.at)?;
        if count == 0 {
            let why = "the file to be sent has become shorter";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
        }
        self.at += count as u64;
        (self.report)(self.at);
        Ok(count)
    }
}
