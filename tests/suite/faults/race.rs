//! F43 and neighbours: many commands about one name at once.

use crate::bed::Bed;

each_who!(
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
