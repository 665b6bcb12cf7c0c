//! Images through their whole life, in a store of their own: pulled from a scripted registry,
//! loaded from made archives, named, found and removed.

mod archives;
pub mod fixture;

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicUsize, Ordering};

use self::fixture::{Made, Scratch, gzip, tar_of};
use super::progress::Silent;
use super::*;
use crate::base::{Digest, Reference};
use crate::config::RegistrySettings;
use crate::error::{Kind, Result};
use crate::registry::scripted::{Asked, Reply, Scripted};
use crate::registry::{Client, Credentials};
use crate::store::Store;

fn client() -> Client {
    Client::new(&RegistrySettings::default(), Credentials::default())
}

/// Removes one word's image to the end.
fn remove(
    store: &Store,
    word: &str,
    force: Force,
    users: impl Fn() -> Result<Vec<InUse>>,
) -> Result<Removal> {
    let mut remover = Remover::new(store, users()?)?;
    remover.take(word, force)?;
    let removed = remover.finish(users)?;
    let only = removed.images.into_iter().next();
    Ok(only.expect("something was taken").1)
}

fn pull_from(scratch: &Scratch, server: &Scripted, tag: &str) -> Result<Pulled> {
    let reference = format!("{}/app{tag}", server.address);
    let reference: Reference = reference.parse().expect("reference");
    let request = PullRequest {
        reference: &reference,
        platform: None,
        concurrency: 3,
    };
    pull(&scratch.store, &client(), &request, &Silent)
}

/// Serves an image's documents and blobs; `twist` may answer first.
fn registry(
    made: &Made,
    twist: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static,
) -> Scripted {
    let made = made.clone();
    Scripted::start(move |asked| {
        if let Some(reply) = twist(asked) {
            return reply;
        }
        let name = asked.path.rsplit('/').next().unwrap_or_default();
        if name == "1" {
            let header = "Content-Type: application/vnd.oci.image.index.v1+json";
            return Reply::ok(made.index.clone()).header(header);
        }
        let digest: Option<Digest> = name.parse().ok();
        match digest.and_then(|digest| made.blobs.get(&digest)) {
            Some(bytes) => fixture::ranged(bytes, asked),
            None => Reply::status("404 Not Found"),
        }
    })
}

#[test]
fn a_pulled_image_is_found_listed_and_current() {
    let scratch = Scratch::new();
    let made = Made::new(&[&[("a", "1")], &[("b", "2")]]);
    let server = registry(&made, |_| None);
    let pulled = pull_from(&scratch, &server, ":1").expect("pulls");
    assert_eq!((pulled.id, pulled.is_new), (made.config, true));
    assert_eq!(pulled.digest, Digest::of(&made.index));

    let name = format!("{}/app:1", server.address);
    let image = find(&scratch.store, &name).expect("found");
    assert_eq!((image.id, image.diff_ids.len()), (made.config, 2));
    assert_eq!(
        image.config.config.cmd.as_deref(),
        Some(&["/a".to_owned()][..])
    );
    let layers = scratch.store.layers_for(&image.diff_ids).expect("unpacked");
    assert_eq!(fs::read(layers[1].path.join("b")).expect("file"), b"2");
    for layer in &made.layers {
        let kept = scratch.store.open_blob(layer).expect("store");
        assert!(kept.is_some(), "compressed blobs are kept");
    }
    let listing = list(&scratch.store, Detail::Names).expect("lists");
    assert_eq!((listing.images.len(), listing.broken.len()), (1, 0));

    let before = server.count("blobs");
    let again = pull_from(&scratch, &server, ":1").expect("pulls");
    assert!(!again.is_new);
    assert_eq!(server.count("blobs"), before, "nothing is fetched twice");
}

#[test]
fn a22_content_that_is_not_the_configs_is_refused_before_publishing() {
    let scratch = Scratch::new();
    let made = Made::with_diff_id(&[&[("a", "1")]], Digest::of(b"other"));
    let server = registry(&made, |_| None);
    let error = pull_from(&scratch, &server, ":1").expect_err("refused");
    assert_eq!(error.kind(), Kind::Corrupt, "{error}");
    scratch.assert_empty();
}

