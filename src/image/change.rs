//! `--change` of `import` and `commit`: one Dockerfile instruction over a config.
//!
//! Only instructions that change metadata. Values are data: they are validated where a container
//! is made of them, except `ENV`, whose form decides what the variable is.

use serde_json::{Map, Value};

use super::config::Execution;
use crate::error::{Error, Result};

/// Applies `CMD`, `ENTRYPOINT`, `ENV`, `WORKDIR`, `USER`, `LABEL`, `EXPOSE`, `VOLUME`, `STOPSIGNAL`
/// or `ONBUILD`.
pub fn apply_change(config: &mut Execution, change: &str) -> Result<()> {
    let change = change.trim();
    let (word, rest) = change
        .split_once(char::is_whitespace)
        .unwrap_or((change, ""));
    let rest = rest.trim();
    let word = word.to_ascii_uppercase();
    let refuse = |why: &str| Error::invalid(format!("change {change:?}: {why}"));
    if rest.is_empty() && !matches!(word.as_str(), "CMD" | "ENTRYPOINT") {
        return Err(refuse("needs a value"));
    }
    match word.as_str() {
        "CMD" => config.cmd = Some(command(rest, config)),
        "ENTRYPOINT" => config.entrypoint = Some(command(rest, config)),
        "ENV" => {
            for (name, value) in pairs(rest).ok_or_else(|| refuse("needs NAME=value"))? {
                if name.is_empty() || name.contains('\0') || value.contains('\0') {
                    return Err(refuse("not a variable name"));
                }
                let prefix = format!("{name}=");
                config.env.retain(|entry| !entry.starts_with(&prefix));
                config.env.push(prefix + &value);
            }
        }
        "LABEL" => {
            let labels = pairs(rest).ok_or_else(|| refuse("needs name=value"))?;
            config.labels.extend(labels);
        }
        "WORKDIR" if rest.starts_with('/') => config.working_dir = rest.to_owned(),
        "WORKDIR" => {
            let base = config.working_dir.trim_end_matches('/');
            config.working_dir = format!("{base}/{rest}");
        }
        "USER" => config.user = rest.to_owned(),
        "EXPOSE" => {
            for port in rest.split_whitespace() {
                let port = port_of(port).ok_or_else(|| refuse("needs PORT[/PROTOCOL]"))?;
                config.exposed_ports.insert(port, Value::Object(Map::new()));
            }
        }
        "VOLUME" => {
            let paths = match json_list(rest) {
                Some(paths) => paths,
                None => rest.split_whitespace().map(str::to_owned).collect(),
            };
            let entries = paths
                .into_iter()
                .map(|path| (path, Value::Object(Map::new())));
            config.volumes.extend(entries);
        }
        "STOPSIGNAL" => config.stop_signal = Some(rest.to_owned()),
        "ONBUILD" => config.on_build.push(rest.to_owned()),
        _ => {
            return Err(refuse("not an instruction that can change an image").hint(
                "CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR",
            ));
        }
    }
    Ok(())
}

fn json_list(text: &str) -> Option<Vec<String>> {
    serde_json::from_str(text).ok()
}

/// The JSON form as it is, the shell form through the image's shell.
fn command(text: &str, config: &Execution) -> Vec<String> {
    if let Some(words) = json_list(text) {
        return words;
    }
    if text.is_empty() {
        return Vec::new();
    }
    let default = || vec!["/bin/sh".to_owned(), "-c".to_owned()];
    let mut words = config.shell.clone().unwrap_or_else(default);
    words.push(text.to_owned());
    words
}

/// `a=1 b="x y"`, or the old form `name the rest`.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let words = split_words(text)?;
    if !words.first()?.contains('=') {
        let (name, value) = text.split_once(char::is_whitespace)?;
        return Some(vec![(name.to_owned(), value.trim().to_owned())]);
    }
    let pairs = words.iter().map(|word| {
        let (name, value) = word.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    pairs.collect()
}

/// Words with quotes and backslashes taken away; `None` if a quote stays open.
fn split_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some('"') | None, '\\') => word.get_or_insert_default().push(rest.next()?),
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

fn port_of(text: &str) -> Option<String> {
    let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    let is_port = |text: &str| text.parse::<u16>().is_ok_and(|port| port > 0);
    let (first, last) = port.split_once('-').unwrap_or((port, port));
    let known = ["tcp", "udp", "sctp"].contains(&protocol.as_str());
    (known && is_port(first) && is_port(last)).then(|| format!("{port}/{protocol}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_apply_as_in_a_dockerfile() {
        let mut config = Execution::default();
        for change in [
            "CMD [\"a\", \"b\"]",
            "entrypoint run it",
            "ENV A=1 B=\"x y\"",
            "ENV A 2 3",
            "WORKDIR /srv",
            "WORKDIR app",
            "USER web:web",
            "LABEL k=v \"l m\"='n o'",
            "EXPOSE 80 53/udp",
            "VOLUME [\"/data\"]",
            "VOLUME /x /y",
        ] {
            apply_change(&mut config, change).expect(change);
        }
        assert_eq!(
            config.cmd.as_deref(),
            Some(&["a".to_owned(), "b".to_owned()][..])
        );
        assert_eq!(config.entrypoint.expect("set"), ["/bin/sh", "-c", "run it"]);
        assert_eq!(config.env, ["B=x y", "A=2 3"]);
        assert_eq!(config.working_dir, "/srv/app");
        assert_eq!(config.labels["l m"], "n o");
        assert!(config.exposed_ports.contains_key("53/udp"));
        assert_eq!(config.volumes.len(), 3);
    }

    #[test]
    fn a42_bad_changes_are_refused() {
        let bad = [
            "",
            "RUN x",
            "ENV",
            "ENV SECRET",
            "ENV =x",
            "EXPOSE x",
            "EXPOSE 0",
            "LABEL 'a=b",
        ];
        for change in bad {
            assert!(
                apply_change(&mut Execution::default(), change).is_err(),
                "{change:?}"
            );
        }
    }
}
