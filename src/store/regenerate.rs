//! The tar of a layer, made again from the unpacked layer, and checked.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use super::Store;
use super::layers::{LAYERS, LayerKey, chain_ids};
use super::pack::{Form, Pack, plainly};
use super::recipe::{Recipe, Remake};
use crate::base::{DiffId, Digest};
use crate::error::{Context, Error, Result};

/// The tar of a layer. Its end is an error if the bytes were not those the layer is named by, so
/// whoever reads to the end has the right ones.
pub struct LayerTar {
    source: Source,
    expected: DiffId,
    hasher: Option<Sha256>,
}

/// Where the bytes come from.
enum Source {
    /// The layer was packed here, by rules that give the same bytes each time.
    Packed(Box<Pack<'static>>),
    /// It was packed elsewhere, and how was noted.
    Remade(Remake),
}

impl Store {
    /// The tar of an unpacked layer that depends on no others.
    #[cfg(test)]
    pub fn layer_tar(&self, diff_id: &DiffId) -> Result<Option<LayerTar>> {
        self.layer_tar_in(std::slice::from_ref(diff_id))
    }

    /// The tar of the layer on top of a stack of them, bottom first, `None` if it is not here.
    /// Right for layers that were packed by hull or came with a recipe; another one may have been
    /// packed by other rules, and is refused at its end.
    pub fn layer_tar_in(&self, stack: &[DiffId]) -> Result<Option<LayerTar>> {
        let (Some(diff_id), Some(chain_id)) = (stack.last(), chain_ids(stack).pop()) else {
            return Ok(None);
        };
        let subject = || format!("pack layer {diff_id}");
        for key in [LayerKey::Chain(chain_id), LayerKey::Diff(*diff_id)] {
            let name = format!("{LAYERS}/{}", key.dir_name(self.ownership));
            let Some(layer) = self.existing_dir(&name)? else {
                continue;
            };
            let Some(fs) = self.existing_dir(&format!("{name}/fs"))? else {
                continue;
            };
            let source = match Recipe::open(&layer).context(subject)? {
                Some(recipe) => Source::Remade(recipe.remake(fs)),
                None => {
                    let pack = Pack::new(fs, b"", Form::Layer, plainly()).context(subject)?;
                    Source::Packed(Box::new(pack))
                }
            };
            return Ok(Some(LayerTar {
                source,
                expected: *diff_id,
                hasher: Some(Sha256::new()),
            }));
        }
        Ok(None)
    }
}

impl LayerTar {
    /// Whether it is known how the tar was packed; else by hull, or it is refused at its end.
    pub fn has_recipe(&self) -> bool {
        matches!(self.source, Source::Remade(_))
    }
}

impl Read for LayerTar {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.source {
            Source::Packed(pack) => pack.read(buffer)?,
            Source::Remade(remake) => remake.read(buffer)?,
        };
        if count > 0 || buffer.is_empty() {
            if let Some(hasher) = &mut self.hasher {
                hasher.update(&buffer[..count]);
            }
            return Ok(count);
        }
        let Some(hasher) = self.hasher.take() else {
            return Ok(0);
        };
        let found = Digest::from_hasher(hasher);
        if found != self.expected.0 {
            let expected = self.expected;
            return Err(io::Error::other(
                Error::corrupt(format!(
                    "layer {expected} does not give the tar it was made of, but {found}"
                ))
                .hint("it was changed on disk, or packed by another tool"),
            ));
        }
        Ok(0)
    }
}
