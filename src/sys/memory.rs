//! The pages of this program itself.

#![allow(
    unsafe_code,
    reason = "madvise(2) on our own image has no safe wrapper"
)]

use std::ffi::c_void;

unsafe extern "C" {
    /// Where the program's image begins, and where its code ends: defined by the linker (ld(1),
    /// end(3)). Their addresses are what counts, not their content.
    static __executable_start: u8;
    static etext: u8;
}

/// Forgets the pages of code and constants that were used so far; those used again come back from
/// the page cache. A process that now sleeps for long then counts for little (`Pss`, proc(5)).
pub fn release_program() {
    let page = rustix::param::page_size();
    let start = (&raw const __executable_start)
        .addr()
        .next_multiple_of(page);
    let end = (&raw const etext).addr() / page * page;
    let length = end.saturating_sub(start);
    // MADV_RANDOM first: the kernel then maps what is touched next without its neighbours.
    for advice in [libc::MADV_RANDOM, libc::MADV_DONTNEED] {
        let address = std::ptr::without_provenance_mut::<c_void>(start);
        // SAFETY: between the two symbols there are only read-only private mappings of our
        // executable, which nobody has written to. For these MADV_DONTNEED drops page table
        // entries, and the same bytes are read again from the file (madvise(2)). Only a saving: a
        // kernel that refuses leaves everything as it was.
        let _ = unsafe { libc::madvise(address, length, advice) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Resident pages of mappings of our own executable, KiB (proc_pid_smaps(5)).
    fn resident() -> u64 {
        let smaps = std::fs::read_to_string("/proc/self/smaps").expect("smaps");
        let exe = std::env::current_exe().expect("exe").display().to_string();
        let mut ours = false;
        let mut sum = 0;
        for line in smaps.lines() {
            if line.contains('-') && !line.contains("kB") {
                ours = line.ends_with(&exe) && line.contains(" r-");
            } else if let (true, Some(size)) = (ours, line.strip_prefix("Rss:")) {
                let number = size.split_whitespace().next().expect("a number");
                sum += number.parse::<u64>().expect("a number");
            }
        }
        sum
    }

    #[test]
    fn released_pages_leave_and_come_back() {
        let before = resident();
        release_program();
        let after = resident();
        assert!(
            after < before,
            "{after} KiB of {before} KiB are still there"
        );
        // Constants and code are what they were.
        assert_eq!(format!("{:?}", Some("text")), "Some(\"text\")");
    }
}
