//! A32 to A35, A39, F66: registries, networks and helpers that want the user's login, or want
//! something else to be run than was named.

use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::bed::{Bed, Who, on_bed};
use crate::login::{credential_program, hull_with_programs};
use crate::process::{Ran, run, wait_until};
use crate::scripted::{Asked, Reply, Scripted};
use crate::sites::{Authority, Certificate, Dates, Proxy, TlsFront, USER, free_port};

root_and_user!(
    a32_a_login_goes_to_no_token_service_without_tls,
    a32_a_challenge_after_a_redirect_is_not_answered,
    a32_a_token_without_end_is_not_read,
    a32_twin_the_registrys_own_token_service_gets_the_login,
    a33_certificates_that_prove_nothing_are_refused,
    a33_old_tls_is_refused,
    a33_plain_http_gets_no_login,
    a34_a_login_is_for_its_own_host,
    a34_a_failing_helper_sends_nothing,
    a34_a_helper_is_named_and_not_a_path,
    a34_twin_a_working_helper_logs_in,
    a35_words_of_a_registry_stay_words,
    a39_a_short_name_is_of_docker_io,
    f66_a_proxy_that_is_down_is_named,
    f66_a_name_nobody_knows_is_named,
);

#[test]
fn f66_an_address_that_swallows_packets_is_given_up() {
    on_bed(Who::Root, black_hole);
}

/// What nobody may see: `canary:secret`.
const BASIC: &str = "Y2FuYXJ5OnNlY3JldA==";

/// Writes the login of the canary for `host`.
fn canary_for(bed: &Bed, host: &str) {
    let text = json!({"auths": {host: {"auth": BASIC}}}).to_string();
    logins(bed, &text);
}

fn logins(bed: &Bed, text: &str) {
    let dir = bed.dir.join("home/.docker");
    std::fs::create_dir_all(&dir).expect("directory");
    std::fs::write(dir.join("config.json"), text).expect("written");
    bed.give(&dir);
    bed.give(&dir.join("config.json"));
}

fn saw_login(server: &Scripted) -> bool {
    let shows = |asked: &Asked| {
        let mut headers = asked.headers.iter();
        asked.path.contains(BASIC) || headers.any(|(_, value)| value.contains(BASIC))
    };
    server.asked().iter().any(shows)
}

/// A scripted registry behind TLS, and the flag that makes it trusted.
struct Secure {
    server: Scripted,
    front: TlsFront,
    flag: String,
    certificate: Certificate,
}

impl Secure {
    fn start(
        bed: &Bed,
        script: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Option<Secure> {
        let authority = Authority::new(bed)?;
        let names = "IP:127.0.0.1,DNS:reg.example,DNS:registry-1.docker.io";
        let certificate = authority.issue("site", names, Dates::Now);
        let server = Scripted::start(script);
        let front = TlsFront::start(&certificate, server.address.port());
        let flag = trusting(bed, &authority);
        Some(Secure {
            certificate,
            server,
            front,
            flag,
        })
    }

    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.front.port)
    }

    fn pull(&self, bed: &Bed, name: &str) -> Ran {
        bed.hull(&["pull", "-q", &self.flag, name])
    }
}

fn trusting(bed: &Bed, authority: &Authority) -> String {
    let dir = bed.dir.join("work/trusted");
    std::fs::create_dir_all(&dir).expect("directory");
    std::fs::copy(authority.certificate(), dir.join("ca.crt")).expect("copied");
    format!("--cert-dir={}", dir.display())
}

fn challenge(realm: &str) -> Reply {
    let header = format!("WWW-Authenticate: Bearer realm=\"{realm}\",service=\"s\"");
    Reply::status("401 Unauthorized").header(header)
}

