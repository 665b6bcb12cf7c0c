//! Unpacking the layers of one image that the store does not have yet, several at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::progress::{LayerEvent, Progress};
use crate::base::{DiffId, Digest};
use crate::error::{Error, Result};
use crate::store::{LayerKey, Stage, Store, UnpackedLayer};

/// A layer of the image.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Its name in progress messages.
    pub label: Digest,
    /// Its content.
    pub diff_id: DiffId,
}

/// Unpacks what is missing of `wanted` (bottom first) with up to `threads` threads, then takes all
/// of it into the stage in order, because a layer may depend on those below it.
///
/// `known` is called for each layer that the store or the stage has: bytes that are at hand all the
/// same must be those that were announced, or the archive that holds them is damaged.
pub fn unpack_missing(
    store: &Store,
    stage: &Stage,
    wanted: &[Wanted],
    threads: usize,
    progress: &dyn Progress,
    known: impl Fn(usize) -> Result<()>,
    unpack: impl Fn(usize) -> Result<UnpackedLayer> + Sync,
) -> Result<()> {
    let diff_ids: Vec<DiffId> = wanted.iter().map(|layer| layer.diff_id).collect();
    let mut missing = Vec::new();
    for (number, layer) in wanted.iter().enumerate() {
        let stack = &diff_ids[..=number];
        if stage.has_layer(stack) || is_unpacked(store, stack)? {
            known(number)?;
            progress.layer(&layer.label, LayerEvent::Exists);
        } else {
            progress.layer(&layer.label, LayerEvent::Waiting);
            missing.push(number);
        }
    }
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let done: Mutex<Vec<(usize, Result<UnpackedLayer>)>> = Mutex::default();
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let Some(number) = missing.get(next.fetch_add(1, Ordering::Relaxed)) else {
                return;
            };
            let unpacked = unpack(*number);
            if unpacked.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((*number, unpacked));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(missing.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    // The lowest layer's error is told: the order of threads must not change the message.
    done.sort_by_key(|(number, _)| *number);
    let unpacked: Vec<_> = done
        .into_iter()
        .map(|(number, unpacked)| Ok((number, unpacked?)))
        .collect::<Result<_>>()?;
    for (number, layer) in unpacked {
        for warning in &layer.warnings {
            log::warn!("layer {}: {warning}", wanted[number].label);
        }
        stage
            .add_layer(layer, &diff_ids[..number])
            .map_err(|error: Error| error.wrap(format!("layer {}", wanted[number].label)))?;
    }
    Ok(())
}

/// Whether the top of this stack is in the store, for itself or for exactly this stack.
fn is_unpacked(store: &Store, stack: &[DiffId]) -> Result<bool> {
    let Some(top) = stack.last() else {
        return Ok(true);
    };
    if store.layer(&LayerKey::Diff(*top))?.is_some() {
        return Ok(true);
    }
    Ok(store.layer(&LayerKey::Chain(chain_id(stack)))?.is_some())
}

/// The chain id of a stack (image-spec, "Layer ChainID"), bottom first.
pub(super) fn chain_id(stack: &[DiffId]) -> Digest {
    let mut ids = stack.iter().map(|diff_id| diff_id.0);
    let bottom = ids.next().unwrap_or_else(|| Digest::of(b""));
    ids.fold(bottom, |below, own| {
        Digest::of(format!("{below} {own}").as_bytes())
    })
}
