//! The functions of templates: Go's own and Docker's.
//!
//! Formatting in the manner of `printf` and the escapes of `html`, `js` and `urlquery` are the
//! crate gotmpl's.

use super::value::{Nil, Shape, Value};
use crate::cli::output::{escape_json, quote};

/// What an argument has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Any,
    Text,
    Whole,
    Texts,
}

/// How many arguments a function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// These.
    Exactly(&'static [Type]),
    /// Any, at least this many.
    AtLeast(usize),
}

impl Arity {
    /// How many are wanted, if not as many as these.
    pub fn refuses(self, got: usize) -> Option<String> {
        match self {
            Exactly(types) if types.len() != got => Some(types.len().to_string()),
            AtLeast(least) if got < least => Some(format!("at least {least}")),
            _ => None,
        }
    }

    /// What the arguments have to be, as far as it is fixed.
    pub fn types(self) -> &'static [Type] {
        match self {
            Exactly(types) => types,
            AtLeast(_) => &[],
        }
    }
}

/// A function.
pub struct Function {
    pub name: &'static str,
    pub arity: Arity,
    /// The result, or what is said after `error calling NAME: `.
    pub call: fn(&[Value]) -> Result<Value, String>,
    /// Docker's own: in a header row it lets its first argument pass.
    pub dockers: bool,
}

/// The function of this name.
pub fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

use Arity::{AtLeast, Exactly};
use Type::{Any, Text, Texts, Whole};

const fn docker(
    name: &'static str,
    types: &'static [Type],
    call: fn(&[Value]) -> Result<Value, String>,
) -> Function {
    Function {
        name,
        arity: Exactly(types),
        call,
        dockers: true,
    }
}

const fn go(
    name: &'static str,
    arity: Arity,
    call: fn(&[Value]) -> Result<Value, String>,
) -> Function {
    Function {
        name,
        arity,
        call,
        dockers: false,
    }
}

const FUNCTIONS: &[Function] = &[
    docker("json", &[Any], |args| {
        Ok(Value::text(json_text(&args[0].json())))
    }),
    docker("split", &[Text, Text], |args| {
        let (whole, separator) = (args[0].to_string(), args[1].to_string());
        Ok(match separator.is_empty() {
            true => whole.chars().map(|c| Value::text(c.to_string())).collect(),
            false => whole.split(&*separator).map(Value::text).collect(),
        })
    }),
    docker("join", &[Texts, Text], |args| {
        let texts: Vec<String> = items(&args[0]).iter().map(ToString::to_string).collect();
        Ok(Value::text(texts.join(&args[1].to_string())))
    }),
    docker("title", &[Text], |args| {
        Ok(Value::text(title(&args[0].to_string())))
    }),
    docker("lower", &[Text], |args| {
        Ok(Value::text(args[0].to_string().to_lowercase()))
    }),
    docker("upper", &[Text], |args| {
        Ok(Value::text(args[0].to_string().to_uppercase()))
    }),
    docker("pad", &[Text, Whole, Whole], |args| {
        let blanks = |value: &Value| " ".repeat(count(value).min(4096));
        let inner = args[0].to_string();
        Ok(Value::text(match inner.is_empty() {
            true => inner,
            false => format!("{}{inner}{}", blanks(&args[1]), blanks(&args[2])),
        }))
    }),
    docker("truncate", &[Text, Whole], |args| {
        let whole = args[0].to_string();
        let kept: String = whole.chars().take(count(&args[1])).collect();
        Ok(Value::text(kept))
    }),
    go("and", AtLeast(1), |args| Ok(choose(args, false))),
    go("or", AtLeast(1), |args| Ok(choose(args, true))),
    go("not", Exactly(&[Any]), |args| {
        Ok(Value::Bool(!args[0].is_true()))
    }),
    go("len", Exactly(&[Any]), |args| len(&args[0])),
    go("index", AtLeast(1), |args| {
        let mut value = args[0].clone();
        for key in &args[1..] {
            value = index(&value, key)?;
        }
        Ok(value)
    }),
    go("slice", AtLeast(1), slice),
    go("call", AtLeast(1), |args| {
        Err(format!("non-function of type {}", args[0].type_name()))
    }),
    go("eq", AtLeast(1), |args| {
        if args.len() < 2 {
            return Err("missing argument for comparison".to_owned());
        }
        let mut equal = false;
        for other in &args[1..] {
            equal |= equals(&args[0], other)?;
        }
        Ok(Value::Bool(equal))
    }),
    go("ne", Exactly(&[Any, Any]), |args| {
        Ok(Value::Bool(!equals(&args[0], &args[1])?))
    }),
    go("lt", Exactly(&[Any, Any]), |args| {
        Ok(Value::Bool(order(args)?.is_lt()))
    }),
    go("le", Exactly(&[Any, Any]), |args| {
        Ok(Value::Bool(order(args)?.is_le()))
    }),
    go("gt", Exactly(&[Any, Any]), |args| {
        Ok(Value::Bool(order(args)?.is_gt()))
    }),
    go("ge", Exactly(&[Any, Any]), |args| {
        Ok(Value::Bool(order(args)?.is_ge()))
    }),
    go("print", AtLeast(0), |args| formatted("print", args)),
    go("println", AtLeast(0), |args| formatted("println", args)),
    go("printf", AtLeast(1), |args| formatted("printf", args)),
    go("html", AtLeast(1), |args| {
        Ok(Value::text(gotmpl::html_escape(&joined(args))))
    }),
    go("js", AtLeast(1), |args| {
        Ok(Value::text(gotmpl::js_escape(&joined(args))))
    }),
    go("urlquery", AtLeast(1), |args| {
        Ok(Value::text(gotmpl::url_encode(&joined(args))))
    }),
];

