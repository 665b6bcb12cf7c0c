//! What the engine does around a container: replacing, files with ids, environment, clean-up.

use crate::bed::Bed;

root_and_user!(
    a_name_is_taken_over_with_replace,
    ids_of_processes_are_written,
    the_id_file_is_recorded,
    the_image_goes_with_rmi,
    the_umask_holds_for_exec_too,
    variables_of_the_caller_and_the_image,
    an_entry_point_may_be_a_list,
    systemd_gets_what_it_wants,
    volumes_of_the_image_may_be_scratch,
    read_only_roots_may_have_scratch_places,
    ulimits_of_the_caller,
    exec_has_dockers_codes,
);

fn a_name_is_taken_over_with_replace(bed: &Bed) {
    let first = bed.detached(&["--name", "ctr"], &["sleep", "1000"]);
    let second = bed.detached(&["--replace", "--name", "ctr"], &["sleep", "1000"]);
    let all = bed.hull(&["ps", "-aq", "--no-trunc"]);
    assert_eq!(all.ok(), second);
    assert_ne!(first, second);
    bed.run_rm(&["--replace"], &["true"])
        .fails(125)
        .stderr_has("cannot replace container without --name being set");
}

fn ids_of_processes_are_written(bed: &Bed) {
    let at = |name: &str| bed.dir.join("work").join(name);
    let (pid, monitor) = (at("pid"), at("monitor"));
    let flags = [
        "--name",
        "ctr",
        "--pidfile",
        pid.to_str().expect("is text"),
        "--conmon-pidfile",
        monitor.to_str().expect("is text"),
    ];
    bed.detached(&flags, &["sleep", "1000"]);
    let written = std::fs::read_to_string(pid).expect("was written");
    assert_eq!(written, bed.inspect("ctr", "{{.State.Pid}}"));
    let monitor = std::fs::read_to_string(monitor).expect("was written");
    let stat = std::fs::read_to_string(format!("/proc/{written}/stat")).expect("runs");
    let parent = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.split(' ').nth(1));
    assert_eq!(parent, Some(monitor.as_str()));
}

fn the_id_file_is_recorded(bed: &Bed) {
    let file = bed.dir.join("work/id");
    let text = file.to_str().expect("is text");
    let create = ["create", "--name", "ctr", "--cidfile", text, "busybox:test"];
    let id = bed.hull(&create).ok().to_owned();
    assert_eq!(std::fs::read_to_string(&file).expect("was written"), id);
    assert_eq!(bed.inspect("ctr", "{{.HostConfig.ContainerIDFile}}"), text);
    bed.hull(&["create", "--cidfile", text, "busybox:test"])
        .fails(125)
        .stderr_has("container ID file found, make sure the other container isn't running");
}

fn the_image_goes_with_rmi(bed: &Bed) {
    bed.hull(&["tag", "busybox:test", "other:one"]).ok();
    let run = |image: &str| {
        let words = ["run", "--rmi", "--network", "none", image, "echo", "ran"];
        bed.hull(&words)
    };
    run("other:one").fails(0).stdout_is("ran\n");
    bed.hull(&["image", "exists", "other:one"]).fails(1);
    bed.hull(&["create", "--name", "keeps", "busybox:test"])
        .ok();
    run("busybox:test").fails(0).stdout_is("ran\n");
    bed.hull(&["image", "exists", "busybox:test"]).ok();
    bed.hull(&["run", "-d", "--rmi", "busybox:test"])
        .fails(125)
        .stderr_has("conflicting options: cannot specify both --rmi and --detach");
}

fn the_umask_holds_for_exec_too(bed: &Bed) {
    bed.detached(&["--name", "ctr", "--umask", "0077"], &["sleep", "1000"]);
    let ran = bed.hull(&["exec", "ctr", "sh", "-c", "umask"]);
    assert_eq!(ran.ok(), "0077");
    assert_eq!(bed.inside(&[], &["sh", "-c", "umask"]), "0022");
    for bad in ["8", "0o77", "01777", ""] {
        bed.run_rm(&["--umask", bad], &["true"])
            .fails(125)
            .stderr_has("invalid umask string");
    }
}

fn variables_of_the_caller_and_the_image(bed: &Bed) {
    let env = |flags: &[&str]| {
        let head = ["run", "--rm", "--network", "none"];
        let words = [&head, flags, &["busybox:test", "/bin/busybox", "env"]].concat();
        let mut command = bed.hull_command(&words);
        command.env("MINE_A", "a").env("MINE_B", "b");
        command.env("https_proxy", "http://192.0.2.1:3128");
        let ran = crate::process::run(command, b"");
        format!("\n{}\n", ran.ok())
    };
    let plain = env(&[]);
    assert!(
        !plain.contains("MINE_") && !plain.contains("proxy"),
        "{plain}"
    );
    let globbed = env(&["-e", "MINE_*"]);
    assert!(
        globbed.contains("\nMINE_A=a\n") && globbed.contains("\nMINE_B=b\n"),
        "{globbed}"
    );
    let all = env(&["--env-host", "-e", "MINE_A=given"]);
    assert!(
        all.contains("\nMINE_A=given\n") && all.contains("\nMINE_B=b\n"),
        "{all}"
    );
    let proxy = env(&["--http-proxy"]);
    assert!(
        proxy.contains("\nhttps_proxy=http://192.0.2.1:3128\n"),
        "{proxy}"
    );
    let merged = env(&["--env-merge", "PATH=/first:${PATH}"]);
    assert!(merged.contains("\nPATH=/first:/"), "{merged}");
    let gone = env(&["--unsetenv", "PATH", "--unsetenv", "HOME"]);
    assert!(
        !gone.contains("\nPATH=") && !gone.contains("\nHOME="),
        "{gone}"
    );
    assert_eq!(env(&["--unsetenv-all", "-e", "ONLY=1"]), "\nONLY=1\n");
    let removed = env(&["-e", "PATH"]);
    assert!(removed.contains("\nPATH="), "the engine's own: {removed}");
}

