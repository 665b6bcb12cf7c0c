//! The host's view of a container's processes, from its cgroup and procfs.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::PathBuf;

use super::cgroup;
use crate::base::ContainerId;
use crate::error::Result;
use crate::state::{Live, Records};

/// One process, as procfs shows it (proc_pid_stat(5), proc_pid_status(5)).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessInfo {
    pub pid: i32,
    pub parent: i32,
    pub group: i32,
    pub session: i32,
    /// Device number of the terminal; 0 for none.
    pub terminal: u32,
    /// The group that the terminal's input goes to.
    pub foreground: i32,
    /// One letter.
    pub state: String,
    /// Effective.
    pub uid: u32,
    pub gid: u32,
    /// Clock ticks of CPU time.
    pub cpu_ticks: u64,
    /// The same with that of children which have ended.
    pub all_cpu_ticks: u64,
    /// Clock ticks after boot.
    pub start_ticks: u64,
    pub nice: i64,
    pub threads: u64,
    /// Bytes.
    pub size: u64,
    pub resident: u64,
    pub name: String,
    /// Its words, or its name in brackets if it shows none.
    pub command: String,
}

/// Every process of a running container, lowest id first.
pub fn processes(records: &Records, id: &ContainerId, live: &Live) -> Result<Vec<ProcessInfo>> {
    let cgroup = cgroup(records, id)?;
    let mut pids = match cgroup.is_none() {
        true => members_by_namespace(live.pid),
        false => cgroup.members(),
    };
    pids.sort_unstable();
    // One that ends meanwhile is left out.
    Ok(pids.into_iter().filter_map(read).collect())
}

/// Without cgroups: everything in the first process's PID namespace, and what descends from that
/// into namespaces of its own.
fn members_by_namespace(first: i32) -> Vec<i32> {
    let namespace = |pid: i32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let Some(own) = namespace(first) else {
        return Vec::new();
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let all = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let parents: HashMap<i32, i32> = all
        .filter_map(|pid| Some((pid, read_stat(pid)?.parent)))
        .collect();
    let same = |pid: &&i32| namespace(**pid) == Some(PathBuf::clone(&own));
    let mut inside: HashSet<i32> = parents.keys().filter(same).copied().collect();
    loop {
        let more = parents.iter();
        let more = more.filter(|(pid, parent)| inside.contains(parent) && !inside.contains(pid));
        let more: Vec<i32> = more.map(|(pid, _)| *pid).collect();
        if more.is_empty() {
            return inside.into_iter().collect();
        }
        inside.extend(more);
    }
}

fn read(pid: i32) -> Option<ProcessInfo> {
    let mut process = read_stat(pid)?;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let effective = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    process.uid = effective("Uid:")?;
    process.gid = effective("Gid:")?;
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = String::from_utf8_lossy(&words);
    process.command = match words.trim_end_matches('\0') {
        "" => format!("[{}]", process.name),
        words => words.replace(['\0', '\n'], " "),
    };
    Some(process)
}

fn read_stat(pid: i32) -> Option<ProcessInfo> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse_stat(text: &str) -> Option<ProcessInfo> {
    // The name may hold blanks and parentheses; the last one ends it.
    let (before, after) = text.rsplit_once(") ")?;
    let (pid, name) = before.split_once(" (")?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    // Counted from the state, which is field 3 of the manual page.
    let number = |field: usize| fields.get(field - 3)?.parse::<i64>().ok();
    let count = |field: usize| Some(number(field)?.max(0).unsigned_abs());
    let id = |field: usize| i32::try_from(number(field)?).ok();
    let cpu_ticks = count(14)? + count(15)?;
    Some(ProcessInfo {
        pid: pid.parse().ok()?,
        name: name.to_owned(),
        state: (*fields.first()?).to_owned(),
        parent: id(4)?,
        group: id(5)?,
        session: id(6)?,
        terminal: u32::try_from(number(7)?).ok()?,
        foreground: id(8)?,
        cpu_ticks,
        all_cpu_ticks: cpu_ticks + count(16)? + count(17)?,
        nice: number(19)?,
        threads: count(20)?,
        start_ticks: count(22)?,
        size: count(23)?,
        resident: count(24)? * rustix::param::page_size() as u64,
        ..ProcessInfo::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_parentheses_do_not_shift_the_fields() {
        let text = "7 (a) b (c)) S 1 7 6 34816 7 4194560 100 0 0 0 3 4 5 6 20 -1 2 0 99 4096 1 1";
        let process = parse_stat(text).expect("is whole");
        assert_eq!((process.pid, process.name.as_str()), (7, "a) b (c)"));
        assert_eq!((process.parent, process.group, process.session), (1, 7, 6));
        assert_eq!((process.cpu_ticks, process.all_cpu_ticks), (7, 18));
        assert_eq!((process.nice, process.threads), (-1, 2));
        assert_eq!((process.start_ticks, process.size), (99, 4096));
        assert_eq!(parse_stat("7 (a) S 1"), None);
    }
}
