//! login and logout, and how registries are reached: certificates, mirrors, proxies, rules.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use serde_json::Value;

use crate::bed::Bed;
use crate::images::Image;
use crate::process::{Ran, run};
use crate::pty::Terminal;
use crate::scripted::{Reply, Scripted};
use crate::sites::{
    Authority, Certificate, Dates, PASSWORD, Proxy, Site, SiteOptions, TlsFront, USER, free_port,
};

root_and_user!(
    a_login_is_checked_kept_and_used,
    a_refused_login_changes_nothing,
    the_file_of_logins_stays_the_users,
    login_asks_on_a_terminal_without_echo,
    an_interrupted_password_gives_the_echo_back,
    flags_of_login_that_do_not_fit_are_refused,
    logins_at_once_are_all_kept,
    the_file_is_where_docker_config_says,
    a_token_service_checks_the_login,
    an_identity_token_is_exchanged,
    a_program_keeps_the_logins,
    logins_of_podman_are_read,
    creds_are_for_one_command,
    certificates_of_the_user_are_believed,
    a_certificate_that_signs_itself_may_be_put_down,
    a_registry_may_want_our_certificate,
    mirrors_are_asked_first,
    rules_for_registries_are_followed,
    a_proxy_is_used_where_it_is_wanted,
);

/// A registry with TLS and a password, and the words that make it trusted.
struct Guarded {
    site: Site,
    certificates: PathBuf,
}

impl Guarded {
    fn start(bed: &Bed) -> Option<Guarded> {
        let authority = Authority::new(bed)?;
        let certificate = authority.issue("site", "IP:127.0.0.1", Dates::Now);
        let options = SiteOptions {
            tls: Some(&certificate),
            password: true,
            ..SiteOptions::default()
        };
        let site = Site::start(bed, &options)?;
        let certificates = certificates(bed, "trusted", &authority);
        Some(Guarded { site, certificates })
    }

    fn flag(&self) -> String {
        format!("--cert-dir={}", self.certificates.display())
    }

    fn log_in(&self, bed: &Bed) -> Ran {
        let words = [
            "login",
            &self.flag(),
            "-u",
            USER,
            "--password-stdin",
            &self.site.host(),
        ];
        bed.hull_with_input(&words, PASSWORD.as_bytes())
    }
}

/// A directory with the authority's certificate.
fn certificates(bed: &Bed, name: &str, authority: &Authority) -> PathBuf {
    let dir = bed.dir.join("work").join(name);
    fs::create_dir_all(&dir).expect("directory");
    fs::copy(authority.certificate(), dir.join("ca.crt")).expect("copied");
    dir
}

fn config_path(bed: &Bed) -> PathBuf {
    bed.dir.join("home/.docker/config.json")
}

fn config(bed: &Bed) -> Value {
    let text = fs::read_to_string(config_path(bed)).expect("there is a file of logins");
    serde_json::from_str(&text).expect("it is JSON")
}

/// A file of the bed's user below its home.
fn home_file(bed: &Bed, name: &str, text: &str) {
    let path = bed.dir.join("home").join(name);
    let parent = path.parent().expect("is below home");
    fs::create_dir_all(parent).expect("directory");
    let mut here = parent;
    while here != bed.dir.join("home") {
        bed.give(here);
        here = here.parent().expect("is below home");
    }
    fs::write(&path, text).expect("written");
    bed.give(&path);
}

