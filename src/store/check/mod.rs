//! Is everything here that names and containers need, and is it what it was?
//!
//! The quick look compares records with what is on disk: every manifest, config, layer directory
//! and record, and the length of every compressed layer. The deep one reads everything: blobs
//! against their digests, and each unpacked layer, entry by entry, against the archive it came of
//! ([`expected`], [`compare`]). Nothing is changed here but by [`Store::remake_layer`] and
//! [`Store::drop_blob`].

mod compare;
mod expected;

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::fs::AtFlags;
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use self::expected::Expected;
use super::archive::{Reader, Source};
use super::blobs::BLOBS;
use super::layers::{LAYERS, Layer, LayerKey, chain_ids};
use super::partial::PARTIAL;
use super::read_ahead::read_ahead;
use super::{Limits, Store, atomic, clear_away, decompress};
use crate::base::{DiffId, Digest};
use crate::error::{Context, Error, Result};

/// So many differences of one layer are told.
const TOLD: usize = 3;

/// Who needs an image, and its manifest.
#[derive(Debug, Clone)]
pub struct Root {
    pub name: String,
    pub manifest: Digest,
}

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    Quick,
    Deep,
}

/// What can be damaged by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Manifest(Digest),
    Config(Digest),
    /// A layer as it came.
    Blob {
        digest: Digest,
        size: u64,
    },
    /// An unpacked layer: the one on top of this stack, bottom first.
    Layer(Vec<DiffId>),
}

/// Something that is not as it should be.
#[derive(Debug)]
pub struct Damage {
    pub part: Part,
    pub why: String,
    /// Who needs it.
    pub needed_by: Vec<String>,
    /// The archive that a layer came as and its length, whether or not it is kept.
    pub blob: Option<(Digest, u64)>,
}

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    pub damages: Vec<Damage>,
    pub layers: usize,
    pub blobs: usize,
    /// Layers that no archive is kept of, and that do not give the one they were made of: packed
    /// by another tool, or changed.
    pub unverified: Vec<DiffId>,
    /// What nothing needs.
    pub orphans: usize,
    /// Downloads that were broken off.
    pub partials: usize,
}

/// One thing to look at, and what it is compared with.
#[derive(Debug, Clone)]
enum Task {
    Blob {
        digest: Digest,
        size: u64,
    },
    Layer {
        stack: Vec<DiffId>,
        blob: Option<Digest>,
    },
}

#[derive(Default)]
struct Needs {
    /// By part, who needs it.
    parts: BTreeMap<Part, Vec<String>>,
    /// What each stack's top came as.
    blobs: BTreeMap<Vec<DiffId>, (Digest, u64)>,
    found: Vec<(Part, String)>,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Manifest(digest) => write!(f, "manifest {digest}"),
            Part::Config(digest) => write!(f, "config {digest}"),
            Part::Blob { digest, .. } => write!(f, "blob {digest}"),
            Part::Layer(stack) => match stack.last() {
                Some(diff_id) => write!(f, "layer {diff_id}"),
                None => write!(f, "layer"),
            },
        }
    }
}

