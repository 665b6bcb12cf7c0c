//! Names, addresses and ports: what ends up in /etc, and what is recorded.

use crate::bed::Bed;

root_and_user!(
    resolver_says_what_was_asked,
    hosts_have_added_names,
    hosts_start_from_another_file,
    files_of_the_image_stay_on_request,
    ports_are_recorded_and_shown,
    ports_without_a_network_are_warned_of,
    settings_name_resolvers,
    the_time_zone_is_the_wanted_one,
    account_lines_are_added_on_request,
);

fn resolver_says_what_was_asked(bed: &Bed) {
    let flags = [
        "--dns",
        "192.0.2.1",
        "--dns",
        "2001:db8::1",
        "--dns-search",
        "a.example",
        "--dns-search",
        "b.example",
        "--dns-option",
        "ndots:2",
        "--dns-opt",
        "rotate",
    ];
    let text = bed.inside(&flags, &["cat", "/etc/resolv.conf"]);
    let expected = "search a.example b.example\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n\
                    options ndots:2 rotate";
    assert_eq!(text, expected);
    let dot = ["--dns", "192.0.2.1", "--dns-search", "."];
    let text = bed.inside(&dot, &["cat", "/etc/resolv.conf"]);
    assert!(!text.contains("search"), "{text}");
}

fn settings_name_resolvers(bed: &Bed) {
    let create = [
        "create",
        "--name",
        "ctr",
        "--dns",
        "192.0.2.9",
        "busybox:test",
    ];
    bed.hull(&create).ok();
    assert_eq!(
        bed.inspect("ctr", "{{json .HostConfig.Dns}}"),
        "[\"192.0.2.9\"]"
    );
}

fn hosts_have_added_names(bed: &Bed) {
    let flags = [
        "--add-host",
        "one:192.0.2.1",
        "--add-host",
        "two=192.0.2.2",
        "--add-host",
        "six:[::1]",
        "--add-host",
        "seven:2001:db8::7",
    ];
    let text = bed.inside(&flags, &["cat", "/etc/hosts"]);
    let expected = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n\
                    fe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\n\
                    ff02::2\tip6-allrouters\n192.0.2.1\tone\n192.0.2.2\ttwo\n::1\tsix\n\
                    2001:db8::7\tseven";
    assert_eq!(text, expected);
    let gateway = [
        "run",
        "--rm",
        "--network",
        "host",
        "--add-host",
        "up:host-gateway",
    ];
    let words = ["busybox:test", "tail", "-n", "1", "/etc/hosts"];
    let ran = bed.hull(&[&gateway[..], &words[..]].concat());
    ran.fails(0).stdout_is("127.0.0.1\tup\n");
    let none = bed.run_rm(&["--add-host", "up:host-gateway"], &["cat", "/etc/hosts"]);
    none.stderr_has("WARNING: --add-host up:host-gateway is discarded");
    none.expect(!none.ok().contains("up"), "no line for it");
}

fn hosts_start_from_another_file(bed: &Bed) {
    let file = bed.file("hosts", b"192.0.2.5 mine");
    let file = file.to_str().expect("is text");
    let flags = ["--hosts-file", file, "--add-host", "one:192.0.2.1"];
    let text = bed.inside(&flags, &["cat", "/etc/hosts"]);
    assert_eq!(text, "192.0.2.5 mine\n192.0.2.1\tone");
    let none = ["--hosts-file", "none", "--add-host", "one:192.0.2.1"];
    assert_eq!(bed.inside(&none, &["cat", "/etc/hosts"]), "192.0.2.1\tone");
}

fn files_of_the_image_stay_on_request(bed: &Bed) {
    let mounted = |flag: &str, file: &str| {
        let script = format!("grep -c ' {file} ' /proc/mounts || true");
        bed.inside(&[flag], &["sh", "-c", &script])
    };
    assert_eq!(mounted("--init=false", "/etc/hosts"), "1");
    assert_eq!(mounted("--no-hosts", "/etc/hosts"), "0");
    assert_eq!(mounted("--no-hostname", "/etc/hostname"), "0");
    assert_eq!(mounted("--no-hostname", "/etc/hosts"), "1");
    bed.run_rm(&["--no-hosts", "--add-host", "a:192.0.2.1"], &["true"])
        .fails(125)
        .stderr_has("--no-hosts and --add-host cannot be set together");
}

