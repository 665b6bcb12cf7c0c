//! Finding the user namespace that this user's containers share: `RUN/userns.json`.
//!
//! A holder is a process that lives in the namespace R: a container's init, or a command at work.
//! The file only says where to look. What counts is `/proc/PID/ns/user` of a process that still
//! has the recorded start time, and whose namespace still has the recorded inode number.
//!
//! `RUN/userns.lock` is taken exclusively for all of it, so two first commands cannot make two
//! namespaces. Lock order: userns comes first.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, fstat};
use serde::{Deserialize, Serialize};

use crate::base::Ownership;
use crate::error::{Context, Result};
use crate::rootless::map::IdMap;
use crate::rootless::namespace::{become_mapped_root, join, open};
use crate::sys::lock::{Sharing, lock as lock_file};

/// What the caller got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// Whether owners are kept or squashed to one id: the two have layer sets of their own.
    pub ownership: Ownership,
    /// One line for the user, if something is not as it could be.
    pub notice: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    boot_id: String,
    ns_inode: u64,
    /// The ids that are mapped, to notice that `/etc/subuid` has changed since.
    map: String,
    squashed: bool,
    holders: Vec<Holder>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    pid: i32,
    start_ticks: u64,
}

/// Joins the namespace of this user's running containers, or makes a new one.
///
/// This process must have one thread. `run_dir` is the private directory RUN.
pub fn enter(run_dir: &Path) -> Result<Entered> {
    let _lock = lock(run_dir)?;
    let map = IdMap::for_caller()?;
    let itself = itself()?;
    if let Some((mut record, namespace)) = find(run_dir)? {
        join(namespace.as_fd())?;
        // The holder just joined through may end first; this one keeps R findable until then.
        record.holders.push(itself);
        save(run_dir, &record)?;
        return Ok(entered(&record, &map));
    }
    become_mapped_root(&map)?;
    let record = Record {
        boot_id: boot_id()?,
        ns_inode: inode(&open(itself.pid)?)?,
        map: map.to_string(),
        squashed: map.ownership() == Ownership::Squashed,
        holders: vec![itself],
    };
    save(run_dir, &record)?;
    Ok(entered(&record, &map))
}

/// Notes a process that lives in R and outlives this command: a container's init.
///
/// Does nothing if the process lives in another namespace than the recorded one.
pub fn record_holder(run_dir: &Path, pid: i32, start_ticks: u64) -> Result<()> {
    let _lock = lock(run_dir)?;
    // The command that entered R may have ended, but the process told of is alive.
    let Some(mut record) = read(run_dir)? else {
        return Ok(());
    };
    let holder = Holder { pid, start_ticks };
    if namespace_of(&record, holder).is_some() && !record.holders.contains(&holder) {
        record.holders.push(holder);
        save(run_dir, &record)?;
    }
    Ok(())
}

fn entered(record: &Record, map: &IdMap) -> Entered {
    let ownership = if record.squashed {
        Ownership::Squashed
    } else {
        Ownership::Full
    };
    let changed = record.map != map.to_string();
    let notice = if changed {
        Some(
            "the subordinate ids have changed; running containers keep the old ones, \
             and new containers join them until the last has stopped"
                .to_string(),
        )
    } else {
        map.notice()
    };
    Entered { ownership, notice }
}

/// The record of this boot, if there is one.
fn read(run_dir: &Path) -> Result<Option<Record>> {
    let Ok(bytes) = fs::read(path(run_dir)) else {
        return Ok(None);
    };
    // An unreadable record is an absent one: it is rewritten by the next to enter.
    let record = serde_json::from_slice::<Record>(&bytes).ok();
    let boot_id = boot_id()?;
    Ok(record.filter(|record| record.boot_id == boot_id))
}

/// The recorded namespace and its living holders, if there is one.
fn find(run_dir: &Path) -> Result<Option<(Record, OwnedFd)>> {
    let Some(mut record) = read(run_dir)? else {
        return Ok(None);
    };
    let holders = std::mem::take(&mut record.holders);
    let mut namespace = None;
    for holder in holders {
        if let Some(found) = namespace_of(&record, holder) {
            record.holders.push(holder);
            namespace = Some(found);
        }
    }
    Ok(namespace.map(|namespace| (record, namespace)))
}

/// The holder's namespace, if the holder is still the process recorded and still lives in R.
fn namespace_of(record: &Record, holder: Holder) -> Option<OwnedFd> {
    let namespace = open(holder.pid).ok()?;
    // Should: look at the start time after opening. A process that took over the number would
    // otherwise be looked at before and opened afterwards.
    let same_process = start_ticks(holder.pid) == Some(holder.start_ticks);
    let same_namespace = inode(&namespace).is_ok_and(|inode| inode == record.ns_inode);
    (same_process && same_namespace).then_some(namespace)
}

fn itself() -> Result<Holder> {
    let pid = rustix::process::getpid().as_raw_nonzero().get();
    let start_ticks = start_ticks(pid).ok_or_else(|| {
        crate::error::Error::unsupported("/proc is not mounted, or hides this process")
    })?;
    Ok(Holder { pid, start_ticks })
}

