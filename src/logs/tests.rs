//! Writer and readers together, on real files.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

use super::*;

const NAME: &str = "c-json.log";
const UNLIMITED: Rotation = Rotation {
    max_bytes: u64::MAX,
    max_files: 5,
};

/// A directory that goes away with the test.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Dir {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hull-logs-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("temporary directory");
        Dir(path)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).expect("log file")
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn open(dir: &Path, rotation: Rotation) -> crate::error::Result<FileLog> {
    let layout = Layout {
        format: Format::Json,
        rotation,
        compress: false,
        attributes: String::new(),
    };
    FileLog::open(dir, NAME, layout)
}

fn string(record: &Record) -> String {
    String::from_utf8(record.text.clone()).expect("is UTF-8")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds, 5)
}

fn texts(dir: &Path, query: Query) -> Vec<String> {
    let records = read(dir, NAME, Format::Json, query).expect("readable");
    records
        .map(|record| string(&record.expect("readable")))
        .collect()
}

fn tail(count: u64) -> Query {
    Query {
        tail: Tail::Last(count),
        ..Query::ALL
    }
}

#[test]
fn a_record_looks_as_docker_writes_it() {
    let dir = Dir::new();
    let mut writer = open(&dir.0, UNLIMITED).expect("opens");
    writer.append(
        Stream::Stderr,
        b"a \"b\"\n",
        Timestamp::from_unix(1, 500_000_000),
    );
    assert_eq!(
        dir.text(NAME),
        "{\"log\":\"a \\\"b\\\"\\n\",\"stream\":\"stderr\",\"time\":\"1970-01-01T00:00:01.5Z\"}\n"
    );
}

#[test]
fn a92_a_line_that_looks_like_a_record_stays_text() {
    let dir = Dir::new();
    let mut writer = open(&dir.0, UNLIMITED).expect("opens");
    let forged = b"{\"log\":\"x\\n\",\"stream\":\"stderr\",\"attrs\":{\"lost\":\"9\"},\
        \"time\":\"2001-01-01T00:00:00Z\"}\n";
    writer.append(Stream::Stdout, forged, at(100));
    let records: Vec<Record> = read(&dir.0, NAME, Format::Json, Query::ALL)
        .expect("readable")
        .collect::<crate::error::Result<_>>()
        .expect("readable");
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].text, forged);
    assert_eq!(records[0].time, at(100));
    assert_eq!(records[0].stream, Stream::Stdout);
    assert_eq!(records[0].lost_bytes, None);
    let since = Query {
        since: Some(at(101)),
        ..Query::ALL
    };
    assert!(texts(&dir.0, since).is_empty());
}

#[test]
fn a_line_waits_for_its_end_and_is_cut_at_16_kib() {
    let dir = Dir::new();
    let mut writer = open(&dir.0, UNLIMITED).expect("opens");
    writer.append(Stream::Stdout, b"ab", at(1));
    writer.append(Stream::Stderr, b"other\n", at(2));
    assert_eq!(texts(&dir.0, Query::ALL), ["other\n"]);
    writer.append(Stream::Stdout, b"c\nrest", at(3));
    assert_eq!(texts(&dir.0, Query::ALL), ["other\n", "abc\n"]);
    writer.flush_partial(at(4));
    assert_eq!(texts(&dir.0, tail(1)), ["rest"]);
    writer.append(Stream::Stdout, &vec![b'x'; RECORD_MAX + 1], at(5));
    writer.append(Stream::Stdout, b"\n", at(6));
    let last = texts(&dir.0, tail(2));
    assert_eq!(last[0], "x".repeat(RECORD_MAX));
    assert_eq!(last[1], "x\n");
}

#[test]
fn a_character_is_not_cut_in_two() {
    let dir = Dir::new();
    let mut writer = open(&dir.0, UNLIMITED).expect("opens");
    let line = "x".to_owned() + &"€".repeat(RECORD_MAX) + "\n";
    for piece in line.as_bytes().chunks(1000) {
        writer.append(Stream::Stdout, piece, at(1));
    }
    assert_eq!(texts(&dir.0, Query::ALL).concat(), line);
}

