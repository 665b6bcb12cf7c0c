//! How the tar of a layer is put together again, byte for byte, from its unpacked files.
//!
//! Other tools order entries, pad them and write times as they please, so [`super::Pack`] does not
//! give their tars back. A recipe keeps what is not in the files: headers, extension records and
//! padding, as they were, and in place of each file's content its name and length. It is noted
//! while the tar passes on its way to be unpacked, compressed, and kept beside the layer: a few
//! percent of it, where the tar would double it.
//!
//! Nothing is believed: names are opened beneath the layer, and whoever reads the tar to its end
//! compares its digest. What the recorder does not understand it keeps literally; the only harm of
//! a misread header is a layer that cannot be saved.
//!
//! Format, inside one zstd frame: `0 length:u32 bytes` is literal, `1 size:u64 length:u32 path` the
//! content of a file. Numbers are little-endian.

use std::collections::HashSet;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};

use sha2::{Digest as _, Sha256};

use super::atomic::{self, Durable};
use super::layers::{LAYERS, LayerKey, chain_ids};
use super::pack::{Form, Pack, plainly};
use super::read_ahead::BUFFER_BYTES;
use super::{Limits, Stage, UnpackedLayer};
use crate::base::{DiffId, Digest};
use crate::error::{Context, Error, Result};

/// Its name beside `layer.json`.
const FILE: &str = "tar.recipe";
const BLOCK: usize = 512;
/// A name or a set of PAX records that is looked into.
const MAX_EXTENSION: u64 = 1 << 20;
/// A recipe that has more of its own than this (compressed) is none: the tar itself is better.
const MAX_BYTES: usize = 64 << 20;
/// Literal bytes between two contents, on reading.
const MAX_LITERAL: u32 = 1 << 20;
/// The longest path.
const MAX_PATH: u32 = 1 << 20;

const LITERAL: u8 = 0;
const CONTENT: u8 = 1;

/// Whether the tar of an unpacked layer can be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remade {
    /// From the layer and its recipe.
    Yes,
    /// Something of it is in no file: the tar itself has to be kept.
    No,
}

impl Stage {
    /// As [`Stage::unpack_layer`], and keeps with the layer how its tar is put together.
    pub fn unpack_with_recipe(
        &self,
        tar_stream: impl Read + Send,
        limits: &Limits,
    ) -> Result<(UnpackedLayer, Remade)> {
        let mut recorder = Recorder::new(tar_stream)?;
        let layer = self.unpack_layer(&mut recorder, limits)?;
        let subject = || format!("write the recipe of layer {}", layer.diff_id);
        let Some(recipe) = recorder.finish()? else {
            return Ok((layer, Remade::No));
        };
        let remade = Recipe::read(&recipe)?.gives(&layer.dir, &layer.diff_id);
        if remade == Remade::Yes {
            atomic::write_new(layer.dir.as_fd(), FILE, &recipe, Durable::No).context(subject)?;
        }
        Ok((layer, remade))
    }
}

impl Stage {
    /// Names a layer by the tar that hull packs of it, which can be made again; returns that tar's
    /// length. For a layer whose own tar cannot and is not kept.
    pub fn repack(&self, layer: &mut UnpackedLayer) -> Result<u64> {
        let subject = || format!("pack layer {}", layer.diff_id);
        let fs = atomic::open_dir(layer.dir.as_fd(), "fs").context(subject)?;
        let pack = Pack::new(fs, b"", Form::Layer, plainly()).context(subject)?;
        let (digest, tar_bytes) = drain(pack).context(subject)?;
        layer.diff_id = DiffId(digest);
        Ok(tar_bytes)
    }

    /// Whether the top of this stack is staged, for itself or for exactly this stack.
    pub fn has_layer(&self, stack: &[DiffId]) -> bool {
        let staged = self.layers.lock().expect("no thread panics holding it");
        let chain_id = chain_ids(stack).pop().map(LayerKey::Chain);
        let keys = [stack.last().copied().map(LayerKey::Diff), chain_id];
        staged.iter().any(|(key, _)| keys.contains(&Some(*key)))
    }

