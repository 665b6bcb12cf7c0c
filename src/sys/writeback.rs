//! Writing to disk while there is still work to do: what is on its way already, a later sync need
//! not wait for.

#![allow(
    unsafe_code,
    reason = "sync_file_range(2) has no safe wrapper in our crates"
)]

use std::os::fd::{AsFd, AsRawFd};

/// Asks the kernel to start writing these bytes of the file, and does not wait for them.
///
/// Must not: be taken for durability. It writes neither sizes nor names, and flushes no disk's
/// cache (sync_file_range(2), WARNING); only the sync before publishing does.
pub fn start(file: impl AsFd, offset: u64, length: u64) {
    let (Ok(offset), Ok(length)) = (i64::try_from(offset), i64::try_from(length)) else {
        return;
    };
    let fd = file.as_fd().as_raw_fd();
    // SAFETY: sync_file_range(2) takes a descriptor, open for the length of the borrow, and
    // numbers. Only a saving: where a file system refuses, the sync writes everything.
    let _ = unsafe { libc::sync_file_range(fd, offset, length, libc::SYNC_FILE_RANGE_WRITE) };
}
