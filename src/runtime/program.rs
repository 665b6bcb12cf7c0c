//! The small static init in a sealed memfd: the only code of ours that runs inside a container.

use std::ffi::CStr;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;

use rustix::fs::{MemfdFlags, SealFlags};

use crate::error::{Context as _, Result};
use crate::init_program::INIT_PROGRAM;

const NAME: &CStr = c"hull-init";

/// Writes the init into a memfd and seals it: nobody, not even a container's root that opens
/// `/proc/PID/exe`, can change what it holds (CVE-2019-5736).
pub fn sealed_init() -> Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // MFD_EXEC (Linux 6.3) avoids the kernel's warning; older kernels refuse the flag.
    let memfd = rustix::fs::memfd_create(NAME, flags | MemfdFlags::EXEC)
        .or_else(|_| rustix::fs::memfd_create(NAME, flags))
        .context(|| "make the init's memfd")?;
    let mut file = File::from(memfd);
    file.write_all(INIT_PROGRAM)
        .context(|| "fill the init's memfd")?;
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    rustix::fs::fcntl_add_seals(&file, seals).context(|| "seal the init's memfd")?;
    // Reopened read only: a descriptor open for writing would make execveat answer ETXTBSY.
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    let read_only = File::open(path).context(|| "reopen the init's memfd")?;
    Ok(read_only.into())
}