fn a_login_is_checked_kept_and_used(bed: &Bed) {
    let Some(guarded) = Guarded::start(bed) else {
        return;
    };
    guarded.site.push(&Image::busybox("x"), "private/app:1");
    let (flag, host) = (guarded.flag(), guarded.site.host());
    let name = format!("{host}/private/app:1");
    let denied = bed.hull(&["pull", "-q", &flag, &name]);
    denied.fails(1).one_error_line().stderr_has("hull login");
    let ran = guarded.log_in(bed);
    ran.fails(0)
        .stdout_is("Login Succeeded\n")
        .stderr_has("unencrypted");
    let mode = fs::metadata(config_path(bed))
        .expect("is there")
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    assert_eq!(config(bed)["auths"][&host]["auth"], "aHVsbDpzM2NyZXQ=");
    bed.hull(&["pull", "-q", &flag, &name]).fails(0);
    bed.hull(&["login", "--get-login", &host])
        .fails(0)
        .stdout_is("hull\n");
    let again = bed.hull(&["login", &flag, &host]);
    again.fails(0).stdout_has("Login Succeeded");
    let out = bed.hull(&["logout", &host]);
    out.fails(0)
        .stdout_is(&format!("Removing login credentials for {host}\n"));
    bed.hull(&["pull", "-q", &flag, &name]).fails(1);
    bed.hull(&["login", "--get-login", &host])
        .fails(1)
        .one_error_line();
    let out = bed.hull(&["logout", &host]);
    out.fails(0)
        .stdout_is(&format!("Not logged in to {host}\n"));
}

fn a_refused_login_changes_nothing(bed: &Bed) {
    let Some(guarded) = Guarded::start(bed) else {
        return;
    };
    let host = guarded.site.host();
    let words = [
        "login",
        &guarded.flag(),
        "-u",
        USER,
        "--password-stdin",
        &host,
    ];
    let ran = bed.hull_with_input(&words, b"wrong");
    ran.fails(1).one_error_line().stderr_has("unauthorized");
    assert!(!config_path(bed).exists(), "nothing is kept");
    let untrusted = ["login", "-u", USER, "--password-stdin", &host];
    bed.hull_with_input(&untrusted, PASSWORD.as_bytes())
        .fails(1)
        .one_error_line();
    guarded.log_in(bed).fails(0);
    let before = fs::read(config_path(bed)).expect("kept");
    bed.hull_with_input(&words, b"wrong").fails(1);
    assert_eq!(fs::read(config_path(bed)).expect("kept"), before);
    let words = [
        "login",
        "--tls-verify=false",
        "-u",
        USER,
        "--password-stdin",
        &host,
    ];
    bed.hull_with_input(&words, b"s3cret\n").fails(0);
}

fn the_file_of_logins_stays_the_users(bed: &Bed) {
    let Some(guarded) = Guarded::start(bed) else {
        return;
    };
    let text = r#"{"auths": {"other.example": {"auth": "eDp5", "email": "me"}},
        "detachKeys": "ctrl-e,e", "HttpHeaders": {"X": ["1"]}}"#;
    home_file(bed, "dotfiles/docker.json", text);
    home_file(bed, ".docker/other", "");
    symlink("../dotfiles/docker.json", config_path(bed)).expect("linked");
    guarded.log_in(bed).fails(0);
    assert!(config_path(bed).is_symlink(), "a link stays a link");
    let found = config(bed);
    assert_eq!(found["detachKeys"], "ctrl-e,e");
    assert_eq!(found["HttpHeaders"]["X"][0], "1");
    assert_eq!(found["auths"]["other.example"]["email"], "me");
    bed.hull(&["logout", &guarded.site.host()]).fails(0);
    assert_eq!(config(bed)["auths"]["other.example"]["auth"], "eDp5");
    bed.hull(&["logout", "--all"]).fails(0);
    assert_eq!(config(bed)["auths"], serde_json::json!({}));
    assert_eq!(config(bed)["detachKeys"], "ctrl-e,e");
    let left = fs::read_dir(bed.dir.join("home/dotfiles")).expect("there");
    assert_eq!(left.count(), 1, "no temporary file stays");

    let damaged = r#"{"auths": {"x": {"auth": "c2VjcmV0"#;
    fs::write(bed.dir.join("home/dotfiles/docker.json"), damaged).expect("written");
    let ran = guarded.log_in(bed);
    ran.fails(1).one_error_line().stderr_has("line 1");
    ran.expect(!ran.stderr.contains("c2VjcmV0"), "no secret is shown");
    let kept = fs::read_to_string(config_path(bed)).expect("there");
    assert_eq!(kept, damaged);
}

