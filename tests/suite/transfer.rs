//! pull, against a registry on this machine.

use crate::bed::Bed;
use crate::images::{Image, digest};
use crate::registry::Registry;

each_who!(
    pull_fetches_what_run_misses,
    pull_by_digest_checks_it,
    a_damaged_blob_is_refused_and_nothing_stays,
    an_unknown_tag_is_refused,
);

fn pull_fetches_what_run_misses(bed: &Bed) {
    let Some(registry) = Registry::start(bed) else {
        return;
    };
    let name = registry.push(&Image::busybox("x"), "app:1");
    let ran = bed.hull(&["run", "--rm", "--network", "none", &name, "echo", "pulled"]);
    ran.fails(0)
        .stdout_is("pulled\n")
        .stderr_has(&format!("Unable to find image '{name}' locally"));
    let again = bed.hull(&["run", "--rm", "--network", "none", &name, "echo", "here"]);
    again.fails(0).stdout_is("here\n");
    again.expect(!again.stderr.contains("Unable to find"), "no second pull");
    bed.hull(&["pull", "-q", &name])
        .fails(0)
        .stdout_is(&format!("{name}\n"));
}

fn pull_by_digest_checks_it(bed: &Bed) {
    let Some(registry) = Registry::start(bed) else {
        return;
    };
    let image = Image::busybox("x");
    registry.push(&image, "app:1");
    let oci = image.oci();
    let manifest = digest(oci.blobs.last().expect("has one"));
    let by_digest = format!("{}@{manifest}", registry.name("app"));
    bed.hull(&["pull", &by_digest]).ok();
    let wrong = format!("{}@{}", registry.name("app"), digest(b"something else"));
    bed.hull(&["pull", &wrong]).fails(1);
}

fn a_damaged_blob_is_refused_and_nothing_stays(bed: &Bed) {
    let Some(registry) = Registry::start(bed) else {
        return;
    };
    let mut image = Image::busybox("x");
    image.config["Labels"] = serde_json::json!({"only": "here"});
    let name = registry.push(&image, "app:1");
    let blob = registry.blob(&digest(&image.config_blob()));
    let mut bytes = std::fs::read(&blob).expect("the registry keeps blobs there");
    let last = bytes.len() - 1;
    bytes[last] = b' ';
    std::fs::write(&blob, bytes).expect("writable");
    let before = bed.hull(&["images", "-aq"]).stdout;
    bed.hull(&["pull", &name]).fails(1).stderr_has("sha256:");
    bed.hull(&["images", "-aq"]).fails(0).stdout_is(&before);
}

fn an_unknown_tag_is_refused(bed: &Bed) {
    let Some(registry) = Registry::start(bed) else {
        return;
    };
    registry.push(&Image::busybox("x"), "app:1");
    let missing = bed.hull(&["pull", &registry.name("app:2")]);
    missing.fails(1).one_error_line().stderr_has("app:2");
}
