//! Hostile and honest archives through the whole engine. Names start with the attack line's id.

use std::os::unix::fs::{FileTypeExt, MetadataExt};

use crate::error::Kind;
use crate::store::testing::{Item, Scene, Tar, small};

#[test]
fn a1_parent_components_are_refused_and_leading_slashes_stripped() {
    let scene = Scene::new();
    let canary = scene.canary();
    for name in [
        "../../canary/file",
        "a/../../canary/file",
        "..",
        "a/..",
        "/../canary/file",
    ] {
        let error = scene.refuse(&Tar::default().dir("a", 0o755).file(name, b"pwned").end());
        assert!(error.to_string().contains(".."), "{error}");
    }
    let name = format!("{canary}/file");
    let tree = scene.unpack(
        &Tar::default()
            .file(&name, b"inside")
            .file("a/./..b//c", b"x")
            .end(),
    );
    let tree = tree.expect("unpacks");
    assert_eq!(tree.read(name.trim_start_matches('/')), "inside");
    assert_eq!(tree.read("a/..b/c"), "x");
    scene.check();
}

#[test]
fn a2_symlink_then_file_stays_inside() {
    let scene = Scene::new();
    let canary = scene.canary();
    let inside = canary.trim_start_matches('/').to_owned();
    let tar = Tar::default()
        .dir(&inside, 0o755)
        .symlink("esc", &canary)
        .file("esc/file", b"pwned");
    let tree = scene.unpack(&tar.end()).expect("unpacks");
    assert_eq!(tree.read(&format!("{inside}/file")), "pwned");
    scene.check();
    drop(tree);
    scene.refuse(
        &Tar::default()
            .symlink("esc", &canary)
            .file("esc/file", b"pwned")
            .end(),
    );
}

#[test]
fn a3_chains_and_loops_stay_inside_or_fail() {
    let scene = Scene::new();
    let up = format!(
        "{}{}",
        "../".repeat(30),
        scene.canary().trim_start_matches('/')
    );
    let chain = Tar::default()
        .symlink("a", "b")
        .symlink("b", &up)
        .file("a/file", b"pwned");
    scene.refuse(&chain.end());
    let dirs = Tar::default()
        .symlink("a", &up)
        .dir("a/new", 0o755)
        .dir("a/new/er", 0o755);
    scene.refuse(&dirs.end());
    scene.refuse(&Tar::default().symlink("l", "l").file("l/x", b"").end());
    let mut long = Tar::default().dir("d0", 0o755);
    for i in 1..=41 {
        long = long.symlink(&format!("d{i}"), &format!("d{}", i - 1));
    }
    scene.refuse(&long.file("d41/x", b"").end());
    // A parent that becomes a symlink between two entries: the second must not use the old one.
    let swap = Tar::default()
        .file("p/one", b"1")
        .symlink("p", &scene.canary())
        .file("p/file", b"pwned");
    scene.refuse(&swap.end());
}

#[test]
fn a4_hard_links_reach_only_this_layer() {
    let scene = Scene::new();
    let canary = scene.canary();
    let suid = format!("{canary}/suid");
    for link in [
        suid.as_str(),
        "../../canary/suid",
        "absent",
        "../../../../../suid",
        "",
        "l",
    ] {
        let tar = Tar::default().symlink("esc", &canary).hard_link("l", link);
        scene.refuse(&tar.end());
    }
    scene.refuse(
        &Tar::default()
            .symlink("esc", &canary)
            .hard_link("l", "esc/suid")
            .end(),
    );
    scene.refuse(&Tar::default().dir("d", 0o755).hard_link("l", "d").end());
    let error = scene.refuse(&Tar::default().file("f", b"x").hard_link("f", "/f").end());
    assert!(error.to_string().contains("links to itself"), "{error}");
    // Benign: across directories, and to a symlink itself.
    let tar = Tar::default()
        .file("a/f", b"x")
        .symlink("s", &suid)
        .hard_link("b/f", "/a/f")
        .hard_link("t", "s");
    let tree = scene.unpack(&tar.end()).expect("unpacks");
    assert_eq!(tree.stat("a/f").ino(), tree.stat("b/f").ino());
    assert!(tree.stat("t").is_symlink());
    scene.check();
}

