//! push, against a registry on this machine and against one in memory that fails on purpose.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::bed::{Bed, Who, skip};
use crate::images::{Image, Tree, digest};
use crate::process::{run, wait_until};
use crate::registry::Registry;
use crate::scripted::{Asked, Reply, Scripted};
use crate::shelf::Shelf;

each_who!(
    a_committed_image_goes_to_a_registry_and_comes_back,
    a_pulled_image_pushed_again_has_the_same_digest,
);

#[test]
fn docker_and_hull_read_what_the_other_pushed() {
    crate::bed::on_bed(Who::Root, docker_reads_and_writes);
}

root_and_user!(
    the_same_image_gives_the_same_digest_each_time,
    other_tools_read_what_was_pushed_and_the_other_way_round,
    all_tags_formats_and_the_digest_file,
    quiet_prints_the_name_alone,
    wrong_words_are_refused_before_anything_is_sent,
    f67_a_push_that_is_killed_at_any_request_leaves_the_tag_whole,
    f64_a_push_to_a_busy_registry_waits_and_ends,
    f63_an_interrupted_push_to_a_real_registry_completes,
    f67_a_refused_push_leaves_the_tag_and_says_why,
);

/// The base image in the registry, pulled; its name.
fn pulled_base(bed: &Bed, registry: &Registry) -> String {
    let name = registry.push(&Image::busybox("x"), "team/base:1");
    bed.hull(&["pull", "-q", &name]).ok();
    name
}

/// The digest in `tag: digest: sha256:… size: N`.
fn digest_in(stdout: &str) -> String {
    let line = stdout.lines().last().unwrap_or_default();
    let digest = line.split(' ').find(|word| word.starts_with("sha256:"));
    digest.unwrap_or_else(|| panic!("{stdout}")).to_owned()
}

fn a_committed_image_goes_to_a_registry_and_comes_back(bed: &Bed) {
    let Some(registry) = Registry::start(bed) else {
        return;
    };
    let base = pulled_base(bed, &registry);
    let run = ["run", "--name", "box", "--network", "none", &base];
    bed.hull(&[&run[..], &["sh", "-c", "echo made >/made"]].concat())
        .ok();
    let name = registry.name("team/app:1");
    bed.hull(&["commit", "box", &name]).ok();
    let pushed = bed.hull(&["push", &name]);
    let heading = format!(
        "The push refers to repository [{}]",
        registry.name("team/app")
    );
    pushed
        .fails(0)
        .stdout_has(&heading)
        .stdout_has(": Pushed")
        .stdout_has(": Mounted from team/base");
    let sent = digest_in(&pushed.stdout);
    assert_eq!(registry.digest("team/app", "1"), sent);
    let digests = bed.inspect(&name, "{{json .RepoDigests}}");
    assert!(digests.contains(&sent), "{digests}");

    let again = bed.hull(&["push", &name]);
    again.fails(0).stdout_has(": Layer already exists");
    again.expect(!again.stdout.contains("Pushed"), "nothing is sent twice");
    assert_eq!(digest_in(&again.stdout), sent);

    bed.hull(&["pull", &name])
        .fails(0)
        .stdout_has("Image is up to date");
    bed.hull(&["rm", "box"]).ok();
    bed.hull(&["rmi", &name, &base]).ok();
    bed.hull(&["pull", &name]).fails(0).stdout_has(&sent);
    let out = bed.hull(&["run", "--rm", "--network", "none", &name, "cat", "/made"]);
    out.fails(0).stdout_is("made\n");
}

