//! From facts to findings: pure, so that every machine can be described in a test.

use super::facts::{Facts, Ids, Overlay, Tun};
use crate::base::ByteSize;

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub check: &'static str,
    pub health: Health,
    pub text: String,
    /// Commands that mend it, to be typed as they are.
    pub fixes: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    Ok,
    /// Containers run; something that some of them want is not there.
    Advice,
    /// Something that was promised does not work.
    Problem,
}

impl Health {
    pub fn word(self) -> &'static str {
        match self {
            Health::Ok => "ok",
            Health::Advice => "advice",
            Health::Problem => "problem",
        }
    }
}

/// mount_setattr(2) on detached mounts came with 5.12, overlay in user namespaces with 5.11.
const KERNEL: (u32, u32) = (5, 12);

/// An image and a container need about this much.
const FEW_BYTES: u64 = 1 << 30;
const FEW_FILES: u64 = 10_000;

/// What limits are made of.
const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];

/// All checks, in the order of what has to work first.
pub fn all(facts: &Facts) -> Vec<Finding> {
    let mut findings = vec![
        kernel(facts),
        namespace(facts),
        ids(facts),
        overlay(facts),
        cgroups(facts),
        seccomp(facts),
        tun(facts),
        ports(facts),
        lingering(facts),
        space(facts),
        run_directory(facts),
    ];
    findings.extend(store(facts));
    findings
}

fn ok(check: &'static str, text: impl Into<String>) -> Finding {
    Finding {
        check,
        health: Health::Ok,
        text: text.into(),
        fixes: Vec::new(),
    }
}

