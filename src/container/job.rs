//! One container on its way up: its root mounted, its user found in it, its plan made, its first
//! process forked. For a process that may mount: the monitor itself, or its stage in a user
//! namespace.

use std::fs;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::devices::Found;
use super::donor::{self, Donated};
use super::streams::Streams;
use super::{access, accounts, defaults, files, to_spec};
use crate::base::Ownership;
use crate::config::Settings;
use crate::error::{Context as _, Error, Result};
use crate::rootfs::{self, Upper};
use crate::runtime::cgroup::Cgroup;
use crate::runtime::launch::{Created, Launch, host, launch};
use crate::runtime::plan::{self, Extras};
use crate::state::{Config, Records};
use crate::store::Store;
use crate::sys::process::Parentage;

/// What is needed to bring one container up.
pub(super) struct Job<'a> {
    pub settings: &'a Settings,
    pub config: &'a Config,
    pub directory: PathBuf,
    /// Its run directory.
    pub run: PathBuf,
    /// Its cgroups; none where this user may not write any.
    pub cgroup: Cgroup,
}

impl Job<'_> {
    /// Mounts the root, resolves the user in it, plans, forks.
    pub(super) fn launch(
        &self,
        streams: &Streams,
        ownership: Ownership,
        parentage: Parentage,
    ) -> Result<Created> {
        let config = self.config;
        let records = super::records(self.settings);
        let donated = Donated::open(&records, config)?;
        let root = self.mount_root(ownership)?;
        let mut user = rootfs::resolve_user(root.as_fd(), &config.process.user, &config.group_add)?;
        let highest_gid = crate::rootless::highest_gid("self")?;
        user.keep_mapped_groups(highest_gid);
        accounts::write(root.as_fd(), &self.run, config, &user)?;
        let around = self.surroundings(&records, &donated, highest_gid)?;
        let mut spec = to_spec::to_spec(config, &user, &around)?;
        let cgroup = &self.cgroup;
        let linux = spec.linux().as_ref();
        let resources = linux.and_then(|linux| linux.resources().clone());
        let resources = resources.unwrap_or_default();
        let process = spec.process_mut().as_mut();
        let bounding = process.and_then(|process| process.capabilities().clone());
        let bounding = bounding
            .and_then(|sets| sets.bounding().clone())
            .unwrap_or_default();
        let extras = Extras {
            attach_at: plan::c_string(&self.attach_point()?)?,
            root_is_mounted: true,
            reaper: config.init,
            cgroup_files: cgroup.member_files(),
            cgroup_hierarchies: cgroup.hierarchies(),
            make_cwd: true,
            filter: to_spec::filter(config, &bounding)?,
            die_with_parent: true,
            shared_memory: donated.shared_memory.is_some(),
            ..Extras::default()
        };
        let plan = plan::build(&spec, &host(), extras)?;
        let cgroup = (!cgroup.is_none()).then_some((cgroup, &resources));
        let request = Launch {
            plan: &plan,
            root_mount: Some(root.as_fd()),
            shared_memory: donated.shared_memory.as_ref().map(|fd| fd.as_fd()),
            streams: borrow(&streams.give),
            parentage,
            cgroup,
            gate: None,
            container: None,
            join_cgroup: None,
        };
        let created = donated.in_pid_namespace(parentage, || launch(&request))?;
        self.check_warnings(created, parentage)
    }

    fn surroundings(
        &self,
        records: &Records,
        donated: &Donated,
        highest_gid: u32,
    ) -> Result<to_spec::Surroundings> {
        let named = Found::of(&self.config.limits)?;
        let every = self.config.privileged && !self.settings.rootless;
        Ok(to_spec::Surroundings {
            user_namespace: self.settings.rootless,
            highest_gid,
            files: self.run.clone(),
            devices: match every {
                true => named.with_all_of_host(),
                false => named,
            },
            throttled_cpus: throttled_cpus(),
            joined: donated.joined.clone(),
            network_files: donor::network_files(records, self.config)?,
            has_mqueue: Path::new("/dev/mqueue").is_dir(),
            more_files: files::more(self.config),
        })
    }

    /// What only the kernel could tell of the limits: an error where the user wants them all.
    fn check_warnings(&self, created: Created, parentage: Parentage) -> Result<Created> {
        if !self.config.limits.strict || created.warnings.is_empty() {
            return Ok(created);
        }
        created.abandon(parentage);
        let text = format!("cannot be enforced: {}", created.warnings.join("; "));
        Err(Error::unsupported(text).hint("leave --strict-limits out to go without"))
    }

    fn mount_root(&self, ownership: Ownership) -> Result<OwnedFd> {
        let store = Store::open_existing(&self.settings.root, ownership)?;
        let store = store.ok_or_else(|| Error::not_found("the store is gone"))?;
        let (layers, options) = access::layers(self.settings, &store, self.config)?;
        let up = self.directory.join("up");
        let upper = Upper {
            diff: up.join("diff"),
            work: up.join("work"),
        };
        rootfs::mount(&layers, &upper, options)
    }

    /// One empty directory serves all containers: the mount on it is private to each.
    fn attach_point(&self) -> Result<PathBuf> {
        let path = self.settings.run.join("root");
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path);
        made.context(|| format!("make {}", path.display()))?;
        Ok(path)
    }
}

fn borrow(descriptors: &[OwnedFd; 3]) -> [BorrowedFd<'_>; 3] {
    [
        descriptors[0].as_fd(),
        descriptors[1].as_fd(),
        descriptors[2].as_fd(),
    ]
}

/// Where the CPUs of this host count how often each was too hot; most machines have none.
fn throttled_cpus() -> Vec<String> {
    let of_first = Path::new(defaults::THERMAL_THROTTLE);
    let name = of_first.file_name();
    let all = of_first.parent().and_then(Path::parent);
    let (Some(name), Some(all), true) = (name, all, of_first.exists()) else {
        return Vec::new();
    };
    let entries = fs::read_dir(all).into_iter().flatten().flatten();
    let counters = entries.map(|cpu| cpu.path().join(name));
    let there = counters.filter(|path| path.exists());
    there
        .map(|path| path.to_string_lossy().into_owned())
        .collect()
}