fn a_pulled_image_pushed_again_has_the_same_digest(bed: &Bed) {
    let Some(registry) = Registry::start(bed) else {
        return;
    };
    let base = pulled_base(bed, &registry);
    let copy = registry.name("other/copy:2");
    bed.hull(&["tag", &base, &copy]).ok();
    let pushed = bed.hull(&["push", &copy]);
    pushed.fails(0).stdout_has("2: digest: sha256:");
    let expected = registry.digest("team/base", "1");
    assert_eq!(digest_in(&pushed.stdout), expected);
    assert_eq!(registry.digest("other/copy", "2"), expected);
    // And by podman's second word, to a third name.
    let third = format!("docker://{}", registry.name("third/copy:3"));
    bed.hull(&["push", &base, &third]).ok();
    assert_eq!(registry.digest("third/copy", "3"), expected);
}

fn the_same_image_gives_the_same_digest_each_time(bed: &Bed) {
    let Some(registry) = Registry::start(bed) else {
        return;
    };
    let base = pulled_base(bed, &registry);
    let run = ["run", "--name", "box", "--network", "none", &base];
    bed.hull(&[&run[..], &["sh", "-c", "echo made >/made"]].concat())
        .ok();
    bed.hull(&["commit", "box", "made:1"]).ok();
    let push = |name: &str, flags: &[&str]| {
        let name = registry.name(name);
        bed.hull(&[&["push"], flags, &["made:1", &name]].concat())
            .ok()
            .to_owned()
    };
    let first = push("a/one:1", &[]);
    assert_eq!(digest_in(&push("b/two:1", &[])), digest_in(&first));
    let zstd = push("c/three:1", &["--compression-format", "zstd"]);
    assert_ne!(digest_in(&zstd), digest_in(&first));
    bed.hull(&["rm", "box"]).ok();
    bed.hull(&["rmi", "made:1"]).ok();
    // zstd layers are layers like others.
    let name = registry.name("c/three:1");
    let out = bed.hull(&["run", "--rm", "--network", "none", &name, "cat", "/made"]);
    out.fails(0).stdout_is("made\n");
}

/// A foreign tool, by the bed's own user, with directories of its own.
fn tool(bed: &Bed, program: &str, words: &[&str]) -> crate::process::Ran {
    let mut command = bed.command(Path::new(program));
    command.args(words);
    run(command, b"")
}

fn other_tools_read_what_was_pushed_and_the_other_way_round(bed: &Bed) {
    let Some(registry) = Registry::start(bed) else {
        return;
    };
    let base = pulled_base(bed, &registry);
    let run = ["run", "--name", "box", "--network", "none", &base];
    bed.hull(&[&run[..], &["sh", "-c", "echo made >/made"]].concat())
        .ok();
    let name = registry.name("team/app:1");
    bed.hull(&["commit", "box", &name]).ok();
    let sent = digest_in(bed.hull(&["push", &name]).ok());

    let source = format!("docker://{name}");
    let copied = format!("docker://{}", registry.name("skopeo/app:1"));
    let plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];
    let copy = ["copy", "-q", "--insecure-policy", "--preserve-digests"];
    tool(
        bed,
        "/usr/bin/skopeo",
        &[&copy[..], &plain, &[&source, &copied]].concat(),
    )
    .ok();
    assert_eq!(registry.digest("skopeo/app", "1"), sent);
    let theirs = registry.name("skopeo/app:1");
    let pulled = bed.hull(&["pull", &theirs]);
    pulled.fails(0).stdout_has(&sent);

    if !Path::new("/usr/bin/podman").exists() {
        return skip("no /usr/bin/podman");
    }
    if bed.who != Who::Root {
        return;
    }
    let (root, run_root) = (bed.dir.join("podman"), bed.dir.join("podman-run"));
    let (root, run_root) = (root.to_string_lossy(), run_root.to_string_lossy());
    let podman = |words: &[&str]| {
        let own = [
            "--root",
            &root,
            "--runroot",
            &run_root,
            "--storage-driver",
            "vfs",
        ];
        tool(bed, "/usr/bin/podman", &[&own, words].concat())
    };
    podman(&["pull", "-q", "--tls-verify=false", &name]).ok();
    let digest = podman(&["image", "inspect", "-f", "{{.Digest}}", &name]);
    digest.fails(0).stdout_is(&format!("{sent}\n"));
    // What podman pushes is pulled and runs.
    let by_podman = registry.name("podman/app:1");
    podman(&["push", "-q", "--tls-verify=false", &name, &by_podman]).ok();
    let out = bed.hull(&[
        "run",
        "--rm",
        "--network",
        "none",
        &by_podman,
        "cat",
        "/made",
    ]);
    out.fails(0).stdout_is("made\n");
    podman(&["rmi", "-f", &name]).ok();
    let mut remove = Command::new("rm");
    remove.args(["-rf", &root, &run_root]);
    crate::process::run(remove, b"").ok();
}

