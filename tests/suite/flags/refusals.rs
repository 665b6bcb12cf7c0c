//! Wrong values have Docker's words, and flags that are not there say why: never silence.

use crate::bed::{Bed, Who, on_bed};

#[test]
fn wrong_values_have_dockers_messages() {
    on_bed(Who::Root, wrong_values);
}

#[test]
fn flags_that_are_not_there_say_why() {
    on_bed(Who::Root, refused_flags);
}

#[test]
fn ignored_flags_are_few() {
    on_bed(Who::Root, |bed| {
        bed.inside(&["--disable-content-trust"], &["true"]);
        bed.inside(
            &["--disable-content-trust=false", "--runtime", "hull"],
            &["true"],
        );
        bed.run_rm(&["--no-such-flag"], &["true"])
            .fails(125)
            .stderr_has("unknown flag: --no-such-flag\n\nUsage:  hull run ");
    });
}

/// Flags, and what is said of them.
type Said = (&'static [&'static str], &'static str);

const WRONG: &[Said] = &[
    (&["-p", "99999:80"], "invalid hostPort: 99999"),
    (&["-p", "80:x"], "invalid containerPort: x"),
    (&["-p", "80:80/icmp"], "invalid proto: icmp"),
    (
        &["--expose", "80:80"],
        "invalid port format for --expose: 80:80",
    ),
    (
        &["-e", "=x"],
        "invalid argument \"=x\" for \"-e, --env\" flag: invalid environment variable: =x",
    ),
    (&["--env-file", "/none"], "open /none: "),
    (
        &["-l", "=x"],
        "invalid argument \"=x\" for \"-l, --label\" flag: invalid label '=x': empty name",
    ),
    (
        &["--ulimit", "foo=1"],
        "invalid argument \"foo=1\" for \"--ulimit\" flag: invalid ulimit type: foo",
    ),
    (
        &["--sysctl", "kernel.foo=1"],
        "invalid argument \"kernel.foo=1\" for \"--sysctl\" flag: sysctl 'kernel.foo=1' is not \
             allowed",
    ),
    (
        &["--dns", "bad"],
        "invalid argument \"bad\" for \"--dns\" flag: IP address is not correctly formatted: \
             bad",
    ),
    (
        &["--dns-search", "a b"],
        "invalid argument \"a b\" for \"--dns-search\" flag: a b is not a valid domain",
    ),
    (
        &["--add-host", "a:x"],
        "invalid argument \"a:x\" for \"--add-host\" flag: invalid IP address in add-host: \
             \"x\"",
    ),
    (
        &["-v", ":/x"],
        "invalid spec: :/x: empty section between colons",
    ),
    (&["-v", "/tmp:/x:bad"], "invalid mode: bad"),
    (
        &["-v", "/tmp:x"],
        "invalid volume specification: '/tmp:x': invalid mount path: 'x' mount path must be \
             absolute",
    ),
    (&["--tmpfs", "/x:nope"], "invalid tmpfs option [\"nope\"]"),
    (
        &["--mount", "type=foo,src=/tmp,dst=/x"],
        "invalid mount config for type \"foo\": mount type unknown",
    ),
    (
        &["--security-opt", "foo"],
        "Invalid --security-opt: \"foo\"",
    ),
    (
        &["--cap-add", "nope"],
        "invalid CapAdd: unknown capability: \"CAP_NOPE\"",
    ),
    (
        &["--cap-drop", "nope"],
        "invalid CapDrop: unknown capability: \"CAP_NOPE\"",
    ),
    (&["--stop-signal", "nope"], "Invalid signal: nope"),
    (
        &["--runtime", "runc"],
        "unknown or invalid runtime name: runc",
    ),
    (
        &["-w", "rel"],
        "the working directory 'rel' is invalid, it needs to be an absolute path",
    ),
    (
        &["--network-alias", "a"],
        "network-scoped alias is supported only for containers in",
    ),
    (
        &["--name", "a b"],
        "Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-]",
    ),
];

fn wrong_values(bed: &Bed) {
    let one = bed.file("one", b"bad key=1\n").display().to_string();
    let two = bed.file("two", b"=1\n").display().to_string();
    let no_space = format!("invalid env file ({one}): variable 'bad key' contains whitespaces");
    let no_name = format!("invalid env file ({two}): no variable name on line '=1'");
    let files: [(&[&str], &str); 2] = [
        (&["--env-file", &one], &no_space),
        (&["--env-file", &two], &no_name),
    ];
    for (flags, text) in WRONG.iter().copied().chain(files) {
        bed.run_rm(flags, &["true"]).fails(125).stderr_has(text);
    }
    // Odd, but a name: only files refuse it.
    let env = bed.inside(&["-e", "a b=c"], &["/bin/busybox", "env"]);
    assert!(env.contains("a b=c"), "{env}");
}

fn refused_flags(bed: &Bed) {
    let table: &[(&[&str], &str)] = &[
        (
            &["--secret", "x"],
            "--secret is not supported: this version keeps no secrets",
        ),
        (&["--pod", "x"], "--pod is not supported: "),
        (&["--requires", "x"], "--requires is not supported: "),
        (
            &["--storage-opt", "size=1g"],
            "--storage-opt is not supported: ",
        ),
        (
            &["--preserve-fds", "1"],
            "--preserve-fds is not supported: ",
        ),
        (&["--gpus", "all"], "--gpus is not supported: "),
        (&["--uidmap", "0:1:1"], "--uidmap is not supported: "),
        (
            &["--userns", "keep-id"],
            "--userns keep-id is not supported yet",
        ),
        (&["--userns", "auto"], "--userns auto is not supported yet"),
        (
            &["--userns", "nomap"],
            "--userns nomap is not supported yet",
        ),
        (
            &["--group-add", "keep-groups"],
            "--group-add keep-groups is not supported yet",
        ),
        (&["-v", "name:/x"], "named volume \"name\""),
        (&["-v", "/x"], "anonymous volume \"/x\""),
        (&["--mount", "src=name,dst=/x"], "mount type \"volume\""),
        (&["-v", "/tmp:/x:U"], "volume option U is not supported yet"),
    ];
    for (flags, text) in table {
        let ran = bed.run_rm(flags, &["true"]);
        ran.fails(125).stderr_has(text).one_error_line();
    }
    bed.hull(&["create", "--network", "mine", "busybox:test"])
        .fails(125)
        .stderr_has("network mine not found");
    bed.hull(&["create", "--secret", "x", "busybox:test"])
        .fails(125)
        .stderr_has("--secret is not supported: ");
}
