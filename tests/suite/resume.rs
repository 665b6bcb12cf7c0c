//! pull through a registry and a network that fail, by a registry in memory.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::bed::Bed;
use crate::images::{Image, Tree, architecture, digest};
use crate::process::wait_until;
use crate::push::Held;
use crate::scripted::{Asked, Reply, Scripted};
use crate::shelf::ranged;

root_and_user!(
    f63_a_pull_through_resets_fetches_little_twice,
    f65_a_registry_that_gives_other_bytes_on_resuming_is_found_out,
    f68_a_killed_pull_is_continued_by_the_next,
    f68_what_a_killed_pull_left_is_not_believed,
    f68_two_pulls_of_one_blob_share_it,
    layers_of_every_kind_are_read,
    schema_1_is_refused,
    all_tags_policies_and_other_platforms,
);

/// An image of one layer of so many bytes that do not compress, in a registry.
fn noise(bytes: usize) -> Held {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let content: Vec<u8> = (0..bytes)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect();
    let layers = vec![Tree::default().file("noise", 0o644, &content).tar()];
    Held::of(Image {
        layers,
        ..Image::busybox("x")
    })
}

/// The only layer's bytes and digest.
fn layer_of(held: &Held) -> (Vec<u8>, String) {
    let blob = held.image.oci().blobs[1].clone();
    let digest = digest(&blob);
    (blob, digest)
}

/// The image's id, if the image is there and whole.
fn id_of(bed: &Bed, name: &str) -> String {
    bed.hull(&["image", "inspect", "-f", "{{.Id}}", name])
        .ok()
        .trim()
        .to_owned()
}

fn f63_a_pull_through_resets_fetches_little_twice(bed: &Bed) {
    let held = noise(4 << 20);
    let (blob, layer) = layer_of(&held);
    let length = blob.len();
    let ends = [length / 10, length / 2, length * 99 / 100];
    let turn = AtomicUsize::new(0);
    let sent = Arc::new(AtomicUsize::new(0));
    let (own, counted) = (blob.clone(), sent.clone());
    let (server, name) = held.serve(move |asked| {
        if !asked.path.ends_with(&layer) {
            return None;
        }
        let from = asked.range_start().unwrap_or(0);
        let turn = turn.fetch_add(1, Ordering::SeqCst);
        let end = ends.get(turn).copied().unwrap_or(length);
        counted.fetch_add(end - from, Ordering::SeqCst);
        Some(ranged(&own, asked).cut(end - from))
    });
    bed.hull(&["pull", "-q", &name]).ok();
    assert_eq!(id_of(bed, &name), digest(&held.image.config_blob()));
    let sent = sent.load(Ordering::SeqCst);
    assert!(sent <= length * 11 / 10, "{sent} of {length} bytes sent");
    assert!(server.lines().len() < 12, "{:?}", server.lines());
}

fn f65_a_registry_that_gives_other_bytes_on_resuming_is_found_out(bed: &Bed) {
    let held = noise(1 << 20);
    let (blob, layer) = layer_of(&held);
    let half = blob.len() / 2;
    let mut changed = blob.clone();
    changed[half + 9] ^= 1;
    type Resumed = fn(&[u8], &[u8], &Asked) -> Reply;
    let ways: [(&str, Resumed); 3] = [
        ("no ranges", |blob, _, _| Reply::ok(blob)),
        ("another range", |blob, _, _| {
            let (from, end) = (blob.len() / 4, blob.len() - 1);
            let range = format!("Content-Range: bytes {from}-{end}/{}", blob.len());
            Reply {
                status: "206 Partial Content",
                ..Reply::ok(&blob[from..])
            }
            .header(range)
        }),
        ("changed", |_, changed, asked| ranged(changed, asked)),
    ];
    for (way, resumed) in ways {
        let (first, own) = (AtomicBool::new(true), layer.clone());
        let (blob, changed) = (blob.clone(), changed.clone());
        let (_server, name) = held.serve(move |asked| {
            let is_layer = asked.path.ends_with(&own);
            match (is_layer, asked.range_start()) {
                (true, Some(_)) => Some(resumed(&blob, &changed, asked)),
                (true, None) if first.swap(false, Ordering::SeqCst) => {
                    Some(Reply::ok(&*blob).cut(half))
                }
                _ => None,
            }
        });
        let pulled = bed.hull(&["pull", "-q", &name]);
        pulled.expect(pulled.code == 0, way);
        let kept = bed
            .store()
            .join("blobs/sha256")
            .join(&layer["sha256:".len()..]);
        let kept = fs::read(kept).expect("is kept");
        assert_eq!(digest(&kept), layer, "{way}");
        bed.hull(&["rmi", &name]).ok();
    }
}

