//! `--format`: Go templates over JSON data, with Docker's functions.
//!
//! The crate gotmpl runs the templates. Added here: Docker's functions, the method `.Label "key"`
//! (gotmpl knows no methods, so it becomes a call of a function), key order for `{{json .X}}`, and
//! Docker's words for errors.

use std::sync::Arc;

use gotmpl::{MissingKey, TemplateError, Value};

use crate::cli::output::escape_json;
use crate::error::{Error, Result};

/// The key under which a row keeps its labels for `.Label`. No template can spell it.
pub const LABELS: &str = " labels";

/// A parsed template.
pub struct Template {
    source: String,
    parsed: gotmpl::Template,
}

/// What the functions do: work on values, or let the names of a header row pass.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Values,
    Header,
}

impl Template {
    /// Parses a template.
    pub fn parse(source: &str) -> Result<Self> {
        Template::build(source, Mode::Values)
    }

    /// Parses a template for a header row: functions return the header they are given.
    pub fn parse_header(source: &str) -> Result<Self> {
        Template::build(source, Mode::Header)
    }

    fn build(source: &str, mode: Mode) -> Result<Self> {
        let source = call_label(source);
        let parsed = functions(gotmpl::Template::new(""), mode)
            .missing_key(MissingKey::Error)
            .parse(&source)
            .map_err(|error| explain(&source, &error))?;
        Ok(Template { source, parsed })
    }

    /// The text for this data, without a newline of its own.
    pub fn render(&self, data: &serde_json::Value) -> Result<String> {
        if let Some(found) = json_path(&self.source).and_then(|path| data.pointer(&path)) {
            return Ok(json_text(found));
        }
        let rendered = self.parsed.execute_to_string(&value(data));
        rendered.map_err(|error| explain(&self.source, &error))
    }
}

/// `{{json .A.B}}` alone → `/A/B`. Such a template prints the data itself: in its own key order,
/// which template values (sorted maps) do not keep.
fn json_path(source: &str) -> Option<String> {
    let inner = source.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    let path = inner.strip_prefix("json")?.trim_start().strip_prefix('.')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    if !path.chars().all(plain) {
        return None;
    }
    match path {
        "" => Some(String::new()),
        path => Some(format!("/{}", path.replace('.', "/"))),
    }
}

/// JSON on one line, as Docker prints it: HTML is left alone.
pub fn json_text(value: &serde_json::Value) -> String {
    escape_json(&value.to_string()).into_owned()
}

/// JSON → template value. Whole numbers become signed ones, so that literals compare with them.
fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(flag) => Value::Bool(*flag),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::Int(number),
            (None, Some(number)) => Value::Uint(number),
            (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::String(Arc::from(text.as_str())),
        serde_json::Value::Array(items) => Value::List(items.iter().map(value).collect()),
        serde_json::Value::Object(entries) => {
            let entries = entries.iter();
            let pairs = entries.map(|(key, item)| (Arc::from(key.as_str()), value(item)));
            Value::Map(Arc::new(pairs.collect()))
        }
    }
}

/// Template value → JSON, for the function `json`.
fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(flag) => (*flag).into(),
        Value::Int(number) => (*number).into(),
        Value::Uint(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::String(text) => text.as_ref().into(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(entries) => {
            let shown = entries.iter().filter(|(key, _)| key.as_ref() != LABELS);
            let pairs = shown.map(|(key, item)| (key.to_string(), json(item)));
            serde_json::Value::Object(pairs.collect())
        }
        Value::Nil | Value::Function(_) => serde_json::Value::Null,
    }
}

type Function = fn(&[Value]) -> gotmpl::Result<Value>;

/// Name, number of arguments and body of Docker's functions.
const FUNCTIONS: &[(&str, usize, Function)] = &[
    ("json", 1, |args| Ok(text(json_text(&json(&args[0]))))),
    ("split", 2, |args| {
        let (whole, separator) = (args[0].to_string(), args[1].to_string());
        Ok(Value::List(whole.split(&*separator).map(text).collect()))
    }),
    ("join", 2, |args| {
        let Value::List(items) = &args[0] else {
            let got = args[0].type_name();
            return Err(TemplateError::TypeMismatch {
                expected: "list",
                got,
            });
        };
        let items: Vec<String> = items.iter().map(ToString::to_string).collect();
        Ok(text(items.join(&args[1].to_string())))
    }),
    ("title", 1, |args| Ok(text(title(&args[0].to_string())))),
    ("lower", 1, |args| {
        Ok(text(args[0].to_string().to_lowercase()))
    }),
    ("upper", 1, |args| {
        Ok(text(args[0].to_string().to_uppercase()))
    }),
    ("pad", 3, |args| {
        let blanks = |value: &Value| " ".repeat(count(value).min(1024));
        let inner = args[0].to_string();
        match inner.is_empty() {
            true => Ok(text(inner)),
            false => Ok(text(format!(
                "{}{inner}{}",
                blanks(&args[1]),
                blanks(&args[2])
            ))),
        }
    }),
    ("truncate", 2, |args| {
        let whole = args[0].to_string();
        Ok(text(
            whole.chars().take(count(&args[1])).collect::<String>(),
        ))
    }),
];