fn login_asks_on_a_terminal_without_echo(bed: &Bed) {
    let Some(guarded) = Guarded::start(bed) else {
        return;
    };
    let (flag, host) = (guarded.flag(), guarded.site.host());
    let mut terminal = Terminal::start(bed, &["login", &flag, &host], 24, 80);
    terminal.wait_for("Username: ");
    terminal.send("hull\n");
    terminal.wait_for("Password: ");
    terminal.send("s3cret\n");
    terminal.wait_for("Login Succeeded");
    assert_eq!(terminal.finish(), 0, "{}", terminal.screen());
    assert!(
        !terminal.screen().contains(PASSWORD),
        "{}",
        terminal.screen()
    );
    assert_eq!(terminal.settings(), terminal.fresh);
}

fn an_interrupted_password_gives_the_echo_back(bed: &Bed) {
    let words = ["login", "-u", "x", "127.0.0.1:1"];
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut terminal = Terminal::start(bed, &words, 24, 80);
        terminal.wait_for("Password: ");
        terminal.signal(signal);
        assert_eq!(terminal.finish(), code, "{}", terminal.screen());
        assert_eq!(terminal.settings(), terminal.fresh);
    }
}

fn flags_of_login_that_do_not_fit_are_refused(bed: &Bed) {
    for (words, part) in [
        (&["login"][..], "not a terminal"),
        (&["login", "-u", "x"], "not a terminal"),
        (&["login", "--password-stdin"], "--username"),
        (&["login", "-u", "a:b", "--password-stdin"], "colon"),
        (&["login", "-u", "x", "--password-stdin"], "empty"),
        (&["login", "user@reg.example"], "not a registry"),
        (&["logout", "--all", "reg.example"], "--all"),
        (&["login", "--get-login"], "not logged into docker.io"),
    ] {
        bed.hull(words).fails(1).one_error_line().stderr_has(part);
    }
    let both = bed.hull(&["login", "-u", "x", "-p", "y", "--password-stdin"]);
    both.fails(1)
        .stderr_has("insecure")
        .stderr_has("mutually exclusive");
    bed.hull(&["logout"])
        .fails(0)
        .stdout_is("Not logged in to https://index.docker.io/v1/\n");
}

fn logins_at_once_are_all_kept(bed: &Bed) {
    let servers: Vec<_> = (0..6)
        .map(|_| Scripted::start(|_| Reply::ok("{}")))
        .collect();
    let hosts: Vec<_> = servers.iter().map(|it| it.address.to_string()).collect();
    let start =
        |host: &String| bed.start(&["login", "--tls-verify=false", "-u", "x", "-p", "y", host]);
    let running: Vec<_> = hosts.iter().map(start).collect();
    for one in running {
        one.finish().fails(0);
    }
    let found = config(bed);
    for host in &hosts {
        assert_eq!(found["auths"][host]["auth"], "eDp5", "{found}");
    }
}

fn the_file_is_where_docker_config_says(bed: &Bed) {
    let server = Scripted::start(|_| Reply::ok("{}"));
    let host = server.address.to_string();
    let dir = bed.dir.join("work/client");
    let login = ["login", "--tls-verify=false", "-u", "x", "-p", "y", &host];
    let mut command = bed.hull_command(&login);
    command.env("DOCKER_CONFIG", &dir);
    // Root follows such a variable only to what is root's own.
    fs::create_dir(&dir).expect("directory");
    bed.give(&dir);
    run(command, b"").fails(0);
    assert!(dir.join("config.json").exists() && !config_path(bed).exists());
    let other = bed.dir.join("work/other");
    let flag = other.to_str().expect("is text");
    bed.hull(&[&["--config", flag][..], &login].concat())
        .fails(0);
    assert!(other.join("config.json").exists() && !config_path(bed).exists());
}

/// A registry that wants a token of its own service, which wants [`USER`].
fn token_registry() -> Scripted {
    Scripted::start(|asked| {
        let host = asked.header("host").unwrap_or_default();
        let authorization = asked.header("authorization").unwrap_or_default();
        if asked.path.starts_with("/token") {
            return match authorization {
                "Basic aHVsbDpzM2NyZXQ=" => Reply::ok("{\"token\": \"good\"}"),
                _ => Reply::status("401 Unauthorized"),
            };
        }
        match authorization {
            "Bearer good" => Reply::ok("{}"),
            _ => Reply::status("401 Unauthorized").header(format!(
                "WWW-Authenticate: Bearer realm=\"https://{host}/token\",service=\"reg\""
            )),
        }
    })
}

