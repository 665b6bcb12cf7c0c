//! One pass over a layer: bytes come from the registry or an archive, go to the store's partial
//! blob file and its hash, and on to inflating and unpacking, all at the same time.
//!
//! Three threads work on a layer: one receives, keeps and hashes the compressed bytes, one inflates
//! them, one hashes the result and writes the files ([`crate::store::extract`]'s). Buffers go round
//! between them, so a layer takes the same memory however long it is, and two cores have work even
//! when an image is one layer.
//!
//! Bytes that an interrupted pull left behind are read from disk first. Nothing is visible to
//! others before both digests, of the blob and of what it unpacks to, were compared.

use std::fs::File;
use std::io::{self, Read};

use super::manifest::Descriptor;
use super::progress::{Extracting, LayerEvent, Meter, Progress};
use crate::base::DiffId;
use crate::error::{Context, Error, Kind, Result};
use crate::store::{Limits, PartialBlob, Stage, UnpackedLayer, decompress, read_ahead};

/// Where the bytes of a blob after an offset come from; 0 bytes mean the end.
pub type More<'a> = Box<dyn FnMut(&mut [u8]) -> Result<usize> + Send + 'a>;

/// The result of one attempt.
enum Attempt {
    Done(UnpackedLayer),
    /// The bytes are not those the manifest names: worth one more attempt from the start.
    WrongBytes(Error),
    Failed(Error),
}

/// Receives and unpacks one layer, and checks both of its digests.
pub fn receive_layer<'a>(
    stage: &Stage,
    layer: &Descriptor,
    diff_id: &DiffId,
    progress: &dyn Progress,
    more: impl Fn(u64) -> Result<More<'a>>,
) -> Result<UnpackedLayer> {
    let subject = || format!("layer {}", layer.digest);
    let mut attempt = receive_once(stage, layer, progress, &more);
    if let Attempt::WrongBytes(_) = attempt {
        attempt = receive_once(stage, layer, progress, &more);
    }
    match attempt {
        Attempt::Done(unpacked) => {
            unpacked.expect_diff_id(diff_id).context(subject)?;
            progress.layer(&layer.digest, LayerEvent::Complete);
            Ok(unpacked)
        }
        Attempt::WrongBytes(error) | Attempt::Failed(error) => Err(error).context(subject),
    }
}

fn receive_once<'a>(
    stage: &Stage,
    layer: &Descriptor,
    progress: &dyn Progress,
    more: &impl Fn(u64) -> Result<More<'a>>,
) -> Attempt {
    let opened = stage.blob_file(&layer.digest).and_then(|mut partial| {
        if !partial.is_complete() && partial.length() >= layer.size {
            partial.restart()?;
        }
        let file = partial.reader()?;
        Ok((partial, file))
    });
    let (mut partial, file) = match opened {
        Ok(opened) => opened,
        Err(error) => return Attempt::Failed(error),
    };
    if partial.is_complete() {
        let file = Extracting::new(file, layer.digest, layer.size, progress);
        let unpacked = decompress(file).and_then(|tar| unpack(stage, tar));
        return finish(unpacked.and_then(|layer| partial.commit().map(|()| layer)));
    }
    let have = partial.length();
    let rest = match more(have) {
        Ok(rest) => rest,
        Err(error) => return Attempt::Failed(error),
    };
    let mut feed = Feed {
        existing: file.take(have),
        rest,
        partial: &mut partial,
        failure: None,
        layer,
        progress,
        meter: Meter::default(),
        ended: false,
    };
    feed.report();
    let unpacked = read_ahead(&mut feed, |ahead| {
        decompress(ahead.into_reader()).and_then(|tar| unpack(stage, tar))
    });
    // Damaged content is told from damaged transport by the digest over all bytes.
    if unpacked
        .as_ref()
        .map_or_else(Error::kind, |_| Kind::Corrupt)
        == Kind::Corrupt
    {
        // A failure is kept in the feed.
        let _ = io::copy(&mut feed, &mut io::sink());
    }
    if let Some(error) = feed.failure.take() {
        return match error.kind() {
            Kind::Corrupt => match partial.restart() {
                Ok(()) => Attempt::WrongBytes(error),
                Err(restart) => Attempt::Failed(restart),
            },
            _ => Attempt::Failed(error),
        };
    }
    if partial.length() == layer.size
        && let Err(error) = partial.commit()
    {
        return Attempt::WrongBytes(error);
    }
    finish(unpacked)
}

fn unpack(stage: &Stage, tar: Box<dyn Read + Send + '_>) -> Result<UnpackedLayer> {
    stage.unpack_layer(tar, &Limits::default())
}

fn finish(unpacked: Result<UnpackedLayer>) -> Attempt {
    match unpacked {
        Ok(unpacked) => Attempt::Done(unpacked),
        Err(error) => Attempt::Failed(error),
    }
}

/// The reader that does the first three things at once.
struct Feed<'a, 'b> {
    existing: io::Take<File>,
    rest: More<'b>,
    partial: &'a mut PartialBlob,
    /// What ended the stream: [`Read`] cannot carry hull's error with its kind and hint.
    failure: Option<Error>,
    layer: &'a Descriptor,
    progress: &'a dyn Progress,
    meter: Meter,
    /// The end was seen: readers ask for it more than once.
    ended: bool,
}

impl Feed<'_, '_> {
    fn tell(&self, event: LayerEvent) {
        self.progress.layer(&self.layer.digest, event);
    }

    fn report(&self) {
        self.tell(LayerEvent::Downloading {
            bytes: self.meter.bytes,
            total: self.layer.size,
        });
    }

    /// Tells what the digest says of the bytes; acting upon it is [`PartialBlob::commit`]'s.
    fn report_end(&self) {
        self.tell(LayerEvent::Verifying);
        if self.partial.matches() {
            let (bytes, total) = (self.layer.size, self.layer.size);
            self.tell(LayerEvent::Downloaded);
            self.tell(LayerEvent::Extracting { bytes, total });
        }
    }

    fn read_rest(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = (self.rest)(buffer)?;
        if count > 0 {
            self.partial.append(&buffer[..count])?;
            return Ok(count);
        }
        let seen = self.meter.bytes;
        if seen != self.layer.size {
            return Err(Error::corrupt(format!(
                "ends after {seen} of {} bytes",
                self.layer.size
            )));
        }
        self.ended = true;
        self.report_end();
        Ok(0)
    }
}

impl Read for Feed<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.ended || self.failure.is_some() {
            return Ok(0);
        }
        let mut count = self.existing.read(buffer)?;
        if count == 0 {
            count = self.read_rest(buffer).map_err(|error| {
                let text = error.to_string();
                self.failure = Some(error);
                io::Error::other(text)
            })?;
        }
        if count > 0 && (self.meter.add(count) || self.meter.bytes == self.layer.size) {
            self.report();
        }
        Ok(count)
    }
}
