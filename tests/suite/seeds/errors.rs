//! What goes wrong in the tutorials: Docker's words and exit codes.

use crate::bed::{Bed, Who};

root_and_user!(
    what_is_not_there_is_named,
    what_runs_is_not_removed,
    what_does_not_run_is_named,
    a_program_that_cannot_run_is_named,
    a_taken_name_is_a_conflict,
    wrong_flags_of_run_are_125,
    wrong_words_show_the_usage,
    inspect_prints_what_it_has,
    ps_knows_its_filters,
);

/// A command, its exit code, and a part of its stderr.
type Case<'a> = (&'a [&'a str], i32, &'a str);

#[track_caller]
fn check(bed: &Bed, cases: &[Case<'_>]) {
    for (words, code, text) in cases {
        bed.hull(words).fails(*code).stderr_has(text);
    }
}

fn what_is_not_there_is_named(bed: &Bed) {
    let missing = "Error: No such container: nosuch\n";
    check(
        bed,
        &[
            (&["rm", "nosuch"], 1, missing),
            (&["rm", "-f", "nosuch"], 0, missing),
            (&["stop", "nosuch"], 1, missing),
            (&["restart", "nosuch"], 1, missing),
            (&["kill", "nosuch"], 1, missing),
            (&["pause", "nosuch"], 1, missing),
            (&["unpause", "nosuch"], 1, missing),
            (&["wait", "nosuch"], 1, missing),
            (&["logs", "nosuch"], 1, missing),
            (&["attach", "nosuch"], 1, missing),
            (&["port", "nosuch"], 1, missing),
            (&["rename", "nosuch", "other"], 1, missing),
            (
                &["exec", "nosuch", "true"],
                1,
                "No such container: nosuch\n",
            ),
            (&["start", "nosuch"], 1, missing),
            (
                &["start", "nosuch", "neither"],
                1,
                "Error: failed to start containers: nosuch, neither\n",
            ),
            (&["inspect", "nosuch"], 1, "Error: No such object: nosuch\n"),
            (
                &["run", "--pull", "never", "nosuch:1"],
                125,
                "No such image: nosuch:1",
            ),
            (&["rmi", "nosuch"], 1, "No such image: nosuch:latest"),
        ],
    );
}

fn what_runs_is_not_removed(bed: &Bed) {
    let id = bed.detached(&["--name", "up"], &["sleep", "1000"]);
    let refusal = format!(
        "You cannot remove a running container {id}. Stop the container before attempting \
         removal or force remove"
    );
    bed.hull(&["rm", "up"]).fails(1).stderr_has(&refusal);
    bed.hull(&["rmi", "busybox:test"]).fails(1).stderr_has(
        "conflict: unable to remove repository reference \"busybox:test\" (must force) - container",
    );
    bed.hull(&["port", "up", "80"])
        .fails(1)
        .stderr_has("Error: No public port '80' published for up");
    if bed.who == Who::Root {
        let is_not_paused = format!("Container {id} is not paused");
        bed.hull(&["unpause", "up"])
            .fails(1)
            .stderr_has(&is_not_paused);
        bed.hull(&["pause", "up"]).ok();
        bed.hull(&["exec", "up", "true"])
            .fails(1)
            .stderr_has("is paused, unpause the container before exec");
        bed.hull(&["unpause", "up"]).ok();
    }
}

fn what_does_not_run_is_named(bed: &Bed) {
    let made = bed.hull(&["create", "--name", "box", "busybox:test"]);
    let id = made.ok();
    let is_not_running = format!("Container {id} is not running");
    check(
        bed,
        &[
            (
                &["kill", "box"],
                1,
                &format!("Cannot kill container: box: {is_not_running}"),
            ),
            (&["pause", "box"], 1, &is_not_running),
            (&["exec", "box", "true"], 1, &is_not_running),
        ],
    );
    bed.hull(&["stop", "box"]).fails(0).stdout_is("box\n");
}

fn a_program_that_cannot_run_is_named(bed: &Bed) {
    let run = |program: &'static str| ["run", "--rm", "busybox:test", program];
    check(
        bed,
        &[
            (
                &run("x"),
                127,
                "exec: \"x\": executable file not found in $PATH",
            ),
            (&run("/etc"), 126, "exec: \"/etc\": permission denied"),
            (
                &["run", "--rm", "-u", "nosuch", "busybox:test", "true"],
                125,
                "unable to find user nosuch: no matching entries in passwd file",
            ),
        ],
    );
    bed.detached(&["--name", "up"], &["sleep", "1000"]);
    bed.hull(&["exec", "up", "x"])
        .fails(127)
        .stderr_has("exec: \"x\": executable file not found in $PATH");
}

fn a_taken_name_is_a_conflict(bed: &Bed) {
    let made = bed.hull(&["run", "--name", "n", "busybox:test"]);
    made.fails(125).stderr_has("Invalid container name (n)");
    let made = bed.hull(&["create", "--name", "box", "busybox:test"]);
    let conflict = format!(
        "Conflict. The container name \"/box\" is already in use by container \"{}\". You have \
         to remove (or rename) that container to be able to reuse that name.",
        made.ok()
    );
    bed.hull(&["run", "--name", "box", "busybox:test"])
        .fails(125)
        .stderr_has(&conflict);
    bed.hull(&["create", "--name", "box", "busybox:test"])
        .fails(1)
        .stderr_has(&conflict);
    bed.hull(&["create", "--name", "other", "busybox:test"])
        .ok();
    bed.hull(&["rename", "other", "box"])
        .fails(1)
        .stderr_has(&conflict);
}

fn wrong_flags_of_run_are_125(bed: &Bed) {
    bed.file("id", b"");
    let run = |flags: &[&'static str]| [&["run"][..], flags, &["busybox:test", "true"]].concat();
    check(
        bed,
        &[
            (
                &run(&["-m", "1m"]),
                125,
                "Minimum memory limit allowed is 6MB",
            ),
            (
                &run(&["--rm", "--restart", "always"]),
                125,
                "conflicting options: cannot specify both --restart and --rm",
            ),
            (
                &run(&["--pull", "bogus"]),
                125,
                "invalid pull option: 'bogus': must be one of \"always\", \"missing\" or \"never\"",
            ),
            (
                &run(&["--restart", "bogus"]),
                125,
                "invalid restart policy 'bogus'",
            ),
            (
                &run(&["-v", "rel/path:/x"]),
                125,
                "create rel/path: \"rel/path\" includes invalid characters for a local volume \
                 name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a \
                 host directory, use absolute path",
            ),
            (
                &run(&["--mount", "type=bind,source=/no/such,target=/x"]),
                125,
                "invalid mount config for type \"bind\": bind source path does not exist: /no/such",
            ),
            (&run(&["-it"]), 1, "the input device is not a TTY"),
            (
                &run(&["--cidfile", "id"]),
                125,
                "container ID file found, make sure the other container isn't running or delete id",
            ),
            (
                &run(&["--nope"]),
                125,
                "unknown flag: --nope\n\nUsage:  hull run ",
            ),
        ],
    );
    bed.hull(&["run", "--entrypoint", "", "busybox:test"])
        .fails(125)
        .stderr_has("No command specified");
}

fn wrong_words_show_the_usage(bed: &Bed) {
    check(
        bed,
        &[
            (
                &["ps", "--nope"],
                125,
                "unknown flag: --nope\n\nUsage:  hull ps [OPTIONS]\n\n\
                 Run 'hull ps --help' for more information\n",
            ),
            (
                &["nope"],
                1,
                "hull: unknown command: hull nope\n\nRun 'hull --help' for more information\n",
            ),
            (
                &["pull"],
                1,
                "hull: 'hull pull' requires 1 argument\n\nUsage:  hull pull ",
            ),
            (
                &["rm"],
                1,
                "hull: 'hull rm' requires at least 1 argument\n\nUsage:  hull rm ",
            ),
            (
                &["rename", "x"],
                1,
                "hull: 'hull rename' requires 2 arguments\n",
            ),
            (
                &["ps", "web"],
                1,
                "hull: 'hull ps' accepts no arguments (top)\n",
            ),
        ],
    );
}

fn inspect_prints_what_it_has(bed: &Bed) {
    bed.hull(&["create", "--name", "box", "busybox:test"]).ok();
    bed.hull(&["inspect", "x"]).fails(1).stdout_is("[]\n");
    bed.hull(&["inspect", "-f", "{{.Nope}}", "box"])
        .fails(1)
        .stdout_is("\n")
        .stderr_has(
            "template parsing error: template: :1:2: executing \"\" at <.Nope>: map has no entry \
             for key \"Nope\"",
        );
}

fn ps_knows_its_filters(bed: &Bed) {
    check(
        bed,
        &[
            (&["ps", "-f", "bogus=1"], 1, "Error: Invalid filter 'bogus'"),
            (
                &["ps", "-f", "status=bogus"],
                1,
                "Error: Invalid filter 'status=bogus'",
            ),
        ],
    );
}
