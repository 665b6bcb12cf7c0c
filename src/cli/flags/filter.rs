//! `--filter key=value` of all commands: which keys a command has, and what values mean.
//!
//! Values of one key are alternatives and different keys must all hold; labels must all hold, here
//! too. A command checks its filters once ([`Filters::check`]), before it touches anything, and
//! asks them of each thing:
//!
//! ```text
//! let filters = Filters::check(&matches.filters(), &["until", "label", "label!"])?;
//! let until = filters.until(Timestamp::now())?;
//! things.retain(|thing| filters.labels(&thing.labels) && until.is_none_or(|t| thing.created < t));
//! ```

use std::collections::BTreeMap;

use regex::RegexBuilder;

use crate::base::Timestamp;
use crate::cli::flags::{moment, parse_bool};
use crate::error::{Error, Result};

/// A pattern larger than this, compiled, is not worth its memory.
const PATTERN_BYTES: usize = 1 << 20;

/// One `--filter`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Lower case, without blanks.
    pub key: String,
    /// Whatever follows the first `=`.
    pub value: String,
}

impl Filter {
    /// As clap parses it; `None` for the empty text, which Docker takes for no filter at all.
    pub(super) fn parse(text: &str) -> Result<Filter, String> {
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key.trim().to_ascii_lowercase(), value.trim()),
            None if text.is_empty() => (NONE.to_owned(), ""),
            None => return Err("bad format of filter (expected name=value)".to_owned()),
        };
        let value = value.to_owned();
        Ok(Filter { key, value })
    }

    /// `--filter ''` is none.
    pub(super) fn is_none(&self) -> bool {
        self.key == NONE
    }
}

/// A key nobody can type: keys are trimmed.
const NONE: &str = " ";

/// The filters of one command line, their keys known to the command.
#[derive(Debug, Default, Clone)]
pub struct Filters(BTreeMap<String, Vec<String>>);

impl Filters {
    /// Takes the filters of a command that has these keys.
    ///
    /// # Errors
    /// `Invalid filter 'x'` for another key.
    pub fn check(given: &[Filter], keys: &[&str]) -> Result<Filters> {
        let mut filters = Filters::default();
        for Filter { key, value } in given {
            if !keys.contains(&key.as_str()) {
                return Err(Error::invalid(format!("Invalid filter '{key}'"))
                    .hint(format!("one of {}", keys.join(", "))));
            }
            let values = filters.0.entry(key.clone()).or_default();
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        Ok(filters)
    }

    /// The values of a key, in the order given.
    pub fn values(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// Whether the key was given.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Whether any of these keys was given.
    pub fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.has(key))
    }

    /// Whether a value of this key passes the test, or none was given.
    pub fn any(&self, key: &str, test: impl Fn(&str) -> bool) -> bool {
        let values = self.values(key);
        values.is_empty() || values.iter().any(|value| test(value))
    }

    /// Whether all values of this key are among these.
    ///
    /// # Errors
    /// `Invalid filter 'status=x'`.
    pub fn one_of(&self, key: &str, allowed: &[&str]) -> Result<()> {
        let is_other = |value: &&String| !allowed.contains(&value.as_str());
        match self.values(key).iter().find(is_other) {
            None => Ok(()),
            Some(value) => Err(Error::invalid(format!("Invalid filter '{key}={value}'"))
                .hint(format!("one of {}", allowed.join(", ")))),
        }
    }

    /// Whether the labels are as `label` and `label!` say: `label=k` and `label=k=v` must hold, all
    /// of them, and none of `label!=k` and `label!=k=v` may.
    pub fn labels(&self, labels: &BTreeMap<String, String>) -> bool {
        let holds = |wanted: &String| match wanted.split_once('=') {
            Some((key, value)) => labels.get(key).is_some_and(|found| found == value),
            None => labels.contains_key(wanted),
        };
        self.values("label").iter().all(holds) && !self.values("label!").iter().any(holds)
    }

    /// A yes or no: `dangling=true`.
    ///
    /// # Errors
    /// `Invalid filter 'dangling=[x]'`, also for both answers at once.
    pub fn flag(&self, key: &str) -> Result<Option<bool>> {
        let values = self.values(key);
        let refuse = || {
            let values = values.join(" ");
            Error::invalid(format!("Invalid filter '{key}=[{values}]'"))
        };
        let mut flags = values.iter().map(|value| parse_bool(value));
        match (flags.next(), flags.next()) {
            (None, _) => Ok(None),
            (Some(Ok(flag)), None) => Ok(Some(flag)),
            _ => Err(refuse()),
        }
    }

    /// The moment before which things are meant: `until=24h`, `until=2026-01-31`.
    ///
    /// # Errors
    /// If it is not a time, or given twice.
    pub fn until(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        match self.values("until") {
            [] => Ok(None),
            [text] => match moment::parse(text, now) {
                Some(time) => Ok(Some(time)),
                None => Err(Error::invalid(format!(
                    "failed to parse value as time or duration: {text:?}"
                ))),
            },
            _ => Err(Error::invalid("more than one until filter specified")),
        }
    }