impl Store {
    /// Looks at everything that `roots` need. `progress` hears how many of how many things are
    /// done, from several threads.
    pub fn check(
        &self,
        roots: &[Root],
        depth: Depth,
        threads: usize,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Report> {
        let mut needs = Needs::default();
        for root in roots {
            self.note_needs(root, &mut needs)?;
        }
        let tasks: Vec<Task> = needs.tasks();
        let mut report = Report {
            orphans: self.count_orphans(&needs)?,
            partials: self.count_partials()?,
            ..Report::default()
        };
        for task in &tasks {
            match task {
                Task::Blob { .. } => report.blobs += 1,
                Task::Layer { .. } => report.layers += 1,
            }
        }
        let next = AtomicUsize::new(0);
        let results: Mutex<Vec<(usize, Result<Finding>)>> = Mutex::default();
        let work = || {
            while let Some((number, task)) = nth(&tasks, next.fetch_add(1, Ordering::Relaxed)) {
                let finding = self.look_at(task, depth);
                let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                results.push((number, finding));
                progress(results.len(), tasks.len());
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.min(tasks.len()) {
                scope.spawn(work);
            }
            work();
        });
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_by_key(|(number, _)| *number);
        for (number, finding) in results {
            let why = match finding {
                Ok(Finding::Whole) => continue,
                Ok(Finding::Unverified(diff_id)) => {
                    report.unverified.push(diff_id);
                    continue;
                }
                Ok(Finding::Damaged(why)) => why,
                // A part that cannot be read is damaged, whatever the reason.
                Err(error) => error.to_string(),
            };
            needs.found.push((tasks[number].part(), why));
        }
        for (part, why) in needs.found {
            let blob = match &part {
                Part::Layer(stack) => needs.blobs.get(stack).copied(),
                _ => None,
            };
            report.damages.push(Damage {
                needed_by: needs.parts.remove(&part).unwrap_or_default(),
                part,
                why,
                blob,
            });
        }
        Ok(report)
    }

    /// Unpacks a damaged layer anew from the blob that is kept of it. False if there is none, or it
    /// is damaged too.
    pub fn remake_layer(&self, stack: &[DiffId], blob: &Digest) -> Result<bool> {
        let (Some(diff_id), Some(file)) = (stack.last(), self.open_blob(blob)?) else {
            return Ok(false);
        };
        if self.damage_of_blob(blob)?.is_some() {
            return Ok(false);
        }
        let stage = self.stage()?;
        let layer = stage.unpack_layer(decompress(file)?, &Limits::default())?;
        layer.expect_diff_id(diff_id)?;
        stage.add_layer(layer, &stack[..stack.len() - 1])?;
        // Should: go when the new one is ready, and only then.
        self.drop_layer(stack)?;
        stage.publish(&[])?;
        clear_away(&self.path);
        Ok(true)
    }

    /// Takes away an unpacked layer, so that it can come anew.
    fn drop_layer(&self, stack: &[DiffId]) -> Result<()> {
        let Some(dir) = self.existing_dir(LAYERS)? else {
            return Ok(());
        };
        for key in keys_of(stack) {
            self.bury(&dir, &key.dir_name(self.ownership))?;
        }
        Ok(())
    }

    /// Takes away a blob whose content is wrong, so that it can come anew.
    pub fn drop_blob(&self, digest: &Digest) -> Result<()> {
        if let Some(dir) = self.existing_dir(BLOBS)? {
            self.bury(&dir, &digest.hex())?;
        }
        clear_away(&self.path);
        Ok(())
    }

    /// What is wrong with the content of a blob.
    pub fn damage_of_blob(&self, digest: &Digest) -> Result<Option<String>> {
        let Some(mut file) = self.open_blob(digest)? else {
            return Ok(Some("it is missing".to_owned()));
        };
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; super::read_ahead::BUFFER_BYTES];
        loop {
            match file.read(&mut buffer).context(|| "read it")? {
                0 => break,
                count => hasher.update(&buffer[..count]),
            }
        }
        let found = Digest::from_hasher(hasher);
        Ok((found != *digest).then(|| format!("its content has digest {found}")))
    }