#[test]
fn times_select_since_inclusive_and_until_exclusive() {
    let dir = Dir::new();
    let mut writer = open(&dir.0, UNLIMITED).expect("opens");
    for second in 0..5 {
        writer.append(Stream::Stdout, format!("{second}\n").as_bytes(), at(second));
    }
    let query = Query {
        since: Some(at(1)),
        until: Some(at(3)),
        tail: Tail::All,
    };
    assert_eq!(texts(&dir.0, query), ["1\n", "2\n"]);
}

#[test]
fn tail_reaches_back_over_rotated_files() {
    let dir = Dir::new();
    let rotation = Rotation {
        max_bytes: 150,
        max_files: 10,
    };
    let mut writer = open(&dir.0, rotation).expect("opens");
    for number in 0..9 {
        writer.append(Stream::Stdout, format!("{number}\n").as_bytes(), at(1));
    }
    assert!(dir.0.join(format!("{NAME}.3")).exists());
    for count in 0..=10 {
        let expected: Vec<String> = (9 - count.min(9)..9).map(|n| format!("{n}\n")).collect();
        assert_eq!(texts(&dir.0, tail(count)), expected, "tail {count}");
    }
}

#[test]
fn rotation_keeps_size_and_number_of_files() {
    let dir = Dir::new();
    let rotation = Rotation {
        max_bytes: 1000,
        max_files: 3,
    };
    let mut writer = open(&dir.0, rotation).expect("opens");
    for number in 0..200 {
        writer.append(Stream::Stdout, format!("line {number}\n").as_bytes(), at(1));
    }
    let mut files: Vec<String> = fs::read_dir(&dir.0)
        .expect("directory")
        .map(|entry| {
            entry
                .expect("entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect();
    files.sort();
    assert_eq!(files, [NAME, "c-json.log.1", "c-json.log.2"]);
    for file in files {
        assert!(dir.text(&file).len() <= 1000, "{file}");
    }
    assert_eq!(texts(&dir.0, tail(1)), ["line 199\n"]);
    let one = Rotation {
        max_bytes: 1000,
        max_files: 1,
    };
    let mut writer = open(&dir.0, one).expect("opens");
    for _ in 0..50 {
        writer.append(Stream::Stdout, b"again\n", at(1));
    }
    assert_eq!(fs::read_dir(&dir.0).expect("directory").count(), 1);
}

#[test]
fn f28_a_torn_record_is_passed_over_and_cut_off_when_reopened() {
    let dir = Dir::new();
    let mut writer = open(&dir.0, UNLIMITED).expect("opens");
    writer.append(Stream::Stdout, b"whole\n", at(1));
    let whole = dir.text(NAME);
    let path = dir.0.join(NAME);
    let mut file = OpenOptions::new().append(true).open(&path).expect("opens");
    file.write_all(b"{\"log\":\"torn").expect("writes");
    assert_eq!(texts(&dir.0, Query::ALL), ["whole\n"]);
    assert_eq!(texts(&dir.0, tail(1)), ["whole\n"]);
    let mut writer = open(&dir.0, UNLIMITED).expect("opens");
    assert_eq!(dir.text(NAME), whole);
    writer.append(Stream::Stdout, b"next\n", at(2));
    assert_eq!(texts(&dir.0, Query::ALL), ["whole\n", "next\n"]);
}

#[test]
fn f27_a_full_disk_costs_text_and_says_how_much() {
    let dir = Dir::new();
    let mut writer = open(&dir.0, UNLIMITED).expect("opens");
    writer.append(Stream::Stdout, b"before\n", at(1));
    let full = OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("/dev/full");
    let real = writer.swap_file(full).expect("was open");
    for _ in 0..10 {
        writer.append(Stream::Stdout, b"12345678\n", at(2));
    }
    writer.swap_file(real);
    writer.append(Stream::Stdout, b"after\n", at(3));
    let records: Vec<Record> = read(&dir.0, NAME, Format::Json, Query::ALL)
        .expect("readable")
        .collect::<crate::error::Result<_>>()
        .expect("readable");
    let seen: Vec<(String, Option<u64>)> = records
        .iter()
        .map(|record| (string(record), record.lost_bytes))
        .collect();
    let gap = "[90 bytes of output lost: the log could not be written]\n";
    assert_eq!(
        seen,
        [("before\n", None), (gap, Some(90)), ("after\n", None)]
            .map(|(text, lost)| (text.to_owned(), lost))
    );
}

#[test]
fn f27_a_half_written_batch_leaves_no_torn_record() {
    let dir = Dir::new();
    let mut writer = open(&dir.0, UNLIMITED).expect("opens");
    // A sealed memory file ends as a full disk does: a short write first, then an error.
    let flags = MemfdFlags::ALLOW_SEALING | MemfdFlags::CLOEXEC;
    let file = File::from(memfd_create("full", flags).expect("memfd"));
    file.set_len(4096).expect("sized");
    fcntl_add_seals(&file, SealFlags::GROW).expect("sealed");
    let check = file.try_clone().expect("second handle");
    writer.swap_file(file);
    writer.append(Stream::Stdout, b"fits\n", at(1));
    for _ in 0..100 {
        writer.append(Stream::Stdout, "y\n".repeat(100).as_bytes(), at(2));
    }
    let mut stored = String::new();
    (&check).read_to_string(&mut stored).expect("readable");
    assert!(
        stored.starts_with("{") && stored.ends_with("}\n"),
        "{stored}"
    );
    writer.swap_file(File::create(dir.0.join(NAME)).expect("creates"));
    writer.flush_partial(at(3));
    let log = dir.text(NAME);
    assert!(log.contains(r#""attrs":{"lost":"20000"}"#), "{log}");
}

#[test]
fn f28_a_follower_sees_every_record_once_across_rotation() {
    let dir = Dir::new();
    let rotation = Rotation {
        max_bytes: 4000,
        max_files: 50,
    };
    let over = AtomicBool::new(false);
    let count = 1000;
    let seen = thread::scope(|scope| {
        let mut follower = Follower::open(&dir.0, NAME, Format::Json, Query::ALL).expect("follows");
        let over = &over;
        let reader = scope.spawn(move || {
            let mut seen = Vec::new();
            loop {
                // Should: ask before reading. What was written before the end is then read.
                let over = over.load(Ordering::SeqCst);
                while let Some(record) = follower.present().expect("readable") {
                    seen.push(string(&record));
                }
                if over {
                    return seen;
                }
                let pause = Duration::from_millis(100);
                follower.wait(None, pause).expect("waits");
            }
        });
        let mut writer = open(&dir.0, rotation).expect("opens");
        for number in 0..count {
            writer.append(Stream::Stdout, format!("{number}\n").as_bytes(), at(1));
            if number % 16 == 0 {
                thread::sleep(Duration::from_millis(1));
            }
        }
        over.store(true, Ordering::SeqCst);
        reader.join().expect("reader ends")
    });
    let expected: Vec<String> = (0..count).map(|number| format!("{number}\n")).collect();
    assert_eq!(seen, expected);
}

#[test]
fn f28_the_end_of_a_rotated_file_is_read_before_the_next() {
    let dir = Dir::new();
    let rotation = Rotation {
        max_bytes: 150,
        max_files: 5,
    };
    let mut writer = open(&dir.0, rotation).expect("opens");
    writer.append(Stream::Stdout, b"a\n", at(1));
    let mut reader = read(&dir.0, NAME, Format::Json, Query::ALL).expect("readable");
    assert!(reader.next().is_some() && reader.next().is_none());
    writer.append(Stream::Stdout, b"b\nc\nd\ne\nf\n", at(1));
    assert!(reader.find_successors().expect("readable"));
    let rest: Vec<String> = reader
        .map(|record| string(&record.expect("readable")))
        .collect();
    assert_eq!(rest, ["b\n", "c\n", "d\n", "e\n", "f\n"]);
}

#[test]
fn a_follower_is_over_when_a_record_is_too_new() {
    let dir = Dir::new();
    let mut log = open(&dir.0, UNLIMITED).expect("opens");
    let query = Query {
        until: Some(at(4_000_000_000)),
        ..Query::ALL
    };
    let mut follower = Follower::open(&dir.0, NAME, Format::Json, query).expect("follows");
    log.append(Stream::Stdout, b"wanted\n", at(5));
    assert!(follower.present().expect("readable").is_some());
    assert!(follower.present().expect("readable").is_none() && !follower.is_over());
    log.append(Stream::Stdout, b"too new\n", at(4_000_000_000));
    log.append(Stream::Stdout, b"never read\n", at(5));
    assert!(follower.present().expect("readable").is_none() && follower.is_over());
}

/// Rotating and compressing, in the format of the name.
fn small(format: Format) -> Layout {
    Layout {
        format,
        rotation: Rotation {
            max_bytes: 4000,
            max_files: 60,
        },
        compress: true,
        attributes: String::new(),
    }
}

#[test]
fn f28_compressed_files_are_read_in_order_and_once() {
    for format in [Format::Json, Format::Cri] {
        let dir = Dir::new();
        let mut log = FileLog::open(&dir.0, NAME, small(format)).expect("opens");
        let mut follower = Follower::open(&dir.0, NAME, format, Query::ALL).expect("follows");
        let mut followed = Vec::new();
        for number in 0..1000 {
            log.append(Stream::Stdout, format!("{number}\n").as_bytes(), at(1));
            // Now and then, so that files are compressed while they are at hand and while not.
            if number % 130 == 0 {
                while let Some(record) = follower.present().expect("readable") {
                    followed.push(string(&record));
                }
            }
        }
        while let Some(record) = follower.present().expect("readable") {
            followed.push(string(&record));
        }
        let expected: Vec<String> = (0..1000).map(|number| format!("{number}\n")).collect();
        assert_eq!(followed, expected);
        assert!(dir.0.join(format!("{NAME}.2.gz")).exists());
        assert!(!dir.0.join(format!("{NAME}.2")).exists());
        let records = read(&dir.0, NAME, format, tail(900)).expect("readable");
        let texts: Vec<String> = records
            .map(|record| string(&record.expect("readable")))
            .collect();
        assert_eq!(texts, expected[100..]);
    }
}

#[test]
fn compressed_files_go_when_they_are_too_many() {
    let dir = Dir::new();
    let mut layout = small(Format::Json);
    layout.rotation.max_files = 3;
    let mut log = FileLog::open(&dir.0, NAME, layout.clone()).expect("opens");
    for number in 0..1000 {
        log.append(Stream::Stdout, format!("{number}\n").as_bytes(), at(1));
    }
    log.pack_for_test();
    let count = || fs::read_dir(&dir.0).expect("directory").count();
    assert_eq!(count(), 3);
    assert_eq!(texts(&dir.0, tail(1)), ["999\n"]);
    layout.rotation.max_files = 1;
    drop(log);
    FileLog::open(&dir.0, NAME, layout).expect("opens");
    assert_eq!(count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Whatever the chunks and wherever the files end, each stream comes out as it went in.
    #[test]
    fn what_goes_in_comes_out_in_order(
        chunks in prop::collection::vec(
            (any::<bool>(), "[a-z\"€\n\u{1b}]{0,40}", 0usize..30),
            0..20,
        ),
        max_bytes in 2000u64..50_000,
        cut in 1usize..50,
    ) {
        let dir = Dir::new();
        let rotation = Rotation { max_bytes, max_files: u32::MAX };
        let mut writer = open(&dir.0, rotation).expect("opens");
        let mut expected = [String::new(), String::new()];
        for (is_stderr, text, repeat) in &chunks {
            let stream = if *is_stderr { Stream::Stderr } else { Stream::Stdout };
            let text = text.repeat(*repeat * 20);
            expected[stream as usize].push_str(&text);
            for piece in text.as_bytes().chunks(cut * 100) {
                writer.append(stream, piece, at(1));
            }
        }
        writer.flush_partial(at(2));
        let mut seen = [String::new(), String::new()];
        for record in read(&dir.0, NAME, Format::Json, Query::ALL).expect("readable") {
            let record = record.expect("readable");
            let text = string(&record);
            prop_assert!(text.len() <= RECORD_MAX);
            prop_assert!(!text.trim_end_matches('\n').contains('\n'));
            seen[record.stream as usize].push_str(&text);
        }
        prop_assert_eq!(seen, expected);
    }
}
