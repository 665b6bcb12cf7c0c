//! `--publish` and `--expose`: the grammar of Docker's go-connections, and its messages.

use std::net::IpAddr;

use crate::error::{Error, Result};
use crate::state::PortBinding;

/// `[[ip:][hostPort]:]containerPort[/protocol]`, ports or ranges, or `published=…,target=…`.
pub fn publish(text: &str) -> Result<Vec<PortBinding>> {
    if text.contains('=') {
        return publish(&short_form(text)?);
    }
    let (address, host, container) = split_parts(text);
    let (protocol, container) = split_protocol(container);
    let host_ip = address_of(address)?;
    if container.is_empty() {
        let why = format!("no port specified: {text}<empty>");
        return Err(Error::invalid(why));
    }
    let refuse = |what: &str, value: &str| Error::invalid(format!("invalid {what}: {value}"));
    let (start, end) = range(container).map_err(|_| refuse("containerPort", container))?;
    let hosts = match host {
        "" => None,
        _ => Some(range(host).map_err(|_| refuse("hostPort", host))?),
    };
    if let Some((first, last)) = hosts
        && end - start != last - first
        && end != start
    {
        return Err(Error::invalid(format!(
            "invalid ranges specified for container and host Ports: {container} and {host}"
        )));
    }
    let protocol = known_protocol(protocol)?;
    let bindings = (start..=end).map(|port| PortBinding {
        container_port: port,
        protocol: protocol.clone(),
        host_ip,
        host_ports: hosts.map(|(first, last)| match start == end {
            // A range for one port: any of these.
            true => (first, last),
            false => (first + (port - start), first + (port - start)),
        }),
    });
    // Port 0 of the host means any.
    let any = |mut binding: PortBinding| {
        binding.host_ports = binding.host_ports.filter(|ports| *ports != (0, 0));
        binding
    };
    Ok(bindings.map(any).collect())
}

/// `80`, `80/udp`, `80-90/tcp` → `80/tcp` and so on.
pub fn expose(text: &str) -> Result<Vec<String>> {
    if text.contains(':') {
        let why = format!("invalid port format for --expose: {text}");
        return Err(Error::invalid(why));
    }
    let (protocol, port) = split_protocol(text);
    let (start, end) = range(port).map_err(|why| {
        let text = format!("invalid range format for --expose: {text}, error: {why}");
        Error::invalid(text)
    })?;
    let protocol = known_protocol(protocol)?;
    let ports = start..=end;
    Ok(ports.map(|port| format!("{port}/{protocol}")).collect())
}

/// The long form, as services have it.
fn short_form(text: &str) -> Result<String> {
    let (mut target, mut published, mut protocol) = ("", "", "tcp");
    for field in text.split(',') {
        match field.split_once('=') {
            Some(("target", value)) => target = value,
            Some(("published", value)) => published = value,
            Some(("protocol", value)) => protocol = value,
            Some(("mode", _)) => {}
            _ => {
                let why = format!("invalid publish opts format (should be name=value): {field}");
                return Err(Error::invalid(why));
            }
        }
    }
    Ok(format!("{published}:{target}/{protocol}"))
}

fn split_parts(text: &str) -> (&str, &str, &str) {
    let Some((front, container)) = text.rsplit_once(':') else {
        return ("", "", text);
    };
    match front.rsplit_once(':') {
        Some((address, host)) => (address, host, container),
        None => ("", front, container),
    }
}

fn split_protocol(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        None => ("tcp", text),
        Some(("", _)) => ("", ""),
        Some((port, "")) => ("tcp", port),
        Some((port, protocol)) => (protocol, port),
    }
}

fn known_protocol(text: &str) -> Result<String> {
    match text.to_ascii_lowercase().as_str() {
        known @ ("tcp" | "udp" | "sctp") => Ok(known.to_owned()),
        _ => Err(Error::invalid(format!("invalid proto: {text}"))),
    }
}