    /// The values of a key as regular expressions.
    pub fn patterns(&self, key: &str) -> Patterns {
        let compile = |text: &String| {
            let mut builder = RegexBuilder::new(text);
            // A wrong expression is no error to Docker: it matches its own text.
            let pattern = builder.size_limit(PATTERN_BYTES).build();
            (text.clone(), pattern.ok())
        };
        Patterns(self.values(key).iter().map(compile).collect())
    }
}

/// Regular expressions, any of which is to match somewhere in a text.
#[derive(Debug, Default)]
pub struct Patterns(Vec<(String, Option<regex::Regex>)>);

impl Patterns {
    /// Whether there is nothing to match, or one of the texts is matched.
    pub fn match_any(&self, texts: &[&str]) -> bool {
        let matched = |text: &&str| {
            self.0.iter().any(|(literal, pattern)| {
                literal == text || pattern.as_ref().is_some_and(|p| p.is_match(text))
            })
        };
        self.0.is_empty() || texts.iter().any(matched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(given: &[&str]) -> Result<Filters> {
        let given: Vec<Filter> = given
            .iter()
            .map(|text| Filter::parse(text).expect("has a sign"))
            .collect();
        let keys = [
            "id", "name", "label", "label!", "until", "dangling", "status",
        ];
        Filters::check(&given, &keys)
    }

    fn refused<T>(result: Result<T>) -> String {
        let error = result.err().expect("is refused");
        error.to_string()
    }

    #[test]
    fn filters_are_pairs() {
        let parsed = Filter::parse(" Label = a=b").expect("is one");
        assert_eq!((&*parsed.key, &*parsed.value), ("label", "a=b"));
        assert!(Filter::parse("").expect("is none").is_none());
        assert_eq!(
            Filter::parse("bogus").expect_err("is half"),
            "bad format of filter (expected name=value)"
        );
        assert_eq!(refused(filters(&["bogus=1"])), "Invalid filter 'bogus'");
        assert_eq!(refused(filters(&["=1"])), "Invalid filter ''");
    }

    #[test]
    fn labels_must_all_hold() {
        let labels = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".into(), "".into())]);
        let table: &[(&[&str], bool)] = &[
            (&[], true),
            (&["label=a"], true),
            (&["label=a=1", "label=b"], true),
            (&["label=a=1", "label=c"], false),
            (&["label=a=2"], false),
            (&["label=b="], true),
            (&["label=a="], false),
            (&["label!=c"], true),
            (&["label!=a"], false),
            (&["label!=a=2"], true),
            (&["label!=a=1"], false),
            (&["label=a", "label!=c", "label!=b"], false),
        ];
        for (given, expected) in table {
            let filters = filters(given).expect("are known");
            assert_eq!(filters.labels(&labels), *expected, "{given:?}");
        }
    }

    #[test]
    fn values_are_alternatives() {
        let both = filters(&["status=a", "status=b"]).expect("are known");
        assert!(both.any("status", |value| value == "b"));
        assert!(!both.any("status", |value| value == "c"));
        assert!(both.any("id", |_| false), "not asked");
        assert!(both.has_any(&["id", "status"]) && !both.has("id"));
        assert_eq!(
            refused(both.one_of("status", &["a"])),
            "Invalid filter 'status=b'"
        );
    }

    #[test]
    fn flags_and_times_are_checked() {
        let flag = |given: &[&str]| filters(given).and_then(|filters| filters.flag("dangling"));
        assert_eq!(flag(&[]).expect("is legal"), None);
        assert_eq!(flag(&["dangling=true"]).expect("is legal"), Some(true));
        assert_eq!(flag(&["dangling=0"]).expect("is legal"), Some(false));
        assert_eq!(
            refused(flag(&["dangling=maybe"])),
            "Invalid filter 'dangling=[maybe]'"
        );
        let now = Timestamp::from_unix(1_000_000, 0);
        let until = |given: &[&str]| filters(given).and_then(|filters| filters.until(now));
        assert_eq!(
            until(&["until=10m"]).expect("is legal"),
            Some(Timestamp::from_unix(999_400, 0))
        );
        assert_eq!(
            refused(until(&["until=xx"])),
            "failed to parse value as time or duration: \"xx\""
        );
        assert_eq!(
            refused(until(&["until=1h", "until=2h"])),
            "more than one until filter specified"
        );
    }

    #[test]
    fn names_are_regular_expressions() {
        let table = [
            ("web", "web-1", true),
            ("^web$", "web-1", false),
            ("^/?web-[0-9]+$", "/web-1", true),
            ("^(db|web)", "web-1", true),
            ("w.b", "web-1", true),
            ("[", "web", false),
            ("[", "[", true),
            ("", "web", true),
        ];
        for (pattern, text, expected) in table {
            let filters = filters(&[&format!("name={pattern}")]).expect("is known");
            let patterns = filters.patterns("name");
            assert_eq!(
                patterns.match_any(&[text]),
                expected,
                "{pattern:?} {text:?}"
            );
        }
        assert!(Patterns::default().match_any(&[]));
    }
}
