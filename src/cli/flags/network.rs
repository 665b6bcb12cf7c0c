//! The network, names and ports of a container, and the rules between these flags.

use std::net::IpAddr;

use clap::Command;

use super::{Matches, list, ports, switch, text};
use crate::container::Request;
use crate::error::{Error, Result};
use crate::state::{HostsFile, NetworkMode};

/// Declares them.
pub fn declare(command: Command) -> Command {
    let hosts = "Add a custom host-to-IP mapping (host:ip)";
    let network = "Connect the container to a network: none, host or container:NAME";
    let base = "Start /etc/hosts from this file, or \"image\" or \"none\"";
    let aliases = "Add network-scoped alias for the container";
    command
        .arg(list("add-host", "list", hosts))
        .arg(list("dns", "list", "Set custom DNS servers"))
        .arg(list("dns-option", "list", "Set DNS options").alias("dns-opt"))
        .arg(list("dns-search", "list", "Set custom DNS search domains"))
        .arg(text("domainname", "string", "Container NIS domain name"))
        .arg(list("expose", "list", "Expose a port or a range of ports"))
        .arg(text("hostname", "string", "Container host name").short('h'))
        .arg(text("hosts-file", "string", base))
        .arg(list("network", "network", network).alias("net"))
        .arg(list("network-alias", "list", aliases).alias("net-alias"))
        .arg(switch("no-hostname", "Leave /etc/hostname of the image"))
        .arg(switch("no-hosts", "Leave /etc/hosts of the image"))
        .arg(
            list(
                "publish",
                "list",
                "Publish a container's port(s) to the host",
            )
            .short('p'),
        )
        .arg(switch("publish-all", "Publish all exposed ports to random ports").short('P'))
}

/// Fills in everything about the network.
pub fn fill(matches: &Matches, request: &mut Request) -> Result<()> {
    let owned = |name: &str| matches.text(name).map(str::to_owned);
    request.network = network(&matches.texts("network"))?;
    request.network_is_default = !matches.given("network");
    request.hostname = owned("hostname").filter(|name| !name.is_empty());
    request.domainname = owned("domainname").unwrap_or_default();
    for (name, text) in [
        ("hostname", request.hostname.as_deref()),
        ("domainname", Some(request.domainname.as_str())),
    ] {
        let text = text.unwrap_or_default();
        if !is_host_name(text) || text.len() > 64 {
            return Err(Error::invalid(format!("invalid {name} format: {text:?}"))
                .hint("use at most 64 letters, digits, dots and dashes"));
        }
    }
    for text in matches.texts("publish") {
        request.ports.extend(ports::publish(text)?);
    }
    for text in matches.texts("expose") {
        request.expose.extend(ports::expose(text)?);
    }
    request.publish_all = matches.on("publish-all");
    request.extra_hosts = extra_hosts(matches)?;
    dns(matches, request)?;
    request.files.keep_hostname = matches.on("no-hostname");
    request.files.hosts = hosts_file(matches)?;
    check(matches, request)
}

/// What Docker refuses together.
fn check(matches: &Matches, request: &Request) -> Result<()> {
    let refuse = |what: &str| Err(Error::invalid(format!("conflicting options: {what}")));
    if request.files.hosts == HostsFile::Image && !request.extra_hosts.is_empty() {
        let flag = match matches.on("no-hosts") {
            true => "--no-hosts",
            false => "--hosts-file image",
        };
        let why = format!("{flag} and --add-host cannot be set together");
        return Err(Error::invalid(why));
    }
    if request.hostname.is_some() && !request.namespaces.uts.is_new() {
        return refuse("hostname and the UTS mode");
    }
    if matches.given("network-alias") {
        return Err(Error::invalid(
            "network-scoped alias is supported only for containers in user defined networks",
        ));
    }
    let NetworkMode::Container(_) = request.network else {
        return Ok(());
    };
    let dns = &request.dns;
    if request.hostname.is_some() {
        refuse("hostname and the network mode")
    } else if !(dns.servers.is_empty() && dns.search.is_empty() && dns.options.is_empty()) {
        refuse("dns and the network mode")
    } else if !request.extra_hosts.is_empty() {
        refuse("custom host-to-IP mapping and the network mode")
    } else if !request.ports.is_empty() || request.publish_all {
        refuse("port publishing and the container type network mode")
    } else if !request.expose.is_empty() {
        refuse("port exposing and the container type network mode")
    } else {
        Ok(())
    }
}