fn an_entry_point_may_be_a_list(bed: &Bed) {
    let list = "[\"echo\", \"a b\"]";
    assert_eq!(bed.inside(&["--entrypoint", list], &["c"]), "a b c");
    bed.run_rm(&["--entrypoint", "[not json"], &[])
        .fails(127)
        .stderr_has("[not json");
}

fn systemd_gets_what_it_wants(bed: &Bed) {
    let script = "for d in /run /run/lock /tmp /var/log/journal; do grep -c \" $d tmpfs \" \
                  /proc/mounts; done; echo $container_uuid | wc -c";
    let words = ["sh", "-c", script];
    assert_eq!(
        bed.inside(&["--systemd", "always"], &words),
        "1\n1\n1\n1\n33"
    );
    let none = bed.run_rm(&["--systemd", "true"], &words);
    assert_eq!(none.stdout, "0\n0\n0\n0\n1\n", "only if it is the command");
    let create = [
        "create",
        "--name",
        "ctr",
        "--systemd",
        "true",
        "busybox:test",
        "/sbin/init",
    ];
    bed.hull(&create).ok();
    let signal = bed.inspect("ctr", "{{.Config.StopSignal}}");
    assert_eq!(signal, "SIGRTMIN+3");
    bed.run_rm(&["--systemd", "maybe"], &["true"])
        .fails(125)
        .stderr_has("invalid --systemd");
}

fn volumes_of_the_image_may_be_scratch(bed: &Bed) {
    let mut image = crate::images::Image::busybox("volumes");
    image.config["Volumes"] = serde_json::json!({"/scratch": {}});
    bed.load(&image);
    let mounted = |mode: &str| {
        let words = [
            "run",
            "--rm",
            "--network",
            "none",
            "--image-volume",
            mode,
            "volumes",
            "sh",
            "-c",
            "grep -c ' /scratch tmpfs ' /proc/mounts || true",
        ];
        bed.hull(&words).ok().to_owned()
    };
    assert_eq!(mounted("tmpfs"), "1");
    assert_eq!(mounted("ignore"), "0");
    bed.run_rm(&["--image-volume", "bogus"], &["true"])
        .fails(125)
        .stderr_has("invalid --image-volume");
}

fn read_only_roots_may_have_scratch_places(bed: &Bed) {
    let touch = ["touch", "/run/x", "/tmp/x", "/var/tmp/x"];
    bed.inside(&["--read-only", "--read-only-tmpfs"], &touch);
    bed.run_rm(&["--read-only"], &["touch", "/tmp/x"])
        .fails(1)
        .stderr_has("Read-only file system");
}

fn ulimits_of_the_caller(bed: &Bed) {
    use rustix::process::{Resource, getrlimit};
    let own = getrlimit(Resource::Stack).current;
    let expected = own.map_or("unlimited".to_owned(), |bytes| (bytes / 1024).to_string());
    assert_eq!(
        bed.inside(&["--ulimit", "host"], &["sh", "-c", "ulimit -s"]),
        expected
    );
}

fn exec_has_dockers_codes(bed: &Bed) {
    bed.detached(
        &["--name", "ctr", "-e", "A=1", "-e", "B=2"],
        &["sleep", "1000"],
    );
    let exec = |words: &[&str]| bed.hull(&[&["exec"], words].concat());
    exec(&["-w", "/not/there", "ctr", "pwd"])
        .fails(126)
        .one_error_line();
    exec(&["-w", "relative", "ctr", "pwd"])
        .fails(126)
        .stderr_has("Cwd must be an absolute path");
    exec(&["-u", "nosuch", "ctr", "id"])
        .fails(126)
        .stderr_has("unable to find user nosuch: no matching entries in passwd file");
    exec(&["ctr", "no-such-program"])
        .fails(127)
        .stderr_has("executable file not found in $PATH");
    exec(&["ctr", "/etc"])
        .fails(126)
        .stderr_has("permission denied");
    exec(&["ctr", "sh", "-c", "exit 7"]).fails(7);
    exec(&["ctr", "sh", "-c", "kill -9 $$"]).fails(137);
    let file = bed.file("env", b"# no\nC=file\n");
    let file = file.to_str().expect("is text");
    let words = ["-e", "A=9", "-e", "B", "--env-file", file, "ctr", "env"];
    let env = format!("\n{}\n", exec(&words).ok());
    assert!(
        env.contains("\nA=9\n") && env.contains("\nC=file\n"),
        "{env}"
    );
    assert!(!env.contains("\nB="), "a name alone removes: {env}");
    exec(&["--preserve-fds", "1", "ctr", "true"])
        .fails(125)
        .stderr_has("--preserve-fds is not supported: ");
}
