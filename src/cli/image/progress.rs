//! Docker's lines for layers that come in.

use crate::base::{Digest, Reference};
use crate::cli::output::{self, Step, Stream};
use crate::image::{LayerEvent, Progress};

/// Shows layers on a stream.
pub struct Layers {
    shown: output::Progress,
    source: Source,
}

/// Where the layers come from: the words differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Registry,
    Archive,
}

impl Layers {
    /// Layers of a pull.
    pub fn new(stream: Stream) -> Self {
        Layers {
            shown: output::Progress::new(stream),
            source: Source::Registry,
        }
    }

    /// Layers of an archive: only those that are missing here are shown, and no heading.
    pub fn of_archive(stream: Stream) -> Self {
        Layers {
            shown: output::Progress::new(stream),
            source: Source::Archive,
        }
    }

    /// A line between or after layers.
    pub fn say(&self, text: &str) {
        self.shown.say(text);
    }
}

impl Progress for Layers {
    fn begin(&self, name: &str) {
        if self.source == Source::Registry {
            self.shown.say(&heading(name));
        }
    }

    fn layer(&self, layer: &Digest, event: LayerEvent) {
        let step = match self.source {
            Source::Registry => Some(pull_step(event)),
            Source::Archive => load_step(event),
        };
        if let Some((state, amount)) = step {
            let state = state.into();
            self.shown.set(&layer.short(), Step { state, amount });
        }
    }
}

type Words = (&'static str, Option<(u64, u64)>);

fn pull_step(event: LayerEvent) -> Words {
    match event {
        LayerEvent::Waiting => ("Pulling fs layer", None),
        LayerEvent::Downloading { bytes, total } => ("Downloading", Some((bytes, total))),
        LayerEvent::Verifying => ("Verifying Checksum", None),
        LayerEvent::Downloaded => ("Download complete", None),
        LayerEvent::Extracting { bytes, total } => ("Extracting", Some((bytes, total))),
        LayerEvent::Complete => ("Pull complete", None),
        LayerEvent::Exists => ("Already exists", None),
    }
}

fn load_step(event: LayerEvent) -> Option<Words> {
    match event {
        LayerEvent::Downloading { bytes, total } | LayerEvent::Extracting { bytes, total } => {
            Some(("Loading layer", Some((bytes, total))))
        }
        LayerEvent::Waiting
        | LayerEvent::Verifying
        | LayerEvent::Downloaded
        | LayerEvent::Complete
        | LayerEvent::Exists => None,
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
    fn a_load_shows_what_it_reads_in_one_state() {
        let (bytes, total) = (1, 2);
        let amount = Some((bytes, total));
        for event in [
            LayerEvent::Downloading { bytes, total },
            LayerEvent::Extracting { bytes, total },
        ] {
            assert_eq!(load_step(event), Some(("Loading layer", amount)));
        }
        assert_eq!(load_step(LayerEvent::Exists), None);
    }

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
