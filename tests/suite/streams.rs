//! Bytes in and out: pipes, several readers, logs that rotate.

use crate::bed::Bed;
use crate::process::wait_until;

each_who!(
    large_output_is_exact,
    a_reader_that_leaves_ends_the_command,
    a_slow_reader_loses_nothing,
    both_outputs_go_where_the_shell_sends_them,
    the_end_of_input_reaches_the_program,
    start_attached_passes_input,
    two_attached_clients_see_the_same,
    logs_follow_across_rotation,
    logs_keep_lines_without_an_end,
);

fn large_output_is_exact(bed: &Bed) {
    let ran = bed.shell(
        "hull run --rm --network none busybox:test \
         sh -c 'yes 0123456789abcde | head -c 100000000' | wc -c",
    );
    ran.fails(0).stdout_is("100000000\n");
}

fn a_reader_that_leaves_ends_the_command(bed: &Bed) {
    let ran = bed.shell("hull run --name ctr --network none busybox:test yes | head -n 1");
    ran.fails(0).stdout_is("y\n");
    let ran = bed.shell("hull logs -f ctr | head -n 1");
    ran.fails(0).stdout_is("y\n");
}

fn a_slow_reader_loses_nothing(bed: &Bed) {
    let ran = bed.shell(
        "hull run --rm --network none busybox:test seq 300000 | { sleep 1; tail -n 1; cat; }",
    );
    ran.fails(0).stdout_is("300000\n");
}

fn both_outputs_go_where_the_shell_sends_them(bed: &Bed) {
    let script = "hull run --rm --network none busybox:test sh -c 'echo out; echo err >&2'";
    bed.shell(&format!("{script} 2>/dev/null"))
        .fails(0)
        .stdout_is("out\n");
    let ran = bed.shell(&format!("{script} >/dev/null"));
    ran.fails(0).stdout_is("").stderr_has("err\n");
    let closed = bed.shell(&format!("{script} <&-"));
    closed.fails(0).stdout_is("out\n");
}

fn the_end_of_input_reaches_the_program(bed: &Bed) {
    let run = "hull run --rm -i --network none busybox:test";
    bed.shell(&format!("printf 'a\\nb' | {run} cat"))
        .fails(0)
        .stdout_is("a\nb");
    bed.shell(&format!("{run} sh -c 'cat; echo end' </dev/null"))
        .fails(0)
        .stdout_is("end\n");
    // It may also end while input is still coming.
    bed.shell(&format!("yes | {run} head -n 1"))
        .fails(0)
        .stdout_is("y\n");
    bed.shell(&format!(
        "head -c 3000000 /dev/zero | {run} sh -c 'sleep 0.3; wc -c'"
    ))
    .fails(0)
    .stdout_is("3000000\n");
}

fn start_attached_passes_input(bed: &Bed) {
    let words = ["create", "-i", "--name", "ctr", "--network", "none"];
    let script = "read line; echo got $line; exit 6";
    bed.hull(&[&words[..], &["busybox:test", "sh", "-c", script]].concat())
        .ok();
    for word in ["one", "two"] {
        bed.hull_with_input(&["start", "-ai", "ctr"], format!("{word}\n").as_bytes())
            .fails(6)
            .stdout_is(&format!("got {word}\n"));
    }
    bed.hull(&["logs", "ctr"])
        .fails(0)
        .stdout_is("got one\ngot two\n");
}

fn two_attached_clients_see_the_same(bed: &Bed) {
    let script = "read line; seq 1000; exit 3";
    bed.detached(&["--name", "ctr", "-i"], &["sh", "-c", script]);
    let clients = [bed.start(&["attach", "--no-stdin", "ctr"]), {
        bed.start(&["attach", "--no-stdin", "ctr"])
    }];
    // Nothing tells from outside when a client is connected.
    std::thread::sleep(std::time::Duration::from_millis(700));
    let expected: String = (1..=1000).map(|number| format!("{number}\n")).collect();
    bed.hull_with_input(&["attach", "ctr"], b"go\n")
        .fails(3)
        .stdout_is(&expected);
    for client in clients {
        client.finish().fails(3).stdout_is(&expected);
    }
    bed.hull(&["attach", "ctr"])
        .fails(1)
        .stderr_has("You cannot attach to a stopped container");
}

fn logs_follow_across_rotation(bed: &Bed) {
    let flags = ["--log-opt", "max-size=10k", "--log-opt", "max-file=3"];
    let flags = [&["--name", "ctr"], &flags[..]].concat();
    // Slow enough for the reader to keep up; about eight files' worth.
    let script = "for i in $(seq 1000); do echo line $i; \
                  [ $((i % 20)) = 0 ] && sleep 0.05; done; sleep 0.5";
    bed.detached(&flags, &["sh", "-c", script]);
    let expected: String = (1..=1000)
        .map(|number| format!("line {number}\n"))
        .collect();
    bed.hull(&["logs", "-f", "ctr"])
        .fails(0)
        .stdout_is(&expected);
    // What is kept is the end, without a gap.
    let kept = bed.hull(&["logs", "ctr"]);
    let count = kept.ok().lines().count();
    kept.expect(count < 1000 && count > 100, "some of the lines")
        .expect(expected.ends_with(&kept.stdout), "the last lines");
}

fn logs_keep_lines_without_an_end(bed: &Bed) {
    bed.detached(&["--name", "ctr"], &["printf", "a\\nno end"]);
    bed.hull(&["wait", "ctr"]).ok();
    wait_until("the log is complete", || {
        bed.hull(&["logs", "ctr"]).stdout == "a\nno end"
    });
    let long = "x".repeat(100_000);
    let script = "head -c 100000 /dev/zero | tr '\\0' x; echo";
    bed.detached(&["--name", "long"], &["sh", "-c", script]);
    bed.hull(&["wait", "long"]).ok();
    bed.hull(&["logs", "long"])
        .fails(0)
        .stdout_is(&format!("{long}\n"));
}
