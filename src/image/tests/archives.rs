//! Archives and layouts that lie, and what is kept of layers that are known already.

use std::fs;
use std::os::unix::fs::symlink;

use super::super::layer_source::layer_sources;
use super::super::load::Loaded;
use super::super::tag::{Release, Target, publish_all};
use super::*;

fn load(scratch: &Scratch, archive: &[u8]) -> Result<Vec<Loaded>> {
    let path = scratch.write("x.tar", archive);
    load_path(&scratch.store, &path, None, &Silent)
}

fn layout(scratch: &Scratch, made: &Made, name: &str) -> std::path::PathBuf {
    let path = scratch.path(&format!("layout-{}", made.manifest.hex()));
    made.write_layout(&path, name);
    path
}

/// Reads the only layer of an image to its verified end.
fn read_layer(scratch: &Scratch, name: &str) -> Result<()> {
    let image = find(&scratch.store, name)?;
    let sources = layer_sources(&scratch.store, &image.manifest)?;
    std::io::copy(&mut sources[0].tar()?, &mut std::io::sink())?;
    Ok(())
}

#[test]
fn a_plain_tar_of_a_known_layer_is_kept_where_no_recipe_gives_it() {
    let scratch = Scratch::new();
    let made = Made::new(&[&[("a", "first"), ("a", "second")]]);
    let zipped = layout(&scratch, &made, "zipped:1");
    load_path(&scratch.store, &zipped, None, &Silent).expect("loads");
    load(&scratch, &made.docker_archive(&["plain:1"])).expect("loads");
    let blob = scratch.store.root().join("blobs/sha256");
    fs::remove_file(blob.join(made.layers[0].hex())).expect("removes");
    read_layer(&scratch, "plain:1").expect("its own tar is here");
}

#[test]
fn a22_a_blob_of_other_content_for_a_known_layer_is_refused() {
    let scratch = Scratch::new();
    let honest = Made::new(&[&[("a", "1")]]);
    load(&scratch, &honest.docker_archive(&["honest:1"])).expect("loads");
    let diff_id = Digest::of(&tar_of(&[("a", "1")]));
    let forged = Made::with_diff_id(&[&[("a", "evil")]], diff_id);
    let forged = layout(&scratch, &forged, "forged:1");
    let error = load_path(&scratch.store, &forged, None, &Silent).expect_err("refused");
    assert_eq!(error.kind(), Kind::Corrupt, "{error}");
    assert!(error.to_string().contains("its content has"), "{error}");
    // The same content, compressed.
    let twin = layout(&scratch, &honest, "twin:1");
    load_path(&scratch.store, &twin, None, &Silent).expect("loads");
    read_layer(&scratch, "honest:1").expect("whole");
}

#[test]
fn a22_a_blob_of_other_content_that_is_here_serves_no_other_image() {
    let scratch = Scratch::new();
    let honest = Made::new(&[&[("a", "1")]]);
    load(&scratch, &honest.docker_archive(&["honest:1"])).expect("loads");
    let diff_id = Digest::of(&tar_of(&[("a", "1")]));
    let forged = Made::with_diff_id(&[&[("a", "evil")]], diff_id);
    let stage = scratch.store.stage().expect("stage");
    for bytes in forged.blobs.values() {
        stage.add_blob(bytes).expect("adds");
    }
    let target = Target {
        manifest: forged.manifest,
        image: forged.config,
        platform: Platform::host().to_string(),
        repo_digest: None,
    };
    let names = vec!["forged:1".parse().expect("name")];
    publish_all(&scratch.store, stage, &[Release { target, names }]).expect("publishes");
    read_layer(&scratch, "honest:1").expect("by its own recipe");

    // Without the recipe the other blob is no help: what is told is what the layer gives.
    for layer in fs::read_dir(scratch.store.root().join("layers")).expect("layers") {
        let recipe = layer.expect("entry").path().join("tar.recipe");
        fs::remove_file(recipe).expect("removes");
    }
    let error = read_layer(&scratch, "honest:1").expect_err("refused");
    assert!(error.to_string().contains("does not give"), "{error}");
}