    fn note_needs(&self, root: &Root, needs: &mut Needs) -> Result<()> {
        let manifest = Part::Manifest(root.manifest);
        needs.note(&manifest, &root.name);
        // One after the other, because each names the next.
        let document = match self.document(&root.manifest) {
            Ok(document) => document,
            Err(error) => return needs.find(manifest, &error.to_string()),
        };
        let Some(config) = document.config else {
            return needs.find(manifest, "it names no config");
        };
        needs.note(&Part::Config(config), &root.name);
        let contents = match self.contents(&root.manifest) {
            Ok(contents) => contents,
            Err(error) => return needs.find(Part::Config(config), &error.to_string()),
        };
        let layers = document.blobs.iter().zip(&document.sizes);
        for (number, (digest, size)) in layers.enumerate() {
            let stack = contents.diff_ids.get(..=number).unwrap_or_default();
            let (digest, size) = (*digest, *size);
            needs.blobs.insert(stack.to_vec(), (digest, size));
            // None is kept of what was made here, or was unpacked already when its image came. For
            // an unpacked layer nobody needs it.
            if self.open_blob(&digest)?.is_some() {
                needs.note(&Part::Blob { digest, size }, &root.name);
            }
        }
        for number in 0..contents.diff_ids.len() {
            let stack = contents.diff_ids[..=number].to_vec();
            needs.note(&Part::Layer(stack), &root.name);
        }
        Ok(())
    }

    fn look_at(&self, task: &Task, depth: Depth) -> Result<Finding> {
        match task {
            Task::Blob { digest, size } => {
                if let Some(why) = self.damage_of_length(digest, *size)? {
                    return Ok(Finding::Damaged(why));
                }
                let why = match depth {
                    Depth::Quick => None,
                    Depth::Deep => self.damage_of_blob(digest)?,
                };
                Ok(why.map_or(Finding::Whole, Finding::Damaged))
            }
            Task::Layer { stack, blob } => {
                let mut layer = None;
                for key in keys_of(stack) {
                    layer = layer.or(self.layer(&key)?);
                }
                let Some(layer) = layer else {
                    return Ok(Finding::Damaged("it is missing".to_owned()));
                };
                match depth {
                    Depth::Quick => Ok(Finding::Whole),
                    Depth::Deep => self.verify_layer(&layer, stack, blob.as_ref()),
                }
            }
        }
    }

    fn damage_of_length(&self, digest: &Digest, size: u64) -> Result<Option<String>> {
        let Some(blob) = self.open_blob(digest)? else {
            return Ok(Some("it is missing".to_owned()));
        };
        let length = blob.metadata().context(|| "look at it")?.len();
        Ok((length != size).then(|| format!("it has {length} bytes instead of {size}")))
    }

    fn verify_layer(
        &self,
        layer: &Layer,
        stack: &[DiffId],
        blob: Option<&Digest>,
    ) -> Result<Finding> {
        let blob = blob.map(|digest| self.open_blob(digest)).transpose()?;
        let Some(file) = blob.flatten() else {
            return self.verify_by_packing(&layer.diff_id, stack);
        };
        let limits = Limits::default();
        let expected = read_ahead(decompress(file)?, |ahead| {
            let mut reader = Reader::new(Source::new(ahead, limits.total_bytes));
            let mut expected = Expected::new(layer.overlay_xattrs);
            while let Some(entry) = reader.next_entry()? {
                expected.add(&entry, &mut reader)?;
            }
            Ok::<_, Error>((expected, reader.into_source().finish()?))
        });
        let (expected, digest) = match expected {
            Ok(read) => read,
            // The blob's own damage, which is told of the blob.
            Err(_) => return self.verify_by_packing(&layer.diff_id, stack),
        };
        if digest != layer.diff_id.0 {
            return self.verify_by_packing(&layer.diff_id, stack);
        }
        let differences = compare::compare(&layer.path, &expected, self.ownership)?;
        if differences.is_empty() {
            return Ok(Finding::Whole);
        }
        let mut told = differences[..differences.len().min(TOLD)].join("; ");
        if differences.len() > TOLD {
            told.push_str(&format!(" (and {} more)", differences.len() - TOLD));
        }
        Ok(Finding::Damaged(told))
    }

