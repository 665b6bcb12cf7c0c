//! Where the store and the run directory are.
//!
//! Root never uses a directory that the caller's environment names under somebody else's home
//! (`sudo` keeps such variables on some hosts), and the directory of last resort below `/tmp` is
//! taken only if nobody else can have prepared it.

use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::Environment;
use crate::error::{Context, Error, Kind, Result};

/// The store when nothing names another.
pub fn default_root(env: &Environment) -> Result<PathBuf> {
    if env.privileged {
        return Ok("/var/lib/hull".into());
    }
    let named = env.directory("XDG_DATA_HOME");
    if let Some(data) = named.filter(|data| env.uid != 0 || env.owns(data)) {
        return Ok(data.join("hull"));
    }
    let home = env.home().ok_or_else(|| {
        Error::new(
            Kind::System,
            format!("no home directory for uid {}", env.uid),
        )
        .hint("set HOME or XDG_DATA_HOME, or name a store with --root")
    })?;
    Ok(home.join(".local/share/hull"))
}

/// The run directory when nothing names another.
pub fn default_run(env: &Environment) -> Result<PathBuf> {
    if env.privileged {
        return Ok(env.run.join("hull"));
    }
    let session = env.run.join("user").join(env.uid.to_string());
    let mut candidates = env
        .directory("XDG_RUNTIME_DIR")
        .into_iter()
        .chain([session]);
    if let Some(own) = candidates.find(|path| env.owns(path)) {
        return Ok(own.join("hull"));
    }
    let fallback = env.tmp.join(format!("hull-{}", env.uid));
    claim(&fallback, env.uid)?;
    Ok(fallback)
}

/// Makes the directory, or accepts an existing one that only this user can have written to.
fn claim(path: &Path, uid: u32) -> Result<()> {
    match rustix::fs::mkdir(path, Mode::RWXU) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(errno) => return Err(errno).context(|| format!("create {}", path.display())),
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let refuse = |why: String| {
        Error::new(Kind::System, format!("refusing {}: {why}", path.display()))
            .hint("set XDG_RUNTIME_DIR, or name a directory with --runroot")
    };
    let directory = rustix::fs::open(path, flags, Mode::empty())
        .map_err(|errno| refuse(format!("not a plain directory ({errno})")))?;
    let stat = rustix::fs::fstat(&directory).context(|| format!("stat {}", path.display()))?;
    if stat.st_uid != uid {
        return Err(refuse(format!("owned by uid {}", stat.st_uid)));
    }
    if stat.st_mode & 0o077 != 0 {
        return Err(refuse("open to other users".to_owned()));
    }
    Ok(())
}