/// A dockerd with everything it writes below one directory; both are gone with the value.
struct Docker {
    daemon: Child,
    base: PathBuf,
    socket: String,
}

impl Docker {
    /// Starts one, or says `SKIP` if this machine cannot.
    fn start(bed: &Bed) -> Option<Docker> {
        let programs = ["/usr/sbin/dockerd", "/usr/local/bin/docker"];
        if !programs.iter().all(|program| Path::new(program).exists()) {
            skip("no dockerd");
            return None;
        }
        let base = bed.dir.join("docker");
        std::fs::create_dir(&base).expect("directory");
        let path = |name: &str| base.join(name).to_string_lossy().into_owned();
        let socket = format!("unix://{}", path("sock"));
        let mut command = Command::new(programs[0]);
        command.args(["--data-root", &path("data"), "--exec-root", &path("exec")]);
        command.args(["--pidfile", &path("pid"), "-H", &socket, "--bridge=none"]);
        command.args(["--iptables=false", "--ip6tables=false"]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let daemon = command.stderr(Stdio::null()).spawn().expect("dockerd");
        let mut docker = Docker {
            daemon,
            base,
            socket,
        };
        let (mut answers, mut ended) = (false, false);
        // A busy machine needs more than the usual patience for it.
        let begun = std::time::Instant::now();
        while !answers && !ended && begun.elapsed() < Duration::from_secs(120) {
            answers = docker.run(&["version"]).code == 0;
            ended = docker.daemon.try_wait().expect("is our child").is_some();
            std::thread::sleep(Duration::from_millis(100));
        }
        if !answers {
            skip("dockerd does not run here");
            return None;
        }
        Some(docker)
    }

    fn run(&self, words: &[&str]) -> crate::process::Ran {
        let mut command = Command::new("/usr/local/bin/docker");
        command.args(["-H", &self.socket]).args(words);
        run(command, b"")
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        if let Ok(None) = self.daemon.try_wait() {
            let pid = nix::unistd::Pid::from_raw(self.daemon.id().cast_signed());
            // Errors would mean that it has ended already.
            let _ = nix::sys::signal::kill(pid, Signal::SIGTERM);
            let _ = self.daemon.wait();
        }
        // Should: go before the bed looks for leaks.
        let _ = std::fs::remove_dir_all(&self.base);
    }
}

fn docker_reads_and_writes(bed: &Bed) {
    let Some(registry) = Registry::start(bed) else {
        return;
    };
    let Some(docker) = Docker::start(bed) else {
        return;
    };
    let base = pulled_base(bed, &registry);
    let made = ["run", "--name", "box", "--network", "none", &base];
    bed.hull(&[&made[..], &["sh", "-c", "echo made >/made"]].concat())
        .ok();
    let name = registry.name("team/app:1");
    bed.hull(&["commit", "box", &name]).ok();
    let sent = digest_in(bed.hull(&["push", &name]).ok());
    docker.run(&["pull", &name]).fails(0).stdout_has(&sent);
    let theirs = registry.name("docker/app:1");
    docker.run(&["tag", &name, &theirs]).ok();
    docker.run(&["push", &theirs]).ok();
    let out = bed.hull(&["run", "--rm", "--network", "none", &theirs, "cat", "/made"]);
    out.fails(0).stdout_is("made\n");
    docker.run(&["rmi", &theirs, &name]).ok();
}

fn all_tags_formats_and_the_digest_file(bed: &Bed) {
    let Some(registry) = Registry::start(bed) else {
        return;
    };
    let base = pulled_base(bed, &registry);
    let app = registry.name("team/app");
    for tag in ["1", "2", "latest"] {
        bed.hull(&["tag", &base, &format!("{app}:{tag}")]).ok();
    }
    let all = bed.hull(&["push", "-a", &app]);
    all.fails(0)
        .stdout_has("\n1: digest: sha256:")
        .stdout_has("\n2: digest: sha256:")
        .stdout_has("\nlatest: digest: sha256:");
    let expected = registry.digest("team/base", "1");
    assert_eq!(registry.digest("team/app", "latest"), expected);
    bed.hull(&["push", "-a", &format!("{app}:1")])
        .fails(1)
        .stderr_has("tag can't be used with --all-tags/-a");
    bed.hull(&["push", &app])
        .fails(0)
        .stdout_has("Using default tag: latest\nThe push refers to");

    let file = bed.dir.join("home/digest");
    let file = file.to_string_lossy();
    let docker = format!("{app}:docker");
    let words = ["--format", "v2s2", "--digestfile", &file, &base, &docker];
    let pushed = bed.hull(&[&["push"], &words[..]].concat());
    let written = std::fs::read_to_string(&*file).expect("digest file");
    assert_eq!(digest_in(pushed.ok()), written);
    assert_ne!(written, expected, "another format");
    assert_eq!(registry.digest("team/app", "docker"), written);
    let manifest = registry.blob(&written);
    let manifest = std::fs::read_to_string(manifest).expect("the registry keeps manifests there");
    assert!(
        manifest.contains("application/vnd.docker.image.rootfs.diff.tar.gzip"),
        "{manifest}"
    );
    bed.hull(&["run", "--rm", "--network", "none", &docker, "true"])
        .ok();
    // And back: the format it came in stays.
    let oci = format!("{app}:oci");
    bed.hull(&["push", "-q", "--format", "oci", &docker, &oci])
        .ok();
    assert_eq!(registry.digest("team/app", "oci"), expected);
}

fn quiet_prints_the_name_alone(bed: &Bed) {
    let Some(registry) = Registry::start(bed) else {
        return;
    };
    let base = pulled_base(bed, &registry);
    bed.hull(&["push", "-q", &base])
        .fails(0)
        .stdout_is(&format!("{base}\n"));
}

fn wrong_words_are_refused_before_anything_is_sent(bed: &Bed) {
    let server = Scripted::start(|_| Reply::status("500 Internal Server Error"));
    let name = format!("{}/app:1", server.address);
    bed.hull(&["push", &name]).fails(1).stderr_has(&format!(
        "An image does not exist locally with the tag: {name}"
    ));
    for (words, text) in [
        (
            &["push", "busybox:test", "dir:/tmp/x"][..],
            "not a registry",
        ),
        (&["push", "--format", "v1", "busybox:test"], "v2s2"),
        (
            &["push", "--compression-format", "xz", "busybox:test"],
            "xz",
        ),
        (
            &["push", "--compression-level", "10", "busybox:test"],
            "1 to 9",
        ),
        (&["push", "BUSYBOX:test"], "lowercase"),
        (&["push", "../../x"], "invalid reference"),
    ] {
        let refused = bed.hull(words);
        refused.expect(refused.code != 0, "fails").stderr_has(text);
    }
    assert!(server.asked().is_empty(), "{:?}", server.lines());
}

/// An image in a registry in memory, and pulled from there.
pub struct Held {
    pub shelf: Arc<Shelf>,
    pub image: Image,
}

impl Held {
    /// The registry, which first asks `twist`, and the image's name there.
    pub fn serve(
        &self,
        twist: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static,
    ) -> (Scripted, String) {
        let shelf = self.shelf.clone();
        let server = Scripted::start(move |asked| match twist(asked) {
            Some(reply) => reply,
            None => shelf.answer(asked),
        });
        let name = format!("{}/team/base:1", server.address);
        (server, name)
    }