/// Field 22 of `/proc/PID/stat` (proc_pid_stat(5)): with the pid, the identity of a process.
fn start_ticks(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in field 2 may hold spaces and parentheses; nothing after it does.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(19)?.parse().ok()
}

fn inode(namespace: &OwnedFd) -> Result<u64> {
    Ok(fstat(namespace)
        .context(|| "stat the user namespace")?
        .st_ino)
}

fn boot_id() -> Result<String> {
    let path = "/proc/sys/kernel/random/boot_id";
    let text = fs::read_to_string(path).context(|| format!("read {path}"))?;
    Ok(text.trim().to_string())
}

fn lock(run_dir: &Path) -> Result<OwnedFd> {
    let path = run_dir.join("userns.lock");
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR)
        .context(|| format!("open {}", path.display()))?;
    lock_file(&file, Sharing::Exclusive, || {
        format!("lock {}", path.display())
    })?;
    Ok(file)
}

fn path(run_dir: &Path) -> PathBuf {
    run_dir.join("userns.json")
}

/// Whole or not at all. RUN is a tmpfs: nothing to sync, and a crash of the host empties it.
fn save(run_dir: &Path, record: &Record) -> Result<()> {
    let (path, staged) = (path(run_dir), run_dir.join("userns.json.tmp"));
    fs::write(&staged, serde_json::to_vec(record)?)
        .context(|| format!("write {}", staged.display()))?;
    fs::rename(&staged, &path).context(|| format!("rename to {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::rootless::map::Cause;
    use crate::rootless::namespace::create;
    use crate::sys::user_namespace::{ForkedChild, in_forked_child};
    use std::io::{Read, Write};

    /// An id without an account or subordinate ids.
    const STRANGER: u32 = 54_321;

    fn single() -> IdMap {
        IdMap::Single {
            uid: STRANGER,
            gid: STRANGER,
            cause: Cause::NoNewPrivileges,
        }
    }

    fn text<T>(result: Result<T>) -> Result<T, String> {
        result.map_err(|error| format!("{error}"))
    }

    fn io<T>(result: std::io::Result<T>) -> Result<T, String> {
        result.map_err(|error| error.to_string())
    }

    /// Gives up root for good, as a login of that user would look.
    fn become_user(uid: u32, gid: u32) -> Result<(), String> {
        let uid = rustix::process::Uid::from_raw(uid);
        let gid = rustix::process::Gid::from_raw(gid);
        let changed = rustix::thread::set_thread_groups(&[])
            .and_then(|()| rustix::thread::set_thread_res_gid(gid, gid, gid))
            .and_then(|()| rustix::thread::set_thread_res_uid(uid, uid, uid))
            // A change of uid takes /proc/self away; an exec would give it back.
            .and_then(|()| {
                let dumpable = rustix::process::DumpableBehavior::Dumpable;
                rustix::process::set_dumpable_behavior(dumpable)
            });
        changed.map_err(|errno| errno.to_string())
    }

    fn expect(condition: bool, words: impl std::fmt::Debug) -> Result<(), String> {
        if condition {
            Ok(())
        } else {
            Err(format!("{words:?}"))
        }
    }

    fn run_dir(name: &str, uid: u32) -> Option<PathBuf> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("SKIP changing to another user needs root");
            return None;
        }
        let name = format!("hull-test-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("create");
        std::os::unix::fs::chown(&path, Some(uid), Some(uid)).expect("chown");
        Some(path)
    }

    fn file(path: &str) -> Result<String, String> {
        let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        Ok(text.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a116_single_map_denies_setgroups_and_says_why() {
        let Some(run_dir) = run_dir("single", STRANGER) else {
            return;
        };
        let result = in_forked_child(|| {
            become_user(STRANGER, STRANGER)?;
            let entered = text(enter(&run_dir))?;
            expect(entered.ownership == Ownership::Squashed, &entered)?;
            let notice = entered.notice.unwrap_or_default();
            expect(notice.contains("no ids for 54321 in /etc/subuid"), &notice)?;
            let uids = file("/proc/self/uid_map")?;
            expect(uids == format!("0 {STRANGER} 1"), uids)?;
            let gids = file("/proc/self/gid_map")?;
            expect(gids == format!("0 {STRANGER} 1"), gids)?;
            let setgroups = file("/proc/self/setgroups")?;
            expect(setgroups == "deny", setgroups)?;
            expect(rustix::process::geteuid().is_root(), "not root inside")
        });
        fs::remove_dir_all(&run_dir).expect("remove");
        assert_eq!(result, Ok(()));
    }

    #[test]
    fn second_command_joins_the_namespace_of_the_first() {
        let Some(run_dir) = run_dir("join", STRANGER) else {
            return;
        };
        let result = in_forked_child(|| {
            become_user(STRANGER, STRANGER)?;
            let (mut is_ready, ready) = io(std::io::pipe())?;
            let (mut released, release) = io(std::io::pipe())?;
            let first = ForkedChild::start(|| {
                text(enter(&run_dir))?;
                io((&ready).write_all(b"r"))?;
                io(released.read_exact(&mut [0]))
            });
            io(is_ready.read_exact(&mut [0]))?;
            let (record, namespace) = text(find(&run_dir))?.ok_or("not found")?;
            let own = text(open(text(itself())?.pid).and_then(|own| inode(&own)))?;
            expect(own != text(inode(&namespace))?, "nothing was entered")?;
            in_forked_child(|| {
                text(enter(&run_dir))?;
                let joined = text(open(text(itself())?.pid).and_then(|own| inode(&own)))?;
                expect(joined == record.ns_inode, "another namespace was entered")
            })?;
            io((&release).write_all(b"r"))?;
            first.finish()?;
            let ended = text(find(&run_dir))?;
            expect(ended.is_none(), "a dead holder counts")?;
            Ok(())
        });
        fs::remove_dir_all(&run_dir).expect("remove");
        assert_eq!(result, Ok(()));
    }

    #[test]
    fn stale_records_are_not_joined() {
        let Some(run_dir) = run_dir("stale", STRANGER) else {
            return;
        };
        let result = in_forked_child(|| {
            become_user(STRANGER, STRANGER)?;
            let anchor = text(create(&single()))?;
            let inode_of_anchor = text(open(anchor.pid()).and_then(|own| inode(&own)))?;
            let start = start_ticks(anchor.pid()).ok_or("no start time")?;
            let mut record = Record {
                boot_id: text(boot_id())?,
                ns_inode: inode_of_anchor,
                map: "other".into(),
                squashed: true,
                holders: vec![Holder {
                    pid: anchor.pid(),
                    start_ticks: start,
                }],
            };
            text(save(&run_dir, &record))?;
            in_forked_child(|| {
                let entered = text(enter(&run_dir))?;
                let notice = entered.notice.unwrap_or_default();
                expect(notice.contains("have changed"), notice)?;
                let own = text(open(text(itself())?.pid).and_then(|own| inode(&own)))?;
                expect(own == inode_of_anchor, "another namespace was entered")
            })?;
            // The same number with another start time is another process.
            record.holders[0].start_ticks += 1;
            text(save(&run_dir, &record))?;
            expect(text(find(&run_dir))?.is_none(), "a reused pid counts")?;
            record.holders[0].start_ticks -= 1;
            record.boot_id = "another boot".into();
            text(save(&run_dir, &record))?;
            expect(text(find(&run_dir))?.is_none(), "another boot counts")
        });
        fs::remove_dir_all(&run_dir).expect("remove");
        assert_eq!(result, Ok(()));
    }

    #[test]
    fn recorded_init_keeps_the_namespace_findable() {
        let Some(run_dir) = run_dir("record", STRANGER) else {
            return;
        };
        let result = in_forked_child(|| {
            become_user(STRANGER, STRANGER)?;
            let anchor = text(create(&single()))?;
            let other = text(create(&single()))?;
            let start = |pid| start_ticks(pid).ok_or("no start time");
            let record = Record {
                boot_id: text(boot_id())?,
                ns_inode: text(open(anchor.pid()).and_then(|own| inode(&own)))?,
                map: String::new(),
                squashed: true,
                holders: vec![Holder {
                    pid: anchor.pid(),
                    start_ticks: start(anchor.pid())?,
                }],
            };
            text(save(&run_dir, &record))?;
            let holders = || Ok::<_, String>(text(find(&run_dir))?.map(|(found, _)| found.holders));
            text(record_holder(&run_dir, anchor.pid(), start(anchor.pid())?))?;
            text(record_holder(&run_dir, other.pid(), start(other.pid())?))?;
            expect(
                holders()? == Some(record.holders),
                "a stranger was recorded",
            )
        });
        fs::remove_dir_all(&run_dir).expect("remove");
        assert_eq!(result, Ok(()));
    }

    #[test]
    fn full_map_covers_the_subordinate_ids() {
        let subuid = fs::read_to_string("/etc/subuid").unwrap_or_default();
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let user = passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let uid: u32 = fields.nth(1)?.parse().ok()?;
            let is_listed = subuid
                .lines()
                .any(|line| line.starts_with(&format!("{name}:")));
            is_listed.then_some(uid)
        });
        let Some(uid) = user else {
            return eprintln!("SKIP no user of this machine has subordinate ids");
        };
        let Some(run_dir) = run_dir("full", uid) else {
            return;
        };
        let result = in_forked_child(|| {
            become_user(uid, uid)?;
            let entered = text(enter(&run_dir))?;
            expect(entered.ownership == Ownership::Full, &entered)?;
            let uids = file("/proc/self/uid_map")?;
            expect(uids.starts_with(&format!("0 {uid} 1 1 ")), uids)?;
            let setgroups = file("/proc/self/setgroups")?;
            expect(setgroups == "allow", setgroups)
        });
        fs::remove_dir_all(&run_dir).expect("remove");
        assert_eq!(result, Ok(()));
    }
}
