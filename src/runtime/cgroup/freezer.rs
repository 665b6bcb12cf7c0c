//! Freezing and thawing, by the freezer of either version.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Cgroup;
use crate::error::{Context as _, Error, Kind, Result};

/// How long a container may take to freeze: a process in uninterruptible sleep ends that first.
const PATIENCE: Duration = Duration::from_secs(10);

/// What one version wants written, and shows once it is so.
struct Freezer {
    file: PathBuf,
    state: PathBuf,
    /// Value and line for frozen, then for thawed.
    words: [(&'static str, &'static str); 2],
}

impl Freezer {
    fn version_1(path: &Path) -> Freezer {
        Freezer {
            file: path.join("freezer.state"),
            state: path.join("freezer.state"),
            words: [("FROZEN", "FROZEN"), ("THAWED", "THAWED")],
        }
    }

    fn version_2(path: &Path) -> Freezer {
        Freezer {
            file: path.join("cgroup.freeze"),
            state: path.join("cgroup.events"),
            words: [("1", "frozen 1"), ("0", "frozen 0")],
        }
    }

    fn write(&self, frozen: bool) -> Result<()> {
        let (value, _) = self.words[usize::from(!frozen)];
        fs::write(&self.file, value).context(|| format!("write {}", self.file.display()))
    }

    fn await_state(&self, frozen: bool, patience: Duration) -> Result<()> {
        let (_, wanted) = self.words[usize::from(!frozen)];
        let deadline = Instant::now() + patience;
        loop {
            self.write(frozen)?;
            let text = fs::read_to_string(&self.state);
            let text = text.context(|| format!("read {}", self.state.display()))?;
            if text.lines().any(|line| line == wanted) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let verb = if frozen { "freeze" } else { "thaw" };
                let text = format!("the container did not {verb} in {} s", patience.as_secs());
                return Err(Error::new(Kind::System, text));
            }
            // Version 1 may stop half way (`FREEZING`) and wants to be told again.
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Cgroup {
    /// Freezes or thaws every process inside, and waits until it is so.
    ///
    /// # Errors
    /// `Unsupported` where there is no freezer. A container that could not be frozen is thawed.
    pub fn freeze(&self, frozen: bool) -> Result<()> {
        self.freeze_within(frozen, PATIENCE)
    }

    pub(super) fn freeze_within(&self, frozen: bool, patience: Duration) -> Result<()> {
        let freezer = match (self.directory_of("freezer"), &self.version_2) {
            (Some(path), _) => Freezer::version_1(path),
            (None, Some(path)) => Freezer::version_2(path),
            (None, None) => {
                return Err(Error::unsupported("no cgroup freezer on this host")
                    .hint("pausing needs cgroup v2 or the v1 freezer"));
            }
        };
        let done = freezer.await_state(frozen, patience);
        if frozen && done.is_err() {
            // Should: never leave a container half frozen. The first error is the one to tell.
            let _ = freezer.write(false);
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory that takes the word and never shows it, as a process in uninterruptible sleep
    /// makes the kernel do.
    #[test]
    fn f53_a_freeze_that_fails_thaws() {
        let name = format!("hull-test-freezer-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("made");
        fs::write(path.join("cgroup.events"), "populated 1\nfrozen 0\n").expect("written");
        let cgroup = Cgroup {
            version_2: Some(path.clone()),
            ..Cgroup::default()
        };
        let failed = cgroup.freeze_within(true, Duration::from_millis(10));
        let word = fs::read_to_string(path.join("cgroup.freeze"));
        let unreadable = {
            fs::remove_file(path.join("cgroup.events")).expect("removed");
            cgroup.freeze_within(true, Duration::from_millis(10))
        };
        let then = fs::read_to_string(path.join("cgroup.freeze"));
        fs::remove_dir_all(&path).expect("removed");
        assert!(failed.is_err() && unreadable.is_err());
        assert_eq!(word.expect("was written"), "0");
        assert_eq!(then.expect("was written"), "0");
    }
}
