//! JSON from strangers: no duplicate keys, no case variants of keys that mean something.
//!
//! Parsers disagree about both (Go takes the last of two keys and ignores case), so a document
//! that relies on either means different images to different programs (CVE-2021-41190).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// Parses `bytes` as one JSON object in which no object has a key twice.
pub fn parse_object(bytes: &[u8], what: &str) -> Result<Map<String, Value>> {
    let parsed: serde_json::Result<Unique> = serde_json::from_slice(bytes);
    match parsed {
        Ok(Unique(Value::Object(map))) => Ok(map),
        Ok(_) => Err(Error::corrupt(format!("{what}: not a JSON object"))),
        Err(error) => Err(Error::corrupt(format!(
            "{what}: {}",
            crate::registry::escaped(&error.to_string())
        ))),
    }
}

/// Refuses keys that differ from a known one only by case.
pub fn check_case(map: &Map<String, Value>, known: &[&str], what: &str) -> Result<()> {
    for key in map.keys() {
        let twin = known
            .iter()
            .find(|name| name.eq_ignore_ascii_case(key) && *name != key);
        if let Some(name) = twin {
            let shown = crate::registry::escaped(key);
            let why = format!("{what}: key {shown:?} is a variant of {name:?}");
            return Err(Error::corrupt(why));
        }
    }
    Ok(())
}

/// A JSON value whose objects have unique keys.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Unique)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Unique(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Unique(value))) = entries.next_entry::<String, Unique>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("duplicate key {key:?}")));
            }
            map.insert(key, value);
        }
        Ok(map.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a28_duplicate_and_case_variant_keys_are_refused() {
        let parse = |text: &str| parse_object(text.as_bytes(), "x");
        assert!(parse(r#"{"a":1,"b":{"a":1}}"#).is_ok());
        for bad in [
            r#"{"a":1,"a":2}"#,
            r#"{"b":[{"a":1,"a":1}]}"#,
            "[]",
            "1",
            "",
            "{}x",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let map = parse(r#"{"Layers":[],"other":1}"#).expect("unique");
        assert!(check_case(&map, &["layers"], "x").is_err());
        assert!(check_case(&map, &["Layers", "Else"], "x").is_ok());
    }

    #[test]
    fn a29_deep_nesting_is_refused() {
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert!(parse_object(deep.as_bytes(), "x").is_err());
    }
}