/// JSON on one line, as Docker prints it: HTML is left alone.
pub fn json_text(value: &serde_json::Value) -> String {
    escape_json(&value.to_string()).into_owned()
}

/// The first argument that is true (or false), else the last.
fn choose(args: &[Value], wanted: bool) -> Value {
    let found = args.iter().find(|value| value.is_true() == wanted);
    found.or(args.last()).cloned().unwrap_or(Value::Missing)
}

fn items(value: &Value) -> &[Value] {
    match value {
        Value::List(items) => items,
        _ => &[],
    }
}

fn count(value: &Value) -> usize {
    match value {
        Value::Number(number) => usize::try_from(*number).unwrap_or(0),
        _ => 0,
    }
}

fn len(value: &Value) -> Result<Value, String> {
    let length = match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.len(),
        Value::Nil(Nil::Slice | Nil::Map) => 0,
        Value::Object(object) if object.shape == Shape::Map => object.entries.len(),
        // In Docker a number of a document has a text.
        Value::Number(number) => number.to_string().len(),
        Value::Missing | Value::Nil(Nil::Pointer) => {
            return Err("reflect: call of reflect.Value.Type on zero Value".to_owned());
        }
        other => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(Value::Number(length as i128))
}

fn index(value: &Value, key: &Value) -> Result<Value, String> {
    match value {
        Value::List(items) => {
            let at = position(key, items.len(), Edge::Excluded)?;
            Ok(items[at].clone())
        }
        Value::Text(text) => {
            let at = position(key, text.len(), Edge::Excluded)?;
            Ok(Value::Number(text.as_bytes()[at].into()))
        }
        Value::Nil(Nil::Slice) => Err("index of untyped nil".to_owned()),
        Value::Object(object) => {
            let Value::Text(name) = key else {
                let got = key.type_name();
                return Err(format!("value has type {got}; should be string"));
            };
            Ok(match object.get(name) {
                Some(found) => found.clone(),
                None => absent(object.entries.first().map(|(_, value)| value)),
            })
        }
        Value::Nil(Nil::Map) => Ok(Value::text("")),
        Value::Missing | Value::Nil(Nil::Pointer) => Err("index of untyped nil".to_owned()),
        other => Err(format!("can't index item of type {}", other.type_name())),
    }
}