fn address_of(text: &str) -> Result<Option<IpAddr>> {
    if text.is_empty() {
        return Ok(None);
    }
    let inside = text.strip_prefix('[').map(|rest| rest.strip_suffix(']'));
    let address = inside.unwrap_or(Some(text)).unwrap_or(text);
    let refuse = |_| Error::invalid(format!("invalid IP address: {text}"));
    address.parse().map(Some).map_err(refuse)
}

/// `80` or `80-90`; the message is Go's.
fn range(text: &str) -> std::result::Result<(u16, u16), String> {
    if text.is_empty() {
        return Err("empty string specified for ports".to_owned());
    }
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| digits).ok_or_else(|| {
            let why = match digits {
                true => "value out of range",
                false => "invalid syntax",
            };
            format!("strconv.ParseUint: parsing {text:?}: {why}")
        })
    };
    let (start, end) = match text.split_once('-') {
        Some((start, end)) => (number(start)?, number(end)?),
        None => (number(text)?, number(text)?),
    };
    match end < start {
        true => Err(format!("invalid range specified for port: {text}")),
        false => Ok((start, end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let one = |binding: PortBinding| {
            let ip = binding.host_ip.map(|ip| format!("[{ip}]"));
            let host = binding.host_port_text();
            format!("{}{host}>{}", ip.unwrap_or_default(), binding.container())
        };
        match publish(text) {
            Ok(bindings) => bindings.into_iter().map(one).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn published_ports_follow_dockers_grammar() {
        let table = [
            ("80", ">80/tcp"),
            ("8080:80", "8080>80/tcp"),
            (":80", ">80/tcp"),
            ("0:80", ">80/tcp"),
            ("53:53/udp", "53>53/udp"),
            ("53:53/UDP", "53>53/udp"),
            ("9:9/sctp", "9>9/sctp"),
            ("127.0.0.1:8080:80", "[127.0.0.1]8080>80/tcp"),
            ("127.0.0.1::80", "[127.0.0.1]>80/tcp"),
            ("[::1]:80:80", "[::1]80>80/tcp"),
            ("::1:80:80", "[::1]80>80/tcp"),
            ("6000-6001:6000-6001", "6000>6000/tcp 6001>6001/tcp"),
            ("7000-7001:6000-6001/udp", "7000>6000/udp 7001>6001/udp"),
            ("8000-8010:80", "8000-8010>80/tcp"),
            ("80-81", ">80/tcp >81/tcp"),
            ("80/", ">80/tcp"),
            (
                "published=8080,target=80,protocol=udp,mode=host",
                "8080>80/udp",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn refused_ports_have_dockers_messages() {
        let table = [
            ("99999:80", "invalid hostPort: 99999"),
            ("80:99999", "invalid containerPort: 99999"),
            ("80:x", "invalid containerPort: x"),
            ("80:", "no port specified: 80:<empty>"),
            ("", "no port specified: <empty>"),
            ("80:80/icmp", "invalid proto: icmp"),
            ("300.0.0.1:80:80", "invalid IP address: 300.0.0.1"),
            ("localhost:80:80", "invalid IP address: localhost"),
            ("90-80:80", "invalid hostPort: 90-80"),
            ("+80:80", "invalid hostPort: +80"),
            (
                "1-3:1-2",
                "invalid ranges specified for container and host Ports: 1-2 and 1-3",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn exposed_ports_are_numbers_with_protocols() {
        let expand = |text| expose(text).map_err(|error| error.to_string());
        assert_eq!(expand("80"), Ok(vec!["80/tcp".to_owned()]));
        let two = ["53/udp", "54/udp"].map(str::to_owned).to_vec();
        assert_eq!(expand("53-54/udp"), Ok(two));
        let table = [
            ("80:80", "invalid port format for --expose: 80:80"),
            ("80/icmp", "invalid proto: icmp"),
            (
                "x",
                "invalid range format for --expose: x, error: strconv.ParseUint: parsing \"x\": \
                 invalid syntax",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(expand(text), Err(expected.to_owned()), "{text}");
        }
    }
}
