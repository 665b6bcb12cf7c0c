//! F44: any two commands on one container at the same time end as if one had come after the other.
//!
//! A small model says what each command does to a container in each state. What two commands did
//! together must be what the model says of one of the two orders; a command may also decline
//! because the other is at work, and then has done nothing. `HULL_PAIRS` is the number of turns.

use std::time::Duration;

use Standing::{Created, Exited, Paused, Running};

use super::{Seed, expect_no_crash};
use crate::bed::Bed;
use crate::process::{Ran, wait_until};

each_who!(f44_two_commands_end_as_if_one_had_come_after_the_other);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Created,
    Running,
    Paused,
    Exited,
}

/// What there is: the container named `box`, and the one named `bax` that it may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct World {
    boxed: Option<Standing>,
    bax: Option<Standing>,
}

/// What a command makes of the world; `None`: it is refused, and nothing changes.
type Effect = fn(World) -> Option<World>;

/// What is said of a container that is there.
fn of_box(world: World, becomes: impl Fn(Standing) -> Option<Standing>) -> Option<World> {
    let after = becomes(world.boxed?)?;
    Some(World {
        boxed: Some(after),
        ..world
    })
}

/// Each command with its effect. A new one is one line here, and its words below.
const COMMANDS: &[(&str, Effect)] = &[
    ("create", |world| match world.boxed {
        None => Some(World {
            boxed: Some(Created),
            ..world
        }),
        Some(_) => None,
    }),
    ("start", |world| {
        of_box(world, |state| (state != Paused).then_some(Running))
    }),
    ("stop", |world| of_box(world, |state| Some(ended(state)))),
    ("restart", |world| of_box(world, |_| Some(Running))),
    ("kill", |world| {
        of_box(world, |state| is_up(state).then_some(Exited))
    }),
    ("pause", |world| {
        of_box(world, |state| (state == Running).then_some(Paused))
    }),
    ("exec", |world| {
        of_box(world, |state| (state == Running).then_some(Running))
    }),
    ("rm", |world| {
        Some(World {
            boxed: None,
            ..world
        })
    }),
    ("rename", |world| match (world.boxed, world.bax) {
        (Some(state), None) => Some(World {
            boxed: None,
            bax: Some(state),
        }),
        _ => None,
    }),
    ("update", |world| of_box(world, Some)),
    ("commit", |world| of_box(world, Some)),
    ("cp", |world| of_box(world, Some)),
    ("wait", |world| of_box(world, Some)),
];

fn is_up(state: Standing) -> bool {
    state == Running || state == Paused
}

fn ended(state: Standing) -> Standing {
    if is_up(state) { Exited } else { state }
}

fn words(command: &str) -> Vec<&'static str> {
    match command {
        "create" => CREATE.to_vec(),
        "start" => vec!["start", "box"],
        "stop" => vec!["stop", "-t", "0", "box"],
        "restart" => vec!["restart", "-t", "0", "box"],
        "kill" => vec!["kill", "box"],
        "pause" => vec!["pause", "box"],
        "exec" => vec!["exec", "box", "true"],
        "rm" => vec!["rm", "-f", "box"],
        "rename" => vec!["rename", "box", "bax"],
        "update" => vec!["update", "--pids-limit", "100", "box"],
        "commit" => vec!["commit", "box", "pair:1"],
        "cp" => vec!["cp", "box:/bin/busybox", "-"],
        "wait" => vec!["wait", "box"],
        other => panic!("no words for {other}"),
    }
}

const CREATE: [&str; 8] = [
    "create",
    "--name",
    "box",
    "--network",
    "none",
    "busybox:test",
    "sleep",
    "1000",
];

/// What a command may say besides what the model refuses, because the other is at work.
const BUSY: &[&str] = &[
    "is being started",
    "is being restarted",
    "is not running",
    "is not paused",
    "is already paused",
    "is paused",
    "cannot start a paused container",
    "No such container",
    "is already running",
    "was killed",
    "is already in use",
    "marked for removal",
    "with the same name as its current name",
];

/// No answer to the other command, but to this host.
const NOT_HERE: &[&str] = &["cgroup", "limits cannot"];

