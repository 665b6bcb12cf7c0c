//! hull, a container engine in one binary.
//!
//! It builds, pulls, stores, runs and supervises containers, with Docker's command line, as root or
//! without, and nothing has to run before the first command. There is one program to install; it
//! starts in milliseconds, leaves nothing behind when it is killed, and says in every error what
//! can be done about it. This page is the map: read it before anything else.
//!
//! # Four ideas everything follows
//!
//! **Plan in the parent, act in the child.** Starting a container means hundreds of system calls
//! between a fork and an exec, where memory may not be allocated and nothing can be said. So the
//! parent turns the OCI spec into a flat list of steps, with every string, file descriptor and
//! filter program ready. The child walks the list. If a step fails it reports the step's number and
//! the errno over a close-on-exec socket, and the parent, who has the words, makes the error.
//!
//! **The OCI runtime spec is the seam.** Above it nobody calls mount(2); below it nobody knows what
//! an image is. `hull oci create|start|state|kill|delete` runs any bundle, so public conformance
//! suites can test the lower half alone.
//!
//! **The kernel keeps the counts.** A container lives while its monitor holds a lock and its
//! process has the recorded pid and start time. Its mounts exist only in its own mount namespace.
//! Run state is on tmpfs, under the boot id. There are no pid files, reference counts, databases or
//! shared mount namespaces that a `kill -9` could leave wrong: whatever dies, nothing stays mounted
//! and nothing is stuck.
//!
//! **Publish by rename.** New content is staged on the filesystem it will live on, synced, and
//! renamed into place; then its record is written to a temporary name, synced and renamed. Readers
//! (`ps`, `inspect`, `images`, `logs`) see the old state or the new one, whole, and take no lock.
//!
//! # The roles of the binary
//!
//! - `hull …` is the command. It has one thread until it has forked, because a process with threads
//!   may not enter a user namespace.
//! - `hull: monitor NAME` stays with one running container. It owns the terminal or pipes, the log
//!   and its rotation, the attach socket and the exit record, restarts, health checks and the word
//!   to systemd; DNS answers will be its too. It never outlives its container; and a container
//!   whose monitor was killed is ended too, since one that nobody watches is worse than a dead one.
//! - `hull: delete ROOT` frees the space of what was removed, after the command that removed it has
//!   returned: one per store, of low priority. Killed, it is started anew by the next removal.
//! - `hull: net` (to come) exists only where a network needs a process (rootless), as long as a
//!   container uses it.
//!
//! # The house
//!
//! Modules have ranks. A module imports modules of lower rank only; those of rank 0 may import each
//! other. `tests/tidy.rs` enforces it, so the picture below is true.
//!
//! ```text
//! main       7  enter, parse, dispatch, print the error, exit code
//! cli        6  one file per command: arguments and presentation, nothing else
//!   flags         text → typed values           output  the only place that prints
//! build      5  (to come) Dockerfile: parse → stages → steps → cache key → image
//! systemd    5  units: containers started at boot; quadlet files, socket activation (to come)
//! container  4  the engine: create, start, exec, stop, rm, cp, commit; record → OCI spec (pure)
//! image      3  manifest, config, platform; pull, push, save, load, import, history
//! monitor    3  the process that stays with one container
//! runtime    2  executes one OCI bundle; knows no image, no name and no store
//! rootfs     2  layer directories → a mounted root; paths and users inside it, by descriptor only
//! store      2  content on disk: blobs, layers, names, locks, atomic publishing, gc, check
//! registry   2  HTTP distribution client
//! state      2  the record of a container, its status machine, liveness
//! logs       2  log record format, rotation, following
//! events     2  what happened, one line each
//! net        2  (to come) addresses, bridge, packet filter, ports, dns        volume  2  (to come)
//! rootless   2  become mapped root, before any thread exists
//! config     1  settings from files, environment and command line, as one value
//! base       0  vocabulary without I/O         error  0  the one error type
//! sys        0  safe wrappers, one file per kernel subject: the only `unsafe`
//! ```
//!
//! The OCI structures are those of the crate `oci-spec`. The program that enters a container before
//! the container's own (`init/`, a few kilobytes, no library) is built by `build.rs` and embedded.
//!
//! # One `hull run`, as data
//!
//! Each arrow is a type, each stage one door:
//!
//! words → `container::Request` → `Reference` → manifest and image config → layer directories →
//! record on disk (`created`) → root filesystem → OCI spec → plan of steps → pid 1 (by pidfd) →
//! `running` → log records → exit record → exit code.
//!
//! The two translations, flags → spec and spec → plan, are pure. They are tested by golden files,
//! without root.
//!
//! # Status
//!
//! One table, one writer: `state::next(Status, Event) -> Option<Status>` over created, running,
//! paused and exited; a removal is one rename and needs no status. Only `Records::apply` writes a
//! status: lock, read, `next`, temporary file, rename. "Running" is never believed from a file: it
//! follows from boot id, lock and pidfd. A container whose monitor was killed is shown as exited
//! with 137, and the next command that changes it ends what is left (`container::reconcile`).
//!
//! # How a container starts
//!
//! The command forks its monitor early, from its own small heap; the monitor mounts the root
//! detached, asks it for the user, forks the container and publishes `run.json` before the program
//! may run. Without root a short-lived stage does that part inside the user's namespace and forks
//! with `CLONE_PARENT`, so that the container is the monitor's child all the same. A container that
//! outlives 20 ms has its monitor execute this binary anew, with every descriptor handed over: the
//! command's memory is gone then, and a short container has not paid for it.
//!
//! # On disk
//!
//! ROOT is `/var/lib/hull`, or `$XDG_DATA_HOME/hull` without root; RUN is `/run/hull`, or
//! `$XDG_RUNTIME_DIR/hull`, on tmpfs. Both have mode 0700.
//!
//! ```text
//! ROOT/version.json             schema number; a newer one than ours is refused, unchanged
//! ROOT/blobs/sha256/<hex>       manifests, configs and compressed layers, as pulled
//! ROOT/refs/…                   one small file per tag and per digest reference
//! ROOT/layers/<diff-id>/        unpacked, immutable; chain-… where a tar depends on its parents,
//!                               ….sq where owners were squashed to a single id
//! ROOT/bottom/                  below every image: the places in /etc that are mounted on
//! ROOT/partial/<hex>            downloads under way; they survive a killed pull
//! ROOT/containers/<id>/         config.json, state.json, up/{diff,work}, log/
//! ROOT/names/<name>             → id; locked by whoever claims it, until its container is there
//! ROOT/tmp/<boot-id>/           staging and tombstones
//! RUN/c/<id12>/                 monitor.lock, run.json, ctl, and the files bound into /etc
//! RUN/root/                     where each container attaches its root, seen by itself alone
//! RUN/oci/<id>/                 containers of `hull oci`
//! RUN/events, events.1          what happened, for `hull events`
//! RUN/cgroups.json, userns.json what was found once per boot: hierarchies, the user's namespace
//! ```
//!
//! - A layer made here (build, commit) keeps its diff id and no tar. The tar is made again, and
//!   checked against the diff id, when someone pushes or saves the image. So it is for a layer that
//!   came as a plain tar: `tar.recipe` beside it has what is not in its files.
//! - The gc lock is shared while a reference is being taken and exclusive only to mark and rename;
//!   deleting happens outside it.
//! - Locks are flock(2) on files, taken in the order user namespace, gc, container, network,
//!   volume, and never held over a wait for a program or a peer.
//! - Removing works the first time, may be repeated, and needs no free space: rename to a
//!   tombstone, delete for some milliseconds, leave the rest to a background process. Until that
//!   is done, `system df` counts it as reclaimable.
//!
//! # Without root
//!
//! Commands that only read records enter no user namespace. Others join that of a running monitor
//! or make one, with newuidmap and newgidmap side by side. Without subordinate ids a single id is
//! mapped, with a notice, and layers unpacked that way are kept apart. Limits come from the first
//! of these that works: a delegated cgroup, a transient systemd scope, cgroup v2 written directly;
//! else there are none, and an error or warning names what to do.
//!
//! # Security rules
//!
//! - Paths inside a layer, root filesystem, volume or build context are resolved by descriptor,
//!   below their root, never by prefixing a string.
//! - procfs is written through a private instance; nothing from a container's root is run, loaded
//!   or looked up outside it.
//! - Metadata is data: labels, environment, history and health checks of an image become neither
//!   options, hooks, unit text nor terminal control.
//! - What enters a container is the small embedded program from a sealed memfd, or a read-only
//!   mount; never this binary. No descriptor above 2 reaches the container's program.
//!
//! # Decisions
//!
//! - Where Docker and podman disagree, Docker's behaviour is taken, and podman's additions too:
//!   scripts are written for the former.
//! - Compressed blobs are kept: exact push and save, and repair without a network.
//! - One syncfs(2) for a pull, build or commit, before publishing: without it a power loss takes
//!   every file, with one fsync per file a pull takes much longer.
//! - A container whose monitor was killed is not restarted by whichever command comes next:
//!   `start` does it, and `system boot start` for all whose restart policy asks for it.
//! - cgroup v2 first; v1, as root, as well as it goes.
//! - Logs are Docker's json-file, because tools read it, rotated by default, because disks fill.
//! - The build is static glibc at a fixed address and avoids whatever reaches NSS (`getpwnam`,
//!   `getaddrinfo`), which crashes in a static program: own passwd and resolver code, and
//!   `clippy.toml` refuses the rest.
//! - Words choose the command, then the flags of that one command are declared: declaring all of
//!   them would be paid for on every start.
//! - Nothing that makes the kernel wait for an RCU grace period happens while the user waits: no
//!   write to `cgroup.procs` of others, no moving or deleting of links.
//! - Overlay mounts are `volatile` only for `--rm` and build steps; elsewhere a container's fsync
//!   counts.
//! - There is no async runtime: threads where work is parallel, none on the way to a container.

mod base;
mod cli;
mod config;
mod container;
mod error;
mod events;
mod image;
mod init_program;
mod logs;
mod monitor;
mod registry;
mod rootfs;
mod rootless;
mod runtime;
mod state;
mod store;
mod sys;
mod systemd;

use std::process::ExitCode;

fn main() -> ExitCode {
    sys::signal::restore_sigpipe();
    let arguments: Vec<_> = std::env::args_os().collect();
    let role = arguments
        .first()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    if role.starts_with(container::KEEPER) {
        return ExitCode::from(container::keep(&arguments));
    }
    if role == store::DELETER {
        return ExitCode::from(container::delete_in_background(&arguments));
    }
    let invocation = match cli::enter(arguments.into_iter()) {
        Ok(invocation) => invocation,
        Err(screen) => return ExitCode::from(screen.show()),
    };
    let code = invocation.run();
    ExitCode::from(code.unwrap_or_else(|error| cli::output::error(invocation.scope(), &error)))
}
