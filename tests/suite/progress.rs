//! What a pull and a load show while they run, on a terminal and elsewhere, and what they take.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::json;

use crate::bed::Bed;
use crate::images::{Image, Tree, architecture, digest};
use crate::process::wait_until;
use crate::pty::Terminal;

root_and_user!(
    a_terminal_shows_one_line_per_layer_redrawn_in_place,
    the_width_of_the_terminal_is_kept_also_after_a_resize,
    without_a_terminal_there_are_plain_lines_and_no_amounts,
    a_load_shows_its_layers_on_a_terminal_only,
    memory_stays_below_100_mb_whatever_the_layer,
);

/// One image on a registry that stops in the middle of each layer until it is told to go on.
struct Slow {
    name: String,
    layers: Vec<String>,
    go: Sender<()>,
}

/// What is sent of a layer before the wait.
const FIRST: usize = 3 << 20;

impl Slow {
    fn start(layers: Vec<Vec<u8>>) -> Slow {
        let diff_ids: Vec<String> = layers.iter().map(|layer| digest(layer)).collect();
        let config = json!({
            "architecture": architecture(), "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let config = config.to_string().into_bytes();
        let descriptor = |kind: &str, blob: &[u8]| {
            let media_type = format!("application/vnd.oci.image.{kind}");
            json!({"mediaType": media_type, "digest": digest(blob), "size": blob.len()})
        };
        let listed: Vec<_> = layers
            .iter()
            .map(|layer| descriptor("layer.v1.tar", layer))
            .collect();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("config.v1+json", &config), "layers": listed,
        });
        let mut blobs = vec![manifest.to_string().into_bytes(), config];
        blobs.extend(layers);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("is bound").port();
        let (go, wait) = channel();
        let blobs: Vec<_> = blobs
            .into_iter()
            .map(|blob| (digest(&blob), blob))
            .collect();
        let shared = Arc::new((blobs, Mutex::new(wait)));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // A client that is gone is no failure of the server.
                std::thread::spawn(move || serve(stream, &shared.0, &shared.1));
            }
        });
        let name = format!("127.0.0.1:{port}/app:1");
        Slow {
            name,
            layers: diff_ids.iter().map(|id| id[7..19].to_owned()).collect(),
            go,
        }
    }

    fn go(&self) {
        self.go.send(()).expect("the server waits");
    }
}

fn serve(stream: TcpStream, blobs: &[(String, Vec<u8>)], wait: &Mutex<Receiver<()>>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let mut stream = stream;
    loop {
        let request = lines.next()?.ok()?;
        while !lines.next()?.ok()?.is_empty() {}
        let path = request.split(' ').nth(1)?;
        let blob = match path {
            "/v2/" => None,
            path if path.contains("/manifests/") => Some(0),
            path => blobs.iter().position(|(digest, _)| path.ends_with(digest)),
        };
        let body = blob.map_or(&b"{}"[..], |index| &blobs[index].1[..]);
        let (first, rest) = match blob {
            Some(2..) => body.split_at(FIRST.min(body.len() / 2)),
            _ => (body, &[][..]),
        };
        let mut head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", body.len());
        if blob == Some(0) {
            head += "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n";
            let _ = write!(head, "Docker-Content-Digest: {}\r\n", digest(body));
        }
        stream.write_all((head + "\r\n").as_bytes()).ok()?;
        stream.write_all(first).ok()?;
        if !rest.is_empty() {
            wait.lock().ok()?.recv().ok()?;
            stream.write_all(rest).ok()?;
        }
    }
}

/// A layer of one file with so many bytes.
fn layer(name: &str, bytes: usize) -> Vec<u8> {
    Tree::default().file(name, 0o644, &vec![b'x'; bytes]).tar()
}

/// The lines that were drawn for layers, each time they were, without control sequences.
fn drawn(screen: &str) -> Vec<String> {
    let plain = screen.replace("\x1b[K", "").replace("\x1b[J", "");
    let lines = plain.split(['\r', '\n']);
    let lines = lines.filter(|line| !line.is_empty() && !line.ends_with('A'));
    lines.map(str::to_owned).collect()
}

fn a_terminal_shows_one_line_per_layer_redrawn_in_place(bed: &Bed) {
    let slow = Slow::start(vec![layer("a", 8 << 20), layer("b", 8 << 20)]);
    let start = Instant::now();
    let mut terminal = Terminal::start(bed, &["pull", &slow.name], 24, 120);
    terminal.wait_for(&format!("{}: Downloading [=", slow.layers[0]));
    terminal.wait_for(&format!("{}: Downloading [=", slow.layers[1]));
    slow.go();
    slow.go();
    assert_eq!(terminal.finish(), 0, "{}", terminal.screen());
    terminal.wait_for("Status: Downloaded newer image");
    let screen = terminal.screen();
    assert!(screen.contains("1: Pulling from app"), "{screen}");
    let last = screen.rsplit("\x1b[2A").next().expect("something");
    let last = drawn(last);
    let complete = slow.layers.iter().map(|id| format!("{id}: Pull complete"));
    assert_eq!(last[..2], complete.collect::<Vec<_>>(), "{screen}");
    let redraws = screen.matches("\x1b[J").count() as f64;
    let most = start.elapsed().as_secs_f64() * 10.0 + 3.0;
    assert!(
        redraws <= most,
        "{redraws} redraws, at most {most}: {screen}"
    );
}

