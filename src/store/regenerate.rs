//! The tar of a layer that was made here: made again from the unpacked layer, and checked.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use super::Store;
use super::layers::{LAYERS, LayerKey};
use super::pack::{Form, Pack, plainly};
use crate::base::{DiffId, Digest};
use crate::error::{Context, Error, Result};

/// The tar of a layer. Its end is an error if the bytes were not those the layer is named by, so
/// whoever reads to the end has the right ones.
pub struct LayerTar {
    pack: Pack<'static>,
    expected: DiffId,
    hasher: Option<Sha256>,
}

impl Store {
    /// The tar of an unpacked layer, `None` if the layer is not here. Right for layers that were
    /// packed by hull; one that came from elsewhere may have been packed by other rules, and is
    /// refused at its end.
    pub fn layer_tar(&self, diff_id: &DiffId) -> Result<Option<LayerTar>> {
        let name = LayerKey::Diff(*diff_id).dir_name(self.ownership);
        let Some(dir) = self.existing_dir(&format!("{LAYERS}/{name}/fs"))? else {
            return Ok(None);
        };
        let pack = Pack::new(dir, b"", Form::Layer, plainly());
        Ok(Some(LayerTar {
            pack: pack.context(|| format!("pack layer {diff_id}"))?,
            expected: *diff_id,
            hasher: Some(Sha256::new()),
        }))
    }
}

impl Read for LayerTar {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.pack.read(buffer)?;
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