#[test]
fn a5_an_entry_never_writes_through_an_existing_name() {
    let scene = Scene::new();
    let target = format!("{}/file", scene.canary());
    let tar = Tar::default()
        .symlink("s", &target)
        .file("s", b"new")
        .file("one", b"kept")
        .hard_link("two", "one")
        .file("two", b"changed");
    let tree = scene.unpack(&tar.end()).expect("unpacks");
    assert_eq!(tree.read("s"), "new");
    assert!(tree.stat("s").is_file());
    assert_eq!(
        (tree.read("one"), tree.read("two")),
        ("kept".into(), "changed".into())
    );
    scene.check();
}

#[test]
fn a6_a_directory_over_a_symlink_changes_nothing_outside() {
    let scene = Scene::new();
    let item = Item {
        kind: b'5',
        name: b"d",
        mode: 0o777,
        uid: 7,
        gid: 7,
        ..Item::default()
    };
    let tar = Tar::default()
        .symlink("d", &format!("{}/dir", scene.canary()))
        .pax(b'x', &[("SCHILY.xattr.user.k", b"v")])
        .add(&item);
    let tree = scene.unpack(&tar.end()).expect("unpacks");
    assert!(tree.stat("d").is_dir());
    assert_eq!(
        (tree.stat("d").mode() & 0o7777, tree.stat("d").uid()),
        (0o777, 7)
    );
    assert_eq!(tree.xattr("d", "user.k").as_deref(), Some(&b"v"[..]));
    scene.check();
}

#[test]
fn a7_the_root_is_a_directory_whose_mode_and_owner_may_be_given() {
    let scene = Scene::new();
    for name in [".", "./", "/", ""] {
        scene.refuse(&Tar::default().symlink(name, &scene.canary()).end());
        scene.refuse(&Tar::default().device(b'3', name, (1, 3)).end());
        scene.refuse(&Tar::default().hard_link(name, "x").end());
        let item = Item {
            kind: b'5',
            name: name.as_bytes(),
            mode: 0o711,
            uid: 3,
            ..Item::default()
        };
        let tree = scene
            .unpack(&Tar::default().add(&item).end())
            .expect("unpacks");
        assert_eq!(
            (tree.stat(".").mode() & 0o7777, tree.stat(".").uid()),
            (0o711, 3)
        );
    }
    scene.refuse(&Tar::default().file(".", b"x").end());
    scene.check();
}

#[test]
fn a8_whiteouts_delete_only_one_name_in_their_own_directory() {
    let scene = Scene::new();
    for name in [
        ".wh.",
        ".wh..",
        ".wh...",
        ".wh.a/b",
        "d/.wh..",
        "d/.wh.a/b",
        "d/.wh..wh.x",
    ] {
        let error = scene.refuse(&Tar::default().dir("d", 0o755).file(name, b"").end());
        assert!(
            error.to_string().contains("not a valid whiteout"),
            "{error}"
        );
    }
    for name in ["esc/.wh..wh..opq", "esc/.wh.file"] {
        let tar = Tar::default()
            .symlink("esc", &scene.canary())
            .file(name, b"");
        scene.refuse(&tar.end());
        let tar = Tar::default()
            .dir("real", 0o755)
            .symlink("esc", "real")
            .file(name, b"");
        scene.refuse(&tar.end());
    }
    scene.refuse(&Tar::default().dir(".wh.x", 0o755).end());
    let tar = Tar::default()
        .dir("d", 0o755)
        .file("d/kept", b"k")
        .file("d/.wh..wh..opq", b"")
        .file(".wh.gone", b"")
        .file(".wh.back", b"")
        .file("back/f", b"1")
        .file(".wh.again", b"")
        .dir("again", 0o700)
        .dir(".wh..wh.plnk", 0o700);
    let tree = scene.unpack(&tar.end()).expect("unpacks");
    let gone = tree.stat("gone");
    assert!(gone.file_type().is_char_device() && gone.rdev() == 0);
    for dir in ["d", "back", "again"] {
        let mark = tree.xattr(dir, "trusted.overlay.opaque");
        assert_eq!(mark.as_deref(), Some(&b"y"[..]), "{dir}");
    }
    assert_eq!(
        (tree.read("d/kept"), tree.read("back/f")),
        ("k".into(), "1".into())
    );
    assert_eq!(tree.names(), [&b"again"[..], b"back", b"d", b"gone"]);
    scene.check();
}

