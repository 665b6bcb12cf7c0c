//! newuidmap(1) and newgidmap(1): the only privileged programs hull ever starts.
//!
//! They are found in a fixed list of directories, never by PATH, and get an empty environment
//! (A115): PATH belongs to whoever wrote the caller's profile.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Child, Command, Stdio};

use crate::error::{Context, Error, Kind, Result};
use crate::rootless::map::{Cause, Extent};

/// Where distributions put them; the last is NixOS's directory of setuid wrappers.
const NEWUIDMAP: [&str; 4] = [
    "/usr/bin/newuidmap",
    "/bin/newuidmap",
    "/usr/local/bin/newuidmap",
    "/run/wrappers/bin/newuidmap",
];
const NEWGIDMAP: [&str; 4] = [
    "/usr/bin/newgidmap",
    "/bin/newgidmap",
    "/usr/local/bin/newgidmap",
    "/run/wrappers/bin/newgidmap",
];

/// Both programs, found and able to do their work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Helpers {
    pub newuidmap: &'static str,
    pub newgidmap: &'static str,
}

/// Finds both, or says why a full map cannot be written.
pub fn find() -> Result<Result<Helpers, Cause>> {
    if rustix::thread::no_new_privs().context(|| "read no_new_privs")? {
        return Ok(Err(Cause::NoNewPrivileges));
    }
    let newuidmap = match find_one("newuidmap", &NEWUIDMAP) {
        Ok(path) => path,
        Err(cause) => return Ok(Err(cause)),
    };
    Ok(find_one("newgidmap", &NEWGIDMAP).map(|newgidmap| Helpers {
        newuidmap,
        newgidmap,
    }))
}

impl Helpers {
    /// Writes both maps of the process's namespace, the two programs side by side (1.2 ms each).
    pub fn run(&self, pid: i32, uids: &[Extent], gids: &[Extent]) -> Result<()> {
        let uid_helper = start(self.newuidmap, pid, uids)?;
        let gid_helper = start(self.newgidmap, pid, gids);
        // The first must be reaped even when the second could not be started.
        let uid_result = finish(self.newuidmap, uid_helper);
        let gid_result = finish(self.newgidmap, gid_helper?);
        uid_result.and(gid_result)
    }
}

fn find_one(name: &'static str, paths: &[&'static str]) -> Result<&'static str, Cause> {
    let mut found = Err(Cause::HelperMissing { name });
    for path in paths {
        if is_privileged(path) {
            return Ok(path);
        }
        if found.is_err() && std::fs::exists(path).unwrap_or(false) {
            found = Err(Cause::HelperUnprivileged { path });
        }
    }
    found
}

fn is_privileged(path: &str) -> bool {
    const SETUID: u32 = 0o4000;
    let Ok(file) = std::fs::metadata(path) else {
        return false;
    };
    let nosuid = rustix::fs::statvfs(path)
        .is_ok_and(|fs| fs.f_flag.contains(rustix::fs::StatVfsMountFlags::NOSUID));
    let is_setuid = file.uid() == 0 && file.permissions().mode() & SETUID != 0;
    let has_capabilities = || {
        let mut none = [0u8; 0];
        rustix::fs::getxattr(path, "security.capability", &mut none).is_ok_and(|size| size > 0)
    };
    !nosuid && (is_setuid || has_capabilities())
}

fn start(path: &str, pid: i32, extents: &[Extent]) -> Result<Child> {
    let words = extents.iter().flat_map(|extent| {
        [extent.inside, extent.outside, extent.count].map(|number| number.to_string())
    });
    Command::new(path)
        .env_clear()
        .current_dir("/")
        .arg(pid.to_string())
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context(|| format!("start {path}"))
}

fn finish(path: &str, helper: Child) -> Result<()> {
    let output = helper
        .wait_with_output()
        .context(|| format!("wait for {path}"))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let words = words.trim().trim_start_matches("newuidmap: ");
    let words = words.trim_start_matches("newgidmap: ");
    Err(Error::new(Kind::System, format!("{path}: {words}"))
        .hint("compare /etc/subuid and /etc/subgid with the ids named above"))
}
