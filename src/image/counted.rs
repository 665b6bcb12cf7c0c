//! A reader that counts.

use std::io::Read;

/// Counts the bytes of a tar on their way.
pub(super) struct Counted<'a, R> {
    pub inner: R,
    pub count: &'a mut u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        *self.count += count as u64;
        Ok(count)
    }
}
