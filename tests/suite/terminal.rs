//! `-it`: a real terminal on both sides.

use crate::bed::Bed;
use crate::pty::Terminal;

each_who!(
    the_program_has_a_terminal_of_our_size,
    a_resize_reaches_the_program,
    ctrl_c_interrupts_the_program_inside,
    the_terminal_is_restored,
    it_without_a_terminal_is_refused,
    t_merges_both_outputs_with_crlf,
    exec_has_a_terminal_too,
    detach_keys_leave_the_container_running,
    the_terminal_is_restored_when_the_container_is_killed,
    a_job_is_stopped_and_continued_inside,
    exec_has_job_control_and_restores_the_terminal,
    start_attached_has_the_terminal,
    keys_typed_ahead_are_not_lost,
);

const SHELL: [&str; 7] = [
    "run",
    "--rm",
    "-it",
    "--network",
    "none",
    "busybox:test",
    "sh",
];

fn the_program_has_a_terminal_of_our_size(bed: &Bed) {
    let mut terminal = Terminal::start(bed, &SHELL, 33, 77);
    terminal.wait_for("# ");
    terminal.send("tty; stty size\r");
    terminal.wait_for("/dev/pts/0");
    terminal.wait_for("33 77");
    terminal.send("exit 6\r");
    assert_eq!(terminal.finish(), 6, "{}", terminal.screen());
}

fn a_resize_reaches_the_program(bed: &Bed) {
    // A shell that reads commands from the terminal has a handler of its own for this signal.
    let script = "trap 'stty size; exit 7' WINCH; echo ready; while :; do sleep 0.1; done";
    let words = [&SHELL[..], &["-c", script]].concat();
    let mut terminal = Terminal::start(bed, &words, 24, 80);
    terminal.wait_for("ready");
    terminal.resize(50, 120);
    terminal.wait_for("50 120");
    assert_eq!(terminal.finish(), 7, "{}", terminal.screen());
}

fn ctrl_c_interrupts_the_program_inside(bed: &Bed) {
    let mut terminal = Terminal::start(bed, &SHELL, 24, 80);
    terminal.wait_for("# ");
    // Told by the program itself: until it is in the foreground, the key would go to the shell.
    terminal.send("sh -c 'echo star\"\"ted; exec sleep 1000'; echo co''de $?\r");
    terminal.wait_for("started");
    terminal.send("\u{3}");
    terminal.send("echo ali''ve\r");
    terminal.wait_for("alive");
    terminal.send("exit 3\r");
    assert_eq!(terminal.finish(), 3, "{}", terminal.screen());
}

fn the_terminal_is_restored(bed: &Bed) {
    let words = [
        "run",
        "--rm",
        "-it",
        "--network",
        "none",
        "busybox:test",
        "sh",
        "-c",
    ];
    for (script, code) in [("stty -echo; exit 0", 0), ("exit 1", 1), ("/no/such", 127)] {
        let mut terminal = Terminal::start(bed, &[&words[..], &[script]].concat(), 24, 80);
        assert_eq!(terminal.finish(), code, "{}", terminal.screen());
        assert_eq!(terminal.settings(), terminal.fresh, "after {script:?}");
    }
}

fn it_without_a_terminal_is_refused(bed: &Bed) {
    let ran = bed.hull(&SHELL);
    ran.fails(1).one_error_line();
    ran.expect(
        ran.stderr.to_lowercase().contains("not a t"),
        "says that stdin is no terminal",
    );
    bed.hull(&["ps", "-aq"]).fails(0).stdout_is("");
}

fn t_merges_both_outputs_with_crlf(bed: &Bed) {
    let ran = bed.run_rm(&["-t"], &["sh", "-c", "echo out; echo err >&2"]);
    ran.fails(0).stdout_is("out\r\nerr\r\n");
}

fn exec_has_a_terminal_too(bed: &Bed) {
    bed.detached(&["--name", "ctr"], &["sleep", "1000"]);
    let mut terminal = Terminal::start(bed, &["exec", "-it", "ctr", "sh"], 31, 91);
    terminal.wait_for("# ");
    terminal.send("stty size\r");
    terminal.wait_for("31 91");
    terminal.send("exit 8\r");
    assert_eq!(terminal.finish(), 8, "{}", terminal.screen());
}

