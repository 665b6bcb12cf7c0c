//! Attacks and faults against the client, by a scripted registry.

mod upload;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::retry::Pace;
use super::scripted::{Asked, Reply, Scripted};
use super::shelf::ranged;
use super::*;
use crate::base::{Digest, Reference};
use crate::config::RegistrySettings;
use crate::error::{Kind, Result};

/// A client that does not wait.
fn client(credentials: Credentials, insecure: &[String]) -> Client {
    let settings = RegistrySettings {
        insecure: insecure.to_vec(),
        ..RegistrySettings::default()
    };
    let pace = Pace {
        connect: Duration::from_secs(2),
        progress: Duration::from_secs(1),
        backoff: Duration::from_millis(1),
        ..Pace::default()
    };
    Client::with_pace(&settings, credentials, pace)
}

fn reference(server: &Scripted) -> Reference {
    format!("{}/team/app:1", server.address)
        .parse()
        .expect("reference")
}

fn repository_at<'a>(client: &'a Client, server: &Scripted) -> Repository<'a> {
    client.repository(&reference(server)).expect("not blocked")
}

fn manifest(server: &Scripted) -> Result<Document> {
    let client = client(Credentials::default(), &[]);
    repository_at(&client, server).manifest("1", None)
}

fn download(server: &Scripted, digest: &Digest, size: u64) -> Result<Vec<u8>> {
    let client = client(Credentials::default(), &[]);
    let repository = repository_at(&client, server);
    let mut blob = repository.blob(digest, size, 0);
    let mut all = Vec::new();
    let mut buffer = [0; 1000];
    loop {
        match blob.read_some(&mut buffer)? {
            0 => return Ok(all),
            count => all.extend_from_slice(&buffer[..count]),
        }
    }
}

fn sample() -> (Vec<u8>, Digest) {
    let bytes: Vec<u8> = (0..100_000u32).map(|i| (i % 251) as u8).collect();
    let digest = Digest::of(&bytes);
    (bytes, digest)
}

#[test]
fn a_manifest_is_read_with_its_type_and_digest() {
    let server = Scripted::start(|_| Reply::ok("{}").header("Content-Type: a/b; charset=x"));
    let document = manifest(&server).expect("received");
    assert_eq!(document.bytes, b"{}");
    assert_eq!(document.media_type.as_deref(), Some("a/b"));
    assert_eq!(document.digest, Digest::of(b"{}"));
    assert_eq!(server.asked()[0].path, "/v2/team/app/manifests/1");
}

#[test]
fn a26_the_digest_over_received_bytes_rules() {
    let claimed = Digest::of(b"good");
    let header = format!("Docker-Content-Digest: {claimed}");
    let server = Scripted::start(move |_| Reply::ok("evil").header(header.clone()));
    let client = client(Credentials::default(), &[]);
    let repository = repository_at(&client, &server);
    let error = repository
        .manifest("1", Some(&claimed))
        .expect_err("refused");
    assert!(error.to_string().contains("digest mismatch"), "{error}");
    assert!(repository.manifest("1", Some(&Digest::of(b"evil"))).is_ok());
}

#[test]
fn a29_a_manifest_over_4_mib_is_refused() {
    let server = Scripted::start(|_| Reply::ok(vec![b' '; (4 << 20) + 1]));
    assert!(
        manifest(&server)
            .expect_err("refused")
            .to_string()
            .contains("4 MiB")
    );
    let server = Scripted::start(|_| Reply::ok(vec![b' '; 4 << 20]));
    assert!(manifest(&server).is_ok());
}

#[test]
fn a35_error_bodies_are_shown_escaped_and_short() {
    let server = Scripted::start(|_| {
        let mut body = b"\x1b[2J\r".to_vec();
        body.resize(3 << 20, b'x');
        Reply {
            status: "403 Forbidden",
            ..Reply::ok(body)
        }
    });
    let text = manifest(&server).expect_err("refused").to_string();
    assert!(
        text.contains("\\x1b[2J\\x0d") && text.len() < 2000,
        "{}",
        text.len()
    );
    assert_eq!(server.count("manifests"), 1, "403 is not tried again");
}

#[test]
fn a25_a_blob_longer_than_its_size_is_refused() {
    let (bytes, digest) = sample();
    let size = bytes.len() as u64;
    let longer = [&bytes[..], b"x"].concat();
    let announced = longer.clone();
    let server = Scripted::start(move |_| Reply::ok(announced.clone()));
    assert_eq!(
        download(&server, &digest, size)
            .expect_err("refused")
            .kind(),
        Kind::Corrupt
    );

    // Without a length, and without an end.
    let mut chunked = format!("{:x}\r\n", longer.len()).into_bytes();
    chunked.extend(&longer);
    chunked.extend(b"\r\n");
    let server =
        Scripted::start(move |_| Reply::ok(chunked.clone()).header("Transfer-Encoding: chunked"));
    let error = download(&server, &digest, size).expect_err("refused");
    assert!(error.to_string().contains("longer than"), "{error}");
}

