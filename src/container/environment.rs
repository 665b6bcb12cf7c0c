//! The variables of a container: the image's, changed by what the user asks for.

use super::create::refuse_nul;
use super::defaults;
use super::request::Request;
use crate::error::{Error, Result};
use crate::image::Execution;

/// The image's variables, those made of them, then the user's; a name without a value removes one.
pub(super) fn of(request: &Request, execution: &Execution) -> Result<Vec<String>> {
    execution.check_env()?;
    let all_unset = request.unset_env.iter().any(|name| name == "*");
    let mut variables = Variables::default();
    if !all_unset {
        for entry in &execution.env {
            variables.apply(entry)?;
        }
    }
    for name in &request.unset_env {
        variables.0.retain(|(known, _)| known != name);
    }
    for entry in &request.env_merge {
        let merged = variables.expand(entry);
        variables.apply(&merged)?;
    }
    for entry in &request.env {
        variables.apply(entry)?;
    }
    let path = "PATH".to_owned();
    let unset = all_unset || request.unset_env.contains(&path);
    if !unset && variables.value(&path).is_none() {
        variables.0.insert(0, (path, defaults::PATH.to_owned()));
    }
    // Docker shows what the user gave before what the image gave.
    let names: Vec<&str> = request
        .env
        .iter()
        .map(|entry| entry.split('=').next().unwrap_or_default())
        .collect();
    variables.0.sort_by_key(|(name, _)| {
        let given = names.iter().position(|given| given == name);
        given.unwrap_or(names.len())
    });
    let entries = variables.0.into_iter();
    Ok(entries
        .map(|(name, value)| format!("{name}={value}"))
        .collect())
}

/// In the order in which they were first set.
#[derive(Default)]
struct Variables(Vec<(String, String)>);

impl Variables {
    fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn apply(&mut self, entry: &str) -> Result<()> {
        refuse_nul(entry)?;
        let (name, value) = match entry.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (entry, None),
        };
        if name.is_empty() || name.chars().any(char::is_control) {
            let why = format!("invalid environment variable: {entry}");
            return Err(Error::invalid(why));
        }
        let known = self.0.iter_mut().find(|(known, _)| known == name);
        match (known, value) {
            (Some(known), Some(value)) => value.clone_into(&mut known.1),
            (None, Some(value)) => self.0.push((name.to_owned(), value.to_owned())),
            (_, None) => self.0.retain(|(known, _)| known != name),
        }
        Ok(())
    }

    /// `$NAME` and `${NAME}` by what is set so far, unset ones by nothing.
    fn expand(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let shape = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let braced = after
                .strip_prefix('{')
                .and_then(|after| after.split_once('}'));
            let (name, left) = match braced {
                Some((name, left)) => (name, left),
                None => {
                    let end = after.find(|c| !shape(c)).unwrap_or(after.len());
                    after.split_at(end)
                }
            };
            match name {
                "" => out.push('$'),
                name => out.push_str(self.value(name).unwrap_or_default()),
            }
            rest = left;
        }
        out + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(change: impl FnOnce(&mut Request)) -> Vec<String> {
        let mut request = Request::new("image");
        let execution = Execution {
            env: vec!["PATH=/bin".to_owned(), "A=image".to_owned()],
            ..Execution::default()
        };
        change(&mut request);
        of(&request, &execution).expect("is legal")
    }

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn later_entries_win_and_names_alone_remove() {
        assert_eq!(env(|_| {}), words("PATH=/bin A=image"));
        let set = env(|request| request.env = words("A=1 B=2 A=3"));
        assert_eq!(set, words("A=3 B=2 PATH=/bin"));
        let gone = env(|request| request.env = words("A"));
        assert_eq!(gone, words("PATH=/bin"));
    }

    #[test]
    fn merged_entries_see_the_image_and_lose_to_given_ones() {
        let merged = env(|request| {
            request.env_merge = words("A=${A}-more B=$A-$$-$NONE. C=c");
            request.env = words("C=given");
        });
        let last = "B=image-more-$$-.";
        assert_eq!(merged, ["C=given", "PATH=/bin", "A=image-more", last]);
    }

    #[test]
    fn unset_names_are_gone_but_what_was_given_stays() {
        let one = env(|request| request.unset_env = words("A"));
        assert_eq!(one, words("PATH=/bin"));
        let all = env(|request| {
            request.unset_env = words("*");
            request.env = words("X=1");
        });
        assert_eq!(all, words("X=1"));
    }
}
