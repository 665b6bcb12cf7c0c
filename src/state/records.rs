//! All containers of one store, as records on disk.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::config::{Config, SCHEMA};
use super::lifecycle::{Health, HealthStatus};
use super::live::{HEALTH, Live, RunDirectory, boot_id};
use super::names;
use super::status::{Event, Status, next};
use crate::base::{ContainerId, Name, Timestamp};
use crate::error::{Context as _, Error, Kind, Result};
use crate::sys::lock::{Sharing, lock};

/// `containers/<id>/state.json`: how the container stands, and all that `ps` shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct State {
    pub schema: u32,
    pub id: ContainerId,
    pub name: Name,
    pub status: Status,
    pub created: Timestamp,
    pub image_name: String,
    pub command: String,
    #[serde(default)]
    pub started: Option<Timestamp>,
    #[serde(default)]
    pub finished: Option<Timestamp>,
    #[serde(default)]
    pub exit_code: u8,
    /// Why the last start failed or the monitor was lost.
    #[serde(default)]
    pub error: String,
    #[serde(default)]
    pub oom_killed: bool,
    #[serde(default)]
    pub auto_remove: bool,
    /// Restarts by policy since a user started it.
    #[serde(default)]
    pub restart_count: u32,
    /// A user stopped it: `unless-stopped` leaves it so.
    #[serde(default)]
    pub stopped_by_user: bool,
    /// The boot in which it was last started.
    #[serde(default)]
    pub boot_id: String,
}

impl State {
    /// It was started and no monitor says how it ended: the monitor or the machine went down.
    fn lose(&mut self, live: Option<&Live>) {
        self.status = Status::Exited;
        if let Some(end) = live.and_then(|live| live.ended) {
            self.exit_code = end.exit_code;
            self.finished = Some(end.at);
            return;
        }
        let now = live.is_some() || self.boot_id == boot_id();
        self.exit_code = if now { 137 } else { 255 };
        self.error = match now {
            true => "monitor lost".to_owned(),
            false => "the host was restarted".to_owned(),
        };
    }
}

/// A container as it stands now: the stored state corrected by what the kernel says.
#[derive(Debug, Clone)]
pub struct Record {
    pub state: State,
    pub live: Option<Live>,
    /// Of a running one that has checks.
    pub health: Option<HealthStatus>,
}

impl Record {
    fn ended(state: State) -> Record {
        Record {
            state,
            live: None,
            health: None,
        }
    }
}

/// Everything needed to publish a new container.
#[derive(Debug)]
pub struct NewContainer<'a> {
    pub config: &'a Config,
    pub name: &'a Name,
    pub command: String,
}

/// The containers below a store and a run directory.
#[derive(Debug, Clone)]
pub struct Records {
    root: PathBuf,
    run: PathBuf,
}

impl Records {
    /// Names the directories; nothing is made.
    pub fn at(root: &Path, run: &Path) -> Self {
        Records {
            root: root.to_owned(),
            run: run.to_owned(),
        }
    }

    /// The store.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The run directory of this user, on tmpfs.
    pub fn run(&self) -> &Path {
        &self.run
    }

    /// The directory of a container.
    pub fn directory(&self, id: &ContainerId) -> PathBuf {
        self.root.join("containers").join(id.to_string())
    }

    /// The run directory of a container.
    pub fn run_directory(&self, id: &ContainerId) -> RunDirectory {
        RunDirectory::of(&self.run, id)
    }

    pub(super) fn names(&self) -> PathBuf {
        self.root.join("names")
    }

    /// Publishes a new container: everything is written aside, the name is claimed, and one rename
    /// makes it appear whole. Kept containers survive a power cut from here on.
    pub fn publish(&self, new: &NewContainer<'_>) -> Result<()> {
        let config = new.config;
        let subject = || format!("make container {}", new.name);
        let staging = self.root.join("tmp").join(boot_id());
        for directory in [&staging, &self.names(), &self.root.join("containers")] {
            make_directory(directory)?;
        }
        let (aside, _lock) = make_aside(&staging, &config.id).context(subject)?;
        let result = match self.publish_from(new, &aside) {
            // Scripts know these words.
            Err(error) if error.kind() == Kind::Conflict => Err(error),
            other => other.context(subject),
        };
        if result.is_err() {
            // Foreign leftovers below tmp/ are swept; the first error is the one to tell.
            let _ = fs::remove_dir_all(&aside);
        }
        result
    }