#[test]
fn f63_an_interrupted_blob_continues_where_it_stopped() {
    let (bytes, digest) = sample();
    let (whole, size) = (bytes.clone(), bytes.len() as u64);
    let turn = AtomicUsize::new(0);
    let server = Scripted::start(move |asked| {
        let reply = ranged(&whole, asked);
        match turn.fetch_add(1, Ordering::SeqCst) {
            0 => reply.cut(10_000),
            1 => Reply::status("503 Service Unavailable"),
            2 => reply.cut(40_000),
            3 => reply.cut(49_000),
            _ => reply,
        }
    });
    assert_eq!(download(&server, &digest, size).expect("completes"), bytes);
    let starts: Vec<_> = server.asked().iter().map(Asked::range_start).collect();
    assert_eq!(
        starts,
        [None, Some(10_000), Some(10_000), Some(50_000), Some(99_000)]
    );
}

#[test]
fn f63_a_server_that_never_delivers_is_given_up() {
    let (bytes, digest) = sample();
    let (whole, size) = (bytes.clone(), bytes.len() as u64);
    let server = Scripted::start(move |asked| ranged(&whole, asked).cut(0));
    let error = download(&server, &digest, size).expect_err("gives up");
    assert_eq!(error.kind(), Kind::Registry, "{error}");
    assert_eq!(server.count("blobs"), 6);
}

#[test]
fn f62_a_stalled_transfer_continues_on_a_new_connection() {
    let (bytes, digest) = sample();
    let (whole, size) = (bytes.clone(), bytes.len() as u64);
    let turn = AtomicUsize::new(0);
    let server = Scripted::start(move |asked| {
        let reply = ranged(&whole, asked);
        match turn.fetch_add(1, Ordering::SeqCst) {
            0 => reply.cut(20_000).stall(Duration::from_secs(20)),
            _ => reply,
        }
    });
    let begin = std::time::Instant::now();
    assert_eq!(download(&server, &digest, size).expect("completes"), bytes);
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(server.asked()[1].range_start(), Some(20_000));
}

#[test]
fn f65_a_server_without_ranges_still_gives_the_right_bytes() {
    let (bytes, digest) = sample();
    let (whole, size) = (bytes.clone(), bytes.len() as u64);
    let turn = AtomicUsize::new(0);
    let server = Scripted::start(move |_| match turn.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::ok(whole.clone()).cut(30_000),
        _ => Reply::ok(whole.clone()),
    });
    assert_eq!(download(&server, &digest, size).expect("completes"), bytes);
}

#[test]
fn f65_a_wrong_partial_answer_is_detected() {
    let (bytes, digest) = sample();
    let (whole, size) = (bytes.clone(), bytes.len() as u64);
    let server = Scripted::start(move |asked| match asked.range_start() {
        None if asked.header("range").is_none() => Reply::ok(whole.clone()).cut(30_000),
        _ => Reply {
            status: "206 Partial Content",
            ..Reply::ok(&whole[60_000..])
        }
        .header("Content-Range: bytes 60000-99999/100000"),
    });
    // The whole is asked for again, and cut again: never are bytes of another place handed out.
    assert!(download(&server, &digest, size).is_err());
    let ranges = server
        .asked()
        .iter()
        .filter(|a| a.range_start().is_some())
        .count();
    assert_eq!(ranges, 1, "after one wrong answer no range is asked for");
}

#[test]
fn f64_missing_blobs_are_not_asked_for_again() {
    let server = Scripted::start(|_| Reply::status("404 Not Found"));
    let error = download(&server, &Digest::of(b"x"), 1).expect_err("missing");
    assert_eq!(error.kind(), Kind::NotFound);
    assert_eq!(server.count("blobs"), 1);
}

#[test]
fn f64_a_busy_registry_is_asked_again() {
    let turn = AtomicUsize::new(0);
    let server = Scripted::start(move |_| match turn.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Reply::status("429 Too Many Requests"),
        _ => Reply::ok("{}"),
    });
    assert!(manifest(&server).is_ok());
    assert_eq!(server.count("manifests"), 3);
}

fn login(registry: &str) -> Credentials {
    let mut credentials = Credentials::default();
    let (user, password) = ("canary".to_owned(), "secret".to_owned());
    credentials.insert(registry, Credential { user, password });
    credentials
}

