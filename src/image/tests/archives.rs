//! Archives and layouts that lie, and what is kept of layers that are known already.

use std::fs;

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
