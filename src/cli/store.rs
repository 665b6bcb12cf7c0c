//! Opening the store for a command, with or without root.
//!
//! Whether this process has become mapped root is a fact about the process, so it is kept once:
//! here.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::base::Ownership;
use crate::cli::output;
use crate::config::Settings;
use crate::error::{Context, Result};
use crate::rootless;
use crate::store::Store;

/// What entering the user namespace told about owners; unset while outside.
static ENTERED: OnceLock<Ownership> = OnceLock::new();
/// What the user should know about the namespace, until it is told.
static NOTICE: Mutex<Option<String>> = Mutex::new(None);

/// Becomes root of the user's namespace. Must run while there is one thread; dispatch calls it for
/// commands with `MappedRoot::Always`. A second time it does nothing.
pub fn become_mapped_root(settings: &Settings) -> Result<()> {
    if ENTERED.get().is_some() {
        return Ok(());
    }
    let run = &settings.run;
    let made = DirBuilder::new().recursive(true).mode(0o700).create(run);
    made.context(|| format!("create {}", run.display()))?;
    let entered = rootless::enter(run)?;
    *NOTICE.lock().unwrap_or_else(PoisonError::into_inner) = entered.notice;
    ENTERED.get_or_init(|| entered.ownership);
    Ok(())
}

/// Tells once what the user should know about the namespace. Dispatch does it after success, so
/// that the one line of an error stays alone; what starts a program does it before.
pub fn tell_notice() {
    let notice = NOTICE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(notice) = notice {
        output::note(format_args!("notice: {notice}"));
    }
}

/// The store, created if it does not exist.
pub fn open(settings: &Settings) -> Result<Store> {
    Store::open(&settings.root, ownership(settings)?)
}

/// The store for reading; `None` if nothing was ever stored.
pub fn open_existing(settings: &Settings) -> Result<Option<Store>> {
    Store::open_existing(&settings.root, ownership(settings)?)
}

/// Whether this user keeps the owners of files.
pub fn ownership(settings: &Settings) -> Result<Ownership> {
    if let Some(ownership) = ENTERED.get() {
        return Ok(*ownership);
    }
    if !settings.rootless {
        return Ok(Ownership::Full);
    }
    // A reader outside the namespace: what it would be.
    Ok(rootless::IdMap::for_caller()?.ownership())
}