fn f44_two_commands_end_as_if_one_had_come_after_the_other(bed: &Bed) {
    let turns = std::env::var("HULL_PAIRS").ok();
    let turns = turns.and_then(|text| text.parse().ok()).unwrap_or(24);
    let known: Vec<_> = COMMANDS
        .iter()
        .filter(|(name, _)| bed.hull(&[name, "--help"]).code == 0)
        .collect();
    assert!(known.len() >= 9, "the commands are there");
    let can_pause = can_pause(bed);
    let mut seed = Seed::new();
    for _ in 0..turns {
        let pair = [(); 2].map(|()| known[seed.below(known.len())]);
        let states = [Created, Running, Exited, Paused];
        let state = states[seed.below(if can_pause { 4 } else { 3 })];
        let delay = Duration::from_millis(seed.below(4) as u64 * seed.below(16) as u64);
        one_turn(bed, state, pair, delay);
    }
}

/// Without a freezer there is nothing to pause with.
fn can_pause(bed: &Bed) -> bool {
    make(bed, Running);
    let paused = bed.hull(&["pause", "box"]).code == 0;
    bed.hull(&["rm", "-f", "box"]).ok();
    paused
}

fn make(bed: &Bed, state: Standing) {
    bed.hull(&CREATE).ok();
    if state != Created {
        bed.hull(&["start", "box"]).ok();
    }
    match state {
        Paused => drop(bed.hull(&["pause", "box"]).ok()),
        Exited => drop(bed.hull(&["kill", "box"]).ok()),
        Created | Running => {}
    }
}

fn one_turn(bed: &Bed, state: Standing, pair: [&(&str, Effect); 2], delay: Duration) {
    make(bed, state);
    let first = bed.start(&words(pair[0].0));
    std::thread::sleep(delay);
    let second = bed.start(&words(pair[1].0));
    let mut running = [Some(first), Some(second)];
    let mut ran: [Option<Ran>; 2] = [None, None];
    // Those that wait for an end come last, and get one.
    let pauses = pair.iter().any(|(name, _)| *name == "pause");
    for number in [0, 1] {
        // A program that was frozen on its way in goes on when it is thawed, or ends.
        let lasts = pair[number].0 == "wait" || pair[number].0 == "exec" && pauses;
        if !lasts {
            ran[number] = running[number].take().map(|one| one.finish());
        }
    }
    let after = world(bed);
    if running.iter().any(Option::is_some) {
        bed.hull(&["rm", "-f", "box", "bax"]);
    }
    for number in [0, 1] {
        if let Some(one) = running[number].take() {
            ran[number] = Some(one.finish());
        }
    }
    let ran = ran.map(|one| one.expect("has ended"));
    for one in ran.iter().filter(|one| one.code != 137) {
        expect_no_crash(one);
    }
    let before = World {
        boxed: Some(state),
        bax: None,
    };
    let explained = [[0, 1], [1, 0]].iter().any(|order| {
        let commands = order.map(|number| (pair[number], &ran[number]));
        explains(before, after, &commands)
    });
    assert!(
        explained,
        "{state:?}, then {} and {} after {delay:?}, ended as {after:?}\n{ran:#?}",
        pair[0].0, pair[1].0
    );
    bed.hull(&["rm", "-f", "box", "bax"]);
    if pair.iter().any(|(name, _)| *name == "commit") {
        bed.hull(&["rmi", "-f", "pair:1"]);
    }
}

/// Whether the commands in this order, as they ended, lead from one world to the other.
fn explains(before: World, after: World, commands: &[(&(&str, Effect), &Ran)]) -> bool {
    let mut now = before;
    for ((name, effect), ran) in commands {
        let says = |texts: &[&str]| texts.iter().any(|text| ran.stderr.contains(text));
        // A program that another command ended did run.
        let done = ran.code == 0 || *name == "exec" && ran.code == 137;
        match (done, effect(now)) {
            (true, Some(next)) => now = next,
            (true, None) => return false,
            (false, None) if says(BUSY) || says(NOT_HERE) => {}
            (false, Some(_)) if says(BUSY) || says(NOT_HERE) => {}
            (false, _) => return false,
        }
    }
    now == after
}

fn world(bed: &Bed) -> World {
    let mut text = String::new();
    wait_until("both are done with the container", || {
        let listed = bed.hull(&["ps", "-a", "--format", "{{.Names}} {{.State}}"]);
        text = listed.ok().to_owned();
        !text.contains("removing")
    });
    let find = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(match line.trim() {
            "created" => Created,
            "running" => Running,
            "paused" => Paused,
            "exited" => Exited,
            other => panic!("a container is {other}"),
        })
    };
    World {
        boxed: find("box"),
        bax: find("bax"),
    }
}