fn the_width_of_the_terminal_is_kept_also_after_a_resize(bed: &Bed) {
    let slow = Slow::start(vec![layer("a", 8 << 20)]);
    let mut terminal = Terminal::start(bed, &["pull", &slow.name], 24, 100);
    terminal.wait_for(&format!("{}: Downloading [=", slow.layers[0]));
    let before = terminal.screen().len();
    terminal.resize(24, 30);
    slow.go();
    assert_eq!(terminal.finish(), 0, "{}", terminal.screen());
    terminal.wait_for("Pull complete");
    let screen = terminal.screen();
    let is_ours = |line: &String| line.starts_with(&slow.layers[0]);
    let widths = |text: &str| -> Vec<usize> {
        let lines = drawn(text).into_iter().filter(is_ours);
        lines.map(|line| line.chars().count()).collect()
    };
    let wide = widths(&screen[..before]);
    assert!(wide.iter().any(|width| *width > 80), "{screen}");
    assert!(wide.iter().all(|width| *width < 100), "{screen}");
    let narrow = widths(&screen[before..]);
    assert!(!narrow.is_empty(), "{screen}");
    assert!(
        narrow.iter().all(|width| *width < 30),
        "{narrow:?}: {screen}"
    );
}

fn without_a_terminal_there_are_plain_lines_and_no_amounts(bed: &Bed) {
    let slow = Slow::start(vec![layer("a", 1 << 20)]);
    slow.go();
    let pulled = bed.hull(&["pull", &slow.name]);
    let id = &slow.layers[0];
    let expected: String = [
        "Pulling fs layer",
        "Verifying Checksum",
        "Download complete",
        "Pull complete",
    ]
    .iter()
    .map(|state| format!("{id}: {state}\n"))
    .collect();
    pulled.fails(0).stdout_has(&expected);
    pulled.expect(!pulled.stdout.contains('\x1b'), "no control sequences");
    bed.hull(&["rmi", &slow.name]).ok();
    slow.go();
    bed.hull(&["pull", "-q", &slow.name])
        .fails(0)
        .stdout_is(&format!("{}\n", slow.name));
}

fn a_load_shows_its_layers_on_a_terminal_only(bed: &Bed) {
    let mut image = Image::busybox("shown:1");
    image.layers = vec![layer("only-here", 2 << 20)];
    let id = digest(&image.layers[0])[7..19].to_owned();
    let archive = bed.file("shown.tar", &image.docker_archive());
    let archive = archive.to_str().expect("is text");
    bed.hull(&["load", "-i", archive])
        .fails(0)
        .stdout_is("Loaded image: shown:1\n");
    bed.hull(&["rmi", "shown:1"]).ok();
    let mut terminal = Terminal::start(bed, &["load", "-i", archive], 24, 100);
    assert_eq!(terminal.finish(), 0, "{}", terminal.screen());
    terminal.wait_for("Loaded image: shown:1");
    let screen = terminal.screen();
    assert!(
        screen.contains(&format!("{id}: Loading layer [==")),
        "{screen}"
    );
}

/// Peak resident kilobytes of every process of this bed's store (proc_pid_status(5)).
fn peak(bed: &Bed) -> u64 {
    let store = bed.store().display().to_string();
    let of = |dir: &Path| {
        let words = fs::read_to_string(dir.join("cmdline")).ok()?;
        let status = fs::read_to_string(dir.join("status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        let kilobytes = line.split_whitespace().nth(1)?.parse().ok()?;
        words.contains(&store).then_some(kilobytes)
    };
    let processes = fs::read_dir("/proc").expect("procfs").flatten();
    let peaks = processes.filter_map(|entry| of(&entry.path()));
    peaks.max().unwrap_or(0)
}

fn memory_stays_below_100_mb_whatever_the_layer(bed: &Bed) {
    let mut many = Tree::default();
    for number in 0..8_000 {
        let path = format!(
            "srv/a/long/name/for/a/directory/{}/file{number}",
            number / 50
        );
        many = many.file(&path, 0o644, b"x");
    }
    let mut layers = vec![layer("big", 200 << 20), many.tar()];
    layers.extend((0..30).map(|number| layer(&format!("small{number}"), 300_000)));
    let count = layers.len();
    let bytes: usize = layers.iter().map(Vec::len).sum();
    let slow = Slow::start(layers);
    // The second half of the last layer is held back until the peak was read.
    (1..count).for_each(|_| slow.go());
    let words = ["pull", "-q", &slow.name];
    let mut command = bed.hull_command(&words);
    let mut running = command.stdout(Stdio::null()).spawn().expect("hull starts");
    let store = bed.store();
    let received = || {
        let blobs = fs::read_dir(store.join("partial")).into_iter().flatten();
        let lengths = blobs.flatten().filter_map(|blob| blob.metadata().ok());
        lengths.map(|blob| blob.len()).sum::<u64>()
    };
    // Half of a small one is missing.
    let most = bytes as u64 - 200_000;
    wait_until("all but the end is here", || received() >= most);
    let kilobytes = peak(bed);
    slow.go();
    let status = running.wait().expect("is our child");
    assert!(status.success(), "{status}");
    assert!(
        kilobytes > 1_000,
        "read from the right process: {kilobytes} kB"
    );
    assert!(kilobytes < 100_000, "{kilobytes} kB at the peak");
}
