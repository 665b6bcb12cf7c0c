//! The settings themselves and the order in which their sources count.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use log::LevelFilter;

use super::environment::Environment;
use super::file::{self, Origin};
use super::paths;
use super::registries::{RegistryFiles, RegistryRule};
use super::ulimit::Ulimit;
use crate::error::{Error, Result};

/// What the command line says; it wins over everything.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--root`
    pub root: Option<PathBuf>,
    /// `--runroot`
    pub run: Option<PathBuf>,
    /// `--log-level`, or `debug` for `--debug`
    pub log_level: Option<String>,
}

/// Everything that is decided outside a single command's flags.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The store.
    pub root: PathBuf,
    /// Run state, on tmpfs.
    pub run: PathBuf,
    /// Not root on this host, or root without `CAP_SYS_ADMIN`.
    pub rootless: bool,
    /// The user's home directory, where credentials are.
    pub home: Option<PathBuf>,
    /// The directory of the user's Docker client, if `DOCKER_CONFIG` names one.
    pub docker_config: Option<PathBuf>,
    /// The file logins are kept in, if the user names one (`REGISTRY_AUTH_FILE`, `--authfile`).
    pub auth_file: Option<PathBuf>,
    /// Where podman keeps logins, for reading.
    pub podman_auth: Vec<PathBuf>,
    /// How registries are reached.
    pub registry: RegistrySettings,
    /// Name servers for containers.
    pub dns: Dns,
    /// How containers log unless told otherwise.
    pub logs: LogDefaults,
    /// Limits of containers that name none.
    pub default_ulimits: Vec<Ulimit>,
    /// Layers downloaded at the same time.
    pub pull_concurrency: usize,
    /// The platform of pulled images (`DOCKER_DEFAULT_PLATFORM`); this machine's when absent.
    pub platform: Option<String>,
    /// What is logged to stderr.
    pub log_level: LevelFilter,
}

/// How registries are reached.
#[derive(Debug, Clone, Default)]
pub struct RegistrySettings {
    /// Base addresses asked before docker.io, in order.
    pub mirrors: Vec<String>,
    /// `host[:port]` or address ranges that may speak plain HTTP or show any certificate.
    pub insecure: Vec<String>,
    /// `--tls-verify`: over `insecure`, for every host, where the command line decides.
    pub verify: Option<bool>,
    /// Directories with certificates in a directory of each `host[:port]`.
    pub certificates: Vec<PathBuf>,
    /// `--cert-dir`: certificates for every host of this command.
    pub certificate_dir: Option<PathBuf>,
    /// `registries.conf` and its like; read by [`RegistryFiles::load`] into `rules`.
    pub files: RegistryFiles,
    /// What those files say.
    pub rules: Vec<RegistryRule>,
    /// Proxies from the environment.
    pub proxies: Proxies,
}

/// Proxies, as curl and Go read them from the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For `http://` addresses.
    pub http: Option<String>,
    /// For `https://` addresses.
    pub https: Option<String>,
    /// Hosts, domains and ranges reached directly, separated by commas.
    pub no_proxy: Option<String>,
}

/// Name servers, search domains and options of containers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dns {
    /// Name servers.
    pub servers: Vec<IpAddr>,
    /// Search domains.
    pub search: Vec<String>,
    /// `resolv.conf` options.
    pub options: Vec<String>,
}

/// How containers log unless told otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDefaults {
    /// Driver name; whether it exists is the caller's question.
    pub driver: String,
    /// What files say for this driver, as it stands there.
    pub options: BTreeMap<String, String>,
    /// Size in bytes at which a log file is rotated; `None`: never.
    pub max_size: Option<u64>,
    /// Files kept, the current one included.
    pub max_file: u32,
}

impl Default for LogDefaults {
    fn default() -> Self {
        LogDefaults {
            driver: "json-file".to_owned(),
            options: BTreeMap::new(),
            max_size: Some(16 << 20),
            max_file: 4,
        }
    }
}

impl Settings {
    /// The settings of this process.
    pub fn load(overrides: &Overrides) -> Result<Settings> {
        Settings::resolve(overrides, &Environment::of_process())
    }

    /// The settings of a process in these surroundings.
    pub fn resolve(overrides: &Overrides, env: &Environment) -> Result<Settings> {
        let home = env.home();
        let mut settings = Settings {
            root: PathBuf::new(),
            run: PathBuf::new(),
            rootless: !env.privileged,
            docker_config: env
                .directory("DOCKER_CONFIG")
                .filter(|path| owned(env, path)),
            auth_file: env.variable("REGISTRY_AUTH_FILE").map(PathBuf::from),
            podman_auth: Vec::new(),
            registry: RegistrySettings::default(),
            dns: Dns::default(),
            logs: LogDefaults::default(),
            default_ulimits: Vec::new(),
            pull_concurrency: 3,
            platform: env.variable("DOCKER_DEFAULT_PLATFORM").map(str::to_owned),
            log_level: LevelFilter::Warn,
            home,
        };
        settings.read_files(env)?;
        let user = settings.user_config(env);
        settings.registry.files = RegistryFiles::find(env, user.as_deref());
        settings.registry.certificates = certificate_directories(env, user.as_deref());
        settings.podman_auth = podman_auth(env, user.as_deref());
        settings.read_variables(env)?;
        if let Some(level) = &overrides.log_level {
            settings.log_level = parse_level(level)?;
        }
        settings.place(overrides, env)?;
        Ok(settings)
    }

