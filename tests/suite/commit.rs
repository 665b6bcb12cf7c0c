//! `diff`, `export` and `commit`.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::bed::{Bed, skip};
use crate::faults::{Seed, points, sweep, traced, verify};
use crate::images::{Image, Tree};
use crate::process::{Ran, run, wait_until};

each_who!(
    changes_are_listed_in_dockers_words,
    an_export_is_the_files_without_the_mounts,
    a_committed_image_runs_and_says_how_it_was_made,
    what_is_committed_builds_on_what_was,
    f6_commit_killed_anywhere_leaves_old_tags_intact,
);
root_and_user!(
    a_touched_file_is_no_change,
    an_export_that_fails_leaves_nothing,
    deletions_and_replaced_directories_are_committed,
    the_config_is_that_of_the_container,
    changes_to_the_config_are_applied,
    the_container_is_frozen_while_it_is_read,
    a_squashed_image_has_one_layer,
    what_cannot_be_committed_is_named,
    sixty_links_and_holes_survive_an_export,
);

/// What a program of an image says.
fn in_image(bed: &Bed, image: &str, words: &[&str]) -> Ran {
    let head = ["run", "--rm", "--network", "none", image];
    bed.hull(&[&head, words].concat())
}

/// A container that has run a script to its end.
#[track_caller]
fn finished(bed: &Bed, name: &str, image: &str, script: &str) {
    let head = ["run", "--name", name, "--network", "none", image];
    bed.hull(&[&head[..], &["sh", "-c", script]].concat()).ok();
}

/// A finished container `box` that changed one of everything.
fn changed(bed: &Bed) {
    let script = "set -e; echo new >/newfile; rm /etc/group; echo more >>/etc/passwd; \
                  mkdir -p /deep/er; echo x >/deep/er/leaf; chmod 700 /var; \
                  rm -r /root; mkdir /root; echo n >/root/new; ln -s /etc /link";
    finished(bed, "box", "busybox:test", script);
}

const CHANGES: &str = "A /deep\nA /deep/er\nA /deep/er/leaf\nC /etc\nD /etc/group\n\
                       C /etc/passwd\nA /link\nA /newfile\nC /root\nA /root/new\nC /var\n";

fn changes_are_listed_in_dockers_words(bed: &Bed) {
    changed(bed);
    bed.hull(&["diff", "box"]).fails(0).stdout_is(CHANGES);
    bed.hull(&["container", "diff", "box"])
        .fails(0)
        .stdout_is(CHANGES);
    // Of one that runs, with mounts that had to be made room for.
    let host = format!("{}:/made/for/it", bed.dir.join("work").display());
    let flags = ["--name", "live", "-v", &host, "--tmpfs", "/scratch"];
    bed.detached(
        &flags,
        &[
            "sh",
            "-c",
            "echo x >/made/for/it/host; echo y >/scratch/y; sleep 60",
        ],
    );
    wait_until("the script wrote", || bed.dir.join("work/host").exists());
    bed.hull(&["diff", "live"]).fails(0).stdout_is("");
    bed.hull(&["exec", "live", "touch", "/seen"]).ok();
    bed.hull(&["diff", "live"]).fails(0).stdout_is("A /seen\n");
    let words = [
        "create",
        "--name",
        "fresh",
        "--network",
        "none",
        "busybox:test",
    ];
    bed.hull(&words).ok();
    bed.hull(&["diff", "fresh"]).fails(0).stdout_is("");
    let ran = bed.hull(&["diff", "nobody"]);
    ran.fails(1)
        .one_error_line()
        .stderr_has("No such container: nobody");
}

fn a_touched_file_is_no_change(bed: &Bed) {
    // Opened for writing and not written: overlayfs has copied them up all the same.
    let script = ": >>/etc/passwd; chmod 644 /etc/passwd; mkdir /etc/d; rmdir /etc/d; \
                  printf 'x\\n' >'/odd\nname'";
    finished(bed, "box", "busybox:test", script);
    bed.hull(&["diff", "box"])
        .fails(0)
        .stdout_is("A /odd\\nname\n");
}

