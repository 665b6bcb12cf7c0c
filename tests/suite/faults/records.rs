//! F30, F36: damaged records, and records that name somebody else's process.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;

use serde_json::Value;

use super::{Seed, expect_no_crash};
use crate::bed::{Bed, Who};
use crate::store::fingerprint;

each_who!(
    f36_damaged_container_records_hide_nothing_and_go,
    f36_damaged_live_records_hide_nothing_and_go,
    f36_damaged_references_hide_nothing_and_go,
    f30_a_foreign_process_is_never_touched,
    f40_a_newer_store_is_refused_by_container_commands,
);

/// The bytes cut at every length, and with one bit of each byte flipped; for users, who take longer
/// to delete, a part of these.
fn damages(bed: &Bed, bytes: &[u8], seed: &mut Seed) -> Vec<Vec<u8>> {
    let most = match bed.who {
        Who::Root => 1000,
        Who::User | Who::NoSubids => 100,
    };
    let cut = (0..bytes.len()).map(|end| bytes[..end].to_vec());
    let mut flip = |at: usize| {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1 << seed.below(8);
        flipped
    };
    let flipped: Vec<_> = (0..bytes.len()).map(&mut flip).collect();
    let odd: [&[u8]; 5] = [b"[]", b"null", b"{}", b"\0\0\0\0", b"{\"id\":1}"];
    let odd = odd.into_iter().map(<[u8]>::to_vec);
    seed.choose(cut.chain(flipped).chain(odd).collect(), most)
}

fn container_dir(bed: &Bed, id: &str) -> PathBuf {
    bed.store().join("containers").join(id)
}

fn write(bed: &Bed, path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("record");
    bed.give(path);
}

fn make_dirs(bed: &Bed, path: &Path) {
    fs::create_dir(path).expect("directory");
    bed.give(path);
}

/// A container that was never created, with the records of `template`; returns its id.
fn fake(bed: &Bed, template: &str, number: usize, file: &str, content: &[u8]) -> String {
    let id = format!("{number:012x}{}", &template[12..]);
    let dir = container_dir(bed, &id);
    make_dirs(bed, &dir);
    for name in ["state.json", "config.json"] {
        let whole = fs::read_to_string(container_dir(bed, template).join(name)).expect("record");
        write(
            bed,
            &dir.join(name),
            whole.replace(template, &id).as_bytes(),
        );
    }
    write(bed, &dir.join(file), content);
    id
}

/// With the damaged containers there, the others are seen; and all of them go at once.
#[track_caller]
fn others_are_seen_and_damaged_go(bed: &Bed, ids: &[String]) {
    for words in [
        &["ps", "-a", "--no-trunc", "--format", "{{.Names}}"][..],
        &["ps", "-a", "--format", "json"],
        &["inspect", "good"],
    ] {
        let ran = bed.hull(words);
        expect_no_crash(&ran);
        ran.fails(0).stdout_has("good");
    }
    bed.hull(&["images"]).fails(0).stdout_has("busybox");
    for chunk in ids.chunks(40) {
        let words: Vec<&str> = chunk.iter().map(String::as_str).collect();
        let inspected = bed.hull(&[&["inspect"], &words[..]].concat());
        expect_no_crash(&inspected);
    }
    for chunk in ids.chunks(100) {
        let words: Vec<&str> = chunk.iter().map(String::as_str).collect();
        let removed = bed.hull(&[&["rm", "-f"], &words[..]].concat());
        expect_no_crash(&removed);
        removed.fails(0).stdout_is(&(chunk.join("\n") + "\n"));
    }
    bed.hull(&["ps", "-a", "--format", "{{.Names}}"])
        .fails(0)
        .stdout_is("good\n");
}

fn f36_damaged_container_records_hide_nothing_and_go(bed: &Bed) {
    let create = ["create", "--name", "good", "busybox:test", "true"];
    let template = bed.hull(&create).ok().to_owned();
    let mut seed = Seed::new();
    for (start, file) in [(1, "state.json"), (100_000, "config.json")] {
        let whole = fs::read(container_dir(bed, &template).join(file)).expect("record");
        let mut ids = Vec::new();
        for (number, damage) in damages(bed, &whole, &mut seed).iter().enumerate() {
            ids.push(fake(bed, &template, start + number, file, damage));
        }
        others_are_seen_and_damaged_go(bed, &ids);
    }
    bed.hull(&["rm", "good"]).ok();
}

fn f36_damaged_live_records_hide_nothing_and_go(bed: &Bed) {
    bed.hull(&["create", "--name", "good", "busybox:test", "true"])
        .ok();
    let id = bed.detached(&["--name", "box"], &["sleep", "1000"]);
    let live = bed.run_dir().join("c").join(&id[..12]).join("run.json");
    let whole = fs::read(&live).expect("live record");
    bed.hull(&["rm", "-f", "box"]).ok();
    let mut seed = Seed::new();
    // Of containers whose monitor is gone: all damages.
    let template = bed.hull(&["create", "--name", "tpl", "busybox:test", "true"]);
    let template = template.ok().to_owned();
    let state = fs::read_to_string(container_dir(bed, &template).join("state.json"));
    let state = state.expect("record");
    let mut ids = Vec::new();
    for (number, damage) in damages(bed, &whole, &mut seed).iter().enumerate() {
        let own = format!("{:012x}{}", number + 1, &template[12..]);
        let own_state = state.replace(&template, &own);
        let made = fake(
            bed,
            &template,
            number + 1,
            "state.json",
            own_state.as_bytes(),
        );
        let run = bed.run_dir().join("c").join(&made[..12]);
        make_dirs(bed, &run);
        write(bed, &run.join("run.json"), damage);
        ids.push(made);
    }
    bed.hull(&["rm", "tpl"]).ok();
    others_are_seen_and_damaged_go(bed, &ids);
    // And of one that runs.
    let all = damages(bed, &whole, &mut seed);
    // And the sound record of another one.
    for damage in seed.choose(all, 6).into_iter().chain([whole]) {
        bed.detached(&["--name", "box"], &["sleep", "1000"]);
        let id = bed.inspect("box", "{{.Id}}");
        let live = bed.run_dir().join("c").join(&id[..12]).join("run.json");
        write(bed, &live, &damage);
        let seen = bed.hull(&["ps", "-a", "--format", "{{.Names}}"]);
        expect_no_crash(&seen);
        seen.fails(0).stdout_has("good");
        bed.hull(&["inspect", "good"]).ok();
        let removed = bed.hull(&["rm", "-f", "box"]);
        removed.fails(0).stdout_is("box\n");
    }
    bed.hull(&["rm", "good"]).ok();
}