fn a32_a_login_goes_to_no_token_service_without_tls(bed: &Bed) {
    let thief = Scripted::start(|_| Reply::ok("{\"token\": \"x\"}"));
    let realm = format!("http://{}/token", thief.address);
    let away = format!("Location: http://{}/v2/", thief.address);
    let Some(secure) = Secure::start(bed, move |asked| match asked.path.contains("moved") {
        true => Reply::status("307 Temporary Redirect").header(away.clone()),
        false => challenge(&realm),
    }) else {
        return;
    };
    let host = secure.host();
    canary_for(bed, &host);
    for name in ["app", "moved"] {
        let ran = secure.pull(bed, &format!("{host}/{name}:1"));
        ran.fails(1).one_error_line().stderr_has("refused");
    }
    assert!(thief.asked().is_empty(), "{:?}", thief.asked());
    assert!(
        !saw_login(&secure.server),
        "the login is for the token service only"
    );
}

fn a32_a_challenge_after_a_redirect_is_not_answered(bed: &Bed) {
    let target = Arc::new(AtomicU16::new(0));
    let port = target.clone();
    let Some(secure) = Secure::start(bed, move |_| {
        let port = port.load(Ordering::Relaxed);
        let header = format!("Location: https://127.0.0.1:{port}/v2/");
        Reply::status("307 Temporary Redirect").header(header)
    }) else {
        return;
    };
    // Its certificate is believed; what it asks for is another's.
    let thief = Scripted::start(|asked| {
        let host = asked.header("host").unwrap_or_default();
        challenge(&format!("https://{host}/token"))
    });
    let front = TlsFront::start(&secure.certificate, thief.address.port());
    target.store(front.port, Ordering::Relaxed);
    canary_for(bed, &secure.host());
    secure
        .pull(bed, &format!("{}/app:1", secure.host()))
        .fails(1)
        .one_error_line();
    assert!(thief.count("/v2/") > 0, "the redirect is followed");
    assert_eq!(thief.count("/token"), 0);
    assert!(!saw_login(&thief));
}

fn a32_a_token_without_end_is_not_read(bed: &Bed) {
    let Some(secure) = Secure::start(bed, |asked| {
        let host = asked.header("host").unwrap_or_default();
        match asked.path.starts_with("/token") {
            true => Reply::ok(vec![b' '; 2 << 20]),
            false => challenge(&format!("https://{host}/token")),
        }
    }) else {
        return;
    };
    let ran = secure.pull(bed, &format!("{}/app:1", secure.host()));
    ran.fails(1)
        .one_error_line()
        .stderr_has("longer than 1 MiB");
}

fn a32_twin_the_registrys_own_token_service_gets_the_login(bed: &Bed) {
    let Some(secure) = Secure::start(bed, |asked| {
        let host = asked.header("host").unwrap_or_default();
        match asked.path.starts_with("/token") {
            true => Reply::ok("{\"token\": \"x\"}"),
            false => challenge(&format!("https://{host}/token")),
        }
    }) else {
        return;
    };
    canary_for(bed, &secure.host());
    secure
        .pull(bed, &format!("{}/app:1", secure.host()))
        .fails(1);
    let asked = secure.server.asked();
    let token = asked.iter().find(|asked| asked.path.starts_with("/token"));
    let token = token.expect("was asked for a token");
    let scope = "scope=repository%3Aapp%3Apull";
    assert!(
        token.path.contains(scope),
        "the scope is ours: {}",
        token.path
    );
    assert_eq!(
        token.header("authorization"),
        Some(&*format!("Basic {BASIC}"))
    );
}

fn a33_certificates_that_prove_nothing_are_refused(bed: &Bed) {
    let Some(authority) = Authority::new(bed) else {
        return;
    };
    let server = Scripted::start(|_| Reply::ok("{}"));
    let flag = trusting(bed, &authority);
    let bad: [(Certificate, &str); 3] = [
        (
            authority.self_signed("IP:127.0.0.1"),
            "invalid peer certificate",
        ),
        (
            authority.issue("old", "IP:127.0.0.1", Dates::Past),
            "expired",
        ),
        (
            authority.issue("other", "DNS:other.example", Dates::Now),
            "not valid for name",
        ),
    ];
    for (certificate, why) in bad {
        let front = TlsFront::start(&certificate, server.address.port());
        let host = format!("127.0.0.1:{}", front.port);
        canary_for(bed, &host);
        let ran = bed.hull(&["pull", "-q", &flag, &format!("{host}/app:1")]);
        ran.fails(1)
            .one_error_line()
            .stderr_has(why)
            .stderr_has("insecure-registries");
        assert!(server.asked().is_empty(), "{why}: {:?}", server.asked());
    }
    // The twin: the same with a certificate that is right.
    let good = authority.issue("good", "IP:127.0.0.1", Dates::Now);
    let front = TlsFront::start(&good, server.address.port());
    bed.hull(&[
        "pull",
        "-q",
        &flag,
        &format!("127.0.0.1:{}/app:1", front.port),
    ]);
    assert!(!server.asked().is_empty(), "it is asked then");
}

