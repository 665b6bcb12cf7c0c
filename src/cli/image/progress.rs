//! Docker's lines for layers that come in.

use crate::base::{Digest, Reference};
use crate::cli::output::{self, Step, Stream};
use crate::image::{LayerEvent, Progress};

/// Shows layers on a stream.
pub struct Layers {
    shown: output::Progress,
}

impl Layers {
    /// Layers of a pull or load.
    pub fn new(stream: Stream) -> Self {
        Layers {
            shown: output::Progress::new(stream),
        }
    }

    /// A line between or after layers.
    pub fn say(&self, text: &str) {
        self.shown.say(text);
    }
}

impl Progress for Layers {
    fn begin(&self, name: &str) {
        self.shown.say(&heading(name));
    }

    fn layer(&self, layer: &Digest, event: LayerEvent) {
        let (state, amount) = match event {
            LayerEvent::Waiting => ("Pulling fs layer", None),
            LayerEvent::Downloading { bytes, total } => ("Downloading", Some((bytes, total))),
            LayerEvent::Verifying => ("Verifying Checksum", None),
            LayerEvent::Extracting => ("Extracting", None),
            LayerEvent::Complete => ("Pull complete", None),
            LayerEvent::Exists => ("Already exists", None),
        };
        self.shown.set(
            &layer.short(),
            Step {
                state: state.into(),
                amount,
            },
        );
    }
}

/// `latest: Pulling from library/alpine`: the registry's own name for the repository.
fn heading(name: &str) -> String {
    let Ok(reference) = name.parse::<Reference>() else {
        return format!("Pulling {name}");
    };
    let which = match (&reference.digest, &reference.tag) {
        (Some(_), _) => reference.to_string(),
        (None, Some(tag)) => tag.clone(),
        (None, None) => "latest".to_owned(),
    };
    format!("{which}: Pulling from {}", reference.repository)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_name_tag_and_repository() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let table = [
            ("centos", "latest: Pulling from library/centos".to_owned()),
            ("h:5000/a/b:1", "1: Pulling from a/b".to_owned()),
            (
                &format!("alpine@{digest}"),
                format!("docker.io/library/alpine@{digest}: Pulling from library/alpine"),
            ),
        ];
        for (name, expected) in table {
            assert_eq!(heading(name), expected);
        }
    }
}