#[test]
fn a25_a_changed_blob_is_fetched_once_more_and_then_refused() {
    let scratch = Scratch::new();
    let made = Made::new(&[&[("a", "1")]]);
    let layer = made.layers[0];
    let mut bad = made.blobs[&layer].clone();
    let last = bad.len() - 20;
    bad[last] ^= 1;
    let path = layer.to_string();
    let always = bad.clone();
    let server = registry(&made, move |asked| {
        asked
            .path
            .ends_with(&path)
            .then(|| Reply::ok(always.clone()))
    });
    let error = pull_from(&scratch, &server, ":1").expect_err("refused");
    assert!(error.to_string().contains("digest"), "{error}");
    assert_eq!(server.count(&layer.to_string()), 2);
    scratch.assert_empty();

    // Damage on the way, once: the second attempt is clean.
    let turn = AtomicUsize::new(0);
    let path = layer.to_string();
    let server = registry(&made, move |asked| {
        let first = asked.path.ends_with(&path) && turn.fetch_add(1, Ordering::SeqCst) == 0;
        first.then(|| Reply::ok(bad.clone()))
    });
    pull_from(&scratch, &server, ":1").expect("pulls");
}

#[test]
fn a26_tag_and_digest_together_mean_the_digest() {
    let scratch = Scratch::new();
    let made = Made::new(&[&[("a", "1")]]);
    let server = registry(&made, |_| None);
    let manifest = made.manifest;
    pull_from(&scratch, &server, &format!(":other@{manifest}")).expect("pulls");
    assert_eq!(server.count("/other"), 0);
    let wrong = Digest::of(b"x");
    assert!(pull_from(&scratch, &server, &format!(":1@{wrong}")).is_err());
}

#[test]
fn a29_indexes_are_followed_two_deep_and_no_further() {
    let made = Made::new(&[&[("a", "1")]]);
    let wrap = |inner: &[u8]| {
        let (digest, size) = (Digest::of(inner), inner.len());
        let platform = Platform::host();
        serde_json::json!({"schemaVersion": 2, "manifests": [
            {"digest": digest, "size": size, "platform": platform}]})
        .to_string()
        .into_bytes()
    };
    for (depth, works) in [(1, true), (2, true), (3, false)] {
        let scratch = Scratch::new();
        let mut nested = made.clone();
        nested.index = wrap(&made.blobs[&made.manifest]);
        for _ in 1..depth {
            let inner = nested.index.clone();
            nested.index = wrap(&inner);
            nested.blobs.insert(Digest::of(&inner), inner);
        }
        let server = registry(&nested, |_| None);
        let pulled = pull_from(&scratch, &server, ":1");
        assert_eq!(pulled.is_ok(), works, "{depth}: {pulled:?}");
        if !works {
            scratch.assert_empty();
        }
    }
}