/// What a map has where it has nothing: a text in a map of texts, else a nothing.
fn absent(sibling: Option<&Value>) -> Value {
    match sibling {
        Some(Value::List(_) | Value::Nil(_)) => Value::Nil(Nil::Slice),
        Some(Value::Object(_)) => Value::Nil(Nil::Pointer),
        Some(_) => Value::text(""),
        None => Value::Missing,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Excluded,
    Included,
}

fn position(key: &Value, length: usize, edge: Edge) -> Result<usize, String> {
    let Value::Number(number) = key else {
        return Err(match key {
            Value::Missing | Value::Nil(_) => "cannot index slice/array with nil".to_owned(),
            key => format!("cannot index slice/array with type {}", key.type_name()),
        });
    };
    let at = usize::try_from(*number).ok();
    let inside = |at: &usize| *at < length || (edge == Edge::Included && *at == length);
    at.filter(inside)
        .ok_or_else(|| format!("index out of range: {number}"))
}

fn slice(args: &[Value]) -> Result<Value, String> {
    let length = match &args[0] {
        Value::Text(text) => text.len(),
        Value::List(items) => items.len(),
        Value::Nil(Nil::Slice) => 0,
        Value::Missing | Value::Nil(_) => return Err("slice of untyped nil".to_owned()),
        other => return Err(format!("can't slice item of type {}", other.type_name())),
    };
    if args.len() > 4 {
        return Err(format!("too many slice indexes: {}", args.len() - 1));
    }
    if args.len() == 4 && matches!(args[0], Value::Text(_)) {
        return Err("cannot 3-index slice a string".to_owned());
    }
    let mut bounds = [0, length, length];
    for (number, key) in args[1..].iter().enumerate() {
        bounds[number] = position(key, length, Edge::Included)?;
    }
    let (start, end) = (bounds[0], bounds[1]);
    if start > end {
        return Err(format!("invalid slice index: {start} > {end}"));
    }
    if end > bounds[2] {
        return Err(format!("invalid slice index: {end} > {}", bounds[2]));
    }
    Ok(match &args[0] {
        Value::Text(text) => Value::text(String::from_utf8_lossy(&text.as_bytes()[start..end])),
        Value::List(items) => items[start..end].iter().cloned().collect(),
        other => other.clone(),
    })
}

fn equals(one: &Value, other: &Value) -> Result<bool, String> {
    Ok(match (one, other) {
        (Value::Missing | Value::Nil(_), Value::Missing | Value::Nil(_)) => true,
        (Value::Missing | Value::Nil(_), _) | (_, Value::Missing | Value::Nil(_)) => false,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Number(one), Value::Number(other)) => one == other,
        (Value::Float(one), Value::Float(other)) => one == other,
        (Value::Text(one), Value::Text(other)) => one == other,
        // In Docker a number of a document has a text, which scripts compare.
        (Value::Number(number), Value::Text(text)) | (Value::Text(text), Value::Number(number)) => {
            number.to_string() == **text
        }
        (Value::List(_) | Value::Object(_), _) => {
            let name = one.type_name();
            return Err(format!("non-comparable type {one}: {name}"));
        }
        _ => return Err("incompatible types for comparison".to_owned()),
    })
}

