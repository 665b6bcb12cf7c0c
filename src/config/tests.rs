//! Sources and their order, as tables over invented surroundings.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::settings::LogDefaults;
use super::*;

/// A directory of this test, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hull-config-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        for part in [
            "etc/docker",
            "etc/hull",
            "home/.config/hull",
            "run/user",
            "tmp",
        ] {
            fs::create_dir_all(path.join(part)).expect("scratch directory");
        }
        Scratch(path)
    }

    fn user(&self) -> Environment {
        let home = self.0.join("home").display().to_string();
        Environment {
            uid: rustix::process::geteuid().as_raw(),
            privileged: false,
            variables: [("HOME".to_owned(), home)].into(),
            etc: self.0.join("etc"),
            run: self.0.join("run"),
            tmp: self.0.join("tmp"),
        }
    }

    fn root(&self) -> Environment {
        Environment {
            privileged: true,
            ..self.user()
        }
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.0.join(path), text).expect("fixture");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A leftover in the temporary directory harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn resolve(env: &Environment) -> Settings {
    Settings::resolve(&Overrides::default(), env).expect("settings")
}

fn refusal(env: &Environment) -> String {
    let refused = Settings::resolve(&Overrides::default(), env);
    refused.expect_err("must be refused").to_string()
}

#[test]
fn without_files_the_built_in_values_hold() {
    let scratch = Scratch::new();
    let settings = resolve(&scratch.root());
    assert_eq!(settings.root, PathBuf::from("/var/lib/hull"));
    assert_eq!(settings.run, scratch.0.join("run/hull"));
    assert_eq!(settings.logs, LogDefaults::default());
    assert_eq!((settings.pull_concurrency, settings.rootless), (3, false));
    let user = resolve(&scratch.user());
    assert_eq!(user.root, scratch.0.join("home/.local/share/hull"));
    assert!(user.rootless);
}

