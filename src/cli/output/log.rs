//! The receiver of the crate `log`: one escaped line a message on stderr, from a level up.

use log::{LevelFilter, Log, Metadata, Record};

use crate::cli::output;

struct Stderr;

static STDERR: Stderr = Stderr;

/// Lets messages of this level and above through.
pub fn install(level: LevelFilter) {
    // A second call (in tests) keeps the first receiver and only changes the level.
    let _ = log::set_logger(&STDERR);
    log::set_max_level(level);
}

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata) -> bool {
        // Libraries speak at their own levels about their own affairs.
        metadata.target().starts_with("hull")
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            let level = record.level().as_str().to_ascii_lowercase();
            output::note(format_args!("{level}: {}", record.args()));
        }
    }

    fn flush(&self) {}
}