fn functions(template: gotmpl::Template, mode: Mode) -> gotmpl::Template {
    let mut template = template.func("label", move |args| Ok(label(args, mode)));
    for &(name, arity, function) in FUNCTIONS {
        template = template.func(name, move |args| {
            if args.len() != arity {
                let (name, got) = (name.to_owned(), args.len());
                return Err(TemplateError::ArgCount {
                    name,
                    expected: arity,
                    got,
                });
            }
            match mode {
                Mode::Values => function(args),
                Mode::Header => Ok(args[0].clone()),
            }
        });
    }
    template
}

/// The label of a row, empty if it has none. Its header is the last part of the key.
fn label(args: &[Value], mode: Mode) -> Value {
    let key = args.get(1).map(ToString::to_string).unwrap_or_default();
    if mode == Mode::Header {
        let last = key.rsplit('.').next().unwrap_or_default();
        return text(last.replace(['-', '_'], " "));
    }
    let labels = args.first().and_then(|row| row.field(LABELS));
    let found = labels.and_then(|labels| labels.field(&key));
    found.cloned().unwrap_or_else(|| text(""))
}

fn text(text: impl AsRef<str>) -> Value {
    Value::String(Arc::from(text.as_ref()))
}

fn count(value: &Value) -> usize {
    value
        .as_int()
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(0)
}

fn title(text: &str) -> String {
    let mut start = true;
    let raise = |c: char| {
        let raised = if start { c.to_uppercase().next() } else { None };
        start = !c.is_alphanumeric() && c != '_' && c != '\'';
        raised.unwrap_or(c)
    };
    text.chars().map(raise).collect()
}

/// `.Label "key"` → `(label . "key")`, within actions.
fn call_label(source: &str) -> String {
    const METHOD: &str = ".Label";
    let mut result = String::new();
    let mut rest = source;
    while let Some(at) = rest.find(METHOD) {
        let (before, method) = rest.split_at(at);
        let argument = method[METHOD.len()..].trim_start_matches(' ');
        let blank = argument.len() + METHOD.len() < method.len();
        let length = literal_length(argument).filter(|_| blank && in_action(source, rest, at));
        let Some(length) = length else {
            result.push_str(&rest[..at + METHOD.len()]);
            rest = &method[METHOD.len()..];
            continue;
        };
        let (before, of) = match before.strip_suffix('$') {
            Some(before) => (before, "$"),
            None => (before, "."),
        };
        result.push_str(before);
        result.push_str(&format!("(label {of} {})", &argument[..length]));
        rest = &argument[length..];
    }
    result + rest
}

fn in_action(source: &str, rest: &str, at: usize) -> bool {
    let before = &source[..source.len() - rest.len() + at];
    before.rfind("{{") > before.rfind("}}")
}

/// Length of the string literal or variable at the start of `text`.
fn literal_length(text: &str) -> Option<usize> {
    let quote = text.chars().next()?;
    match quote {
        '"' | '`' => {
            let mut escaped = false;
            let end = text[1..].find(|c: char| {
                let ends = c == quote && !escaped;
                escaped = c == '\\' && !escaped && quote == '"';
                ends
            })?;
            Some(end + 2)
        }
        '$' => {
            let part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
            let end = text[1..].find(|c| !part(c)).unwrap_or(text.len() - 1);
            Some(end + 1)
        }
        _ => None,
    }
}

/// Docker's words: `template parsing error: template: :1:2: executing "" at <.Nope>: …`.
fn explain(source: &str, error: &TemplateError) -> Error {
    let what = match error {
        TemplateError::MissingKey { key } => {
            let (line, column, field) = locate(source, key);
            format!(
                "template: :{line}:{column}: executing \"\" at <{field}>: \
                 map has no entry for key {key:?}"
            )
        }
        TemplateError::Parse { line, message, .. } | TemplateError::Lex { line, message, .. } => {
            format!("template: :{line}: {message}")
        }
        other => format!("template: :1: executing \"\": {other}"),
    };
    Error::invalid(format!("template parsing error: {what}"))
}

