//! Templates against what the docker command (28.2, with its daemon 20.10) answered to them.
//!
//! `tests/golden/templates/container.json` is a container as `docker inspect` showed it;
//! `docker.json` has one line for each template: the command (`inspect` or `ps`), the template, the
//! exit code, stdout and stderr. To renew them run the templates with docker again.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::cli::output::listing::{Listing, Row};

const CONTAINER: &str = include_str!("../../../../tests/golden/templates/container.json");
const CASES: &str = include_str!("../../../../tests/golden/templates/docker.json");

/// Where this differs from Docker, on purpose.
const OTHERWISE: &[(&str, &str)] = &[
    // Docker runs out of a hundred thousand levels, this out of fewer.
    (
        "{{define \"R\"}}{{template \"R\" .}}{{end}}{{template \"R\" .}}",
        "template parsing error: template: :1:25: executing \"R\" at <{{template \"R\" .}}>: \
         exceeded maximum template depth (500)\n",
    ),
    // Docker counts from the word `table` here, but not for other lists.
    (
        "table {{.Nope}}",
        "failed to execute template: template: :1:2: executing \"\" at <.Nope>: can't evaluate \
         field Nope in type *formatter.ContainerContext\n",
    ),
];

const PS: Listing = Listing {
    fields: &[
        ("ID", "CONTAINER ID"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("RunningFor", "CREATED"),
        ("State", "STATE"),
        ("Ports", "PORTS"),
        ("Names", "NAMES"),
        ("Labels", "LABELS"),
        ("Mounts", "MOUNTS"),
        ("Networks", "NETWORKS"),
        ("LocalVolumes", "LOCAL VOLUMES"),
        ("Platform", "PLATFORM"),
    ],
    columns: &["ID", "Names"],
    key: "ID",
};

fn row() -> Row {
    let labels = BTreeMap::from([
        ("tier".to_owned(), "back".to_owned()),
        ("x.y".to_owned(), "z".to_owned()),
    ]);
    Row::new()
        .set("ID", "0123456789ab")
        .set("Image", "busybox:test")
        .set("Command", "\"true\"")
        .set("RunningFor", "7 minutes ago")
        .set("State", "created")
        .set("Ports", "")
        .set("Names", "made")
        .set("Mounts", "/tmp")
        .set("Networks", "bridge")
        .set("LocalVolumes", "0")
        .set_null("Platform")
        .labels(labels)
}

/// Exit code, stdout and stderr.
fn answer(kind: &str, template: &str, container: &serde_json::Value) -> (u8, String, String) {
    let shown = |result: Result<String>| match result {
        Ok(text) => (0, text + "\n", String::new()),
        Err(error) => {
            let code = error.exit_code(crate::error::Scope::Other);
            let blank = if kind == "inspect" && code == 1 {
                "\n"
            } else {
                ""
            };
            (code, blank.to_owned(), format!("{error}\n"))
        }
    };
    match kind {
        "inspect" => shown(Template::parse(template).and_then(|parsed| parsed.render(container))),
        _ => shown(PS.render(Some(template), false, &[row()])),
    }
}

#[test]
fn templates_answer_as_dockers_do() {
    let container = serde_json::from_str(CONTAINER).expect("is JSON");
    let cases: Vec<(String, String, u8, String, String)> =
        serde_json::from_str(CASES).expect("is JSON");
    assert!(cases.len() >= 200, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for (kind, template, code, stdout, stderr) in cases {
        let otherwise = OTHERWISE.iter().find(|(known, _)| *known == template);
        let stderr = otherwise.map_or(stderr, |(_, stderr)| (*stderr).to_owned());
        let made = answer(&kind, &template, &container);
        let wanted = (code, stdout, stderr);
        if made != wanted {
            wrong.push(format!(
                "{kind} {template}\n  docker {wanted:?}\n  hull   {made:?}"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn a91_json_escapes_control_characters() {
    let data = json!({"A": "\x1b[1m\u{9b}"});
    let render = |template: &str| Template::parse(template).and_then(|parsed| parsed.render(&data));
    assert_eq!(
        render("{{json .}}").expect("is legal"),
        r#"{"A":"\u001b[1m\u009b"}"#
    );
    assert_eq!(
        render("x{{json .A}}").expect("is legal"),
        r#"x"\u001b[1m\u009b""#
    );
}

#[test]
fn a98_recursion_is_bounded() {
    let deep = [
        "{{define \"a\"}}{{if 1}}{{with .}}{{template \"a\" .}}{{end}}{{end}}{{end}}\
         {{template \"a\" .}}"
            .to_owned(),
        format!("{}1{}", "{{if 1}}".repeat(99), "{{end}}".repeat(99)),
    ];
    // The harness gives threads less stack than a program has.
    let run = move || {
        let bounded = Template::parse(&deep[0]).and_then(|parsed| parsed.render(&json!({"A": 1})));
        let error = bounded.expect_err("is endless").to_string();
        assert!(error.contains("exceeded maximum template depth"), "{error}");
        let nested = Template::parse(&deep[1]).and_then(|parsed| parsed.render(&json!({})));
        assert_eq!(nested.expect("is deep enough for anybody"), "1");
    };
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(run);
    thread.expect("starts").join().expect("does not overflow");
    for count in [101, 100_000] {
        let parentheses = format!("{{{{{}1{}}}}}", "(".repeat(count), ")".repeat(count));
        assert!(Template::parse(&parentheses).is_err(), "{count}");
        let blocks = format!("{}x", "{{if 1}}".repeat(count));
        assert!(Template::parse(&blocks).is_err(), "{count}");
    }
}

#[test]
fn fields_asked_for_are_known() {
    let names = |template: &str| {
        Template::parse_row(template)
            .expect("is legal")
            .names("Size")
    };
    for template in [
        "{{.Size}}",
        "{{if .Size}}x{{end}}",
        "{{upper (.Size)}}",
        "{{$.Size}}",
    ] {
        assert!(names(template), "{template}");
    }
    for template in ["{{.ID}}", ".Size", "{{\".Size\"}}", "{{.SizeRw}}"] {
        assert!(!names(template), "{template}");
    }
}

#[test]
fn label_is_a_method_on_rows() {
    let labels = BTreeMap::from([("com.x.y".to_owned(), "v \" w".to_owned())]);
    let row = Row::new().set("Names", "n").labels(labels);
    let table = [
        ("{{.Label \"com.x.y\"}}", "v \" w"),
        ("{{ .Label `com.x.y` | upper }}", "V \" W"),
        ("{{if .Label \"none\"}}y{{else}}n{{end}}", "n"),
        (
            "{{range split .Names \",\"}}{{$.Label \"com.x.y\"}}{{end}}",
            "v \" w",
        ),
        ("{{$k := \"com.x.y\"}}{{.Label $k}}", "v \" w"),
        ("{{\"com.x.y\" | .Label}}", "v \" w"),
        ("say .Label \"x\" {{.Names}}", "say .Label \"x\" n"),
    ];
    for (template, expected) in table {
        let text = PS.render(Some(template), false, std::slice::from_ref(&row));
        assert_eq!(text.expect(template), expected, "{template}");
    }
}