#[test]
fn stronger_sources_win() {
    let scratch = Scratch::new();
    let mut env = scratch.user();
    let root = |env: &Environment, overrides: &Overrides| {
        let settings = Settings::resolve(overrides, env).expect("settings");
        settings.root.display().to_string()
    };
    let flags = Overrides {
        root: Some("/flag".into()),
        ..Overrides::default()
    };
    scratch.write("etc/hull/config.json", r#"{"data-root": "/system"}"#);
    assert_eq!(root(&env, &Overrides::default()), "/system");
    scratch.write("home/.config/hull/config.json", r#"{"data-root": "/user"}"#);
    assert_eq!(root(&env, &Overrides::default()), "/user");
    env.variables.insert("HULL_ROOT".into(), "/variable".into());
    assert_eq!(root(&env, &Overrides::default()), "/variable");
    assert_eq!(root(&env, &flags), "/flag");
}

#[test]
fn daemon_json_keys_apply_and_others_are_ignored() {
    let scratch = Scratch::new();
    scratch.write(
        "etc/docker/daemon.json",
        r#"{"registry-mirrors": ["https://m.example/"], "insecure-registries": ["10.0.0.1:5000"],
            "dns": ["8.8.8.8"], "dns-opts": ["ndots:1"], "dns-search": ["a.example"],
            "log-driver": "none", "log-opts": {"max-size": "1m", "max-file": "2", "tag": "x"},
            "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 10, "Hard": 20}},
            "data-root": "/big/docker", "max-concurrent-downloads": 5,
            "storage-driver": "overlay2", "features": {"x": true}}"#,
    );
    let settings = resolve(&scratch.root());
    assert_eq!(settings.registry.mirrors, ["https://m.example"]);
    assert_eq!(settings.registry.insecure, ["10.0.0.1:5000"]);
    assert_eq!(
        settings.dns.servers,
        ["8.8.8.8".parse::<std::net::IpAddr>().expect("address")]
    );
    let logs = (
        settings.logs.driver.as_str(),
        settings.logs.max_size,
        settings.logs.max_file,
    );
    assert_eq!(logs, ("none", Some(1 << 20), 2));
    assert_eq!(
        (
            settings.default_ulimits[0].soft,
            settings.default_ulimits[0].hard
        ),
        (10, 20)
    );
    assert_eq!(settings.root, PathBuf::from("/big/docker/hull"));
    assert_eq!(settings.pull_concurrency, 5);
}

#[test]
fn a_bad_file_is_named_with_line_and_key() {
    let table = [
        (
            "{\n \"dns\": \"8.8.8.8\"}",
            "line 2: \"dns\" must be a list",
        ),
        (
            "{\n\n \"dns\": [\"x\"]}",
            "line 3: \"dns\" must be a list of IP",
        ),
        (
            "{\"max-concurrent-downloads\": 0}",
            "line 1: \"max-concurrent-downloads\"",
        ),
        (
            "{\"log-opts\": {\"max-size\": \"x\"}}",
            "\"log-opts\" max-size: invalid size",
        ),
        (
            "{\"log-opts\": {\"max-file\": \"0\"}}",
            "\"log-opts\" max-file",
        ),
        (
            "{\"registry-mirrors\": [\"ftp://x\"]}",
            "\"registry-mirrors\" must be",
        ),
        (
            "{\"data-root\": \"x\"}",
            "\"data-root\" must be an absolute path",
        ),
        ("{\"dns\": [}", "line 1 column 10"),
        ("[]", "not a JSON object"),
        ("", "EOF"),
        (
            "{\"no-such-key\": 1}",
            "line 1: \"no-such-key\" is not a setting",
        ),
    ];
    for (text, expected) in table {
        let scratch = Scratch::new();
        scratch.write("etc/hull/config.json", text);
        let message = refusal(&scratch.user());
        assert!(
            message.contains("etc/hull/config.json: "),
            "{text}: {message}"
        );
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn a_named_file_must_exist() {
    let scratch = Scratch::new();
    let mut env = scratch.user();
    env.variables
        .insert("HULL_CONFIG".into(), "/nonexistent/x.json".into());
    assert!(refusal(&env).contains("read /nonexistent/x.json"));
}

#[test]
fn a113_a_prepared_directory_of_last_resort_is_refused() {
    let scratch = Scratch::new();
    let env = scratch.user();
    let fallback = scratch.0.join(format!("tmp/hull-{}", env.uid));
    assert_eq!(resolve(&env).run, fallback);
    assert_eq!(resolve(&env).run, fallback, "and found again");

    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&fallback, open).expect("chmod");
    assert!(refusal(&env).contains("open to other users"));
    fs::remove_dir(&fallback).expect("remove");

    symlink(scratch.0.join("home"), &fallback).expect("symlink");
    assert!(refusal(&env).contains("not a plain directory"));
    fs::remove_file(&fallback).expect("remove");

    fs::write(&fallback, "").expect("file");
    assert!(refusal(&env).contains("not a plain directory"));
    fs::remove_file(&fallback).expect("remove");

    if !rustix::process::geteuid().is_root() {
        print_skip("needs root to give a directory away");
        return;
    }
    resolve(&env);
    std::os::unix::fs::chown(&fallback, Some(4242), None).expect("chown");
    assert!(refusal(&env).contains("owned by uid 4242"));
}

#[test]
fn a114_root_ignores_directories_of_another_user() {
    if !rustix::process::geteuid().is_root() {
        print_skip("needs root to give a directory away");
        return;
    }
    let scratch = Scratch::new();
    let foreign = scratch.0.join("home");
    std::os::unix::fs::chown(&foreign, Some(4242), Some(4242)).expect("chown");
    scratch.write(
        "home/.config/hull/config.json",
        r#"{"data-root": "/hostile"}"#,
    );
    scratch.write("etc/passwd", "bad\nroot:x:0:0:root:/root-home:/bin/sh\n");
    let mut env = scratch.root();
    let foreign = foreign.display().to_string();
    for name in [
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_RUNTIME_DIR",
        "DOCKER_CONFIG",
    ] {
        env.variables.insert(name.into(), foreign.clone());
    }
    let settings = resolve(&env);
    assert_eq!(settings.root, PathBuf::from("/var/lib/hull"));
    assert_eq!(settings.home, Some(PathBuf::from("/root-home")));
    assert_eq!(settings.docker_config, None);

    // Root inside a user namespace has no privilege, and the same rule.
    env.privileged = false;
    let settings = resolve(&env);
    assert_eq!(settings.root, PathBuf::from("/root-home/.local/share/hull"));
    assert_eq!(settings.run, scratch.0.join("tmp/hull-0"));
}

#[test]
fn a115_a_file_others_can_write_gives_root_no_settings() {
    let scratch = Scratch::new();
    scratch.write("etc/hull/config.json", "{}");
    let path = scratch.0.join("etc/hull/config.json");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).expect("chmod");
    assert!(refusal(&scratch.root()).contains("others than root"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("chmod");
    resolve(&scratch.root());
}

/// A test that cannot run here says so.
fn print_skip(reason: &str) {
    use std::io::Write;
    // Nothing is lost if the notice is.
    let _ = writeln!(std::io::stderr(), "SKIP {reason}");
}

#[test]
fn proxies_and_levels_come_from_the_environment() {
    let scratch = Scratch::new();
    let mut env = scratch.user();
    for (name, value) in [
        ("HTTPS_PROXY", "http://up:1"),
        ("https_proxy", "http://low:1"),
        ("NO_PROXY", "x"),
        ("HULL_LOG", "warning"),
    ] {
        env.variables.insert(name.into(), value.into());
    }
    let settings = resolve(&env);
    assert_eq!(
        settings.registry.proxies.https.as_deref(),
        Some("http://low:1")
    );
    assert_eq!(settings.registry.proxies.no_proxy.as_deref(), Some("x"));
    let overrides = Overrides {
        log_level: Some("loud".to_owned()),
        ..Overrides::default()
    };
    let refused = Settings::resolve(&overrides, &env).expect_err("no such level");
    assert!(refused.to_string().contains("loud"));
}

#[test]
fn loading_without_files_is_quick() {
    let scratch = Scratch::new();
    let env = scratch.user();
    resolve(&env);
    let begin = std::time::Instant::now();
    for _ in 0..100 {
        resolve(&env);
    }
    // Generous: the machine may be busy and this build is not optimised.
    assert!(begin.elapsed().as_millis() < 500, "{:?}", begin.elapsed());
}
