//! Damaged archives against GNU tar: what both accept, both must read alike.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::store::testing::{Item, Scene, Tar, sum};

/// Names, types and sizes of what is in a directory.
fn listing(root: &Path) -> BTreeSet<String> {
    let entries = walkdir::WalkDir::new(root).min_depth(1);
    let describe = |entry: walkdir::DirEntry| {
        let stat = entry.metadata().expect("stat");
        let size = if stat.is_file() { stat.len() } else { 0 };
        let path = entry.path().strip_prefix(root).expect("below").to_owned();
        format!("{path:?} {:?} {size}", stat.file_type())
    };
    entries
        .into_iter()
        .map(|entry| describe(entry.expect("walks")))
        .collect()
}

fn sample() -> Vec<u8> {
    let long = [b"long/".repeat(30), b"name\0".to_vec()].concat();
    let hidden = Tar::default().file("hidden", b"x").end();
    Tar::default()
        .dir("dir/", 0o755)
        .file("dir/file", &hidden)
        .pax(b'x', &[("path", b"dir/pax"), ("size", b"3")])
        .file("short", b"abc")
        .add(&Item {
            kind: b'L',
            name: b"././@LongLink",
            data: &long,
            ..Item::default()
        })
        .file("cut", b"data")
        .symlink("link", "dir/file")
        .hard_link("hard", "dir/file")
        .file("last", &[7; 700])
        .end()
}

#[test]
fn a16_damaged_archives_are_refused_or_read_as_gnu_tar_reads_them() {
    if Command::new("tar").arg("--version").output().is_err() {
        eprint!("SKIP no tar to compare with");
        return;
    }
    let scene = Scene::new();
    let whole = sample();
    let headers: Vec<usize> = (0..whole.len())
        .step_by(512)
        .filter(|at| whole.get(at + 257..at + 262) == Some(b"ustar"))
        .collect();
    let interesting = b"\0 /0179x\x80\xffLKgS5";
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    };
    let mut accepted = 0;
    for round in 0..300 {
        let mut tar = whole.clone();
        let header = headers[random(headers.len())];
        let fields = [
            0, 1, 99, 100, 124, 130, 134, 135, 136, 156, 157, 257, 262, 263, 345, 482,
        ];
        let at = header + fields[random(fields.len())] + random(2);
        tar[at] = interesting[random(interesting.len())];
        sum(&mut tar[header..header + 512]);
        let Ok(ours) = scene.unpack(&tar) else {
            continue;
        };
        accepted += 1;
        let file = scene.path.join("damaged.tar");
        let theirs = scene.path.join(format!("tar-{round}"));
        std::fs::write(&file, &tar).expect("writes");
        std::fs::create_dir(&theirs).expect("mkdir");
        let output = Command::new("tar")
            .arg("-xf")
            .arg(&file)
            .arg("-C")
            .arg(&theirs)
            .output();
        let output = output.expect("runs");
        let said = String::from_utf8_lossy(&output.stderr);
        let place = at - header;
        assert_eq!(
            listing(&ours.fs),
            listing(&theirs),
            "round {round}, byte {place}: {said}"
        );
    }
    assert!(
        accepted > 20,
        "only {accepted} of 300 were accepted: nothing was compared"
    );
}
