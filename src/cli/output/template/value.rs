//! What templates work on: JSON, with what Go's types would add (what is a struct and what a map,
//! and which kind of nothing a null is), because both show in what templates print.

use std::fmt;
use std::rc::Rc;

use serde_json::Value as Json;

/// A value in a template.
#[derive(Debug, Clone)]
pub enum Value {
    /// A key that a map does not have: `<no value>`.
    Missing,
    Nil(Nil),
    Bool(bool),
    Number(i128),
    Float(f64),
    Text(Rc<str>),
    List(Rc<[Value]>),
    Object(Rc<Object>),
}

/// The kinds of nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nil {
    Pointer,
    Slice,
    Map,
}

/// Named values.
#[derive(Debug)]
pub struct Object {
    pub shape: Shape,
    pub entries: Vec<(Rc<str>, Value)>,
}

/// How an object answers to names it does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// With an error; prints its values only.
    Struct,
    /// With nothing; sorted by key.
    Map,
    /// A line of a list: with an error that names this type. It has the method `Label`.
    Row(&'static str),
    /// The names of a table's columns: with nothing, and `Label` answers with the label's name.
    Header,
}

/// Objects that are maps to Docker, by the name of the field.
const MAPS: &[&str] = &[
    "Annotations",
    "Attributes",
    "Data",
    "DriverOpts",
    "ExposedPorts",
    "ExtAttributes",
    "IndexConfigs",
    "Labels",
    "Networks",
    "Options",
    "PortBindings",
    "Ports",
    "Runtimes",
    "StorageOpt",
    "Sysctls",
    "Tmpfs",
    "Volumes",
];

/// Lists, by the name of the field: what a null stands for.
const SLICES: &[&str] = &[
    "Aliases",
    "Args",
    "Binds",
    "BlkioDeviceReadBps",
    "BlkioDeviceReadIOps",
    "BlkioDeviceWriteBps",
    "BlkioDeviceWriteIOps",
    "BlkioWeightDevice",
    "CapAdd",
    "CapDrop",
    "Capabilities",
    "Cmd",
    "DeviceCgroupRules",
    "DeviceRequests",
    "Devices",
    "Dns",
    "DnsOptions",
    "DnsSearch",
    "Entrypoint",
    "Env",
    "ExecIDs",
    "ExtraHosts",
    "GroupAdd",
    "Layers",
    "Links",
    "Log",
    "MaskedPaths",
    "Mounts",
    "OnBuild",
    "ReadonlyPaths",
    "RepoDigests",
    "RepoTags",
    "SecondaryIPAddresses",
    "SecondaryIPv6Addresses",
    "SecurityOpt",
    "Shell",
    "Test",
    "Ulimits",
    "VolumesFrom",
    "Warnings",
];

/// Names in Docker's types whose JSON has others.
const ALIASES: &[(&str, &str)] = &[
    ("APIVersion", "ApiVersion"),
    ("DNS", "Dns"),
    ("DNSOptions", "DnsOptions"),
    ("DNSSearch", "DnsSearch"),
    ("ID", "Id"),
];

/// Fields that Docker leaves out of documents while they are empty, though templates find them.
const LEFT_OUT: &[(&str, Value)] = &[
    ("Annotations", Value::Nil(Nil::Map)),
    ("Health", Value::Nil(Nil::Pointer)),
    ("Healthcheck", Value::Nil(Nil::Pointer)),
    ("ImageManifestDescriptor", Value::Nil(Nil::Pointer)),
    ("Init", Value::Nil(Nil::Pointer)),
    ("Mounts", Value::Nil(Nil::Slice)),
    ("Shell", Value::Nil(Nil::Slice)),
    ("SizeRootFs", Value::Nil(Nil::Pointer)),
    ("SizeRw", Value::Nil(Nil::Pointer)),
    ("StopTimeout", Value::Nil(Nil::Pointer)),
    ("StorageOpt", Value::Nil(Nil::Map)),
    ("Sysctls", Value::Nil(Nil::Map)),
    ("Tmpfs", Value::Nil(Nil::Map)),
];

