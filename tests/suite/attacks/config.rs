//! A40 to A42 and A46: working directories, environments and mount targets of an image's config.

use serde_json::json;

use super::{
    Canary, SECRET, hull_with_open_files, keep_running, load, not_created, refused, run_image,
    start_with_secret,
};
use crate::bed::Bed;
use crate::images::Tree;
use crate::process::wait_until;

root_and_user!(
    a40_a_working_directory_is_never_outside_the_root,
    a40_an_images_working_directory_is_never_outside_the_root,
    a40_exec_has_no_working_directory_outside_the_root,
    a40_twin_working_directories_inside_work,
    a41_a_working_directory_is_made_inside_only,
    a41_a_working_directory_is_made_inside_while_links_are_swapped,
    a42_variables_without_a_value_are_refused_at_create,
    a42_twin_variables_arrive_as_they_are,
    a46_targets_of_the_engine_are_refused,
    a46_volumes_of_an_image_are_checked_like_mounts,
    a46_twin_ordinary_targets_work,
);

/// Links of procfs that lead out of the root, if anything follows them.
const MAGIC: [&str; 9] = [
    "/proc/self/fd/3",
    "/proc/self/fd/7",
    "/proc/self/fd/12",
    "/proc/self/fd/23",
    "/proc/self/fd/50",
    "/proc/self/fd/1023",
    "/proc/self/cwd",
    "/proc/1/root",
    "/proc/self/root",
];

fn a40_a_working_directory_is_never_outside_the_root(bed: &Bed) {
    let canary = Canary::new(bed);
    for dir in MAGIC {
        let words = [
            "run",
            "--rm",
            "--network",
            "none",
            "-w",
            dir,
            "busybox:test",
            "ls",
            "-a",
        ];
        let ran = hull_with_open_files(bed, &canary.dir, &words);
        refused(bed, &ran);
    }
    // Below such a link, too.
    let words = [
        "run",
        "--rm",
        "--network",
        "none",
        "-w",
        "/proc/self/fd/9/sub",
        "busybox:test",
        "ls",
    ];
    let ran = hull_with_open_files(bed, &canary.dir, &words);
    refused(bed, &ran);
    canary.is_unharmed("a working directory");
}

fn a40_an_images_working_directory_is_never_outside_the_root(bed: &Bed) {
    let canary = Canary::new(bed);
    let link = Tree::default().symlink("link", "/proc/self/fd/9");
    load(bed, "links", json!({"WorkingDir": "/link"}), link);
    load(
        bed,
        "fd",
        json!({"WorkingDir": "/proc/self/fd/9/../"}),
        Tree::default(),
    );
    for image in ["links", "fd"] {
        let words = ["run", "--rm", "--network", "none", image, "ls"];
        refused(bed, &hull_with_open_files(bed, &canary.dir, &words));
    }
    canary.is_unharmed("a working directory");
}

fn a40_exec_has_no_working_directory_outside_the_root(bed: &Bed) {
    let canary = Canary::new(bed);
    bed.detached(&["--name", "ctr"], &["sleep", "1000"]);
    for dir in MAGIC {
        let ran = hull_with_open_files(bed, &canary.dir, &["exec", "-w", dir, "ctr", "ls", "-a"]);
        // 126 for a directory that is not there, 125 for one that leads out.
        ran.expect(matches!(ran.code, 125 | 126), "exit code 125 or 126")
            .one_error_line();
    }
    canary.is_unharmed("a working directory");
}

fn a40_twin_working_directories_inside_work(bed: &Bed) {
    let tree = Tree::default()
        .dir("srv", 0o755)
        .dir("srv/app", 0o755)
        .symlink("app", "/srv/app")
        .symlink("up", "../../srv");
    load(bed, "dirs", json!({"WorkingDir": "/app"}), tree);
    run_image(bed, &[], "dirs", &["/bin/pwd"])
        .fails(0)
        .stdout_is("/srv/app\n");
    for (given, real) in [
        ("/up/app", "/srv/app"),
        ("/not/there/yet", "/not/there/yet"),
        ("/proc/1", "/proc/1"),
        ("/", "/"),
    ] {
        run_image(bed, &["-w", given], "dirs", &["/bin/pwd"])
            .fails(0)
            .stdout_is(&format!("{real}\n"));
    }
    keep_running(bed, "ctr", &[], "dirs", &["sleep", "1000"]);
    bed.hull(&["exec", "ctr", "/bin/pwd"])
        .fails(0)
        .stdout_is("/srv/app\n");
    bed.hull(&["exec", "-w", "/up/app", "ctr", "/bin/pwd"])
        .fails(0)
        .stdout_is("/srv/app\n");
}

fn a41_a_working_directory_is_made_inside_only(bed: &Bed) {
    let canary = Canary::new(bed);
    let link = Tree::default().symlink("link", &canary.path());
    load(bed, "link", json!({"WorkingDir": "/link/new/deep"}), link);
    let inside = format!("{}/new/deep\n", canary.path());
    run_image(bed, &[], "link", &["/bin/pwd"])
        .fails(0)
        .stdout_is(&inside);
    run_image(bed, &["-u", "1000"], "link", &["/bin/pwd"])
        .fails(0)
        .stdout_is(&inside);
    // A link to something that is there outside only.
    run_image(bed, &["-w", "/link/sub"], "link", &["ls", "-A"])
        .fails(0)
        .stdout_is("");
    canary.is_unharmed("a working directory");
}