    /// Reads the tar of the layer on top of `stack`, which is staged or in the store already.
    /// Returns the digest of what was read, and whether it can be made again of the layer, which
    /// gets a recipe if it has none yet.
    pub fn note_recipe(&self, stack: &[DiffId], tar_stream: impl Read) -> Result<(Digest, Remade)> {
        let mut recorder = Recorder::new(tar_stream)?;
        let (digest, _) = drain(&mut recorder)?;
        let recipe = recorder.finish()?;
        let Some(diff_id) = stack.last().filter(|diff_id| diff_id.0 == digest) else {
            return Ok((digest, Remade::No));
        };
        let subject = || format!("write the recipe of layer {diff_id}");
        let Some(layer) = self.known_layer(stack).context(subject)? else {
            return Ok((digest, Remade::No));
        };
        if let Some(noted) = Recipe::open(&layer).context(subject)? {
            return Ok((digest, noted.gives(&layer, diff_id)));
        }
        let Some(recipe) = recipe else {
            return Ok((digest, Remade::No));
        };
        let remade = Recipe::read(&recipe)?.gives(&layer, diff_id);
        if remade == Remade::Yes {
            atomic::atomic_write(&layer, FILE, &recipe, Durable::Yes).context(subject)?;
        }
        Ok((digest, remade))
    }

    /// The directory of the layer on top of `stack`, staged or in the store.
    fn known_layer(&self, stack: &[DiffId]) -> Result<Option<OwnedFd>> {
        let keys = [
            chain_ids(stack).pop().map(LayerKey::Chain),
            stack.last().copied().map(LayerKey::Diff),
        ];
        let staged = self.layers.lock().expect("no thread panics holding it");
        for key in keys.into_iter().flatten() {
            if let Some((_, name)) = staged.iter().find(|(known, _)| *known == key) {
                return Ok(Some(atomic::open_dir(self.fd.as_fd(), name)?));
            }
            let name = format!("{LAYERS}/{}", key.dir_name(self.store.ownership));
            if let Some(layer) = self.store.existing_dir(&name)? {
                return Ok(Some(layer));
            }
        }
        Ok(None)
    }
}

/// Reads to the end; the digest and the number of the bytes.
pub fn drain(mut source: impl Read) -> io::Result<(Digest, u64)> {
    let mut hasher = Sha256::new();
    let mut length = 0;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match source.read(&mut buffer)? {
            0 => return Ok((Digest::from_hasher(hasher), length)),
            count => {
                hasher.update(&buffer[..count]);
                length += count as u64;
            }
        }
    }
}

/// Notes the recipe of the tar that is read through it.
struct Recorder<R> {
    inner: R,
    out: zstd::stream::write::Encoder<'static, Vec<u8>>,
    /// Literal bytes not written yet.
    literal: Vec<u8>,
    state: State,
    next: Next,
    /// Hashes of the paths that have content.
    seen: HashSet<u64>,
    spoiled: bool,
}

/// Where in the tar the next byte is.
enum State {
    /// In a header, of which so much was seen.
    Header(Vec<u8>),
    /// In the body of an extension header of this type.
    Extension {
        kind: u8,
        size: usize,
        body: Vec<u8>,
    },
    /// In the content of a file, which is not kept.
    Content { left: u64, padding: u64 },
    /// In something that is kept as it is.
    Kept { left: u64 },
    /// Behind everything that is understood.
    Rest,
}

/// What extension headers say about the next entry.
#[derive(Default)]
struct Next {
    path: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
}

impl<R> Recorder<R> {
    fn new(inner: R) -> io::Result<Self> {
        Ok(Recorder {
            inner,
            out: zstd::stream::write::Encoder::new(Vec::new(), 1)?,
            literal: Vec::new(),
            state: State::Header(Vec::new()),
            next: Next::default(),
            seen: HashSet::new(),
            spoiled: false,
        })
    }

    /// The recipe, if there can be one.
    fn finish(mut self) -> io::Result<Option<Vec<u8>>> {
        if self.spoiled || matches!(self.state, State::Content { .. }) {
            return Ok(None);
        }
        self.flush()?;
        let bytes = self.out.finish()?;
        Ok((bytes.len() <= MAX_BYTES).then_some(bytes))
    }

