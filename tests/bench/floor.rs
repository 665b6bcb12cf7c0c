//! What a pull must cost whatever the program: the same bytes inflated, hashed and written, each
//! alone, on one core, in one process. `bench.py` divides pull and load by it.
//!
//! `floor DIRECTORY BLOB…` unpacks gzip-compressed layers below DIRECTORY and prints one line:
//! CPU seconds of inflate, hash (of both forms) and write (blobs and files), wall seconds of the
//! one syncfs(2) after them, and megabytes of both forms.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Instant;

use flate2::bufread::MultiGzDecoder;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::time::{ClockId, clock_gettime};
use sha2::{Digest as _, Sha256};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Bytes that one read, hash or write takes at most.
const CHUNK: usize = 256 << 10;

#[derive(Default)]
struct Floor {
    inflate: f64,
    hash: f64,
    write: f64,
    sync: f64,
    megabytes: [f64; 2],
}

fn main() -> Result<()> {
    let mut words = std::env::args_os().skip(1).map(PathBuf::from);
    let directory = words.next().ok_or("usage: floor DIRECTORY BLOB…")?;
    let mut floor = Floor::default();
    for (number, blob) in words.enumerate() {
        floor.layer(&fs::read(blob)?, &directory.join(format!("layer{number}")))?;
    }
    let start = Instant::now();
    rustix::fs::syncfs(File::open(&directory)?)?;
    floor.sync = start.elapsed().as_secs_f64();
    let Floor {
        inflate,
        hash,
        write,
        sync,
        megabytes: [compressed, plain],
    } = floor;
    let mut out = io::stdout();
    writeln!(
        out,
        "{inflate:.3} {hash:.3} {write:.3} {sync:.3} {compressed:.1} {plain:.1}"
    )?;
    Ok(())
}

impl Floor {
    fn layer(&mut self, blob: &[u8], target: &Path) -> Result<()> {
        let mut tar = Vec::new();
        let is_gzip = blob.starts_with(&[0x1f, 0x8b]);
        if is_gzip {
            // Into one small buffer: the page faults of a large one are not inflating.
            let sink = |_: &[u8]| ();
            self.inflate += cpu_seconds(|| inflate(blob, sink))?;
            inflate(blob, |bytes| tar.extend_from_slice(bytes))?;
        } else {
            tar.extend_from_slice(blob);
        }
        self.hash += cpu_seconds(|| {
            let forms: &[&[u8]] = if is_gzip { &[blob, &tar] } else { &[&tar] };
            for bytes in forms {
                let mut hasher = Sha256::new();
                bytes.chunks(CHUNK).for_each(|chunk| hasher.update(chunk));
                std::hint::black_box(hasher.finalize());
            }
            Ok(())
        })?;
        fs::create_dir(target)?;
        let kept = target.with_extension("blob");
        self.write += cpu_seconds(|| {
            if is_gzip {
                let mut file = File::create_new(&kept)?;
                for chunk in blob.chunks(CHUNK) {
                    file.write_all(chunk)?;
                }
            }
            unpack(&tar, target)
        })?;
        self.megabytes[0] += blob.len() as f64 / 1e6;
        self.megabytes[1] += tar.len() as f64 / 1e6;
        Ok(())
    }
}

fn inflate(blob: &[u8], mut take: impl FnMut(&[u8])) -> Result<()> {
    let mut decoder = MultiGzDecoder::new(blob);
    let mut buffer = vec![0; CHUNK];
    loop {
        match decoder.read(&mut buffer)? {
            0 => return Ok(()),
            count => take(&buffer[..count]),
        }
    }
}

/// What one layer must cost at least: a directory's descriptor is kept, each file is made, written,
/// dated and closed. Nothing is checked: this is not for archives of others.
fn unpack(tar: &[u8], target: &Path) -> Result<()> {
    let mut archive = tar::Archive::new(tar);
    let mut open: Option<(PathBuf, File)> = None;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            continue;
        };
        if open.as_ref().is_none_or(|(known, _)| known != parent) {
            fs::create_dir_all(target.join(parent))?;
            open = Some((parent.to_owned(), File::open(target.join(parent))?));
        }
        let Some((_, dir)) = &open else { continue };
        let mode = Mode::from_raw_mode(entry.header().mode()? & 0o777);
        match entry.header().entry_type() {
            tar::EntryType::Regular => {
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                let file = rustix::fs::openat(dir, name, flags, mode)?;
                let start = usize::try_from(entry.raw_file_position())?;
                let bytes = &tar[start..start + usize::try_from(entry.size())?];
                for chunk in bytes.chunks(CHUNK) {
                    rustix::io::write(&file, chunk)?;
                }
                date(file, entry.header().mtime()?)?;
            }
            // A later layer of the same tree may name a directory again.
            tar::EntryType::Directory => drop(rustix::fs::mkdirat(dir, name, mode)),
            tar::EntryType::Symlink => {
                let to = entry.link_name()?.ok_or("a link without a target")?;
                rustix::fs::symlinkat(&*to, dir, name)?;
            }
            tar::EntryType::Link => {
                let to = entry.link_name()?.ok_or("a link without a target")?;
                let to = target.join(to);
                rustix::fs::linkat(CWD, &to, dir, name, AtFlags::empty())?;
            }
            _ => {}
        }
        io::copy(&mut entry, &mut io::sink())?;
    }
    Ok(())
}

fn date(file: impl AsFd, seconds: u64) -> Result<()> {
    let at = |tv_sec, tv_nsec| Timespec { tv_sec, tv_nsec };
    let times = Timestamps {
        last_access: at(0, UTIME_OMIT),
        last_modification: at(i64::try_from(seconds)?, 0),
    };
    Ok(rustix::fs::futimens(file, &times)?)
}

fn cpu_seconds(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let now = || {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    };
    let start = now();
    work()?;
    Ok(now() - start)
}