#[test]
fn a9_an_archive_cannot_speak_to_overlayfs() {
    let scene = Scene::new();
    let names = [
        "trusted.overlay.redirect",
        "trusted.overlay.opaque",
        "user.overlay.redirect",
        "user.overlay.metacopy",
        "user.overlay.whiteout",
        "security.selinux",
        "security.ima",
        "trusted.x",
        "system.posix_acl_access",
    ];
    for name in names {
        let key = format!("SCHILY.xattr.{name}");
        let tar = Tar::default().pax(b'x', &[(&key, b"y"), ("SCHILY.xattr.user.k", b"\0v")]);
        let tree = scene.unpack(&tar.dir("d", 0o755).end()).expect("unpacks");
        assert_eq!(tree.xattr("d", name), None, "{name}");
        assert_eq!(tree.xattr("d", "user.k").as_deref(), Some(&b"\0v"[..]));
    }
    scene.refuse(&Tar::default().device(b'3', "x", (0, 0)).end());
    scene.refuse(&Tar::default().file(".wh.x", b"").hard_link("y", "x").end());
}

#[test]
fn a10_device_nodes_are_made_by_root_and_checked() {
    let scene = Scene::new();
    let tar = Tar::default()
        .device(b'4', "disk", (8, 0))
        .device(b'3', "mem", (1, 1));
    let tree = scene
        .unpack(&tar.device(b'6', "fifo", (0, 0)).end())
        .expect("unpacks");
    assert_eq!(tree.stat("disk").rdev(), rustix::fs::makedev(8, 0));
    assert!(tree.stat("mem").file_type().is_char_device());
    assert!(tree.stat("fifo").file_type().is_fifo());
    assert_eq!(tree.stat("mem").mode() & 0o7777, 0o644);
    drop(tree);
    scene.refuse(&Tar::default().device(b'4', "x", (1 << 12, 0)).end());
    scene.refuse(&Tar::default().device(b'4', "x", (1, 1 << 20)).end());
    scene.refuse(&Tar::default().device(b'4', "x", (1 << 31, 0)).end());
}

