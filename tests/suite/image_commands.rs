//! Names, lists and histories of images; images made of a tar.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use serde_json::Value;

use crate::bed::Bed;
use crate::images::{Image, Tree, digest};

each_who!(
    tag_gives_all_names_or_none,
    untag_takes_names_and_keeps_the_image,
    history_names_the_images_on_the_way,
    images_are_listed_as_asked,
);
root_and_user!(
    an_image_for_another_platform_is_not_there,
    import_takes_every_instruction,
    import_reads_addresses,
);

fn names(bed: &Bed) -> Vec<String> {
    let format = "{{.Repository}}:{{.Tag}}";
    let listed = bed.hull(&["images", "--sort", "repository", "--format", format]);
    listed.ok().lines().map(str::to_owned).collect()
}

fn tag_gives_all_names_or_none(bed: &Bed) {
    bed.hull(&["tag", "busybox:test", "a", "b:2", "x.example/c:3"])
        .fails(0)
        .stdout_is("");
    let all = ["a:latest", "b:2", "busybox:test", "x.example/c:3"];
    assert_eq!(names(bed), all);
    bed.hull(&["tag", "busybox:test", "d:1", "UPPER"])
        .fails(1)
        .one_error_line()
        .stderr_has("must be lowercase");
    let by_digest = format!("d@{}", digest(b"x"));
    bed.hull(&["tag", "busybox:test", "d:1", &by_digest])
        .fails(1)
        .stderr_has("refusing to create a tag with a digest reference");
    bed.hull(&["tag", "nosuch:1", "d:1"])
        .fails(1)
        .one_error_line()
        .stderr_has("No such image: nosuch:1");
    bed.hull(&["tag", "busybox:test"])
        .fails(1)
        .stderr_has("requires at least 2 arguments");
    assert_eq!(names(bed), all);
}

fn untag_takes_names_and_keeps_the_image(bed: &Bed) {
    bed.hull(&["tag", "busybox:test", "a:1", "b:1"]).ok();
    bed.hull(&["untag", "busybox:test", "a:1"])
        .fails(0)
        .stdout_is("");
    assert_eq!(names(bed), ["b:1", "busybox:test"]);
    bed.load(&Image {
        config: serde_json::json!({"Cmd": ["other"]}),
        ..Image::busybox("other:1")
    });
    bed.hull(&["untag", "busybox:test", "other:1"])
        .fails(1)
        .one_error_line()
        .stderr_has("other:1: not a name of image");
    let id = bed.inspect("busybox:test", "{{.Id}}");
    bed.hull(&["untag", "busybox:test"]).ok();
    assert_eq!(names(bed), ["<none>:<none>", "other:1"]);
    bed.hull(&["run", "--rm", "--network", "none", &id, "true"])
        .ok();
    bed.hull(&["untag", &id]).ok();
    bed.hull(&["rmi", &id]).ok();
    bed.hull(&["untag", "nosuch"]).fails(1).one_error_line();
}

/// Commits a container of `image` in which `path` was made.
fn committed(bed: &Bed, image: &str, path: &str, name: &str) {
    let words = [
        "run",
        "--name",
        "box",
        "--network",
        "none",
        image,
        "touch",
        path,
    ];
    bed.hull(&words).ok();
    bed.hull(&["commit", "box", name]).ok();
    bed.hull(&["rm", "box"]).ok();
}

