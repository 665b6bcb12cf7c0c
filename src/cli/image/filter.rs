//! `--filter` of `hull images`: parsing and matching.

use std::collections::BTreeMap;

use crate::base::{Digest, Reference, Timestamp};
use crate::cli::flags::{Filter, Filters};
use crate::error::Result;
use crate::image::{Detail, Image, Listed};

/// What `images` filters by.
const KEYS: &[&str] = &[
    "before",
    "containers",
    "dangling",
    "digest",
    "id",
    "intermediate",
    "label",
    "label!",
    "manifest",
    "readonly",
    "reference",
    "since",
    "until",
];

/// Conditions on images. Values of one key are alternatives (labels must all match); keys add up.
#[derive(Debug, Default)]
pub struct Conditions {
    filters: Filters,
    references: Vec<String>,
    dangling: Option<bool>,
    before: Option<(Digest, Option<Timestamp>)>,
    since: Option<(Digest, Option<Timestamp>)>,
    until: Option<Timestamp>,
    used: Option<bool>,
    intermediate: Option<bool>,
    /// Asked for what hull does not have: read-only images, manifest lists.
    absent: bool,
}

impl Conditions {
    /// Reads the filters. `find` gives the image that `before` and `since` name.
    pub fn parse(given: &[Filter], find: impl Fn(&str) -> Result<Image>) -> Result<Self> {
        let filters = Filters::check(given, KEYS)?;
        let moment = |key: &str| match filters.values(key).last() {
            Some(name) => find(name).map(|image| Some((image.id, image.created))),
            None => Ok(None),
        };
        let mut absent = false;
        for key in ["readonly", "manifest"] {
            absent |= filters.flag(key)? == Some(true);
        }
        Ok(Conditions {
            references: filters.values("reference").to_vec(),
            dangling: filters.flag("dangling")?,
            before: moment("before")?,
            since: moment("since")?,
            until: filters.until(Timestamp::now())?,
            used: filters.flag("containers")?,
            intermediate: filters.flag("intermediate")?,
            absent,
            filters,
        })
    }

    /// Adds the pattern given as a word: `hull images 'alp*'`.
    pub fn add_reference(&mut self, pattern: &str) {
        self.references.push(pattern.to_owned());
    }

    /// Whether names matter: then images without one are left out.
    pub fn by_name(&self) -> bool {
        !self.references.is_empty()
    }

    /// Whether intermediate images were asked for.
    pub fn wants_intermediate(&self) -> bool {
        self.intermediate == Some(true)
    }

    /// Whether [`Conditions::admits`] has to be told which images containers use.
    pub fn ask_for_containers(&self) -> bool {
        self.used.is_some()
    }

    /// How much [`Conditions::admits`] has to be told of each image.
    pub fn detail(&self) -> Detail {
        match self.filters.has("label") || self.filters.has("label!") {
            true => Detail::Whole,
            false => Detail::Names,
        }
    }

    /// Whether the image meets the conditions that do not concern its names. An image without a
    /// name dangles unless another was made of it.
    pub fn admits(&self, image: &Listed, is_used: bool) -> bool {
        let filters = &self.filters;
        let is_dangling = image.names.is_empty() && !image.is_intermediate;
        let none = BTreeMap::new();
        let whole = image.image.as_ref();
        let labels = whole.map_or(&none, |image| &image.config.config.labels);
        let before = |(id, time): &(Digest, _)| *id != image.id && image.created < *time;
        let since = |(id, time): &(Digest, _)| *id != image.id && image.created > *time;
        let is = |wanted: &str, digest: &Digest| {
            let hex = wanted.strip_prefix("sha256:").unwrap_or(wanted);
            digest.hex().starts_with(hex)
        };
        !self.absent
            && filters.labels(labels)
            && filters.any("id", |wanted| is(wanted, &image.id))
            && filters.any("digest", |wanted| is(wanted, &image.manifest))
            && self.dangling.is_none_or(|wanted| wanted == is_dangling)
            && self.used.is_none_or(|wanted| wanted == is_used)
            && self
                .intermediate
                .is_none_or(|wanted| wanted == image.is_intermediate)
            && self.before.as_ref().is_none_or(before)
            && self.since.as_ref().is_none_or(since)
            && self
                .until
                .is_none_or(|until| image.created.is_none_or(|created| created < until))
    }