fn network(names: &[&str]) -> Result<NetworkMode> {
    let Some(name) = names.last() else {
        return Ok(NetworkMode::None);
    };
    if names.len() > 1 {
        let own =
            |name: &&&str| matches!(**name, "none" | "host") || name.starts_with("container:");
        let why = match names.iter().find(own) {
            Some(_) => {
                "conflicting options: cannot attach both user-defined and non-user-defined \
                        network-modes"
            }
            None => "this version has the networks none and host, and one of them at a time",
        };
        return Err(Error::invalid(why));
    }
    let name = match name.strip_prefix("name=") {
        Some(rest) if !rest.contains(',') => rest,
        _ => name,
    };
    match name {
        "none" | "default" => Ok(NetworkMode::None),
        "host" => Ok(NetworkMode::Host),
        "container:" | "container" => Err(Error::invalid(
            "invalid container format container:<name|id>",
        )),
        other => match other.strip_prefix("container:") {
            Some(container) => Ok(NetworkMode::Container(container.to_owned())),
            None => Err(Error::not_found(format!("network {other} not found"))
                .hint("this version knows the networks none, host and container:NAME")),
        },
    }
}

/// What a host name may consist of: nothing that would forge a line of /etc/hosts.
fn is_host_name(text: &str) -> bool {
    let shape = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    text.bytes().all(shape)
}

/// `host:ip` or `host=ip`, with `host-gateway` for an address that is found at every start.
fn extra_hosts(matches: &Matches) -> Result<Vec<String>> {
    let check = |text: &str| {
        let refuse = |why: String| {
            let flag = format!("invalid argument {text:?} for \"--add-host\" flag: {why}");
            Error::invalid(flag)
        };
        let bad = || refuse(format!("bad format for add-host: {text:?}"));
        let (name, address) = text.split_once(['=', ':']).ok_or_else(bad)?;
        if name.is_empty() || !is_host_name(name) {
            return Err(bad());
        }
        if address == "host-gateway" {
            return Ok(format!("{name}:{address}"));
        }
        let bare = address.strip_prefix('[').and_then(|a| a.strip_suffix(']'));
        let parsed: std::result::Result<IpAddr, _> = bare.unwrap_or(address).parse();
        let address =
            parsed.map_err(|_| refuse(format!("invalid IP address in add-host: {address:?}")))?;
        Ok(format!("{name}:{address}"))
    };
    matches.texts("add-host").into_iter().map(check).collect()
}

fn dns(matches: &Matches, request: &mut Request) -> Result<()> {
    let refuse = |flag: &str, text: &str, why: &str| {
        let text = format!("invalid argument {text:?} for \"--{flag}\" flag: {why}");
        Error::invalid(text)
    };
    for text in matches.texts("dns") {
        let parsed = text.trim().parse();
        let address: IpAddr = parsed.map_err(|_| {
            refuse(
                "dns",
                text,
                &format!("IP address is not correctly formatted: {text}"),
            )
        })?;
        request.dns.servers.push(address);
    }
    for text in matches.texts("dns-search") {
        let domain = text.trim_matches(' ');
        let dot = domain == ".";
        if domain.is_empty() || domain.len() > 255 || !(dot || is_host_name(domain)) {
            let why = format!("{} is not a valid domain", text.escape_debug());
            return Err(refuse("dns-search", text, &why));
        }
        request.dns.search.push(domain.to_owned());
    }
    for text in matches.texts("dns-option") {
        let shape = |b: u8| b.is_ascii_alphanumeric() || b"-._:".contains(&b);
        if text.is_empty() || !text.bytes().all(shape) {
            let why = "options are words like ndots:2, see resolv.conf(5)";
            return Err(refuse("dns-option", text, why));
        }
        request.dns.options.push(text.to_owned());
    }
    Ok(())
}

fn hosts_file(matches: &Matches) -> Result<HostsFile> {
    let given = matches.text("hosts-file");
    if matches.on("no-hosts") {
        return match given {
            None => Ok(HostsFile::Image),
            Some(_) => Err(Error::invalid(
                "--no-hosts and --hosts-file cannot be set together",
            )),
        };
    }
    Ok(match given {
        None | Some("") => HostsFile::Engine,
        Some("image") => HostsFile::Image,
        Some("none") => HostsFile::Empty,
        Some(path) => HostsFile::From(super::mounts::absolute(path)?),
    })
}