fn advice(check: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Finding {
    let fix = fix.into();
    Finding {
        check,
        health: Health::Advice,
        text: text.into(),
        fixes: Vec::from_iter((!fix.is_empty()).then_some(fix)),
    }
}

fn problem(check: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding {
        health: Health::Problem,
        ..advice(check, text, fix)
    }
}

fn kernel(facts: &Facts) -> Finding {
    let mut numbers = facts.kernel.split(|c: char| !c.is_ascii_digit());
    let mut number = || numbers.next().and_then(|text| text.parse::<u32>().ok());
    let (wanted_major, wanted_minor) = KERNEL;
    match number().zip(number()) {
        Some(found) if found >= KERNEL => ok("kernel", format!("Linux {}", facts.kernel)),
        _ => problem(
            "kernel",
            format!(
                "Linux {} is older than {wanted_major}.{wanted_minor}",
                facts.kernel
            ),
            "sudo apt-get install --only-upgrade linux-image-amd64 && sudo reboot",
        ),
    }
}

fn namespace(facts: &Facts) -> Finding {
    const CHECK: &str = "user namespaces";
    match &facts.namespace {
        _ if !facts.rootless => ok(CHECK, "not needed by root"),
        Ok(()) => ok(CHECK, "can be made"),
        Err((why, fix)) => problem(CHECK, why, fix),
    }
}

fn ids(facts: &Facts) -> Finding {
    const CHECK: &str = "subordinate ids";
    match &facts.ids {
        Ids::All => ok(CHECK, "not needed by root"),
        // Images have owners up to 65534 (nobody).
        Ids::Mapped(count) if *count < 65_535 => advice(
            CHECK,
            format!("{count}: images with owners of higher ids cannot be unpacked"),
            add_ids(&facts.user),
        ),
        Ids::Mapped(count) => ok(CHECK, format!("{count}, with newuidmap and newgidmap")),
        Ids::Single { why, fix } => {
            problem(CHECK, format!("only one id inside containers: {why}"), fix)
        }
        Ids::Refused { why, fix } => problem(CHECK, why, fix),
    }
}

fn add_ids(user: &str) -> String {
    format!("sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}")
}

fn overlay(facts: &Facts) -> Finding {
    const CHECK: &str = "overlay";
    let root = facts.store.root.display();
    let how = if facts.rootless {
        "works in a user namespace (userxattr)"
    } else {
        "works"
    };
    match &facts.overlay {
        Overlay::Works => ok(CHECK, format!("{how} at {root}")),
        Overlay::Missing => problem(
            CHECK,
            "the kernel has no overlay file system",
            "sudo modprobe overlay",
        ),
        Overlay::Untried => advice(CHECK, "cannot be tried without a user namespace", ""),
        Overlay::Refused(why) => problem(
            CHECK,
            format!("does not work at {root}: {why}"),
            "hull --root DIRECTORY, with a directory on ext4, xfs or btrfs",
        ),
    }
}

fn cgroups(facts: &Facts) -> Finding {
    const CHECK: &str = "cgroups";
    let version = if facts.cgroups.version_2 { 2 } else { 1 };
    let has = |name: &&str| facts.cgroups.controllers.iter().any(|own| own == name);
    let missing: Vec<&str> = CONTROLLERS.into_iter().filter(|name| !has(name)).collect();
    if missing.is_empty() {
        return ok(
            CHECK,
            format!("version {version}, limits of cpu, memory and pids can be kept"),
        );
    }
    let text = format!(
        "version {version}: no limits of {} for {}",
        missing.join(", "),
        facts.user
    );
    let fix = match (facts.cgroups.version_2, facts.systemd, facts.rootless) {
        (true, true, true) => {
            "sudo mkdir -p /etc/systemd/system/user@.service.d && printf \
             '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | sudo tee \
             /etc/systemd/system/user@.service.d/delegate.conf && sudo systemctl daemon-reload"
        }
        (false, true, _) => {
            "sudo sed -i 's/^GRUB_CMDLINE_LINUX=\"/&systemd.unified_cgroup_hierarchy=1 /' \
             /etc/default/grub && sudo update-grub && sudo reboot"
        }
        (_, _, false) => "sudo mount -t cgroup2 none /sys/fs/cgroup",
        // Nobody here delegates cgroups; root's containers have them.
        (_, false, true) => "",
    };
    match facts.rootless {
        true => advice(CHECK, text, fix),
        false => problem(CHECK, text, fix),
    }
}

fn seccomp(facts: &Facts) -> Finding {
    const CHECK: &str = "seccomp";
    let actions: Vec<&str> = facts.seccomp.split_whitespace().collect();
    match ["errno", "allow", "kill_process"]
        .iter()
        .find(|name| !actions.contains(name))
    {
        None => ok(CHECK, "filters can be used"),
        Some(_) => problem(
            CHECK,
            "this kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)",
            "hull run --security-opt seccomp=unconfined, or another kernel",
        ),
    }
}

fn tun(facts: &Facts) -> Finding {
    const CHECK: &str = "/dev/net/tun";
    match facts.tun {
        Tun::Works => ok(CHECK, "can be opened"),
        _ if !facts.rootless => ok(CHECK, "not needed by root"),
        Tun::Refused => advice(
            CHECK,
            "may not be opened: networks without root need it",
            "sudo chmod 0666 /dev/net/tun",
        ),
        Tun::Missing => advice(
            CHECK,
            "is not there: networks without root need it",
            "sudo modprobe tun",
        ),
    }
}

fn ports(facts: &Facts) -> Finding {
    const CHECK: &str = "ports below 1024";
    match facts.first_port {
        _ if !facts.rootless => ok(CHECK, "can be listened on by root"),
        first if first <= 80 => ok(CHECK, format!("can be listened on from {first}")),
        first => advice(
            CHECK,
            format!("only root may listen below {first}"),
            "sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80",
        ),
    }
}

fn lingering(facts: &Facts) -> Finding {
    const CHECK: &str = "lingering";
    match facts.lingering {
        Some(true) => ok(CHECK, "containers stay when you log out"),
        Some(false) => advice(
            CHECK,
            "containers end when you log out, and none starts with the machine",
            format!("sudo loginctl enable-linger {}", facts.user),
        ),
        None if facts.rootless => ok(CHECK, "no systemd here that would end containers"),
        None => ok(CHECK, "not needed by root"),
    }
}

fn space(facts: &Facts) -> Finding {
    const CHECK: &str = "disk space";
    let store = &facts.store;
    let root = store.root.display();
    let free = ByteSize(store.free_bytes).human(3);
    if store.free_bytes < FEW_BYTES {
        let text = format!("only {free} are free at {root}");
        return problem(CHECK, text, "hull system prune -a");
    }
    if store.files > 0 && store.free_files < FEW_FILES {
        let text = format!("only {} files can be made at {root}", store.free_files);
        return problem(CHECK, text, "hull system prune -a");
    }
    if store.in_memory {
        let text = format!("{root} is in memory: images are gone after a reboot");
        return advice(CHECK, text, "hull --root DIRECTORY, with one on a disk");
    }
    ok(CHECK, format!("{free} are free at {root}"))
}

fn run_directory(facts: &Facts) -> Finding {
    const CHECK: &str = "run directory";
    let run = facts.store.run.display();
    match facts.store.run_in_memory {
        true => ok(CHECK, format!("{run} is in memory")),
        false => advice(
            CHECK,
            format!("{run} is not in memory: starting containers is slower"),
            format!(
                "sudo mount -t tmpfs -o mode=0700,uid={} tmpfs {run}",
                facts.uid
            ),
        ),
    }
}

fn store(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "store";
    if facts.store.damaged.is_empty() {
        return vec![ok(CHECK, "every record can be read")];
    }
    let damaged = facts.store.damaged.iter();
    damaged.map(|(why, fix)| problem(CHECK, why, fix)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::facts::{Cgroups, StoreFacts};
    use super::*;

    /// A user on a machine where everything works.
    fn well() -> Facts {
        Facts {
            rootless: true,
            user: "ann".to_owned(),
            uid: 1000,
            kernel: "6.1.0-44-amd64".to_owned(),
            namespace: Ok(()),
            ids: Ids::Mapped(65_536),
            overlay: Overlay::Works,
            cgroups: Cgroups {
                version_2: true,
                controllers: ["cpu", "memory", "pids"].map(str::to_owned).to_vec(),
            },
            systemd: true,
            lingering: Some(true),
            tun: Tun::Works,
            first_port: 80,
            seccomp: "kill_process kill_thread trap errno user_notif trace log allow".to_owned(),
            store: StoreFacts {
                root: "/home/ann/.local/share/hull".into(),
                free_bytes: 50 << 30,
                free_files: 1_000_000,
                files: 2_000_000,
                run: "/run/user/1000/hull".into(),
                run_in_memory: true,
                ..StoreFacts::default()
            },
        }
    }

    fn not_ok(facts: &Facts) -> Vec<Finding> {
        let mut findings = all(facts);
        findings.retain(|finding| finding.health != Health::Ok);
        findings
    }

    #[test]
    fn nothing_is_found_on_a_good_machine() {
        assert_eq!(not_ok(&well()), []);
        let root = Facts {
            rootless: false,
            ids: Ids::All,
            lingering: None,
            tun: Tun::Missing,
            first_port: 1024,
            ..well()
        };
        assert_eq!(not_ok(&root), []);
    }

    type Change = fn(&mut Facts);

    /// One thing is wrong: the check that finds it, its health, and a part of the command.
    const LACKS: &[(Change, &str, Health, &str)] = &[
        (
            |f| f.kernel = "5.4.0".into(),
            "kernel",
            Health::Problem,
            "apt-get",
        ),
        (
            |f| f.kernel = "odd".into(),
            "kernel",
            Health::Problem,
            "apt-get",
        ),
        (
            |f| f.namespace = Err(("off".into(), "sudo sysctl -w x=1".into())),
            "user namespaces",
            Health::Problem,
            "sysctl -w x=1",
        ),
        (
            |f| f.ids = Ids::Mapped(10),
            "subordinate ids",
            Health::Advice,
            "--add-subuids",
        ),
        (
            |f| {
                f.ids = Ids::Single {
                    why: "none".into(),
                    fix: "sudo usermod …".into(),
                }
            },
            "subordinate ids",
            Health::Problem,
            "usermod",
        ),
        (
            |f| {
                f.ids = Ids::Refused {
                    why: "bad".into(),
                    fix: "edit /etc/subuid".into(),
                }
            },
            "subordinate ids",
            Health::Problem,
            "edit",
        ),
        (
            |f| f.overlay = Overlay::Missing,
            "overlay",
            Health::Problem,
            "modprobe overlay",
        ),
        (
            |f| f.overlay = Overlay::Refused("nfs".into()),
            "overlay",
            Health::Problem,
            "--root",
        ),
        (
            |f| f.cgroups.controllers.clear(),
            "cgroups",
            Health::Advice,
            "Delegate=",
        ),
        (
            |f| f.cgroups = Cgroups::default(),
            "cgroups",
            Health::Advice,
            "unified_cgroup_hierarchy=1",
        ),
        (
            |f| f.seccomp.clear(),
            "seccomp",
            Health::Problem,
            "seccomp=unconfined",
        ),
        (
            |f| f.tun = Tun::Missing,
            "/dev/net/tun",
            Health::Advice,
            "modprobe tun",
        ),
        (
            |f| f.tun = Tun::Refused,
            "/dev/net/tun",
            Health::Advice,
            "chmod 0666",
        ),
        (
            |f| f.first_port = 1024,
            "ports below 1024",
            Health::Advice,
            "ip_unprivileged_port_start",
        ),
        (
            |f| f.lingering = Some(false),
            "lingering",
            Health::Advice,
            "loginctl enable-linger ann",
        ),
        (
            |f| f.store.free_bytes = 1000,
            "disk space",
            Health::Problem,
            "system prune",
        ),
        (
            |f| f.store.free_files = 5,
            "disk space",
            Health::Problem,
            "system prune",
        ),
        (
            |f| f.store.in_memory = true,
            "disk space",
            Health::Advice,
            "--root",
        ),
        (
            |f| f.store.run_in_memory = false,
            "run directory",
            Health::Advice,
            "mount -t tmpfs",
        ),
        (
            |f| f.store.damaged = vec![("bad".into(), "hull rm -f abc".into())],
            "store",
            Health::Problem,
            "hull rm -f abc",
        ),
    ];

    #[test]
    fn each_lack_is_found_with_its_command() {
        for (change, check, health, fix) in LACKS {
            let mut facts = well();
            change(&mut facts);
            let found = not_ok(&facts);
            let [finding] = &found[..] else {
                panic!("{check}: {found:?}")
            };
            assert_eq!((finding.check, finding.health), (*check, *health));
            let fixes = finding.fixes.join("\n");
            assert!(fixes.contains(fix), "{check}: {fixes}");
        }
    }

    #[test]
    fn root_without_controllers_has_a_problem() {
        let mut facts = Facts {
            rootless: false,
            ..well()
        };
        facts.cgroups = Cgroups::default();
        facts.systemd = false;
        let found = not_ok(&facts);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].health, Health::Problem);
    }
}