/// T3: another container swaps a directory of a shared mount for a link to the host.
fn a41_a_working_directory_is_made_inside_while_links_are_swapped(bed: &Bed) {
    let canary = Canary::new(bed);
    let shared = bed.dir.join("work/shared");
    std::fs::create_dir(&shared).expect("made");
    bed.give(&shared);
    let mount = format!("{}:/shared", shared.display());
    let swap = format!(
        "cd /shared; mkdir real; ln -s {} link; while :; do \
         mv -T real d; mv -T d real; mv -T link d; mv -T d link; done",
        canary.path()
    );
    bed.detached(&["--name", "swapper", "-v", &mount], &["sh", "-c", &swap]);
    wait_until("the links are swapped", || shared.join("link").is_symlink());
    for number in 0..15 {
        let dir = format!("/shared/d/new{number}");
        // Whether it is made, and where inside, is the race's business.
        let _ = bed.run_rm(&["-v", &mount, "-w", &dir], &["true"]);
    }
    bed.hull(&["rm", "-f", "swapper"]).ok();
    canary.is_unharmed("a working directory");
}

fn a42_variables_without_a_value_are_refused_at_create(bed: &Bed) {
    for (number, entry) in ["HULL_SECRET", "*", "", "=x", "A=\0", "HULL_*"]
        .iter()
        .enumerate()
    {
        let image = format!("env{number}");
        load(
            bed,
            &image,
            json!({"Env": ["GOOD=1", entry]}),
            Tree::default(),
        );
        let words = ["run", "--rm", "--network", "none", &image, "env"];
        let ran = start_with_secret(bed, &words).finish();
        refused(bed, &ran);
        ran.expect(!ran.stderr.contains(SECRET), "no secret in the error");
        not_created(bed, &bed.hull(&["create", &image, "env"]));
    }
    let words = [
        "run",
        "-d",
        "--network",
        "none",
        "--name",
        "ctr",
        "busybox:test",
        "sleep",
        "1000",
    ];
    start_with_secret(bed, &words).finish().ok();
    for words in [
        &["exec", "ctr", "env"][..],
        &["exec", "ctr", "cat", "/proc/1/environ"],
        &["run", "--rm", "--network", "none", "busybox:test", "env"],
    ] {
        let ran = start_with_secret(bed, words).finish();
        ran.fails(0);
        ran.expect(
            !ran.stdout.contains(SECRET),
            "nothing of the caller's environment",
        );
    }
}

fn a42_twin_variables_arrive_as_they_are(bed: &Bed) {
    let env = [
        "EMPTY=",
        "TWO=a=b",
        "SPACE= x y ",
        "UTF8=\u{e9}",
        "lower.case-x=1",
    ];
    load(bed, "env", json!({"Env": env}), Tree::default());
    let ran = run_image(bed, &[], "env", &["env"]);
    for entry in env {
        ran.expect(ran.stdout.lines().any(|line| line == entry), entry);
    }
    // By name, from the caller, only when the user says so.
    let words = [
        "run",
        "--rm",
        "--network",
        "none",
        "-e",
        "HULL_SECRET",
        "env",
        "env",
    ];
    let ran = start_with_secret(bed, &words).finish();
    ran.fails(0).stdout_has(SECRET);
}

fn a46_targets_of_the_engine_are_refused(bed: &Bed) {
    let dir = bed.dir.join("work/data");
    std::fs::create_dir(&dir).expect("made");
    bed.give(&dir);
    let dir = dir.to_string_lossy();
    for target in [
        "/",
        "/proc",
        "/proc/self",
        "/proc/sys/kernel",
        "/sys",
        "/a/../..",
        "/..",
        "data",
    ] {
        let ran = bed.run_rm(&["-v", &format!("{dir}:{target}")], &["true"]);
        refused(bed, &ran);
        let ran = bed.run_rm(
            &["--mount", &format!("type=tmpfs,target={target}")],
            &["true"],
        );
        refused(bed, &ran);
    }
}

fn a46_volumes_of_an_image_are_checked_like_mounts(bed: &Bed) {
    for (number, target) in ["/", "/proc", "/proc/self", "/sys", "/a/../..", "data"]
        .iter()
        .enumerate()
    {
        let image = format!("volume{number}");
        let mut volumes = serde_json::Map::new();
        volumes.insert((*target).to_owned(), json!({}));
        load(bed, &image, json!({"Volumes": volumes}), Tree::default());
        refused(bed, &run_image(bed, &[], &image, &["true"]));
        not_created(bed, &bed.hull(&["create", &image, "true"]));
    }
}

fn a46_twin_ordinary_targets_work(bed: &Bed) {
    let file = bed.file("cpuinfo", b"one\n");
    let file = file.to_string_lossy();
    let flags = [
        "-v",
        &format!("{file}:/proc/cpuinfo:ro"),
        "-v",
        &format!("{file}:/new/file"),
    ];
    bed.run_rm(&flags, &["cat", "/proc/cpuinfo", "/new/file"])
        .fails(0)
        .stdout_is("one\none\n");
    bed.run_rm(&["--tmpfs", "/procedure"], &["touch", "/procedure/x"])
        .ok();
    load(
        bed,
        "volumes",
        json!({"Volumes": {"/data": {}, "/var/lib/db/": {}}}),
        Tree::default(),
    );
    run_image(bed, &[], "volumes", &["true"]).ok();
}