    fn new() -> Held {
        // Not a layer that is here already: that would not be fetched.
        let layers = vec![Tree::default().file("held", 0o644, b"held").tar()];
        Held::of(Image {
            layers,
            ..Image::busybox("x")
        })
    }

    /// One that holds this image.
    pub fn of(image: Image) -> Held {
        let shelf = Shelf::default();
        let oci = image.oci();
        let mut content = shelf.content();
        let (manifest, blobs) = oci.blobs.split_last().expect("has blobs");
        for blob in blobs {
            let digest = digest(blob);
            content.blobs.insert(digest.clone(), blob.clone());
            content.held.insert(("team/base".to_owned(), digest));
        }
        let kind = "application/vnd.oci.image.manifest.v1+json".to_owned();
        let entry = (kind, manifest.clone());
        content.manifests.insert("team/base:1".to_owned(), entry);
        drop(content);
        Held {
            shelf: Arc::new(shelf),
            image,
        }
    }
}

fn f67_a_push_that_is_killed_at_any_request_leaves_the_tag_whole(bed: &Bed) {
    let held = Held::new();
    let stop_at = Arc::new(AtomicUsize::new(usize::MAX));
    let turn = Arc::new(AtomicUsize::new(0));
    let (twist_stop, twist_turn) = (stop_at.clone(), turn.clone());
    let (server, base) = held.serve(move |_| {
        let now = twist_turn.fetch_add(1, Ordering::SeqCst);
        (now == twist_stop.load(Ordering::SeqCst))
            .then(|| Reply::status("500 Internal Server Error").silent(Duration::from_secs(600)))
    });
    bed.hull(&["pull", "-q", &base]).ok();
    let name = format!("{}/other/app:1", server.address);
    let manifest = digest(held.image.oci().blobs.last().expect("has blobs"));
    let mut complete = 0;
    for request in 0..40 {
        // Another repository's blobs would be mounted: these are to be sent.
        held.shelf
            .content()
            .held
            .retain(|(name, _)| name != "team/base");
        turn.store(0, Ordering::SeqCst);
        stop_at.store(request, Ordering::SeqCst);
        let mut running = bed.start(&["push", &base, &name]);
        wait_until("the request or the end", || {
            turn.load(Ordering::SeqCst) > request
                || running.child.try_wait().expect("is our child").is_some()
        });
        let ended = turn.load(Ordering::SeqCst) <= request;
        if !ended {
            running.signal(Signal::SIGKILL);
        }
        running.finish();
        let content = held.shelf.content();
        if let Some((_, bytes)) = content.manifests.get("other/app:1") {
            assert_eq!(digest(bytes), manifest);
            for blob in &held.image.oci().blobs[..2] {
                let wanted = ("other/app".to_owned(), digest(blob));
                assert!(content.held.contains(&wanted), "the tag is whole");
            }
            complete += 1;
        }
        drop(content);
        if ended {
            break;
        }
    }
    assert!(complete > 0, "in the end it is there: {:?}", server.lines());
    // What is there is not sent again.
    stop_at.store(usize::MAX, Ordering::SeqCst);
    let before = server.asked().len();
    bed.hull(&["push", &base, &name]).ok();
    let methods: Vec<String> = server.asked()[before..]
        .iter()
        .map(|asked| asked.method.clone())
        .collect();
    assert_eq!(methods, ["HEAD", "HEAD", "PUT"]);
}

fn f64_a_push_to_a_busy_registry_waits_and_ends(bed: &Bed) {
    let held = Held::new();
    let turn = AtomicUsize::new(0);
    let (server, base) = held.serve(move |asked| {
        let is_push = asked.path.contains("/other/");
        match is_push.then(|| turn.fetch_add(1, Ordering::SeqCst)) {
            Some(1) => Some(Reply::status("429 Too Many Requests").header("Retry-After: 1")),
            Some(3) => Some(Reply::status("503 Service Unavailable")),
            _ => None,
        }
    });
    bed.hull(&["pull", "-q", &base]).ok();
    let name = format!("{}/other/app:1", server.address);
    bed.hull(&["push", &base, &name]).ok();
    let content = held.shelf.content();
    assert!(content.manifests.contains_key("other/app:1"));
}

fn f67_a_refused_push_leaves_the_tag_and_says_why(bed: &Bed) {
    let held = Held::new();
    let (server, base) = held.serve(|asked| match asked.method.as_str() {
        "POST" | "PUT" => Some(Reply {
            status: "403 Forbidden",
            ..Reply::ok(r#"{"errors":[{"code":"DENIED","message":"no \u001b[31mpushes"}]}"#)
        }),
        _ => None,
    });
    bed.hull(&["pull", "-q", &base]).ok();
    let name = format!("{}/other/app:1", server.address);
    let refused = bed.hull(&["push", "-q", &base, &name]);
    refused
        .fails(1)
        .one_error_line()
        .stderr_has("denied: no \\x1b[31mpushes")
        .stderr_has("requested access to the resource is denied")
        .stderr_has("hull login");
    assert!(!held.shelf.content().manifests.contains_key("other/app:1"));
}

/// Hands connections on to `target`, and cuts the first of them that send so many bytes, one after
/// the other. Its address, and what clients have sent in all.
fn cutting_line(target: u16, cuts: &'static [usize]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let address = listener.local_addr().expect("is bound").to_string();
    let (sent, turn) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = sent.clone();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (sent, turn) = (counted.clone(), turn.clone());
            let server = TcpStream::connect(("127.0.0.1", target)).expect("registry");
            let (mut from, mut to) = (
                server.try_clone().expect("descriptor"),
                client.try_clone().expect("descriptor"),
            );
            std::thread::spawn(move || {
                // Either side may end first.
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
            std::thread::spawn(move || {
                let (mut client, mut server) = (client, server);
                let (mut buffer, mut own) = ([0; 16 << 10], 0);
                while let Ok(count @ 1..) = client.read(&mut buffer) {
                    own += count;
                    sent.fetch_add(count, Ordering::SeqCst);
                    if server.write_all(&buffer[..count]).is_err() {
                        break;
                    }
                    let now = turn.load(Ordering::SeqCst);
                    if cuts.get(now).is_some_and(|cut| own >= *cut) {
                        turn.fetch_add(1, Ordering::SeqCst);
                        break;
                    }
                }
                // Ended by the other side already, perhaps.
                let _ = server.shutdown(Shutdown::Both);
                let _ = client.shutdown(Shutdown::Both);
            });
        }
    });
    (address, sent)
}

fn f63_an_interrupted_push_to_a_real_registry_completes(bed: &Bed) {
    let Some(registry) = Registry::start(bed) else {
        return;
    };
    let held = crate::resume::noise(4 << 20);
    let (_server, base) = held.serve(|_| None);
    bed.hull(&["pull", "-q", &base]).ok();
    const CUTS: &[usize] = &[500_000, 2_000_000, 1_000_000];
    let (address, sent) = cutting_line(registry.port(), CUTS);
    let name = format!("{address}/team/app:1");
    bed.hull(&["push", &base, &name]).ok();
    let manifest = digest(held.image.oci().blobs.last().expect("has blobs"));
    assert_eq!(registry.digest("team/app", "1"), manifest);
    let (sent, size) = (sent.load(Ordering::SeqCst), held.image.oci().blobs[1].len());
    // This registry drops a session whose request was interrupted: what was sent is lost, once.
    let most = (size + CUTS.iter().sum::<usize>()) * 11 / 10;
    assert!(sent <= most, "{sent} bytes sent for {size}");
}