    /// Whether a name is among those asked for.
    pub fn admits_name(&self, name: &Reference) -> bool {
        let full = name.full_name();
        let familiar = name.familiar_name();
        let whole = name.familiar();
        let tagged = whole.strip_prefix(familiar.as_str()).unwrap_or_default();
        self.references.is_empty()
            || self.references.iter().any(|pattern| {
                glob(pattern, &familiar)
                    || glob(pattern, &whole)
                    || glob(pattern, &full)
                    || glob(pattern, &format!("{full}{tagged}"))
            })
    }
}

/// Go's `path.Match`: `*` and `?` stop at slashes, `[a-z]` and `[^a-z]` are classes, `\` escapes.
fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    matches(&pattern, &text)
}

fn matches(pattern: &[char], text: &[char]) -> bool {
    // Iterative with one way back, so that no pattern takes exponential time: `*` never has to give
    // up a slash, so only the last star can be stretched.
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p + 1, t));
            p += 1;
            continue;
        }
        if t == text.len() && p == pattern.len() {
            return true;
        }
        if t < text.len()
            && let Some(used) = one(&pattern[p..], text[t])
        {
            (p, t) = (p + used, t + 1);
            continue;
        }
        match star {
            Some((after, from)) if from < text.len() && text[from] != '/' => {
                star = Some((after, from + 1));
                (p, t) = (after, from + 1);
            }
            _ => return false,
        }
    }
}

/// Characters of the pattern used if its first item matches this character.
fn one(pattern: &[char], character: char) -> Option<usize> {
    match pattern {
        ['?', ..] => (character != '/').then_some(1),
        ['\\', escaped, ..] => (*escaped == character).then_some(2),
        ['[', inside @ ..] => {
            let end = inside.iter().skip(1).position(|c| *c == ']')? + 1;
            let (negated, class) = match &inside[..end] {
                ['^', class @ ..] => (true, class),
                class => (false, class),
            };
            (in_class(class, character) != negated && character != '/').then_some(end + 2)
        }
        [literal, ..] => (*literal == character).then_some(1),
        [] => None,
    }
}

fn in_class(class: &[char], character: char) -> bool {
    match class {
        [low, '-', high, rest @ ..] => {
            (*low..=*high).contains(&character) || in_class(rest, character)
        }
        [single, rest @ ..] => *single == character || in_class(rest, character),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn patterns_match_as_in_go() {
        let table = [
            ("alpine", "alpine", true),
            ("alp*", "alpine", true),
            ("*", "a/b", false),
            ("*/*", "a/b", true),
            ("*:3.*", "alpine:3.20", true),
            ("al?ine", "alpine", true),
            ("[a-c]lpine", "alpine", true),
            ("[^a]lpine", "alpine", false),
            ("a\\*", "a*", true),
            ("a*b*c", "aXbYbc", true),
            ("a*b*c", "aXbYb", false),
            ("", "", true),
            ("[", "[", false),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
        let stars = "*a".repeat(40) + "b";
        assert!(!glob(&stars, &"a".repeat(4000)));
    }

    #[test]
    fn references_match_by_every_usual_form() {
        let name: Reference = "alpine:3.20".parse().expect("is a name");
        for pattern in [
            "alpine",
            "alpine:3.20",
            "alp*:3*",
            "docker.io/library/alpine:*",
        ] {
            let mut filters = Conditions::default();
            filters.add_reference(pattern);
            assert!(filters.admits_name(&name), "{pattern}");
        }
        let mut filters = Conditions::default();
        filters.add_reference("alpine:3.19");
        assert!(!filters.admits_name(&name));
    }

    #[test]
    fn unknown_filters_are_refused_in_the_words_of_docker() {
        let refused = |key: &str, value: &str| {
            let (key, value) = (key.to_owned(), value.to_owned());
            let none = |name: &str| Err(Error::not_found(name.to_owned()));
            let parsed = Conditions::parse(&[Filter { key, value }], none);
            parsed.expect_err("is refused").to_string()
        };
        assert_eq!(refused("bogus", "1"), "Invalid filter 'bogus'");
        assert_eq!(
            refused("dangling", "maybe"),
            "Invalid filter 'dangling=[maybe]'"
        );
    }
}