fn ports_are_recorded_and_shown(bed: &Bed) {
    let create = [
        "create",
        "--network",
        "none",
        "--name",
        "ctr",
        "-p",
        "8080:80",
        "-p",
        "127.0.0.1::53/udp",
        "-p",
        "[::1]:9000-9001:90-91",
        "--expose",
        "70-71",
        "busybox:test",
    ];
    bed.hull(&create).fails(0).stderr_has("");
    let json = |template: &str| -> serde_json::Value {
        serde_json::from_str(&bed.inspect("ctr", template)).expect("is JSON")
    };
    let expected = serde_json::json!({
        "80/tcp": [{"HostIp": "", "HostPort": "8080"}],
        "53/udp": [{"HostIp": "127.0.0.1", "HostPort": ""}],
        "90/tcp": [{"HostIp": "::1", "HostPort": "9000"}],
        "91/tcp": [{"HostIp": "::1", "HostPort": "9001"}],
    });
    assert_eq!(json("{{json .HostConfig.PortBindings}}"), expected);
    let exposed = json("{{json .Config.ExposedPorts}}");
    let names: Vec<&String> = exposed.as_object().expect("a map").keys().collect();
    assert_eq!(
        names,
        ["53/udp", "70/tcp", "71/tcp", "80/tcp", "90/tcp", "91/tcp"]
    );
}

fn ports_without_a_network_are_warned_of(bed: &Bed) {
    let run = |network: &[&str]| {
        let words = [
            &["run", "--rm"],
            network,
            &["-p", "80:80", "busybox:test", "true"],
        ];
        bed.hull(&words.concat())
    };
    let host = run(&["--network", "host"]);
    host.fails(0)
        .stderr_has("WARNING: Published ports are discarded when using host network mode");
    run(&[]).fails(0).stderr_has("no network \"bridge\"");
    let none = run(&["--network", "none"]);
    none.fails(0)
        .expect(none.stderr.is_empty(), "no warning, as Docker");
}

fn the_time_zone_is_the_wanted_one(bed: &Bed) {
    let hours = ["date", "+%z"];
    if std::path::Path::new("/usr/share/zoneinfo/Asia/Kolkata").exists() {
        assert_eq!(bed.inside(&["--tz", "Asia/Kolkata"], &hours), "+0530");
    } else {
        crate::bed::skip("no time zone database on this host");
    }
    assert_eq!(bed.inside(&[], &hours), "+0000");
    for bad in ["No/Where", "../../etc/passwd", "/etc/passwd"] {
        bed.run_rm(&["--tz", bad], &["true"])
            .fails(125)
            .stderr_has("unknown time zone");
    }
}

fn account_lines_are_added_on_request(bed: &Bed) {
    let last = ["tail", "-n", "1", "/etc/passwd"];
    let plain = bed.inside(&["-u", "1234"], &last);
    assert!(!plain.contains("1234"), "{plain}");
    let added = bed.inside(&["-u", "1234", "--passwd"], &last);
    assert_eq!(added, "1234:*:1234:0:container user:/:/bin/sh");
    let entry = "--passwd-entry=me:x:$UID:$GID:$NAME:/home/me:/bin/false";
    let given = bed.inside(&["-u", "1234:77", entry], &last);
    assert_eq!(given, "me:x:1234:77:container user:/home/me:/bin/false");
    let group = ["-u", "1234:77", "--group-entry=ours:x:$GID:"];
    let line = bed.inside(&group, &["tail", "-n", "1", "/etc/group"]);
    assert_eq!(line, "ours:x:77:");
    let of_host = bed.inside(&["--hostuser", "nobody"], &["cat", "/etc/passwd"]);
    assert!(of_host.contains("nobody:"), "{of_host}");
    bed.run_rm(&["--hostuser", "no-such-user"], &["true"])
        .fails(125)
        .stderr_has("unable to find user no-such-user on the host");
}