fn an_export_is_the_files_without_the_mounts(bed: &Bed) {
    bed.file("secret", b"CANARY\n");
    let work = bed.dir.join("work");
    let secret = format!("{}:/run/secret:ro", work.join("secret").display());
    let flags = ["--name", "box", "-v", &secret, "--tmpfs", "/scratch"];
    let script =
        "echo new >/newfile; echo t >/scratch/t; rm /etc/group; echo ready >/ready; sleep 60";
    bed.detached(&flags, &["sh", "-c", script]);
    let ready = || bed.hull(&["exec", "box", "cat", "/ready"]).code == 0;
    wait_until("the script wrote", ready);
    for file in ["live.tar", "stopped.tar"] {
        bed.hull(&["export", "-o", file, "box"])
            .fails(0)
            .stdout_is("");
        let list = bed.shell(&format!("tar -tf {file}"));
        list.ok();
        let has = |name: &str| list.stdout.lines().any(|line| line == name);
        for name in [
            "newfile",
            "etc/passwd",
            "etc/hosts",
            "etc/resolv.conf",
            "proc/",
            "scratch/",
        ] {
            list.expect(has(name), name);
        }
        for name in ["etc/group", "scratch/t", "proc/self", "dev/null"] {
            list.expect(!has(name), &format!("no {name}"));
        }
        let sizes = bed.shell(&format!(
            "tar -xOf {file} etc/hosts etc/hostname run/secret | wc -c"
        ));
        sizes.fails(0).stdout_is("0\n");
        let found = bed.shell(&format!("grep -c CANARY {file}"));
        found.expect(found.stdout == "0\n", "no byte of what is mounted");
        bed.hull(&["stop", "-t", "0", "box"]).ok();
    }
    bed.shell("hull export box | cmp - stopped.tar").ok();
    bed.shell("hull export box | hull import - again:1 >/dev/null")
        .ok();
    let words = [
        "run",
        "--rm",
        "--network",
        "none",
        "again:1",
        "cat",
        "/newfile",
    ];
    bed.hull(&words).fails(0).stdout_is("new\n");
}

fn sixty_links_and_holes_survive_an_export(bed: &Bed) {
    let script = "mkdir /d; echo x >/d/0; for i in $(seq 60); do ln /d/0 /d/$i; done; \
                  truncate -s 4G /d/holes; mkfifo /d/fifo; chmod 4755 /d/0";
    finished(bed, "box", "busybox:test", script);
    bed.hull(&["export", "-o", "out.tar", "box"]).ok();
    let size = fs::metadata(bed.dir.join("work/out.tar"))
        .expect("is there")
        .len();
    assert!(size < 10 << 20, "{size}");
    let script = "mkdir x && tar -C x -xpf out.tar d && stat -c '%h %a' x/d/7 && \
                  stat -c %s x/d/holes && test -p x/d/fifo && echo fifo";
    bed.shell(script)
        .fails(0)
        .stdout_is("61 4755\n4294967296\nfifo\n");
}

