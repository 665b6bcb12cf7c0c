//! Archives that lie about sizes, maps and names: what the reader must refuse.

use std::os::unix::fs::MetadataExt;

use crate::error::Kind;
use crate::store::testing::{Item, Scene, Tar, octal, record, small};

fn gnu_sparse(segments: &[(u64, u64)], real_size: u64, data: &[u8]) -> Vec<u8> {
    let mut tar = Tar::default().add(&Item {
        kind: b'S',
        name: b"s",
        ..Item::default()
    });
    tar = tar.patch(|block| {
        octal(&mut block[124..136], data.len() as u64);
        block[257..265].copy_from_slice(b"ustar  \0");
        block[345..500].fill(0);
        for (i, (offset, length)) in segments.iter().take(4).enumerate() {
            octal(&mut block[386 + i * 24..398 + i * 24], *offset);
            octal(&mut block[398 + i * 24..410 + i * 24], *length);
        }
        block[482] = u8::from(segments.len() > 4);
        octal(&mut block[483..495], real_size);
    });
    let rest = segments.get(4..).unwrap_or_default();
    for (index, chunk) in rest.chunks(21).enumerate() {
        let mut block = [0; 512];
        for (i, (offset, length)) in chunk.iter().enumerate() {
            octal(&mut block[i * 24..i * 24 + 12], *offset);
            octal(&mut block[i * 24 + 12..i * 24 + 24], *length);
        }
        block[504] = u8::from(rest.len() > (index + 1) * 21);
        tar.0.extend_from_slice(&block);
    }
    tar.data(data).file("after", b"after").end()
}

fn pax_sparse(map: &str, real_size: &str, data: &[u8]) -> Vec<u8> {
    let mut body = map.as_bytes().to_vec();
    body.resize(body.len().next_multiple_of(512), 0);
    body.extend_from_slice(data);
    let records: &[(&str, &[u8])] = &[
        ("GNU.sparse.major", b"1"),
        ("GNU.sparse.minor", b"0"),
        ("GNU.sparse.name", b"s"),
        ("GNU.sparse.realsize", real_size.as_bytes()),
    ];
    let item = Item {
        name: b"GNUSparseFile.0/s",
        data: &body,
        ..Item::default()
    };
    Tar::default()
        .pax(b'x', records)
        .add(&item)
        .file("after", b"after")
        .end()
}

#[test]
fn a14_sparse_files_keep_holes_and_lying_maps_are_refused() {
    let scene = Scene::new();
    let far = 1 << 26;
    for tar in [
        gnu_sparse(&[(0, 3), (far, 3)], far + 100, b"abcdef"),
        pax_sparse("2\n0\n3\n67108864\n3\n", "67108964", b"abcdef"),
    ] {
        let tree = scene.unpack(&tar).expect("unpacks");
        let stat = tree.stat("s");
        assert_eq!(stat.size(), far + 100);
        assert!(stat.blocks() < 100, "holes are kept");
        let bytes = std::fs::read(tree.fs.join("s")).expect("reads");
        assert_eq!(
            (&bytes[..3], &bytes[far as usize..][..3]),
            (&b"abc"[..], &b"def"[..])
        );
        assert_eq!(tree.read("after"), "after");
    }
    let many: Vec<(u64, u64)> = (0..100).map(|i| (i * 8192, 1)).collect();
    let tree = scene
        .unpack(&gnu_sparse(&many, 1 << 20, &[7; 100]))
        .expect("unpacks");
    assert_eq!(
        std::fs::read(tree.fs.join("s")).expect("reads")[99 * 8192],
        7
    );
    assert_eq!(tree.read("after"), "after");
    drop(tree);
    scene.refuse(&gnu_sparse(&[(0, 3), (1, 3)], 100, b"abcdef"));
    scene.refuse(&gnu_sparse(&[(0, 3), (98, 3)], 100, b"abcdef"));
    scene.refuse(&gnu_sparse(&[(0, 3)], 100, b"abcdef"));
    scene.refuse(&pax_sparse("9999999999\n", "100", b""));
    let empty =
        |count: usize| pax_sparse(&format!("{count}\n{}", "0\n0\n".repeat(count)), "0", b"");
    scene.refuse(&empty(65_537));
    scene.unpack(&empty(65_536)).expect("unpacks");
    scene.refuse(&pax_sparse(
        "1\n9223372036854775807\n1\n",
        "9223372036854775807",
        b"x",
    ));
    scene.refuse(&pax_sparse("1\n0\n", "1", b""));
    let old: &[(&str, &[u8])] = &[("GNU.sparse.map", b"0,1")];
    scene.refuse(&Tar::default().pax(b'x', old).file("s", b"x").end());
}