fn a_token_service_checks_the_login(bed: &Bed) {
    let Some(authority) = Authority::new(bed) else {
        return;
    };
    let registry = token_registry();
    let certificate = authority.issue("site", "IP:127.0.0.1", Dates::Now);
    let front = TlsFront::start(&certificate, registry.address.port());
    let flag = format!(
        "--cert-dir={}",
        certificates(bed, "trusted", &authority).display()
    );
    let host = format!("127.0.0.1:{}", front.port);
    let words = ["login", &flag, "-u", USER, "--password-stdin", &host];
    bed.hull_with_input(&words, b"wrong")
        .fails(1)
        .one_error_line()
        .stderr_has("unauthorized");
    bed.hull_with_input(&words, PASSWORD.as_bytes())
        .fails(0)
        .stdout_is("Login Succeeded\n");
    let asked = registry.asked();
    let tokens = asked
        .iter()
        .filter(|asked| asked.path.starts_with("/token"));
    let paths: Vec<_> = tokens.map(|asked| asked.path.as_str()).collect();
    assert_eq!(paths, ["/token?service=reg&account=hull"; 2]);
    let last = asked.last().expect("was asked");
    assert_eq!(
        (last.path.as_str(), last.header("authorization")),
        ("/v2/", Some("Bearer good"))
    );
}

fn an_identity_token_is_exchanged(bed: &Bed) {
    let Some(authority) = Authority::new(bed) else {
        return;
    };
    let registry = Scripted::start(|asked| {
        let host = asked.header("host").unwrap_or_default();
        if asked.path == "/token" {
            return Reply::ok("{\"access_token\": \"good\"}");
        }
        match asked.header("authorization") {
            Some("Bearer good") => Reply::ok("{}"),
            _ => Reply::status("401 Unauthorized").header(format!(
                "WWW-Authenticate: Bearer realm=\"https://{host}/token\""
            )),
        }
    });
    let certificate = authority.issue("site", "IP:127.0.0.1", Dates::Now);
    let front = TlsFront::start(&certificate, registry.address.port());
    let flag = format!(
        "--cert-dir={}",
        certificates(bed, "trusted", &authority).display()
    );
    let host = format!("127.0.0.1:{}", front.port);
    let text = serde_json::json!({"auths": {&host: {"auth": "MDowOg==", "identitytoken": "idt"}}});
    home_file(bed, ".docker/config.json", &text.to_string());
    bed.hull(&["login", &flag, &host])
        .fails(0)
        .stdout_has("Login Succeeded");
    let asked = registry.asked();
    let basic = |asked: &crate::scripted::Asked| {
        asked
            .header("authorization")
            .is_some_and(|value| value.starts_with("Basic"))
    };
    assert!(!asked.iter().any(basic), "it is no password: {asked:?}");
    let kind = asked.iter().find(|asked| asked.path == "/token");
    let kind = kind.and_then(|asked| asked.header("content-type"));
    assert_eq!(kind, Some("application/x-www-form-urlencoded"));
}

/// A program that keeps logins in a file.
pub fn credential_program(bed: &Bed, name: &str, script: &str) -> PathBuf {
    let dir = bed.dir.join("work/programs");
    fs::create_dir_all(&dir).expect("directory");
    bed.give(&dir);
    let path = dir.join(format!("docker-credential-{name}"));
    fs::write(&path, format!("#!/bin/sh\ncd {}\n{script}", dir.display())).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("mode");
    dir
}

/// `hull words…` with the directory first in PATH.
pub fn hull_with_programs(bed: &Bed, dir: &std::path::Path, words: &[&str], input: &[u8]) -> Ran {
    let mut command = bed.hull_command(words);
    command.env("PATH", format!("{}:/usr/bin:/bin", dir.display()));
    run(command, input)
}

const KEEPER: &str = r#"
echo "$1" >>log
case $1 in
store) cat >kept ;;
get) read -r server || :
    if [ -s kept ]; then cat kept; exit; fi
    echo "credentials not found in native keychain"; exit 1 ;;