fn an_export_that_fails_leaves_nothing(bed: &Bed) {
    changed(bed);
    bed.file("kept.tar", b"old\n");
    let names = || {
        let list = bed.shell("ls -A");
        list.ok().to_owned()
    };
    let before = names();
    let ran = bed.hull(&["export", "-o", "no/such.tar", "box"]);
    ran.fails(1)
        .one_error_line()
        .stderr_has("directory \"no\" does not exist");
    bed.hull(&["export", "-o", "new.tar", "nobody"]).fails(1);
    bed.hull(&["export", "-o", "kept.tar", "nobody"]).fails(1);
    bed.hull(&["export", "-o", ".", "box"])
        .fails(1)
        .stderr_has("is a directory");
    // Cut off in the middle, by a limit on the size of files and by a kill.
    let cut = bed.shell("ulimit -f 100; hull export -o new.tar box");
    assert_ne!(cut.code, 0);
    let words = ["export", "-o", "kept.tar", "box"];
    let log = bed.dir.join("trace");
    let kill = [
        "-e",
        "trace=write",
        "-e",
        "inject=write:signal=SIGKILL:when=2",
    ];
    if let Some(command) = traced(bed, &kill, &log, &words) {
        assert_ne!(run(command, b"").code, 0);
    }
    assert_eq!(names(), before);
    let kept = fs::read(bed.dir.join("work/kept.tar")).expect("is there");
    assert_eq!(kept, b"old\n");
    bed.hull(&words).ok();
    assert!(
        fs::metadata(bed.dir.join("work/kept.tar"))
            .expect("is there")
            .len()
            > 10_000
    );
    bed.hull(&["export", "-o", "/dev/null", "box"]).ok();
    let script = bed.shell("script -qec true /dev/null >/dev/null 2>&1 && echo yes");
    if script.stdout != "yes\n" {
        return skip("no script(1) to make a terminal with");
    }
    let hull = crate::process::words_of(&bed.hull_command(&["export", "box"]));
    let ran = bed.shell(&format!("script -qec '{hull}' /dev/null"));
    ran.stdout_has("cowardly refusing to save to a terminal. Use the -o flag or redirect");
}

/// The column of `history` under this heading, newest first.
fn history(bed: &Bed, image: &str, column: &str) -> Vec<String> {
    let template = format!("{{{{.{column}}}}}");
    let ran = bed.hull(&["history", "--no-trunc", "--format", &template, image]);
    ran.ok().lines().map(str::to_owned).collect()
}

fn a_committed_image_runs_and_says_how_it_was_made(bed: &Bed) {
    changed(bed);
    let words = [
        "commit",
        "-m",
        "a message",
        "-a",
        "An Author <a@b.c>",
        "box",
        "made:1",
    ];
    let id = bed.hull(&words).ok().to_owned();
    let hex = id.strip_prefix("sha256:").expect("an id");
    assert!(
        hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()),
        "{id}"
    );
    assert_eq!(
        bed.inspect("made:1", "{{.Id}} {{.Author}}"),
        format!("{id} An Author <a@b.c>")
    );
    let made_by = history(bed, "made:1", "CreatedBy");
    assert!(
        made_by[0].starts_with("sh -c set -e; echo new >/newfile"),
        "{made_by:?}"
    );
    assert_eq!(made_by.len(), 2, "{made_by:?}");
    assert_eq!(history(bed, "made:1", "Comment")[0], "a message");
    let look = "cat /newfile /deep/er/leaf /root/new; ls /etc/group; ls /root; stat -c %a /var";
    let seen = in_image(bed, "made:1", &["sh", "-c", look]);
    seen.stdout_is("new\nx\nn\nnew\n700\n");
}

fn what_is_committed_builds_on_what_was(bed: &Bed) {
    changed(bed);
    bed.hull(&["commit", "box", "made:1"]).ok();
    // The same changes on the same image are the same layer, and nothing is changed by it.
    bed.hull(&["container", "commit", "box"]).ok();
    bed.hull(&["commit", "box", "same:1"]).ok();
    let layers = |name: &str| bed.inspect(name, "{{json .RootFS.Layers}}");
    assert_eq!(layers("made:1"), layers("same:1"));
    bed.hull(&["diff", "box"]).fails(0).stdout_is(CHANGES);
    // Again, on what was made.
    finished(bed, "two", "made:1", "rm /newfile");
    bed.hull(&["commit", "two", "made:2"]).ok();
    let seen = in_image(bed, "made:2", &["ls", "/newfile", "/deep"]);
    seen.fails(1).stdout_is("/deep:\ner\n");
    assert_eq!(layers("made:2").matches("sha256").count(), 3);
    // One that changed nothing adds no layer.
    bed.hull(&["create", "--name", "none", "--network", "none", "made:2"])
        .ok();
    bed.hull(&["commit", "none", "made:3"]).ok();
    assert_eq!(layers("made:3"), layers("made:2"));
    assert_eq!(history(bed, "made:3", "CreatedBy").len(), 4);
    // The images outlive their containers and those below them.
    bed.hull(&["rm", "box", "two", "none"]).ok();
    bed.hull(&["rmi", "-f", "busybox:test", "made:1", "same:1"])
        .ok();
    let seen = in_image(bed, "made:2", &["cat", "/root/new"]);
    seen.fails(0).stdout_is("n\n");
    verify(&bed.store());
}