#[test]
fn a31_credentials_stay_with_their_host() {
    let (bytes, digest) = sample();
    let size = bytes.len() as u64;
    let storage = Scripted::start(move |_| Reply::ok(bytes.clone()));
    let target = format!("Location: http://{}/storage", storage.address);
    let server = Scripted::start(move |asked| match asked.header("authorization") {
        Some(_) => Reply::status("307 Temporary Redirect").header(target.clone()),
        None => Reply::status("401 Unauthorized").header("WWW-Authenticate: Basic realm=\"x\""),
    });
    let registry = server.address.to_string();
    let client = client(login(&registry), &[registry]);
    let repository = repository_at(&client, &server);
    let mut blob = repository.blob(&digest, size, 0);
    assert!(blob.read_some(&mut [0; 10]).expect("redirected") > 0);
    assert!(
        server
            .asked()
            .iter()
            .any(|asked| asked.header("authorization").is_some())
    );
    let stored = storage.asked();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].header("authorization"), None);
}

#[test]
fn a31_redirect_loops_end_after_five_hops() {
    let server = Scripted::start(|asked| {
        let target = format!("Location: {}x", asked.path);
        Reply::status("302 Found").header(target)
    });
    let error = manifest(&server).expect_err("refused");
    assert!(
        error.to_string().contains("more than 5 redirects"),
        "{error}"
    );
    assert_eq!(server.asked().len(), 6);
}

#[test]
fn a33_a_login_is_never_sent_over_plain_http_unasked() {
    let server = Scripted::start(|_| Reply::ok("{}"));
    let registry = server.address.to_string();
    let client = client(login(&registry), &[]);
    assert!(repository_at(&client, &server).manifest("1", None).is_err());
    assert!(server.asked().is_empty(), "nothing was sent in plain text");
}

#[test]
fn tokens_are_fetched_for_our_own_scope_and_renewed_once() {
    let served = AtomicUsize::new(0);
    let server = Scripted::start(move |asked| {
        let host = asked.header("host").unwrap_or_default();
        if asked.path.starts_with("/token") {
            let number = served.fetch_add(1, Ordering::SeqCst);
            return Reply::ok(format!("{{\"token\":\"t{number}\"}}"));
        }
        match asked.header("authorization") {
            // The first token is expired already.
            Some("Bearer t1") => Reply::ok("{}"),
            _ => Reply::status("401 Unauthorized").header(format!(
                "WWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"s\",\
                 scope=\"repository:other/secret:push\""
            )),
        }
    });
    let client = client(Credentials::default(), &[]);
    let repository = repository_at(&client, &server);
    assert!(
        repository.manifest("1", None).is_err(),
        "one renewal per request"
    );
    assert!(repository.manifest("1", None).is_ok());
    assert!(repository.manifest("1", None).is_ok());
    let asked = server.asked();
    let tokens: Vec<_> = asked
        .iter()
        .filter(|a| a.path.starts_with("/token"))
        .collect();
    assert_eq!(tokens.len(), 2, "the second token is kept");
    let expected = "/token?service=s&scope=repository%3Ateam%2Fapp%3Apull";
    assert!(tokens.iter().all(|a| a.path == expected), "{tokens:?}");
}

#[test]
fn a32_a_token_realm_elsewhere_over_plain_http_is_refused() {
    let server = Scripted::start(|_| {
        Reply::status("401 Unauthorized")
            .header("WWW-Authenticate: Bearer realm=\"http://auth.example/token\"")
    });
    let error = manifest(&server).expect_err("refused");
    assert!(error.to_string().contains("not HTTPS"), "{error}");
}

#[test]
fn tags_are_read_page_by_page() {
    let shelf = shelf::Shelf::default();
    for tag in ["1", "2", "3", "4", "latest"] {
        let name = format!("team/app:{tag}");
        let manifest = ("a/b".to_owned(), b"{}".to_vec());
        shelf.content().manifests.insert(name, manifest);
    }
    let server = Scripted::start(move |asked| shelf.answer(asked));
    let client = client(Credentials::default(), &[]);
    let repository = client.repository(&reference(&server)).expect("not blocked");
    let tags = repository.tags().expect("listed");
    assert_eq!(tags, ["1", "2", "3", "4", "latest"]);
    assert_eq!(server.count("tags/list"), 3);
}

