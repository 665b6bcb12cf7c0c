//! What `ps` and `inspect` answer to filters and templates.

use crate::bed::Bed;

each_who!(
    ps_filters_by_what_docker_does,
    ps_formats_by_template,
    inspect_formats_by_template,
    a_wrong_template_is_explained,
);

/// Containers `made` (created), `done` (exited 3) and `web-up` (running).
fn three(bed: &Bed) -> String {
    let create = ["create", "--name", "made", "--label", "tier=back"];
    bed.hull(&[&create[..], &["busybox:test", "true"]].concat())
        .ok();
    let run = ["run", "--name", "done", "--label", "tier=front"];
    let program = ["--network", "none", "busybox:test", "sh", "-c", "exit 3"];
    bed.hull(&[&run[..], &program[..]].concat()).fails(3);
    let flags = ["--name", "web-up", "--label", "tier=front", "--label", "x"];
    bed.detached(&flags, &["sleep", "1000"])
}

#[track_caller]
fn filtered(bed: &Bed, filters: &[&str], names: &[&str]) {
    let mut words = vec!["ps", "-a", "--format", "{{.Names}}"];
    words.extend(filters.iter().flat_map(|filter| ["--filter", *filter]));
    let ran = bed.hull(&words);
    let found: Vec<&str> = ran.ok().lines().collect();
    ran.expect(found == names, &format!("{names:?}"));
}

fn ps_filters_by_what_docker_does(bed: &Bed) {
    let id = three(bed);
    filtered(bed, &["name=web"], &["web-up"]);
    filtered(bed, &["name=e"], &["web-up", "done", "made"]);
    filtered(bed, &["name=^/?done$"], &["done"]);
    filtered(bed, &["name=nothing"], &[]);
    filtered(bed, &[&format!("id={}", &id[..8])], &["web-up"]);
    filtered(bed, &["status=created"], &["made"]);
    filtered(
        bed,
        &["status=created", "status=running"],
        &["web-up", "made"],
    );
    filtered(bed, &["exited=3"], &["done"]);
    filtered(bed, &["exited=0"], &[]);
    filtered(bed, &["label=tier"], &["web-up", "done", "made"]);
    filtered(bed, &["label=tier=front"], &["web-up", "done"]);
    filtered(bed, &["label=tier=front", "label=x"], &["web-up"]);
    filtered(bed, &["label=tier=front", "status=exited"], &["done"]);
    filtered(
        bed,
        &["ancestor=busybox:test", "status=running"],
        &["web-up"],
    );
    for bad in ["bogus=1", "status=bogus", "exited=x"] {
        let ran = bed.hull(&["ps", "--filter", bad]);
        ran.fails(1).one_error_line().stderr_has("nvalid filter");
    }
    // A status is asked for: -a is not needed.
    bed.hull(&["ps", "-f", "exited=3", "--format", "{{.Names}}"])
        .fails(0)
        .stdout_is("done\n");
    let names = |flags: &[&str]| {
        let words = [&["ps", "--format", "{{.Names}}"], flags].concat();
        bed.hull(&words).ok().to_owned()
    };
    assert_eq!(names(&[]), "web-up");
    assert_eq!(names(&["-l"]), "web-up");
    assert_eq!(names(&["-n", "2"]), "web-up\ndone");
}

fn ps_formats_by_template(bed: &Bed) {
    let id = three(bed);
    let format = |text: &str| {
        let ran = bed.hull(&["ps", "--no-trunc", "--format", text]);
        ran.ok().to_owned()
    };
    assert_eq!(format("{{.ID}} {{.Image}}"), format!("{id} busybox:test"));
    assert_eq!(format("{{.Command}} {{.State}}"), "\"sleep 1000\" running");
    assert_eq!(format("{{.Label \"tier\"}}"), "front");
    let table = format("table {{.Names}}\t{{.State}}");
    let words: Vec<&str> = table.split_whitespace().collect();
    assert_eq!(words, ["NAMES", "STATE", "web-up", "running"]);
    let json = bed.hull(&["ps", "-a", "--format", "json"]);
    assert_eq!(json.ok().lines().count(), 3, "one object a line");
    for line in json.ok().lines() {
        let object: serde_json::Value = serde_json::from_str(line).expect("is JSON");
        assert!(object["ID"].is_string() && object["Names"].is_string());
        assert_eq!(object["Image"], "busybox:test");
    }
}

fn inspect_formats_by_template(bed: &Bed) {
    let id = three(bed);
    assert_eq!(bed.inspect("web-up", "{{.Id}}"), id);
    assert_eq!(bed.inspect("done", "{{json .State.ExitCode}}"), "3");
    assert_eq!(bed.inspect("web-up", "{{index .Config.Cmd 0}}"), "sleep");
    assert_eq!(bed.inspect("web-up", "{{len .Config.Cmd}}"), "2");
    assert_eq!(
        bed.inspect("web-up", "{{range .Config.Cmd}}<{{.}}>{{end}}"),
        "<sleep><1000>"
    );
    assert_eq!(
        bed.inspect("web-up", "{{if .State.Running}}up{{else}}down{{end}}"),
        "up"
    );
    assert_eq!(bed.inspect("web-up", "{{.Config.Labels.tier}}"), "front");
    let both = bed.hull(&["inspect", "-f", "{{.Name}}", "done", "nothing", "made"]);
    both.fails(1)
        .stdout_is("/done\n/made\n")
        .stderr_has("No such object: nothing");
    let image = bed.hull(&["inspect", "--type", "image", "busybox:test"]);
    image.fails(0).stdout_has("RepoTags");
    bed.hull(&["inspect", "--type", "container", "busybox:test"])
        .fails(1);
}

fn a_wrong_template_is_explained(bed: &Bed) {
    three(bed);
    let wrong = |template: &str| bed.hull(&["inspect", "--format", template, "web-up"]);
    wrong("{{.Nope}}")
        .fails(1)
        .stdout_is("\n")
        .stderr_has("template parsing error: template: :1:2: executing \"\" at <.Nope>: ")
        .stderr_has("map has no entry for key \"Nope\"");
    wrong("{{.State.Nope}}").fails(1).stderr_has("\"Nope\"");
    wrong("{{.State").fails(64).stderr_has("unclosed action");
    wrong("{{nosuch .State}}").fails(64).stderr_has("nosuch");
    let ran = bed.hull(&["ps", "--format", "{{.Nope}}"]);
    ran.fails(1).stderr_has("Nope");
}
