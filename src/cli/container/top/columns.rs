//! The columns of ps(1) that hull knows, with the texts of procps.

use std::collections::HashMap;
use std::fs;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::container::{ProcessInfo, host_memory};

/// `ps -ef`.
pub const FULL: &str = "user=UID,pid,ppid,c,stime,tname,time,cmd";
/// `ps aux`.
pub const AUX: &str = "user,pid,%cpu,%mem,vsz,rss,tname,stat,start,bsdtime,args";

/// One column: its header, and its text for a process.
pub struct Column {
    pub header: String,
    pub cell: fn(&ProcessInfo, &Host) -> String,
}

/// The columns of a list as `-o` takes it; `None` if one is unknown.
pub fn known(list: &str) -> Option<Vec<Column>> {
    let column = |word: &str| {
        let (key, given) = match word.split_once('=') {
            Some((key, header)) => (key, Some(header)),
            None => (word, None),
        };
        let (header, cell) = lookup(key)?;
        Some(Column {
            header: given.unwrap_or(header).to_owned(),
            cell,
        })
    };
    list.split(',').map(column).collect()
}

type Cell = fn(&ProcessInfo, &Host) -> String;

fn lookup(key: &str) -> Option<(&'static str, Cell)> {
    let found: (&'static str, Cell) = match key {
        "pid" => ("PID", |p, _| p.pid.to_string()),
        "ppid" => ("PPID", |p, _| p.parent.to_string()),
        "pgid" | "pgrp" => ("PGID", |p, _| p.group.to_string()),
        "sid" | "sess" | "session" => ("SID", |p, _| p.session.to_string()),
        "uid" | "euid" => ("UID", |p, _| p.uid.to_string()),
        "gid" | "egid" => ("GID", |p, _| p.gid.to_string()),
        "user" | "euser" | "uname" => ("USER", |p, host| host.user(p.uid)),
        "comm" | "ucmd" | "ucomm" => ("COMMAND", |p, _| p.name.clone()),
        "args" | "command" => ("COMMAND", |p, _| p.command.clone()),
        "cmd" => ("CMD", |p, _| p.command.clone()),
        "c" => ("C", |p, host| (host.cpu(p) as u64).min(99).to_string()),
        "pcpu" | "%cpu" => ("%CPU", |p, host| format!("{:.1}", host.cpu(p))),
        "pmem" | "%mem" => ("%MEM", |p, host| format!("{:.1}", host.memory(p))),
        "rss" | "rssize" => ("RSS", |p, _| (p.resident / 1024).to_string()),
        "vsz" | "vsize" => ("VSZ", |p, _| (p.size / 1024).to_string()),
        "tty" | "tt" => ("TT", |p, _| terminal(p.terminal)),
        "tname" => ("TTY", |p, _| terminal(p.terminal)),
        "stat" => ("STAT", |p, _| state(p)),
        "s" | "state" => ("S", |p, _| p.state.clone()),
        "ni" | "nice" => ("NI", |p, _| p.nice.to_string()),
        "nlwp" | "thcount" => ("NLWP", |p, _| p.threads.to_string()),
        "time" | "cputime" => ("TIME", |p, host| clock(host.seconds(p.cpu_ticks))),
        "bsdtime" => ("TIME", |p, host| {
            let seconds = host.seconds(p.cpu_ticks);
            format!("{}:{:02}", seconds / 60, seconds % 60)
        }),
        "etimes" => ("ELAPSED", |p, host| host.age(p).to_string()),
        "etime" => ("ELAPSED", |p, host| elapsed(host.age(p))),
        "stime" => ("STIME", |p, host| host.started(p)),
        "start" | "start_time" | "bsdstart" => ("START", |p, host| host.started(p)),
        _ => return None,
    };
    Some(found)
}

/// What of this host the columns need.
pub struct Host {
    users: HashMap<u32, String>,
    ticks_per_second: u64,
    /// Seconds since 1970.
    boot: i64,
    now: i64,
    memory: u64,
    zone: TimeZone,
}

impl Host {
    pub fn read() -> Host {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let boot = stat.lines().find_map(|line| line.strip_prefix("btime "));
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let user = |line: &str| {
            let mut fields = line.split(':');
            let name = fields.next()?.to_owned();
            Some((fields.nth(1)?.parse().ok()?, name))
        };
        let mut users = HashMap::new();
        for (uid, name) in passwd.lines().filter_map(user) {
            // Of several names the first one counts, getpwuid(3).
            users.entry(uid).or_insert(name);
        }
        Host {
            users,
            ticks_per_second: rustix::param::clock_ticks_per_second().max(1),
            boot: boot.and_then(|text| text.trim().parse().ok()).unwrap_or(0),
            now: Timestamp::now().as_second(),
            memory: host_memory().max(1),
            zone: TimeZone::system(),
        }
    }