fn history_names_the_images_on_the_way(bed: &Bed) {
    committed(bed, "busybox:test", "/one", "made:1");
    committed(bed, "made:1", "/two", "made:2");
    let listed = bed.hull(&[
        "images",
        "--no-trunc",
        "--format",
        "{{.Repository}}:{{.Tag}} {{.ID}}",
    ]);
    let listed = listed.ok().to_owned();
    let id_of = |name: &str| {
        let line = listed.lines().find(|line| line.starts_with(name));
        let (_, id) = line.expect(name).split_once(' ').expect("has an id");
        id.to_owned()
    };
    let expected = ["made:2", "made:1", "busybox:test"].map(id_of);
    let shown = bed.hull(&["history", "-q", "--no-trunc", "made:2"]);
    assert_eq!(shown.ok().lines().collect::<Vec<_>>(), expected);
    bed.hull(&["rmi", "made:1"]).ok();
    let shown = bed.hull(&["history", "-q", "made:2"]).ok().to_owned();
    assert_eq!(shown.lines().nth(1), Some("<missing>"), "{shown}");
    let header = bed.hull(&["history", "made:2"]).ok().to_owned();
    let words: Vec<&str> = header
        .lines()
        .next()
        .unwrap_or_default()
        .split("  ")
        .collect();
    let words: Vec<&str> = words
        .iter()
        .map(|word| word.trim())
        .filter(|word| !word.is_empty())
        .collect();
    assert_eq!(words, ["IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT"]);
}

