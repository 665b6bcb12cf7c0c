//! Headers and their extensions become one [`Entry`] each.

use super::header::{Header, ambiguous};
use super::pax::{self, Pax};
use super::show;
use super::source::{BLOCK, Source, truncated};
use super::sparse::{self, Segment};
use crate::error::{Context, Error, Result};

/// One extended header (PAX or GNU long name) may have this many bytes.
const EXTENSION_LIMIT: u64 = 1 << 20;
/// Extended headers in front of one entry: a long name, a long link, PAX, global PAX.
const MAX_EXTENSIONS: usize = 8;
/// (uid_t)-1 means "no change" to chown(2).
const NO_ID: u64 = u32::MAX as u64;

/// What an entry makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum EntryKind {
    File,
    HardLink,
    Symlink,
    Directory,
    Fifo,
    Character(u32, u32),
    Block(u32, u32),
}

/// One archive entry. Its data follows in [`Reader::data`].
#[derive(Debug)]
pub(in crate::store) struct Entry {
    pub kind: EntryKind,
    pub path: Vec<u8>,
    pub link: Vec<u8>,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub mtime: (i64, u32),
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Size of the file, holes included.
    pub size: u64,
    /// Where its data goes, if it has holes.
    pub segments: Option<Vec<Segment>>,
}

/// A tar stream, entry by entry.
pub(in crate::store) struct Reader {
    source: Source,
    /// Data of the current entry not yet read, and padding after it.
    remaining: u64,
    padding: u64,
}

#[derive(Default)]
struct Extensions {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax: Option<Pax>,
    count: usize,
}

impl Reader {
    pub(in crate::store) fn new(source: Source) -> Reader {
        Reader {
            source,
            remaining: 0,
            padding: 0,
        }
    }

    /// The next entry, `None` at the end of the archive.
    pub(in crate::store) fn next_entry(&mut self) -> Result<Option<Entry>> {
        self.source.skip(self.remaining)?;
        self.source.skip(self.padding)?;
        (self.remaining, self.padding) = (0, 0);
        let mut extensions = Extensions::default();
        loop {
            let Some(header) = self.next_header()? else {
                if extensions.count > 0 {
                    return Err(truncated());
                }
                return Ok(None);
            };
            let name = show(&header.name);
            let is_extension = matches!(header.kind, b'L' | b'K' | b'x' | b'g');
            if is_extension {
                self.read_extension(&header, &mut extensions)
                    .context(|| format!("extended header {name}"))?;
                continue;
            }
            let entry = self.entry(header, extensions);
            return entry.map(Some).context(|| format!("entry {name}"));
        }
    }

    /// More of the current entry's data; empty after its end.
    pub(in crate::store) fn data(&mut self, max: u64) -> Result<&[u8]> {
        let max = usize::try_from(self.remaining.min(max)).unwrap_or(usize::MAX);
        if max == 0 {
            return Ok(&[]);
        }
        let bytes = self.source.peek(max)?;
        if bytes.is_empty() {
            return Err(truncated());
        }
        Ok(bytes)
    }

    /// Marks bytes of the last `data` as read.
    pub(in crate::store) fn consume(&mut self, count: usize) {
        self.source.consume(count);
        self.remaining -= count as u64;
    }

    /// The rest of the stream after the archive's end.
    pub(in crate::store) fn into_source(self) -> Source {
        self.source
    }

    /// Two zero blocks, or the end of the stream in place of them, end an archive.
    fn next_header(&mut self) -> Result<Option<Header>> {
        let Some(block) = self.source.block()? else {
            return Ok(None);
        };
        if block != [0; BLOCK] {
            return Header::parse(block).map(Some);
        }
        match self.source.block()? {
            Some(second) if second != [0; BLOCK] => Err(ambiguous("a single zero block")),
            _ => Ok(None),
        }
    }

    fn read_extension(&mut self, header: &Header, extensions: &mut Extensions) -> Result<()> {
        extensions.count += 1;
        if extensions.count > MAX_EXTENSIONS {
            return Err(Error::invalid("too many extended headers in a row"));
        }
        if header.size > EXTENSION_LIMIT {
            return Err(Error::invalid(format!(
                "it has {} bytes, more than {EXTENSION_LIMIT}",
                header.size
            )));
        }
        let bytes = self.source.bytes(header.size as usize)?;
        self.source.skip(padding_after(header.size))?;
        match header.kind {
            b'g' => pax::check_global(&bytes),
            b'x' => once(&mut extensions.pax, Pax::parse(&bytes)?),
            b'L' => once(&mut extensions.name, long_name(&bytes)?),
            _ => once(&mut extensions.link, long_name(&bytes)?),
        }
    }