fn f36_damaged_references_hide_nothing_and_go(bed: &Bed) {
    let library = bed.store().join("refs/docker.io/library");
    let whole = fs::read_to_string(library.join("busybox/_tag_test")).expect("reference");
    let mut seed = Seed::new();
    let mut names = Vec::new();
    let damages = damages(bed, whole.as_bytes(), &mut seed);
    for (number, damage) in damages.iter().enumerate() {
        let dir = library.join(format!("bad{number}"));
        make_dirs(bed, &dir);
        write(bed, &dir.join("_tag_test"), damage);
        names.push(format!("bad{number}:test"));
    }
    let images = bed.hull(&["images", "--format", "{{.Repository}}:{{.Tag}}"]);
    expect_no_crash(&images);
    images.fails(0).stdout_is("busybox:test\n");
    bed.hull(&["run", "--rm", "--network", "none", "busybox:test", "true"])
        .ok();
    for chunk in names.chunks(100) {
        let words: Vec<&str> = chunk.iter().map(String::as_str).collect();
        let removed = bed.hull(&[&["rmi"], &words[..]].concat());
        expect_no_crash(&removed);
        removed.fails(0);
    }
    let images = bed.hull(&["images", "--format", "{{.Repository}}:{{.Tag}}"]);
    images.fails(0).stdout_is("busybox:test\n");
    images.expect(images.stderr.is_empty(), "nothing is damaged any more");
}

/// A process of nobody's concern.
struct Bystander(Child);

impl Bystander {
    fn start(bed: &Bed) -> Bystander {
        let mut sleep = bed.command(Path::new("/bin/sleep"));
        Bystander(sleep.arg("1000").spawn().expect("sleep starts"))
    }

    fn is_untouched(&mut self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap_or_default();
        let sleeps = stat
            .rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with('S'));
        sleeps && self.0.try_wait().expect("is our child").is_none()
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        // An error would be that somebody else has killed it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn f30_a_foreign_process_is_never_touched(bed: &Bed) {
    let mut bystander = Bystander::start(bed);
    for monitor_is_gone in [false, true] {
        let id = bed.detached(&["--name", "box"], &["sleep", "1000"]);
        let live = bed.run_dir().join("c").join(&id[..12]).join("run.json");
        let bytes = fs::read(&live).expect("live record");
        let mut record: Value = serde_json::from_slice(&bytes).expect("is JSON");
        record["pid"] = bystander.0.id().into();
        if monitor_is_gone {
            bed.hull(&["kill", "box"]).ok();
            fs::create_dir_all(live.parent().expect("has one")).expect("directory");
            bed.give(live.parent().expect("has one"));
        }
        write(bed, &live, record.to_string().as_bytes());
        bed.hull(&["kill", "box"])
            .fails(1)
            .stderr_has("not running");
        let inside = bed.hull(&["exec", "box", "true"]);
        inside
            .expect(inside.code != 0, "a failure")
            .stderr_has("not running");
        bed.hull(&["stop", "-t", "0", "box"]);
        bed.hull(&["rm", "-f", "box"]).fails(0).stdout_is("box\n");
        assert!(bystander.is_untouched());
    }
    // And a command that means it can kill such a process: the check above can fail.
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(bystander.0.id().cast_signed()),
        nix::sys::signal::Signal::SIGKILL,
    )
    .expect("runs");
    crate::process::wait_until("it is dead", || !bystander.is_untouched());
}

fn f40_a_newer_store_is_refused_by_container_commands(bed: &Bed) {
    bed.hull(&[
        "create",
        "--name",
        "box",
        "--network",
        "none",
        "busybox:test",
        "true",
    ])
    .ok();
    let path = bed.store().join("version.json");
    let own = fs::read_to_string(&path).expect("version.json");
    fs::write(&path, r#"{"format":999}"#).expect("writable");
    let before = fingerprint(&bed.store());
    for (words, code) in [
        (&["create", "--name", "boy", "busybox:test"][..], 1),
        (&["run", "busybox:test", "true"], 125),
        (&["start", "box"], 1),
        (&["stop", "box"], 1),
        (&["rm", "box"], 1),
        (&["rm", "-f", "box"], 1),
        (&["rmi", "busybox:test"], 1),
    ] {
        bed.hull(words).fails(code).stderr_has("newer");
    }
    assert_eq!(fingerprint(&bed.store()), before, "something was written");
    fs::write(&path, own).expect("writable");
    bed.hull(&["start", "-a", "box"]).ok();
    bed.hull(&["rm", "box"]).ok();
}