erase) : >kept ;;
list) if [ -s kept ]; then echo '{"https://x.example": "hull"}'; else echo '{}'; fi ;;
esac
"#;

fn a_program_keeps_the_logins(bed: &Bed) {
    let Some(guarded) = Guarded::start(bed) else {
        return;
    };
    guarded.site.push(&Image::busybox("x"), "app:1");
    let (flag, host) = (guarded.flag(), guarded.site.host());
    let dir = credential_program(bed, "keeper", KEEPER);
    home_file(bed, ".docker/config.json", r#"{"credsStore": "keeper"}"#);
    let hull = |words: &[&str], input: &[u8]| hull_with_programs(bed, &dir, words, input);
    let words = ["login", &flag, "-u", USER, "--password-stdin", &host];
    let ran = hull(&words, PASSWORD.as_bytes());
    ran.fails(0).stdout_is("Login Succeeded\n");
    ran.expect(
        ran.stderr.is_empty(),
        "no warning: nothing is stored unencrypted",
    );
    assert_eq!(config(bed)["auths"][&host], serde_json::json!({}));
    let kept: Value =
        serde_json::from_slice(&fs::read(dir.join("kept")).expect("kept")).expect("JSON");
    let expected = serde_json::json!({"ServerURL": host, "Username": USER, "Secret": PASSWORD});
    assert_eq!(kept, expected);
    hull(&["pull", "-q", &flag, &format!("{host}/app:1")], b"").fails(0);
    hull(&["login", "--get-login", &host], b"")
        .fails(0)
        .stdout_is("hull\n");
    hull(&["logout", &host], b"").fails(0);
    assert_eq!(fs::read(dir.join("kept")).expect("there"), b"");
    hull(&["pull", "-q", &flag, &format!("{host}/app:1")], b"").fails(1);
    hull(&words, PASSWORD.as_bytes()).fails(0);
    hull(&["logout", "--all"], b"").fails(0);
    assert_eq!(fs::read(dir.join("kept")).expect("there"), b"");
}

fn logins_of_podman_are_read(bed: &Bed) {
    let Some(guarded) = Guarded::start(bed) else {
        return;
    };
    let host = guarded.site.host();
    let auth = serde_json::json!({"auths": {&host: {"auth": "aHVsbDpzM2NyZXQ="}}}).to_string();
    home_file(bed, ".config/containers/auth.json", &auth);
    bed.hull(&["login", &guarded.flag(), &host])
        .fails(0)
        .stdout_has("Login Succeeded");
    let out = bed.hull(&["logout", &host]);
    out.fails(0)
        .stderr_has("still has a login")
        .stderr_has("--authfile");
    let file = bed.dir.join("home/.config/containers/auth.json");
    let file = file.to_str().expect("is text");
    bed.hull(&["logout", "--authfile", file, &host]).fails(0);
    bed.hull(&["login", "--get-login", &host]).fails(1);

    let named = bed.dir.join("work/named.json");
    let mut command = bed.hull_command(&[
        "login",
        &guarded.flag(),
        "-u",
        USER,
        "--password-stdin",
        &host,
    ]);
    command.env("REGISTRY_AUTH_FILE", &named);
    run(command, PASSWORD.as_bytes()).fails(0);
    assert!(
        named.exists() && !config_path(bed).exists(),
        "only the named file is written"
    );
    let named = named.to_str().expect("is text");
    bed.hull(&["login", "--get-login", "--authfile", named, &host])
        .fails(0)
        .stdout_is("hull\n");
}

fn creds_are_for_one_command(bed: &Bed) {
    let Some(guarded) = Guarded::start(bed) else {
        return;
    };
    guarded.site.push(&Image::busybox("x"), "app:1");
    let name = format!("{}/app:1", guarded.site.host());
    let flag = guarded.flag();
    bed.hull(&["pull", "-q", &flag, "--creds", "hull:wrong", &name])
        .fails(1);
    bed.hull(&["pull", "-q", &flag, "--creds", "hull:s3cret", &name])
        .fails(0);
    bed.hull(&["pull", "-q", &flag, &name]).fails(1);
}

fn certificates_of_the_user_are_believed(bed: &Bed) {
    let Some(guarded) = Guarded::start(bed) else {
        return;
    };
    let host = guarded.site.host();
    let words = ["login", "-u", USER, "--password-stdin", &host];
    bed.hull_with_input(&words, PASSWORD.as_bytes()).fails(1);
    let authority = fs::read_to_string(guarded.certificates.join("ca.crt")).expect("there");
    home_file(
        bed,
        &format!(".config/containers/certs.d/{host}/ca.crt"),
        &authority,
    );
    bed.hull_with_input(&words, PASSWORD.as_bytes()).fails(0);
    let broken = format!(".config/containers/certs.d/{host}/me.key");
    home_file(bed, &broken, "x");
    let ran = bed.hull_with_input(&words, PASSWORD.as_bytes());
    ran.fails(1)
        .one_error_line()
        .stderr_has("me.key: there is no certificate for it");
}

fn trusting(bed: &Bed, certificate: &Certificate) -> String {
    let dir = bed.dir.join("work/put-down");
    fs::create_dir_all(&dir).expect("directory");
    fs::copy(&certificate.certificate, dir.join("it.crt")).expect("copied");
    format!("--cert-dir={}", dir.display())
}

fn a_certificate_that_signs_itself_may_be_put_down(bed: &Bed) {
    let Some(authority) = Authority::new(bed) else {
        return;
    };
    let server = Scripted::start(|_| Reply::ok("{}"));
    let certificate = authority.self_signed("DNS:reg.example,IP:127.0.0.1");
    let front = TlsFront::start(&certificate, server.address.port());
    let host = format!("127.0.0.1:{}", front.port);
    let login = ["login", "-u", USER, "--password-stdin", &host];
    bed.hull_with_input(&login, b"x").fails(1).one_error_line();
    let flag = trusting(bed, &certificate);
    let words = [&login[..], &[&flag]].concat();
    bed.hull_with_input(&words, b"x").fails(0);
    // The name counts all the same.
    let other = authority.self_signed("DNS:reg.example");
    let front = TlsFront::start(&other, server.address.port());
    let (host, flag) = (format!("127.0.0.1:{}", front.port), trusting(bed, &other));
    let words = ["login", "-u", USER, "--password-stdin", &host, &flag];
    let ran = bed.hull_with_input(&words, b"x");
    ran.fails(1)
        .one_error_line()
        .stderr_has("not valid for name");
}

fn a_registry_may_want_our_certificate(bed: &Bed) {
    let Some(authority) = Authority::new(bed) else {
        return;
    };
    let certificate = authority.issue("site", "IP:127.0.0.1", Dates::Now);
    let options = SiteOptions {
        tls: Some(&certificate),
        clients: Some(&authority),
        ..SiteOptions::default()
    };
    let Some(site) = Site::start(bed, &options) else {
        return;
    };
    let dir = certificates(bed, "trusted", &authority);
    let flag = format!("--cert-dir={}", dir.display());
    let words = ["login", &flag, "-u", USER, "--password-stdin", &site.host()];
    bed.hull_with_input(&words, b"x").fails(1).one_error_line();
    let own = authority.issue("me", "DNS:me.example", Dates::Now);
    fs::copy(&own.certificate, dir.join("me.cert")).expect("copied");
    fs::copy(&own.key, dir.join("me.key")).expect("copied");
    fs::set_permissions(dir.join("me.key"), fs::Permissions::from_mode(0o644)).expect("mode");
    bed.hull_with_input(&words, b"x").fails(0);
}

/// Settings of hull's own in a file, and docker.io behind a proxy that leads nowhere.
fn with_settings(bed: &Bed, settings: &Value, words: &[&str]) -> Ran {
    let file = bed.file("settings.json", settings.to_string().as_bytes());
    let mut command = bed.hull_command(words);
    command
        .env("HULL_CONFIG", file)
        .env("HTTPS_PROXY", format!("http://127.0.0.1:{}", free_port()));
    run(command, b"")
}

fn mirrors_are_asked_first(bed: &Bed) {
    let Some(mirror) = Site::start(bed, &SiteOptions::default()) else {
        return;
    };
    mirror.push(&Image::busybox("x"), "library/app:1");
    let empty = Scripted::start(|_| Reply::status("404 Not Found"));
    let url = format!("http://{}", mirror.host());
    let empty_url = format!("http://{}", empty.address);
    let dead = format!("http://127.0.0.1:{}", free_port());
    let alone = serde_json::json!({"registry-mirrors": [url]});
    with_settings(bed, &alone, &["pull", "-q", "app:1"])
        .fails(0)
        .stdout_is("docker.io/library/app:1\n");
    bed.hull(&["rmi", "app:1"]).fails(0);
    let behind = serde_json::json!({"registry-mirrors": [dead, empty_url, url]});
    with_settings(bed, &behind, &["pull", "-q", "app:1"]).fails(0);
    assert!(
        empty.count("/v2/library/app/manifests/1") > 0,
        "it was asked before"
    );
    let none = serde_json::json!({"registry-mirrors": [empty_url]});
    let ran = with_settings(bed, &none, &["pull", "-q", "other:1"]);
    ran.fails(1).one_error_line().stderr_has("docker.io");
}

fn rules_for_registries_are_followed(bed: &Bed) {
    let Some(site) = Site::start(bed, &SiteOptions::default()) else {
        return;
    };
    site.push(&Image::busybox("x"), "copy/app:1");
    let host = site.host();
    let text = format!(
        "unqualified-search-registries = [\"{host}/copy\"]\n\
         [aliases]\n\"app\" = \"{host}/copy/app\"\n\
         [[registry]]\nprefix = \"reg.example/team\"\nlocation = \"{host}/copy\"\ninsecure = true\n\
         [[registry]]\nprefix = \"bad.example\"\nblocked = true\n"
    );
    home_file(bed, ".config/containers/registries.conf", &text);
    let ran = bed.hull(&["pull", "-q", "reg.example/team/app:1"]);
    ran.fails(0).stdout_is("reg.example/team/app:1\n");
    let ran = bed.hull(&["pull", "-q", "bad.example/app:1"]);
    ran.fails(1)
        .one_error_line()
        .stderr_has("bad.example is blocked");
    home_file(
        bed,
        ".config/containers/registries.conf.d/x.conf",
        "[[registry]\n",
    );
    let ran = bed.hull(&["pull", "-q", "reg.example/team/app:1"]);
    ran.fails(1).one_error_line().stderr_has("x.conf: line 1");
    bed.hull(&["images", "-q"]).fails(0);
}

fn a_proxy_is_used_where_it_is_wanted(bed: &Bed) {
    let Some(authority) = Authority::new(bed) else {
        return;
    };
    let server = Scripted::start(|_| Reply::ok("{}"));
    let certificate = authority.issue("site", "DNS:reg.example", Dates::Now);
    let front = TlsFront::start(&certificate, server.address.port());
    let proxy = Proxy::start(&[("reg.example:443", front.port)]);
    let flag = format!(
        "--cert-dir={}",
        certificates(bed, "trusted", &authority).display()
    );
    let words = [
        "login",
        &flag,
        "-u",
        USER,
        "--password-stdin",
        "reg.example",
    ];
    let address = format!("http://me:pass%40word@127.0.0.1:{}", proxy.port);
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let mut command = bed.hull_command(&words);
        command.env(name, &address);
        run(command, b"x").fails(0);
    }
    let heads = proxy.heads();
    assert_eq!(heads.len(), 3, "{heads:?}");
    for head in &heads {
        assert!(head.starts_with("CONNECT reg.example:443 "), "{head}");
        // me:pass@word
        assert!(head.contains("Basic bWU6cGFzc0B3b3Jk"), "{head}");
    }
    for direct in ["reg.example", ".example", "reg.example:443", "*"] {
        let mut command = bed.hull_command(&words);
        command.env("HTTPS_PROXY", &address).env("NO_PROXY", direct);
        let ran = run(command, b"x");
        ran.fails(1).one_error_line();
        ran.expect(
            !ran.stderr.contains("word"),
            "the proxy's password is not shown",
        );
    }
    assert_eq!(proxy.heads().len(), 3, "NO_PROXY is obeyed");
}
