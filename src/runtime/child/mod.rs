//! What runs between clone3 and exec, inside the new namespaces.
//!
//! Rules of this room: system calls only. No allocation, no locks, no `Drop` that matters, no
//! formatting; the only ways out are exec and `_exit`. A failure is reported as the operation's
//! number and an errno ([`super::sync`]); the parent has the words. Every path below the root is
//! resolved by [`path`], in the root and without magic links.

mod files;
mod mounts;
mod path;
mod program;
mod terminal;

use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use rustix::io::Errno;
use rustix::process::Signal;

use super::plan::{Identity, Operation, Plan, Slot};
use super::sync;
use crate::sys::process::ExecArray;
use crate::sys::{descriptor, process};

/// The descriptors of this process by their meaning; -1 where nothing is open.
#[derive(Debug, Clone, Copy)]
pub struct Slots([RawFd; Slot::COUNT]);

impl Slots {
    /// Nothing open.
    pub fn empty() -> Self {
        Slots([-1; Slot::COUNT])
    }

    /// Notes an open descriptor; the caller keeps it open.
    pub fn set(&mut self, slot: Slot, number: RawFd) {
        self.0[slot as usize] = number;
    }

    fn get(&self, slot: Slot) -> Result<BorrowedFd<'static>, Errno> {
        match self.0[slot as usize] {
            -1 => Err(Errno::BADF),
            number => Ok(descriptor::by_number(number)),
        }
    }

    /// Keeps a descriptor open until exec under this name.
    fn keep(&mut self, slot: Slot, descriptor: OwnedFd) {
        use std::os::fd::IntoRawFd as _;
        self.0[slot as usize] = descriptor.into_raw_fd();
    }
}

/// The child's whole state.
struct Child<'p> {
    slots: Slots,
    arguments: &'p ExecArray<'p>,
    environment: &'p ExecArray<'p>,
    /// Which candidate `FindProgram` found.
    program: Option<&'p std::ffi::CStr>,
}

/// Walks the plan. Never returns: ends in exec, or reports and exits with 1.
pub fn run(plan: &Plan, slots: Slots, arguments: &ExecArray, environment: &ExecArray) -> ! {
    let mut child = Child {
        slots,
        arguments,
        environment,
        program: None,
    };
    for (index, operation) in plan.operations.iter().enumerate() {
        if let Err(errno) = child.perform(operation) {
            child.report_failure(index, errno);
        }
    }
    process::exit_now(1)
}

impl<'p> Child<'p> {
    fn report_failure(&self, index: usize, errno: Errno) -> ! {
        if let Ok(report) = self.slots.get(Slot::Report) {
            // The parent may be gone; there is nobody else to tell.
            let _ = sync::send(report, index as u32, errno.raw_os_error(), None);
        }
        process::exit_now(1)
    }

    fn perform(&mut self, operation: &'p Operation) -> Result<(), Errno> {
        match operation {
            Operation::DieWithParent => {
                rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
            }
            Operation::AwaitIdMaps => self.become_root_of_user_namespace(),
            Operation::NewSession => rustix::process::setsid().map(drop),
            Operation::JoinNamespace { kind, path } => files::join_namespace(*kind, path),
            Operation::JoinContainer { kinds } => self.join_container(*kinds),
            Operation::HostNull => self.open_host_null(),
            Operation::HostPropagation { attr } => mounts::set_host_propagation(*attr),
            Operation::AttachRoot { source, at } => {
                mounts::attach_root(&mut self.slots, source.as_deref(), at)
            }
            Operation::Mount(mount) => mounts::mount(&mut self.slots, mount),
            Operation::Bind(bind) => mounts::bind(&mut self.slots, bind),
            Operation::AttachSharedMemory { target } => {
                mounts::attach_shared_memory(&self.slots, target)
            }
            Operation::MakeNode {
                path,
                mode,
                major,
                minor,
                uid,
                gid,
            } => {
                let root = self.slots.get(Slot::Root)?;
                files::make_node(root, path, *mode, (*major, *minor), (*uid, *gid))
            }
            Operation::MakeLink { content, path } => {
                files::make_link(self.slots.get(Slot::Root)?, content, path)
            }
            Operation::HostName { name } => rustix::system::sethostname(name.to_bytes()),
            Operation::DomainName { name } => rustix::system::setdomainname(name.to_bytes()),
            Operation::LoopbackUp => crate::sys::loopback::bring_up(),
            Operation::Sysctl { path, value } => {
                files::write_in_proc(self.slots.get(Slot::Proc)?, path, value)
            }
            Operation::AwaitCgroups => {
                sync::await_byte(self.slots.get(Slot::Report)?, sync::CGROUP)
            }
            Operation::JoinCgroups { files } => {
                files.iter().try_for_each(|f| files::join_cgroup(f))
            }
            Operation::NewCgroupNamespace => process::unshare(libc::CLONE_NEWCGROUP),
            Operation::Mask { path } => mounts::mask(&self.slots, path),
            Operation::ReadOnly { path } => mounts::make_read_only(&self.slots, path),
            Operation::SealMount { path } => mounts::seal(&self.slots, path),
            Operation::Pivot => mounts::pivot(&self.slots),
            Operation::ReadOnlyRoot => mounts::make_root_read_only(&self.slots),
            other => self.perform_on_process(other),
        }
    }