    fn publish_from(&self, new: &NewContainer<'_>, aside: &Path) -> Result<()> {
        let config = new.config;
        let state = State {
            schema: SCHEMA,
            id: config.id,
            name: new.name.clone(),
            status: Status::Created,
            created: config.created,
            image_name: config.image_name.clone(),
            command: new.command.clone(),
            started: None,
            finished: None,
            exit_code: 0,
            error: String::new(),
            oom_killed: false,
            auto_remove: config.auto_remove,
            restart_count: 0,
            stopped_by_user: false,
            boot_id: if config.auto_remove {
                boot_id().to_owned()
            } else {
                String::new()
            },
        };
        for directory in ["up", "up/diff", "up/work", "log"] {
            fs::DirBuilder::new()
                .mode(0o700)
                .create(aside.join(directory))?;
        }
        // The mode of the container's own `/`, whatever the caller's mask.
        fs::set_permissions(aside.join("up/diff"), fs::Permissions::from_mode(0o755))?;
        let durable = !config.auto_remove;
        write_new(
            &aside.join("config.json"),
            &serde_json::to_vec(config)?,
            durable,
        )?;
        write_new(
            &aside.join("state.json"),
            &serde_json::to_vec(&state)?,
            durable,
        )?;
        let published = |id: &ContainerId| self.is_called(id, new.name);
        let claim = names::claim(&self.names(), new.name, &config.id, published)?;
        let made_durable = match durable {
            true => claim.sync().and_then(|()| sync_directory(aside)),
            false => Ok(()),
        };
        let destination = self.directory(&config.id);
        if let Err(error) = made_durable.and_then(|()| Ok(fs::rename(aside, &destination)?)) {
            claim.abandon();
            return Err(error);
        }
        if durable {
            let synced = sync_directory(&self.root.join("containers"));
            if let Err(error) = synced.and_then(|()| sync_directory(&self.names())) {
                // What is told to have failed must not be there; the error is the news. Giving the
                // name back takes its lock, which the claim holds.
                drop(claim);
                let _ = self.bury(&config.id);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Whether there is such a container, readable or not.
    pub fn exists(&self, id: &ContainerId) -> bool {
        self.directory(id).exists()
    }

    /// The container that has this name.
    pub fn named(&self, name: &Name) -> Option<ContainerId> {
        names::holder(&self.names(), name).filter(|id| self.exists(id))
    }

    /// Removes names that killed commands left.
    pub fn sweep_names(&self) {
        names::sweep(&self.names(), |id, name| self.is_called(id, name));
    }

    /// Removes run directories of containers that do not exist any more: their monitor was killed
    /// after it had removed them.
    pub fn sweep_run_directories(&self) -> Result<()> {
        let entries = fs::read_dir(self.run.join("c")).into_iter().flatten();
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let found: Vec<String> = names.collect();
        if found.is_empty() {
            return Ok(());
        }
        let known: HashSet<String> = self.ids()?.iter().map(ContainerId::short).collect();
        for name in found.into_iter().filter(|name| !known.contains(name)) {
            let run = RunDirectory::named(&self.run, &name);
            if !run.has_monitor() {
                run.remove()?;
            }
        }
        Ok(())
    }

    /// The container that a user means: a whole id, a name, or the unique start of an id.
    pub fn find(&self, text: &str) -> Result<ContainerId> {
        let missing = || {
            let shown: String = text.chars().take(128).collect();
            Error::not_found(format!("No such container: {shown}"))
        };
        if let Ok(id) = text.parse::<ContainerId>()
            && self.exists(&id)
        {
            return Ok(id);
        }
        if let Ok(name) = text.parse::<Name>()
            && let Some(id) = names::holder(&self.names(), &name)
            && self.is_called(&id, &name)
        {
            return Ok(id);
        }
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(missing());
        }
        let ids = self.ids()?;
        let mut found = ids
            .into_iter()
            .filter(|id| id.to_string().starts_with(text));
        match (found.next(), found.next()) {
            (Some(id), None) => Ok(id),
            (None, _) => Err(missing()),
            _ => Err(Error::invalid(format!(
                "multiple IDs found with provided prefix: {text}"
            ))),
        }
    }

    /// Every container's id, in no order.
    pub fn ids(&self) -> Result<Vec<ContainerId>> {
        let directory = self.root.join("containers");
        let entries = match fs::read_dir(&directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.context(|| format!("read {}", directory.display()))?,
        };
        let names = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok());
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }

    /// Every container as it stands, newest first. One that cannot be read does not hide the
    /// others: its error is returned beside them.
    pub fn list(&self) -> Result<(Vec<Record>, Vec<Error>)> {
        let mut records = Vec::new();
        let mut broken = Vec::new();
        for id in self.ids()? {
            match self.record(&id) {
                Ok(record) => records.push(record),
                Err(error) if error.kind() == crate::error::Kind::NotFound => {}
                Err(error) => broken.push(error),
            }
        }
        records.sort_by_key(|record| std::cmp::Reverse(record.state.created));
        Ok((records, broken))
    }

    /// What the container is.
    pub fn config(&self, id: &ContainerId) -> Result<Config> {
        let path = self.directory(id).join("config.json");
        let config: Config = read_json(&path, id)?;
        match config.id == *id {
            true => Ok(config),
            false => Err(broken(
                &path,
                id,
                Error::corrupt("it is of another container"),
            )),
        }
    }

    /// The health of a container that has checks: of now, or when it ended.
    pub fn health(&self, id: &ContainerId) -> Option<Health> {
        self.run_directory(id).health().or_else(|| {
            let bytes = fs::read(self.directory(id).join(HEALTH)).ok()?;
            serde_json::from_slice(&bytes).ok()
        })
    }

    /// Keeps the health of a container that has ended, for `inspect`: as Docker, unhealthy.
    pub fn keep_health(&self, id: &ContainerId) -> Result<()> {
        let Some(mut health) = self.run_directory(id).health() else {
            return Ok(());
        };
        health.status = HealthStatus::Unhealthy;
        let path = self.directory(id).join(HEALTH);
        replace(&path, &serde_json::to_vec(&health)?, false)
    }

    /// What the container is called now.
    pub fn name(&self, id: &ContainerId) -> Result<Name> {
        self.state(id).map(|state| state.name)
    }

    pub(super) fn state(&self, id: &ContainerId) -> Result<State> {
        let path = self.directory(id).join("state.json");
        let state: State = read_json(&path, id)?;
        match state.id == *id {
            true => Ok(state),
            false => Err(broken(
                &path,
                id,
                Error::corrupt("it is of another container"),
            )),
        }
    }

    /// How the container stands. Takes no lock, so what is read may be of before and after a start
    /// or an end: then it is read again.
    pub fn record(&self, id: &ContainerId) -> Result<Record> {
        let run = self.run_directory(id);
        loop {
            let last = run.live();
            let has_monitor = run.has_monitor();
            let mut state = self.state(id)?;
            let says_running = state.status == Status::Running && state.boot_id == boot_id();
            match last {
                Some(live) if has_monitor => {
                    state.status = match live {
                        Live {
                            restarting: true, ..
                        } => Status::Restarting,
                        Live { paused: true, .. } => Status::Paused,
                        _ => Status::Running,
                    };
                    state.started = Some(live.started);
                    let health = run.health().map(|health| health.status);
                    return Ok(Record {
                        state,
                        live: Some(live),
                        health,
                    });
                }
                // A monitor removes the record before it lets go of the lock.
                Some(_) if !run.is_recorded() => {}
                Some(live) => {
                    state.lose(Some(&live));
                    return Ok(Record::ended(state));
                }
                None if has_monitor && run.is_recorded() && run.live().is_none() => {
                    let path = run.path().join("run.json");
                    return Err(broken(&path, id, Error::corrupt("it cannot be read")));
                }
                // Started meanwhile.
                None if says_running && run.live().is_some() => {}
                None => {
                    if state.status == Status::Running {
                        state.lose(None);
                    }
                    return Ok(Record::ended(state));
                }
            }
        }
    }

    /// Locks one container's record against other writers.
    pub fn lock(&self, id: &ContainerId) -> Result<File> {
        let path = self.directory(id).join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path);
        let file = match file {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::not_found(format!("No such container: {id}")));
            }
            other => other.context(|| format!("open {}", path.display()))?,
        };
        lock(&file, Sharing::Exclusive, || format!("lock container {id}"))?;
        Ok(file)
    }

    /// The only writer of `state.json`: lock, read, judge, change, replace.
    ///
    /// # Errors
    /// `Conflict` if the event cannot happen in the present status.
    pub fn apply(
        &self,
        id: &ContainerId,
        event: Event,
        change: impl FnOnce(&mut State),
    ) -> Result<State> {
        let _lock = self.lock(id)?;
        let path = self.directory(id).join("state.json");
        let mut state = self.state(id)?;
        state.status = next(state.status, event).ok_or_else(|| {
            let text = format!(
                "container {id} is {}: {event:?} cannot happen",
                state.status
            );
            Error::conflict(text)
        })?;
        if event == Event::Started {
            state.boot_id = boot_id().to_owned();
        }
        change(&mut state);
        let durable = event == Event::Died && !state.auto_remove;
        replace(&path, &serde_json::to_vec(&state)?, durable)?;
        Ok(state)
    }

    /// Replaces what the container is, whole and durable. `_lock` is that of [`Records::lock`],
    /// held since the configuration was read: two changes never lose one another.
    pub fn replace_config(&self, _lock: &File, config: &Config) -> Result<()> {
        let path = self.directory(&config.id).join("config.json");
        let durable = !config.auto_remove;
        replace(&path, &serde_json::to_vec(config)?, durable)
    }

    /// Takes the container out of sight in one rename and gives its name back. The caller has
    /// deleted what is at the returned path. Works in any state and needs no free space.
    pub fn bury(&self, id: &ContainerId) -> Result<PathBuf> {
        let mut graves = self.root.join("tmp").join(boot_id());
        if let Err(error) = make_directory(&graves) {
            // On a full disk: right below tmp/ it is wiped like what another boot has left.
            let is_full = matches!(error.errno(), Some(Errno::NOSPC | Errno::DQUOT));
            graves.pop();
            if !is_full || !graves.is_dir() {
                return Err(error);
            }
        }
        let name = self.state(id).ok().map(|state| state.name);
        let grave = graves.join(format!("0-{}", &id.to_string()[..32]));
        match fs::rename(self.directory(id), &grave) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::not_found(format!("No such container: {id}")));
            }
            other => other.context(|| format!("remove container {id}"))?,
        }
        let is_held = |name: &Name| names::holder(&self.names(), name).as_ref() == Some(id);
        let held = match name.filter(is_held) {
            Some(name) => vec![name],
            // The record is damaged.
            None => names::held_by(&self.names(), id),
        };
        for name in held {
            if let Err(error) = names::release(&self.names(), &name, id) {
                // It is free all the same: its container does not exist any more.
                log::warn!("{error}");
            }
        }
        self.run_directory(id).remove()?;
        Ok(grave)
    }
}