fn detach_keys_leave_the_container_running(bed: &Bed) {
    let words = [
        "run",
        "-it",
        "--name",
        "ctr",
        "--network",
        "none",
        "busybox:test",
        "sh",
    ];
    let mut terminal = Terminal::start(bed, &words, 24, 80);
    terminal.wait_for("# ");
    terminal.send("\u{10}\u{11}");
    assert_eq!(terminal.finish(), 0, "{}", terminal.screen());
    assert_eq!(terminal.settings(), terminal.fresh, "after detaching");
    assert_eq!(bed.inspect("ctr", "{{.State.Running}}"), "true");
    let mut again = Terminal::start(bed, &["attach", "ctr"], 24, 80);
    again.send("exit 4\r");
    assert_eq!(again.finish(), 4, "{}", again.screen());
}

fn the_terminal_is_restored_when_the_container_is_killed(bed: &Bed) {
    let words = [&SHELL[..3], &["--name", "ctr"], &SHELL[3..]].concat();
    let mut terminal = Terminal::start(bed, &words, 24, 80);
    terminal.wait_for("# ");
    assert_ne!(
        terminal.settings(),
        terminal.fresh,
        "raw while the program runs"
    );
    bed.hull(&["kill", "ctr"]).ok();
    assert_eq!(terminal.finish(), 137, "{}", terminal.screen());
    assert_eq!(terminal.settings(), terminal.fresh);
}

/// Types a job into the shell, stops it, continues it and ends it.
fn control_a_job(terminal: &mut Terminal) {
    terminal.wait_for("# ");
    terminal.send("echo beg''un; sleep 1000\r");
    terminal.wait_for("begun");
    // The job has the terminal a moment after the line is printed; a key before that is lost.
    terminal.send_until("\u{1a}", "Stopped");
    terminal.send("jobs | grep -c sle''ep; echo lis''ted\r");
    terminal.wait_for("listed");
    terminal.send("echo a''gain; fg\r");
    terminal.wait_for("again");
    terminal.send_until("\u{3}", "^C");
    terminal.send("echo co''de $?\r");
    terminal.wait_for("code 130");
}

fn a_job_is_stopped_and_continued_inside(bed: &Bed) {
    let mut terminal = Terminal::start(bed, &SHELL, 24, 80);
    control_a_job(&mut terminal);
    terminal.send("exit 5\r");
    assert_eq!(terminal.finish(), 5, "{}", terminal.screen());
}

fn exec_has_job_control_and_restores_the_terminal(bed: &Bed) {
    bed.detached(&["--name", "ctr"], &["sleep", "1000"]);
    let mut terminal = Terminal::start(bed, &["exec", "-it", "ctr", "sh"], 24, 80);
    control_a_job(&mut terminal);
    terminal.resize(50, 120);
    terminal.send("stty size\r");
    terminal.wait_for("50 120");
    terminal.send("exit 5\r");
    assert_eq!(terminal.finish(), 5, "{}", terminal.screen());
    assert_eq!(terminal.settings(), terminal.fresh);
    let mut killed = Terminal::start(bed, &["exec", "-it", "ctr", "sh"], 24, 80);
    killed.wait_for("# ");
    bed.hull(&["kill", "ctr"]).ok();
    assert_eq!(killed.finish(), 137, "{}", killed.screen());
    assert_eq!(killed.settings(), killed.fresh);
}

fn start_attached_has_the_terminal(bed: &Bed) {
    let words = ["create", "-it", "--name", "ctr", "--network", "none"];
    bed.hull(&[&words[..], &["busybox:test", "sh"]].concat())
        .ok();
    for code in [3, 4] {
        let mut terminal = Terminal::start(bed, &["start", "-ai", "ctr"], 30, 90);
        terminal.wait_for("# ");
        terminal.send("stty size\r");
        terminal.wait_for("30 90");
        terminal.send(&format!("exit {code}\r"));
        assert_eq!(terminal.finish(), code, "{}", terminal.screen());
    }
}

fn keys_typed_ahead_are_not_lost(bed: &Bed) {
    let mut terminal = Terminal::start(bed, &SHELL, 24, 80);
    terminal.send("exit 9\n");
    assert_eq!(terminal.finish(), 9, "{}", terminal.screen());
}