    /// Without an archive to compare with: the layer gives the tar it is named by, or nothing can
    /// be said.
    fn verify_by_packing(&self, diff_id: &DiffId, stack: &[DiffId]) -> Result<Finding> {
        let Some(mut tar) = self.layer_tar_in(stack)? else {
            return Ok(Finding::Unverified(*diff_id));
        };
        let mut buffer = vec![0; super::read_ahead::BUFFER_BYTES];
        loop {
            match tar.read(&mut buffer) {
                Ok(0) => return Ok(Finding::Whole),
                Ok(_) => {}
                Err(_) => return Ok(Finding::Unverified(*diff_id)),
            }
        }
    }

    fn count_orphans(&self, needs: &Needs) -> Result<usize> {
        let mut count = 0;
        if let Some(dir) = self.existing_dir(BLOBS)? {
            let needed = needs.parts.keys().filter_map(|part| match part {
                Part::Manifest(digest) | Part::Config(digest) => Some(digest.hex()),
                Part::Blob { digest, .. } => Some(digest.hex()),
                Part::Layer(_) => None,
            });
            let needed: Vec<String> = needed.collect();
            let names = atomic::names_of(&dir)?;
            count += names.iter().filter(|name| !needed.contains(name)).count();
        }
        if let Some(dir) = self.existing_dir(LAYERS)? {
            let needed = needs.parts.keys().filter_map(|part| match part {
                Part::Layer(stack) => Some(keys_of(stack)),
                _ => None,
            });
            let needed: Vec<LayerKey> = needed.flatten().collect();
            let names = atomic::names_of(&dir)?;
            let keys = names
                .iter()
                .filter_map(|name| LayerKey::from_dir_name(name));
            count += keys.filter(|(key, _)| !needed.contains(key)).count();
        }
        Ok(count)
    }

    fn count_partials(&self) -> Result<usize> {
        let Some(dir) = self.existing_dir(PARTIAL)? else {
            return Ok(0);
        };
        let names = atomic::names_of(&dir)?;
        let is_there = |name: &&String| {
            let found = rustix::fs::statat(dir.as_fd(), name.as_str(), AtFlags::SYMLINK_NOFOLLOW);
            !matches!(found, Err(Errno::NOENT))
        };
        Ok(names.iter().filter(is_there).count())
    }
}

/// What a look at one thing has shown.
enum Finding {
    Whole,
    Damaged(String),
    Unverified(DiffId),
}

fn nth(tasks: &[Task], number: usize) -> Option<(usize, &Task)> {
    tasks.get(number).map(|task| (number, task))
}

/// The names that the top of a stack may have, the one for exactly this stack first.
fn keys_of(stack: &[DiffId]) -> Vec<LayerKey> {
    let chain = chain_ids(stack).pop().map(LayerKey::Chain);
    let diff = stack.last().copied().map(LayerKey::Diff);
    chain.into_iter().chain(diff).collect()
}

impl Task {
    fn part(&self) -> Part {
        match self {
            Task::Blob { digest, size } => Part::Blob {
                digest: *digest,
                size: *size,
            },
            Task::Layer { stack, .. } => Part::Layer(stack.clone()),
        }
    }
}

impl Needs {
    fn note(&mut self, part: &Part, name: &str) {
        let names = self.parts.entry(part.clone()).or_default();
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }

    fn find(&mut self, part: Part, why: &str) -> Result<()> {
        if !self.found.iter().any(|(known, _)| *known == part) {
            self.found.push((part, why.to_owned()));
        }
        Ok(())
    }

    /// Everything but documents, which have been read already.
    fn tasks(&self) -> Vec<Task> {
        let tasks = self.parts.keys().filter_map(|part| match part {
            Part::Manifest(_) | Part::Config(_) => None,
            Part::Blob { digest, size } => Some(Task::Blob {
                digest: *digest,
                size: *size,
            }),
            Part::Layer(stack) => Some(Task::Layer {
                stack: stack.clone(),
                blob: self.blobs.get(stack).map(|(digest, _)| *digest),
            }),
        });
        tasks.collect()
    }
}
