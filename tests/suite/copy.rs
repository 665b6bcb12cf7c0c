//! `cp`, in both directions, of containers in every state.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::bed::{Bed, Who, skip};

each_who!(
    files_and_trees_go_both_ways_in_every_state,
    copies_go_where_docker_puts_them,
    copies_come_out_where_docker_puts_them,
    what_cannot_be_copied_is_named,
    tar_streams_go_both_ways,
    binds_are_entered_running_or_not,
);
root_and_user!(
    owners_are_root_inside_and_the_caller_outside,
    links_are_copied_or_followed,
    modes_times_and_names_survive,
    the_message_is_for_terminals,
    read_only_places_stay_as_they_are,
    a_copied_tree_may_hold_thousands_of_files,
    a_stopped_container_starts_after_a_copy,
);

/// Calls `check` with a container in each state.
fn in_every_state(bed: &Bed, check: impl Fn(&str)) {
    for state in ["created", "running", "paused", "exited"] {
        let name = format!("box-{state}");
        let words = [
            "create",
            "--name",
            &name,
            "--network",
            "none",
            "busybox:test",
            "sleep",
            "60",
        ];
        bed.hull(&words).ok();
        if state != "created" {
            bed.hull(&["start", &name]).ok();
        }
        match state {
            "paused" => {
                let paused = bed.hull(&["pause", &name]);
                if paused.code != 0 {
                    skip("nothing can be paused here");
                    bed.hull(&["rm", "-f", &name]).ok();
                    continue;
                }
            }
            "exited" => drop(bed.hull(&["stop", "-t", "0", &name]).ok()),
            _ => {}
        }
        check(&name);
        let after = bed.inspect(&name, "{{.State.Status}}");
        assert_eq!(after, state, "the state is what it was");
        bed.hull(&["rm", "-f", &name]).ok();
    }
}

/// A directory in the bed's work directory, of the bed's account.
fn directory(bed: &Bed, name: &str) -> PathBuf {
    let path = bed.dir.join("work").join(name);
    fs::create_dir_all(&path).expect("made");
    bed.give(&path);
    path
}