    fn keep(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.literal.extend_from_slice(bytes);
        if self.literal.len() >= MAX_LITERAL as usize / 2 {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        for piece in self.literal.chunks(MAX_LITERAL as usize / 2) {
            self.out.write_all(&[LITERAL])?;
            self.out.write_all(&(piece.len() as u32).to_le_bytes())?;
            self.out.write_all(piece)?;
        }
        self.literal.clear();
        // Whatever a tar consists of, it must not fill the memory.
        self.spoiled |= self.out.get_ref().len() > MAX_BYTES;
        Ok(())
    }

    /// Takes note of bytes that pass.
    fn note(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() && !self.spoiled {
            let taken = self.step(bytes)?;
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    /// Takes some of `bytes`, and says how many.
    fn step(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let at_most = |left: u64| bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        match std::mem::replace(&mut self.state, State::Rest) {
            State::Header(mut block) => {
                let taken = bytes.len().min(BLOCK - block.len());
                block.extend_from_slice(&bytes[..taken]);
                self.state = match block.len() {
                    BLOCK => {
                        self.keep(&block)?;
                        self.after_header(&block)?
                    }
                    _ => State::Header(block),
                };
                Ok(taken)
            }
            State::Extension {
                kind,
                size,
                mut body,
            } => {
                let whole = size.next_multiple_of(BLOCK);
                let taken = bytes.len().min(whole - body.len());
                body.extend_from_slice(&bytes[..taken]);
                self.keep(&bytes[..taken])?;
                if body.len() == whole {
                    self.next.read(kind, &body[..size]);
                    self.state = State::Header(Vec::new());
                } else {
                    self.state = State::Extension { kind, size, body };
                }
                Ok(taken)
            }
            State::Content { left, padding } => {
                let taken = at_most(left);
                self.state = match left - taken as u64 {
                    0 => kept(padding),
                    left => State::Content { left, padding },
                };
                Ok(taken)
            }
            State::Kept { left } => {
                let taken = at_most(left);
                self.keep(&bytes[..taken])?;
                self.state = kept(left - taken as u64);
                Ok(taken)
            }
            State::Rest => {
                self.keep(bytes)?;
                Ok(bytes.len())
            }
        }
    }

    fn after_header(&mut self, block: &[u8]) -> io::Result<State> {
        let header = tar::Header::from_byte_slice(block);
        let is_end = block.iter().all(|byte| *byte == 0);
        let (false, Ok(own)) = (is_end, header.entry_size()) else {
            return Ok(State::Rest);
        };
        let kind = header.entry_type();
        let whole = |size: u64| kept(size.checked_next_multiple_of(BLOCK as u64).unwrap_or(size));
        if kind.is_pax_local_extensions() || kind.is_gnu_longname() {
            return Ok(match usize::try_from(own) {
                Ok(0) => State::Header(Vec::new()),
                Ok(size) if own <= MAX_EXTENSION => State::Extension {
                    kind: kind.as_byte(),
                    size,
                    body: Vec::new(),
                },
                _ => State::Rest,
            });
        }
        if kind.is_pax_global_extensions() || kind.is_gnu_longlink() {
            return Ok(whole(own));
        }
        let next = std::mem::take(&mut self.next);
        let size = next.size.unwrap_or(own);
        let path = next
            .path
            .unwrap_or_else(|| header.path_bytes().into_owned());
        let is_file = kind.is_file() || kind.is_contiguous();
        let name = path.rsplit(|byte| *byte == b'/').next();
        let is_mark = name.is_some_and(|name| name.starts_with(b".wh."));
        if !is_file || is_mark || next.is_sparse || size == 0 {
            return Ok(whole(size));
        }
        let Some(whole) = size.checked_next_multiple_of(BLOCK as u64) else {
            return Ok(State::Rest);
        };
        // Of a file that comes twice only the second one is there in the end.
        let mut hasher = DefaultHasher::new();
        plain(&path).hash(&mut hasher);
        self.spoiled |= !self.seen.insert(hasher.finish());
        self.flush()?;
        self.out.write_all(&[CONTENT])?;
        self.out.write_all(&size.to_le_bytes())?;
        self.out.write_all(&(path.len() as u32).to_le_bytes())?;
        self.out.write_all(&path)?;
        Ok(State::Content {
            left: size,
            padding: whole - size,
        })
    }
}

impl<R: Read> Read for Recorder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.note(&buffer[..count])?;
        Ok(count)
    }
}

fn kept(left: u64) -> State {
    match left {
        0 => State::Header(Vec::new()),
        left => State::Kept { left },
    }
}

/// The path without what means nothing in it.
fn plain(path: &[u8]) -> Vec<&[u8]> {
    let parts = path.split(|byte| *byte == b'/');
    parts
        .filter(|part| !part.is_empty() && *part != b".")
        .collect()
}

impl Next {
    fn read(&mut self, kind: u8, body: &[u8]) {
        if kind == tar::EntryType::GNULongName.as_byte() {
            let name = body.split(|byte| *byte == 0).next();
            self.path = name.map(<[u8]>::to_vec);
            return;
        }
        for record in tar::PaxExtensions::new(body).flatten() {
            match record.key_bytes() {
                b"path" => self.path = Some(record.value_bytes().to_vec()),
                b"size" => self.size = record.value().ok().and_then(|text| text.parse().ok()),
                key if key.starts_with(b"GNU.sparse") => self.is_sparse = true,
                _ => {}
            }
        }
    }
}

/// The recipe of one layer.
pub(super) struct Recipe<R = BufReader<File>>(zstd::stream::read::Decoder<'static, R>);

/// A tar as its recipe says, from the files of the layer.
pub(super) struct Remake<R = BufReader<File>> {
    recipe: BufReader<zstd::stream::read::Decoder<'static, R>>,
    fs: OwnedFd,
    /// Literal bytes still to come.
    literal: u64,
    /// The file whose content comes next, and how much of it.
    content: Option<(File, u64)>,
}

impl Recipe {
    /// The recipe in the directory of a layer, if it has one.
    pub(super) fn open(layer: &OwnedFd) -> Result<Option<Recipe>> {
        let Some(file) = atomic::open_file(layer.as_fd(), FILE)? else {
            return Ok(None);
        };
        Ok(Some(Recipe(zstd::stream::read::Decoder::new(file)?)))
    }
}

impl<'a> Recipe<&'a [u8]> {
    /// The recipe of these bytes.
    fn read(bytes: &'a [u8]) -> io::Result<Recipe<&'a [u8]>> {
        let decoder = zstd::stream::read::Decoder::with_buffer(bytes)?;
        Ok(Recipe(decoder))
    }
}

impl<R: BufRead> Recipe<R> {
    /// Whether it gives this tar of the layer in a directory. Later entries of a tar may have
    /// replaced files of earlier ones, or the links on the way to them: only reading it all tells.
    fn gives(self, layer: &OwnedFd, diff_id: &DiffId) -> Remade {
        let fs = atomic::open_dir(layer.as_fd(), "fs").map_err(io::Error::from);
        // What cannot be read cannot be given out; the tar that is kept instead can.
        match fs.and_then(|fs| drain(self.remake(fs))) {
            Ok((found, _)) if found == diff_id.0 => Remade::Yes,
            _ => Remade::No,
        }
    }

    /// The tar, with the files that are below `fs`.
    pub(super) fn remake(self, fs: OwnedFd) -> Remake<R> {
        Remake {
            recipe: BufReader::with_capacity(64 << 10, self.0),
            fs,
            literal: 0,
            content: None,
        }
    }
}

impl<R: BufRead> Remake<R> {
    /// Reads the next instruction; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        let mut tag = [0];
        if self.recipe.read(&mut tag)? == 0 {
            return Ok(false);
        }
        match tag[0] {
            LITERAL => self.literal = u64::from(self.number(MAX_LITERAL)?),
            CONTENT => {
                let mut size = [0; 8];
                self.recipe.read_exact(&mut size)?;
                let length = self.number(MAX_PATH)?;
                let mut path = vec![0; length as usize];
                self.recipe.read_exact(&mut path)?;
                let size = u64::from_le_bytes(size);
                let file = self.file(&path).map_err(io::Error::other)?;
                self.content = Some((file, size));
            }
            _ => return Err(damaged()),
        }
        Ok(true)
    }

    fn number(&mut self, most: u32) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.recipe.read_exact(&mut bytes)?;
        let number = u32::from_le_bytes(bytes);
        match number <= most {
            true => Ok(number),
            false => Err(damaged()),
        }
    }

    /// Parents may be links, as they were when the layer was unpacked; none leads out of it.
    fn file(&self, path: &[u8]) -> Result<File> {
        let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let subject = || format!("read {} of the layer", super::archive::show(path));
        let open = |flags| {
            let fd = rustix::fs::openat2(&self.fs, path, flags, Mode::empty(), resolve);
            fd.context(subject)
        };
        // A device node may have taken its place, and opening one can do things (open(2), O_PATH).
        let stat = rustix::fs::fstat(open(flags | OFlags::PATH)?).context(subject)?;
        if !FileType::from_raw_mode(stat.st_mode).is_file() {
            return Err(Error::corrupt("it is not a regular file").wrap(subject()));
        }
        open(flags | OFlags::RDONLY | OFlags::NONBLOCK).map(File::from)
    }
}

impl<R: BufRead> Read for Remake<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if self.literal > 0 {
                let want = buffer.len().min(self.literal as usize);
                let count = self.recipe.read(&mut buffer[..want])?;
                self.literal -= count as u64;
                return if count == 0 {
                    Err(damaged())
                } else {
                    Ok(count)
                };
            }
            if let Some((file, left)) = &mut self.content {
                let want = buffer
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                let count = file.read(&mut buffer[..want])?;
                *left -= count as u64;
                if *left == 0 {
                    self.content = None;
                }
                // A file that has become shorter.
                return if count == 0 {
                    Err(damaged())
                } else {
                    Ok(count)
                };
            }
            if !self.advance()? {
                return Ok(0);
            }
        }
    }
}