fn a33_old_tls_is_refused(bed: &Bed) {
    let Some(authority) = Authority::new(bed) else {
        return;
    };
    let certificate = authority.issue("site", "IP:127.0.0.1", Dates::Now);
    let flag = trusting(bed, &authority);
    for (version, code) in [("-tls1_1", 1), ("-tls1_2", 1)] {
        let port = free_port();
        let mut command = Command::new("/usr/bin/openssl");
        command.args([
            "s_server",
            "-quiet",
            "-www",
            version,
            "-cipher",
            "ALL:@SECLEVEL=0",
        ]);
        command.arg("-accept").arg(format!("127.0.0.1:{port}"));
        command
            .arg("-cert")
            .arg(&certificate.certificate)
            .arg("-key")
            .arg(&certificate.key);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut server = command.spawn().expect("starts");
        let listens = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        wait_until("openssl listens", listens);
        let ran = bed.hull(&["pull", "-q", &flag, &format!("127.0.0.1:{port}/app:1")]);
        // An error would mean that it has ended already.
        let _ = server.kill();
        let _ = server.wait();
        ran.fails(code).one_error_line();
        let refused = ran.stderr.contains("ProtocolVersion") || ran.stderr.contains("rotocol");
        // Its page is no manifest; but it is received.
        ran.expect(
            refused == (version == "-tls1_1"),
            "TLS 1.2 is the oldest that is spoken",
        );
    }
}

fn a33_plain_http_gets_no_login(bed: &Bed) {
    let server = Scripted::start(|_| challenge("https://127.0.0.1/token"));
    let host = server.address.to_string();
    canary_for(bed, &host);
    let ran = bed.hull(&["pull", "-q", &format!("{host}/app:1")]);
    ran.fails(1)
        .one_error_line()
        .stderr_has("plain HTTP")
        .stderr_has("insecure-registries");
    let words = ["login", "-u", USER, "--password-stdin", &host];
    bed.hull_with_input(&words, b"secret")
        .fails(1)
        .stderr_has("plain HTTP");
    let words = ["pull", "-q", "--tls-verify=true", &format!("{host}/app:1")];
    bed.hull(&words).fails(1).stderr_has("plain HTTP");
    assert!(server.asked().is_empty(), "{:?}", server.asked());
    // The twin: without a login, the loopback interface may; and with one, where the user says so.
    logins(bed, "{}");
    bed.hull(&["pull", "-q", &format!("{host}/app:1")]).fails(1);
    assert!(!server.asked().is_empty() && !saw_login(&server));
    let basic = Scripted::start(|asked| match asked.header("authorization") {
        Some(_) => Reply::status("404 Not Found"),
        None => Reply::status("401 Unauthorized").header("WWW-Authenticate: Basic realm=\"x\""),
    });
    let host = basic.address.to_string();
    canary_for(bed, &host);
    let settings = json!({"insecure-registries": ["127.0.0.0/8"]}).to_string();
    let mut command = bed.hull_command(&["pull", "-q", &format!("{host}/app:1")]);
    command.env(
        "HULL_CONFIG",
        bed.file("settings.json", settings.as_bytes()),
    );
    run(command, b"").fails(1);
    assert!(saw_login(&basic), "a listed host gets it");
}