fn text(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files_and_trees_go_both_ways_in_every_state(bed: &Bed) {
    bed.file("note", b"from outside\n");
    let tree = directory(bed, "tree");
    directory(bed, "tree/deep/er");
    bed.file("tree/deep/er/leaf", b"a leaf\n");
    symlink("deep/er/leaf", tree.join("link")).expect("linked");
    in_every_state(bed, |name| {
        let at = |path: &str| format!("{name}:{path}");
        bed.hull(&["cp", "note", &at("/tmp/note")])
            .fails(0)
            .stdout_is("");
        bed.hull(&["container", "cp", "tree", &at("tmp")]).ok();
        let back = bed.dir.join("work").join(format!("back-{name}"));
        let shown = back.display().to_string();
        bed.hull(&["cp", &at("/tmp"), &shown]).ok();
        assert_eq!(text(back.join("note")), "from outside\n");
        assert_eq!(text(back.join("tree/deep/er/leaf")), "a leaf\n");
        let link = fs::read_link(back.join("tree/link")).expect("a link");
        assert_eq!(link, Path::new("deep/er/leaf"));
        let busybox = bed.dir.join("work/busybox");
        bed.hull(&["cp", &at("/bin/busybox"), "busybox"]).ok();
        let same = fs::read(&busybox).expect("copied") == fs::read("/bin/busybox").expect("is");
        assert!(same, "a file of the image arrives whole");
    });
}

fn copies_go_where_docker_puts_them(bed: &Bed) {
    // Rules of `docker cp` (docs.docker.com/reference/cli/docker/container/cp), as a table: what
    // is copied, where to, and which file is there afterwards.
    bed.detached(&["--name", "box"], &["sleep", "60"]);
    bed.file("f", b"f\n");
    directory(bed, "d/sub");
    bed.file("d/sub/x", b"x\n");
    bed.file("a:b", b"colon\n");
    let make = "rm -rf /t; mkdir -p /t/dir; echo old >/t/file; ln -s dir /t/to-dir; \
                ln -s file /t/to-file; ln -s made /t/to-nothing";
    let table = [
        ("f", "/t/new", "/t/new"),
        ("f", "/t/file", "/t/file"),
        ("f", "/t/dir", "/t/dir/f"),
        ("f", "/t/dir/", "/t/dir/f"),
        ("f", "/t/to-dir", "/t/dir/f"),
        ("f", "/t/to-file", "/t/file"),
        ("f", "/t/to-nothing", "/t/made"),
        ("f", "t/dir/../new", "/t/new"),
        ("f", "/../../t/new", "/t/new"),
        ("d", "/t/new", "/t/new/sub/x"),
        ("d", "/t/new/", "/t/new/sub/x"),
        ("d/", "/t/dir", "/t/dir/d/sub/x"),
        ("d", "/t/dir", "/t/dir/d/sub/x"),
        ("d/.", "/t/dir", "/t/dir/sub/x"),
        ("d/.", "/t/new", "/t/new/sub/x"),
        ("d", "/t/to-dir", "/t/dir/d/sub/x"),
        ("./a:b", "/t/dir", "/t/dir/a:b"),
    ];
    for (source, target, there) in table {
        bed.hull(&["exec", "box", "sh", "-c", make]).ok();
        bed.hull(&["cp", source, &format!("box:{target}")]).ok();
        let read = bed.hull(&["exec", "box", "cat", there]);
        let wanted = match there.rsplit('/').next() {
            Some("x") => "x\n",
            Some("a:b") => "colon\n",
            _ => "f\n",
        };
        read.expect(
            read.stdout == wanted,
            &format!("{source} to {target} is {there}"),
        );
        let links = "for l in dir file nothing; do readlink /t/to-$l; done";
        let links = bed.hull(&["exec", "box", "sh", "-c", links]);
        links.fails(0).stdout_is("dir\nfile\nmade\n");
    }
}

fn copies_come_out_where_docker_puts_them(bed: &Bed) {
    bed.detached(&["--name", "box"], &["sleep", "60"]);
    bed.hull(&[
        "exec",
        "box",
        "sh",
        "-c",
        "mkdir -p /s/sub; echo x >/s/sub/x; ln -s s /l",
    ])
    .ok();
    let work = bed.dir.join("work");
    let table = [
        ("/s/sub/x", "out/new", "out/new"),
        ("/s/sub/x", "out", "out/x"),
        ("/s", "out/new", "out/new/sub/x"),
        ("/s", "out", "out/s/sub/x"),
        ("/s/.", "out", "out/sub/x"),
        ("s/", "out/", "out/s/sub/x"),
        ("/l/.", "out", "out/sub/x"),
        ("/l/", "out", "out/l/sub/x"),
    ];
    for (source, target, there) in table {
        let _ = fs::remove_dir_all(work.join("out"));
        directory(bed, "out");
        bed.hull(&["cp", &format!("box:{source}"), target]).ok();
        assert_eq!(text(work.join(there)), "x\n", "{source} to {target}");
    }
}

fn what_cannot_be_copied_is_named(bed: &Bed) {
    bed.detached(&["--name", "box"], &["sleep", "60"]);
    bed.file("f", b"f\n");
    directory(bed, "d");
    let work = bed.dir.join("work").display().to_string();
    let lstat = format!("lstat {work}/nope: no such file or directory");
    let no_place = format!("invalid output path: directory \"{work}/no\" does not exist");
    let table: [(&[&str], &str); 16] = [
        (
            &["box:/nope", "."],
            "Could not find the file /nope in container box",
        ),
        (
            &["box:/nope/x", "."],
            "Could not find the file /nope/x in container box",
        ),
        (&["nope", "box:/"], &lstat),
        (
            &["f", "box:/no/such"],
            "Could not find the file /no in container box",
        ),
        (&["f", "box:/new/"], "no such directory"),
        (&["d", "box:/etc/passwd"], "cannot copy directory"),
        (&["f", "box:/etc/passwd/"], "not a directory"),
        (&["box:/etc/passwd", "no/such"], &no_place),
        (&["box:/etc", "f"], "cannot copy directory"),
        (&["box:/etc/passwd", "new/"], "no such directory"),
        (
            &["box:/etc/passwd", "box:/x"],
            "copying between containers is not supported",
        ),
        (&["f", "d"], "must specify at least one container source"),
        (&["nobody:/x", "."], "No such container: nobody"),
        (
            &["-", "box:/etc/passwd"],
            "destination \"box:/etc/passwd\" must be a directory",
        ),
        (
            &["box:/etc/passwd", "/dev/null"],
            "must be a directory or a regular file",
        ),
        (
            &["f", "box:/dev/null"],
            "must be a directory or a regular file",
        ),
    ];
    for (words, message) in table {
        let ran = bed.hull(&[&["cp"], words].concat());
        ran.fails(1).one_error_line().stderr_has(message);
    }
    bed.hull(&["cp", "f"]).stderr_has("requires 2 arguments");
    // A directory and a file never replace each other, deep inside neither.
    directory(bed, "d/passwd");
    let ran = bed.hull(&["cp", "d/.", "box:/etc"]);
    ran.fails(1)
        .one_error_line()
        .stderr_has("cannot overwrite non-directory /etc/passwd");
    bed.file("tmp", b"");
    let ran = bed.hull(&["cp", "tmp", "box:/"]);
    ran.fails(1)
        .stderr_has("cannot overwrite directory /tmp with non-directory");
}

fn tar_streams_go_both_ways(bed: &Bed) {
    bed.detached(
        &["--name", "box"],
        &["sh", "-c", "mkdir -p /s/d; echo x >/s/d/x; sleep 60"],
    );
    bed.hull(&["cp", "box:/bin/sh", "sh"]).ok();
    let script = "
        set -e
        until hull exec box cat /s/d/x; do sleep 0.1; done
        hull cp box:/s - | tar -t
        hull cp box:/s/. - | tar -t
        hull cp box:/s/d/x - | tar -xO
        mkdir in; echo new >in/file; ln in/file in/same; ln -s /s/d in/link
        tar -c in | hull cp - box:/s
        tar -cz -C in . | hull cp - box:/s/d
        hull exec box sh -c 'cat /s/in/same; cat /s/d/file; readlink /s/in/link; ls /s/d'
    ";
    let lists = "x\ns/\ns/d/\ns/d/x\n./\n./d/\n./d/x\nx\n";
    let inside = "new\nnew\n/s/d\nfile\nlink\nsame\nx\n";
    bed.shell(script)
        .fails(0)
        .stdout_is(&format!("{lists}{inside}"));
    // A stream that is cut off is refused; what names the outside stays inside.
    let cut = bed.shell("tar -c in | head -c 700 | hull cp - box:/s");
    cut.fails(1).stderr_has("truncated");
    let up = bed.shell("tar -cP --transform 's,^in/,../../up/,' in | hull cp - box:/s");
    up.fails(1).stderr_has("contains \"..\"");
    bed.hull(&["stop", "-t", "0", "box"]).ok();
    bed.shell("tar -c in | hull cp - box:/tmp && hull cp box:/tmp/in/file - | tar -xO")
        .fails(0)
        .stdout_is("new\n");
}

fn owners_are_root_inside_and_the_caller_outside(bed: &Bed) {
    bed.detached(&["--name", "box"], &["sleep", "60"]);
    let file = bed.file("mine", b"mine\n");
    let mine = fs::metadata(&file).expect("is there").uid();
    bed.hull(&["cp", "mine", "box:/plain"]).ok();
    bed.hull(&["cp", "-a", "mine", "box:/kept"]).ok();
    let owners = bed.hull(&["exec", "box", "stat", "-c", "%u:%g", "/plain", "/kept"]);
    // Without root the caller is root of the container's namespace.
    owners.fails(0).stdout_is("0:0\n0:0\n");
    if bed.who == Who::Root {
        std::os::unix::fs::chown(&file, Some(1234), Some(4321)).expect("changed");
        bed.hull(&["cp", "mine", "box:/plain"]).ok();
        bed.hull(&["cp", "-a", "mine", "box:/kept"]).ok();
        let owners = bed.hull(&["exec", "box", "stat", "-c", "%u:%g", "/plain", "/kept"]);
        owners.fails(0).stdout_is("0:0\n1234:4321\n");
    }
    bed.hull(&[
        "exec",
        "box",
        "sh",
        "-c",
        "echo g >/guest; chown 1000:50 /guest",
    ])
    .ok();
    bed.hull(&["cp", "box:/guest", "plain"]).ok();
    bed.hull(&["cp", "-a", "box:/guest", "kept"]).ok();
    let owner = |name: &str| {
        let metadata = fs::metadata(bed.dir.join("work").join(name)).expect("copied");
        (metadata.uid(), metadata.gid())
    };
    assert_eq!(owner("plain").0, mine);
    if bed.who == Who::Root {
        assert_eq!(owner("kept"), (1000, 50));
    } else {
        assert!(owner("kept").0 > 65_535, "{:?}", owner("kept"));
    }
}

fn links_are_copied_or_followed(bed: &Bed) {
    let make = "mkdir /s; echo x >/s/x; ln -s /s/x /abs; ln -s s /dir; ln -s nowhere /dangling; \
                sleep 60";
    bed.detached(&["--name", "box"], &["sh", "-c", make]);
    let work = bed.dir.join("work");
    let script = "until hull exec box readlink /dangling; do sleep 0.1; done >/dev/null
        mkdir out; for f in abs dir dangling; do hull cp box:/$f out; done
        mkdir followed; for f in abs dir; do hull cp -L box:/$f followed; done
        hull cp -L box:/dangling followed";
    bed.shell(script)
        .fails(1)
        .stderr_has("Could not find the file /dangling");
    let link = |name: &str| fs::read_link(work.join(name)).expect(name);
    assert_eq!(link("out/abs"), Path::new("/s/x"));
    assert_eq!(link("out/dir"), Path::new("s"));
    assert_eq!(link("out/dangling"), Path::new("nowhere"));
    assert_eq!(text(work.join("followed/abs")), "x\n");
    assert_eq!(text(work.join("followed/dir/x")), "x\n");
    bed.shell("echo y >y; ln -s y z; hull cp z box:/; hull cp --follow-link z box:/tmp/")
        .ok();
    let seen = bed.hull(&["exec", "box", "sh", "-c", "readlink /z; cat /tmp/z"]);
    seen.fails(0).stdout_is("y\ny\n");
}

fn modes_times_and_names_survive(bed: &Bed) {
    let tree = directory(bed, "tree");
    let odd = tree.join("new\nline \u{e4} \\ \u{1b}[31m");
    fs::write(&odd, "odd").expect("written");
    fs::set_permissions(&odd, fs::Permissions::from_mode(0o4751)).expect("mode");
    fs::hard_link(&odd, tree.join("second")).expect("linked");
    let holes = fs::File::create(tree.join("holes")).expect("made");
    holes.set_len(1 << 30).expect("grows");
    for path in [&odd, &tree.join("holes"), &tree] {
        bed.give(path);
    }
    fs::set_permissions(&odd, fs::Permissions::from_mode(0o4751)).expect("mode");
    bed.shell("touch -d 2001-02-03T04:05:06Z tree/* tree; chmod 1750 tree")
        .ok();
    bed.detached(&["--name", "box"], &["sleep", "60"]);
    bed.hull(&["cp", "tree", "box:/tree"]).ok();
    let ask = "stat -c '%a %h %Y %s' /tree /tree/*; du -k /tree/holes";
    let asked = bed.hull(&["exec", "box", "sh", "-c", ask]).ok().to_owned();
    let lines: Vec<&str> = asked.lines().collect();
    let time = "981173106";
    assert!(
        lines[0].starts_with("1750 ") && lines[0].contains(time),
        "{asked}"
    );
    assert_eq!(lines[1], format!("644 1 {time} 1073741824"), "{asked}");
    assert_eq!(lines[2], format!("4751 2 {time} 3"), "{asked}");
    assert_eq!(lines[3], lines[2], "{asked}");
    assert!(lines[4].starts_with("0\t"), "holes stay holes: {asked}");
    bed.hull(&["cp", "box:/tree", "back"]).ok();
    let back = bed.dir.join("work/back");
    let metadata = fs::metadata(back.join("second")).expect("copied");
    assert_eq!((metadata.nlink(), metadata.mtime()), (2, 981_173_106));
    assert_eq!(
        metadata.mode() & 0o7777,
        0o751,
        "set-id bits go only with -a"
    );
    assert!(fs::metadata(back.join("holes")).expect("copied").blocks() < 64);
}

fn the_message_is_for_terminals(bed: &Bed) {
    bed.detached(&["--name", "box"], &["sleep", "60"]);
    bed.file("f", b"f\n");
    let work = bed.dir.join("work").display().to_string();
    let quiet = bed.hull(&["cp", "f", "box:/f"]);
    quiet.expect(quiet.ok().is_empty() && quiet.stderr.is_empty(), "silence");
    // Docker counts the tar that it sends: a header, a block and two at the end.
    let told = bed.hull(&["cp", "--quiet=false", "f", "box:/f"]);
    told.fails(0).stdout_is("");
    told.expect(
        told.stderr == "Successfully copied 2.05kB to box:/f\n",
        "Docker's words",
    );
    let told = bed.hull(&["cp", "--quiet=false", "box:/f", "out"]);
    let words = format!("Successfully copied 2.05kB to {work}/out\n");
    told.expect(told.stderr == words, &words);
    let ran = bed.shell("script -qec 'true' /dev/null >/dev/null 2>&1 && echo yes || echo no");
    if ran.ok() != "yes" {
        return skip("no script(1) to make a terminal with");
    }
    let hull = bed.hull_command(&["cp", "f", "box:/f"]);
    let words = crate::process::words_of(&hull);
    let ran = bed.shell(&format!("script -qec '{words}' /dev/null"));
    ran.fails(0)
        .stdout_has("Successfully copied 2.05kB to box:/f");
    let ran = bed.shell(&format!("script -qec '{words} -q' /dev/null"));
    ran.expect(!ran.stdout.contains("Successfully"), "silence");
}

fn binds_are_entered_running_or_not(bed: &Bed) {
    let host = directory(bed, "host");
    bed.file("host/there", b"there\n");
    let file = bed.file("single", b"single\n");
    let volume = format!("{}:/vol", host.display());
    let single = format!("{}:/etc/single", file.display());
    let run = ["--name", "box", "-v", &volume, "-v", &single];
    bed.detached(&run, &["sh", "-c", "echo hidden >/tmp/h; sleep 60"]);
    directory(bed, "deep/vol");
    bed.file("deep/vol/merged", b"merged\n");
    for state in ["running", "stopped"] {
        if state == "stopped" {
            bed.hull(&["stop", "-t", "0", "box"]).ok();
        }
        bed.file("f", state.as_bytes());
        bed.hull(&["cp", "f", &format!("box:/vol/{state}")]).ok();
        assert_eq!(text(host.join(state)), state, "written to the volume");
        bed.hull(&["cp", "box:/vol/there", "out"]).ok();
        assert_eq!(text(bed.dir.join("work/out")), "there\n");
        bed.hull(&["cp", "f", "box:/etc/single"]).ok();
        assert_eq!(text(&file), state, "a mounted file is written in its place");
        if state == "running" {
            let seen = bed.hull(&["exec", "box", "cat", "/etc/single"]);
            seen.fails(0).stdout_is(state);
            // What cannot be written in its place is left alone.
            bed.shell("ln -sf f link; mkdir -p etc; ln -sf x etc/single")
                .ok();
            bed.hull(&["cp", "etc/.", "box:/etc"])
                .fails(1)
                .stderr_has("busy");
            bed.shell("tar -C etc -c single | hull cp - box:/etc")
                .fails(1)
                .stderr_has("busy");
            bed.hull(&["exec", "box", "cat", "/etc/single"])
                .fails(0)
                .stdout_is(state);
        }
        // A tree that has the mount in it.
        let whole = format!("whole-{state}");
        bed.hull(&["cp", "box:/", &whole]).ok();
        let whole = bed.dir.join("work").join(whole);
        assert_eq!(text(whole.join("vol/there")), "there\n");
        fs::remove_dir_all(whole).expect("removed");
        let _ = fs::remove_file(host.join("merged"));
        bed.hull(&["cp", "deep/.", "box:/"]).ok();
        assert_eq!(text(host.join("merged")), "merged\n");
        bed.shell("tar -c single | hull cp - box:/vol").ok();
        assert_eq!(text(host.join("single")), state);
    }
    let below = bed.hull(&["diff", "box"]).ok().to_owned();
    assert!(
        !below.contains("vol"),
        "nothing was written below the mount: {below}"
    );
}

fn read_only_places_stay_as_they_are(bed: &Bed) {
    let host = directory(bed, "host");
    let volume = format!("{}:/vol:ro", host.display());
    let writable = format!("{}:/rw", directory(bed, "rw").display());
    let flags = [
        "--name",
        "box",
        "--read-only",
        "-v",
        &volume,
        "-v",
        &writable,
    ];
    bed.detached(&flags, &["sleep", "60"]);
    bed.file("f", b"f\n");
    for _state in ["running", "stopped"] {
        let ran = bed.hull(&["cp", "f", "box:/f"]);
        ran.fails(1)
            .one_error_line()
            .stderr_has("container rootfs is marked read-only");
        let ran = bed.hull(&["cp", "f", "box:/vol/f"]);
        ran.fails(1).one_error_line().stderr_has("marked read-only");
        bed.hull(&["cp", "f", "box:/rw/f"]).ok();
        bed.hull(&["stop", "-t", "0", "box"]).ok();
    }
    assert!(fs::read_dir(host).expect("lists").next().is_none());
}

fn a_copied_tree_may_hold_thousands_of_files(bed: &Bed) {
    bed.detached(&["--name", "box"], &["sleep", "60"]);
    let make = "mkdir -p t/{1..20}; for d in t/*; do touch $d/{1..100}; done; \
                p=t; for i in $(seq 300); do p=$p/d; done; mkdir -p $p";
    let mut command = bed.command(Path::new("/bin/bash"));
    command.arg("-c").arg(make);
    crate::process::run(command, b"").ok();
    bed.hull(&["cp", "t", "box:/t"]).ok();
    bed.hull(&["cp", "box:/t", "back"]).ok();
    let count = bed.shell("diff -r t back && find back | wc -l");
    count.fails(0).stdout_is("2321\n");
}

fn a_stopped_container_starts_after_a_copy(bed: &Bed) {
    let words = [
        "create",
        "--name",
        "box",
        "--network",
        "none",
        "busybox:test",
        "cat",
        "/f",
    ];
    bed.hull(&words).ok();
    bed.file("f", b"put\n");
    // Many at once: each is whole, and the start waits for the one under way.
    let script = "for i in 1 2 3 4 5 6; do hull cp f box:/f & done; hull start -a box; wait; \
                  hull start -a box; ls $0";
    let mut command = bed.command(Path::new("/bin/sh"));
    let hull = bed.hull_command::<&str>(&[]);
    let function = format!("hull() {{ {} \"$@\"; }}\n", crate::process::words_of(&hull));
    command
        .arg("-c")
        .arg(function + script)
        .arg(bed.run_dir().join("c"));
    let ran = crate::process::run(command, b"");
    ran.expect(
        ran.stdout.ends_with("put\n"),
        "the file is there, the run directory is not",
    );
}