impl Value {
    /// From a JSON document: what inspect, info and version show.
    pub fn of(json: &Json) -> Value {
        convert(json, "", "")
    }

    /// As a text.
    pub fn text(text: impl AsRef<str>) -> Value {
        Value::Text(Rc::from(text.as_ref()))
    }

    /// What `if`, `and` and `not` take for true.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Missing | Value::Nil(_) => false,
            Value::Bool(flag) => *flag,
            Value::Number(number) => *number != 0,
            Value::Float(number) => *number != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::List(items) => !items.is_empty(),
            Value::Object(object) => object.shape != Shape::Map || !object.entries.is_empty(),
        }
    }

    /// Go's name of the type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Missing | Value::Nil(_) => "<nil>",
            Value::Bool(_) => "bool",
            Value::Number(_) => "int",
            Value::Float(_) => "float64",
            Value::Text(_) => "string",
            Value::List(_) => "[]interface {}",
            Value::Object(object) => match object.shape {
                Shape::Row(name) => name,
                _ => "map[string]interface {}",
            },
        }
    }

    /// For the function `json`.
    pub fn json(&self) -> Json {
        match self {
            Value::Missing | Value::Nil(_) => Json::Null,
            Value::Bool(flag) => (*flag).into(),
            Value::Number(number) => match (i64::try_from(*number), u64::try_from(*number)) {
                (Ok(number), _) => number.into(),
                (_, Ok(number)) => number.into(),
                _ => Json::Null,
            },
            Value::Float(number) => (*number).into(),
            Value::Text(text) => text.as_ref().into(),
            Value::List(items) => items.iter().map(Value::json).collect(),
            Value::Object(object) => {
                let entries = object.entries.iter();
                let shown = entries.filter(|(name, _)| !name.starts_with(' '));
                let pairs = shown.map(|(name, value)| (name.to_string(), value.json()));
                Json::Object(pairs.collect())
            }
        }
    }
}

impl Object {
    /// What a field that is left out stands for.
    pub fn left_out(name: &str) -> Option<Value> {
        let found = LEFT_OUT.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone())
    }

    /// The value of this name; in documents also by the name that Docker's own types have.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let named = |name: &str| {
            let found = self.entries.iter().find(|(known, _)| &**known == name);
            found.map(|(_, value)| value)
        };
        let alias = || {
            let alias = ALIASES.iter().find(|(typed, _)| *typed == name)?;
            named(alias.1).filter(|_| self.shape == Shape::Struct)
        };
        named(name).or_else(alias)
    }
}

fn convert(json: &Json, name: &str, parent: &str) -> Value {
    match json {
        Json::Null if SLICES.contains(&name) => Value::Nil(Nil::Slice),
        Json::Null if MAPS.contains(&name) => Value::Nil(Nil::Map),
        Json::Null => Value::Nil(Nil::Pointer),
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::Number(number.into()),
            (None, Some(number)) => Value::Number(number.into()),
            (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::text(text),
        Json::Array(items) => items.iter().map(|item| convert(item, "", name)).collect(),
        Json::Object(fields) => {
            let is_map = MAPS.contains(&name) || (name == "Config" && parent == "LogConfig");
            // The entries of a map have names of their own, which say nothing about types.
            let inner = |key: &'_ str| {
                if is_map {
                    String::new()
                } else {
                    key.to_owned()
                }
            };
            let mut entries: Vec<(Rc<str>, Value)> = fields
                .iter()
                .map(|(key, value)| (Rc::from(key.as_str()), convert(value, &inner(key), name)))
                .collect();
            let shape = if is_map { Shape::Map } else { Shape::Struct };
            if is_map {
                entries.sort_by(|one, other| one.0.cmp(&other.0));
            }
            Value::Object(Rc::new(Object { shape, entries }))
        }
    }
}

impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Value::List(items.into_iter().collect())
    }
}

