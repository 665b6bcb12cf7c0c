//! Is everything here that names and containers need, and is it what it was?
//!
//! The quick look compares records with what is on disk: every manifest, config, layer directory
//! and record, and the length of every compressed layer. The deep one reads everything: blobs
//! against their digests, and each unpacked layer, entry by entry, against the archive it came of
//! ([`expected`], [`compare`]). Nothing is changed here but in [`replace`].

mod compare;
mod expected;
mod replace;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::io::Read;
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::fs::AtFlags;
use rustix::io::Errno;

use self::expected::Expected;
use self::replace::digest_of_all;
use super::archive::{Reader, Source};
use super::blobs::BLOBS;
use super::layers::{LAYERS, Layer, LayerKey, chain_ids};
use super::partial::PARTIAL;
use super::read_ahead::read_ahead;
use super::{Limits, Store, atomic, decompress};
use crate::base::{DiffId, Digest};
use crate::error::{Context, Result};

/// So many differences of one layer are told.
const TOLD: usize = 3;

/// Who needs an image, and its manifest.
#[derive(Debug, Clone)]
pub struct Root {
    pub name: String,
    pub manifest: Digest,
    /// The index that the manifest was chosen from, if that is kept.
    pub index: Option<Digest>,
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
    /// What a manifest says of the length of a blob that is whole.
    Size {
        manifest: Digest,
        blob: Digest,
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
    /// The archives that a layer came as and their lengths, those that are here first.
    pub blobs: Vec<(Digest, u64)>,
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
        blobs: Vec<(Digest, u64)>,
    },
}

