//! The size of a long-lived process: madvise(2) on its own program.

use rustix::io::Errno;

use super::process::last_errno;

/// Unmaps the pages of this program's code and constants that are mapped now, and tells the kernel
/// not to map neighbours of what is touched next. They come back from the page cache one by one.
///
/// # Errors
/// Those of reading /proc/self/maps and of madvise.
pub fn forget_program() -> Result<(), Errno> {
    let maps = std::fs::read_to_string("/proc/self/maps")
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (Some(range), Some(mode)) = (fields.next(), fields.next()) else {
            continue;
        };
        let file = fields.nth(3).is_some_and(|path| path.starts_with('/'));
        let offset = line.split_whitespace().nth(2).unwrap_or("");
        // Code, and the first segment, which holds constants. Later read-only segments were
        // written by the program's own start and must stay.
        let first = offset.bytes().all(|b| b == b'0');
        if file && (mode == "r-xp" || mode == "r--p" && first) {
            forget(range)?;
        }
    }
    Ok(())
}

fn forget(range: &str) -> Result<(), Errno> {
    let parse = |text: &str| usize::from_str_radix(text, 16).map_err(|_| Errno::INVAL);
    let (start, end) = range.split_once('-').ok_or(Errno::INVAL)?;
    let (start, end) = (parse(start)?, parse(end)?);
    let address = std::ptr::without_provenance_mut::<libc::c_void>(start);
    for advice in [libc::MADV_RANDOM, libc::MADV_DONTNEED] {
        // SAFETY: the range is a private file mapping that was never writable: dropping its pages
        // loses nothing, the same bytes are read from the file at the next touch.
        if unsafe { libc::madvise(address, end - start, advice) } != 0 {
            return Err(last_errno());
        }
    }
    Ok(())
}