fn a34_a_login_is_for_its_own_host(bed: &Bed) {
    let Some(secure) = Secure::start(bed, |_| {
        Reply::status("401 Unauthorized").header("WWW-Authenticate: Basic realm=\"x\"")
    }) else {
        return;
    };
    let host = secure.host();
    let name = format!("{host}/app:1");
    let port = secure.front.port.to_string();
    let shorter = &host[..host.len() - 1];
    for other in [
        "127.0.0.1",
        "127.0.0.1:443",
        &format!("{host}.evil.example"),
        &format!("user@{host}"),
        shorter,
        &format!("localhost:{port}"),
        &format!("{host}/other"),
        &format!("https://evil.example/{host}"),
    ] {
        canary_for(bed, other);
        secure
            .pull(bed, &name)
            .fails(1)
            .one_error_line()
            .stderr_has("denied");
        assert!(!saw_login(&secure.server), "a login for {other}");
    }
    for own in [
        host.clone(),
        format!("https://{host}/v1/"),
        format!("{host}/app"),
    ] {
        let before = secure.server.asked().len();
        canary_for(bed, &own);
        secure.pull(bed, &name).fails(1);
        let after = secure.server.asked().split_off(before);
        let sent = after
            .iter()
            .any(|asked| asked.header("authorization").is_some());
        assert!(sent, "the twin: a login for {own}");
    }
}

/// A registry that wants a login, and what was sent when the helper does `script`.
fn pull_with_helper(bed: &Bed, script: &str) -> Option<(Ran, Secure)> {
    let secure = Secure::start(bed, |_| {
        Reply::status("401 Unauthorized").header("WWW-Authenticate: Basic realm=\"x\"")
    })?;
    let dir = credential_program(bed, "canary", script);
    // What else is known must not be taken instead.
    let text = json!({"credsStore": "canary", "auths": {&secure.host(): {"auth": BASIC}}});
    logins(bed, &text.to_string());
    let name = format!("{}/app:1", secure.host());
    let ran = hull_with_programs(bed, &dir, &["pull", "-q", &secure.flag, &name], b"");
    Some((ran, secure))
}

fn a34_a_failing_helper_sends_nothing(bed: &Bed) {
    for (script, part) in [
        ("echo boom; exit 1\n", "boom"),
        ("exit 3\n", "3"),
        ("kill -9 $$\n", "9"),
        ("echo '{\"Username\": \"canary\"}'\n", "not a login"),
        ("echo canary:secret\n", "not a login"),
        ("printf '\\033[2J'; exit 1\n", "\\x1b[2J"),
    ] {
        let Some((ran, secure)) = pull_with_helper(bed, script) else {
            return;
        };
        ran.fails(1)
            .one_error_line()
            .stderr_has("docker-credential-canary")
            .stderr_has(part);
        ran.expect(!ran.stderr.contains("canary:secret"), "no secret is shown");
        assert!(!saw_login(&secure.server), "{script}");
        std::fs::remove_dir_all(bed.dir.join("authority")).expect("made again");
    }
}

fn a34_a_helper_is_named_and_not_a_path(bed: &Bed) {
    let dir = credential_program(bed, "canary", "touch ran\n");
    for name in ["../canary", "x/../canary", "canary; touch ran", "-canary"] {
        let text = json!({"credsStore": name}).to_string();
        logins(bed, &text);
        let words = ["login", "--get-login", "reg.example"];
        let ran = hull_with_programs(bed, &dir, &words, b"");
        ran.fails(1)
            .one_error_line()
            .stderr_has("not a name of a credential helper");
    }
    logins(bed, &json!({"credsStore": "nowhere"}).to_string());
    let ran = hull_with_programs(bed, &dir, &["login", "--get-login", "reg.example"], b"");
    ran.fails(1)
        .one_error_line()
        .stderr_has("docker-credential-nowhere is not in PATH");
    assert!(!dir.join("ran").exists());
}

fn a34_twin_a_working_helper_logs_in(bed: &Bed) {
    let script = "read -r server\necho '{\"Username\": \"canary\", \"Secret\": \"secret\"}'\n";
    let Some((ran, secure)) = pull_with_helper(bed, script) else {
        return;
    };
    ran.fails(1).stderr_has("denied");
    assert!(saw_login(&secure.server));
}