#[test]
fn a15_extended_headers_are_capped_and_global_ones_change_nothing() {
    let scene = Scene::new();
    let huge = vec![b'x'; (1 << 20) + 1];
    scene.refuse(
        &Tar::default()
            .pax(b'x', &[("comment", &huge)])
            .file("f", b"")
            .end(),
    );
    let claimed = Item {
        kind: b'x',
        name: b"p",
        ..Item::default()
    };
    let claimed = Tar::default().add(&claimed).patch(|block| {
        octal(&mut block[124..136], 1 << 30);
    });
    scene.refuse(&claimed.end());
    for key in [
        "path",
        "size",
        "linkpath",
        "uid",
        "mtime",
        "SCHILY.xattr.user.k",
    ] {
        let tar = Tar::default().pax(b'g', &[(key, b"1")]).file("f", b"");
        scene.refuse(&tar.end());
    }
    let mut records = Vec::new();
    for _ in 0..80_000 {
        records.extend_from_slice(&record("a", b"b"));
    }
    let many = Item {
        kind: b'x',
        name: b"p",
        data: &records,
        ..Item::default()
    };
    let tar = Tar::default()
        .pax(b'g', &[("comment", b"commit")])
        .add(&many)
        .file("f", b"x");
    assert_eq!(scene.unpack(&tar.end()).expect("unpacks").read("f"), "x");
}

/// An archive with one file whose header has these bytes at this place.
fn patched(at: usize, bytes: &'static [u8]) -> Tar {
    let file = Tar::default().file("f", b"");
    file.patch(move |block| block[at..at + bytes.len()].copy_from_slice(bytes))
}

/// An entry of this type with data, in front of a file.
fn with_data(kind: u8, link: &[u8], data: &[u8]) -> Vec<u8> {
    let name = b"e";
    let item = Item {
        kind,
        name,
        link,
        data,
        ..Item::default()
    };
    let first = Tar::default().file("t", b"");
    first.add(&item).file("f", b"").end()
}

fn pax_then_file(records: &[(&str, &[u8])]) -> Vec<u8> {
    Tar::default().pax(b'x', records).file("f", b"").end()
}

fn all_refused(cases: &[(&str, Vec<u8>)]) {
    let scene = Scene::new();
    for (what, tar) in cases {
        let stage = scene.store.stage().expect("stage");
        let outcome = stage.unpack_layer(&tar[..], &small());
        assert!(outcome.is_err(), "{what} must be refused");
    }
}

#[test]
fn a16_numbers_that_programs_read_differently_are_refused() {
    let negative = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\0";
    let size = |value: &[u8]| pax_then_file(&[("size", value)]);
    all_refused(&[
        ("negative size", patched(124, negative).end()),
        (
            "huge base-256 size",
            patched(124, b"\x80\x01\0\0\0\0\0\0\0\0\0\0").end(),
        ),
        ("size not octal", patched(124, b"0000000009\0").end()),
        ("size with a gap", patched(124, b"01 1\0").end()),
        ("negative PAX size", size(b"-1")),
        ("PAX size over i64", size(b"18446744073709551615")),
        ("PAX size with a sign", size(b"+1")),
    ]);
}

