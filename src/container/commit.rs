//! `commit`: an image of what a container has become.

use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};

use super::access::{self, Intent};
use crate::base::{ContainerId, Digest, Reference};
use crate::config::Settings;
use crate::error::{Context as _, Error, Kind, Result};
use crate::image::{self, Base, Execution, Healthcheck};
use crate::state::{Config, Records, Status};
use crate::store::{Form, Pack, Store, plainly};
use crate::sys::process::{Fork, exit_now, fork};

/// What the user wants.
#[derive(Debug, Clone)]
pub struct CommitRequest {
    pub name: Option<Reference>,
    pub author: Option<String>,
    pub comment: Option<String>,
    /// `--change`, in order.
    pub changes: Vec<String>,
    /// Freeze the container while its files are read.
    pub pause: bool,
    /// One layer instead of the image's and its own.
    pub squash: bool,
}

/// Makes an image of a container and returns its id. In a user namespace the caller must be its
/// root.
pub fn commit(
    settings: &Settings,
    store: &Store,
    id: &ContainerId,
    request: &CommitRequest,
) -> Result<Digest> {
    super::cp::raise_descriptors();
    super::reconcile(settings, id)?;
    let records = super::records(settings);
    let config = records.config(id)?;
    let base = Base::read(store, &config.manifest)?;
    let mut execution = execution(&config, &base.config.config);
    image::apply_changes(&mut execution, &request.changes)?;
    let pack = &mut match request.squash {
        true => {
            let root = access::mount_stopped(settings, store, &config, Intent::Read)?;
            Pack::new(root, b"", Form::Tree, plainly())?
        }
        false => changes(&records, id)?,
    };
    let frozen = match request.pause {
        true => Frozen::new(settings, &records, id)?,
        false => None,
    };
    let staged = image::stage_layer(store, pack).context(|| "commit");
    drop(frozen);
    let staged = staged?;
    // A container that is removed while it is read leaves less than it was.
    if !records.exists(id) {
        return Err(
            Error::not_found(format!("No such container: {id}")).wrap("it was removed meanwhile")
        );
    }
    let command = config.process.command.clone();
    let created_by = command.unwrap_or_else(|| config.process.arguments());
    let request = image::CommitRequest {
        config: execution,
        created_by: created_by.join(" "),
        author: request.author.clone(),
        comment: request.comment.clone(),
        name: request.name.clone(),
        squash: request.squash,
    };
    let made = image::commit(store, base, staged, &request)?;
    let comment = request.comment.as_deref().unwrap_or_default();
    let image = made.to_string();
    let attributes = [("comment", comment), ("imageID", &image)];
    super::notice::notice(&records, id, "commit", &attributes);
    Ok(made)
}

/// What the container changed, as a layer. The directory is overlayfs's own, so mounts and what
/// they hide are not in it.
fn changes(records: &Records, id: &ContainerId) -> Result<Pack<'static>> {
    let upper = records.directory(id).join("up/diff");
    Pack::new(open_directory(&upper)?, b"", Form::Layer, plainly())
}

fn open_directory(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(CWD, path, flags, Mode::empty());
    opened.context(|| format!("open {}", path.display()))
}

/// How the container runs, as an image says it.
fn execution(config: &Config, of_image: &Execution) -> Execution {
    let process = &config.process;
    let signal = of_image.stop_signal.as_deref();
    let signal = signal.and_then(crate::sys::signal::parse);
    let is_default = signal.is_none() && config.stop_signal == libc::SIGTERM;
    let stop_signal = match signal == Some(config.stop_signal) || is_default {
        true => of_image.stop_signal.clone(),
        false => Some(config.stop_signal.to_string()),
    };
    let plain_root = process.working_dir == "/" && of_image.working_dir.is_empty();
    let empty = || serde_json::Value::Object(serde_json::Map::new());
    let ports = config.exposed_ports.iter();
    Execution {
        user: process.user.clone(),
        exposed_ports: ports.map(|port| (port.clone(), empty())).collect(),
        env: process.env.clone(),
        entrypoint: process.entrypoint.clone(),
        cmd: process.command.clone(),
        working_dir: match plain_root {
            true => String::new(),
            false => process.working_dir.clone(),
        },
        labels: config.labels.clone(),
        healthcheck: healthcheck(config, of_image),
        stop_signal,
        // Meant for builds on the image below, which this one is the result of.
        on_build: Vec::new(),
        ..of_image.clone()
    }
}

/// The container's own check; none if it was turned off.
fn healthcheck(config: &Config, of_image: &Execution) -> Option<Healthcheck> {
    let Some(check) = &config.health else {
        let off = || Healthcheck {
            test: vec!["NONE".to_owned()],
            ..Healthcheck::default()
        };
        return of_image.healthcheck.as_ref().map(|_| off());
    };
    let time = |nanoseconds: u64| i64::try_from(nanoseconds).unwrap_or(0);
    Some(Healthcheck {
        test: check.test.clone(),
        interval: time(check.interval),
        timeout: time(check.timeout),
        start_period: time(check.start_period),
        start_interval: time(check.start_interval),
        retries: check.retries.into(),
    })
}

/// A container frozen as long as this lives. A child sees to it: it thaws the container when its
/// end of a pipe is closed, so also after a kill of this process.
struct Frozen {
    pipe: Option<std::io::PipeWriter>,
    watcher: OwnedFd,
}

impl Frozen {
    /// Freezes a running container. One that is frozen already stays so afterwards; where nothing
    /// can be frozen, the container is read as it runs.
    fn new(settings: &Settings, records: &Records, id: &ContainerId) -> Result<Option<Frozen>> {
        if records.record(id)?.state.status != Status::Running {
            return Ok(None);
        }
        let (read, pipe) = std::io::pipe().context(|| "make a pipe")?;
        let watcher = match fork().context(|| "fork to thaw the container")? {
            Fork::Child => {
                drop(pipe);
                thaw_at_end(settings, id, read)
            }
            Fork::Parent { pidfd, .. } => pidfd,
        };
        drop(read);
        let mut frozen = Frozen {
            pipe: Some(pipe),
            watcher,
        };
        match super::pause(settings, id) {
            Ok(()) => Ok(Some(frozen)),
            Err(error) => {
                frozen.forget();
                match error.kind() {
                    Kind::Unsupported => {
                        log::warn!("the container runs while it is read: {error}");
                        Ok(None)
                    }
                    // It ended meanwhile.
                    _ if records.record(id)?.live.is_none() => Ok(None),
                    _ => Err(error
                        .wrap("freeze the container")
                        .hint("--no-pause reads it as it is")),
                }
            }
        }
    }

    /// Nothing is to be thawed.
    fn forget(&mut self) {
        if let Some(mut pipe) = self.pipe.take() {
            // A watcher that is gone thaws nothing either.
            let _ = pipe.write_all(b"n");
        }
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.pipe = None;
        // It has run when we go on; its own failure is what `unpause` would say.
        let _ = crate::runtime::process::wait_code(std::os::fd::AsFd::as_fd(&self.watcher));
    }
}

/// The watcher: a session of its own, so that a key meant for the command does not end it.
fn thaw_at_end(settings: &Settings, id: &ContainerId, mut read: std::io::PipeReader) -> ! {
    let _ = rustix::process::setsid();
    let told = std::io::Read::read(&mut read, &mut [0]);
    if matches!(told, Ok(0) | Err(_)) {
        // It may have ended or been thawed by somebody else: both are fine.
        let _ = super::unpause(settings, id);
    }
    exit_now(0)
}