/// Pulls until half of the layer is on disk and nothing more comes, and kills that.
fn killed_half_way(bed: &Bed, held: &Held) -> (Scripted, String, PathBuf) {
    let (blob, layer) = layer_of(held);
    let half = blob.len() / 2;
    let (first, own) = (AtomicBool::new(true), layer.clone());
    let (server, name) = held.serve(move |asked| {
        let cut = asked.path.ends_with(&own) && first.swap(false, Ordering::SeqCst);
        cut.then(|| Reply::ok(&*blob).cut(half).stall(Duration::from_secs(600)))
    });
    let running = bed.start(&["pull", "-q", &name]);
    let partial = bed.store().join("partial").join(&layer["sha256:".len()..]);
    wait_until("half of the layer is there", || {
        fs::metadata(&partial).is_ok_and(|found| found.len() == half as u64)
    });
    running.signal(Signal::SIGKILL);
    running.finish();
    (server, name, partial)
}

fn ranges_of(server: &Scripted, layer: &str) -> Vec<Option<usize>> {
    let asked = server.asked();
    let asked = asked.iter().filter(|asked| asked.path.ends_with(layer));
    asked.map(Asked::range_start).collect()
}

fn f68_a_killed_pull_is_continued_by_the_next(bed: &Bed) {
    let held = noise(1 << 20);
    let (blob, layer) = layer_of(&held);
    let (server, name, _) = killed_half_way(bed, &held);
    assert_eq!(bed.hull(&["images", "-q", &name]).ok(), "");
    bed.hull(&["pull", "-q", &name]).ok();
    assert_eq!(ranges_of(&server, &layer), [None, Some(blob.len() / 2)]);
    assert_eq!(id_of(bed, &name), digest(&held.image.config_blob()));
}

fn f68_what_a_killed_pull_left_is_not_believed(bed: &Bed) {
    let held = noise(1 << 20);
    let (_, layer) = layer_of(&held);
    let (server, name, partial) = killed_half_way(bed, &held);
    let mut bytes = fs::read(&partial).expect("is there");
    bytes[1000] ^= 1;
    fs::write(&partial, bytes).expect("writable");
    bed.hull(&["pull", "-q", &name]).ok();
    let ranges = ranges_of(&server, &layer);
    assert_eq!(ranges.last(), Some(&None), "from the start: {ranges:?}");
    let kept = bed
        .store()
        .join("blobs/sha256")
        .join(&layer["sha256:".len()..]);
    assert_eq!(digest(&fs::read(kept).expect("is kept")), layer);
}

fn f68_two_pulls_of_one_blob_share_it(bed: &Bed) {
    let held = noise(1 << 20);
    let (blob, layer) = layer_of(&held);
    let (free, own) = (Arc::new(AtomicBool::new(false)), layer.clone());
    let wait = free.clone();
    let (server, name) = held.serve(move |asked| {
        if asked.path.ends_with(&own) {
            // Until both pulls are under way.
            for _ in 0..1000 {
                if wait.load(Ordering::SeqCst) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            return Some(ranged(&blob, asked));
        }
        None
    });
    let first = bed.start(&["pull", "-q", &name]);
    wait_until("the layer is asked for", || server.count(&layer) == 1);
    let second = bed.start(&["pull", "-q", &name]);
    let config = digest(&held.image.config_blob());
    wait_until("the second pull is as far", || server.count(&config) == 2);
    free.store(true, Ordering::SeqCst);
    first.finish().fails(0);
    second.finish().fails(0);
    assert_eq!(server.count(&layer), 1, "{:?}", server.lines());
}

/// Puts an image into the registry whose second layer is `blob`, which unpacks to `tar`; the first
/// is that of `busybox:test`, which every bed has.
fn put(held: &Held, tag: &str, family: &str, media_type: &str, blob: &[u8], tar: &[u8]) {
    let mut image = Image::busybox("x");
    image.layers.push(tar.to_vec());
    let config = image.config_blob();
    let base = image.oci().blobs[1].clone();
    let docker = family == "docker";
    let (manifest_type, config_type, base_type) = match docker {
        true => (
            "application/vnd.docker.distribution.manifest.v2+json",
            "application/vnd.docker.container.image.v1+json",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ),
        false => (
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.oci.image.layer.v1.tar+gzip",
        ),
    };
    let named = |media_type: &str, bytes: &[u8]| {
        let (digest, size) = (digest(bytes), bytes.len());
        json!({"mediaType": media_type, "digest": digest, "size": size})
    };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": manifest_type,
        "config": named(config_type, &config),
        "layers": [named(base_type, &base), named(media_type, blob)],
    });
    let mut content = held.shelf.content();
    for bytes in [&config[..], &base, blob] {
        let digest = digest(bytes);
        content.blobs.insert(digest.clone(), bytes.to_vec());
        content.held.insert(("team/base".to_owned(), digest));
    }
    let entry = (manifest_type.to_owned(), manifest.to_string().into_bytes());
    content.manifests.insert(format!("team/base:{tag}"), entry);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let level = flate2::Compression::fast();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

