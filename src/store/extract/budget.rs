//! What an archive may use: entries, and space down to a floor.

use std::os::fd::AsFd;

use rustix::io::Errno;

use super::Limits;
use crate::base::ByteSize;
use crate::error::{Context, Error, Result};

/// Free space is asked for after so many bytes …
const CHECK_BYTES: u64 = 32 << 20;
/// … or entries: an empty file takes an inode and directory space.
const CHECK_ENTRIES: u64 = 4096;

/// Counts what was used.
pub(super) struct Budget {
    limits: Limits,
    pub entries: u64,
    pub size_bytes: u64,
    bytes_since: u64,
    entries_since: u64,
}

impl Budget {
    pub fn new(limits: &Limits, target: impl AsFd) -> Result<Budget> {
        let mut budget = Budget {
            limits: limits.clone(),
            entries: 0,
            size_bytes: 0,
            bytes_since: 0,
            entries_since: 0,
        };
        budget.check_space(target)?;
        Ok(budget)
    }

    pub fn add_entry(&mut self, target: impl AsFd) -> Result<()> {
        self.entries += 1;
        self.entries_since += 1;
        if self.entries > self.limits.entries {
            let limit = self.limits.entries;
            return Err(Error::invalid(format!(
                "the archive has over {limit} entries"
            )));
        }
        if self.entries_since >= CHECK_ENTRIES {
            self.check_space(target)?;
        }
        Ok(())
    }

    pub fn add_bytes(&mut self, count: u64, target: impl AsFd) -> Result<()> {
        self.size_bytes = self.size_bytes.saturating_add(count);
        self.bytes_since += count;
        if self.bytes_since >= CHECK_BYTES {
            self.check_space(target)?;
        }
        Ok(())
    }

    fn check_space(&mut self, target: impl AsFd) -> Result<()> {
        self.bytes_since = 0;
        self.entries_since = 0;
        let stat = rustix::fs::fstatvfs(target).context(|| "ask for the free space")?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        let total = stat.f_blocks.saturating_mul(stat.f_frsize);
        let share = total / 100 * self.limits.min_free_percent;
        let floor = self.limits.min_free_bytes.max(share);
        if free < floor {
            return Err(Error::from(Errno::NOSPC)
                .wrap(format!(
                    "only {} are free where the store is, {} must stay free",
                    ByteSize(free),
                    ByteSize(floor)
                ))
                .hint("free some space, for example with: hull system prune"));
        }
        Ok(())
    }
}
