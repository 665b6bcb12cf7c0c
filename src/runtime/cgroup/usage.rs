//! What a container has used, by the counters of either version.

use std::fs;
use std::path::Path;

use super::Cgroup;

/// Counters and levels; `None` for what this host does not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time since the cgroup was made.
    pub cpu_nanoseconds: Option<u64>,
    /// Bytes, without file pages that nobody used lately: they go when memory is short.
    pub memory: Option<u64>,
    /// Bytes that cannot be given back to the host without swap.
    pub memory_held: Option<u64>,
    /// Bytes.
    pub memory_limit: Option<u64>,
    /// Bytes read from and written to block devices.
    pub block: Option<(u64, u64)>,
    /// Processes and threads.
    pub tasks: Option<u64>,
}

impl Cgroup {
    /// Reads everything that is counted.
    pub fn usage(&self) -> Usage {
        match (&self.version_2, self.version_2_controls) {
            (Some(path), true) => version_2(path),
            _ => self.version_1_usage(),
        }
    }

    fn version_1_usage(&self) -> Usage {
        let number = |controller: &str, file: &str| {
            let number = self.read_number(controller, file);
            number.and_then(|number| u64::try_from(number).ok())
        };
        let text = |controller: &str, file: &str| {
            let directory = self.directory_of(controller);
            directory.and_then(|directory| fs::read_to_string(directory.join(file)).ok())
        };
        let used = number("memory", "memory.usage_in_bytes");
        let inactive = text("memory", "memory.stat");
        let inactive = inactive.and_then(|text| field(&text, "total_inactive_file"));
        let moved = text("blkio", "blkio.throttle.io_service_bytes_recursive");
        Usage {
            cpu_nanoseconds: number("cpuacct", "cpuacct.usage"),
            memory: used.map(|used| used.saturating_sub(inactive.unwrap_or(0))),
            memory_held: None,
            memory_limit: number("memory", "memory.limit_in_bytes"),
            block: moved.map(|text| version_1_block(&text)),
            tasks: number("pids", "pids.current"),
        }
    }

    /// How many processes inside were killed because memory ran out.
    pub fn oom_kills(&self) -> u64 {
        let file = match (&self.version_2, self.version_2_controls) {
            (Some(path), true) => Some(path.join("memory.events")),
            _ => self
                .directory_of("memory")
                .map(|path| path.join("memory.oom_control")),
        };
        // Nothing was counted where the file is missing.
        let text = file.and_then(|file| fs::read_to_string(file).ok());
        text.and_then(|text| field(&text, "oom_kill")).unwrap_or(0)
    }
}

fn version_2(path: &Path) -> Usage {
    let text = |file: &str| fs::read_to_string(path.join(file)).ok();
    let number = |file: &str| text(file).and_then(|text| text.trim().parse::<u64>().ok());
    let stat = text("memory.stat").unwrap_or_default();
    let of_stat = |name: &str| field(&stat, name).unwrap_or(0);
    let used = number("memory.current");
    let cpu = text("cpu.stat").and_then(|text| field(&text, "usage_usec"));
    Usage {
        cpu_nanoseconds: cpu.map(|microseconds| microseconds.saturating_mul(1000)),
        memory: used.map(|used| used.saturating_sub(of_stat("inactive_file"))),
        memory_held: used.map(|_| of_stat("anon").saturating_add(of_stat("shmem"))),
        memory_limit: number("memory.max"),
        block: text("io.stat").map(|text| version_2_block(&text)),
        tasks: number("pids.current"),
    }
}

/// The number after a word at the start of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let (_, value) = lines.find(|(word, _)| *word == name)?;
    value.trim().parse().ok()
}

/// Lines as `8:0 Read 4096`; the last one is a total.
fn version_1_block(text: &str) -> (u64, u64) {
    let mut sums = (0u64, 0u64);
    for line in text.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [_, kind, bytes] = fields[..] else {
            continue;
        };
        let bytes = bytes.parse().unwrap_or(0);
        match kind {
            "Read" => sums.0 = sums.0.saturating_add(bytes),
            "Write" => sums.1 = sums.1.saturating_add(bytes),
            _ => {}
        }
    }
    sums
}

/// Lines as `8:0 rbytes=4096 wbytes=0 rios=1 …`.
fn version_2_block(text: &str) -> (u64, u64) {
    let sum = |name: &str| {
        let words = text.split_whitespace();
        let values = words.filter_map(|word| word.strip_prefix(name)?.parse::<u64>().ok());
        values.fold(0, u64::saturating_add)
    };
    (sum("rbytes="), sum("wbytes="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_both_versions_are_read() {
        let v1 = "8:0 Read 10\n8:0 Write 20\n8:0 Sync 5\n8:0 Total 30\n7:1 Read 1\nTotal 31\n";
        assert_eq!(version_1_block(v1), (11, 20));
        let v2 = "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n7:1 rbytes=1 wbytes=0\n";
        assert_eq!(version_2_block(v2), (11, 20));
        let events = "low 0\noom 3\noom_kill 2\noom_group_kill 0\n";
        assert_eq!(field(events, "oom_kill"), Some(2));
        let control = "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n";
        assert_eq!(field(control, "oom_kill"), Some(1));
    }
}
