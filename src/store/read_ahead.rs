//! Reading in a thread of its own: inflating runs beside parsing and writing.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Size of one buffer; large enough that most files are one buffer and one write(2).
pub(super) const BUFFER_BYTES: usize = 256 << 10;
/// Buffers in flight. The memory bound of a pipe is this times [`BUFFER_BYTES`].
const BUFFERS: usize = 4;

/// What the reading thread hands over: a filled buffer, or the error that ended the stream.
type Filled = io::Result<Vec<u8>>;

/// The consuming end: whole buffers, each seen once. An empty one means the end.
pub struct Ahead {
    filled: Receiver<Filled>,
    empty: SyncSender<Vec<u8>>,
}

impl Ahead {
    /// The next buffer in exchange for the last one; empty at the end of the stream.
    pub(super) fn exchange(&mut self, used: Vec<u8>) -> io::Result<Vec<u8>> {
        // The reader may have ended already; then nobody needs the buffer back.
        let _ = self.empty.try_send(used);
        match self.filled.recv() {
            Ok(filled) => filled,
            Err(_) => Ok(Vec::new()),
        }
    }
}

impl Ahead {
    /// The same bytes as an ordinary reader.
    pub fn into_reader(self) -> impl Read + Send {
        AheadReader {
            ahead: self,
            buffer: Vec::new(),
            at: 0,
        }
    }
}

struct AheadReader {
    ahead: Ahead,
    buffer: Vec<u8>,
    at: usize,
}

impl Read for AheadReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.buffer.len() {
            let used = std::mem::take(&mut self.buffer);
            self.at = 0;
            self.buffer = self.ahead.exchange(used)?;
        }
        let count = buffer.len().min(self.buffer.len() - self.at);
        buffer[..count].copy_from_slice(&self.buffer[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// Runs `work` here while another thread reads `source` ahead of it. When `work` returns early, the
/// reader stops at the end of its current read.
pub fn read_ahead<T>(source: impl Read + Send, work: impl FnOnce(Ahead) -> T) -> T {
    let (filled_sender, filled) = sync_channel(BUFFERS - 2);
    let (empty, empty_receiver) = sync_channel(BUFFERS);
    std::thread::scope(|scope| {
        scope.spawn(move || fill(source, &filled_sender, &empty_receiver));
        work(Ahead { filled, empty })
    })
}

fn fill(mut source: impl Read, filled: &SyncSender<Filled>, empty: &Receiver<Vec<u8>>) {
    loop {
        let mut buffer = empty.try_recv().unwrap_or_default();
        let outcome = fill_buffer(&mut source, &mut buffer).map(|()| buffer);
        let last = outcome.as_ref().map_or(true, Vec::is_empty);
        if filled.send(outcome).is_err() || last {
            return;
        }
    }
}

/// Fills the buffer as far as the stream goes.
fn fill_buffer(source: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<()> {
    buffer.resize(BUFFER_BYTES, 0);
    let mut length = 0;
    while length < BUFFER_BYTES {
        match source.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(length);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(source: impl Read + Send) -> io::Result<Vec<u8>> {
        read_ahead(source, |mut ahead| {
            let mut all = Vec::new();
            let mut buffer = Vec::new();
            loop {
                buffer = ahead.exchange(buffer)?;
                if buffer.is_empty() {
                    return Ok(all);
                }
                all.extend_from_slice(&buffer);
            }
        })
    }

    #[test]
    fn every_byte_arrives_in_order() {
        let bytes: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8).collect();
        assert_eq!(collect(&bytes[..]).expect("reads"), bytes);
        assert_eq!(collect(&b""[..]).expect("reads"), b"");
    }

    #[test]
    fn a_reader_of_what_was_read_ahead_gives_the_same_bytes() {
        let bytes: Vec<u8> = (0..700_001u32).map(|i| (i % 251) as u8).collect();
        let mut all = Vec::new();
        let copied = read_ahead(&bytes[..], |ahead| {
            io::copy(&mut ahead.into_reader(), &mut all)
        });
        assert_eq!(copied.expect("reads"), 700_001);
        assert_eq!(all, bytes);
    }

    #[test]
    fn an_early_end_of_work_does_not_hang() {
        read_ahead(io::repeat(0), |_| ());
    }
}