fn no_such_container(text: &str) -> Error {
    Error::not_found(format!("No such container: {text}"))
}

fn make_directory(path: &Path) -> Result<()> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    made.context(|| format!("make {}", path.display()))
}

fn read_json<T: for<'a> Deserialize<'a>>(path: &Path, id: &ContainerId) -> Result<T> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Error::not_found(format!("No such container: {id}")));
        }
        other => other.context(|| format!("read {}", path.display()))?,
    };
    serde_json::from_slice(&bytes).map_err(|error| broken(path, id, error.into()))
}

fn broken(path: &Path, id: &ContainerId, error: Error) -> Error {
    error
        .wrap(format!("container {id}: broken record {}", path.display()))
        .hint(format!("remove it: hull rm -f {}", id.short()))
}

/// A staging directory for this container with its lock; named and locked as every stage is, so
/// that the store sweeps what a killed command left.
fn make_aside(staging: &Path, id: &ContainerId) -> Result<(PathBuf, File)> {
    let name = format!("{}-{}", std::process::id(), &id.to_string()[..32]);
    let aside = staging.join(name);
    // A sweeper may lock or wipe the directory before we hold its lock: then make it again.
    for _ in 0..100 {
        match fs::DirBuilder::new().mode(0o700).create(&aside) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => made?,
        }
        let file = match File::open(&aside) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            opened => opened?,
        };
        lock(&file, Sharing::Exclusive, || {
            format!("lock {}", aside.display())
        })?;
        if file.metadata()?.nlink() > 0 {
            return Ok((aside, file));
        }
    }
    Err(Error::conflict("staging directories keep disappearing"))
}