/// Copies between two places of the command line; the first is of a registry never.
fn copy_layout(scratch: &Scratch, from: &std::path::Path, to: &std::path::Path) -> Result<Digest> {
    let access = Access {
        store: &scratch.store,
        client: None,
    };
    let place = Place::OciDirectory(from.into(), None);
    let source = Source::open(&place, access)?;
    copy(
        &source,
        &Which::All,
        Destination::OciDirectory(to, Some("t")),
    )
}

#[test]
fn a19_a_config_longer_than_its_descriptor_is_not_read() {
    let scratch = Scratch::new();
    let made = Made::new(&[&[("a", "1")]]);
    let from = layout(&scratch, &made, "app:1");
    let config = from.join("blobs/sha256").join(made.config.hex());
    let file = fs::File::options().write(true).open(config).expect("opens");
    // A hole, which costs whoever sends it nothing.
    file.set_len(64 << 20).expect("grows");
    let access = Access {
        store: &scratch.store,
        client: None,
    };
    let place = Place::OciDirectory(from, None);
    let source = Source::open(&place, access).expect("opens");
    let name: Reference = "app:1".parse().expect("name");
    let to = Destination::Store(&scratch.store, &name, &Silent);
    let error = copy(&source, &Which::One(Platform::host()), to).expect_err("refused");
    assert!(error.to_string().contains("not the"), "{error}");
    scratch.assert_empty();
}

#[test]
fn a19_an_existing_layout_is_only_added_to_if_it_is_one() {
    let scratch = Scratch::new();
    let made = Made::new(&[&[("a", "1")]]);
    let from = layout(&scratch, &made, "app:1");
    let to = scratch.path("to");
    let index = to.join("index.json");
    fs::create_dir_all(to.join("blobs/sha256")).expect("makes");
    for bad in ["[]", "{}", "1", r#"{"manifests":{}}"#] {
        fs::write(&index, bad).expect("writes");
        let error = copy_layout(&scratch, &from, &to).expect_err(bad);
        assert!(error.to_string().contains("no index"), "{bad}: {error}");
    }
    let huge = fs::File::create(&index).expect("creates");
    huge.set_len(1 << 40).expect("grows");
    copy_layout(&scratch, &from, &to).expect_err("too long");
    fs::remove_file(&index).expect("removes");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &index, fifo, mode, 0).expect("fifo");
    let error = copy_layout(&scratch, &from, &to).expect_err("fifo");
    assert!(error.to_string().contains("not a regular file"), "{error}");
    fs::remove_file(&index).expect("removes");
    fs::write(&index, r#"{"schemaVersion":2,"manifests":[]}"#).expect("writes");
    copy_layout(&scratch, &from, &to).expect("a layout");
}

#[test]
fn what_a_killed_copy_left_does_not_stop_the_next() {
    let scratch = Scratch::new();
    let made = Made::new(&[&[("a", "1")]]);
    let from = layout(&scratch, &made, "app:1");
    let to = scratch.path("to");
    fs::create_dir_all(to.join("blobs/sha256")).expect("makes");
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    fs::write(to.join("index.json"), index).expect("writes");
    let part = format!("blobs/sha256/{}.part", made.layers[0].hex());
    fs::write(to.join(part), "half").expect("writes");
    fs::write(to.join("index.json.part"), "half").expect("writes");
    copy_layout(&scratch, &from, &to).expect("copies");
    let read = |name: &str| fs::read(to.join(name)).expect("reads");
    let blob = format!("blobs/sha256/{}", made.layers[0].hex());
    assert_eq!(Digest::of(&read(&blob)), made.layers[0]);
}

#[test]
fn a19_blobs_are_not_written_through_links_in_a_layout() {
    let scratch = Scratch::new();
    let made = Made::new(&[&[("a", "1")]]);
    let from = layout(&scratch, &made, "app:1");
    let (to, outside) = (scratch.path("to"), scratch.path("outside"));
    fs::create_dir_all(&to).expect("makes");
    fs::create_dir_all(outside.join("sha256")).expect("makes");
    symlink(&outside, to.join("blobs")).expect("links");
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    fs::write(to.join("index.json"), index).expect("writes");
    copy_layout(&scratch, &from, &to).expect_err("refused");
    let written = fs::read_dir(outside.join("sha256")).expect("lists").count();
    assert_eq!(written, 0);
}