#[test]
fn a31_a_next_page_elsewhere_is_refused() {
    let elsewhere = Scripted::start(|_| Reply::ok(r#"{"tags":["evil"]}"#));
    let link = format!("Link: <http://{}/v2/x>; rel=\"next\"", elsewhere.address);
    let server = Scripted::start(move |_| Reply::ok(r#"{"tags":["1"]}"#).header(link.clone()));
    let client = client(Credentials::default(), &[]);
    let repository = client.repository(&reference(&server)).expect("not blocked");
    let error = repository.tags().expect_err("refused");
    assert!(error.to_string().contains("not of the registry"), "{error}");
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn a31_a_page_of_where_a_redirect_led_is_refused() {
    let elsewhere =
        Scripted::start(|_| Reply::ok(r#"{"tags":["1"]}"#).header("Link: </page2>; rel=\"next\""));
    let to = format!("Location: http://{}/v2/x", elsewhere.address);
    let server =
        Scripted::start(move |_| Reply::status("307 Temporary Redirect").header(to.clone()));
    let client = client(Credentials::default(), &[]);
    let repository = client.repository(&reference(&server)).expect("not blocked");
    let error = repository.tags().expect_err("refused");
    assert!(error.to_string().contains("not of the registry"), "{error}");
    assert_eq!(elsewhere.count("page2"), 0);
}

#[test]
fn a_mirror_is_not_waited_for_and_the_registry_is() {
    let mirror = Scripted::start(|_| Reply::status("503 Service Unavailable"));
    let server = Scripted::start(|_| Reply::status("503 Service Unavailable"));
    let client = client(Credentials::default(), &[]).retrying(Some(3), None);
    let mut repository = repository_at(&client, &server);
    let other = repository_at(&client, &mirror).endpoints;
    repository.endpoints.splice(0..0, other);
    assert!(repository.manifest("1", None).is_err());
    assert_eq!(
        (mirror.count("manifests"), server.count("manifests")),
        (2, 4)
    );
    let blob = repository.blob_of_origin(&Digest::of(b""), 1, 0);
    assert_eq!(
        blob.endpoint, 1,
        "wrong bytes of a mirror are not asked for again"
    );
}

#[test]
fn a31_pages_of_tags_without_an_end_are_given_up() {
    let server = Scripted::start(|_| {
        let tags = vec!["\"t\""; 20_000].join(",");
        let body = format!("{{\"tags\":[{tags}]}}");
        Reply::ok(body).header("Link: </v2/team/app/tags/list?last=t>; rel=\"next\"")
    });
    let client = client(Credentials::default(), &[]);
    let repository = client.repository(&reference(&server)).expect("not blocked");
    let error = repository.tags().expect_err("refused");
    assert!(error.to_string().contains("more than 100000"), "{error}");
}

#[test]
fn the_number_of_attempts_is_the_users() {
    for (retries, expected) in [(0, 1), (2, 3)] {
        let server = Scripted::start(|_| Reply::status("503 Service Unavailable"));
        let client = client(Credentials::default(), &[]);
        let client = client.retrying(Some(retries), None);
        let repository = client.repository(&reference(&server)).expect("not blocked");
        assert!(repository.manifest("1", None).is_err());
        assert_eq!(server.count("manifests"), expected);
    }
}

#[test]
fn f63_a_manifest_that_is_cut_short_is_asked_for_again() {
    let turn = AtomicUsize::new(0);
    let server = Scripted::start(move |_| match turn.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::ok("{\"a\": 1}").cut(4),
        1 => Reply::ok("{\"a\": 1}")
            .cut(4)
            .stall(Duration::from_secs(10)),
        _ => Reply::ok("{\"a\": 1}"),
    });
    let document = manifest(&server).expect("received");
    assert_eq!(document.bytes, b"{\"a\": 1}");
    assert_eq!(server.count("manifests"), 3);
}

#[test]
fn f62_a_registry_that_says_nothing_is_asked_again() {
    let turn = AtomicUsize::new(0);
    let server = Scripted::start(move |_| match turn.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::ok("{}").silent(Duration::from_secs(10)),
        _ => Reply::ok("{}"),
    });
    assert!(manifest(&server).is_ok());
    assert_eq!(server.count("manifests"), 2);
}

#[test]
fn f64_a_token_that_expires_during_a_blob_is_renewed() {
    let (bytes, digest) = sample();
    let (whole, size) = (bytes.clone(), bytes.len() as u64);
    let (served, cut) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let server = Scripted::start(move |asked| {
        let host = asked.header("host").unwrap_or_default();
        if asked.path.starts_with("/token") {
            let number = served.fetch_add(1, Ordering::SeqCst);
            return Reply::ok(format!("{{\"token\":\"t{number}\"}}"));
        }
        let turn = cut.load(Ordering::SeqCst);
        let current = format!("Bearer t{turn}");
        if asked.header("authorization") != Some(&current) {
            return Reply::status("401 Unauthorized").header(format!(
                "WWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"s\""
            ));
        }
        // Each token is good for a third.
        cut.fetch_add(1, Ordering::SeqCst);
        let reply = ranged(&whole, asked);
        if turn < 2 { reply.cut(40_000) } else { reply }
    });
    assert_eq!(download(&server, &digest, size).expect("completes"), bytes);
    assert_eq!(server.count("/token"), 3);
}