#[test]
fn a11_set_user_id_and_capabilities_stay_and_nobody_else_can_reach_them() {
    let scene = Scene::new();
    let v2 = [
        1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let mut v3 = [&v2[..], &[0xe8, 3, 0, 0]].concat();
    v3[3] = 3;
    let item = Item {
        name: b"su",
        mode: 0o6755,
        uid: 5,
        gid: 6,
        ..Item::default()
    };
    let tar = Tar::default()
        .add(&item)
        .pax(b'x', &[("SCHILY.xattr.security.capability", &v2)])
        .add(&Item {
            name: b"ping",
            mode: 0o755,
            uid: 5,
            ..Item::default()
        })
        .pax(b'x', &[("SCHILY.xattr.security.capability", &v3)])
        .file("v3", b"")
        .pax(b'x', &[("SCHILY.xattr.security.capability", b"short")])
        .file("bad", b"");
    let tree = scene.unpack(&tar.end()).expect("unpacks");
    let stat = tree.stat("su");
    assert_eq!(
        (stat.mode() & 0o7777, stat.uid(), stat.gid()),
        (0o6755, 5, 6)
    );
    assert_eq!(
        tree.xattr("ping", "security.capability").as_deref(),
        Some(&v2[..])
    );
    assert_eq!(
        tree.xattr("v3", "security.capability").as_deref(),
        Some(&v2[..])
    );
    assert_eq!(tree.xattr("bad", "security.capability"), None);
    let root = std::fs::metadata(scene.store.root()).expect("stat");
    assert_eq!(root.mode() & 0o777, 0o700);
}

#[test]
fn a12_limits_stop_a_bomb() {
    use crate::store::Limits;
    let scene = Scene::new();
    let stage = scene.store.stage().expect("stage");
    let bomb = Tar::default().file("zero", &[0; 1 << 20]).end();
    let limits = Limits {
        total_bytes: 1 << 20,
        ..small()
    };
    assert!(
        stage.unpack_layer(&bomb[..], &limits).is_err(),
        "longer than the limit"
    );
    let limits = Limits {
        total_bytes: bomb.len() as u64,
        ..limits
    };
    assert!(
        stage.unpack_layer(&bomb[..], &limits).is_ok(),
        "exactly the limit"
    );
    let two = Tar::default().file("a", b"").file("b", b"").end();
    let limits = Limits {
        entries: 1,
        ..small()
    };
    assert!(stage.unpack_layer(&two[..], &limits).is_err(), "entries");
    let limits = Limits {
        min_free_bytes: u64::MAX,
        ..limits
    };
    let error = stage.unpack_layer(&two[..], &limits).expect_err("no space");
    assert_eq!(error.errno(), Some(rustix::io::Errno::NOSPC), "{error}");
    assert!(error.hint_text().is_some());
}

#[test]
fn a13_deep_and_long_paths_are_handled_without_recursion() {
    let scene = Scene::new();
    let deep = "d/".repeat(2040) + "f";
    let tree = scene
        .unpack(
            &Tar::default()
                .pax(b'x', &[("path", deep.as_bytes())])
                .file("x", b"v")
                .end(),
        )
        .expect("unpacks");
    assert_eq!(tree.layer.implicit_parents.len(), 2040);
    drop(tree);
    for long in ["d/".repeat(4000) + "f", "x".repeat(256)] {
        let tar = Tar::default()
            .pax(b'x', &[("path", long.as_bytes())])
            .file("x", b"v");
        scene.refuse(&tar.end());
    }
    let mut many = Tar::default();
    for i in 0..20_000 {
        many = many.file(&format!("d{}/e{i}", i % 100), b"");
    }
    let tree = scene.unpack(&many.end()).expect("unpacks");
    assert_eq!(tree.layer.entries, 20_000);
}

#[test]
fn a17_the_last_entry_of_a_name_wins_and_names_are_exact() {
    let scene = Scene::new();
    let tar = Tar::default()
        .file("x", b"1")
        .dir("x", 0o755)
        .file("x/below", b"2")
        .symlink("x", &scene.canary())
        .dir("x/", 0o750)
        .file("A", b"upper")
        .file("a", b"lower")
        .file("\u{e9}", b"composed")
        .file("e\u{301}", b"decomposed");
    let tree = scene.unpack(&tar.end()).expect("unpacks");
    assert!(tree.stat("x").is_dir() && !tree.exists("x/below"));
    assert_eq!(tree.stat("x").mode() & 0o7777, 0o750);
    assert_eq!(
        (tree.read("A"), tree.read("a")),
        ("upper".into(), "lower".into())
    );
    assert_eq!(tree.names().len(), 5);
    scene.check();
}

#[test]
fn a18_ids_times_and_modes_out_of_range() {
    let scene = Scene::new();
    for id in [u64::from(u32::MAX), 1 << 32, u64::MAX] {
        let item = Item {
            name: b"f",
            uid: id,
            ..Item::default()
        };
        scene.refuse(&Tar::default().add(&item).end());
        let item = Item {
            name: b"f",
            gid: id,
            ..Item::default()
        };
        scene.refuse(&Tar::default().add(&item).end());
    }
    let year = (1i64 << 60) - 1;
    let item = |name, mtime| Item {
        name,
        mtime,
        mode: 0o7777777,
        ..Item::default()
    };
    let last = u64::from(u32::MAX) - 1;
    let tar = Tar::default()
        .add(&item(b"late", year))
        .add(&item(b"early", -5))
        .pax(b'x', &[("mtime", b"-99999999999999999999.5")])
        .file("pax", b"")
        .pax(b'x', &[("mtime", b"1600000000.123456789012")])
        .add(&Item {
            name: b"exact",
            uid: last,
            ..Item::default()
        });
    let tree = scene.unpack(&tar.end()).expect("unpacks");
    assert_eq!(tree.stat("late").mode() & 0o7777, 0o7777);
    assert_eq!(tree.stat("late").mtime(), (1 << 34) - (1 << 31) - 1);
    assert_eq!(tree.stat("early").mtime(), -5);
    assert_eq!(tree.stat("pax").mtime(), -(1 << 31));
    let exact = tree.stat("exact");
    assert_eq!(
        (exact.mtime(), exact.mtime_nsec()),
        (1_600_000_000, 123_456_789)
    );
    assert_eq!(u64::from(exact.uid()), last);
}

#[test]
fn a22_a_diff_id_that_differs_is_refused() {
    let scene = Scene::new();
    let mut tar = Tar::default().file("f", b"x").end();
    tar.resize(10240, 0);
    let tree = scene.unpack(&tar).expect("unpacks");
    let whole = crate::base::DiffId(crate::base::Digest::of(&tar));
    tree.layer
        .expect_diff_id(&whole)
        .expect("padding is part of it");
    let other = crate::base::DiffId(crate::base::Digest::of(&tar[..2048]));
    let error = tree.layer.expect_diff_id(&other).expect_err("differs");
    assert_eq!(error.kind(), Kind::Corrupt);
}

#[test]
fn a24_names_are_stored_exactly_and_shown_escaped() {
    let scene = Scene::new();
    let names: [&[u8]; 3] = [b"a\nb", b"\x1b[2J", b"\xff\xfe"];
    let mut tar = Tar::default();
    for name in names {
        tar = tar.add(&Item {
            name,
            ..Item::default()
        });
    }
    let tree = scene.unpack(&tar.end()).expect("unpacks");
    let mut expected = names.to_vec();
    expected.sort_unstable();
    assert_eq!(tree.names(), expected);
    let error = scene_error(b"\x1b]0;x\n/../y");
    assert!(
        error.contains("\\x1b") && !error.contains(['\x1b', '\n']),
        "{error}"
    );
}

fn scene_error(name: &[u8]) -> String {
    let scene = Scene::new();
    scene
        .refuse(
            &Tar::default()
                .add(&Item {
                    name,
                    ..Item::default()
                })
                .end(),
        )
        .to_string()
}

#[test]
fn usrmerge_and_replaced_symlinks_unpack_as_meant() {
    let scene = Scene::new();
    let tar = Tar::default()
        .dir("usr/bin", 0o755)
        .symlink("bin", "usr/bin")
        .file("bin/sh", b"sh")
        .symlink("var/run", "/run")
        .dir("run", 0o755)
        .file("var/run/pid", b"1")
        .symlink("etc/x", "nowhere")
        .file("etc/x", b"file")
        .symlink("etc/y", "nowhere")
        .dir("etc/y", 0o700)
        .file("etc/y/z", b"z");
    let tree = scene.unpack(&tar.end()).expect("unpacks");
    assert!(tree.stat("bin").is_symlink());
    assert_eq!(tree.read("usr/bin/sh"), "sh");
    assert_eq!(tree.read("run/pid"), "1");
    assert_eq!(
        (tree.read("etc/x"), tree.read("etc/y/z")),
        ("file".into(), "z".into())
    );
}

#[test]
fn a3_a_replaced_symlink_is_forgotten_as_a_parent() {
    let scene = Scene::new();
    let tar = Tar::default()
        .dir("one", 0o755)
        .dir("two", 0o755)
        .symlink("s", "one")
        .file("s/a", b"1")
        .symlink("s", "two")
        .file("s/b", b"2");
    let tree = scene.unpack(&tar.end()).expect("unpacks");
    assert_eq!(
        (tree.read("one/a"), tree.read("two/b")),
        ("1".into(), "2".into())
    );
}

#[test]
fn directory_times_survive_what_is_made_in_them() {
    let scene = Scene::new();
    let tar = Tar::default()
        .dir("d", 0o2755)
        .file("d/f", b"x")
        .dir("d/e", 0o755);
    let tree = scene.unpack(&tar.end()).expect("unpacks");
    for path in ["d", "d/f", "d/e"] {
        assert_eq!(tree.stat(path).mtime(), 1_600_000_000, "{path}");
    }
    assert_eq!(tree.stat("d").mode() & 0o7777, 0o2755);
    assert_eq!(
        tree.stat("d/e").mode() & 0o7777,
        0o755,
        "set-group-id is not inherited"
    );
}

#[test]
fn empty_archives_make_empty_layers() {
    let scene = Scene::new();
    for tar in [vec![], vec![0; 512], vec![0; 1024], vec![0; 10240]] {
        assert_eq!(scene.unpack(&tar).expect("unpacks").layer.entries, 0);
    }
}

/// T3: a running container swaps a directory of its volume for a link to the host.
#[test]
fn a20_a_tree_that_is_swapped_meanwhile_keeps_everything_inside() {
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::fs::{CWD, RenameFlags, renameat_with};

    let scene = Scene::new();
    let volume = scene.path.join("volume");
    let (directory, link) = (volume.join("d"), volume.join("l"));
    std::fs::create_dir_all(&directory).expect("mkdir");
    std::os::unix::fs::symlink(scene.canary(), &link).expect("symlink");
    let done = AtomicBool::new(false);
    let tar = Tar::default()
        .file("d/file", b"x")
        .dir("d/dir", 0o777)
        .end();
    let mut inside = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                renameat_with(CWD, &directory, CWD, &link, RenameFlags::EXCHANGE).expect("swaps");
            }
        });
        for _ in 0..400 {
            let root = std::fs::File::open(&volume).expect("opens").into();
            let limits = small();
            let ownership = crate::base::Ownership::Full;
            let made = super::super::unpack(&tar[..], root, ownership, &limits);
            inside += usize::from(made.is_ok());
        }
        done.store(true, Ordering::Relaxed);
    });
    scene.check();
    // The benign twin: it works whenever the directory is there.
    assert!(inside > 0, "never unpacked");
}