    /// The files with logins, strongest first; `hull login` writes the first. One that the user
    /// names stands alone.
    pub fn login_files(&self) -> Vec<PathBuf> {
        if let Some(named) = &self.auth_file {
            return vec![named.clone()];
        }
        let home = || Some(self.home.as_ref()?.join(".docker"));
        let docker = self.docker_config.clone().or_else(home);
        let docker = docker.map(|directory| directory.join("config.json"));
        docker.into_iter().chain(self.podman_auth.clone()).collect()
    }

    fn read_files(&mut self, env: &Environment) -> Result<()> {
        let docker = env.etc.join("docker/daemon.json");
        file::apply(&docker, Origin::Docker, env, self)?;
        if let Some(named) = env.variable("HULL_CONFIG").map(PathBuf::from) {
            return file::apply(&named, Origin::Named, env, self);
        }
        let system = env.etc.join("hull/config.json");
        file::apply(&system, Origin::Own, env, self)?;
        match self.user_config(env) {
            Some(user) if !env.privileged => {
                file::apply(&user.join("hull/config.json"), Origin::Own, env, self)
            }
            _ => Ok(()),
        }
    }

    /// The user's directory for settings of programs.
    fn user_config(&self, env: &Environment) -> Option<PathBuf> {
        let named = env
            .directory("XDG_CONFIG_HOME")
            .filter(|path| owned(env, path));
        named.or_else(|| self.home.as_ref().map(|home| home.join(".config")))
    }

    fn read_variables(&mut self, env: &Environment) -> Result<()> {
        let proxy = |upper: &str, lower: &str| {
            let own = env.variable(lower).or_else(|| env.variable(upper));
            own.map(str::to_owned)
        };
        let any = || proxy("ALL_PROXY", "all_proxy");
        self.registry.proxies = Proxies {
            http: proxy("HTTP_PROXY", "http_proxy").or_else(any),
            https: proxy("HTTPS_PROXY", "https_proxy").or_else(any),
            no_proxy: proxy("NO_PROXY", "no_proxy"),
        };
        if let Some(root) = env.directory("HULL_ROOT") {
            self.root = root;
        }
        if let Some(run) = env.directory("HULL_RUNROOT") {
            self.run = run;
        }
        if let Some(level) = env.variable("HULL_LOG") {
            self.log_level = parse_level(level)?;
        }
        Ok(())
    }

    /// The two directories last: their defaults may need a home, or make a directory.
    fn place(&mut self, overrides: &Overrides, env: &Environment) -> Result<()> {
        if let Some(root) = &overrides.root {
            self.root = absolute(root)?;
        }
        if let Some(run) = &overrides.run {
            self.run = absolute(run)?;
        }
        if self.root.as_os_str().is_empty() {
            self.root = paths::default_root(env)?;
        }
        if self.run.as_os_str().is_empty() {
            self.run = paths::default_run(env)?;
        }
        Ok(())
    }
}

/// `certs.d`: the user's own and the host's, podman's and Docker's.
fn certificate_directories(env: &Environment, user: Option<&std::path::Path>) -> Vec<PathBuf> {
    let parents = user.into_iter().chain([env.etc.as_path()]);
    let names = ["containers/certs.d", "docker/certs.d"];
    parents
        .flat_map(|parent| names.map(|name| parent.join(name)))
        .collect()
}

/// `auth.json` of this login session, and the user's own.
fn podman_auth(env: &Environment, user: Option<&std::path::Path>) -> Vec<PathBuf> {
    let session = env.directory("XDG_RUNTIME_DIR");
    let session = session.filter(|path| env.owns(path));
    let session = match session {
        Some(session) => session.join("containers"),
        None => env.run.join("containers").join(env.uid.to_string()),
    };
    let own = user.map(|user| user.join("containers"));
    let places = [Some(session), own].into_iter().flatten();
    places.map(|place| place.join("auth.json")).collect()
}

/// A directory that a variable names counts for root only if root owns it, or will: one that is not
/// there yet is made by whoever needs it.
fn owned(env: &Environment, path: &std::path::Path) -> bool {
    env.uid != 0 || env.owns(path) || std::fs::symlink_metadata(path).is_err()
}

fn absolute(path: &std::path::Path) -> Result<PathBuf> {
    use crate::error::Context;
    std::path::absolute(path).context(|| format!("resolve {}", path.display()))
}

/// Docker's level names beside those of the crate `log`.
pub(super) fn parse_level(text: &str) -> Result<LevelFilter> {
    let level = match text {
        "fatal" => Some(LevelFilter::Error),
        "warning" => Some(LevelFilter::Warn),
        other => other.parse().ok(),
    };
    level.ok_or_else(|| {
        Error::invalid(format!("unable to parse logging level: {text}"))
            .hint("one of debug, info, warn, error, fatal")
    })
}