fn deletions_and_replaced_directories_are_committed(bed: &Bed) {
    let mut image = Image::busybox("base:1");
    let tree = Tree::default()
        .dir("d", 0o755)
        .file("d/old", 0o644, b"old")
        .dir("d/sub", 0o755)
        .file("d/sub/old", 0o644, b"old")
        .dir("e", 0o755)
        .file("e/file", 0o644, b"file")
        .file("f", 0o644, b"file");
    image.layers.push(tree.tar());
    bed.load(&image);
    let script = "rm -r /d; mkdir -m 711 /d; echo new >/d/new; rm -r /e; echo e >/e; \
                  rm /f; mkdir /f; echo g >/f/g; mv /f/g /f/h; chown 1000:50 /d/new || true";
    let words = [
        "run",
        "--name",
        "box",
        "--network",
        "none",
        "base:1",
        "sh",
        "-c",
        script,
    ];
    let ran = bed.hull(&words);
    ran.ok();
    bed.hull(&["commit", "box", "made:1"]).ok();
    let look = "ls -d /d/*; cat /e; ls /f; stat -c %a /d; stat -c %u:%g /d/new";
    let seen = in_image(bed, "made:1", &["sh", "-c", look]);
    seen.fails(0).stdout_is("/d/new\ne\nh\n711\n1000:50\n");
    let same = "D /d/old\nD /d/sub\nC /e\nC /f\n";
    let diff = bed.hull(&["diff", "box"]);
    diff.ok();
    for line in same.lines() {
        diff.stdout_has(line);
    }
    let words = [
        "run",
        "--name",
        "after",
        "--network",
        "none",
        "made:1",
        "true",
    ];
    bed.hull(&words).ok();
    bed.hull(&["diff", "after"]).fails(0).stdout_is("");
}

fn the_config_is_that_of_the_container(bed: &Bed) {
    let flags = [
        "run",
        "--name",
        "box",
        "--network",
        "none",
        "-e",
        "OWN=1",
        "-w",
        "/tmp",
        "-l",
    ];
    let words = ["who=me", "--stop-signal", "INT", "busybox:test", "true"];
    bed.hull(&[&flags[..], &words].concat()).ok();
    bed.hull(&["commit", "box", "plain:1"]).ok();
    let ask = |image: &str, what: &str| bed.inspect(image, &format!("{{{{json .Config.{what}}}}}"));
    assert!(ask("plain:1", "Env").contains("OWN=1"));
    assert_eq!(ask("plain:1", "WorkingDir"), "\"/tmp\"");
    assert_eq!(ask("plain:1", "Labels.who"), "\"me\"");
    assert_eq!(ask("plain:1", "Cmd"), "[\"true\"]");
    assert_eq!(ask("plain:1", "StopSignal"), "\"2\"");
}

