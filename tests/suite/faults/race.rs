//! F43, F45 and neighbours: many commands about one name, or one image, at once.

use std::time::Duration;

use super::{CHECK, Seed, archive, checked_image, expect_no_crash, sweep, verify};
use crate::bed::{Bed, Who};
use crate::process::Ran;
use crate::registry::Registry;

each_who!(
    f45_two_commands_about_an_image_lose_no_layer,
    f43_of_fifty_creates_with_one_name_one_wins,
    readers_never_keep_a_container_from_starting,
);

fn f43_of_fifty_creates_with_one_name_one_wins(bed: &Bed) {
    let create = [
        "create",
        "--name",
        "box",
        "--network",
        "none",
        "busybox:test",
        "true",
    ];
    let running: Vec<_> = (0..50).map(|_| bed.start(&create)).collect();
    let mut won = Vec::new();
    for one in running {
        let ran = one.finish();
        match ran.code {
            0 => won.push(ran.stdout.trim().to_owned()),
            _ => drop(ran.fails(1).one_error_line().stderr_has("already in use")),
        }
    }
    assert_eq!(won.len(), 1, "{won:?}");
    bed.hull(&["ps", "-aq", "--no-trunc"])
        .fails(0)
        .stdout_is(&format!("{}\n", won[0]));
    bed.hull(&["start", "-a", "box"]).ok();
    bed.hull(&["rm", "box"]).ok();
}

/// Asking whether a container runs must not look like its running.
fn readers_never_keep_a_container_from_starting(bed: &Bed) {
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
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            for _ in 0..60 {
                // Neither a loss nor a half-read record, whatever happens meanwhile.
                let state = bed.hull(&["ps", "-a", "--format", "{{.State}} {{.Status}}"]);
                let text = state.ok();
                let known = ["created", "running", "exited (0"].iter();
                let text = text.to_lowercase();
                state.expect(
                    known.clone().any(|known| text.starts_with(known))
                        || text.starts_with("exited exited (0)"),
                    "created, running or exited (0)",
                );
            }
        });
        for _ in 0..20 {
            bed.hull(&["start", "-a", "box"]).ok();
        }
        reader.join().expect("readers see whole records");
    });
    bed.hull(&["rm", "box"]).ok();
}

/// What a command about images may say because the other one was quicker.
const LATE: &[&str] = &[
    "No such image",
    "part of it was removed meanwhile",
    "is incomplete",
    "must be forced",
    "cannot be forced",
    "must force",
    "Unable to find image",
    "is missing",
];

/// Pairs at once, after a pause that a seed chooses; `HULL_PAIRS` is the number of turns.
fn f45_two_commands_about_an_image_lose_no_layer(bed: &Bed) {
    let Some(registry) = Registry::start(bed) else {
        return;
    };
    let mut seed = Seed::new();
    let image = checked_image("box", &mut seed, 3);
    let name = registry.push(&image, "app:1");
    let mut other = image.clone();
    other.name = "other:1".to_owned();
    other.config["Labels"] = serde_json::json!({"other": "yes"});
    let other = archive(bed, "other.tar", &other);
    let run = ["run", "--rm", "--pull", "never", "--network", "none"];
    let run = [&run[..], &[&name], &CHECK].concat();
    let pull = ["pull", "-q", &name];
    let (rmi, tag) = (["rmi", "-f", &name], ["tag", &name, "more:1"]);
    let (untag, prune) = (["rmi", "more:1"], ["image", "prune", "-a", "-f"]);
    let load = ["load", "-q", "-i", &other];
    let rest = ["rmi", "other:1"];
    let pairs: [[&[&str]; 2]; 11] = [
        [&pull, &pull],
        [&pull, &rmi],
        [&pull, &prune],
        [&run, &rmi],
        [&run, &prune],
        [&tag, &untag],
        [&tag, &rmi],
        [&tag, &prune],
        [&load, &rmi],
        [&load, &prune],
        [&rest, &pull],
    ];
    let turns = std::env::var("HULL_PAIRS").ok();
    let turns = turns.and_then(|text| text.parse().ok());
    let turns = turns.unwrap_or(if bed.who == Who::Root { 22 } else { 11 });
    for turn in 0..turns {
        let [first, second] = pairs[turn % pairs.len()];
        if seed.below(3) > 0 {
            bed.hull(&pull).ok();
        }
        if seed.below(2) > 0 {
            bed.hull(&load).ok();
        }
        let delay = Duration::from_millis(seed.below(80) as u64);
        let one = bed.start(first);
        std::thread::sleep(delay);
        let two = bed.start(second);
        for (ran, words) in [(one.finish(), first), (two.finish(), second)] {
            done_or_late(
                &ran,
                words,
                &format!("{first:?} and {second:?} after {delay:?}"),
            );
        }
        whatever_is_named_is_whole(bed);
    }
    for name in [&name[..], "other:1", "more:1"] {
        bed.hull(&["rmi", name]);
    }
    sweep(bed);
}

#[track_caller]
fn whatever_is_named_is_whole(bed: &Bed) {
    verify(&bed.store());
    bed.hull(&["system", "check"]).fails(0);
    let names = bed.hull(&["images", "--format", "{{.Repository}}:{{.Tag}}"]);
    let names = names.ok().lines();
    for name in names.filter(|name| !name.starts_with("busybox")) {
        let head = ["run", "--rm", "--pull", "never", "--network", "none", name];
        bed.hull(&[&head[..], &CHECK].concat()).ok();
    }
}

#[track_caller]
fn done_or_late(ran: &Ran, words: &[&str], what: &str) {
    expect_no_crash(ran);
    let is_late = LATE.iter().any(|text| ran.stderr.contains(text));
    ran.expect(ran.code == 0 || is_late, what);
    if words[0] == "pull" && ran.code != 0 {
        // The only thing that may come between.
        ran.one_error_line();
    }
}