#[test]
fn a16_data_that_programs_skip_differently_is_refused() {
    let hidden = Tar::default().file("hidden", b"").end();
    let pax_size = Tar::default().pax(b'x', &[("size", b"512")]);
    all_refused(&[
        ("data in a symlink", with_data(b'2', b"t", &hidden)),
        ("data in a directory", with_data(b'5', b"", &hidden)),
        ("data in a hard link", with_data(b'1', b"t", &hidden)),
        ("PAX size on a symlink", pax_size.symlink("l", "t").end()),
        ("unknown type", with_data(b'V', b"", b"")),
        ("a lone zero block", [&[0; 512][..], &hidden].concat()),
        ("a cut header", hidden[..300].to_vec()),
        (
            "cut data",
            Tar::default().file("f", b"abc").0[..520].to_vec(),
        ),
    ]);
}

#[test]
fn a16_names_that_programs_read_differently_are_refused() {
    let long = |kind: u8, data: &[u8]| {
        Tar::default().add(&Item {
            kind,
            name: b"L",
            data,
            ..Item::default()
        })
    };
    let prefix = |magic| patched(257, magic).patch(|block| block[345] = b'p').end();
    let path = |value: &[u8]| Tar::default().pax(b'x', &[("path", value)]);
    let two_long = [
        long(b'L', b"a\0").0,
        long(b'L', b"b\0").file("f", b"").end(),
    ]
    .concat();
    all_refused(&[
        ("prefix without magic", prefix(b"\0\0\0\0\0\0")),
        ("prefix in GNU format", prefix(b"ustar  \0")),
        ("slash on a file", Tar::default().file("f/", b"").end()),
        (
            "two PAX headers",
            path(b"a").pax(b'x', &[("path", b"b")]).file("f", b"").end(),
        ),
        ("two long names", two_long),
        (
            "GNU against PAX",
            long(b'L', b"a\0")
                .pax(b'x', &[("path", b"b")])
                .file("f", b"")
                .end(),
        ),
        ("NUL in a PAX path", path(b"a\0b").file("f", b"").end()),
        ("empty PAX path", path(b"").file("f", b"").end()),
        (
            "NUL in a long name",
            long(b'L', b"a\0b").file("f", b"").end(),
        ),
        (
            "PAX length too long",
            long(b'x', b"99 path=a\n").file("f", b"").end(),
        ),
        (
            "PAX without newline",
            long(b'x', b"9 path=ab").file("f", b"").end(),
        ),
        (
            "PAX without length",
            long(b'x', b"path=ab\n").file("f", b"").end(),
        ),
        ("an extension at the end", path(b"a").end()),
    ]);
}

#[test]
fn a16_a_wrong_checksum_is_refused_and_honest_long_names_are_read() {
    let long = |kind: u8, data: &[u8]| {
        Tar::default().add(&Item {
            kind,
            name: b"L",
            data,
            ..Item::default()
        })
    };
    let scene = Scene::new();
    let mut bad_sum = Tar::default().file("f", b"").end();
    bad_sum[0] = b'g';
    assert_eq!(scene.refuse(&bad_sum).kind(), Kind::Corrupt);
    // Benign: GNU and PAX names that agree, and every honest long name.
    let same = long(b'L', b"a\0")
        .pax(b'x', &[("path", b"a")])
        .file("f", b"1");
    let gnu = [
        same.0,
        long(b'L', &[b"l".repeat(200), vec![0]].concat())
            .file("g", b"2")
            .0,
    ];
    let tree = scene.unpack(&Tar(gnu.concat()).end()).expect("unpacks");
    assert_eq!(
        (tree.read("a"), tree.read(&"l".repeat(200))),
        ("1".into(), "2".into())
    );
}

#[test]
fn a16_pax_size_rules_over_the_header() {
    let scene = Scene::new();
    let hidden = Tar::default().file("hidden", b"x");
    let tar = Tar::default()
        .pax(b'x', &[("size", b"1024")])
        .file("f", b"");
    let tree = scene
        .unpack(&Tar([tar.0, hidden.0].concat()).end())
        .expect("unpacks");
    assert_eq!(tree.stat("f").size(), 1024);
    assert!(!tree.exists("hidden"));
}
