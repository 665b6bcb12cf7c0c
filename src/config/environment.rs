//! What the process was given: user, privilege, variables and where the host's files are.
//!
//! A plain value, so that [`Settings::resolve`](super::Settings::resolve) is a function of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::passwd;

/// The variables hull reads; everything else in the environment is left alone.
const VARIABLES: [&str; 20] = [
    "ALL_PROXY",
    "all_proxy",
    "HOME",
    "CONTAINERS_REGISTRIES_CONF",
    "HULL_CONFIG",
    "HULL_LOG",
    "HULL_ROOT",
    "HULL_RUNROOT",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "DOCKER_CONFIG",
    "DOCKER_DEFAULT_PLATFORM",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "REGISTRY_AUTH_FILE",
    "no_proxy",
];

/// The surroundings of one invocation.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Effective user id.
    pub uid: u32,
    /// Whether this process may mount and make devices on the host: root with `CAP_SYS_ADMIN`.
    pub privileged: bool,
    /// Variables, unset and empty ones left out.
    pub variables: BTreeMap<String, String>,
    /// The host's `/etc`.
    pub etc: PathBuf,
    /// The host's `/run`.
    pub run: PathBuf,
    /// The world-writable directory of last resort, `/tmp`.
    pub tmp: PathBuf,
}

impl Environment {
    /// Reads the surroundings of this process.
    pub fn of_process() -> Self {
        let uid = rustix::process::geteuid().as_raw();
        let named = VARIABLES.iter().filter_map(|name| {
            let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
            Some(((*name).to_owned(), value))
        });
        Environment {
            uid,
            privileged: uid == 0 && has_sys_admin(),
            variables: named.collect(),
            etc: "/etc".into(),
            run: "/run".into(),
            tmp: "/tmp".into(),
        }
    }

    /// A variable that is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// A variable that holds an absolute path; a relative one is ignored (XDG base directories).
    pub fn directory(&self, name: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.variable(name)?);
        path.is_absolute().then_some(path)
    }

    /// The user's home: `$HOME`, else what `/etc/passwd` says. Root takes `$HOME` only if root owns
    /// it, because `sudo` may leave the caller's there.
    pub fn home(&self) -> Option<PathBuf> {
        let named = self.directory("HOME");
        let own = named.filter(|home| self.uid != 0 || self.owns(home));
        own.or_else(|| passwd::home_of(&self.etc.join("passwd"), self.uid))
    }

    /// Whether `path` exists and belongs to this user.
    pub fn owns(&self, path: &Path) -> bool {
        rustix::fs::stat(path).is_ok_and(|stat| stat.st_uid == self.uid)
    }
}

fn has_sys_admin() -> bool {
    rustix::thread::capabilities(None).is_ok_and(|sets| {
        sets.effective
            .contains(rustix::thread::CapabilitySet::SYS_ADMIN)
    })
}