fn layers_of_every_kind_are_read(bed: &Bed) {
    let held = noise(1);
    let (server, _) = held.serve(|_| None);
    let tar = |kind: &str| Tree::default().file(kind, 0o644, kind.as_bytes()).tar();
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 3).expect("in memory");
    let oci = "application/vnd.oci.image.layer.v1";
    // One member or frame for each piece, as in eStargz and zstd:chunked, and what those add.
    let pieces = |tar: &[u8], pack: &dyn Fn(&[u8]) -> Vec<u8>| -> Vec<u8> {
        tar.chunks(512).flat_map(pack).collect()
    };
    let (plain, gz, zst) = (tar("plain"), tar("gzip"), tar("zstd"));
    put(&held, "plain", "oci", &format!("{oci}.tar"), &plain, &plain);
    put(
        &held,
        "gzip",
        "oci",
        &format!("{oci}.tar+gzip"),
        &gzip(&gz),
        &gz,
    );
    put(
        &held,
        "zstd",
        "oci",
        &format!("{oci}.tar+zstd"),
        &zstd(&zst),
        &zst,
    );
    let stargz = tar("stargz");
    let blob = pieces(&stargz, &gzip);
    put(
        &held,
        "stargz",
        "oci",
        &format!("{oci}.tar+gzip"),
        &blob,
        &stargz,
    );
    let chunked = tar("chunked");
    let mut blob = pieces(&chunked, &zstd);
    blob.extend(b"\x50\x2a\x4d\x18\x08\0\0\0contents");
    put(
        &held,
        "chunked",
        "oci",
        &format!("{oci}.tar+zstd"),
        &blob,
        &chunked,
    );
    let docker = tar("docker");
    let kind = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    put(&held, "docker", "docker", kind, &gzip(&docker), &docker);
    for kind in ["plain", "gzip", "zstd", "stargz", "chunked", "docker"] {
        comes_and_goes(bed, &held, &server, kind);
    }
}

/// The image with this tag is pulled, runs, and goes out again as it came.
fn comes_and_goes(bed: &Bed, held: &Held, server: &Scripted, kind: &str) {
    let image = format!("{}/team/base:{kind}", server.address);
    bed.hull(&["pull", "-q", &image]).ok();
    let path = format!("/{kind}");
    let run = ["run", "--rm", "--network", "none", &image, "cat", &path];
    bed.hull(&run).fails(0).stdout_is(kind);
    let manifest = held.shelf.content().manifests[&format!("team/base:{kind}")].clone();
    let copy = format!("{}/other/{kind}:1", server.address);
    bed.hull(&["push", "-q", &image, &copy]).ok();
    let pushed = held.shelf.content().manifests[&format!("other/{kind}:1")].clone();
    assert!(pushed == manifest, "{kind}: {pushed:?}");
}

fn schema_1_is_refused(bed: &Bed) {
    let held = noise(1);
    let (_server, name) = held.serve(|asked| {
        let old = json!({"schemaVersion": 1, "fsLayers": [], "history": [], "signatures": []});
        let kind = "Content-Type: application/vnd.docker.distribution.manifest.v1+prettyjws";
        let is_manifest = asked.path.contains("/manifests/");
        is_manifest.then(|| Reply::ok(old.to_string()).header(kind))
    });
    bed.hull(&["pull", "-q", &name])
        .fails(1)
        .one_error_line()
        .stderr_has("schema 1 is not supported");
}

fn all_tags_policies_and_other_platforms(bed: &Bed) {
    let held = noise(1);
    let (server, base) = held.serve(|_| None);
    let name = base.trim_end_matches(":1");
    {
        let mut content = held.shelf.content();
        let manifest = content.manifests["team/base:1"].clone();
        for tag in ["2", "3", "latest"] {
            let name = format!("team/base:{tag}");
            content.manifests.insert(name, manifest.clone());
        }
    }
    bed.hull(&["pull", "-a", &base])
        .fails(1)
        .stderr_has("tag can't be used with --all-tags/-a");
    let all = bed.hull(&["pull", "-a", name]);
    all.fails(0)
        .stdout_has("1: Pulling from team/base")
        .stdout_has("latest: Pulling from team/base");
    all.expect(all.stdout.ends_with(&format!("{name}\n")), "the name last");
    let tags = bed.hull(&["images", "--format", "{{.Tag}}", name]);
    let mut tags: Vec<&str> = tags.ok().lines().collect();
    tags.sort_unstable();
    assert_eq!(tags, ["1", "2", "3", "latest"]);

    // Policies: what is here is not asked for.
    let asked = server.asked().len();
    for policy in ["missing", "never"] {
        bed.hull(&["pull", "-q", "--policy", policy, &base])
            .fails(0)
            .stdout_is(&format!("{base}\n"));
    }
    let none = format!("{name}:none");
    bed.hull(&["pull", "-q", "--policy", "never", &none])
        .fails(1)
        .stderr_has("No such image");
    assert_eq!(server.asked().len(), asked, "{:?}", server.lines());
    bed.hull(&["pull", "--policy", "often", &base])
        .fails(1)
        .stderr_has("invalid pull policy: 'often'");
    let other = match architecture() {
        "amd64" => "arm64",
        _ => "amd64",
    };
    bed.hull(&["pull", "-q", "--arch", other, &base])
        .fails(1)
        .stderr_has(&format!("not for linux/{other}"));
    bed.hull(&[
        "pull",
        "-q",
        "--arch",
        architecture(),
        "--os",
        "linux",
        &base,
    ])
    .ok();
    drop(server);
}
