//! Uploads against a registry in memory that is made to fail.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::super::shelf::Shelf;
use super::super::{Begun, Upload};
use super::*;

/// Three times what goes with the closing request, so that there is a PATCH.
fn big() -> Vec<u8> {
    (0..3u32 << 20).map(|i| (i % 249) as u8).collect()
}

fn file_of(bytes: &[u8]) -> File {
    let name = format!(
        "hull-upload-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    );
    let path = std::env::temp_dir().join(name);
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .expect("opens");
    std::fs::remove_file(&path).expect("unnamed");
    file.write_all(bytes).expect("writes");
    file
}

fn send(server: &Scripted, bytes: &[u8]) -> Result<()> {
    let client = client(Credentials::default(), &[]);
    let repository = client.repository(&reference(server)).expect("not blocked");
    let upload = Upload {
        digest: &Digest::of(bytes),
        size: bytes.len() as u64,
        file: &file_of(bytes),
        report: &|_| {},
    };
    repository.upload(&upload, None)
}

/// A registry whose PATCHes are cut after the bytes that `cuts` says, one after the other; `keep`
/// is how many of those it keeps.
fn cutting(cuts: &'static [usize], keep: fn(usize) -> usize) -> (Scripted, Arc<Shelf>) {
    let shelf = Arc::new(Shelf::default());
    let (turn, own) = (AtomicUsize::new(0), shelf.clone());
    let appetite = move |asked: &Asked| match asked.method.as_str() {
        "PATCH" => {
            let turn = turn.fetch_add(1, Ordering::SeqCst);
            cuts.get(turn).copied().unwrap_or(usize::MAX)
        }
        _ => usize::MAX,
    };
    let server = Scripted::with_appetite(appetite, move |asked| {
        let length = asked.header("content-length").map(str::parse::<usize>);
        let whole = length.is_none_or(|length| length == Ok(asked.body.len()));
        let mut asked = asked.clone();
        if !whole {
            asked.body.truncate(keep(asked.body.len()));
        }
        own.answer(&asked)
    });
    (server, shelf)
}

fn sent_in_patches(server: &Scripted) -> usize {
    let asked = server.asked();
    let patches = asked.iter().filter(|asked| asked.method == "PATCH");
    patches.map(|asked| asked.body.len()).sum()
}

#[test]
fn a_small_blob_is_one_put_and_a_large_one_a_patch() {
    let (server, shelf) = cutting(&[], |all| all);
    send(&server, b"small").expect("sent");
    let digest = Digest::of(b"small");
    assert_eq!(
        server.lines(),
        [
            "POST /v2/team/app/blobs/uploads/".to_owned(),
            format!("PUT /v2/team/app/blobs/uploads/u1?s=1&digest={digest}"),
        ]
    );
    send(&server, &big()).expect("sent");
    let methods: Vec<String> = server.asked().into_iter().map(|a| a.method).collect();
    assert_eq!(methods[2..], ["POST", "PATCH", "PUT"]);
    let kept = &shelf.content().blobs[&Digest::of(&big()).to_string()];
    assert!(*kept == big());
}

#[test]
fn f63_an_interrupted_upload_continues_where_the_registry_is() {
    const TENTHS: &[usize] = &[300_000, 1_400_000, 1_400_000];
    let (server, shelf) = cutting(TENTHS, |all| all);
    send(&server, &big()).expect("completes");
    assert!(
        shelf
            .content()
            .blobs
            .contains_key(&Digest::of(&big()).to_string())
    );
    let sent = sent_in_patches(&server);
    assert!(sent <= big().len() * 11 / 10, "{sent} bytes sent");
    let posts = server
        .lines()
        .iter()
        .filter(|l| l.starts_with("POST"))
        .count();
    assert_eq!(posts, 1, "one session: {:?}", server.lines());
}

#[test]
fn f63_a_registry_that_keeps_nothing_of_an_interrupted_request_is_served_all_the_same() {
    let (server, shelf) = cutting(&[2_000_000, 2_000_000], |_| 0);
    send(&server, &big()).expect("completes");
    assert!(
        shelf
            .content()
            .blobs
            .contains_key(&Digest::of(&big()).to_string())
    );
}

#[test]
fn f63_an_upload_that_never_succeeds_is_given_up() {
    let server = Scripted::start(|asked| match asked.method.as_str() {
        "POST" => Reply::status("202 Accepted").header("Location: /v2/u"),
        _ => Reply::status("503 Service Unavailable"),
    });
    let error = send(&server, &big()).expect_err("gives up");
    assert_eq!(error.kind(), Kind::Registry, "{error}");
    assert!(error.to_string().contains("503"), "{error}");
    assert!(server.asked().len() < 40, "{}", server.asked().len());
}

/// A registry that falls silent in the first PATCH after so many bytes of it.
fn silent_after(bytes: usize) -> (Scripted, Arc<Shelf>) {
    let shelf = Arc::new(Shelf::default());
    let (own, first, seen) = (shelf.clone(), AtomicBool::new(true), AtomicBool::new(true));
    let appetite = move |asked: &Asked| {
        let is_first = asked.method == "PATCH" && first.swap(false, Ordering::SeqCst);
        if is_first { bytes } else { usize::MAX }
    };
    let server = Scripted::with_appetite(appetite, move |asked| {
        let reply = own.answer(asked);
        match asked.method == "PATCH" && seen.swap(false, Ordering::SeqCst) {
            true => reply.silent(Duration::from_secs(20)),
            false => reply,
        }
    });
    (server, shelf)
}

#[test]
fn f62_a_registry_that_takes_no_more_bytes_or_never_answers_is_noticed() {
    // More than the buffers of a loopback connection hold, so that the sender is stuck.
    let huge = big().repeat(8);
    for after in [1 << 20, usize::MAX] {
        let (server, shelf) = silent_after(after);
        let begin = std::time::Instant::now();
        send(&server, &huge).expect("completes");
        assert!(
            begin.elapsed() < Duration::from_secs(15),
            "{:?}",
            begin.elapsed()
        );
        let kept = &shelf.content().blobs[&Digest::of(&huge).to_string()];
        assert!(*kept == huge);
    }
}

#[test]
fn f64_a_busy_registry_is_sent_to_again() {
    let shelf = Arc::new(Shelf::default());
    let (own, turn) = (shelf.clone(), AtomicUsize::new(0));
    // Each kind of request is refused once.
    let server = Scripted::start(move |asked| match turn.fetch_add(1, Ordering::SeqCst) {
        0 | 4 => Reply::status("429 Too Many Requests").header("Retry-After: 0"),
        2 | 7 => Reply::status("503 Service Unavailable"),
        _ => own.answer(asked),
    });
    send(&server, &big()).expect("completes");
    assert!(
        shelf
            .content()
            .blobs
            .contains_key(&Digest::of(&big()).to_string())
    );
}

#[test]
fn f64_a_token_that_expires_during_an_upload_is_renewed() {
    let shelf = Arc::new(Shelf::default());
    let (own, served) = (shelf.clone(), AtomicUsize::new(0));
    let uses = AtomicUsize::new(0);
    let server = Scripted::start(move |asked| {
        if asked.path.starts_with("/token") {
            let number = served.fetch_add(1, Ordering::SeqCst);
            uses.store(0, Ordering::SeqCst);
            return Reply::ok(format!("{{\"token\":\"t{number}\"}}"));
        }
        let host = asked.header("host").unwrap_or_default();
        let current = format!("Bearer t{}", served.load(Ordering::SeqCst).wrapping_sub(1));
        let valid = asked.header("authorization") == Some(&current);
        // Each token is good for one request.
        match valid && uses.fetch_add(1, Ordering::SeqCst) == 0 {
            true => own.answer(asked),
            false => Reply::status("401 Unauthorized").header(format!(
                "WWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"s\""
            )),
        }
    });
    send(&server, &big()).expect("completes");
    let tokens = server.count("/token");
    assert_eq!(tokens, 3, "{:?}", server.lines());
    let scope = "scope=repository%3Ateam%2Fapp%3Apull%2Cpush";
    assert!(server.lines().iter().any(|line| line.ends_with(scope)));
}

#[test]
fn f67_a_session_that_is_lost_is_begun_anew() {
    let shelf = Arc::new(Shelf::default());
    let (own, first) = (shelf.clone(), AtomicBool::new(true));
    let server = Scripted::start(move |asked| {
        if asked.method == "PATCH" && first.swap(false, Ordering::SeqCst) {
            // As after a restart of a registry that keeps sessions in memory.
            own.content().uploads.clear();
        }
        own.answer(asked)
    });
    send(&server, &big()).expect("completes");
    let posts = server
        .lines()
        .iter()
        .filter(|l| l.starts_with("POST"))
        .count();
    assert_eq!(posts, 2);
}

#[test]
fn a36_an_upload_location_elsewhere_is_refused() {
    let elsewhere = Scripted::start(|_| Reply::status("202 Accepted"));
    let other = elsewhere.address;
    for location in [
        format!("http://{other}/v2/u"),
        format!("//{other}/v2/u"),
        "https://reg.example/v2/u".to_owned(),
        "ftp://127.0.0.1/u".to_owned(),
        String::new(),
    ] {
        let header = format!("Location: {location}");
        let server = Scripted::start(move |_| Reply::status("202 Accepted").header(header.clone()));
        let registry = server.address.to_string();
        let client = client(login(&registry), &[registry]);
        let repository = client.repository(&reference(&server)).expect("not blocked");
        let error = repository
            .begin_upload(&Digest::of(b"x"), None)
            .expect_err("refused");
        assert_eq!(server.asked().len(), 1, "{error}");
        assert!(error.to_string().contains("refused"), "{error}");
    }
    assert!(elsewhere.asked().is_empty(), "nothing is sent there");
}

#[test]
fn a36_a_location_of_the_same_registry_is_used() {
    let server = Scripted::start(|asked| {
        let host = asked.header("host").unwrap_or_default();
        match asked.method.as_str() {
            "POST" => Reply::status("202 Accepted").header(format!("Location: http://{host}/v2/u")),
            _ => Reply::status("201 Created"),
        }
    });
    send(&server, b"small").expect("sent");
    assert!(server.lines()[1].starts_with("PUT /v2/u?digest=sha256:"));
}

#[test]
fn a36_a_location_is_checked_after_each_piece() {
    let server = Scripted::start(|asked| match asked.method.as_str() {
        "POST" => Reply::status("202 Accepted").header("Location: /v2/u"),
        _ => Reply::status("202 Accepted").header("Location: https://reg.example/v2/u"),
    });
    let error = send(&server, &big()).expect_err("refused");
    assert!(error.to_string().contains("not of the registry"), "{error}");
}

#[test]
fn a36_a_registry_that_stored_something_else_is_told_of() {
    let other = Digest::of(b"other");
    let header = format!("Docker-Content-Digest: {other}");
    let server = Scripted::start(move |asked| match asked.method.as_str() {
        "POST" => Reply::status("202 Accepted").header("Location: /v2/u"),
        _ => Reply::status("201 Created").header(header.clone()),
    });
    let error = send(&server, b"small").expect_err("refused");
    assert!(error.to_string().contains("digest mismatch"), "{error}");
    let client = client(Credentials::default(), &[]);
    let repository = client.repository(&reference(&server)).expect("not blocked");
    let error = repository
        .put_manifest("1", "a/b", b"{}")
        .expect_err("refused");
    assert!(error.to_string().contains("digest mismatch"), "{error}");
}

#[test]
fn a36_an_upload_is_never_redirected() {
    let elsewhere = Scripted::start(|_| Reply::status("201 Created"));
    let header = format!("Location: http://{}/x", elsewhere.address);
    let server =
        Scripted::start(move |_| Reply::status("307 Temporary Redirect").header(header.clone()));
    assert!(send(&server, b"small").is_err());
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn a_blob_is_mounted_where_the_registry_can_and_sent_where_not() {
    let shelf = Arc::new(Shelf::default());
    let digest = Digest::of(b"x");
    {
        let mut content = shelf.content();
        content.blobs.insert(digest.to_string(), b"x".to_vec());
        let held = ("team/base".to_owned(), digest.to_string());
        content.held.insert(held);
    }
    let own = shelf.clone();
    let server = Scripted::start(move |asked| own.answer(asked));
    let client = client(Credentials::default(), &[]);
    let repository = client.repository(&reference(&server)).expect("not blocked");
    assert!(!repository.has_blob(&digest, 1).expect("asked"));
    let begin = |from| repository.begin_upload(&digest, Some(from)).expect("asked");
    assert!(matches!(begin("team/none"), Begun::Session(_)));
    assert!(matches!(begin("team/base"), Begun::Mounted));
    assert!(repository.has_blob(&digest, 1).expect("asked"));
    assert!(
        !repository.has_blob(&digest, 2).expect("asked"),
        "another length"
    );
}

#[test]
fn a_registry_may_take_its_time_to_keep_a_blob() {
    let shelf = Shelf::default();
    let server = Scripted::start(move |asked| {
        if asked.method == "PUT" {
            // Longer than a transfer may stand still.
            std::thread::sleep(Duration::from_millis(1500));
        }
        shelf.answer(asked)
    });
    send(&server, b"small").expect("sent");
    let puts = server.asked().into_iter().filter(|a| a.method == "PUT");
    assert_eq!(puts.count(), 1, "sent once");
}

#[test]
fn f64_a_session_that_is_refused_is_asked_for_six_times() {
    let server = Scripted::start(|_| Reply::status("503 Service Unavailable"));
    assert!(send(&server, b"small").is_err());
    assert_eq!(server.asked().len(), 6);
}

#[test]
fn a_registry_that_tells_nothing_of_its_blobs_is_sent_them() {
    let server = Scripted::start(|_| Reply::status("405 Method Not Allowed"));
    let client = client(Credentials::default(), &[]);
    let repository = client.repository(&reference(&server)).expect("not blocked");
    let found = repository.has_blob(&Digest::of(b"x"), 1);
    assert!(!found.expect("goes on"));
}

#[test]
fn a36_a_range_beyond_all_numbers_is_no_progress() {
    let server = Scripted::start(|asked| match asked.method.as_str() {
        "POST" => Reply::status("202 Accepted").header("Location: /v2/team/app/blobs/uploads/1"),
        _ => Reply::status("202 Accepted")
            .header("Location: /v2/team/app/blobs/uploads/1")
            .header(format!("Range: 0-{}", u64::MAX)),
    });
    let error = send(&server, &big()).expect_err("refused");
    assert!(error.to_string().contains("bytes kept"), "{error}");
}