#[derive(Default)]
struct Needs {
    /// By part, who needs it.
    parts: BTreeMap<Part, Vec<String>>,
    /// What each stack's top came as, as its images say.
    blobs: BTreeMap<Vec<DiffId>, Vec<(Digest, u64)>>,
    /// The manifests that say that a blob has this length.
    sizes: BTreeMap<(Digest, u64), BTreeSet<Digest>>,
    /// Kept beside what is needed.
    indexes: HashSet<String>,
    found: Vec<(Part, String)>,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Manifest(digest) => write!(f, "manifest {digest}"),
            Part::Config(digest) => write!(f, "config {digest}"),
            Part::Blob { digest, .. } => write!(f, "blob {digest}"),
            Part::Size { manifest, .. } => write!(f, "manifest {manifest}"),
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
            let part = tasks[number].part();
            let why = match finding {
                Ok(Finding::Whole) => continue,
                Ok(Finding::Unverified(diff_id)) => {
                    report.unverified.push(diff_id);
                    continue;
                }
                Ok(Finding::Misstated(why)) => {
                    needs.find_misstated(&part, &why);
                    continue;
                }
                Ok(Finding::Damaged(why)) => why,
                // A part that cannot be read is damaged, whatever the reason.
                Err(error) => error.to_string(),
            };
            needs.found.push((part, why));
        }
        report.damages = self.damages_of(needs);
        Ok(report)
    }

    fn damages_of(&self, mut needs: Needs) -> Vec<Damage> {
        let mut damages = Vec::new();
        for (part, why) in needs.found {
            let blobs = match &part {
                Part::Layer(stack) => needs.blobs.get(stack).cloned(),
                _ => None,
            };
            let mut blobs = blobs.unwrap_or_default();
            // Of one that cannot be looked at another attempt will tell.
            blobs.sort_by_key(|(digest, _)| !matches!(self.open_blob(digest), Ok(Some(_))));
            damages.push(Damage {
                needed_by: needs.parts.remove(&part).unwrap_or_default(),
                part,
                why,
                blobs,
            });
        }
        damages
    }

    /// What is wrong with the content of a blob.
    pub fn damage_of_blob(&self, digest: &Digest) -> Result<Option<String>> {
        let Some(file) = self.open_blob(digest)? else {
            return Ok(Some("it is missing".to_owned()));
        };
        let found = digest_of_all(file)?;
        Ok((found != *digest).then(|| format!("its content has digest {found}")))
    }

    fn note_needs(&self, root: &Root, needs: &mut Needs) -> Result<()> {
        let manifest = Part::Manifest(root.manifest);
        needs.note(&manifest, &root.name);
        needs.indexes.extend(root.index.map(|index| index.hex()));
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
            let known = needs.blobs.entry(stack.to_vec()).or_default();
            if !known.contains(&(digest, size)) {
                known.push((digest, size));
            }
            // None is kept of what was made here, or was unpacked already when its image came. For
            // an unpacked layer nobody needs it.
            if self.open_blob(&digest)?.is_some() {
                needs.note(&Part::Blob { digest, size }, &root.name);
                let sizes = needs.sizes.entry((digest, size)).or_default();
                sizes.insert(root.manifest);
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
                let length = self.damage_of_length(digest, *size)?;
                if length.is_none() && depth == Depth::Quick {
                    return Ok(Finding::Whole);
                }
                // Only its digest shows whether the blob is wrong or what is said of it.
                Ok(match (self.damage_of_blob(digest)?, length) {
                    (None, None) => Finding::Whole,
                    (None, Some(why)) => Finding::Misstated(why),
                    (Some(_), Some(why)) | (Some(why), None) => Finding::Damaged(why),
                })
            }
            Task::Layer { stack, blobs } => {
                let mut layer = None;
                for key in keys_of(stack) {
                    if layer.is_none() {
                        layer = self.layer(&key)?;
                    }
                }
                let Some(layer) = layer else {
                    return Ok(Finding::Damaged("it is missing".to_owned()));
                };
                match depth {
                    Depth::Quick => Ok(Finding::Whole),
                    Depth::Deep => self.verify_layer(&layer, stack, blobs),
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
        blobs: &[(Digest, u64)],
    ) -> Result<Finding> {
        for (digest, _) in blobs {
            let Some(file) = self.open_blob(digest)? else {
                continue;
            };
            // A blob's own damage is told of the blob, and one of another layer tells nothing.
            let expected = decompress(file).and_then(|tar| expected_of(tar, layer));
            if let Ok((expected, digest)) = expected
                && digest == layer.diff_id.0
            {
                return self.compare_with(layer, &expected);
            }
        }
        let Some(tar) = self.layer_tar_in(stack)? else {
            return Ok(Finding::Unverified(layer.diff_id));
        };
        // Its own tar is made again by its recipe, or by the rules it was packed by here: then its
        // image has it by that tar. At its end it compares its digest.
        let packed_here = blobs.iter().any(|(digest, _)| *digest == layer.diff_id.0);
        let is_known = packed_here || layer.path.with_file_name("tar.recipe").exists();
        match expected_of(tar, layer) {
            Ok((expected, _)) => self.compare_with(layer, &expected),
            Err(error) if is_known => Ok(Finding::Damaged(error.to_string())),
            Err(_) => Ok(Finding::Unverified(layer.diff_id)),
        }
    }

    fn compare_with(&self, layer: &Layer, expected: &Expected) -> Result<Finding> {
        let differences = compare::compare(&layer.path, expected, self.ownership)?;
        if differences.is_empty() {
            return Ok(Finding::Whole);
        }
        let mut told = differences[..differences.len().min(TOLD)].join("; ");
        if differences.len() > TOLD {
            told.push_str(&format!(" (and {} more)", differences.len() - TOLD));
        }
        Ok(Finding::Damaged(told))
    }

    fn count_orphans(&self, needs: &Needs) -> Result<usize> {
        let mut count = 0;
        if let Some(dir) = self.existing_dir(BLOBS)? {
            let needed = needs.parts.keys().filter_map(|part| match part {
                Part::Manifest(digest) | Part::Config(digest) => Some(digest.hex()),
                Part::Blob { digest, .. } => Some(digest.hex()),
                Part::Layer(_) | Part::Size { .. } => None,
            });
            let needed: HashSet<String> = needed.chain(needs.indexes.iter().cloned()).collect();
            let names = atomic::names_of(&dir)?;
            count += names.iter().filter(|name| !needed.contains(*name)).count();
        }
        if let Some(dir) = self.existing_dir(LAYERS)? {
            let needed = needs.parts.keys().filter_map(|part| match part {
                Part::Layer(stack) => Some(keys_of(stack)),
                _ => None,
            });
            let needed: HashSet<LayerKey> = needed.flatten().collect();
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
    /// The blob is whole, but of another length than its image says.
    Misstated(String),
    Unverified(DiffId),
}

/// What a layer's tar says, and its digest.
fn expected_of(tar: impl Read + Send, layer: &Layer) -> Result<(Expected, Digest)> {
    let limits = Limits::default();
    read_ahead(tar, |ahead| {
        let mut reader = Reader::new(Source::new(ahead, limits.total_bytes));
        let mut expected = Expected::new(layer.overlay_xattrs);
        while let Some(entry) = reader.next_entry()? {
            expected.add(&entry, &mut reader)?;
        }
        Ok((expected, reader.into_source().finish()?))
    })
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

    /// Tells of the manifests that are wrong about a blob.
    fn find_misstated(&mut self, part: &Part, why: &str) {
        let Part::Blob { digest, size } = part else {
            return;
        };
        let manifests = self.sizes.get(&(*digest, *size)).cloned();
        for manifest in manifests.into_iter().flatten() {
            let part = Part::Size {
                manifest,
                blob: *digest,
            };
            let names = self.parts.get(&Part::Manifest(manifest)).cloned();
            self.parts.insert(part.clone(), names.unwrap_or_default());
            self.found
                .push((part, format!("of its blob {digest}: {why}")));
        }
    }

    /// Everything but documents, which have been read already.
    fn tasks(&self) -> Vec<Task> {
        let tasks = self.parts.keys().filter_map(|part| match part {
            Part::Manifest(_) | Part::Config(_) | Part::Size { .. } => None,
            Part::Blob { digest, size } => Some(Task::Blob {
                digest: *digest,
                size: *size,
            }),
            Part::Layer(stack) => Some(Task::Layer {
                stack: stack.clone(),
                blobs: self.blobs.get(stack).cloned().unwrap_or_default(),
            }),
        });
        tasks.collect()
    }
}