fn a35_words_of_a_registry_stay_words(bed: &Bed) {
    let Some(secure) = Secure::start(bed, |asked| {
        let mut words = b"\x1b]0;owned\x07\x1b[2J\rlogged in".to_vec();
        words.resize(3 << 20, b'x');
        let status = match asked.path.contains("manifests") {
            true => "403 Forbidden",
            false => "401 Unauthorized",
        };
        Reply {
            status,
            ..Reply::ok(words)
        }
    }) else {
        return;
    };
    let (flag, host) = (&secure.flag, secure.host());
    let login = ["login", flag, "-u", USER, "--password-stdin", &host];
    let name = format!("{host}/app:1");
    for ran in [secure.pull(bed, &name), bed.hull_with_input(&login, b"x")] {
        ran.fails(1)
            .one_error_line()
            .stderr_has("\\x1b]0;owned\\x07");
        let odd = |c: char| c.is_control() && c != '\n';
        ran.expect(!ran.stderr.contains(odd), "no control character");
        ran.expect(ran.stderr.len() < 2048, "a short line");
    }
}

fn a39_a_short_name_is_of_docker_io(bed: &Bed) {
    let Some(secure) = Secure::start(bed, |_| Reply::status("404 Not Found")) else {
        return;
    };
    let front = secure.front.port;
    let proxy = Proxy::start(&[
        ("registry-1.docker.io:443", front),
        ("squat.example:443", front),
    ]);
    // What a search list of the neighbours would make of it.
    let text = "unqualified-search-registries = [\"squat.example\"]\n\
                short-name-mode = \"disabled\"\n\
                [aliases]\n\"foo\" = \"squat.example/foo\"\n";
    let conf = bed.file("registries.conf", text.as_bytes());
    let mut command = bed.hull_command(&["pull", "-q", &secure.flag, "foo"]);
    command
        .env("HTTPS_PROXY", format!("http://127.0.0.1:{}", proxy.port))
        .env("CONTAINERS_REGISTRIES_CONF", conf);
    run(command, b"").fails(1).one_error_line();
    let heads = proxy.heads();
    let hub = |head: &String| head.starts_with("CONNECT registry-1.docker.io:443 ");
    assert!(!heads.is_empty() && heads.iter().all(hub), "{heads:?}");
    let asked = secure.server.asked();
    let whole = |asked: &Asked| asked.path == "/v2/library/foo/manifests/latest";
    assert!(!asked.is_empty() && asked.iter().all(whole), "{asked:?}");
}

fn f66_a_proxy_that_is_down_is_named(bed: &Bed) {
    let address = format!("http://me:secret@127.0.0.1:{}", free_port());
    let mut command = bed.hull_command(&["pull", "-q", "reg.example/app:1"]);
    command.env("HTTPS_PROXY", address);
    let ran = run(command, b"");
    ran.fails(1)
        .one_error_line()
        .stderr_has("reg.example")
        .stderr_has("proxy");
    ran.expect(!ran.stderr.contains("secret"), "its password is not shown");
}

fn f66_a_name_nobody_knows_is_named(bed: &Bed) {
    // RFC 6761: no resolver answers for it, and none has to be asked twice.
    let ran = bed.hull(&["pull", "-q", "nowhere.invalid/app:1"]);
    ran.fails(1).one_error_line().stderr_has("nowhere.invalid");
}

/// Connections to the port are neither taken nor refused: its queue is full.
fn full_listener() -> (TcpListener, Vec<OwnedFd>, u16) {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, listen, socket_with};
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("is bound");
    // Listening again makes the queue as short as it can be.
    listen(&listener, 0).expect("listens");
    let mut held = Vec::new();
    for _ in 0..8 {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let made = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None);
        let socket = made.expect("a socket");
        // It is under way, or waits for ever.
        let _ = connect(&socket, &address);
        held.push(socket);
    }
    (listener, held, address.port())
}

fn black_hole(bed: &Bed) {
    let (_listener, _held, port) = full_listener();
    let began = Instant::now();
    let ran = bed.hull(&["pull", "-q", &format!("127.0.0.1:{port}/app:1")]);
    ran.fails(1).one_error_line().stderr_has("timeout: connect");
    let took = began.elapsed();
    assert!(took < Duration::from_secs(40), "given up after {took:?}");
}