fn damaged() -> io::Error {
    io::Error::other(
        Error::corrupt("the layer was changed on disk").hint("pull or load the image again"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{Item, Scene, Tar, small};

    /// Unpacks, and puts the tar together again.
    fn around(tar: &[u8]) -> (Remade, Option<Vec<u8>>) {
        let scene = Scene::new();
        let stage = scene.store.stage().expect("stage");
        let (layer, remade) = stage.unpack_with_recipe(tar, &small()).expect("unpacks");
        let fs = atomic::open_dir(layer.dir.as_fd(), "fs").expect("fs");
        let recipe = Recipe::open(&layer.dir).expect("opens");
        let bytes = recipe.map(|recipe| {
            let mut bytes = Vec::new();
            recipe.remake(fs).read_to_end(&mut bytes).expect("reads");
            bytes
        });
        (remade, bytes)
    }

    fn long_name(name: &str) -> Item<'_> {
        Item {
            kind: b'L',
            name: b"././@LongLink",
            data: name.as_bytes(),
            ..Item::default()
        }
    }

    #[test]
    fn tars_of_any_make_come_back_byte_for_byte() {
        let long = "d/".to_owned() + &"n".repeat(150);
        let sparse: [(&str, &[u8]); 4] = [
            ("GNU.sparse.major", b"1"),
            ("GNU.sparse.minor", b"0"),
            ("GNU.sparse.name", b"holes"),
            ("GNU.sparse.realsize", b"4099"),
        ];
        let holes = [&b"1\n4096\n3\n"[..], &[0; 503], b"abc"].concat();
        let tars = [
            Tar::default().end(),
            Tar::default().file("a", b"x").file("b", &[7; 512]).end(),
            // No end, and bytes after the end.
            Tar::default().file("a", b"x").0,
            [Tar::default().file("a", b"x").end(), vec![0; 9000]].concat(),
            Tar::default()
                .dir("usr/lib", 0o755)
                .symlink("lib", "usr/lib")
                .file("lib/x", b"through a link")
                .hard_link("y", "usr/lib/x")
                .file("./usr//z", b"odd name")
                .file("usr/.wh.gone", b"")
                .end(),
            Tar::default()
                .pax(b'g', &[("comment", b"all")])
                .pax(b'x', &[("path", b"from/pax"), ("size", b"700")])
                .file("short", &[b'p'; 700])
                .dir("d", 0o700)
                .add(&long_name(&long))
                .file("truncated", b"long")
                .end(),
            Tar::default()
                .pax(b'x', &sparse)
                .file("holes", &holes)
                .end(),
        ];
        for (number, tar) in tars.iter().enumerate() {
            let (remade, bytes) = around(tar);
            assert_eq!(remade, Remade::Yes, "{number}");
            assert!(bytes.as_deref() == Some(&tar[..]), "{number}");
        }
    }

    #[test]
    fn a_file_that_comes_twice_has_no_recipe() {
        let tar = Tar::default().file("a", b"first").file("./a", b"second");
        assert_eq!(around(&tar.end()), (Remade::No, None));
    }

    #[test]
    fn a_tar_whose_files_are_replaced_later_has_no_recipe() {
        let file = |name: &str| Tar::default().file(name, b"content");
        let tars = [
            file("a").symlink("a", "b"),
            file("d/x").symlink("d", "elsewhere"),
            Tar::default()
                .dir("d", 0o755)
                .symlink("lnk", "d")
                .file("d/x", b"first")
                .file("lnk/x", b"other"),
            file("a").file("b", b"another").hard_link("a", "b"),
            file("a").device(b'6', "a", (0, 0)),
        ];
        for (number, tar) in tars.into_iter().enumerate() {
            assert_eq!(around(&tar.end()), (Remade::No, None), "{number}");
        }
    }

    #[test]
    fn a_size_that_cannot_be_is_noted_without_counting_on() {
        let largest = u64::MAX.to_string();
        let tar = Tar::default()
            .pax(b'x', &[("size", largest.as_bytes())])
            .file("a", b"x")
            .end();
        let mut recorder = Recorder::new(&tar[..]).expect("recorder");
        drain(&mut recorder).expect("reads");
        let recipe = recorder.finish().expect("ends").expect("is literal");
        let read = Recipe::read(&recipe).expect("opens");
        let scene = Scene::new();
        let fs = rustix::fs::open(&scene.path, OFlags::DIRECTORY, Mode::empty()).expect("opens");
        assert_eq!(drain(read.remake(fs)).expect("reads").0, Digest::of(&tar));
    }

    #[test]
    fn a19_a_recipe_reads_nothing_outside_its_layer() {
        let scene = Scene::new();
        let stage = scene.store.stage().expect("stage");
        let tar = Tar::default()
            .dir("d", 0o755)
            .file("d/file", b"inside")
            .end();
        let unpack = || {
            stage
                .unpack_with_recipe(&tar[..], &small())
                .expect("unpacks")
        };
        let (layer, _) = unpack();
        let remake = |layer: &UnpackedLayer| {
            let fs = atomic::open_dir(layer.dir.as_fd(), "fs").expect("fs");
            let recipe = Recipe::open(&layer.dir).expect("opens").expect("has one");
            let mut bytes = Vec::new();
            let read = recipe.remake(fs).read_to_end(&mut bytes);
            read.map(|_| bytes)
        };
        assert_eq!(remake(&layer).expect("is whole"), tar);
        // `d/file` is there outside as well, as long as what is here.
        let fs = atomic::open_dir(layer.dir.as_fd(), "fs").expect("fs");
        let outside = scene.path.join("canary");
        rustix::fs::renameat(&fs, "d", &fs, "kept").expect("moves");
        rustix::fs::symlinkat(&outside, &fs, "d").expect("links");
        let refused = remake(&layer).expect_err("is refused");
        assert!(refused.to_string().contains("d/file"), "{refused}");
    }

    #[test]
    fn the_recipe_is_small() {
        let content = vec![b'x'; 1 << 20];
        let tar = Tar::default().file("a", &content).end();
        let mut recorder = Recorder::new(&tar[..]).expect("recorder");
        io::copy(&mut recorder, &mut io::sink()).expect("reads");
        let recipe = recorder.finish().expect("ends").expect("has one");
        assert!(recipe.len() < 300, "{}", recipe.len());
    }
}