fn order(args: &[Value]) -> Result<std::cmp::Ordering, String> {
    match (&args[0], &args[1]) {
        (Value::Number(one), Value::Number(other)) => Ok(one.cmp(other)),
        (Value::Float(one), Value::Float(other)) => one
            .partial_cmp(other)
            .ok_or_else(|| "invalid type for comparison".to_owned()),
        (Value::Text(one), Value::Text(other)) => Ok(one.cmp(other)),
        (one, other) if one.type_name() != other.type_name() => {
            Err("incompatible types for comparison".to_owned())
        }
        _ => Err("invalid type for comparison".to_owned()),
    }
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

/// Texts as they are, anything else as `print` has it.
fn joined(args: &[Value]) -> String {
    match args {
        [one] => one.to_string(),
        _ => formatted("print", args).map_or_else(|error| error, |text| text.to_string()),
    }
}

/// Through gotmpl: `print`, `println` and `printf`, whose arguments it takes from a list.
fn formatted(name: &str, args: &[Value]) -> Result<Value, String> {
    if name == "printf" && !matches!(args[0], Value::Text(_)) {
        let (value, got) = (&args[0], args[0].type_name());
        return Err(format!("expected string; found {value} of type {got}"));
    }
    let known;
    let mut args = args;
    if name == "printf" {
        known = with_known_verbs(args);
        args = &known;
    }
    let words: Vec<String> = (0..args.len()).map(|n| format!("(index . {n})")).collect();
    let source = format!("{{{{{name} {}}}}}", words.join(" "));
    let data = gotmpl::Value::List(args.iter().map(theirs).collect());
    let template = gotmpl::Template::new("").parse(&source);
    let text = template.and_then(|template| template.execute_to_string(&data));
    text.map(Value::text).map_err(|error| error.to_string())
}

/// What gotmpl does not know becomes text: `%T`, and `%s` and `%q` of lists and maps.
fn with_known_verbs(args: &[Value]) -> Vec<Value> {
    let mut args = args.to_vec();
    let mut format = args[0].to_string();
    let mut argument = 1;
    let mut at = 0;
    while let Some(found) = format[at..].find('%') {
        let start = at + found + 1;
        let part = |c: char| c.is_ascii_digit() || "+-# .*".contains(c);
        let length = format[start..].find(|c| !part(c));
        let Some(verb) = length.map(|length| start + length) else {
            break;
        };
        let letter = format[verb..].chars().next().unwrap_or_default();
        argument += format[start..verb].matches('*').count();
        let plain = |value: &Value| matches!(value, Value::List(_) | Value::Object(_));
        let value = args.get(argument);
        at = verb + letter.len_utf8();
        let text = match (letter, value) {
            ('%', _) => continue,
            ('T', Some(value)) => Some(value.type_name().to_owned()),
            ('s', Some(value)) if plain(value) => Some(value.to_string()),
            ('q', Some(Value::List(items))) => {
                let items = items.iter().map(|item| quote(&item.to_string()));
                Some(format!("[{}]", items.collect::<Vec<_>>().join(" ")))
            }
            _ => None,
        };
        if let Some(text) = text {
            args[argument] = Value::text(text);
            format.replace_range(verb..=verb, "s");
        }
        argument += 1;
    }
    args[0] = Value::text(format);
    args
}

fn theirs(value: &Value) -> gotmpl::Value {
    use std::sync::Arc;
    match value {
        Value::Missing | Value::Nil(Nil::Pointer) => gotmpl::Value::Nil,
        Value::Nil(Nil::Slice) => gotmpl::Value::List(Arc::from([])),
        Value::Nil(Nil::Map) => gotmpl::Value::Map(Arc::default()),
        Value::Bool(flag) => gotmpl::Value::Bool(*flag),
        Value::Number(number) => match (i64::try_from(*number), u64::try_from(*number)) {
            (Ok(number), _) => gotmpl::Value::Int(number),
            (_, Ok(number)) => gotmpl::Value::Uint(number),
            _ => gotmpl::Value::Nil,
        },
        Value::Float(number) => gotmpl::Value::Float(*number),
        Value::Text(text) => gotmpl::Value::String(Arc::from(&**text)),
        Value::List(items) => gotmpl::Value::List(items.iter().map(theirs).collect()),
        Value::Object(object) if object.shape == Shape::Map => {
            let pairs = object.entries.iter();
            let pairs = pairs.map(|(name, value)| (Arc::from(&**name), theirs(value)));
            gotmpl::Value::Map(Arc::new(pairs.collect()))
        }
        other => gotmpl::Value::String(Arc::from(other.to_string().as_str())),
    }
}