fn changes_to_the_config_are_applied(bed: &Bed) {
    finished(bed, "box", "busybox:test", "true");
    let ask = |what: &str| bed.inspect("other:1", &format!("{{{{json .Config.{what}}}}}"));
    let changes = [
        "ENV OWN=1",
        "LABEL who=me",
        "WORKDIR /tmp",
        "ENTRYPOINT [\"echo\", \"said\"]",
        "ENV OWN=2 NEW=\"a b\"",
        "EXPOSE 80/tcp",
        "LABEL a=b",
        "ONBUILD RUN x",
        "USER 1000",
        "VOLUME /data",
        "WORKDIR sub",
        "STOPSIGNAL SIGKILL",
        "HEALTHCHECK --interval=5s CMD true",
    ];
    let mut words = vec!["commit"];
    for change in &changes {
        words.extend(["--change", change]);
    }
    words.extend(["box", "other:1"]);
    bed.hull(&words).ok();
    let table = [
        ("Entrypoint", "[\"echo\",\"said\"]"),
        ("Cmd", "null"),
        ("User", "\"1000\""),
        ("WorkingDir", "\"/tmp/sub\""),
        ("Labels", "{\"a\":\"b\",\"who\":\"me\"}"),
        ("ExposedPorts", "{\"80/tcp\":{}}"),
        ("Volumes", "{\"/data\":{}}"),
        ("OnBuild", "[\"RUN x\"]"),
        ("StopSignal", "\"SIGKILL\""),
    ];
    for (field, wanted) in table {
        assert_eq!(ask(field), wanted, "{field}");
    }
    let env = ask("Env");
    assert!(
        env.contains("OWN=2") && env.contains("NEW=a b") && !env.contains("OWN=1"),
        "{env}"
    );
    let ran = bed.hull(&[
        "run",
        "--rm",
        "--network",
        "none",
        "-u",
        "0",
        "other:1",
        "words",
    ]);
    ran.fails(0).stdout_is("said words\n");
    let ran = bed.hull(&["commit", "-c", "RUN x", "box"]);
    ran.fails(1).one_error_line().stderr_has("change \"RUN x\"");
}

fn the_container_is_frozen_while_it_is_read(bed: &Bed) {
    // A program that writes two files, one after the other, for ever: frozen they are equal or the
    // second is one behind.
    let script = "i=0; while :; do i=$((i+1)); echo $i >/a; echo $i >/b; done";
    bed.detached(&["--name", "box"], &["sh", "-c", script]);
    let status = || bed.inspect("box", "{{.State.Status}}");
    let pausable = bed.hull(&["pause", "box"]).code == 0;
    if pausable {
        bed.hull(&["commit", "box", "frozen:1"]).ok();
        assert_eq!(status(), "paused", "it stays as it was");
        bed.hull(&["unpause", "box"]).ok();
    }
    for flag in ["--pause", "--no-pause", "--pause=false", "-p=false"] {
        bed.hull(&["commit", flag, "box", "made:1"]).ok();
        assert_eq!(status(), "running", "{flag}");
    }
    if !pausable {
        return skip("nothing can be paused here");
    }
    for _ in 0..10 {
        bed.hull(&["commit", "box", "made:1"]).ok();
        let words = [
            "run",
            "--rm",
            "--network",
            "none",
            "made:1",
            "cat",
            "/a",
            "/b",
        ];
        let ran = bed.hull(&words);
        let numbers: Vec<i64> = ran.ok().lines().flat_map(str::parse).collect();
        let behind = numbers[0] - numbers.get(1).copied().unwrap_or(numbers[0] - 1);
        ran.expect((0..=1).contains(&behind), "two files of one moment");
    }
    // Killed in the middle: the container goes on.
    let log = bed.dir.join("trace");
    let kill = [
        "-e",
        "trace=syncfs,mkdirat,openat",
        "-e",
        "inject=openat:signal=SIGKILL:when=90",
    ];
    for _ in 0..3 {
        let Some(command) = traced(bed, &kill, &log, &["commit", "box", "killed:1"]) else {
            return;
        };
        run(command, b"");
        wait_until("it runs again", || status() == "running");
    }
    sweep(bed);
}