/// Writes a file under a fresh name: no rename over an existing file, which would start write-back.
fn write_new(path: &Path, bytes: &[u8], durable: bool) -> Result<()> {
    let file = File::options()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path);
    let mut file = file.context(|| format!("write {}", path.display()))?;
    file.write_all(bytes)
        .context(|| format!("write {}", path.display()))?;
    if durable {
        file.sync_all()
            .context(|| format!("sync {}", path.display()))?;
    }
    Ok(())
}

pub(super) fn replace(path: &Path, bytes: &[u8], durable: bool) -> Result<()> {
    let temporary = path.with_extension("json.new");
    // A writer that was killed may have left one; the lock says that nobody uses it.
    let _ = fs::remove_file(&temporary);
    if let Err(error) = write_new(&temporary, bytes, durable) {
        // A removal takes no lock: it works whoever holds one.
        return Err(
            match path.parent().filter(|directory| !directory.exists()) {
                Some(gone) => {
                    no_such_container(&gone.file_name().unwrap_or_default().to_string_lossy())
                }
                None => error,
            },
        );
    }
    fs::rename(&temporary, path).context(|| format!("write {}", path.display()))?;
    if durable && let Some(parent) = path.parent() {
        sync_directory(parent)?;
    }
    Ok(())
}

pub(super) fn sync_directory(path: &Path) -> Result<()> {
    let directory = File::open(path).context(|| format!("open {}", path.display()))?;
    directory
        .sync_all()
        .context(|| format!("sync {}", path.display()))
}