/// Line, byte column and text of the field chain that ends in `key`, as Go reports them: the column
/// is that of the chain's second field, if it has one.
fn locate(source: &str, key: &str) -> (usize, usize, String) {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let wanted = format!(".{key}");
    let mut positions = source.match_indices(&wanted).map(|(at, _)| at);
    let whole = |at: &usize| !source[at + wanted.len()..].starts_with(part);
    let Some(at) = positions.find(whole) else {
        return (1, 2, wanted);
    };
    let end = at + wanted.len();
    let start = source[..end]
        .rfind(|c| !part(c) && c != '.')
        .map_or(0, |found| found + 1);
    let chain = &source[start..end];
    let second = chain
        .match_indices('.')
        .nth(1)
        .map_or(0, |(second, _)| second);
    let position = start + second;
    let line_start = source[..position]
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let line = source[..position].matches('\n').count() + 1;
    (line, position - line_start, chain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn render(template: &str, data: serde_json::Value) -> Result<String> {
        Template::parse(template)?.render(&data)
    }

    #[test]
    fn templates_people_type_work() {
        let data = json!({
            "Id": "sha256:ab", "Name": "/web", "RepoTags": ["a:1", "b:2"], "Size": 7800000000u64,
            "State": {"Running": true, "ExitCode": 0, "Status": "running"},
            "Config": {"Labels": {"a.b": "c"}, "Env": ["PATH=/bin", "X=<&>"], "Cmd": null},
            "NetworkSettings": {
                "Networks": {"bridge": {"IPAddress": "10.0.0.2"}, "x": {"IPAddress": "10.1.0.2"}},
                "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]},
            },
        });
        let table = [
            ("{{.State.Status}}", "running"),
            ("{{.Size}}", "7800000000"),
            (
                "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}",
                "10.0.0.2 10.1.0.2 ",
            ),
            (
                "{{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}}",
                "8080",
            ),
            ("{{index .Config.Labels \"a.b\"}}", "c"),
            (
                "{{json .State}}",
                r#"{"Running":true,"ExitCode":0,"Status":"running"}"#,
            ),
            ("{{json .Config.Env}}", r#"["PATH=/bin","X=<&>"]"#),
            ("id {{json .RepoTags}}", r#"id ["a:1","b:2"]"#),
            ("{{json .Config.Cmd}}", "null"),
            ("{{join .RepoTags \", \"}}", "a:1, b:2"),
            ("{{range split .Name \"e\"}}[{{.}}]{{end}}", "[/w][b]"),
            (
                "{{upper .Name}} {{lower \"ABC\"}} {{title \"ab cd\"}}",
                "/WEB abc Ab Cd",
            ),
            ("{{pad .Name 1 2}}|{{truncate .Id 6}}", " /web  |sha256"),
            ("{{if eq .State.ExitCode 0}}ok{{else}}bad{{end}}", "ok"),
            ("{{if and .State.Running (ne .Name \"x\")}}y{{end}}", "y"),
            ("{{printf \"%-6s|%d\" .Name .State.ExitCode}}", "/web  |0"),
            ("{{len .RepoTags}}{{println}}", "2\n"),
            (
                "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}}{{end}}",
                "a.b=c",
            ),
            ("{{with .Config}}{{index .Env 0}}{{end}}", "PATH=/bin"),
        ];
        for (template, expected) in table {
            assert_eq!(
                render(template, data.clone()).expect(template),
                expected,
                "{template}"
            );
        }
    }

    #[test]
    fn missing_fields_are_reported_in_the_words_of_go() {
        let data = json!({"State": {"Status": "x"}});
        let table = [
            (
                "{{.Nope}}",
                ":1:2: executing \"\" at <.Nope>: map has no entry for key \"Nope\"",
            ),
            (
                "{{.State.Nope}}",
                ":1:8: executing \"\" at <.State.Nope>: map has no entry for key \"Nope\"",
            ),
            (
                "a\n{{json .Nope}}",
                ":2:7: executing \"\" at <.Nope>: map has no entry for key \"Nope\"",
            ),
        ];
        for (template, expected) in table {
            let error = render(template, data.clone())
                .expect_err(template)
                .to_string();
            assert_eq!(
                error,
                format!("template parsing error: template: {expected}")
            );
        }
        let error = Template::parse("{{.X")
            .map(|_| ())
            .expect_err("is unclosed")
            .to_string();
        assert!(
            error.starts_with("template parsing error: template: :1: "),
            "{error}"
        );
    }

    #[test]
    fn label_is_a_method_on_rows() {
        let data = json!({LABELS: {"com.x.y": "v \" w"}, "Names": "n"});
        let table = [
            ("{{.Label \"com.x.y\"}}", "v \" w"),
            ("{{ .Label `com.x.y` | upper }}", "V \" W"),
            ("{{if .Label \"none\"}}y{{else}}n{{end}}", "n"),
            (
                "{{range split .Names \",\"}}{{$.Label \"com.x.y\"}}{{end}}",
                "v \" w",
            ),
            ("{{$k := \"com.x.y\"}}{{.Label $k}}", "v \" w"),
            ("say .Label \"x\" {{.Names}}", "say .Label \"x\" n"),
        ];
        for (template, expected) in table {
            assert_eq!(
                render(template, data.clone()).expect(template),
                expected,
                "{template}"
            );
        }
        let header = Template::parse_header("{{upper .Names}} {{.Label \"com.x.some-thing\"}}");
        let header = header.and_then(|header| header.render(&json!({"Names": "NAMES"})));
        assert_eq!(header.expect("is legal"), "NAMES some thing");
    }

    #[test]
    fn a91_json_escapes_control_characters() {
        let data = json!({"A": "\x1b[1m\u{9b}"});
        assert_eq!(
            render("{{json .}}", data.clone()).expect("is legal"),
            r#"{"A":"\u001b[1m\u009b"}"#
        );
        assert_eq!(
            render("x{{json .A}}", data).expect("is legal"),
            r#"x"\u001b[1m\u009b""#
        );
    }
}