/// As Go's `fmt.Sprint`, but for [`Value::Missing`].
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Missing => f.write_str("<no value>"),
            Value::Nil(Nil::Pointer) => f.write_str("<nil>"),
            Value::Nil(Nil::Slice) => f.write_str("[]"),
            Value::Nil(Nil::Map) => f.write_str("map[]"),
            Value::Bool(flag) => write!(f, "{flag}"),
            Value::Number(number) => write!(f, "{number}"),
            Value::Float(number) => write!(f, "{}", gotmpl::Value::Float(*number)),
            Value::Text(text) => f.write_str(text),
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(" "))
            }
            Value::Object(object) => {
                let entries = object.entries.iter();
                let is_map = matches!(object.shape, Shape::Map | Shape::Header);
                let entries = entries.filter(|(name, _)| !name.starts_with(' '));
                let entries = entries.map(|(name, value)| match is_map {
                    true => format!("{name}:{value}"),
                    false => value.to_string(),
                });
                let inside = entries.collect::<Vec<_>>().join(" ");
                match is_map {
                    true => write!(f, "map[{inside}]"),
                    false => write!(f, "{{{inside}}}"),
                }
            }
        }
    }
}

/// Go's number literals: decimal, `0x1f`, `0o17`, `0b1`, `1_000`, `1.5`, `1e3`.
pub fn parse_number(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let negative = text.starts_with('-');
    let plain = unsigned.replace('_', "");
    let lower = plain.to_ascii_lowercase();
    let based = [("0x", 16), ("0o", 8), ("0b", 2)];
    let based = based
        .into_iter()
        .find_map(|(prefix, base)| Some((lower.strip_prefix(prefix)?, base)));
    let whole = match based {
        Some((digits, base)) => i128::from_str_radix(digits, base).ok(),
        None if plain.len() > 1 && plain.starts_with('0') && !plain.contains(['.', 'e', 'E']) => {
            i128::from_str_radix(&plain, 8).ok()
        }
        None => plain.parse::<u64>().ok().map(i128::from),
    };
    if let Some(whole) = whole {
        return Some(Value::Number(if negative { -whole } else { whole }));
    }
    if !plain.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let number: f64 = plain.parse().ok()?;
    let number = if negative { -number } else { number };
    // As in Go, 1e3 is a whole number too.
    match number.fract() == 0.0 && number.abs() < 1e15 && !plain.contains('.') {
        true => Some(Value::Number(number as i128)),
        false => Some(Value::Float(number)),
    }
}

/// The meaning of a string literal, as Go's `strconv.Unquote`.
pub fn unquote(literal: &str) -> Result<String, String> {
    let inner = literal
        .get(1..literal.len().saturating_sub(1))
        .unwrap_or_default();
    if literal.starts_with('`') {
        return Ok(inner.replace('\r', ""));
    }
    let mut bytes = Vec::new();
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            bytes.extend(c.to_string().bytes());
            continue;
        }
        let bad = || "invalid syntax".to_owned();
        let escaped = rest.next().ok_or_else(bad)?;
        let simple = match escaped {
            'a' => 7,
            'b' => 8,
            't' => b'\t',
            'n' => b'\n',
            'v' => 11,
            'f' => 12,
            'r' => b'\r',
            '\\' | '\'' | '"' => escaped as u8,
            'x' | 'u' | 'U' | '0'..='7' => {
                let (first, count, base) = match escaped {
                    'x' => (None, 2, 16),
                    'u' => (None, 4, 16),
                    'U' => (None, 8, 16),
                    digit => (Some(digit), 2, 8),
                };
                let digits: String = first.into_iter().chain(rest.by_ref().take(count)).collect();
                let code = u32::from_str_radix(&digits, base).map_err(|_| bad())?;
                match escaped {
                    'u' | 'U' => {
                        let c = char::from_u32(code).ok_or_else(bad)?;
                        bytes.extend(c.to_string().bytes());
                        continue;
                    }
                    _ => u8::try_from(code).map_err(|_| bad())?,
                }
            }
            _ => return Err(bad()),
        };
        bytes.push(simple);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
