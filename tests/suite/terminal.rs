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
    let mut terminal = Terminal::start(bed, &SHELL, 24, 80);
    terminal.wait_for("# ");
    terminal.send("trap 'stty size' WINCH; echo rea''dy\r");
    terminal.wait_for("ready");
    terminal.resize(50, 120);
    terminal.send("sleep 0.3\r");
    terminal.wait_for("50 120");
    terminal.send("exit\r");
    terminal.finish();
}

fn ctrl_c_interrupts_the_program_inside(bed: &Bed) {
    let mut terminal = Terminal::start(bed, &SHELL, 24, 80);
    terminal.wait_for("# ");
    terminal.send("echo star''ted; sleep 1000; echo co''de $?\r");
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
    for script in ["stty -echo; exit 0", "kill -KILL $$", "exit 1"] {
        let mut terminal = Terminal::start(bed, &[&words[..], &[script]].concat(), 24, 80);
        let fresh = terminal.settings();
        terminal.finish();
        assert_eq!(terminal.settings(), fresh, "after {script:?}");
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
    let fresh = terminal.screen();
    terminal.send("\u{10}\u{11}");
    assert_eq!(terminal.finish(), 0, "{fresh}");
    assert_eq!(bed.inspect("ctr", "{{.State.Running}}"), "true");
    let mut again = Terminal::start(bed, &["attach", "ctr"], 24, 80);
    again.send("exit 4\r");
    assert_eq!(again.finish(), 4, "{}", again.screen());
}
