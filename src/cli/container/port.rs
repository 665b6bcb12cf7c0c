//! `hull port`.

use super::facts::{Published, published};
use crate::cli::flags::Matches;
use crate::cli::{Command, Words, output};
use crate::config::Settings;
use crate::container;
use crate::error::{Error, Result};

pub const COMMAND: Command = Command {
    paths: &["port", "container port"],
    about: "List port mappings or a specific mapping for the container",
    usage: "CONTAINER [PRIVATE_PORT[/PROTO]]",
    words: Words::Between(1, 2),
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let words = matches.words();
    let wanted = words.get(1).map(|text| parse(text)).transpose()?;
    let records = container::records(settings);
    let id = records.find(words[0])?;
    let record = records.record(&id)?;
    let published = match record.live {
        Some(_) => published(&records.config(&id)?),
        None => Vec::new(),
    };
    for line in lines(&published, wanted.as_ref(), words[0], words.get(1).copied())? {
        output::line(line)?;
    }
    Ok(0)
}

/// `80`, `80/udp`.
fn parse(text: &str) -> Result<(u16, String)> {
    let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let number = port.parse::<u16>();
    let number = number.map_err(|_| {
        Error::invalid(format!("invalid port ({port})")).hint("a number up to 65535")
    })?;
    Ok((number, protocol.to_ascii_lowercase()))
}

fn lines(
    published: &[Published],
    wanted: Option<&(u16, String)>,
    container: &str,
    typed: Option<&str>,
) -> Result<Vec<String>> {
    let mut sorted: Vec<(u16, &str, String)> = published
        .iter()
        .filter_map(|one| {
            let (port, protocol) = one.inside.split_once('/').unwrap_or((&one.inside, "tcp"));
            let host = format!("{}:{}", one.address, one.port);
            Some((port.parse().ok()?, protocol, host))
        })
        .collect();
    sorted.sort();
    let Some((port, protocol)) = wanted else {
        let line =
            |(port, protocol, host): (u16, &str, String)| format!("{port}/{protocol} -> {host}");
        return Ok(sorted.into_iter().map(line).collect());
    };
    sorted.retain(|one| one.0 == *port && one.1 == protocol);
    if sorted.is_empty() {
        let typed = typed.unwrap_or_default();
        return Err(Error::not_found(format!(
            "No public port '{typed}' published for {container}"
        )));
    }
    Ok(sorted.into_iter().map(|(_, _, host)| host).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports() -> Vec<Published> {
        let one = |inside: &str, address: &str, port| Published {
            inside: inside.to_owned(),
            address: address.to_owned(),
            port,
        };
        vec![
            one("5000/tcp", "0.0.0.0", 5000),
            one("53/udp", "127.0.0.1", 5353),
            one("5000/tcp", "[::]", 5000),
        ]
    }

    #[test]
    fn all_ports_are_lines_with_arrows() {
        let shown = lines(&ports(), None, "web", None).expect("lists");
        assert_eq!(
            shown,
            [
                "53/udp -> 127.0.0.1:5353",
                "5000/tcp -> 0.0.0.0:5000",
                "5000/tcp -> [::]:5000"
            ]
        );
    }

    #[test]
    fn one_port_is_its_addresses() {
        let ask = |text: &str| {
            let wanted = parse(text).expect("is a port");
            lines(&ports(), Some(&wanted), "web", Some(text))
        };
        assert_eq!(
            ask("5000").expect("is there"),
            ["0.0.0.0:5000", "[::]:5000"]
        );
        assert_eq!(ask("53/udp").expect("is there"), ["127.0.0.1:5353"]);
        for text in ["80", "53", "5000/udp"] {
            let error = ask(text).expect_err("is not published");
            let expected = format!("No public port '{text}' published for web");
            assert_eq!(error.to_string(), expected);
        }
        assert!(parse("http").is_err() && parse("99999").is_err());
    }
}