fn images_are_listed_as_asked(bed: &Bed) {
    bed.hull(&["untag", "busybox:test"]).ok();
    let id = bed
        .hull(&["images", "-q", "--filter", "dangling=true"])
        .ok()
        .to_owned();
    assert_eq!(id.len(), 12, "it dangles: {id}");
    committed(bed, &id, "/one", "made:1");
    // What another image was made of is hidden, but with -a, and does not dangle.
    assert_eq!(names(bed), ["made:1"]);
    for words in [&["-a"][..], &["--filter", "intermediate=true"]] {
        let words = [&["images", "-q"], words].concat();
        assert!(
            bed.hull(&words).ok().lines().any(|line| line == id),
            "{words:?}"
        );
    }
    bed.hull(&["images", "-aq", "--filter", "dangling=true"])
        .fails(0)
        .stdout_is("");
    bed.hull(&["tag", "made:1", "app:2", "app:1"]).ok();
    let shown = |words: &[&str]| {
        let format = ["--format", "table {{.Repository}}:{{.Tag}}"];
        let ran = bed.hull(&[&["images"], words, &format].concat());
        ran.ok()
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let header = "REPOSITORY:TAG";
    assert_eq!(shown(&["--sort", "tag", "app"]), [header, "app:1", "app:2"]);
    assert_eq!(shown(&["-n", "app:2"]), ["app:2"]);
    assert_eq!(shown(&["--filter", "reference=a*:2"]), [header, "app:2"]);
    bed.hull(&["images", "--sort", "beauty"]).expect_failure();
    bed.hull(&["images", "--history"]).expect_failure();
    let tree = bed.hull(&["images", "--tree"]).ok().to_owned();
    let lines: Vec<&str> = tree.lines().collect();
    assert!(lines[0].starts_with("IMAGE"), "{tree}");
    for title in ["ID", "DISK USAGE", "CONTENT SIZE", "EXTRA"] {
        assert!(lines[0].contains(title), "{tree}");
    }
    assert_eq!(&lines[1..3], ["app:1", "app:2"], "{tree}");
    assert!(
        lines[3].starts_with("made:1 ") && lines[4].starts_with("└─ linux/"),
        "{tree}"
    );
    bed.hull(&["images", "--tree", "-q"])
        .fails(1)
        .stderr_has("--quiet is not yet supported with --tree");
}

fn an_image_for_another_platform_is_not_there(bed: &Bed) {
    for words in [&["image", "inspect"][..], &["history"]] {
        let other = [words, &["--platform", "linux/s390x", "busybox:test"]].concat();
        bed.hull(&other)
            .fails(1)
            .stderr_has("does not provide the specified platform (linux/s390x)");
        let own = format!("linux/{}", crate::images::architecture());
        bed.hull(&[words, &["--platform", &own, "busybox:test"]].concat())
            .ok();
    }
}

fn import_takes_every_instruction(bed: &Bed) {
    let tar = Tree::default().file("x", 0o644, b"y").tar();
    let changes = [
        "CMD [\"/x\", \"a b\"]",
        "ENTRYPOINT [\"/e\"]",
        "ENV A=1 B=\"2 3\"",
        "EXPOSE 80 53/udp",
        "LABEL k=v",
        "USER 7:8",
        "VOLUME /data",
        "WORKDIR /work",
        "STOPSIGNAL INT",
        "ONBUILD RUN true",
        "HEALTHCHECK --interval=5s CMD true",
        "SHELL [\"/bin/ash\", \"-c\"]",
    ];
    let mut words = vec!["import", "-m", "why not", "--platform", "linux/arm64"];
    for change in changes {
        words.extend(["-c", change]);
    }
    words.extend(["-", "user/made:1"]);
    let id = bed.hull_with_input(&words, &tar).ok().to_owned();
    let document = bed.hull(&["image", "inspect", "user/made:1"]);
    let document: Value = serde_json::from_str(document.ok()).expect("is JSON");
    let image = &document[0];
    assert_eq!(image["Id"], id.as_str());
    assert_eq!(image["Comment"], "why not");
    assert_eq!(image["Architecture"], "arm64");
    assert_eq!(image["RootFS"]["Layers"][0], digest(&tar).as_str());
    let config = &image["Config"];
    let expected = serde_json::json!({
        "Cmd": ["/x", "a b"], "Entrypoint": ["/e"], "Env": ["A=1", "B=2 3"],
        "ExposedPorts": {"80/tcp": {}, "53/udp": {}}, "Labels": {"k": "v"}, "User": "7:8",
        "Volumes": {"/data": {}}, "WorkingDir": "/work", "StopSignal": "INT",
        "OnBuild": ["RUN true"], "Shell": ["/bin/ash", "-c"],
    });
    for (field, value) in expected.as_object().expect("is one") {
        assert_eq!(config[field], *value, "{field}");
    }
    assert_eq!(config["Healthcheck"]["Interval"], 5_000_000_000_u64);
    for (change, text) in [("RUN x", "RUN x"), ("ENV", "ENV"), ("EXPOSE x", "EXPOSE")] {
        bed.hull_with_input(&["import", "-c", change, "-"], &tar)
            .fails(1)
            .one_error_line()
            .stderr_has(text);
    }
    bed.hull(&["import", "no/such.tar"])
        .fails(1)
        .one_error_line();
}

/// Answers these requests on the loopback interface, in order; returns the address.
fn serve(answers: Vec<(&'static str, Vec<u8>)>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("is bound").port();
    let serving = std::thread::spawn(move || {
        for (head, body) in answers {
            let (mut stream, _) = listener.accept().expect("a request");
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).expect("reads") > 0 {
                request.push(byte[0]);
            }
            let length = body.len();
            let head =
                format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            // One who has seen enough may have gone.
            let _ = stream
                .write_all(head.as_bytes())
                .and_then(|()| stream.write_all(&body));
        }
    });
    (format!("http://127.0.0.1:{port}/root.tar"), serving)
}

fn import_reads_addresses(bed: &Bed) {
    let tar = Tree::default().file("x", 0o644, b"y").tar();
    let (address, serving) = serve(vec![
        ("302 Found\r\nLocation: /elsewhere", Vec::new()),
        ("200 OK", tar.clone()),
    ]);
    bed.hull(&["import", &address, "web:1"]).ok();
    serving.join().expect("served");
    let layer = bed.inspect("web:1", "{{index .RootFS.Layers 0}}");
    assert_eq!(layer, digest(&tar));
    let comment = bed.inspect("web:1", "{{.Comment}}");
    assert_eq!(comment, format!("Imported from {address}"));
    let (address, serving) = serve(vec![("404 Not Found", b"no".to_vec())]);
    bed.hull(&["import", &address, "web:2"])
        .fails(1)
        .one_error_line()
        .stderr_has("404");
    serving.join().expect("served");
    let half = tar[..tar.len() / 2].to_vec();
    let short: &'static str = "200 OK\r\nX-Cut: yes";
    let (address, serving) = serve(vec![(short, half[..600].to_vec())]);
    bed.hull(&["import", &address, "web:3"])
        .fails(1)
        .one_error_line();
    serving.join().expect("served");
    assert_eq!(names(bed), ["busybox:test", "web:1"]);
}