    fn entry(&mut self, header: Header, extensions: Extensions) -> Result<Entry> {
        let mut pax = extensions.pax.unwrap_or_default();
        let stored = pax.size.unwrap_or(header.size);
        let real_size = sparse::pax_real_size(&pax)?;
        let mut path =
            agree(extensions.name, pax.path.take())?.unwrap_or_else(|| header.name.clone());
        if real_size.is_some() {
            path = pax.sparse_name.take().unwrap_or(path);
        }
        let link = agree(extensions.link, pax.link.take())?.unwrap_or_else(|| header.link.clone());
        let kind = kind_of(&header, &path)?;
        if kind != EntryKind::File && (stored != 0 || real_size.is_some()) {
            return Err(ambiguous("data in an entry that has none"));
        }
        let mut entry = Entry {
            kind,
            path,
            link,
            mode: header.mode,
            uid: id(pax.uid.unwrap_or(header.uid), "uid")?,
            gid: id(pax.gid.unwrap_or(header.gid), "gid")?,
            mtime: pax.mtime.unwrap_or((header.mtime, 0)),
            xattrs: std::mem::take(&mut pax.xattrs),
            size: stored,
            segments: None,
        };
        self.remaining = stored;
        self.padding = padding_after(stored);
        if header.kind == b'S' {
            let (segments, size) = sparse::read_gnu_map(&mut self.source, &header.block)?;
            sparse::check(&segments, stored, size)?;
            (entry.segments, entry.size) = (Some(segments), size);
        } else if let Some(size) = real_size {
            let (segments, taken) = sparse::read_pax_map(&mut self.source, stored)?;
            self.remaining -= taken;
            sparse::check(&segments, self.remaining, size)?;
            (entry.segments, entry.size) = (Some(segments), size);
        }
        Ok(entry)
    }
}

fn padding_after(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<()> {
    if slot.replace(value).is_some() {
        return Err(ambiguous("two extended headers of one kind"));
    }
    Ok(())
}

/// A GNU long name: text, NUL, nothing else.
fn long_name(bytes: &[u8]) -> Result<Vec<u8>> {
    let name = super::header::until_nul(bytes);
    if name.is_empty() || bytes[name.len()..].iter().any(|byte| *byte != 0) {
        return Err(ambiguous("a long name is empty or contains NUL"));
    }
    Ok(name.to_vec())
}

/// GNU and PAX extensions may both name the entry, if they say the same.
fn agree(gnu: Option<Vec<u8>>, pax: Option<Vec<u8>>) -> Result<Option<Vec<u8>>> {
    match (gnu, pax) {
        (Some(gnu), Some(pax)) if gnu != pax => {
            Err(ambiguous("GNU and PAX headers give different names"))
        }
        (gnu, pax) => Ok(pax.or(gnu)),
    }
}

fn kind_of(header: &Header, path: &[u8]) -> Result<EntryKind> {
    let slash = path.ends_with(b"/");
    Ok(match header.kind {
        // Before POSIX a trailing slash was what made a directory.
        0 if slash => EntryKind::Directory,
        b'0' | b'7' | b'S' if slash => {
            return Err(ambiguous("a regular file with a trailing slash"));
        }
        0 | b'0' | b'7' | b'S' => EntryKind::File,
        b'1' => EntryKind::HardLink,
        b'2' => EntryKind::Symlink,
        b'3' => {
            let (major, minor) = header.device()?;
            EntryKind::Character(major, minor)
        }
        b'4' => {
            let (major, minor) = header.device()?;
            EntryKind::Block(major, minor)
        }
        b'5' => EntryKind::Directory,
        b'6' => EntryKind::Fifo,
        other => {
            let shown = [other].escape_ascii().to_string();
            return Err(Error::unsupported(format!(
                "unknown tar entry type '{shown}'"
            )));
        }
    })
}

fn id(value: u64, name: &str) -> Result<u32> {
    if value >= NO_ID {
        return Err(Error::invalid(format!("{name} {value} is out of range")));
    }
    Ok(value as u32)
}
