//! Limits: what is asked for is enforced and measured, or named; `update`, `stats`, `top`.

mod kept;
mod update;
mod usage;

use std::fs;
use std::path::PathBuf;

use crate::bed::{Bed, Who, skip};

/// Whether this bed's containers have cgroups to be limited by; says so where they have not.
fn limited(bed: &Bed) -> bool {
    let limited = bed.who == Who::Root;
    if !limited {
        skip("this user may write no cgroup here");
    }
    limited
}

/// The host's view of a file in a running container's cgroup: that of version 1, or of version 2.
#[track_caller]
fn cgroup_file(bed: &Bed, name: &str, controller: &str, files: [&str; 2]) -> PathBuf {
    let pid = bed.inspect(name, "{{.State.Pid}}");
    let own = fs::read_to_string(format!("/proc/{pid}/cgroup")).expect("it runs");
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("mountinfo");
    let version_1 = own.lines().find_map(|line| {
        let mut fields = line.split(':').skip(1);
        let has = fields.next()?.split(',').any(|known| known == controller);
        has.then(|| fields.next()).flatten()
    });
    let is_of = |line: &&str| {
        let (_, file_system) = line.split_once(" - ").unwrap_or_default();
        match version_1 {
            Some(_) => {
                let options = file_system.strip_prefix("cgroup ").unwrap_or_default();
                options.split([',', ' ']).any(|known| known == controller)
            }
            None => file_system.starts_with("cgroup2 "),
        }
    };
    let mount = mounts
        .lines()
        .find(is_of)
        .expect("the hierarchy is mounted");
    let mount = mount.split(' ').nth(4).expect("has a mount point");
    let version_2 = own.lines().find_map(|line| line.strip_prefix("0::"));
    let path = version_1.or(version_2).expect("has a cgroup");
    let file = if version_1.is_some() {
        files[0]
    } else {
        files[1]
    };
    PathBuf::from(mount)
        .join(path.trim_start_matches('/'))
        .join(file)
}

/// What is in it.
#[track_caller]
fn cgroup_value(bed: &Bed, name: &str, controller: &str, files: [&str; 2]) -> String {
    let path = cgroup_file(bed, name, controller, files);
    let text = fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.trim().to_owned()
}

const MEMORY: [&str; 2] = ["memory.limit_in_bytes", "memory.max"];
const PIDS: [&str; 2] = ["pids.max", "pids.max"];