#[test]
fn a30_addresses_in_descriptors_are_never_asked() {
    let scratch = Scratch::new();
    let mut made = Made::new(&[&[("a", "1")]]);
    let elsewhere = Scripted::start(|_| Reply::ok("x"));
    let manifest = String::from_utf8(made.blobs[&made.manifest].clone()).expect("text");
    let urls = format!("\"urls\":[\"http://{}/x\"],\"digest\"", elsewhere.address);
    let manifest = manifest.replace("\"digest\"", &urls).into_bytes();
    let digest = Digest::of(&manifest);
    made.blobs.insert(digest, manifest);
    let server = registry(&made, |_| None);
    pull_from(&scratch, &server, &format!("@{digest}")).expect("pulls");
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn f63_a_failed_pull_is_continued_by_the_next() {
    let scratch = Scratch::new();
    let noise: String = (0..40_000u32)
        .map(|i| char::from(b'a' + (i * i % 23) as u8))
        .collect();
    let made = Made::new(&[&[("a", &noise)]]);
    let layer = made.layers[0].to_string();
    let bytes = made.blobs[&made.layers[0]].clone();
    let turn = AtomicUsize::new(0);
    let half = bytes.len() / 2;
    let path = layer.clone();
    let server = registry(&made, move |asked| {
        if !asked.path.ends_with(&path) {
            return None;
        }
        match turn.fetch_add(1, Ordering::SeqCst) {
            0 => Some(Reply::ok(bytes.clone()).cut(half)),
            1 => Some(Reply::status("403 Forbidden")),
            _ => None,
        }
    });
    let error = pull_from(&scratch, &server, ":1").expect_err("stops at 403");
    assert_eq!(error.kind(), Kind::Registry, "{error}");
    pull_from(&scratch, &server, ":1").expect("continues");
    let asked = server.asked();
    let starts: Vec<_> = asked
        .iter()
        .filter(|asked| asked.path.ends_with(&layer))
        .map(Asked::range_start)
        .collect();
    assert_eq!(starts, [None, Some(half), Some(half)]);
}

#[test]
fn a_docker_archive_loads_with_all_its_names() {
    let scratch = Scratch::new();
    let made = Made::new(&[&[("a", "1")], &[("b", "2")]]);
    let archive = made.docker_archive(&["one:1", "two:2"]);
    for bytes in [archive.clone(), gzip(&archive)] {
        let path = scratch.write("x.tar", &bytes);
        let loaded = load_path(&scratch.store, &path, None, &Silent).expect("loads");
        assert_eq!(loaded[0].id, made.config);
        assert_eq!(loaded[0].named.len(), 2);
        assert_eq!(
            find(&scratch.store, "two:2").expect("found").id,
            made.config
        );
    }
}

#[test]
fn a38_a_name_that_moves_is_told_and_the_old_image_is_kept() {
    let scratch = Scratch::new();
    let load = |made: &Made| {
        let path = scratch.write("x.tar", &made.docker_archive(&["one:1"]));
        load_path(&scratch.store, &path, None, &Silent).expect("loads")
    };
    let (old, new) = (Made::new(&[&[("a", "1")]]), Made::new(&[&[("a", "2")]]));
    load(&old);
    let loaded = load(&new);
    assert_eq!(loaded[0].named[0].replaced, Some(old.config));
    let listing = list(&scratch.store, Detail::Names).expect("lists");
    let unnamed: Vec<_> = listing
        .images
        .iter()
        .filter(|i| i.names.is_empty())
        .collect();
    assert_eq!(unnamed.len(), 1);
    assert_eq!(unnamed[0].id, old.config);
    // A new name takes it out of that state.
    tag(
        &scratch.store,
        &old.config.to_string(),
        &["back:1".parse().expect("name")],
    )
    .expect("tags");
    let listing = list(&scratch.store, Detail::Names).expect("lists");
    assert!(listing.images.iter().all(|i| i.names.len() == 1));
}

#[test]
fn a19_names_in_archives_never_leave_them() {
    let scratch = Scratch::new();
    let canary = scratch.write("canary.tar", &tar_of(&[("x", "y")]));
    let made = Made::new(&[&[("x", "y")]]);
    let config = &made.blobs[&made.config];
    for name in ["../canary.tar", &canary.display().to_string(), "../../x"] {
        let manifest = format!(r#"[{{"Config":"c","RepoTags":["a:1"],"Layers":["{name}"]}}]"#);
        let members = [("manifest.json", manifest.as_bytes()), ("c", config)];
        let path = scratch.write("x.tar", &fixture::archive(&members));
        let error = load_path(&scratch.store, &path, None, &Silent).expect_err(name);
        assert!(
            error.to_string().contains("missing in the archive"),
            "{error}"
        );
        scratch.assert_empty();
    }
}

#[test]
fn a19_a_layer_that_is_a_link_is_refused() {
    let scratch = Scratch::new();
    let made = Made::new(&[&[("x", "y")]]);
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    let mut builder = tar::Builder::new(Vec::new());
    builder
        .append_link(&mut header, "l.tar", "/etc/passwd")
        .expect("link");
    let manifest = r#"[{"Config":"c","RepoTags":["a:1"],"Layers":["l.tar"]}]"#;
    fixture::append(&mut builder, "manifest.json", manifest.as_bytes());
    fixture::append(&mut builder, "c", &made.blobs[&made.config]);
    let path = scratch.write("x.tar", &builder.into_inner().expect("archive"));
    let error = load_path(&scratch.store, &path, None, &Silent).expect_err("refused");
    assert!(error.to_string().contains("not a regular file"), "{error}");
    scratch.assert_empty();
}

#[test]
fn damaged_archives_are_refused_in_one_line_and_change_nothing() {
    let scratch = Scratch::new();
    let made = Made::new(&[&[("a", "1")]]);
    let good = made.docker_archive(&["one:1"]);
    let flipped = {
        let mut bytes = good.clone();
        let at = bytes
            .windows(7)
            .position(|w| w == b"\"layers")
            .expect("config")
            + 2;
        bytes[at] = b'X';
        bytes
    };
    let zipped = gzip(&good);
    let table: [(&str, Vec<u8>, &str); 6] = [
        ("empty", Vec::new(), "empty"),
        ("text", b"hello".repeat(1000), "archive"),
        ("cut", good[..good.len() / 2].to_vec(), "archive"),
        ("cut gzip", zipped[..zipped.len() / 2].to_vec(), "archive"),
        ("config", flipped, "digest"),
        ("rootfs", tar_of(&[("bin", "x")]), "not an image archive"),
    ];
    for (what, bytes, word) in table {
        let path = scratch.write("x.tar", &bytes);
        let error = load_path(&scratch.store, &path, None, &Silent).expect_err(what);
        let text = error.to_string();
        assert!(
            text.contains(word) && !text.contains('\n'),
            "{what}: {text}"
        );
        scratch.assert_empty();
    }
    let missing = scratch.path("nothing.tar");
    let error = load_path(&scratch.store, &missing, None, &Silent).expect_err("missing");
    assert_eq!(error.kind(), Kind::NotFound);
}

#[test]
fn an_oci_layout_loads_from_a_directory_and_from_a_pipe() {
    let scratch = Scratch::new();
    let made = Made::new(&[&[("a", "1")], &[("b", "2")]]);
    let directory = scratch.path("layout");
    made.write_layout(&directory, "team/app:7");
    let loaded = load_path(&scratch.store, &directory, None, &Silent).expect("loads");
    assert_eq!(loaded[0].id, made.config);
    let image = find(&scratch.store, "team/app:7").expect("found");
    assert_eq!(
        image.manifest, made.manifest,
        "the manifest is kept as it is"
    );

    let other = Scratch::new();
    let members = made.layout_members("team/app:7");
    let members: Vec<_> = members.iter().map(|(n, b)| (n.as_str(), &b[..])).collect();
    let bytes = fixture::archive(&members);
    let (reader, mut writer) = std::io::pipe().expect("pipe");
    let writing = std::thread::spawn(move || writer.write_all(&bytes));
    let input = fs::File::from(std::os::fd::OwnedFd::from(reader));
    let loaded = load_stream(&other.store, input, None, &Silent).expect("loads");
    writing.join().expect("thread").expect("written");
    assert_eq!(loaded[0].id, made.config);
}

#[test]
fn a19_links_inside_a_layout_directory_are_not_followed() {
    let scratch = Scratch::new();
    let made = Made::new(&[&[("a", "1")]]);
    let directory = scratch.path("layout");
    made.write_layout(&directory, "app:1");
    let blobs = directory.join("blobs");
    let refused = |target: &std::path::Path| {
        symlink(target, &blobs).expect("symlink");
        let path = &directory;
        load_path(&scratch.store, path, None, &Silent).expect_err("refused");
        scratch.assert_empty();
        fs::remove_file(&blobs).expect("remove");
    };
    // Out of the layout, and to a place in it.
    fs::rename(&blobs, scratch.path("elsewhere")).expect("rename");
    refused(&scratch.path("elsewhere"));
    fs::rename(scratch.path("elsewhere"), directory.join("inside")).expect("rename");
    refused(std::path::Path::new("inside"));
}

#[test]
fn import_makes_an_image_of_a_tar() {
    let scratch = Scratch::new();
    let tar = tar_of(&[("etc/x", "y")]);
    let request = ImportRequest {
        source: "-",
        name: Some("mine:1".parse().expect("name")),
        changes: &["CMD [\"/x\"]".to_owned(), "ENV A=1".to_owned()],
        message: None,
        platform: None,
    };
    let (id, _) = import(&scratch.store, &gzip(&tar)[..], &request).expect("imports");
    let image = find(&scratch.store, "mine:1").expect("found");
    assert_eq!((image.id, image.diff_ids[0].0), (id, Digest::of(&tar)));
    assert_eq!(image.config.config.env, ["A=1"]);
    let comment = image.config.history[0].comment.as_deref();
    assert_eq!(comment, Some("Imported from -"));
    let manifest = scratch.store.read_blob(&image.manifest, 1 << 20);
    let manifest = manifest.expect("store").expect("is kept");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("is JSON");
    assert_eq!(manifest["layers"][0]["size"], tar.len());

    let nameless = ImportRequest {
        name: None,
        ..request
    };
    let (id, _) = import(&scratch.store, &tar_of(&[("z", "z")])[..], &nameless).expect("imports");
    assert_eq!(find(&scratch.store, &id.to_string()).expect("kept").id, id);
}

#[test]
fn images_are_found_by_prefix_and_missing_ones_are_named() {
    let scratch = Scratch::new();
    let id = ensure_hello(&scratch.store, b"program").expect("made");
    assert_eq!(find(&scratch.store, HELLO).expect("found").id, id);
    for name in [
        "hull/hello",
        &id.to_string(),
        &id.hex()[..12],
        &id.hex()[..1],
    ] {
        assert_eq!(find(&scratch.store, name).expect(name).id, id);
    }
    let error = find(&scratch.store, "nosuch").expect_err("missing");
    assert_eq!(error.to_string(), "No such image: nosuch:latest");
    let same: Vec<_> = (0..40u8)
        .map(|n| {
            let text = format!("{n}");
            let tar = tar_of(&[("f", &text)]);
            let request = ImportRequest {
                source: "-",
                name: None,
                changes: &[],
                message: None,
                platform: None,
            };
            import(&scratch.store, &tar[..], &request)
                .expect("imports")
                .0
                .hex()
        })
        .collect();
    let first = same.iter().map(|hex| &hex[..1]);
    let twice = first
        .clone()
        .find(|c| first.clone().filter(|d| d == c).count() > 1);
    let error = find(&scratch.store, twice.expect("40 of 16")).expect_err("ambiguous");
    assert!(error.to_string().contains("multiple IDs found"), "{error}");
}

#[test]
fn the_embedded_image_has_one_digest() {
    let (first, second) = (Scratch::new(), Scratch::new());
    let id = ensure_hello(&first.store, b"program").expect("made");
    assert_eq!(ensure_hello(&first.store, b"program").expect("found"), id);
    assert_eq!(ensure_hello(&second.store, b"program").expect("made"), id);
    assert_ne!(ensure_hello(&second.store, b"other").expect("made"), id);
}

#[test]
fn rmi_untags_first_and_deletes_with_the_last_name() {
    let scratch = Scratch::new();
    let store = &scratch.store;
    let id = ensure_hello(store, b"program").expect("made");
    tag(store, HELLO, &["other:1".parse().expect("name")]).expect("tags");
    let removal = remove(store, "other:1", Force::No, || Ok(vec![])).expect("untags");
    assert_eq!((removal.untagged.len(), removal.deleted.len()), (1, 0));
    assert_eq!(removal.untagged[0], "other:1");

    tag(store, HELLO, &["other:1".parse().expect("name")]).expect("tags");
    let error = remove(store, &id.hex(), Force::No, || Ok(vec![])).expect_err("two repositories");
    assert!(
        error
            .to_string()
            .contains("(must be forced) - image is referenced in multiple")
    );
    let removal = remove(store, &id.hex(), Force::Yes, || Ok(vec![])).expect("removes");
    assert_eq!(removal.untagged, ["hull/hello:latest", "other:1"]);
    assert_eq!(removal.deleted[0], id.to_string());
    scratch.assert_empty();
    let error = remove(store, "x", Force::No, || Ok(vec![])).expect_err("missing");
    assert_eq!(error.to_string(), "No such image: x:latest");
}

#[test]
fn rmi_spares_what_containers_use() {
    let scratch = Scratch::new();
    let store = &scratch.store;
    let id = ensure_hello(store, b"program").expect("made");
    let image = find(store, HELLO).expect("found");
    let user = |running| InUse {
        image: id,
        manifest: image.manifest,
        container: "0123456789ab".to_owned(),
        running,
    };
    let error = remove(store, HELLO, Force::No, || Ok(vec![user(false)])).expect_err("used");
    let expected = format!(
        "conflict: unable to remove repository reference \"hull/hello:latest\" (must force) - \
         container 0123456789ab is using its referenced image {}",
        id.short()
    );
    assert_eq!(error.to_string(), expected);
    let error = remove(store, &id.hex(), Force::Yes, || Ok(vec![user(true)])).expect_err("running");
    assert!(error.to_string().contains("(cannot be forced)"), "{error}");
    let removal = remove(store, HELLO, Force::Yes, || Ok(vec![user(false)])).expect("untags");
    assert!(removal.deleted.is_empty());
    assert!(
        store.layers_for(&image.diff_ids).is_ok(),
        "the container keeps its layers"
    );
}

fn load_as(scratch: &Scratch, made: &Made, name: &str) {
    let path = scratch.write("x.tar", &made.docker_archive(&[name]));
    load_path(&scratch.store, &path, None, &Silent).expect("loads");
}

#[test]
fn a38_a_name_that_moves_while_it_is_removed_stays() {
    let scratch = Scratch::new();
    let store = &scratch.store;
    let (old, new) = (Made::new(&[&[("a", "1")]]), Made::new(&[&[("a", "2")]]));
    load_as(&scratch, &old, "one:1");
    let mut remover = Remover::new(store, vec![]).expect("reads names");
    load_as(&scratch, &new, "one:1");
    let error = remover.take("one:1", Force::Yes).expect_err("has moved");
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    remover.finish(|| Ok(vec![])).expect("collects");
    assert_eq!(find(store, "one:1").expect("found").id, new.config);
}

#[test]
fn a38_prune_spares_what_gets_a_name_meanwhile() {
    let (old, new) = (Made::new(&[&[("a", "1")]]), Made::new(&[&[("a", "2")]]));
    for (which, name, kept) in [
        (Unused::Dangling, "back:1", &old),
        (Unused::All, "one:1", &old),
    ] {
        let scratch = Scratch::new();
        let store = &scratch.store;
        load_as(&scratch, &old, "one:1");
        load_as(&scratch, &new, "one:1");
        let id = old.config.to_string();
        // The users are asked for after the images are listed, and again at the end.
        let turn = AtomicUsize::new(0);
        let users = || {
            if turn.fetch_add(1, Ordering::SeqCst) == 0 {
                tag(store, &id, &[name.parse().expect("name")]).expect("tags");
            }
            Ok(vec![])
        };
        let pruned = prune(store, which, |_| true, users).expect("prunes");
        assert!(pruned.failed.is_empty(), "{:?}", pruned.failed);
        assert_eq!(find(store, name).expect("is kept").id, kept.config);
        store
            .layers_for(&find(store, name).expect("is kept").diff_ids)
            .expect("whole");
    }
}

/// A registry of the distribution project, filled by skopeo; killed with the value.
struct RealRegistry(std::process::Child, u16);

impl RealRegistry {
    fn start(scratch: &Scratch) -> Option<Self> {
        let free = std::net::TcpListener::bind("127.0.0.1:0").ok()?;
        let port = free.local_addr().ok()?.port();
        drop(free);
        let config = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: \"127.0.0.1:{port}\"}}\n",
            scratch.path("registry").display()
        );
        let config = scratch.write("registry.yml", config.as_bytes());
        let quiet = std::process::Stdio::null;
        let child = std::process::Command::new("docker-registry")
            .arg("serve")
            .arg(config)
            .stdout(quiet())
            .stderr(quiet())
            .spawn()
            .ok()?;
        let registry = RealRegistry(child, port);
        for _ in 0..100 {
            if std::net::TcpStream::connect(("127.0.0.1".parse::<std::net::Ipv4Addr>().ok()?, port))
                .is_ok()
            {
                return Some(registry);
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        None
    }
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_real_registry_is_pulled_from() {
    let scratch = Scratch::new();
    let Some(registry) = RealRegistry::start(&scratch) else {
        skip("docker-registry is not installed");
        return;
    };
    let made = Made::new(&[&[("a", "1")], &[("b", "2")], &[("c", "3")]]);
    let layout = scratch.path("layout");
    made.write_layout(&layout, "1");
    let target = format!("docker://127.0.0.1:{}/team/app:1", registry.1);
    let copied = std::process::Command::new("skopeo")
        .args([
            "copy",
            "--quiet",
            "--insecure-policy",
            "--dest-tls-verify=false",
        ])
        .arg(format!("oci:{}:1", layout.display()))
        .arg(target)
        .output();
    let Ok(copied) = copied else {
        skip("skopeo is not installed");
        return;
    };
    assert!(
        copied.status.success(),
        "{}",
        String::from_utf8_lossy(&copied.stderr)
    );
    let reference = format!("127.0.0.1:{}/team/app:1", registry.1);
    let reference: Reference = reference.parse().expect("reference");
    let request = PullRequest {
        reference: &reference,
        platform: None,
        concurrency: 3,
    };
    let pulled = pull(&scratch.store, &client(), &request, &Silent).expect("pulls");
    assert_eq!((pulled.id, pulled.digest), (made.config, made.manifest));
    let missing = reference.with_tag("no").expect("tag");
    let request = PullRequest {
        reference: &missing,
        ..request
    };
    let error = pull(&scratch.store, &client(), &request, &Silent).expect_err("missing");
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
}

/// A test that cannot run here says so.
fn skip(reason: &str) {
    // Nothing is lost if the notice is.
    let _ = writeln!(std::io::stderr(), "SKIP {reason}");
}
