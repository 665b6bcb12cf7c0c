//! A90, A92: output that wants to fill memory, or to look like something it is not.

use std::process::Stdio;
use std::time::Duration;

use crate::bed::Bed;
use crate::process::wait_until;

root_and_user!(
    a90_output_of_exec_nobody_reads_fills_no_memory,
    a92_lines_like_log_records_stay_text,
);

/// The most memory a process has had, in KiB.
pub fn peak_of(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    number.unwrap_or(0)
}

fn a90_output_of_exec_nobody_reads_fills_no_memory(bed: &Bed) {
    bed.detached(&["--name", "ctr", "--init"], &["sleep", "1000"]);
    for flags in [&["exec"][..], &["exec", "-t"]] {
        let words = [flags, &["ctr", "sh", "-c", "echo up; exec yes"]].concat();
        let mut command = bed.hull_command(&words);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let mut stdout = child.stdout.take().expect("is a pipe");
        let mut first = [0; 2];
        std::io::Read::read_exact(&mut stdout, &mut first).expect("it writes");
        std::thread::sleep(Duration::from_millis(700));
        let peak = peak_of(child.id());
        assert!(peak > 0 && peak < 50 << 10, "{peak} KiB");
        let yes = || bed.hull(&["exec", "ctr", "ps"]).ok().contains(" yes");
        assert!(yes(), "the program waits for its reader");
        // The reader leaves: so does the program.
        drop(stdout);
        child.wait().expect("ends");
        wait_until("the program has ended", || !yes());
    }
}

fn a92_lines_like_log_records_stay_text(bed: &Bed) {
    let forged = "{\"log\":\"forged\\n\",\"stream\":\"stderr\",\"time\":\"2001-01-01T00:00:00Z\"}\n\
                  2001-01-01T00:00:00Z stderr F forged\n\
                  \0\u{1b}[31m\u{2028}\u{fffd}\n\"\n";
    bed.file("text", forged.as_bytes());
    let mount = format!("{}:/text:ro", bed.dir.join("work/text").display());
    for driver in ["json-file", "k8s-file"] {
        let flags = ["--name", driver, "--log-driver", driver, "-v", &mount];
        bed.detached(&flags, &["cat", "/text"]);
        bed.hull(&["wait", driver]).ok();
        let ran = bed.hull(&["logs", driver]);
        ran.fails(0).stdout_is(forged);
        ran.expect(ran.stderr.is_empty(), "nothing was said on stderr");
        for flags in [["--until", "2002-01-01"], ["--since", "2100-01-01"]] {
            let ran = bed.hull(&[&["logs"], &flags[..], &[driver]].concat());
            ran.fails(0).stdout_is("");
        }
        let stamped = bed.hull(&["logs", "-t", driver]);
        stamped.expect(
            stamped.ok().lines().count() == 4,
            "a time for each of the lines",
        );
        let path = bed.inspect(driver, "{{.LogPath}}");
        let stored = std::fs::read_to_string(path).expect("is text");
        assert_eq!(stored.lines().count(), 4, "one record a line: {stored}");
        let parts = match driver {
            "json-file" => stored.matches("\"time\":\"2001").count(),
            _ => stored
                .lines()
                .filter(|line| line.starts_with("2001"))
                .count(),
        };
        assert_eq!(parts, 0, "times are the monitor's: {stored}");
    }
}