    fn perform_on_process(&mut self, operation: &'p Operation) -> Result<(), Errno> {
        match operation {
            Operation::OpenTerminal { console } => terminal::open(&mut self.slots, *console),
            Operation::StandardStreams => files::place_standard_streams(&self.slots),
            Operation::Umask { mode } => {
                rustix::process::umask(rustix::fs::Mode::from_raw_mode(*mode));
                Ok(())
            }
            Operation::OomScore { value } => {
                files::write_in_proc(self.slots.get(Slot::Proc)?, c"self/oom_score_adj", value)
            }
            Operation::ResourceLimit {
                resource,
                soft,
                hard,
            } => process::set_resource_limit(*resource, *soft, *hard),
            // A kernel without keyrings has no keys to hide; a full quota must not stop the start.
            Operation::SessionKeyring => match crate::sys::keyring::join_new_session() {
                Err(Errno::NOSYS | Errno::DQUOT | Errno::PERM) => Ok(()),
                other => other,
            },
            Operation::WorkingDirectory { path, make } => path::change_directory(path, *make),
            Operation::DropBounding { keep } => program::drop_bounding(*keep),
            Operation::NoNewPrivileges => rustix::thread::set_no_new_privs(true),
            Operation::Filter { program, flags } => {
                crate::sys::seccomp::install(program, *flags).map(drop)
            }
            Operation::BecomeUser(identity) => become_user(identity),
            Operation::Capabilities {
                effective,
                permitted,
                inheritable,
                ambient,
            } => program::set_capabilities(*effective, *permitted, *inheritable, *ambient),
            Operation::FindProgram { candidates, .. } => {
                self.program = Some(program::find(candidates)?);
                Ok(())
            }
            Operation::ResetSignals => crate::sys::signal::reset_all(),
            Operation::Ready => {
                let report = self.slots.get(Slot::Report)?;
                sync::send(report, sync::READY, 0, None)?;
                // With a gate nobody answers here: the starter speaks through it.
                if self.slots.get(Slot::Gate).is_ok() {
                    return Ok(());
                }
                sync::await_byte(report, sync::GO)
            }
            Operation::AwaitGate => program::await_gate(&mut self.slots),
            Operation::RunInit { reaper } => {
                let program = self.program.ok_or(Errno::NOENT)?;
                program::run_init(
                    &self.slots,
                    program,
                    *reaper,
                    self.arguments,
                    self.environment,
                )
            }
            _ => Err(Errno::INVAL),
        }
    }

    fn become_root_of_user_namespace(&self) -> Result<(), Errno> {
        sync::await_byte(self.slots.get(Slot::Report)?, sync::MAPPED)?;
        let root = Identity {
            uid: 0,
            gid: 0,
            groups: Vec::new(),
        };
        become_user(&root)
    }

    fn join_container(&mut self, kinds: u64) -> Result<(), Errno> {
        process::join_namespace(self.slots.get(Slot::Container)?, kinds)?;
        let root = files::open_root()?;
        self.slots.keep(Slot::Root, root);
        Ok(())
    }

    fn open_host_null(&mut self) -> Result<(), Errno> {
        let null = files::open_null()?;
        self.slots.keep(Slot::Null, null);
        Ok(())
    }
}

/// Groups before user: afterwards the right to change them is gone. Capabilities survive, the
/// plan sets the final ones next.
fn become_user(identity: &Identity) -> Result<(), Errno> {
    rustix::thread::set_keep_capabilities(true)?;
    process::set_groups(&identity.groups)?;
    process::set_user(identity.uid, identity.gid)
}
