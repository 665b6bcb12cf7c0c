//! The bytes of a file, by the shortest way the kernel offers: shared blocks or a copy inside the
//! kernel where it can, holes stay holes.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::SeekFrom;
use rustix::io::Errno;

/// Files up to this size are one read(2) and one write(2).
const SMALL: u64 = 128 << 10;

/// Copies `size` bytes of `source`, whose blocks hold `stored` bytes, to the empty file `target`.
/// A source that has become shorter meanwhile gives a target that ends in a hole: what is copied
/// has the size that was announced, and a file that grows for ever is copied all the same.
pub fn copy(
    source: BorrowedFd<'_>,
    target: BorrowedFd<'_>,
    size: u64,
    stored: u64,
    buffer: &mut Vec<u8>,
) -> rustix::io::Result<()> {
    buffer.resize(SMALL as usize, 0);
    let mut way = if size <= SMALL {
        Way::Buffer
    } else {
        Way::Range
    };
    if stored >= size {
        way.copy(source, target, 0, size, buffer)?;
    } else {
        let mut at = 0;
        while let Some((start, end)) = next_data(source, at, size)? {
            way.copy(source, target, start, end, buffer)?;
            at = end;
        }
    }
    let written = rustix::fs::fstat(target)?.st_size;
    if u64::try_from(written).unwrap_or(0) != size {
        rustix::fs::ftruncate(target, size)?;
    }
    Ok(())
}

/// The next run of data from `at` on, if there is one below `size`.
fn next_data(file: BorrowedFd<'_>, at: u64, size: u64) -> rustix::io::Result<Option<(u64, u64)>> {
    if at >= size {
        return Ok(None);
    }
    let start = match rustix::fs::seek(file, SeekFrom::Data(at)) {
        Ok(start) => start,
        // Nothing but a hole up to the end.
        Err(Errno::NXIO) => return Ok(None),
        // A file system that knows no holes.
        Err(Errno::INVAL) => return Ok(Some((at, size))),
        Err(errno) => return Err(errno),
    };
    let end = match rustix::fs::seek(file, SeekFrom::Hole(start)) {
        Ok(end) => end,
        Err(Errno::NXIO) => return Ok(None),
        Err(errno) => return Err(errno),
    };
    Ok((start < size).then(|| (start, end.min(size))))
}

/// How bytes go from file to file; the next one is taken when the kernel refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// copy_file_range(2): shares blocks on file systems that can.
    Range,
    /// sendfile(2): also between file systems.
    Send,
    /// Through our memory.
    Buffer,
}

impl Way {
    fn copy(
        &mut self,
        source: BorrowedFd<'_>,
        target: BorrowedFd<'_>,
        mut at: u64,
        end: u64,
        buffer: &mut [u8],
    ) -> rustix::io::Result<()> {
        while at < end {
            match self.step(source, target, at, end - at, buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => at += count,
                Err(Errno::INTR) => {}
                Err(
                    Errno::XDEV
                    | Errno::INVAL
                    | Errno::NOSYS
                    | Errno::OPNOTSUPP
                    | Errno::PERM
                    | Errno::BADF,
                ) if *self != Way::Buffer => {
                    *self = match self {
                        Way::Range => Way::Send,
                        _ => Way::Buffer,
                    };
                }
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    fn step(
        self,
        source: BorrowedFd<'_>,
        target: BorrowedFd<'_>,
        at: u64,
        count: u64,
        buffer: &mut [u8],
    ) -> rustix::io::Result<u64> {
        // The most that one call moves (MAX_RW_COUNT), rounded down.
        let most = usize::try_from(count.min(1 << 30)).unwrap_or(1 << 30);
        match self {
            Way::Range => {
                let (mut from, mut to) = (at, at);
                let moved = rustix::fs::copy_file_range(
                    source.as_fd(),
                    Some(&mut from),
                    target.as_fd(),
                    Some(&mut to),
                    most,
                )?;
                Ok(moved as u64)
            }
            Way::Send => {
                rustix::fs::seek(target, SeekFrom::Start(at))?;
                let mut from = at;
                let moved = rustix::fs::sendfile(target, source, Some(&mut from), most)?;
                Ok(moved as u64)
            }
            Way::Buffer => {
                let most = most.min(buffer.len());
                let read = rustix::io::pread(source, &mut buffer[..most], at)?;
                let mut written = 0;
                while written < read {
                    let at = at + written as u64;
                    written += rustix::io::pwrite(target, &buffer[written..read], at)?;
                }
                Ok(read as u64)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write as _;
    use std::os::unix::fs::{FileExt as _, MetadataExt as _};

    fn file(name: &str) -> File {
        let path = std::env::temp_dir().join(format!("hull-copy-{name}-{}", std::process::id()));
        let mut options = File::options();
        let file = options.create(true).truncate(true).read(true).write(true);
        let file = file.open(&path).expect("made");
        std::fs::remove_file(path).expect("removed");
        file
    }

    #[test]
    fn every_way_copies_every_byte_and_no_hole() {
        for size in [0, 1, 4096, SMALL, SMALL + 1, 3 << 20] {
            let bytes: Vec<u8> = (0..size).map(|index| (index % 251) as u8).collect();
            let mut source = file("source");
            source.write_all(&bytes).expect("written");
            for way in [Way::Range, Way::Send, Way::Buffer] {
                let target = file("target");
                let mut buffer = vec![0; 4096];
                let mut chosen = way;
                chosen
                    .copy(source.as_fd(), target.as_fd(), 0, size, &mut buffer)
                    .expect("copies");
                let mut read = vec![0; bytes.len()];
                target.read_exact_at(&mut read, 0).expect("is there");
                assert!(read == bytes, "{way:?} {size}");
            }
        }
        let source = file("holes");
        source.set_len(1 << 33).expect("grows");
        source.write_all_at(b"end", (1 << 33) - 3).expect("written");
        let target = file("holes-target");
        let stat = source.metadata().expect("stat");
        let stored = stat.blocks() * 512;
        copy(
            source.as_fd(),
            target.as_fd(),
            1 << 33,
            stored,
            &mut Vec::new(),
        )
        .expect("copies");
        let copied = target.metadata().expect("stat");
        assert_eq!(copied.len(), 1 << 33);
        assert!(copied.blocks() * 512 < 1 << 20, "{}", copied.blocks());
    }
}