fn a_squashed_image_has_one_layer(bed: &Bed) {
    changed(bed);
    bed.hull(&["commit", "-q", "-s", "box", "flat:1"]).ok();
    let layers = bed.inspect("flat:1", "{{json .RootFS.Layers}}");
    assert_eq!(layers.matches("sha256").count(), 1, "{layers}");
    bed.hull(&["rm", "box"]).ok();
    bed.hull(&["rmi", "busybox:test"]).ok();
    let look = "cat /newfile; ls /etc/group /root";
    let seen = in_image(bed, "flat:1", &["sh", "-c", look]);
    seen.fails(1).stdout_is("new\n/root:\nnew\n");
}

fn what_cannot_be_committed_is_named(bed: &Bed) {
    bed.hull(&[
        "create",
        "--name",
        "box",
        "--network",
        "none",
        "busybox:test",
    ])
    .ok();
    let digest = format!("name@sha256:{}", "0".repeat(64));
    let table: [(&[&str], &str); 4] = [
        (&["nobody"], "No such container: nobody"),
        (&["box", "UPPER:1"], "must be lowercase"),
        (
            &["box", &digest],
            "refusing to create a tag with a digest reference",
        ),
        (&["box", "name:"], "invalid reference format"),
    ];
    for (words, message) in table {
        let ran = bed.hull(&[&["commit"], words].concat());
        ran.fails(1).one_error_line().stderr_has(message);
    }
    let ran = bed.hull(&["container", "commit", "box", "name", "tag"]);
    ran.fails(1)
        .stderr_has("requires at least 1 and at most 2 arguments");
    let ran = bed.hull(&["images", "-q"]);
    assert_eq!(ran.ok().lines().count(), 1, "nothing was made");
}

fn f6_commit_killed_anywhere_leaves_old_tags_intact(bed: &Bed) {
    const CHANGES: &str = "trace=openat,openat2,mkdir,mkdirat,write,pwrite64,rename,renameat,\
                           renameat2,flock,fsync,syncfs,unlink,unlinkat,fchmod,fsetxattr,mknodat";
    changed(bed);
    bed.hull(&["commit", "box", "made:1"]).ok();
    let old = bed.inspect("made:1", "{{.Id}}");
    let commit = ["commit", "-m", "again", "box", "made:1"];
    let log = bed.dir.join("trace");
    let Some(untouched) = traced(bed, &["-e", CHANGES], &log, &commit) else {
        return;
    };
    let words = [
        "run",
        "--rm",
        "--network",
        "none",
        "made:1",
        "cat",
        "/newfile",
    ];
    let mut seed = Seed::new();
    for (name, number) in seed.choose(points(&log_of(untouched, &log)), 25) {
        bed.hull(&["rmi", "-f", "made:1"]).ok();
        bed.hull(&["commit", "box", "made:1"]).ok();
        let before = bed.inspect("made:1", "{{.Id}}");
        let at = format!("inject={name}:signal=SIGKILL:when={number}");
        let mut killed = traced(bed, &["-e", CHANGES, "-e", &at], &log, &commit).expect("worked");
        killed.stderr(Stdio::null());
        let killed = run(killed, b"");
        let after = bed.inspect("made:1", "{{.Id}}");
        killed.expect(
            killed.code != 0 || after != before,
            &format!("{at}: success is a new image"),
        );
        let seen = bed.hull(&words);
        seen.expect(
            seen.stdout == "new\n",
            &format!("{at}: the tag names a whole image"),
        );
        verify(&bed.store());
    }
    assert_ne!(old, "");
    bed.hull(&commit).ok();
    sweep(bed);
    let left = fs::read_dir(tmp_of(&bed.store())).expect("lists").count();
    assert_eq!(left, 0, "stages are swept");
    bed.hull(&["diff", "box"]).fails(0);
}

/// Runs the untouched command, and says where its calls are written.
fn log_of(command: std::process::Command, log: &Path) -> std::path::PathBuf {
    run(command, b"").ok();
    log.to_owned()
}

/// The staging directory of this boot.
fn tmp_of(store: &Path) -> std::path::PathBuf {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("linux");
    store.join("tmp").join(boot.trim())
}