    fn user(&self, uid: u32) -> String {
        const MOST: usize = 8;
        match self.users.get(&uid) {
            None => uid.to_string(),
            Some(name) if name.chars().count() <= MOST => name.clone(),
            Some(name) => name.chars().take(MOST - 1).chain(['+']).collect(),
        }
    }

    fn seconds(&self, ticks: u64) -> u64 {
        ticks / self.ticks_per_second
    }

    fn start(&self, process: &ProcessInfo) -> i64 {
        self.boot + i64::try_from(self.seconds(process.start_ticks)).unwrap_or(0)
    }

    fn age(&self, process: &ProcessInfo) -> u64 {
        u64::try_from(self.now - self.start(process)).unwrap_or(0)
    }

    /// CPU time per time since its start, of one CPU.
    fn cpu(&self, process: &ProcessInfo) -> f64 {
        let used = process.cpu_ticks as f64 / self.ticks_per_second as f64;
        match self.age(process) {
            0 => 0.0,
            age => used * 100.0 / age as f64,
        }
    }

    fn memory(&self, process: &ProcessInfo) -> f64 {
        process.resident as f64 * 100.0 / self.memory as f64
    }

    /// The time of today, the day of this year, or the year.
    fn started(&self, process: &ProcessInfo) -> String {
        let local = |seconds: i64| {
            let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
            time.to_zoned(self.zone.clone())
        };
        let (start, now) = (local(self.start(process)), local(self.now));
        let form = if self.age(process) < 24 * 60 * 60 {
            "%H:%M"
        } else if start.year() == now.year() {
            "%b%d"
        } else {
            "%Y"
        };
        start.strftime(form).to_string()
    }
}

/// `pts/3`, or `?` for none: by the numbers of Linux's devices.
fn terminal(device: u32) -> String {
    // proc_pid_stat(5): the minor number is in bits 31 to 20 and 7 to 0.
    let (major, minor) = (
        (device >> 8) & 0xFFF,
        (device & 0xFF) | ((device >> 12) & 0xF_FF00),
    );
    match major {
        136..=143 => format!("pts/{}", minor + (major - 136) * 256),
        4 if minor < 64 => format!("tty{minor}"),
        4 => format!("ttyS{}", minor - 64),
        _ => "?".to_owned(),
    }
}

/// The state with procps' marks.
fn state(process: &ProcessInfo) -> String {
    let marks = [
        (process.nice < 0, '<'),
        (process.nice > 0, 'N'),
        (process.session == process.pid, 's'),
        (process.threads > 1, 'l'),
        (process.foreground == process.group, '+'),
    ];
    let marks = marks
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, mark)| mark);
    process.state.chars().chain(marks).collect()
}

/// `[days-]hours:minutes:seconds`.
fn clock(seconds: u64) -> String {
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let rest = format!("{hours:02}:{:02}:{:02}", seconds / 60 % 60, seconds % 60);
    match days {
        0 => rest,
        days => format!("{days}-{rest}"),
    }
}

/// As [`clock`], without hours where there are none.
fn elapsed(seconds: u64) -> String {
    match seconds {
        0..3600 => format!("{:02}:{:02}", seconds / 60, seconds % 60),
        _ => clock(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_procps() {
        assert_eq!(terminal(0), "?");
        assert_eq!(terminal(136 << 8 | 3), "pts/3");
        assert_eq!(terminal(4 << 8 | 1), "tty1");
        assert_eq!(terminal(4 << 8 | 64), "ttyS0");
        assert_eq!(clock(3_661), "01:01:01");
        assert_eq!(clock(90_000), "1-01:00:00");
        assert_eq!(elapsed(61), "01:01");
        let process = ProcessInfo {
            pid: 7,
            session: 7,
            group: 7,
            foreground: 7,
            threads: 2,
            nice: -5,
            state: "S".to_owned(),
            ..ProcessInfo::default()
        };
        assert_eq!(state(&process), "S<sl+");
    }

    #[test]
    fn percentages_are_of_a_life() {
        let host = Host {
            users: HashMap::from([(0, "root".to_owned()), (9, "averylongname".to_owned())]),
            ticks_per_second: 100,
            boot: 1_000,
            now: 1_110,
            memory: 1000,
            zone: TimeZone::UTC,
        };
        let process = ProcessInfo {
            start_ticks: 1_000,
            cpu_ticks: 5_000,
            resident: 250,
            ..ProcessInfo::default()
        };
        assert_eq!(host.age(&process), 100);
        assert_eq!(host.cpu(&process), 50.0);
        assert_eq!(host.memory(&process), 25.0);
        assert_eq!(host.started(&process), "00:16");
        assert_eq!(host.user(0), "root");
        assert_eq!(host.user(9), "averylo+");
        assert_eq!(host.user(77), "77");
    }
}
