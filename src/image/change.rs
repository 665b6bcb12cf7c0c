//! `--change` of `import` and `commit`: one Dockerfile instruction over a config.
//!
//! Only instructions that change metadata. Values are data: they are validated where a container
//! is made of them, except `ENV`, whose form decides what the variable is.

use serde_json::{Map, Value};

use super::config::{Execution, Healthcheck};
use crate::error::{Error, Result};

/// Applies `CMD`, `ENTRYPOINT`, `ENV`, `WORKDIR`, `USER`, `LABEL`, `EXPOSE`, `VOLUME`,
/// `STOPSIGNAL`, `ONBUILD`, `SHELL` or `HEALTHCHECK`.
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
        "SHELL" => {
            let words = json_list(rest).filter(|words| !words.is_empty());
            let words = words.ok_or_else(|| refuse("needs the JSON form: [\"sh\", \"-c\"]"))?;
            config.shell = Some(words);
        }
        "HEALTHCHECK" => config.healthcheck = Some(healthcheck(rest, config).map_err(refuse)?),
        _ => {
            return Err(refuse("not an instruction that can change an image").hint(
                "CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, SHELL, STOPSIGNAL, \
                 USER, VOLUME, WORKDIR",
            ));
        }
    }
    Ok(())
}

/// `NONE`, or options and `CMD` with a program in the JSON or shell form.
fn healthcheck(text: &str, config: &Execution) -> Result<Healthcheck, &'static str> {
    let mut check = Healthcheck::default();
    let mut rest = text;
    loop {
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let after = after.trim_start();
        if let Some(option) = word.strip_prefix("--") {
            let (name, value) = option.split_once('=').ok_or("an option needs =VALUE")?;
            let time = || nanoseconds(value).ok_or("a duration is e.g. 30s or 1m30s");
            match name {
                "interval" => check.interval = time()?,
                "timeout" => check.timeout = time()?,
                "start-period" => check.start_period = time()?,
                "start-interval" => check.start_interval = time()?,
                "retries" => {
                    let number = value.parse().ok().filter(|number| *number >= 0);
                    check.retries = number.ok_or("--retries needs a number")?;
                }
                _ => return Err("an unknown option"),
            }
            rest = after;
            continue;
        }
        check.test = match (word.to_ascii_uppercase().as_str(), json_list(after)) {
            ("NONE", _) if after.is_empty() => vec!["NONE".to_owned()],
            ("CMD", Some(words)) => [vec!["CMD".to_owned()], words].concat(),
            ("CMD", None) if !after.is_empty() => match &config.shell {
                Some(shell) => [&["CMD".to_owned()], &shell[..], &[after.to_owned()]].concat(),
                None => vec!["CMD-SHELL".to_owned(), after.to_owned()],
            },
            _ => return Err("needs CMD and a program, or NONE"),
        };
        return Ok(check);
    }
}

/// Go's durations: `1m30s`, `500ms`.
fn nanoseconds(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let after = &rest[end..];
        let units = [
            ("ns", 1.0),
            ("us", 1e3),
            ("ms", 1e6),
            ("s", 1e9),
            ("m", 6e10),
            ("h", 3.6e12),
        ];
        let (unit, size) = units
            .into_iter()
            .find(|(unit, _)| after.starts_with(unit))?;
        sum += number * size;
        rest = &after[unit.len()..];
    }
    (!text.is_empty() && sum < 9e18).then_some(sum as i64)
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
    fn health_checks_and_shells_are_changed() {
        let change = |text: &str| {
            let mut config = Execution::default();
            apply_change(&mut config, text).map(|()| config)
        };
        let check = |text: &str| {
            let config = change(&format!("HEALTHCHECK {text}")).expect(text);
            config.healthcheck.expect("set")
        };
        assert_eq!(check("none").test, ["NONE"]);
        assert_eq!(check("CMD [\"a\", \"b\"]").test, ["CMD", "a", "b"]);
        let shell = check("--interval=1m30s --timeout=500ms --retries=4 CMD curl -f x || exit 1");
        assert_eq!(shell.test, ["CMD-SHELL", "curl -f x || exit 1"]);
        let times = (shell.interval, shell.timeout, shell.retries);
        assert_eq!(times, (90_000_000_000, 500_000_000, 4));
        let config = change("SHELL [\"/bin/ash\", \"-c\"]").expect("set");
        assert_eq!(config.shell.expect("set"), ["/bin/ash", "-c"]);
        for bad in [
            "HEALTHCHECK",
            "HEALTHCHECK CMD",
            "HEALTHCHECK x",
            "HEALTHCHECK --interval=5 CMD x",
            "HEALTHCHECK --retries=-1 CMD x",
            "HEALTHCHECK --colour=red CMD x",
            "SHELL sh -c",
            "SHELL []",
        ] {
            assert!(change(bad).is_err(), "{bad}");
        }
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
